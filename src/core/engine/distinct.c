#include "core/engine/distinct.h"

#include <math.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/engine/sketch.h"

#define HASHES_FIRST 4

/* What kind of value is hashed: values of different kinds differ. Stored, so the numbers are for ever. */
enum hash_seed {
    SEED_BOOL = 1,
    SEED_INTEGER = 2,
    SEED_DOUBLE = 3,
    SEED_STRING = 4,
    SEED_BYTES = 5,
    SEED_TIMESTAMP = 6,
    SEED_DURATION = 7,
    SEED_UNSIGNED = 8, /* beyond 2^63-1, where no integer is equal to it */
};

static uint64_t hash_word(uint64_t word, uint64_t seed)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(word >> (8 * i));
    return rf_hash64_seeded(rf_bytes_of(bytes, sizeof bytes), seed);
}

static uint64_t hash_double(double number)
{
    uint64_t word = 0;

    /* 2^63 and beyond are no int64; below, a whole number is the integer that it equals. */
    if (number >= -0x1p63 && number < 0x1p63 && number == trunc(number))
        return hash_word((uint64_t)(int64_t)number, SEED_INTEGER);
    if (number >= 0x1p63 && number < 0x1p64)
        return hash_word((uint64_t)number, SEED_UNSIGNED);
    if (isnan(number))
        number = (double)NAN; /* there are many; they count as one */
    memcpy(&word, &number, sizeof word);
    return hash_word(word, SEED_DOUBLE);
}

static uint64_t hash_seconds(struct rf_value value, enum hash_seed seed)
{
    return hash_word((uint64_t)value.as.seconds, hash_word((uint64_t)value.nanoseconds, seed));
}

bool rf_distinct_hash(struct rf_value value, uint64_t *hash)
{
    switch ((enum rf_value_kind)value.kind) {
    case RF_VALUE_BOOL:
        *hash = hash_word(value.as.boolean, SEED_BOOL);
        return true;
    case RF_VALUE_INT:
        *hash = hash_word((uint64_t)value.as.integer, SEED_INTEGER);
        return true;
    case RF_VALUE_UINT:
        *hash = hash_word(value.as.uinteger,
                          value.as.uinteger > INT64_MAX ? SEED_UNSIGNED : SEED_INTEGER);
        return true;
    case RF_VALUE_DOUBLE:
        *hash = hash_double(value.as.number);
        return true;
    case RF_VALUE_STRING:
        *hash = rf_hash64_seeded(value.as.text, SEED_STRING);
        return true;
    case RF_VALUE_BYTES:
        *hash = rf_hash64_seeded(value.as.text, SEED_BYTES);
        return true;
    case RF_VALUE_TIMESTAMP:
        *hash = hash_seconds(value, SEED_TIMESTAMP);
        return true;
    case RF_VALUE_DURATION:
        *hash = hash_seconds(value, SEED_DURATION);
        return true;
    case RF_VALUE_NULL:
    case RF_VALUE_LIST:
    case RF_VALUE_MAP:
    case RF_VALUE_RECORD:
    case RF_VALUE_TYPE:
    case RF_VALUE_OPTIONAL:
        break;
    }
    return false;
}

static uint32_t lower_bound(const struct rf_feature_state *state, uint64_t hash)
{
    uint32_t low = 0;
    uint32_t high = state->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (state->distinct[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(struct rf_feature_state *state, uint32_t place)
{
    state->count--;
    memmove(state->distinct + place, state->distinct + place + 1,
            (state->count - place) * sizeof *state->distinct);
}

static void drop_older(struct rf_feature_state *state, rf_ms oldest)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < state->count; i++) {
        if (state->distinct[i].last >= oldest)
            state->distinct[kept++] = state->distinct[i];
    }
    state->count = kept;
}

/* The smaller hash of two that are as old. */
static uint32_t least_recent(const struct rf_feature_state *state)
{
    uint32_t found = 0;

    for (uint32_t i = 1; i < state->count; i++) {
        if (state->distinct[i].last < state->distinct[found].last)
            found = i;
    }
    return found;
}

static void make_room(struct rf_feature_state *state, struct rf_arena *arena)
{
    uint32_t capacity = state->count < HASHES_FIRST ? HASHES_FIRST : 2 * state->count;
    struct rf_distinct *distinct = NULL;

    if (state->count < state->capacity)
        return;
    distinct = rf_arena_alloc(arena, capacity * sizeof *distinct);
    if (state->count > 0)
        memcpy(distinct, state->distinct, state->count * sizeof *distinct);
    state->distinct = distinct;
    state->capacity = capacity;
}

static void insert(struct rf_feature_state *state, struct rf_distinct item, struct rf_arena *arena)
{
    uint32_t place = lower_bound(state, item.hash);

    rf_assert(state->count < RF_DISTINCT_EXACT_MAX);
    make_room(state, arena);
    memmove(state->distinct + place + 1, state->distinct + place,
            (state->count - place) * sizeof *state->distinct);
    state->distinct[place] = item;
    state->count++;
}

static void become_sketch(struct rf_feature_state *state, struct rf_arena *arena)
{
    state->sketch = rf_arena_alloc_zero(arena, RF_SKETCH_SIZE);
    for (uint32_t i = 0; i < state->count; i++)
        (void)rf_sketch_add(state->sketch, state->distinct[i].hash);
    state->count = 0;
    state->capacity = 0;
    state->distinct = NULL;
}

static bool add_windowed(struct rf_feature_state *state, struct rf_distinct item, rf_ms oldest,
                         struct rf_arena *arena)
{
    uint32_t victim = 0;

    drop_older(state, oldest);
    if (state->count == RF_DISTINCT_EXACT_MAX) {
        victim = least_recent(state);
        if (item.last < state->distinct[victim].last)
            return false;
        remove_at(state, victim);
    }
    insert(state, item, arena);
    return true;
}

bool rf_distinct_add(const struct rf_feature *feature, struct rf_feature_state *state,
                     uint64_t hash, rf_ms time, rf_ms now, struct rf_arena *arena)
{
    rf_ms oldest = feature->window == 0 ? RF_MS_MIN : now - feature->window + 1;
    uint32_t place = 0;

    rf_assert(time <= now);
    if (state->sketch != NULL)
        return rf_sketch_add(state->sketch, hash);
    if (time < oldest)
        return false;
    place = lower_bound(state, hash);
    if (place < state->count && state->distinct[place].hash == hash) {
        if (feature->window == 0 || state->distinct[place].last >= time)
            return false;
        state->distinct[place].last = time;
        return true;
    }
    if (feature->window > 0)
        return add_windowed(state, (struct rf_distinct){hash, time}, oldest, arena);
    if (state->count == RF_DISTINCT_EXACT_MAX) {
        become_sketch(state, arena);
        return rf_sketch_add(state->sketch, hash);
    }
    insert(state, (struct rf_distinct){hash, 0}, arena);
    return true;
}

int64_t rf_distinct_count(const struct rf_feature *feature, const struct rf_feature_state *state,
                          rf_ms now)
{
    int64_t count = 0;

    if (state->sketch != NULL)
        return rf_sketch_estimate(state->sketch);
    if (feature->window == 0)
        return state->count;
    for (uint32_t i = 0; i < state->count; i++)
        count += state->distinct[i].last > now - feature->window;
    return count;
}
