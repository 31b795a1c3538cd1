/* Where a task keeps its customers: the port, as the core sees it.
 *
 * RocksDB stands behind it in `run` (edge/store), a plain map everywhere else (memory_store.h).
 * tests/core/task/test_store.c is the contract and runs against every implementation.
 * A store belongs to one task and is called from that task's thread only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

#define RF_CHECKPOINT_NONE INT64_C(-1) /* a new store: the whole changelog is still to be read */

struct rf_store_write {
    struct rf_bytes customer;
    struct rf_bytes record; /* data == NULL: the customer is erased */
};

struct rf_store_ops {
    /* records[i] is what is known of customers[i], or { NULL, 0 }; valid until the next call. Errors: STATE,
     * RETRY (the disk). */
    bool (*find)(void *store, const struct rf_bytes *customers, size_t customer_count,
                 struct rf_bytes *records, struct rf_error *err);

    /* All writes and the checkpoint, or none of them, also after a crash (invariant 2). Writes are in the order of
     * rf_bytes_compare, each customer once. `checkpoint` is the next changelog offset and never goes back: that
     * is asserted. Errors: STATE, RETRY (disk full: nothing was written). */
    bool (*apply)(void *store, const struct rf_store_write *writes, size_t write_count,
                  int64_t checkpoint, struct rf_error *err);

    bool (*checkpoint)(void *store, int64_t *checkpoint, struct rf_error *err);

    /* Makes what was applied survive a crash: afterwards, or (wait == false) soon afterwards. */
    bool (*flush)(void *store, bool wait, struct rf_error *err);

    /* Every customer in order, until `visit` returns false. A damaged file is an error, never a short walk. */
    bool (*scan)(void *store,
                 bool (*visit)(void *context, struct rf_bytes customer, struct rf_bytes record),
                 void *context, struct rf_error *err);

    void (*close)(void *store); /* frees `store` too; flushes */
};

struct rf_store {
    const struct rf_store_ops *ops;
    void *self; /* owned by whoever holds the rf_store */
};
