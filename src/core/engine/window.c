#include "core/engine/window.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/engine/number.h"

#define BUCKETS_FIRST 4

/* The buckets that count at `now`, both ends inclusive. */
static int64_t oldest_inside(const struct rf_feature *feature, rf_ms now)
{
    rf_assert(feature->bucket > 0);
    rf_assert(feature->window > 0);
    /* The window is open at its older end: its first millisecond is the one behind. */
    return rf_floor_div(now - feature->offset - feature->window + 1, feature->bucket);
}

static int64_t newest_inside(const struct rf_feature *feature, rf_ms now)
{
    return rf_floor_div(now - feature->offset, feature->bucket);
}

static void drop_before(struct rf_feature_state *state, int64_t oldest)
{
    while (state->count > 0 && state->buckets[0].index < oldest) {
        state->buckets++;
        state->count--;
        state->capacity--;
    }
}

/* The first bucket that is not before `index`: mostly one of the ends. */
static uint32_t lower_bound(const struct rf_feature_state *state, int64_t index)
{
    uint32_t low = 0;
    uint32_t high = state->count;

    if (high == 0 || state->buckets[0].index >= index)
        return 0;
    if (state->buckets[high - 1].index < index)
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

static bool is_end(const struct rf_feature *feature)
{
    return feature->kind == RF_FEATURE_MIN || feature->kind == RF_FEATURE_MAX;
}

bool rf_window_combine(const struct rf_feature *feature, union rf_number *into,
                       union rf_number number)
{
    bool less = false;

    if (!is_end(feature)) {
        *into = rf_number_add(feature->state_type, *into, number);
        return true;
    }
    less = feature->kind == RF_FEATURE_MIN ? rf_number_less(feature->state_type, number, *into)
                                           : rf_number_less(feature->state_type, *into, number);
    if (less)
        *into = number;
    return less;
}

bool rf_window_takes(const struct rf_feature *feature, rf_ms time, rf_ms now)
{
    return rf_floor_div(time, feature->bucket) >= oldest_inside(feature, now);
}

bool rf_window_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                   rf_ms now, union rf_number number, struct rf_arena *arena)
{
    int64_t oldest = oldest_inside(feature, now);
    int64_t index = rf_floor_div(time, feature->bucket);
    uint32_t place = 0;

    rf_assert(time <= now);
    drop_before(state, oldest);
    if (index < oldest)
        return false;
    place = lower_bound(state, index);
    if (place < state->count && state->buckets[place].index == index)
        return rf_window_combine(feature, &state->buckets[place].as, number);
    insert(state, place, (struct rf_bucket){.index = index, .as = number}, arena);
    rf_assert_slow((int64_t)state->count <=
                   (feature->window + feature->offset) / feature->bucket + 2);
    return true;
}

/* The part of a rule's cost that grows with the window: two plain loops. From the oldest to the newest, always:
 * an order of additions kept in the state would not survive a restart to the last bit. */
static double sum_doubles(const struct rf_bucket *buckets, uint32_t count)
{
    double sum = 0.0;

    for (uint32_t i = 0; i < count; i++)
        sum += buckets[i].as.number;
    return sum;
}

static union rf_number sum(const struct rf_type *state_type, const struct rf_bucket *buckets,
                           uint32_t count)
{
    union rf_number sum = {0};

    if (state_type->kind == RF_TYPE_DOUBLE)
        return (union rf_number){.number = sum_doubles(buckets, count)};
    for (uint32_t i = 0; i < count; i++)
        sum.integer = rf_number_add_saturated(sum.integer, buckets[i].as.integer);
    return sum;
}

struct rf_value rf_window_value(const struct rf_feature *feature,
                                const struct rf_feature_state *state, rf_ms now)
{
    uint32_t first = lower_bound(state, oldest_inside(feature, now));
    uint32_t end = lower_bound(state, newest_inside(feature, now) + 1);
    union rf_number value = {0};

    rf_assert(first <= end);
    if (first == end)
        return is_end(feature) ? rf_value_null() : rf_number_value(feature->state_type, value);
    if (!is_end(feature))
        return rf_number_value(feature->state_type,
                               sum(feature->state_type, state->buckets + first, end - first));
    value = state->buckets[first].as;
    for (uint32_t i = first + 1; i < end; i++)
        rf_window_combine(feature, &value, state->buckets[i].as);
    return rf_number_value(feature->state_type, value);
}

static double sum_until(const struct rf_feature *feature, const struct rf_feature_state *state,
                        rf_ms end)
{
    int64_t oldest = rf_floor_div(end - feature->window + 1, feature->bucket);
    uint32_t first = lower_bound(state, oldest);
    uint32_t behind = lower_bound(state, rf_floor_div(end, feature->bucket) + 1);
    union rf_number total = sum(feature->state_type, state->buckets + first, behind - first);

    return feature->state_type->kind == RF_TYPE_DOUBLE ? total.number : (double)total.integer;
}

struct rf_value rf_window_trend(const struct rf_feature *feature,
                                const struct rf_feature_state *state, rf_ms now)
{
    double before = 0.0;

    rf_assert(feature->kind == RF_FEATURE_TREND);
    rf_assert(feature->offset == feature->window); /* so that both are kept */
    if (state->count == 0)
        return rf_value_null();
    before = sum_until(feature, state, now - feature->window);
    if (before == 0.0)
        return rf_value_null();
    return rf_value_double(sum_until(feature, state, now) / before);
}
