#include "core/engine/fold.h"

#include "core/base/assert.h"
#include "core/engine/cases.h"
#include "core/engine/decay.h"
#include "core/engine/distinct.h"
#include "core/engine/ends.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"
#include "core/engine/interval.h"
#include "core/engine/number.h"
#include "core/engine/quantile.h"
#include "core/engine/tally.h"
#include "core/engine/window.h"
#include "core/model/feature.h"
#include "core/model/source.h"

static bool read_number(const struct rf_type *type, struct rf_value value, union rf_number *number,
                        struct rf_error *err)
{
    if (rf_number_of(type, value, number))
        return true;
    return rf_error_set(err, RF_ERROR_RECORD, 0, "its value is no finite number");
}

static bool take_bin(struct rf_value value, struct rf_contribution *contribution,
                     struct rf_error *err)
{
    union rf_number number = {0};

    if (!read_number(&rf_type_double, value, &number, err))
        return false;
    contribution->as.value = rf_value_int(rf_quantile_bin(number.number));
    return true;
}

static bool take_key(const struct rf_feature *feature, struct rf_value value,
                     struct rf_contribution *contribution, struct rf_error *err)
{
    if (!rf_ends_normalise(feature->key_type, value, &contribution->as.value))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its value cannot be counted");
    if (value.kind == RF_VALUE_STRING && value.as.text.size > RF_KEY_SIZE_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its value has %zu bytes, %d are the limit",
                            value.as.text.size, RF_KEY_SIZE_MAX);
    return true;
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
    case RF_FEATURE_TREND:
        return read_number(feature->state_type, value, &contribution->as.number, err);
    case RF_FEATURE_DECAY:
    case RF_FEATURE_MEAN:
        return read_number(&rf_type_double, value, &contribution->as.number, err);
    case RF_FEATURE_FIRST:
    case RF_FEATURE_LAST:
        if (rf_ends_normalise(feature->state_type, value, &contribution->as.value))
            return true;
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its value cannot be kept");
    case RF_FEATURE_TOP:
    case RF_FEATURE_ENTROPY:
    case RF_FEATURE_COUNT_BY:
        return take_key(feature, value, contribution, err);
    case RF_FEATURE_QUANTILE:
        return take_bin(value, contribution, err);
    case RF_FEATURE_INTERVAL:
        return true;
    case RF_FEATURE_COUNT_DISTINCT:
        if (rf_distinct_hash(value, &contribution->as.hash))
            return true;
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its value cannot be counted");
    case RF_FEATURE_CASES: /* take_mark */
    case RF_FEATURE_CASES_OF:
    case RF_FEATURE_EXPR:
        break;
    }
    rf_assert(false && "it takes no value");
    return false;
}

