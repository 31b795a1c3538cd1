/* When the value of a windowed feature next changes although nothing happens: something leaves its window, or with an
 * offset enters it. */
#pragma once
#include <stdbool.h>

#include "core/model/customer.h"
#include "core/model/feature.h"

/* Does its value only become less until the next event? True of what counts; of sums while nothing in them is
 * negative. */
bool rf_steps_only_down(const struct rf_feature *feature, const struct rf_feature_state *state);

/* The first instant after `now` at which it may differ; RF_MS_MAX: never. Of features without a window: never. */
rf_ms rf_steps_after(const struct rf_feature *feature, const struct rf_feature_state *state,
                     rf_ms now);
