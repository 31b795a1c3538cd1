#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/task/task.h"
#include "sim/worker.h"

#define CALM_STEPS_MAX 60000 /* to come to rest in */
#define ARENA_KEEP     (8U << 20)
#define STEP_MS        (4 * RF_MINUTE_MS)
#define SILENT_STEP_MS (30 * RF_MINUTE_MS)

#define STEP_MS        (4 * RF_MINUTE_MS)

/* ---- what is said ---- */

void sim_trace(struct sim_world *world, const char *format, ...)
{
    char *line = world->trace[world->traced++ % SIM_TRACE_LINES];
    int size = snprintf(line, SIM_TRACE_WIDTH, "%6llu ", (unsigned long long)world->now);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line + size, SIM_TRACE_WIDTH - (size_t)size, format, arguments);
    va_end(arguments);
    world->digest = rf_hash64_seeded(rf_bytes_of_text(line), world->digest);
    if (world->print_trace)
        printf("%s\n", line);
}

void sim_print_trace(const struct sim_world *world)
{
    uint64_t first = world->traced < SIM_TRACE_LINES ? 0 : world->traced - SIM_TRACE_LINES;

    for (uint64_t i = first; !world->print_trace && i < world->traced; i++)
        fprintf(stderr, "%s\n", world->trace[i % SIM_TRACE_LINES]);
    fprintf(stderr, "at step %llu of seed %llu; again: sim --seed %llu%s%s --trace\n",
            (unsigned long long)world->now, (unsigned long long)world->seed,
            (unsigned long long)world->seed, world->plant == SIM_PLANT_NONE ? "" : " --plant ",
            world->plant == SIM_PLANT_NONE ? "" : sim_plant_name(world->plant));
}

