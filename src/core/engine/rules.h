/* The third step of a fold: which rules fire on the customer as it is now.
 *
 * A rule is asked when something that its condition reads has changed, or may have changed because time has
 * moved (windows, decays, `now`), or when it reads no feature at all; and not during its cooldown, counted from
 * the event time at which it last fired. It fires where the condition is true. What fires is remembered in
 * the customer; a rule whose condition, reason or offer cannot be evaluated does not fire and is counted. */
#pragma once
#include "core/engine/state.h"

/* Derived events are made in `arena`, in the order of the rules. */
void rf_rules_ask(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold);
