/* One partition's life, driven by data: inputs in, an outbox out, and what became of the transaction.
 *
 * Three drivers run the same task: edge/stream against Kafka, edge/replay over files, tests/sim against a broker
 * that crashes and lies. A task reads no clock and does no I/O but through its store (core/task/store.h), once a
 * batch for all its customers. One thread.
 *
 *   feed → feed → fold → take the outbox → ... → seal → take the outbox → committed | aborted
 *
 * Inputs are kept until their transaction is committed. After an abort they are simply folded again, in the same
 * order, in the next transaction: the consumer need not be rewound, and the outcome is the same to the bit. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/codec/customer_codec.h"
#include "core/codec/decoder.h"
#include "core/codec/schemas.h"
#include "core/codec/wire.h"
#include "core/engine/engine.h"
#include "core/engine/meter.h"
#include "core/model/derived.h"
#include "core/model/event.h"
#include "core/model/plan.h"
#include "core/task/ledger.h"
#include "core/task/records.h"
#include "core/task/store.h"
#include "core/task/task_state.h"

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
    size_t memory_max; /* of the hot cache */
    size_t looks_max;  /* customers looked at without an event, in one call; 0: a sensible number */
};

enum rf_out_kind {
    RF_OUT_DERIVED,
    RF_OUT_DEAD_LETTER,
    RF_OUT_TOMBSTONE, /* of a customer who was erased, in a compacted topic */
};

/* In the place of an input's source: nothing came, something was due. The position is { RF_TIMER_TOPIC, the task's
 * partition, the instant }, the key is the customer, and there is no value. */
#define RF_SOURCE_TIMER UINT32_MAX

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

struct rf_task_counts {
    uint64_t records; /* inputs folded, whatever became of them */
    uint64_t events;  /* of them, events that changed a customer */
    uint64_t filtered, duplicates, late, dead_letters, derived, erased, evicted;
    uint64_t timers; /* looks at a customer because something was due */
    uint64_t rule_errors;
    uint64_t seen_forgotten; /* event ids that de-duplication had no more room for */
    /* events too late for a pattern, events that it took before their time, partial matches it gave up */
    uint64_t pattern_ignored, pattern_hurried, pattern_dropped;
};

/* NULL with STATE or RETRY: the store cannot be read, and is still the caller's. */
struct rf_task *rf_task_open(const struct rf_task_options *options, struct rf_error *err);
/* Gathered records are not flushed: call rf_task_flush before, if they are to be found warm. */
void rf_task_close(struct rf_task *task);

int32_t rf_task_partition(const struct rf_task *task);
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
size_t rf_task_pending(const struct rf_task *task); /* fed, not folded */
size_t rf_task_ready(
    struct rf_task *task); /* of them, what does not wait for a source that is behind */
size_t rf_task_folded(const struct rf_task *task); /* folded, not committed */
size_t rf_task_transaction_bytes(const struct rf_task *task);

/* ---- time without events ---- */

/* Fires what is due at or before `clock`, in order; then time stands there. Where there is much to do it ends early,
 * rf_task_is_due says so, and the next call goes on, in this transaction or another. Blocked, errors: as
 * rf_task_fold. */
bool rf_task_advance(struct rf_task *task, rf_ms clock, struct rf_error *err) RF_MUST_CHECK;
/* Is there something to do at `at`, or overdue? What is overdue also fires with the next call of rf_task_fold. True
 * where the store cannot say: the next call fails, and says why. */
bool rf_task_is_due(struct rf_task *task, rf_ms at);
/* Nobody is due before; RF_MS_MAX: nobody at all. */
rf_ms rf_task_next_due(const struct rf_task *task);
rf_ms rf_task_clock(const struct rf_task *task); /* as committed; RF_MS_MIN: nothing was seen */
rf_ms rf_task_clock_open(const struct rf_task *task); /* with the open transaction */
size_t rf_task_fired(
    const struct rf_task *task); /* timers of which something came, not committed */
/* Has something been done that has to be committed or aborted? Where nothing was folded and nothing fired there is
 * nothing to tell anybody. */
bool rf_task_is_open(const struct rf_task *task);

/* A store of another plan, or one that was filled in bulk: its customers are gone through, `count` a call, between
 * transactions, to work out when they are due. Until that is done some may fire late. Errors: STATE, RETRY. */
bool rf_task_is_swept(const struct rf_task *task);
bool rf_task_sweep(struct rf_task *task, size_t count, struct rf_error *err) RF_MUST_CHECK;

/* What there is to produce since the last call, in order. */
const struct rf_out *rf_task_take_outbox(struct rf_task *task, size_t *count);

/* All of the open transaction's, taken or not. */
const struct rf_out *rf_task_outbox(const struct rf_task *task, size_t *count);

/* Encodes the customers that changed. False with RECORD: one of them would be too large; the input that
 * made it so is quarantined, and the transaction has to be aborted. */
bool rf_task_seal(struct rf_task *task, const struct rf_sealed **sealed, size_t *sealed_count,
                  struct rf_error *err) RF_MUST_CHECK;

