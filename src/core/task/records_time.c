/* When customers are due: what records.h says of time. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/codec/customer_codec.h"
#include "core/model/plan.h"
#include "core/task/records_internal.h"

#define NAME_MAX   ((size_t)1 << 30) /* far above what Kafka takes as a key */
#define PLACES_MAX 256

/* The store's notes: the plan whose times it holds, and where its order of time begins. */
static const char plan_note[] = "timers/plan";
static const char from_note[] = "timers/from";

static struct rf_bytes note_of(struct rf_records *records, const char *name)
{
    struct rf_bytes value = {0};
    struct rf_error err = {0};

    /* One that cannot be read is as good as none: the sweep finds what is wrong with the store. */
    if (!records->store.ops->note_get(records->store.self, rf_bytes_of_text(name), &value, &err))
        value = (struct rf_bytes){0};
    return value;
}

static void put_note(struct rf_records *records, const char *name, struct rf_bytes value)
{
    records->store.ops->note_put(records->store.self, rf_bytes_of_text(name), value);
}

static rf_ms noted_from(struct rf_records *records)
{
    struct rf_bytes value = note_of(records, from_note);
    rf_ms from = RF_MS_MIN;

    if (value.size == sizeof from)
        memcpy(&from, value.data, sizeof from);
    return from;
}

void rf_records_time_init(struct rf_records *records)
{
    struct rf_bytes version = rf_bytes_of_text(records->plan->version);
    struct rf_bytes noted = note_of(records, plan_note);

    records->has_timers = rf_engine_has_timers(records->engine);
    records->indexed = records->has_timers || noted.data != NULL;
    records->swept = rf_bytes_equal(noted, version);
    if (!records->has_timers) {
        if (records->indexed && !records->swept)
            put_note(records, plan_note, version); /* what is left of another plan is not kept up */
        records->swept = true;
    } else if (noted.data == NULL) {
        put_note(records, plan_note, rf_bytes_of_text("-"));
    }
    rf_timers_init(&records->timers, &records->store, &records->table, noted_from(records));
    rf_buffer_init(&records->cursor, NAME_MAX);
}

void rf_records_time_deinit(struct rf_records *records)
{
    rf_timers_deinit(&records->timers);
    rf_buffer_deinit(&records->cursor);
}

void rf_records_place(struct rf_records *records, struct rf_record_entry *entry, rf_ms due)
{
    entry->stored_due = due;
    entry->placed = true;
    entry->due = records->has_timers ? due : RF_MS_MAX;
    entry->timed = !records->has_timers || (records->swept && due != RF_MS_MIN);
}

void rf_records_time(struct rf_records *records, struct rf_record_entry *entry)
{
    rf_assert(entry->open != NULL);
    if (!records->has_timers || entry->record == NULL || entry->erased) {
        entry->open->due = RF_MS_MAX;
    } else if (entry->timed) {
        entry->open->due = entry->due;
    } else {
        entry->open->due = rf_engine_due(records->engine, entry->open);
        entry->due = entry->open->due;
        entry->timed = true;
        rf_timers_set(&records->timers, entry);
    }
}

void rf_records_untime(struct rf_records *records, struct rf_record_entry *entry, rf_ms due)
{
    entry->due = due;
    if (!entry->gathered && due != entry->stored_due) {
        entry->due = entry->stored_due; /* what was worked out is forgotten: it may be evicted */
        entry->timed = false;
    }
    rf_timers_set(&records->timers, entry);
}

void rf_records_restored(struct rf_records *records, struct rf_record_entry *entry)
{
    entry->timed = !records->has_timers;
    entry->due = records->has_timers && entry->record != NULL
                     ? RF_MS_MIN /* looked at as soon as may be: who knows whose plan wrote it */
                     : RF_MS_MAX;
    rf_timers_set(&records->timers, entry);
}

/* Of the gathered entries from `at` on, up to PLACES_MAX of which the store's place is not known. */
static size_t next_unplaced(const struct rf_records *records, size_t *at,
                            struct rf_record_entry **unplaced)
{
    size_t count = 0;

    for (; *at < records->gathered_count && count < PLACES_MAX; (*at)++) {
        if (!records->gathered[*at]->placed)
            unplaced[count++] = records->gathered[*at];
    }
    return count;
}

