/* An event that erases a customer, made for the source that the configuration has for it (`kind: erase`), whatever its
 * schema is; and the stores of this machine, rewritten so that nothing of what was erased is left in them. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/model/source.h"
#include "edge/config/config.h"

/* The source for erasures. Errors: CONFIG (there is none; the message says what to write). */
bool rf_erasure_source(const struct rf_config *config, const struct rf_source **source,
                       struct rf_error *err) RF_MUST_CHECK;

/* Appends the value of a message that, with the customer as key, erases the customer: checked with what `run` will read
 * it with. Errors: CONFIG (the schema wants what nobody but its owner knows), RETRY (the registry is away). */
bool rf_erasure_make(const struct rf_config *config, const struct rf_source *source,
                     struct rf_bytes customer, rf_ms now, struct rf_buffer *value,
                     struct rf_error *err) RF_MUST_CHECK;

struct rf_erasure_listener {
    void *self;
    void (*compacted)(void *self, const char *store);
    void (*left)(void *self,
                 const char *copy); /* a damaged store that was put aside: it is as it was */
};

/* Compacts every store of the application below state.dir. Errors: CONFIG (an instance runs; a folder cannot be read),
 * RETRY (the disk), STATE (a damaged store). */
bool rf_erasure_compact(const struct rf_config *config, const struct rf_erasure_listener *listener,
                        struct rf_error *err) RF_MUST_CHECK;
