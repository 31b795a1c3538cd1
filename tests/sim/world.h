/* One run: a broker, a few instances with their disks, the truth, and the faults that the seed has in store. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "sim/broker.h"
#include "sim/disk.h"
#include "sim/plan.h"
#include "sim/random.h"
#include "sim/truth.h"

#define SIM_INSTANCES_MAX 3
#define SIM_WORKERS_MAX   2 /* of an instance */
#define SIM_TRACE_LINES   400
#define SIM_TRACE_WIDTH   160

/* Mistakes that are planted, to see that they are found. */
enum sim_plant {
    SIM_PLANT_NONE,
    SIM_PLANT_STORE_BEFORE_COMMIT,
    SIM_PLANT_RESTORE_TO_STABLE,
    SIM_PLANT_OFFSETS_OUTSIDE,
    SIM_PLANT_CHECKPOINT_ALONE,
    SIM_PLANT_RUN_BEFORE_RESTORED,
    SIM_PLANT_LETTER_OUTSIDE,
    SIM_PLANT_RANDOM_ID,
    SIM_PLANT_KEEP_PRODUCER,
    SIM_PLANT_KEEP_PRODUCER_AFTER_OFFSETS,
    SIM_PLANT_LAST_PLUS_ONE,
    SIM_PLANT_KEEP_OVERLAY,
    SIM_PLANT_ASSUME_ABORTED,
    SIM_PLANT_ASSUME_COMMITTED,
    SIM_PLANT_TRUST_OFFSETS,
    SIM_PLANT_ANY_MEMBER,
    SIM_PLANT_UNSTABLE_OFFSETS,
    SIM_PLANT_MISMATCH_IS_FATAL,
    SIM_PLANT_KEEP_INPUTS,
    SIM_PLANT_DAMAGE_STAYS,
    SIM_PLANT_POLL_ALWAYS,
    SIM_PLANT_HALF_TARGETS,
    SIM_PLANT_TIMER_OUTSIDE,
    SIM_PLANT_TIMERS_ASSUME_ABORTED,
    SIM_PLANT_TIMERS_WITHOUT_OFFSETS,
    SIM_PLANT_TIMER_LOST,
    SIM_PLANT_KEEP_LOOKS,
    SIM_PLANT_COUNT,
};

enum sim_fault {
    SIM_FAULT_CRASH,
    SIM_FAULT_STOP, /* asked to end, and started again */
    SIM_FAULT_LOST_DISK,
    SIM_FAULT_PAUSE, /* a whole instance, like SIGSTOP */
    SIM_FAULT_STALL, /* one worker; its heartbeats go on */
    SIM_FAULT_REBALANCE,
    SIM_FAULT_KICK, /* a member is thrown out of the group */
    SIM_FAULT_ABORTABLE,
    SIM_FAULT_RETRIABLE,
    SIM_FAULT_FATAL,        /* and whether the request took effect is not known */
    SIM_FAULT_DELAYED,      /* a request arrives twice, the second time much later */
    SIM_FAULT_QUERY,        /* asking for offsets or watermarks fails */
    SIM_FAULT_STALE_ANSWER, /* is old by the time it is read */
    SIM_FAULT_STORE_RETRY,
    SIM_FAULT_STORE_DAMAGE,
    SIM_FAULT_STORE_FLUSH, /* memtables are written when it suits them */
    SIM_FAULT_SCHEMA,      /* a schema takes long to come */
    SIM_FAULT_SLOW_MARKERS,
    SIM_FAULT_COUNT,
};

extern const char *const sim_fault_names[SIM_FAULT_COUNT];

struct sim_settings {
    int32_t partitions;
    int instances, workers;
    int64_t steps;
    int64_t events;
    uint64_t transaction_timeout, session_timeout, commit_interval, store_interval, sync_interval;
    size_t commit_events_max;
    size_t records_memory;
    size_t looks_max;
    uint64_t silence; /* every other so many steps nothing comes; 0: never */
    size_t poll_max;
    int64_t tasks_tail;
    size_t changelog_bytes_max, alert_bytes_max, letter_bytes_max, message_bytes_max;
    bool upstream_transactions;
    int64_t faults[SIM_FAULT_COUNT]; /* per mille, of what it can happen to; 0: not in this run */
};

struct sim_worker;

struct sim_instance {
    int index;
    bool running, stopping;
    uint64_t resumes_at;  /* paused until then; 0: it runs */
    uint64_t restarts_at; /* where it does not run */
    struct sim_disk disks[SIM_PARTITIONS_MAX];
    struct rf_task *garage[SIM_PARTITIONS_MAX];
    bool garage_out[SIM_PARTITIONS_MAX];
    struct sim_worker *workers[SIM_WORKERS_MAX]; /* owned */
    struct sim_decoder decoder;
    uint64_t schema_due[SIM_SCHEMAS];
};

/* What is to come of each source's partition. */
struct sim_feeder {
    int64_t left;
    int64_t made;
    uint32_t txn; /* of an upstream system, open; 0: none */
};

struct sim_counts {
    uint64_t faults[SIM_FAULT_COUNT];
    uint64_t committed, aborted, unknown, elsewhere, lost;
    uint64_t timers, events, derived, letters, quarantined, restored, rebuilt, renewed,
        torn_refused;
    uint64_t steps;
};

struct sim_world {
    uint64_t seed;
    enum sim_plant plant;
    struct sim_random random;
    struct sim_settings settings;
    struct sim_plan plan;
    uint64_t now;
    rf_ms wall;   /* what the clock on the wall says */
    bool calm;    /* no more faults */
    rf_ms rested; /* what the wall said when everything had come to rest */
    struct sim_broker broker;
    struct sim_truth truth;
    struct sim_instance instances[SIM_INSTANCES_MAX];
    struct sim_feeder feeders[SIM_SOURCES][SIM_PARTITIONS_MAX];
    struct rf_arena arena; /* of the run */
    struct sim_counts counts;

    bool print_trace;
    uint64_t digest; /* of the trace */
    uint64_t traced;
    char trace[SIM_TRACE_LINES][SIM_TRACE_WIDTH];
};

/* A whole run; returns where everything held. A failure prints the seed and the trace, and ends the process. */
void sim_world_run(struct sim_world *world, uint64_t seed, enum sim_plant plant, int64_t steps);

void sim_settings_choose(struct sim_settings *settings, struct sim_random *random);

/* Does it happen now? Counts it. Never in calm. */
bool sim_happens(struct sim_world *world, enum sim_fault fault);

void sim_trace(struct sim_world *world, const char *format, ...) RF_PRINTF(2, 3);
_Noreturn void sim_fail(struct sim_world *world, const char *format, ...) RF_PRINTF(2, 3);
void sim_print_trace(const struct sim_world *world);

/* settings.c */
const char *sim_plant_name(enum sim_plant plant);
