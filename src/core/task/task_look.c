/* What a driver may ask of a task's engine between two folds. */
#include "core/task/task.h"

void rf_task_features(struct rf_task *task, const struct rf_customer *customer, rf_ms now,
                      struct rf_arena *arena, struct rf_value *values)
{
    rf_engine_features(rf_task_engine(task), customer, now, arena, values);
}

void rf_task_set_meter_clock(struct rf_task *task, rf_ns (*monotonic_ns)(void))
{
    rf_engine_set_clock(rf_task_engine(task), monotonic_ns);
}

void rf_task_take_meter(struct rf_task *task, struct rf_rule_meter *sum)
{
    rf_engine_take_meter(rf_task_engine(task), sum);
}
