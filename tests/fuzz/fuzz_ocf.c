/* Container files: an error or datums. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "edge/formats/ocf.h"

#define DATUMS_MAX 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct rf_ocf_reader *reader = NULL;
    struct rf_error err = {0};
    FILE *file = NULL;
    bool end = false;

    if (path[0] == '\0')
        snprintf(path, sizeof path, "/dev/shm/rf_fuzz_ocf_%d", (int)getpid());
    file = fopen(path, "wb");
    rf_assert(file != NULL);
    if (size > 0)
        fwrite(data, 1, size, file);
    fclose(file);
    if (!rf_ocf_open(path, &reader, &err))
        return 0;
    for (int i = 0; i < DATUMS_MAX && !end; i++) {
        struct rf_bytes datum;

        if (!rf_ocf_next(reader, &datum, &end, &err))
            break;
    }
    rf_ocf_close(reader);
    return 0;
}
