/* Tasks without a worker, kept warm: the store stays open and the hot cache filled until somebody takes the
 * partition again, in this process, or the process ends. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "edge/sys/thread.h"

struct rf_task;

struct rf_garage {
    struct rf_mutex lock;
    struct rf_task **tasks; /* owned, under lock; by partition */
    bool *out;              /* under lock: a worker has it, or is opening it */
    int32_t partition_count;
};

void rf_garage_init(struct rf_garage *garage, int32_t partition_count);
void rf_garage_deinit(struct rf_garage *garage); /* closes what stands in it */

/* True: the partition is the caller's, and *task is the parked one or NULL. False: another worker of this process
 * still has it. */
bool rf_garage_take(struct rf_garage *garage, int32_t partition, struct rf_task **task);
/* `task` NULL: there is none to be kept. */
void rf_garage_park(struct rf_garage *garage, int32_t partition, struct rf_task *task);
