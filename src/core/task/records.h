/* A task's customers in memory: the hot cache over the store, and the overlay of the open transaction.
 *
 *   committed bytes ──open──▶ rf_customer (folded) ──seal──▶ sealed bytes ──committed──▶ committed bytes ─flush─▶ store
 *                                     │                          │
 *                                     └────────aborted───────────┴──▶ dropped
 *
 * Committed bytes that the store does not have yet are *gathered*: written later in one sorted batch, with the
 * checkpoint. What is gathered or open is never evicted; the rest is, by second chance, when the budget is
 * passed.
 *
 * When a customer has to be looked at without an event stands beside its record: in the store's order of time, and for
 * those that the store does not have yet, in timers.h. A plan that is not the one under which the store was written
 * asks for a sweep: every customer's time is worked out anew, piece by piece, between transactions.
 *
 * 1. Nothing that is not committed reaches the store (invariant 1 of the design).
 * 2. After rf_records_aborted every customer is what the last commit left.
 * 3. Once the store is swept, no customer is due before the time at which it stands in the store's order or in the
 *    heap. It may be later: whoever is met is looked at, and the record decides. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/model/plan.h"
#include "core/task/layouts.h"
#include "core/task/store.h"

struct rf_records;

struct rf_records *rf_records_open(const struct rf_plan *plan,
                                   const struct rf_customer_codec *codec,
                                   struct rf_layouts *layouts, const struct rf_store *store,
                                   struct rf_engine *engine, size_t memory_max);
void rf_records_close(struct rf_records *records);
void rf_records_set_memory(struct rf_records *records, size_t memory_max);

/* Before a batch is folded: its customers are wanted, then what is not in memory is read at once. */
void rf_records_want(struct rf_records *records, struct rf_bytes customer, uint64_t hash);
/* The customers of these hashes (rf_hash64, as above) are wanted, or folded, in this order, and the turn of number `at` is next:
 * what of the following ones is far away in memory is brought nearer. */
void rf_records_look_ahead(const struct rf_records *records, const uint64_t *hashes, size_t count,
                           size_t at);
bool rf_records_load(struct rf_records *records, struct rf_error *err) RF_MUST_CHECK;

/* A wanted and loaded customer, open for folding in this transaction; its working form is in `arena`. */
bool rf_records_customer(struct rf_records *records, struct rf_bytes customer,
                         struct rf_arena *arena, struct rf_customer **open,
                         struct rf_error *err) RF_MUST_CHECK;
/* An open customer has changed: it is sealed with the transaction. */
void rf_records_changed(struct rf_records *records, struct rf_bytes customer);
/* The customer is forgotten in this transaction; a later event of it begins anew. */
void rf_records_erase(struct rf_records *records, struct rf_bytes customer);

/* To find out which input makes a record too large: the customer anew, as the last commit left it, and how large its
 * record would be now (SIZE_MAX: larger than the plan allows). The transaction has to be aborted afterwards. */
size_t rf_records_reopen(struct rf_records *records, struct rf_engine *engine,
                         struct rf_arena *arena, struct rf_bytes customer);
size_t rf_records_size(struct rf_records *records, struct rf_engine *engine, struct rf_arena *arena,
                       struct rf_bytes customer);

struct rf_sealed {
    struct rf_bytes customer;
    struct rf_bytes record; /* data == NULL: erased; a tombstone in the changelog */
};

/* Encodes every customer that has changed once, into `arena`, in the order of the first change. Errors: RECORD (one is larger than
 * the plan allows; `*culprit` is it). */
bool rf_records_seal(struct rf_records *records, struct rf_engine *engine, struct rf_arena *arena,
                     const struct rf_sealed **sealed, size_t *sealed_count,
                     struct rf_bytes *culprit, struct rf_error *err) RF_MUST_CHECK;

void rf_records_committed(struct rf_records *records);
void rf_records_aborted(struct rf_records *records);

/* One record of the changelog, during a restore: committed by definition. */
void rf_records_restore(struct rf_records *records, struct rf_bytes customer,
                        struct rf_bytes record);

/* Writes what is gathered, sorted, with the checkpoint up to which it is complete. Errors: STATE, RETRY (nothing
 * changed). */
bool rf_records_flush(struct rf_records *records, int64_t checkpoint,
                      struct rf_error *err) RF_MUST_CHECK;

/* The committed bytes of one customer: from memory, else from the store. Valid until the next call. */
bool rf_records_committed_bytes(struct rf_records *records, struct rf_bytes customer,
                                struct rf_bytes *record, struct rf_error *err) RF_MUST_CHECK;

/* ---- time ---- */

/* Nobody is due before this instant; RF_MS_MAX: nobody at all. It may have to be asked anew by rf_records_due. */
rf_ms rf_records_next_due(const struct rf_records *records);

/* Who comes first by (due, customer) of those due at or before `until`, in memory, for rf_records_customer. *due is
 * RF_MS_MAX where there is nobody. `customer` is valid until the next call. Errors: STATE, RETRY. */
bool rf_records_due(struct rf_records *records, rf_ms until, rf_ms *due, struct rf_bytes *customer,
                    struct rf_error *err) RF_MUST_CHECK;
/* When a customer in memory is due; RF_MS_MAX where nothing is known of it. */
rf_ms rf_records_due_of(const struct rf_records *records, struct rf_bytes customer);
/* An open or erased customer has to be looked at then, and not before. */
void rf_records_put_off(struct rf_records *records, struct rf_bytes customer, rf_ms due);

/* Is every customer's time of the plan of now? Never during a bulk load. */
bool rf_records_is_swept(const struct rf_records *records);
/* Everything was filled in bulk, or the plan is another: from the beginning. */
void rf_records_begin_sweep(struct rf_records *records);
/* Between transactions: works out the times of up to `count` customers more, and writes those that have changed.
 * Errors: STATE, RETRY (as before). */
bool rf_records_sweep(struct rf_records *records, struct rf_arena *arena, size_t count,
                      struct rf_error *err) RF_MUST_CHECK;

struct rf_records_stats {
    size_t cached_count, gathered_count, open_count;
    size_t memory; /* bytes held, estimated from above */
    size_t gathered_memory;
    uint64_t hits, misses, evicted;
};
struct rf_records_stats rf_records_stats(const struct rf_records *records);
