/* Values to an Avro body by a schema: for derived events, generated data and tests. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/expr/value.h"
#include "core/model/schema.h"

/* fields[i] is the value of the record's field i. Errors: RECORD, naming the field whose value does not fit. */
bool rf_avro_encode(const struct rf_schema *schema, const struct rf_value *fields,
                    struct rf_buffer *out, struct rf_error *err) RF_MUST_CHECK;
