/* A jansson value to one of ours by an Avro schema: a payload's field or a schema's default. Of this room
 * only; jansson stays behind avro_schema.h and json_decoder.h. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/expr/value.h"
#include "core/model/schema.h"

struct rf_json_reading {
    struct rf_arena *arena;       /* what values point to */
    struct rf_arena *types_arena; /* the record types that they have; lives as long as `types` */
    struct rf_buffer *types;      /* struct rf_json_type each: made once a schema */
    /* A default: as the specification writes it, of a union the first branch, no unknown enum symbol. A payload
     * otherwise: RFC 3339 times, unions plain or tagged, names by alias. */
    bool is_default;
    /* The default of a field that a record lacks; NULL: what stands in the schema. */
    bool (*find_default)(void *self, const struct rf_schema_field *field, struct rf_value *value,
                         struct rf_error *err);
    void *self;
    size_t depth_left;
    size_t steps_left; /* conversions, those of union branches that did not fit included */
};

struct rf_json_type {
    const struct rf_schema *schema;
    const struct rf_record_type *type;
};

/* Errors: RECORD, with the path of fields to what does not fit. */
bool rf_json_value(struct rf_json_reading *reading, const struct rf_schema *schema, json_t *json,
                   struct rf_value *value, struct rf_error *err) RF_MUST_CHECK;

/* One field of a record out of an object: by name or alias, by default where it is missing. */
bool rf_json_field(struct rf_json_reading *reading, const struct rf_schema_field *field,
                   json_t *object, struct rf_value *value, struct rf_error *err) RF_MUST_CHECK;
