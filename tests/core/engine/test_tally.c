/* core/engine/tally: what happens beyond the limits, and how far a quantile is off. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/quantile.h"
#include "core/engine/tally.h"
#include "core/model/feature.h"
#include "support/plan_fixture.h"

#define NOW INT64_C(1700000000000)

static struct rf_arena arena;
static struct rf_feature_state state;
static struct rf_feature feature;
static size_t dropped;

static void setup(void)
{
    rf_arena_init(&arena, 64U << 10);
    state = (struct rf_feature_state){0};
    dropped = 0;
    feature = (struct rf_feature){.kind = RF_FEATURE_TOP,
                                  .shape = RF_STATE_TALLY,
                                  .key_type = &rf_type_int,
                                  .state_type = &rf_type_int};
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

static void add(int64_t key, rf_ms time)
{
    union rf_number one = {.integer = 1};

    if (feature.state_type->kind == RF_TYPE_DOUBLE)
        one.number = 1.0;
    rf_tally_add(&feature, &state, rf_value_int(key), one, time, NOW, &arena, &dropped);
}

static struct rf_value value(void)
{
    return rf_tally_value(&feature, &state, NOW, &arena);
}

static int64_t count_of(int64_t key)
{
    for (uint32_t i = 0; i < state.count; i++) {
        if (state.tallies[i].key.as.integer == key)
            return state.tallies[i].state.value.as.integer;
    }
    return 0;
}

START_TEST(of_values_that_are_as_frequent_the_least_is_the_top)
{
    add(7, NOW);
    add(3, NOW);
    add(5, NOW);
    ck_assert_int_eq(value().as.integer, 3);

    add(5, NOW);

    ck_assert_int_eq(value().as.integer, 5);
}
END_TEST

/* Space-saving: no count too low, none too high by more than the 64th part of all, nothing frequent missed. */
START_TEST(beyond_the_limit_what_is_frequent_is_still_found)
{
    uint64_t seed = (uint64_t)_i + 1;
    int64_t exact[1000] = {0};
    int64_t total = 20000;

    for (int64_t i = 0; i < total; i++) {
        bool frequent = fixture_random_below(&seed, 10) < 4;
        int64_t key = frequent ? (int64_t)fixture_random_below(&seed, 4)
                               : 4 + (int64_t)fixture_random_below(&seed, 996);

        exact[key]++;
        add(key, NOW);
    }

    ck_assert_uint_eq(state.count, RF_TALLY_VALUES);
    int64_t most = 0;
    for (int64_t key = 0; key < 1000; key++) {
        if (exact[key] > total / RF_TALLY_VALUES)
            ck_assert_int_gt(count_of(key), 0);
        if (count_of(key) > 0) {
            ck_assert_int_ge(count_of(key), exact[key]);
            ck_assert_int_le(count_of(key), exact[key] + total / RF_TALLY_VALUES);
        }
        most = exact[key] > exact[most] ? key : most;
    }
    ck_assert_int_ge(exact[value().as.integer], exact[most] - total / RF_TALLY_VALUES);
}
END_TEST

START_TEST(a_count_by_value_is_never_too_high)
{
    uint64_t seed = (uint64_t)_i + 77;
    int64_t exact[300] = {0};
    feature.kind = RF_FEATURE_COUNT_BY;

    for (int i = 0; i < 5000; i++) {
        int64_t key = (int64_t)fixture_random_below(&seed, 300);

        exact[key]++;
        add(key, NOW);
    }

    ck_assert_uint_eq(value().as.map->count, RF_TALLY_VALUES);
    for (size_t i = 0; i < value().as.map->count; i++)
        ck_assert_int_le(value().as.map->values[i].as.integer,
                         exact[value().as.map->keys[i].as.integer]);
}
END_TEST

/* ---- as many as the feature says ------------------------------------------------------------------- */

