/* DECAY: a sum in which every event weighs half as much after each half-life.
 *
 * Kept as one number and the instant that it is of; both move to the greatest event time seen. An event
 * that arrives late is decayed forwards to that instant, so the order of arrival matters only in the last
 * bits. 2^x is core/base/math's: the same bits on every machine. */
#pragma once
#include "core/model/customer.h"
#include "core/model/feature.h"

void rf_decay_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                  double weight);

/* 0 where nothing happened yet. */
double rf_decay_value(const struct rf_feature *feature, const struct rf_feature_state *state,
                      rf_ms now);
