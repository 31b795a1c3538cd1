/* Bytes of a message to the fields of an event: the port.
 *
 * Behind it stand the Avro decode program (codec/avro_program.h, with schemas by id from the registry, the
 * source's file or a container file) and edge/formats for JSON and CSV. Called from the task's thread;
 * one decoder serves one worker. */
#pragma once
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/expr/value.h"

struct rf_decoder_ops {
    /* Fills fields[i] for the source's schema fields that are in use; the others are left alone. What the
     * values point to is in `payload` or `arena`. Kinds of error: RECORD (the payload is bad: dead letter),
     * RETRY (its schema is not here yet: the same call, later). */
    bool (*decode)(void *self, uint32_t source, struct rf_bytes payload, struct rf_arena *arena,
                   struct rf_value *fields, struct rf_error *err);
};

struct rf_decoder {
    const struct rf_decoder_ops *ops;
    void *self; /* not owned */
};
