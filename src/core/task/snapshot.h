/* What a running instance knows of itself: numbers, copied at one instant. Who wants them calls `snapshot` of the
 * port in core/task/inspect.h; everything here then lives in the caller's arena, texts too.
 *
 * Instants (rf_ms) are wall clock of this machine, RF_MS_MIN: never, not known. Lengths of time are milliseconds, -1:
 * not known. Offsets: -1: none, not known. Counters count since the process began and never go back; what was folded
 * in a transaction counts once that is committed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/time.h"
#include "core/engine/meter.h"
#include "core/model/derived.h"
#include "core/task/histogram.h"
#include "core/task/records.h"
#include "core/task/store.h"

/* From the history of the last RF_LAG_WINDOW_MS, as in Burrow; the first that holds. */
enum rf_lag_status {
    RF_LAG_STOPPED, /* nobody works on it: its worker has not turned for the whole window, but for waiting on Kafka */
    RF_LAG_RESTORING, /* the task's store is still being brought up to date */
    RF_LAG_OK, /* caught up at some moment of the window; or the lag is less than at its begin */
    RF_LAG_STALLED, /* lag all the time, and the committed offset has not moved */
    RF_LAG_LAGGING, /* the offset moves, and the lag does not shrink */
};
#define RF_LAG_WINDOW_MS INT64_C(30000)
#define RF_LAG_STATUSES  5
const char *rf_lag_status_name(enum rf_lag_status status); /* "stopped", "restoring", "ok", ... */

/* One partition of one source, of a task that is ours. */
struct rf_lag {
    const char *source, *topic;
    int32_t partition;
    int64_t log_start; /* the first offset there still is */
    int64_t
        log_end; /* the high watermark: behind the last record, also those of open transactions */
    /* Where records of open transactions begin, which nobody can read yet; log_end: there are none. Asked for where
     * nothing moves; -1: not known. */
    int64_t stable_end;
    int64_t committed; /* by the group */
    int64_t position;  /* next to be folded; steps over transaction markers */
    /* log_end - next, never less than 0. next: `position` where all before it is committed (then the rest is
     * transaction markers), else `committed`, or log_start where that is later (but for records that the worker has already) or nothing was
     * committed. What
     * `kafka-consumer-groups --describe` shows, but for markers nobody can consume. Counts offsets: compacted away
     * and aborted records between the two count as they do there. */
    int64_t lag_records;
    /* The broker's timestamp of the oldest record that is not committed. RF_MS_MIN: there is none, or not known. */
    rf_ms oldest_time;
    /* now - oldest_time, never less than 0; 0: caught up; -1: not known yet. */
    rf_span_ms lag_ms;
    bool
        lag_ms_exact; /* false: not more than lag_ms; the oldest record's time is being asked for */
    double records_per_second; /* read from it, over the last 10 s */
    uint64_t records;          /* read from it since the task is ours */
    enum rf_lag_status status;
    rf_ms as_of; /* when log_end was asked for */
};

enum rf_task_status {
    RF_TASK_WAITING, /* for its store: another worker of this process still has it, or the disk */
    RF_TASK_RESTORING,
    RF_TASK_RUNNING,
    RF_TASK_BLOCKED, /* see `blocked` */
};
#define RF_TASK_STATUSES 4
const char *rf_task_status_name(enum rf_task_status status); /* "waiting", ... */

struct rf_task_view {
    int32_t partition;
    int worker;
    enum rf_task_status status;
    const char *blocked; /* why: a schema that is being fetched, the disk; NULL: it is not */

    int64_t changelog_next;    /* how far the store's and memory's records together have come */
    int64_t changelog_target;  /* RESTORING: where it has to come to */
    uint64_t restored_records; /* in this restore, or the last one */
    int64_t restore_remaining; /* offsets between the two; 0: done */
    double restore_per_second; /* offsets a second, since the restore began */
    rf_span_ms restore_eta_ms; /* remaining / per_second; 0: done; -1: not known yet */

    rf_ms stream_time; /* greatest event time committed */
    rf_ms
        watermark; /* stream_time - lateness, or on an idle partition the wall clock's; what was due has fired */
    rf_ms next_due; /* of the earliest timer; RF_MS_MAX: none */
    int64_t lag_records;
    rf_span_ms lag_ms; /* the worst of its sources; -1: not known yet */
    size_t pending;    /* inputs read and not folded */

    uint64_t records, events;    /* folded since the task is ours */
    struct rf_records_stats hot; /* customers in memory */
    struct rf_store_sizes store;
    rf_ms committed_at; /* its last commit */
    rf_ms stored_at;    /* when what has gathered was last written to the store */
    rf_ms durable_at;   /* when the store was last told to make it durable */
};

