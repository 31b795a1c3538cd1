#include "core/engine/tally.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/engine/decay.h"
#include "core/engine/number.h"
#include "core/engine/window.h"

#define TALLIES_FIRST 4

int rf_tally_order(struct rf_value a, struct rf_value b)
{
    rf_assert(a.kind == b.kind);
    if (a.kind == RF_VALUE_STRING)
        return rf_bytes_compare(a.as.text, b.as.text);
    if (a.kind == RF_VALUE_BOOL)
        return (int)a.as.boolean - (int)b.as.boolean;
    rf_assert(a.kind == RF_VALUE_INT);
    return a.as.integer < b.as.integer ? -1 : a.as.integer > b.as.integer;
}

static uint32_t lower_bound(const struct rf_feature_state *state, struct rf_value key)
{
    uint32_t low = 0;
    uint32_t high = state->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (rf_tally_order(state->tallies[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(struct rf_feature_state *state, uint32_t place)
{
    state->count--;
    memmove(state->tallies + place, state->tallies + place + 1,
            (state->count - place) * sizeof *state->tallies);
}

static void insert(struct rf_feature_state *state, uint32_t place, struct rf_tally tally,
                   struct rf_arena *arena)
{
    if (state->count >= state->capacity) {
        uint32_t capacity = state->count < TALLIES_FIRST ? TALLIES_FIRST : 2 * state->count;
        struct rf_tally *tallies = rf_arena_alloc(arena, capacity * sizeof *tallies);

        if (state->count > 0)
            memcpy(tallies, state->tallies, state->count * sizeof *tallies);
        state->tallies = tallies;
        state->capacity = capacity;
    }
    rf_assert(place <= state->count);
    memmove(state->tallies + place + 1, state->tallies + place,
            (state->count - place) * sizeof *state->tallies);
    if (tally.key.kind == RF_VALUE_STRING)
        tally.key.as.text = rf_arena_copy(arena, tally.key.as.text);
    state->tallies[place] = tally;
    state->count++;
}

static union rf_number number_of(const struct rf_feature *feature,
                                 const struct rf_feature_state *one)
{
    if (!one->set)
        return (union rf_number){0};
    if (feature->state_type->kind == RF_TYPE_DOUBLE)
        return (union rf_number){.number = one->value.as.number};
    return (union rf_number){.integer = one->value.as.integer};
}

static bool add_number(const struct rf_feature *feature, struct rf_feature_state *one,
                       union rf_number amount, rf_ms time, rf_ms now, struct rf_arena *arena)
{
    if (feature->window > 0)
        return rf_window_add(feature, one, time, now, amount, arena);
    if (feature->half_life > 0) {
        rf_decay_add(feature, one, time, amount.number);
        return true;
    }
    amount = rf_number_add(feature->state_type, number_of(feature, one), amount);
    one->set = true;
    one->value = rf_number_value(feature->state_type, amount);
    return true;
}

/* ---- no more than the limit ----------------------------------------------------------------------- */

static int64_t last_bucket(const struct rf_feature_state *one)
{
    return one->count == 0 ? INT64_MIN : one->buckets[one->count - 1].index;
}

static void drop_expired(const struct rf_feature *feature, struct rf_feature_state *state,
                         rf_ms now)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < state->count; i++) {
        const struct rf_feature_state *one = &state->tallies[i].state;

        if (one->count > 0 && rf_window_takes(feature, last_bucket(one) * feature->bucket, now))
            state->tallies[kept++] = state->tallies[i];
    }
    state->count = kept;
}

/* Which of the two gives way? -1: `a`. */
static int order_of_leaving(const struct rf_feature *feature, const struct rf_feature_state *a,
                            const struct rf_feature_state *b, rf_ms now)
{
    double weight_a = 0.0, weight_b = 0.0;

    if (feature->window > 0 && last_bucket(a) != last_bucket(b))
        return last_bucket(a) < last_bucket(b) ? -1 : 1;
    if (feature->window == 0 && feature->half_life == 0) {
        int64_t count_a = number_of(feature, a).integer;
        int64_t count_b = number_of(feature, b).integer;

        return count_a < count_b ? -1 : count_a > count_b;
    }
    if (feature->half_life > 0) {
        weight_a = rf_decay_value(feature, a, now);
        weight_b = rf_decay_value(feature, b, now);
    } else {
        weight_a = (double)rf_window_value(feature, a, now).as.integer;
        weight_b = (double)rf_window_value(feature, b, now).as.integer;
    }
    return weight_a < weight_b ? -1 : weight_a > weight_b;
}

/* Room for a value that is new at `time`; what it starts with in `start`. False: it is older than all that there
 * are, and they are as many as can be. */
static bool make_way(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                     rf_ms now, struct rf_feature_state *start, size_t *dropped)
{
    uint32_t victim = 0;

    if (feature->window > 0)
        drop_expired(feature, state, now);
    if (feature->kind == RF_FEATURE_QUANTILE || state->count < rf_tally_keys_max(feature))
        return true;
    rf_assert(feature->kind != RF_FEATURE_MEAN);
    ++*dropped;
    for (uint32_t i = 1; i < state->count; i++) {
        if (order_of_leaving(feature, &state->tallies[i].state, &state->tallies[victim].state,
                             now) < 0)
            victim = i;
    }
    if (feature->window > 0 &&
        rf_floor_div(time, feature->bucket) < last_bucket(&state->tallies[victim].state))
        return false;
    if (feature->window == 0 && feature->kind != RF_FEATURE_COUNT_BY)
        *start = state->tallies[victim].state;
    remove_at(state, victim);
    return true;
}

/* The lowest bin goes into the next, so that the highest, of which most is asked, stay as they are. What comes
 * of it does not depend on the order of the events. */
static void merge_lowest(const struct rf_feature *feature, struct rf_feature_state *state,
                         rf_ms now, struct rf_arena *arena)
{
    const struct rf_feature_state *from = &state->tallies[0].state;
    struct rf_feature_state *into = &state->tallies[1].state;

    rf_assert(state->count > 1);
    for (uint32_t i = 0; feature->window > 0 && i < from->count; i++)
        (void)rf_window_add(feature, into, from->buckets[i].index * feature->bucket, now,
                            from->buckets[i].as, arena);
    if (feature->half_life > 0)
        rf_decay_add(feature, into, from->at, from->value.as.number);
    else if (feature->window == 0)
        (void)add_number(feature, into, number_of(feature, from), now, now, arena);
    remove_at(state, 0);
}

bool rf_tally_add(const struct rf_feature *feature, struct rf_feature_state *state,
                  struct rf_value key, union rf_number amount, rf_ms time, rf_ms now,
                  struct rf_arena *arena, size_t *dropped)
{
    uint32_t place = 0;
    bool changed = false;

    rf_assert(time <= now);
    if (feature->window > 0 && !rf_window_takes(feature, time, now))
        return false;
    place = lower_bound(state, key);
    if (place == state->count || rf_tally_order(state->tallies[place].key, key) != 0) {
        struct rf_tally tally = {.key = key};

        if (!make_way(feature, state, time, now, &tally.state, dropped))
            return false;
        place = lower_bound(state, key);
        insert(state, place, tally, arena);
    }
    changed = add_number(feature, &state->tallies[place].state, amount, time, now, arena);
    if (feature->kind == RF_FEATURE_QUANTILE && state->count > RF_TALLY_BINS_MAX)
        merge_lowest(feature, state, now, arena);
    return changed;
}
