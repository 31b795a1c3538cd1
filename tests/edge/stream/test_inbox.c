/* edge/stream/inbox: a question waits for every worker, no longer than it may, and leaves nothing behind. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "edge/stream/worker.h"

#define WORKERS 2

static struct rf_worker_shared shared; /* without partitions: no worker knows anybody */
static struct rf_worker workers[WORKERS];
static bool ended[WORKERS];
static atomic_bool stop;

static void setup(void)
{
    rf_inbox_init(&shared.inbox);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = (struct rf_worker){.shared = &shared, .index = i};
    memset(ended, 0, sizeof ended);
    atomic_store(&stop, false);
}

static void teardown(void)
{
    rf_inbox_deinit(&shared.inbox);
}

static struct rf_inquiry *ask(rf_span_ms timeout)
{
    return rf_inbox_ask(&shared.inbox, rf_bytes_of_text("alice"), ended, WORKERS, timeout);
}

static void answer_until_stopped(void *worker)
{
    while (!atomic_load(&stop)) {
        rf_inbox_answer(worker);
        rf_clock_sleep_ms(1);
    }
}

static void ask_often(void *count)
{
    for (int i = 0; i < *(int *)count; i++) {
        struct rf_inquiry *inquiry =
            ask(i % 3 == 0 ? 0 : 2000); /* 0: gone before anybody answers */

        ck_assert_ptr_nonnull(inquiry);
        rf_inbox_leave(&shared.inbox, inquiry);
    }
}

START_TEST(a_worker_that_does_not_come_is_waited_for_no_longer_than_asked)
{
    rf_ns began = rf_clock_monotonic_ns();

    struct rf_inquiry *inquiry = ask(50);

    ck_assert_ptr_nonnull(inquiry);
    ck_assert_int_ge(rf_clock_monotonic_ns() - began, 50 * 1000000);
    ck_assert(!rf_inbox_has(&shared.inbox, inquiry, 0));
    rf_inbox_leave(&shared.inbox, inquiry);
    rf_inbox_answer(&workers[0]); /* nothing is left to be answered */
    ck_assert_uint_eq(workers[0].meter.questions, 0);
}
END_TEST

START_TEST(a_worker_that_has_ended_is_not_waited_for)
{
    rf_ns began = rf_clock_monotonic_ns();
    ended[0] = true;
    ended[1] = true;

    struct rf_inquiry *inquiry = ask(20000);

    ck_assert_ptr_nonnull(inquiry);
    ck_assert_int_lt(rf_clock_monotonic_ns() - began, INT64_C(10000000000));
    ck_assert(rf_inbox_has(&shared.inbox, inquiry, 1));
    ck_assert_ptr_null(inquiry->parts[1].customer);
    rf_inbox_leave(&shared.inbox, inquiry);
}
END_TEST

/* Under TSan and ASan this is also the test of who writes and who frees. */
START_TEST(every_worker_answers_every_asker_once)
{
    enum {
        ASKERS = 8
    };
    struct rf_thread threads[WORKERS];
    struct rf_thread askers[ASKERS];
    struct rf_error err = {0};
    int count = 60;
    struct rf_inquiry *last = NULL;

    for (int i = 0; i < WORKERS; i++)
        ck_assert(rf_thread_start(&threads[i], "worker", answer_until_stopped, &workers[i], &err));
    for (int i = 0; i < ASKERS; i++)
        ck_assert(rf_thread_start(&askers[i], "asker", ask_often, &count, &err));
    for (int i = 0; i < ASKERS; i++)
        rf_thread_join(&askers[i]);
    last = ask(20000);
    ck_assert(rf_inbox_has(&shared.inbox, last, 0));
    ck_assert(rf_inbox_has(&shared.inbox, last, 1));
    rf_inbox_leave(&shared.inbox, last);
    atomic_store(&stop, true);
    for (int i = 0; i < WORKERS; i++) {
        rf_thread_join(&threads[i]);
        ck_assert_uint_ge(workers[i].meter.questions, ASKERS * 40 + 1);
        ck_assert_uint_le(workers[i].meter.questions, ASKERS * 60 + 1);
    }
}
END_TEST

static struct rf_inquiry *asked[RF_INBOX_MAX];

static void ask_and_stay(void *place)
{
    *(struct rf_inquiry **)place = ask(1000);
}

START_TEST(one_too_many_is_refused_at_once)
{
    struct rf_thread threads[RF_INBOX_MAX];
    struct rf_error err = {0};
    struct rf_inquiry *refused = NULL;

    for (size_t i = 0; i < RF_INBOX_MAX; i++)
        ck_assert(rf_thread_start(&threads[i], "asker", ask_and_stay, &asked[i], &err));
    while (atomic_load(&shared.inbox.waiting) < RF_INBOX_MAX)
        rf_clock_sleep_ms(1);

    refused = ask(20000);

    ck_assert_ptr_null(refused);
    for (size_t i = 0; i < RF_INBOX_MAX; i++) {
        rf_thread_join(&threads[i]);
        ck_assert_ptr_nonnull(asked[i]);
        rf_inbox_leave(&shared.inbox, asked[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/stream/inbox");
    TCase *tcase = tcase_create("inbox");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_worker_that_does_not_come_is_waited_for_no_longer_than_asked);
    tcase_add_test(tcase, a_worker_that_has_ended_is_not_waited_for);
    tcase_add_test(tcase, every_worker_answers_every_asker_once);
    tcase_add_test(tcase, one_too_many_is_refused_at_once);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
