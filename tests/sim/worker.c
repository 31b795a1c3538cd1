/* As edge/stream/worker.c: poll, fold, commit when it is due, restore what was assigned, write what has gathered. */
#include "sim/worker.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_stats.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"

#define RETRY           20
#define BLOCKED_RETRY   8
#define GARAGE_RETRY    4
#define REJOIN_PAUSE    20
#define SOURCE_WAIT     12
#define ABORT_PAUSE_MAX 64
#define BUFFER_MAX      (1U << 20)

void sim_pause(struct sim_worker *worker)
{
    sim_fiber_yield(&worker->fiber);
}

void sim_sleep(struct sim_worker *worker, uint64_t ticks)
{
    worker->wakes_at = worker->world->now + ticks;
    sim_pause(worker);
}

/* ---- polling ---- */

/* Invariant 3: nothing is taken before the store has all that is committed. A member whom the group no longer
 * knows may be mistaken about that; its transaction is refused. */
static void check_first(struct sim_worker *worker, struct sim_slot *slot)
{
    const struct sim_consumer *consumer = &worker->consumer;
    const struct sim_truth_partition *truth = &worker->world->truth.partitions[slot->partition];
    int64_t next = rf_task_changelog_next(slot->task);

    if (slot->fed || !sim_group_knows(&worker->world->broker, worker->index, consumer->member_id,
                                      consumer->generation))
        return;
    if (next < truth->changelog_end)
        sim_fail(worker->world, "task %d takes an event at changelog offset %lld, before %lld",
                 (int)slot->partition, (long long)next, (long long)truth->changelog_end);
    for (int s = 0; s < SIM_SOURCES; s++) {
        if (slot->committed[s] != truth->next[s])
            sim_fail(worker->world, "task %d takes an event after %lld of %s instead of %lld",
                     (int)slot->partition, (long long)slot->committed[s], sim_topic_names[s],
                     (long long)truth->next[s]);
    }
}

static void feed(struct sim_worker *worker, struct sim_slot *slot, const struct sim_entry *entry,
                 uint32_t source, int64_t offset)
{
    struct rf_input input = {
        .source = source,
        .position = {.topic = worker->world->plan.plan.sources[source].topic,
                     .partition = slot->partition,
                     .offset = offset},
        .broker_time = entry->time,
        .key = entry->key,
        .value = entry->value,
    };

    check_first(worker, slot);
    slot->fed = true;
    rf_task_feed(slot->task, &input);
    input.key = (struct rf_bytes){0};
    input.value = (struct rf_bytes){0};
    rf_inputs_push(&slot->shadow, &input);
    slot->position[source] = offset + 1;
}

static void poll_messages(struct sim_worker *worker)
{
    size_t left = (size_t)sim_random_below(&worker->world->random,
                                           (int64_t)worker->world->settings.poll_max + 1);

    while (left-- > 0) {
        uint32_t source = 0;
        int32_t partition = 0;
        int64_t offset = 0;
        const struct sim_entry *entry = sim_consumer_next(worker, &source, &partition, &offset);
        struct sim_slot *slot = &worker->slots[partition];

        if (entry == NULL)
            return;
        if (slot->state == SLOT_RUNNING || slot->state == SLOT_BLOCKED)
            feed(worker, slot, entry, source, offset);
        else
            worker->rejoin = true;
    }
}

static size_t inputs_of(const struct sim_slot *slot)
{
    return slot->task == NULL ? 0 : rf_task_pending(slot->task) + rf_task_folded(slot->task);
}

static bool has_room(const struct sim_worker *worker)
{
    size_t inputs = 0;

    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        if (worker->slots[i].state != SLOT_BLOCKED)
            inputs += inputs_of(&worker->slots[i]);
    }
    return inputs < worker->world->settings.commit_events_max ||
           worker->world->plant == SIM_PLANT_POLL_ALWAYS;
}

