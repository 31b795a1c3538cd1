/* The third step of a fold: which rules fire on the customer as it is now.
 *
 *             when, for `hold`, not cooling down                  clear_when
 *     IDLE ───────────────────────────────────────▶ RAISED ───────────────────▶ IDLE
 *            emits RAISED; without clear_when        │    ▲   emits CLEARED
 *            it is over as it begins                 └────┘ other reasons, `update` after the last: UPDATED
 *
 * A rule is asked when something that its conditions read has changed, or may have changed because time has
 * moved (windows, decays, `now`), or when it reads no feature at all; and where time alone has made a condition
 * come true (due.h). It is silent during its cooldown, counted from when it last fired. What fires is remembered in
 * the customer; a rule whose condition, reason or offer cannot be evaluated does not fire and is counted.
 * A rule in shadow goes the same way and emits nothing. One that is off is not asked; an alert that was told of, and
 * whose rule is in shadow or off now, is cleared at once. */
#pragma once
#include "core/engine/describe.h"
#include "core/engine/state.h"

/* Derived events are added to the engine's, in the order of the rules. */
void rf_rules_ask(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold);

/* A rule whose pattern has a match, which is the cause: it fires if it is not cooling down and `when`, where it has
 * one, holds; where its alert is open the match is news of it, `update` after the last. */
void rf_rules_match(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                    const struct rf_cause *cause, struct rf_arena *arena, struct rf_fold *fold);

/* The customer is to be forgotten: alerts that are open are over. */
void rf_rules_end(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_cause *cause, struct rf_arena *arena, struct rf_fold *fold);

/* One rule, whatever has changed, at the instant at which the engine looks. */
void rf_rules_ask_one(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                      const struct rf_cause *cause, struct rf_arena *arena, struct rf_fold *fold);
