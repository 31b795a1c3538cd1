/* Schemas that a registry gave, on disk: an id's schema never changes, so that a restart needs no registry.
 *
 *   DIRECTORY/16 hex digits of a hash of the addresses/ID.json: {"schema": TEXT, "references": [TEXT, ...]}
 *
 * What cannot be read there is as good as not there. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "edge/registry/resolve.h"

/* The directory for these addresses, made where it is missing; in `arena`. Errors: CONFIG. */
bool rf_schema_cache_open(const char *directory, const char *urls, struct rf_arena *arena,
                          const char **path, struct rf_error *err) RF_MUST_CHECK;

/* The ids there are files of. Errors: CONFIG. */
bool rf_schema_cache_list(const char *path, struct rf_arena *arena, uint32_t **ids, size_t *count,
                          struct rf_error *err) RF_MUST_CHECK;

/* False: not there, or damaged. */
bool rf_schema_cache_read(const char *path, uint32_t id, struct rf_arena *arena,
                          struct rf_resolved *resolved);
bool rf_schema_cache_write(const char *path, uint32_t id, const struct rf_resolved *resolved,
                           struct rf_error *err) RF_MUST_CHECK;
