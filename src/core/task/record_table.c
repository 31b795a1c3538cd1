#include "core/task/record_table.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define SLOTS_MIN 1024

void rf_record_table_init(struct rf_record_table *table)
{
    memset(table, 0, sizeof *table);
    table->slot_count = SLOTS_MIN;
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    rf_assert(table->slots != NULL);
}

static void free_entry(struct rf_record_entry *entry)
{
    free(entry->record);
    free(entry);
}

void rf_record_table_deinit(struct rf_record_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free_entry(table->entries[i]);
    free(table->entries);
    free(table->slots);
    memset(table, 0, sizeof *table);
}

struct rf_record_entry *rf_record_table_find(const struct rf_record_table *table,
                                             struct rf_bytes key, uint64_t hash)
{
    size_t mask = table->slot_count - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        const struct rf_record_slot *slot = &table->slots[i];

        if (slot->entry == NULL)
            return NULL;
        if (slot->hash == hash && rf_bytes_equal(rf_record_entry_key(slot->entry), key))
            return slot->entry;
    }
}

static const struct rf_record_slot *home_of(const struct rf_record_table *table, uint64_t hash)
{
    return &table->slots[hash & (table->slot_count - 1)];
}

void rf_record_table_bring_slot(const struct rf_record_table *table, uint64_t hash)
{
    rf_bring_nearer(home_of(table, hash), 1);
}

void rf_record_table_bring_entry(const struct rf_record_table *table, uint64_t hash)
{
    const struct rf_record_slot *slot = home_of(table, hash);

    if (slot->hash == hash)
        rf_record_entry_bring(slot->entry);
}

void rf_record_table_bring_record(const struct rf_record_table *table, uint64_t hash)
{
    const struct rf_record_slot *slot = home_of(table, hash);

    if (slot->hash == hash && slot->entry != NULL)
        rf_record_bring(slot->entry);
}

static void place(struct rf_record_table *table, struct rf_record_entry *entry)
{
    size_t mask = table->slot_count - 1;
    size_t i = entry->hash & mask;

    while (table->slots[i].entry != NULL)
        i = (i + 1) & mask;
    table->slots[i] = (struct rf_record_slot){.hash = entry->hash, .entry = entry};
}

static void grow_slots(struct rf_record_table *table)
{
    free(table->slots);
    table->slot_count *= 2;
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    rf_assert(table->slots != NULL);
    for (size_t i = 0; i < table->count; i++)
        place(table, table->entries[i]);
}

struct rf_record_entry *rf_record_table_insert(struct rf_record_table *table, struct rf_bytes key,
                                               uint64_t hash)
{
    struct rf_record_entry *entry = calloc(1, sizeof *entry + key.size);

    rf_assert(entry != NULL);
    rf_assert(key.size <= UINT32_MAX);
    entry->hash = hash;
    entry->due = RF_MS_MAX;
    entry->stored_due = RF_MS_MAX;
    entry->key_size = (uint32_t)key.size;
    if (key.size > 0)
        memcpy(entry->key, key.data, key.size);
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? SLOTS_MIN : table->capacity * 2;
        table->entries =
            realloc(table->entries, table->capacity * sizeof(struct rf_record_entry *));
        rf_assert(table->entries != NULL);
    }
    entry->index = (uint32_t)table->count;
    table->entries[table->count++] = entry;
    if (table->count * 2 > table->slot_count)
        grow_slots(table); /* places the new one too */
    else
        place(table, entry);
    return entry;
}

/* Linear probing without tombstones: what follows moves up wherever the hole lies between its home and it. */
static void close_hole(struct rf_record_table *table, size_t hole)
{
    size_t mask = table->slot_count - 1;

    for (size_t i = (hole + 1) & mask; table->slots[i].entry != NULL; i = (i + 1) & mask) {
        size_t home = table->slots[i].hash & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (struct rf_record_slot){0};
}

void rf_record_table_remove(struct rf_record_table *table, struct rf_record_entry *entry)
{
    size_t mask = table->slot_count - 1;
    size_t i = entry->hash & mask;
    struct rf_record_entry *last = table->entries[table->count - 1];

    while (table->slots[i].entry != entry) {
        rf_assert(table->slots[i].entry != NULL);
        i = (i + 1) & mask;
    }
    close_hole(table, i);
    rf_assert(table->entries[entry->index] == entry);
    table->entries[entry->index] = last;
    last->index = entry->index;
    table->count--;
    free_entry(entry);
}
