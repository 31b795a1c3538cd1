/* De-duplication: the ids of a customer's recent events.
 *
 * An event is a duplicate while its id is remembered and no older than its source's span, both measured in
 * event time against the customer's latest: not against any clock. Ids older than the longest span of all
 * sources are dropped; at most RF_SEEN_MAX are kept, the oldest goes first. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/model/customer.h"

/* `oldest`: the event time before which an id is no longer remembered. */
bool rf_seen_find(const struct rf_customer *customer, uint64_t hash, rf_ms oldest);

/* Forgets what is before `oldest`. False where an id had to go before its time. */
bool rf_seen_add(struct rf_customer *customer, uint64_t hash, rf_ms time, rf_ms oldest,
                 struct rf_arena *arena);
