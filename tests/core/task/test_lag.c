/* core/task/lag: how far behind, and is that cause for worry. */
#include <check.h>
#include <stdlib.h>

#include "core/task/lag.h"

#define NOW INT64_C(1700000100000)

static const struct rf_lag_probe no_probe = {.from = -1, .offset = -1, .until = -1};

/* Ten records committed, nothing open. */
static struct rf_lag_reading reading_at(int64_t committed)
{
    return (struct rf_lag_reading){.committed = committed,
                                   .position = committed,
                                   .oldest_offset = -1,
                                   .oldest_time = RF_MS_MIN,
                                   .last_time = RF_MS_MIN};
}

static struct rf_lag_ends ends_at(int64_t start, int64_t end)
{
    return (struct rf_lag_ends){.log_start = start,
                                .log_end = end,
                                .stable_end = -1,
                                .asked_at = NOW,
                                .caught_up_end = -1,
                                .caught_up_at = RF_MS_MIN};
}

START_TEST(nothing_to_read_is_no_lag)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(0, 10);
    struct rf_lag lag = {0};

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);

    ck_assert_int_eq(lag.lag_records, 0);
    ck_assert_int_eq(lag.lag_ms, 0);
    ck_assert(lag.lag_ms_exact);
    ck_assert_int_eq(lag.oldest_time, RF_MS_MIN);
}
END_TEST

START_TEST(before_the_broker_was_asked_nothing_is_claimed)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(-1, -1);
    struct rf_lag lag = {0};

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);

    ck_assert_int_eq(lag.lag_records, -1);
    ck_assert_int_eq(lag.lag_ms, -1);
    ck_assert_int_eq(lag.log_end, -1);
}
END_TEST

START_TEST(an_input_that_is_folded_and_not_committed_is_lag_of_its_own_age)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(0, 15);
    struct rf_lag lag = {0};
    reading.position = 15;
    reading.oldest_offset = 11; /* 10 is compacted away */
    reading.oldest_time = NOW - 2500;

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);

    ck_assert_int_eq(lag.lag_records, 5); /* end - committed, as kafka-consumer-groups has it */
    ck_assert_int_eq(lag.lag_ms, 2500);
    ck_assert(lag.lag_ms_exact);
    ck_assert_int_eq(lag.oldest_time, NOW - 2500);
}
END_TEST

START_TEST(a_broker_that_was_asked_before_the_worker_makes_no_lag_negative)
{
    struct rf_lag_reading reading = reading_at(30);
    struct rf_lag_ends ends = ends_at(0, 20);
    struct rf_lag lag = {0};

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);

    ck_assert_int_eq(lag.lag_records, 0);
    ck_assert_int_eq(lag.lag_ms, 0);
    ck_assert_int_eq(lag.log_end, 30);

    reading.position = -1; /* nothing was read yet */
    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 0);
    ck_assert_int_eq(lag.lag_ms, 0);
}
END_TEST

START_TEST(a_record_with_a_timestamp_of_the_future_makes_no_lag_negative)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(0, 11);
    struct rf_lag lag = {0};
    reading.oldest_offset = 10;
    reading.oldest_time = NOW + 60000;

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);

    ck_assert_int_eq(lag.lag_records, 1);
    ck_assert_int_eq(lag.lag_ms, 0);
}
END_TEST

START_TEST(transaction_markers_that_were_stepped_over_are_no_lag)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(0, 13);
    struct rf_lag lag = {0};
    reading.position = 13; /* an aborted transaction of two records and its marker */

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);

    ck_assert_int_eq(lag.lag_records, 0);
    ck_assert_int_eq(lag.lag_ms, 0);
}
END_TEST

START_TEST(markers_that_were_not_read_yet_are_no_lag_once_it_is_known_that_they_are_all)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(0, 12);
    struct rf_lag_probe probe = {.from = 10, .offset = -1, .until = 12};
    struct rf_lag lag = {0};

    rf_lag_measure(&reading, &ends, &probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 0);
    ck_assert_int_eq(lag.lag_ms, 0);

    ends.log_end = 13; /* one more has come: is it a record? */
    rf_lag_measure(&reading, &ends, &probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 3);
    ck_assert(!lag.lag_ms_exact);
}
END_TEST

START_TEST(an_open_transaction_is_as_old_as_its_first_record)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(0, 14);
    struct rf_lag_probe probe = {.from = 10, .offset = 10, .until = -1, .time = NOW - 7000};
    struct rf_lag lag = {0};
    ends.stable_end = 10;

    rf_lag_measure(&reading, &ends, &probe, NOW, &lag);

    ck_assert_int_eq(lag.lag_records, 4);
    ck_assert_int_eq(lag.stable_end, 10);
    ck_assert_int_eq(lag.lag_ms, 7000);
    ck_assert(lag.lag_ms_exact);
    ck_assert_int_eq(lag.oldest_time, NOW - 7000);
}
END_TEST

