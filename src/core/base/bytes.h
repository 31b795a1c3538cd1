/* A view of bytes that somebody else owns. `data` may be NULL only where `size` is 0. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rf_bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct rf_bytes rf_bytes_of(const void *data, size_t size)
{
    return (struct rf_bytes){.data = data, .size = size};
}

static inline struct rf_bytes rf_bytes_of_text(const char *text)
{
    return rf_bytes_of(text, strlen(text));
}

static inline bool rf_bytes_equal(struct rf_bytes a, struct rf_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The order of RocksDB's default comparator: bytewise, the shorter first. */
static inline int rf_bytes_compare(struct rf_bytes a, struct rf_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

/* Well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF). */
bool rf_bytes_is_utf8(struct rf_bytes bytes);
