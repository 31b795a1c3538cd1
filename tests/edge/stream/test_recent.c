/* edge/stream/recent: the newest of what was emitted, numbered without gaps, within a limit. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/outbox.h"
#include "edge/stream/recent.h"

static struct rf_ring ring;
static struct rf_arena arena;
static struct rf_recent read_out[RF_RECENT_COUNT_MAX + 1];

static void setup(void)
{
    rf_ring_init(&ring);
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_ring_deinit(&ring);
    rf_arena_deinit(&arena);
}

static void add(const char *text, uint64_t skipped)
{
    struct rf_recent recent = {.committed_at = 1700000000000,
                               .kind = RF_RECENT_DERIVED,
                               .rule = 3,
                               .text = rf_bytes_of_text(text)};

    rf_ring_add(&ring, &recent, skipped);
}

START_TEST(a_reader_goes_on_behind_what_it_has_read)
{
    add("one", 0);
    add("two", 0);

    ck_assert_uint_eq(rf_ring_read(&ring, 0, read_out, 10, &arena), 2);
    ck_assert_uint_eq(read_out[0].sequence, 1);
    ck_assert(rf_bytes_equal(read_out[0].text, rf_bytes_of_text("one")));
    ck_assert_uint_eq(read_out[1].sequence, 2);
    ck_assert_uint_eq(read_out[1].rule, 3);
    ck_assert_int_eq(read_out[1].committed_at, 1700000000000);
    ck_assert_uint_eq(rf_ring_read(&ring, 2, read_out, 10, &arena), 0);
    add("three", 0);
    ck_assert_uint_eq(rf_ring_read(&ring, 2, read_out, 10, &arena), 1);
    ck_assert(rf_bytes_equal(read_out[0].text, rf_bytes_of_text("three")));
    ck_assert_uint_eq(rf_ring_last(&ring), 3);
}
END_TEST

START_TEST(what_was_not_kept_leaves_a_gap_in_the_numbers)
{
    add("one", 0);
    add("five", 3);

    ck_assert_uint_eq(rf_ring_read(&ring, 0, read_out, 10, &arena), 2);
    ck_assert_uint_eq(read_out[1].sequence, 5);
    ck_assert_uint_eq(rf_ring_last(&ring), 5);
}
END_TEST

START_TEST(the_oldest_leave_when_there_are_too_many)
{
    for (int i = 0; i < 3 * RF_RECENT_COUNT_MAX; i++)
        add("event", 0);

    ck_assert_uint_eq(rf_ring_read(&ring, 0, read_out, RF_RECENT_COUNT_MAX + 1, &arena),
                      RF_RECENT_COUNT_MAX);
    ck_assert_uint_eq(read_out[0].sequence, 2 * RF_RECENT_COUNT_MAX + 1);
    ck_assert_uint_eq(read_out[RF_RECENT_COUNT_MAX - 1].sequence, 3 * RF_RECENT_COUNT_MAX);
}
END_TEST

START_TEST(the_oldest_leave_when_there_are_too_many_bytes_and_a_giant_is_only_counted)
{
    char *text = malloc(RF_RECENT_TEXT_MAX + 2);
    size_t bytes = 0;
    size_t count = 0;
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', RF_RECENT_TEXT_MAX + 1);
    text[RF_RECENT_TEXT_MAX + 1] = '\0';
    add(text, 0);
    ck_assert_uint_eq(rf_ring_read(&ring, 0, read_out, 10, &arena), 0);
    ck_assert_uint_eq(rf_ring_last(&ring), 1);

    text[RF_RECENT_TEXT_MAX] = '\0';
    for (int i = 0; i < 100; i++)
        add(text, 0);

    count = rf_ring_read(&ring, 0, read_out, RF_RECENT_COUNT_MAX, &arena);
    for (size_t i = 0; i < count; i++)
        bytes += read_out[i].text.size;
    ck_assert_uint_le(bytes, RF_RECENT_BYTES_MAX);
    ck_assert_uint_gt(bytes + RF_RECENT_TEXT_MAX, RF_RECENT_BYTES_MAX);
    ck_assert_uint_eq(read_out[count - 1].sequence, 101);
    free(text);
}
END_TEST

START_TEST(a_dead_letter_is_told_by_its_place_and_reason_and_without_its_payload)
{
    static const struct rf_source source = {.name = "calls", .topic = "telco.calls"};
    static const struct rf_plan plan = {.sources = &source, .source_count = 1};
    const struct rf_dead_letter letter = {
        .input = {.position = {.topic = "telco.calls", .partition = 2, .offset = 41},
                  .broker_time = 1700000000000,
                  .key = rf_bytes_of_text("C-secret"),
                  .value = rf_bytes_of_text("payload-secret")},
        .error_class = "record",
        .message = "it is \"broken\"",
    };
    const struct rf_out out = {.kind = RF_OUT_DEAD_LETTER, .as.dead_letter = &letter};
    char text[1024];

    rf_ring_note(&ring, &plan, &out, 1, 1700000000001);

    ck_assert_uint_eq(rf_ring_read(&ring, 0, read_out, 10, &arena), 1);
    ck_assert_int_eq(read_out[0].kind, RF_RECENT_DEAD_LETTER);
    snprintf(text, sizeof text, "%.*s", (int)read_out[0].text.size,
             (const char *)read_out[0].text.data);
    ck_assert_str_eq(text, "{\"source\":\"calls\",\"topic\":\"telco.calls\",\"partition\":2,"
                           "\"offset\":41,\"time\":\"2023-11-14T22:13:20Z\",\"class\":\"record\","
                           "\"message\":\"it is \\\"broken\\\"\"}");
    ck_assert_ptr_null(strstr(text, "secret"));
}
END_TEST

START_TEST(a_dead_letter_that_time_alone_caused_is_of_no_source)
{
    static const struct rf_plan plan = {0};
    const struct rf_dead_letter letter = {
        .input = {.source = RF_SOURCE_TIMER,
                  .position = {.topic = RF_TIMER_TOPIC, .offset = 1700000000000},
                  .broker_time = RF_MS_MIN},
        .error_class = "quarantined",
        .message = "too large",
    };
    const struct rf_out out = {.kind = RF_OUT_DEAD_LETTER, .as.dead_letter = &letter};

    rf_ring_note(&ring, &plan, &out, 1, 1700000000001);

    ck_assert_uint_eq(rf_ring_read(&ring, 0, read_out, 10, &arena), 1);
    ck_assert(rf_bytes_equal(
        read_out[0].text,
        rf_bytes_of_text("{\"source\":\"timer\",\"topic\":\"timer\",\"partition\":0,"
                         "\"offset\":1700000000000,\"time\":\"\",\"class\":\"quarantined\","
                         "\"message\":\"too large\"}")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/stream/recent");
    TCase *tcase = tcase_create("recent");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_reader_goes_on_behind_what_it_has_read);
    tcase_add_test(tcase, what_was_not_kept_leaves_a_gap_in_the_numbers);
    tcase_add_test(tcase, the_oldest_leave_when_there_are_too_many);
    tcase_add_test(tcase,
                   the_oldest_leave_when_there_are_too_many_bytes_and_a_giant_is_only_counted);
    tcase_add_test(tcase, a_dead_letter_is_told_by_its_place_and_reason_and_without_its_payload);
    tcase_add_test(tcase, a_dead_letter_that_time_alone_caused_is_of_no_source);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
