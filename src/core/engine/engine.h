/* One event, or time alone, into one customer: (plan, customer, event) → customer', derived events. A pure
 * function; the engine is only the working memory of one thread.
 *
 * An event is folded in three steps: every `where` and value of the features that listen to its source is
 * evaluated against the customer as it was before the event (this may fail: then nothing has changed and the
 * event is a dead letter); the features change (this cannot fail); the rules that read a changed feature, or
 * one that moves with time, are asked (a rule that cannot be evaluated does not fire and is counted).
 *
 * Silence is an event: conditions come true by time alone as well. customer->due says when the next of that can
 * be, and whoever drives the engine calls rf_engine_advance then. It is computed from the customer as of its latest
 * event, so it is the same however events were cut into transactions (due.h). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/model/customer.h"
#include "core/model/derived.h"
#include "core/model/event.h"
#include "core/model/plan.h"

struct rf_engine;

enum rf_fold_result {
    RF_FOLD_DONE,
    RF_FOLD_DUPLICATE, /* its id was seen before: nothing changed */
};

struct rf_held_counts {
    uint32_t by[RF_HELD_BY_COUNT];
};

struct rf_fold {
    enum rf_fold_result result;
    bool changed; /* the customer's record is another now; always, where an event was folded */
    bool evicted; /* the customer is to be forgotten: its time to live is over */
    rf_ms due; /* when to look at the customer next: customer->due, or later where it was in vain */
    size_t derived_count;
    const struct rf_derived *derived; /* in the arena, in the order in which they came about */
    size_t seen_forgotten;  /* event ids dropped before their time: the customer has RF_SEEN_MAX */
    size_t values_dropped;  /* values that a feature had no more room for (tally.h) */
    size_t pattern_ignored; /* events that came too late for a pattern */
    size_t
        pattern_hurried; /* events that a pattern could not keep until the watermark reached them */
    size_t pattern_dropped; /* partial matches given up: there were RF_PATTERN_RUNS_MAX */
    const struct rf_held_counts *held; /* by rule, until the next fold; NULL: none was held back */
    size_t rule_error_count;
    uint32_t rule_error_rule;   /* the last that failed */
    struct rf_error rule_error; /* why */
};

struct rf_engine *rf_engine_open(const struct rf_plan *plan);
void rf_engine_close(struct rf_engine *engine);

/* `customer` changes in place; what it grows by comes from `arena`, which has to live as long as it does. What was
 * due before the event fires before it. `watermark`: no event older than this is still to come.
 * Errors: RECORD; the customer is as before. */
bool rf_engine_fold(struct rf_engine *engine, struct rf_customer *customer,
                    const struct rf_event *event, rf_ms watermark, struct rf_arena *arena,
                    struct rf_fold *fold, struct rf_error *err) RF_MUST_CHECK;

/* Time alone: fires what of this customer is due at or before `watermark`, each at its own instant. Where
 * nothing came of it the customer is bit for bit as before. */
void rf_engine_advance(struct rf_engine *engine, struct rf_customer *customer, rf_ms watermark,
                       struct rf_arena *arena, struct rf_fold *fold);

/* What customer->due ought to be: asked where a customer was written under another plan. */
rf_ms rf_engine_due(struct rf_engine *engine, const struct rf_customer *customer);

/* Can anything of this plan come due without an event? Where not, every customer's due is RF_MS_MAX. */
bool rf_engine_has_timers(const struct rf_engine *engine);

/* The news that a customer was erased, into `arena`. False: the plan wants none. */
bool rf_engine_erased(struct rf_engine *engine, const struct rf_event *event,
                      struct rf_arena *arena, struct rf_derived *derived);

/* values[i] is feature i at the instant `now` (an earlier one than customer->as_of counts as that); null
 * where there is none or its expression fails. Lists and text are in `arena` or the customer's. */
void rf_engine_features(struct rf_engine *engine, const struct rf_customer *customer, rf_ms now,
                        struct rf_arena *arena, struct rf_value *values);