enum rf_producer_cause {
    RF_PRODUCER_START,     /* the first of its worker */
    RF_PRODUCER_UNCERTAIN, /* the last commit or abort was slow or lost its connection (guard G1) */
    RF_PRODUCER_UNKNOWN,   /* to find out how a commit ended */
    RF_PRODUCER_REJOIN,    /* the worker joined the group anew */
};
#define RF_PRODUCER_CAUSES 4
const char *rf_producer_cause_name(enum rf_producer_cause cause); /* "start", ... */

struct rf_worker_view {
    int index;
    bool running; /* false: its thread has ended */
    bool
        waits_for_kafka; /* in a call that ends when a broker answers: not turning is then no fault of ours */
    rf_span_ms
        since_turn_ms; /* of its loop; a healthy one turns every 100 ms, or waits for Kafka */
    rf_ms committed_at;
    rf_span_ms since_commit_ms;                 /* -1: it has not committed yet */
    uint64_t committed, aborted, unknown, lost; /* transactions, by how they ended */
    uint64_t producers_made[RF_PRODUCER_CAUSES];
    uint64_t rebalances; /* assignments and revocations */
    uint64_t questions;  /* answered */
    uint64_t restored;   /* records read back from the changelog */
    struct rf_histogram
        commit_duration; /* from the decision to commit until the broker's answer, produce included */
    double idle_ratio;   /* of the last 10 s, how much it waited for records; 1: nothing to do */
};

/* What became of the records of one source. Each record counts once, in one of them. */
struct rf_source_counts {
    uint64_t folded; /* changed a customer */
    uint64_t filtered, duplicate, late, dead_letter, erase;
};
struct rf_source_view {
    const char *source, *topic;
    struct rf_source_counts counts;
};

struct rf_rule_counts {
    uint64_t raised, updated, cleared; /* derived events */
    uint64_t held[RF_HELD_BY_COUNT];   /* how often it would have fired, and was held back */
    uint64_t
        errors; /* evaluations that failed: the rule did not fire; those of aborted transactions too */
};
struct rf_rule_view {
    const char *rule, *version, *output, *severity, *mode; /* rf_rule_mode_name */
    struct rf_rule_counts counts;
    /* Evaluations, those of aborted transactions too. One in RF_METER_EVERY is timed (core/engine/meter.h). */
    uint64_t evaluations, timed;
    uint64_t timed_ns; /* of the timed ones together: timed_ns / timed is the cost of one */
};

struct rf_named_count {
    const char *name;
    uint64_t count;
};
struct rf_named_counts {
    size_t count;
    const struct rf_named_count *items;
};

/* Who has a partition, by the group's own account, at most RF_OWNERS_MS old. */
struct rf_owner {
    const char *instance; /* NULL: nobody has it now, or not known */
    const char *address;  /* its HTTP host:port; NULL: it advertises none */
    bool is_us;
};
#define RF_OWNERS_MS INT64_C(5000)

/* What patterns could not do as they should. */
struct rf_pattern_counts {
    uint64_t ignored; /* events that came too late for a pattern */
    uint64_t hurried; /* events taken before the watermark had reached them, for lack of room */
    uint64_t dropped; /* partial matches given up, for lack of room */
};

struct rf_snapshot {
    rf_ms at, started_at;
    const char *app, *instance, *plan_version;
    const char *group_state; /* "Stable", "PreparingRebalance", ...; NULL or "": not known */
    rf_span_ms kafka_away;   /* so long no broker has answered; 0: Kafka is there */
    size_t lag_count, task_count, worker_count, source_count, rule_count, partition_count;
    const struct rf_lag *lags;        /* by source, partition */
    const struct rf_task_view *tasks; /* by partition */
    const struct rf_worker_view *workers;
    const struct rf_source_view *sources;
    const struct rf_rule_view *rules;
    const struct rf_owner *owners;            /* by partition: all of them, also others' */
    struct rf_histogram event_delay;          /* the broker's timestamp - the event's own time */
    struct rf_named_counts dead_letters;      /* by class: "record", "late", "quarantined" */
    struct rf_named_counts store_errors;      /* "damaged", "unwritable", "unopened" */
    struct rf_named_counts registry_requests; /* by HTTP status, "error": no answer */
    struct rf_named_counts
        memory; /* bytes: "hot_records", "transactions", "block_cache", "memtables", ... */
    uint64_t evicted, erased; /* customers */
    struct rf_pattern_counts patterns;
    uint64_t seen_forgotten; /* event ids that de-duplication had no more room for */
    uint64_t values_dropped; /* values that features had no more room for */
    uint64_t emitted;        /* sequence number of the last recent event; see inspect.h */
};
