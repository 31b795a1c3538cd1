#include "core/engine/window.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/engine/number.h"

#define BUCKETS_FIRST 4

struct rf_window_span rf_window_span(const struct rf_feature *feature, rf_ms now)
{
    rf_ms end = now - feature->offset;

    rf_assert(feature->bucket > 0);
    rf_assert(feature->window > 0);
    /* The window is open at its older end: its first millisecond is the one after end - window. */
    return (struct rf_window_span){
        .oldest = rf_floor_div(end - feature->window + 1, feature->bucket),
        .newest = rf_floor_div(end, feature->bucket),
    };
}

static void drop_before(struct rf_feature_state *state, int64_t oldest)
{
    while (state->count > 0 && state->buckets[0].index < oldest) {
        state->buckets++;
        state->count--;
        state->capacity--;
    }
}

/* The first bucket that is not before `index`: usually there is none, or it is the last. */
static uint32_t lower_bound(const struct rf_feature_state *state, int64_t index)
{
    uint32_t low = 0;
    uint32_t high = state->count;

    if (high > 0 && state->buckets[high - 1].index < index)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (state->buckets[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct rf_feature_state *state, uint32_t place, struct rf_bucket bucket,
                   struct rf_arena *arena)
{
    if (state->count == state->capacity) {
        uint32_t capacity = state->count < BUCKETS_FIRST ? BUCKETS_FIRST : 2 * state->count;
        struct rf_bucket *buckets = rf_arena_alloc(arena, capacity * sizeof *buckets);

        if (state->count > 0)
            memcpy(buckets, state->buckets, state->count * sizeof *buckets);
        state->buckets = buckets;
        state->capacity = capacity;
    }
    rf_assert(place <= state->count);
    memmove(state->buckets + place + 1, state->buckets + place,
            (state->count - place) * sizeof *state->buckets);
    state->buckets[place] = bucket;
    state->count++;
}

bool rf_window_combine(const struct rf_feature *feature, union rf_number *into,
                       union rf_number number)
{
    bool less = false;

    if (feature->kind == RF_FEATURE_COUNT || feature->kind == RF_FEATURE_SUM) {
        *into = rf_number_add(feature->state_type, *into, number);
        return true;
    }
    rf_assert(feature->kind == RF_FEATURE_MIN || feature->kind == RF_FEATURE_MAX);
    less = feature->kind == RF_FEATURE_MIN ? rf_number_less(feature->state_type, number, *into)
                                           : rf_number_less(feature->state_type, *into, number);
    if (less)
        *into = number;
    return less;
}

bool rf_window_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                   rf_ms now, union rf_number number, struct rf_arena *arena)
{
    struct rf_window_span span = rf_window_span(feature, now);
    int64_t index = rf_floor_div(time, feature->bucket);
    uint32_t place = 0;

    rf_assert(time <= now);
    drop_before(state, span.oldest);
    if (index < span.oldest)
        return false;
    place = lower_bound(state, index);
    if (place < state->count && state->buckets[place].index == index)
        return rf_window_combine(feature, &state->buckets[place].as, number);
    insert(state, place, (struct rf_bucket){.index = index, .as = number}, arena);
    rf_assert_slow((int64_t)state->count <=
                   (feature->window + feature->offset) / feature->bucket + 2);
    return true;
}

struct rf_value rf_window_value(const struct rf_feature *feature,
                                const struct rf_feature_state *state, rf_ms now)
{
    struct rf_window_span span = rf_window_span(feature, now);
    uint32_t at = lower_bound(state, span.oldest);
    union rf_number value = {0};

    if (at == state->count || state->buckets[at].index > span.newest) {
        if (feature->kind == RF_FEATURE_MIN || feature->kind == RF_FEATURE_MAX)
            return rf_value_null();
        return rf_number_value(feature->state_type, value);
    }
    value = state->buckets[at++].as;
    for (; at < state->count && state->buckets[at].index <= span.newest; at++)
        rf_window_combine(feature, &value, state->buckets[at].as);
    return rf_number_value(feature->state_type, value);
}
