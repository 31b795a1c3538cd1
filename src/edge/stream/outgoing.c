#include "edge/stream/outgoing.h"

#include "core/base/assert.h"

static rd_kafka_vu_t topic_of(const struct rf_outgoing *message)
{
    rf_assert(message->topic != NULL || message->topic_name != NULL);
    if (message->topic != NULL)
        return (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = message->topic};
    return (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = message->topic_name};
}

static rd_kafka_vu_t bytes_of(rd_kafka_vtype_t part, struct rf_bytes bytes)
{
    return (rd_kafka_vu_t){.vtype = part,
                           .u.mem = {.ptr = (void *)(uintptr_t)bytes.data, .size = bytes.size}};
}

rd_kafka_resp_err_t rf_outgoing_produce(rd_kafka_t *producer, const struct rf_outgoing *message)
{
    const rd_kafka_vu_t arguments[] = {
        topic_of(message),
        bytes_of(RD_KAFKA_VTYPE_KEY, message->key),
        bytes_of(RD_KAFKA_VTYPE_VALUE, message->value),
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->time},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message->cause},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = message->headers},
    };
    size_t count = sizeof arguments / sizeof *arguments - (message->headers == NULL ? 1 : 0);
    rd_kafka_error_t *error = rd_kafka_produceva(producer, arguments, count);
    rd_kafka_resp_err_t code =
        error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);

    rd_kafka_error_destroy(error);
    return code;
}
