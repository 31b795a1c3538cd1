/* One interaction, decoded. Plain data in the batch arena. */
#pragma once
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/expr/value.h"

/* Where in the input something came from: identity for event ids and dead letters. */
struct rf_position {
    const char *topic; /* or the file, in replay; outlives the task */
    int32_t partition;
    int64_t offset;
};

/* A record as it arrived, before anything is known of it. */
struct rf_input {
    uint32_t source; /* index in the plan */
    struct rf_position position;
    rf_ms broker_time;       /* the message's timestamp; RF_MS_MIN: it has none */
    struct rf_bytes key;     /* data == NULL: null */
    struct rf_bytes value;   /* data == NULL: null (a tombstone) */
    struct rf_bytes headers; /* as the driver packs them, for a dead letter; data == NULL: none */
};

struct rf_event {
    uint32_t source;
    struct rf_position position;
    rf_ms time; /* event time */
    struct rf_bytes customer;
    uint64_t id_hash;               /* of the source's `id`; 0: it has none */
    const struct rf_record *fields; /* of the source's event_type */
};
