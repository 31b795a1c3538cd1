#include "core/codec/customer_writer.h"

#include <string.h>

#include "core/base/assert.h"

bool rf_writer_refill(struct rf_writer *w, size_t size)
{
    if (w->at != NULL)
        rf_buffer_advance(w->out, (size_t)(w->at - w->start));
    w->start = rf_buffer_reserve(w->out, size);
    w->at = w->start;
    if (w->start == NULL)
        return false;
    w->end =
        w->out->data + (w->out->capacity < w->out->size_max ? w->out->capacity : w->out->size_max);
    return true;
}

void rf_writer_end(struct rf_writer *w)
{
    if (w->at != NULL)
        rf_buffer_advance(w->out, (size_t)(w->at - w->start));
}

void rf_write_bytes(struct rf_writer *w, struct rf_bytes bytes)
{
    rf_write_long(w, (int64_t)bytes.size);
    rf_write_raw(w, bytes);
}

void rf_write_raw(struct rf_writer *w, struct rf_bytes bytes)
{
    if (bytes.size > 0 && rf_writer_room(w, bytes.size)) {
        memcpy(w->at, bytes.data, bytes.size);
        w->at += bytes.size;
    }
}

void rf_write_scalar(struct rf_writer *w, enum rf_scalar scalar, struct rf_value value)
{
    switch (scalar) {
    case RF_SCALAR_BOOLEAN:
        rf_write_byte(w, value.as.boolean);
        return;
    case RF_SCALAR_INTEGER:
        rf_write_long(w, value.as.integer);
        return;
    case RF_SCALAR_UNSIGNED:
        rf_write_long(w, (int64_t)value.as.uinteger);
        return;
    case RF_SCALAR_DOUBLE:
        rf_write_double(w, value.as.number);
        return;
    case RF_SCALAR_STRING:
    case RF_SCALAR_BYTES:
        rf_write_bytes(w, value.as.text);
        return;
    case RF_SCALAR_TIMESTAMP:
    case RF_SCALAR_DURATION:
        rf_write_long(w, rf_value_to_ms(value));
        return;
    case RF_SCALAR_NONE:
        break;
    }
    rf_assert(false && "a scalar that is none");
}

bool rf_scalar_fits(enum rf_scalar scalar, struct rf_value value)
{
    static const uint8_t kinds[] = {
        [RF_SCALAR_NONE] = RF_VALUE_NULL,         [RF_SCALAR_BOOLEAN] = RF_VALUE_BOOL,
        [RF_SCALAR_INTEGER] = RF_VALUE_INT,       [RF_SCALAR_UNSIGNED] = RF_VALUE_UINT,
        [RF_SCALAR_DOUBLE] = RF_VALUE_DOUBLE,     [RF_SCALAR_STRING] = RF_VALUE_STRING,
        [RF_SCALAR_BYTES] = RF_VALUE_BYTES,       [RF_SCALAR_TIMESTAMP] = RF_VALUE_TIMESTAMP,
        [RF_SCALAR_DURATION] = RF_VALUE_DURATION,
    };

    return value.kind == kinds[scalar];
}
