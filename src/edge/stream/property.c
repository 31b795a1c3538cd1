#include "edge/stream/property.h"

#include <librdkafka/rdkafka.h>

#include "core/base/assert.h"

/* Other names of properties, which librdkafka does not list. */
static const char *const aliases[] = {
    "bootstrap.servers",   "linger.ms",      "retries",
    "compression.type",    "max.in.flight",  "acks",
    "delivery.timeout.ms", "sasl.mechanism", "message.timeout.ms",
};
#define ALIAS_COUNT (sizeof aliases / sizeof aliases[0])

bool rf_property_check(const char *name, const char *value, struct rf_error *err)
{
    char why[RF_ERROR_MESSAGE_MAX / 2] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, why, sizeof why);

    rd_kafka_conf_destroy(conf);
    if (result == RD_KAFKA_CONF_OK)
        return true;
    return rf_error_set(err, RF_ERROR_CONFIG, result, "librdkafka: %s", why);
}

const char *const *rf_property_names(struct rf_arena *arena, size_t *count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_conf_t *topic_conf = rd_kafka_topic_conf_new();
    size_t own = 0, of_topic = 0;
    const char **dump = rd_kafka_conf_dump(conf, &own); /* name, value, name, value, ... */
    const char **topic_dump = rd_kafka_topic_conf_dump(topic_conf, &of_topic);
    const char **names =
        rf_arena_alloc(arena, (ALIAS_COUNT + (own + of_topic) / 2) * sizeof *names);

    rf_assert(own % 2 == 0);
    rf_assert(of_topic % 2 == 0);
    *count = 0;
    for (size_t i = 0; i < own; i += 2)
        names[(*count)++] = rf_arena_copy_text(arena, dump[i]);
    for (size_t i = 0; i < of_topic; i += 2)
        names[(*count)++] = rf_arena_copy_text(arena, topic_dump[i]);
    for (size_t i = 0; i < ALIAS_COUNT; i++)
        names[(*count)++] = aliases[i];
    rd_kafka_conf_dump_free(dump, own);
    rd_kafka_conf_dump_free(topic_dump, of_topic);
    rd_kafka_conf_destroy(conf);
    rd_kafka_topic_conf_destroy(topic_conf);
    return names;
}
