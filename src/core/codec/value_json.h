/* A value as JSON text, one line. */
#pragma once
#include "core/base/buffer.h"
#include "core/expr/value.h"

/* Numbers as they are, a non-finite one as null; instants as RFC 3339 text; durations in seconds with an `s`
 * behind ("3.5s"); bytes as Avro's JSON encoding has them (\u0000 to \u00ff); records by field name; types,
 * which are nobody's data, as their null. */
void rf_value_print_json(struct rf_buffer *out, struct rf_value value);

/* A JSON string, quotes included. */
void rf_json_print_text(struct rf_buffer *out, struct rf_bytes text);
