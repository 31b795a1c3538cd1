/* Text as code points: CEL counts and indexes characters, not bytes. All text here is well-formed. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* Bytes of the character that begins with `lead`. */
static inline size_t rf_utf8_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : 4;
}

size_t rf_utf8_count(struct rf_bytes text);
/* The byte where character `index` begins; text.size where it is the count; SIZE_MAX beyond. */
size_t rf_utf8_offset(struct rf_bytes text, uint64_t index);
uint32_t rf_utf8_decode(const uint8_t *at);
size_t rf_utf8_encode(uint8_t *out, uint32_t rune); /* at most four bytes; returns how many */
