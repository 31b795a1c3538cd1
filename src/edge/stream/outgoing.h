/* A message on its way to a broker, in the form that the room's producers hand to librdkafka. Inside this room only. Thread:
 * the producer's. */
#pragma once
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "core/base/bytes.h"
#include "core/base/time.h"

struct rf_outgoing {
    rd_kafka_topic_t *topic; /* NULL: by name */
    const char *topic_name;
    int32_t partition;
    struct rf_bytes key, value;  /* copied; data == NULL: null */
    rf_ms time;                  /* 0: now */
    rd_kafka_headers_t *headers; /* taken, unless it fails; NULL: none */
    void *cause;                 /* handed to the delivery report */
};

rd_kafka_resp_err_t rf_outgoing_produce(rd_kafka_t *producer, const struct rf_outgoing *message);
