/* Connections that are open, until when each may keep us waiting, and who goes when there are too many.
 *
 * libmicrohttpd's timeout begins anew with every byte: whoever sends one now and then keeps a connection for hours. Here
 * a request has to be whole, and an answer taken, within a time that no byte prolongs. Its limits turn away who comes
 * last, so that whoever is silent keeps all others out. Here who is silent makes room: for others when more than
 * RF_GUARD_CROWDED are open, and for the same address when that has its share. Silent is a connection without a whole
 * request of which we have read all that it sent, and that has taken all that we sent. Any thread. */
#pragma once
#include <sys/socket.h>

#include "core/base/time.h"
#include "edge/sys/thread.h"

#define RF_GUARD_CONNECTIONS_MAX 128
#define RF_GUARD_CROWDED         (RF_GUARD_CONNECTIONS_MAX / 2)
#define RF_GUARD_REQUEST_NS      INT64_C(10000000000) /* for a request to be whole */
#define RF_GUARD_ANSWER_NS       INT64_C(30000000000) /* for an answer to be made and taken */
#define RF_GUARD_ADDRESS_SIZE    16

enum rf_guard_state {
    RF_GUARD_FREE,
    RF_GUARD_ASKING, /* it has no whole request yet */
    RF_GUARD_SERVED,
    RF_GUARD_CUT, /* its owner closes it as soon as it sees that */
};

struct rf_guard_peer {
    uint8_t address[RF_GUARD_ADDRESS_SIZE]; /* of IPv4 as mapped to IPv6 */
    size_t users;                           /* entries; 0: free */
    size_t open, asking;                    /* of these */
};

struct rf_guard {
    struct rf_mutex lock;
    size_t share;                           /* of an address */
    size_t open RF_GUARDED_BY(lock);        /* but for those that are cut */
    uint64_t made_room RF_GUARDED_BY(lock); /* since ever */
    struct rf_guard_entry {
        enum rf_guard_state state;
        int socket;
        rf_ns until; /* monotonic; INT64_MAX: as long as it likes */
        rf_ns since; /* ASKING */
        struct rf_guard_peer *peer;
    } entries[RF_GUARD_CONNECTIONS_MAX] RF_GUARDED_BY(lock);
    struct rf_guard_peer peers[RF_GUARD_CONNECTIONS_MAX] RF_GUARDED_BY(lock);
};

void rf_guard_init(struct rf_guard *guard, size_t share);
void rf_guard_deinit(struct rf_guard *guard);

/* A request is waited for from `now` on. NULL: there is no room for one more. */
struct rf_guard_entry *rf_guard_enter(struct rf_guard *guard, int socket,
                                      const struct sockaddr *address, rf_ns now);
void rf_guard_leave(struct rf_guard *guard, struct rf_guard_entry *entry);

/* Its request is whole: it has until `until`. */
void rf_guard_serve(struct rf_guard *guard, struct rf_guard_entry *entry, rf_ns until);
/* It is answered: the next request is waited for from `now` on. */
void rf_guard_await(struct rf_guard *guard, struct rf_guard_entry *entry, rf_ns now);

/* Cuts those whose time is up, and silent ones while more than RF_GUARD_CROWDED are open: their owner sees the end of the
 * stream and closes. Returns how many had their time. */
size_t rf_guard_sweep(struct rf_guard *guard, rf_ns now);

/* How many are open; `made_room`: how many have made room since ever. */
size_t rf_guard_count(struct rf_guard *guard, uint64_t *made_room);
