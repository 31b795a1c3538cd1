/* Bytes to what features are computed from: one function a form (customer_parts.h). What the engine relies on is
 * checked: order, limits, times. */
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/customer_parts.h"
#include "core/codec/customer_reader.h"
#include "core/model/feature.h"

static bool read_value_state(struct rf_reader *r, struct rf_customer_part part,
                             struct rf_feature_state *state)
{
    if (!rf_read_branch(r, &state->set))
        return false;
    if (!state->set)
        return true;
    if (part.form == RF_FORM_STAMPED && !rf_read_instant(r, &state->at))
        return false;
    return rf_read_scalar(r, part.scalar, &state->value);
}

static bool read_bucket(struct rf_reader *r, bool is_double, int64_t index_max,
                        struct rf_bucket *bucket)
{
    if (!rf_read_long(r, &bucket->index))
        return false;
    if (bucket->index > index_max || bucket->index < -index_max)
        return rf_read_fault(r, "a bucket out of range");
    return is_double ? rf_read_double(r, &bucket->as.number) : rf_read_long(r, &bucket->as.integer);
}

static bool read_buckets(struct rf_reader *r, const struct rf_feature *feature,
                         struct rf_arena *arena, struct rf_feature_state *state)
{
    bool is_double = feature->state_type->kind == RF_TYPE_DOUBLE;
    bool is_instant = feature->state_type->kind == RF_TYPE_TIMESTAMP;
    int64_t index_max = RF_MS_MAX / feature->bucket + 1;
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block(r, is_double ? 9 : 2, &count))
            return false;
        if (count == 0)
            return true;
        state->buckets = rf_read_grow(arena, state->buckets, sizeof *state->buckets, state->count,
                                      count, &state->capacity);
        for (; count > 0; count--) {
            struct rf_bucket *bucket = &state->buckets[state->count];

            if (!read_bucket(r, is_double, index_max, bucket))
                return false;
            if (state->count > 0 && bucket[-1].index >= bucket->index)
                return rf_read_fault(r, "buckets out of order");
            if (is_instant && !rf_read_is_instant(r, bucket->as.integer))
                return false;
            state->count++;
        }
    }
}

static bool read_hashes(struct rf_reader *r, struct rf_arena *arena, struct rf_feature_state *state)
{
    struct rf_bytes bytes = {0};
    uint64_t before = 0;

    if (!rf_read_bytes(r, &bytes))
        return false;
    if (bytes.size % 8 != 0 || bytes.size / 8 > RF_DISTINCT_EXACT_MAX)
        return rf_read_fault(r, "hashes of a wrong size");
    state->count = (uint32_t)(bytes.size / 8);
    state->capacity = state->count + 2;
    state->distinct = rf_arena_alloc(arena, state->capacity * sizeof *state->distinct);
    for (uint32_t i = 0; i < state->count; i++) {
        uint64_t hash = rf_read_word(bytes.data + (size_t)8 * i);

        if (i > 0 && hash <= before)
            return rf_read_fault(r, "hashes out of order");
        before = hash;
        state->distinct[i] = (struct rf_distinct){.hash = hash};
    }
    return true;
}

static bool read_sketch(struct rf_reader *r, struct rf_arena *arena, struct rf_feature_state *state)
{
    struct rf_bytes bytes = {0};

    if (!rf_read_bytes(r, &bytes))
        return false;
    if (bytes.size == 0)
        return true;
    if (bytes.size != RF_SKETCH_SIZE || state->count > 0)
        return rf_read_fault(r, "a sketch of a wrong size");
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] > 64 - RF_SKETCH_BITS + 1)
            return rf_read_fault(r, "a sketch that cannot be");
    }
    state->sketch = rf_arena_alloc_bytes(arena, RF_SKETCH_SIZE);
    memcpy(state->sketch, bytes.data, RF_SKETCH_SIZE);
    return true;
}

static bool read_distinct(struct rf_reader *r, struct rf_arena *arena,
                          struct rf_feature_state *state)
{
    bool some = false;

