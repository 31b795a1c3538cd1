/* A customer to bytes, by the parts that the plan chose: no schema is walked here. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/varint.h"
#include "core/codec/customer_parts.h"

#define BRANCH_NULL  0 /* zig-zag of 0 and of 1: the branches of [null, T] */
#define BRANCH_VALUE 2

/* Writes straight into the buffer's memory; the buffer hears of it when more room is needed, and at the end.
 * Once the buffer has overflowed `at` stays NULL and nothing more is written. */
struct writer {
    struct rf_buffer *out;
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
};

static bool refill(struct writer *w, size_t size)
{
    if (w->at != NULL)
        rf_buffer_advance(w->out, (size_t)(w->at - w->start));
    w->start = rf_buffer_reserve(w->out, size);
    w->at = w->start;
    if (w->start == NULL)
        return false;
    w->end =
        w->out->data + (w->out->capacity < w->out->size_max ? w->out->capacity : w->out->size_max);
    return true;
}

static inline bool room(struct writer *w, size_t size)
{
    if (w->at != NULL && (size_t)(w->end - w->at) >= size)
        return true;
    return refill(w, size);
}

static inline void put_long(struct writer *w, int64_t number)
{
    if (room(w, RF_VARINT_SIZE_MAX))
        w->at += rf_varint_write(w->at, number);
}

static inline void put_byte(struct writer *w, uint8_t byte)
{
    if (room(w, 1))
        *w->at++ = byte;
}

/* Spelled out, so that it becomes one store where the machine has that order. */
static inline void write_word(uint8_t *at, uint64_t word)
{
    at[0] = (uint8_t)word;
    at[1] = (uint8_t)(word >> 8);
    at[2] = (uint8_t)(word >> 16);
    at[3] = (uint8_t)(word >> 24);
    at[4] = (uint8_t)(word >> 32);
    at[5] = (uint8_t)(word >> 40);
    at[6] = (uint8_t)(word >> 48);
    at[7] = (uint8_t)(word >> 56);
}

static inline void put_word(struct writer *w, uint64_t word)
{
    if (!room(w, 8))
        return;
    write_word(w->at, word);
    w->at += 8;
}

static void put_double(struct writer *w, double number)
{
    uint64_t word = 0;

    memcpy(&word, &number, sizeof word);
    put_word(w, word);
}

static void put_bytes(struct writer *w, struct rf_bytes bytes)
{
    put_long(w, (int64_t)bytes.size);
    if (bytes.size > 0 && room(w, bytes.size)) {
        memcpy(w->at, bytes.data, bytes.size);
        w->at += bytes.size;
    }
}

static void put_scalar(struct writer *w, enum rf_scalar scalar, struct rf_value value)
{
    switch (scalar) {
    case RF_SCALAR_BOOLEAN:
        put_byte(w, value.as.boolean);
        return;
    case RF_SCALAR_INTEGER:
        put_long(w, value.as.integer);
        return;
    case RF_SCALAR_UNSIGNED:
        put_long(w, (int64_t)value.as.uinteger);
        return;
    case RF_SCALAR_DOUBLE:
        put_double(w, value.as.number);
        return;
    case RF_SCALAR_STRING:
    case RF_SCALAR_BYTES:
        put_bytes(w, value.as.text);
        return;
    case RF_SCALAR_TIMESTAMP:
    case RF_SCALAR_DURATION:
        put_long(w, rf_value_to_ms(value));
        return;
    case RF_SCALAR_NONE:
        break;
    }
    rf_assert(false && "a scalar that is none");
}

static bool is_of(struct rf_value value, enum rf_scalar scalar)
{
    static const uint8_t kinds[] = {
        [RF_SCALAR_NONE] = RF_VALUE_NULL,         [RF_SCALAR_BOOLEAN] = RF_VALUE_BOOL,
        [RF_SCALAR_INTEGER] = RF_VALUE_INT,       [RF_SCALAR_UNSIGNED] = RF_VALUE_UINT,
        [RF_SCALAR_DOUBLE] = RF_VALUE_DOUBLE,     [RF_SCALAR_STRING] = RF_VALUE_STRING,
        [RF_SCALAR_BYTES] = RF_VALUE_BYTES,       [RF_SCALAR_TIMESTAMP] = RF_VALUE_TIMESTAMP,
        [RF_SCALAR_DURATION] = RF_VALUE_DURATION,
    };

    return value.kind == kinds[scalar];
}

