/* edge/sys/signal: what the operator asks for is counted once, and wakes whoever waits. */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "edge/sys/clock.h"
#include "edge/sys/signal.h"

static void catch_signals(void)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_signals_catch(&err), "%s", err.message);
}

START_TEST(a_second_term_is_told_from_the_first)
{
    catch_signals();
    ck_assert_int_eq(rf_signals_stop_count(), 0);

    raise(SIGTERM);
    ck_assert_int_eq(rf_signals_stop_count(), 1);
    raise(SIGINT);
    ck_assert_int_eq(rf_signals_stop_count(), 2);

    ck_assert(!rf_signals_take_reload());
    rf_signals_release();
}
END_TEST

START_TEST(several_hups_are_one_reload)
{
    catch_signals();

    raise(SIGHUP);
    raise(SIGHUP);

    ck_assert(rf_signals_take_reload());
    ck_assert(!rf_signals_take_reload());
    ck_assert_int_eq(rf_signals_stop_count(), 0);
    rf_signals_release();
}
END_TEST

START_TEST(a_wait_ends_with_the_signal_or_with_the_time)
{
    catch_signals();
    struct pollfd wanted = {.fd = rf_signals_fd(), .events = POLLIN};

    rf_ns before = rf_clock_monotonic_ns();
    ck_assert(!rf_signals_wait(20));
    ck_assert_int_ge(rf_clock_monotonic_ns() - before, 20 * 660000);
    raise(SIGTERM);
    raise(SIGHUP);
    ck_assert_int_eq(poll(&wanted, 1, 0), 1);
    before = rf_clock_monotonic_ns();
    ck_assert(rf_signals_wait(10000));
    ck_assert_int_lt(rf_clock_monotonic_ns() - before, INT64_C(5000000000));
    ck_assert(!rf_signals_wait(0)); /* both were taken at once */
    rf_signals_release();
}
END_TEST

START_TEST(many_signals_do_not_block_in_a_full_pipe)
{
    catch_signals();

    for (int i = 0; i < 66000; i++)
        raise(SIGTERM);

    ck_assert_int_eq(rf_signals_stop_count(), 66000);
    ck_assert(rf_signals_wait(0));
    rf_signals_release();
}
END_TEST

START_TEST(writing_where_nobody_reads_is_an_error_and_no_death)
{
    int ends[2];
    catch_signals();
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);

    ck_assert_int_eq(write(ends[1], "x", 1), -1);

    ck_assert_int_eq(rf_signals_stop_count(), 0);
    close(ends[1]);
    rf_signals_release();
}
END_TEST

START_TEST(after_the_release_a_term_kills_again)
{
    catch_signals();
    raise(SIGTERM);
    rf_signals_release();

    raise(SIGTERM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/signal");
    TCase *tcase = tcase_create("signal");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_second_term_is_told_from_the_first);
    tcase_add_test(tcase, several_hups_are_one_reload);
    tcase_add_test(tcase, a_wait_ends_with_the_signal_or_with_the_time);
    tcase_add_test(tcase, many_signals_do_not_block_in_a_full_pipe);
    tcase_add_test(tcase, writing_where_nobody_reads_is_an_error_and_no_death);
    tcase_add_test_raise_signal(tcase, after_the_release_a_term_kills_again, SIGTERM);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
