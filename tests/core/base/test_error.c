/* core/base/error: an error is set once, wrapped on its way up, and never longer than its room. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

START_TEST(an_error_keeps_kind_code_and_message)
{
    struct rf_error err = {0};

    bool ok = rf_error_set(&err, RF_ERROR_RETRY, -7, "reading %s: %d bytes missing", "a.sst", 3);

    ck_assert(!ok);
    ck_assert_int_eq(err.kind, RF_ERROR_RETRY);
    ck_assert_int_eq(err.origin_code, -7);
    ck_assert_str_eq(err.message, "reading a.sst: 3 bytes missing");
}
END_TEST

START_TEST(wrapping_puts_what_was_being_done_in_front)
{
    struct rf_error err = {0};
    rf_error_set(&err, RF_ERROR_STATE, 5, "bad block");

    bool ok = rf_error_wrap(&err, "restoring task %d", 2);
    rf_error_wrap(&err, "starting");

    ck_assert(!ok);
    ck_assert_str_eq(err.message, "starting: restoring task 2: bad block");
    ck_assert_int_eq(err.kind, RF_ERROR_STATE);
    ck_assert_int_eq(err.origin_code, 5);
}
END_TEST

/* Every length around the room's end: the front survives, the end is cut, the terminator is there. */
START_TEST(a_long_cause_loses_its_end)
{
    for (int size = RF_ERROR_MESSAGE_MAX - 40; size <= RF_ERROR_MESSAGE_MAX + 5; size++) {
        struct rf_error err = {0};
        rf_error_set(&err, RF_ERROR_RECORD, 0, "%*s", size, "x");
        char before[RF_ERROR_MESSAGE_MAX];
        strcpy(before, err.message);

        rf_error_wrap(&err, "prefix");

        ck_assert_uint_lt(strlen(err.message), RF_ERROR_MESSAGE_MAX);
        ck_assert(strncmp(err.message, "prefix: ", 8) == 0);
        ck_assert(strncmp(before, err.message + 8, strlen(err.message) - 8) == 0);
        ck_assert(strlen(err.message) == RF_ERROR_MESSAGE_MAX - 1 ||
                  strlen(err.message) == strlen(before) + 8);
    }
}
END_TEST

START_TEST(a_prefix_that_fills_the_room_leaves_no_room_for_the_cause)
{
    for (int size = RF_ERROR_MESSAGE_MAX - 5; size <= RF_ERROR_MESSAGE_MAX + 5; size++) {
        struct rf_error err = {0};
        rf_error_set(&err, RF_ERROR_RECORD, 0, "cause");

        rf_error_wrap(&err, "%*s", size, "x");

        ck_assert_uint_lt(strlen(err.message), RF_ERROR_MESSAGE_MAX);
        ck_assert_uint_ge(strlen(err.message), RF_ERROR_MESSAGE_MAX - 5);
    }
}
END_TEST

START_TEST(a_cleared_error_can_be_set_again)
{
    struct rf_error err = {0};
    rf_error_set(&err, RF_ERROR_ABORT, 1, "first");

    rf_error_clear(&err);

    ck_assert_int_eq(err.kind, RF_ERROR_NONE);
    ck_assert_str_eq(err.message, "");
    rf_error_set(&err, RF_ERROR_LOST, 2, "second");
    ck_assert_str_eq(err.message, "second");
}
END_TEST

START_TEST(setting_an_error_twice_asserts)
{
    struct rf_error err = {0};

    rf_error_set(&err, RF_ERROR_ABORT, 1, "first");
    rf_error_set(&err, RF_ERROR_ABORT, 1, "second");
}
END_TEST

START_TEST(setting_no_error_asserts)
{
    struct rf_error err = {0};

    rf_error_set(&err, RF_ERROR_NONE, 0, "nothing");
}
END_TEST

START_TEST(wrapping_no_error_asserts)
{
    struct rf_error err = {0};

    rf_error_wrap(&err, "nothing");
}
END_TEST

START_TEST(every_kind_has_a_name_of_its_own)
{
    for (int a = RF_ERROR_NONE; a <= RF_ERROR_STATE; a++) {
        ck_assert_str_ne(rf_error_kind_name((enum rf_error_kind)a), "unknown");
        for (int b = a + 1; b <= RF_ERROR_STATE; b++)
            ck_assert_str_ne(rf_error_kind_name((enum rf_error_kind)a),
                             rf_error_kind_name((enum rf_error_kind)b));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/base/error");
    TCase *tcase = tcase_create("error");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_error_keeps_kind_code_and_message);
    tcase_add_test(tcase, wrapping_puts_what_was_being_done_in_front);
    tcase_add_test(tcase, a_long_cause_loses_its_end);
    tcase_add_test(tcase, a_prefix_that_fills_the_room_leaves_no_room_for_the_cause);
    tcase_add_test(tcase, a_cleared_error_can_be_set_again);
    tcase_add_test_raise_signal(tcase, setting_an_error_twice_asserts, SIGABRT);
    tcase_add_test_raise_signal(tcase, setting_no_error_asserts, SIGABRT);
    tcase_add_test_raise_signal(tcase, wrapping_no_error_asserts, SIGABRT);
    tcase_add_test(tcase, every_kind_has_a_name_of_its_own);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
