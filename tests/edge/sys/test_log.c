/* edge/sys/log: one line an event in either form, whatever is in it, and never too many of one kind. */
#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/sys/clock.h"
#include "edge/sys/log.h"
#include "edge/sys/thread.h"

#define OUTPUT_MAX 1000000

static int ends[2];
static char output[OUTPUT_MAX];

static void open_log(enum rf_log_format format, enum rf_log_level level, rf_span_ms window)
{
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    rf_log_setup(&(struct rf_log_options){
        .fd = ends[1], .level = level, .format = format, .window = window});
}

/* What was written since the last call. */
static const char *take_output(void)
{
    size_t size = 0;
    ssize_t taken = 0;

    while ((taken = read(ends[0], output + size, OUTPUT_MAX - 1 - size)) > 0)
        size += (size_t)taken;
    output[size] = '\0';
    return output;
}

static json_t *take_json(void)
{
    const char *line = take_output();
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(object != NULL, "%s in %s", error.text, line);
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    return object;
}

static const char *text_of(json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

START_TEST(a_json_line_has_time_level_message_and_the_fields_with_their_types)
{
    struct rf_error err = {0};
    rf_error_set(&err, RF_ERROR_RETRY, -195, "connecting to kafka:9092: refused");
    open_log(RF_LOG_JSON, RF_LOG_INFO, 0);

    rf_log_warning(RF_FIELDS(rf_field_int("task", -3), rf_field_double("lag_s", 0.1),
                             rf_field_bool("warm", true), rf_field_text("topic", "telco.calls"),
                             rf_field_error(&err)),
                   "restored %d records", 42);

    json_t *line = take_json();
    ck_assert_str_eq(text_of(line, "level"), "warning");
    ck_assert_str_eq(text_of(line, "msg"), "restored 42 records");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "task")), -3);
    ck_assert(json_real_value(json_object_get(line, "lag_s")) == 0.1);
    ck_assert(json_is_true(json_object_get(line, "warm")));
    ck_assert_str_eq(text_of(line, "topic"), "telco.calls");
    ck_assert_str_eq(text_of(line, "error"), err.message);
    ck_assert_str_eq(text_of(line, "error_kind"), "retry");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "error_code")), -195);
    int64_t seconds = 0;
    int32_t nanoseconds = 0;
    ck_assert(rf_time_parse(rf_bytes_of_text(text_of(line, "ts")), &seconds, &nanoseconds));
    ck_assert_int_le(llabs(seconds - rf_clock_wall_ms() / 1000), 2);
    json_decref(line);
}
END_TEST

START_TEST(whatever_is_in_a_text_the_line_is_json)
{
    open_log(RF_LOG_JSON, RF_LOG_INFO, 0);
    static const uint8_t odd[] = {'a',  '"',  '\\', '\n', 0x1f, 0x1b, '[',
                                  0x7f, 0xff, 0xc3, 0xa4, 0xed, 0xa0, 0x80};

    rf_log_info(RF_FIELDS(rf_field_bytes("odd", rf_bytes_of(odd, sizeof odd)),
                          rf_field_text("none", NULL), rf_field_double("nan", NAN),
                          rf_field_double("inf", -INFINITY)),
                "100%% \"quoted\"\r\n%s", "\xc3");

    json_t *line = json_loads(take_output(), JSON_ALLOW_NUL, NULL);
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_eq(strchr(output, '\n'), output + strlen(output) - 1);
    for (const char *at = output; at[1] != '\0'; at++) /* all but the newline at its end */
        ck_assert_msg((unsigned char)*at >= 0x20 && *at != 0x7f, "%s", output);
    ck_assert_str_eq(text_of(line, "msg"), "100% \"quoted\"\r\n\xef\xbf\xbd");
    static const char expected[] =
        "a\"\\\n\x1f\x1b[\x7f\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd";
    json_t *text = json_object_get(line, "odd");
    ck_assert_uint_eq(json_string_length(text), sizeof expected - 1);
    ck_assert_mem_eq(json_string_value(text), expected, sizeof expected - 1);
    ck_assert_str_eq(text_of(line, "none"), "");
    ck_assert_str_eq(text_of(line, "nan"), "NaN");
    ck_assert_str_eq(text_of(line, "inf"), "-Infinity");
    json_decref(line);
}
END_TEST

START_TEST(a_text_line_is_for_people_and_quotes_what_could_be_misread)
{
    open_log(RF_LOG_TEXT, RF_LOG_INFO, 0);

    rf_log_error(RF_FIELDS(rf_field_int("task", 3), rf_field_text("topic", "telco.calls"),
                           rf_field_text("why", "no such \"thing\""), rf_field_text("empty", "")),
                 "giving \"task\" up\x1b[31m");

    const char *line = take_output();
    ck_assert_str_eq(strchr(line, 'Z'),
                     "Z error   giving \"task\" up\\u001b[31m task=3 topic=telco.calls "
                     "why=\"no such \\\"thing\\\"\" empty=\"\"\n");
}
END_TEST

START_TEST(a_customer_is_never_named)
{
    open_log(RF_LOG_JSON, RF_LOG_INFO, 0);

    rf_log_info(RF_FIELDS(rf_field_customer(rf_bytes_of_text("491701234567"))), "asked about");

    ck_assert_ptr_null(strstr(take_output(), "4917"));
    ck_assert_ptr_nonnull(strstr(output, "\"customer\":\"c-"));
}
END_TEST

