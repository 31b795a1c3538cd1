/* core/engine/pattern: what a sequence of events means. That it means the same to Flink CEP is shown by
 * tests/system/test_patterns.py; here stand the promises one by one, and the limits. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/pattern.h"
#include "core/model/pattern.h"

/* Steps by their bits. */
#define A 1U
#define B 2U
#define C 4U

static struct rf_arena arena;
static struct rf_pattern pattern;
static struct rf_pattern_stage stages[RF_PATTERN_EVENTS_MAX];
static struct rf_pattern_state state;
static struct rf_pattern_outcome outcome;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
    memset(stages, 0, sizeof stages);
    pattern = (struct rf_pattern){.step_count = 3, .stages = stages, .skips = true};
    state = (struct rf_pattern_state){.passed = RF_MS_MIN};
    outcome = (struct rf_pattern_outcome){0};
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

/* A stage that waits for a step and must not meet `forbids`. */
static void await(uint32_t step, uint32_t forbids)
{
    stages[pattern.stage_count++] = (struct rf_pattern_stage){.step = step, .forbids = forbids};
}

static void end_in_silence(uint32_t forbids, rf_span_ms silence)
{
    pattern.ends_in_silence = true;
    pattern.forbids = forbids;
    pattern.silence = silence;
}

/* The event's time is its offset, too; the watermark is its time. */
static void offer_late(uint32_t steps, rf_ms time, rf_ms watermark)
{
    struct rf_pattern_event event = {.time = time, .position = {"topic", 1, time}, .steps = steps};

    rf_pattern_offer(&pattern, &state, &event, watermark, &arena, &outcome);
}

static void offer(uint32_t steps, rf_ms time)
{
    offer_late(steps, time, time);
}

static void advance(rf_ms watermark)
{
    rf_pattern_advance(&pattern, &state, watermark, &arena, &outcome);
}

/* "time:offset,offset ..." of all matches so far. */
static const char *matches(void)
{
    static char text[4000];
    size_t size = 0;

    text[0] = 0;
    for (size_t i = 0; i < outcome.match_count; i++) {
        const struct rf_pattern_match *match = &outcome.matches[i];

        size += (size_t)snprintf(text + size, sizeof text - size, "%s%lld:", i == 0 ? "" : " ",
                                 (long long)match->time);
        for (size_t j = 0; j < match->event_count; j++)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%lld", j == 0 ? "" : ",",
                                     (long long)match->events[j].position.offset);
    }
    return text;
}

START_TEST(what_is_not_awaited_is_skipped)
{
    await(0, 0);
    await(1, 0);

    offer(B, 1);
    offer(A, 2);
    offer(C, 3);
    offer(B, 4);

    ck_assert_str_eq(matches(), "4:2,4");
    ck_assert(!outcome.matches[0].by_timer);
    ck_assert_uint_eq(outcome.matches[0].events[1].step, 1);
    ck_assert_str_eq(outcome.matches[0].events[1].position.topic, "topic");
    ck_assert_int_eq(outcome.matches[0].events[1].position.partition, 1);
}
END_TEST

START_TEST(a_match_skips_what_began_before_its_end)
{
    await(0, 0);
    await(1, 0);

    offer(A, 1);
    offer(A, 2);
    offer(B | A, 3); /* ends the match, and so begins none */
    offer(B, 4);
    offer(A, 5);
    offer(B, 6);

    ck_assert_str_eq(matches(), "3:1,3 6:5,6");
}
END_TEST

START_TEST(without_skipping_every_match_counts)
{
    pattern.skips = false;
    await(0, 0);
    await(1, 0);

    offer(A, 1);
    offer(A, 2);
    offer(B | A, 3);
    offer(B, 4);

    ck_assert_str_eq(matches(), "3:1,3 3:2,3 4:3,4");
}
END_TEST

START_TEST(an_event_at_the_very_end_of_within_is_outside)
{
    pattern.within = 10;
    await(0, 0);
    await(1, 0);

    offer(A, 1);
    offer(B, 11);
    offer(A, 20);
    offer(B, 29);

    ck_assert_str_eq(matches(), "29:20,29");
}
END_TEST