    if (!rf_read_branch(r, &some))
        return false;
    if (!some)
        return true;
    return read_hashes(r, arena, state) && read_sketch(r, arena, state);
}

static bool read_recent(struct rf_reader *r, struct rf_arena *arena, struct rf_feature_state *state)
{
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block_within(r, 9, RF_DISTINCT_EXACT_MAX - state->count, "too many hashes",
                                  &count))
            return false;
        if (count == 0)
            return true;
        state->distinct = rf_read_grow(arena, state->distinct, sizeof *state->distinct,
                                       state->count, count, &state->capacity);
        for (; count > 0; count--) {
            struct rf_distinct *item = &state->distinct[state->count];

            if (!rf_read_hash(r, &item->hash) || !rf_read_instant(r, &item->last))
                return false;
            if (state->count > 0 && item[-1].hash >= item->hash)
                return rf_read_fault(r, "hashes out of order");
            state->count++;
        }
    }
}

/* Far beyond what a double can be in (quantile.h of the engine). */
#define BIN_MOST 100000

static bool read_inner(struct rf_reader *r, struct rf_customer_part part,
                       const struct rf_feature *feature, struct rf_arena *arena,
                       struct rf_feature_state *state)
{
    if (part.inner == RF_FORM_BUCKETS)
        return read_buckets(r, feature, arena, state) &&
               (state->count > 0 || rf_read_fault(r, "a key without a bucket"));
    if (part.inner == RF_FORM_STAMPED && !rf_read_instant(r, &state->at))
        return false;
    state->set = true;
    return rf_read_scalar(r, part.scalar, &state->value);
}

static bool keys_ascend(struct rf_value before, struct rf_value key)
{
    if (key.kind == RF_VALUE_STRING)
        return rf_bytes_compare(before.as.text, key.as.text) < 0;
    if (key.kind == RF_VALUE_BOOL)
        return !before.as.boolean && key.as.boolean;
    return before.as.integer < key.as.integer;
}

static bool check_key(struct rf_reader *r, const struct rf_feature *feature,
                      const struct rf_feature_state *state)
{
    const struct rf_tally *tally = &state->tallies[state->count];
    int64_t number = tally->key.as.integer;

    if (state->count > 0 && !keys_ascend(tally[-1].key, tally->key))
        return rf_read_fault(r, "keys out of order");
    if (feature->kind == RF_FEATURE_MEAN && number != (int64_t)state->count)
        return rf_read_fault(r, "a mean of neither weights nor values");
    if (feature->kind == RF_FEATURE_QUANTILE && (number < -BIN_MOST || number > BIN_MOST))
        return rf_read_fault(r, "a bin out of range");
    return true;
}

static bool read_tally(struct rf_reader *r, struct rf_customer_part part,
                       const struct rf_feature *feature, struct rf_arena *arena,
                       struct rf_feature_state *state)
{
    uint32_t most = rf_tally_keys_max(feature);
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block_within(r, 2, most - state->count, "too many keys", &count))
            return false;
        if (count == 0)
            break;
        state->tallies = rf_read_grow(arena, state->tallies, sizeof *state->tallies, state->count,
                                      count, &state->capacity);
        for (; count > 0; count--) {
            struct rf_tally *tally = &state->tallies[state->count];

            *tally = (struct rf_tally){0};
            if (!rf_read_scalar(r, part.key, &tally->key) || !check_key(r, feature, state) ||
                !read_inner(r, part, feature, arena, &tally->state))
                return false;
            state->count++;
        }
    }
    return feature->kind != RF_FEATURE_MEAN || state->count != 1 ||
           rf_read_fault(r, "a mean of one number");
}

