/* INTERVAL: the lengths of time between events of a kind that follow each other by event time.
 *
 * The mean is (latest - earliest) / (events - 1), whatever the order of arrival. For the rest the latest
 * RF_INTERVAL_TIMES_MAX events are kept one by one, and gaps before them only as what they come to; so any order
 * of arrival gives the same bits as long as an event is no later than that many younger ones. One that comes
 * later still counts for the mean, and adds nothing else. */
#pragma once
#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/feature.h"

void rf_interval_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                     struct rf_arena *arena);

/* A duration, to the millisecond; null before the second event. */
struct rf_value rf_interval_value(const struct rf_feature *feature,
                                  const struct rf_feature_state *state);
