/* The decoder port for Avro: wire header → writer's schema → compiled program → fields.
 *
 * A program is compiled at the first sight of a writer's schema and kept by (source, schema id), so that a
 * message costs one comparison or one probe of a table before it is decoded. One thread, one decoder. */
#pragma once
#include <stddef.h>

#include "core/codec/decoder.h"
#include "core/codec/schemas.h"
#include "core/model/plan.h"

struct rf_avro_decoder;

/* For the sources of the plan whose format is one of Avro's. `schemas` (copied) answers for ids and fingerprints;
 * NULL: there are only raw bodies. The plan outlives the decoder. */
struct rf_avro_decoder *rf_avro_decoder_open(const struct rf_plan *plan,
                                             const struct rf_schemas *schemas);
void rf_avro_decoder_close(struct rf_avro_decoder *decoder);

/* From now on the source's payloads are raw bodies of this writer, as in a container file. The schema lives as
 * long as it is in use; NULL: back to what the plan says. */
void rf_avro_decoder_set_writer(struct rf_avro_decoder *decoder, uint32_t source,
                                const struct rf_schema *writer);

struct rf_decoder rf_avro_decoder_port(struct rf_avro_decoder *decoder);
