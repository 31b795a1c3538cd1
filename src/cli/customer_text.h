/* A customer for people and programs: one line of JSON, or a few lines of text. */
#pragma once
#include "core/base/buffer.h"
#include "core/model/customer.h"
#include "core/model/plan.h"

/* {"customer": ..., "as_of": ..., "features": {...}} */
void rf_customer_print_json(const struct rf_plan *plan, const struct rf_customer *customer,
                            const struct rf_value *values, rf_ms now, struct rf_buffer *out);
void rf_customer_print_text(const struct rf_plan *plan, const struct rf_customer *customer,
                            const struct rf_value *values, rf_ms now, struct rf_buffer *out);
