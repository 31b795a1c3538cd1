/* FIRST and LAST: the value at one end of a customer's events, by event time.
 *
 * Of several events at the same instant the first takes the earliest arrival, the last the latest. Only one
 * value is kept. LAST may have a window: it counts while its event is in (now - window, now], and after that
 * there is none until another event comes. FIRST has none: what was the first within a window cannot be told
 * once the one before it has left. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/feature.h"

/* The value in the form in which it is kept: times to the millisecond. False where it is none of that type,
 * or a number that is not finite. */
bool rf_ends_normalise(const struct rf_type *state_type, struct rf_value value,
                       struct rf_value *normal);

/* `value` is normal; its text is copied to `arena`. True where it is now the one kept. */
bool rf_ends_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                 rf_ms now, struct rf_value value, struct rf_arena *arena);

/* Null where there is none. */
struct rf_value rf_ends_value(const struct rf_feature *feature,
                              const struct rf_feature_state *state, rf_ms now);