START_TEST(up_to_the_number_of_values_all_is_exact)
{
    feature.values_max = RF_TALLY_VALUES_MAX;
    for (int64_t key = 0; key < RF_TALLY_VALUES_MAX; key++)
        add(key * 7919 % RF_TALLY_VALUES_MAX, NOW);

    feature.kind = RF_FEATURE_ENTROPY;
    ck_assert_double_eq_tol(value().as.number, 10.0, 1e-12);
    feature.kind = RF_FEATURE_COUNT_BY;
    ck_assert_uint_eq(value().as.map->count, RF_TALLY_VALUES_MAX);
    ck_assert_uint_eq(dropped, 0);

    add(-1, NOW);
    add(-1, NOW);

    ck_assert_uint_eq(value().as.map->count, RF_TALLY_VALUES_MAX);
    ck_assert_uint_eq(dropped, 1);
}
END_TEST

static double entropy_of_counts(const int64_t *counts, size_t count, int64_t total)
{
    double entropy = 0.0;

    for (size_t i = 0; i < count; i++) {
        double share = (double)counts[i] / (double)total;

        entropy -= counts[i] > 0 ? share * log2(share) : 0.0;
    }
    return entropy;
}

/* The k-th of them is the more rare the greater the exponent; 0: all are as frequent. */
static int64_t random_key(uint64_t *seed, int64_t count, double exponent)
{
    double place = (double)fixture_random_below(seed, 1U << 30) / (double)(1U << 30);

    return (int64_t)((double)count * pow(place, 1.0 + 3.0 * exponent));
}

/* Whatever the values: recounted, it is never too high, and no lower than tally.h says. */
START_TEST(beyond_it_an_entropy_is_off_by_no_more_than_is_said)
{
    static int64_t exact[2000];
    uint64_t seed = (uint64_t)_i + 1;
    int64_t keys = 1 + (int64_t)fixture_random_below(&seed, 2000);
    int64_t total = 1 + (int64_t)fixture_random_below(&seed, 4000);
    double exponent = (double)fixture_random_below(&seed, 3) / 2.0;
    bool halves = _i % 4 == 0;

    memset(exact, 0, sizeof exact);
    feature.kind = RF_FEATURE_ENTROPY;
    feature.values_max = 1 + (uint32_t)fixture_random_below(&seed, 300);
    if (halves) { /* of events at one instant: weights are numbers */
        feature.half_life = 1000;
        feature.state_type = &rf_type_double;
    }
    for (int64_t i = 0; i < total; i++) {
        int64_t key = _i % 5 == 0 ? i % keys : random_key(&seed, keys, exponent);

        exact[key]++;
        add(key, NOW);
    }

    double entropy = entropy_of_counts(exact, 2000, total);
    double bound = log2((double)total / feature.values_max) + 1.0;
    double error = entropy - value().as.number;
    int64_t different = 0;
    for (size_t i = 0; i < 2000; i++)
        different += exact[i] > 0;
    if (different <= (int64_t)feature.values_max) {
        ck_assert_double_eq_tol(error, 0.0, 1e-9);
        ck_assert_uint_eq(dropped, 0);
        return;
    }
    ck_assert_uint_ge(dropped, (uint64_t)different - feature.values_max);
    ck_assert_double_ge(error, -1e-9);
    ck_assert_double_le(error, bound);
}
END_TEST

/* Of weights that halve as well: late and early ones. */
START_TEST(an_entropy_of_weights_that_halve_is_never_too_high)
{
    double exact[100] = {0};
    double total = 0.0;
    double entropy = 0.0;
    uint64_t seed = (uint64_t)_i + 500;
    feature.kind = RF_FEATURE_ENTROPY;
    feature.values_max = 1 + (uint32_t)fixture_random_below(&seed, 30);
    feature.half_life = 1000;
    feature.state_type = &rf_type_double;

    for (int64_t i = 0; i < 600; i++) {
        int64_t key = random_key(&seed, 100, 0.5);
        rf_ms back = (rf_ms)fixture_random_below(&seed, 5000);

        exact[key] += exp2(-(double)back / 1000.0);
        total += exp2(-(double)back / 1000.0);
        add(key, NOW - back);
    }

    for (size_t i = 0; i < 100; i++)
        entropy -= exact[i] > 0.0 ? exact[i] / total * log2(exact[i] / total) : 0.0;
    ck_assert_double_le(value().as.number, entropy + 1e-9);
}
END_TEST

