/* What is committed, and whether it may be: a fold of the inputs that keeps pace with the commits and does what one
 * task would that nobody ever disturbs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "sim/broker.h"

struct rf_task;
struct sim_world;

struct sim_committed_input {
    struct sim_step step; /* its `fired` counts from the first transaction on */
    int64_t commit;       /* the number of its transaction */
    bool quarantined;
};

struct sim_truth_partition {
    struct rf_task *task;      /* owned; folds each transaction as it commits */
    int64_t next[SIM_SOURCES]; /* what is to be folded next; -1: nothing was */
    int64_t changelog_end;     /* behind the last committed record */
    int64_t commits;
    struct sim_committed_input *inputs; /* owned; all that were folded, and the time between them */
    size_t input_count, input_capacity;
    size_t fired;
    struct sim_put_aside { /* timers, all that ever were */
        struct rf_bytes customer;
        rf_ms due;
        int64_t commit; /* in which transaction; what is due then may come due again */
        bool held;
    } * aside; /* owned */
    size_t aside_count;
};

struct sim_truth {
    struct sim_world *world; /* not owned */
    struct sim_decoder decoder;
    struct sim_truth_partition partitions[SIM_PARTITIONS_MAX];
};

void sim_truth_init(struct sim_truth *truth, struct sim_world *world);
void sim_truth_deinit(struct sim_truth *truth);

/* The broker has decided to commit: its records, its offsets and its state must be what the fold of exactly the
 * next inputs gives. */
void sim_truth_commit(struct sim_truth *truth, uint32_t txn);

/* The record of each customer after the committed changelog records before `offset`; by sim_customer_index. */
void sim_truth_view(struct sim_truth *truth, int32_t partition, int64_t offset,
                    struct rf_bytes records[SIM_CUSTOMERS]);

/* After everything has come to rest: the logs and the stores, against one fold of all inputs at once. */
void sim_truth_check_all(struct sim_truth *truth);
