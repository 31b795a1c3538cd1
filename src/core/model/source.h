/* A topic of events as it is configured: how its messages are read, and what they mean. Plain data of a plan. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/time.h"
#include "core/expr/expr.h"
#include "core/model/format.h"

#define RF_SOURCES_MAX 64

struct rf_schema;

enum rf_source_role {
    RF_ROLE_EVENTS,
    RF_ROLE_ERASE
};

struct rf_source {
    const char *name;
    const char *topic;
    const char *kind;
    enum rf_source_role role; /* `kind: erase` deletes the customer */
    enum rf_format format;
    const char *schema_text;        /* the reader schema as written */
    const struct rf_schema *schema; /* a record */
    /* The schema's fields, then `time` (event time), `kind` and `source` where the schema has none of that name. */
    const struct rf_record_type *event_type;
    int32_t time_field, kind_field, source_field; /* index in event_type of those; -1: shadowed */
    const bool *fields_used;        /* by index in schema->fields: read by some expression */
    const struct rf_expr *customer; /* string; NULL: the message key */
    const struct rf_expr *time;     /* timestamp; NULL: the message's timestamp */
    const struct rf_expr *id;       /* string, int or uint; NULL: no de-duplication */
    const struct rf_expr *where;    /* bool; NULL: all */
    rf_span_ms dedup;               /* how long an id is remembered */
};
