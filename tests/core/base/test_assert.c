/* core/base/assert: an assert asserts, in every build, and says where in the input the thread was. */
#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/assert.h"

START_TEST(what_holds_does_nothing)
{
    rf_assert(1 + 1 == 2);
    rf_assert_slow(1 + 1 == 2);
}
END_TEST

START_TEST(what_does_not_hold_aborts)
{
    rf_assert(1 + 1 == 3);
}
END_TEST

START_TEST(a_slow_assert_is_for_debug_builds_alone)
{
    bool looked = false;

    rf_assert_slow((looked = true));

#ifdef RF_ASSERT_SLOW
    ck_assert(looked);
#else
    ck_assert(!looked);
#endif
}
END_TEST

/* What a child that fails an assert writes to standard error. */
static void failed_assert_output(void (*before)(void), char *output, size_t size_max)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        before();
        rf_assert(ends[0] == -1);
    }
    close(ends[1]);
    size_t size = 0;
    ssize_t taken = 0;
    while ((taken = read(ends[0], output + size, size_max - 1 - size)) > 0)
        size += (size_t)taken;
    output[size] = '\0';
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}

static void at_nothing(void)
{
    rf_assert_at("telco.calls", 3, 41);
    rf_assert_at(NULL, 0, 0);
}

static void at_an_event(void)
{
    rf_assert_at("telco.calls", 3, INT64_C(9007199254740993));
}

START_TEST(a_failed_assert_names_file_and_condition)
{
    char output[1000];

    failed_assert_output(at_nothing, output, sizeof output);

    ck_assert_ptr_nonnull(strstr(output, "test_assert.c:"));
    ck_assert_ptr_nonnull(strstr(output, "does not hold: ends[0] == -1\n"));
}
END_TEST

START_TEST(a_failed_assert_names_the_event_that_was_being_worked_on)
{
    char output[1000];

    failed_assert_output(at_an_event, output, sizeof output);

    ck_assert_ptr_nonnull(strstr(output, "(at telco.calls partition 3 offset 9007199254740993)\n"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/base/assert");
    TCase *tcase = tcase_create("assert");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_holds_does_nothing);
    tcase_add_test_raise_signal(tcase, what_does_not_hold_aborts, SIGABRT);
    tcase_add_test(tcase, a_slow_assert_is_for_debug_builds_alone);
    tcase_add_test(tcase, a_failed_assert_names_file_and_condition);
    tcase_add_test(tcase, a_failed_assert_names_the_event_that_was_being_worked_on);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
