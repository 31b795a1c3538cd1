/* core/base/time: the calendar against the C library's, RFC 3339 against its grammar, spans. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/time.h"

START_TEST(an_instant_is_read_to_the_millisecond_towards_the_past)
{
    rf_ms instant = 0;

    ck_assert(rf_time_parse_ms(rf_bytes_of_text("1970-01-01T00:00:01.2349Z"), &instant));
    ck_assert_int_eq(instant, 1234);
    ck_assert(rf_time_parse_ms(rf_bytes_of_text("1969-12-31T23:59:59.9999Z"), &instant));
    ck_assert_int_eq(instant, -1);
    ck_assert(!rf_time_parse_ms(rf_bytes_of_text("yesterday"), &instant));
}
END_TEST

START_TEST(every_day_of_nine_thousand_years_is_the_c_librarys_day)
{
    for (int64_t days = -3000000; days <= 3000000; days++) {
        int32_t year = 0, month = 0, day = 0;
        time_t instant = (time_t)(days * 86400);
        struct tm civil;
        gmtime_r(&instant, &civil);

        rf_civil_from_days(days, &year, &month, &day);

        if (year != civil.tm_year + 1900 || month != civil.tm_mon + 1 || day != civil.tm_mday)
            ck_abort_msg("day %" PRId64 " is not %d-%d-%d", days, year, month, day);
        if (rf_civil_to_days(year, month, day) != days)
            ck_abort_msg("%d-%d-%d is not day %" PRId64, year, month, day, days);
    }
}
END_TEST

START_TEST(seconds_become_civil_time_and_back_on_both_sides_of_the_epoch)
{
    for (int64_t seconds = RF_MS_MIN / 1000; seconds <= RF_MS_MAX / 1000; seconds += 1234567891) {
        struct rf_civil civil;
        struct tm expected;
        time_t instant = (time_t)seconds;
        gmtime_r(&instant, &expected);

        rf_civil_from_seconds(seconds, 7, &civil);

        ck_assert_int_eq(civil.year, expected.tm_year + 1900);
        ck_assert_int_eq(civil.hour, expected.tm_hour);
        ck_assert_int_eq(civil.minute, expected.tm_min);
        ck_assert_int_eq(civil.second, expected.tm_sec);
        ck_assert_int_eq(civil.nanosecond, 7);
        ck_assert_int_eq(rf_civil_to_seconds(&civil), seconds);
    }
}
END_TEST

START_TEST(the_ends_of_time_are_what_the_header_says)
{
    char text[RF_TIME_TEXT_MAX];

    rf_time_format_ms(text, sizeof text, RF_MS_MIN);
    ck_assert_str_eq(text, "0001-01-01T00:00:00Z");
    rf_time_format_ms(text, sizeof text, RF_MS_MAX);
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    rf_time_format_ms(text, sizeof text, INT64_MIN);
    ck_assert_str_eq(text, "-292275055-05-16T16:47:04.192Z");
    rf_time_format_ms(text, sizeof text, INT64_MAX);
    ck_assert_str_eq(text, "+292278994-08-17T07:12:55.807Z");
}
END_TEST

START_TEST(division_goes_towards_minus_infinity)
{
    ck_assert_int_eq(rf_floor_div(7, 2), 3);
    ck_assert_int_eq(rf_floor_div(-7, 2), -4);
    ck_assert_int_eq(rf_floor_div(7, -2), -4);
    ck_assert_int_eq(rf_floor_div(-7, -2), 3);
    ck_assert_int_eq(rf_floor_div(-8, 2), -4);
    ck_assert_int_eq(rf_floor_div(0, -5), 0);
    ck_assert_int_eq(rf_floor_div(INT64_MIN, 1), INT64_MIN);
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds;
    int32_t nanoseconds;
} good_times[] = {
    {"1970-01-01T00:00:00Z", 0, 0},
    {"1970-01-01t00:00:00z", 0, 0},
    {"2009-02-13T23:31:30Z", 1234567890, 0},
    {"2009-02-14T00:31:30+01:00", 1234567890, 0},
    {"2009-02-13T18:01:30-05:30", 1234567890, 0},
    {"1969-12-31T23:59:59.5Z", -1, 500000000},
    {"1970-01-01T00:00:00.000000001Z", 0, 1},
    {"1970-01-01T00:00:00.123456789-00:00", 0, 123456789},
    {"2000-02-29T12:00:00Z", 951825600, 0},
    {"2024-02-29T00:00:00+23:59", 1709164800 - 86340, 0},
    {"0001-01-01T00:00:00Z", RF_MS_MIN / 1000, 0},
    {"9999-12-31T23:59:59.999999999Z", RF_MS_MAX / 1000, 999999999},
};

START_TEST(an_rfc_3339_time_is_read)
{
    int64_t seconds = -5;
    int32_t nanoseconds = -5;

    bool read = rf_time_parse(rf_bytes_of_text(good_times[_i].text), &seconds, &nanoseconds);

    ck_assert_msg(read, "%s", good_times[_i].text);
    ck_assert_int_eq(seconds, good_times[_i].seconds);
    ck_assert_int_eq(nanoseconds, good_times[_i].nanoseconds);
}
END_TEST

static const char *const bad_times[] = {
    "",
    "1970-01-01",
    "1970-01-01T00:00:00",   /* no zone */
    "1970-01-01 00:00:00Z",  /* a space */
    "1970-01-01T00:00Z",     /* no seconds */
    "1970-01-01T00:00:00Z ", /* more behind */
    " 1970-01-01T00:00:00Z",
    "1970-1-01T00:00:00Z", /* one digit */
    "70-01-01T00:00:00Z",
    "0000-12-31T23:59:59Z", /* year 0 */
    "10000-01-01T00:00:00Z",
    "+1970-01-01T00:00:00Z",
    "-001-01-01T00:00:00Z",
    "1970-00-01T00:00:00Z",
    "1970-13-01T00:00:00Z",
    "1970-01-00T00:00:00Z",
    "1970-01-32T00:00:00Z",
    "1970-04-31T00:00:00Z",
    "1900-02-29T00:00:00Z", /* a century */
    "2023-02-29T00:00:00Z",
    "1970-01-01T24:00:00Z",
    "1970-01-01T00:60:00Z",
    "2016-12-31T23:59:60Z", /* a leap second, a true one */
    "1970-01-01T00:00:00.Z",
    "1970-01-01T00:00:00,5Z",
    "1970-01-01T00:00:00.1234567890Z", /* ten digits */
    "1970-01-01T00:00:00+0100",
    "1970-01-01T00:00:00+01",
    "1970-01-01T00:00:00+24:00",
    "1970-01-01T00:00:00+00:60",
    "1970-01-01T00:00:00+1:00",
    "1970-01-01T00:00:00ZZ",
    "1970-01-01T00:00:00Z+00:00",
    "0001-01-01T00:00:00+00:01", /* in year 0, in UTC */
    "9999-12-31T23:59:59-00:01", /* in year 10000 */
    "19a0-01-01T00:00:00Z",
    "1970/01/01T00:00:00Z",
};

