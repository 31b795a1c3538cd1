#include "core/engine/steps.h"

/* Bucket i counts (window.h) from the first instant at which floor((now - offset) / bucket) reaches it, until the one at
 * which floor((now - offset - window + 1) / bucket) has passed it. */
static rf_ms next_of_buckets(const struct rf_feature *feature, const struct rf_feature_state *state,
                             rf_ms now)
{
    rf_ms next = RF_MS_MAX;

    for (uint32_t i = 0; i < state->count; i++) {
        rf_ms begin = state->buckets[i].index * feature->bucket;
        rf_ms enters = begin + feature->offset;
        rf_ms leaves = begin + feature->bucket + feature->offset + feature->window - 1;

        if (leaves > now)
            next = rf_ms_earlier(next, leaves);
        if (enters > now)
            return rf_ms_earlier(next, enters); /* what comes later enters and leaves later */
    }
    return next;
}

static rf_ms next_of_distinct(const struct rf_feature *feature,
                              const struct rf_feature_state *state, rf_ms now)
{
    rf_ms next = RF_MS_MAX;

    for (uint32_t i = 0; i < state->count; i++) {
        rf_ms leaves = state->distinct[i].last + feature->window;

        if (leaves > now)
            next = rf_ms_earlier(next, leaves);
    }
    return next;
}

/* TREND looks at two windows, one behind the other. */
static rf_ms next_of_windows(const struct rf_feature *feature, const struct rf_feature_state *state,
                             rf_ms now)
{
    struct rf_feature latest = *feature;

    if (feature->kind != RF_FEATURE_TREND)
        return next_of_buckets(feature, state, now);
    latest.offset = 0;
    return rf_ms_earlier(next_of_buckets(&latest, state, now),
                         next_of_buckets(feature, state, now));
}

static rf_ms next_of_tallies(const struct rf_feature *feature, const struct rf_feature_state *state,
                             rf_ms now)
{
    rf_ms next = RF_MS_MAX;

    for (uint32_t i = 0; i < state->count; i++)
        next = rf_ms_earlier(next, next_of_buckets(feature, &state->tallies[i].state, now));
    return next;
}

static bool is_negative(const struct rf_feature *feature, union rf_number number)
{
    return feature->state_type->kind == RF_TYPE_DOUBLE ? number.number < 0 : number.integer < 0;
}

bool rf_steps_only_down(const struct rf_feature *feature, const struct rf_feature_state *state)
{
    if (feature->offset > 0)
        return false;
    if (feature->kind == RF_FEATURE_DECAY)
        return !state->set || state->value.as.number >= 0;
    if (feature->kind == RF_FEATURE_COUNT || feature->kind == RF_FEATURE_COUNT_DISTINCT)
        return true;
    if (feature->kind != RF_FEATURE_SUM || feature->shape != RF_STATE_BUCKETS)
        return false;
    for (uint32_t i = 0; i < state->count; i++) {
        if (is_negative(feature, state->buckets[i].as))
            return false;
    }
    return true;
}

rf_ms rf_steps_after(const struct rf_feature *feature, const struct rf_feature_state *state,
                     rf_ms now)
{
    if (feature->window == 0)
        return RF_MS_MAX;
    switch (feature->shape) {
    case RF_STATE_BUCKETS:
        return next_of_windows(feature, state, now);
    case RF_STATE_TALLY:
        return next_of_tallies(feature, state, now);
    case RF_STATE_DISTINCT:
        return next_of_distinct(feature, state, now);
    case RF_STATE_VALUE: /* LAST */
        return state->set && state->at + feature->window > now ? state->at + feature->window
                                                               : RF_MS_MAX;
    case RF_STATE_NONE:
    case RF_STATE_INTERVAL: /* these have no window */
    case RF_STATE_CASES:
        break;
    }
    return RF_MS_MAX;
}
