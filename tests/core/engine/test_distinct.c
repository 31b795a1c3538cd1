/* core/engine/distinct and sketch: exact while small, within the stated error beyond, bounded always. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/engine/distinct.h"
#include "core/engine/sketch.h"
#include "core/model/feature.h"
#include "support/plan_fixture.h"

static struct rf_arena arena;
static const struct rf_feature ever = {.kind = RF_FEATURE_COUNT_DISTINCT,
                                       .shape = RF_STATE_DISTINCT};
static const struct rf_feature windowed = {
    .kind = RF_FEATURE_COUNT_DISTINCT, .shape = RF_STATE_DISTINCT, .window = 1000};

static void setup(void)
{
    rf_arena_init(&arena, 64U << 10);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

static uint64_t hash_of(struct rf_value value)
{
    uint64_t hash = 0;

    ck_assert(rf_distinct_hash(value, &hash));
    return hash;
}

static uint64_t hash_of_number(int64_t number)
{
    return hash_of(rf_value_int(number));
}

START_TEST(numbers_that_are_equal_are_one_value_and_others_are_not)
{
    ck_assert(hash_of(rf_value_int(1)) == hash_of(rf_value_uint(1)));
    ck_assert(hash_of(rf_value_int(-3)) == hash_of(rf_value_double(-3.0)));
    ck_assert(hash_of(rf_value_double(0.0)) == hash_of(rf_value_double(-0.0)));
    ck_assert(hash_of(rf_value_uint(UINT64_C(1) << 63)) == hash_of(rf_value_double(0x1p63)));
    ck_assert(hash_of(rf_value_double((double)NAN)) == hash_of(rf_value_double(-(double)NAN)));
    ck_assert(hash_of(rf_value_uint(UINT64_MAX)) != hash_of(rf_value_int(-1)));
    ck_assert(hash_of(rf_value_string(rf_bytes_of_text("a"))) !=
              hash_of(rf_value_bytes(rf_bytes_of_text("a"))));
    ck_assert(hash_of(rf_value_int(1)) != hash_of(rf_value_bool(true)));
    ck_assert(hash_of(rf_value_timestamp(5, 0)) != hash_of(rf_value_duration(5, 0)));
    ck_assert(hash_of(rf_value_timestamp(5, 1)) != hash_of(rf_value_timestamp(5, 0)));
    uint64_t hash = 0;
    ck_assert(!rf_distinct_hash(rf_value_null(), &hash));
}
END_TEST

START_TEST(up_to_its_limit_the_count_is_exact)
{
    struct rf_feature_state state = {0};

    for (int64_t i = 0; i < RF_DISTINCT_EXACT_MAX; i++) {
        ck_assert(rf_distinct_add(&ever, &state, hash_of_number(i), i, i, &arena));
        ck_assert(!rf_distinct_add(&ever, &state, hash_of_number(i / 2), i, i, &arena));

        ck_assert_int_eq(rf_distinct_count(&ever, &state, i), i + 1);
    }
    ck_assert_ptr_null(state.sketch);
    for (uint32_t i = 1; i < state.count; i++)
        ck_assert_uint_lt(state.distinct[i - 1].hash, state.distinct[i].hash);
}
END_TEST

/* The estimate's standard error over many sets must be what the header says: 1.04 / sqrt(m) = 3.25 %. With
 * 100 sets the measured deviation is itself within 7 % of the truth, one standard deviation; 30 % is four. */
