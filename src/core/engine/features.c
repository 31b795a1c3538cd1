#include "core/engine/features.h"

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/engine/cases.h"
#include "core/engine/decay.h"
#include "core/engine/distinct.h"
#include "core/engine/ends.h"
#include "core/engine/feature_set.h"
#include "core/engine/interval.h"
#include "core/engine/number.h"
#include "core/engine/tally.h"
#include "core/engine/window.h"
#include "core/model/variables.h"

void rf_features_look(struct rf_engine *engine, const struct rf_customer *customer, rf_ms now,
                      const struct rf_event *event)
{
    rf_ms first_seen = rf_ms_earlier(customer->first_seen, now);

    rf_assert(now >= customer->as_of);
    engine->customer = customer;
    engine->now = now;
    engine->known = (struct rf_feature_set){0};
    if (event != NULL && event->time < first_seen)
        first_seen = event->time;
    engine->customer_fields[RF_CUSTOMER_ID] = rf_value_string(customer->id);
    engine->customer_fields[RF_CUSTOMER_FIRST_SEEN] = rf_value_timestamp_ms(first_seen);
    engine->customer_fields[RF_CUSTOMER_EVENTS] =
        rf_value_int(customer->event_count + (event != NULL));
    engine->variables[RF_VARIABLE_EVENT] =
        event == NULL ? rf_value_null() : rf_value_record(event->fields);
    engine->variables[RF_VARIABLE_NOW] = rf_value_timestamp_ms(now);
}

static struct rf_value running_value(const struct rf_feature *feature,
                                     const struct rf_feature_state *state)
{
    if (state->set)
        return state->value;
    if (feature->kind == RF_FEATURE_MIN || feature->kind == RF_FEATURE_MAX)
        return rf_value_null();
    return rf_number_value(feature->state_type, (union rf_number){0});
}

/* Of a feature that has a state. */
static struct rf_value state_value(const struct rf_feature *feature,
                                   const struct rf_feature_state *state, rf_ms now,
                                   struct rf_arena *arena)
{
    switch (feature->kind) {
    case RF_FEATURE_COUNT:
    case RF_FEATURE_SUM:
    case RF_FEATURE_MIN:
    case RF_FEATURE_MAX:
        return feature->shape == RF_STATE_BUCKETS ? rf_window_value(feature, state, now)
                                                  : running_value(feature, state);
    case RF_FEATURE_FIRST:
    case RF_FEATURE_LAST:
        return rf_ends_value(feature, state, now);
    case RF_FEATURE_COUNT_DISTINCT:
        return rf_value_int(rf_distinct_count(feature, state, now));
    case RF_FEATURE_DECAY:
        return rf_value_double(rf_decay_value(feature, state, now));
    case RF_FEATURE_MEAN:
    case RF_FEATURE_TOP:
    case RF_FEATURE_ENTROPY:
    case RF_FEATURE_QUANTILE:
    case RF_FEATURE_COUNT_BY:
        return rf_tally_value(feature, state, now, arena);
    case RF_FEATURE_TREND:
        return rf_window_trend(feature, state, now);
    case RF_FEATURE_INTERVAL:
        return rf_interval_value(feature, state);
    case RF_FEATURE_CASES:
        return rf_cases_value(state, arena);
    case RF_FEATURE_CASES_OF:
    case RF_FEATURE_EXPR:
        break;
    }
    rf_assert(false && "an expression has no state");
    return rf_value_null();
}

bool rf_features_eval(struct rf_engine *engine, const struct rf_expr *expr, struct rf_arena *arena,
                      struct rf_value *value, struct rf_error *err)
{
    struct rf_expr_scratch scratch = {.arena = arena};

    return rf_expr_eval(expr, engine->variables, &scratch, value, err);
}

static bool compute(struct rf_engine *engine, uint32_t index, struct rf_arena *arena,
                    struct rf_error *err)
{
    const struct rf_feature *feature = &engine->plan->features[index];
    struct rf_value *variable = &engine->variables[RF_VARIABLE_FEATURE + index];

    if (feature->kind == RF_FEATURE_CASES_OF) {
        *variable = rf_cases_stat(feature, &engine->customer->features[feature->of]);
    } else if (feature->kind != RF_FEATURE_EXPR) {
        *variable = state_value(feature, &engine->customer->features[index], engine->now, arena);
    } else if (!rf_features_eval(engine, feature->expr, arena, variable, err)) {
        *variable = rf_value_null();
        return rf_error_wrap(err, "feature `%s`", feature->name);
    }
    rf_feature_set_add(&engine->known, index);
    return true;
}

bool rf_features_need(struct rf_engine *engine, const struct rf_feature_set *reads,
                      struct rf_arena *arena, struct rf_error *err)
{
    struct rf_feature_set missing = *reads;

    rf_feature_set_subtract(&missing, &engine->known);
    for (uint32_t i = rf_feature_set_next(&missing, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(&missing, i + 1)) {
        if (!compute(engine, i, arena, err))
            return false;
    }
    return true;
}

void rf_features_have(struct rf_engine *engine, const struct rf_feature_set *reads,
                      struct rf_arena *arena)
{
    struct rf_feature_set missing = *reads;
    struct rf_error ignored = {0};

    rf_feature_set_subtract(&missing, &engine->known);
    for (uint32_t i = rf_feature_set_next(&missing, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(&missing, i + 1)) {
        struct rf_feature_set lacks = engine->wiring.reads[i];

        rf_feature_set_subtract(&lacks, &engine->known);
        rf_error_clear(&ignored);
        if (!rf_feature_set_is_empty(&lacks))
            engine->variables[RF_VARIABLE_FEATURE + i] = rf_value_null();
        else
            (void)compute(engine, i, arena, &ignored);
    }
}

void rf_features_forget(struct rf_engine *engine, const struct rf_feature_set *set)
{
    rf_feature_set_subtract(&engine->known, set);
}
