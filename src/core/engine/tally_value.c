#include <string.h>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "core/engine/decay.h"
#include "core/engine/quantile.h"
#include "core/engine/tally.h"
#include "core/engine/window.h"
#include "core/model/feature.h"

/* Weights by key as of one instant. */
struct view {
    const struct rf_feature *feature;
    const struct rf_feature_state *state;
    rf_ms at;
};

/* Where weights halve, all of them by the same factor from the latest event on: only what they are to each
 * other matters, and that is read off there. */
static struct view view_of(const struct rf_feature *feature, const struct rf_feature_state *state,
                           rf_ms now)
{
    struct view view = {.feature = feature, .state = state, .at = now};

    if (feature->half_life == 0)
        return view;
    view.at = RF_MS_MIN;
    for (uint32_t i = 0; i < state->count; i++) {
        rf_assert(state->tallies[i].state.at <= now);
        if (state->tallies[i].state.at > view.at)
            view.at = state->tallies[i].state.at;
    }
    return view;
}

static double weight_at(const struct view *view, uint32_t i)
{
    const struct rf_feature_state *one = &view->state->tallies[i].state;
    struct rf_value value = one->value;

    if (view->feature->half_life > 0)
        return rf_decay_value(view->feature, one, view->at);
    if (view->feature->window > 0)
        value = rf_window_value(view->feature, one, view->at);
    return value.kind == RF_VALUE_DOUBLE ? value.as.number : (double)value.as.integer;
}

static double total_of(const struct view *view)
{
    double total = 0.0;

    for (uint32_t i = 0; i < view->state->count; i++)
        total += weight_at(view, i);
    return total;
}

static struct rf_value mean_of(const struct view *view)
{
    double weight = 0.0;

    if (view->state->count < 2)
        return rf_value_null();
    rf_assert(view->state->count == 2);
    weight = weight_at(view, 0);
    return weight > 0.0 ? rf_value_double(weight_at(view, 1) / weight) : rf_value_null();
}

/* Of several that are as frequent, the first in the order of keys. */
static struct rf_value top_of(const struct view *view)
{
    struct rf_value top = rf_value_null();
    double most = 0.0;

    for (uint32_t i = 0; i < view->state->count; i++) {
        double weight = weight_at(view, i);

        if (weight <= most)
            continue;
        most = weight;
        top = view->state->tallies[i].key;
    }
    return top;
}

/* C. Shannon 1948, in bits: log2(total) - sum(w log2 w) / total would be shorter, and loses digits. */
static struct rf_value entropy_of(const struct view *view)
{
    double total = total_of(view);
    double entropy = 0.0;

    for (uint32_t i = 0; i < view->state->count; i++) {
        double share = total > 0.0 ? weight_at(view, i) / total : 0.0;

        if (share > 0.0)
            entropy -= share * rf_log2(share);
    }
    return rf_value_double(entropy > 0.0 ? entropy : 0.0);
}

/* The value of rank floor(q * (n - 1)) of n, counted from 0; with weights that halve, the one that q of all
 * weight is below. */
static struct rf_value quantile_of(const struct view *view)
{
    double total = total_of(view);
    double rank =
        view->feature->half_life > 0 ? view->feature->q * total : view->feature->q * (total - 1.0);
    struct rf_value found = rf_value_null();
    double below = 0.0;

    for (uint32_t i = 0; i < view->state->count; i++) {
        double weight = weight_at(view, i);

        if (weight <= 0.0)
            continue;
        below += weight;
        found = rf_value_double(rf_quantile_number(view->state->tallies[i].key.as.integer));
        if (below > rank)
            break;
    }
    return found;
}

static struct rf_value counts_of(const struct view *view, struct rf_arena *arena)
{
    struct rf_map *map = rf_arena_alloc(arena, sizeof *map);
    struct rf_value *keys = rf_arena_alloc(arena, view->state->count * sizeof *keys);
    struct rf_value *values = rf_arena_alloc(arena, view->state->count * sizeof *values);

    *map = (struct rf_map){.keys = keys, .values = values};
    for (uint32_t i = 0; i < view->state->count; i++) {
        const struct rf_tally *tally = &view->state->tallies[i];
        struct rf_value count = view->feature->window > 0
                                    ? rf_window_value(view->feature, &tally->state, view->at)
                                    : tally->state.value;

        rf_assert(count.kind == RF_VALUE_INT);
        if (count.as.integer <= 0)
            continue;
        keys[map->count] = tally->key;
        values[map->count++] = count;
    }
    return (struct rf_value){.kind = RF_VALUE_MAP, .as.map = map};
}

struct rf_value rf_tally_value(const struct rf_feature *feature,
                               const struct rf_feature_state *state, rf_ms now,
                               struct rf_arena *arena)
{
    struct view view = view_of(feature, state, now);

    if (feature->kind == RF_FEATURE_MEAN)
        return mean_of(&view);
    if (feature->kind == RF_FEATURE_TOP)
        return top_of(&view);
    if (feature->kind == RF_FEATURE_ENTROPY)
        return entropy_of(&view);
    if (feature->kind == RF_FEATURE_QUANTILE)
        return quantile_of(&view);
    rf_assert(feature->kind == RF_FEATURE_COUNT_BY);
    return counts_of(&view, arena);
}
