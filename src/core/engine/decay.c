#include "core/engine/decay.h"

#include "core/base/assert.h"
#include "core/base/math.h"

static double decayed(const struct rf_feature *feature, double weight, rf_span_ms elapsed)
{
    rf_assert(elapsed >= 0);
    if (elapsed == 0)
        return weight;
    return weight * rf_exp2(-(double)elapsed / (double)feature->half_life);
}

void rf_decay_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                  double weight)
{
    double sum = 0.0;

    rf_assert(feature->half_life > 0);
    if (!state->set) {
        *state = (struct rf_feature_state){.set = true, .at = time};
        state->value = rf_value_double(weight);
        return;
    }
    rf_assert(state->value.kind == RF_VALUE_DOUBLE);
    sum = state->value.as.number;
    if (time >= state->at) {
        sum = decayed(feature, sum, time - state->at) + weight;
        state->at = time;
    } else {
        sum += decayed(feature, weight, state->at - time);
    }
    state->value = rf_value_double(sum);
}

double rf_decay_value(const struct rf_feature *feature, const struct rf_feature_state *state,
                      rf_ms now)
{
    if (!state->set)
        return 0.0;
    rf_assert(now >= state->at);
    return decayed(feature, state->value.as.number, now - state->at);
}