START_TEST(what_is_not_an_rfc_3339_time_is_refused_and_nothing_is_written)
{
    int64_t seconds = 42;
    int32_t nanoseconds = 43;

    bool read = rf_time_parse(rf_bytes_of_text(bad_times[_i]), &seconds, &nanoseconds);

    ck_assert_msg(!read, "%s", bad_times[_i]);
    ck_assert_int_eq(seconds, 42);
    ck_assert_int_eq(nanoseconds, 43);
}
END_TEST

START_TEST(every_cut_of_a_good_time_is_refused)
{
    struct rf_bytes text = rf_bytes_of_text("2009-02-13T18:01:30.123456789-05:30");
    int64_t seconds = 0;
    int32_t nanoseconds = 0;

    ck_assert(rf_time_parse(text, &seconds, &nanoseconds));
    while (text.size-- > 0)
        ck_assert_msg(!rf_time_parse(text, &seconds, &nanoseconds), "%zu bytes", text.size);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    static const int32_t fractions[] = {0,       1,         1000,      999000,
                                        1000000, 999000000, 999999999, 120000000};

    for (int64_t seconds = RF_MS_MIN / 1000; seconds <= RF_MS_MAX / 1000; seconds += 98765432109) {
        int32_t nanoseconds = fractions[(uint64_t)seconds % 8];
        char text[RF_TIME_TEXT_MAX];
        int64_t seconds_read = 0;
        int32_t nanoseconds_read = 0;

        size_t size = rf_time_format(text, sizeof text, seconds, nanoseconds);

        ck_assert_uint_eq(size, strlen(text));
        ck_assert_msg(rf_time_parse(rf_bytes_of(text, size), &seconds_read, &nanoseconds_read),
                      "%s", text);
        ck_assert_int_eq(seconds_read, seconds);
        ck_assert_int_eq(nanoseconds_read, nanoseconds);
    }
}
END_TEST

START_TEST(a_fraction_is_written_in_groups_of_three)
{
    char text[RF_TIME_TEXT_MAX];

    rf_time_format(text, sizeof text, 0, 500000000);
    ck_assert_str_eq(text, "1970-01-01T00:00:00.500Z");
    rf_time_format(text, sizeof text, 0, 1000);
    ck_assert_str_eq(text, "1970-01-01T00:00:00.000001Z");
    rf_time_format(text, sizeof text, 0, 10);
    ck_assert_str_eq(text, "1970-01-01T00:00:00.000000010Z");
    rf_time_format_ms(text, sizeof text, -1);
    ck_assert_str_eq(text, "1969-12-31T23:59:59.999Z");
}
END_TEST

