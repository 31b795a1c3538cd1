#include "edge/stream/embedded.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "core/base/assert.h"

struct rf_embedded {
    rd_kafka_t *rk; /* the mock cluster lives in a handle of its own */
    rd_kafka_mock_cluster_t *cluster;
};

struct rf_embedded *rf_embedded_open(struct rf_error *err)
{
    struct rf_embedded *embedded = calloc(1, sizeof *embedded);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256] = "";

    rf_assert(embedded != NULL);
    rd_kafka_conf_set(conf, "log_level", "2", NULL,
                      0); /* it warns that it has no broker: it is one */
    embedded->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (embedded->rk == NULL)
        rd_kafka_conf_destroy(conf);
    else
        embedded->cluster = rd_kafka_mock_cluster_new(embedded->rk, 1);
    if (embedded->cluster != NULL)
        return embedded;
    rf_error_set(err, RF_ERROR_RETRY, 0, "starting the embedded broker: %s", why);
    rf_embedded_close(embedded);
    return NULL;
}

void rf_embedded_close(struct rf_embedded *embedded)
{
    if (embedded == NULL)
        return;
    if (embedded->cluster != NULL)
        rd_kafka_mock_cluster_destroy(embedded->cluster);
    if (embedded->rk != NULL)
        rd_kafka_destroy(embedded->rk);
    free(embedded);
}

const char *rf_embedded_bootstrap(const struct rf_embedded *embedded)
{
    return rd_kafka_mock_cluster_bootstraps(embedded->cluster);
}

bool rf_embedded_make_topic(struct rf_embedded *embedded, const char *topic, int32_t partitions,
                            struct rf_error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(embedded->cluster, topic, partitions, 1);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    return rf_error_set(err, RF_ERROR_RETRY, code, "making topic %s: %s", topic,
                        rd_kafka_err2str(code));
}
