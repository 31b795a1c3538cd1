/* Which instant of a customer comes next without an event, and what is done then.
 *
 * For each rule that instant follows from the customer alone, as of its latest event: when its condition comes true
 * by itself and the cooldown is over; how long it has to hold; when an open episode is over. Looking from the latest
 * event, and never from where somebody happened to look last, makes it the same however often and in whatever
 * transactions it was computed. */
#pragma once
#include "core/engine/state.h"

/* From the customer's latest event on. The engine looks at the customer already, as it is (so for all of these). */
rf_ms rf_due_of(struct rf_engine *engine, const struct rf_customer *customer);

/* For people: engine->moments[i].at becomes the instant at which rule i will do something if nothing happens;
 * RF_MS_MAX: nothing. Returns the earliest, the end of the customer's life included. */
rf_ms rf_due_foresee(struct rf_engine *engine, const struct rf_customer *customer);

/* Before an event at `until`: since when the conditions of rules with a `for` hold. Time may have made them come
 * and go since the customer's last event, and what they read is about to change. */
void rf_due_settle(struct rf_engine *engine, struct rf_customer *customer, rf_ms until);

struct rf_due_limits {
    rf_ms until;
    rf_ms watermark; /* for the patterns: events before it may still come; `until` at most counts */
    bool evicts;     /* also the end of the customer's time to live; not with an event at hand */
};

/* Fires everything due at or before the limits, in order. Returns what is due next, after that. Sets fold->changed and
 * fold->evicted where they come true; derived events are added to the engine's. */
rf_ms rf_due_fire(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_due_limits *limits, struct rf_arena *arena, struct rf_fold *fold);
