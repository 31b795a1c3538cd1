/* core/engine/decay: a weight halves with every half-life, whatever the order of arrival. */
#include <check.h>
#include <stdlib.h>

#include "core/engine/decay.h"
#include "core/model/feature.h"
#include "support/plan_fixture.h"

static const struct rf_feature weekly = {
    .kind = RF_FEATURE_DECAY, .shape = RF_STATE_VALUE, .half_life = 7 * RF_DAY_MS};

START_TEST(a_weight_halves_with_every_half_life)
{
    struct rf_feature_state state = {0};

    ck_assert_double_eq(rf_decay_value(&weekly, &state, 0), 0.0);
    rf_decay_add(&weekly, &state, 1000, 8.0);

    ck_assert_double_eq(rf_decay_value(&weekly, &state, 1000), 8.0);
    ck_assert_double_eq(rf_decay_value(&weekly, &state, 1000 + 7 * RF_DAY_MS), 4.0);
    ck_assert_double_eq(rf_decay_value(&weekly, &state, 1000 + 21 * RF_DAY_MS), 1.0);
    ck_assert_double_eq_tol(rf_decay_value(&weekly, &state, 1000 + 3 * RF_DAY_MS + RF_DAY_MS / 2),
                            8.0 * 0.70710678118654752440, 1e-15 * 8.0);
}
END_TEST

START_TEST(a_late_event_weighs_what_it_would_have_weighed_in_time)
{
    struct rf_feature_state in_order = {0}, late = {0};

    rf_decay_add(&weekly, &in_order, 0, 2.0);
    rf_decay_add(&weekly, &in_order, 7 * RF_DAY_MS, 1.0);
    rf_decay_add(&weekly, &late, 7 * RF_DAY_MS, 1.0);
    rf_decay_add(&weekly, &late, 0, 2.0);

    ck_assert_double_eq(rf_decay_value(&weekly, &in_order, 7 * RF_DAY_MS), 2.0);
    ck_assert_double_eq(rf_decay_value(&weekly, &late, 7 * RF_DAY_MS), 2.0);
    ck_assert_int_eq(late.at, 7 * RF_DAY_MS);
}
END_TEST

START_TEST(after_a_thousand_half_lives_it_is_nothing_and_still_a_number)
{
    struct rf_feature_state state = {0};

    rf_decay_add(&weekly, &state, RF_MS_MIN, 1e300);
    ck_assert_double_eq(rf_decay_value(&weekly, &state, RF_MS_MAX), 0.0);
    rf_decay_add(&weekly, &state, RF_MS_MAX, 1.0);

    ck_assert_double_eq(rf_decay_value(&weekly, &state, RF_MS_MAX), 1.0);
}
END_TEST

START_TEST(any_order_gives_the_same_sum_to_the_last_bits)
{
    uint64_t seed = 7;

    for (int round = 0; round < 200; round++) {
        struct rf_feature_state a = {0}, b = {0};
        rf_ms times[30];
        for (int i = 0; i < 30; i++)
            times[i] = (rf_ms)fixture_random_below(&seed, 60 * RF_DAY_MS);
        for (int i = 0; i < 30; i++)
            rf_decay_add(&weekly, &a, times[i], 1.0 + i);
        for (int i = 29; i >= 0; i--)
            rf_decay_add(&weekly, &b, times[i], 1.0 + i);

        double value = rf_decay_value(&weekly, &a, 60 * RF_DAY_MS);

        ck_assert_double_eq_tol(rf_decay_value(&weekly, &b, 60 * RF_DAY_MS), value, 1e-13 * value);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine/decay");
    TCase *tcase = tcase_create("decay");
    tcase_add_test(tcase, a_weight_halves_with_every_half_life);
    tcase_add_test(tcase, a_late_event_weighs_what_it_would_have_weighed_in_time);
    tcase_add_test(tcase, after_a_thousand_half_lives_it_is_nothing_and_still_a_number);
    tcase_add_test(tcase, any_order_gives_the_same_sum_to_the_last_bits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
