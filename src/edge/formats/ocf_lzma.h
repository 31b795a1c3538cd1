/* Container files whose blocks are compressed by lzma, a codec of Avro-C alone: read by Avro-C. Of this room only.
 *
 * Avro-C decodes a datum and we write it out again as bytes. It follows a record into itself without bound and makes
 * items out of nothing, so a schema that could ask for either is refused. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/model/schema.h"

struct rf_ocf_lzma;

/* Errors: CONFIG. */
bool rf_ocf_lzma_open(const char *path, const struct rf_schema *schema, struct rf_ocf_lzma **lzma,
                      struct rf_error *err) RF_MUST_CHECK;
void rf_ocf_lzma_close(struct rf_ocf_lzma *lzma);

/* Replaces what is in `datum`. Errors: RECORD. */
bool rf_ocf_lzma_next(struct rf_ocf_lzma *lzma, struct rf_buffer *datum, bool *end,
                      struct rf_error *err) RF_MUST_CHECK;
