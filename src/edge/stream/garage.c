#include "edge/stream/garage.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/task/task.h"

void rf_garage_init(struct rf_garage *garage, int32_t partition_count)
{
    rf_assert(partition_count > 0);
    rf_mutex_init(&garage->lock);
    garage->partition_count = partition_count;
    garage->tasks = calloc((size_t)partition_count, sizeof(struct rf_task *));
    garage->out = calloc((size_t)partition_count, sizeof *garage->out);
    rf_assert(garage->tasks != NULL);
    rf_assert(garage->out != NULL);
}

void rf_garage_deinit(struct rf_garage *garage)
{
    for (int32_t i = 0; i < garage->partition_count; i++)
        rf_task_close(garage->tasks[i]);
    free(garage->tasks);
    free(garage->out);
    rf_mutex_deinit(&garage->lock);
}

bool rf_garage_take(struct rf_garage *garage, int32_t partition, struct rf_task **task)
{
    bool taken = false;

    rf_assert(partition >= 0 && partition < garage->partition_count);
    rf_mutex_lock(&garage->lock);
    taken = !garage->out[partition];
    if (taken) {
        garage->out[partition] = true;
        *task = garage->tasks[partition];
        garage->tasks[partition] = NULL;
    }
    rf_mutex_unlock(&garage->lock);
    return taken;
}

void rf_garage_park(struct rf_garage *garage, int32_t partition, struct rf_task *task)
{
    rf_assert(partition >= 0 && partition < garage->partition_count);
    rf_mutex_lock(&garage->lock);
    rf_assert(garage->out[partition]);
    garage->out[partition] = false;
    garage->tasks[partition] = task;
    rf_mutex_unlock(&garage->lock);
}
