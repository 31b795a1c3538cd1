#include "edge/stream/table.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/stream/admin.h"
#include "edge/stream/worker.h"

#define TIMEOUT_MS 15000
#define POLL_MS    100

struct reading {
    const struct rf_table_options *options;
    rd_kafka_t *observer; /* high watermarks */
    rd_kafka_t *reader;
    int32_t partition_count;
    int64_t *target; /* by partition */
    int64_t *reached;
};

static bool find_targets(struct reading *r, struct rf_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(r->partition_count);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (int32_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < r->partition_count; i++) {
        code = rd_kafka_query_watermark_offsets(r->observer, r->options->topic, i, &r->reached[i],
                                                &r->target[i], TIMEOUT_MS);
        rd_kafka_topic_partition_list_add(list, r->options->topic, i)->offset = r->reached[i];
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_assign(r->reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    return rf_error_set(err, RF_ERROR_RETRY, code, "reading %s: %s", r->options->topic,
                        rd_kafka_err2str(code));
}

static bool is_complete(const struct reading *r)
{
    for (int32_t i = 0; i < r->partition_count; i++) {
        if (r->reached[i] < r->target[i])
            return false;
    }
    return true;
}

static bool take(struct reading *r, const rd_kafka_message_t *message,
                 const struct rf_table_listener *listener, struct rf_error *err)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        r->reached[message->partition] = message->offset;
        return true;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rf_error_set(err, RF_ERROR_RETRY, message->err, "reading %s: %s", r->options->topic,
                            rd_kafka_message_errstr(message));
    r->reached[message->partition] = message->offset + 1;
    listener->record(listener->self, message->partition,
                     rf_bytes_of(message->key, message->key_len),
                     rf_bytes_of(message->payload, message->len), message->offset);
    return true;
}

static bool read_to_end(struct reading *r, const struct rf_table_listener *listener,
                        struct rf_error *err)
{
    bool ok = true;
    int64_t heard_ms = rf_now_ms();

    while (ok && !is_complete(r)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(r->reader, POLL_MS);

        if (message == NULL) {
            if (rf_now_ms() - heard_ms > 2 * TIMEOUT_MS)
                ok = rf_error_set(err, RF_ERROR_RETRY, 0,
                                  "reading %s: kafka has stopped answering, or a transaction"
                                  " is open for longer than usual",
                                  r->options->topic);
            continue;
        }
        heard_ms = rf_now_ms();
        ok = take(r, message, listener, err);
        rd_kafka_message_destroy(message);
    }
    return ok;
}

bool rf_table_read(const struct rf_table_options *options, const struct rf_table_listener *listener,
                   struct rf_error *err)
{
    struct reading r = {.options = options};
    bool ok = false;

    r.observer = rf_client_reader(options->kafka, options->kafka_count, options->app, false, err);
    if (r.observer == NULL ||
        !rf_admin_count_partitions(r.observer, options->topic, &r.partition_count, err))
        goto out;
    r.reader = rf_client_reader(options->kafka, options->kafka_count, options->app, true, err);
    r.target = calloc((size_t)r.partition_count, sizeof *r.target);
    r.reached = calloc((size_t)r.partition_count, sizeof *r.reached);
    rf_assert(r.target != NULL);
    rf_assert(r.reached != NULL);
    listener->partitions(listener->self, r.partition_count);
    ok = r.reader != NULL && find_targets(&r, err) && read_to_end(&r, listener, err);
out:
    free(r.target);
    free(r.reached);
    if (r.reader != NULL)
        rd_kafka_destroy(r.reader);
    if (r.observer != NULL)
        rd_kafka_destroy(r.observer);
    return ok;
}
