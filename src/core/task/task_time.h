/* A task's time, and what comes due in it without an event. For whoever drives the task: between two folds, in the same
 * transaction; the sweep between transactions. Thread: the task's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/base/time.h"

struct rf_task;

/* Fires what is due at or before `clock`, in order; then time stands there. Where there is much to do it ends early,
 * rf_task_is_due says so, and the next call goes on, in this transaction or another. Blocked, errors: as
 * rf_task_fold. */
bool rf_task_advance(struct rf_task *task, rf_ms clock, struct rf_error *err) RF_MUST_CHECK;
/* Is there something to do at `at`, or overdue? What is overdue also fires with the next call of rf_task_fold. True
 * where the store cannot say: the next call fails, and says why. */
bool rf_task_is_due(struct rf_task *task, rf_ms at);
/* Nobody is due before; RF_MS_MAX: nobody at all. */
rf_ms rf_task_next_due(const struct rf_task *task);
rf_ms rf_task_clock(const struct rf_task *task); /* as committed; RF_MS_MIN: nothing was seen */
rf_ms rf_task_clock_open(const struct rf_task *task); /* with the open transaction */
/* The greatest event time, as committed; RF_MS_MIN: nothing was seen. */
rf_ms rf_task_stream_time(const struct rf_task *task);
/* As of when customers stand: the later of the two. */
rf_ms rf_task_now(const struct rf_task *task);

/* A store of another plan, or one that was filled in bulk: its customers are gone through, `count` a call, between
 * transactions, to work out when they are due. Until that is done some may fire late. Errors: STATE, RETRY. */
bool rf_task_is_swept(const struct rf_task *task);
bool rf_task_sweep(struct rf_task *task, size_t count, struct rf_error *err) RF_MUST_CHECK;
