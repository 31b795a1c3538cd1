/* What the files of this room share; nobody else includes it. */
#pragma once
#include <rocksdb/c.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/task/notes.h"
#include "edge/store/rocks.h"

struct rf_rocks_shared {
    rocksdb_cache_t *cache;
    rocksdb_block_based_table_options_t *table_options;
    rocksdb_options_t *options; /* for every store, and for the files of a bulk load */
    rocksdb_readoptions_t *find_options;
    rocksdb_writeoptions_t *write_options;
    rocksdb_envoptions_t *env_options;
};

struct rf_rocks_load; /* rocks_load.c */

struct rf_rocks {
    uint32_t magic;
    struct rf_rocks_shared *shared; /* borrowed */
    char *path;                     /* owned */
    rocksdb_t *db;
    rocksdb_column_family_handle_t *family; /* destroyed before `db` is closed */
    int64_t checkpoint;                     /* as last applied */
    struct rf_notes pending;
    struct rf_buffer key;       /* the key that is being made */
    struct rf_buffer value;     /* and the value */
    struct rf_arena found;      /* what the last find, or note_get, gave out */
    struct rf_rocks_load *load; /* owned; NULL: none is under way */
};

#define RF_ROCKS_MAGIC 0x726f636bu

/* Of the largest key, and of the keys of one look-up together. Kafka's own limit on a message is far below. */
#define RF_ROCKS_KEYS_SIZE_MAX ((size_t)1 << 30)

/* Checks that `self` is one of ours. */
struct rf_rocks *rf_rocks_of(void *self);

/* Makes the error of RocksDB's own text, which it frees: "PATH: DOING: REASON". Returns false. */
bool rf_rocks_error(struct rf_error *err, const char *path, const char *doing, char *reason);

/* Empties `key` and writes a key of layout.h into it; valid until the next one. */
struct rf_bytes rf_rocks_key(struct rf_buffer *key, uint8_t prefix, struct rf_bytes rest);

/* The same for a place in the order of time. */
struct rf_bytes rf_rocks_timer_key(struct rf_buffer *key, rf_ms due, struct rf_bytes customer);

/* The value of a customer, into `value`; valid until the next one. */
struct rf_bytes rf_rocks_customer_value(struct rf_buffer *value, rf_ms due, struct rf_bytes record);

/* Removes what an interrupted bulk load has left. */
bool rf_rocks_load_clean(struct rf_rocks *rocks, struct rf_error *err);

extern const struct rf_store_load_ops rf_rocks_load_ops;