static void poll_consumer(struct sim_worker *worker)
{
    enum sim_poll what = SIM_POLL_NOTHING;

    worker->polled = worker->world->now;
    what = sim_consumer_poll(worker);
    if (what != SIM_POLL_NOTHING)
        sim_rebalanced(worker, what);
    if (has_room(worker))
        poll_messages(worker);
}

/* ---- folding ---- */

static void rebuild(struct sim_worker *worker, struct sim_slot *slot, const char *why)
{
    int32_t partition = slot->partition;

    sim_trace(worker->world, "%d: the store of task %d is rebuilt: %s", worker->index,
              (int)partition, why);
    worker->world->counts.rebuilt++;
    if (sim_commit_is_open(worker))
        sim_commit_feed(worker, RF_INPUT_ABORTABLE);
    if (slot->task != NULL)
        rf_task_close(slot->task);
    slot->task = NULL;
    rf_inputs_forget(&slot->shadow);
    if (slot->state == SLOT_RUNNING || slot->state == SLOT_BLOCKED || slot->state == SLOT_RESTORING)
        worker->instance->garage_out[partition] = false;
    slot->state = SLOT_NONE;
    sim_disk_remove(&worker->instance->disks[partition]);
    worker->rejoin = true;
}

static void note_blocked(struct sim_worker *worker, struct sim_slot *slot)
{
    if (rf_task_is_blocked(slot->task, NULL)) {
        slot->state = SLOT_BLOCKED;
        slot->retry_at = worker->world->now + BLOCKED_RETRY;
        sim_slots_pause(worker, slot);
    } else if (slot->state == SLOT_BLOCKED) {
        slot->state = SLOT_RUNNING;
        sim_slots_resume(worker, slot);
    }
}

/* Which sources have more to come, as far as the last fetch told. */
static uint64_t sources_behind(const struct sim_worker *worker, const struct sim_slot *slot)
{
    uint64_t behind = 0;

    if (worker->world->now >= slot->wait_until ||
        inputs_of(slot) > worker->world->settings.commit_events_max / 2)
        return 0;
    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        int64_t high = sim_log_high(&worker->world->broker, (enum sim_topic)s, slot->partition);

        if (slot->position[s] < high)
            behind |= UINT64_C(1) << s;
    }
    return behind;
}

static void add_step(struct sim_slot *slot, struct sim_step step)
{
    if (slot->step_count == slot->step_capacity) {
        slot->step_capacity = slot->step_capacity == 0 ? 64 : slot->step_capacity * 2;
        slot->steps = realloc(slot->steps, slot->step_capacity * sizeof *slot->steps);
        rf_assert(slot->steps != NULL);
    }
    slot->steps[slot->step_count++] = step;
}

/* What the last call did, for the truth to do the same. */
static void follow(struct sim_slot *slot, uint64_t behind, size_t count)
{
    rf_inputs_arrange(&slot->shadow, behind);
    while (count-- > 0) {
        const struct rf_input *input = rf_inputs_at(&slot->shadow, 0);

        add_step(slot,
                 (struct sim_step){.source = input->source, .offset = input->position.offset});
        rf_inputs_folded(&slot->shadow);
    }
}

/* Wherever it stopped: if nothing is due by its clock any more, everything up to there has been looked at, be it in
 * vain, and the truth's clock has to get there as well. */
static void follow_time(struct sim_slot *slot)
{
    add_step(slot, (struct sim_step){.source = SIM_TIME,
                                     .offset = rf_task_clock_open(slot->task),
                                     .complete = !rf_task_is_due(slot->task, RF_MS_MIN),
                                     .fired = rf_task_fired(slot->task)});
}

/* As edge/stream/silence.c. */
static bool is_silent(struct sim_worker *worker, const struct sim_slot *slot)
{
    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        if (worker->consumer.fetch[s][slot->partition] <
            sim_log_high(&worker->world->broker, (enum sim_topic)s, slot->partition))
            return false;
    }
    return !sim_happens(worker->world, SIM_FAULT_QUERY);
}

