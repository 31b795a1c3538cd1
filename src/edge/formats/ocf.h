/* Avro object container files: a schema and blocks of datums. For any thread, one at a time.
 *
 *   "Obj" 01 | metadata, a map of bytes | sync, 16 bytes | blocks ...
 *   block: count, size, data (compressed), sync
 *
 * Framing and the codecs null, deflate, snappy and zstandard are read here, lzma by Avro-C (ocf_lzma.h). Datums come
 * out as the bytes that a decode program reads; memory is bounded by one block. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/model/schema.h"

#define RF_OCF_BLOCK_MAX (64U << 20) /* bytes of a block, compressed or not */

struct rf_ocf_reader;

/* Errors: CONFIG, where it is no container file or its schema or codec is not understood. */
bool rf_ocf_open(const char *path, struct rf_ocf_reader **reader,
                 struct rf_error *err) RF_MUST_CHECK;
void rf_ocf_close(struct rf_ocf_reader *reader);

/* Both live as long as the reader. */
const struct rf_schema *rf_ocf_schema(const struct rf_ocf_reader *reader);
const char *rf_ocf_schema_text(const struct rf_ocf_reader *reader);

/* The next datum, valid until the next call; *end is true behind the last one. Errors: RECORD, where the file is
 * damaged; the call after it is at the end. */
bool rf_ocf_next(struct rf_ocf_reader *reader, struct rf_bytes *datum, bool *end,
                 struct rf_error *err) RF_MUST_CHECK;

struct rf_ocf_writer;

/* `codec`: "null" or "deflate". The same datums give the same file: its sync marker is a hash of the schema.
 * Errors: CONFIG. */
bool rf_ocf_create(const char *path, const char *schema_text, const char *codec,
                   struct rf_ocf_writer **writer, struct rf_error *err) RF_MUST_CHECK;
bool rf_ocf_append(struct rf_ocf_writer *writer, struct rf_bytes datum,
                   struct rf_error *err) RF_MUST_CHECK;
/* Writes what is left and frees the writer, also on error. Errors: CONFIG. */
bool rf_ocf_finish(struct rf_ocf_writer *writer, struct rf_error *err) RF_MUST_CHECK;
