/* As edge/stream/assignment.c and restore.c: which partitions are ours, and how their tasks catch up. */
#include <string.h>

#include "core/base/assert.h"
#include "core/model/source.h"
#include "core/task/task.h"
#include "core/task/task_state.h"
#include "core/task/task_store.h"
#include "sim/worker.h"

#define RETRY       20
#define SOURCE_WAIT 40

enum restored_topic {
    CHANGELOG,
    TASKS
};

static const enum sim_topic restored_topics[] = {SIM_CHANGELOG, SIM_TASKS};

/* ---- assignment ---- */

static bool assign_slot(struct sim_worker *worker, struct sim_slot *slot, struct rf_error *err)
{
    if (!sim_committed_offsets(worker, slot->partition, slot->committed, err))
        return false;
    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        int64_t high = sim_log_high(&worker->world->broker, (enum sim_topic)s, slot->partition);
        int64_t offset = slot->committed[s] >= 0 ? slot->committed[s] : 0;

        if (offset > high)
            sim_fail(worker->world, "the committed offset %lld of %s-%d is behind its end %lld",
                     (long long)offset, sim_topic_names[s], (int)slot->partition, (long long)high);
        worker->consumer.fetch[s][slot->partition] = offset;
        slot->position[s] = slot->committed[s];
        slot->sent[s] = -1;
    }
    slot->state = SLOT_WAITING;
    slot->retry_at = 0;
    slot->schema_written = false;
    rf_inputs_forget(&slot->shadow);
    slot->step_count = 0;
    slot->steps_kept = 0;
    slot->fed = false;
    return true;
}

static void assign(struct sim_worker *worker)
{
    struct rf_error err = {0};
    bool ok = true;

    for (int32_t i = 0; ok && i < worker->world->settings.partitions; i++) {
        if ((worker->consumer.assigned & (1U << i)) != 0)
            ok = assign_slot(worker, &worker->slots[i], &err);
    }
    if (!ok) {
        sim_trace(worker->world, "%d: the assignment cannot be taken", worker->index);
        sim_slots_release(worker);
        worker->rejoin = true;
        sim_consumer_unassign(worker);
        return;
    }
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        worker->slots[i].paused = true;
        worker->consumer.paused[i] = true;
    }
    sim_trace(worker->world, "%d: assigned %x in generation %u", worker->index,
              worker->consumer.assigned, worker->consumer.generation);
}

void sim_rebalanced(struct sim_worker *worker, enum sim_poll what)
{
    if (what == SIM_POLL_ASSIGNED) {
        assign(worker);
        return;
    }
    sim_trace(worker->world, "%d: %s", worker->index,
              what == SIM_POLL_LOST ? "lost its partitions" : "has to hand its partitions back");
    if (sim_commit_is_open(worker))
        sim_commit_feed(worker, what == SIM_POLL_LOST ? RF_INPUT_REVOKED : RF_INPUT_DUE);
    sim_slots_release(worker);
    sim_consumer_unassign(worker);
}

void sim_slots_pause(struct sim_worker *worker, struct sim_slot *slot)
{
    worker->consumer.paused[slot->partition] = true;
    slot->paused = true;
}

void sim_slots_resume(struct sim_worker *worker, struct sim_slot *slot)
{
    worker->consumer.paused[slot->partition] = false;
    slot->paused = false;
}

static void release(struct sim_worker *worker, struct sim_slot *slot)
{
    struct rf_error err = {0};
    struct rf_task *task = slot->task;

    slot->task = NULL;
    rf_inputs_forget(&slot->shadow);
    if (task != NULL) {
        if (worker->world->plant != SIM_PLANT_KEEP_INPUTS)
            rf_task_forget_inputs(task);
        if (!rf_task_flush(task, 0, &err) || !rf_task_sync(task, false, &err)) {
            sim_trace(worker->world, "%d: task %d is closed: %s", worker->index,
                      (int)slot->partition, err.message);
            rf_task_close(task);
            task = NULL;
        }
    }
    rf_assert(worker->instance->garage_out[slot->partition]);
    worker->instance->garage_out[slot->partition] = false;
    worker->instance->garage[slot->partition] = task;
}

void sim_slots_release(struct sim_worker *worker)
{
    rf_assert(worker->transaction.state == RF_TRANSACTION_IDLE ||
              worker->transaction.state == RF_TRANSACTION_LOST);
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];

        if (slot->state == SLOT_RUNNING || slot->state == SLOT_BLOCKED ||
            slot->state == SLOT_RESTORING)
            release(worker, slot);
        slot->state = SLOT_NONE;
        slot->paused = false;
    }
}

/* ---- restore ---- */

static void retry_later(struct sim_worker *worker, struct sim_slot *slot, const char *what)
{
    sim_trace(worker->world, "%d: task %d: %s", worker->index, (int)slot->partition, what);
    slot->retry_at = worker->world->now + RETRY;
}

