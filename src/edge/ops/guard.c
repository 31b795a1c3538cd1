#include "edge/ops/guard.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/base/assert.h"

void rf_guard_init(struct rf_guard *guard, size_t share)
{
    rf_assert(share > 0);
    memset(guard, 0, sizeof *guard);
    guard->share = share;
    rf_mutex_init(&guard->lock);
}

void rf_guard_deinit(struct rf_guard *guard)
{
    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX; i++)
        rf_assert(guard->entries[i].state == RF_GUARD_FREE);
    rf_assert(guard->open == 0);
    rf_mutex_deinit(&guard->lock);
}

/* ---- addresses ---- */

static void read_address(const struct sockaddr *from, uint8_t address[RF_GUARD_ADDRESS_SIZE])
{
    memset(address, 0, RF_GUARD_ADDRESS_SIZE);
    if (from->sa_family == AF_INET6) {
        memcpy(address, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
               RF_GUARD_ADDRESS_SIZE);
    } else if (from->sa_family == AF_INET) {
        memset(address + 10, 0xff, 2);
        memcpy(address + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    }
}

/* That of this address, or a free one: there are as many as entries. */
static struct rf_guard_peer *find_peer(struct rf_guard *guard, const struct sockaddr *from)
    RF_REQUIRES(guard->lock)
{
    uint8_t address[RF_GUARD_ADDRESS_SIZE];
    struct rf_guard_peer *unused = NULL;

    read_address(from, address);
    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX; i++) {
        struct rf_guard_peer *peer = &guard->peers[i];

        if (peer->users == 0)
            unused = peer;
        else if (memcmp(peer->address, address, sizeof address) == 0)
            return peer;
    }
    if (unused != NULL) {
        *unused = (struct rf_guard_peer){0};
        memcpy(unused->address, address, sizeof address);
    }
    return unused;
}

/* ---- states ---- */

static void set_state(struct rf_guard *guard, struct rf_guard_entry *entry,
                      enum rf_guard_state state) RF_REQUIRES(guard->lock)
{
    struct rf_guard_peer *peer = entry->peer;
    bool was_open = entry->state == RF_GUARD_ASKING || entry->state == RF_GUARD_SERVED;
    bool is_open = state == RF_GUARD_ASKING || state == RF_GUARD_SERVED;

    peer->users += (state != RF_GUARD_FREE);
    peer->users -= (entry->state != RF_GUARD_FREE);
    peer->open += is_open;
    peer->open -= was_open;
    peer->asking += (state == RF_GUARD_ASKING);
    peer->asking -= (entry->state == RF_GUARD_ASKING);
    guard->open += is_open;
    guard->open -= was_open;
    entry->state = state;
    rf_assert(guard->open <= RF_GUARD_CONNECTIONS_MAX);
    rf_assert(peer->asking <= peer->open);
    rf_assert(peer->open <= peer->users);
}

/* It is still open: its owner leaves the guard before closing it. */
static void cut(struct rf_guard *guard, struct rf_guard_entry *entry) RF_REQUIRES(guard->lock)
{
    shutdown(entry->socket, SHUT_RDWR);
    set_state(guard, entry, RF_GUARD_CUT);
}

/* Who has sent what we did not read yet waits for us; who has not taken yet what was sent is not done. */
static bool is_silent(const struct rf_guard_entry *entry)
{
    int unread = 0, untaken = 0;

    return ioctl(entry->socket, SIOCINQ, &unread) == 0 && unread == 0 &&
           ioctl(entry->socket, SIOCOUTQ, &untaken) == 0 && untaken == 0;
}

/* Cuts the oldest silent connection of `of` or, where that is NULL, of the address that has most of those that ask: who
 * comes from few addresses does not get at those of others. False: there is none. */