START_TEST(a_probe_before_a_gap_of_compaction_holds_for_every_offset_in_it)
{
    struct rf_lag_ends ends = ends_at(0, 100);
    struct rf_lag_probe probe = {.from = 10, .offset = 50, .until = -1, .time = NOW - 9000};
    struct rf_lag lag = {0};

    for (int64_t next = 9; next <= 51; next++) {
        struct rf_lag_reading reading = reading_at(next);

        rf_lag_measure(&reading, &ends, &probe, NOW, &lag);
        ck_assert_int_eq(lag.lag_records, 100 - next);
        ck_assert(lag.lag_ms_exact == (next >= 10 && next <= 50));
        ck_assert_int_eq(lag.lag_ms, lag.lag_ms_exact ? 9000 : -1);
    }
}
END_TEST

START_TEST(while_the_oldest_record_is_not_known_its_age_is_bounded_by_the_last_one_read)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(0, 14);
    struct rf_lag lag = {0};
    reading.last_time = NOW - 4000;

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_ms, 4000);
    ck_assert(!lag.lag_ms_exact);
    ck_assert_int_eq(lag.oldest_time, RF_MS_MIN); /* which is not known */

    ends.caught_up_end = 10; /* and a second ago nothing was behind it */
    ends.caught_up_at = NOW - 1000;
    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_ms, 1000);
    ck_assert(!lag.lag_ms_exact);
}
END_TEST

START_TEST(what_retention_took_is_no_lag)
{
    struct rf_lag_reading reading = reading_at(10);
    struct rf_lag_ends ends = ends_at(40, 45);
    struct rf_lag lag = {0};

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 5);

    ends = ends_at(45, 45);
    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 0);
    ck_assert_int_eq(lag.lag_ms, 0);

    reading.oldest_offset = 10; /* read in time, and not committed yet */
    reading.oldest_time = NOW - 600;
    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 35);
    ck_assert_int_eq(lag.lag_ms, 600);
}
END_TEST

START_TEST(a_group_that_never_committed_lags_from_where_it_begins)
{
    struct rf_lag_reading reading = reading_at(-1);
    struct rf_lag_ends ends = ends_at(3, 10);
    struct rf_lag lag = {0};

    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 7);

    reading.from_end = true; /* `start: latest` */
    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 0);

    reading.oldest_offset = 8;
    reading.oldest_time = NOW - 100;
    rf_lag_measure(&reading, &ends, &no_probe, NOW, &lag);
    ck_assert_int_eq(lag.lag_records, 2);
    ck_assert_int_eq(lag.lag_ms, 100);
}
END_TEST

/* ---- status ---- */

static enum rf_lag_status after(const int64_t *next, const int64_t *lag)
{
    struct rf_lag_history history = {0};

    for (int i = 0; i < RF_LAG_SAMPLES; i++)
        rf_lag_history_add(&history, i * RF_LAG_SAMPLE_MS, next[i], lag[i]);
    return rf_lag_status(&history, RF_TASK_RUNNING, 50);
}

START_TEST(a_group_that_moves_and_gains_is_ok_and_one_that_does_not_gain_is_lagging)
{
    static const int64_t moving[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const int64_t shrinking[] = {99, 99, 98, 99, 99, 99, 99, 99, 99, 99, 98};
    static const int64_t steady[] = {9, 9, 5, 9, 9, 9, 9, 9, 9, 9, 9};
    static const int64_t growing[] = {9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    static const int64_t once_zero[] = {9, 10, 11, 12, 0, 14, 15, 16, 17, 18, 19};

    ck_assert_str_eq(rf_lag_status_name(after(moving, shrinking)), "ok");
    ck_assert_str_eq(rf_lag_status_name(after(moving, steady)), "lagging");
    ck_assert_str_eq(rf_lag_status_name(after(moving, growing)), "lagging");
    ck_assert_str_eq(rf_lag_status_name(after(moving, once_zero)), "ok");
}
END_TEST

START_TEST(a_group_that_does_not_move_is_stalled_once_there_is_something_to_read)
{
    static const int64_t fixed[] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    static const int64_t lag[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const int64_t none[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const int64_t began[] = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    ck_assert_str_eq(rf_lag_status_name(after(fixed, lag)), "stalled");
    ck_assert_str_eq(rf_lag_status_name(after(fixed, none)), "ok");
    ck_assert_str_eq(rf_lag_status_name(after(fixed, began)), "ok");
}
END_TEST

START_TEST(a_window_that_is_not_full_is_ok_and_an_old_sample_leaves_it)
{
    struct rf_lag_history history = {0};

    for (int i = 0; i < RF_LAG_SAMPLES; i++) {
        ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RUNNING, 0), RF_LAG_OK);
        rf_lag_history_add(&history, i * RF_LAG_SAMPLE_MS, 7, i == 0 ? 0 : 5);
    }
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RUNNING, 0), RF_LAG_OK);
    rf_lag_history_add(&history, RF_LAG_SAMPLES * RF_LAG_SAMPLE_MS, 7, 5);
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RUNNING, 0), RF_LAG_STALLED);
    rf_lag_history_clear(&history);
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RUNNING, 0), RF_LAG_OK);
}
END_TEST

