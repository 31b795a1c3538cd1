#include "core/base/number.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/natural.h"

/* Reading is exact arithmetic on natural numbers unless both the digits and the power of ten are doubles,
 * where one correctly rounded operation gives the correctly rounded answer (Clinger, "How to read floating
 * point numbers accurately", 1990). Writing is Steele and White's digit generation in the form of Burger
 * and Dybvig, "Printing floating-point numbers quickly and accurately", 1996, again exact. */

#define MANTISSA_BITS 53
#define EXPONENT_MIN  (-1074) /* of the last bit of a subnormal */
#define EXPONENT_BIAS 1075    /* between the exponent of a normal's last bit and its field */
#define FIELD_MAX     2047    /* infinities and NaN */
#define FRACTION_MASK ((UINT64_C(1) << (MANTISSA_BITS - 1)) - 1)
#define SIGN_BIT      (UINT64_C(1) << 63)

/* A double, or the middle between two, has at most 767 digits; what comes later can only say "a little
 * more", so one digit 1 stands for all of it. */
#define DIGITS_MAX 800
/* 0.d * 10^point is infinite above this point, and 0 below the other, whatever the digits. */
#define POINT_MAX 310
#define POINT_MIN (-400)

/* Exact as doubles, up to the largest one that is. */
static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define POWER_EXACT_MAX 22

/* 0.d1 d2 d3... * 10^point, without leading or trailing zeros. */
struct decimal {
    bool negative;
    int32_t count;
    int64_t point;
    uint8_t digits[DIGITS_MAX + 1]; /* values, not characters */
};

