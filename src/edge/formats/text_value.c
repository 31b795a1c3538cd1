#include "edge/formats/text_value.h"

#include <string.h>

#include "core/base/number.h"
#include "core/base/time.h"

#define NANOSECONDS          INT64_C(1000000000)
#define DAY_SECONDS          INT64_C(86400)
#define SECOND_MIN           (RF_MS_MIN / 1000)
#define SECOND_MAX           (RF_MS_MAX / 1000)
#define DURATION_SECONDS_MAX INT64_C(315576000000) /* CEL: ten thousand years */

static bool refuse(const char *wanted, struct rf_bytes text, struct rf_error *err)
{
    return rf_error_set(err, RF_ERROR_RECORD, 0, "\"%.*s\" is not %s", rf_excerpt_size(text),
                        text.size == 0 ? "" : (const char *)text.data, wanted);
}

static int64_t units_of(enum rf_logical_kind logical)
{
    if (logical == RF_LOGICAL_TIME_MILLIS || logical == RF_LOGICAL_TIMESTAMP_MILLIS)
        return 1000;
    if (logical == RF_LOGICAL_TIME_MICROS || logical == RF_LOGICAL_TIMESTAMP_MICROS)
        return 1000000;
    return NANOSECONDS;
}

static bool is_time(const struct rf_schema *schema)
{
    return schema->logical == RF_LOGICAL_TIME_MILLIS || schema->logical == RF_LOGICAL_TIME_MICROS;
}

bool rf_unit_value(const struct rf_schema *schema, int64_t number, struct rf_value *value,
                   struct rf_error *err)
{
    int64_t units = units_of(schema->logical);
    int64_t seconds = rf_floor_div(number, units);
    int32_t nanoseconds = 0;

    if (is_time(schema)) {
        if (number / units > DURATION_SECONDS_MAX || number / units < -DURATION_SECONDS_MAX)
            return rf_error_set(err, RF_ERROR_RECORD, 0, "%lld is out of range for a time of day",
                                (long long)number);
        *value =
            rf_value_duration(number / units, (int32_t)(number % units * (NANOSECONDS / units)));
        return true;
    }
    if (schema->logical == RF_LOGICAL_DATE) {
        if (__builtin_mul_overflow(number, DAY_SECONDS, &seconds))
            seconds = INT64_MAX;
    } else {
        nanoseconds = (int32_t)((number - seconds * units) * (NANOSECONDS / units));
    }
    if (seconds < SECOND_MIN || seconds > SECOND_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "%lld is an instant outside the years 1 to 9999", (long long)number);
    *value = rf_value_timestamp(seconds, nanoseconds);
    return true;
}

/* Decimal digits from *at on, exactly `count`. */
static bool take_digits(struct rf_bytes text, size_t *at, size_t count, int32_t *number)
{
    *number = 0;
    for (size_t end = *at + count; *at < end; (*at)++) {
        if (*at >= text.size || text.data[*at] < '0' || text.data[*at] > '9')
            return false;
        *number = *number * 10 + (text.data[*at] - '0');
    }
    return true;
}

static bool take_byte(struct rf_bytes text, size_t *at, char byte)
{
    if (*at >= text.size || text.data[*at] != (uint8_t)byte)
        return false;
    (*at)++;
    return true;
}

/* "2026-11-23" */
static bool parse_date(struct rf_bytes text, struct rf_value *value)
{
    int32_t year = 0;
    int32_t month = 0;
    int32_t day = 0;
    int32_t back[3] = {0};
    size_t at = 0;
    int64_t days = 0;

    if (!take_digits(text, &at, 4, &year) || !take_byte(text, &at, '-') ||
        !take_digits(text, &at, 2, &month) || !take_byte(text, &at, '-') ||
        !take_digits(text, &at, 2, &day) || at != text.size)
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    days = rf_civil_to_days(year, month, day);
    rf_civil_from_days(days, &back[0], &back[1], &back[2]);
    if (back[1] != month) /* the 31st of a shorter month */
        return false;
    *value = rf_value_timestamp(days * DAY_SECONDS, 0);
    return true;
}

