/* Time where nothing comes, and the sweep of a store whose customers' times are of another plan. Inside this room only.
 * Thread: worker. */
#pragma once
#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include "core/base/error.h"
#include "core/base/time.h"

struct rf_worker;
struct rf_slot;

/* A partition's end: nothing more is there for now. */
void rf_silence_end(struct rf_worker *worker, const rd_kafka_message_t *message);
void rf_silence_begin(struct rf_slot *slot);
/* Where a running task's time may be moved to although nothing comes; RF_MS_MIN: nowhere, or nothing is due there. */
rf_ms rf_silence_clock(struct rf_worker *worker, struct rf_slot *slot);
/* Between transactions. False: the store of that slot is damaged, `err` says how. */
bool rf_silence_sweep(struct rf_worker *worker, struct rf_slot *slot, struct rf_error *err);
bool rf_silence_is_swept(const struct rf_worker *worker);