START_TEST(in_a_window_the_value_seen_least_recently_gives_way)
{
    feature.kind = RF_FEATURE_COUNT_BY;
    feature.window = 1000;
    feature.bucket = 10;
    for (int64_t key = 0; key < RF_TALLY_VALUES; key++)
        add(key, NOW - 700 + 10 * (key == 20 ? 0 : key + 1));
    ck_assert_uint_eq(value().as.map->count, RF_TALLY_VALUES);

    add(1000, NOW - 800); /* older than all of them */
    ck_assert_uint_eq(dropped, 1);
    ck_assert_int_eq(value().as.map->keys[RF_TALLY_VALUES - 1].as.integer, 63);
    add(1000, NOW);

    ck_assert_uint_eq(value().as.map->count, RF_TALLY_VALUES);
    ck_assert_int_eq(value().as.map->keys[20].as.integer, 21);
    ck_assert_int_eq(value().as.map->keys[RF_TALLY_VALUES - 1].as.integer, 1000);
    ck_assert_int_eq(value().as.map->values[RF_TALLY_VALUES - 1].as.integer, 1);
}
END_TEST

START_TEST(a_value_that_has_left_the_window_makes_room)
{
    feature.kind = RF_FEATURE_COUNT_BY;
    feature.window = 1000;
    feature.bucket = 10;
    union rf_number one = {.integer = 1};
    for (int64_t key = 0; key < RF_TALLY_VALUES; key++)
        rf_tally_add(&feature, &state, rf_value_int(key), one, NOW - 2000, NOW - 2000, &arena,
                     &dropped);

    add(1000, NOW);

    ck_assert_uint_eq(state.count, 1);
    ck_assert_uint_eq(dropped, 0);
    ck_assert_uint_eq(value().as.map->count, 1);
}
END_TEST

START_TEST(with_a_half_life_the_lightest_gives_way_and_its_weight_is_inherited)
{
    feature.half_life = 1000;
    feature.state_type = &rf_type_double;
    for (int64_t key = 0; key < RF_TALLY_VALUES; key++)
        add(key, key == 9 ? NOW - 1000 : NOW);

    add(1000, NOW);

    ck_assert_uint_eq(state.count, RF_TALLY_VALUES);
    ck_assert_int_eq(state.tallies[9].key.as.integer, 10);
    ck_assert_double_eq(state.tallies[RF_TALLY_VALUES - 1].state.value.as.number, 1.5);
    ck_assert_int_eq(value().as.integer, 1000);
}
END_TEST

/* ---- quantiles ------------------------------------------------------------------------------------ */

START_TEST(a_bin_is_within_one_percent_of_every_value_in_it)
{
    uint64_t seed = 5;

    for (int i = 0; i < 200000; i++) {
        double size = exp2((double)fixture_random_below(&seed, 2000) / 1000.0 *
                               (double)fixture_random_below(&seed, 1000) / 2.0 -
                           29.0);
        double number = fixture_random_below(&seed, 2) == 0 ? size : -size;

        if (!isfinite(number) || size < RF_QUANTILE_LEAST)
            continue;
        ck_assert_double_le(fabs(rf_quantile_number(rf_quantile_bin(number)) / number - 1.0),
                            0.01 + 1e-9);
    }
    ck_assert_double_eq(rf_quantile_number(rf_quantile_bin(0.0)), 0.0);
    ck_assert_double_eq(rf_quantile_number(rf_quantile_bin(-1e-10)), 0.0);
    ck_assert_double_le(rf_quantile_number(rf_quantile_bin(1.7e308)), 1.79e308);
    ck_assert_int_lt(rf_quantile_bin(-2.0), rf_quantile_bin(-1.0));
    ck_assert_int_lt(rf_quantile_bin(-RF_QUANTILE_LEAST), 0);
    ck_assert_int_lt(0, rf_quantile_bin(RF_QUANTILE_LEAST));
    ck_assert_int_lt(rf_quantile_bin(1.0), rf_quantile_bin(2.0));
}
END_TEST

/* Bins are stored: these may never change. */
START_TEST(bins_are_for_ever)
{
    ck_assert_int_eq(rf_quantile_bin(1.0), 1037);
    ck_assert_int_eq(rf_quantile_bin(100.0), 1268);
    ck_assert_int_eq(rf_quantile_bin(-0.001), -692);
    ck_assert_int_eq(rf_quantile_bin(1e9), 2074);
}
END_TEST

