/* Static types of CEL, and the records (events, nested objects) that the schemas declare. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"

enum rf_type_kind {
    RF_TYPE_DYN, /* not known until it runs; `nullable` where a schema says that it may be null */
    RF_TYPE_NULL,
    RF_TYPE_BOOL,
    RF_TYPE_INT,
    RF_TYPE_UINT,
    RF_TYPE_DOUBLE,
    RF_TYPE_STRING,
    RF_TYPE_BYTES,
    RF_TYPE_TIMESTAMP,
    RF_TYPE_DURATION,
    RF_TYPE_LIST,   /* element */
    RF_TYPE_MAP,    /* key, element */
    RF_TYPE_RECORD, /* record */
    RF_TYPE_TYPE,
    RF_TYPE_OPTIONAL,  /* element */
    RF_TYPE_PARAMETER, /* of a function's signature: T, K, V; inside the checker only */
};

struct rf_type {
    enum rf_type_kind kind;
    bool nullable; /* may also be null: reading it unguarded is an error of `check` */
    bool sparse;   /* MAP: a key may be missing, so reading m[k] unguarded is an error of `check` */
    const struct rf_type *key;
    const struct rf_type *element;
    const struct rf_record_type *record;
};

struct rf_field_type {
    const char *name;
    const struct rf_type *type;
};

struct rf_record_type {
    const char *name;
    size_t field_count;
    const struct rf_field_type *fields;
};

/* The types that need no parameters; static, never freed. */
extern const struct rf_type rf_type_dyn, rf_type_null, rf_type_bool, rf_type_int, rf_type_uint,
    rf_type_double, rf_type_string, rf_type_bytes, rf_type_timestamp, rf_type_duration,
    rf_type_type;

const struct rf_type *rf_type_list(struct rf_arena *arena, const struct rf_type *element);
const struct rf_type *rf_type_map(struct rf_arena *arena, const struct rf_type *key,
                                  const struct rf_type *element);
const struct rf_type *rf_type_record(struct rf_arena *arena, const struct rf_record_type *record);
const struct rf_type *rf_type_optional(struct rf_arena *arena, const struct rf_type *element);
const struct rf_type *rf_type_nullable(struct rf_arena *arena, const struct rf_type *type);

bool rf_type_equal(const struct rf_type *a, const struct rf_type *b);
/* As CEL writes it: "int", "list(string)", "map(string, dyn)"; a nullable one with "?" behind. */
void rf_type_print(struct rf_buffer *out, const struct rf_type *type);
