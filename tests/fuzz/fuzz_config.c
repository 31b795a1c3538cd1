/* libFuzzer: any bytes as a configuration are errors or a plan, never a crash, a leak or a long wait.
 *
 * Start it with the samples: fuzz_config CORPUS seeds/telco seeds/cdnow */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "edge/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *find_variable(void *self, const char *name)
{
    (void)self;
    return name[0] == 'A' ? "a: b\n'\"}" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rf_config_environment environment = {.variable = find_variable};
    struct rf_diagnostics *diagnostics = malloc(sizeof *diagnostics);
    struct rf_config *config = NULL;
    struct rf_arena arena;

    rf_arena_init(&arena, 4096);
    rf_diagnostics_init(diagnostics, &arena);
    if (rf_config_load_text(RF_SOURCE_DIR "/seeds/telco/ringfold.yaml", rf_bytes_of(data, size),
                            &environment, &arena, &config, diagnostics) != (config != NULL))
        abort();
    if ((config == NULL) != (diagnostics->error_count > 0))
        abort();
    for (size_t i = 0; i < diagnostics->count; i++) {
        if (diagnostics->items[i].line == 0 || diagnostics->items[i].column == 0)
            abort();
    }
    rf_arena_deinit(&arena);
    free(diagnostics);
    return 0;
}
