/* An Avro schema as a graph of types (Avro specification 1.11). Made by edge/formats from JSON text, or
 * built by core/codec for the customer record. Immutable once made; lives in its maker's arena.
 *
 * A named type that refers to itself is a cycle of pointers: walkers bound their depth. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/expr/type.h"
#include "core/expr/value.h"

enum rf_schema_kind {
    RF_SCHEMA_NULL,
    RF_SCHEMA_BOOLEAN,
    RF_SCHEMA_INT,
    RF_SCHEMA_LONG,
    RF_SCHEMA_FLOAT,
    RF_SCHEMA_DOUBLE,
    RF_SCHEMA_BYTES,
    RF_SCHEMA_STRING,
    RF_SCHEMA_RECORD,
    RF_SCHEMA_ENUM,
    RF_SCHEMA_ARRAY,
    RF_SCHEMA_MAP,
    RF_SCHEMA_UNION,
    RF_SCHEMA_FIXED,
};

enum rf_logical_kind {
    RF_LOGICAL_NONE,
    RF_LOGICAL_DATE,             /* int: days → timestamp at 00:00 UTC */
    RF_LOGICAL_TIME_MILLIS,      /* int → duration since midnight */
    RF_LOGICAL_TIME_MICROS,      /* long → duration since midnight */
    RF_LOGICAL_TIMESTAMP_MILLIS, /* long → timestamp; also local-timestamp-millis */
    RF_LOGICAL_TIMESTAMP_MICROS,
    RF_LOGICAL_TIMESTAMP_NANOS,
    RF_LOGICAL_DECIMAL, /* bytes or fixed → double, `scale` digits behind the point */
    RF_LOGICAL_UUID,
};

struct rf_schema;

struct rf_schema_field {
    const char *name;
    const struct rf_schema *type;
    size_t alias_count;
    const char *const *aliases;
    bool has_default;
    struct rf_value default_value; /* in the form that rf_schema_type gives the field */
};

struct rf_schema {
    enum rf_schema_kind kind;
    enum rf_logical_kind logical;
    int32_t scale;    /* DECIMAL */
    const char *name; /* RECORD, ENUM, FIXED: the full name, namespace.name */
    size_t alias_count;
    const char *const *aliases; /* full names */
    size_t count;               /* fields, symbols or branches; FIXED: its size in bytes */
    const struct rf_schema_field *fields;    /* RECORD */
    const char *const *symbols;              /* ENUM */
    int32_t default_symbol;                  /* ENUM: index, -1: none */
    const struct rf_schema *const *branches; /* UNION */
    const struct rf_schema *element;         /* ARRAY, MAP */
};

#define RF_SCHEMA_DEPTH_MAX 64

/* "null", "boolean", ..., "fixed": as the specification writes it. */
const char *rf_schema_kind_name(enum rf_schema_kind kind);

/* The expression type of values of this schema. [null, T] becomes a nullable T, another union dyn, an
 * enum string, int and long int, float and double double. A type that contains itself is dyn there, and so
 * is what lies deeper than RF_SCHEMA_DEPTH_MAX or beyond 20,000 parts. Names are the schema's own. */
const struct rf_type *rf_schema_type(struct rf_arena *arena, const struct rf_schema *schema);

/* Parsing Canonical Form (Avro specification), and its CRC-64-AVRO (Rabin) fingerprint. */
void rf_schema_canonical(struct rf_buffer *out, const struct rf_schema *schema);
uint64_t rf_schema_fingerprint(const struct rf_schema *schema);
