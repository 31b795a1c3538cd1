/* core/task/inputs: nothing that was fed is forgotten before it is committed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/task/inputs.h"

static void push(struct rf_inputs *inputs, int64_t offset)
{
    char text[32];
    size_t size = (size_t)snprintf(text, sizeof text, "value %d", (int)offset);
    struct rf_input input = {.position = {.topic = "calls", .offset = offset},
                             .value = rf_bytes_of(text, size)};

    rf_inputs_push(inputs, &input); /* copies: `text` is gone afterwards */
}

static void check_pending(const struct rf_inputs *inputs, int64_t first, size_t count)
{
    ck_assert_uint_eq(rf_inputs_pending(inputs), count);
    for (size_t i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof text, "value %d", (int)(first + (int64_t)i));
        ck_assert_int_eq(rf_inputs_at(inputs, i)->position.offset, first + (int64_t)i);
        ck_assert(rf_bytes_equal(rf_inputs_at(inputs, i)->value, rf_bytes_of_text(text)));
    }
}

START_TEST(a_commit_drops_what_was_folded_and_keeps_the_rest)
{
    struct rf_inputs inputs;
    rf_inputs_init(&inputs);
    for (int64_t i = 0; i < 1000; i++)
        push(&inputs, i);
    for (int i = 0; i < 400; i++)
        rf_inputs_folded(&inputs);

    rf_inputs_commit(&inputs);

    check_pending(&inputs, 400, 600);
    push(&inputs, 1000);
    check_pending(&inputs, 400, 601);
    rf_inputs_deinit(&inputs);
}
END_TEST

START_TEST(a_rewind_makes_everything_pending_again_in_order)
{
    struct rf_inputs inputs;
    rf_inputs_init(&inputs);
    for (int64_t i = 0; i < 10; i++)
        push(&inputs, i);
    for (int i = 0; i < 7; i++)
        rf_inputs_folded(&inputs);

    rf_inputs_rewind(&inputs);

    check_pending(&inputs, 0, 10);
    rf_inputs_deinit(&inputs);
}
END_TEST

static void push_of(struct rf_inputs *inputs, uint32_t source, rf_ms time)
{
    struct rf_input input = {.source = source, .broker_time = time, .value = rf_bytes_of("x", 1)};

    rf_inputs_push(inputs, &input);
}

static void check_times(const struct rf_inputs *inputs, const rf_ms *times, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(rf_inputs_at(inputs, i)->broker_time, times[i]);
}

START_TEST(sources_are_merged_by_time_and_each_keeps_its_own_order)
{
    const rf_ms times[] = {1, 2, 5, 3, 6}; /* source 0 has 5 before 3 */
    struct rf_inputs inputs;
    rf_inputs_init(&inputs);
    push_of(&inputs, 0, 1);
    push_of(&inputs, 0, 5);
    push_of(&inputs, 0, 3);
    push_of(&inputs, 1, 2);
    push_of(&inputs, 1, 6);

    size_t ready = rf_inputs_arrange(&inputs, 0);

    ck_assert_uint_eq(ready, 5);
    check_times(&inputs, times, 5);
    rf_inputs_deinit(&inputs);
}
END_TEST

START_TEST(without_times_sources_stay_as_they_came)
{
    static const uint32_t sources[] = {2, 0, 1, 0, 2, 1};
    struct rf_inputs inputs;
    rf_inputs_init(&inputs);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct rf_input input = {.source = sources[i],
                                 .position = {.topic = "file", .offset = (int64_t)i},
                                 .broker_time = RF_MS_MIN};
        rf_inputs_push(&inputs, &input);
    }

    ck_assert_uint_eq(rf_inputs_arrange(&inputs, 0), 6);

    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(rf_inputs_at(&inputs, i)->position.offset, (int64_t)i);
    rf_inputs_deinit(&inputs);
}
END_TEST

START_TEST(what_may_come_after_a_source_that_is_behind_waits_for_it)
{
    struct rf_inputs inputs;
    rf_inputs_init(&inputs);
    push_of(&inputs, 0, 1);
    push_of(&inputs, 0, 5);
    push_of(&inputs, 1, 2);

    ck_assert_uint_eq(rf_inputs_arrange(&inputs, 1 << 1),
                      2); /* 1 and 2; before 5 source 1 may have another */
    ck_assert_uint_eq(rf_inputs_arrange(&inputs, 1 << 2), 0); /* of source 2 nothing is here */
    push_of(&inputs, 1, 9);
    ck_assert_uint_eq(rf_inputs_arrange(&inputs, 1 << 1), 4);
    rf_inputs_deinit(&inputs);
}
END_TEST

START_TEST(a_null_value_stays_null_and_an_empty_one_empty)
{
    struct rf_inputs inputs;
    struct rf_input null = {.value = {NULL, 0}};
    struct rf_input empty = {.value = rf_bytes_of("", 0)};
    rf_inputs_init(&inputs);

    rf_inputs_push(&inputs, &null);
    rf_inputs_push(&inputs, &empty);

    ck_assert_ptr_null(rf_inputs_at(&inputs, 0)->value.data);
    ck_assert_ptr_nonnull(rf_inputs_at(&inputs, 1)->value.data);
    rf_inputs_deinit(&inputs);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/inputs");
    TCase *tcase = tcase_create("inputs");
    tcase_add_test(tcase, a_commit_drops_what_was_folded_and_keeps_the_rest);
    tcase_add_test(tcase, a_rewind_makes_everything_pending_again_in_order);
    tcase_add_test(tcase, sources_are_merged_by_time_and_each_keeps_its_own_order);
    tcase_add_test(tcase, without_times_sources_stay_as_they_came);
    tcase_add_test(tcase, what_may_come_after_a_source_that_is_behind_waits_for_it);
    tcase_add_test(tcase, a_null_value_stays_null_and_an_empty_one_empty);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
