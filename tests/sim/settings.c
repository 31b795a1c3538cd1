/* What a seed chooses before the run: the size of everything, and which faults are in it. Not every run has every
 * fault: what one hides, another seed shows. */
#include <string.h>

#include "sim/world.h"

const char *const sim_fault_names[SIM_FAULT_COUNT] = {
    [SIM_FAULT_CRASH] = "crash",
    [SIM_FAULT_STOP] = "stop",
    [SIM_FAULT_LOST_DISK] = "lost disk",
    [SIM_FAULT_PAUSE] = "paused instance",
    [SIM_FAULT_STALL] = "stalled worker",
    [SIM_FAULT_REBALANCE] = "rebalance",
    [SIM_FAULT_KICK] = "member thrown out",
    [SIM_FAULT_ABORTABLE] = "abortable error",
    [SIM_FAULT_RETRIABLE] = "retriable error",
    [SIM_FAULT_FATAL] = "unknown outcome",
    [SIM_FAULT_DELAYED] = "delayed request",
    [SIM_FAULT_QUERY] = "failed query",
    [SIM_FAULT_STALE_ANSWER] = "stale answer",
    [SIM_FAULT_STORE_RETRY] = "store: not now",
    [SIM_FAULT_STORE_DAMAGE] = "store: damaged",
    [SIM_FAULT_STORE_FLUSH] = "store: flushes as it likes",
    [SIM_FAULT_SCHEMA] = "late schema",
    [SIM_FAULT_SLOW_MARKERS] = "slow markers",
};

/* The most per mille, where the fault is in the run. */
static const int64_t fault_max[SIM_FAULT_COUNT] = {
    [SIM_FAULT_CRASH] = 6,          [SIM_FAULT_STOP] = 3,          [SIM_FAULT_LOST_DISK] = 200,
    [SIM_FAULT_PAUSE] = 6,          [SIM_FAULT_STALL] = 8,         [SIM_FAULT_REBALANCE] = 10,
    [SIM_FAULT_KICK] = 6,           [SIM_FAULT_ABORTABLE] = 100,   [SIM_FAULT_RETRIABLE] = 150,
    [SIM_FAULT_FATAL] = 200,        [SIM_FAULT_DELAYED] = 400,     [SIM_FAULT_QUERY] = 150,
    [SIM_FAULT_STALE_ANSWER] = 250, [SIM_FAULT_STORE_RETRY] = 150, [SIM_FAULT_STORE_DAMAGE] = 20,
    [SIM_FAULT_STORE_FLUSH] = 500,  [SIM_FAULT_SCHEMA] = 700,      [SIM_FAULT_SLOW_MARKERS] = 1,
};

static void choose_sizes(struct sim_settings *settings, struct sim_random *random)
{
    settings->partitions = (int32_t)sim_random_between(random, 1, SIM_PARTITIONS_MAX);
    settings->instances = (int)sim_random_between(random, 1, SIM_INSTANCES_MAX);
    settings->workers = (int)sim_random_between(random, 1, SIM_WORKERS_MAX);
    settings->steps = sim_random_between(random, 300, 1500);
    settings->events = sim_random_between(random, 20, 300);
    settings->transaction_timeout = (uint64_t)sim_random_between(random, 80, 400);
    settings->session_timeout = (uint64_t)sim_random_between(random, 60, 400);
    settings->commit_interval = (uint64_t)sim_random_between(random, 1, 40);
    settings->store_interval = (uint64_t)sim_random_between(random, 1, 200);
    settings->sync_interval = (uint64_t)sim_random_between(random, 1, 400);
    settings->commit_events_max = (size_t)sim_random_between(random, 1, 120);
    settings->poll_max = (size_t)sim_random_between(random, 1, 40);
    settings->tasks_tail = sim_random_between(random, 1, 30);
    settings->silence =
        sim_random_chance(random, 500) ? (uint64_t)sim_random_between(random, 50, 250) : 0;
    settings->looks_max = (size_t)sim_random_between(random, 1, 12);
    settings->records_memory = (size_t)sim_random_between(random, 0, 16384);
    settings->upstream_transactions = sim_random_chance(random, 600);
}

/* Large enough for ordinary messages, too small for some of the giants. */
static void choose_limits(struct sim_settings *settings, struct sim_random *random)
{
    bool strict = sim_random_chance(random, 600);

    settings->changelog_bytes_max = strict ? 1800 : 6000;
    settings->alert_bytes_max = sim_random_chance(random, 600) ? 320 : 6000;
    settings->letter_bytes_max = sim_random_chance(random, 600) ? 200 : 6000;
    settings->message_bytes_max = sim_random_chance(random, 300) ? 2000 : 6000;
    if (settings->letter_bytes_max > settings->message_bytes_max)
        settings->letter_bytes_max = settings->message_bytes_max;
}

void sim_settings_choose(struct sim_settings *settings, struct sim_random *random)
{
    bool quiet = sim_random_chance(random, 50); /* nothing goes wrong at all */

    memset(settings, 0, sizeof *settings);
    choose_sizes(settings, random);
    choose_limits(settings, random);
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        if (!quiet && sim_random_chance(random, 450))
            settings->faults[i] = sim_random_between(random, 1, fault_max[i]);
    }
}

static const char *const plant_names[SIM_PLANT_COUNT] = {
    [SIM_PLANT_NONE] = "none",
    [SIM_PLANT_STORE_BEFORE_COMMIT] = "store-before-commit",
    [SIM_PLANT_RESTORE_TO_STABLE] = "restore-to-stable",
    [SIM_PLANT_OFFSETS_OUTSIDE] = "offsets-outside",
    [SIM_PLANT_CHECKPOINT_ALONE] = "checkpoint-alone",
    [SIM_PLANT_RUN_BEFORE_RESTORED] = "run-before-restored",
    [SIM_PLANT_LETTER_OUTSIDE] = "letter-outside",
    [SIM_PLANT_RANDOM_ID] = "random-id",
    [SIM_PLANT_KEEP_PRODUCER] = "keep-producer",
    [SIM_PLANT_KEEP_PRODUCER_AFTER_OFFSETS] = "keep-producer-after-offsets",
    [SIM_PLANT_LAST_PLUS_ONE] = "last-plus-one",
    [SIM_PLANT_KEEP_OVERLAY] = "keep-overlay",
    [SIM_PLANT_ASSUME_ABORTED] = "assume-aborted",
    [SIM_PLANT_ASSUME_COMMITTED] = "assume-committed",
    [SIM_PLANT_TRUST_OFFSETS] = "trust-offsets",
    [SIM_PLANT_ANY_MEMBER] = "any-member",
    [SIM_PLANT_UNSTABLE_OFFSETS] = "unstable-offsets",
    [SIM_PLANT_MISMATCH_IS_FATAL] = "mismatch-is-fatal",
    [SIM_PLANT_KEEP_INPUTS] = "keep-inputs",
    [SIM_PLANT_DAMAGE_STAYS] = "damage-stays",
    [SIM_PLANT_POLL_ALWAYS] = "poll-always",
    [SIM_PLANT_HALF_TARGETS] = "half-targets",
    [SIM_PLANT_TIMER_OUTSIDE] = "timer-outside",
    [SIM_PLANT_TIMERS_ASSUME_ABORTED] = "timers-assume-aborted",
    [SIM_PLANT_TIMERS_WITHOUT_OFFSETS] = "timers-without-offsets",
    [SIM_PLANT_TIMER_LOST] = "timer-lost",
    [SIM_PLANT_KEEP_LOOKS] = "keep-looks",
};

const char *sim_plant_name(enum sim_plant plant)
{
    return plant_names[plant];
}