bool rf_records_find_places(struct rf_records *records, struct rf_error *err)
{
    struct rf_record_entry *unplaced[PLACES_MAX];
    struct rf_bytes keys[PLACES_MAX];
    struct rf_stored found[PLACES_MAX];
    size_t at = 0;
    size_t count = 0;

    while ((count = next_unplaced(records, &at, unplaced)) > 0) {
        for (size_t i = 0; i < count; i++) {
            keys[i] = rf_record_entry_key(unplaced[i]);
            found[i].due = RF_MS_MAX;
        }
        if (records->indexed &&
            !records->store.ops->find(records->store.self, keys, count, found, err))
            return false;
        for (size_t i = 0; i < count; i++) {
            unplaced[i]->stored_due = found[i].due;
            unplaced[i]->placed = true;
        }
    }
    return true;
}

static rf_ms earliest_gathered(const struct rf_records *records)
{
    rf_ms earliest = RF_MS_MAX;

    for (size_t i = 0; i < records->gathered_count; i++) {
        if (records->gathered[i]->due < earliest)
            earliest = records->gathered[i]->due;
    }
    return earliest;
}

void rf_records_note_from(struct rf_records *records)
{
    rf_ms from = records->timers.from;
    rf_ms earliest = earliest_gathered(records);

    if (!records->has_timers)
        return;
    if (earliest < from)
        from = earliest;
    put_note(records, from_note, rf_bytes_of(&from, sizeof from));
}

void rf_records_written(struct rf_records *records)
{
    rf_ms earliest = earliest_gathered(records);

    for (size_t i = 0; i < records->gathered_count; i++)
        records->gathered[i]->stored_due = records->gathered[i]->due;
    rf_timers_flushed(&records->timers);
    rf_timers_written(&records->timers, earliest);
}

/* ---- who is due ---- */

rf_ms rf_records_next_due(const struct rf_records *records)
{
    return records->has_timers ? rf_timers_next(&records->timers) : RF_MS_MAX;
}

/* Those of the store that come next, read at once. */
static bool load_ahead(struct rf_records *records, rf_ms until, struct rf_error *err)
{
    const struct rf_timers *timers = &records->timers;

    for (size_t i = timers->ahead_used; i < timers->ahead_count && timers->ahead[i].due <= until;
         i++)
        rf_records_want(records, timers->ahead[i].customer, rf_hash64(timers->ahead[i].customer));
    return rf_records_load(records, err);
}

bool rf_records_due(struct rf_records *records, rf_ms until, rf_ms *due, struct rf_bytes *customer,
                    struct rf_error *err)
{
    *due = RF_MS_MAX;
    while (records->has_timers) {
        struct rf_timer_found found;

        if (!rf_timers_first(&records->timers, &found, err))
            return false;
        if (found.due > until || found.due == RF_MS_MAX)
            return true;
        if (found.entry == NULL) {
            if (!load_ahead(records, until, err))
                return false;
            continue; /* as it is in memory, it may not be due */
        }
        *due = found.due;
        *customer = rf_record_entry_key(found.entry);
        return true;
    }
    return true;
}

static struct rf_record_entry *entry_of(const struct rf_records *records, struct rf_bytes customer)
{
    return rf_record_table_find(&records->table, customer, rf_hash64(customer));
}

rf_ms rf_records_due_of(const struct rf_records *records, struct rf_bytes customer)
{
    const struct rf_record_entry *entry = entry_of(records, customer);

    return entry == NULL || !records->has_timers ? RF_MS_MAX : entry->due;
}

void rf_records_put_off(struct rf_records *records, struct rf_bytes customer, rf_ms due)
{
    struct rf_record_entry *entry = entry_of(records, customer);

    rf_assert(entry != NULL);
    rf_assert(entry->touched);
    rf_assert(due >= RF_MS_MIN && due <= RF_MS_MAX);
    entry->due = records->has_timers ? due : RF_MS_MAX;
    rf_timers_set(&records->timers, entry);
}

/* ---- the sweep ---- */

bool rf_records_is_swept(const struct rf_records *records)
{
    return records->swept;
}

void rf_records_begin_sweep(struct rf_records *records)
{
    rf_assert(records->open_count == 0);
    records->swept = !records->has_timers;
    rf_buffer_clear(&records->cursor);
    if (!records->swept)
        put_note(records, plan_note, rf_bytes_of_text("-"));
}

struct swept {
    struct rf_bytes customer;
    struct rf_stored stored;
};

