#include "core/expr/value.h"

#include "core/base/assert.h"
#include "core/expr/function.h"
#include "core/expr/types.h"

#define TWO_POW_63 9223372036854775808.0
#define TWO_POW_64 18446744073709551616.0

struct rf_value rf_value_timestamp_ms(rf_ms instant)
{
    int64_t seconds = rf_floor_div(instant, 1000);

    return rf_value_timestamp(seconds, (int32_t)(instant - seconds * 1000) * 1000000);
}

rf_ms rf_value_to_ms(struct rf_value value)
{
    rf_assert(value.kind == RF_VALUE_TIMESTAMP || value.kind == RF_VALUE_DURATION);
    return value.as.seconds * 1000 + rf_floor_div(value.nanoseconds, 1000000);
}

bool rf_value_to_double(struct rf_value value, double *number)
{
    switch ((enum rf_value_kind)value.kind) {
    case RF_VALUE_INT:
        *number = (double)value.as.integer;
        return true;
    case RF_VALUE_UINT:
        *number = (double)value.as.uinteger;
        return true;
    case RF_VALUE_DOUBLE:
        *number = value.as.number;
        return true;
    case RF_VALUE_TIMESTAMP:
    case RF_VALUE_DURATION:
    case RF_VALUE_NULL:
    case RF_VALUE_BOOL:
    case RF_VALUE_STRING:
    case RF_VALUE_BYTES:
    case RF_VALUE_LIST:
    case RF_VALUE_MAP:
    case RF_VALUE_RECORD:
    case RF_VALUE_TYPE:
    case RF_VALUE_OPTIONAL:
        break;
    }
    return false;
}

static int order_int(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int order_uint(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int order_double(double a, double b)
{
    if (a < b)
        return -1;
    if (a > b)
        return 1;
    return a == b ? 0 : RF_ORDER_NONE;
}

/* As the specification's cases have it: what an int cannot be decides, else both are compared as doubles. */
static int order_int_double(int64_t a, double b)
{
    if (b > TWO_POW_63)
        return -1;
    if (b < -TWO_POW_63)
        return 1;
    return order_double((double)a, b);
}

static int order_uint_double(uint64_t a, double b)
{
    if (b > TWO_POW_64)
        return -1;
    if (b < 0)
        return 1;
    return order_double((double)a, b);
}

static int reversed(int order)
{
    return order == RF_ORDER_NONE ? RF_ORDER_NONE : -order;
}

static bool is_number(struct rf_value value)
{
    return value.kind == RF_VALUE_INT || value.kind == RF_VALUE_UINT ||
           value.kind == RF_VALUE_DOUBLE;
}

static int order_numbers(struct rf_value a, struct rf_value b)
{
    if (a.kind > b.kind)
        return reversed(order_numbers(b, a));
    if (a.kind == RF_VALUE_DOUBLE)
        return order_double(a.as.number, b.as.number);
    if (a.kind == RF_VALUE_UINT)
        return b.kind == RF_VALUE_UINT ? order_uint(a.as.uinteger, b.as.uinteger)
                                       : order_uint_double(a.as.uinteger, b.as.number);
    rf_assert(a.kind == RF_VALUE_INT);
    if (b.kind == RF_VALUE_DOUBLE)
        return order_int_double(a.as.integer, b.as.number);
    if (b.kind == RF_VALUE_UINT)
        return a.as.integer < 0 ? -1 : order_uint((uint64_t)a.as.integer, b.as.uinteger);
    return order_int(a.as.integer, b.as.integer);
}

int rf_value_order(struct rf_value a, struct rf_value b, bool *defined)
{
    *defined = true;
    if (is_number(a) && is_number(b))
        return order_numbers(a, b);
    *defined = a.kind == b.kind;
    if (!*defined)
        return RF_ORDER_NONE;
    if (a.kind == RF_VALUE_STRING || a.kind == RF_VALUE_BYTES)
        return order_int(rf_bytes_compare(a.as.text, b.as.text), 0);
    if (a.kind == RF_VALUE_TIMESTAMP || a.kind == RF_VALUE_DURATION) {
        int order = order_int(a.as.seconds, b.as.seconds);

        return order != 0 ? order : order_int(a.nanoseconds, b.nanoseconds);
    }
    if (a.kind == RF_VALUE_BOOL)
        return (int)a.as.boolean - (int)b.as.boolean;
    *defined = false;
    return RF_ORDER_NONE;
}

const struct rf_value *rf_map_find(const struct rf_map *map, struct rf_value key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (rf_value_equal(map->keys[i], key))
            return &map->values[i];
    }
    return NULL;
}

static bool spend(struct rf_eval *eval, uint64_t cost)
{
    return eval == NULL || rf_eval_spend(eval, cost);
}

static bool lists_equal(struct rf_eval *eval, const struct rf_list *a, const struct rf_list *b)
{
    if (a->count != b->count)
        return false;
    if (!spend(eval, a->count))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!rf_value_equal_within(eval, a->items[i], b->items[i]))
            return false;
    }
    return true;
}

