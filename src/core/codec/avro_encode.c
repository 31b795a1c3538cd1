#include "core/codec/avro_encode.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/varint.h"
#include "core/codec/decimal.h"

#define NANOSECONDS INT64_C(1000000000)
#define DAY_SECONDS INT64_C(86400)

static bool encode(const struct rf_schema *schema, struct rf_value value, size_t depth,
                   struct rf_buffer *out, struct rf_error *err);

static const char *const value_names[] = {
    [RF_VALUE_NULL] = "null",         [RF_VALUE_BOOL] = "bool",
    [RF_VALUE_INT] = "int",           [RF_VALUE_UINT] = "uint",
    [RF_VALUE_DOUBLE] = "double",     [RF_VALUE_STRING] = "string",
    [RF_VALUE_BYTES] = "bytes",       [RF_VALUE_TIMESTAMP] = "timestamp",
    [RF_VALUE_DURATION] = "duration", [RF_VALUE_LIST] = "list",
    [RF_VALUE_MAP] = "map",           [RF_VALUE_RECORD] = "record",
    [RF_VALUE_TYPE] = "type",         [RF_VALUE_OPTIONAL] = "optional",
};

static bool misfit(const struct rf_schema *schema, struct rf_value value, struct rf_error *err)
{
    rf_assert(value.kind <= RF_VALUE_OPTIONAL);
    return rf_error_set(err, RF_ERROR_RECORD, 0, "a value of type %s does not fit into %s%s%s",
                        value_names[value.kind], rf_schema_kind_name(schema->kind),
                        schema->name == NULL ? "" : " ", schema->name == NULL ? "" : schema->name);
}

static void append_integer(struct rf_buffer *out, int64_t number)
{
    uint8_t *room = rf_buffer_reserve(out, RF_VARINT_SIZE_MAX);

    if (room != NULL)
        rf_buffer_advance(out, rf_varint_write(room, number));
}

static void append_bits(struct rf_buffer *out, uint64_t bits, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    rf_buffer_append(out, bytes, size);
}

static void append_run(struct rf_buffer *out, struct rf_bytes bytes)
{
    append_integer(out, (int64_t)bytes.size);
    rf_buffer_append(out, bytes.data, bytes.size);
}

static bool is_instant(const struct rf_schema *schema)
{
    return schema->logical == RF_LOGICAL_DATE || schema->logical == RF_LOGICAL_TIMESTAMP_MILLIS ||
           schema->logical == RF_LOGICAL_TIMESTAMP_MICROS ||
           schema->logical == RF_LOGICAL_TIMESTAMP_NANOS;
}

static bool is_time(const struct rf_schema *schema)
{
    return schema->logical == RF_LOGICAL_TIME_MILLIS || schema->logical == RF_LOGICAL_TIME_MICROS;
}

static int64_t units_of(enum rf_logical_kind logical)
{
    switch (logical) {
    case RF_LOGICAL_TIME_MILLIS:
    case RF_LOGICAL_TIMESTAMP_MILLIS:
        return 1000;
    case RF_LOGICAL_TIME_MICROS:
    case RF_LOGICAL_TIMESTAMP_MICROS:
        return 1000000;
    case RF_LOGICAL_TIMESTAMP_NANOS:
        return NANOSECONDS;
    case RF_LOGICAL_NONE:
    case RF_LOGICAL_DATE:
    case RF_LOGICAL_DECIMAL:
    case RF_LOGICAL_UUID:
        break;
    }
    rf_assert(false);
    return 1;
}

/* An instant or a time as the schema counts it; what is finer than its unit goes towards minus infinity.
 * False: the count has more than 64 bits. */
static bool count_units(const struct rf_schema *schema, struct rf_value value, int64_t *count)
{
    int64_t units = 0;
    int64_t part = 0;

    if (schema->logical == RF_LOGICAL_DATE) {
        *count = rf_floor_div(value.as.seconds, DAY_SECONDS);
        return true;
    }
    units = units_of(schema->logical);
    part = rf_floor_div(value.nanoseconds, NANOSECONDS / units);
    return !__builtin_mul_overflow(value.as.seconds, units, count) &&
           !__builtin_add_overflow(*count, part, count);
}

static bool to_integer(const struct rf_schema *schema, struct rf_value value, int64_t *number)
{
    if (is_instant(schema))
        return value.kind == RF_VALUE_TIMESTAMP && count_units(schema, value, number);
    if (is_time(schema))
        return value.kind == RF_VALUE_DURATION && count_units(schema, value, number);
    if (value.kind == RF_VALUE_UINT && value.as.uinteger <= INT64_MAX) {
        *number = (int64_t)value.as.uinteger;
        return true;
    }
    *number = value.as.integer;
    return value.kind == RF_VALUE_INT;
}

static bool encode_integer(const struct rf_schema *schema, struct rf_value value,
                           struct rf_buffer *out, struct rf_error *err)
{
    int64_t number = 0;

