/* The `math` extension. */
#include "core/base/math.h"

#include <math.h>

#include "core/base/assert.h"
#include "core/expr/function.h"

static struct rf_value ceiling(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double(ceil(arguments[0].as.number));
}

static struct rf_value floor_of(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double(floor(arguments[0].as.number));
}

/* Half away from zero. */
static struct rf_value round_of(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double(round(arguments[0].as.number));
}

static struct rf_value truncate(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double(trunc(arguments[0].as.number));
}

static struct rf_value root(struct rf_eval *eval, const struct rf_value *arguments)
{
    double number = arguments[0].as.number;

    (void)eval;
    if (arguments[0].kind == RF_VALUE_INT)
        number = (double)arguments[0].as.integer;
    else if (arguments[0].kind == RF_VALUE_UINT)
        number = (double)arguments[0].as.uinteger;
    return rf_value_double(number < 0 ? (double)NAN : sqrt(number));
}

static struct rf_value absolute(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_value value = arguments[0];

    (void)eval;
    if (value.kind == RF_VALUE_DOUBLE)
        return rf_value_double(fabs(value.as.number));
    if (value.kind == RF_VALUE_UINT || value.as.integer >= 0)
        return value;
    if (value.as.integer == INT64_MIN)
        return rf_failure(RF_FAILURE_OVERFLOW, "math.abs");
    return rf_value_int(-value.as.integer);
}

static struct rf_value sign(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_value value = arguments[0];

    (void)eval;
    if (value.kind == RF_VALUE_UINT)
        return rf_value_uint(value.as.uinteger > 0);
    if (value.kind == RF_VALUE_INT)
        return rf_value_int((value.as.integer > 0) - (value.as.integer < 0));
    if (value.as.number != value.as.number)
        return value;
    return rf_value_double((value.as.number > 0) - (value.as.number < 0)); /* of -0.0 it is 0.0 */
}

static struct rf_value is_nan(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_bool(isnan(arguments[0].as.number));
}

static struct rf_value is_infinite(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_bool(isinf(arguments[0].as.number));
}

static struct rf_value is_finite(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_bool(isfinite(arguments[0].as.number));
}

/* Bits: int and uint share their representation, and the result has the type of the first argument. */

static struct rf_value of_bits(struct rf_value like, uint64_t bits)
{
    return like.kind == RF_VALUE_UINT ? rf_value_uint(bits) : rf_value_int((int64_t)bits);
}

static struct rf_value bit_and(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return of_bits(arguments[0], arguments[0].as.uinteger & arguments[1].as.uinteger);
}

static struct rf_value bit_or(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return of_bits(arguments[0], arguments[0].as.uinteger | arguments[1].as.uinteger);
}

static struct rf_value bit_xor(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return of_bits(arguments[0], arguments[0].as.uinteger ^ arguments[1].as.uinteger);
}

static struct rf_value bit_not(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return of_bits(arguments[0], ~arguments[0].as.uinteger);
}

/* Beyond the width nothing is left; the shift to the right fills with zeros. */
static struct rf_value shift(const struct rf_value *arguments, bool left)
{
    int64_t by = arguments[1].as.integer;
    uint64_t bits = arguments[0].as.uinteger;

    if (by < 0)
        return rf_failure(RF_FAILURE_ARGUMENT, "math.bitShift: negative offset");
    if (by >= 64)
        return of_bits(arguments[0], 0);
    return of_bits(arguments[0], left ? bits << by : bits >> by);
}

static struct rf_value shift_left(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return shift(arguments, true);
}

static struct rf_value shift_right(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return shift(arguments, false);
}

/* The greatest (order 1) or least (-1); of equal ones the first. */
static struct rf_value extreme(const struct rf_value *values, size_t count, int order)
{
    size_t best = 0;

    if (count == 0)
        return rf_failure(RF_FAILURE_ARGUMENT, "math: the list is empty");
    for (size_t i = 0; i < count; i++) {
        bool defined = false;
        int found = rf_value_order(values[i], values[best], &defined);

        if (values[i].kind < RF_VALUE_INT || values[i].kind > RF_VALUE_DOUBLE)
            return rf_failure(RF_FAILURE_NO_OVERLOAD, order > 0 ? "math.greatest" : "math.least");
        if (found == RF_ORDER_NONE && i > 0)
            return rf_failure_nan();
        if (found == order)
            best = i;
    }
    return values[best];
}