static bool maps_equal(struct rf_eval *eval, const struct rf_map *a, const struct rf_map *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct rf_value *value = NULL;

        if (!spend(eval, 1 + b->count / 4))
            return false;
        value = rf_map_find(b, a->keys[i]);
        if (value == NULL || !rf_value_equal_within(eval, a->values[i], *value))
            return false;
    }
    return true;
}

static bool records_equal(struct rf_eval *eval, const struct rf_record *a,
                          const struct rf_record *b)
{
    if (a->type != b->type || !spend(eval, a->type->field_count))
        return false;
    for (size_t i = 0; i < a->type->field_count; i++) {
        if (!rf_value_equal_within(eval, a->fields[i], b->fields[i]))
            return false;
    }
    return true;
}

static bool optionals_equal(struct rf_eval *eval, const struct rf_value *a,
                            const struct rf_value *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return rf_value_equal_within(eval, *a, *b);
}

bool rf_value_equal_within(struct rf_eval *eval, struct rf_value a, struct rf_value b)
{
    if (is_number(a) && is_number(b))
        return order_numbers(a, b) == 0;
    if (a.kind != b.kind)
        return false;
    switch ((enum rf_value_kind)a.kind) {
    case RF_VALUE_NULL:
        return true;
    case RF_VALUE_BOOL:
        return a.as.boolean == b.as.boolean;
    case RF_VALUE_STRING:
    case RF_VALUE_BYTES:
        return rf_bytes_equal(a.as.text, b.as.text);
    case RF_VALUE_TIMESTAMP:
    case RF_VALUE_DURATION:
        return a.as.seconds == b.as.seconds && a.nanoseconds == b.nanoseconds;
    case RF_VALUE_LIST:
        return lists_equal(eval, a.as.list, b.as.list);
    case RF_VALUE_MAP:
        return maps_equal(eval, a.as.map, b.as.map);
    case RF_VALUE_RECORD:
        return records_equal(eval, a.as.record, b.as.record);
    case RF_VALUE_TYPE:
        return a.as.type->kind == b.as.type->kind && a.as.type->record == b.as.type->record;
    case RF_VALUE_OPTIONAL:
        return optionals_equal(eval, a.as.optional, b.as.optional);
    case RF_VALUE_INT:
    case RF_VALUE_UINT:
    case RF_VALUE_DOUBLE:
        break;
    }
    rf_assert(false && "an unknown kind of value");
    return false;
}

bool rf_value_equal(struct rf_value a, struct rf_value b)
{
    return rf_value_equal_within(NULL, a, b);
}

const struct rf_type *rf_value_type(struct rf_value value)
{
    static const struct rf_type *const types[] = {
        [RF_VALUE_NULL] = &rf_type_null,
        [RF_VALUE_BOOL] = &rf_type_bool,
        [RF_VALUE_INT] = &rf_type_int,
        [RF_VALUE_UINT] = &rf_type_uint,
        [RF_VALUE_DOUBLE] = &rf_type_double,
        [RF_VALUE_STRING] = &rf_type_string,
        [RF_VALUE_BYTES] = &rf_type_bytes,
        [RF_VALUE_TIMESTAMP] = &rf_type_timestamp,
        [RF_VALUE_DURATION] = &rf_type_duration,
        [RF_VALUE_LIST] = &rf_type_any_list,
        [RF_VALUE_MAP] = &rf_type_any_map,
        [RF_VALUE_RECORD] = &rf_type_any_map, /* an event reads like a map from names */
        [RF_VALUE_TYPE] = &rf_type_type,
        [RF_VALUE_OPTIONAL] = &rf_type_any_optional,
    };

    rf_assert(value.kind <= RF_VALUE_OPTIONAL);
    return types[value.kind];
}

bool rf_value_is_zero(struct rf_value value)
{
    switch ((enum rf_value_kind)value.kind) {
    case RF_VALUE_NULL:
        return true;
    case RF_VALUE_BOOL:
        return !value.as.boolean;
    case RF_VALUE_INT:
    case RF_VALUE_UINT:
        return value.as.uinteger == 0;
    case RF_VALUE_DOUBLE:
        return value.as.number == 0;
    case RF_VALUE_STRING:
    case RF_VALUE_BYTES:
        return value.as.text.size == 0;
    case RF_VALUE_DURATION:
    case RF_VALUE_TIMESTAMP: /* the epoch, as in protobuf */
        return value.as.seconds == 0 && value.nanoseconds == 0;
    case RF_VALUE_LIST:
        return value.as.list->count == 0;
    case RF_VALUE_MAP:
        return value.as.map->count == 0;
    case RF_VALUE_OPTIONAL:
    case RF_VALUE_RECORD:
    case RF_VALUE_TYPE:
        return false;
    }
    return false;
}
