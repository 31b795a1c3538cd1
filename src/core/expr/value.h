/* A value of an expression, an event's field or a feature: CEL's types.
 *
 * Plain data, 24 bytes, passed by value. What it points to (text, items, fields) belongs to whoever made
 * it: the batch arena, the record that was decoded, the program's constants. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"

struct rf_type;
struct rf_record_type;

enum rf_value_kind {
    RF_VALUE_NULL,
    RF_VALUE_BOOL,
    RF_VALUE_INT,
    RF_VALUE_UINT,
    RF_VALUE_DOUBLE,
    RF_VALUE_STRING, /* well-formed UTF-8 */
    RF_VALUE_BYTES,
    RF_VALUE_TIMESTAMP, /* seconds since the epoch, with nanoseconds */
    RF_VALUE_DURATION,  /* seconds with nanoseconds; both of one sign, as in protobuf */
    RF_VALUE_LIST,
    RF_VALUE_MAP,
    RF_VALUE_RECORD, /* an event or a record in it: fields by index of its rf_record_type */
    RF_VALUE_TYPE,
    RF_VALUE_OPTIONAL,
};

struct rf_value {
    uint8_t kind;        /* enum rf_value_kind */
    int32_t nanoseconds; /* TIMESTAMP, DURATION */
    union {
        bool boolean;
        int64_t integer;
        uint64_t uinteger;
        double number;
        struct rf_bytes text; /* STRING, BYTES */
        int64_t seconds;      /* TIMESTAMP, DURATION */
        const struct rf_list *list;
        const struct rf_map *map;
        const struct rf_record *record;
        const struct rf_type *type;
        const struct rf_value *optional; /* NULL: none */
    } as;
};

struct rf_list {
    size_t count;
    const struct rf_value *items;
};

/* In insertion order; keys are unique. */
struct rf_map {
    size_t count;
    const struct rf_value *keys;
    const struct rf_value *values;
};

struct rf_record {
    const struct rf_record_type *type;
    const struct rf_value
        *fields; /* type->field_count of them; only those that were asked for are set */
};

static inline struct rf_value rf_value_null(void)
{
    return (struct rf_value){.kind = RF_VALUE_NULL};
}

static inline struct rf_value rf_value_bool(bool boolean)
{
    return (struct rf_value){.kind = RF_VALUE_BOOL, .as.boolean = boolean};
}

static inline struct rf_value rf_value_int(int64_t integer)
{
    return (struct rf_value){.kind = RF_VALUE_INT, .as.integer = integer};
}

static inline struct rf_value rf_value_uint(uint64_t uinteger)
{
    return (struct rf_value){.kind = RF_VALUE_UINT, .as.uinteger = uinteger};
}

static inline struct rf_value rf_value_double(double number)
{
    return (struct rf_value){.kind = RF_VALUE_DOUBLE, .as.number = number};
}

static inline struct rf_value rf_value_string(struct rf_bytes text)
{
    return (struct rf_value){.kind = RF_VALUE_STRING, .as.text = text};
}

static inline struct rf_value rf_value_bytes(struct rf_bytes text)
{
    return (struct rf_value){.kind = RF_VALUE_BYTES, .as.text = text};
}

static inline struct rf_value rf_value_record(const struct rf_record *record)
{
    return (struct rf_value){.kind = RF_VALUE_RECORD, .as.record = record};
}

static inline struct rf_value rf_value_timestamp(int64_t seconds, int32_t nanoseconds)
{
    return (struct rf_value){
        .kind = RF_VALUE_TIMESTAMP, .nanoseconds = nanoseconds, .as.seconds = seconds};
}

static inline struct rf_value rf_value_duration(int64_t seconds, int32_t nanoseconds)
{
    return (struct rf_value){
        .kind = RF_VALUE_DURATION, .nanoseconds = nanoseconds, .as.seconds = seconds};
}

struct rf_value rf_value_timestamp_ms(rf_ms instant);
rf_ms rf_value_to_ms(struct rf_value value); /* a TIMESTAMP or DURATION, towards minus infinity */
/* An INT, UINT or DOUBLE, rounded to a double. False: it is no number. */
bool rf_value_to_double(struct rf_value value, double *number);

/* CEL's ==: numbers compare across int, uint and double; lists, maps and records by content. */
bool rf_value_equal(struct rf_value a, struct rf_value b);
