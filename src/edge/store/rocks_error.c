/* RocksDB's C interface gives errors as text alone, "Corruption: ...", "IO error: ...": the prefix and what
 * the operating system said decide. What cannot be told apart is RETRY: nothing is thrown away for it. */
#include <string.h>

#include "core/base/assert.h"
#include "edge/store/rocks_internal.h"

static const struct {
    const char *prefix;
    const char *part; /* NULL: any */
    enum rf_error_kind kind;
    const char *hint; /* NULL: none */
} reasons[] = {
    {"Corruption: ", NULL, RF_ERROR_STATE, NULL},
    {"Invalid argument: ", NULL, RF_ERROR_STATE, NULL}, /* files of another make */
    {"Not implemented: ", NULL, RF_ERROR_STATE, NULL},
    {"IO error: ", "lock hold by current process", RF_ERROR_RETRY,
     "this process has it open already"},
    {"IO error: ", "While lock file: ", RF_ERROR_RETRY,
     "is another ringfold running on this directory?"},
    {"IO error: ", "Permission denied", RF_ERROR_CONFIG, NULL},
    {"IO error: ", "Read-only file system", RF_ERROR_CONFIG, NULL},
    {"IO error: ", "No such file or directory", RF_ERROR_STATE, NULL}, /* a file has gone */
    {"IO error: ", "Input/output error", RF_ERROR_STATE, NULL},        /* the medium */
};

bool rf_rocks_error(struct rf_error *err, const char *path, const char *doing, char *reason)
{
    enum rf_error_kind kind = RF_ERROR_RETRY;
    const char *hint = NULL;

    rf_assert(reason != NULL);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strncmp(reason, reasons[i].prefix, strlen(reasons[i].prefix)) != 0)
            continue;
        if (reasons[i].part != NULL && strstr(reason, reasons[i].part) == NULL)
            continue;
        kind = reasons[i].kind;
        hint = reasons[i].hint;
        break;
    }
    if (hint == NULL)
        rf_error_set(err, kind, 0, "%s: %s: %s", path, doing, reason);
    else
        rf_error_set(err, kind, 0, "%s: %s: %s (%s)", path, doing, hint, reason);
    rocksdb_free(reason);
    return false;
}
