/* The client library as a worker sees it: calls that block, fail by class, and report deliveries in their own time.
 * Every call lets the others go on before and after it took effect. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "sim/broker.h"

enum sim_code {
    SIM_OK,
    SIM_RETRIABLE,
    SIM_ABORTABLE,
    SIM_FATAL,       /* and nobody knows what became of it */
    SIM_MSG_SIZE,    /* of one message: it will never be taken */
    SIM_WRONG_STATE, /* of the producer */
};

struct sim_cause {
    int32_t partition;
    uint32_t source;
    int64_t offset;
    struct rf_bytes customer; /* of a timer */
};

struct sim_message {
    enum sim_topic topic;
    int32_t partition;
    struct sim_entry entry;
    const struct sim_claim *claim;
    struct sim_cause cause;
    bool has_cause;
    /* once delivered */
    bool failed, too_large;
    int64_t offset;
};

enum sim_producer_state {
    SIM_READY,
    SIM_IN_TRANSACTION,
    SIM_MUST_ABORT,
    SIM_BROKEN
};

struct sim_worker;

struct sim_producer {
    struct sim_worker *worker; /* not owned */
    enum sim_producer_state state;
    uint32_t epoch;
    bool registered;           /* the broker knows of the transaction */
    struct sim_message *queue; /* owned; [0..reported) reported, [..sent) sent, the rest waits */
    size_t count, capacity, sent, reported;
};

struct sim_producer *sim_producer_open(struct sim_worker *worker);
void sim_producer_free(struct sim_producer *producer);
void sim_producer_purge(struct sim_producer *producer); /* what waits is reported as failed */
enum sim_code sim_producer_init(struct sim_producer *producer);
enum sim_code sim_producer_begin(struct sim_producer *producer);
enum sim_code sim_producer_produce(struct sim_producer *producer,
                                   const struct sim_message *message);
void sim_producer_poll(struct sim_producer *producer);
void sim_producer_flush(struct sim_producer *producer);
enum sim_code sim_producer_send_offsets(struct sim_producer *producer,
                                        const struct sim_offsets_request *request);
enum sim_code sim_producer_commit(struct sim_producer *producer);
enum sim_code sim_producer_abort(struct sim_producer *producer);

/* ---- the consumer ---- */

enum sim_poll {
    SIM_POLL_NOTHING,
    SIM_POLL_REVOKED,
    SIM_POLL_LOST,
    SIM_POLL_ASSIGNED,
};

struct sim_consumer {
    bool open;
    uint32_t member_id;
    uint32_t generation;
    uint32_t assigned; /* a bit a partition */
    bool has_assignment;
    int64_t fetch[SIM_SOURCES][SIM_PARTITIONS_MAX];    /* what is handed out next */
    int64_t position[SIM_SOURCES][SIM_PARTITIONS_MAX]; /* -1: nothing was handed out */
    bool paused[SIM_PARTITIONS_MAX];
};

void sim_consumer_open(struct sim_worker *worker);
/* What the group has to say. REVOKED and LOST: call sim_consumer_unassign afterwards. */
enum sim_poll sim_consumer_poll(struct sim_worker *worker);
void sim_consumer_unassign(struct sim_worker *worker);
/* The next message of a partition that is not paused, NULL: none. */
const struct sim_entry *sim_consumer_next(struct sim_worker *worker, uint32_t *source,
                                          int32_t *partition, int64_t *offset);
bool sim_committed_offsets(struct sim_worker *worker, int32_t partition,
                           int64_t offsets[SIM_SOURCES], struct rf_error *err);
