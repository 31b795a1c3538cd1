/* What stands before an Avro body: which schema wrote it.
 *
 *   Confluent wire format      00 | schema id, 4 bytes big endian        | body
 *   single-object encoding     C3 01 | fingerprint, 8 bytes little endian | body   (Avro specification)
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/model/format.h"

#define RF_WIRE_SIZE_MAX 10

struct rf_wire {
    enum rf_format format; /* AVRO or AVRO_OBJECT */
    uint32_t id;           /* AVRO */
    uint64_t fingerprint;  /* AVRO_OBJECT */
};

/* Splits `payload`. Errors: RECORD, naming what was found instead. */
bool rf_wire_read(enum rf_format format, struct rf_bytes payload, struct rf_wire *wire,
                  struct rf_bytes *body, struct rf_error *err) RF_MUST_CHECK;
void rf_wire_write(struct rf_buffer *out, const struct rf_wire *wire);