START_TEST(a_step_may_be_close_to_the_one_before)
{
    await(0, 0);
    await(1, 0);
    await(2, 0);
    stages[2].within = 5;

    offer(A, 1);
    offer(B, 100);
    offer(C, 105);
    offer(A, 200);
    offer(B, 300);
    offer(C, 304);

    ck_assert_str_eq(matches(), "304:200,300,304");
}
END_TEST

START_TEST(what_is_forbidden_between_two_steps_ends_the_partial_match)
{
    await(0, 0);
    await(1, C);

    offer(A, 1);
    offer(C, 2);
    offer(B, 3);
    offer(C, 4);
    offer(A, 5);
    offer(B | C, 6); /* it completes */

    ck_assert_str_eq(matches(), "6:5,6");
}
END_TEST

START_TEST(what_is_forbidden_and_awaited_goes_on_only_if_it_completes)
{
    await(0, 0);
    await(1, C);
    await(0, 0);

    offer(A, 1);
    offer(B | C, 2);
    offer(A, 3);

    ck_assert_str_eq(matches(), "");
}
END_TEST

START_TEST(silence_fires_at_its_own_instant)
{
    await(0, 0);
    end_in_silence(B, 10);

    offer(A, 1);
    ck_assert_int_eq(rf_pattern_due(&pattern, &state), 11);
    advance(10);
    ck_assert_str_eq(matches(), "");
    advance(500);

    ck_assert_str_eq(matches(), "11:1");
    ck_assert(outcome.matches[0].by_timer);
    ck_assert_int_eq(rf_pattern_due(&pattern, &state), RF_MS_MAX);
}
END_TEST

START_TEST(silence_that_is_broken_does_not_fire)
{
    await(0, 0);
    end_in_silence(B, 10);

    offer(A, 1);
    offer(B, 10);
    offer(A, 20);
    offer(B, 30); /* too late to break it */
    advance(500);

    ck_assert_str_eq(matches(), "30:20");
}
END_TEST

START_TEST(silence_without_a_length_lasts_until_within_is_over)
{
    pattern.within = 10;
    await(0, 0);
    await(1, 0);
    end_in_silence(C, 0);

    offer(A, 1);
    offer(B, 9);
    ck_assert_int_eq(rf_pattern_due(&pattern, &state), 11);
    advance(11);

    ck_assert_str_eq(matches(), "11:1,9");
}
END_TEST

START_TEST(events_are_taken_in_the_order_of_their_time)
{
    await(0, 0);
    await(1, 0);

    offer_late(B, 10, 5);
    offer_late(A, 8, 5);
    offer_late(A, 9, 5);
    ck_assert_str_eq(matches(), "");
    ck_assert_int_eq(rf_pattern_due(&pattern, &state), 8);
    advance(9);
    ck_assert_str_eq(matches(), "");
    advance(10);

    ck_assert_str_eq(matches(), "10:8,10");
}
END_TEST

START_TEST(events_of_one_instant_are_taken_as_they_arrived)
{
    await(0, 0);
    await(1, 0);

    offer_late(B, 10, 5);
    offer_late(A, 10, 5);
    offer_late(B, 10, 5);
    advance(10);

    ck_assert_str_eq(matches(), "10:10,10");
    ck_assert_uint_eq(state.event_count, 0);
}
END_TEST

START_TEST(what_comes_too_late_is_ignored_and_counted)
{
    await(0, 0);
    await(1, 0);
    end_in_silence(C, 10);

    offer(A, 5);
    offer_late(B, 4, 5);
    offer(B, 6);
    advance(16);
    offer_late(C, 15, 16); /* the timer has fired */

    ck_assert_str_eq(matches(), "16:5,6");
    ck_assert_uint_eq(outcome.ignored_count, 2);
}
END_TEST

START_TEST(an_event_may_still_break_the_silence_that_the_watermark_has_passed)
{
    await(0, 0);
    end_in_silence(B, 10);

    offer(A, 1);
    offer_late(B, 8, 100); /* arrives before anybody looked at the clock */

    ck_assert_str_eq(matches(), "");
}
END_TEST

