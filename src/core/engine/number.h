/* The numbers that features add up and compare, in the form in which their state holds them: a double where
 * state_type says so, a 64-bit integer for everything else; instants and lengths in milliseconds.
 *
 * Integers saturate instead of wrapping: a sum that has reached an end of the range stays there until
 * something pulls it back, so its value can depend on the order of arrival only beyond 2^63. */
#pragma once
#include <stdbool.h>

#include "core/expr/type.h"
#include "core/expr/value.h"
#include "core/model/customer.h"

/* False where the value is no finite number of that type. An unsigned number above 2^63-1 counts as that;
 * an instant outside the years 1 to 9999 as the nearer end. */
bool rf_number_of(const struct rf_type *state_type, struct rf_value value, union rf_number *number);

struct rf_value rf_number_value(const struct rf_type *state_type, union rf_number number);
union rf_number rf_number_add(const struct rf_type *state_type, union rf_number a,
                              union rf_number b);
bool rf_number_less(const struct rf_type *state_type, union rf_number a, union rf_number b);

static inline int64_t rf_number_add_saturated(int64_t a, int64_t b)
{
    int64_t sum = 0;

    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? INT64_MAX : INT64_MIN;
}

/* A duration of so many milliseconds: seconds and nanoseconds of one sign. */
struct rf_value rf_number_duration_ms(rf_span_ms length);
