/* What the operator configures comes before what is pinned here, which edge/config has refused to take from him. */
#include "edge/stream/client.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "edge/stream/assignment.h"
#include "edge/stream/metadata.h"
#include "edge/stream/producer.h"
#include "edge/stream/watch.h"
#include "edge/stream/worker.h"
#include "edge/sys/log.h"

#define PRODUCER_TRANSACTION_TIMEOUT_MS "15000"
/* A broker refuses a batch as a whole: below what any topic allows it is one message that is refused. */
#define SMALL_BATCH_BYTES        "16384"
#define QUEUED_MESSAGE_COST      6 /* what a queued message takes, in its size */
#define RESTORER_KBYTES_MIN      4096
#define RESTORER_KBYTES_MAX      65536 /* librdkafka's default */
#define BATCH_BYTES_DEFAULT      1000000
#define BATCH_BYTES_DEFAULT_TEXT "1000000"

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct rf_error *err)
{
    char why[RF_ERROR_MESSAGE_MAX / 2] = "";

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return true;
    return rf_error_set(err, RF_ERROR_CONFIG, 0, "kafka property %s: %s", name, why);
}

struct setting {
    const char *name;
    const char *value;
};

/* What a handle is made with, in this order; each list of settings ends with a name that is NULL, or is NULL. */
struct settings {
    const struct setting *defaults, *more_defaults;
    const struct rf_property *kafka; /* the operator's */
    size_t kafka_count;
    const struct setting *pinned, *more_pinned;
};

static bool set_all(rd_kafka_conf_t *conf, const struct setting *list, struct rf_error *err)
{
    for (; list != NULL && list->name != NULL; list++) {
        if (!set(conf, list->name, list->value, err))
            return false;
    }
    return true;
}

/* For what newer versions of the library have. */
static void set_if_known(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[64];

    (void)rd_kafka_conf_set(conf, name, value, why, sizeof why);
}

static void log_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const struct rf_log_field *fields =
        RF_FIELDS(rf_field_text("client", rd_kafka_name(rk)), rf_field_text("facility", facility));

    if (level <= 3)
        rf_log_error(fields, "kafka: %s", text);
    else if (level == 4)
        rf_log_warning(fields, "kafka: %s", text);
    else
        rf_log_debug(fields, "kafka: %s", text);
}

/* Properties of librdkafka that name a group's or a producer's own setting reach only the handles they are for:
 * it warns about the others, and the operator could do nothing about that. */
static bool is_for(const char *name, rd_kafka_type_t type)
{
    static const char *const consumer_only[] = {"queued.",
                                                "fetch.",
                                                "session.timeout.ms",
                                                "heartbeat.interval.ms",
                                                "max.poll.interval.ms",
                                                "check.crcs"};
    static const char *const producer_only[] = {
        "queue.buffering.", "linger.ms",          "batch.",           "compression.",
        "transaction.",     "message.timeout.ms", "retry.backoff.ms", "delivery.timeout.ms"};
    const char *const *others = type == RD_KAFKA_CONSUMER ? producer_only : consumer_only;
    size_t count = type == RD_KAFKA_CONSUMER ? sizeof producer_only / sizeof *producer_only
                                             : sizeof consumer_only / sizeof *consumer_only;

    for (size_t i = 0; i < count; i++) {
        if (strncmp(name, others[i], strlen(others[i])) == 0)
            return false;
    }
    return true;
}

static bool set_configured(rd_kafka_conf_t *conf, const struct settings *settings,
                           rd_kafka_type_t type, struct rf_error *err)
{
    for (size_t i = 0; i < settings->kafka_count; i++) {
        const struct rf_property *property = &settings->kafka[i];

        if (is_for(property->name, type) && !set(conf, property->name, property->value, err))
            return false;
    }
    return true;
}

/* `conf` has the callbacks, and is consumed, also on failure. */
static rd_kafka_t *make(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                        const struct settings *settings, struct rf_error *err)
{
    char why[RF_ERROR_MESSAGE_MAX / 2] = "";
    rd_kafka_t *rk = NULL;

    rd_kafka_conf_set_log_cb(conf, log_line);
    if (!set_all(conf, settings->defaults, err) || !set_all(conf, settings->more_defaults, err) ||
        !set_configured(conf, settings, type, err) || !set_all(conf, settings->pinned, err) ||
        !set_all(conf, settings->more_pinned, err)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rk = rd_kafka_new(type, conf, why, sizeof why);
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        rf_error_set(err, RF_ERROR_CONFIG, 0, "making a kafka client: %s", why);
    } else if (type == RD_KAFKA_CONSUMER) {
        rd_kafka_poll_set_consumer(rk);
    }
    return rk;
}

static void consumer_failed(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct rf_worker *worker = opaque;

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char why[RF_ERROR_MESSAGE_MAX / 2] = "";
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(rk, why, sizeof why);

        if (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID && worker->fatal.kind == RF_ERROR_NONE)
            rf_error_set(&worker->fatal, RF_ERROR_CONFIG, (int32_t)fatal,
                         "another process runs as instance %s: give each its own 'instance'",
                         worker->options->instance);
        worker->rejoin = true;
        return;
    }
    rf_log_warning(
        RF_FIELDS(rf_field_text("worker", worker->name), rf_field_text("reason", reason)),
        "kafka consumer");
}

