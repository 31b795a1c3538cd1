/* timestamp(), duration(), and what calendars say about an instant. */
#include "core/base/time.h"

#include "core/base/assert.h"
#include "core/expr/function.h"
#include "core/expr/program.h"
#include "core/expr/zone.h"

static bool two_digits(const uint8_t *text, int64_t *number)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *number = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

/* "+02:00", "-03:30", "02:00" */
static bool fixed_offset(struct rf_bytes zone, int64_t *offset)
{
    bool has_sign = zone.size == 6 && (zone.data[0] == '+' || zone.data[0] == '-');
    const uint8_t *digits = has_sign ? zone.data + 1 : zone.data;
    int64_t hours = 0;
    int64_t minutes = 0;

    if ((zone.size != 5 && !has_sign) || digits[2] != ':')
        return false;
    if (!two_digits(digits, &hours) || !two_digits(digits + 3, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *offset = (hours * 60 + minutes) * 60;
    if (has_sign && zone.data[0] == '-')
        *offset = -*offset;
    return true;
}

bool rf_zone_local(const struct rf_zones *zones, struct rf_bytes zone, int64_t seconds,
                   int64_t *local_seconds)
{
    int64_t offset = 0;
    int32_t found = 0;

    if (zone.size != 0 && !rf_bytes_equal(zone, rf_bytes_of_text("UTC")) &&
        !fixed_offset(zone, &offset)) {
        if (zones == NULL || !zones->offset(zones->self, zone, seconds, &found))
            return false;
        offset = found;
    }
    *local_seconds = seconds + offset;
    return true;
}

/* The fields of a calendar */

enum part {
    PART_YEAR,
    PART_MONTH,        /* from 0 */
    PART_DAY_OF_MONTH, /* from 0 */
    PART_DATE,         /* from 1 */
    PART_DAY_OF_WEEK,  /* Sunday is 0 */
    PART_DAY_OF_YEAR,  /* from 0 */
    PART_HOURS,
    PART_MINUTES,
    PART_SECONDS,
    PART_MILLISECONDS,
};

static int64_t part_of(enum part part, int64_t seconds, int32_t nanoseconds)
{
    struct rf_civil civil;
    int64_t days = rf_floor_div(seconds, 86400);

    rf_civil_from_seconds(seconds, nanoseconds, &civil);
    switch (part) {
    case PART_YEAR:
        return civil.year;
    case PART_MONTH:
        return civil.month - 1;
    case PART_DAY_OF_MONTH:
        return civil.day - 1;
    case PART_DATE:
        return civil.day;
    case PART_DAY_OF_WEEK: /* the epoch was a Thursday */
        return days + 4 - rf_floor_div(days + 4, 7) * 7;
    case PART_DAY_OF_YEAR:
        return days - rf_civil_to_days(civil.year, 1, 1);
    case PART_HOURS:
        return civil.hour;
    case PART_MINUTES:
        return civil.minute;
    case PART_SECONDS:
        return civil.second;
    case PART_MILLISECONDS:
        return nanoseconds / 1000000;
    }
    rf_assert(false && "an unknown part of a date");
    return 0;
}

static struct rf_value unknown_zone(struct rf_eval *eval, struct rf_bytes zone)
{
    return rf_failure(RF_FAILURE_ARGUMENT,
                      rf_arena_printf(eval->arena, "there is no time zone '%.*s'",
                                      zone.size > 60 ? 60 : (int)zone.size,
                                      (const char *)zone.data));
}

static struct rf_value get(struct rf_eval *eval, const struct rf_value *arguments, enum part part,
                           bool zoned)
{
    int64_t seconds = arguments[0].as.seconds;

    if (zoned &&
        !rf_zone_local(eval->zones, arguments[1].as.text, arguments[0].as.seconds, &seconds))
        return unknown_zone(eval, arguments[1].as.text);
    return rf_value_int(part_of(part, seconds, arguments[0].nanoseconds));
}

/* One pair of functions a part: in UTC, and in a zone. */
#define GETTER(name, part)                                                                         \
    static struct rf_value name(struct rf_eval *eval, const struct rf_value *arguments)            \
    {                                                                                              \
        return get(eval, arguments, part, false);                                                  \
    }                                                                                              \
    static struct rf_value name##_in(struct rf_eval *eval, const struct rf_value *arguments)       \
    {                                                                                              \
        return get(eval, arguments, part, true);                                                   \
    }

GETTER(full_year, PART_YEAR)
GETTER(month, PART_MONTH)
GETTER(day_of_month, PART_DAY_OF_MONTH)
GETTER(date_of_month, PART_DATE)
GETTER(day_of_week, PART_DAY_OF_WEEK)
GETTER(day_of_year, PART_DAY_OF_YEAR)
GETTER(hours, PART_HOURS)
GETTER(minutes, PART_MINUTES)
GETTER(seconds, PART_SECONDS)
GETTER(milliseconds, PART_MILLISECONDS)

static struct rf_value span_hours(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int(arguments[0].as.seconds / 3600);
}

static struct rf_value span_minutes(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int(arguments[0].as.seconds / 60);
}

static struct rf_value span_seconds(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int(arguments[0].as.seconds);
}

static struct rf_value span_milliseconds(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int(arguments[0].nanoseconds / 1000000);
}

/* timestamp() */

static struct rf_value same(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return arguments[0];
}

static struct rf_value timestamp_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t seconds_since = 0;
    int32_t nanoseconds = 0;

    (void)eval;
    if (!rf_time_parse(arguments[0].as.text, &seconds_since, &nanoseconds))
        return rf_failure(RF_FAILURE_ARGUMENT, "timestamp: not an RFC 3339 time");
    return rf_timestamp_checked(seconds_since, nanoseconds);
}

static struct rf_value timestamp_of_int(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_timestamp_checked(arguments[0].as.integer, 0);
}

/* duration("1h30m"), as Go writes it: numbers with fractions, each with its unit */

static const struct unit {
    const char *name; /* the longer before its prefix */
    int64_t nanoseconds;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* micro sign */
    {"\xce\xbcs", 1000}, /* Greek mu */
    {"ms", 1000000},
    {"s", INT64_C(1000000000)},
    {"m", INT64_C(60000000000)},
    {"h", INT64_C(3600000000000)},
};

struct span_text {
    const uint8_t *at;
    const uint8_t *end;
};

static const struct unit *take_unit(struct span_text *text)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t size = strlen(units[i].name);

        if ((size_t)(text->end - text->at) >= size && memcmp(text->at, units[i].name, size) == 0) {
            text->at += size;
            return &units[i];
        }
    }
    return NULL;
}

