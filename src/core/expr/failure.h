/* A failed evaluation, as its caller gets it. */
#pragma once
#include "core/base/error.h"
#include "core/expr/function.h"

/* Sets err, kind RECORD, with the enum rf_failure as its origin code. */
void rf_failure_report(struct rf_value value, struct rf_error *err);