START_TEST(partial_matches_that_can_never_count_are_not_kept)
{
    await(0, 0);
    await(1, 0);

    for (rf_ms time = 0; time < 1000; time++)
        offer(A, time);
    ck_assert_uint_eq(state.run_count, 1);
    ck_assert_uint_eq(state.event_count, 1);
    offer(B, 1000);

    ck_assert_str_eq(matches(), "1000:0,1000");
    ck_assert_uint_eq(outcome.dropped_count, 0);
}
END_TEST

START_TEST(of_too_many_partial_matches_the_oldest_go)
{
    pattern.skips = false;
    pattern.within = 1000;
    await(0, 0);
    await(1, 0);

    for (rf_ms time = 0; time < RF_PATTERN_RUNS_MAX + 2; time++)
        offer(A, time);
    ck_assert_uint_eq(state.run_count, RF_PATTERN_RUNS_MAX);
    ck_assert_uint_eq(state.event_count, RF_PATTERN_RUNS_MAX);
    offer(B, 500);

    ck_assert_uint_eq(outcome.dropped_count, 2);
    ck_assert_uint_eq(outcome.match_count, RF_PATTERN_RUNS_MAX);
    ck_assert_int_eq(outcome.matches[0].events[0].time, 2);
    ck_assert_uint_eq(state.event_count, 0);
}
END_TEST

START_TEST(of_too_many_that_wait_the_first_is_looked_at_before_its_time)
{
    await(0, 0);
    await(1, 0);

    for (rf_ms time = 0; time < RF_PATTERN_WAITING_MAX + 1; time++)
        offer_late(time == 0 ? A : B, time + 10, 5);
    ck_assert_uint_eq(outcome.hurried_count, 1);
    ck_assert_uint_eq(state.event_count - state.taken_count, RF_PATTERN_WAITING_MAX);
    advance(500);

    ck_assert_str_eq(matches(), "11:10,11");
}
END_TEST

START_TEST(looking_in_vain_changes_nothing)
{
    struct rf_pattern_state before = {0};

    await(0, 0);
    await(1, 0);
    end_in_silence(C, 10);
    offer(A, 1);
    offer(B, 2);
    offer_late(A, 8, 5);
    before = state;

    advance(7);

    ck_assert_mem_eq(&before, &state, sizeof state);
    ck_assert_int_eq(rf_pattern_due(&pattern, &state), 8);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("core/engine/pattern");
    TCase *meaning = tcase_create("meaning");
    TCase *time = tcase_create("time");
    TCase *limits = tcase_create("limits");

    tcase_add_checked_fixture(meaning, setup, teardown);
    tcase_add_test(meaning, what_is_not_awaited_is_skipped);
    tcase_add_test(meaning, a_match_skips_what_began_before_its_end);
    tcase_add_test(meaning, without_skipping_every_match_counts);
    tcase_add_test(meaning, an_event_at_the_very_end_of_within_is_outside);
    tcase_add_test(meaning, a_step_may_be_close_to_the_one_before);
    tcase_add_test(meaning, what_is_forbidden_between_two_steps_ends_the_partial_match);
    tcase_add_test(meaning, what_is_forbidden_and_awaited_goes_on_only_if_it_completes);
    tcase_add_test(meaning, silence_fires_at_its_own_instant);
    tcase_add_test(meaning, silence_that_is_broken_does_not_fire);
    tcase_add_test(meaning, silence_without_a_length_lasts_until_within_is_over);
    tcase_add_checked_fixture(time, setup, teardown);
    tcase_add_test(time, events_are_taken_in_the_order_of_their_time);
    tcase_add_test(time, events_of_one_instant_are_taken_as_they_arrived);
    tcase_add_test(time, what_comes_too_late_is_ignored_and_counted);
    tcase_add_test(time, an_event_may_still_break_the_silence_that_the_watermark_has_passed);
    tcase_add_checked_fixture(limits, setup, teardown);
    tcase_add_test(limits, partial_matches_that_can_never_count_are_not_kept);
    tcase_add_test(limits, of_too_many_partial_matches_the_oldest_go);
    tcase_add_test(limits, of_too_many_that_wait_the_first_is_looked_at_before_its_time);
    tcase_add_test(limits, looking_in_vain_changes_nothing);
    suite_add_tcase(suite, meaning);
    suite_add_tcase(suite, time);
    suite_add_tcase(suite, limits);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    int failed = 0;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
