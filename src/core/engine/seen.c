#include "core/engine/seen.h"

#include <string.h>

#include "core/base/assert.h"

#define SEEN_FIRST 4

bool rf_seen_find(const struct rf_customer *customer, uint64_t hash, rf_ms oldest)
{
    /* From the newest: what comes twice mostly comes twice in a row. */
    for (uint32_t i = customer->seen_count; i > 0; i--) {
        const struct rf_seen *seen = &customer->seen[i - 1];

        if (seen->time < oldest)
            return false;
        if (seen->hash == hash)
            return true;
    }
    return false;
}

static void drop_first(struct rf_customer *customer)
{
    customer->seen++;
    customer->seen_count--;
    customer->seen_capacity--;
}

/* Ordered by time, then hash. */
static bool is_before(struct rf_seen a, struct rf_seen b)
{
    return a.time < b.time || (a.time == b.time && a.hash < b.hash);
}

static void insert(struct rf_customer *customer, struct rf_seen item, struct rf_arena *arena)
{
    uint32_t place = customer->seen_count;

    if (customer->seen_count == customer->seen_capacity) {
        uint32_t capacity =
            customer->seen_count < SEEN_FIRST ? SEEN_FIRST : 2 * customer->seen_count;
        struct rf_seen *seen = rf_arena_alloc(arena, capacity * sizeof *seen);

        if (customer->seen_count > 0)
            memcpy(seen, customer->seen, customer->seen_count * sizeof *seen);
        customer->seen = seen;
        customer->seen_capacity = capacity;
    }
    for (; place > 0 && is_before(item, customer->seen[place - 1]); place--)
        customer->seen[place] = customer->seen[place - 1];
    customer->seen[place] = item;
    customer->seen_count++;
}

bool rf_seen_add(struct rf_customer *customer, uint64_t hash, rf_ms time, rf_ms oldest,
                 struct rf_arena *arena)
{
    struct rf_seen item = {.hash = hash, .time = time};
    bool in_time = true;

    while (customer->seen_count > 0 && customer->seen[0].time < oldest)
        drop_first(customer);
    if (time < oldest)
        return true;
    rf_assert(customer->seen_count <= RF_SEEN_MAX);
    if (customer->seen_count == RF_SEEN_MAX) {
        in_time = false;
        if (is_before(item, customer->seen[0]))
            return false;
        drop_first(customer);
    }
    insert(customer, item, arena);
    return in_time;
}
