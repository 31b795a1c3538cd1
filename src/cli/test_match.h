/* Is what happened what a test expects? And what differs, one line a difference. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/model/derived.h"
#include "core/model/plan.h"
#include "edge/config/tests.h"

bool rf_test_value_matches(const struct rf_test_value *expected, struct rf_value actual);
/* As a test would write it. */
void rf_test_value_print(struct rf_buffer *out, const struct rf_test_value *value);

/* How many of the things that the test says differ; 0: it is the event. `differences` (may be NULL) gets a line with
 * "- " for what is expected and one with "+ " for what is, each behind `indent`. */
size_t rf_test_compare(const struct rf_plan *plan, const struct rf_test_match *match,
                       const struct rf_derived *derived, const char *indent,
                       struct rf_buffer *differences);

/* One line: what is expected, and what was emitted. */
void rf_test_match_print(struct rf_buffer *out, const struct rf_test_match *match);
void rf_test_derived_print(const struct rf_plan *plan, const struct rf_derived *derived,
                           struct rf_buffer *out);
