/* Two hash tables, customers and notes, whose entries remember what was last flushed.
 *
 * An entry that was not touched since the last flush is clean: `current` is what a crash leaves. A touched
 * one is dirty and on its table's list, with what a crash leaves in `flushed`.
 *
 * The order of time is sorted when somebody asks for it: who has a store in memory gathers all in the hot cache, and
 * hardly asks. */
#include "core/task/memory_store.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/task/notes.h"

#define SLOT_COUNT_MIN 64

struct entry {
    struct entry *next;       /* in the slot */
    struct entry *next_dirty; /* meaningful while dirty */
    struct rf_bytes current;  /* owned; data == NULL: not there */
    struct rf_bytes flushed;  /* owned; NULL while clean */
    rf_ms due, due_flushed;   /* of a customer */
    uint64_t hash;
    bool dirty;
    size_t key_size;
    uint8_t key[];
};

struct table {
    struct entry **slots;
    size_t slot_count; /* a power of two */
    size_t count;
    struct entry *dirty;
};

struct memory_store {
    struct table customers;
    struct table notes;
    struct rf_notes pending;
    int64_t checkpoint;
    int64_t checkpoint_flushed;
    const struct entry **timers; /* owned; the customers that are due, in order */
    size_t timer_count, timer_capacity;
    bool timers_sorted; /* they are those of now */
};

static struct rf_bytes key_of(const struct entry *entry)
{
    return rf_bytes_of(entry->key, entry->key_size);
}

static void free_bytes(struct rf_bytes *bytes)
{
    free((void *)(uintptr_t)bytes->data);
    *bytes = (struct rf_bytes){0};
}

/* Nothing stays nothing; an empty value is something. */
static struct rf_bytes copy_of(struct rf_bytes bytes)
{
    uint8_t *data = NULL;

    if (bytes.data == NULL)
        return (struct rf_bytes){0};
    data = malloc(bytes.size + 1);
    rf_assert(data != NULL);
    memcpy(data, bytes.data, bytes.size);
    return rf_bytes_of(data, bytes.size);
}

static void table_init(struct table *table)
{
    table->slot_count = SLOT_COUNT_MIN;
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    rf_assert(table->slots != NULL);
}

static void table_deinit(struct table *table)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        for (struct entry *entry = table->slots[i], *next = NULL; entry != NULL; entry = next) {
            next = entry->next;
            free_bytes(&entry->current);
            free_bytes(&entry->flushed);
            free(entry);
        }
    }
    free(table->slots);
}

static struct entry **slot_of(const struct table *table, uint64_t hash)
{
    return &table->slots[hash & (table->slot_count - 1)];
}

static struct entry *table_find(const struct table *table, struct rf_bytes key, uint64_t hash)
{
    for (struct entry *entry = *slot_of(table, hash); entry != NULL; entry = entry->next) {
        if (entry->hash == hash && rf_bytes_equal(key_of(entry), key))
            return entry;
    }
    return NULL;
}

static void table_grow(struct table *table)
{
    struct table grown = {.slot_count = table->slot_count * 2};

    grown.slots = calloc(grown.slot_count, sizeof *grown.slots);
    rf_assert(grown.slots != NULL);
    for (size_t i = 0; i < table->slot_count; i++) {
        for (struct entry *entry = table->slots[i], *next = NULL; entry != NULL; entry = next) {
            struct entry **slot = slot_of(&grown, entry->hash);

            next = entry->next;
            entry->next = *slot;
            *slot = entry;
        }
    }
    free(table->slots);
    table->slots = grown.slots;
    table->slot_count = grown.slot_count;
}

static struct entry *table_insert(struct table *table, struct rf_bytes key, uint64_t hash)
{
    struct entry *entry = calloc(1, sizeof *entry + key.size);
    struct entry **slot = NULL;

    rf_assert(entry != NULL);
    if (table->count == table->slot_count)
        table_grow(table);
    slot = slot_of(table, hash);
    entry->hash = hash;
    entry->due = RF_MS_MAX;
    entry->due_flushed = RF_MS_MAX;
    entry->key_size = key.size;
    if (key.size > 0)
        memcpy(entry->key, key.data, key.size);
    entry->next = *slot;
    *slot = entry;
    table->count++;
    return entry;
}

static void table_remove(struct table *table, struct entry *entry)
{
    struct entry **link = slot_of(table, entry->hash);

    rf_assert(entry->current.data == NULL && entry->flushed.data == NULL);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    table->count--;
    free(entry);
}

static struct rf_bytes table_get(const struct table *table, struct rf_bytes key)
{
    const struct entry *entry = table_find(table, key, rf_hash64(key));

    return entry == NULL ? (struct rf_bytes){0} : entry->current;
}

