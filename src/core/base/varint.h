/* Zig-zag variable-length integers, as in Avro's binary encoding of int and long. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RF_VARINT_SIZE_MAX 10

/* Writes at most RF_VARINT_SIZE_MAX bytes; returns how many. */
static inline size_t rf_varint_write(uint8_t *out, int64_t number)
{
    uint64_t bits = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
    size_t size = 0;

    while (bits >= 0x80) {
        out[size++] = (uint8_t)(bits | 0x80);
        bits >>= 7;
    }
    out[size++] = (uint8_t)bits;
    return size;
}

/* Moves *at past the number. False where it is cut off or longer than ten bytes. */
static inline bool rf_varint_read(const uint8_t **at, const uint8_t *end, int64_t *number)
{
    const uint8_t *p = *at;
    uint64_t bits = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte;

        if (p == end)
            return false;
        byte = *p++;
        if (shift == 63 && byte > 1)
            return false;
        bits |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *number = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
            *at = p;
            return true;
        }
    }
    return false;
}
