/* A task without Kafka: its store is memory, and the broker of its transactions never fails.
 *
 * What is fed is folded and committed in transactions by the same state machine as the daemon's; the listener hears
 * of what they emit when they are committed. Behind it stand `replay` (files) and `test` (events written in YAML).
 * One task, one thread: the caller's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/codec/customer_codec.h"
#include "core/codec/decoder.h"
#include "core/model/customer.h"
#include "core/model/derived.h"
#include "core/model/plan.h"
#include "core/task/outbox.h"

struct rf_task;

/* In the order of the events, when their transaction is committed. Each may be NULL. What is told of lives as long as
 * the call. */
struct rf_offline_listener {
    void *self;
    void (*derived)(void *self, const struct rf_derived *derived);
    void (*dead_letter)(void *self, const struct rf_dead_letter *letter);
};

struct rf_offline_options {
    const struct rf_plan *plan;
    const struct rf_customer_codec *codec;
    const struct rf_decoder *decoders; /* by source; outlive it */
    size_t commit_events;              /* a transaction is committed after so many records */
    struct rf_offline_listener listener;
};

struct rf_offline;

/* NULL: `err` says why. */
struct rf_offline *rf_offline_open(const struct rf_offline_options *options, struct rf_error *err);
void rf_offline_close(struct rf_offline *offline);

/* Copies what `input` points to, but for its topic, which has to outlive it. Commits where enough has gathered. */
bool rf_offline_feed(struct rf_offline *offline, const struct rf_input *input,
                     struct rf_error *err) RF_MUST_CHECK;
/* Ends the transaction, if there is one. */
bool rf_offline_commit(struct rf_offline *offline, struct rf_error *err) RF_MUST_CHECK;
/* Commits, then lets time pass without events: the clock stands at `to`, or where it stood if that is later. */
bool rf_offline_advance(struct rf_offline *offline, rf_ms to, struct rf_error *err) RF_MUST_CHECK;

/* Of what is committed: counts, customers. */
struct rf_task *rf_offline_task(struct rf_offline *offline);
/* The greatest event time or advance; RF_MS_MIN: nothing happened. */
rf_ms rf_offline_now(const struct rf_offline *offline);
