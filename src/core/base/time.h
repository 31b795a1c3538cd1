/* Instants and spans as numbers, and the proleptic Gregorian calendar in UTC. No clock is read here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

typedef int64_t rf_ms;      /* an instant: milliseconds since 1970-01-01T00:00:00Z */
typedef int64_t rf_span_ms; /* a length of time in milliseconds */
typedef int64_t rf_ns;      /* an instant or a length in nanoseconds, where the name says which */

#define RF_SECOND_MS INT64_C(1000)
#define RF_MINUTE_MS (60 * RF_SECOND_MS)
#define RF_HOUR_MS   (60 * RF_MINUTE_MS)
#define RF_DAY_MS    (24 * RF_HOUR_MS)

/* What CEL and RFC 3339 can name: years 1 to 9999. */
#define RF_MS_MIN INT64_C(-62135596800000)
#define RF_MS_MAX INT64_C(253402300799999)

/* Of two instants. */
static inline rf_ms rf_ms_earlier(rf_ms a, rf_ms b)
{
    return a < b ? a : b;
}

static inline rf_ms rf_ms_later(rf_ms a, rf_ms b)
{
    return a > b ? a : b;
}

struct rf_civil {
    int32_t year;
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to 31 */
    int32_t hour;
    int32_t minute;
    int32_t second;
    int32_t nanosecond;
};

/* Days since 1970-01-01 of a date, and back. Asserts that `month` is one and that the year fits. */
int64_t rf_civil_to_days(int32_t year, int32_t month, int32_t day);
void rf_civil_from_days(int64_t days, int32_t *year, int32_t *month, int32_t *day);

/* Seconds since the epoch (any sign) plus nanoseconds (0 to 999999999), as civil time in UTC, and back.
 * Asserts that the year fits, which every rf_ms does. */
void rf_civil_from_seconds(int64_t seconds, int32_t nanoseconds, struct rf_civil *civil);
int64_t rf_civil_to_seconds(const struct rf_civil *civil);

/* Divides towards minus infinity. */
int64_t rf_floor_div(int64_t a, int64_t b);

/* RFC 3339 date-time with `Z` or an offset; years 1 to 9999, in UTC too; up to nine fractional digits; no
 * leap second (there is no such instant in seconds since the epoch). The whole of `text` must be it.
 * `seconds` is since the epoch, `nanoseconds` 0 to 999999999; untouched where false is returned. */
bool rf_time_parse(struct rf_bytes text, int64_t *seconds, int32_t *nanoseconds);

/* The same to the millisecond, towards minus infinity. */
bool rf_time_parse_ms(struct rf_bytes text, rf_ms *instant);

/* "1997-01-01T00:00:00Z", with as many groups of three fractional digits as are needed; a year outside 0
 * to 9999 with its sign. `size_max` at least RF_TIME_TEXT_MAX. Returns the length. */
#define RF_TIME_TEXT_MAX 40
size_t rf_time_format(char *text, size_t size_max, int64_t seconds, int32_t nanoseconds);
size_t rf_time_format_ms(char *text, size_t size_max, rf_ms instant);

/* A length as people write it in a configuration: "90s", "15m", "24h", "7d", "1w", "250ms", and sums in
 * descending order: "1d12h". Not negative, and never without a unit. */
bool rf_span_parse(struct rf_bytes text, rf_span_ms *span);
/* The same back, for messages, in days and smaller units: "1d12h", "90d", "1m30s", "0s". `size_max` at
 * least RF_SPAN_TEXT_MAX. Returns the length. */
#define RF_SPAN_TEXT_MAX 40
size_t rf_span_format(char *text, size_t size_max, rf_span_ms span);
