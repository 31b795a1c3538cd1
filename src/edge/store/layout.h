/* What a task's RocksDB holds, byte by byte. One column family; keys in RocksDB's bytewise order.
 *
 *   key                        value
 *   00                         01 | checkpoint, 8 bytes big endian
 *   01 | name of a note        the note
 *   02 | customer              the customer's record, as in the changelog
 *
 * The first byte of a key keeps bookkeeping and customers apart, whatever a customer is called. The first
 * byte of the checkpoint's value is the version of this layout: another one is RF_ERROR_STATE, and the store
 * is rebuilt from the changelog. A store without key 00 is a new one. */
#pragma once
#include <stdint.h>

#define RF_LAYOUT_VERSION         1

#define RF_LAYOUT_CHECKPOINT      0x00
#define RF_LAYOUT_NOTE            0x01
#define RF_LAYOUT_CUSTOMER        0x02
#define RF_LAYOUT_END             0x03 /* past every key */

#define RF_LAYOUT_CHECKPOINT_SIZE 9

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
