/* How the rules of a customer stand, as JSON: what `ringfold customer --explain --json` and the endpoint show.
 *
 *   {"now": T, "due": T | null, "rules": {NAME: {"standing": "cooldown", "since": T, "until": T, "fired": 1,
 *     "last_fired": T, "due": T, "when": CONDITION, "clear_when": CONDITION, "pattern": {"events": 3, "waiting": 0,
 *     "partial": [{"taken": [{"kind", "at"}], "next": KIND, "forbids": KINDS, "until": T}]}}}}
 *
 * CONDITION is {"text": ..., "holds": true | false | null, "error": ..., and of a test "compares": ">=", "left", "right",
 * "gap": right - left, "reads": {FEATURE: VALUE}, of others "all" | "any" | "not" | "choice": [CONDITION ...]}. What there is
 * none of is left out. */
#pragma once
#include "core/base/buffer.h"
#include "core/model/explanation.h"
#include "core/model/plan.h"

void rf_explanation_print_json(const struct rf_plan *plan, const struct rf_explanation *explanation,
                               struct rf_buffer *out);
