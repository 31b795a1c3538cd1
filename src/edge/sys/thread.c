#include "edge/sys/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"

static void *run_thread(void *opaque)
{
    struct rf_thread *thread = opaque;

    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->argument);
    return NULL;
}

bool rf_thread_start(struct rf_thread *thread, const char *name, void (*run)(void *argument),
                     void *argument, struct rf_error *err)
{
    sigset_t all;
    sigset_t before;
    int error;

    rf_assert(run != NULL);
    thread->run = run;
    thread->argument = argument;
    snprintf(thread->name, sizeof thread->name, "%.*s", (int)sizeof thread->name - 1, name);
    sigfillset(&all);
    rf_assert(pthread_sigmask(SIG_SETMASK, &all, &before) ==
              0); /* the new thread inherits the mask */
    error = pthread_create(&thread->native, NULL, run_thread, thread);
    rf_assert(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (error != 0) {
        char reason[128];

        return rf_error_set(err, RF_ERROR_RETRY, error, "starting thread %s: %s", name,
                            strerror_r(error, reason, sizeof reason));
    }
    return true;
}

void rf_thread_join(struct rf_thread *thread)
{
    rf_assert(pthread_join(thread->native, NULL) == 0);
}

void rf_mutex_init(struct rf_mutex *mutex)
{
    pthread_mutexattr_t attributes;

    rf_assert(pthread_mutexattr_init(&attributes) == 0);
    rf_assert(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0);
    rf_assert(pthread_mutex_init(&mutex->native, &attributes) == 0);
    pthread_mutexattr_destroy(&attributes);
}

void rf_mutex_deinit(struct rf_mutex *mutex)
{
    rf_assert(pthread_mutex_destroy(&mutex->native) == 0);
}

void rf_mutex_lock(struct rf_mutex *mutex) RF_THREAD_SAFETY(no_thread_safety_analysis)
{
    rf_assert(pthread_mutex_lock(&mutex->native) == 0);
}

void rf_mutex_unlock(struct rf_mutex *mutex) RF_THREAD_SAFETY(no_thread_safety_analysis)
{
    rf_assert(pthread_mutex_unlock(&mutex->native) == 0);
}

void rf_condition_init(struct rf_condition *condition)
{
    pthread_condattr_t attributes;

    rf_assert(pthread_condattr_init(&attributes) == 0);
    rf_assert(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    rf_assert(pthread_cond_init(&condition->native, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

void rf_condition_deinit(struct rf_condition *condition)
{
    rf_assert(pthread_cond_destroy(&condition->native) == 0);
}

void rf_condition_wait(struct rf_condition *condition, struct rf_mutex *mutex)
{
    rf_assert(pthread_cond_wait(&condition->native, &mutex->native) == 0);
}

bool rf_condition_wait_until(struct rf_condition *condition, struct rf_mutex *mutex,
                             rf_ns monotonic)
{
    struct timespec until = {.tv_sec = monotonic / 1000000000, .tv_nsec = monotonic % 1000000000};
    int error = pthread_cond_timedwait(&condition->native, &mutex->native, &until);

    rf_assert(error == 0 || error == ETIMEDOUT);
    return error == 0;
}

void rf_condition_wake_all(struct rf_condition *condition)
{
    rf_assert(pthread_cond_broadcast(&condition->native) == 0);
}
