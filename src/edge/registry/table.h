/* What is known of schemas by id and by fingerprint. Whoever owns it locks it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/model/schema.h"

enum rf_table_state {
    RF_TABLE_WANTED,  /* somebody asked; not answered yet */
    RF_TABLE_KNOWN,   /* for ever */
    RF_TABLE_UNKNOWN, /* no such schema, or none that can be used: until `until` */
};

struct rf_table_entry {
    uint32_t id;
    enum rf_table_state state;
    rf_ns until;                    /* UNKNOWN */
    const struct rf_schema *schema; /* KNOWN */
    struct rf_arena arena;          /* of the schema */
    struct rf_error why;            /* UNKNOWN; WANTED: why the last try failed, if one did */
};

struct rf_table {
    size_t count;
    size_t capacity;
    struct rf_table_entry **entries; /* owned, each of them too; ordered by id */
    size_t file_count;
    size_t file_capacity;
    struct rf_table_file { /* schemas from files */
        uint64_t fingerprint;
        const struct rf_schema *schema;
    } * files;                  /* owned */
    struct rf_arena file_arena; /* of their schemas */
};

void rf_table_init(struct rf_table *table);
void rf_table_deinit(struct rf_table *table);

struct rf_table_entry *rf_table_find(const struct rf_table *table, uint32_t id);

/* A new entry, WANTED. Where there are `count_max`, unknown ones leave first; NULL: there is still no room. */
struct rf_table_entry *rf_table_add(struct rf_table *table, uint32_t id, size_t count_max);

/* `schema` lives in `arena`, which goes to the entry. */
void rf_table_learn(struct rf_table_entry *entry, const struct rf_schema *schema,
                    struct rf_arena *arena);

void rf_table_add_file(struct rf_table *table, uint64_t fingerprint,
                       const struct rf_schema *schema);
/* NULL: none of the files. */
const struct rf_schema *rf_table_find_fingerprint(const struct rf_table *table,
                                                  uint64_t fingerprint);
