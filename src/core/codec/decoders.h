/* Which decoder a source has: by its format. */
#pragma once
#include "core/codec/decoder.h"
#include "core/model/plan.h"

/* Fills decoders[source] for all sources of the plan: `avro` for Avro in any framing, `json` for JSON. */
void rf_decoders_assign(const struct rf_plan *plan, struct rf_decoder avro, struct rf_decoder json,
                        struct rf_decoder *decoders);
