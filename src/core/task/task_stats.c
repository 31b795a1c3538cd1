#include "core/task/task_stats.h"

#include "core/task/task_internal.h"

struct rf_task_counts rf_task_counts(const struct rf_task *task)
{
    return task->counts;
}

struct rf_records_stats rf_task_records_stats(const struct rf_task *task)
{
    return rf_records_stats(task->records);
}

const struct rf_ledger *rf_task_ledger(const struct rf_task *task)
{
    return &task->ledger;
}

bool rf_task_take_rule_error(struct rf_task *task, uint32_t *rule, struct rf_error *why)
{
    if (task->rule_error.kind == RF_ERROR_NONE)
        return false;
    *rule = task->rule_failed;
    *why = task->rule_error;
    rf_error_clear(&task->rule_error);
    return true;
}

void rf_task_set_meter_clock(struct rf_task *task, rf_ns (*monotonic_ns)(void))
{
    rf_engine_set_clock(task->engine, monotonic_ns);
}

void rf_task_take_meter(struct rf_task *task, struct rf_rule_meter *sum)
{
    rf_engine_take_meter(task->engine, sum);
}
