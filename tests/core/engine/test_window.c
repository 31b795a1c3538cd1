/* core/engine/window: a bucket counts while any millisecond of it is in the window; nothing older is kept. */
#include <check.h>
#include <stdlib.h>

#include "core/engine/window.h"
#include "core/model/feature.h"
#include "support/plan_fixture.h"

static struct rf_arena arena;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

static struct rf_feature make(enum rf_feature_kind kind, rf_span_ms window, rf_span_ms offset,
                              rf_span_ms bucket)
{
    return (struct rf_feature){.kind = kind,
                               .shape = RF_STATE_BUCKETS,
                               .state_type = &rf_type_int,
                               .window = window,
                               .offset = offset,
                               .bucket = bucket};
}

static bool add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                rf_ms now, int64_t number)
{
    return rf_window_add(feature, state, time, now, (union rf_number){.integer = number}, &arena);
}

static int64_t value(const struct rf_feature *feature, const struct rf_feature_state *state,
                     rf_ms now)
{
    struct rf_value read = rf_window_value(feature, state, now);

    ck_assert_int_eq(read.kind, RF_VALUE_INT);
    return read.as.integer;
}

START_TEST(an_event_leaves_the_window_with_the_last_millisecond_of_its_bucket)
{
    struct rf_feature feature = make(RF_FEATURE_COUNT, 100, 0, 10);
    struct rf_feature_state state = {0};

    add(&feature, &state, 1003, 1003, 1); /* its bucket is [1000, 1010) */

    ck_assert_int_eq(value(&feature, &state, 1003), 1);
    ck_assert_int_eq(value(&feature, &state, 1108), 1); /* (1008, 1108] holds 1009 */
    ck_assert_int_eq(value(&feature, &state, 1109), 0); /* (1009, 1109] does not */
}
END_TEST

START_TEST(a_bucket_of_one_millisecond_makes_the_window_exact)
{
    struct rf_feature feature = make(RF_FEATURE_COUNT, 100, 50, 1);
    struct rf_feature_state state = {0};

    add(&feature, &state, 1000, 1000, 1);

    ck_assert_int_eq(value(&feature, &state, 1049), 0);
    ck_assert_int_eq(value(&feature, &state, 1050), 1); /* (950, 1000] */
    ck_assert_int_eq(value(&feature, &state, 1149), 1); /* (999, 1099] */
    ck_assert_int_eq(value(&feature, &state, 1150), 0); /* (1000, 1100] */
}
END_TEST

START_TEST(windows_before_1970_are_windows_too)
{
    struct rf_feature feature = make(RF_FEATURE_COUNT, 100, 0, 10);
    struct rf_feature_state state = {0};

    add(&feature, &state, -5, -5, 1);
    add(&feature, &state, 3, 3, 1);

    ck_assert_uint_eq(state.count, 2);
    ck_assert_int_eq(state.buckets[0].index, -1);
    ck_assert_int_eq(value(&feature, &state, 98), 2); /* (-2, 98] holds -1 */
    ck_assert_int_eq(value(&feature, &state, 99), 1);
}
END_TEST

START_TEST(what_is_too_late_for_its_bucket_changes_nothing)
{
    struct rf_feature feature = make(RF_FEATURE_COUNT, 100, 0, 10);
    struct rf_feature_state state = {0};
    add(&feature, &state, 1000, 1000, 1);

    ck_assert(!add(&feature, &state, 895, 1000, 1)); /* (900, 1000] */
    ck_assert(add(&feature, &state, 905, 1000, 1));

    ck_assert_int_eq(value(&feature, &state, 1000), 2);
    ck_assert_int_eq(state.buckets[0].index, 90);
}
END_TEST

