/* Fills a topic with call records, the same ones for the same arguments: what every peer of the benchmark reads.
 *
 * Each message is a ringfold.telco.Call (schemas/call.avsc) in the registry's wire format, keyed by customer and
 * partitioned as the Java clients do it. Event time runs evenly from --start over --days; a record is up to half
 * an hour late, so buckets are also filled out of order. Customers are drawn evenly, but for the share of events
 * that goes to the hot one. */
#include <getopt.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/time.h"
#include "core/base/varint.h"

#define MESSAGE_BYTES_MAX 512
#define LATE_MS_MAX       (30 * 60 * 1000)
#define SCHEMA_ID_SIZE    4
#define DROPPED_PERCENT   25
#define CELLS             4000

struct settings {
    const char *brokers;
    const char *topic;
    int64_t events;
    int64_t customers;
    int64_t hot_percent; /* of the events, to customer 0 */
    int64_t schema_id;
    int64_t start_ms;
    int64_t days;
    int64_t seed;
};

struct generator {
    const struct settings *settings;
    uint64_t state; /* splitmix64: Steele, Lea, Flood, OOPSLA 2014 */
    struct rf_buffer value;
    char key[32];
    int key_size;
};

/* Counts what could not be stored; the benchmark would otherwise compare unequal work. */
static int64_t failed_count;

static uint64_t draw(struct generator *generator, uint64_t below)
{
    uint64_t z = generator->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return z % below;
}

static void put_long(struct rf_buffer *out, int64_t number)
{
    uint8_t bytes[RF_VARINT_SIZE_MAX];

    rf_buffer_append(out, bytes, rf_varint_write(bytes, number));
}

static void put_text(struct rf_buffer *out, const char *text, int size)
{
    rf_assert(size >= 0);
    put_long(out, size);
    rf_buffer_append(out, text, (size_t)size);
}

static void put_double(struct rf_buffer *out, double number)
{
    uint64_t bits = 0;

    memcpy(&bits, &number, sizeof bits);
    for (unsigned shift = 0; shift < 64; shift += 8)
        rf_buffer_append_byte(out, (uint8_t)(bits >> shift));
}

static void put_header(struct rf_buffer *out, int64_t schema_id)
{
    rf_buffer_append_byte(out, 0);
    for (int i = SCHEMA_ID_SIZE - 1; i >= 0; i--)
        rf_buffer_append_byte(out, (uint8_t)((uint64_t)schema_id >> (8 * i)));
}

static void make_key(struct generator *generator)
{
    const struct settings *settings = generator->settings;
    bool is_hot = draw(generator, 100) < (uint64_t)settings->hot_percent;
    uint64_t customer = is_hot ? 0 : draw(generator, (uint64_t)settings->customers);

    generator->key_size = snprintf(generator->key, sizeof generator->key, "C%08" PRIu64, customer);
}

/* The fields in the order of schemas/call.avsc. */
static void make_value(struct generator *generator, int64_t number)
{
    const struct settings *settings = generator->settings;
    struct rf_buffer *out = &generator->value;
    int64_t span_ms = settings->days * RF_DAY_MS;
    int64_t even_ms =
        span_ms / 1000 * number / settings->events * 1000; /* in range to 10^9 events */
    int64_t late_ms = (int64_t)draw(generator, LATE_MS_MAX);
    bool is_dropped = draw(generator, 100) < DROPPED_PERCENT;
    char text[32];
    int size = 0;

    rf_buffer_clear(out);
    put_header(out, settings->schema_id);
    size = snprintf(text, sizeof text, "cdr-%010" PRId64, number);
    put_text(out, text, size);
    put_text(out, generator->key, generator->key_size);
    put_long(out, settings->start_ms + even_ms - late_ms);
    put_long(out, 1 + (int64_t)draw(generator, 2)); /* OUTGOING, INCOMING */
    put_long(out, 1);                               /* called: not null */
    size = snprintf(text, sizeof text, "+4930%07" PRIu64, draw(generator, 10000000));
    put_text(out, text, size);
    put_double(out, (double)(1 + draw(generator, 600)));
    put_long(out, is_dropped ? 2 : 1); /* DROPPED, NORMAL */
    put_long(out, 1);                  /* cell_id: not null */
    size = snprintf(text, sizeof text, "cell-%04" PRIu64, draw(generator, CELLS));
    put_text(out, text, size);
    put_double(out, (double)draw(generator, 200) / 100.0);
    rf_assert(!out->overflow);
}

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        failed_count++;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "generate: %s: %s\n", name, reason);
        exit(1);
    }
}