/* A value of another type than the feature's can only come from a dynamic expression: no value, then. */
static void put_column(struct writer *w, enum rf_scalar scalar, struct rf_value value)
{
    if (!is_of(value, scalar)) {
        put_byte(w, BRANCH_NULL);
        return;
    }
    if (value.kind == RF_VALUE_UINT && value.as.uinteger > INT64_MAX)
        value.as.uinteger = INT64_MAX;
    put_byte(w, BRANCH_VALUE);
    put_scalar(w, scalar, value);
}

static void put_value_state(struct writer *w, struct rf_customer_part part,
                            const struct rf_feature_state *state)
{
    put_byte(w, state->set ? BRANCH_VALUE : BRANCH_NULL);
    if (!state->set)
        return;
    rf_assert(is_of(state->value, part.scalar));
    if (part.form == RF_FORM_STAMPED)
        put_long(w, state->at);
    put_scalar(w, part.scalar, state->value);
}

/* Arrays and maps are one block: the number of items, the items, 0; nothing but the 0 where empty. */
static void put_buckets(struct writer *w, enum rf_scalar scalar,
                        const struct rf_feature_state *state)
{
    if (state->count > 0)
        put_long(w, state->count);
    for (uint32_t i = 0; i < state->count; i++) {
        put_long(w, state->buckets[i].index);
        if (scalar == RF_SCALAR_DOUBLE)
            put_double(w, state->buckets[i].as.number);
        else
            put_long(w, state->buckets[i].as.integer);
    }
    put_byte(w, 0);
}

static void put_distinct(struct writer *w, const struct rf_feature_state *state)
{
    bool empty = state->count == 0 && state->sketch == NULL;

    put_byte(w, empty ? BRANCH_NULL : BRANCH_VALUE);
    if (empty)
        return;
    rf_assert(state->count == 0 || state->sketch == NULL);
    put_long(w, (int64_t)state->count * 8);
    for (uint32_t i = 0; i < state->count; i++)
        put_word(w, state->distinct[i].hash);
    put_bytes(w, rf_bytes_of(state->sketch, state->sketch == NULL ? 0 : RF_SKETCH_SIZE));
}

static void put_recent(struct writer *w, const struct rf_feature_state *state)
{
    if (state->count > 0)
        put_long(w, state->count);
    for (uint32_t i = 0; i < state->count; i++) {
        put_word(w, state->distinct[i].hash);
        put_long(w, state->distinct[i].last);
    }
    put_byte(w, 0);
}

static void put_state(struct writer *w, struct rf_customer_part part,
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
    }
}

/* Rules that never fired are not in the map. */
static void put_rules(struct writer *w, const struct rf_plan *plan,
                      const struct rf_customer *customer)
{
    int64_t count = 0;

    for (size_t i = 0; i < plan->rule_count; i++)
        count += customer->rules[i].fired_count > 0;
    if (count > 0)
        put_long(w, count);
    for (size_t i = 0; count > 0 && i < plan->rule_count; i++) {
        if (customer->rules[i].fired_count == 0)
            continue;
        put_bytes(w, rf_bytes_of_text(plan->rules[i].name));
        put_long(w, customer->rules[i].fired_count);
        put_long(w, customer->rules[i].last_fired);
    }
    put_byte(w, 0);
}

static void put_seen(struct writer *w, const struct rf_customer *customer)
{
    if (customer->seen_count > 0)
        put_long(w, customer->seen_count);
    for (uint32_t i = 0; i < customer->seen_count; i++) {
        put_word(w, customer->seen[i].hash);
        put_long(w, customer->seen[i].time);
    }
    put_byte(w, 0);
}

void rf_customer_encode(const struct rf_customer_codec *codec, const struct rf_customer *customer,
                        const struct rf_value *values, struct rf_buffer *out)
{
    const struct rf_plan *plan = codec->plan;
    struct writer w = {.out = out};

    put_bytes(&w, customer->id);
    put_long(&w, customer->first_seen);
    put_long(&w, customer->as_of);
    put_long(&w, customer->event_count);
    for (size_t i = 0; i < plan->feature_count; i++) {
        if (codec->parts[i].column != RF_SCALAR_NONE)
            put_column(&w, codec->parts[i].column, values[i]);
    }
    for (size_t i = 0; i < plan->feature_count; i++)
        put_state(&w, codec->parts[i], &customer->features[i]);
    put_rules(&w, plan, customer);
    put_seen(&w, customer);
    if (w.at != NULL)
        rf_buffer_advance(out, (size_t)(w.at - w.start));
}