static const struct {
    const char *text;
    rf_span_ms span;
    const char *written;
} good_spans[] = {
    {"0s", 0, "0s"},
    {"250ms", 250, "250ms"},
    {"90s", 90 * RF_SECOND_MS, "1m30s"},
    {"15m", 15 * RF_MINUTE_MS, "15m"},
    {"24h", RF_DAY_MS, "1d"},
    {"7d", 7 * RF_DAY_MS, "7d"},
    {"1w", 7 * RF_DAY_MS, "7d"},
    {"90d", 90 * RF_DAY_MS, "90d"},
    {"1d12h", 36 * RF_HOUR_MS, "1d12h"},
    {"1w2d3h4m5s6ms", 9 * RF_DAY_MS + 3 * RF_HOUR_MS + 4 * RF_MINUTE_MS + 5006, "9d3h4m5s6ms"},
    {"1m1ms", RF_MINUTE_MS + 1, "1m1ms"},
    {"9223372036854775807ms", INT64_MAX, "106751991167d7h12m55s807ms"},
};

START_TEST(a_span_is_read_and_written)
{
    rf_span_ms span = -1;
    rf_span_ms again = -1;
    char text[RF_SPAN_TEXT_MAX];

    ck_assert_msg(rf_span_parse(rf_bytes_of_text(good_spans[_i].text), &span), "%s",
                  good_spans[_i].text);
    size_t size = rf_span_format(text, sizeof text, span);

    ck_assert_int_eq(span, good_spans[_i].span);
    ck_assert_str_eq(text, good_spans[_i].written);
    ck_assert(rf_span_parse(rf_bytes_of(text, size), &again));
    ck_assert_int_eq(again, span);
}
END_TEST

static const char *const bad_spans[] = {
    "",
    "7",
    "d",
    "-7d",
    "+7d",
    "7 d",
    " 7d",
    "7d ",
    "7D",
    "1.5h",
    "1h1d",
    "1d1d",
    "1y",
    "1d2",
    "1dd",
    "1mms",
    "9223372036854775808ms",
    "106751991168d",
    "106751991167d8h",
    "99999999999999999999999d",
};

START_TEST(what_is_not_a_span_is_refused)
{
    rf_span_ms span = 42;

    ck_assert_msg(!rf_span_parse(rf_bytes_of_text(bad_spans[_i]), &span), "%s", bad_spans[_i]);
    ck_assert_int_eq(span, 42);
}
END_TEST

START_TEST(a_negative_span_is_written_with_its_sign)
{
    char text[RF_SPAN_TEXT_MAX];

    rf_span_format(text, sizeof text, -90 * RF_SECOND_MS);
    ck_assert_str_eq(text, "-1m30s");
    rf_span_format(text, sizeof text, INT64_MIN);
    ck_assert_str_eq(text, "-106751991167d7h12m55s808ms");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("core/base/time");
    TCase *calendar = tcase_create("calendar");
    tcase_set_timeout(calendar, 60);
    tcase_add_test(calendar, an_instant_is_read_to_the_millisecond_towards_the_past);
    tcase_add_test(calendar, every_day_of_nine_thousand_years_is_the_c_librarys_day);
    tcase_add_test(calendar, seconds_become_civil_time_and_back_on_both_sides_of_the_epoch);
    tcase_add_test(calendar, the_ends_of_time_are_what_the_header_says);
    tcase_add_test(calendar, division_goes_towards_minus_infinity);
    suite_add_tcase(suite, calendar);
    TCase *text = tcase_create("text");
    tcase_set_timeout(text, 60);
    tcase_add_loop_test(text, an_rfc_3339_time_is_read, 0, COUNT(good_times));
    tcase_add_loop_test(text, what_is_not_an_rfc_3339_time_is_refused_and_nothing_is_written, 0,
                        COUNT(bad_times));
    tcase_add_test(text, every_cut_of_a_good_time_is_refused);
    tcase_add_test(text, what_is_written_is_read_back);
    tcase_add_test(text, a_fraction_is_written_in_groups_of_three);
    suite_add_tcase(suite, text);
    TCase *spans = tcase_create("spans");
    tcase_set_timeout(spans, 60);
    tcase_add_loop_test(spans, a_span_is_read_and_written, 0, COUNT(good_spans));
    tcase_add_loop_test(spans, what_is_not_a_span_is_refused, 0, COUNT(bad_spans));
    tcase_add_test(spans, a_negative_span_is_written_with_its_sign);
    suite_add_tcase(suite, spans);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
