/* core/engine/cases and interval: what is late, what is at one instant, and what is beyond the limits. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine/cases.h"
#include "core/engine/interval.h"
#include "core/model/feature.h"
#include "support/plan_fixture.h"

static struct rf_arena arena;
static struct rf_feature_state state;

static void setup(void)
{
    rf_arena_init(&arena, 64U << 10);
    state = (struct rf_feature_state){0};
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

static bool mark(const char *id, bool opens, bool closes, rf_ms time)
{
    return rf_cases_add(&state, rf_bytes_of_text(id), opens, closes, time, &arena);
}

static bool opened(const char *id, rf_ms time)
{
    return mark(id, true, false, time);
}

static bool closed(const char *id, rf_ms time)
{
    return mark(id, false, true, time);
}

static const struct rf_list *list(void)
{
    return rf_cases_value(&state, &arena).as.list;
}

static struct rf_value stat(enum rf_feature_stat of)
{
    const struct rf_feature feature = {.kind = RF_FEATURE_CASES_OF, .stat = of};

    return rf_cases_stat(&feature, &state);
}

static void check_open(size_t place, const char *id, rf_ms at, int64_t reopened)
{
    const struct rf_value *fields = list()->items[place].as.record->fields;

    ck_assert(rf_bytes_equal(fields[0].as.text, rf_bytes_of_text(id)));
    ck_assert_int_eq(rf_value_to_ms(fields[1]), at);
    ck_assert_int_eq(fields[2].as.integer, reopened);
}

START_TEST(nothing_is_known_of_nobody)
{
    ck_assert_uint_eq(list()->count, 0);
    ck_assert_int_eq(stat(RF_STAT_OLDEST).kind, RF_VALUE_NULL);
    ck_assert_int_eq(stat(RF_STAT_OPENED).as.integer, 0);
    ck_assert_int_eq(stat(RF_STAT_RESOLUTION_MEAN).kind, RF_VALUE_NULL);
    ck_assert_int_eq(stat(RF_STAT_RESOLUTION_LAST).kind, RF_VALUE_NULL);
}
END_TEST

START_TEST(a_case_is_open_from_its_opening_to_its_closing_and_may_be_reopened)
{
    opened("b", 2000);
    opened("a", 1000);
    ck_assert_uint_eq(list()->count, 2);
    check_open(0, "a", 1000, 0);
    check_open(1, "b", 2000, 0);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_OLDEST)), 1000);

    closed("a", 4000);
    check_open(0, "b", 2000, 0);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_RESOLUTION_LAST)), 3000);
    opened("a", 6000);
    closed("b", 7000);

    check_open(0, "a", 6000, 1);
    ck_assert_int_eq(stat(RF_STAT_OPENED).as.integer, 2);
    ck_assert_int_eq(stat(RF_STAT_REOPENED).as.integer, 1);
    ck_assert_int_eq(stat(RF_STAT_RESOLVED).as.integer, 2);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_RESOLUTION_LAST)), 5000);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_RESOLUTION_MEAN)), 4000);
}
END_TEST

START_TEST(a_closing_that_arrives_before_its_opening_closes_it)
{
    ck_assert(closed("a", 5000));
    ck_assert_uint_eq(list()->count, 0);
    ck_assert_int_eq(stat(RF_STAT_OPENED).as.integer, 0);

    opened("a", 1000);

    ck_assert_uint_eq(list()->count, 0);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_RESOLUTION_MEAN)), 4000);
}
END_TEST

START_TEST(a_late_closing_between_two_openings_makes_the_second_a_reopening)
{
    opened("a", 1000);
    opened("a", 9000);
    check_open(0, "a", 1000, 0);

    closed("a", 4000);

    check_open(0, "a", 9000, 1);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_RESOLUTION_LAST)), 3000);
}
END_TEST

START_TEST(at_one_instant_an_opening_is_before_a_closing_and_twice_is_once)
{
    closed("a", 1000);
    opened("a", 1000);
    ck_assert(!opened("a", 1000));
    mark("b", true, true, 2000);

    ck_assert_uint_eq(list()->count, 0);
    ck_assert_int_eq(stat(RF_STAT_RESOLVED).as.integer, 2);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_RESOLUTION_MEAN)), 0);
}
END_TEST

START_TEST(a_mark_later_than_sixteen_younger_ones_is_ignored_and_nothing_settled_is_lost)
{
    for (rf_ms time = 0; time < 40; time++)
        mark("a", time % 2 == 0, time % 2 == 1, 1000 * time);

    ck_assert_int_eq(stat(RF_STAT_RESOLVED).as.integer, 20);
    ck_assert_int_eq(stat(RF_STAT_REOPENED).as.integer, 19);
    ck_assert_uint_eq(state.cases->items[0].mark_count, RF_CASE_MARKS_MAX);
    ck_assert(!closed("a", 10500));
    ck_assert_int_eq(stat(RF_STAT_RESOLVED).as.integer, 20);
    ck_assert(opened("a", 50000));
    check_open(0, "a", 50000, 20);
}
END_TEST

static const char *id_of(int i)
{
    return rf_arena_printf(&arena, "case-%03d", i);
}

START_TEST(beyond_the_limit_the_closed_one_that_changed_least_recently_is_forgotten_but_counted)
{
    for (int i = 0; i < RF_CASES_MAX; i++)
        opened(id_of(i), 1000 + i);
    closed(id_of(40), 5000);
    closed(id_of(7), 6000);

    opened("new", 9000);

    ck_assert_uint_eq(state.cases->count, RF_CASES_MAX);
    ck_assert_uint_eq(list()->count, RF_CASES_MAX - 1);
    ck_assert_int_eq(stat(RF_STAT_OPENED).as.integer, RF_CASES_MAX + 1);
    ck_assert_int_eq(stat(RF_STAT_RESOLVED).as.integer, 2);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_RESOLUTION_LAST)), 6000 - 1007);
    opened(id_of(7), 9500); /* still known: a reopening */
    ck_assert_int_eq(stat(RF_STAT_REOPENED).as.integer, 1);
    opened(id_of(40), 9600); /* forgotten: as if it were new; the oldest of the open ones goes */
    ck_assert_int_eq(stat(RF_STAT_REOPENED).as.integer, 1);
    ck_assert_int_eq(stat(RF_STAT_OPENED).as.integer, RF_CASES_MAX + 2);
    ck_assert_uint_eq(list()->count, RF_CASES_MAX);
    ck_assert_int_eq(rf_value_to_ms(stat(RF_STAT_OLDEST)), 1001);
}
END_TEST

