/* CSV rows (RFC 4180: cells in double quotes, doubled quotes within, line ends within) to fields of an event.
 *
 * A file is read row by row (text_file.h with the separator); its first row names the columns. A row's bytes are the
 * payload that the decoder port takes, so that a dead letter carries the row as it was. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/codec/decoder.h"
#include "core/model/plan.h"

#define RF_CSV_COLUMNS_MAX 4096

/* Splits one row. Cells without quotes point into `row`, others into `arena`; `cells` has room for `cell_max`.
 * Errors: RECORD, with the column. */
bool rf_csv_split(struct rf_bytes row, char separator, struct rf_arena *arena,
                  struct rf_bytes *cells, size_t cell_max, size_t *cell_count,
                  struct rf_error *err) RF_MUST_CHECK;

struct rf_csv_decoder; /* one thread's */

/* The plan outlives the decoder. */
struct rf_csv_decoder *rf_csv_decoder_open(const struct rf_plan *plan);
void rf_csv_decoder_close(struct rf_csv_decoder *decoder);

/* From now on the source's rows have the columns of this header row. A field in use without a column (by name or
 * alias) needs a default. Errors: CONFIG, naming the field. */
bool rf_csv_decoder_bind(struct rf_csv_decoder *decoder, uint32_t source, struct rf_bytes header,
                         char separator, struct rf_error *err) RF_MUST_CHECK;

struct rf_decoder rf_csv_decoder_port(struct rf_csv_decoder *decoder);
