#include "core/codec/wire.h"

#include "core/base/assert.h"

#define CONFLUENT_MAGIC       0x00
#define CONFLUENT_HEADER_SIZE 5
#define OBJECT_MAGIC_0        0xc3
#define OBJECT_MAGIC_1        0x01
#define OBJECT_HEADER_SIZE    10

static bool read_confluent(struct rf_bytes payload, struct rf_wire *wire, struct rf_error *err)
{
    const uint8_t *data = payload.data;

    if (payload.size < CONFLUENT_HEADER_SIZE)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "%zu bytes are too few for magic byte 0 and a schema id of 4 bytes",
                            payload.size);
    if (data[0] != CONFLUENT_MAGIC)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "the first byte is 0x%02x, not the 0x00 of a registry's wire format",
                            data[0]);
    wire->id = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4];
    return true;
}

static bool read_object(struct rf_bytes payload, struct rf_wire *wire, struct rf_error *err)
{
    const uint8_t *data = payload.data;

    if (payload.size < OBJECT_HEADER_SIZE)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "%zu bytes are too few for the 10-byte header of a single object",
                            payload.size);
    if (data[0] != OBJECT_MAGIC_0 || data[1] != OBJECT_MAGIC_1)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "it begins with %02x %02x, not with the c3 01 of a single object",
                            data[0], data[1]);
    wire->fingerprint = 0;
    for (unsigned i = 0; i < 8; i++)
        wire->fingerprint |= (uint64_t)data[2 + i] << (8 * i);
    return true;
}

bool rf_wire_read(enum rf_format format, struct rf_bytes payload, struct rf_wire *wire,
                  struct rf_bytes *body, struct rf_error *err)
{
    size_t header_size = 0;

    rf_assert(format == RF_FORMAT_AVRO || format == RF_FORMAT_AVRO_OBJECT);
    *wire = (struct rf_wire){.format = format};
    if (format == RF_FORMAT_AVRO) {
        if (!read_confluent(payload, wire, err))
            return false;
        header_size = CONFLUENT_HEADER_SIZE;
    } else {
        if (!read_object(payload, wire, err))
            return false;
        header_size = OBJECT_HEADER_SIZE;
    }
    *body = rf_bytes_of(payload.data + header_size, payload.size - header_size);
    return true;
}

void rf_wire_write(struct rf_buffer *out, const struct rf_wire *wire)
{
    uint8_t header[RF_WIRE_SIZE_MAX] = {0};
    size_t size = OBJECT_HEADER_SIZE;

    rf_assert(wire->format == RF_FORMAT_AVRO || wire->format == RF_FORMAT_AVRO_OBJECT);
    if (wire->format == RF_FORMAT_AVRO) {
        header[0] = CONFLUENT_MAGIC;
        for (unsigned i = 0; i < 4; i++)
            header[1 + i] = (uint8_t)(wire->id >> (24 - 8 * i));
        size = CONFLUENT_HEADER_SIZE;
    } else {
        header[0] = OBJECT_MAGIC_0;
        header[1] = OBJECT_MAGIC_1;
        for (unsigned i = 0; i < 8; i++)
            header[2 + i] = (uint8_t)(wire->fingerprint >> (8 * i));
    }
    rf_buffer_append(out, header, size);
}
