/* Questions to an HTTP service that several addresses answer: the next one is asked where one does not, and all
 * again after a pause. Asserts nothing of what comes back. One thread at a time. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/base/time.h"

#define RF_HTTP_ANSWER_SIZE_MAX ((size_t)4 << 20)
#define RF_HTTP_PAUSE_MAX       (20 * RF_SECOND_MS)

/* Answers by status, for metrics; added to by any thread. */
#define RF_HTTP_STATUSES 16
struct rf_http_counts {
    atomic_ullong answers[RF_HTTP_STATUSES];
};
/* "200", "404", ..., "other" for a status that has no place of its own, "error" where there was no answer. */
const char *rf_http_status_name(size_t index);

struct rf_http_settings {
    const char *urls;        /* one or several, with commas in between; http or https */
    const char *user;        /* NULL: no basic authentication */
    const char *password;    /* may be NULL; never printed */
    const char *token;       /* NULL: no bearer token; never printed */
    const char *ca_location; /* PEM file; NULL: the system's */
    rf_span_ms connect_timeout;
    rf_span_ms timeout;            /* for one answer */
    const atomic_bool *stop;       /* set by another thread: gives up; NULL: never */
    struct rf_http_counts *counts; /* NULL: nobody counts */
};

struct rf_http;

/* Errors: CONFIG (an address that is none). `settings` may go afterwards, but for `stop` and `counts`. */
struct rf_http *rf_http_open(const struct rf_http_settings *settings, struct rf_error *err);
void rf_http_close(struct rf_http *http);

struct rf_http_answer {
    long status;
    bool too_large;        /* `body` is cut off */
    struct rf_buffer body; /* the caller's to deinit, also after an error */
    const char *url;       /* who answered, without a password; valid as long as the rf_http */
};

/* GET of `path`, or POST where there is a `body` of JSON. Tried `tries_max` times at all addresses, with pauses
 * that double from half a second to RF_HTTP_PAUSE_MAX and are drawn at random between half and all of that.
 * True: an answer that asking again would not change (not 408, 429 or 5xx). Errors: RETRY. */
bool rf_http_ask(struct rf_http *http, const char *path, const char *body, unsigned tries_max,
                 struct rf_http_answer *answer, struct rf_error *err) RF_MUST_CHECK;

/* `text` as a part of a path, in `arena`. */
const char *rf_http_escape(struct rf_http *http, struct rf_arena *arena, const char *text);

/* How long to wait before try number `tries` (1: the second). */
rf_span_ms rf_http_pause(unsigned tries);
