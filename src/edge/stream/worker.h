/* A worker's own: what its files share. Inside this room only. Thread: worker, unless it says otherwise.
 *
 *   assignment.h  which partitions are its own
 *   restore.h     their stores, brought up to the changelog
 *   producer.h    what its tasks emit
 *   commit.h      the transaction
 *   silence.h     time where nothing comes
 *   client.h      the handles of librdkafka */
#pragma once
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "core/model/source.h"
#include "core/task/task_state.h"
#include "core/task/transaction.h"
#include "edge/stream/garage.h"
#include "edge/stream/inbox.h"
#include "edge/stream/meter.h"
#include "edge/stream/recent.h"
#include "edge/stream/stream.h"
#include "edge/sys/clock.h"
#include "edge/sys/thread.h"

struct rf_task;

#define RF_PARTITIONS_MAX RF_SLOTS_MAX

/* One partition number of all sources, while it is this worker's. */
struct rf_slot {
    int32_t partition;
    enum rf_slot_state state; /* NONE: not ours */
    struct rf_task *task;     /* NULL while WAITING */
    bool paused;              /* its partitions, in the consumer */
    int64_t wait_until_ms;    /* for sources that are behind */
    int64_t retry_at_ms;      /* WAITING, BLOCKED: when to try again, monotonic */

    int64_t
        position[RF_SOURCES_MAX]; /* next offset to be folded; -1: unknown, nothing was consumed */
    int64_t committed[RF_SOURCES_MAX];     /* what the group says; -1: nothing */
    int64_t sent[RF_SOURCES_MAX];          /* in the open transaction */
    uint64_t records_read[RF_SOURCES_MAX]; /* since it is ours */
    rf_ms last_time[RF_SOURCES_MAX];       /* the timestamp of the last one; RF_MS_MIN: none */

    /* silence: silence.c */
    int64_t end_seen[RF_SOURCES_MAX]; /* up to this offset there was nothing more; -1: not known */
    bool fed;                         /* since the last turn */
    int64_t fed_ms;                   /* the last time, monotonic */
    int64_t silence_retry_ms;         /* asked in vain whether it is silent: not again before */
    int64_t sweep_began_ms;           /* 0: nothing is swept */
    int64_t sweep_retry_ms;

    /* restore */
    int64_t changelog_target, tasks_target; /* the high watermarks to be reached */
    int64_t changelog_reached, tasks_reached;
    int64_t tasks_low, tasks_from; /* the topic's begin, and where reading it began */
    bool cold;                     /* its store is filled from nothing */
    bool has_state;
    struct rf_task_state state_found; /* the last record of the tasks topic */
    char state_bytes[4096];           /* what state_found points into */
    uint64_t restored;
    int64_t restore_began_ms, restore_from;

    /* for whoever asks: wall clock, RF_MS_MIN: never */
    rf_ms committed_at, stored_at, durable_at;
    struct rf_store_sizes store_sizes; /* as of some seconds ago */

    bool schema_written; /* to the tasks topic, since the partition was assigned */

    /* the open transaction */
    int64_t changelog_last; /* highest offset that was acknowledged; -1: none */
    size_t changelog_produced, changelog_acknowledged;
};

struct rf_worker_shared {
    struct rf_stream_options options; /* a copy */
    struct rf_garage garage;
    struct rf_ring ring;   /* what was emitted lately */
    struct rf_inbox inbox; /* questions */
    int32_t partition_count;
};

struct rf_worker {
    struct rf_worker_shared *shared; /* not owned; immutable but for garage, ring and inbox */
    const struct rf_stream_options *options;
    int index;
    char name[160]; /* <instance>-<index> */

    rd_kafka_t *consumer;
    rd_kafka_queue_t *inbox; /* all assigned partitions are forwarded to it */
    rd_kafka_t *producer;
    rd_kafka_t *observer; /* read_uncommitted: true high watermarks */
    rd_kafka_t *
        restorer; /* read_committed, manual assignment: changelog and tasks; NULL while nothing restores */
    rd_kafka_topic_t *changelog, *tasks, *dead_letters;
    rd_kafka_topic_t **outputs;
    bool renew_producer;     /* guard G1: the last commit or abort was uncertain */
    bool commit_asked;       /* of the open transaction: the broker may have done it */
    bool connection_failed;  /* since the transaction began; set by the producer's error callback */
    bool undelivered;        /* since then a message was given up by the producer */
    size_t letter_bytes_max; /* of a dead letter; less where the topic has refused one */

    const struct rf_decoder *decoders;
    struct rf_slot *slots; /* by partition */
    struct rf_transaction transaction;
    int64_t began_ms;      /* the open transaction, monotonic */
    size_t folded;         /* in it, events and timers */
    struct rf_arena arena; /* of the transaction: what delivery reports point to */
    struct rf_buffer buffer;
    struct rf_buffer headers; /* of the message that is being fed */
    int abort_streak;         /* aborts since the last commit */
    bool quarantined;         /* a delivery report has put something into quarantine */
    int64_t stored_ms;        /* gathered records were last written */
    int64_t synced_ms;        /* the stores were last told to make them durable */
    int64_t rest_until_ms;    /* after aborts: no new transaction before */
    size_t batch_left;        /* messages that the poll may still take */
    bool busy;                /* the last turn has left something to do */
    int64_t silence_retry_ms; /* a broker did not say where its topics end: none is asked before */
    struct rf_error fatal;    /* why the worker ends on its own account */
    bool rejoin;              /* clients are to be made anew */
    bool closing; /* the consumer leaves the group: what it is still given is not taken */
    struct rf_meter meter;
    struct rf_published *draft; /* owned; the next copy for others */

    /* shared */
    _Atomic int64_t turned_ms; /* the loop last came round, monotonic */
    atomic_int waits; /* what the worker is in takes as long as a broker, or the disk, needs */

    /* shared, under lock */
    struct rf_mutex lock;
    bool stop RF_GUARDED_BY(lock), stop_now RF_GUARDED_BY(lock), ended RF_GUARDED_BY(lock);
    struct rf_published *published RF_GUARDED_BY(lock); /* owned */

    struct rf_thread thread;
};

/* Its share of the memory for customers, in bytes. */
static inline size_t rf_worker_memory(const struct rf_worker *worker)
{
    return worker->options->records_memory / (size_t)worker->options->workers;
}

void rf_worker_run(void *worker);
bool rf_worker_is_stopping_now(struct rf_worker *worker);

/* Around what has no end of its own: an answer of a broker, a store that is filled. Whoever watches over the worker
 * (rf_stream_stuck_ms) does not hold it against it. */
static inline void rf_worker_wait_begin(struct rf_worker *worker)
{
    atomic_fetch_add(&worker->waits, 1);
}

static inline void rf_worker_wait_end(struct rf_worker *worker)
{
    atomic_store(&worker->turned_ms, rf_clock_monotonic_ms());
    atomic_fetch_sub(&worker->waits, 1);
}
