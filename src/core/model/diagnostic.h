/* What is wrong with a configuration, and where: many of them in one go, printed by `check` as
 * FILE:LINE:COL: message, the excerpt with a caret, and a hint. */
#pragma once
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

enum rf_diagnostic_level {
    RF_DIAGNOSTIC_ERROR,
    RF_DIAGNOSTIC_WARNING
};

struct rf_diagnostic {
    enum rf_diagnostic_level level;
    const char *file;
    size_t line;   /* from 1; 0: the file as a whole */
    size_t column; /* from 1, in code points */
    size_t width;  /* code points under the caret; at least 1 */
    const char *message;
    const char *excerpt; /* the line, without its end; NULL where there is none */
    const char *hint;    /* what to do, or "did you mean ...?"; NULL where there is none */
};

#define RF_DIAGNOSTICS_MAX 100 /* enough to mend a file by; the rest is counted */

struct rf_diagnostics {
    struct rf_arena *arena; /* not owned: the texts */
    size_t count;
    size_t error_count; /* also of those beyond RF_DIAGNOSTICS_MAX */
    struct rf_diagnostic items[RF_DIAGNOSTICS_MAX];
};

void rf_diagnostics_init(struct rf_diagnostics *diagnostics, struct rf_arena *arena);
/* A copy of `diagnostic` with its texts. */
void rf_diagnostics_add(struct rf_diagnostics *diagnostics, const struct rf_diagnostic *diagnostic);

/* The nearest of `names` to what was written (Damerau-Levenshtein, at most a third of its length);
 * NULL where nothing is near. */
const char *rf_nearest_name(struct rf_bytes written, const char *const *names, size_t name_count);
