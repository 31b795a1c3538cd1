#include "core/base/math.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/math_table.h"

/* Every step is one IEEE 754 operation on doubles, to nearest, so the bits are the same everywhere, and so
 * is the error: a logarithm is carried as the sum of two doubles to about 2^-68 of itself, an exponential
 * to about 2^-60, and one rounding ends each function. The worst seen in a million rounds, against 113-bit
 * arithmetic: exp 0.506 ulp, exp2 0.508, log and log2 0.500, pow 0.508. So exact results are exact. */
_Static_assert(FLT_EVAL_METHOD == 0,
               "doubles are computed as doubles (on i386: -msse2 -mfpmath=sse)");

#define FRACTION_BITS 52
#define FRACTION_MASK ((UINT64_C(1) << FRACTION_BITS) - 1)
#define EXPONENT_BIAS 1023
#define EXPONENT_MIN  (-1022) /* of a normal number */
#define SIGN_BIT      (UINT64_C(1) << 63)

/* ln(2) and ln(2) / 128, rounded to multiples of 2^-42 so that a product with an exponent is exact, and
 * the rests. */
#define LN2_HIGH       0x1.62e42fefa38p-1
#define LN2_LOW        0x1.ef35793c7673p-45
#define STEP_HIGH      0x1.62e42fefcp-8
#define STEP_LOW       (-0x1.c610ca86c3899p-44)
#define STEPS_PER_UNIT 0x1.71547652b82fep+7 /* 128 / ln(2) */
#define LN2            0x1.62e42fefa39efp-1
#define LOG2E_HIGH     0x1.71547652b82fep+0 /* 1 / ln(2) */
#define LOG2E_LOW      0x1.777d0ffda0d24p-56

/* Beyond these exp is infinite and 0. */
#define EXP_MAX 709.8
#define EXP_MIN (-745.2)

/* The unevaluated sum of two doubles, the second much smaller. */
struct pair {
    double high;
    double low;
};

static uint64_t bits_of(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The NaN that a processor makes has a sign or has none; ours has none. */
static double not_a_number(void)
{
    return double_of(UINT64_C(0x7ff8000000000000));
}

static double infinity(void)
{
    return double_of(UINT64_C(0x7ff0000000000000));
}

/* 2^exponent, a normal number. */
static double power_of_two(int64_t exponent)
{
    rf_assert(exponent >= EXPONENT_MIN && exponent <= EXPONENT_BIAS);
    return double_of((uint64_t)(exponent + EXPONENT_BIAS) << FRACTION_BITS);
}

/* a + b without error (Knuth). */
static struct pair add_exactly(double a, double b)
{
    double sum = a + b;
    double b_seen = sum - a;

    return (struct pair){sum, (a - (sum - b_seen)) + (b - b_seen)};
}

/* The upper half of a number's bits; the rest has 26 too, with its sign (Veltkamp). |a| < 2^996. */
static double upper_half(double a)
{
    double scaled = a * 134217729.0; /* 2^27 + 1 */

    return scaled - (scaled - a);
}

/* a * b without error, as long as nothing underflows (Dekker). */
static struct pair multiply_exactly(double a, double b)
{
    double product = a * b;
    double a_high = upper_half(a);
    double a_low = a - a_high;
    double b_high = upper_half(b);
    double b_low = b - b_high;
    double low = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;

    return (struct pair){product, low};
}

/* (high + low) * 2^exponent for a sum about 1 to 2, rounded once, also where that is subnormal. */
static double scale(double high, double low, int64_t exponent)
{
    double number = high + low;
    struct pair sum;
    double down;

    if (exponent > EXPONENT_BIAS)
        return number * power_of_two(EXPONENT_BIAS) * power_of_two(exponent - EXPONENT_BIAS);
    if (exponent > EXPONENT_MIN || (exponent == EXPONENT_MIN && number >= 1))
        return number * power_of_two(exponent);
    /* 1 has its last bit where a subnormal times 2^1022 has: let the sum with it do the rounding. */
    down = power_of_two(exponent - EXPONENT_MIN);
    sum = add_exactly(1, high * down);
    return (sum.high + (sum.low + low * down) - 1) * power_of_two(EXPONENT_MIN);
}

/* 2^(steps/128) * e^r for |r| up to about ln(2) / 256. */
static double exp_of_steps(int64_t steps, double r)
{
    int64_t index = (int64_t)((uint64_t)steps % RF_MATH_POWERS);
    const struct rf_math_power *power = &rf_math_powers[index];
    double series =
        r + r * r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720)))));

    return scale(power->high, power->low + power->high * series, (steps - index) / RF_MATH_POWERS);
}

static int64_t nearest_integer(double number)
{
    return (int64_t)(number < 0 ? number - 0.5 : number + 0.5);
}

/* e^(high + low), where low is at most a last bit of high. */
static double exp_of_pair(double high, double low)
{
    int64_t steps;
    double r;

    if (high > EXP_MAX)
        return infinity();
    if (high < EXP_MIN)
        return 0;
    steps = nearest_integer(high * STEPS_PER_UNIT);
    /* 18 bits times 35 bits, and a difference of neighbours: both are exact. */
    r = high - (double)steps * STEP_HIGH;
    r = r - (double)steps * STEP_LOW + low;
    return exp_of_steps(steps, r);
}

double rf_exp(double x)
{
    if (x != x)
        return not_a_number();
    return exp_of_pair(x, 0);
}

