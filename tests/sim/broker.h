/* Kafka as far as exactly-once depends on it, without a network: logs with transactions and their markers, producer
 * epochs, the group's offsets, one consumer group. What the real broker does between two requests happens in
 * sim_broker_tick. Where the real one was measured, FACTS of the design say so; the model follows them:
 *
 *   - EndTxn is answered when the decision is logged; markers reach each partition later, in any order, and until
 *     then the transaction's records are behind the last stable offset and its offsets unstable
 *   - a new producer with the same transactional id bumps the epoch and ends what the old one left open
 *   - a transaction that is open for too long is aborted and its producer fenced
 *   - a request that the network kept back is applied when it arrives, if the epoch is still the same */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "sim/plan.h"
#include "sim/random.h"

#define SIM_PARTITIONS_MAX 3
#define SIM_LOGS           (SIM_TOPIC_COUNT * SIM_PARTITIONS_MAX)
#define SIM_PRODUCERS_MAX  8
#define SIM_NEVER          UINT64_MAX

struct sim_world;

enum sim_entry_kind {
    SIM_DATA,
    SIM_MARKER
};

/* A dead letter's headers. */
struct sim_letter {
    uint32_t source;
    int64_t offset;
    const char *error_class;
};

struct sim_entry {
    enum sim_entry_kind kind;
    uint32_t txn; /* 0: none */
    rf_ms time;
    struct rf_bytes key, value;      /* in the broker's arena */
    const struct sim_letter *letter; /* dead letters */
};

struct sim_log {
    struct sim_entry *entries; /* owned */
    int64_t count, capacity;
    int64_t stable; /* no undecided transaction before; moves on demand */
};

enum sim_decision {
    SIM_OPEN,
    SIM_COMMITTED,
    SIM_ABORTED
};

/* What a task did: folded an input, or let time pass. */
#define SIM_TIME UINT32_MAX
struct sim_step {
    uint32_t source; /* SIM_TIME: time passed */
    int64_t offset;  /* where time stands then */
    bool complete;   /* everything due up to there has fired; else there was more to do */
    size_t fired;    /* timers of the transaction, by then */
};

/* What a state record speaks of. Known to the simulator only. */
struct sim_claim {
    int32_t partition;
    int64_t changelog_next;     /* of the task, when it began to fold */
    int64_t began[SIM_SOURCES]; /* positions before; -1: none */
    int64_t sent[SIM_SOURCES];  /* and after */
    size_t step_count;
    struct sim_step *steps; /* in the order of folding */
};

struct sim_txn {
    int producer; /* -1: of an upstream system, into a source topic */
    enum sim_decision decision;
    uint64_t began;
    uint64_t touched, marked; /* a bit a log; bit SIM_LOGS: the group's offsets */
    bool complete;
    int64_t offsets[SIM_SOURCES][SIM_PARTITIONS_MAX]; /* pending; -1: none */
    const struct sim_claim *claims[SIM_PARTITIONS_MAX];
};

struct sim_transactional_id {
    uint32_t epoch;
    uint32_t txn; /* open or being completed; 0: none */
    enum sim_decision last;
};

/* A request that the network delivers later, again. */
struct sim_delayed {
    uint64_t due;
    int producer;
    uint32_t epoch;
    bool is_end, commit;
    uint32_t member_id, generation;
    int64_t offsets[SIM_SOURCES][SIM_PARTITIONS_MAX];
};

enum sim_reply {
    SIM_DONE,
    SIM_FENCED,
    SIM_INVALID,      /* no such transaction */
    SIM_CONCURRENT,   /* the one before is still being completed: again, soon */
    SIM_STALE_MEMBER, /* the group has moved on */
    SIM_TOO_LARGE,
};

/* ---- the group ---- */

struct sim_member {
    bool exists, joined;
    uint32_t
        id; /* new with each consumer: a static member that comes back replaces its former self */
    uint64_t heard; /* last heartbeat */
    uint32_t generation;
    uint32_t assigned; /* a bit a partition */
};

