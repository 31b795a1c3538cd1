#include "core/base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define CAPACITY_MIN 64

void rf_buffer_init(struct rf_buffer *buffer, size_t size_max)
{
    rf_assert(size_max > 0);
    memset(buffer, 0, sizeof *buffer);
    buffer->size_max = size_max;
}

void rf_buffer_deinit(struct rf_buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

void rf_buffer_clear(struct rf_buffer *buffer)
{
    buffer->size = 0;
    buffer->overflow = false;
}

uint8_t *rf_buffer_reserve(struct rf_buffer *buffer, size_t size)
{
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;

    rf_assert(buffer->size <= buffer->size_max);
    if (buffer->overflow || size > buffer->size_max - buffer->size) {
        buffer->overflow = true;
        return NULL;
    }
    if (buffer->data == NULL || buffer->size + size > buffer->capacity) {
        while (capacity < buffer->size + size)
            capacity *= 2;
        buffer->data = realloc(buffer->data, capacity);
        rf_assert(buffer->data != NULL);
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

void rf_buffer_advance(struct rf_buffer *buffer, size_t size)
{
    rf_assert(size <= buffer->capacity - buffer->size);
    buffer->size += size;
}

void rf_buffer_append(struct rf_buffer *buffer, const void *data, size_t size)
{
    uint8_t *room = NULL;

    if (size == 0)
        return;
    room = rf_buffer_reserve(buffer, size);
    if (room == NULL)
        return;
    memcpy(room, data, size);
    buffer->size += size;
}

void rf_buffer_append_byte(struct rf_buffer *buffer, uint8_t byte)
{
    rf_buffer_append(buffer, &byte, 1);
}

void rf_buffer_append_text(struct rf_buffer *buffer, const char *text)
{
    rf_buffer_append(buffer, text, strlen(text));
}

void rf_buffer_printf(struct rf_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    int needed = 0;
    uint8_t *room = NULL;

    va_start(arguments, format);
    va_copy(again, arguments);
    needed = vsnprintf(NULL, 0, format, arguments);
    rf_assert(needed >= 0);
    room = rf_buffer_reserve(buffer, (size_t)needed + 1); /* vsnprintf writes a terminator */
    if (room != NULL) {
        vsnprintf((char *)room, (size_t)needed + 1, format, again);
        buffer->size += (size_t)needed;
    }
    va_end(again);
    va_end(arguments);
}
