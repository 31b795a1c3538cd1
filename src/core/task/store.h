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
#include "core/base/time.h"

#define RF_CHECKPOINT_NONE INT64_C(-1) /* a new store: the whole changelog is still to be read */

/* A customer as the store has it. */
struct rf_stored {
    struct rf_bytes record; /* data == NULL: nothing is known of the customer */
    rf_ms due;              /* when it is to be looked at without an event; RF_MS_MAX: never */
};

struct rf_store_write {
    struct rf_bytes customer;
    struct rf_bytes record; /* data == NULL: the customer is erased, and due never */
    rf_ms due;
    rf_ms due_before; /* what `find` says of it now: where its entry in the order of time stands */
};

/* A place in the order of (due, customer). */
struct rf_store_timer {
    rf_ms due;
    struct rf_bytes customer;
};

/* The quick way to fill a store that has no customer and no checkpoint. Records come in any order and any
 * number of times, the last of a customer counts. Nothing of it is seen before `finish`, which is one
 * `apply` of all, flushed: everything and the checkpoint, or nothing. Until then only `note_put`, these and
 * `close` may be called. After an error the load is over and the store as empty as before. */
struct rf_store_load_ops {
    /* `memory_max`: what the load may hold, at least RF_STORE_LOAD_MEMORY_MIN; the rest waits on disk. */
    bool (*begin)(void *store, size_t memory_max, struct rf_error *err);
    bool (*add)(void *store, struct rf_bytes customer, struct rf_bytes record, rf_ms due,
                struct rf_error *err);
    bool (*finish)(void *store, int64_t checkpoint, struct rf_error *err);
    void (*cancel)(void *store); /* nothing where no load is under way */
};

#define RF_STORE_LOAD_MEMORY_MIN (1024 * 1024)

/* What a store takes, as far as it knows; for people, never for decisions. */
struct rf_store_sizes {
    uint64_t bytes;         /* on disk */
    uint64_t customers;     /* an estimate: records that were replaced may count twice */
    uint64_t memory;        /* written, and not on disk yet */
    uint64_t pending_bytes; /* to be compacted */
};

struct rf_store_ops {
    /* found[i] is what is known of customers[i]; valid until the next call. In the order of rf_bytes_compare it is
     * cheaper. Errors: STATE, RETRY (the disk). */
    bool (*find)(void *store, const struct rf_bytes *customers, size_t customer_count,
                 struct rf_stored *found, struct rf_error *err);

    /* All writes, each customer's place in the order of time with them, the notes put since the last apply, and the
     * checkpoint, or none of them, also after a crash (invariant 2). Writes are in the order of rf_bytes_compare, each customer once. `checkpoint` is the next
     * changelog offset and never goes back: that is asserted. Errors: STATE, RETRY (disk full: nothing was
     * written, the notes wait for the next apply). */
    bool (*apply)(void *store, const struct rf_store_write *writes, size_t write_count,
                  int64_t checkpoint, struct rf_error *err);

    bool (*checkpoint)(void *store, int64_t *checkpoint, struct rf_error *err);

    /* Small values by name, kept beside the customers and never mixed up with them: the text of each schema
     * that wrote a record, so that a restarted store can be read without a network. `note_put` is seen by
     * `note_get` at once and becomes part of the next apply; without one it is forgotten at close. */
    void (*note_put)(void *store, struct rf_bytes name, struct rf_bytes value); /* NULL: removed */
    /* `value` is { NULL, 0 } where there is none; valid until the next call. */
    bool (*note_get)(void *store, struct rf_bytes name, struct rf_bytes *value,
                     struct rf_error *err);

    /* Makes what was applied survive a crash: afterwards, or (wait == false) soon afterwards. */
    bool (*flush)(void *store, bool wait, struct rf_error *err);

    /* Every customer in order, from `from` on (size 0: all), until `visit` returns false. `visit` must not call the
     * store. A damaged file is an error, never a short walk. */
    bool (*scan)(void *store, struct rf_bytes from,
                 bool (*visit)(void *context, struct rf_bytes customer, struct rf_stored stored),
                 void *context, struct rf_error *err);

    /* The first customers that are due, in the order of (due, customer), from the place `from` on, itself included:
     * at most `max` of them. What is given out is valid until the next call. A walk that begins where the last one
     * ended does not wade through what was removed before that place. */
    bool (*due)(void *store, struct rf_store_timer from, struct rf_store_timer *timers, size_t max,
                size_t *count, struct rf_error *err);

    /* Afterwards no byte of an erased customer or of an older record is left. Rewrites the whole store. */
    bool (*compact)(void *store, struct rf_error *err);

    /* Costs microseconds. NULL: nothing is known. */
    void (*sizes)(void *store, struct rf_store_sizes *sizes);

    void (*close)(void *store); /* frees `store` too; flushes */

    const struct rf_store_load_ops *load; /* NULL: apply does as well */
};

struct rf_store {
    const struct rf_store_ops *ops;
    void *self; /* owned by whoever holds the rf_store */
};

/* What `apply` asks of its writes, for implementations to assert: ordered, each customer once. */
bool rf_store_writes_are_sorted(const struct rf_store_write *writes, size_t write_count);

/* Zeros where there is no store, or it does not know. */
void rf_store_sizes(const struct rf_store *store, struct rf_store_sizes *sizes);