rd_kafka_t *rf_client_consumer(struct rf_worker *worker, struct rf_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char client_id[RF_INSTANCE_NAME_MAX + RF_ADDRESS_MAX];
    const struct setting pinned[] = {
        {"group.id", worker->options->plan->app},
        {"group.instance.id", worker->name},
        {"client.id", client_id},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "error"}, /* the default skips silently */
        {"partition.assignment.strategy", "range"},
        {"enable.partition.eof", "true"}, /* how far there is nothing more: silence.c */
        {NULL, NULL},
    };
    const struct setting defaults[] = {
        {"check.crcs", "true"},
        {"session.timeout.ms", "15000"},
        {"fetch.wait.max.ms", "100"},
        {"queued.max.messages.kbytes", "8192"}, /* a message takes four to seven times its size */
        {"queued.min.messages", "20000"},
        {NULL, NULL},
    };
    const struct settings settings = {.defaults = defaults,
                                      .kafka = worker->options->kafka,
                                      .kafka_count = worker->options->kafka_count,
                                      .pinned = pinned};

    rf_owner_name(worker->name, worker->options->http_address, client_id, sizeof client_id);
    rd_kafka_conf_set_opaque(conf, worker);
    rd_kafka_conf_set_rebalance_cb(conf, rf_rebalanced);
    set_if_known(conf, "fetch.queue.backoff.ms",
                 "20"); /* librdkafka 2.0 sleeps a second when its queue is full */
    rd_kafka_conf_set_error_cb(conf, consumer_failed);
    return make(RD_KAFKA_CONSUMER, conf, &settings, err);
}

static void producer_failed(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct rf_worker *worker = opaque;

    (void)rk;
    /* A lost connection may have swallowed the answer to an EndTxn: guard G1 in commit.c. */
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
        code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        worker->connection_failed = true;
    rf_log_warning(
        RF_FIELDS(rf_field_text("worker", worker->name), rf_field_text("reason", reason)),
        "kafka producer");
}

rd_kafka_t *rf_client_producer(struct rf_worker *worker, struct rf_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char transactional_id[256];
    char batch[32] = BATCH_BYTES_DEFAULT_TEXT;
    const struct setting pinned[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"client.id", worker->name},
        {NULL, NULL},
    };
    const struct setting defaults[] = {
        {"retry.backoff.ms", "10"}, /* the default of 100 is slept through in every commit */
        {"linger.ms", "5"},
        {"batch.size", batch},
        {"compression.type", "lz4"},
        {"socket.timeout.ms", "10000"}, /* the default of 60 s hides repeated EndTxn requests */
        {"topic.metadata.propagation.max.ms", "5000"},
        {"queue.buffering.max.messages", "1000000"},
        {"queue.buffering.max.kbytes", "32768"},
        {NULL, NULL},
    };
    const struct setting transactional[] = {
        {"transactional.id", transactional_id},
        {"transaction.timeout.ms", PRODUCER_TRANSACTION_TIMEOUT_MS},
        {"message.timeout.ms", PRODUCER_TRANSACTION_TIMEOUT_MS},
        {NULL, NULL},
    };
    const struct settings settings = {
        .defaults = defaults,
        .more_defaults = worker->options->delivery == RF_EXACTLY_ONCE ? transactional : NULL,
        .kafka = worker->options->kafka,
        .kafka_count = worker->options->kafka_count,
        .pinned = pinned};

    /* A broker refuses a batch as a whole: with batches within every topic's limit what is refused is one message, and
     * its cause is known. */
    if (worker->options->batch_bytes_max > 0 &&
        worker->options->batch_bytes_max < BATCH_BYTES_DEFAULT)
        snprintf(batch, sizeof batch, "%lld", (long long)worker->options->batch_bytes_max);
    snprintf(transactional_id, sizeof transactional_id, "%s-%s", worker->options->plan->app,
             worker->name);
    rd_kafka_conf_set_opaque(conf, worker);
    rd_kafka_conf_set_dr_msg_cb(conf, rf_delivered);
    rd_kafka_conf_set_error_cb(conf, producer_failed);
    return make(RD_KAFKA_PRODUCER, conf, &settings, err);
}

static rd_kafka_t *make_reader(const struct rf_property *kafka, size_t kafka_count,
                               const char *group, bool committed, const struct setting *more,
                               struct rf_error *err)
{
    const struct setting pinned[] = {
        {"client.id", group},
        {"group.id", group}, /* librdkafka wants one for a manual assignment too */
        {"isolation.level", committed ? "read_committed" : "read_uncommitted"},
        {"enable.auto.commit", "false"},
        {"enable.partition.eof", committed ? "true" : "false"},
        {"auto.offset.reset", "error"},
        {"check.crcs", "true"},
        {"fetch.wait.max.ms", "20"},
        {NULL, NULL},
    };
    const struct settings settings = {
        .kafka = kafka, .kafka_count = kafka_count, .pinned = pinned, .more_pinned = more};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set_if_known(conf, "fetch.queue.backoff.ms", "20");
    return make(RD_KAFKA_CONSUMER, conf, &settings, err);
}