double rf_exp2(double x)
{
    int64_t steps;

    if (x != x)
        return not_a_number();
    if (x >= 1024)
        return infinity();
    if (x < -1076)
        return 0;
    steps = nearest_integer(x * RF_MATH_POWERS);
    return exp_of_steps(steps, (x - (double)steps / RF_MATH_POWERS) * LN2);
}

/* ln(1 + r) - r + r^2 / 2 */
static double log_series(double r)
{
    return r * r * r *
           (1.0 / 3 -
            r * (1.0 / 4 - r * (1.0 / 5 - r * (1.0 / 6 - r * (1.0 / 7 - r * (1.0 / 8 - r / 9))))));
}

/* ln(x) of a positive finite number: x = 2^exponent * m, ln(x) = exponent * ln(2) - ln(inverse) + ln(1 + r),
 * where 1 + r = m * inverse and |r| < 0.006. */
static struct pair log_of(double x)
{
    int64_t exponent = 0;
    uint64_t fraction;
    uint64_t index;
    const struct rf_math_log *entry;
    struct pair r;
    struct pair sum;
    struct pair square;
    double m;
    double low;

    if (x < DBL_MIN) {
        x *= 0x1p54;
        exponent = -54;
    }
    fraction = bits_of(x) & FRACTION_MASK;
    exponent += (int64_t)(bits_of(x) >> FRACTION_BITS) - EXPONENT_BIAS;
    index = (fraction + (UINT64_C(1) << (FRACTION_BITS - 8))) >> (FRACTION_BITS - 7);
    m = double_of(fraction | (uint64_t)EXPONENT_BIAS << FRACTION_BITS);
    if (index >= 53) { /* above sqrt(2) */
        m *= 0.5;
        exponent++;
    }
    entry = &rf_math_logs[index];

    /* ten bits times halves of m: r is exact */
    r = add_exactly(upper_half(m) * entry->inverse - 1, (m - upper_half(m)) * entry->inverse);
    sum = add_exactly((double)exponent * LN2_HIGH + entry->log_high, r.high);
    low = sum.low;
    square = multiply_exactly(r.high, r.high);
    sum = add_exactly(sum.high, -0.5 * square.high);
    low += sum.low - 0.5 * square.low - r.high * r.low;
    low += r.low + ((double)exponent * LN2_LOW + entry->log_low) + log_series(r.high);
    return add_exactly(sum.high, low);
}

/* What log and log2 of anything but a positive finite number are. */
static double log_at_an_end(double x)
{
    if (x == 0)
        return -infinity();
    return x > 0 ? x : not_a_number();
}

double rf_log(double x)
{
    struct pair log;

    if (!(x > 0 && x <= DBL_MAX))
        return log_at_an_end(x);
    log = log_of(x);
    return log.high + log.low;
}

double rf_log2(double x)
{
    struct pair log;
    struct pair product;

    if (!(x > 0 && x <= DBL_MAX))
        return log_at_an_end(x);
    log = log_of(x);
    product = multiply_exactly(log.high, LOG2E_HIGH);
    return product.high + (product.low + (log.high * LOG2E_LOW + log.low * LOG2E_HIGH));
}

enum parity {
    PARITY_NONE, /* no integer */
    PARITY_EVEN,
    PARITY_ODD,
};

static enum parity parity_of(double y)
{
    int64_t integer;

    if (fabs(y) >= 0x1p53)
        return PARITY_EVEN;
    integer = (int64_t)y;
    if ((double)integer != y)
        return PARITY_NONE;
    return integer % 2 == 0 ? PARITY_EVEN : PARITY_ODD;
}

/* x or y is infinite, or x is 0; neither is NaN, y is not 0. C17, F.10.4.4. */
static double pow_at_an_end(double x, double y)
{
    double magnitude = fabs(x);
    bool grows;

    if (fabs(y) > DBL_MAX && magnitude == 1)
        return 1;
    grows = (magnitude > 1) == (y > 0);
    magnitude = grows ? infinity() : 0;
    if (fabs(y) <= DBL_MAX && (bits_of(x) & SIGN_BIT) != 0 && parity_of(y) == PARITY_ODD)
        return -magnitude;
    return magnitude;
}

static double pow_of_positive(double x, double y)
{
    struct pair log;
    struct pair product;

    if (x == 1 || fabs(y) < 0x1p-66)
        return 1; /* |ln(x)| < 2^10: the result is nearer to 1 than to its neighbours */
    if (fabs(y) > 0x1p66)
        return (x > 1) == (y > 0) ? infinity() : 0; /* |ln(x)| > 2^-54 */
    log = log_of(x);
    product = multiply_exactly(y, log.high);
    return exp_of_pair(product.high, product.low + y * log.low);
}

double rf_pow(double x, double y)
{
    enum parity parity;

    if (y == 0 || x == 1)
        return 1; /* of a NaN too */
    if (x != x || y != y)
        return not_a_number();
    if (x == 0 || fabs(x) > DBL_MAX || fabs(y) > DBL_MAX)
        return pow_at_an_end(x, y);
    if (x > 0)
        return pow_of_positive(x, y);
    parity = parity_of(y);
    if (parity == PARITY_NONE)
        return not_a_number();
    return parity == PARITY_ODD ? -pow_of_positive(-x, y) : pow_of_positive(-x, y);
}
