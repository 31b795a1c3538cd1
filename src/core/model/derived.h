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
    const char *name; /* the feature, or "customer.events" */
    struct rf_value value;
};

/* An event of a pattern's match. */
struct rf_matched {
    uint32_t step; /* of the pattern as it is written, from 1 */
    const char *kind;
    rf_ms time;
    struct rf_position position;
};

#define RF_EVENT_ID_SIZE 32 /* hex digits of a 128-bit hash */

enum rf_status {
    RF_STATUS_RAISED,  /* a rule's condition has come true: an episode begins */
    RF_STATUS_UPDATED, /* it goes on, for other reasons */
    RF_STATUS_CLEARED, /* it is over: `clear_when` holds */
    RF_STATUS_EVICTED, /* the customer was not seen for so long that it was forgotten */
    RF_STATUS_ERASED,  /* the customer was erased on request */
};

/* What kept a rule from firing although its condition held, or its pattern was complete. */
enum rf_held_by {
    RF_HELD_BY_COOLDOWN,
    RF_HELD_BY_FOR,    /* it does not hold for long enough yet, or has fired since it does */
    RF_HELD_BY_GUARD,  /* the `when` beside a pattern does not hold */
    RF_HELD_BY_SHADOW, /* it is in shadow: it would have raised an alert */
};
#define RF_HELD_BY_COUNT 4
/* "cooldown", ... */
const char *rf_held_by_name(enum rf_held_by by);

/* "RAISED", ... */
const char *rf_status_name(enum rf_status status);

#define RF_RULE_NONE UINT32_MAX /* EVICTED, ERASED */

/* The position of what no message tipped: { this, 0, the instant in milliseconds }. */
#define RF_TIMER_TOPIC "timer"

struct rf_derived {
    char id[RF_EVENT_ID_SIZE + 1]; /* hash of (app, rule, customer, position): invariant 5 */
    enum rf_status status;
    uint32_t rule; /* index in the plan, or RF_RULE_NONE */
    uint32_t output;
    struct rf_bytes customer;
    rf_ms occurred_at;           /* event time of the decision */
    struct rf_position position; /* of the event that tipped it, or of the timer */
    int64_t episode;             /* its number, from 1; 0: EVICTED, ERASED */
    char episode_id[RF_EVENT_ID_SIZE +
                    1];          /* the same for all that is told of an episode; "": none */
    struct rf_bytes because;     /* size 0: none */
    struct rf_value offer_value; /* double, or null */
    size_t reason_count;
    const struct rf_reason *reasons;
    size_t matched_count; /* 0: no pattern's doing */
    const struct rf_matched *matched;
};
