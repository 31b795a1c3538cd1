/* edge/sys/failpoint: a place fails when, and only when, the environment names it. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/sys/clock.h"
#include "edge/sys/failpoint.h"

#ifdef RF_FAILPOINTS

/* What became of a child that reaches the places a, b, a, b, ... ten times each; 0: it came through. */
static int status_with(const char *value)
{
    int status = 0;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct rf_error err = {0};
        setenv("RINGFOLD_FAILPOINT", value, 1);
        if (!rf_failpoints_setup(&err))
            _exit(2);
        for (int i = 0; i < 10; i++) {
            rf_failpoint("a");
            rf_failpoint("b");
        }
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    if (WIFSTOPPED(status)) {
        int after = 0;
        kill(child, SIGCONT);
        waitpid(child, &after, 0);
        ck_assert(WIFEXITED(after) && WEXITSTATUS(after) == 0);
    }
    return status;
}

START_TEST(a_place_that_is_not_named_does_nothing)
{
    int status = status_with("");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = status_with("c:kill");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = status_with("a:kill:11");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(kill_exit_and_stop_do_what_they_say)
{
    int status = status_with("a:kill");
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    status = status_with("b:exit:10");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == RF_FAILPOINT_EXIT);
    status = status_with("b:stop:3");
    ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
}
END_TEST

START_TEST(sleep_sleeps_every_time_or_the_nth)
{
    rf_ns before = rf_clock_monotonic_ns();
    int status = status_with("a:sleep=5");
    ck_assert_int_ge(rf_clock_monotonic_ns() - before, 50 * 1000000);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    before = rf_clock_monotonic_ns();
    status_with("a:sleep=20:2,b:sleep=20:3");
    ck_assert_int_ge(rf_clock_monotonic_ns() - before, 40 * 1000000);
}
END_TEST

static const char *const bad[] = {
    "a",
    ":kill",
    "a:",
    "a:die",
    "a:kill:",
    "a:kill:0",
    "a:kill:x",
    "a:kill:1:2",
    "a:sleep",
    "a:sleep=",
    "a:sleep=-1",
    "a:sleep=99999999999",
    "a:kill;b:kill",
    "a:kill,b",
    "a:1:kill",
    "a:kill,a:kill,a:kill,a:kill,a:kill,a:kill,a:kill,a:kill,a:kill",
    "a-name-that-is-much-longer-than-any-place-in-the-code-would-ever-be-called:kill",
};

START_TEST(a_slip_of_the_pen_is_an_error_that_quotes_it)
{
    struct rf_error err = {0};
    setenv("RINGFOLD_FAILPOINT", bad[_i], 1);

    ck_assert_msg(!rf_failpoints_setup(&err), "%s", bad[_i]);

    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.message, "RINGFOLD_FAILPOINT"));
}
END_TEST

#else

START_TEST(asking_for_a_failpoint_that_is_not_compiled_in_is_an_error)
{
    struct rf_error err = {0};
    ck_assert(rf_failpoints_setup(&err));

    setenv("RINGFOLD_FAILPOINT", "a:kill", 1);
    rf_failpoint("a");

    ck_assert(!rf_failpoints_setup(&err));
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("edge/sys/failpoint");
    TCase *tcase = tcase_create("failpoint");
    tcase_set_timeout(tcase, 60);
#ifdef RF_FAILPOINTS
    tcase_add_test(tcase, a_place_that_is_not_named_does_nothing);
    tcase_add_test(tcase, kill_exit_and_stop_do_what_they_say);
    tcase_add_test(tcase, sleep_sleeps_every_time_or_the_nth);
    tcase_add_loop_test(tcase, a_slip_of_the_pen_is_an_error_that_quotes_it, 0,
                        (int)(sizeof bad / sizeof bad[0]));
#else
    tcase_add_test(tcase, asking_for_a_failpoint_that_is_not_compiled_in_is_an_error);
#endif
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