static void table_put(struct table *table, struct rf_bytes key, struct rf_bytes value, rf_ms due)
{
    uint64_t hash = rf_hash64(key);
    struct entry *entry = table_find(table, key, hash);
    struct rf_bytes copied = copy_of(value); /* `value` may be what is replaced */

    if (entry == NULL && copied.data == NULL)
        return;
    if (entry == NULL)
        entry = table_insert(table, key, hash);
    if (entry->dirty) {
        free_bytes(&entry->current);
    } else {
        entry->flushed = entry->current;
        entry->due_flushed = entry->due;
        entry->dirty = true;
        entry->next_dirty = table->dirty;
        table->dirty = entry;
    }
    entry->current = copied;
    entry->due = due;
}

/* Every dirty entry becomes clean: with what is current, or with what was flushed before. */
static void table_settle(struct table *table, bool crashed)
{
    for (struct entry *entry = table->dirty, *next = NULL; entry != NULL; entry = next) {
        struct rf_bytes lost = crashed ? entry->current : entry->flushed;

        next = entry->next_dirty;
        entry->current = crashed ? entry->flushed : entry->current;
        entry->due = crashed ? entry->due_flushed : entry->due;
        entry->flushed = (struct rf_bytes){0};
        entry->dirty = false;
        free_bytes(&lost);
        if (entry->current.data == NULL)
            table_remove(table, entry);
    }
    table->dirty = NULL;
}

static struct rf_stored stored_of(const struct entry *entry)
{
    if (entry == NULL)
        return (struct rf_stored){.due = RF_MS_MAX};
    return (struct rf_stored){.record = entry->current, .due = entry->due};
}

static bool memory_find(void *self, const struct rf_bytes *customers, size_t customer_count,
                        struct rf_stored *found, struct rf_error *err)
{
    struct memory_store *store = self;

    rf_assert(err->kind == RF_ERROR_NONE);
    for (size_t i = 0; i < customer_count; i++)
        found[i] = stored_of(table_find(&store->customers, customers[i], rf_hash64(customers[i])));
    return true;
}

static void put_customer(struct memory_store *store, const struct rf_store_write *write)
{
    rf_ms due = write->record.data == NULL ? RF_MS_MAX : write->due;
    const struct entry *entry =
        table_find(&store->customers, write->customer, rf_hash64(write->customer));

    rf_assert(write->due >= RF_MS_MIN && write->due <= RF_MS_MAX);
    rf_assert(write->due_before == stored_of(entry).due); /* it would be found twice */
    store->timers_sorted = store->timers_sorted && due == write->due_before;
    table_put(&store->customers, write->customer, write->record, due);
}

static bool memory_apply(void *self, const struct rf_store_write *writes, size_t write_count,
                         int64_t checkpoint, struct rf_error *err)
{
    struct memory_store *store = self;

    rf_assert(err->kind == RF_ERROR_NONE);
    rf_assert(checkpoint >= 0);
    rf_assert(checkpoint >= store->checkpoint);
    rf_assert(rf_store_writes_are_sorted(writes, write_count));
    for (size_t i = 0; i < write_count; i++)
        put_customer(store, &writes[i]);
    for (size_t i = 0; i < store->pending.count; i++)
        table_put(&store->notes, store->pending.items[i].name, store->pending.items[i].value,
                  RF_MS_MAX);
    rf_notes_clear(&store->pending);
    store->checkpoint = checkpoint;
    return true;
}

static bool memory_checkpoint(void *self, int64_t *checkpoint, struct rf_error *err)
{
    const struct memory_store *store = self;

    rf_assert(err->kind == RF_ERROR_NONE);
    *checkpoint = store->checkpoint;
    return true;
}

static void memory_note_put(void *self, struct rf_bytes name, struct rf_bytes value)
{
    struct memory_store *store = self;

    rf_notes_put(&store->pending, name, value);
}

static bool memory_note_get(void *self, struct rf_bytes name, struct rf_bytes *value,
                            struct rf_error *err)
{
    const struct memory_store *store = self;
    const struct rf_note *pending = rf_notes_find(&store->pending, name);

    rf_assert(err->kind == RF_ERROR_NONE);
    *value = pending != NULL ? pending->value : table_get(&store->notes, name);
    return true;
}

/* "Soon afterwards" is at once: a crash in between would need a thread to lose the race. */
static bool memory_flush(void *self, bool wait, struct rf_error *err)
{
    struct memory_store *store = self;

    (void)wait;
    rf_assert(err->kind == RF_ERROR_NONE);
    store->timers_sorted = false; /* entries are freed */
    table_settle(&store->customers, false);
    table_settle(&store->notes, false);
    store->checkpoint_flushed = store->checkpoint;
    return true;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *const *first = a;
    const struct entry *const *second = b;

    return rf_bytes_compare(key_of(*first), key_of(*second));
}