static rd_kafka_t *open_producer(const struct settings *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *producer = NULL;
    char reason[256];

    set(conf, "bootstrap.servers", settings->brokers);
    set(conf, "enable.idempotence", "true");
    set(conf, "partitioner", "murmur2_random");
    set(conf, "compression.codec", "lz4");
    set(conf, "linger.ms", "50");
    set(conf, "batch.size", "262144");
    set(conf, "queue.buffering.max.messages", "1000000");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (producer == NULL) {
        fprintf(stderr, "generate: %s\n", reason);
        exit(1);
    }
    return producer;
}

static void produce(rd_kafka_t *producer, rd_kafka_topic_t *topic,
                    const struct generator *generator)
{
    /* produce() takes keys and payloads that it may free, hence not const; MSG_F_COPY copies. */
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            generator->value.data, generator->value.size, generator->key,
                            (size_t)generator->key_size, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            fprintf(stderr, "generate: %s\n", rd_kafka_err2str(rd_kafka_last_error()));
            exit(1);
        }
        rd_kafka_poll(producer, 100);
    }
}

static int generate(const struct settings *settings)
{
    struct generator generator = {.settings = settings, .state = (uint64_t)settings->seed};
    rd_kafka_t *producer = open_producer(settings);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, settings->topic, NULL);
    int64_t bytes = 0;

    rf_assert(topic != NULL);
    rf_buffer_init(&generator.value, MESSAGE_BYTES_MAX);
    for (int64_t number = 0; number < settings->events; number++) {
        make_key(&generator);
        make_value(&generator, number);
        bytes += (int64_t)generator.value.size;
        produce(producer, topic, &generator);
        if (number % 1000 == 0)
            rd_kafka_poll(producer, 0);
    }
    if (rd_kafka_flush(producer, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        failed_count++;
    rf_buffer_deinit(&generator.value);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    if (failed_count > 0) {
        fprintf(stderr, "generate: %" PRId64 " messages were not stored\n", failed_count);
        return 1;
    }
    printf("%" PRId64 " events, %.1f bytes each\n", settings->events,
           (double)bytes / (double)settings->events);
    return 0;
}

static int64_t number_of(const char *text)
{
    char *end = NULL;
    long long number = strtoll(text, &end, 10);

    if (end == text || *end != '\0' || number < 0) {
        fprintf(stderr, "generate: '%s' is not a number\n", text);
        exit(2);
    }
    return number;
}

static int usage(void)
{
    fprintf(stderr, "usage: generate --brokers HOST:PORT --topic NAME [--events N] "
                    "[--customers N] [--hot PERCENT] [--schema-id N] [--start MS] [--days N] "
                    "[--seed N]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct settings settings = {.customers = 1000000,
                                .events = 5000000,
                                .schema_id = 1,
                                .start_ms = INT64_C(1767225600000), /* 2026-01-01 */
                                .days = 14,
                                .seed = 20260101};
    /* Indexed by the option's value. */
    int64_t *numbers[] = {&settings.events,    &settings.customers, &settings.hot_percent,
                          &settings.schema_id, &settings.start_ms,  &settings.days,
                          &settings.seed};
    const struct option options[] = {
        {"events", required_argument, NULL, 0},  {"customers", required_argument, NULL, 1},
        {"hot", required_argument, NULL, 2},     {"schema-id", required_argument, NULL, 3},
        {"start", required_argument, NULL, 4},   {"days", required_argument, NULL, 5},
        {"seed", required_argument, NULL, 6},    {"brokers", required_argument, NULL, 'b'},
        {"topic", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    int option = 0;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'b')
            settings.brokers = optarg;
        else if (option == 't')
            settings.topic = optarg;
        else if (option >= 0 && option < (int)(sizeof numbers / sizeof numbers[0]))
            *numbers[option] = number_of(optarg);
        else
            return usage();
    }
    if (settings.brokers == NULL || settings.topic == NULL || optind != argc ||
        settings.customers == 0 || settings.events == 0)
        return usage();
    return generate(&settings);
}
