#include "core/codec/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/number.h"

#define EXACT_INTEGER_MAX (INT64_C(1) << 53) /* doubles hold every integer up to here */
#define EXACT_POWER_MAX   22 /* 10^22 is the last power of ten that a double holds */

#define LIMB_COUNT_MAX    (RF_DECIMAL_SIZE_MAX / 4)
#define CHUNK             UINT32_C(1000000000)
#define CHUNK_DIGITS      9
/* 2^512 has 155 digits, in 18 chunks; then sign, exponent, terminator. */
#define TEXT_SIZE_MAX 256

static const double powers_of_ten[EXACT_POWER_MAX + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* The magnitude as 32-bit limbs, most significant first. Returns whether the number is negative. */
static bool to_limbs(struct rf_bytes unscaled, uint32_t limbs[LIMB_COUNT_MAX])
{
    uint8_t bytes[RF_DECIMAL_SIZE_MAX];
    bool negative = (unscaled.data[0] & 0x80) != 0;
    unsigned carry = negative ? 1 : 0;

    memset(bytes, negative ? 0xff : 0, sizeof bytes);
    memcpy(bytes + sizeof bytes - unscaled.size, unscaled.data, unscaled.size);
    for (size_t i = sizeof bytes; negative && i-- > 0;) {
        unsigned sum = (uint8_t)~bytes[i] + carry;

        bytes[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    for (size_t i = 0; i < LIMB_COUNT_MAX; i++)
        limbs[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 |
                   (uint32_t)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
    return negative;
}

/* Divides by CHUNK in place; returns the remainder. */
static uint32_t divide(uint32_t limbs[LIMB_COUNT_MAX], bool *is_zero)
{
    uint64_t remainder = 0;

    *is_zero = true;
    for (size_t i = 0; i < LIMB_COUNT_MAX; i++) {
        uint64_t part = remainder << 32 | limbs[i];

        limbs[i] = (uint32_t)(part / CHUNK);
        remainder = part % CHUNK;
        if (limbs[i] != 0)
            *is_zero = false;
    }
    return (uint32_t)remainder;
}

static bool by_text(struct rf_bytes unscaled, int32_t scale, double *number)
{
    char text[TEXT_SIZE_MAX];
    char *first = text + TEXT_SIZE_MAX - 24; /* room for the exponent behind */
    uint32_t limbs[LIMB_COUNT_MAX];
    bool negative = to_limbs(unscaled, limbs);
    bool is_zero = false;
    int exponent_size = snprintf(first, 24, "e-%d", scale);

    while (!is_zero) {
        uint32_t chunk = divide(limbs, &is_zero);

        for (int i = 0; i < CHUNK_DIGITS; i++, chunk /= 10)
            *--first = (char)('0' + chunk % 10);
    }
    if (negative)
        *--first = '-';
    return rf_double_parse(
        rf_bytes_of(first, (size_t)(text + TEXT_SIZE_MAX - 24 - first) + (size_t)exponent_size),
        number);
}

bool rf_decimal_to_double(struct rf_bytes unscaled, int32_t scale, double *number)
{
    uint64_t bits = 0;
    int64_t integer = 0;

    if (unscaled.size == 0 || unscaled.size > RF_DECIMAL_SIZE_MAX)
        return false;
    if (unscaled.size > 8 || scale > EXACT_POWER_MAX)
        return by_text(unscaled, scale, number);
    bits = (unscaled.data[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < unscaled.size; i++)
        bits = bits << 8 | unscaled.data[i];
    memcpy(&integer, &bits, sizeof integer);
    if (integer > EXACT_INTEGER_MAX || integer < -EXACT_INTEGER_MAX)
        return by_text(unscaled, scale, number);
    *number = (double)integer / powers_of_ten[scale]; /* both exact, so one rounding */
    return true;
}

size_t rf_decimal_from_double(double number, int32_t scale, size_t size,
                              uint8_t unscaled[RF_DECIMAL_SIZE_MAX])
{
    double scaled = 0;
    uint64_t bits = 0;
    size_t needed = 1;

    if (scale > EXACT_POWER_MAX || size > RF_DECIMAL_SIZE_MAX)
        return 0;
    scaled = rint(number * powers_of_ten[scale]);
    if (!(scaled >= -0x1p63 && scaled < 0x1p63)) /* also where it is not a number */
        return 0;
    bits = (uint64_t)(int64_t)scaled;
    while (needed < 8 && (int64_t)(bits << (64 - 8 * needed)) >> (64 - 8 * needed) != (int64_t)bits)
        needed++;
    if (size == 0)
        size = needed;
    if (size < needed)
        return 0;
    for (size_t i = 0; i < size; i++)
        unscaled[size - 1 - i] = (uint8_t)(i < 8 ? bits >> (8 * i) : (scaled < 0 ? 0xff : 0));
    return size;
}
