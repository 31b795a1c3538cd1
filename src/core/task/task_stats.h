/* What a task says of itself: for the numbers that its worker shows, and for its log. Thread: the task's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/meter.h"
#include "core/task/counts.h"
#include "core/task/ledger.h"
#include "core/task/records.h"

struct rf_task;

struct rf_task_counts rf_task_counts(const struct rf_task *task); /* of committed transactions */
struct rf_records_stats rf_task_records_stats(const struct rf_task *task);
/* What became of the inputs of the open transaction. */
const struct rf_ledger *rf_task_ledger(const struct rf_task *task);
/* The last rule that could not be evaluated since the last call, and why; false: none. The rule did not fire. */
bool rf_task_take_rule_error(struct rf_task *task, uint32_t *rule, struct rf_error *why);
/* See core/engine/meter.h. */
void rf_task_set_meter_clock(struct rf_task *task, rf_ns (*monotonic_ns)(void));
void rf_task_take_meter(struct rf_task *task, struct rf_rule_meter *sum);