static rf_ms silence_clock(struct sim_worker *worker, const struct sim_slot *slot)
{
    const struct rf_plan *plan = &worker->world->plan.plan;
    rf_ms clock = worker->world->wall - (plan->lateness == RF_LATENESS_NONE ? 0 : plan->lateness);

    if (rf_task_pending(slot->task) > 0 || !rf_task_is_due(slot->task, clock) ||
        !is_silent(worker, slot))
        return RF_MS_MIN;
    return clock;
}

static void fold_slot(struct sim_worker *worker, struct sim_slot *slot, rf_ms silent_until)
{
    struct rf_error err = {0};
    size_t before = rf_task_folded(slot->task);
    size_t fired = rf_task_fired(slot->task);
    enum rf_transaction_input input = RF_INPUT_OK;
    uint64_t behind = sources_behind(worker, slot);

    rf_task_set_behind(slot->task, behind);
    if (rf_task_ready(slot->task) == 0 && !rf_task_is_due(slot->task, silent_until) &&
        (slot->state != SLOT_BLOCKED || rf_task_pending(slot->task) > 0))
        return;
    if (!sim_commit_is_open(worker))
        sim_commit_feed(worker, RF_INPUT_EVENT);
    if (!sim_commit_is_open(worker) || slot->task == NULL)
        return;
    if (!(silent_until == RF_MS_MIN ? rf_task_fold(slot->task, &err)
                                    : rf_task_advance(slot->task, silent_until, &err))) {
        rebuild(worker, slot, err.message);
        return;
    }
    follow(slot, behind, rf_task_folded(slot->task) - before);
    follow_time(slot);
    worker->folded += rf_task_folded(slot->task) - before + rf_task_fired(slot->task) - fired;
    if (rf_task_folded(slot->task) > before || rf_task_pending(slot->task) == 0)
        slot->wait_until = worker->world->now + SOURCE_WAIT;
    note_blocked(worker, slot);
    input = sim_produce_outbox(worker, slot);
    if (input != RF_INPUT_OK)
        sim_commit_feed(worker, input);
}

static void fold_all(struct sim_worker *worker)
{
    for (int32_t i = 0; i < worker->world->settings.partitions && !worker->rejoin; i++) {
        struct sim_slot *slot = &worker->slots[i];
        uint64_t now = worker->world->now;
        bool runs =
            slot->state == SLOT_RUNNING || (slot->state == SLOT_BLOCKED && now >= slot->retry_at);

        rf_ms silent_until = RF_MS_MIN;

        if (!runs || (!sim_commit_is_open(worker) && now < worker->rest_until))
            continue;
        silent_until = silence_clock(worker, slot);
        if (silent_until != RF_MS_MIN || rf_task_pending(slot->task) > 0 ||
            slot->state == SLOT_BLOCKED || rf_task_is_due(slot->task, RF_MS_MIN))
            fold_slot(worker, slot, silent_until);
    }
}

static void commit_if_due(struct sim_worker *worker)
{
    const struct sim_settings *settings = &worker->world->settings;
    int aborts = worker->abort_streak;

    if (!sim_commit_is_open(worker))
        return;
    if (worker->world->now - worker->began < settings->commit_interval &&
        worker->folded < settings->commit_events_max)
        return;
    sim_commit_feed(worker, RF_INPUT_DUE);
    if (worker->abort_streak > aborts) {
        uint64_t pause = UINT64_C(1) << (worker->abort_streak < 10 ? worker->abort_streak : 10);

        worker->rest_until =
            worker->world->now + (pause > ABORT_PAUSE_MAX ? ABORT_PAUSE_MAX : pause);
    }
}

/* ---- tasks ---- */

static struct rf_task *make_task(struct sim_worker *worker, struct sim_slot *slot)
{
    struct sim_world *world = worker->world;
    struct sim_disk *disk = &worker->instance->disks[slot->partition];
    struct rf_task_options options = {.plan = &world->plan.plan,
                                      .codec = world->plan.codec,
                                      .record_wire = world->plan.wire,
                                      .partition = slot->partition,
                                      .memory_max = world->settings.records_memory,
                                      .looks_max = world->settings.looks_max};
    struct rf_error err = {0};
    struct rf_task *task = NULL;