static bool memory_scan(void *self, struct rf_bytes from,
                        bool (*visit)(void *context, struct rf_bytes customer,
                                      struct rf_stored stored),
                        void *context, struct rf_error *err)
{
    const struct table *table = &((const struct memory_store *)self)->customers;
    const struct entry **sorted = calloc(table->count + 1, sizeof *sorted);
    size_t count = 0;

    rf_assert(err->kind == RF_ERROR_NONE);
    rf_assert(sorted != NULL);
    for (size_t i = 0; i < table->slot_count; i++) {
        for (const struct entry *entry = table->slots[i]; entry != NULL; entry = entry->next) {
            if (entry->current.data != NULL && rf_bytes_compare(key_of(entry), from) >= 0)
                sorted[count++] = entry;
        }
    }
    rf_assert(count <= table->count);
    qsort(sorted, count, sizeof(const struct entry *), compare_entries);
    for (size_t i = 0; i < count; i++) {
        if (!visit(context, key_of(sorted[i]), stored_of(sorted[i])))
            break;
    }
    free(sorted);
    return true;
}

static int compare_places(rf_ms due_a, struct rf_bytes a, rf_ms due_b, struct rf_bytes b)
{
    if (due_a != due_b)
        return due_a < due_b ? -1 : 1;
    return rf_bytes_compare(a, b);
}

static int compare_timers(const void *a, const void *b)
{
    const struct entry *const *first = a;
    const struct entry *const *second = b;

    return compare_places((*first)->due, key_of(*first), (*second)->due, key_of(*second));
}

static void sort_timers(struct memory_store *store)
{
    const struct table *table = &store->customers;

    if (store->timer_capacity < table->count) {
        free(store->timers);
        store->timer_capacity = table->count;
        store->timers = calloc(store->timer_capacity, sizeof *store->timers);
        rf_assert(store->timers != NULL);
    }
    store->timer_count = 0;
    for (size_t i = 0; i < table->slot_count; i++) {
        for (const struct entry *entry = table->slots[i]; entry != NULL; entry = entry->next) {
            if (entry->due != RF_MS_MAX)
                store->timers[store->timer_count++] = entry;
        }
    }
    if (store->timer_count > 0)
        qsort(store->timers, store->timer_count, sizeof(const struct entry *), compare_timers);
    store->timers_sorted = true;
}

static bool memory_due(void *self, struct rf_store_timer from, struct rf_store_timer *timers,
                       size_t max, size_t *count, struct rf_error *err)
{
    struct memory_store *store = self;
    size_t low = 0;
    size_t high = 0;

    rf_assert(err->kind == RF_ERROR_NONE);
    if (!store->timers_sorted)
        sort_timers(store);
    high = store->timer_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct entry *entry = store->timers[middle];

        if (compare_places(entry->due, key_of(entry), from.due, from.customer) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *count = store->timer_count - low < max ? store->timer_count - low : max;
    for (size_t i = 0; i < *count; i++)
        timers[i] = (struct rf_store_timer){.due = store->timers[low + i]->due,
                                            .customer = key_of(store->timers[low + i])};
    return true;
}

static bool memory_compact(void *self, struct rf_error *err)
{
    return memory_flush(self, true, err); /* frees what only a crash would bring back */
}

static void memory_close(void *self)
{
    struct memory_store *store = self;

    table_deinit(&store->customers);
    table_deinit(&store->notes);
    rf_notes_deinit(&store->pending);
    free(store->timers);
    free(store);
}

static const struct rf_store_ops memory_ops = {
    .find = memory_find,
    .apply = memory_apply,
    .checkpoint = memory_checkpoint,
    .note_put = memory_note_put,
    .note_get = memory_note_get,
    .flush = memory_flush,
    .scan = memory_scan,
    .due = memory_due,
    .compact = memory_compact,
    .close = memory_close,
};

struct rf_store rf_memory_store_open(void)
{
    struct memory_store *store = calloc(1, sizeof *store);

    rf_assert(store != NULL);
    table_init(&store->customers);
    table_init(&store->notes);
    store->checkpoint = RF_CHECKPOINT_NONE;
    store->checkpoint_flushed = RF_CHECKPOINT_NONE;
    return (struct rf_store){.ops = &memory_ops, .self = store};
}

void rf_memory_store_crash(struct rf_store store)
{
    struct memory_store *memory = store.self;

    rf_assert(store.ops == &memory_ops);
    memory->timers_sorted = false;
    table_settle(&memory->customers, true);
    table_settle(&memory->notes, true);
    rf_notes_clear(&memory->pending);
    memory->checkpoint = memory->checkpoint_flushed;
    rf_assert(memory->checkpoint >= RF_CHECKPOINT_NONE);
}
