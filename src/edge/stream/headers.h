/* A message's own headers, kept with the input for the case that it becomes a dead letter.
 *
 *   for each: name size, 4 bytes | name | value size, 4 bytes, ffffffff: null | value      (host byte order)
 */
#pragma once
#include <librdkafka/rdkafka.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"

/* Replaces what is in `out`. Returns { NULL, 0 } where the message has none, which costs next to nothing. */
struct rf_bytes rf_headers_pack(const rd_kafka_message_t *message, struct rf_buffer *out);

/* Appends them to `headers`. */
void rf_headers_unpack(struct rf_bytes packed, rd_kafka_headers_t *headers);