/* Room for `most`; more is damage. */
static bool read_longs(struct rf_reader *r, int64_t *numbers, uint32_t most, uint32_t *count)
{
    uint32_t more = 0;

    *count = 0;
    for (;;) {
        if (!rf_read_block(r, 1, &more))
            return false;
        if (more == 0)
            return true;
        if (more > most - *count)
            return rf_read_fault(r, "too many times");
        for (; more > 0; more--) {
            if (!rf_read_long(r, &numbers[*count]))
                return false;
            if (*count > 0 && numbers[*count - 1] > numbers[*count])
                return rf_read_fault(r, "times out of order");
            (*count)++;
        }
    }
}

/* So far below the end of the range that counting on cannot reach it. */
static bool read_natural(struct rf_reader *r, int64_t *number)
{
    if (!rf_read_long(r, number))
        return false;
    return (*number >= 0 && *number <= INT64_MAX / 2) ||
           rf_read_fault(r, "a number that cannot be");
}

static bool check_interval(struct rf_reader *r, const struct rf_interval *interval)
{
    uint32_t kept = interval->time_count;

    if (kept == 0 || (kept == 1) != (interval->count == 1) ||
        interval->settled + kept > interval->count)
        return rf_read_fault(r, "events that cannot be");
    /* Neither NaN nor near the end: no number of gaps comes to that. */
    if (!(interval->squares >= 0.0 && interval->squares < 1e60) ||
        !(interval->mean >= 0.0 && interval->mean < 1e20))
        return rf_read_fault(r, "a variance that cannot be");
    if (interval->first > interval->times[0])
        return rf_read_fault(r, "times out of order");
    return rf_read_is_instant(r, interval->times[0]) &&
           rf_read_is_instant(r, interval->times[kept - 1]);
}

static bool read_interval(struct rf_reader *r, struct rf_arena *arena,
                          struct rf_feature_state *state)
{
    struct rf_interval *interval = NULL;
    bool some = false;

    if (!rf_read_branch(r, &some))
        return false;
    if (!some)
        return true;
    interval = rf_arena_alloc_zero(arena, sizeof *interval);
    if (!read_natural(r, &interval->count) || !rf_read_instant(r, &interval->first) ||
        !read_natural(r, &interval->settled) || !rf_read_double(r, &interval->mean) ||
        !rf_read_double(r, &interval->squares) || !read_natural(r, &interval->least) ||
        !read_natural(r, &interval->most) ||
        !read_longs(r, interval->times, RF_INTERVAL_TIMES_MAX, &interval->time_count) ||
        !check_interval(r, interval))
        return false;
    state->interval = interval;
    return true;
}

static bool read_settled(struct rf_reader *r, struct rf_case_run *run)
{
    struct rf_value open = {0};
    bool some = false;

    *run = (struct rf_case_run){.changed = RF_MS_MIN, .resolved_at = RF_MS_MIN};
    if (!rf_read_branch(r, &some))
        return false;
    if (!some)
        return true;
    if (!rf_read_scalar(r, RF_SCALAR_BOOLEAN, &open) || !rf_read_instant(r, &run->changed) ||
        !rf_read_instant(r, &run->opened_at) || !read_natural(r, &run->opened) ||
        !read_natural(r, &run->resolved) || !read_natural(r, &run->resolved_ms) ||
        !rf_read_instant(r, &run->resolved_at) || !read_natural(r, &run->resolved_last_ms))
        return false;
    run->open = open.as.boolean;
    return run->opened == 0 || run->opened_at <= run->changed ||
           rf_read_fault(r, "times out of order");
}

static bool read_case(struct rf_reader *r, struct rf_case *one)
{
    const int64_t *marks = one->marks;

    if (!rf_read_bytes(r, &one->id) || !read_settled(r, &one->settled) ||
        !read_longs(r, one->marks, RF_CASE_MARKS_MAX, &one->mark_count))
        return false;
    if (!rf_bytes_is_utf8(one->id))
        return rf_read_fault(r, "an id that is not UTF-8");
    if (one->mark_count == 0 || rf_floor_div(marks[0], 2) < one->settled.changed)
        return rf_read_fault(r, "times out of order");
    return rf_read_is_instant(r, rf_floor_div(marks[0], 2)) &&
           rf_read_is_instant(r, rf_floor_div(marks[one->mark_count - 1], 2));
}