void sim_fail(struct sim_world *world, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    sim_print_trace(world);
    fprintf(stderr, "sim: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    fflush(stderr);
    _Exit(1);
}

bool sim_happens(struct sim_world *world, enum sim_fault fault)
{
    if (world->calm || world->settings.faults[fault] == 0 ||
        !sim_random_chance(&world->random, world->settings.faults[fault]))
        return false;
    world->counts.faults[fault]++;
    return true;
}

/* ---- instances ---- */

static void start_instance(struct sim_world *world, struct sim_instance *instance)
{
    instance->running = true;
    instance->stopping = false;
    instance->resumes_at = 0;
    sim_decoder_init(&instance->decoder);
    memset(instance->schema_due, 0, sizeof instance->schema_due);
    for (int i = 0; i < world->settings.workers; i++)
        instance->workers[i] =
            sim_worker_start(world, instance, instance->index * SIM_WORKERS_MAX + i);
    sim_trace(world, "instance %d starts", instance->index);
}

static void count_worker(struct sim_world *world, const struct sim_worker *worker)
{
    world->counts.committed += worker->transaction.committed_count;
    world->counts.aborted += worker->transaction.aborted_count;
    world->counts.unknown += worker->transaction.unknown_count;
    world->counts.lost += worker->transaction.lost_count;
}

/* Memory is gone; `crash`: and of each store what was not flushed. */
static void end_instance(struct sim_world *world, struct sim_instance *instance, bool crash)
{
    for (int32_t p = 0; p < SIM_PARTITIONS_MAX; p++)
        instance->disks[p].crashing = crash;
    for (int i = 0; i < SIM_WORKERS_MAX; i++) {
        if (instance->workers[i] == NULL)
            continue;
        count_worker(world, instance->workers[i]);
        sim_worker_kill(instance->workers[i]);
        instance->workers[i] = NULL;
    }
    for (int32_t p = 0; p < SIM_PARTITIONS_MAX; p++) {
        rf_task_close(instance->garage[p]);
        instance->garage[p] = NULL;
        instance->garage_out[p] = false;
        if (crash)
            sim_disk_crash(&instance->disks[p]);
        instance->disks[p].crashing = false;
    }
    instance->running = false;
    instance->restarts_at = world->now + (uint64_t)sim_random_between(&world->random, 1, 300);
}

static bool is_paused(const struct sim_world *world, const struct sim_instance *instance)
{
    return instance->resumes_at > world->now;
}

static void disturb(struct sim_world *world, struct sim_instance *instance)
{
    if (sim_happens(world, SIM_FAULT_CRASH)) {
        sim_trace(world, "instance %d crashes", instance->index);
        end_instance(world, instance, true);
        for (int32_t p = 0; p < SIM_PARTITIONS_MAX; p++) {
            if (sim_happens(world, SIM_FAULT_LOST_DISK))
                sim_disk_remove(&instance->disks[p]);
        }
        return;
    }
    if (sim_happens(world, SIM_FAULT_STOP)) {
        sim_trace(world, "instance %d is asked to stop", instance->index);
        instance->stopping = true;
    }
    if (sim_happens(world, SIM_FAULT_PAUSE)) {
        sim_trace(world, "instance %d is paused", instance->index);
        instance->resumes_at = world->now + (uint64_t)sim_random_between(&world->random, 10, 900);
    }
}

static void disturb_worker(struct sim_world *world, struct sim_worker *worker)
{
    if (sim_happens(world, SIM_FAULT_STALL))
        worker->stalls_until = world->now + (uint64_t)sim_random_between(&world->random, 10, 500);
    if (sim_happens(world, SIM_FAULT_KICK))
        sim_group_remove(&world->broker, worker->index);
}

static void learn_schemas(struct sim_world *world, struct sim_instance *instance)
{
    for (int i = 0; i < SIM_SCHEMAS; i++) {
        if (!instance->decoder.asked[i] || instance->decoder.known[i])
            continue;
        if (instance->schema_due[i] == 0)
            instance->schema_due[i] =
                world->now + (sim_happens(world, SIM_FAULT_SCHEMA)
                                  ? (uint64_t)sim_random_between(&world->random, 10, 300)
                                  : 1);
        instance->decoder.known[i] = world->calm || world->now >= instance->schema_due[i];
    }
}

static void step_worker(struct sim_world *world, struct sim_worker *worker)
{
    struct sim_member *member = &world->broker.group.members[worker->index];

    /* A thread of its own beats the heart, until the consumer was not polled for too long. */
    if (worker->consumer.open && member->id == worker->consumer.member_id &&
        world->now - worker->polled < 2 * world->settings.session_timeout)
        member->heard = world->now;
    if (worker->ended)
        return;
    if (!world->calm)
        disturb_worker(world, worker);
    worker->stop = worker->instance->stopping;
    if (worker->stalls_until > world->now || worker->wakes_at > world->now ||
        !sim_random_chance(&world->random, 700))
        return;
    sim_worker_resume(worker);
    sim_worker_check(worker);
}

static void step_instance(struct sim_world *world, struct sim_instance *instance)
{
    bool ended = true;

    if (!instance->running) {
        if (world->now >= instance->restarts_at)
            start_instance(world, instance);
        return;
    }
    if (is_paused(world, instance))
        return;
    learn_schemas(world, instance);
    for (int i = 0; i < world->settings.workers; i++) {
        step_worker(world, instance->workers[i]);
        ended = ended && instance->workers[i]->ended;
    }
    if (ended) {
        sim_trace(world, "instance %d has stopped", instance->index);
        end_instance(world, instance, false);
    } else if (!world->calm) {
        disturb(world, instance);
    }
}

/* ---- inputs ---- */

static void append_input(struct sim_world *world, uint32_t source, int32_t partition)
{
    struct sim_feeder *feeder = &world->feeders[source][partition];
    struct sim_made made = sim_message_make(&world->arena, &world->random, source, partition,
                                            feeder->made++, world->wall);
    struct sim_entry entry = {
        .txn = feeder->txn, .time = made.broker_time, .key = made.key, .value = made.value};

    sim_append(&world->broker, (enum sim_topic)source, partition, &entry);
}

static void feed_one(struct sim_world *world, uint32_t source, int32_t partition)
{
    struct sim_feeder *feeder = &world->feeders[source][partition];

    if (world->settings.upstream_transactions && feeder->txn == 0 &&
        sim_random_chance(&world->random, 400))
        feeder->txn = sim_upstream_begin(&world->broker);
    append_input(world, source, partition);
    feeder->left--;
    if (feeder->txn != 0 && sim_random_chance(&world->random, 300)) {
        sim_upstream_end(&world->broker, feeder->txn, sim_random_chance(&world->random, 750));
        feeder->txn = 0;
    }
}

static void feed_some(struct sim_world *world)
{
    int32_t partition = (int32_t)sim_random_below(&world->random, world->settings.partitions);
    int64_t pick = sim_random_below(&world->random, 20);
    uint32_t source = pick < 12 ? SIM_CALLS : pick < 19 ? SIM_PURCHASES : SIM_ERASURES;
    int64_t burst = sim_random_chance(&world->random, 100) ? 20 : 1;

    while (burst-- > 0 && world->feeders[source][partition].left > 0)
        feed_one(world, source, partition);
}

/* What is left, and a last record that a commit marker follows where transactions are in use: the committed offset
 * has to step over it. */
static void feed_rest(struct sim_world *world)
{
    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        for (int32_t p = 0; p < world->settings.partitions; p++) {
            struct sim_feeder *feeder = &world->feeders[s][p];

            if (feeder->txn != 0)
                sim_upstream_end(&world->broker, feeder->txn, true);
            feeder->txn =
                world->settings.upstream_transactions ? sim_upstream_begin(&world->broker) : 0;
            append_input(world, s, p);
            if (feeder->txn != 0)
                sim_upstream_end(&world->broker, feeder->txn, true);
            feeder->txn = 0;
        }
    }
}