struct sweep {
    struct rf_arena *arena;
    struct swept *items;
    size_t count, count_max;
};

static bool note_swept(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    struct sweep *sweep = context;

    sweep->items[sweep->count++] = (struct swept){
        .customer = rf_arena_copy(sweep->arena, customer),
        .stored = {.record = rf_arena_copy(sweep->arena, stored.record), .due = stored.due}};
    return sweep->count < sweep->count_max;
}

static bool work_out(struct rf_records *records, struct rf_arena *arena, const struct swept *swept,
                     rf_ms *due, struct rf_error *err)
{
    const struct rf_customer_layout *layout = NULL;
    struct rf_bytes body = {0};
    struct rf_customer customer;

    if (!rf_layouts_find(records->layouts, swept->stored.record, &layout, &body, err) ||
        !rf_customer_decode(layout, body, arena, &customer, err))
        return false;
    customer.id = swept->customer;
    *due = rf_engine_due(records->engine, &customer);
    return true;
}

/* What memory knows better than the store will be written by itself. */
static bool is_known_better(const struct rf_record_entry *entry)
{
    return entry != NULL && entry->known && (entry->gathered || entry->timed);
}

static void settle_swept(struct rf_records *records, struct rf_bytes customer, rf_ms due)
{
    struct rf_record_entry *entry = entry_of(records, customer);

    if (entry == NULL || !entry->known || is_known_better(entry))
        return;
    entry->due = due;
    entry->stored_due = due;
    entry->timed = true;
}

static bool write_swept(struct rf_records *records, const struct rf_store_write *writes,
                        size_t count, struct rf_error *err)
{
    int64_t checkpoint = RF_CHECKPOINT_NONE;
    rf_ms earliest = RF_MS_MAX;

    if (!records->store.ops->checkpoint(records->store.self, &checkpoint, err))
        return false;
    if (checkpoint == RF_CHECKPOINT_NONE)
        return true; /* there is nobody yet */
    if (!records->store.ops->apply(records->store.self, writes, count, checkpoint, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        settle_swept(records, writes[i].customer, writes[i].due);
        if (writes[i].due < earliest)
            earliest = writes[i].due;
    }
    rf_timers_written(&records->timers, earliest);
    return true;
}

static void move_cursor(struct rf_records *records, const struct sweep *sweep)
{
    struct rf_bytes last = sweep->items[sweep->count - 1].customer;

    rf_buffer_clear(&records->cursor);
    rf_buffer_append(&records->cursor, last.data, last.size);
    rf_buffer_append_byte(&records->cursor, 0); /* the least name behind it */
}

/* Those whose time is another now. */
static bool sweep_items(struct rf_records *records, struct sweep *sweep, struct rf_error *err)
{
    struct rf_store_write *writes = rf_arena_alloc(sweep->arena, sweep->count * sizeof *writes);
    size_t count = 0;

    for (size_t i = 0; i < sweep->count; i++) {
        const struct swept *swept = &sweep->items[i];
        rf_ms due = RF_MS_MAX;

        if (is_known_better(entry_of(records, swept->customer)))
            continue;
        if (!work_out(records, sweep->arena, swept, &due, err))
            return false;
        if (due != swept->stored.due)
            writes[count++] = (struct rf_store_write){.customer = swept->customer,
                                                      .record = swept->stored.record,
                                                      .due = due,
                                                      .due_before = swept->stored.due};
        else
            settle_swept(records, swept->customer, due);
    }
    return count == 0 || write_swept(records, writes, count, err);
}

bool rf_records_sweep(struct rf_records *records, struct rf_arena *arena, size_t count,
                      struct rf_error *err)
{
    struct sweep sweep = {.arena = arena, .count_max = count};

    rf_assert(records->open_count == 0);
    rf_assert(count > 0);
    if (records->swept)
        return true;
    sweep.items = rf_arena_alloc(arena, count * sizeof *sweep.items);
    if (!records->store.ops->scan(records->store.self, rf_buffer_bytes(&records->cursor),
                                  note_swept, &sweep, err) ||
        !sweep_items(records, &sweep, err))
        return false;
    if (sweep.count == count) {
        move_cursor(records, &sweep);
        return true;
    }
    put_note(records, plan_note, rf_bytes_of_text(records->plan->version));
    if (!write_swept(records, NULL, 0, err)) /* the note */
        return false;
    records->swept = true;
    return true;
}
