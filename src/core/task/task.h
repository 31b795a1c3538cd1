/* One partition's life, driven by data: inputs in, an outbox out, and what became of the transaction.
 *
 * Three drivers run the same task: edge/stream against Kafka, edge/replay over files, tests/sim against a broker
 * that crashes and lies. A task reads no clock and does no I/O but through its store (core/task/store.h), once a
 * batch for all its customers. One thread, here and in the headers below.
 *
 *   feed → feed → fold → take the outbox → ... → seal → take the outbox → committed | aborted
 *
 * Inputs are kept until their transaction is committed. After an abort they are simply folded again, in the same
 * order, in the next transaction: the consumer need not be rewound, and the outcome is the same to the bit.
 *
 *   outbox.h           what the transaction has to produce
 *   task_time.h        what comes due although nothing arrives
 *   task_progress.h    how far it is, and what has to be committed with it
 *   task_quarantine.h  what cannot be produced, handed back
 *   task_store.h       its store: written, and filled again from the changelog
 *   task_customers.h   what it knows of its customers
 *   task_stats.h       what it says of itself */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/codec/customer_codec.h"
#include "core/codec/decoder.h"
#include "core/codec/schemas.h"
#include "core/codec/wire.h"
#include "core/model/event.h"
#include "core/model/plan.h"
#include "core/task/records.h"
#include "core/task/store.h"

struct rf_task;

struct rf_task_options {
    const struct rf_plan *plan;
    const struct rf_customer_codec *codec;
    struct rf_schemas
        record_schemas; /* of older customer records whose schema the store has no note of */
    struct rf_schema_reader reader;
    struct rf_wire record_wire; /* what stands before the records written now */
    struct rf_store store;      /* the task owns it from now on */
    int32_t partition;
    size_t memory_max;     /* of the hot cache */
    size_t restore_memory; /* while its store is filled, instead; 0: a sensible size */
    size_t looks_max; /* customers looked at without an event, in one call; 0: a sensible number */
};

/* NULL with STATE or RETRY: the store cannot be read, and is still the caller's. */
struct rf_task *rf_task_open(const struct rf_task_options *options, struct rf_error *err);
/* Gathered records are not flushed: call rf_task_flush before, if they are to be found warm. */
void rf_task_close(struct rf_task *task);

/* Before anything is fed, and again when another worker takes the task: by source, not owned. */
void rf_task_set_decoders(struct rf_task *task, const struct rf_decoder *decoders);
void rf_task_set_memory(struct rf_task *task, size_t memory_max);

/* ---- the transaction's way ---- */

/* Copies what `input` points to (not its topic). */
void rf_task_feed(struct rf_task *task, const struct rf_input *input);

/* Which sources have more in their topic than was fed (bit s: source s). What might have to be folded after that
 * waits for it, so that a complaint meets the calls before it also when one topic is read faster than another.
 * 0, as at first: nothing waits. */
void rf_task_set_behind(struct rf_task *task, uint64_t behind);

/* Folds what was fed. Where an input cannot be decoded yet (its schema is being
 * fetched), or the store cannot be read now, it stops before it: true, and rf_task_is_blocked says so and why.
 * Errors: STATE (the store is damaged). */
bool rf_task_fold(struct rf_task *task, struct rf_error *err) RF_MUST_CHECK;
bool rf_task_is_blocked(const struct rf_task *task, const char **why);

/* Encodes the customers that changed. False with RECORD: one of them would be too large; the input that
 * made it so is quarantined, and the transaction has to be aborted. */
bool rf_task_seal(struct rf_task *task, const struct rf_sealed **sealed, size_t *sealed_count,
                  struct rf_error *err) RF_MUST_CHECK;

/* `changelog_next`: the offset behind the last changelog record of this transaction; -1: it wrote none. */
void rf_task_committed(struct rf_task *task, int64_t changelog_next);
/* What was folded is pending again. */
void rf_task_aborted(struct rf_task *task);

/* The partition is somebody else's now: what was fed and not committed is read again by its next owner. */
void rf_task_forget_inputs(struct rf_task *task);
