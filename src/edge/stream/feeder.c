#include "edge/stream/feeder.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "edge/stream/client.h"

#define QUEUE_FULL_WAIT_MS 50

struct rf_feeder {
    rd_kafka_t *producer;
    rd_kafka_resp_err_t failed; /* the first delivery that failed */
};

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct rf_feeder *feeder = opaque;

    (void)rk;
    if (feeder->failed == RD_KAFKA_RESP_ERR_NO_ERROR)
        feeder->failed = message->err;
}

struct rf_feeder *rf_feeder_open(const struct rf_property *kafka, size_t kafka_count,
                                 struct rf_error *err)
{
    struct rf_feeder *feeder = calloc(1, sizeof *feeder);

    rf_assert(feeder != NULL);
    feeder->producer = rf_client_feeder(kafka, kafka_count, delivered, feeder, err);
    if (feeder->producer != NULL)
        return feeder;
    free(feeder);
    return NULL;
}

void rf_feeder_close(struct rf_feeder *feeder)
{
    if (feeder == NULL)
        return;
    rd_kafka_destroy(feeder->producer);
    free(feeder);
}

bool rf_feeder_send(struct rf_feeder *feeder, const char *topic, struct rf_bytes key,
                    struct rf_bytes value, rf_ms time, struct rf_error *err)
{
    return rf_feeder_send_to(feeder, topic, RD_KAFKA_PARTITION_UA, key, value, time, err);
}

bool rf_feeder_send_to(struct rf_feeder *feeder, const char *topic, int32_t partition,
                       struct rf_bytes key, struct rf_bytes value, rf_ms time, struct rf_error *err)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    do {
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(feeder->producer, QUEUE_FULL_WAIT_MS);
        code = rd_kafka_producev(
            feeder->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY((void *)(uintptr_t)key.data, key.size),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.size),
            RD_KAFKA_V_TIMESTAMP(time == RF_MS_MIN ? 0 : time), RD_KAFKA_V_END);
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    rd_kafka_poll(feeder->producer, 0);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    return rf_error_set(
        err, code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? RF_ERROR_RECORD : RF_ERROR_CONFIG, code,
        "producing to %s: %s", topic, rd_kafka_err2str(code));
}

bool rf_feeder_flush(struct rf_feeder *feeder, int timeout_ms, struct rf_error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_flush(feeder->producer, timeout_ms);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = feeder->failed;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    return rf_error_set(err, RF_ERROR_RETRY, code, "producing: %s", rd_kafka_err2str(code));
}
