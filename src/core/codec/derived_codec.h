/* A derived event in the form that its output asks for, and its CloudEvents headers.
 *
 * An output's schema is bound once to what ringfold knows, by field name: id, app, rule, rule_version,
 * plan_version, customer, severity, status, episode, episode_id, because, occurred_at, reasons (array of records with
 * name and value), source (record with topic, partition, offset), offer_id, channel, value. A field that ringfold
 * does not know, or that there is nothing for, needs a default, which is then written, or null in its type.
 *
 * What is the same for all events of a rule is encoded when the codec is made, so that an event costs a few
 * copies and no look-up. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/codec/value_json.h"
#include "core/codec/wire.h"
#include "core/model/derived.h"
#include "core/model/output.h"
#include "core/model/plan.h"

struct rf_derived_codec;

/* Binds; `output` is one of the plan's. Errors: CONFIG, naming the field that cannot be filled. */
bool rf_derived_codec_make(struct rf_arena *arena, const struct rf_plan *plan,
                           const struct rf_output *output, const struct rf_derived_codec **codec,
                           struct rf_error *err) RF_MUST_CHECK;

/* Appends the message's value: Avro, framed by `wire` where the format is AVRO or AVRO_OBJECT, bare where it is
 * AVRO_RAW; JSON text otherwise (`wire` is then not looked at). Errors: RECORD. */
bool rf_derived_encode(const struct rf_derived_codec *codec, const struct rf_derived *derived,
                       const struct rf_wire *wire, struct rf_buffer *out,
                       struct rf_error *err) RF_MUST_CHECK;

/* The message's key: the customer, or customer/rule where the output says so. May be in `arena`. */
struct rf_bytes rf_derived_key(const struct rf_plan *plan, const struct rf_derived *derived,
                               struct rf_arena *arena);

/* The event as one line of JSON, every known attribute: what replay, demo and `--json` print. */
void rf_derived_print_json(const struct rf_plan *plan, const struct rf_derived *derived,
                           struct rf_buffer *out);

struct rf_header {
    const char *name;
    struct rf_bytes value;
};
#define RF_CLOUDEVENTS_HEADERS 7
/* ce_specversion, ce_id, ce_source, ce_type, ce_subject, ce_time, content-type: CloudEvents 1.0, Kafka binary
 * binding. Values point into `derived`, `arena` or constants. Returns how many. */
size_t rf_derived_headers(const struct rf_plan *plan, const struct rf_derived *derived,
                          struct rf_arena *arena, struct rf_header headers[RF_CLOUDEVENTS_HEADERS]);
