#include "core/engine/number.h"

#include <math.h>

#include "core/base/assert.h"

static bool double_of(struct rf_value value, double *number)
{
    if (value.kind == RF_VALUE_DOUBLE)
        *number = value.as.number;
    else if (value.kind == RF_VALUE_INT)
        *number = (double)value.as.integer;
    else if (value.kind == RF_VALUE_UINT)
        *number = (double)value.as.uinteger;
    else
        return false;
    return isfinite(*number);
}

static bool integer_of(struct rf_value value, int64_t *integer)
{
    if (value.kind == RF_VALUE_INT)
        *integer = value.as.integer;
    else if (value.kind == RF_VALUE_UINT)
        *integer = value.as.uinteger > INT64_MAX ? INT64_MAX : (int64_t)value.as.uinteger;
    else
        return false;
    return true;
}

static rf_ms clamp_instant(rf_ms instant)
{
    if (instant < RF_MS_MIN)
        return RF_MS_MIN;
    return instant > RF_MS_MAX ? RF_MS_MAX : instant;
}

bool rf_number_of(const struct rf_type *state_type, struct rf_value value, union rf_number *number)
{
    if (state_type->kind == RF_TYPE_DOUBLE)
        return double_of(value, &number->number);
    if (state_type->kind == RF_TYPE_INT || state_type->kind == RF_TYPE_UINT)
        return integer_of(value, &number->integer);
    if (state_type->kind == RF_TYPE_TIMESTAMP && value.kind == RF_VALUE_TIMESTAMP) {
        number->integer = clamp_instant(rf_value_to_ms(value));
        return true;
    }
    if (state_type->kind == RF_TYPE_DURATION && value.kind == RF_VALUE_DURATION) {
        number->integer = rf_value_to_ms(value);
        return true;
    }
    return false;
}

struct rf_value rf_number_duration_ms(rf_span_ms length)
{
    return rf_value_duration(length / 1000, (int32_t)(length % 1000) * 1000000);
}

struct rf_value rf_number_value(const struct rf_type *state_type, union rf_number number)
{
    if (state_type->kind == RF_TYPE_DOUBLE)
        return rf_value_double(number.number);
    if (state_type->kind == RF_TYPE_TIMESTAMP)
        return rf_value_timestamp_ms(number.integer);
    if (state_type->kind == RF_TYPE_DURATION)
        return rf_number_duration_ms(number.integer);
    if (state_type->kind == RF_TYPE_UINT)
        return rf_value_uint(number.integer < 0 ? 0 : (uint64_t)number.integer);
    rf_assert(state_type->kind == RF_TYPE_INT);
    return rf_value_int(number.integer);
}

union rf_number rf_number_add(const struct rf_type *state_type, union rf_number a,
                              union rf_number b)
{
    if (state_type->kind == RF_TYPE_DOUBLE)
        return (union rf_number){.number = a.number + b.number};
    return (union rf_number){.integer = rf_number_add_saturated(a.integer, b.integer)};
}

bool rf_number_less(const struct rf_type *state_type, union rf_number a, union rf_number b)
{
    if (state_type->kind == RF_TYPE_DOUBLE)
        return a.number < b.number;
    return a.integer < b.integer;
}
