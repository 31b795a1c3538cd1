/* core/task/histogram: every number is counted once, in the first range that holds it. */
#include <check.h>
#include <stdlib.h>

#include "core/task/histogram.h"

static const struct rf_histogram_bounds bounds = {3, {0.1, 1.0, 10.0}};

START_TEST(a_bound_holds_its_own_number_and_what_is_above_the_last_is_counted_too)
{
    struct rf_histogram histogram;
    rf_histogram_init(&histogram, &bounds);

    rf_histogram_add(&histogram, 0.1);
    rf_histogram_add(&histogram, 0.11);
    rf_histogram_add(&histogram, 10.0);
    rf_histogram_add(&histogram, 1e9);
    rf_histogram_add(&histogram, -5.0); /* a clock was set back */

    ck_assert_uint_eq(rf_histogram_cumulative(&histogram, 0), 2);
    ck_assert_uint_eq(rf_histogram_cumulative(&histogram, 1), 3);
    ck_assert_uint_eq(rf_histogram_cumulative(&histogram, 2), 4);
    ck_assert_uint_eq(rf_histogram_cumulative(&histogram, 3), 5);
    ck_assert_uint_eq(histogram.count, 5);
    ck_assert_double_eq_tol(histogram.sum_seconds, 1e9 + 10.21, 1e-3);
}
END_TEST

START_TEST(merging_is_adding_and_an_empty_one_takes_the_bounds)
{
    struct rf_histogram sum = {0};
    struct rf_histogram more;
    rf_histogram_init(&more, &bounds);
    rf_histogram_add(&more, 0.5);
    rf_histogram_add(&more, 20.0);

    rf_histogram_merge(&sum, &more);
    rf_histogram_merge(&sum, &more);
    rf_histogram_merge(&sum, &(struct rf_histogram){0}); /* of a worker that has none yet */

    ck_assert_ptr_eq(sum.bounds, &bounds);
    ck_assert_uint_eq(sum.counts[1], 2);
    ck_assert_uint_eq(sum.counts[3], 2);
    ck_assert_uint_eq(sum.count, 4);
    ck_assert_double_eq(sum.sum_seconds, 41.0);
}
END_TEST

START_TEST(a_quantile_is_never_less_than_the_true_one_within_the_bounds)
{
    struct rf_histogram histogram;
    rf_histogram_init(&histogram, &bounds);
    ck_assert_double_eq(rf_histogram_quantile(&histogram, 0.5), 0.0);
    for (int i = 0; i < 90; i++)
        rf_histogram_add(&histogram, 0.5);
    for (int i = 0; i < 10; i++)
        rf_histogram_add(&histogram, 5.0);

    ck_assert_double_eq(rf_histogram_quantile(&histogram, 0.0), 1.0);
    ck_assert_double_eq(rf_histogram_quantile(&histogram, 0.5), 1.0);
    ck_assert_double_eq(rf_histogram_quantile(&histogram, 0.9), 1.0);
    ck_assert_double_eq(rf_histogram_quantile(&histogram, 0.99), 10.0);
    rf_histogram_add(&histogram, 1e6);
    ck_assert_double_eq(rf_histogram_quantile(&histogram, 1.0), 10.0);
}
END_TEST

START_TEST(the_bounds_of_commits_and_delays_ascend)
{
    const struct rf_histogram_bounds *all[] = {&rf_commit_bounds, &rf_delay_bounds};

    for (size_t b = 0; b < 2; b++) {
        ck_assert_uint_le(all[b]->count, RF_HISTOGRAM_BOUNDS_MAX);
        for (size_t i = 1; i < all[b]->count; i++)
            ck_assert_double_lt(all[b]->seconds[i - 1], all[b]->seconds[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tcase = tcase_create("histogram");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(tcase, a_bound_holds_its_own_number_and_what_is_above_the_last_is_counted_too);
    tcase_add_test(tcase, merging_is_adding_and_an_empty_one_takes_the_bounds);
    tcase_add_test(tcase, a_quantile_is_never_less_than_the_true_one_within_the_bounds);
    tcase_add_test(tcase, the_bounds_of_commits_and_delays_ascend);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
