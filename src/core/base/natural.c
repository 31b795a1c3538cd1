#include "core/base/natural.h"

#include <string.h>

#include "core/base/assert.h"

#define LIMB_BITS 32

static void push(struct rf_natural *n, uint32_t limb)
{
    rf_assert(n->count < RF_NATURAL_LIMBS);
    n->limbs[n->count++] = limb;
}

void rf_natural_set(struct rf_natural *n, uint64_t value)
{
    n->count = 0;
    for (; value != 0; value >>= LIMB_BITS)
        push(n, (uint32_t)value);
}

void rf_natural_multiply_add(struct rf_natural *n, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;

    rf_assert(factor > 0);
    for (uint32_t i = 0; i < n->count; i++) {
        carry += (uint64_t)n->limbs[i] * factor;
        n->limbs[i] = (uint32_t)carry;
        carry >>= LIMB_BITS;
    }
    if (carry != 0)
        push(n, (uint32_t)carry);
}

void rf_natural_multiply_power_of_five(struct rf_natural *n, uint32_t exponent)
{
    static const uint32_t powers[] = {1,     5,      25,      125,     625,      3125,     15625,
                                      78125, 390625, 1953125, 9765625, 48828125, 244140625};
    const uint32_t largest = sizeof powers / sizeof powers[0] - 1;

    for (; exponent > largest; exponent -= largest)
        rf_natural_multiply_add(n, powers[largest], 0);
    rf_natural_multiply_add(n, powers[exponent], 0);
}

void rf_natural_shift_left(struct rf_natural *n, uint32_t bits)
{
    uint32_t limbs = bits / LIMB_BITS;

    if (n->count == 0)
        return;
    rf_natural_multiply_add(n, UINT32_C(1) << bits % LIMB_BITS, 0);
    rf_assert(limbs <= RF_NATURAL_LIMBS - n->count);
    memmove(n->limbs + limbs, n->limbs, n->count * sizeof n->limbs[0]);
    memset(n->limbs, 0, limbs * sizeof n->limbs[0]);
    n->count += limbs;
}

uint32_t rf_natural_bits(const struct rf_natural *n)
{
    uint32_t bits = 0;

    if (n->count == 0)
        return 0;
    for (uint32_t limb = n->limbs[n->count - 1]; limb != 0; limb >>= 1)
        bits++;
    return bits + (n->count - 1) * LIMB_BITS;
}

int rf_natural_compare(const struct rf_natural *a, const struct rf_natural *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = a->count; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

int rf_natural_compare_sum(const struct rf_natural *a, const struct rf_natural *b,
                           const struct rf_natural *c)
{
    struct rf_natural sum;
    const struct rf_natural *longer = a->count >= b->count ? a : b;
    const struct rf_natural *shorter = longer == a ? b : a;
    uint64_t carry = 0;

    sum.count = 0;
    for (uint32_t i = 0; i < longer->count; i++) {
        carry += longer->limbs[i];
        carry += i < shorter->count ? shorter->limbs[i] : 0;
        push(&sum, (uint32_t)carry);
        carry >>= LIMB_BITS;
    }
    if (carry != 0)
        push(&sum, (uint32_t)carry);
    return rf_natural_compare(&sum, c);
}

/* n -= d * factor, which is at most n. */
static void subtract_product(struct rf_natural *n, const struct rf_natural *d, uint32_t factor)
{
    uint64_t borrow = 0;

    for (uint32_t i = 0; i < n->count; i++) {
        uint64_t taken = borrow + (i < d->count ? (uint64_t)d->limbs[i] * factor : 0);
        uint32_t limb = n->limbs[i];

        n->limbs[i] = limb - (uint32_t)taken;
        borrow = (taken >> LIMB_BITS) + ((uint32_t)taken > limb ? 1 : 0);
    }
    rf_assert(borrow == 0);
    while (n->count > 0 && n->limbs[n->count - 1] == 0)
        n->count--;
}

uint32_t rf_natural_headroom(const struct rf_natural *n)
{
    return (LIMB_BITS - rf_natural_bits(n) % LIMB_BITS) % LIMB_BITS;
}

/* The quotient of the highest limbs is too small by 2 at most, which the loop mends. */
uint32_t rf_natural_divide_small(struct rf_natural *n, const struct rf_natural *d)
{
    uint64_t highest = n->count > 0 ? n->limbs[n->count - 1] : 0;
    uint32_t quotient;

    if (n->count < d->count)
        return 0;
    rf_assert(d->limbs[d->count - 1] >> (LIMB_BITS - 1) == 1);
    rf_assert(n->count <= d->count + 1);
    if (n->count > d->count)
        highest = highest << LIMB_BITS | n->limbs[n->count - 2];
    quotient = (uint32_t)(highest / ((uint64_t)d->limbs[d->count - 1] + 1));
    subtract_product(n, d, quotient);
    while (rf_natural_compare(n, d) >= 0) {
        subtract_product(n, d, 1);
        quotient++;
    }
    return quotient;
}

uint64_t rf_natural_divide(struct rf_natural *n, const struct rf_natural *d, bool *more)
{
    static const uint32_t steps[] = {16, 16, 16, 15}; /* and the highest bit */
    uint64_t quotient = 1;

    rf_assert(rf_natural_compare(n, d) >= 0);
    subtract_product(n, d, 1);
    rf_assert(rf_natural_compare(n, d) < 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        rf_natural_shift_left(n, steps[i]);
        quotient = (quotient << steps[i]) + rf_natural_divide_small(n, d);
    }
    *more = n->count > 0;
    return quotient;
}
