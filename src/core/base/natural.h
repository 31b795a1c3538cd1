/* Natural numbers of a few thousand bits: what reading and writing a double exactly takes (number.c).
 *
 * They live on the stack and never grow past RF_NATURAL_LIMBS, which number.c's bounds on digits and
 * exponents guarantee and every operation asserts. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The largest: 801 digits * 2^k, brought to the size of 5^1201, is below 2^2840; one shift of slack.
 * Writing needs 2^1077 * 10 and 5^324 * 2^(324 + 55). */
#define RF_NATURAL_LIMBS 96

struct rf_natural {
    uint32_t count;                   /* limbs in use; the last is not 0 */
    uint32_t limbs[RF_NATURAL_LIMBS]; /* least significant first; unset from `count` on */
};

void rf_natural_set(struct rf_natural *n, uint64_t value);

/* n = n * factor + addend, where factor is not 0 */
void rf_natural_multiply_add(struct rf_natural *n, uint32_t factor, uint32_t addend);
void rf_natural_multiply_power_of_five(struct rf_natural *n, uint32_t exponent);
void rf_natural_shift_left(struct rf_natural *n, uint32_t bits);

/* How many bits it has; 0 for 0. */
uint32_t rf_natural_bits(const struct rf_natural *n);

/* Negative, 0 or positive as a < b, a == b, a > b; of a + b against c in the second. */
int rf_natural_compare(const struct rf_natural *a, const struct rf_natural *b);
int rf_natural_compare_sum(const struct rf_natural *a, const struct rf_natural *b,
                           const struct rf_natural *c);

/* How far it can be shifted left before it needs one more limb. Divisors below have none left. */
uint32_t rf_natural_headroom(const struct rf_natural *n);

/* n / d, a number below 2^17; leaves the rest in n. */
uint32_t rf_natural_divide_small(struct rf_natural *n, const struct rf_natural *d);

/* The first 64 bits of n / d, where d <= n < 2d: the highest of them is set. *more: there is a rest.
 * Destroys n. */
uint64_t rf_natural_divide(struct rf_natural *n, const struct rf_natural *d, bool *more);