/* Values over more than RF_TALLY_BINS_MAX bins: the low ones become one, whatever the order, and a high quantile
 * is as good as ever. */
START_TEST(too_many_bins_cost_the_lowest_and_no_others)
{
    uint64_t seed = (uint64_t)_i + 9;
    double numbers[3000];
    struct rf_feature_state first = {0};
    feature.kind = RF_FEATURE_QUANTILE;
    feature.q = 0.9;
    for (int i = 0; i < 3000; i++)
        numbers[i] = exp2((double)i / 100.0);

    for (int turn = 0; turn < 2; turn++) {
        state = (struct rf_feature_state){0};
        for (size_t i = 2999; i > 0; i--) {
            size_t j = fixture_random_below(&seed, i + 1);
            double swap = numbers[i];
            numbers[i] = numbers[j];
            numbers[j] = swap;
        }
        for (int i = 0; i < 3000; i++)
            add(rf_quantile_bin(numbers[i]), NOW);
        ck_assert_uint_eq(state.count, RF_TALLY_BINS_MAX);
        ck_assert_double_eq_tol(value().as.number / exp2(2699 / 100.0), 1.0, 0.011);
        first = turn == 0 ? state : first;
    }

    for (uint32_t i = 0; i < RF_TALLY_BINS_MAX; i++) {
        ck_assert_int_eq(first.tallies[i].key.as.integer, state.tallies[i].key.as.integer);
        ck_assert_int_eq(first.tallies[i].state.value.as.integer,
                         state.tallies[i].state.value.as.integer);
    }
}
END_TEST

START_TEST(bins_merge_in_a_window_and_with_a_half_life_as_well)
{
    feature.kind = RF_FEATURE_QUANTILE;
    feature.q = 0.0;
    feature.window = _i == 0 ? 1000 : 0;
    feature.bucket = 10;
    feature.half_life = _i == 1 ? 1000 : 0;
    feature.state_type = _i == 1 ? &rf_type_double : &rf_type_int;

    for (int64_t bin = 1; bin <= RF_TALLY_BINS_MAX + 10; bin++)
        add(bin, NOW - bin % 50);

    ck_assert_uint_eq(state.count, RF_TALLY_BINS_MAX);
    ck_assert_int_eq(state.tallies[0].key.as.integer, 11);
    ck_assert_double_eq(value().as.number, rf_quantile_number(11));
    double most = 0;
    for (uint32_t i = 0; i < state.tallies[0].state.count; i++)
        most += (double)state.tallies[0].state.buckets[i].as.integer;
    if (_i == 0)
        ck_assert_double_eq(most, 11);
    else
        ck_assert_double_gt(state.tallies[0].state.value.as.number, 10.5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine/tally");
    TCase *tcase = tcase_create("tally");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, of_values_that_are_as_frequent_the_least_is_the_top);
    tcase_add_loop_test(tcase, beyond_the_limit_what_is_frequent_is_still_found, 0, 10);
    tcase_add_loop_test(tcase, a_count_by_value_is_never_too_high, 0, 10);
    tcase_add_test(tcase, up_to_the_number_of_values_all_is_exact);
    tcase_add_loop_test(tcase, beyond_it_an_entropy_is_off_by_no_more_than_is_said, 0, 400);
    tcase_add_loop_test(tcase, an_entropy_of_weights_that_halve_is_never_too_high, 0, 60);
    tcase_add_test(tcase, in_a_window_the_value_seen_least_recently_gives_way);
    tcase_add_test(tcase, a_value_that_has_left_the_window_makes_room);
    tcase_add_test(tcase, with_a_half_life_the_lightest_gives_way_and_its_weight_is_inherited);
    tcase_add_test(tcase, a_bin_is_within_one_percent_of_every_value_in_it);
    tcase_add_test(tcase, bins_are_for_ever);
    tcase_add_loop_test(tcase, too_many_bins_cost_the_lowest_and_no_others, 0, 5);
    tcase_add_loop_test(tcase, bins_merge_in_a_window_and_with_a_half_life_as_well, 0, 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