START_TEST(beyond_the_limit_the_error_is_the_stated_one)
{
    static const int64_t sizes[] = {513, 700, 1000, 2000, 8000};
    const int64_t size = sizes[_i];
    double sum = 0, squares = 0;
    uint64_t seed = (uint64_t)size;

    for (int set = 0; set < 100; set++) {
        struct rf_feature_state state = {0};
        for (int64_t i = 0; i < size; i++)
            (void)rf_distinct_add(&ever, &state, hash_of_number((int64_t)fixture_random(&seed)), 0,
                                  0, &arena);
        ck_assert_ptr_nonnull(state.sketch);
        double error = (double)rf_distinct_count(&ever, &state, 0) / (double)size - 1.0;
        sum += error;
        squares += error * error;
        rf_arena_reset(&arena, 1U << 20);
    }

    double deviation = sqrt(squares / 100);
    ck_assert_msg(fabs(sum / 100) < 0.01, "bias %f at %ld", sum / 100, (long)size);
    ck_assert_msg(deviation < 0.0325 * 1.3, "deviation %f at %ld", deviation, (long)size);
}
END_TEST

START_TEST(a_sketch_of_nothing_counts_nothing_and_a_full_one_stays_a_number)
{
    uint8_t registers[RF_SKETCH_SIZE] = {0};

    ck_assert_int_eq(rf_sketch_estimate(registers), 0);
    ck_assert(rf_sketch_add(registers, 0));
    ck_assert(!rf_sketch_add(registers, 0));
    ck_assert_uint_eq(registers[0], RF_SKETCH_REGISTER_MAX);
    ck_assert_int_eq(rf_sketch_estimate(registers), 1);
    for (size_t i = 0; i < RF_SKETCH_SIZE; i++)
        registers[i] = RF_SKETCH_REGISTER_MAX;
    ck_assert_int_ge(rf_sketch_estimate(registers), INT64_C(1) << 60);
}
END_TEST

START_TEST(in_a_window_a_value_counts_while_its_latest_event_is_inside)
{
    struct rf_feature_state state = {0};

    rf_distinct_add(&windowed, &state, 11, 5000, 5000, &arena);
    rf_distinct_add(&windowed, &state, 22, 5400, 5400, &arena);
    rf_distinct_add(&windowed, &state, 11, 5600, 5600, &arena);
    ck_assert(!rf_distinct_add(&windowed, &state, 11, 5100, 5600, &arena)); /* late: not later */
    ck_assert(!rf_distinct_add(&windowed, &state, 33, 4600, 5600, &arena)); /* too late */

    ck_assert_int_eq(rf_distinct_count(&windowed, &state, 5600), 2);
    ck_assert_int_eq(rf_distinct_count(&windowed, &state, 6399), 2);
    ck_assert_int_eq(rf_distinct_count(&windowed, &state, 6400), 1);
    ck_assert_int_eq(rf_distinct_count(&windowed, &state, 6599), 1);
    ck_assert_int_eq(rf_distinct_count(&windowed, &state, 6600), 0);
}
END_TEST

START_TEST(a_full_window_forgets_the_least_recent)
{
    struct rf_feature_state state = {0};
    for (int64_t i = 0; i < RF_DISTINCT_EXACT_MAX; i++)
        rf_distinct_add(&windowed, &state, hash_of_number(i), 5000 + i, 5000 + i, &arena);
    rf_ms now = 5000 + RF_DISTINCT_EXACT_MAX;

    ck_assert(!rf_distinct_add(&windowed, &state, 77, 4999, now, &arena)); /* itself the oldest */
    ck_assert(rf_distinct_add(&windowed, &state, 99, now, now, &arena));

    ck_assert_uint_eq(state.count, RF_DISTINCT_EXACT_MAX);
    for (uint32_t i = 0; i < state.count; i++)
        ck_assert_uint_ne(state.distinct[i].hash, hash_of_number(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine/distinct");
    TCase *tcase = tcase_create("distinct");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, numbers_that_are_equal_are_one_value_and_others_are_not);
    tcase_add_test(tcase, up_to_its_limit_the_count_is_exact);
    tcase_add_loop_test(tcase, beyond_the_limit_the_error_is_the_stated_one, 0, 5);
    tcase_add_test(tcase, a_sketch_of_nothing_counts_nothing_and_a_full_one_stays_a_number);
    tcase_add_test(tcase, in_a_window_a_value_counts_while_its_latest_event_is_inside);
    tcase_add_test(tcase, a_full_window_forgets_the_least_recent);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
