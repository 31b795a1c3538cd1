/* Threads, and what they wait on: the only place that knows pthread.
 *
 * One lock a shared thing. A field that a lock guards says so with RF_GUARDED_BY, for the reader: in C clang
 * (before 20) does not see a member's siblings. A function says RF_REQUIRES, which clang checks
 * (-Wthread-safety). A lock taken twice by its thread, or given back by another, asserts. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/time.h"

#ifdef __clang__
#define RF_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define RF_THREAD_SAFETY(attribute)
#endif
#define RF_GUARDED_BY(mutex)
#define RF_REQUIRES(mutex) RF_THREAD_SAFETY(requires_capability(mutex))

struct rf_thread {
    pthread_t native;
    void (*run)(void *argument);
    void *argument;
    char name[16]; /* as `top -H` shows it */
};

struct RF_THREAD_SAFETY(capability("mutex")) rf_mutex {
    pthread_mutex_t native;
};

struct rf_condition {
    pthread_cond_t native;
};

/* Runs `run(argument)`. `thread` stays where it is until it is joined, and is joined once. No signal is
 * delivered to it: those are for the thread that called rf_signals_catch. A longer name is cut to 15
 * bytes. Errors: RETRY, where the system has no room for one more. */
bool rf_thread_start(struct rf_thread *thread, const char *name, void (*run)(void *argument),
                     void *argument, struct rf_error *err) RF_MUST_CHECK;
void rf_thread_join(struct rf_thread *thread);

void rf_mutex_init(struct rf_mutex *mutex);
void rf_mutex_deinit(struct rf_mutex *mutex);
void rf_mutex_lock(struct rf_mutex *mutex) RF_THREAD_SAFETY(acquire_capability(*mutex));
void rf_mutex_unlock(struct rf_mutex *mutex) RF_THREAD_SAFETY(release_capability(*mutex));

void rf_condition_init(struct rf_condition *condition);
void rf_condition_deinit(struct rf_condition *condition);

/* Lets go of the lock while it waits. May wake for no reason: wait in a loop over what is waited for. */
void rf_condition_wait(struct rf_condition *condition, struct rf_mutex *mutex) RF_REQUIRES(*mutex);

/* False once `monotonic` (rf_clock_monotonic_ns) is past, an instant and not a length, so that a loop
 * does not begin to wait anew. */
bool rf_condition_wait_until(struct rf_condition *condition, struct rf_mutex *mutex,
                             rf_ns monotonic) RF_REQUIRES(*mutex);
void rf_condition_wake_all(struct rf_condition *condition);