rd_kafka_t *rf_client_restorer(const struct rf_property *kafka, size_t kafka_count,
                               const char *group, size_t memory_max, struct rf_error *err)
{
    char queued[32];
    const struct setting bounded[] = {
        {"queued.max.messages.kbytes", queued},
        {"fetch.max.bytes", "4194304"}, /* one answer, of however many partitions */
        {NULL, NULL},
    };
    size_t kbytes = memory_max / QUEUED_MESSAGE_COST / 1024;

    kbytes = kbytes < RESTORER_KBYTES_MIN   ? RESTORER_KBYTES_MIN
             : kbytes > RESTORER_KBYTES_MAX ? RESTORER_KBYTES_MAX
                                            : kbytes;
    snprintf(queued, sizeof queued, "%zu", kbytes);
    return make_reader(kafka, kafka_count, group, true, bounded, err);
}

rd_kafka_t *rf_client_reader(const struct rf_property *kafka, size_t kafka_count, const char *group,
                             bool committed, struct rf_error *err)
{
    return make_reader(kafka, kafka_count, group, committed, NULL, err);
}

rd_kafka_t *rf_client_peeker(const struct rf_property *kafka, size_t kafka_count, const char *group,
                             bool committed, struct rf_error *err)
{
    const struct setting little[] = {
        {"queued.min.messages", "1"},
        {"fetch.message.max.bytes", "65536"}, /* a larger batch comes whole, alone */
        {NULL, NULL},
    };

    return make_reader(kafka, kafka_count, group, committed, little, err);
}

rd_kafka_t *rf_client_watcher(const struct rf_property *kafka, size_t kafka_count,
                              const char *group, bool committed, struct rf_error *err)
{
    char name[RF_INSTANCE_NAME_MAX];
    const struct setting pinned[] = {
        {"client.id", name},
        {"group.id", group}, /* it never joins */
        {"isolation.level", committed ? "read_committed" : "read_uncommitted"},
        {"enable.auto.commit", "false"},
        {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"}, /* where retention has just taken the record */
        {"fetch.wait.max.ms", "20"},
        {"queued.min.messages", "1"}, /* one batch of each partition will do */
        {"queued.max.messages.kbytes", "1024"},
        {"fetch.message.max.bytes", "65536"},
        {NULL, NULL},
    };
    const struct settings settings = {.kafka = kafka, .kafka_count = kafka_count, .pinned = pinned};

    snprintf(name, sizeof name, "%s-watch", group);
    return make(RD_KAFKA_CONSUMER, rd_kafka_conf_new(), &settings, err);
}

rd_kafka_t *rf_client_admin(const struct rf_property *kafka, size_t kafka_count,
                            struct rf_error *err)
{
    static const struct setting defaults[] = {
        {"client.id", "ringfold-admin"},
        {NULL, NULL},
    };
    const struct settings settings = {
        .defaults = defaults, .kafka = kafka, .kafka_count = kafka_count};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rf_metadata_listen(conf);
    return make(RD_KAFKA_PRODUCER, conf, &settings, err);
}

rd_kafka_t *rf_client_feeder(const struct rf_property *kafka, size_t kafka_count,
                             void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message,
                                               void *opaque),
                             void *opaque, struct rf_error *err)
{
    static const struct setting defaults[] = {
        {"client.id", "ringfold-feeder"},
        {"enable.idempotence", "true"},
        {"batch.size", SMALL_BATCH_BYTES},
        {"compression.type", "lz4"},
        {NULL, NULL},
    };
    const struct settings settings = {
        .defaults = defaults, .kafka = kafka, .kafka_count = kafka_count};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_opaque(conf, opaque);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    return make(RD_KAFKA_PRODUCER, conf, &settings, err);
}

rd_kafka_t *rf_client_transactional(
    const struct rf_property *kafka, size_t kafka_count, const char *transactional_id,
    void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque),
    void *opaque, struct rf_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const struct setting defaults[] = {
        {"retry.backoff.ms", "10"},
        {"socket.timeout.ms", "10000"},
        {"batch.size", SMALL_BATCH_BYTES},
        {"compression.type", "lz4"}, /* what was compressed when it came may be too large without */
        {NULL, NULL},
    };
    const struct setting pinned[] = {
        {"client.id", transactional_id},
        {"transactional.id", transactional_id},
        {"transaction.timeout.ms", PRODUCER_TRANSACTION_TIMEOUT_MS},
        {"message.timeout.ms", PRODUCER_TRANSACTION_TIMEOUT_MS},
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {NULL, NULL},
    };

    const struct settings settings = {
        .defaults = defaults, .kafka = kafka, .kafka_count = kafka_count, .pinned = pinned};

    rd_kafka_conf_set_opaque(conf, opaque);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    return make(RD_KAFKA_PRODUCER, conf, &settings, err);
}
