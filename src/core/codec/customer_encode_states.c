/* What features are computed from, to bytes: one function a form (customer_parts.h). */
#include "core/base/assert.h"
#include "core/codec/customer_writer.h"

static void put_value_state(struct rf_writer *w, struct rf_customer_part part,
                            const struct rf_feature_state *state)
{
    rf_write_byte(w, state->set ? RF_BRANCH_VALUE : RF_BRANCH_NULL);
    if (!state->set)
        return;
    rf_assert(rf_scalar_fits(part.scalar, state->value));
    if (part.form == RF_FORM_STAMPED)
        rf_write_long(w, state->at);
    rf_write_scalar(w, part.scalar, state->value);
}

/* The end of what is written is held apart within an item: bytes that are stored might be the writer, for all that C
 * knows. */
static void put_buckets(struct rf_writer *w, enum rf_scalar scalar,
                        const struct rf_feature_state *state)
{
    rf_write_items(w, state->count);
    for (uint32_t i = 0; i < state->count; i++) {
        const struct rf_bucket *bucket = &state->buckets[i];
        uint8_t *at = NULL;

        if (!rf_writer_room(w, (size_t)2 * RF_VARINT_SIZE_MAX))
            return;
        at = w->at + rf_varint_write(w->at, bucket->index);
        if (scalar == RF_SCALAR_DOUBLE)
            at = rf_store_double(at, bucket->as.number);
        else
            at += rf_varint_write(at, bucket->as.integer);
        w->at = at;
    }
    rf_write_items_end(w);
}

static void put_distinct(struct rf_writer *w, const struct rf_feature_state *state)
{
    bool empty = state->count == 0 && state->sketch == NULL;

    rf_write_byte(w, empty ? RF_BRANCH_NULL : RF_BRANCH_VALUE);
    if (empty)
        return;
    rf_assert(state->count == 0 || state->sketch == NULL);
    rf_write_long(w, (int64_t)state->count * 8);
    for (uint32_t i = 0; i < state->count; i++)
        rf_write_word(w, state->distinct[i].hash);
    rf_write_bytes(w, rf_bytes_of(state->sketch, state->sketch == NULL ? 0 : RF_SKETCH_SIZE));
}

static void put_recent(struct rf_writer *w, const struct rf_feature_state *state)
{
    rf_write_items(w, state->count);
    for (uint32_t i = 0; i < state->count; i++) {
        rf_write_word(w, state->distinct[i].hash);
        rf_write_long(w, state->distinct[i].last);
    }
    rf_write_items_end(w);
}

static void put_tally(struct rf_writer *w, struct rf_customer_part part,
                      const struct rf_feature_state *state)
{
    rf_write_items(w, state->count);
    for (uint32_t i = 0; i < state->count; i++) {
        const struct rf_tally *tally = &state->tallies[i];

        rf_assert(rf_scalar_fits(part.key, tally->key));
        rf_write_scalar(w, part.key, tally->key);
        if (part.inner == RF_FORM_BUCKETS) {
            put_buckets(w, part.scalar, &tally->state);
            continue;
        }
        rf_assert(tally->state.set);
        rf_assert(rf_scalar_fits(part.scalar, tally->state.value));
        if (part.inner == RF_FORM_STAMPED)
            rf_write_long(w, tally->state.at);
        rf_write_scalar(w, part.scalar, tally->state.value);
    }
    rf_write_items_end(w);
}

static void put_longs(struct rf_writer *w, const int64_t *numbers, uint32_t count)
{
    rf_write_items(w, count);
    for (uint32_t i = 0; i < count; i++)
        rf_write_long(w, numbers[i]);
    rf_write_items_end(w);
}

static void put_interval(struct rf_writer *w, const struct rf_interval *interval)
{
    rf_write_byte(w, interval == NULL ? RF_BRANCH_NULL : RF_BRANCH_VALUE);
    if (interval == NULL)
        return;
    rf_write_long(w, interval->count);
    rf_write_long(w, interval->first);
    rf_write_long(w, interval->settled);
    rf_write_double(w, interval->mean);
    rf_write_double(w, interval->squares);
    rf_write_long(w, interval->least);
    rf_write_long(w, interval->most);
    put_longs(w, interval->times, interval->time_count);
}

static void put_case(struct rf_writer *w, const struct rf_case *one)
{
    const struct rf_case_run *settled = &one->settled;

    rf_write_bytes(w, one->id);
    rf_write_byte(w, settled->changed == RF_MS_MIN ? RF_BRANCH_NULL : RF_BRANCH_VALUE);
    if (settled->changed != RF_MS_MIN) {
        rf_write_byte(w, settled->open);
        rf_write_long(w, settled->changed);
        rf_write_long(w, settled->opened_at);
        rf_write_long(w, settled->opened);
        rf_write_long(w, settled->resolved);
        rf_write_long(w, settled->resolved_ms);
        rf_write_long(w, settled->resolved_at);
        rf_write_long(w, settled->resolved_last_ms);
    }
    put_longs(w, one->marks, one->mark_count);
}

static void put_cases(struct rf_writer *w, const struct rf_cases *cases)
{
    rf_write_byte(w, cases == NULL ? RF_BRANCH_NULL : RF_BRANCH_VALUE);
    if (cases == NULL)
        return;
    rf_write_long(w, cases->opened);
    rf_write_long(w, cases->reopened);
    rf_write_long(w, cases->resolved);
    rf_write_long(w, cases->resolved_ms);
    rf_write_long(w, cases->resolved_at);
    rf_write_long(w, cases->resolved_last_ms);
    rf_write_items(w, cases->count);
    for (uint32_t i = 0; i < cases->count; i++)
        put_case(w, &cases->items[i]);
    rf_write_items_end(w);
}

void rf_write_state(struct rf_writer *w, struct rf_customer_part part,
                    const struct rf_feature_state *state)
{
    switch (part.form) {
    case RF_FORM_NONE:
        return;
    case RF_FORM_PLAIN:
    case RF_FORM_STAMPED:
        put_value_state(w, part, state);
        return;
    case RF_FORM_BUCKETS:
        put_buckets(w, part.scalar, state);
        return;
    case RF_FORM_DISTINCT:
        put_distinct(w, state);
        return;
    case RF_FORM_RECENT:
        put_recent(w, state);
        return;
    case RF_FORM_TALLY:
        put_tally(w, part, state);
        return;
    case RF_FORM_INTERVAL:
        put_interval(w, state->interval);
        return;
    case RF_FORM_CASES:
        put_cases(w, state->cases);
        return;
    }
}
