/* Which part of a writer's schema answers which part of a reader's (Avro specification 1.11, "Schema
 * Resolution"). Of this room only. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/model/schema.h"

/* How well two types that are not unions match, without looking into them. Named types match by their
 * unqualified name or by an alias of the reader's. */
enum rf_avro_match {
    RF_AVRO_MATCH_NONE,
    RF_AVRO_MATCH_PROMOTED, /* int → long → float → double, string ↔ bytes */
    RF_AVRO_MATCH_NAME, /* same kind; of a named type only the last part of the name, or an alias */
    RF_AVRO_MATCH_EXACT,
};
enum rf_avro_match rf_avro_match(const struct rf_schema *writer, const struct rf_schema *reader);

/* The branch of the reader's union that takes what `writer` (no union) wrote: the first of the best match.
 * NULL: there is none. */
const struct rf_schema *rf_avro_find_branch(const struct rf_schema *reader,
                                            const struct rf_schema *writer);

/* sources[i] becomes the index of the writer's field that fills reader field i, or -1. A writer's field fills
 * one reader field only; the name goes before an alias. */
void rf_avro_match_fields(const struct rf_schema *writer, const struct rf_schema *reader,
                          int32_t *sources);
