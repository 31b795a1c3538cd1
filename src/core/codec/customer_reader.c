#include "core/codec/customer_reader.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/varint.h"

#define SKIP_STEPS_MAX (1U << 22)

static size_t left(const struct rf_reader *r)
{
    return (size_t)(r->end - r->at);
}

bool rf_read_fault(struct rf_reader *r, const char *fault)
{
    r->fault = fault;
    return false;
}

bool rf_read_long(struct rf_reader *r, int64_t *number)
{
    return rf_varint_read(&r->at, r->end, number);
}

/* Spelled out, so that it becomes one load where the machine has that order. */
uint64_t rf_read_word(const uint8_t bytes[8])
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

bool rf_read_hash(struct rf_reader *r, uint64_t *hash)
{
    if (left(r) < 8)
        return false;
    *hash = rf_read_word(r->at);
    r->at += 8;
    return true;
}

bool rf_read_double(struct rf_reader *r, double *number)
{
    uint64_t word = 0;

    if (!rf_read_hash(r, &word))
        return false;
    memcpy(number, &word, sizeof word);
    return true;
}

bool rf_read_bytes(struct rf_reader *r, struct rf_bytes *bytes)
{
    int64_t size = 0;

    if (!rf_read_long(r, &size))
        return false;
    if (size < 0 || (uint64_t)size > left(r))
        return rf_read_fault(r, "a text longer than the record");
    *bytes = rf_bytes_of(r->at, (size_t)size);
    r->at += size;
    return true;
}

bool rf_read_is_instant(struct rf_reader *r, int64_t number)
{
    if (number < RF_MS_MIN || number > RF_MS_MAX)
        return rf_read_fault(r, "an instant outside the years 1 to 9999");
    return true;
}

bool rf_read_instant(struct rf_reader *r, rf_ms *instant)
{
    return rf_read_long(r, instant) && rf_read_is_instant(r, *instant);
}

bool rf_read_boolean(struct rf_reader *r, bool *boolean)
{
    if (left(r) == 0)
        return false;
    if (*r->at > 1)
        return rf_read_fault(r, "a boolean that is neither");
    *boolean = *r->at++ == 1;
    return true;
}

static bool read_string(struct rf_reader *r, struct rf_value *value)
{
    struct rf_bytes text = {0};

    if (!rf_read_bytes(r, &text))
        return false;
    *value = rf_value_string(text);
    return rf_bytes_is_utf8(text) || rf_read_fault(r, "a string that is not UTF-8");
}

static bool read_from_long(struct rf_reader *r, enum rf_scalar scalar, struct rf_value *value)
{
    int64_t number = 0;

    if (!rf_read_long(r, &number))
        return false;
    if (scalar == RF_SCALAR_INTEGER) {
        *value = rf_value_int(number);
        return true;
    }
    if (scalar == RF_SCALAR_UNSIGNED) {
        *value = rf_value_uint((uint64_t)number);
        return true;
    }
    if (scalar == RF_SCALAR_DURATION) {
        *value = rf_value_duration(number / 1000, (int32_t)(number % 1000) * 1000000);
        return true;
    }
    rf_assert(scalar == RF_SCALAR_TIMESTAMP);
    if (!rf_read_is_instant(r, number))
        return false;
    *value = rf_value_timestamp_ms(number);
    return true;
}

bool rf_read_scalar(struct rf_reader *r, enum rf_scalar scalar, struct rf_value *value)
{
    struct rf_bytes bytes = {0};
    double number = 0.0;
    bool boolean = false;

    switch (scalar) {
    case RF_SCALAR_INTEGER:
    case RF_SCALAR_UNSIGNED:
    case RF_SCALAR_DURATION:
    case RF_SCALAR_TIMESTAMP:
        return read_from_long(r, scalar, value);
    case RF_SCALAR_STRING:
        return read_string(r, value);
    case RF_SCALAR_BOOLEAN:
        if (!rf_read_boolean(r, &boolean))
            return false;
        *value = rf_value_bool(boolean);
        return true;
    case RF_SCALAR_DOUBLE:
        if (!rf_read_double(r, &number))
            return false;
        *value = rf_value_double(number);
        return true;
    case RF_SCALAR_BYTES:
        if (!rf_read_bytes(r, &bytes))
            return false;
        *value = rf_value_bytes(bytes);
        return true;
    case RF_SCALAR_NONE:
        break;
    }
    rf_assert(false && "a scalar that is none");
    return false;
}

