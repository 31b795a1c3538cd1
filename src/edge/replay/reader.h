/* A file of events, record by record, whatever its format. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/codec/decoder.h"
#include "core/model/plan.h"

struct rf_reader;

/* The format is told by the name: .avro a container file; .csv and .tsv rows under a header; anything else, and "-"
 * for standard input, one JSON object a line. Errors: CONFIG. */
struct rf_reader *rf_reader_open(const struct rf_plan *plan, uint32_t source, const char *path,
                                 struct rf_error *err);
void rf_reader_close(struct rf_reader *reader);

/* The next record, raw: `payload` is valid until the next call, `number` is its line (or its place in a container
 * file), from 1. At the end *end is set. Errors: CONFIG, RECORD (nothing after it can be read). */
bool rf_reader_next(struct rf_reader *reader, struct rf_bytes *payload, int64_t *number, bool *end,
                    struct rf_error *err) RF_MUST_CHECK;

/* Payloads to fields; valid as long as the reader. */
struct rf_decoder rf_reader_decoder(const struct rf_reader *reader);
