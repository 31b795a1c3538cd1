/* Kafka: workers that poll, fold and commit; the topics they need; what they say of themselves.
 *
 * A worker is one thread that shares nothing with the others: its consumer (a member of the group), its
 * transactional producer, its tasks. It drives core/task and executes what core/task/transaction decides. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/codec/customer_codec.h"
#include "core/codec/decoder.h"
#include "core/codec/derived_codec.h"
#include "core/codec/schemas.h"
#include "core/codec/wire.h"
#include "core/model/delivery.h"
#include "core/model/derived.h"
#include "core/model/plan.h"
#include "core/task/counts.h"
#include "core/task/inspect.h"
#include "core/task/records.h"
#include "core/task/store.h"

#define RF_PORT_COUNTS_MAX 32

/* What the wiring gives to a worker or task when it needs one. Called from the worker's thread. */
struct rf_stream_ports {
    void *self;
    /* The store of a partition. Errors: STATE (damaged), RETRY (in use elsewhere, or the disk). */
    bool (*store_open)(void *self, int32_t partition, struct rf_store *store, struct rf_error *err);
    /* Puts a damaged store aside; the next open makes an empty one. */
    bool (*store_quarantine)(void *self, int32_t partition, struct rf_error *err);
    /* Decoders by source, for one worker; NULL with an error. */
    const struct rf_decoder *(*decoders_open)(void *self, struct rf_error *err);
    void (*decoders_close)(void *self, const struct rf_decoder *decoders);
    /* A derived event whose transaction is committed. May be NULL. */
    void (*emitted)(void *self, const struct rf_derived *derived);
    void *emitted_self;
    /* For core/task/snapshot.h, any thread; each may be NULL. `counts` has room for RF_PORT_COUNTS_MAX; the names stay
     * valid. Returns how many. */
    size_t (*memory)(void *self, struct rf_named_count *counts);
    size_t (*registry_requests)(void *self, struct rf_named_count *counts);
};

struct rf_stream_output {
    const struct rf_derived_codec *codec;
    struct rf_wire wire;
};

struct rf_stream_options {
    const struct rf_plan *plan;
    const struct rf_customer_codec *customer_codec;
    const struct rf_stream_output *outputs; /* by output of the plan */
    struct rf_schemas record_schemas;       /* see core/task/task.h */
    struct rf_schema_reader record_reader;
    struct rf_wire record_wire;
    struct rf_stream_ports ports;

    const struct rf_property *kafka; /* librdkafka's properties, as configured */
    size_t kafka_count;
    const char *instance;     /* stable name of this process: static membership, transactional.id */
    const char *http_address; /* host:port where other instances can ask this one; NULL: nowhere */
    const char *changelog_topic, *tasks_topic, *dead_letter_topic;
    int32_t partitions; /* of each source, as rf_stream_check found it */
    int64_t
        batch_bytes_max; /* a batch that is larger is refused by one of the topics; 0: not known */
    enum rf_delivery delivery;
    enum rf_start start; /* where a group without committed offsets begins */
    bool idle_by_wall;   /* where nothing comes, time goes on by the clock on the wall */
    bool accept_gap;     /* go on although input or changelog are missing a part */
    int workers;
    int64_t commit_interval_ms;
    size_t commit_events_max;     /* a transaction is committed early at so many events */
    size_t commit_bytes_max;      /* or at so much memory for them */
    int64_t store_interval_ms;    /* gathered records are written at least so often */
    size_t records_memory;        /* of all hot caches together */
    size_t dead_letter_bytes_max; /* a larger one goes without its value, or with less */
};

struct rf_stream;

/* Are the topics there, and as they have to be? Sets *partitions, of each source. Errors: CONFIG (the message names the
 * topic and the remedy), RETRY (no broker answers). */
bool rf_stream_check(struct rf_stream_options *options, struct rf_error *err) RF_MUST_CHECK;

/* Starts the workers. Errors: CONFIG, RETRY. */
struct rf_stream *rf_stream_start(const struct rf_stream_options *options, struct rf_error *err);

/* Asks every worker to commit, write its stores and leave; `now`: without committing. Any thread. */
void rf_stream_stop(struct rf_stream *stream, bool now);
/* Waits up to `timeout_ms` for all workers to end; true when they have. `*err` is the first worker's reason if it did
 * not end because it was asked to. */
bool rf_stream_wait(struct rf_stream *stream, int64_t timeout_ms, struct rf_error *err);
void rf_stream_close(struct rf_stream *stream);

/* How long the worker that is slowest has not come round its loop, milliseconds; 0 where all have ended. One that waits
 * for a broker, or for a store that is filled, counts as coming round: no restart would help. Any thread. */
int64_t rf_stream_stuck_ms(struct rf_stream *stream);

/* Questions to the workers: valid until the stream is closed. Any thread. */
struct rf_inspect rf_stream_inspect(struct rf_stream *stream);

enum rf_slot_state {
    RF_SLOT_NONE,
    RF_SLOT_WAITING,
    RF_SLOT_RESTORING,
    RF_SLOT_RUNNING,
    RF_SLOT_BLOCKED
};

/* A copy of what a worker last said of one of its tasks: the little that `run` and `demo` need; rf_stream_inspect has
 * the rest. */
struct rf_slot_stats {
    int32_t partition;
    enum rf_slot_state state;
    struct rf_task_counts counts;
    struct rf_records_stats records;
};

#define RF_SLOTS_MAX 1024

struct rf_stream_stats {
    uint64_t committed;
    size_t slot_count;
    struct rf_slot_stats slots[RF_SLOTS_MAX];
};
/* Any thread. */
void rf_stream_stats(struct rf_stream *stream, struct rf_stream_stats *stats);
