#include "core/codec/decoders.h"

#include "core/model/format.h"
#include "core/model/source.h"

void rf_decoders_assign(const struct rf_plan *plan, struct rf_decoder avro, struct rf_decoder json,
                        struct rf_decoder *decoders)
{
    for (size_t i = 0; i < plan->source_count; i++)
        decoders[i] = plan->sources[i].format == RF_FORMAT_JSON ? json : avro;
}
