/* Where questions about customers wait until the workers are between two polls. Inside this room only.
 *
 * An inquiry has a part for each worker. The asker waits for all of them, or for the first that knows; then it leaves,
 * and the last one to leave frees the inquiry: a worker never writes into what belongs to an asker. */
#pragma once
#include <stdatomic.h>

#include "core/task/inspect.h"
#include "edge/sys/thread.h"

struct rf_worker;

#define RF_INBOX_MAX 64 /* inquiries at a time */

enum rf_part_state {
    RF_PART_WAITING,
    RF_PART_TAKEN,
    RF_PART_DONE,
};

/* What one worker answers. */
struct rf_part {
    enum rf_part_state state;
    struct rf_arena arena;              /* of customer, features and readings */
    const struct rf_customer *customer; /* NULL: none of its tasks knows it */
    const struct rf_value *features;
    const struct rf_lag_reading *readings; /* of the task that knows it, by source */
    rf_ms at, committed_at;
    int32_t partition;
    int64_t changelog_offset;
    bool restoring;         /* the task that knows it is not brought up to date */
    size_t restoring_count; /* tasks that are not */
    struct rf_error err;    /* a store or a record that could not be read */
};

struct rf_inquiry {
    int references; /* under the inbox's lock */
    uint8_t id[RF_CUSTOMER_ID_MAX];
    size_t id_size;
    int part_count;
    struct rf_part parts
        []; /* by worker; state under the inbox's lock, the rest is the worker's until it is DONE */
};

struct rf_inbox {
    struct rf_mutex lock;
    struct rf_condition answered;
    atomic_int waiting; /* inquiries in the inbox: a worker that sees none takes no lock */
    struct rf_inquiry *open[RF_INBOX_MAX] RF_GUARDED_BY(lock);
    size_t open_count RF_GUARDED_BY(lock);
};

void rf_inbox_init(struct rf_inbox *inbox);
void rf_inbox_deinit(struct rf_inbox *inbox);

/* Thread: worker. Answers what waits for it. */
void rf_inbox_answer(struct rf_worker *worker);

/* Waits for the parts of all workers that are not `ended`, at most `timeout`. Any thread but a worker's. NULL: too many
 * questions wait already. */
struct rf_inquiry *rf_inbox_ask(struct rf_inbox *inbox, struct rf_bytes customer, const bool *ended,
                                int worker_count, rf_span_ms timeout);
/* Is the worker's part there? Then it is the asker's. */
bool rf_inbox_has(struct rf_inbox *inbox, struct rf_inquiry *inquiry, int worker);
void rf_inbox_leave(struct rf_inbox *inbox, struct rf_inquiry *inquiry);
