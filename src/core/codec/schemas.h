/* Writer schemas by what a message says of them: the port.
 *
 * Production: edge/registry (by id, cached for ever and on disk), files otherwise. Never blocks: what is not
 * known yet is RETRY, and the implementation starts to look for it. */
#pragma once
#include <stdint.h>

#include "core/base/error.h"
#include "core/model/schema.h"

struct rf_schemas_ops {
    /* The schema stays valid as long as the port. Errors: RETRY (being fetched, the registry is away), RECORD
     * (there is no such schema, or it is not one). */
    bool (*by_id)(void *self, uint32_t id, const struct rf_schema **schema, struct rf_error *err);
    bool (*by_fingerprint)(void *self, uint64_t fingerprint, const struct rf_schema **schema,
                           struct rf_error *err);
};

struct rf_schemas {
    const struct rf_schemas_ops *ops;
    void *self; /* not owned */
};
