/* One event into one customer: (plan, customer, event) → customer', derived events. A pure function; the
 * engine is only the working memory of one thread.
 *
 * An event is folded in three steps: every `where` and value of the features that listen to its source is
 * evaluated against the customer as it was before the event (this may fail: then nothing has changed and the
 * event is a dead letter); the features change (this cannot fail); the rules that read a changed feature, or
 * one that moves with time, are asked (a rule that cannot be evaluated does not fire and is counted). */
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

struct rf_fold {
    enum rf_fold_result result;
    size_t derived_count;
    const struct rf_derived *derived; /* in the arena, in the order of the rules */
    size_t seen_forgotten; /* event ids dropped before their time: the customer has RF_SEEN_MAX */
    size_t rule_error_count;
    uint32_t rule_error_rule;   /* the last that failed */
    struct rf_error rule_error; /* why */
};

struct rf_engine *rf_engine_open(const struct rf_plan *plan);
void rf_engine_close(struct rf_engine *engine);

/* `customer` changes in place; what it grows by comes from `arena`, which has to live as long as it does.
 * Errors: RECORD; the customer is as before. */
bool rf_engine_fold(struct rf_engine *engine, struct rf_customer *customer,
                    const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold,
                    struct rf_error *err) RF_MUST_CHECK;

/* values[i] is feature i at the instant `now` (an earlier one than customer->as_of counts as that); null
 * where there is none or its expression fails. Lists and text are in `arena` or the customer's. */
void rf_engine_features(struct rf_engine *engine, const struct rf_customer *customer, rf_ms now,
                        struct rf_arena *arena, struct rf_value *values);