    if (!to_integer(schema, value, &number))
        return misfit(schema, value, err);
    if (schema->kind == RF_SCHEMA_INT && (number < INT32_MIN || number > INT32_MAX))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%lld has more than the 32 bits of an int",
                            (long long)number);
    append_integer(out, number);
    return true;
}

static bool to_double(struct rf_value value, double *number)
{
    if (value.kind == RF_VALUE_DOUBLE)
        *number = value.as.number;
    else if (value.kind == RF_VALUE_INT)
        *number = (double)value.as.integer;
    else if (value.kind == RF_VALUE_UINT)
        *number = (double)value.as.uinteger;
    else
        return false;
    return true;
}

static bool encode_number(const struct rf_schema *schema, struct rf_value value,
                          struct rf_buffer *out, struct rf_error *err)
{
    double number = 0;
    float narrow = 0;
    uint64_t bits = 0;
    uint32_t narrow_bits = 0;

    if (!to_double(value, &number))
        return misfit(schema, value, err);
    if (schema->kind == RF_SCHEMA_DOUBLE) {
        memcpy(&bits, &number, sizeof bits);
        append_bits(out, bits, sizeof bits);
        return true;
    }
    narrow = (float)number;
    memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
    append_bits(out, narrow_bits, sizeof narrow_bits);
    return true;
}

static bool encode_decimal(const struct rf_schema *schema, struct rf_value value,
                           struct rf_buffer *out, struct rf_error *err)
{
    uint8_t unscaled[RF_DECIMAL_SIZE_MAX];
    bool is_fixed = schema->kind == RF_SCHEMA_FIXED;
    double number = 0;
    size_t size = 0;

    if (!to_double(value, &number))
        return misfit(schema, value, err);
    size = rf_decimal_from_double(number, schema->scale, is_fixed ? schema->count : 0, unscaled);
    if (size == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%g does not fit into the decimal", number);
    if (!is_fixed)
        append_integer(out, (int64_t)size);
    rf_buffer_append(out, unscaled, size);
    return true;
}

static bool encode_text(const struct rf_schema *schema, struct rf_value value,
                        struct rf_buffer *out, struct rf_error *err)
{
    enum rf_value_kind wanted = schema->kind == RF_SCHEMA_STRING ? RF_VALUE_STRING : RF_VALUE_BYTES;

    if (schema->logical == RF_LOGICAL_DECIMAL)
        return encode_decimal(schema, value, out, err);
    if (value.kind != (uint8_t)wanted)
        return misfit(schema, value, err);
    if (schema->kind != RF_SCHEMA_FIXED) {
        append_run(out, value.as.text);
        return true;
    }
    if (value.as.text.size != schema->count)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%zu bytes do not fit into fixed %s of %zu",
                            value.as.text.size, schema->name, schema->count);
    rf_buffer_append(out, value.as.text.data, value.as.text.size);
    return true;
}

static int64_t find_symbol(const struct rf_schema *schema, struct rf_value value)
{
    if (value.kind != RF_VALUE_STRING)
        return -1;
    for (size_t i = 0; i < schema->count; i++) {
        if (rf_bytes_equal(rf_bytes_of_text(schema->symbols[i]), value.as.text))
            return (int64_t)i;
    }
    return -1;
}

static bool encode_enum(const struct rf_schema *schema, struct rf_value value,
                        struct rf_buffer *out, struct rf_error *err)
{
    int64_t index = find_symbol(schema, value);

    if (value.kind != RF_VALUE_STRING)
        return misfit(schema, value, err);
    if (index < 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "enum %s has no symbol \"%.*s\"", schema->name,
                            (int)(value.as.text.size < 64 ? value.as.text.size : 64),
                            (const char *)value.as.text.data);
    append_integer(out, index);
    return true;
}

static bool encode_fields(const struct rf_schema *schema, const struct rf_value *fields,
                          size_t depth, struct rf_buffer *out, struct rf_error *err)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (!encode(schema->fields[i].type, fields[i], depth, out, err))
            return rf_error_wrap(err, "field %s", schema->fields[i].name);
    }
    return true;
}

static bool encode_record(const struct rf_schema *schema, struct rf_value value, size_t depth,
                          struct rf_buffer *out, struct rf_error *err)
{
    if (value.kind != RF_VALUE_RECORD)
        return misfit(schema, value, err);
    if (value.as.record->type->field_count != schema->count)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "record %s has %zu fields, %s has %zu",
                            value.as.record->type->name, value.as.record->type->field_count,
                            schema->name, schema->count);
    return encode_fields(schema, value.as.record->fields, depth, out, err);
}

static bool encode_items(const struct rf_schema *schema, struct rf_value value, size_t depth,
                         struct rf_buffer *out, struct rf_error *err)
{
    bool is_map = schema->kind == RF_SCHEMA_MAP;
    size_t count = 0;

    if (value.kind != (is_map ? RF_VALUE_MAP : RF_VALUE_LIST))
        return misfit(schema, value, err);
    count = is_map ? value.as.map->count : value.as.list->count;
    if (count > 0)
        append_integer(out, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        if (is_map && value.as.map->keys[i].kind != RF_VALUE_STRING)
            return misfit(schema, value.as.map->keys[i], err);
        if (is_map)
            append_run(out, value.as.map->keys[i].as.text);
        if (!encode(schema->element, is_map ? value.as.map->values[i] : value.as.list->items[i],
                    depth, out, err))
            return rf_error_wrap(err, "item %zu", i);
    }
    append_integer(out, 0);
    return true;
}

