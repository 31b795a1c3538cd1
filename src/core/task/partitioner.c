#include "core/task/partitioner.h"

#include "core/base/assert.h"

#define MURMUR_MULTIPLIER UINT32_C(0x5bd1e995)
#define MURMUR_SEED       UINT32_C(0x9747b28c)
#define CRC32_POLYNOMIAL  UINT32_C(0xedb88320) /* reflected: as in zlib */

static uint32_t mixed(uint32_t word)
{
    word *= MURMUR_MULTIPLIER;
    word ^= word >> 24;
    return word * MURMUR_MULTIPLIER;
}

/* MurmurHash2 by Austin Appleby, the 32-bit variant, as org.apache.kafka.common.utils.Utils.murmur2. */
uint32_t rf_murmur2(struct rf_bytes key)
{
    uint32_t hash = MURMUR_SEED ^ (uint32_t)key.size;
    size_t whole = key.size / 4 * 4;

    for (size_t i = 0; i < whole; i += 4) {
        const uint8_t *at = key.data + i;
        uint32_t word =
            at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;

        hash = (hash * MURMUR_MULTIPLIER) ^ mixed(word);
    }
    if (key.size > whole) {
        for (size_t i = key.size; i > whole; i--)
            hash ^= (uint32_t)key.data[i - 1] << (8 * (i - 1 - whole));
        hash *= MURMUR_MULTIPLIER;
    }
    hash ^= hash >> 13;
    hash *= MURMUR_MULTIPLIER;
    return hash ^ hash >> 15;
}

int32_t rf_partition_murmur2(struct rf_bytes key, int32_t partition_count)
{
    rf_assert(partition_count > 0);
    return (int32_t)(rf_murmur2(key) & 0x7fffffffu) % partition_count;
}

int32_t rf_partition_crc32(struct rf_bytes key, int32_t partition_count)
{
    uint32_t crc = 0xffffffffu;

    rf_assert(partition_count > 0);
    for (size_t i = 0; i < key.size; i++) {
        crc ^= key.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (CRC32_POLYNOMIAL & (0u - (crc & 1u)));
    }
    return (int32_t)(~crc % (uint32_t)partition_count);
}
