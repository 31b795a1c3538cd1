/* The constants behind exp and log (math.c); how each is derived: math_table.c. */
#pragma once

#define RF_MATH_POWERS 128
#define RF_MATH_LOGS   129

struct rf_math_power {
    double high;
    double low;
};

struct rf_math_log {
    double inverse;
    double log_high;
    double log_low;
};

extern const struct rf_math_power rf_math_powers[RF_MATH_POWERS];
extern const struct rf_math_log rf_math_logs[RF_MATH_LOGS];
