/* Which partition a producer gives a key to, by the two partitioners that are in general use. A guess: which one was
 * used is not written anywhere. */
#pragma once
#include <stdint.h>

#include "core/base/bytes.h"

int32_t rf_partition_murmur2(struct rf_bytes key,
                             int32_t partition_count);                    /* Kafka's Java client */
int32_t rf_partition_crc32(struct rf_bytes key, int32_t partition_count); /* librdkafka */

uint32_t rf_murmur2(struct rf_bytes key); /* with Kafka's seed */
