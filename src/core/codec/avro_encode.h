/* Values to an Avro body by a schema: for derived events, generated data and tests.
 *
 * A value fits where rf_schema_type says so; besides, an int fits where a double is wanted. Of a union the
 * first branch of the value's own kind is taken, of records the one of the same name. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/expr/value.h"
#include "core/model/schema.h"

/* fields[i] is the value of the record's field i. Errors: RECORD, naming the field whose value does not fit;
 * `out` then holds part of a body. */
bool rf_avro_encode(const struct rf_schema *schema, const struct rf_value *fields,
                    struct rf_buffer *out, struct rf_error *err) RF_MUST_CHECK;

/* The same for one value of any schema. */
bool rf_avro_encode_value(const struct rf_schema *schema, struct rf_value value,
                          struct rf_buffer *out, struct rf_error *err) RF_MUST_CHECK;
