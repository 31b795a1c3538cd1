#include "edge/stream/headers.h"

#include <string.h>

#include "core/base/assert.h"

#define NULL_SIZE UINT32_MAX

static void append_size(struct rf_buffer *out, size_t size)
{
    uint32_t four = (uint32_t)size;

    rf_buffer_append(out, &four, sizeof four);
}

struct rf_bytes rf_headers_pack(const rd_kafka_message_t *message, struct rf_buffer *out)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return (struct rf_bytes){0};
    rf_buffer_clear(out);
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        append_size(out, strlen(name));
        rf_buffer_append_text(out, name);
        append_size(out, value == NULL ? NULL_SIZE : size);
        if (value != NULL)
            rf_buffer_append(out, value, size);
    }
    rf_assert(!out->overflow); /* a broker takes no message of that size */
    return rf_buffer_bytes(out);
}

static uint32_t take_size(struct rf_bytes *packed)
{
    uint32_t size = 0;

    rf_assert(packed->size >= sizeof size);
    memcpy(&size, packed->data, sizeof size);
    packed->data += sizeof size;
    packed->size -= sizeof size;
    return size;
}

static struct rf_bytes take(struct rf_bytes *packed, size_t size)
{
    struct rf_bytes taken = rf_bytes_of(packed->data, size);

    rf_assert(packed->size >= size);
    packed->data += size;
    packed->size -= size;
    return taken;
}

void rf_headers_unpack(struct rf_bytes packed, rd_kafka_headers_t *headers)
{
    while (packed.size > 0) {
        struct rf_bytes name = take(&packed, take_size(&packed));
        uint32_t size = take_size(&packed);
        struct rf_bytes value = size == NULL_SIZE ? (struct rf_bytes){0} : take(&packed, size);

        rd_kafka_header_add(headers, (const char *)name.data, (ssize_t)name.size, value.data,
                            size == NULL_SIZE ? 0 : (ssize_t)value.size);
    }
}