START_TEST(between_two_samples_the_smallest_lag_counts)
{
    struct rf_lag_history history = {0};

    for (int i = 0; i < RF_LAG_SAMPLES; i++) {
        rf_lag_history_add(&history, i * RF_LAG_SAMPLE_MS, i, 5);
        rf_lag_history_add(&history, i * RF_LAG_SAMPLE_MS + 1, i, i == 4 ? 0 : 4);
        rf_lag_history_add(&history, i * RF_LAG_SAMPLE_MS + 2, i, 6);
    }

    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RUNNING, 0), RF_LAG_OK);
}
END_TEST

START_TEST(a_worker_that_does_not_turn_is_stopped_whatever_the_lag)
{
    struct rf_lag_history history = {0};

    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RUNNING, RF_LAG_WINDOW_MS - 1), RF_LAG_OK);
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RUNNING, RF_LAG_WINDOW_MS), RF_LAG_STOPPED);
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RESTORING, -1), RF_LAG_STOPPED);
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_RESTORING, 0), RF_LAG_RESTORING);
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_WAITING, 0), RF_LAG_RESTORING);
    ck_assert_int_eq(rf_lag_status(&history, RF_TASK_BLOCKED, 0), RF_LAG_OK);
}
END_TEST

/* ---- rates ---- */

START_TEST(a_rate_is_of_the_last_ten_seconds_and_begins_anew_with_its_counter)
{
    struct rf_rate rate = {0};

    ck_assert_double_eq(rf_rate_per_second(&rate), 0.0);
    rf_rate_add(&rate, 5000, 100.0);
    ck_assert_double_eq(rf_rate_per_second(&rate), 0.0);
    rf_rate_add(&rate, 5999, 1e9); /* too soon after the last one */
    rf_rate_add(&rate, 6000, 110.0);
    ck_assert_double_eq(rf_rate_per_second(&rate), 10.0);
    for (int i = 2; i <= 20; i++)
        rf_rate_add(&rate, 5000 + 1000 * i, 110.0 + 1000.0 * (i - 1));
    ck_assert_double_eq(rf_rate_per_second(&rate), 1000.0);

    rf_rate_add(&rate, 60000, 3.0);
    ck_assert_double_eq(rf_rate_per_second(&rate), 0.0);
    rf_rate_add(&rate, 62000, 4.0);
    ck_assert_double_eq(rf_rate_per_second(&rate), 0.5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lag");
    TCase *tcase = tcase_create("lag");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(tcase, nothing_to_read_is_no_lag);
    tcase_add_test(tcase, before_the_broker_was_asked_nothing_is_claimed);
    tcase_add_test(tcase, an_input_that_is_folded_and_not_committed_is_lag_of_its_own_age);
    tcase_add_test(tcase, a_broker_that_was_asked_before_the_worker_makes_no_lag_negative);
    tcase_add_test(tcase, a_record_with_a_timestamp_of_the_future_makes_no_lag_negative);
    tcase_add_test(tcase, transaction_markers_that_were_stepped_over_are_no_lag);
    tcase_add_test(tcase,
                   markers_that_were_not_read_yet_are_no_lag_once_it_is_known_that_they_are_all);
    tcase_add_test(tcase, an_open_transaction_is_as_old_as_its_first_record);
    tcase_add_test(tcase, a_probe_before_a_gap_of_compaction_holds_for_every_offset_in_it);
    tcase_add_test(tcase,
                   while_the_oldest_record_is_not_known_its_age_is_bounded_by_the_last_one_read);
    tcase_add_test(tcase, what_retention_took_is_no_lag);
    tcase_add_test(tcase, a_group_that_never_committed_lags_from_where_it_begins);
    tcase_add_test(tcase, a_group_that_moves_and_gains_is_ok_and_one_that_does_not_gain_is_lagging);
    tcase_add_test(tcase, a_group_that_does_not_move_is_stalled_once_there_is_something_to_read);
    tcase_add_test(tcase, a_window_that_is_not_full_is_ok_and_an_old_sample_leaves_it);
    tcase_add_test(tcase, between_two_samples_the_smallest_lag_counts);
    tcase_add_test(tcase, a_worker_that_does_not_turn_is_stopped_whatever_the_lag);
    tcase_add_test(tcase, a_rate_is_of_the_last_ten_seconds_and_begins_anew_with_its_counter);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
