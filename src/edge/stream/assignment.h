/* Which partitions are a worker's: given and taken by the group, paused and resumed by the worker. Inside this room only.
 * Thread: worker. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "core/base/error.h"

struct rf_worker;
struct rf_slot;

void rf_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                   rd_kafka_topic_partition_list_t *partitions, void *opaque);
void rf_slots_pause(struct rf_worker *worker, struct rf_slot *slot);
void rf_slots_resume(struct rf_worker *worker, struct rf_slot *slot);
void rf_slots_release(struct rf_worker *worker); /* all of them, their tasks into the garage */
bool rf_committed_offsets(struct rf_worker *worker, int32_t partition, int64_t *offsets,
                          struct rf_error *err);
