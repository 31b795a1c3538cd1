#include "core/engine/fold.h"

#include "core/base/assert.h"
#include "core/engine/decay.h"
#include "core/engine/distinct.h"
#include "core/engine/ends.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"
#include "core/engine/number.h"
#include "core/engine/window.h"

static bool read_number(const struct rf_type *type, struct rf_value value, union rf_number *number,
                        struct rf_error *err)
{
    if (rf_number_of(type, value, number))
        return true;
    return rf_error_set(err, RF_ERROR_RECORD, 0, "its value is no finite number");
}

/* A value in the form in which the feature takes it. */
static bool take_value(const struct rf_feature *feature, struct rf_value value,
                       struct rf_contribution *contribution, struct rf_error *err)
{
    switch (feature->kind) {
    case RF_FEATURE_COUNT:
        contribution->as.number.integer = 1;
        return true;
    case RF_FEATURE_SUM:
    case RF_FEATURE_MIN:
    case RF_FEATURE_MAX:
        return read_number(feature->state_type, value, &contribution->as.number, err);
    case RF_FEATURE_DECAY:
        return read_number(&rf_type_double, value, &contribution->as.number, err);
    case RF_FEATURE_FIRST:
    case RF_FEATURE_LAST:
        if (rf_ends_normalise(feature->state_type, value, &contribution->as.value))
            return true;
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its value cannot be kept");
    case RF_FEATURE_COUNT_DISTINCT:
        if (rf_distinct_hash(value, &contribution->as.hash))
            return true;
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its value cannot be counted");
    case RF_FEATURE_EXPR:
        break;
    }
    rf_assert(false && "an expression listens to nothing");
    return false;
}

/* Sets *wanted to whether the event is one that the feature listens to. */
static bool ask_where(struct rf_engine *engine, const struct rf_listener *listener, bool *wanted,
                      struct rf_error *err)
{
    struct rf_value answer = {0};

    *wanted = true;
    if (listener->where == NULL)
        return true;
    if (!rf_features_need(engine, &listener->where_reads, &engine->scratch, err) ||
        !rf_features_eval(engine, listener->where, &engine->scratch, &answer, err))
        return false;
    if (answer.kind != RF_VALUE_BOOL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its `where` is neither true nor false");
    *wanted = answer.as.boolean;
    return true;
}

/* An event without a value (null) adds nothing. */
static bool gather_one(struct rf_engine *engine, const struct rf_listener *listener,
                       struct rf_error *err)
{
    const struct rf_feature *feature = &engine->plan->features[listener->feature];
    struct rf_contribution *contribution = &engine->contributions[engine->contribution_count];
    struct rf_value value = rf_value_double(1.0); /* DECAY of occurrences */
    bool wanted = false;

    if (!ask_where(engine, listener, &wanted, err))
        return false;
    if (!wanted)
        return true;
    if (listener->value != NULL &&
        (!rf_features_need(engine, &listener->value_reads, &engine->scratch, err) ||
         !rf_features_eval(engine, listener->value, &engine->scratch, &value, err)))
        return false;
    if (value.kind == RF_VALUE_NULL)
        return true;
    if (!take_value(feature, value, contribution, err))
        return false;
    contribution->feature = listener->feature;
    engine->contribution_count++;
    return true;
}

bool rf_fold_gather(struct rf_engine *engine, const struct rf_event *event, struct rf_error *err)
{
    const struct rf_listeners *listeners = &engine->wiring.sources[event->source];

    engine->contribution_count = 0;
    for (size_t i = 0; i < listeners->count; i++) {
        const struct rf_listener *listener = &listeners->items[i];

        if (!gather_one(engine, listener, err))
            return rf_error_wrap(err, "feature `%s`",
                                 engine->plan->features[listener->feature].name);
    }
    return true;
}

/* COUNT, SUM, MIN and MAX since ever. */
static bool add_running(const struct rf_feature *feature, struct rf_feature_state *state,
                        union rf_number number)
{
    union rf_number kept = {0};
    bool changed = true;

    if (state->set) {
        bool fits = rf_number_of(feature->state_type, state->value, &kept);

        /* A sum of doubles may have become infinite; it stays so. */
        if (!fits)
            return false;
        changed = rf_window_combine(feature, &kept, number);
        number = kept;
    }
    state->set = true;
    state->value = rf_number_value(feature->state_type, number);
    return changed;
}

static bool apply_one(const struct rf_feature *feature, struct rf_feature_state *state,
                      const struct rf_contribution *contribution, rf_ms time, rf_ms now,
                      struct rf_arena *arena)
{
    switch (feature->kind) {
    case RF_FEATURE_COUNT:
    case RF_FEATURE_SUM:
    case RF_FEATURE_MIN:
    case RF_FEATURE_MAX:
        if (feature->shape == RF_STATE_BUCKETS)
            return rf_window_add(feature, state, time, now, contribution->as.number, arena);
        return add_running(feature, state, contribution->as.number);
    case RF_FEATURE_FIRST:
    case RF_FEATURE_LAST:
        return rf_ends_add(feature, state, time, now, contribution->as.value, arena);
    case RF_FEATURE_COUNT_DISTINCT:
        return rf_distinct_add(feature, state, contribution->as.hash, time, now, arena);
    case RF_FEATURE_DECAY:
        rf_decay_add(feature, state, time, contribution->as.number.number);
        return true;
    case RF_FEATURE_EXPR:
        break;
    }
    rf_assert(false && "an expression listens to nothing");
    return false;
}

void rf_fold_apply(struct rf_engine *engine, struct rf_customer *customer,
                   const struct rf_event *event, struct rf_arena *arena)
{
    engine->changed = (struct rf_feature_set){0};
    for (size_t i = 0; i < engine->contribution_count; i++) {
        const struct rf_contribution *contribution = &engine->contributions[i];
        uint32_t feature = contribution->feature;

        if (apply_one(&engine->plan->features[feature], &customer->features[feature], contribution,
                      event->time, engine->now, arena))
            rf_feature_set_unite(&engine->changed, &engine->wiring.affected[feature]);
    }
    rf_features_forget(engine, &engine->changed);
}
