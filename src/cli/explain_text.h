/* How the rules of a customer stand, for people. */
#pragma once
#include "core/base/buffer.h"
#include "core/model/explanation.h"
#include "core/model/plan.h"

void rf_explanation_print_text(const struct rf_plan *plan, const struct rf_explanation *explanation,
                               struct rf_buffer *out);
/* One rule of it, each line behind `indent`. */
void rf_explained_rule_print_text(const struct rf_plan *plan, const struct rf_explained_rule *rule,
                                  const char *indent, struct rf_buffer *out);
