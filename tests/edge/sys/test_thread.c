/* edge/sys/thread: threads run and are waited for; a lock excludes, and asserts where it is misused. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "edge/sys/clock.h"
#include "edge/sys/thread.h"

struct shared {
    struct rf_mutex mutex;
    struct rf_condition changed;
    int64_t count; /* under mutex */
};

static struct shared shared_new(void)
{
    return (struct shared){.count = 0};
}

static void count_up(void *argument)
{
    struct shared *shared = argument;

    for (int i = 0; i < 20000; i++) {
        rf_mutex_lock(&shared->mutex);
        shared->count++;
        rf_mutex_unlock(&shared->mutex);
    }
    rf_mutex_lock(&shared->mutex);
    rf_condition_wake_all(&shared->changed);
    rf_mutex_unlock(&shared->mutex);
}

START_TEST(threads_count_together_without_losing_one)
{
    enum {
        THREADS = 4
    };
    struct shared shared = shared_new();
    struct rf_thread threads[THREADS];
    struct rf_error err = {0};
    rf_mutex_init(&shared.mutex);
    rf_condition_init(&shared.changed);

    for (int i = 0; i < THREADS; i++)
        ck_assert_msg(rf_thread_start(&threads[i], "counter", count_up, &shared, &err), "%s",
                      err.message);
    rf_mutex_lock(&shared.mutex);
    while (shared.count < THREADS * 20000)
        rf_condition_wait(&shared.changed, &shared.mutex);
    rf_mutex_unlock(&shared.mutex);
    for (int i = 0; i < THREADS; i++)
        rf_thread_join(&threads[i]);

    ck_assert_int_eq(shared.count, THREADS * 20000);
    rf_condition_deinit(&shared.changed);
    rf_mutex_deinit(&shared.mutex);
}
END_TEST

START_TEST(a_wait_ends_at_its_instant)
{
    struct shared shared = shared_new();
    rf_mutex_init(&shared.mutex);
    rf_condition_init(&shared.changed);
    rf_ns until = rf_clock_monotonic_ns() + 20 * 1000000;

    rf_mutex_lock(&shared.mutex);
    while (rf_condition_wait_until(&shared.changed, &shared.mutex, until))
        continue;
    rf_mutex_unlock(&shared.mutex);

    ck_assert_int_ge(rf_clock_monotonic_ns(), until);
    rf_condition_deinit(&shared.changed);
    rf_mutex_deinit(&shared.mutex);
}
END_TEST

static void look_at_self(void *argument)
{
    struct {
        char name[16];
        bool term_blocked;
    } *seen = argument;
    sigset_t mask;

    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->term_blocked = sigismember(&mask, SIGTERM) == 1;
}

START_TEST(a_thread_has_its_name_cut_to_15_bytes_and_takes_no_signals)
{
    struct {
        char name[16];
        bool term_blocked;
    } seen = {0};
    struct rf_thread thread;
    struct rf_error err = {0};
    sigset_t mask;

    ck_assert(rf_thread_start(&thread, "worker-with-a-long-name", look_at_self, &seen, &err));
    rf_thread_join(&thread);

    ck_assert_str_eq(seen.name, "worker-with-a-l");
    ck_assert(seen.term_blocked);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ck_assert(sigismember(&mask, SIGTERM) == 0);
}
END_TEST

START_TEST(a_lock_taken_twice_asserts)
{
    struct rf_mutex mutex;
    rf_mutex_init(&mutex);

    rf_mutex_lock(&mutex);
    rf_mutex_lock(&mutex);
}
END_TEST

START_TEST(a_lock_given_back_that_is_not_held_asserts)
{
    struct rf_mutex mutex;
    rf_mutex_init(&mutex);

    rf_mutex_unlock(&mutex);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/thread");
    TCase *tcase = tcase_create("thread");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, threads_count_together_without_losing_one);
    tcase_add_test(tcase, a_wait_ends_at_its_instant);
    tcase_add_test(tcase, a_thread_has_its_name_cut_to_15_bytes_and_takes_no_signals);
    tcase_add_test_raise_signal(tcase, a_lock_taken_twice_asserts, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_lock_given_back_that_is_not_held_asserts, SIGABRT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
