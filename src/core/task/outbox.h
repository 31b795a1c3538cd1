/* What a task's open transaction has to produce, in order: derived events, dead letters, tombstones. The driver takes
 * it after each fold, and must have taken all of it before the transaction is committed. Thread: the task's. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/model/derived.h"
#include "core/model/event.h"

struct rf_task;

/* In the place of an input's source: nothing came, something was due. The position is { RF_TIMER_TOPIC, the task's
 * partition, the instant }, the key is the customer, and there is no value. */
#define RF_SOURCE_TIMER UINT32_MAX

enum rf_out_kind {
    RF_OUT_DERIVED,
    RF_OUT_DEAD_LETTER,
    RF_OUT_TOMBSTONE, /* of a customer who was erased, in a compacted topic */
};

struct rf_dead_letter {
    struct rf_input input;
    const char *error_class; /* rf_error_kind_name, or "late", "quarantined", "held" */
    const char *message;
};

struct rf_tombstone {
    uint32_t output;
    struct rf_bytes key;
};

/* Something to be produced. Lives until the transaction ends. */
struct rf_out {
    enum rf_out_kind kind;
    struct rf_position cause; /* of the input or timer; to be handed back to rf_task_quarantine, */
    uint32_t cause_source;    /* or, where this is RF_SOURCE_TIMER, */
    struct rf_bytes cause_customer; /* to rf_task_quarantine_timer */
    union {
        const struct rf_derived *derived;
        const struct rf_dead_letter *dead_letter;
        struct rf_tombstone tombstone;
    } as;
};

/* What there is to produce since the last call, in order. */
const struct rf_out *rf_task_take_outbox(struct rf_task *task, size_t *count);

/* All of the open transaction's, taken or not. */
const struct rf_out *rf_task_outbox(const struct rf_task *task, size_t *count);
