/* core/engine/seen: an id is remembered for its span of event time, and no more than RF_SEEN_MAX of them. */
#include <check.h>
#include <stdlib.h>

#include "core/engine/seen.h"
#include "support/plan_fixture.h"

static struct rf_arena arena;
static struct rf_customer customer;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
    customer = (struct rf_customer){0};
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

START_TEST(an_id_is_found_until_it_is_too_old)
{
    ck_assert(rf_seen_add(&customer, 7, 1000, 500, &arena));

    ck_assert(rf_seen_find(&customer, 7, 500));
    ck_assert(rf_seen_find(&customer, 7, 1000));
    ck_assert(!rf_seen_find(&customer, 7, 1001));
    ck_assert(!rf_seen_find(&customer, 8, 500));
}
END_TEST

START_TEST(ids_are_in_the_order_of_their_time_whatever_the_order_of_arrival)
{
    static const rf_ms times[] = {30, 10, 20, 20, 40, 5};
    for (size_t i = 0; i < 6; i++)
        rf_seen_add(&customer, 100 - i, times[i], 0, &arena);

    ck_assert_uint_eq(customer.seen_count, 6);
    for (uint32_t i = 1; i < 6; i++) {
        const struct rf_seen *a = &customer.seen[i - 1], *b = &customer.seen[i];
        ck_assert(a->time < b->time || (a->time == b->time && a->hash < b->hash));
    }
}
END_TEST

START_TEST(what_is_too_old_is_dropped_and_not_taken_in)
{
    for (rf_ms time = 0; time < 100; time++)
        rf_seen_add(&customer, (uint64_t)time, time, time - 9, &arena);

    ck_assert_uint_eq(customer.seen_count, 10);
    ck_assert(rf_seen_add(&customer, 5, 5, 90, &arena));
    ck_assert_uint_eq(customer.seen_count, 10);
    ck_assert_int_eq(customer.seen[0].time, 90);
}
END_TEST

START_TEST(beyond_the_limit_the_oldest_goes_and_it_is_said)
{
    for (rf_ms time = 0; time < RF_SEEN_MAX; time++)
        ck_assert(rf_seen_add(&customer, (uint64_t)time, 1000 + time, 0, &arena));

    ck_assert(!rf_seen_add(&customer, 999999, 5000, 0, &arena));
    ck_assert(!rf_seen_add(&customer, 888888, 10, 0, &arena)); /* itself the oldest */

    ck_assert_uint_eq(customer.seen_count, RF_SEEN_MAX);
    ck_assert(!rf_seen_find(&customer, 0, 0));
    ck_assert(!rf_seen_find(&customer, 888888, 0));
    ck_assert(rf_seen_find(&customer, 1, 0));
    ck_assert(rf_seen_find(&customer, 999999, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine/seen");
    TCase *tcase = tcase_create("seen");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_id_is_found_until_it_is_too_old);
    tcase_add_test(tcase, ids_are_in_the_order_of_their_time_whatever_the_order_of_arrival);
    tcase_add_test(tcase, what_is_too_old_is_dropped_and_not_taken_in);
    tcase_add_test(tcase, beyond_the_limit_the_oldest_goes_and_it_is_said);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
