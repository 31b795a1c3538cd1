/* What a task's RocksDB holds, byte by byte. One column family; keys in RocksDB's bytewise order.
 *
 *   key                        value
 *   00                         02 | checkpoint, 8 bytes big endian
 *   01 | name of a note        the note
 *   02 | customer              00 | the customer's record, as in the changelog
 *                              01 | due | the record
 *   03 | due | customer        nothing: one for each customer that is due
 *
 *   due    an instant in milliseconds, 8 bytes big endian, 2^63 added: bytes are in the order of time
 *
 * The first byte of a key keeps bookkeeping and customers apart, whatever a customer is called. A customer knows its
 * own place in the order of time, so that whoever writes it anew can remove it from there. The first byte of the
 * checkpoint's value is the version of this layout: another one is RF_ERROR_STATE, and the store is rebuilt from the
 * changelog. A store without key 00 is a new one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/time.h"

#define RF_LAYOUT_VERSION         2

#define RF_LAYOUT_CHECKPOINT      0x00
#define RF_LAYOUT_NOTE            0x01
#define RF_LAYOUT_CUSTOMER        0x02
#define RF_LAYOUT_TIMER           0x03
#define RF_LAYOUT_END             0x04 /* past every key */

#define RF_LAYOUT_CHECKPOINT_SIZE 9
#define RF_LAYOUT_DUE_SIZE        8

#define RF_LAYOUT_NEVER_DUE       0x00
#define RF_LAYOUT_DUE             0x01

static inline void rf_layout_write_checkpoint(uint8_t value[RF_LAYOUT_CHECKPOINT_SIZE],
                                              int64_t checkpoint)
{
    value[0] = RF_LAYOUT_VERSION;
    for (int i = 0; i < 8; i++)
        value[1 + i] = (uint8_t)((uint64_t)checkpoint >> (56 - 8 * i));
}

static inline int64_t rf_layout_read_checkpoint(const uint8_t value[RF_LAYOUT_CHECKPOINT_SIZE])
{
    uint64_t checkpoint = 0;

    for (int i = 0; i < 8; i++)
        checkpoint = checkpoint << 8 | value[1 + i];
    return (int64_t)checkpoint;
}

static inline void rf_layout_append_due(struct rf_buffer *out, rf_ms due)
{
    uint64_t bits = (uint64_t)due ^ UINT64_C(1) << 63;
    uint8_t bytes[RF_LAYOUT_DUE_SIZE];

    for (int i = 0; i < RF_LAYOUT_DUE_SIZE; i++)
        bytes[i] = (uint8_t)(bits >> (56 - 8 * i));
    rf_buffer_append(out, bytes, sizeof bytes);
}

static inline rf_ms rf_layout_read_due(const uint8_t *bytes)
{
    uint64_t bits = 0;

    for (int i = 0; i < RF_LAYOUT_DUE_SIZE; i++)
        bits = bits << 8 | bytes[i];
    return (rf_ms)(bits ^ UINT64_C(1) << 63);
}

/* What stands before a customer's record. */
static inline void rf_layout_append_customer_head(struct rf_buffer *out, rf_ms due)
{
    rf_buffer_append_byte(out, due == RF_MS_MAX ? RF_LAYOUT_NEVER_DUE : RF_LAYOUT_DUE);
    if (due != RF_MS_MAX)
        rf_layout_append_due(out, due);
}

/* The value of a customer taken apart; false: it is none. */
static inline bool rf_layout_read_customer(struct rf_bytes value, struct rf_bytes *record,
                                           rf_ms *due)
{
    size_t head = 1;

    *due = RF_MS_MAX;
    if (value.size < head || value.data[0] > RF_LAYOUT_DUE)
        return false;
    if (value.data[0] == RF_LAYOUT_DUE) {
        head += RF_LAYOUT_DUE_SIZE;
        if (value.size < head)
            return false;
        *due = rf_layout_read_due(value.data + 1);
    }
    *record = rf_bytes_of(value.data + head, value.size - head);
    return *due >= RF_MS_MIN && *due <= RF_MS_MAX;
}
