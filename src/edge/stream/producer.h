/* A worker's producer: its life, and how what its tasks emit becomes messages. Inside this room only. Thread: worker. */
#pragma once
#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include "core/base/error.h"
#include "core/task/transaction.h"

struct rf_worker;
struct rf_slot;

bool rf_producer_open(struct rf_worker *worker, struct rf_error *err);
void rf_producer_close(struct rf_worker *worker);
enum rf_transaction_input rf_produce_outbox(struct rf_worker *worker, struct rf_slot *slot);
/* The customers that changed; then, how far the task is with them. */
enum rf_transaction_input rf_produce_records(struct rf_worker *worker, struct rf_slot *slot);
enum rf_transaction_input rf_produce_state(struct rf_worker *worker, struct rf_slot *slot);
void rf_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
