#include "core/base/time.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/assert.h"

#define DAY_SECONDS     INT64_C(86400)
#define YEARS_400_DAYS  146097 /* the calendar repeats */
#define YEARS_100_DAYS  36524
#define YEARS_4_DAYS    1461
#define DAYS_MAX        INT64_C(784000000000) /* about what an int32_t of years is */
#define MARCH_0_TO_1970 719468                /* days from 0000-03-01 to 1970-01-01 */

int64_t rf_floor_div(int64_t a, int64_t b)
{
    int64_t quotient;

    rf_assert(b != 0);
    rf_assert(a != INT64_MIN || b != -1);
    quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/* Years are counted from 1 March, so that the leap day is a year's last, and months follow one another in
 * a pattern of five: 31 30 31 30 31 | 31 30 31 30 31 | 31 29. (153 * m + 2) / 5 is how many days the
 * first m of them have. */
int64_t rf_civil_to_days(int32_t year, int32_t month, int32_t day)
{
    int64_t march_year = (int64_t)year - (month <= 2 ? 1 : 0);
    int64_t era = rf_floor_div(march_year, 400);
    int64_t year_of_era = march_year - era * 400;
    int64_t march_month = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;

    rf_assert(month >= 1 && month <= 12);
    return era * YEARS_400_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - MARCH_0_TO_1970;
}

void rf_civil_from_days(int64_t days, int32_t *year, int32_t *month, int32_t *day)
{
    int64_t era;
    int64_t day_of_era;
    int64_t year_of_era;
    int64_t day_of_year;
    int64_t march_month;
    int64_t civil_year;

    rf_assert(days >= -DAYS_MAX && days <= DAYS_MAX);
    era = rf_floor_div(days, YEARS_400_DAYS);
    day_of_era = days - era * YEARS_400_DAYS + MARCH_0_TO_1970; /* of an era that opens in March */
    era += day_of_era / YEARS_400_DAYS;
    day_of_era %= YEARS_400_DAYS;
    year_of_era = (day_of_era - day_of_era / (YEARS_4_DAYS - 1) + day_of_era / YEARS_100_DAYS -
                   day_of_era / (YEARS_400_DAYS - 1)) /
                  365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    march_month = (5 * day_of_year + 2) / 153;
    civil_year = era * 400 + year_of_era + (march_month >= 10 ? 1 : 0);

    rf_assert(civil_year >= INT32_MIN && civil_year <= INT32_MAX);
    *year = (int32_t)civil_year;
    *month = (int32_t)(march_month < 10 ? march_month + 3 : march_month - 9);
    *day = (int32_t)(day_of_year - (153 * march_month + 2) / 5 + 1);
}

void rf_civil_from_seconds(int64_t seconds, int32_t nanoseconds, struct rf_civil *civil)
{
    int64_t days = rf_floor_div(seconds, DAY_SECONDS);
    int32_t second_of_day = (int32_t)(seconds - days * DAY_SECONDS);

    rf_assert(nanoseconds >= 0 && nanoseconds <= 999999999);
    rf_civil_from_days(days, &civil->year, &civil->month, &civil->day);
    civil->hour = second_of_day / 3600;
    civil->minute = second_of_day / 60 % 60;
    civil->second = second_of_day % 60;
    civil->nanosecond = nanoseconds;
}

int64_t rf_civil_to_seconds(const struct rf_civil *civil)
{
    int64_t days = rf_civil_to_days(civil->year, civil->month, civil->day);

    return days * DAY_SECONDS + civil->hour * INT64_C(3600) + civil->minute * INT64_C(60) +
           civil->second;
}

/* Takes exactly `count` digits from *at on, of a value in [least, most]. */
static bool take_number(struct rf_bytes *at, size_t count, int32_t least, int32_t most,
                        int32_t *value)
{
    int32_t sum = 0;

    if (at->size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (at->data[i] < '0' || at->data[i] > '9')
            return false;
        sum = sum * 10 + (at->data[i] - '0');
    }
    *at = rf_bytes_of(at->data + count, at->size - count);
    *value = sum;
    return sum >= least && sum <= most;
}

/* Takes one character, which is `upper` or (RFC 3339, 5.6) its lower case. */
static bool take_letter(struct rf_bytes *at, uint8_t upper)
{
    uint8_t found = at->size > 0 ? at->data[0] : 0;

    if (found >= 'a' && found <= 'z')
        found = (uint8_t)(found - 'a' + 'A');
    if (found != upper)
        return false;
    *at = rf_bytes_of(at->data + 1, at->size - 1);
    return true;
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool take_date(struct rf_bytes *at, struct rf_civil *civil)
{
    return take_number(at, 4, 1, 9999, &civil->year) && take_letter(at, '-') &&
           take_number(at, 2, 1, 12, &civil->month) && take_letter(at, '-') &&
           take_number(at, 2, 1, month_days(civil->year, civil->month), &civil->day);
}

static bool take_fraction(struct rf_bytes *at, int32_t *nanosecond)
{
    int32_t unit = 100000000;
    int32_t digit = 0;

    *nanosecond = 0;
    if (!take_letter(at, '.'))
        return true; /* a fraction is optional */
    if (!take_number(at, 1, 0, 9, &digit))
        return false;
    do {
        if (unit == 0)
            return false; /* a tenth digit */
        *nanosecond += digit * unit;
        unit /= 10;
    } while (take_number(at, 1, 0, 9, &digit));
    return true;
}

static bool take_clock(struct rf_bytes *at, struct rf_civil *civil)
{
    return take_number(at, 2, 0, 23, &civil->hour) && take_letter(at, ':') &&
           take_number(at, 2, 0, 59, &civil->minute) && take_letter(at, ':') &&
           take_number(at, 2, 0, 59, &civil->second) && take_fraction(at, &civil->nanosecond);
}

static bool take_offset(struct rf_bytes *at, int64_t *offset_seconds)
{
    int32_t hours = 0;
    int32_t minutes = 0;
    bool west;

    *offset_seconds = 0;
    if (take_letter(at, 'Z'))
        return true;
    west = take_letter(at, '-');
    if (!west && !take_letter(at, '+'))
        return false;
    if (!take_number(at, 2, 0, 23, &hours) || !take_letter(at, ':') ||
        !take_number(at, 2, 0, 59, &minutes))
        return false;
    *offset_seconds = (hours * INT64_C(3600) + minutes * INT64_C(60)) * (west ? -1 : 1);
    return true;
}

bool rf_time_parse(struct rf_bytes text, int64_t *seconds, int32_t *nanoseconds)
{
    struct rf_civil civil = {0};
    int64_t offset_seconds = 0;
    int64_t instant;

    if (!take_date(&text, &civil) || !take_letter(&text, 'T') || !take_clock(&text, &civil) ||
        !take_offset(&text, &offset_seconds) || text.size > 0)
        return false;
    instant = rf_civil_to_seconds(&civil) - offset_seconds;
    if (instant < RF_MS_MIN / RF_SECOND_MS || instant > RF_MS_MAX / RF_SECOND_MS)
        return false; /* the offset leads out of the years 1 to 9999 */
    *seconds = instant;
    *nanoseconds = civil.nanosecond;
    return true;
}

bool rf_time_parse_ms(struct rf_bytes text, rf_ms *instant)
{
    int64_t seconds = 0;
    int32_t nanoseconds = 0;

    if (!rf_time_parse(text, &seconds, &nanoseconds))
        return false;
    *instant = seconds * RF_SECOND_MS + nanoseconds / 1000000;
    return true;
}

size_t rf_time_format(char *text, size_t size_max, int64_t seconds, int32_t nanoseconds)
{
    struct rf_civil civil;
    int size;

    rf_assert(size_max >= RF_TIME_TEXT_MAX);
    rf_civil_from_seconds(seconds, nanoseconds, &civil);
    /* A year that RFC 3339 cannot name gets a sign, as in ISO 8601's expanded form. */
    size = snprintf(text, size_max, civil.year >= 0 && civil.year <= 9999 ? "%04d" : "%+05d",
                    civil.year);
    size += snprintf(text + size, size_max - (size_t)size, "-%02d-%02dT%02d:%02d:%02d", civil.month,
                     civil.day, civil.hour, civil.minute, civil.second);
    if (nanoseconds % 1000 != 0)
        size += snprintf(text + size, size_max - (size_t)size, ".%09d", nanoseconds);
    else if (nanoseconds % 1000000 != 0)
        size += snprintf(text + size, size_max - (size_t)size, ".%06d", nanoseconds / 1000);
    else if (nanoseconds != 0)
        size += snprintf(text + size, size_max - (size_t)size, ".%03d", nanoseconds / 1000000);
    size += snprintf(text + size, size_max - (size_t)size, "Z");
    rf_assert((size_t)size < size_max);
    return (size_t)size;
}

size_t rf_time_format_ms(char *text, size_t size_max, rf_ms instant)
{
    int64_t seconds = rf_floor_div(instant, RF_SECOND_MS);
    int32_t rest_ms = (int32_t)(instant % RF_SECOND_MS);

    if (rest_ms < 0)
        rest_ms += (int32_t)RF_SECOND_MS;
    return rf_time_format(text, size_max, seconds, rest_ms * 1000000);
}

static const struct {
    const char *name;
    rf_span_ms span;
    bool written; /* rf_span_format stops at days: 90d, not 12w6d */
} units[] = {
    {"w", 7 * RF_DAY_MS, false}, {"d", RF_DAY_MS, true},    {"h", RF_HOUR_MS, true},
    {"m", RF_MINUTE_MS, true},   {"s", RF_SECOND_MS, true}, {"ms", 1, true},
};
#define UNIT_COUNT (sizeof units / sizeof units[0])

/* The unit's letters, up to the next digit. UNIT_COUNT: there is no such unit. */
static size_t take_unit(struct rf_bytes *at)
{
    size_t size = 0;
    size_t unit = 0;

    while (size < at->size && (at->data[size] < '0' || at->data[size] > '9'))
        size++;
    while (unit < UNIT_COUNT &&
           !rf_bytes_equal(rf_bytes_of(at->data, size), rf_bytes_of_text(units[unit].name)))
        unit++;
    *at = rf_bytes_of(at->data + size, at->size - size);
    return unit;
}

static bool take_count(struct rf_bytes *at, int64_t *count)
{
    size_t size = 0;

    *count = 0;
    for (; size < at->size && at->data[size] >= '0' && at->data[size] <= '9'; size++) {
        int digit = at->data[size] - '0';

        if (*count > (INT64_MAX - digit) / 10)
            return false;
        *count = *count * 10 + digit;
    }
    *at = rf_bytes_of(at->data + size, at->size - size);
    return size > 0;
}

bool rf_span_parse(struct rf_bytes text, rf_span_ms *span)
{
    rf_span_ms sum = 0;
    size_t units_from = 0; /* "12h1d" is a slip of the pen */

    if (text.size == 0)
        return false;
    while (text.size > 0) {
        int64_t count = 0;
        size_t unit;

        if (!take_count(&text, &count))
            return false;
        unit = take_unit(&text);
        if (unit < units_from || unit == UNIT_COUNT)
            return false;
        if (count > (INT64_MAX - sum) / units[unit].span)
            return false;
        sum += count * units[unit].span;
        units_from = unit + 1;
    }
    *span = sum;
    return true;
}

size_t rf_span_format(char *text, size_t size_max, rf_span_ms span)
{
    uint64_t left = span < 0 ? UINT64_C(0) - (uint64_t)span : (uint64_t)span;
    int size = 0;

    rf_assert(size_max >= RF_SPAN_TEXT_MAX);
    if (span == 0)
        return (size_t)snprintf(text, size_max, "0s");
    if (span < 0)
        size = snprintf(text, size_max, "-");
    for (size_t unit = 0; unit < UNIT_COUNT; unit++) {
        uint64_t count = left / (uint64_t)units[unit].span;

        if (!units[unit].written || count == 0)
            continue;
        size += snprintf(text + size, size_max - (size_t)size, "%" PRIu64 "%s", count,
                         units[unit].name);
        left %= (uint64_t)units[unit].span;
    }
    rf_assert((size_t)size < size_max);
    return (size_t)size;
}
