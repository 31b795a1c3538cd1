/* Connections that are open, and until when each may keep us waiting.
 *
 * libmicrohttpd's timeout begins anew with every byte: whoever sends one now and then keeps a connection for hours. Here
 * a request has to be whole, and an answer taken, within a time that no byte prolongs. Any thread. */
#pragma once
#include "core/base/time.h"
#include "edge/sys/thread.h"

#define RF_GUARD_CONNECTIONS_MAX 128
#define RF_GUARD_REQUEST_NS      INT64_C(10000000000) /* for a request to be whole */
#define RF_GUARD_ANSWER_NS       INT64_C(30000000000) /* for an answer to be made and taken */

struct rf_guard {
    struct rf_mutex lock;
    size_t count RF_GUARDED_BY(lock);
    struct rf_guard_entry {
        int socket;  /* -1: free */
        rf_ns until; /* monotonic; INT64_MAX: as long as it likes */
    } entries[RF_GUARD_CONNECTIONS_MAX] RF_GUARDED_BY(lock);
};

void rf_guard_init(struct rf_guard *guard);
void rf_guard_deinit(struct rf_guard *guard);

/* NULL: there is no room for one more. */
struct rf_guard_entry *rf_guard_enter(struct rf_guard *guard, int socket, rf_ns until);
void rf_guard_leave(struct rf_guard *guard, struct rf_guard_entry *entry);
void rf_guard_set(struct rf_guard *guard, struct rf_guard_entry *entry, rf_ns until);

/* Cuts those whose time is up: their owner sees the end of the stream and closes. Returns how many. */
size_t rf_guard_sweep(struct rf_guard *guard, rf_ns now);
size_t rf_guard_count(struct rf_guard *guard);
