/* How far behind a partition of a source is, and whether that is cause for worry: arithmetic on what was observed,
 * from whichever sides. The formulas are in snapshot.h, struct rf_lag. No clock is read here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/task/snapshot.h"

/* What the worker says: it knows which records it has and which of them are committed. */
struct rf_lag_reading {
    int64_t committed, position; /* -1: not known, none */
    int64_t oldest_offset;       /* of the oldest input that is not committed; -1: none */
    rf_ms oldest_time;           /* of it */
    rf_ms last_time;  /* the timestamp of the record that was read last; RF_MS_MIN: none */
    uint64_t records; /* read */
    bool from_end;    /* where nothing is committed: reading began at the end, not at log_start */
};

/* What the broker says of the partition. */
struct rf_lag_ends {
    int64_t log_start, log_end; /* -1: not known yet */
    int64_t stable_end;         /* asked for where nothing moves; -1: not known */
    rf_ms asked_at;
    int64_t caught_up_end; /* the last log_end that was reached; -1: none */
    rf_ms caught_up_at;    /* when that was seen; RF_MS_MIN: never */
};

/* What was found where the oldest record that is not committed has to be: asked of the broker. */
struct rf_lag_probe {
    int64_t from;   /* looked for the first record at or behind this offset; -1: never looked */
    int64_t offset; /* where it is; -1: there is none before `until` */
    int64_t until;  /* nothing but transaction markers from `from` up to here, where offset is -1 */
    rf_ms time;     /* its timestamp */
};

/* The offset from which on nothing is committed; -1: where the end was when reading began, which is not known. */
int64_t rf_lag_next(const struct rf_lag_reading *reading, const struct rf_lag_ends *ends);

/* Fills in everything but the names, rate and status. */
void rf_lag_measure(const struct rf_lag_reading *reading, const struct rf_lag_ends *ends,
                    const struct rf_lag_probe *probe, rf_ms now, struct rf_lag *lag);

/* ---- what has happened lately ---- */

#define RF_LAG_SAMPLES   11 /* of the window: one each RF_LAG_SAMPLE_MS, both ends included */
#define RF_LAG_SAMPLE_MS (RF_LAG_WINDOW_MS / (RF_LAG_SAMPLES - 1))

struct rf_lag_sample {
    int64_t at_ms; /* monotonic */
    int64_t next, lag;
};

struct rf_lag_history {
    struct rf_lag_sample samples[RF_LAG_SAMPLES]; /* a ring */
    size_t count, newest;
};

/* At most one each RF_LAG_SAMPLE_MS is kept, and the smallest lag in between. */
void rf_lag_history_add(struct rf_lag_history *history, int64_t at_ms, int64_t next, int64_t lag);
void rf_lag_history_clear(struct rf_lag_history *history);

/* `turned_ms`: how long ago the worker has turned last, or -1: it never did, or has ended; 0 while it waits for
 * Kafka. */
enum rf_lag_status rf_lag_status(const struct rf_lag_history *history, enum rf_task_status task,
                                 rf_span_ms turned_ms);

/* ---- how fast a counter moves ---- */

#define RF_RATE_SAMPLES 11
struct rf_rate {
    struct {
        int64_t at_ms; /* monotonic */
        double value;
    } samples[RF_RATE_SAMPLES]; /* a ring; one a second: the last ten */
    size_t count, newest;
};

/* A value that goes back (a task that came anew) begins anew. */
void rf_rate_add(struct rf_rate *rate, int64_t at_ms, double value);
/* Per second between the oldest and the newest; 0 before there are two. */
double rf_rate_per_second(const struct rf_rate *rate);
