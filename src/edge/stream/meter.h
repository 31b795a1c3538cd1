/* What a worker counts, and the copy of it that others read. Inside this room only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/task/counts.h"
#include "core/task/lag.h"
#include "core/task/ledger.h"
#include "edge/stream/stream.h"

struct rf_worker;
struct rf_slot;

enum rf_store_fault {
    RF_STORE_DAMAGED,
    RF_STORE_UNWRITABLE,
    RF_STORE_UNOPENED,
};
#define RF_STORE_FAULTS 3

struct rf_meter {
    /* worker's own */
    enum rf_producer_cause cause; /* of the next producer */
    uint64_t producers_made[RF_PRODUCER_CAUSES];
    uint64_t rebalances, questions, restored;
    uint64_t store_faults[RF_STORE_FAULTS];
    struct rf_histogram commit_duration;
    rf_ns commit_began_ns;
    rf_ms committed_at;
    int64_t committed_ms;        /* the same, monotonic; -1: never */
    rf_ns idle_ns;               /* waited for records */
    rf_ns poll_began_ns;         /* 0: the poll that is under way has brought something */
    struct rf_ledger ledger;     /* of what is committed */
    struct rf_rule_meter *rules; /* owned; by rule */
    int64_t published_ms, sized_ms;
};

/* One of the worker's slots, as it was published. What others are told of its state is made of this. */
struct rf_published_slot {
    int32_t partition;
    enum rf_slot_state state;
    char blocked[RF_ERROR_MESSAGE_MAX];
    int64_t changelog_next, changelog_target, restore_from;
    int64_t restore_began_ms;
    uint64_t restored;
    rf_ms stream_time, clock, next_due; /* as rf_task_clock, rf_task_next_due */
    size_t pending;
    struct rf_task_counts counts;
    struct rf_records_stats hot;
    struct rf_store_sizes store;
    rf_ms committed_at, stored_at, durable_at;
};

/* A copy: the worker makes it in one it owns, and exchanges the two. */
struct rf_published {
    size_t slot_count, slot_capacity;
    struct rf_published_slot *slots; /* owned */
    struct rf_lag_reading *readings; /* owned; source s of slot i: [i * source_count + s] */
    uint64_t committed, aborted, unknown, lost;
    uint64_t producers_made[RF_PRODUCER_CAUSES];
    uint64_t rebalances, questions, restored;
    uint64_t store_faults[RF_STORE_FAULTS];
    struct rf_histogram commit_duration;
    rf_ms committed_at;
    int64_t committed_ms;
    rf_ns idle_ns;
    size_t transaction_bytes;
    struct rf_ledger ledger;
    struct rf_rule_meter *rules; /* owned; by rule */
};

void rf_meter_init(struct rf_worker *worker);
void rf_meter_deinit(struct rf_worker *worker);

/* Once a turn, after the poll, so that what was read and is not committed is seen. Copies at most four times a second;
 * `now`: in any case. */
void rf_meter_publish(struct rf_worker *worker, bool now);

/* How far each source of the slot is read and committed, as of now; [source], in the arena. */
const struct rf_lag_reading *rf_meter_read(struct rf_worker *worker, const struct rf_slot *slot,
                                           struct rf_arena *arena);

/* Around a poll, and when it has brought its first message. */
void rf_meter_poll_begins(struct rf_worker *worker);
void rf_meter_poll_brings(struct rf_worker *worker);
void rf_meter_poll_ends(struct rf_worker *worker);
/* From the decision to commit until the broker has done so. */
void rf_meter_commit_begins(struct rf_worker *worker);
void rf_meter_committed(struct rf_worker *worker);
/* The slot's part of the transaction is committed: called while its task still knows what is in it. */
void rf_meter_slot_committed(struct rf_worker *worker, struct rf_slot *slot);
