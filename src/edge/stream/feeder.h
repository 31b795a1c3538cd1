/* Produces records of the input: for `demo`, `ingest` and tests. Waits where the queue is full. Thread: one. */
#pragma once
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/model/delivery.h"

struct rf_feeder;

struct rf_feeder *rf_feeder_open(const struct rf_property *kafka, size_t kafka_count,
                                 struct rf_error *err);
void rf_feeder_close(struct rf_feeder *feeder);

/* The key decides the partition. `time`: RF_MS_MIN for now. Errors: CONFIG (no such topic), RECORD (too large). */
bool rf_feeder_send(struct rf_feeder *feeder, const char *topic, struct rf_bytes key,
                    struct rf_bytes value, rf_ms time, struct rf_error *err) RF_MUST_CHECK;
/* The same into a partition of the caller's choice. */
bool rf_feeder_send_to(struct rf_feeder *feeder, const char *topic, int32_t partition,
                       struct rf_bytes key, struct rf_bytes value, rf_ms time,
                       struct rf_error *err) RF_MUST_CHECK;
/* Everything sent is with the broker. Errors: RETRY. */
bool rf_feeder_flush(struct rf_feeder *feeder, int timeout_ms, struct rf_error *err) RF_MUST_CHECK;
