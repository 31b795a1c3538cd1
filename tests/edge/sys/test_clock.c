/* edge/sys/clock: the clocks go, forwards, in the units that their names say. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "edge/sys/clock.h"

START_TEST(the_wall_clock_is_the_systems)
{
    int64_t before = time(NULL);

    rf_ms now = rf_clock_wall_ms();

    ck_assert_int_ge(now, before * 1000);
    ck_assert_int_le(now, (time(NULL) + 1) * 1000);
}
END_TEST

START_TEST(a_sleep_is_as_long_as_it_says_and_costs_no_cpu)
{
    rf_ns before = rf_clock_monotonic_ns();
    rf_ns cpu_before = rf_clock_cpu_ns();

    rf_clock_sleep_ms(30);

    rf_ns slept = rf_clock_monotonic_ns() - before;
    ck_assert_int_ge(slept, 30 * 1000000);
    ck_assert_int_lt(rf_clock_cpu_ns() - cpu_before, slept);
}
END_TEST

START_TEST(cpu_time_grows_with_work)
{
    rf_ns before = rf_clock_cpu_ns();
    volatile uint64_t sum = 0;

    for (uint64_t i = 0; i < 3000000; i++)
        sum += i;

    ck_assert_int_gt(rf_clock_cpu_ns(), before);
}
END_TEST

START_TEST(resident_memory_grows_when_it_is_written_to)
{
    const size_t size = 64U << 20;
    uint64_t before = rf_clock_resident_bytes();
    char *memory = malloc(size);
    ck_assert_ptr_nonnull(memory);

    for (size_t at = 0; at < size; at += 1024)
        ((volatile char *)memory)[at] = 1;

    ck_assert_uint_gt(before, 0);
    ck_assert_uint_ge(rf_clock_resident_bytes(), before + size / 2);
    free(memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/clock");
    TCase *tcase = tcase_create("clock");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_wall_clock_is_the_systems);
    tcase_add_test(tcase, a_sleep_is_as_long_as_it_says_and_costs_no_cpu);
    tcase_add_test(tcase, cpu_time_grows_with_work);
    tcase_add_test(tcase, resident_memory_grows_when_it_is_written_to);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
