/* core/task/transaction: what may follow what. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "core/task/transaction.h"

static struct rf_transaction transaction;

static void setup(void)
{
    rf_transaction_init(&transaction);
}

/* Feeds inputs and checks the action that each one asks for. */
static void expect(enum rf_transaction_input input, enum rf_transaction_action action)
{
    ck_assert_int_eq(rf_transaction_step(&transaction, input), action);
}

static void open_transaction(void)
{
    expect(RF_INPUT_EVENT, RF_ACTION_BEGIN);
    expect(RF_INPUT_OK, RF_ACTION_NONE);
}

START_TEST(the_good_case_goes_begin_produce_send_commit_apply)
{
    open_transaction();

    expect(RF_INPUT_EVENT, RF_ACTION_NONE);
    expect(RF_INPUT_DUE, RF_ACTION_PRODUCE);
    expect(RF_INPUT_OK, RF_ACTION_SEND_OFFSETS);
    expect(RF_INPUT_OK, RF_ACTION_COMMIT);
    expect(RF_INPUT_OK, RF_ACTION_APPLY);
    expect(RF_INPUT_OK, RF_ACTION_NONE);

    ck_assert_int_eq(transaction.state, RF_TRANSACTION_IDLE);
    ck_assert_uint_eq(transaction.committed_count, 1);
}
END_TEST

START_TEST(invariant_1_an_unknown_commit_never_reaches_the_store)
{
    open_transaction();
    expect(RF_INPUT_DUE, RF_ACTION_PRODUCE);
    expect(RF_INPUT_OK, RF_ACTION_SEND_OFFSETS);
    expect(RF_INPUT_OK, RF_ACTION_COMMIT);

    expect(RF_INPUT_UNKNOWN, RF_ACTION_FIND_OUT);
    expect(RF_INPUT_RETRY, RF_ACTION_FIND_OUT);
    if (_i == 0) {
        expect(RF_INPUT_WAS_ABORTED, RF_ACTION_NONE);
        ck_assert_uint_eq(transaction.committed_count, 0);
    } else {
        expect(RF_INPUT_ELSEWHERE, RF_ACTION_GIVE_UP);
        ck_assert_uint_eq(transaction.lost_count, 1);
    }
}
END_TEST

START_TEST(a_retry_repeats_the_same_action)
{
    open_transaction();
    expect(RF_INPUT_DUE, RF_ACTION_PRODUCE);
    expect(RF_INPUT_RETRY, RF_ACTION_PRODUCE);
    expect(RF_INPUT_OK, RF_ACTION_SEND_OFFSETS);
    expect(RF_INPUT_RETRY, RF_ACTION_SEND_OFFSETS);
    expect(RF_INPUT_OK, RF_ACTION_COMMIT);
    expect(RF_INPUT_RETRY, RF_ACTION_COMMIT);

    ck_assert_int_eq(transaction.state, RF_TRANSACTION_COMMITTING);
}
END_TEST

START_TEST(an_abortable_failure_aborts_wherever_it_comes)
{
    open_transaction();
    if (_i > 0)
        expect(RF_INPUT_DUE, RF_ACTION_PRODUCE);
    if (_i > 1)
        expect(RF_INPUT_OK, RF_ACTION_SEND_OFFSETS);
    if (_i > 2)
        expect(RF_INPUT_OK, RF_ACTION_COMMIT);

    expect(RF_INPUT_ABORTABLE, RF_ACTION_ABORT);
    expect(RF_INPUT_OK, RF_ACTION_NONE);

    ck_assert_int_eq(transaction.state, RF_TRANSACTION_IDLE);
    ck_assert_uint_eq(transaction.aborted_count, 1);
}
END_TEST

START_TEST(an_abort_that_fails_is_found_out_about)
{
    open_transaction();
    expect(RF_INPUT_ABORTABLE, RF_ACTION_ABORT);
    expect(RF_INPUT_UNKNOWN, RF_ACTION_FIND_OUT);
    expect(RF_INPUT_WAS_ABORTED, RF_ACTION_NONE);
}
END_TEST

START_TEST(partitions_that_were_lost_are_given_up_without_a_commit)
{
    open_transaction();
    expect(RF_INPUT_REVOKED, RF_ACTION_GIVE_UP);
    expect(RF_INPUT_OK, RF_ACTION_NONE);
    ck_assert_uint_eq(transaction.committed_count, 0);
}
END_TEST

START_TEST(an_input_that_cannot_come_is_a_mistake_of_ours)
{
    rf_transaction_step(&transaction, RF_INPUT_WAS_ABORTED);
}
END_TEST

/* From any state, whatever inputs are possible lead to APPLY only by a known commit, and always back to IDLE. */
START_TEST(every_state_has_a_name)
{
    for (int i = 0; i < RF_TRANSACTION_STATE_COUNT; i++)
        ck_assert_ptr_nonnull(rf_transaction_state_name((enum rf_transaction_state)i));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/transaction");
    TCase *tcase = tcase_create("transaction");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, the_good_case_goes_begin_produce_send_commit_apply);
    tcase_add_loop_test(tcase, invariant_1_an_unknown_commit_never_reaches_the_store, 0, 2);
    tcase_add_test(tcase, a_retry_repeats_the_same_action);
    tcase_add_loop_test(tcase, an_abortable_failure_aborts_wherever_it_comes, 0, 4);
    tcase_add_test(tcase, an_abort_that_fails_is_found_out_about);
    tcase_add_test(tcase, partitions_that_were_lost_are_given_up_without_a_commit);
    tcase_add_test_raise_signal(tcase, an_input_that_cannot_come_is_a_mistake_of_ours, SIGABRT);
    tcase_add_test(tcase, every_state_has_a_name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
