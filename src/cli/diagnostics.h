/* What is wrong with a configuration, for people and for programs. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "core/model/diagnostic.h"

/* "ringfold: FILE:LINE:COL: message", the line with a caret under it, and the hint; colours only where `out`
 * is a terminal and NO_COLOR is not set. */
void rf_diagnostics_print(FILE *out, const struct rf_diagnostics *diagnostics);
/* One JSON object a line: level, file, line, column, width, message, hint. */
void rf_diagnostics_print_json(FILE *out, const struct rf_diagnostics *diagnostics);
