/* Which customer is to be looked at next: those of the store, and those of which the store does not know yet.
 *
 *   heap    entries whose due instant is not the one that the store has: open or gathered
 *   ahead   a piece of the store's order of time, read from where the last piece ended
 *
 * A customer is due where its entry in memory says so; what the store says of a customer who is in memory and due at
 * another time is passed over. The heap is lazy: an entry that is put off stays where it is until its turn comes, so
 * that a customer whose silence is waited for costs nothing while it calls every day.
 *
 * Nobody stands in the store before `from`: what was removed there is never read again, and neither is its trace in
 * the files. Inside this room only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/task/record_table.h"
#include "core/task/store.h"

#define RF_TIMERS_AHEAD 256

struct rf_timer {
    rf_ms due; /* of the entry, or earlier */
    struct rf_record_entry *entry;
};

struct rf_timers {
    struct rf_store store;               /* not owned */
    const struct rf_record_table *table; /* not owned */
    struct rf_timer *heap;               /* owned; the least first */
    size_t heap_count, heap_capacity;

    struct rf_store_timer ahead[RF_TIMERS_AHEAD]; /* what they point to is in `names` */
    size_t ahead_count, ahead_used;
    bool ahead_known; /* it is what the store says now */
    bool ahead_ends;  /* the store has nobody behind it */
    struct rf_buffer names;

    rf_ms from, from_committed;
    bool at_from, at_from_committed; /* behind `from_name` of that instant, else at its beginning */
    struct rf_buffer from_name, from_name_committed;
};

void rf_timers_init(struct rf_timers *timers, const struct rf_store *store,
                    const struct rf_record_table *table, rf_ms from);
void rf_timers_deinit(struct rf_timers *timers);

/* entry->due has changed. In the heap is who is due at another time than the store says, or whom the walk has passed. */
void rf_timers_set(struct rf_timers *timers, struct rf_record_entry *entry);
void rf_timers_remove(struct rf_timers *timers, struct rf_record_entry *entry);

/* Nobody is due before; RF_MS_MAX: nobody at all. RF_MS_MIN where the store has to be asked. */
static inline rf_ms rf_timers_next(const struct rf_timers *timers)
{
    rf_ms next = timers->heap_count > 0 ? timers->heap[0].due : RF_MS_MAX;

    if (timers->ahead_used < timers->ahead_count && timers->ahead[timers->ahead_used].due < next)
        next = timers->ahead[timers->ahead_used].due;
    if (timers->ahead_used == timers->ahead_count && !timers->ahead_ends)
        next = RF_MS_MIN;
    return next;
}

/* The least by (due, customer). Errors: STATE, RETRY. */
struct rf_timer_found {
    rf_ms due;                     /* RF_MS_MAX: there is nobody */
    struct rf_bytes customer;      /* valid until the next call */
    struct rf_record_entry *entry; /* NULL: not in memory, it has to be read first */
};
bool rf_timers_first(struct rf_timers *timers, struct rf_timer_found *found,
                     struct rf_error *err) RF_MUST_CHECK;

void rf_timers_committed(struct rf_timers *timers);
void rf_timers_aborted(struct rf_timers *timers); /* the walk is where the last commit left it */
/* Between transactions: the store's order of time has changed, from `earliest` on. */
void rf_timers_written(struct rf_timers *timers, rf_ms earliest);
/* Between transactions: the store has everything that was in the heap. */
void rf_timers_flushed(struct rf_timers *timers);
