/* A schema with the texts of all that it refers to, directly or not. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/model/schema.h"
#include "edge/registry/answer.h"
#include "edge/registry/http.h"

struct rf_resolved {
    struct rf_bytes text;
    size_t reference_count;
    struct rf_bytes references[RF_REFERENCES_MAX]; /* each after those that it uses itself */
};

/* Asks for schema `id` and its references, everything in `arena`. Errors: RETRY (the registry is away), RECORD
 * (there is no such schema, or it cannot be used), CONFIG (the registry refuses to say). */
bool rf_resolve_id(struct rf_http *http, uint32_t id, unsigned tries_max, struct rf_arena *arena,
                   struct rf_resolved *resolved, struct rf_error *err) RF_MUST_CHECK;

/* The newest version of a subject; `id` too. Errors: as above, RECORD where there is no such subject. */
bool rf_resolve_latest(struct rf_http *http, const char *subject, unsigned tries_max,
                       struct rf_arena *arena, uint32_t *id, struct rf_resolved *resolved,
                       struct rf_error *err) RF_MUST_CHECK;

/* The text as a schema. Errors: RECORD. */
bool rf_resolved_parse(const struct rf_resolved *resolved, struct rf_arena *arena,
                       const struct rf_schema **schema, struct rf_error *err) RF_MUST_CHECK;
