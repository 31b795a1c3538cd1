/* The decoder port for JSON payloads: an object whose members are the source's fields.
 *
 * Fields are found by name or alias, a missing one takes its default; instants are RFC 3339 text or a number in the
 * schema's unit; unions are plain ("value") or tagged as in Avro's JSON encoding ({"string": "value"}). Members that
 * the schema does not have are passed over. One decoder serves one thread. */
#pragma once
#include "core/codec/decoder.h"
#include "core/model/plan.h"

struct rf_json_decoder;

/* The plan outlives the decoder; its event_bytes_max bounds a payload. */
struct rf_json_decoder *rf_json_decoder_open(const struct rf_plan *plan);
void rf_json_decoder_close(struct rf_json_decoder *decoder);
struct rf_decoder rf_json_decoder_port(struct rf_json_decoder *decoder);
