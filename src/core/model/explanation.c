#include "core/model/explanation.h"

const char *rf_standing_name(enum rf_standing standing)
{
    static const char *const names[] = {
        [RF_STANDING_READY] = "ready",     [RF_STANDING_CONDITION] = "condition",
        [RF_STANDING_RAISED] = "raised",   [RF_STANDING_FOR] = "for",
        [RF_STANDING_TOLD] = "told",       [RF_STANDING_COOLDOWN] = "cooldown",
        [RF_STANDING_PATTERN] = "pattern", [RF_STANDING_OFF] = "off",
    };

    return names[standing];
}

const char *rf_comparison_name(enum rf_comparison comparison)
{
    static const char *const names[] = {
        [RF_COMPARES_NOTHING] = "",         [RF_COMPARES_EQUAL] = "==",
        [RF_COMPARES_NOT_EQUAL] = "!=",     [RF_COMPARES_LESS] = "<",
        [RF_COMPARES_LESS_EQUAL] = "<=",    [RF_COMPARES_GREATER] = ">",
        [RF_COMPARES_GREATER_EQUAL] = ">=",
    };

    return names[comparison];
}

static bool number_of(struct rf_value value, double *number)
{
    if (value.kind != RF_VALUE_TIMESTAMP && value.kind != RF_VALUE_DURATION)
        return rf_value_to_double(value, number);
    *number = (double)value.as.seconds + 1e-9 * value.nanoseconds;
    return true;
}

bool rf_explained_gap(const struct rf_explained *test, double *gap)
{
    double left = 0;
    double right = 0;

    if (test->comparison == RF_COMPARES_NOTHING || !number_of(test->left, &left) ||
        !number_of(test->right, &right))
        return false;
    *gap = right - left;
    return true;
}
