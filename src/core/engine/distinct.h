/* COUNT_DISTINCT: how many different values, by their 64-bit hashes.
 *
 * Since ever: exact up to RF_DISTINCT_EXACT_MAX values, then a sketch (sketch.h) takes over for good.
 * In a window: a value counts while its latest event is in (now - window, now], to the millisecond. At most
 * RF_DISTINCT_EXACT_MAX values are remembered; beyond that the least recent is forgotten, so the count
 * saturates there.
 *
 * Numbers that are equal in CEL (1, 1u, 1.0) are one value. Two values share a hash with a probability of
 * 2^-64: of 512 values, one in 10^14 customers is counted one short. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/feature.h"

/* False for what is neither null nor a bool, number, text, instant or duration. */
bool rf_distinct_hash(struct rf_value value, uint64_t *hash);

/* True where it may change the count, now or later. */
bool rf_distinct_add(const struct rf_feature *feature, struct rf_feature_state *state,
                     uint64_t hash, rf_ms time, rf_ms now, struct rf_arena *arena);

int64_t rf_distinct_count(const struct rf_feature *feature, const struct rf_feature_state *state,
                          rf_ms now);