static bool make_room(struct rf_guard *guard, const struct rf_guard_peer *of)
    RF_REQUIRES(guard->lock)
{
    struct rf_guard_entry *chosen = NULL;

    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX; i++) {
        struct rf_guard_entry *entry = &guard->entries[i];
        size_t asking = entry->state == RF_GUARD_ASKING ? entry->peer->asking : 0;

        if (asking == 0 || (of != NULL && entry->peer != of))
            continue;
        if (chosen != NULL && (asking < chosen->peer->asking ||
                               (asking == chosen->peer->asking && entry->since >= chosen->since)))
            continue;
        if (is_silent(entry))
            chosen = entry;
    }
    if (chosen == NULL)
        return false;
    cut(guard, chosen);
    guard->made_room++;
    return true;
}

/* ---- coming and going ---- */

struct rf_guard_entry *rf_guard_enter(struct rf_guard *guard, int socket,
                                      const struct sockaddr *address, rf_ns now)
{
    struct rf_guard_entry *entry = NULL;
    struct rf_guard_peer *peer = NULL;

    rf_assert(socket >= 0);
    rf_mutex_lock(&guard->lock);
    peer = find_peer(guard, address);
    if (peer != NULL && peer->open >= guard->share && !make_room(guard, peer))
        peer = NULL;
    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX && entry == NULL && peer != NULL; i++) {
        if (guard->entries[i].state == RF_GUARD_FREE)
            entry = &guard->entries[i];
    }
    if (entry != NULL) {
        if (guard->open >= RF_GUARD_CROWDED)
            make_room(guard, NULL);
        *entry = (struct rf_guard_entry){
            .socket = socket, .until = now + RF_GUARD_REQUEST_NS, .since = now, .peer = peer};
        set_state(guard, entry, RF_GUARD_ASKING);
        rf_assert(peer->open <= guard->share);
    }
    rf_mutex_unlock(&guard->lock);
    return entry;
}

void rf_guard_leave(struct rf_guard *guard, struct rf_guard_entry *entry)
{
    rf_mutex_lock(&guard->lock);
    rf_assert(entry->state != RF_GUARD_FREE);
    set_state(guard, entry, RF_GUARD_FREE);
    rf_mutex_unlock(&guard->lock);
}

void rf_guard_serve(struct rf_guard *guard, struct rf_guard_entry *entry, rf_ns until)
{
    rf_mutex_lock(&guard->lock);
    rf_assert(entry->state != RF_GUARD_FREE);
    if (entry->state != RF_GUARD_CUT)
        set_state(guard, entry, RF_GUARD_SERVED);
    entry->until = until;
    rf_mutex_unlock(&guard->lock);
}

void rf_guard_await(struct rf_guard *guard, struct rf_guard_entry *entry, rf_ns now)
{
    rf_mutex_lock(&guard->lock);
    rf_assert(entry->state != RF_GUARD_FREE);
    if (entry->state != RF_GUARD_CUT)
        set_state(guard, entry, RF_GUARD_ASKING);
    entry->since = now;
    entry->until = now + RF_GUARD_REQUEST_NS;
    rf_mutex_unlock(&guard->lock);
}

size_t rf_guard_sweep(struct rf_guard *guard, rf_ns now)
{
    size_t count = 0;

    rf_mutex_lock(&guard->lock);
    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX; i++) {
        struct rf_guard_entry *entry = &guard->entries[i];

        if (entry->state == RF_GUARD_FREE || entry->state == RF_GUARD_CUT || entry->until > now)
            continue;
        cut(guard, entry);
        count++;
    }
    /* Where libmicrohttpd has as many as it takes, nobody enters who could ask for room. */
    while (guard->open > RF_GUARD_CROWDED && make_room(guard, NULL))
        continue;
    rf_mutex_unlock(&guard->lock);
    return count;
}

size_t rf_guard_count(struct rf_guard *guard, uint64_t *made_room)
{
    size_t count = 0;

    rf_mutex_lock(&guard->lock);
    count = guard->open;
    *made_room = guard->made_room;
    rf_mutex_unlock(&guard->lock);
    return count;
}