START_TEST(least_and_greatest_are_null_when_the_window_is_empty_and_fall_back_when_one_leaves)
{
    struct rf_feature least = make(RF_FEATURE_MIN, 100, 0, 10);
    struct rf_feature greatest = make(RF_FEATURE_MAX, 100, 0, 10);
    struct rf_feature_state a = {0}, b = {0};

    ck_assert_int_eq(rf_window_value(&least, &a, 0).kind, RF_VALUE_NULL);
    add(&least, &a, 1000, 1000, -7);
    add(&least, &a, 1050, 1050, 3);
    add(&greatest, &b, 1000, 1000, 7);
    add(&greatest, &b, 1050, 1050, 3);

    ck_assert_int_eq(value(&least, &a, 1050), -7);
    ck_assert_int_eq(value(&least, &a, 1120), 3);
    ck_assert_int_eq(value(&greatest, &b, 1050), 7);
    ck_assert_int_eq(value(&greatest, &b, 1120), 3);
    ck_assert_int_eq(rf_window_value(&least, &a, 1200).kind, RF_VALUE_NULL);
    ck_assert(!add(&greatest, &b, 1052, 1060, 2)); /* nothing greater: nothing changed */
    ck_assert(add(&greatest, &b, 1053, 1060, 4));
}
END_TEST

START_TEST(a_sum_of_integers_stays_at_the_end_of_the_range)
{
    struct rf_feature feature = make(RF_FEATURE_SUM, 100, 0, 10);
    struct rf_feature_state state = {0};

    add(&feature, &state, 1000, 1000, INT64_MAX);
    add(&feature, &state, 1000, 1000, 5);
    add(&feature, &state, 1020, 1020, 5);

    ck_assert_int_eq(value(&feature, &state, 1020), INT64_MAX);
    add(&feature, &state, 1030, 1030, -10);
    ck_assert_int_eq(value(&feature, &state, 1030), INT64_MAX - 10);
}
END_TEST

/* The naive way: every event is kept, and asked whether its bucket is inside. */
struct kept {
    rf_ms time;
    int64_t number;
};

static int64_t recount(const struct rf_feature *feature, const struct kept *kept, size_t count,
                       rf_ms now)
{
    rf_ms end = now - feature->offset;
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        rf_ms first = rf_floor_div(kept[i].time, feature->bucket) * feature->bucket;
        rf_ms last = first + feature->bucket - 1;

        if (last > end - feature->window && first <= end)
            sum += kept[i].number;
    }
    return sum;
}

/* Over random spans and out-of-order times: the same as counting all events again, with few buckets. */
START_TEST(random_streams_count_as_a_recount_of_all_events_does)
{
    uint64_t seed = (uint64_t)_i + 1;
    struct kept kept[400];
    struct rf_feature feature =
        make(RF_FEATURE_SUM, 1 + (rf_span_ms)fixture_random_below(&seed, 500),
             (rf_span_ms)fixture_random_below(&seed, 300),
             1 + (rf_span_ms)fixture_random_below(&seed, 60));
    struct rf_feature_state state = {0};
    rf_ms now = -500;

    for (size_t i = 0; i < 400; i++) {
        rf_ms time =
            now + (rf_ms)fixture_random_below(&seed, 40) -
            (rf_ms)fixture_random_below(&seed, fixture_random_below(&seed, 4) == 0 ? 900 : 30);
        now = time > now ? time : now;
        kept[i] = (struct kept){time, (int64_t)fixture_random_below(&seed, 100) - 20};
        add(&feature, &state, time, now, kept[i].number);

        rf_ms later = now + (rf_ms)fixture_random_below(&seed, 200);
        ck_assert_int_eq(value(&feature, &state, now), recount(&feature, kept, i + 1, now));
        ck_assert_int_eq(value(&feature, &state, later), recount(&feature, kept, i + 1, later));
        ck_assert_int_le(state.count, (feature.window + feature.offset) / feature.bucket + 2);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine/window");
    TCase *tcase = tcase_create("window");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_event_leaves_the_window_with_the_last_millisecond_of_its_bucket);
    tcase_add_test(tcase, a_bucket_of_one_millisecond_makes_the_window_exact);
    tcase_add_test(tcase, windows_before_1970_are_windows_too);
    tcase_add_test(tcase, what_is_too_late_for_its_bucket_changes_nothing);
    tcase_add_test(
        tcase, least_and_greatest_are_null_when_the_window_is_empty_and_fall_back_when_one_leaves);
    tcase_add_test(tcase, a_sum_of_integers_stays_at_the_end_of_the_range);
    tcase_add_loop_test(tcase, random_streams_count_as_a_recount_of_all_events_does, 0, 50);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
