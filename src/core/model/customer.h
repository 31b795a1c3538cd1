/* What is known of one customer, opened for folding. Made from the record's bytes at first touch in a
 * transaction and written back to bytes at its end (codec/customer_codec.h); lives in the batch arena. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/expr/value.h"

/* By the feature's state_type: `number` where it is double, else `integer` (timestamps and durations in
 * milliseconds). */
union rf_number {
    int64_t integer;
    double number;
};

struct rf_bucket {
    int64_t index; /* floor(event time / feature->bucket) */
    union rf_number as;
};

struct rf_distinct {
    uint64_t hash;
    rf_ms last; /* the latest event time it was seen at */
};

/* Registers of a HyperLogLog sketch: 2^RF_SKETCH_BITS bytes. */
#define RF_SKETCH_BITS 10
#define RF_SKETCH_SIZE (1U << RF_SKETCH_BITS)
/* Distinct values counted exactly, per customer and feature, before the sketch takes over. */
#define RF_DISTINCT_EXACT_MAX 512

struct rf_feature_state {
    bool set;              /* VALUE: there is one */
    rf_ms at;              /* FIRST, LAST: event time of the value; DECAY: what it is relative to */
    struct rf_value value; /* VALUE: of the feature's state_type; times to the millisecond, as they
                            * are stored; text is in the batch arena or in the record's bytes */
    uint32_t count;        /* of buckets or hashes */
    uint32_t capacity;
    struct rf_bucket *buckets;    /* BUCKETS: ascending by index */
    struct rf_distinct *distinct; /* DISTINCT: ascending by hash */
    uint8_t *sketch;              /* DISTINCT: NULL while exact */
};

struct rf_rule_state {
    int64_t fired_count;
    rf_ms last_fired; /* event time; RF_MS_MIN: never */
};

/* An event id that was seen, for de-duplication. */
struct rf_seen {
    uint64_t hash; /* of source and id */
    rf_ms time;    /* event time */
};
#define RF_SEEN_MAX 1024 /* per customer; beyond it the oldest is forgotten and counted */

struct rf_customer {
    struct rf_bytes id;
    rf_ms first_seen; /* least event time; RF_MS_MAX: new */
    rf_ms as_of;      /* greatest event time; RF_MS_MIN: new */
    int64_t event_count;
    struct rf_feature_state *features; /* by index in the plan */
    struct rf_rule_state *rules;       /* by index in the plan */
    uint32_t seen_count, seen_capacity;
    struct rf_seen *seen; /* ascending by time, then hash */
};
