/* The customer-360 table as it stands in the changelog: read once, from its beginning to what is its end now,
 * committed records only, without touching a running instance. Thread: the caller's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "edge/stream/stream.h"

struct rf_table_options {
    const struct rf_property *kafka;
    size_t kafka_count;
    const char *app; /* names the client */
    const char *topic;
};

struct rf_table_listener {
    void *self;
    /* Once, before anything else. */
    void (*partitions)(void *self, int32_t count);
    /* value.data == NULL: a tombstone. A later record of a key replaces an earlier one. */
    void (*record)(void *self, int32_t partition, struct rf_bytes key, struct rf_bytes value,
                   int64_t offset);
};

/* Errors: CONFIG (there is no such topic), RETRY (kafka is away). */
bool rf_table_read(const struct rf_table_options *options, const struct rf_table_listener *listener,
                   struct rf_error *err) RF_MUST_CHECK;