/* ---- the run ---- */

static void begin_run(struct sim_world *world, uint64_t seed, enum sim_plant plant, int64_t steps)
{
    world->seed = seed;
    world->plant = plant;
    world->random.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world->now = 0;
    world->wall = SIM_START;
    world->calm = false;
    world->digest = 0;
    world->traced = 0;
    sim_settings_choose(&world->settings, &world->random);
    if (steps > 0)
        world->settings.steps = steps;
    world->counts.faults[SIM_FAULT_SLOW_MARKERS] +=
        world->settings.faults[SIM_FAULT_SLOW_MARKERS] > 0;
    sim_plan_make(&world->plan, &world->random);
    rf_arena_init(&world->arena, 256U << 10);
    sim_broker_init(&world->broker, world);
    sim_truth_init(&world->truth, world);
    memset(world->feeders, 0, sizeof world->feeders);
    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        for (int32_t p = 0; p < world->settings.partitions; p++)
            world->feeders[s][p].left = world->settings.events / world->settings.partitions;
    }
    memset(world->instances, 0, sizeof world->instances);
    for (int i = 0; i < world->settings.instances; i++) {
        world->instances[i].index = i;
        for (int32_t p = 0; p < SIM_PARTITIONS_MAX; p++)
            sim_disk_init(&world->instances[i].disks[p], world, i, p);
        start_instance(world, &world->instances[i]);
    }
}

static void step(struct sim_world *world)
{
    int first = (int)sim_random_below(&world->random, world->settings.instances);

    bool silent = world->settings.silence > 0 && world->now / world->settings.silence % 2 == 1;

    world->now++;
    world->wall += silent ? SILENT_STEP_MS : STEP_MS;
    world->counts.steps++;
    if (!world->calm) {
        if (sim_random_chance(&world->random, 400) && !silent)
            feed_some(world);
        if (sim_happens(world, SIM_FAULT_REBALANCE))
            sim_group_rebalance(&world->broker);
    }
    sim_broker_tick(&world->broker);
    for (int i = 0; i < world->settings.instances; i++)
        step_instance(world, &world->instances[(first + i) % world->settings.instances]);
}