/* The next offset of a source's partition, as of what was folded: `fetched` is the consumer's position, and right
 * unless inputs of this source are still pending. */
int64_t rf_task_position(const struct rf_task *task, uint32_t source, int64_t fetched);

/* The record for the tasks topic: call after seal. `positions[i]`: next offset of source i, -1: none. */
void rf_task_write_state(const struct rf_task *task, const int64_t *positions,
                         struct rf_buffer *out);

/* `changelog_next`: the offset behind the last changelog record of this transaction; -1: it wrote none. */
void rf_task_committed(struct rf_task *task, int64_t changelog_next);
/* What was folded is pending again. */
void rf_task_aborted(struct rf_task *task);

/* The partition is somebody else's now: what was fed and not committed is read again by its next owner. */
void rf_task_forget_inputs(struct rf_task *task);

/* From now on the input at this place is a dead letter instead of being folded: something that it caused cannot be
 * produced. */
void rf_task_quarantine(struct rf_task *task, uint32_t source, int64_t offset, const char *why);
/* From now on this timer fires without emitting; a dead letter says so. */
void rf_task_quarantine_timer(struct rf_task *task, struct rf_bytes customer, rf_ms due,
                              const char *why);
/* Nothing may become of what is due of this customer at that instant (RF_MS_MIN: at any), as its record would be too
 * large. It waits for an event; a dead letter says so. */
void rf_task_hold(struct rf_task *task, struct rf_bytes customer, rf_ms due, const char *why);
/* The same for the input by which a customer's record has become too large to be produced. */
void rf_task_quarantine_customer(struct rf_task *task, struct rf_bytes customer, const char *why);

/* ---- the store's way ---- */

/* Writes the committed records to the store if `gathered_max` bytes of them have gathered (0: if there are any). */
bool rf_task_flush(struct rf_task *task, size_t gathered_max, struct rf_error *err) RF_MUST_CHECK;
/* Asks the store to make what it has durable. */
bool rf_task_sync(struct rf_task *task, bool wait, struct rf_error *err) RF_MUST_CHECK;

/* Where the changelog has to be read from: the store's checkpoint, or how far a restore has come. */
int64_t rf_task_changelog_next(const struct rf_task *task);
/* One changelog record (data == NULL: a tombstone), then where the changelog goes on. A store without a checkpoint is
 * filled in bulk, and has one when rf_task_restore_end has come: an interruption means to begin anew. Errors: RETRY
 * (the disk; what was restored in bulk is void), STATE. */
bool rf_task_restore(struct rf_task *task, struct rf_bytes customer, struct rf_bytes record,
                     struct rf_error *err) RF_MUST_CHECK;
void rf_task_restored_to(struct rf_task *task, int64_t changelog_next);
/* The changelog is read up to `changelog_next`. */
bool rf_task_restore_end(struct rf_task *task, int64_t changelog_next,
                         struct rf_error *err) RF_MUST_CHECK;
/* What the tasks topic says under a name of rf_layouts_name. */
void rf_task_restore_schema(struct rf_task *task, struct rf_bytes name, struct rf_bytes text);
/* The last state in the tasks topic. */
void rf_task_restore_state(struct rf_task *task, const struct rf_task_state *state);

/* ---- questions ---- */

/* The oldest input of a source that is not committed; NULL: there is none here. */
const struct rf_input *rf_task_oldest(const struct rf_task *task, uint32_t source);
/* What became of the inputs of the open transaction. */
const struct rf_ledger *rf_task_ledger(const struct rf_task *task);
/* The values of all features at `now`, by index in the plan: see rf_engine_features. Between two folds. */
void rf_task_features(struct rf_task *task, const struct rf_customer *customer, rf_ms now,
                      struct rf_arena *arena, struct rf_value *values);
struct rf_engine *rf_task_engine(struct rf_task *task); /* inside this room */
/* See core/engine/meter.h. */
void rf_task_set_meter_clock(struct rf_task *task, rf_ns (*monotonic_ns)(void));
void rf_task_take_meter(struct rf_task *task, struct rf_rule_meter *sum);
void rf_task_store_sizes(const struct rf_task *task, struct rf_store_sizes *sizes);

rf_ms rf_task_stream_time(const struct rf_task *task);            /* RF_MS_MIN: nothing was seen */
struct rf_task_counts rf_task_counts(const struct rf_task *task); /* of committed transactions */
struct rf_records_stats rf_task_records_stats(const struct rf_task *task);
/* The last rule that could not be evaluated since the last call, and why; false: none. The rule did not fire. */
bool rf_task_take_rule_error(struct rf_task *task, uint32_t *rule, struct rf_error *why);
/* A customer as committed, decoded into `arena`; *customer is NULL where nothing is known. */
bool rf_task_customer(struct rf_task *task, struct rf_bytes id, struct rf_arena *arena,
                      struct rf_customer **customer, struct rf_error *err) RF_MUST_CHECK;
/* Every customer as committed, in order of id; flushes first. */
bool rf_task_each_customer(struct rf_task *task,
                           bool (*visit)(void *context, const struct rf_customer *customer),
                           void *context, struct rf_error *err) RF_MUST_CHECK;
