/* A customer in JSON together with how the rules stand for it: the member `explain` of the same object. */
#pragma once
#include "core/base/buffer.h"
#include "core/model/customer.h"
#include "core/model/explanation.h"
#include "core/model/plan.h"

/* Behind what rf_customer_print_json has put at the end of `out`. */
void rf_explained_append_json(const struct rf_plan *plan, const struct rf_explanation *explanation,
                              struct rf_buffer *out);

/* Both; the rules as of `now`. Any thread. */
void rf_explained_print_json(const struct rf_plan *plan, const struct rf_customer *customer,
                             const struct rf_value *values, rf_ms now, struct rf_buffer *out);
