/* The handles of librdkafka, each with the settings that the guarantee rests on. The caller owns what it gets: NULL with
 * CONFIG where a property is wrong. Inside this room only. Any thread, but for a worker's own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include <librdkafka/rdkafka.h>

#include "core/base/error.h"
#include "core/model/delivery.h"

struct rf_worker;

/* Thread: worker. */
rd_kafka_t *rf_client_consumer(struct rf_worker *worker, struct rf_error *err);
rd_kafka_t *rf_client_producer(struct rf_worker *worker, struct rf_error *err);

/* A consumer that joins no group and commits nothing. `committed`: read_committed, and told of the end of each
 * partition; otherwise read_uncommitted, or "high" would be the last stable offset (invariant 3). */
rd_kafka_t *rf_client_reader(const struct rf_property *kafka, size_t kafka_count, const char *group,
                             bool committed, struct rf_error *err);
/* The same for as much as there is, read ahead within `memory_max`, in bytes. */
rd_kafka_t *rf_client_restorer(const struct rf_property *kafka, size_t kafka_count,
                               const char *group, size_t memory_max, struct rf_error *err);
/* The same for one message here and there: it fetches as little as the broker gives. */
rd_kafka_t *rf_client_peeker(const struct rf_property *kafka, size_t kafka_count, const char *group,
                             bool committed, struct rf_error *err);
/* For records of the input; idempotent, without transactions. */
rd_kafka_t *rf_client_feeder(const struct rf_property *kafka, size_t kafka_count,
                             void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message,
                                               void *opaque),
                             void *opaque, struct rf_error *err);
/* For messages that are written in transactions beside the workers' own. */
rd_kafka_t *rf_client_transactional(
    const struct rf_property *kafka, size_t kafka_count, const char *transactional_id,
    void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque),
    void *opaque, struct rf_error *err);
/* Fetches as little as it can. `committed` false: sees all there is, open transactions too. */
rd_kafka_t *rf_client_watcher(const struct rf_property *kafka, size_t kafka_count,
                              const char *group, bool committed, struct rf_error *err);
/* For admin calls and metadata. */
rd_kafka_t *rf_client_admin(const struct rf_property *kafka, size_t kafka_count,
                            struct rf_error *err);
