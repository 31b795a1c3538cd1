/* Files instead of Kafka: the same task, engine and transaction boundaries, without a broker.
 *
 * Inputs are merged by event time (each file keeps its own order), so that a complaint meets the calls that came
 * before it, whichever file is named first. One task, one thread: the caller's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/codec/customer_codec.h"
#include "core/model/customer.h"
#include "core/model/derived.h"
#include "core/model/plan.h"
#include "core/task/counts.h"
#include "core/task/outbox.h"
#include "edge/replay/merge.h"

/* Called in the order of events, when their transaction is committed. Each may be NULL. */
struct rf_replay_listener {
    void *self;
    void (*derived)(void *self, const struct rf_derived *derived);
    /* position.topic is the file, position.offset the line or record, from 1. */
    void (*dead_letter)(void *self, const struct rf_dead_letter *letter);
    /* At the end, in order of id: values[i] is feature i as of `now`. */
    void (*customer)(void *self, const struct rf_customer *customer, const struct rf_value *values,
                     rf_ms now);
    /* Every few thousand records. */
    void (*progress)(void *self, uint64_t records);
};

struct rf_replay_options {
    const struct rf_plan *plan;
    const struct rf_customer_codec *codec;
    const struct rf_replay_input *inputs;
    size_t input_count;
    rf_ms until; /* the clock is moved on to it at the end; RF_MS_MIN: to the last event's time */
    size_t commit_events; /* a transaction is committed after so many records */
    struct rf_replay_listener listener;
};

struct rf_replay_summary {
    struct rf_task_counts counts;
    size_t customers;
    rf_ms now; /* where the clock stands; RF_MS_MIN: nothing was read */
};

/* Errors: CONFIG (a file, or a source that takes from a message what a file does not have), RECORD (a container file
 * that is damaged so that nothing after it can be read). */
bool rf_replay(const struct rf_replay_options *options, struct rf_replay_summary *summary,
               struct rf_error *err) RF_MUST_CHECK;
