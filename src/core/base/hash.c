#include "core/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t rf_hash64(struct rf_bytes bytes)
{
    return XXH3_64bits(bytes.data, bytes.size);
}

uint64_t rf_hash64_seeded(struct rf_bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.size, seed);
}

struct rf_hash128 rf_hash128(struct rf_bytes bytes)
{
    XXH128_hash_t hash = XXH3_128bits(bytes.data, bytes.size);

    return (struct rf_hash128){.high = hash.high64, .low = hash.low64};
}