/* Asks a condition, whose reads are known. */
static bool ask(struct rf_engine *engine, const struct rf_expr *condition, const char *setting,
                bool *holds, struct rf_error *err)
{
    struct rf_value answer = {0};

    if (!rf_features_eval(engine, condition, &engine->scratch, &answer, err))
        return false;
    if (answer.kind != RF_VALUE_BOOL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its `%s` is neither true nor false", setting);
    *holds = answer.as.boolean;
    return true;
}

/* Sets *wanted to whether the event is one that the feature listens to. */
static bool ask_where(struct rf_engine *engine, const struct rf_listener *listener, bool *wanted,
                      struct rf_error *err)
{
    *wanted = true;
    if (listener->where == NULL)
        return true;
    return rf_features_need(engine, &listener->where_reads, &engine->scratch, err) &&
           ask(engine, listener->where, "where", wanted, err);
}

/* Of CASES: an event that neither opens nor closes, or has no id, adds nothing. */
static bool gather_mark(struct rf_engine *engine, const struct rf_listener *listener,
                        struct rf_error *err)
{
    struct rf_contribution *contribution = &engine->contributions[engine->contribution_count];
    struct rf_value id = {0};
    bool opens = false, closes = false;

    if (!rf_features_need(engine, &listener->value_reads, &engine->scratch, err) ||
        !ask(engine, listener->open, "open", &opens, err) ||
        !ask(engine, listener->close, "close", &closes, err))
        return false;
    if (!opens && !closes)
        return true;
    if (!rf_features_eval(engine, listener->value, &engine->scratch, &id, err))
        return false;
    if (id.kind == RF_VALUE_NULL)
        return true;
    if (id.kind != RF_VALUE_STRING)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its `by` is no text");
    if (id.as.text.size > RF_KEY_SIZE_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "its `by` has %zu bytes, %d are the limit",
                            id.as.text.size, RF_KEY_SIZE_MAX);
    contribution->feature = listener->feature;
    contribution->as.mark.id = id.as.text;
    contribution->as.mark.opens = opens;
    contribution->as.mark.closes = closes;
    engine->contribution_count++;
    return true;
}

/* What an event counts that has no value: DECAY is of doubles, TREND of integers. */
static struct rf_value occurrence(const struct rf_feature *feature)
{
    return feature->kind == RF_FEATURE_TREND ? rf_value_int(1) : rf_value_double(1.0);
}

/* An event without a value (null) adds nothing. */
static bool gather_one(struct rf_engine *engine, const struct rf_listener *listener,
                       struct rf_error *err)
{
    const struct rf_feature *feature = &engine->plan->features[listener->feature];
    struct rf_contribution *contribution = &engine->contributions[engine->contribution_count];
    struct rf_value value = {0};
    bool wanted = false;

    if (!ask_where(engine, listener, &wanted, err))
        return false;
    if (!wanted)
        return true;
    if (feature->kind == RF_FEATURE_CASES)
        return gather_mark(engine, listener, err);
    if (listener->value == NULL)
        value = occurrence(feature);
    else if (!rf_features_need(engine, &listener->value_reads, &engine->scratch, err) ||
             !rf_features_eval(engine, listener->value, &engine->scratch, &value, err))
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

static bool add_mean(const struct rf_feature *feature, struct rf_feature_state *state,
                     union rf_number number, rf_ms time, rf_ms now, struct rf_arena *arena)
{
    size_t dropped = 0;
    bool changed =
        rf_tally_add(feature, state, rf_value_int(0), (union rf_number){.number = 1.0}, time, now,
                     arena, &dropped) &&
        rf_tally_add(feature, state, rf_value_int(1), number, time, now, arena, &dropped);

    rf_assert(dropped == 0);
    return changed;
}

/* One more of its key. */
static bool add_key(const struct rf_feature *feature, struct rf_feature_state *state,
                    struct rf_value key, rf_ms time, rf_ms now, struct rf_arena *arena,
                    size_t *dropped)
{
    union rf_number one = {.integer = 1};

    if (feature->state_type->kind == RF_TYPE_DOUBLE)
        one.number = 1.0;
    return rf_tally_add(feature, state, key, one, time, now, arena, dropped);
}

static bool apply_one(const struct rf_feature *feature, struct rf_feature_state *state,
                      const struct rf_contribution *contribution, rf_ms time, rf_ms now,
                      struct rf_arena *arena, size_t *dropped)
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
    case RF_FEATURE_MEAN:
        return add_mean(feature, state, contribution->as.number, time, now, arena);
    case RF_FEATURE_TOP:
    case RF_FEATURE_ENTROPY:
    case RF_FEATURE_QUANTILE:
    case RF_FEATURE_COUNT_BY:
        return add_key(feature, state, contribution->as.value, time, now, arena, dropped);
    case RF_FEATURE_TREND:
        return rf_window_add(feature, state, time, now, contribution->as.number, arena);
    case RF_FEATURE_INTERVAL:
        rf_interval_add(feature, state, time, arena);
        return true;
    case RF_FEATURE_CASES:
        return rf_cases_add(state, contribution->as.mark.id, contribution->as.mark.opens,
                            contribution->as.mark.closes, time, arena);
    case RF_FEATURE_CASES_OF:
    case RF_FEATURE_EXPR:
        break;
    }
    rf_assert(false && "an expression listens to nothing");
    return false;
}

void rf_fold_apply(struct rf_engine *engine, struct rf_customer *customer,
                   const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold)
{
    engine->changed = (struct rf_feature_set){0};
    for (size_t i = 0; i < engine->contribution_count; i++) {
        const struct rf_contribution *contribution = &engine->contributions[i];
        uint32_t feature = contribution->feature;

        if (apply_one(&engine->plan->features[feature], &customer->features[feature], contribution,
                      event->time, engine->now, arena, &fold->values_dropped))
            rf_feature_set_unite(&engine->changed, &engine->wiring.affected[feature]);
    }
    rf_features_forget(engine, &engine->changed);
}
