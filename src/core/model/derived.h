/* What ringfold emits: a churn alert, an offer, the news that a customer was erased. Plain data in the batch
 * arena; turned into Avro or JSON by codec/derived_codec.h. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/expr/value.h"
#include "core/model/event.h"

struct rf_reason {
    const char *name; /* the feature */
    struct rf_value value;
};

#define RF_EVENT_ID_SIZE 32 /* hex digits of a 128-bit hash */

struct rf_derived {
    char id[RF_EVENT_ID_SIZE + 1]; /* hash of (app, rule, customer, position): invariant 5 */
    uint32_t rule;                 /* index in the plan */
    uint32_t output;
    struct rf_bytes customer;
    rf_ms occurred_at;           /* event time of the decision */
    struct rf_position position; /* of the event that tipped it */
    struct rf_bytes because;     /* size 0: none */
    struct rf_value offer_value; /* double, or null */
    size_t reason_count;
    const struct rf_reason *reasons;
};