static bool watermark(struct sim_worker *worker, enum sim_topic topic, int32_t partition,
                      int64_t *high)
{
    sim_pause(worker);
    if (sim_happens(worker->world, SIM_FAULT_QUERY))
        return false;
    *high = worker->world->plant == SIM_PLANT_RESTORE_TO_STABLE
                ? sim_log_stable(&worker->world->broker, topic, partition)
                : sim_log_high(&worker->world->broker, topic, partition);
    sim_pause(worker);
    return true;
}

static void assign_restorer(struct sim_worker *worker)
{
    struct sim_restorer *restorer = &worker->restorer;

    memset(restorer, 0, sizeof *restorer);
    restorer->open = true;
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        const struct sim_slot *slot = &worker->slots[i];

        if (slot->state != SLOT_RESTORING)
            continue;
        restorer->reads[CHANGELOG][i] = slot->changelog_reached < slot->changelog_target;
        restorer->at[CHANGELOG][i] = slot->changelog_reached;
        restorer->reads[TASKS][i] = slot->tasks_reached < slot->tasks_target;
        restorer->at[TASKS][i] = slot->tasks_reached;
    }
}

static bool find_targets(struct sim_worker *worker, struct sim_slot *slot)
{
    int64_t from = rf_task_changelog_next(slot->task);
    int64_t changelog_high = 0;
    int64_t tasks_high = 0;
    bool half = worker->world->plant == SIM_PLANT_HALF_TARGETS;

    if (!watermark(worker, SIM_CHANGELOG, slot->partition,
                   half ? &slot->changelog_target : &changelog_high) ||
        !watermark(worker, SIM_TASKS, slot->partition, half ? &slot->tasks_target : &tasks_high))
        return false;
    if (!half) {
        slot->changelog_target = changelog_high;
        slot->tasks_target = tasks_high;
    }
    if (from > slot->changelog_target && worker->world->plant != SIM_PLANT_RESTORE_TO_STABLE)
        sim_fail(worker->world, "the store of task %d is at %lld, the changelog ends at %lld",
                 (int)slot->partition, (long long)from, (long long)slot->changelog_target);
    slot->changelog_reached = from < 0 ? 0 : from;
    slot->tasks_low = 0;
    slot->tasks_from = 0;
    if (from != RF_CHECKPOINT_NONE &&
        slot->tasks_target - worker->world->settings.tasks_tail > slot->tasks_low)
        slot->tasks_from = slot->tasks_target - worker->world->settings.tasks_tail;
    slot->tasks_reached = slot->tasks_from;
    return true;
}

void sim_restore_begin(struct sim_worker *worker, struct sim_slot *slot)
{
    rf_assert(slot->task != NULL);
    slot->state = SLOT_RESTORING;
    slot->has_state = false;
    slot->changelog_reached = 0;
    slot->tasks_reached = 0;
    slot->changelog_target = 0;
    slot->tasks_target = 0;
    if (!find_targets(worker, slot)) {
        retry_later(worker, slot, "restoring cannot begin yet");
        return;
    }
    assign_restorer(worker);
    slot->retry_at = 0;
    if (worker->world->plant == SIM_PLANT_RUN_BEFORE_RESTORED) {
        slot->state = SLOT_RUNNING;
        sim_slots_resume(worker, slot);
    }
}

static void read_bookkeeping(struct sim_worker *worker, struct sim_slot *slot,
                             const struct sim_entry *entry)
{
    struct rf_error err = {0};

    if (!rf_bytes_equal(entry->key, rf_bytes_of_text("state"))) {
        rf_task_restore_schema(slot->task, entry->key, entry->value);
        return;
    }
    rf_assert(entry->value.size <= sizeof slot->state_bytes);
    memcpy(slot->state_bytes, entry->value.data, entry->value.size);
    if (!rf_task_state_read(rf_bytes_of(slot->state_bytes, entry->value.size), &slot->state_found,
                            &err))
        sim_fail(worker->world, "%s", err.message);
    slot->has_state = true;
}

static void read_record(struct sim_worker *worker, struct sim_slot *slot,
                        const struct sim_entry *entry, int64_t offset)
{
    struct rf_error err = {0};

    if (!rf_task_restore(slot->task, entry->key, entry->value, &err)) {
        retry_later(worker, slot, err.message);
        return;
    }
    rf_task_restored_to(slot->task, offset + 1);
    worker->world->counts.restored++;
    if (!rf_task_flush(slot->task, worker->world->settings.records_memory, &err))
        retry_later(worker, slot, err.message);
}

static void read_message(struct sim_worker *worker, enum restored_topic topic, int32_t partition,
                         const struct sim_entry *entry, int64_t offset)
{
    struct sim_slot *slot = &worker->slots[partition];
    int64_t *reached = topic == CHANGELOG ? &slot->changelog_reached : &slot->tasks_reached;

    if (slot->state != SLOT_RESTORING)
        return;
    if (entry == NULL) { /* the partition's end */
        if (offset > *reached)
            *reached = offset;
        return;
    }
    if (offset < *reached)
        return;
    if (topic == CHANGELOG)
        read_record(worker, slot, entry, offset);
    else
        read_bookkeeping(worker, slot, entry);
    *reached = offset + 1;
}

