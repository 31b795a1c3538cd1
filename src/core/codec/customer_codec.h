/* The customer record as Avro: what the changelog carries and the store holds, byte for byte.
 *
 *   customer, first_seen, as_of, events      who, since when, until when (event time), how many events
 *   due                                      when something comes due without an event
 *   <feature> ...                            its value as of `as_of`, null where there is none: for readers
 *   state { <state_name> ... }               what the features are computed from
 *   rules { <name> → { fired, ... } }        what the rules remember
 *   seen [ { hash, time } ]                  event ids, for de-duplication
 *   patterns { <state_name> → { ... } }      how far it has come in each (customer_patterns.c)
 *
 * A record is read with its writer's schema: state that the plan no longer has is skipped, state that it has
 * gained starts empty. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/model/customer.h"
#include "core/model/plan.h"
#include "core/model/schema.h"

struct rf_customer_codec;  /* of one plan; immutable, for any thread */
struct rf_customer_layout; /* of one writer's schema, seen from one plan */

const struct rf_customer_codec *rf_customer_codec_make(struct rf_arena *arena,
                                                       const struct rf_plan *plan);
const struct rf_schema *rf_customer_codec_schema(const struct rf_customer_codec *codec);
const char *rf_customer_codec_schema_text(const struct rf_customer_codec *codec); /* JSON */

/* Errors: STATE, where `writer` is no customer record. */
bool rf_customer_layout_make(struct rf_arena *arena, const struct rf_customer_codec *codec,
                             const struct rf_schema *writer,
                             const struct rf_customer_layout **layout,
                             struct rf_error *err) RF_MUST_CHECK;

/* A customer of whom nothing is known. */
void rf_customer_init(struct rf_arena *arena, const struct rf_plan *plan, struct rf_bytes id,
                      struct rf_customer *customer);

/* `body`: without the wire header. Texts point into `body` where they can. Errors: STATE. */
bool rf_customer_decode(const struct rf_customer_layout *layout, struct rf_bytes body,
                        struct rf_arena *arena, struct rf_customer *customer,
                        struct rf_error *err) RF_MUST_CHECK;

/* `values[i]`: the value of feature i as of customer->as_of (engine.h). Appends the body. */
void rf_customer_encode(const struct rf_customer_codec *codec, const struct rf_customer *customer,
                        const struct rf_value *values, struct rf_buffer *out);
