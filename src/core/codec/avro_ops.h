/* The program between avro_program.c, which compiles it, and avro_run.c, which runs it. Of this room only.
 *
 * A block is the flat code of one writer record: its operations in the order of the bytes, then the
 * reader's defaults. An operation of 16 bytes reads one value into values[target], or passes over bytes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/codec/avro_program.h"

enum rf_avro_code {
    /* these set values[target] */
    RF_AVRO_NULL,
    RF_AVRO_BOOLEAN,
    RF_AVRO_INT,
    RF_AVRO_LONG,
    RF_AVRO_INTEGER_TO_DOUBLE,
    RF_AVRO_FLOAT,
    RF_AVRO_DOUBLE,
    RF_AVRO_STRING,
    RF_AVRO_BYTES,
    RF_AVRO_FIXED,   /* size */
    RF_AVRO_ENUM,    /* enumeration */
    RF_AVRO_INSTANT, /* units: of the writer's number in a second; date: see below */
    RF_AVRO_DATE,
    RF_AVRO_TIME,          /* units */
    RF_AVRO_DECIMAL,       /* scale; length before it */
    RF_AVRO_DECIMAL_FIXED, /* decimal: scale and size */
    RF_AVRO_RECORD,        /* block */
    RF_AVRO_ARRAY,         /* items */
    RF_AVRO_MAP,           /* items */
    RF_AVRO_UNION,         /* choice: each branch is one operation on the same value */
    RF_AVRO_CONSTANT,      /* value: a default; reads nothing */
    RF_AVRO_REJECT,        /* reason: a branch that the reader has no place for */
    /* these pass over bytes */
    RF_AVRO_SKIP_SIZE, /* size */
    RF_AVRO_SKIP_INTEGER,
    RF_AVRO_SKIP_BYTES,
    RF_AVRO_SKIP_ITEMS, /* items: block, has_keys */
    RF_AVRO_SKIP_UNION, /* choice: each branch is one operation */
    RF_AVRO_SKIP_BLOCK, /* block */
};

struct rf_avro_block;
struct rf_avro_items;
struct rf_avro_choice;
struct rf_avro_enumeration;
struct rf_avro_decimal;

struct rf_avro_op {
    uint8_t code; /* enum rf_avro_code */
    uint32_t target;
    union {
        size_t size;
        int64_t units;
        int32_t scale;
        const struct rf_value *value;
        const char *reason;
        const struct rf_avro_block *block;
        const struct rf_avro_items *items;
        const struct rf_avro_choice *choice;
        const struct rf_avro_enumeration *enumeration;
        const struct rf_avro_decimal *decimal;
    } as;
};

struct rf_avro_block {
    const struct rf_avro_op *ops; /* NULL while it is being compiled: a record within itself */
    size_t op_count;
    const struct rf_record_type *type; /* of the reader; NULL: a block that only skips */
};

struct rf_avro_items {
    bool has_keys;              /* a map */
    size_t item_size_min;       /* bytes that an item takes at least, its key included */
    struct rf_avro_op element;  /* ARRAY, MAP */
    struct rf_avro_block block; /* SKIP_ITEMS: what passes over one item without its key */
};

struct rf_avro_choice {
    size_t count;
    const struct rf_avro_op *branches; /* target 0 */
};

struct rf_avro_enumeration {
    size_t count;
    const struct rf_value *symbols; /* by the writer's index; null: the reader has none for it */
};

struct rf_avro_decimal {
    int32_t scale;
    size_t size;
};

struct rf_avro_program {
    const char *name; /* of the reader's record */
    const struct rf_schema *reader;
    struct rf_avro_op entry; /* RECORD, or UNION of RECORD and REJECT */
    struct rf_avro_limits limits;
};

struct rf_avro_skip {
    struct rf_avro_block block;
};