static double double_of_bits(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint64_t bits_of_double(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static bool is_digit(struct rf_bytes text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

/* The digits and the point. Returns how many bytes of `text` they are; 0: there is no digit. */
static size_t scan_digits(struct rf_bytes text, size_t from, struct decimal *decimal)
{
    size_t at = from;
    bool any = false;
    bool after_point = false;

    for (; is_digit(text, at) || (at < text.size && text.data[at] == '.' && !after_point); at++) {
        uint8_t digit = (uint8_t)(text.data[at] - '0');

        if (text.data[at] == '.') {
            after_point = true;
            continue;
        }
        any = true;
        if (decimal->count == 0 && digit == 0) {
            decimal->point -= after_point ? 1 : 0;
            continue;
        }
        decimal->point += after_point ? 0 : 1;
        if (decimal->count < DIGITS_MAX)
            decimal->digits[decimal->count++] = digit;
        else if (digit != 0 && decimal->count == DIGITS_MAX)
            decimal->digits[decimal->count++] = 1;
    }
    while (decimal->count > 0 && decimal->digits[decimal->count - 1] == 0)
        decimal->count--;
    return any ? at - from : 0;
}

static bool scan_exponent(struct rf_bytes text, size_t at, int64_t *exponent)
{
    bool negative = false;

    *exponent = 0;
    if (at == text.size)
        return true;
    if (text.data[at] != 'e' && text.data[at] != 'E')
        return false;
    at++;
    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+'))
        negative = text.data[at++] == '-';
    if (at == text.size)
        return false;
    for (; is_digit(text, at); at++) {
        if (*exponent < INT64_MAX / 20)
            *exponent = *exponent * 10 + (text.data[at] - '0');
    }
    if (negative)
        *exponent = -*exponent;
    return at == text.size;
}

/* `name` is lower case. */
static bool is_word(struct rf_bytes text, size_t at, const char *name)
{
    size_t size = strlen(name);

    if (text.size - at != size)
        return false;
    for (size_t i = 0; i < size; i++) {
        uint8_t letter = text.data[at + i];

        if (letter >= 'A' && letter <= 'Z')
            letter = (uint8_t)(letter - 'A' + 'a');
        if (letter != (uint8_t)name[i])
            return false;
    }
    return true;
}

/* Digits that are an exact double times a power of ten that is one too. */
static bool convert_quickly(const struct decimal *decimal, double *number)
{
    int64_t exponent = decimal->point - decimal->count;
    uint64_t digits = 0;

    if (decimal->count > 19 || exponent < -POWER_EXACT_MAX || exponent > POWER_EXACT_MAX)
        return false;
    for (int32_t i = 0; i < decimal->count; i++)
        digits = digits * 10 + decimal->digits[i];
    if (digits > UINT64_C(1) << MANTISSA_BITS)
        return false;
    *number = exponent < 0 ? (double)digits / powers_of_ten[-exponent]
                           : (double)digits * powers_of_ten[exponent];
    return true;
}

/* The double nearest to (top + a little, where `more`) * 2^exponent; top has its highest bit set. */
static double round_to_double(uint64_t top, int32_t exponent, bool more)
{
    int32_t last = exponent + 64 - MANTISSA_BITS; /* exponent of the last bit that is kept */
    int32_t drop;
    uint64_t kept;
    uint64_t half;
    uint64_t rest;

    if (last < EXPONENT_MIN)
        last = EXPONENT_MIN;
    drop = last - exponent;
    rf_assert((top & SIGN_BIT) != 0);
    rf_assert(drop >= 64 - MANTISSA_BITS);
    if (drop > 64)
        return 0; /* less than half of the smallest subnormal */
    if (last + EXPONENT_BIAS >= FIELD_MAX)
        return double_of_bits((uint64_t)FIELD_MAX << (MANTISSA_BITS - 1));
    half = UINT64_C(1) << (drop - 1);
    kept = drop == 64 ? 0 : top >> drop;
    rest = drop == 64 ? top : top & (half * 2 - 1);
    if (rest > half || (rest == half && (more || (kept & 1) != 0)))
        kept++;
    /* A normal's highest bit counts one up in the field beside it, and so does a carry, into an infinity
     * too: a subnormal has neither, and field 0. */
    return double_of_bits(kept + ((uint64_t)(last - EXPONENT_MIN) << (MANTISSA_BITS - 1)));
}

static void set_to_digits(struct rf_natural *n, const struct decimal *decimal)
{
    rf_natural_set(n, 0);
    for (int32_t i = 0; i < decimal->count;) {
        uint32_t power = 1;
        uint32_t chunk = 0;

        for (; i < decimal->count && power < 1000000000; i++, power *= 10)
            chunk = chunk * 10 + decimal->digits[i];
        rf_natural_multiply_add(n, power, chunk);
    }
}

/* digits * 10^exponent as a quotient of two naturals, divided until 64 bits are known. */
static double convert_exactly(const struct decimal *decimal)
{
    int64_t exponent = decimal->point - decimal->count;
    struct rf_natural numerator;
    struct rf_natural denominator;
    uint64_t top;
    uint32_t headroom;
    int32_t shift;
    bool more = false;

    if (decimal->point > POINT_MAX)
        return double_of_bits((uint64_t)FIELD_MAX << (MANTISSA_BITS - 1));
    if (decimal->point < POINT_MIN)
        return 0;
    set_to_digits(&numerator, decimal);
    rf_natural_set(&denominator, 1);
    rf_natural_multiply_power_of_five(exponent < 0 ? &denominator : &numerator,
                                      (uint32_t)(exponent < 0 ? -exponent : exponent));
    /* Brings the quotient to [1, 2) by powers of two, which the exponent keeps. */
    shift = (int32_t)rf_natural_bits(&numerator) - (int32_t)rf_natural_bits(&denominator);
    rf_natural_shift_left(shift < 0 ? &numerator : &denominator,
                          (uint32_t)(shift < 0 ? -shift : shift));
    if (rf_natural_compare(&numerator, &denominator) < 0) {
        rf_natural_shift_left(&numerator, 1);
        shift--;
    }
    headroom = rf_natural_headroom(&denominator);
    rf_natural_shift_left(&numerator, headroom);
    rf_natural_shift_left(&denominator, headroom);
    top = rf_natural_divide(&numerator, &denominator, &more);
    return round_to_double(top, shift - 63 + (int32_t)exponent, more);
}

bool rf_double_parse(struct rf_bytes text, double *number)
{
    struct decimal decimal;
    int64_t exponent = 0;
    double size = 0;
    size_t at = 0;
    size_t digits;

    decimal.count = 0;
    decimal.point = 0;
    decimal.negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        at++;
    if (is_word(text, at, "nan")) {
        *number = double_of_bits(UINT64_C(0x7ff8000000000000)); /* one NaN, whatever its sign */
        return true;
    }
    if (is_word(text, at, "inf") || is_word(text, at, "infinity")) {
        size = double_of_bits((uint64_t)FIELD_MAX << (MANTISSA_BITS - 1));
    } else {
        digits = scan_digits(text, at, &decimal);
        if (digits == 0 || !scan_exponent(text, at + digits, &exponent))
            return false;
        decimal.point += exponent;
        if (decimal.count > 0 && !convert_quickly(&decimal, &size))
            size = convert_exactly(&decimal);
    }
    *number = decimal.negative ? -size : size;
    return true;
}

/* Where a decimal of up to 15 digits reads back as `size` it is the shortest, because no two such decimals
 * are read as one double, and one division tells. Finds digits and point of 0.ddd * 10^point. */
static int32_t shortest_quickly(double size, char *digits, int32_t *point)
{
    if (!(size >= 1e-5 && size < 1e15))
        return 0;
    for (int32_t places = 0; places <= POWER_EXACT_MAX; places++) {
        double scaled = size * powers_of_ten[places];
        uint64_t whole;
        int count;

        if (scaled >= 1e15)
            return 0;
        whole = (uint64_t)(scaled + 0.5);
        if ((double)whole / powers_of_ten[places] != size)
            continue;
        count = snprintf(digits, RF_DOUBLE_TEXT_MAX, "%llu", (unsigned long long)whole);
        *point = count - places;
        while (digits[count - 1] == '0')
            count--;
        return count;
    }
    return 0;
}

/* value = value / scale, and half the distances to the neighbours are low / scale and high / scale. */
struct generator {
    struct rf_natural value;
    struct rf_natural scale;
    struct rf_natural low;
    struct rf_natural high;
    bool even; /* a reader rounds the middle to it, so the bounds themselves are good too */
};

static bool reaches_upper_bound(const struct generator *generator)
{
    int order = rf_natural_compare_sum(&generator->value, &generator->high, &generator->scale);

    return generator->even ? order >= 0 : order > 0;
}

static bool is_within_lower_bound(const struct generator *generator)
{
    int order = rf_natural_compare(&generator->value, &generator->low);

    return generator->even ? order <= 0 : order < 0;
}

/* Whether digit + 1 is nearer to the number than digit; of two as near, the even one is. */
static bool is_next_nearer(const struct generator *generator, uint32_t digit)
{
    int order = rf_natural_compare_sum(&generator->value, &generator->value, &generator->scale);

    return order > 0 || (order == 0 && digit % 2 == 1);
}

static void generator_times_ten(struct generator *generator)
{
    rf_natural_multiply_add(&generator->value, 10, 0);
    rf_natural_multiply_add(&generator->low, 10, 0);
    rf_natural_multiply_add(&generator->high, 10, 0);
}

static void generator_init(struct generator *generator, uint64_t mantissa, int32_t exponent)
{
    /* Below a power of two the doubles are twice as dense, except where they become subnormal. */
    bool narrow = mantissa == UINT64_C(1) << (MANTISSA_BITS - 1) && exponent > EXPONENT_MIN;
    uint32_t up = exponent > 0 ? (uint32_t)exponent : 0;
    uint32_t down = exponent < 0 ? (uint32_t)-exponent : 0;

    generator->even = (mantissa & 1) == 0;
    rf_natural_set(&generator->value, mantissa);
    rf_natural_set(&generator->scale, 1);
    rf_natural_set(&generator->low, 1);
    rf_natural_set(&generator->high, 1);
    rf_natural_shift_left(&generator->value, up + (narrow ? 2 : 1));
    rf_natural_shift_left(&generator->scale, down + (narrow ? 2 : 1));
    rf_natural_shift_left(&generator->low, up);
    rf_natural_shift_left(&generator->high, up + (narrow ? 1 : 0));
}

/* Scales so that value + high is above scale / 10 and at most scale; returns the decimal point. */
static int32_t generator_scale(struct generator *generator, int32_t binary_exponent)
{
    /* floor(binary_exponent * log10(2)) or, rarely, one less than what is needed: 1233 / 4096 is a little
     * below log10(2), and the loop mends it. */
    int32_t point = (int32_t)((int64_t)binary_exponent * 1233 >> 12);
    uint32_t headroom;

    if (point >= 0) {
        rf_natural_multiply_power_of_five(&generator->scale, (uint32_t)point);
        rf_natural_shift_left(&generator->scale, (uint32_t)point);
    } else {
        rf_natural_multiply_power_of_five(&generator->value, (uint32_t)-point);
        rf_natural_multiply_power_of_five(&generator->low, (uint32_t)-point);
        rf_natural_multiply_power_of_five(&generator->high, (uint32_t)-point);
        rf_natural_shift_left(&generator->value, (uint32_t)-point);
        rf_natural_shift_left(&generator->low, (uint32_t)-point);
        rf_natural_shift_left(&generator->high, (uint32_t)-point);
    }
    while (reaches_upper_bound(generator)) {
        rf_natural_multiply_add(&generator->scale, 10, 0);
        point++;
    }
    headroom = rf_natural_headroom(&generator->scale);
    rf_natural_shift_left(&generator->value, headroom);
    rf_natural_shift_left(&generator->scale, headroom);
    rf_natural_shift_left(&generator->low, headroom);
    rf_natural_shift_left(&generator->high, headroom);
    return point;
}

static int32_t shortest_exactly(uint64_t mantissa, int32_t exponent, char *digits, int32_t *point)
{
    struct generator generator;
    int32_t highest = exponent;
    int32_t count = 0;
    bool low_ends;
    bool high_ends;

    for (uint64_t rest = mantissa >> 1; rest != 0; rest >>= 1)
        highest++;
    generator_init(&generator, mantissa, exponent);
    *point = generator_scale(&generator, highest);
    do {
        uint32_t digit;

        generator_times_ten(&generator);
        digit = rf_natural_divide_small(&generator.value, &generator.scale);
        rf_assert(digit <= 9);
        low_ends = is_within_lower_bound(&generator);
        high_ends = reaches_upper_bound(&generator);
        if (high_ends && (!low_ends || is_next_nearer(&generator, digit)))
            digit++;
        rf_assert(digit <= 9);
        digits[count++] = (char)('0' + digit);
    } while (!low_ends && !high_ends);
    return count;
}

/* ddd and the point as JavaScript writes it: an exponent below 1e-6 and from 1e21 on. */
static int lay_out(char *text, size_t size_max, const char *digits, int32_t count, int32_t point)
{
    static const char zeros[] = "000000000000000000000";

    if (point > 21 || point < -5)
        return snprintf(text, size_max, "%c%s%.*se%+d", digits[0], count > 1 ? "." : "", count - 1,
                        digits + 1, point - 1);
    if (point <= 0)
        return snprintf(text, size_max, "0.%.*s%.*s", -point, zeros, count, digits);
    if (count <= point)
        return snprintf(text, size_max, "%.*s%.*s", count, digits, point - count, zeros);
    return snprintf(text, size_max, "%.*s.%.*s", point, digits, count - point, digits + point);
}

size_t rf_double_format(char *text, size_t size_max, double number)
{
    uint64_t bits = bits_of_double(number);
    uint64_t fraction = bits & FRACTION_MASK;
    int32_t field = (int32_t)(bits >> (MANTISSA_BITS - 1)) & FIELD_MAX;
    char digits[RF_DOUBLE_TEXT_MAX] = {0};
    int32_t point = 1;
    int32_t count;
    int size;

    rf_assert(size_max >= RF_DOUBLE_TEXT_MAX);
    if (field == FIELD_MAX && fraction != 0)
        return (size_t)snprintf(text, size_max, "NaN");
    size = snprintf(text, size_max, "%s", (bits & SIGN_BIT) != 0 ? "-" : "");
    if (field == FIELD_MAX)
        return (size_t)size + (size_t)snprintf(text + size, size_max - (size_t)size, "Infinity");
    if ((bits & ~SIGN_BIT) == 0)
        return (size_t)size + (size_t)snprintf(text + size, size_max - (size_t)size, "0");

    count = shortest_quickly(double_of_bits(bits & ~SIGN_BIT), digits, &point);
    if (count == 0 && field == 0)
        count = shortest_exactly(fraction, EXPONENT_MIN, digits, &point);
    else if (count == 0)
        count =
            shortest_exactly(fraction | (FRACTION_MASK + 1), field - EXPONENT_BIAS, digits, &point);
    size += lay_out(text + size, size_max - (size_t)size, digits, count, point);
    rf_assert((size_t)size < size_max);
    return (size_t)size;
}

bool rf_uint64_parse(struct rf_bytes text, uint64_t *number)
{
    uint64_t sum = 0;

    for (size_t at = 0; at < text.size; at++) {
        uint64_t digit = 0;

        if (!is_digit(text, at))
            return false;
        digit = (uint64_t)(text.data[at] - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (text.size == 0)
        return false;
    *number = sum;
    return true;
}

bool rf_int64_parse(struct rf_bytes text, int64_t *number)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t magnitude = 0;

    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        text = rf_bytes_of(text.data + 1, text.size - 1);
    if (!rf_uint64_parse(text, &magnitude) || magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *number = (int64_t)(negative ? UINT64_C(0) - magnitude : magnitude);
    return true;
}

bool rf_size_parse(struct rf_bytes text, uint64_t *size)
{
    static const struct {
        const char *name;
        unsigned shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
    uint64_t count = 0;
    unsigned shift = 0;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t name_size = strlen(units[i].name);

        if (text.size > name_size &&
            memcmp(text.data + text.size - name_size, units[i].name, name_size) == 0) {
            shift = units[i].shift;
            text.size -= name_size;
            break;
        }
    }
    if (!rf_uint64_parse(text, &count) || count > UINT64_MAX >> shift)
        return false;
    *size = count << shift;
    return true;
}