struct sim_group {
    uint32_t generation;
    bool rebalancing;
    uint32_t ids;
    struct sim_member members[SIM_PRODUCERS_MAX]; /* by worker */
};

struct sim_broker {
    struct sim_world *world; /* not owned */
    struct rf_arena arena;   /* what the logs hold */
    struct sim_log logs[SIM_LOGS];
    struct sim_txn *txns; /* owned; [0] is not used */
    uint32_t txn_count, txn_capacity;
    uint32_t txn_oldest; /* those before are complete */
    struct sim_transactional_id ids[SIM_PRODUCERS_MAX];
    int64_t committed[SIM_SOURCES][SIM_PARTITIONS_MAX]; /* -1: nothing */
    struct sim_group group;
    struct sim_delayed *delayed; /* owned */
    size_t delayed_count, delayed_capacity;
};

void sim_broker_init(struct sim_broker *broker, struct sim_world *world);
void sim_broker_deinit(struct sim_broker *broker);
/* What goes on by itself: markers, time-outs, delayed requests, the group's coordinator. */
void sim_broker_tick(struct sim_broker *broker);
bool sim_broker_is_settled(const struct sim_broker *broker); /* nothing open, nothing under way */

struct sim_log *sim_log_of(struct sim_broker *broker, enum sim_topic topic, int32_t partition);
int64_t sim_log_high(struct sim_broker *broker, enum sim_topic topic, int32_t partition);
int64_t sim_log_stable(struct sim_broker *broker, enum sim_topic topic, int32_t partition);
/* Data, and decided: a read_committed consumer is given it once it is before the last stable offset. */
bool sim_entry_is_committed(const struct sim_broker *broker, const struct sim_entry *entry);

/* A transaction of somebody upstream. */
uint32_t sim_upstream_begin(struct sim_broker *broker);
void sim_upstream_end(struct sim_broker *broker, uint32_t txn, bool commit);
int64_t sim_append(struct sim_broker *broker, enum sim_topic topic, int32_t partition,
                   const struct sim_entry *entry);

/* Requests. `init`: SIM_CONCURRENT until what was open is completed. */
enum sim_reply sim_broker_init_producer(struct sim_broker *broker, int producer, uint32_t *epoch);
struct sim_produce_request {
    int producer;
    uint32_t epoch;
    enum sim_topic topic;
    int32_t partition;
    struct sim_entry entry;
    const struct sim_claim *claim;
};
enum sim_reply sim_broker_produce(struct sim_broker *broker,
                                  const struct sim_produce_request *request, int64_t *offset);
struct sim_offsets_request {
    int producer;
    uint32_t epoch;
    uint32_t member_id, generation;
    bool any_member; /* metadata without a generation: accepted from anybody */
    int64_t offsets[SIM_SOURCES][SIM_PARTITIONS_MAX]; /* -1: not this one */
};
enum sim_reply sim_broker_send_offsets(struct sim_broker *broker,
                                       const struct sim_offsets_request *request);
enum sim_reply sim_broker_end(struct sim_broker *broker, int producer, uint32_t epoch, bool commit);
void sim_broker_delay(struct sim_broker *broker, const struct sim_delayed *delayed);

/* False while a transaction has offsets of the partition pending (a stable fetch waits). */
bool sim_broker_committed(struct sim_broker *broker, int32_t partition, bool stable,
                          int64_t offsets[SIM_SOURCES]);

uint32_t sim_group_join(struct sim_broker *broker, int worker);
void sim_group_rebalance(struct sim_broker *broker);
void sim_group_remove(struct sim_broker *broker, int worker);
/* Is this member, with this generation, the one that the group knows? */
bool sim_group_knows(const struct sim_broker *broker, int worker, uint32_t member_id,
                     uint32_t generation);