    if (!sim_disk_open(disk, &options.store, &err)) {
        if (err.kind == RF_ERROR_STATE) {
            world->counts.rebuilt++;
            sim_disk_remove(disk);
        }
        return NULL;
    }
    task = rf_task_open(&options, &err);
    if (task == NULL) {
        options.store.ops->close(options.store.self);
        if (err.kind == RF_ERROR_STATE && world->plant != SIM_PLANT_DAMAGE_STAYS) {
            world->counts.rebuilt++;
            sim_disk_remove(disk);
        }
    }
    return task;
}

static void open_waiting(struct sim_worker *worker)
{
    struct sim_instance *instance = worker->instance;

    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];

        if (slot->state != SLOT_WAITING || worker->world->now < slot->retry_at)
            continue;
        if (instance->garage_out[i]) {
            slot->retry_at = worker->world->now + GARAGE_RETRY;
            continue;
        }
        instance->garage_out[i] = true;
        slot->task = instance->garage[i];
        instance->garage[i] = NULL;
        if (slot->task == NULL)
            slot->task = make_task(worker, slot);
        if (slot->task == NULL) {
            instance->garage_out[i] = false;
            slot->retry_at = worker->world->now + RETRY;
            continue;
        }
        rf_task_set_decoders(slot->task, instance->decoder.ports);
        sim_restore_begin(worker, slot);
    }
}

static void write_stores(struct sim_worker *worker)
{
    const struct sim_settings *settings = &worker->world->settings;
    uint64_t now = worker->world->now;
    bool due = now - worker->stored >= settings->store_interval;
    bool sync = now - worker->synced >= settings->sync_interval;

    if (worker->transaction.state != RF_TRANSACTION_IDLE)
        return;
    for (int32_t i = 0; i < settings->partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];
        struct rf_error err = {0};

        if (slot->task == NULL || slot->state == SLOT_WAITING)
            continue;
        if ((!rf_task_flush(slot->task, due ? 0 : settings->records_memory / 4, &err) ||
             (sync && !rf_task_sync(slot->task, false, &err))) &&
            err.kind == RF_ERROR_STATE) {
            rebuild(worker, slot, err.message);
            return;
        }
        sim_pause(worker);
    }
    if (due)
        worker->stored = now;
    if (sync)
        worker->synced = now;
}

static void sweep_stores(struct sim_worker *worker)
{
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];
        struct rf_error err = {0};

        if (worker->transaction.state != RF_TRANSACTION_IDLE)
            return;
        if (slot->state == SLOT_RUNNING && !rf_task_sweep(slot->task, 3, &err) &&
            err.kind == RF_ERROR_STATE) {
            rebuild(worker, slot, err.message);
            return;
        }
    }
}

/* ---- life ---- */

static bool open_clients(struct sim_worker *worker)
{
    if (worker->producer == NULL && !sim_open_producer(worker))
        return false;
    sim_consumer_open(worker);
    return true;
}

static void close_clients(struct sim_worker *worker)
{
    sim_slots_release(worker);
    worker->restorer.open = false;
    worker->consumer.open = false;
    worker->consumer.assigned = 0;
    worker->consumer.has_assignment = false;
    sim_close_producer(worker);
}

static void join_anew(struct sim_worker *worker)
{
    if (worker->consumer.open) {
        if (sim_commit_is_open(worker))
            sim_commit_feed(worker, RF_INPUT_ABORTABLE);
        close_clients(worker);
        sim_sleep(worker, REJOIN_PAUSE);
    }
    worker->rejoin = !open_clients(worker);
    if (worker->rejoin)
        sim_sleep(worker, REJOIN_PAUSE);
}

