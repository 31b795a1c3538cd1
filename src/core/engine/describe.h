/* What a derived event says: made from the customer as the engine looks at it now. */
#pragma once
#include "core/engine/pattern.h"
#include "core/engine/state.h"

/* What tips a decision: an event, the match of a pattern, or (both NULL) an instant. */
struct rf_cause {
    struct rf_bytes customer;
    rf_ms at; /* when it happens: that of the event or the match, or when the engine looks */
    const struct rf_event *event;
    const struct rf_pattern_match *match;
};

/* The id of the rule's episode of that number. */
struct rf_hash128 rf_describe_episode(struct rf_engine *engine, uint32_t rule,
                                      struct rf_bytes customer, int64_t number);

/* A hash of the reasons as they are now. Errors: RECORD. */
bool rf_describe_reasons_hash(struct rf_engine *engine, uint32_t rule, uint64_t *hash,
                              struct rf_error *err) RF_MUST_CHECK;

/* Adds a derived event to the engine's. Errors: RECORD; nothing is added. */
bool rf_describe(struct rf_engine *engine, uint32_t rule, enum rf_status status,
                 const struct rf_cause *cause, int64_t number, struct rf_hash128 episode,
                 struct rf_arena *arena, struct rf_error *err) RF_MUST_CHECK;

/* EVICTED and ERASED: no rule's doing. */
void rf_describe_lifecycle(struct rf_engine *engine, enum rf_status status,
                           const struct rf_cause *cause, struct rf_arena *arena,
                           struct rf_derived *derived);

/* Room for one more of the engine's derived events. */
struct rf_derived *rf_describe_push(struct rf_engine *engine);
