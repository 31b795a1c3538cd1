#include "edge/ops/guard.h"

#include <sys/socket.h>

#include "core/base/assert.h"

void rf_guard_init(struct rf_guard *guard)
{
    rf_mutex_init(&guard->lock);
    guard->count = 0;
    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX; i++)
        guard->entries[i] = (struct rf_guard_entry){.socket = -1};
}

void rf_guard_deinit(struct rf_guard *guard)
{
    rf_assert(guard->count == 0);
    rf_mutex_deinit(&guard->lock);
}

struct rf_guard_entry *rf_guard_enter(struct rf_guard *guard, int socket, rf_ns until)
{
    struct rf_guard_entry *entry = NULL;

    rf_assert(socket >= 0);
    rf_mutex_lock(&guard->lock);
    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX && entry == NULL; i++) {
        if (guard->entries[i].socket < 0)
            entry = &guard->entries[i];
    }
    if (entry != NULL) {
        *entry = (struct rf_guard_entry){.socket = socket, .until = until};
        guard->count++;
    }
    rf_mutex_unlock(&guard->lock);
    return entry;
}

void rf_guard_leave(struct rf_guard *guard, struct rf_guard_entry *entry)
{
    rf_mutex_lock(&guard->lock);
    rf_assert(entry->socket >= 0);
    rf_assert(guard->count > 0);
    entry->socket = -1;
    guard->count--;
    rf_mutex_unlock(&guard->lock);
}

void rf_guard_set(struct rf_guard *guard, struct rf_guard_entry *entry, rf_ns until)
{
    rf_mutex_lock(&guard->lock);
    rf_assert(entry->socket >= 0);
    entry->until = until;
    rf_mutex_unlock(&guard->lock);
}

size_t rf_guard_sweep(struct rf_guard *guard, rf_ns now)
{
    size_t cut = 0;

    rf_mutex_lock(&guard->lock);
    for (size_t i = 0; i < RF_GUARD_CONNECTIONS_MAX; i++) {
        struct rf_guard_entry *entry = &guard->entries[i];

        if (entry->socket < 0 || entry->until > now)
            continue;
        /* It is still open: its owner leaves the guard before closing it. */
        shutdown(entry->socket, SHUT_RDWR);
        entry->until = INT64_MAX;
        cut++;
    }
    rf_mutex_unlock(&guard->lock);
    return cut;
}

size_t rf_guard_count(struct rf_guard *guard)
{
    size_t count = 0;

    rf_mutex_lock(&guard->lock);
    count = guard->count;
    rf_mutex_unlock(&guard->lock);
    return count;
}
