#include "edge/stream/metadata.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/sys/clock.h"

#define TIMEOUT_MS 15000
#define SLICE_MS   2000
#define HOPELESS   3
#define REASON_MAX (RF_ERROR_MESSAGE_MAX * 2 / 3)
#define SCRAM_IS_RIGHT                                                                             \
    0x020601ff /* librdkafka before 2.6.1 sends its nonce twice, which Kafka 4 refuses */

void rf_metadata_listen(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR);
}

/* How much an error tells of the cause. */
static int weight(rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL)
        return HOPELESS;
    if (code == RD_KAFKA_RESP_ERR__RESOLVE)
        return 2;
    return code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ? 0 : 1;
}

struct reason {
    int weight;
    char text[REASON_MAX];
};

static void take_reason(rd_kafka_t *rk, struct reason *reason)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(rk);
    rd_kafka_event_t *event = NULL;

    rf_assert(queue != NULL);
    while ((event = rd_kafka_queue_poll(queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
            weight(rd_kafka_event_error(event)) > reason->weight) {
            reason->weight = weight(rd_kafka_event_error(event));
            snprintf(reason->text, sizeof reason->text, "%s", rd_kafka_event_error_string(event));
        }
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
}

/* What the library does not say, but we know. */
static const char *hint(const struct reason *reason)
{
    if (strstr(reason->text, "SCRAM") != NULL && rd_kafka_version() < SCRAM_IS_RIGHT)
        return "; if the password is right: Kafka 4 refuses the SCRAM of librdkafka before 2.6.1, use PLAIN over TLS or a"
               " client certificate";
    if (strstr(reason->text, "certificate verify failed") != NULL)
        return "; or the certificate is not for the name by which the broker is called";
    return "";
}

bool rf_metadata_ask(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                     const struct rd_kafka_metadata **metadata, struct rf_error *err)
{
    int64_t until = rf_clock_monotonic_ms() + TIMEOUT_MS;
    struct reason reason = {0};
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    do {
        code = rd_kafka_metadata(rk, topic == NULL, topic, metadata, SLICE_MS);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return true;
        take_reason(rk, &reason);
    } while (rf_clock_monotonic_ms() < until && reason.weight < HOPELESS);
    return rf_error_set(err, RF_ERROR_RETRY, code,
                        "no kafka broker answers (bootstrap.servers): %s%s",
                        reason.weight == 0 ? rd_kafka_err2str(code) : reason.text, hint(&reason));
}
