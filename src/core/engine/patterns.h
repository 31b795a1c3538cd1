/* The patterns of a plan within a fold: which steps an event matches, when the next one has to be looked at, and
 * the rules that their matches fire. */
#pragma once
#include "core/engine/state.h"

/* Evaluates the `where` of every step that listens, against the customer before the event. Nothing changes.
 * Errors: RECORD, naming the rule. */
bool rf_patterns_gather(struct rf_engine *engine, const struct rf_event *event,
                        struct rf_error *err) RF_MUST_CHECK;

/* Shows the event that was gathered to the patterns, and lets them go on to `watermark`. */
void rf_patterns_take(struct rf_engine *engine, struct rf_customer *customer,
                      const struct rf_event *event, rf_ms watermark, struct rf_arena *arena,
                      struct rf_fold *fold);

/* Time alone: lets the patterns go on to `watermark`. Sets fold->changed where one did. */
void rf_patterns_advance(struct rf_engine *engine, struct rf_customer *customer, rf_ms watermark,
                         struct rf_arena *arena, struct rf_fold *fold);

/* The least watermark at which that would change something; RF_MS_MAX: none. */
rf_ms rf_patterns_due(const struct rf_engine *engine, const struct rf_customer *customer);