/* How well a value fits into a branch: 0 not, 1 after a conversion, 2 by kind, 3 by name as well. */
static int fit(const struct rf_schema *schema, struct rf_value value)
{
    const struct rf_record_type *type = NULL;
    double number = 0;
    int64_t integer = 0;

    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        return value.kind == RF_VALUE_NULL ? 2 : 0;
    case RF_SCHEMA_BOOLEAN:
        return value.kind == RF_VALUE_BOOL ? 2 : 0;
    case RF_SCHEMA_INT:
        return to_integer(schema, value, &integer) && integer >= INT32_MIN && integer <= INT32_MAX
                   ? 2
                   : 0;
    case RF_SCHEMA_LONG:
        return to_integer(schema, value, &integer) ? 2 : 0;
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
        return value.kind == RF_VALUE_DOUBLE ? 2 : to_double(value, &number);
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_FIXED:
        if (schema->logical == RF_LOGICAL_DECIMAL)
            return to_double(value, &number);
        return value.kind == RF_VALUE_BYTES &&
                       (schema->kind == RF_SCHEMA_BYTES || value.as.text.size == schema->count)
                   ? 2
                   : 0;
    case RF_SCHEMA_STRING:
        return value.kind == RF_VALUE_STRING ? 2 : 0;
    case RF_SCHEMA_ENUM:
        return find_symbol(schema, value) >= 0 ? 2 : 0;
    case RF_SCHEMA_ARRAY:
        return value.kind == RF_VALUE_LIST ? 2 : 0;
    case RF_SCHEMA_MAP:
        return value.kind == RF_VALUE_MAP ? 2 : 0;
    case RF_SCHEMA_RECORD:
        type = value.kind == RF_VALUE_RECORD ? value.as.record->type : NULL;
        if (type == NULL || type->field_count != schema->count)
            return 0;
        return type->name != NULL && strcmp(type->name, schema->name) == 0 ? 3 : 2;
    case RF_SCHEMA_UNION:
        return 0;
    }
    return 0;
}

static bool encode_union(const struct rf_schema *schema, struct rf_value value, size_t depth,
                         struct rf_buffer *out, struct rf_error *err)
{
    size_t best = 0;
    int best_fit = 0;

    for (size_t i = 0; i < schema->count; i++) {
        int how = fit(schema->branches[i], value);

        if (how > best_fit) {
            best = i;
            best_fit = how;
        }
    }
    if (best_fit == 0)
        return misfit(schema, value, err);
    append_integer(out, (int64_t)best);
    return encode(schema->branches[best], value, depth, out, err);
}

/* `depth`: levels that may still be entered. */
static bool encode(const struct rf_schema *schema, struct rf_value value, size_t depth,
                   struct rf_buffer *out, struct rf_error *err)
{
    if (depth == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "it nests deeper than %d levels",
                            RF_SCHEMA_DEPTH_MAX);
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        return value.kind == RF_VALUE_NULL || misfit(schema, value, err);
    case RF_SCHEMA_BOOLEAN:
        if (value.kind != RF_VALUE_BOOL)
            return misfit(schema, value, err);
        rf_buffer_append_byte(out, value.as.boolean ? 1 : 0);
        return true;
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
        return encode_integer(schema, value, out, err);
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
        return encode_number(schema, value, out, err);
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_STRING:
    case RF_SCHEMA_FIXED:
        return encode_text(schema, value, out, err);
    case RF_SCHEMA_RECORD:
        return encode_record(schema, value, depth - 1, out, err);
    case RF_SCHEMA_ENUM:
        return encode_enum(schema, value, out, err);
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
        return encode_items(schema, value, depth - 1, out, err);
    case RF_SCHEMA_UNION:
        return encode_union(schema, value, depth - 1, out, err);
    }
    return misfit(schema, value, err);
}

static bool check_size(const struct rf_buffer *out, struct rf_error *err)
{
    if (!out->overflow)
        return true;
    return rf_error_set(err, RF_ERROR_RECORD, 0, "the body is larger than %zu bytes",
                        out->size_max);
}

bool rf_avro_encode(const struct rf_schema *schema, const struct rf_value *fields,
                    struct rf_buffer *out, struct rf_error *err)
{
    rf_assert(schema->kind == RF_SCHEMA_RECORD);
    if (!encode_fields(schema, fields, RF_SCHEMA_DEPTH_MAX, out, err))
        return rf_error_wrap(err, "encoding %s", schema->name);
    return check_size(out, err);
}

bool rf_avro_encode_value(const struct rf_schema *schema, struct rf_value value,
                          struct rf_buffer *out, struct rf_error *err)
{
    return encode(schema, value, RF_SCHEMA_DEPTH_MAX, out, err) && check_size(out, err);
}
