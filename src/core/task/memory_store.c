/* Two hash tables, customers and notes, whose entries remember what was last flushed.
 *
 * An entry that was not touched since the last flush is clean: `current` is what a crash leaves. A touched
 * one is dirty and on its table's list, with what a crash leaves in `flushed`. */
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

static void table_put(struct table *table, struct rf_bytes key, struct rf_bytes value)
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
        entry->dirty = true;
        entry->next_dirty = table->dirty;
        table->dirty = entry;
    }
    entry->current = copied;
}

/* Every dirty entry becomes clean: with what is current, or with what was flushed before. */
static void table_settle(struct table *table, bool crashed)
{
    for (struct entry *entry = table->dirty, *next = NULL; entry != NULL; entry = next) {
        struct rf_bytes lost = crashed ? entry->current : entry->flushed;

        next = entry->next_dirty;
        entry->current = crashed ? entry->flushed : entry->current;
        entry->flushed = (struct rf_bytes){0};
        entry->dirty = false;
        free_bytes(&lost);
        if (entry->current.data == NULL)
            table_remove(table, entry);
    }
    table->dirty = NULL;
}

static bool memory_find(void *self, const struct rf_bytes *customers, size_t customer_count,
                        struct rf_bytes *records, struct rf_error *err)
{
    struct memory_store *store = self;

    rf_assert(err->kind == RF_ERROR_NONE);
    for (size_t i = 0; i < customer_count; i++)
        records[i] = table_get(&store->customers, customers[i]);
    return true;
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
        table_put(&store->customers, writes[i].customer, writes[i].record);
    for (size_t i = 0; i < store->pending.count; i++)
        table_put(&store->notes, store->pending.items[i].name, store->pending.items[i].value);
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

static bool memory_scan(void *self,
                        bool (*visit)(void *context, struct rf_bytes customer,
                                      struct rf_bytes record),
                        void *context, struct rf_error *err)
{
    const struct table *table = &((const struct memory_store *)self)->customers;
    const struct entry **sorted = calloc(table->count + 1, sizeof *sorted);
    size_t count = 0;

    rf_assert(err->kind == RF_ERROR_NONE);
    rf_assert(sorted != NULL);
    for (size_t i = 0; i < table->slot_count; i++) {
        for (const struct entry *entry = table->slots[i]; entry != NULL; entry = entry->next) {
            if (entry->current.data != NULL)
                sorted[count++] = entry;
        }
    }
    rf_assert(count <= table->count);
    qsort(sorted, count, sizeof(const struct entry *), compare_entries);
    for (size_t i = 0; i < count; i++) {
        if (!visit(context, key_of(sorted[i]), sorted[i]->current))
            break;
    }
    free(sorted);
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
    table_settle(&memory->customers, true);
    table_settle(&memory->notes, true);
    rf_notes_clear(&memory->pending);
    memory->checkpoint = memory->checkpoint_flushed;
    rf_assert(memory->checkpoint >= RF_CHECKPOINT_NONE);
}
