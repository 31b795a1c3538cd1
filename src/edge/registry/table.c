#include "edge/registry/table.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define FILE_ARENA_CHUNK ((size_t)16 * 1024)

void rf_table_init(struct rf_table *table)
{
    *table = (struct rf_table){0};
    rf_arena_init(&table->file_arena, FILE_ARENA_CHUNK);
}

static void free_entry(struct rf_table_entry *entry)
{
    if (entry->state == RF_TABLE_KNOWN)
        rf_arena_deinit(&entry->arena);
    free(entry);
}

void rf_table_deinit(struct rf_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free_entry(table->entries[i]);
    free(table->entries);
    free(table->files);
    rf_arena_deinit(&table->file_arena);
}

static size_t position_of(const struct rf_table *table, uint32_t id)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->entries[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct rf_table_entry *rf_table_find(const struct rf_table *table, uint32_t id)
{
    size_t position = position_of(table, id);

    if (position == table->count || table->entries[position]->id != id)
        return NULL;
    return table->entries[position];
}

static void forget_unknown(struct rf_table *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->count; i++) {
        if (table->entries[i]->state == RF_TABLE_UNKNOWN)
            free_entry(table->entries[i]);
        else
            table->entries[kept++] = table->entries[i];
    }
    table->count = kept;
}

struct rf_table_entry *rf_table_add(struct rf_table *table, uint32_t id, size_t count_max)
{
    struct rf_table_entry *entry = NULL;
    size_t position = 0;

    rf_assert(rf_table_find(table, id) == NULL);
    if (table->count >= count_max)
        forget_unknown(table);
    if (table->count >= count_max)
        return NULL;
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 16 : table->capacity * 2;
        table->entries = realloc(table->entries, table->capacity * sizeof(struct rf_table_entry *));
        rf_assert(table->entries != NULL);
    }
    entry = calloc(1, sizeof *entry);
    rf_assert(entry != NULL);
    entry->id = id;
    entry->state = RF_TABLE_WANTED;
    position = position_of(table, id);
    memmove(table->entries + position + 1, table->entries + position,
            (table->count - position) * sizeof(struct rf_table_entry *));
    table->entries[position] = entry;
    table->count++;
    return entry;
}

void rf_table_learn(struct rf_table_entry *entry, const struct rf_schema *schema,
                    struct rf_arena *arena)
{
    rf_assert(entry->state != RF_TABLE_KNOWN);
    entry->state = RF_TABLE_KNOWN;
    entry->schema = schema;
    entry->arena = *arena; /* moved */
}

void rf_table_add_file(struct rf_table *table, uint64_t fingerprint, const struct rf_schema *schema)
{
    if (table->file_count == table->file_capacity) {
        table->file_capacity = table->file_capacity == 0 ? 8 : table->file_capacity * 2;
        table->files = realloc(table->files, table->file_capacity * sizeof *table->files);
        rf_assert(table->files != NULL);
    }
    table->files[table->file_count++] =
        (struct rf_table_file){.fingerprint = fingerprint, .schema = schema};
}

const struct rf_schema *rf_table_find_fingerprint(const struct rf_table *table,
                                                  uint64_t fingerprint)
{
    for (size_t i = 0; i < table->file_count; i++) {
        if (table->files[i].fingerprint == fingerprint)
            return table->files[i].schema;
    }
    return NULL;
}