START_TEST(a_line_that_would_be_too_long_is_cut_and_still_json)
{
    char text[3000];
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    open_log(RF_LOG_JSON, RF_LOG_INFO, 0);

    rf_log_info(RF_FIELDS(rf_field_text("a", text), rf_field_text("b", text), rf_field_int("c", 7)),
                "%s", text);

    json_t *line = take_json();
    ck_assert_uint_le(strlen(output), RF_LOG_LINE_MAX);
    ck_assert_uint_eq(strspn(text_of(line, "msg"), "\""), 1024);
    ck_assert_str_eq(text_of(line, "msg") + 1024, "…");
    ck_assert_ptr_null(
        json_object_get(line, "a")); /* 2 KiB, escaped, where the message left less */
    ck_assert_int_eq(json_integer_value(json_object_get(line, "c")), 7);
    json_decref(line);
}
END_TEST

START_TEST(what_is_below_the_level_is_not_written)
{
    open_log(RF_LOG_TEXT, RF_LOG_WARNING, 0);

    rf_log_debug(NULL, "debug");
    rf_log_info(NULL, "info");
    ck_assert_str_eq(take_output(), "");
    rf_log_warning(NULL, "warning");
    rf_log_error(NULL, "error");

    take_output();
    ck_assert_ptr_nonnull(strstr(output, "Z warning warning\n"));
    ck_assert_ptr_nonnull(strstr(output, "Z error   error\n"));
}
END_TEST

static int count_of(const char *text, const char *wanted)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++)
        count++;
    return count;
}

static void say(int number)
{
    rf_log_warning(NULL, "poll %d failed", number);
}

START_TEST(a_place_writes_ten_lines_in_a_window_and_then_says_how_many_more_there_were)
{
    open_log(RF_LOG_JSON, RF_LOG_INFO, 200);

    for (int i = 0; i < 1000; i++)
        say(i);
    rf_log_info(NULL, "another place");
    ck_assert_int_eq(count_of(take_output(), " failed"), RF_LOG_BURST);
    ck_assert_int_eq(count_of(output, "another place"), 1);
    rf_log_flush(false);
    ck_assert_str_eq(take_output(), ""); /* not due yet */
    rf_clock_sleep_ms(210);
    rf_log_flush(false);

    json_t *line = take_json();
    ck_assert_int_eq(json_integer_value(json_object_get(line, "repeated")), 990);
    ck_assert_str_eq(text_of(line, "msg"), "poll 999 failed"); /* the last of them */
    ck_assert_str_eq(text_of(line, "level"), "warning");
    json_decref(line);
    for (int i = 0; i < 12; i++)
        say(i);
    ck_assert_int_eq(count_of(take_output(), " failed"), RF_LOG_BURST);
    rf_log_flush(true);
    ck_assert_ptr_nonnull(strstr(take_output(), "\"repeated\":2"));
}
END_TEST

START_TEST(debug_lines_are_not_limited)
{
    open_log(RF_LOG_TEXT, RF_LOG_DEBUG, 0);

    for (int i = 0; i < 100; i++)
        rf_log_debug(NULL, "step %d", i);

    ck_assert_int_eq(count_of(take_output(), "step "), 100);
}
END_TEST

static void write_many(void *argument)
{
    int *number = argument;

    for (int i = 0; i < 500; i++)
        rf_log_debug(RF_FIELDS(rf_field_int("thread", *number)), "%0*d", 300, *number);
}

START_TEST(lines_of_several_threads_stay_whole)
{
    enum {
        THREADS = 4
    };
    struct rf_thread threads[THREADS];
    int numbers[THREADS];
    struct rf_error err = {0};
    open_log(RF_LOG_JSON, RF_LOG_DEBUG, 0);

    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ck_assert(rf_thread_start(&threads[i], "writer", write_many, &numbers[i], &err));
    }
    for (int i = 0; i < THREADS; i++)
        rf_thread_join(&threads[i]);

    take_output();
    int lines = 0;
    for (char *line = output, *end = NULL; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        json_t *object = json_loads(line, 0, NULL);
        ck_assert_msg(object != NULL, "%s", line);
        ck_assert_int_eq(atol(text_of(object, "msg")),
                         json_integer_value(json_object_get(object, "thread")));
        json_decref(object);
        lines++;
    }
    ck_assert_int_eq(lines, THREADS * 500);
}
END_TEST

START_TEST(a_level_is_known_by_its_name)
{
    enum rf_log_level level = RF_LOG_DEBUG;

    ck_assert(rf_log_level_parse(rf_bytes_of_text("error"), &level));
    ck_assert_int_eq(level, RF_LOG_ERROR);
    ck_assert(!rf_log_level_parse(rf_bytes_of_text("Error"), &level));
    ck_assert(!rf_log_level_parse(rf_bytes_of_text(""), &level));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/log");
    TCase *tcase = tcase_create("log");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_json_line_has_time_level_message_and_the_fields_with_their_types);
    tcase_add_test(tcase, whatever_is_in_a_text_the_line_is_json);
    tcase_add_test(tcase, a_text_line_is_for_people_and_quotes_what_could_be_misread);
    tcase_add_test(tcase, a_customer_is_never_named);
    tcase_add_test(tcase, a_line_that_would_be_too_long_is_cut_and_still_json);
    tcase_add_test(tcase, what_is_below_the_level_is_not_written);
    tcase_add_test(tcase,
                   a_place_writes_ten_lines_in_a_window_and_then_says_how_many_more_there_were);
    tcase_add_test(tcase, debug_lines_are_not_limited);
    tcase_add_test(tcase, lines_of_several_threads_stay_whole);
    tcase_add_test(tcase, a_level_is_known_by_its_name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
