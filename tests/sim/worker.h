/* A worker as in edge/stream/worker.h and what stands beside it, against the model instead of librdkafka. The
 * functions have the names of those that they mirror, and their structure; what is left out is at-least-once
 * delivery, logs and statistics. */
#pragma once
#include "core/task/inputs.h"
#include "core/task/task_state.h"
#include "core/task/transaction.h"
#include "sim/client.h"
#include "sim/fiber.h"
#include "sim/world.h"

struct rf_task;

enum sim_slot_state {
    SLOT_NONE,
    SLOT_WAITING,
    SLOT_RESTORING,
    SLOT_RUNNING,
    SLOT_BLOCKED
};

struct sim_slot {
    int32_t partition;
    enum sim_slot_state state;
    struct rf_task *task;
    bool paused;
    uint64_t wait_until, retry_at;
    int64_t position[SIM_SOURCES], committed[SIM_SOURCES], sent[SIM_SOURCES];

    int64_t changelog_target, tasks_target, changelog_reached, tasks_reached, tasks_low, tasks_from;
    bool has_state;
    struct rf_task_state state_found;
    char state_bytes[4096];

    bool schema_written;
    int64_t changelog_last;
    size_t changelog_produced, changelog_acknowledged;

    /* the simulator's own */
    bool fed; /* since it was restored */
    struct rf_inputs
        shadow; /* the places of what the task was fed, in the order in which it folds */
    struct sim_step
        *steps; /* owned; of the open transaction, and what time passed in vain before it */
    size_t step_count, step_capacity, steps_kept;
};

/* Reads the changelog and the tasks topic. */
struct sim_restorer {
    bool open;
    bool reads[2][SIM_PARTITIONS_MAX]; /* changelog, tasks */
    int64_t at[2][SIM_PARTITIONS_MAX];
};

struct sim_worker {
    struct sim_world *world;       /* not owned */
    struct sim_instance *instance; /* not owned */
    int index; /* of all workers of all instances; its transactional id and group.instance.id */
    struct sim_fiber fiber;
    uint64_t wakes_at, stalls_until;
    uint64_t polled; /* the consumer, last */

    struct sim_consumer consumer;
    struct sim_producer *producer; /* owned */
    struct sim_restorer restorer;
    bool renew_producer, connection_failed, commit_asked;
    struct sim_slot slots[SIM_PARTITIONS_MAX];
    struct rf_transaction transaction;
    uint64_t began;
    size_t folded;
    struct rf_buffer buffer;
    int abort_streak;
    bool quarantined;
    uint64_t stored, synced, rest_until;
    bool fatal, rejoin, stop, ended;
};

struct sim_worker *sim_worker_start(struct sim_world *world, struct sim_instance *instance,
                                    int index);
void sim_worker_resume(struct sim_worker *worker);
void sim_worker_kill(struct sim_worker *worker); /* where it stands; frees it */
bool sim_worker_is_idle(const struct sim_worker *worker);
int32_t sim_worker_tasks(const struct sim_worker *worker); /* those that run */
void sim_worker_check(const struct sim_worker *worker);

/* for the client and each other */
void sim_pause(struct sim_worker *worker); /* others go on */
void sim_sleep(struct sim_worker *worker, uint64_t ticks);

enum rf_transaction_input sim_produce_outbox(struct sim_worker *worker, struct sim_slot *slot);
enum rf_transaction_input sim_produce_records(struct sim_worker *worker, struct sim_slot *slot);
enum rf_transaction_input sim_produce_state(struct sim_worker *worker, struct sim_slot *slot);
void sim_delivered(struct sim_worker *worker, const struct sim_message *message);
bool sim_open_producer(struct sim_worker *worker);
void sim_close_producer(struct sim_worker *worker);

void sim_commit_feed(struct sim_worker *worker, enum rf_transaction_input input);
bool sim_commit_is_open(const struct sim_worker *worker);

void sim_rebalanced(struct sim_worker *worker, enum sim_poll what);
void sim_slots_pause(struct sim_worker *worker, struct sim_slot *slot);
void sim_slots_resume(struct sim_worker *worker, struct sim_slot *slot);
void sim_slots_release(struct sim_worker *worker);

void sim_restore_begin(struct sim_worker *worker, struct sim_slot *slot);
void sim_restore_step(struct sim_worker *worker);