static bool read_case_items(struct rf_reader *r, struct rf_arena *arena, struct rf_cases *cases)
{
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block_within(r, 4, RF_CASES_MAX - cases->count, "too many cases", &count))
            return false;
        if (count == 0)
            return true;
        cases->items = rf_read_grow(arena, cases->items, sizeof *cases->items, cases->count, count,
                                    &cases->capacity);
        for (; count > 0; count--) {
            struct rf_case *one = &cases->items[cases->count];

            if (!read_case(r, one))
                return false;
            if (cases->count > 0 && rf_bytes_compare(one[-1].id, one->id) >= 0)
                return rf_read_fault(r, "cases out of order");
            cases->count++;
        }
    }
}

static bool read_cases(struct rf_reader *r, struct rf_arena *arena, struct rf_feature_state *state)
{
    struct rf_cases *cases = NULL;
    bool some = false;

    if (!rf_read_branch(r, &some))
        return false;
    if (!some)
        return true;
    cases = rf_arena_alloc_zero(arena, sizeof *cases);
    if (!read_natural(r, &cases->opened) || !read_natural(r, &cases->reopened) ||
        !read_natural(r, &cases->resolved) || !read_natural(r, &cases->resolved_ms) ||
        !rf_read_instant(r, &cases->resolved_at) || !read_natural(r, &cases->resolved_last_ms) ||
        !read_case_items(r, arena, cases))
        return false;
    state->cases = cases;
    return true;
}

bool rf_read_state(struct rf_reader *r, struct rf_customer_part part,
                   const struct rf_feature *feature, struct rf_arena *arena,
                   struct rf_feature_state *state)
{
    switch (part.form) {
    case RF_FORM_PLAIN:
    case RF_FORM_STAMPED:
        return read_value_state(r, part, state);
    case RF_FORM_BUCKETS:
        return read_buckets(r, feature, arena, state);
    case RF_FORM_DISTINCT:
        return read_distinct(r, arena, state);
    case RF_FORM_RECENT:
        return read_recent(r, arena, state);
    case RF_FORM_TALLY:
        return read_tally(r, part, feature, arena, state);
    case RF_FORM_INTERVAL:
        return read_interval(r, arena, state);
    case RF_FORM_CASES:
        return read_cases(r, arena, state);
    case RF_FORM_NONE:
        break;
    }
    rf_assert(false && "a feature without state has no step");
    return false;
}

static bool one_is_until(enum rf_state_form form, const struct rf_feature *feature,
                         const struct rf_feature_state *state, rf_ms as_of)
{
    if (form == RF_FORM_STAMPED)
        return !state->set || state->at <= as_of;
    if (form == RF_FORM_BUCKETS)
        return state->count == 0 ||
               state->buckets[state->count - 1].index <= rf_floor_div(as_of, feature->bucket);
    return true;
}

bool rf_state_is_until(struct rf_customer_part part, const struct rf_feature *feature,
                       const struct rf_feature_state *state, rf_ms as_of)
{
    if (part.form == RF_FORM_TALLY) {
        for (uint32_t i = 0; i < state->count; i++) {
            if (!one_is_until(part.inner, feature, &state->tallies[i].state, as_of))
                return false;
        }
        return true;
    }
    if (part.form == RF_FORM_INTERVAL && state->interval != NULL)
        return state->interval->times[state->interval->time_count - 1] <= as_of;
    if (part.form == RF_FORM_CASES && state->cases != NULL) {
        for (uint32_t i = 0; i < state->cases->count; i++) {
            const struct rf_case *one = &state->cases->items[i];

            if (rf_floor_div(one->marks[one->mark_count - 1], 2) > as_of)
                return false;
        }
        return true;
    }
    return one_is_until(part.form, feature, state, as_of);
}
