/* The first two steps of a fold: what an event adds to each feature, and adding it. */
#pragma once
#include "core/engine/state.h"

/* Evaluates `where` and value of the features that listen, against the customer before the event. Nothing
 * changes. Errors: RECORD, naming the feature. */
bool rf_fold_gather(struct rf_engine *engine, const struct rf_event *event,
                    struct rf_error *err) RF_MUST_CHECK;

/* Adds what was gathered; `engine->changed` says what differs now, `fold` counts what there was no room for. Cannot
 * fail. */
void rf_fold_apply(struct rf_engine *engine, struct rf_customer *customer,
                   const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold);
