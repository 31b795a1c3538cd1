#include "core/codec/unique_keys.h"

#include "core/base/assert.h"
#include "core/base/hash.h"

#define BY_COMPARISON_MAX 16

static size_t drop_by_comparison(struct rf_value *keys, struct rf_value *values, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        size_t at = 0;

        while (at < kept && !rf_bytes_equal(keys[at].as.text, keys[i].as.text))
            at++;
        if (at == kept)
            keys[kept++] = keys[i];
        values[at] = values[i];
    }
    return kept;
}

/* Open addressing; a slot holds the place of a key plus one. At most half of the slots are taken. */
static size_t find_slot(const uint32_t *slots, size_t mask, const struct rf_value *keys,
                        struct rf_bytes key)
{
    size_t slot = (size_t)rf_hash64(key) & mask;

    while (slots[slot] != 0 && !rf_bytes_equal(keys[slots[slot] - 1].as.text, key))
        slot = (slot + 1) & mask;
    return slot;
}

static size_t drop_by_hash(struct rf_arena *arena, struct rf_value *keys, struct rf_value *values,
                           size_t count)
{
    size_t slot_count = 64;
    uint32_t *slots = NULL;
    size_t kept = 0;

    while (slot_count < 2 * count)
        slot_count *= 2;
    slots = rf_arena_alloc_zero(arena, slot_count * sizeof *slots);
    for (size_t i = 0; i < count; i++) {
        size_t slot = find_slot(slots, slot_count - 1, keys, keys[i].as.text);

        if (slots[slot] == 0) {
            keys[kept] = keys[i];
            slots[slot] = (uint32_t)++kept;
        }
        values[slots[slot] - 1] = values[i];
    }
    return kept;
}

size_t rf_unique_keys(struct rf_arena *arena, struct rf_value *keys, struct rf_value *values,
                      size_t count)
{
    rf_assert(count <= UINT32_MAX / 4);
    if (count <= BY_COMPARISON_MAX)
        return drop_by_comparison(keys, values, count);
    return drop_by_hash(arena, keys, values, count);
}