/* Digits as a number; those of a fraction as numerator and denominator. False: too large. */
static bool take_digits(struct span_text *text, uint64_t *number, uint64_t *scale)
{
    bool fraction = *scale != 0;

    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        if (fraction && *scale >= UINT64_C(1000000000000000000))
            continue; /* beyond what a nanosecond sees */
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*text->at - '0'), number))
            return false;
        *scale *= 10;
    }
    return true;
}

static bool take_span(struct span_text *text, uint64_t *nanoseconds)
{
    const uint8_t *start = text->at;
    uint64_t whole = 0;
    uint64_t numerator = 0;
    uint64_t denominator = 1;
    uint64_t no_scale = 0;
    uint64_t part = 0;
    const struct unit *unit = NULL;
    size_t digit_count = 0;

    if (!take_digits(text, &whole, &no_scale))
        return false;
    digit_count = (size_t)(text->at - start);
    if (text->at < text->end && *text->at == '.') {
        start = ++text->at;
        if (!take_digits(text, &numerator, &denominator))
            return false;
        digit_count += (size_t)(text->at - start);
    }
    unit = digit_count == 0 ? NULL : take_unit(text);
    if (unit == NULL || __builtin_mul_overflow(whole, (uint64_t)unit->nanoseconds, &part))
        return false;
    if (__builtin_add_overflow(
            part, (uint64_t)((double)numerator * ((double)unit->nanoseconds / (double)denominator)),
            &part))
        return false;
    return !__builtin_add_overflow(*nanoseconds, part, nanoseconds) && *nanoseconds <= INT64_MAX;
}

static struct rf_value duration_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes bytes = arguments[0].as.text;
    struct span_text text = {.at = bytes.data, .end = bytes.data + bytes.size};
    bool negative = bytes.size > 0 && *text.at == '-';
    uint64_t nanoseconds = 0;
    int64_t sum = 0;

    (void)eval;
    if (bytes.size > 0 && (*text.at == '-' || *text.at == '+'))
        text.at++;
    if (text.end - text.at == 1 && *text.at == '0')
        return rf_value_duration(0, 0);
    do {
        if (text.at == text.end || !take_span(&text, &nanoseconds))
            return rf_failure(RF_FAILURE_ARGUMENT, "duration: not a duration such as 1h30m");
    } while (text.at < text.end);
    sum = negative ? -(int64_t)nanoseconds : (int64_t)nanoseconds;
    return rf_value_duration(sum / 1000000000, (int32_t)(sum % 1000000000));
}

const struct rf_overload rf_functions_time[] = {
    {"timestamp", false, "t", "t", same},
    {"timestamp", false, "s", "t", timestamp_of_text},
    {"timestamp", false, "i", "t", timestamp_of_int},
    {"duration", false, "p", "p", same},
    {"duration", false, "s", "p", duration_of_text},
    {"getFullYear", true, "t", "i", full_year},
    {"getFullYear", true, "ts", "i", full_year_in},
    {"getMonth", true, "t", "i", month},
    {"getMonth", true, "ts", "i", month_in},
    {"getDayOfMonth", true, "t", "i", day_of_month},
    {"getDayOfMonth", true, "ts", "i", day_of_month_in},
    {"getDate", true, "t", "i", date_of_month},
    {"getDate", true, "ts", "i", date_of_month_in},
    {"getDayOfWeek", true, "t", "i", day_of_week},
    {"getDayOfWeek", true, "ts", "i", day_of_week_in},
    {"getDayOfYear", true, "t", "i", day_of_year},
    {"getDayOfYear", true, "ts", "i", day_of_year_in},
    {"getHours", true, "t", "i", hours},
    {"getHours", true, "ts", "i", hours_in},
    {"getHours", true, "p", "i", span_hours},
    {"getMinutes", true, "t", "i", minutes},
    {"getMinutes", true, "ts", "i", minutes_in},
    {"getMinutes", true, "p", "i", span_minutes},
    {"getSeconds", true, "t", "i", seconds},
    {"getSeconds", true, "ts", "i", seconds_in},
    {"getSeconds", true, "p", "i", span_seconds},
    {"getMilliseconds", true, "t", "i", milliseconds},
    {"getMilliseconds", true, "ts", "i", milliseconds_in},
    {"getMilliseconds", true, "p", "i", span_milliseconds},
    {NULL, false, NULL, NULL, NULL},
};