/* ---- intervals ------------------------------------------------------------------------------------ */

static struct rf_feature gap = {.kind = RF_FEATURE_INTERVAL, .shape = RF_STATE_INTERVAL};

static rf_span_ms interval(void)
{
    struct rf_value value = rf_interval_value(&gap, &state);

    ck_assert_int_eq(value.kind, RF_VALUE_DURATION);
    return rf_value_to_ms(value);
}

START_TEST(there_is_no_interval_before_the_second_event)
{
    gap.stat = (enum rf_feature_stat)(RF_STAT_MEAN + _i);
    ck_assert_int_eq(rf_interval_value(&gap, &state).kind, RF_VALUE_NULL);
    rf_interval_add(&gap, &state, 5000, &arena);
    ck_assert_int_eq(rf_interval_value(&gap, &state).kind, RF_VALUE_NULL);

    rf_interval_add(&gap, &state, 2000, &arena);

    ck_assert_int_eq(interval(), gap.stat == RF_STAT_STDDEV ? 0 : 3000);
}
END_TEST

START_TEST(a_late_event_cuts_a_gap_in_two)
{
    static const rf_ms times[] = {10000, 0, 6000, 5000, 5000};
    static const rf_span_ms expected[] = {2500, 4000, 0, 5000, 2062};

    gap.stat = (enum rf_feature_stat)(RF_STAT_MEAN + _i);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        rf_interval_add(&gap, &state, times[i], &arena);

    ck_assert_int_eq(interval(), expected[_i]); /* of 5000, 0, 1000, 4000 */
}
END_TEST

START_TEST(an_event_later_than_thirty_two_younger_ones_counts_for_the_mean_alone)
{
    static const rf_span_ms expected[] = {39000 / 41, 1000, 1000, 1000, 0};

    gap.stat = (enum rf_feature_stat)(RF_STAT_MEAN + _i);
    for (rf_ms i = 0; i < 40; i++)
        rf_interval_add(&gap, &state, 1000 * i, &arena);
    ck_assert_int_eq(interval(), _i == 4 ? 0 : 1000);

    rf_interval_add(&gap, &state, 500, &arena);
    rf_interval_add(&gap, &state, 1500, &arena);

    ck_assert_int_eq(interval(), expected[_i]);
    ck_assert_uint_le(state.interval->time_count, RF_INTERVAL_TIMES_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine/cases");
    TCase *tcase = tcase_create("cases");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_is_known_of_nobody);
    tcase_add_test(tcase, a_case_is_open_from_its_opening_to_its_closing_and_may_be_reopened);
    tcase_add_test(tcase, a_closing_that_arrives_before_its_opening_closes_it);
    tcase_add_test(tcase, a_late_closing_between_two_openings_makes_the_second_a_reopening);
    tcase_add_test(tcase, at_one_instant_an_opening_is_before_a_closing_and_twice_is_once);
    tcase_add_test(tcase,
                   a_mark_later_than_sixteen_younger_ones_is_ignored_and_nothing_settled_is_lost);
    tcase_add_test(
        tcase,
        beyond_the_limit_the_closed_one_that_changed_least_recently_is_forgotten_but_counted);
    tcase_add_loop_test(tcase, there_is_no_interval_before_the_second_event, 0, 5);
    tcase_add_loop_test(tcase, a_late_event_cuts_a_gap_in_two, 0, 5);
    tcase_add_loop_test(
        tcase, an_event_later_than_thirty_two_younger_ones_counts_for_the_mean_alone, 0, 5);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
