/* What a task knows of its customers, as committed: for an answer, an export, a report. Between two folds. Thread: the
 * task's. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/expr/value.h"
#include "core/model/customer.h"

struct rf_task;

/* A customer as committed, decoded into `arena`; *customer is NULL where nothing is known. */
bool rf_task_customer(struct rf_task *task, struct rf_bytes id, struct rf_arena *arena,
                      struct rf_customer **customer, struct rf_error *err) RF_MUST_CHECK;
/* Every customer as committed, in order of id; flushes first. */
bool rf_task_each_customer(struct rf_task *task,
                           bool (*visit)(void *context, const struct rf_customer *customer),
                           void *context, struct rf_error *err) RF_MUST_CHECK;
/* The values of all features at `now`, by index in the plan: see rf_engine_features. */
void rf_task_features(struct rf_task *task, const struct rf_customer *customer, rf_ms now,
                      struct rf_arena *arena, struct rf_value *values);