/* "21:00:00", "21:00:00.250": up to nine digits behind the point. */
static bool parse_time(struct rf_bytes text, struct rf_value *value)
{
    int32_t hour = 0;
    int32_t minute = 0;
    int32_t second = 0;
    int32_t fraction = 0;
    size_t at = 0;

    if (!take_digits(text, &at, 2, &hour) || !take_byte(text, &at, ':') ||
        !take_digits(text, &at, 2, &minute) || !take_byte(text, &at, ':') ||
        !take_digits(text, &at, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (take_byte(text, &at, '.')) {
        size_t digits = text.size - at;

        if (digits < 1 || digits > 9 || !take_digits(text, &at, digits, &fraction))
            return false;
        for (; digits < 9; digits++)
            fraction *= 10;
    }
    *value = rf_value_duration(hour * 3600 + minute * 60 + second, fraction);
    return at == text.size;
}

bool rf_time_value(const struct rf_schema *schema, struct rf_bytes text, struct rf_value *value,
                   struct rf_error *err)
{
    int64_t seconds = 0;
    int32_t nanoseconds = 0;

    if (is_time(schema))
        return parse_time(text, value) || refuse("a time of day (HH:MM:SS)", text, err);
    if (parse_date(text, value))
        return true;
    if (schema->logical == RF_LOGICAL_DATE)
        return refuse("a date (YYYY-MM-DD)", text, err);
    if (!rf_time_parse(text, &seconds, &nanoseconds))
        return refuse("an instant (RFC 3339, as 2026-11-23T16:00:00Z)", text, err);
    *value = rf_value_timestamp(seconds, nanoseconds);
    return true;
}

static bool read_boolean(struct rf_bytes text, struct rf_value *value, struct rf_error *err)
{
    static const char *const words[] = {"false", "true"};

    if (text.size == 1 && (text.data[0] == '0' || text.data[0] == '1')) {
        *value = rf_value_bool(text.data[0] == '1');
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t same = 0;

        while (same < text.size && words[i][same] != '\0' &&
               (text.data[same] | 0x20) == words[i][same])
            same++;
        if (same == text.size && same > 0 && words[i][same] == '\0') {
            *value = rf_value_bool(i == 1);
            return true;
        }
    }
    return refuse("true or false", text, err);
}

static bool read_integer(const struct rf_schema *schema, struct rf_bytes text,
                         struct rf_value *value, struct rf_error *err)
{
    int64_t number = 0;
    bool is_number = rf_int64_parse(text, &number);

    if (schema->logical != RF_LOGICAL_NONE)
        return is_number ? rf_unit_value(schema, number, value, err)
                         : rf_time_value(schema, text, value, err);
    if (!is_number)
        return refuse("an integer", text, err);
    if (schema->kind == RF_SCHEMA_INT && (number < INT32_MIN || number > INT32_MAX))
        return refuse("an integer of 32 bits", text, err);
    *value = rf_value_int(number);
    return true;
}

static bool read_number(struct rf_bytes text, struct rf_value *value, struct rf_error *err)
{
    double number = 0;

    if (!rf_double_parse(text, &number))
        return refuse("a number", text, err);
    *value = rf_value_double(number);
    return true;
}

static bool read_symbol(const struct rf_schema *schema, struct rf_bytes text,
                        struct rf_value *value, struct rf_error *err)
{
    int32_t found = schema->default_symbol;

    for (size_t i = 0; i < schema->count; i++) {
        if (rf_bytes_equal(text, rf_bytes_of_text(schema->symbols[i])))
            found = (int32_t)i;
    }
    if (found < 0)
        return refuse("one of the enum's symbols", text, err);
    *value = rf_value_string(rf_bytes_of_text(schema->symbols[found]));
    return true;
}

static bool read_branch(const struct rf_schema *schema, struct rf_bytes text,
                        struct rf_value *value, struct rf_error *err)
{
    struct rf_error reason = {0};

    for (size_t i = 0; i < schema->count; i++) {
        const struct rf_schema *branch = schema->branches[i];

        if (branch->kind == RF_SCHEMA_NULL && text.size == 0) {
            *value = rf_value_null();
            return true;
        }
    }
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->branches[i]->kind == RF_SCHEMA_NULL)
            continue;
        rf_error_clear(&reason);
        if (rf_text_value(schema->branches[i], text, value, &reason))
            return true;
    }
    if (reason.kind == RF_ERROR_NONE)
        return refuse("empty, as null has to be", text, err);
    return rf_error_set(err, RF_ERROR_RECORD, 0, "%s", reason.message);
}

bool rf_text_value(const struct rf_schema *schema, struct rf_bytes text, struct rf_value *value,
                   struct rf_error *err)
{
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        *value = rf_value_null();
        return text.size == 0 || refuse("empty, as null has to be", text, err);
    case RF_SCHEMA_BOOLEAN:
        return read_boolean(text, value, err);
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
        return read_integer(schema, text, value, err);
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
        return read_number(text, value, err);
    case RF_SCHEMA_STRING:
        *value = rf_value_string(text);
        return rf_bytes_is_utf8(text) ||
               rf_error_set(err, RF_ERROR_RECORD, 0, "the text is not well-formed UTF-8");
    case RF_SCHEMA_ENUM:
        return read_symbol(schema, text, value, err);
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_FIXED:
        if (schema->logical == RF_LOGICAL_DECIMAL)
            return read_number(text, value, err);
        *value = rf_value_bytes(text);
        return schema->kind == RF_SCHEMA_BYTES || text.size == schema->count ||
               refuse("of the fixed type's size", text, err);
    case RF_SCHEMA_UNION:
        return read_branch(schema, text, value, err);
    case RF_SCHEMA_RECORD:
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
        break;
    }
    return rf_error_set(err, RF_ERROR_RECORD, 0, "a %s cannot be written as plain text",
                        rf_schema_kind_name(schema->kind));
}
