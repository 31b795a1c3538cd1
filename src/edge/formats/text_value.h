/* Scalars as people write them in CSV cells and in JSON strings, by an Avro schema. For any thread. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/expr/value.h"
#include "core/model/schema.h"

/* Numbers in plain decimal notation; true and false in any case, 1 and 0; instants as RFC 3339 text, as an ISO
 * date (midnight UTC) or as a number in the schema's unit; times of day as HH:MM:SS with a fraction; an enum's
 * symbol (one it does not have becomes its default). Of a union the first branch that can be read; empty text
 * is null where null is a branch. Strings point into `text`, whose UTF-8 is checked. Errors: RECORD. */
bool rf_text_value(const struct rf_schema *schema, struct rf_bytes text, struct rf_value *value,
                   struct rf_error *err) RF_MUST_CHECK;

/* A number in the unit of an instant's, a time's or a date's schema. Errors: RECORD, where it is out of range. */
bool rf_unit_value(const struct rf_schema *schema, int64_t number, struct rf_value *value,
                   struct rf_error *err) RF_MUST_CHECK;

/* Only the texts of instants and times, without the numbers. */
bool rf_time_value(const struct rf_schema *schema, struct rf_bytes text, struct rf_value *value,
                   struct rf_error *err) RF_MUST_CHECK;

/* What is shown of a text in an error: not all of a long one. */
#define RF_EXCERPT_MAX 40
static inline int rf_excerpt_size(struct rf_bytes text)
{
    return (int)(text.size < RF_EXCERPT_MAX ? text.size : RF_EXCERPT_MAX);
}
