/* Schema text: an error or a schema that has a type, a canonical form that parses to the same fingerprint, and that
 * compiles against itself. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/codec/avro_program.h"
#include "edge/formats/avro_schema.h"

static void check_schema(struct rf_arena *arena, const struct rf_schema *schema)
{
    struct rf_buffer canonical;
    const struct rf_schema *again = NULL;
    const struct rf_avro_program *program = NULL;
    const struct rf_avro_skip *skip = NULL;
    struct rf_error err = {0};

    rf_assert(rf_schema_type(arena, schema) != NULL);
    rf_buffer_init(&canonical, 64U << 20);
    rf_schema_canonical(&canonical, schema);
    if (canonical.size <= RF_AVRO_SCHEMA_SIZE_MAX &&
        rf_avro_schema_parse(arena, rf_buffer_bytes(&canonical), NULL, 0, &again, &err))
        rf_assert(rf_schema_fingerprint(again) == rf_schema_fingerprint(schema));
    rf_buffer_deinit(&canonical);
    rf_error_clear(&err);
    if (!rf_avro_skip_compile(arena, schema, &skip, &err))
        rf_assert(err.kind == RF_ERROR_RECORD);
    rf_error_clear(&err);
    if (schema->kind == RF_SCHEMA_RECORD &&
        !rf_avro_compile(arena, schema, schema, NULL, NULL, &program, &err))
        rf_assert(err.kind == RF_ERROR_RECORD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rf_arena arena;
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    if (arena.chunk_size == 0)
        rf_arena_init(&arena, 1U << 16);
    if (rf_avro_schema_parse(&arena, rf_bytes_of(data, size), NULL, 0, &schema, &err))
        check_schema(&arena, schema);
    else
        rf_assert(err.kind == RF_ERROR_CONFIG);
    rf_arena_reset(&arena, 1U << 20);
    return 0;
}