static struct rf_value greatest_of_list(struct rf_eval *eval, const struct rf_value *arguments)
{
    if (!rf_eval_spend(eval, arguments[0].as.list->count / 4))
        return rf_eval_exhausted(eval);
    return extreme(arguments[0].as.list->items, arguments[0].as.list->count, 1);
}

static struct rf_value least_of_list(struct rf_eval *eval, const struct rf_value *arguments)
{
    if (!rf_eval_spend(eval, arguments[0].as.list->count / 4))
        return rf_eval_exhausted(eval);
    return extreme(arguments[0].as.list->items, arguments[0].as.list->count, -1);
}

static struct rf_value greatest_of_two(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return extreme(arguments, 2, 1);
}

static struct rf_value least_of_two(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return extreme(arguments, 2, -1);
}

static struct rf_value itself(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return arguments[0];
}

/* ringfold's own, beside the extension: the same bits on every machine. */

static struct rf_value exponential(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double(rf_exp(arguments[0].as.number));
}

static struct rf_value logarithm(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double(rf_log(arguments[0].as.number));
}

static struct rf_value power(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double(rf_pow(arguments[0].as.number, arguments[1].as.number));
}

const struct rf_overload rf_functions_math[] = {
    {"math.ceil", false, "d", "d", ceiling},
    {"math.floor", false, "d", "d", floor_of},
    {"math.round", false, "d", "d", round_of},
    {"math.trunc", false, "d", "d", truncate},
    {"math.sqrt", false, "d", "d", root},
    {"math.sqrt", false, "i", "d", root},
    {"math.sqrt", false, "u", "d", root},
    {"math.abs", false, "i", "i", absolute},
    {"math.abs", false, "u", "u", absolute},
    {"math.abs", false, "d", "d", absolute},
    {"math.sign", false, "i", "i", sign},
    {"math.sign", false, "u", "u", sign},
    {"math.sign", false, "d", "d", sign},
    {"math.isNaN", false, "d", "b", is_nan},
    {"math.isInf", false, "d", "b", is_infinite},
    {"math.isFinite", false, "d", "b", is_finite},
    {"math.bitAnd", false, "ii", "i", bit_and},
    {"math.bitAnd", false, "uu", "u", bit_and},
    {"math.bitOr", false, "ii", "i", bit_or},
    {"math.bitOr", false, "uu", "u", bit_or},
    {"math.bitXor", false, "ii", "i", bit_xor},
    {"math.bitXor", false, "uu", "u", bit_xor},
    {"math.bitNot", false, "i", "i", bit_not},
    {"math.bitNot", false, "u", "u", bit_not},
    {"math.bitShiftLeft", false, "ii", "i", shift_left},
    {"math.bitShiftLeft", false, "ui", "u", shift_left},
    {"math.bitShiftRight", false, "ii", "i", shift_right},
    {"math.bitShiftRight", false, "ui", "u", shift_right},
    {"math.greatest", false, "i", "i", itself},
    {"math.greatest", false, "u", "u", itself},
    {"math.greatest", false, "d", "d", itself},
    {"math.greatest", false, "Li", "i", greatest_of_list},
    {"math.greatest", false, "Lu", "u", greatest_of_list},
    {"math.greatest", false, "Ld", "d", greatest_of_list},
    {"math.greatest", false, "ii", "i", greatest_of_two},
    {"math.greatest", false, "uu", "u", greatest_of_two},
    {"math.greatest", false, "dd", "d", greatest_of_two},
    {"math.greatest", false, "**", "*", greatest_of_two},
    {"math.least", false, "i", "i", itself},
    {"math.least", false, "u", "u", itself},
    {"math.least", false, "d", "d", itself},
    {"math.least", false, "Li", "i", least_of_list},
    {"math.least", false, "Lu", "u", least_of_list},
    {"math.least", false, "Ld", "d", least_of_list},
    {"math.least", false, "ii", "i", least_of_two},
    {"math.least", false, "uu", "u", least_of_two},
    {"math.least", false, "dd", "d", least_of_two},
    {"math.least", false, "**", "*", least_of_two},
    {"math.exp", false, "d", "d", exponential},
    {"math.log", false, "d", "d", logarithm},
    {"math.pow", false, "dd", "d", power},
    {NULL, false, NULL, NULL, NULL},
};
