/* The Schema Registry: schemas by id for the decoder, and what is asked of it at start.
 *
 * Behind core/codec/schemas.h: `by_id` answers from memory and never waits; a thread of the registry's own asks
 * the service and goes on asking while it is away. What was once learnt stays, in memory and on disk. An id that
 * the service does not know is remembered as unknown for a while.
 *
 * The other functions wait for an answer, at most about two minutes; any thread. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/codec/schemas.h"

#define RF_REGISTRY_SCHEMAS_MAX 16384 /* known and unknown ones */

struct rf_registry_options {
    const char *urls;           /* with commas in between; NULL: there is no registry, only `add` */
    const char *user;           /* NULL: no basic authentication */
    const char *password;       /* never printed */
    const char *token;          /* NULL: no bearer token; never printed */
    const char *ca_location;    /* NULL: the system's */
    const char *cache_dir;      /* NULL: nothing is kept on disk */
    rf_span_ms connect_timeout; /* 0: 3 s */
    rf_span_ms timeout;         /* for one answer; 0: 10 s */
    rf_span_ms unknown_for;     /* how long an unknown id is not asked for again; 0: 1 min */
    unsigned tries_max;         /* of the functions that wait; 0: 4 */
    const atomic_bool
        *gives_up; /* set by somebody else: the functions that wait end with RETRY; NULL: never */
};

struct rf_registry;

/* Reads what is on disk and starts the thread; does not ask the service. Once signals are set up; not before a
 * fork. NULL on errors: CONFIG, RETRY (no thread to be had). */
struct rf_registry *rf_registry_open(const struct rf_registry_options *options,
                                     struct rf_error *err);
void rf_registry_close(struct rf_registry *registry);

/* For any thread. Valid, with every schema it gave, until the registry is closed. */
struct rf_schemas rf_registry_schemas(struct rf_registry *registry);

/* Questions to the service so far, by HTTP status ("200", "404", "error": no answer), those that were asked. Room for
 * RF_REGISTRY_STATUSES_MAX; returns how many. Any thread. */
#define RF_REGISTRY_STATUSES_MAX 16
size_t rf_registry_requests(struct rf_registry *registry, const char **names, uint64_t *counts);

/* Makes `text` known to `by_fingerprint`. Errors: CONFIG (not a schema). */
bool rf_registry_add(struct rf_registry *registry, struct rf_bytes text,
                     struct rf_error *err) RF_MUST_CHECK;

struct rf_registry_schema {
    uint32_t id;
    struct rf_bytes text; /* in the caller's arena */
};

/* The newest schema of a subject. *found false: there is no such subject. Errors: RETRY, CONFIG. */
bool rf_registry_latest(struct rf_registry *registry, const char *subject, struct rf_arena *arena,
                        struct rf_registry_schema *schema, bool *found,
                        struct rf_error *err) RF_MUST_CHECK;

/* The id of `text` under a subject. *found false: not registered there. Errors: RETRY, CONFIG. */
bool rf_registry_look_up(struct rf_registry *registry, const char *subject, struct rf_bytes text,
                         uint32_t *id, bool *found, struct rf_error *err) RF_MUST_CHECK;

/* Registers `text` under a subject, which changes nothing where it is registered already. Errors: RETRY, CONFIG
 * (not compatible, not allowed, not a schema). */
bool rf_registry_register(struct rf_registry *registry, const char *subject, struct rf_bytes text,
                          uint32_t *id, struct rf_error *err) RF_MUST_CHECK;

/* "BACKWARD", "FULL_TRANSITIVE", ...: what the registry demands by default. Also asks whether it is one. */
bool rf_registry_compatibility(struct rf_registry *registry, struct rf_arena *arena,
                               const char **level, struct rf_error *err) RF_MUST_CHECK;
