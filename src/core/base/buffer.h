/* A growing run of bytes that cannot exist without its limit.
 *
 * Overflow is sticky: once an append would pass `size_max` nothing more is written and `overflow` stays
 * set until rf_buffer_clear, so a writer checks once at the end. malloc failure asserts. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

struct rf_buffer {
    uint8_t *data; /* owned */
    size_t size;
    size_t capacity;
    size_t size_max;
    bool overflow;
};

void rf_buffer_init(struct rf_buffer *buffer, size_t size_max);
void rf_buffer_deinit(struct rf_buffer *buffer);
void rf_buffer_clear(struct rf_buffer *buffer); /* keeps the memory */

/* Room for `size` more bytes, to be filled in by the caller and then counted by rf_buffer_advance.
 * NULL on overflow. */
uint8_t *rf_buffer_reserve(struct rf_buffer *buffer, size_t size);
void rf_buffer_advance(struct rf_buffer *buffer, size_t size);

void rf_buffer_append(struct rf_buffer *buffer, const void *data, size_t size);
void rf_buffer_append_byte(struct rf_buffer *buffer, uint8_t byte);
void rf_buffer_append_text(struct rf_buffer *buffer, const char *text);
void rf_buffer_printf(struct rf_buffer *buffer, const char *format, ...) RF_PRINTF(2, 3);

static inline struct rf_bytes rf_buffer_bytes(const struct rf_buffer *buffer)
{
    return rf_bytes_of(buffer->data, buffer->size);
}
