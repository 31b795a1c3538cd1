#include "core/expr/utf8.h"

size_t rf_utf8_count(struct rf_bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

size_t rf_utf8_offset(struct rf_bytes text, uint64_t index)
{
    size_t at = 0;

    for (; index > 0 && at < text.size; index--)
        at += rf_utf8_size(text.data[at]);
    return index == 0 ? at : SIZE_MAX;
}

uint32_t rf_utf8_decode(const uint8_t *at)
{
    switch (rf_utf8_size(*at)) {
    case 1:
        return at[0];
    case 2:
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    case 3:
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    default:
        return (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3f) << 12 |
               (uint32_t)(at[2] & 0x3f) << 6 | (at[3] & 0x3f);
    }
}

size_t rf_utf8_encode(uint8_t *out, uint32_t rune)
{
    if (rune < 0x80) {
        out[0] = (uint8_t)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (uint8_t)(0xc0 | rune >> 6);
        out[1] = (uint8_t)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (uint8_t)(0xe0 | rune >> 12);
        out[1] = (uint8_t)(0x80 | (rune >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (rune & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | rune >> 18);
    out[1] = (uint8_t)(0x80 | (rune >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (rune >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (rune & 0x3f));
    return 4;
}
