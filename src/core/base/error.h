/* An error says what the caller may do about it; the message says what was being done to what, and why
 * it failed: one line, lower case, no function names.
 *
 * Functions that can fail return bool and take a `struct rf_error *` last. It is logged once, where it
 * is handled. Faults of the configuration are not errors but a list of diagnostics (model/diagnostic.h). */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define RF_ERROR_MESSAGE_MAX 512

#define RF_MUST_CHECK __attribute__((warn_unused_result))
#define RF_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))

enum rf_error_kind {
    RF_ERROR_NONE,
    RF_ERROR_RECORD, /* bad input: dead letter, go on */
    RF_ERROR_CONFIG, /* the operator must change something: exit 2 */
    RF_ERROR_RETRY,  /* the same call, later; nothing has changed */
    RF_ERROR_ABORT,  /* abort the transaction, rewind, fold again */
    RF_ERROR_LOST,   /* fenced or revoked: give the task up */
    RF_ERROR_STATE,  /* the local store cannot be trusted: rebuild it from the changelog */
};

struct rf_error {
    enum rf_error_kind kind;
    int32_t origin_code; /* the foreign library's own number, 0 where there is none */
    char message[RF_ERROR_MESSAGE_MAX];
};

/* Asserts that `err` is clear. Returns false, so that a caller can `return rf_error_set(...)`. */
bool rf_error_set(struct rf_error *err, enum rf_error_kind kind, int32_t origin_code, const char *format, ...)
    RF_PRINTF(4, 5);

/* Puts "text: " before the message. Returns false. */
bool rf_error_wrap(struct rf_error *err, const char *format, ...) RF_PRINTF(2, 3);

void rf_error_clear(struct rf_error *err);

/* "record", "config", ...: for logs, metrics and the headers of a dead letter. */
const char *rf_error_kind_name(enum rf_error_kind kind);