/* The next message of that partition, or its end. */
static void poll_partition(struct sim_worker *worker, enum restored_topic topic, int32_t partition)
{
    struct sim_broker *broker = &worker->world->broker;
    struct sim_log *log = sim_log_of(broker, restored_topics[topic], partition);
    int64_t stable = sim_log_stable(broker, restored_topics[topic], partition);
    int64_t *at = &worker->restorer.at[topic][partition];

    while (*at < stable && !sim_entry_is_committed(broker, &log->entries[*at]))
        (*at)++;
    if (*at >= stable) {
        read_message(worker, topic, partition, NULL, *at);
        return;
    }
    read_message(worker, topic, partition, &log->entries[*at], *at);
    (*at)++;
}

static void poll_restorer(struct sim_worker *worker)
{
    struct sim_random *random = &worker->world->random;
    int64_t count = sim_random_between(random, 1, 12);

    while (count-- > 0) {
        enum restored_topic topic = sim_random_below(random, 2) == 0 ? CHANGELOG : TASKS;
        int32_t partition = (int32_t)sim_random_below(random, worker->world->settings.partitions);

        if (worker->restorer.reads[topic][partition])
            poll_partition(worker, topic, partition);
        if (sim_random_chance(random, 100))
            sim_pause(worker);
    }
}

static bool speak_of_one_moment(const struct sim_worker *worker, const struct sim_slot *slot)
{
    for (size_t s = 0; s < SIM_SOURCES; s++) {
        int64_t in_changelog = -1;

        for (size_t i = 0; slot->has_state && i < slot->state_found.position_count; i++) {
            if (rf_bytes_equal(slot->state_found.positions[i].topic,
                               rf_bytes_of_text(worker->world->plan.plan.sources[s].topic)))
                in_changelog = slot->state_found.positions[i].offset;
        }
        if (in_changelog != slot->committed[s])
            return false;
    }
    return true;
}

/* Either somebody else has gone on from here meanwhile, and we shall be told; or offsets and state disagree. */
static void disagree(struct sim_worker *worker, struct sim_slot *slot)
{
    int64_t now[SIM_SOURCES];
    struct rf_error err = {0};
    bool moved = false;

    if (worker->world->plant != SIM_PLANT_MISMATCH_IS_FATAL) {
        if (!sim_committed_offsets(worker, slot->partition, now, &err)) {
            retry_later(worker, slot, err.message);
            return;
        }
        for (size_t s = 0; s < SIM_SOURCES; s++)
            moved = moved || now[s] != slot->committed[s];
    }
    if (!moved)
        sim_fail(worker->world, "the state of task %d is not of the committed offsets",
                 (int)slot->partition);
    sim_trace(worker->world, "%d: task %d has gone on elsewhere", worker->index,
              (int)slot->partition);
    worker->rejoin = true;
    slot->retry_at = worker->world->now + RETRY;
}

static void finish(struct sim_worker *worker, struct sim_slot *slot)
{
    struct rf_error err = {0};

    if (!slot->has_state && slot->tasks_from > slot->tasks_low) {
        slot->tasks_from = slot->tasks_low;
        slot->tasks_reached = slot->tasks_low;
        assign_restorer(worker);
        return;
    }
    if (!speak_of_one_moment(worker, slot)) {
        disagree(worker, slot);
        return;
    }
    if (!rf_task_restore_end(slot->task, slot->changelog_target, &err)) {
        retry_later(worker, slot, err.message);
        return;
    }
    if (slot->has_state)
        rf_task_restore_state(slot->task, &slot->state_found);
    slot->state = SLOT_RUNNING;
    slot->wait_until = worker->world->now + SOURCE_WAIT;
    sim_slots_resume(worker, slot);
    sim_trace(worker->world, "%d: task %d is ready at %lld", worker->index, (int)slot->partition,
              (long long)slot->changelog_target);
}

static bool is_needed(const struct sim_worker *worker)
{
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        if (worker->slots[i].state == SLOT_RESTORING)
            return true;
    }
    return false;
}

void sim_restore_step(struct sim_worker *worker)
{
    if (worker->restorer.open)
        poll_restorer(worker);
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];

        if (slot->state != SLOT_RESTORING)
            continue;
        if (slot->retry_at != 0) {
            if (worker->world->now >= slot->retry_at)
                sim_restore_begin(worker, slot);
        } else if (slot->changelog_reached >= slot->changelog_target &&
                   slot->tasks_reached >= slot->tasks_target) {
            finish(worker, slot);
        }
    }
    if (worker->restorer.open && !is_needed(worker))
        worker->restorer.open = false;
}
