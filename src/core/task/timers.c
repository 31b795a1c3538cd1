#include "core/task/timers.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"

#define NAMES_MAX ((size_t)RF_TIMERS_AHEAD << 20) /* far above what Kafka takes as keys */

/* ---- the heap ---- */

static bool is_before(const struct rf_timer *a, const struct rf_timer *b)
{
    if (a->due != b->due)
        return a->due < b->due;
    return rf_bytes_compare(rf_record_entry_key(a->entry), rf_record_entry_key(b->entry)) < 0;
}

static void put(struct rf_timers *timers, size_t at, struct rf_timer timer)
{
    timers->heap[at] = timer;
    timer.entry->timer = (uint32_t)at + 1;
}

static void sift_up(struct rf_timers *timers, size_t at)
{
    struct rf_timer timer = timers->heap[at];

    while (at > 0 && is_before(&timer, &timers->heap[(at - 1) / 4])) {
        put(timers, at, timers->heap[(at - 1) / 4]);
        at = (at - 1) / 4;
    }
    put(timers, at, timer);
}

static size_t least_child(const struct rf_timers *timers, size_t at)
{
    size_t least = 4 * at + 1;

    for (size_t i = least + 1; i < timers->heap_count && i <= 4 * at + 4; i++) {
        if (is_before(&timers->heap[i], &timers->heap[least]))
            least = i;
    }
    return least;
}

static void sift_down(struct rf_timers *timers, size_t at)
{
    struct rf_timer timer = timers->heap[at];

    while (4 * at + 1 < timers->heap_count) {
        size_t child = least_child(timers, at);

        if (!is_before(&timers->heap[child], &timer))
            break;
        put(timers, at, timers->heap[child]);
        at = child;
    }
    put(timers, at, timer);
}

static void push(struct rf_timers *timers, struct rf_record_entry *entry)
{
    if (timers->heap_count == timers->heap_capacity) {
        timers->heap_capacity = timers->heap_capacity == 0 ? 256 : timers->heap_capacity * 2;
        timers->heap = realloc(timers->heap, timers->heap_capacity * sizeof *timers->heap);
        rf_assert(timers->heap != NULL);
        rf_assert(timers->heap_capacity <= UINT32_MAX);
    }
    put(timers, timers->heap_count++, (struct rf_timer){.due = entry->due, .entry = entry});
    sift_up(timers, timers->heap_count - 1);
}

void rf_timers_remove(struct rf_timers *timers, struct rf_record_entry *entry)
{
    size_t at = 0;

    if (entry->timer == 0)
        return;
    at = entry->timer - 1;
    rf_assert(timers->heap[at].entry == entry);
    entry->timer = 0;
    timers->heap_count--;
    if (at == timers->heap_count)
        return;
    put(timers, at, timers->heap[timers->heap_count]);
    sift_up(timers, at);
    sift_down(timers, timers->heap[at].entry->timer - 1);
}

/* Has the walk left this place behind? */
static bool is_passed(const struct rf_timers *timers, rf_ms due, struct rf_bytes customer)
{
    if (due != timers->from || !timers->at_from)
        return due < timers->from;
    return rf_bytes_compare(customer, rf_buffer_bytes(&timers->from_name)) < 0;
}

/* The store has it where it is due, and the walk will come there. */
static bool is_met(const struct rf_timers *timers, const struct rf_record_entry *entry)
{
    return entry->placed && entry->due == entry->stored_due &&
           !is_passed(timers, entry->due, rf_record_entry_key(entry));
}

void rf_timers_set(struct rf_timers *timers, struct rf_record_entry *entry)
{
    if (entry->due == RF_MS_MAX || is_met(timers, entry)) {
        rf_timers_remove(timers, entry);
    } else if (entry->timer == 0) {
        push(timers, entry);
    } else if (entry->due < timers->heap[entry->timer - 1].due) {
        timers->heap[entry->timer - 1].due = entry->due;
        sift_up(timers, entry->timer - 1);
    }
}

/* The first one's turn has come: is it due, or was it put off? */
static void settle_first(struct rf_timers *timers)
{
    while (timers->heap_count > 0 && timers->heap[0].due < timers->heap[0].entry->due) {
        timers->heap[0].due = timers->heap[0].entry->due;
        sift_down(timers, 0);
    }
}

/* ---- the store's ---- */

void rf_timers_init(struct rf_timers *timers, const struct rf_store *store,
                    const struct rf_record_table *table, rf_ms from)
{
    memset(timers, 0, sizeof *timers);
    timers->store = *store;
    timers->table = table;
    timers->from = from;
    timers->from_committed = from;
    rf_buffer_init(&timers->names, NAMES_MAX);
    rf_buffer_init(&timers->from_name, NAMES_MAX);
    rf_buffer_init(&timers->from_name_committed, NAMES_MAX);
}

void rf_timers_deinit(struct rf_timers *timers)
{
    free(timers->heap);
    rf_buffer_deinit(&timers->names);
    rf_buffer_deinit(&timers->from_name);
    rf_buffer_deinit(&timers->from_name_committed);
}

static void forget_ahead(struct rf_timers *timers)
{
    timers->ahead_known = false;
    timers->ahead_ends = false;
    timers->ahead_count = 0;
    timers->ahead_used = 0;
}

