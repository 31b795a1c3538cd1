/* How the rules of a customer stand: which parts of a condition hold and for which values, and what holds a rule back.
 * Asks the same programs as the rules do (rules.h), changes nothing, and is nobody's hot path. One thread. */
#pragma once
#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/explanation.h"
#include "core/model/plan.h"

struct rf_explainer;

struct rf_explainer *rf_explainer_open(const struct rf_plan *plan);
void rf_explainer_close(struct rf_explainer *explainer);

/* At the instant `now`; an earlier one than customer->as_of counts as that. What is explained lives in `arena`, in the
 * plan, and in the explainer. */
void rf_explain(struct rf_explainer *explainer, const struct rf_customer *customer, rf_ms now,
                struct rf_arena *arena, struct rf_explanation *explanation);
