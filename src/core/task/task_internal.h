/* What the files of a task share; nobody else includes it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/model/event.h"
#include "core/task/counts.h"
#include "core/task/inputs.h"
#include "core/task/layouts.h"
#include "core/task/ledger.h"
#include "core/task/outbox.h"
#include "core/task/records.h"
#include "core/task/task.h"

#define RF_FOLD_BATCH_MAX 4096

enum rf_verdict {
    RF_VERDICT_FOLD,
    RF_VERDICT_FILTERED,
    RF_VERDICT_ERASE,
    RF_VERDICT_BAD
};

/* What became of an input before it met its customer. */
struct rf_judged {
    enum rf_verdict verdict;
    struct rf_event event;
    const char *error_class; /* BAD */
    const char *message;
};

/* An input, or where the source is RF_SOURCE_TIMER a customer at an instant, that causes what cannot be produced. */
struct rf_quarantined {
    uint32_t source;
    int64_t offset;           /* of a timer: the instant */
    struct rf_bytes customer; /* owned; of a timer */
    bool
        holds; /* a timer whose mark on the record makes it too large: the customer is left alone */
    char why[RF_ERROR_MESSAGE_MAX];
};

struct rf_task {
    struct rf_task_options options;
    const struct rf_decoder *decoders; /* not owned */
    struct rf_layouts *layouts;
    struct rf_records *records;
    struct rf_engine *engine;
    struct rf_inputs inputs;
    uint64_t behind;       /* sources with more to come */
    struct rf_arena arena; /* of the transaction */

    rf_ms stream_time; /* with the open transaction */
    rf_ms committed_stream_time;
    rf_ms clock; /* everything due up to here has fired; with the open transaction */
    rf_ms committed_clock;
    size_t looks_left; /* of this call */
    size_t looked,
        fired; /* customers in the open transaction; those for whom something came of it */
    struct rf_arena swept; /* of one piece of the sweep */
    int64_t changelog_next;
    bool loading;                 /* the store is being filled in bulk */
    struct rf_task_counts counts; /* of committed transactions */
    struct rf_task_counts open_counts;
    struct rf_ledger ledger; /* of the open transaction */

    struct rf_judged judged[RF_FOLD_BATCH_MAX];
    uint64_t hashes[RF_FOLD_BATCH_MAX]; /* of the customers they are about; 0: of none */
    struct rf_out *outbox;              /* grows and is kept; what it points to is in the arena */
    size_t outbox_count, outbox_capacity, outbox_taken;

    struct rf_quarantined *quarantine; /* owned; of the transaction, each once */
    size_t quarantine_count, quarantine_capacity;
    size_t quarantine_known; /* of them, what was put aside before the last abort */
    struct rf_error blocked; /* NONE: not blocked */
    uint32_t rule_failed;
    struct rf_error rule_error; /* of it; NONE: none that was not taken */
};

/* task.c */
/* False: it cannot be judged yet; task->blocked says why. */
bool rf_task_judge(struct rf_task *task, const struct rf_input *input, struct rf_judged *judged);
/* What a fold has given: into the outbox and the counts. `cause`: the input, or the timer in its place. */
void rf_task_take_fold(struct rf_task *task, const struct rf_input *cause,
                       const struct rf_fold *fold);

/* outbox.c */
/* The next place in the outbox; the caller says what of that kind it is. `cause`: as below. */
struct rf_out *rf_task_push_out(struct rf_task *task, enum rf_out_kind kind,
                                const struct rf_input *cause);
void rf_task_dead_letter(struct rf_task *task, const struct rf_input *input,
                         const char *error_class, const char *message);

/* task_time.c */
enum rf_reach {
    RF_REACHED,
    RF_STOPPED, /* for now: enough was done, or task->blocked says why */
    RF_REACH_FAILED,
};
/* Fires everything due at or before `until`, in the order of (due, customer). */
enum rf_reach rf_task_reach(struct rf_task *task, rf_ms until, struct rf_error *err);
/* Where time stands once an event of this instant is seen. */
rf_ms rf_task_watermark(const struct rf_task *task, rf_ms stream_time);

/* task_quarantine.c */
const char *rf_task_quarantine_reason(const struct rf_task *task, const struct rf_input *input);
/* NULL: this timer is not in quarantine. */
const struct rf_quarantined *rf_task_quarantined_timer(const struct rf_task *task,
                                                       struct rf_bytes customer, rf_ms due);
/* Is the customer left alone? */
const char *rf_task_is_held(const struct rf_task *task, struct rf_bytes customer, rf_ms due);
void rf_task_end_quarantine(struct rf_task *task);