/* The names move to a buffer of ours: the store is asked for other things before they are used up. */
static void keep_names(struct rf_timers *timers)
{
    const uint8_t *at = NULL;

    rf_buffer_clear(&timers->names);
    for (size_t i = 0; i < timers->ahead_count; i++)
        rf_buffer_append(&timers->names, timers->ahead[i].customer.data,
                         timers->ahead[i].customer.size);
    rf_assert(!timers->names.overflow);
    at = timers->names.data;
    for (size_t i = 0; i < timers->ahead_count; i++) {
        size_t size = timers->ahead[i].customer.size;

        timers->ahead[i].customer = rf_bytes_of(size == 0 ? (const uint8_t *)"" : at, size);
        at += size;
    }
}

static bool read_ahead(struct rf_timers *timers, struct rf_error *err)
{
    struct rf_store_timer from = {.due = timers->from};

    forget_ahead(timers);
    if (timers->from == RF_MS_MAX) {
        timers->ahead_known = true;
        timers->ahead_ends = true;
        return true;
    }
    if (timers->at_from)
        from.customer = rf_buffer_bytes(&timers->from_name);
    if (!timers->store.ops->due(timers->store.self, from, timers->ahead, RF_TIMERS_AHEAD,
                                &timers->ahead_count, err)) {
        timers->ahead_count = 0;
        return false;
    }
    keep_names(timers);
    timers->ahead_known = true;
    timers->ahead_ends = timers->ahead_count < RF_TIMERS_AHEAD;
    return true;
}

/* Is this place of the store's what is true, as far as memory knows? */
static bool is_true(const struct rf_timers *timers, const struct rf_store_timer *timer,
                    struct rf_record_entry **entry)
{
    *entry = rf_record_table_find(timers->table, timer->customer, rf_hash64(timer->customer));
    if (*entry != NULL && !(*entry)->known)
        *entry = NULL;
    return *entry == NULL || ((*entry)->due == timer->due && (*entry)->timer == 0);
}

/* The walk goes on behind the first of `ahead`. */
static void pass(struct rf_timers *timers)
{
    const struct rf_store_timer *timer = &timers->ahead[timers->ahead_used++];

    rf_assert(timers->ahead_used <= timers->ahead_count);
    timers->from = timer->due;
    timers->at_from = true;
    rf_buffer_clear(&timers->from_name);
    rf_buffer_append(&timers->from_name, timer->customer.data, timer->customer.size);
    rf_buffer_append_byte(&timers->from_name, 0); /* the least name behind it */
}

/* The first of the store's that is true; `ahead` is read as often as that takes. */
static bool first_stored(struct rf_timers *timers, struct rf_timer_found *found,
                         struct rf_error *err)
{
    for (;;) {
        const struct rf_store_timer *timer = &timers->ahead[timers->ahead_used];

        if (timers->ahead_used == timers->ahead_count) {
            if (timers->ahead_known && timers->ahead_ends)
                return true;
            if (!read_ahead(timers, err))
                return false;
        } else if (is_true(timers, timer, &found->entry)) {
            found->due = timer->due;
            found->customer = timer->customer;
            return true;
        } else {
            pass(timers);
        }
    }
}

bool rf_timers_first(struct rf_timers *timers, struct rf_timer_found *found, struct rf_error *err)
{
    struct rf_record_entry *entry = NULL;

    *found = (struct rf_timer_found){.due = RF_MS_MAX};
    settle_first(timers);
    if (!first_stored(timers, found, err))
        return false;
    if (timers->heap_count == 0)
        return true;
    entry = timers->heap[0].entry;
    if (found->due < entry->due ||
        (found->due == entry->due &&
         rf_bytes_compare(found->customer, rf_record_entry_key(entry)) < 0))
        return true;
    *found = (struct rf_timer_found){
        .due = entry->due, .customer = rf_record_entry_key(entry), .entry = entry};
    return true;
}

static void copy_place(struct rf_buffer *to, const struct rf_buffer *from)
{
    rf_buffer_clear(to);
    rf_buffer_append(to, from->data, from->size);
}

void rf_timers_committed(struct rf_timers *timers)
{
    timers->from_committed = timers->from;
    timers->at_from_committed = timers->at_from;
    copy_place(&timers->from_name_committed, &timers->from_name);
}

void rf_timers_aborted(struct rf_timers *timers)
{
    timers->from = timers->from_committed;
    timers->at_from = timers->at_from_committed;
    copy_place(&timers->from_name, &timers->from_name_committed);
    forget_ahead(timers);
}

void rf_timers_written(struct rf_timers *timers, rf_ms earliest)
{
    if (earliest <= timers->from) {
        timers->from = earliest;
        timers->at_from = false;
    }
    rf_timers_committed(timers);
    forget_ahead(timers);
}

void rf_timers_flushed(struct rf_timers *timers)
{
    for (size_t i = 0; i < timers->heap_count; i++) {
        rf_assert(timers->heap[i].entry->due == timers->heap[i].entry->stored_due);
        timers->heap[i].entry->timer = 0;
    }
    timers->heap_count = 0;
}
