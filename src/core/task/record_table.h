/* The hash table behind records.c: customer → entry, open addressing with linear probing; entries also stand in
 * a dense array, for walks and for the clock's hand. Inside this room only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/model/customer.h"

struct rf_record_entry {
    uint64_t hash;
    struct rf_customer *open; /* in the transaction's arena; NULL: not touched, or erased */
    struct rf_bytes sealed;   /* in the transaction's arena */
    uint8_t *record;          /* owned; the committed bytes; NULL: there is none */
    uint32_t record_size, record_capacity;
    uint32_t index; /* in the dense array */
    uint32_t key_size;
    uint32_t timer;   /* 1 + where it stands in the heap of timers.h; 0: not in it */
    rf_ms due;        /* when it is to be looked at without an event, with the open transaction */
    rf_ms stored_due; /* where it stands in the store's order of time */
    bool known;       /* `record` is what is committed; false until it was read from the store */
    bool placed;      /* `stored_due` is known */
    bool timed; /* `due` is of the plan of now; else it is worked out when the customer is opened */
    bool gathered; /* the store does not have `record` yet */
    bool touched;  /* in this transaction: `open` is made, or it is erased */
    bool dirty;    /* of it, what has changed: to be sealed */
    bool erased;   /* in this transaction, before `open` was made */
    bool used;     /* since the clock's hand last passed */
    uint8_t key[];
};

struct rf_record_slot {
    uint64_t hash;
    struct rf_record_entry *entry; /* NULL: free */
};

struct rf_record_table {
    struct rf_record_slot *slots; /* owned; a power of two of them */
    size_t slot_count;
    struct rf_record_entry **entries; /* owned, and the entries with them */
    size_t count, capacity;
};

void rf_record_table_init(struct rf_record_table *table);
void rf_record_table_deinit(struct rf_record_table *table);
struct rf_record_entry *rf_record_table_find(const struct rf_record_table *table,
                                             struct rf_bytes key, uint64_t hash);
/* `key` is not there yet. */
struct rf_record_entry *rf_record_table_insert(struct rf_record_table *table, struct rf_bytes key,
                                               uint64_t hash);
/* Frees the entry; the last one takes its index. */
void rf_record_table_remove(struct rf_record_table *table, struct rf_record_entry *entry);

/* ---- hints to the processor: customers are spread all over memory, and who comes next is known. A walk over many
 * brings those nearer that are so many steps ahead: first the entry, then what it points to. ---- */

#define RF_AHEAD_ENTRY  8
#define RF_AHEAD_RECORD 4
#define RF_CACHE_LINE   64

static inline void rf_bring_nearer(const void *start, size_t lines)
{
    for (size_t i = 0; start != NULL && i < lines; i++)
        __builtin_prefetch((const uint8_t *)start + i * RF_CACHE_LINE);
}

static inline void rf_record_entry_bring(const struct rf_record_entry *entry)
{
    rf_bring_nearer(entry, 3);
}

static inline void rf_record_bring(const struct rf_record_entry *entry)
{
    rf_bring_nearer(entry->record, 1 + entry->record_size / RF_CACHE_LINE);
}

/* Its place in the table; then, once that is near, the entry; then the record. Right or wrong, nothing changes. */
void rf_record_table_bring_slot(const struct rf_record_table *table, uint64_t hash);
void rf_record_table_bring_entry(const struct rf_record_table *table, uint64_t hash);
void rf_record_table_bring_record(const struct rf_record_table *table, uint64_t hash);

static inline struct rf_bytes rf_record_entry_key(const struct rf_record_entry *entry)
{
    return rf_bytes_of(entry->key, entry->key_size);
}
