/* Inside of the customer codec: Avro's binary encoding, written straight into a buffer's memory.
 *
 * The buffer hears of it when more room is needed, and at the end (rf_writer_end). Once it has overflowed `at`
 * stays NULL and nothing more is written. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/varint.h"
#include "core/codec/customer_parts.h"
#include "core/expr/value.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"

#define RF_BRANCH_NULL  0 /* zig-zag of 0 and of 1: the branches of [null, T] */
#define RF_BRANCH_VALUE 2

struct rf_writer {
    struct rf_buffer *out;
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
};

bool rf_writer_refill(struct rf_writer *w, size_t size);
void rf_writer_end(struct rf_writer *w);

static inline bool rf_writer_room(struct rf_writer *w, size_t size)
{
    if (w->at != NULL && (size_t)(w->end - w->at) >= size)
        return true;
    return rf_writer_refill(w, size);
}

static inline void rf_write_long(struct rf_writer *w, int64_t number)
{
    if (rf_writer_room(w, RF_VARINT_SIZE_MAX))
        w->at += rf_varint_write(w->at, number);
}

static inline void rf_write_byte(struct rf_writer *w, uint8_t byte)
{
    if (rf_writer_room(w, 1))
        *w->at++ = byte;
}

/* Arrays and maps are one block: the number of items, the items, 0; nothing but the 0 where empty. */
static inline void rf_write_items(struct rf_writer *w, int64_t count)
{
    if (count > 0)
        rf_write_long(w, count);
}

static inline void rf_write_items_end(struct rf_writer *w)
{
    rf_write_byte(w, 0);
}

/* The least significant byte first: spelled out, so that it becomes one store where the machine has that order. */
static inline uint8_t *rf_store_word(uint8_t *at, uint64_t word)
{
    at[0] = (uint8_t)word;
    at[1] = (uint8_t)(word >> 8);
    at[2] = (uint8_t)(word >> 16);
    at[3] = (uint8_t)(word >> 24);
    at[4] = (uint8_t)(word >> 32);
    at[5] = (uint8_t)(word >> 40);
    at[6] = (uint8_t)(word >> 48);
    at[7] = (uint8_t)(word >> 56);
    return at + 8;
}

static inline void rf_write_word(struct rf_writer *w, uint64_t word)
{
    if (rf_writer_room(w, 8))
        w->at = rf_store_word(w->at, word);
}

static inline uint8_t *rf_store_double(uint8_t *at, double number)
{
    uint64_t word = 0;

    memcpy(&word, &number, sizeof word);
    return rf_store_word(at, word);
}

static inline void rf_write_double(struct rf_writer *w, double number)
{
    if (rf_writer_room(w, 8))
        w->at = rf_store_double(w->at, number);
}

void rf_write_bytes(struct rf_writer *w, struct rf_bytes bytes);
void rf_write_raw(struct rf_writer *w, struct rf_bytes bytes); /* without their count */
void rf_write_scalar(struct rf_writer *w, enum rf_scalar scalar, struct rf_value value);
/* Is the value of the kind that the scalar is? */
bool rf_scalar_fits(enum rf_scalar scalar, struct rf_value value);

/* The state of one feature (customer_encode_states.c). */
void rf_write_state(struct rf_writer *w, struct rf_customer_part part,
                    const struct rf_feature_state *state);
/* What is known of patterns (customer_patterns.c). */
void rf_write_patterns(struct rf_writer *w, const struct rf_plan *plan,
                       const struct rf_pattern_state *states);
