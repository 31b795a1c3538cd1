/* core/task/store.h on RocksDB: one database a task, in a directory of its own.
 *
 * The WAL is off: the changelog is the log. What was applied and not flushed is lost in a crash, and what is
 * left is an older state, whole, with the checkpoint that goes with it (invariant 2). layout.h draws the keys.
 *
 * Never fork after the first of these calls: RocksDB has threads. A `struct rf_rocks_shared` is for any
 * thread; a store belongs to the thread of its task. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/task/store.h"

struct rf_rocks_shared;

struct rf_rocks_settings {
    size_t cache_size;     /* blocks, indexes and filters of all stores together */
    size_t memtables_size; /* what was applied and is not in a file yet, of all stores together */
    uint32_t tasks_max;    /* stores open at once that the sizes are meant for */
    uint32_t compaction_threads; /* of all stores together */
};

/* Once per process, before the first store; closed after the last one. */
struct rf_rocks_shared *rf_rocks_shared_open(const struct rf_rocks_settings *settings);
void rf_rocks_shared_close(struct rf_rocks_shared *shared);

/* Opens the store in directory `path`, made with its parents where it is missing. `shared` is borrowed until
 * the store is closed. Errors: STATE (damaged: rf_rocks_quarantine and open again), RETRY (disk full, or
 * another process has it open), CONFIG (no permission). */
bool rf_rocks_open(struct rf_rocks_shared *shared, const char *path, struct rf_store *store,
                   struct rf_error *err) RF_MUST_CHECK;

/* Moves a closed, damaged store aside, to PATH.damaged-20261123T160217Z, for somebody to look at. The copy
 * made before, if any, is deleted: what was erased since would live on in it. Nothing where there is no
 * `path`. Errors: RETRY, CONFIG. */
bool rf_rocks_quarantine(const char *path, struct rf_error *err) RF_MUST_CHECK;

/* Bytes in the shared cache. Any thread. */
size_t rf_rocks_shared_cache_used(const struct rf_rocks_shared *shared);
