/* xxHash's XXH3, in one place. The values are part of what is stored and emitted (event ids, distinct
 * counts), so the algorithm may never change. */
#pragma once
#include <stdint.h>

#include "core/base/bytes.h"

struct rf_hash128 {
    uint64_t high;
    uint64_t low;
};

uint64_t rf_hash64(struct rf_bytes bytes);
struct rf_hash128 rf_hash128(struct rf_bytes bytes);

/* A step for building one hash of several parts: order matters. */
uint64_t rf_hash64_seeded(struct rf_bytes bytes, uint64_t seed);