static void turn(struct sim_worker *worker)
{
    poll_consumer(worker);
    sim_pause(worker);
    open_waiting(worker);
    sim_restore_step(worker);
    fold_all(worker);
    commit_if_due(worker);
    if (worker->producer != NULL)
        sim_producer_poll(worker->producer);
    write_stores(worker);
    sweep_stores(worker);
}

static void leave(struct sim_worker *worker)
{
    if (!worker->consumer.open)
        return;
    if (sim_commit_is_open(worker))
        sim_commit_feed(worker, RF_INPUT_DUE);
    close_clients(worker);
}

static void run(void *argument)
{
    struct sim_worker *worker = argument;

    worker->rejoin = true;
    while (!worker->stop) {
        if (worker->rejoin)
            join_anew(worker);
        else
            turn(worker);
        sim_pause(worker);
    }
    leave(worker);
    worker->ended = true;
}

struct sim_worker *sim_worker_start(struct sim_world *world, struct sim_instance *instance,
                                    int index)
{
    struct sim_worker *worker = calloc(1, sizeof *worker);

    rf_assert(worker != NULL);
    worker->world = world;
    worker->instance = instance;
    worker->index = index;
    for (int32_t i = 0; i < SIM_PARTITIONS_MAX; i++) {
        worker->slots[i].partition = i;
        rf_inputs_init(&worker->slots[i].shadow);
    }
    rf_transaction_init(&worker->transaction);
    rf_buffer_init(&worker->buffer, BUFFER_MAX);
    sim_fiber_start(&worker->fiber, run, worker);
    return worker;
}

void sim_worker_resume(struct sim_worker *worker)
{
    struct sim_member *member = &worker->world->broker.group.members[worker->index];

    (void)member;
    sim_fiber_resume(&worker->fiber);
}

void sim_worker_kill(struct sim_worker *worker)
{
    for (int32_t i = 0; i < SIM_PARTITIONS_MAX; i++) {
        rf_task_close(worker->slots[i].task);
        rf_inputs_deinit(&worker->slots[i].shadow);
        free(worker->slots[i].steps);
    }
    sim_producer_free(worker->producer);
    rf_buffer_deinit(&worker->buffer);
    sim_fiber_deinit(&worker->fiber);
    free(worker);
}

bool sim_worker_is_idle(const struct sim_worker *worker)
{
    bool idle = worker->ended || (worker->transaction.state == RF_TRANSACTION_IDLE &&
                                  !worker->rejoin && worker->consumer.open);

    for (int32_t i = 0; i < SIM_PARTITIONS_MAX; i++) {
        const struct sim_slot *slot = &worker->slots[i];

        idle = idle && (slot->task == NULL ||
                        (rf_task_pending(slot->task) == 0 && slot->state == SLOT_RUNNING &&
                         silence_clock((struct sim_worker *)(uintptr_t)worker, slot) == RF_MS_MIN &&
                         rf_task_is_swept(slot->task)));
    }
    return idle;
}

int32_t sim_worker_tasks(const struct sim_worker *worker)
{
    int32_t count = 0;

    for (int32_t i = 0; i < SIM_PARTITIONS_MAX; i++)
        count += worker->slots[i].state == SLOT_RUNNING;
    return count;
}

/* After every step: the table of the transaction, and invariant 6. */
void sim_worker_check(const struct sim_worker *worker)
{
    const struct sim_settings *settings = &worker->world->settings;

    rf_transaction_check(&worker->transaction);
    for (int32_t i = 0; i < settings->partitions; i++) {
        const struct sim_slot *slot = &worker->slots[i];
        struct rf_records_stats stats;

        if (slot->task == NULL || slot->state == SLOT_WAITING)
            continue;
        stats = rf_task_records_stats(slot->task);
        if (worker->transaction.state == RF_TRANSACTION_IDLE && stats.open_count > 0)
            sim_fail(worker->world, "task %d has open customers between transactions", (int)i);
        if (inputs_of(slot) > settings->commit_events_max + settings->poll_max)
            sim_fail(worker->world, "task %d holds %zu inputs", (int)i, inputs_of(slot));
    }
}
