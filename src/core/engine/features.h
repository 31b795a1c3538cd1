/* Values of features at one instant, computed when they are first read: those of a state from the state, then
 * the expressions, in the order of the plan (an expression reads earlier features only). */
#pragma once
#include "core/engine/state.h"
#include "core/model/feature.h"

/* Looks at `customer` at the instant `now`; nothing is known yet. `event`: the one at hand, not yet folded;
 * may be NULL. */
void rf_features_look(struct rf_engine *engine, const struct rf_customer *customer, rf_ms now,
                      const struct rf_event *event);

/* Brings the variables of `reads` up to date; what expressions, lists and maps are made of is put into
 * `arena`. Errors: RECORD, naming the feature whose expression fails. */
bool rf_features_need(struct rf_engine *engine, const struct rf_feature_set *reads,
                      struct rf_arena *arena, struct rf_error *err) RF_MUST_CHECK;

/* The same as far as it goes: those that fail, and those that read them, are null. */
void rf_features_have(struct rf_engine *engine, const struct rf_feature_set *reads,
                      struct rf_arena *arena);

/* The variables of `set` are no longer up to date. */
void rf_features_forget(struct rf_engine *engine, const struct rf_feature_set *set);

/* An expression over the variables, once what it reads is known. Errors: RECORD. */
bool rf_features_eval(struct rf_engine *engine, const struct rf_expr *expr, struct rf_arena *arena,
                      struct rf_value *value, struct rf_error *err) RF_MUST_CHECK;
