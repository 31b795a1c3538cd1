#include "core/base/bytes.h"

/* The length of the sequence that `lead` opens and the least code point it may carry; 0: not a lead. */
static size_t sequence_size(uint8_t lead, uint32_t *least)
{
    if (lead >= 0xc2 && lead <= 0xdf) {
        *least = 0x80;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *least = 0x800;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *least = 0x10000;
        return 4;
    }
    return 0;
}

static bool sequence_is_valid(const uint8_t *data, size_t size, uint32_t least)
{
    uint32_t point = data[0] & (0x7fU >> size);

    for (size_t i = 1; i < size; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return false;
        point = point << 6 | (data[i] & 0x3fU);
    }
    return point >= least && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

bool rf_bytes_is_utf8(struct rf_bytes bytes)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;

    while (left > 0) {
        uint64_t eight;
        uint32_t least = 0;
        size_t size = 1;

        if (left >= sizeof eight) {
            memcpy(&eight, at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                left -= sizeof eight;
                continue;
            }
        }
        if (*at >= 0x80) {
            size = sequence_size(*at, &least);
            if (size == 0 || size > left || !sequence_is_valid(at, size, least))
                return false;
        }
        at += size;
        left -= size;
    }
    return true;
}