static void calm_down(struct sim_world *world)
{
    sim_trace(world, "from here on nothing fails");
    world->calm = true;
    for (int i = 0; i < world->settings.instances; i++) {
        struct sim_instance *instance = &world->instances[i];

        instance->resumes_at = 0;
        instance->restarts_at = world->now;
        for (int32_t p = 0; p < SIM_PARTITIONS_MAX; p++)
            rf_assert(instance->running || !instance->disks[p].open);
        for (int k = 0; instance->running && k < world->settings.workers; k++)
            instance->workers[k]->stalls_until = 0;
    }
    feed_rest(world);
}

static bool is_at_rest(struct sim_world *world)
{
    int32_t tasks = 0;

    if (!sim_broker_is_settled(&world->broker))
        return false;
    for (int i = 0; i < world->settings.instances; i++) {
        const struct sim_instance *instance = &world->instances[i];

        for (int k = 0; k < world->settings.workers; k++) {
            if (!instance->running || !sim_worker_is_idle(instance->workers[k]))
                return false;
            tasks += sim_worker_tasks(instance->workers[k]);
        }
    }
    if (tasks < world->settings.partitions)
        return false; /* nobody waits for the timers of one */
    for (int s = 0; s < SIM_SOURCES; s++) {
        for (int32_t p = 0; p < world->settings.partitions; p++) {
            struct sim_truth_partition *truth = &world->truth.partitions[p];
            int64_t high = sim_log_high(&world->broker, (enum sim_topic)s, p);
            bool more = false;

            for (int64_t i = truth->next[s] < 0 ? 0 : truth->next[s]; i < high && !more; i++)
                more = sim_entry_is_committed(
                    &world->broker, &sim_log_of(&world->broker, (enum sim_topic)s, p)->entries[i]);
            if (more)
                return false;
        }
    }
    return true;
}

static void come_to_rest(struct sim_world *world)
{
    uint64_t limit = world->now + CALM_STEPS_MAX;

    while (!is_at_rest(world)) {
        if (world->now > limit)
            sim_fail(world, "there is no more progress");
        step(world);
    }
    world->rested = world->wall;
    for (int i = 0; i < world->settings.instances; i++)
        world->instances[i].stopping = true;
    while (world->now <= limit) {
        bool running = false;

        for (int i = 0; i < world->settings.instances; i++)
            running = running || (world->instances[i].running && world->instances[i].stopping);
        if (!running && sim_broker_is_settled(&world->broker))
            return;
        step(world);
    }
    sim_fail(world, "an instance does not stop");
}

/* Whoever had the task last has all of it on its disk. */
static void check_stores(struct sim_world *world)
{
    for (int32_t p = 0; p < world->settings.partitions; p++) {
        int64_t best = -1;

        for (int i = 0; i < world->settings.instances; i++) {
            struct sim_disk *disk = &world->instances[i].disks[p];
            struct rf_error err = {0};
            int64_t checkpoint = -1;

            if (disk->inner.ops == NULL)
                continue;
            sim_disk_check(disk, "at the end");
            rf_assert(disk->inner.ops->checkpoint(disk->inner.self, &checkpoint, &err));
            best = checkpoint > best ? checkpoint : best;
        }
        if (best < world->truth.partitions[p].changelog_end)
            sim_fail(world, "no store of task %d is complete: %lld instead of %lld", (int)p,
                     (long long)best, (long long)world->truth.partitions[p].changelog_end);
    }
}

static void end_run(struct sim_world *world)
{
    for (int i = 0; i < world->settings.instances; i++) {
        end_instance(world, &world->instances[i], false);
        for (int32_t p = 0; p < SIM_PARTITIONS_MAX; p++)
            sim_disk_remove(&world->instances[i].disks[p]);
    }
    sim_truth_deinit(&world->truth);
    sim_broker_deinit(&world->broker);
    rf_arena_deinit(&world->arena);
}

void sim_world_run(struct sim_world *world, uint64_t seed, enum sim_plant plant, int64_t steps)
{
    begin_run(world, seed, plant, steps);
    while (world->now < (uint64_t)world->settings.steps)
        step(world);
    calm_down(world);
    come_to_rest(world);
    sim_truth_check_all(&world->truth);
    check_stores(world);
    end_run(world);
}
