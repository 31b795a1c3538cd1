/* Does a value rise or fall throughout while what it reads does? Then whatever it is compared with it passes once. */
#pragma once
#include "core/expr/expr.h"

enum rf_course {
    RF_COURSE_CONSTANT,
    RF_COURSE_MONOTONE, /* it never falls, or it never rises */
    RF_COURSE_ANY,      /* it may come and go */
};

/* `variable(self, v)`: the course of variable v. What follows from the operators and functions that are known to keep a
 * course; ANY where more than one moving part meet. */
enum rf_course rf_expr_course(const struct rf_expr *expr,
                              enum rf_course (*variable)(void *self, uint32_t variable),
                              void *self);
