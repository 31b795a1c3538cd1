/* A thread that looks at Kafka from outside the workers, once a second: where the sources end, how old the oldest
 * record is that nobody has read yet, who has which partition. It has a client of its own, so that no worker ever
 * waits for its questions. Inside this room only. */
#pragma once
#include <librdkafka/rdkafka.h>

#include "core/task/lag.h"
#include "edge/stream/meter.h"
#include "edge/sys/thread.h"

#define RF_INSTANCE_NAME_MAX 160
#define RF_ADDRESS_MAX       280

/* What is known of one partition of one source; made when a task of it is first ours. */
struct rf_watched {
    struct rf_lag_ends ends;
    struct rf_lag_probe probe;
    struct rf_lag_history history;
    struct rf_rate rate;
    int64_t next;   /* as of the last round; -1: there was none */
    uint64_t round; /* in which it was last ours */
};

struct rf_watched_owner {
    char instance[RF_INSTANCE_NAME_MAX]; /* "": nobody */
    char address[RF_ADDRESS_MAX];        /* "": none */
};

struct rf_watch {
    /* immutable */
    struct rf_worker *workers; /* not owned */
    int worker_count;
    const struct rf_stream_options *options;
    int32_t partition_count;

    /* the thread's own */
    rd_kafka_t *client; /* read_uncommitted: true ends (invariant 3) */
    rd_kafka_t *stable; /* read_committed: last stable offsets; NULL until one is asked for */
    uint64_t round;
    uint64_t rebalances; /* of the workers, when the owners were last asked for */
    int64_t owners_ms;   /* when; 0: never */
    bool said_away;      /* in the log, that Kafka does not answer */
    char told_address
        [RF_ADDRESS_MAX]; /* of ours, not the one that it is, and the log has it; "": none */

    /* shared, under lock */
    struct rf_mutex lock;
    struct rf_condition wake;
    bool stop RF_GUARDED_BY(lock);
    struct rf_watched **watched
        RF_GUARDED_BY(lock); /* owned; [partition * source_count + source]; NULL */
    struct rf_watched_owner *owners RF_GUARDED_BY(lock); /* owned; by partition */
    char group_state[32] RF_GUARDED_BY(lock);            /* "": not known */
    int64_t answered_ms RF_GUARDED_BY(lock);             /* a broker last did, monotonic */
    struct rf_rate *idle RF_GUARDED_BY(lock); /* owned; by worker: seconds waited for records */

    bool has_thread;
    struct rf_thread thread;
};

/* `workers` stay where they are. Errors: RETRY (no thread to be had). */
bool rf_watch_start(struct rf_watch *watch, struct rf_worker *workers, int worker_count,
                    struct rf_error *err) RF_MUST_CHECK;
/* Before the workers go. Fine where it was never started. */
void rf_watch_stop(struct rf_watch *watch);

/* How long nobody has answered the watch's questions, where that is more than a hiccup; 0: Kafka answers. */
rf_span_ms rf_watch_away_ms(struct rf_watch *watch);

/* owners.c */
/* Asks the group who has which partition; leaves `owners` and `state` alone where it does not tell. *answered: some broker
 * did. */
bool rf_owners_ask(const struct rf_watch *watch, struct rf_watched_owner *owners, char state[32],
                   bool *answered);
/* "<instance>-<worker>" or "<instance>-<worker>;http=<address>", as a client.id. */
void rf_owner_name(const char *member, const char *address, char *name, size_t size_max);
bool rf_owner_parse(const char *name, struct rf_watched_owner *owner);
/* Gives a member's partitions of `topic` to `owner`. Whatever the bytes are, nothing behind them is read. */
void rf_owner_note(struct rf_bytes assignment, const char *topic,
                   const struct rf_watched_owner *owner, struct rf_watched_owner *owners,
                   int32_t partition_count);