bool rf_read_branch(struct rf_reader *r, bool *some)
{
    int64_t branch = 0;

    if (!rf_read_long(r, &branch))
        return false;
    *some = branch == 1;
    return branch == 0 || branch == 1 || rf_read_fault(r, "no such branch");
}

bool rf_read_block(struct rf_reader *r, size_t item_size_min, uint32_t *count)
{
    int64_t read = 0;
    int64_t size = 0;

    if (!rf_read_long(r, &read))
        return false;
    if (read < 0) { /* a block that tells its size in bytes too */
        if (read == INT64_MIN || !rf_read_long(r, &size))
            return false;
        read = -read;
    }
    if ((uint64_t)read > left(r) / item_size_min)
        return rf_read_fault(r, "more items than the record has room for");
    if (read > UINT32_MAX)
        return rf_read_fault(r, "too many items");
    *count = (uint32_t)read;
    return true;
}

static bool skip_bytes(struct rf_reader *r, uint64_t size)
{
    if (size > left(r))
        return false;
    r->at += size;
    return true;
}

static bool skip_blocks(struct rf_reader *r, const struct rf_schema *schema, unsigned depth)
{
    struct rf_bytes key = {0};
    int64_t count = 0;
    int64_t size = 0;

    for (;;) {
        if (!rf_read_long(r, &count))
            return false;
        if (count == 0)
            return true;
        if (count < 0) {
            if (!rf_read_long(r, &size) || size < 0 || !skip_bytes(r, (uint64_t)size))
                return false;
            continue;
        }
        for (; count > 0; count--) {
            if (schema->kind == RF_SCHEMA_MAP && !rf_read_bytes(r, &key))
                return false;
            if (!rf_read_skip(r, schema->element, depth))
                return false;
        }
    }
}

static bool skip_fields(struct rf_reader *r, const struct rf_schema *schema, unsigned depth)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (!rf_read_skip(r, schema->fields[i].type, depth))
            return false;
    }
    return true;
}

static bool skip_union(struct rf_reader *r, const struct rf_schema *schema, unsigned depth)
{
    int64_t branch = 0;

    if (!rf_read_long(r, &branch))
        return false;
    if (branch < 0 || (uint64_t)branch >= schema->count)
        return rf_read_fault(r, "no such branch");
    return rf_read_skip(r, schema->branches[branch], depth);
}

bool rf_read_skip(struct rf_reader *r, const struct rf_schema *schema, unsigned depth)
{
    struct rf_bytes bytes = {0};
    int64_t number = 0;

    if (depth == 0)
        return rf_read_fault(r, "nested too deep");
    if (++r->skip_steps > SKIP_STEPS_MAX)
        return rf_read_fault(r, "more items than are believable");
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        return true;
    case RF_SCHEMA_BOOLEAN:
        return skip_bytes(r, 1);
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
    case RF_SCHEMA_ENUM:
        return rf_read_long(r, &number);
    case RF_SCHEMA_FLOAT:
        return skip_bytes(r, 4);
    case RF_SCHEMA_DOUBLE:
        return skip_bytes(r, 8);
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_STRING:
        return rf_read_bytes(r, &bytes);
    case RF_SCHEMA_FIXED:
        return skip_bytes(r, schema->count);
    case RF_SCHEMA_RECORD:
        return skip_fields(r, schema, depth - 1);
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
        return skip_blocks(r, schema, depth - 1);
    case RF_SCHEMA_UNION:
        return skip_union(r, schema, depth - 1);
    }
    return rf_read_fault(r, "a type that is none");
}

bool rf_read_block_within(struct rf_reader *r, size_t item_size_min, size_t room,
                          const char *too_many, uint32_t *count)
{
    return rf_read_block(r, item_size_min, count) && (*count <= room || rf_read_fault(r, too_many));
}

void *rf_read_grow(struct rf_arena *arena, const void *items, size_t item_size,
                   uint32_t count_before, uint32_t count, uint32_t *capacity)
{
    size_t room = (size_t)count_before + count + 2;
    void *grown = rf_arena_alloc(arena, room * item_size);

    if (count_before > 0)
        memcpy(grown, items, count_before * item_size);
    if (capacity != NULL)
        *capacity = (uint32_t)room;
    return grown;
}
