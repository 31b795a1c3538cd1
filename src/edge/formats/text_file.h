/* A text file, record by record: the lines of NDJSON, the rows of CSV. Memory is bounded by one record, whatever
 * the file's size. For any thread, one at a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

struct rf_text_file;

struct rf_text_record {
    struct rf_bytes text; /* without its line end; valid until the next call */
    uint64_t line;        /* where it begins, from 1 */
};

/* `path` "-": standard input. `record_max`: bytes of one record. Errors: CONFIG. */
bool rf_text_file_open(const char *path, size_t record_max, struct rf_text_file **file,
                       struct rf_error *err) RF_MUST_CHECK;
void rf_text_file_close(struct rf_text_file *file);

/* The next record that is not empty; *end is true, and the record not set, behind the last one. Lines end with LF or
 * CRLF; a byte order mark at the beginning is passed over. `separator` of CSV's cells: a line end between double
 * quotes belongs to the record; '\0': every line is a record. Errors: RECORD (too long; the call after it goes on with
 * the next record), CONFIG (the file cannot be read). */
bool rf_text_file_next(struct rf_text_file *file, char separator, struct rf_text_record *record,
                       bool *end, struct rf_error *err) RF_MUST_CHECK;

/* As given to open: for messages. */
const char *rf_text_file_path(const struct rf_text_file *file);
