/* Which schema wrote a stored customer record, and how the plan of today reads it. */
#pragma once
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/codec/customer_codec.h"
#include "core/codec/schemas.h"
#include "core/codec/wire.h"

struct rf_layouts;

/* `own`: what stands before the records that are written now. `schemas` finds the schemas of older ones. */
struct rf_layouts *rf_layouts_open(const struct rf_customer_codec *codec, const struct rf_wire *own,
                                   const struct rf_schemas *schemas);
void rf_layouts_close(struct rf_layouts *layouts);

/* Splits a stored record and finds the layout for its body. Errors: STATE (damaged), RETRY (its schema is not
 * to be had now). */
bool rf_layouts_find(struct rf_layouts *layouts, struct rf_bytes record,
                     const struct rf_customer_layout **layout, struct rf_bytes *body,
                     struct rf_error *err) RF_MUST_CHECK;

/* Begins a record that is written now. */
void rf_layouts_begin(const struct rf_layouts *layouts, struct rf_buffer *out);
