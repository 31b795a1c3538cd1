/* The producer's life, and how the task's outbox and records become messages. */
#include "edge/stream/producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_quarantine.h"
#include "edge/stream/client.h"
#include "edge/stream/headers.h"
#include "edge/stream/outgoing.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"
#include "edge/sys/failpoint.h"
#include "edge/sys/log.h"

#define INIT_TIMEOUT_MS     30000
#define QUEUE_FULL_WAIT_MS  50
#define DEAD_LETTER_HEADERS 10
#define LETTER_OVERHEAD     1024 /* ringfold's own headers without their texts, and what Kafka adds */
#define BATCH_MAX           1024

/* What a delivery report needs to know of an outbox message; in the transaction's arena. */
struct cause {
    int32_t partition;
    uint32_t source;
    int64_t offset;
    struct rf_bytes customer; /* where the source is RF_SOURCE_TIMER */
};

/* The cause of every dead letter. */
static struct cause letter_cause;

static rd_kafka_topic_t *topic_open(struct rf_worker *worker, const char *name,
                                    struct rf_error *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(worker->producer, name, NULL);

    if (topic == NULL)
        rf_error_set(err, RF_ERROR_CONFIG, 0, "topic %s: %s", name,
                     rd_kafka_err2str(rd_kafka_last_error()));
    return topic;
}

static bool topics_open(struct rf_worker *worker, struct rf_error *err)
{
    const struct rf_plan *plan = worker->options->plan;

    worker->changelog = topic_open(worker, worker->options->changelog_topic, err);
    worker->tasks =
        worker->changelog == NULL ? NULL : topic_open(worker, worker->options->tasks_topic, err);
    worker->dead_letters =
        worker->tasks == NULL ? NULL : topic_open(worker, worker->options->dead_letter_topic, err);
    if (worker->dead_letters == NULL)
        return false;
    for (size_t i = 0; i < plan->output_count; i++) {
        worker->outputs[i] = topic_open(worker, plan->outputs[i].topic, err);
        if (worker->outputs[i] == NULL)
            return false;
    }
    return true;
}

/* Also ends whatever the former owner of the transactional id left open. */
static bool init_transactions(struct rf_worker *worker, struct rf_error *err)
{
    rd_kafka_error_t *error = NULL;
    bool retriable = false;

    if (worker->options->delivery != RF_EXACTLY_ONCE)
        return true;
    rf_worker_wait_begin(worker);
    error = rd_kafka_init_transactions(worker->producer, INIT_TIMEOUT_MS);
    rf_worker_wait_end(worker);
    if (error == NULL)
        return true;
    retriable = rd_kafka_error_is_retriable(error) || !rd_kafka_error_is_fatal(error);
    rf_error_set(err, retriable ? RF_ERROR_RETRY : RF_ERROR_LOST, rd_kafka_error_code(error),
                 "starting transactions: %s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

/* What the producer itself refuses is known beforehand. What the topic does is known as of the start: see
 * letter_refused. */
static void bound_letters(struct rf_worker *worker)
{
    char text[32] = "";
    size_t size = sizeof text;
    int64_t limit = 0;

    if (rd_kafka_conf_get(rd_kafka_conf(worker->producer), "message.max.bytes", text, &size) ==
            RD_KAFKA_CONF_OK &&
        rf_int64_parse(rf_bytes_of_text(text), &limit) && (size_t)limit < worker->letter_bytes_max)
        worker->letter_bytes_max = (size_t)limit;
}

bool rf_producer_open(struct rf_worker *worker, struct rf_error *err)
{
    rf_assert(worker->producer == NULL);
    worker->producer = rf_client_producer(worker, err);
    if (worker->producer == NULL)
        return false;
    bound_letters(worker);
    worker->meter.producers_made[worker->meter.cause]++;
    worker->renew_producer = false;
    if (topics_open(worker, err) && init_transactions(worker, err))
        return true;
    rf_producer_close(worker);
    return false;
}

static void topic_close(rd_kafka_topic_t **topic)
{
    if (*topic != NULL)
        rd_kafka_topic_destroy(*topic);
    *topic = NULL;
}

void rf_producer_close(struct rf_worker *worker)
{
    if (worker->producer == NULL)
        return;
    rd_kafka_purge(worker->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(worker->producer, 0);
    topic_close(&worker->changelog);
    topic_close(&worker->tasks);
    topic_close(&worker->dead_letters);
    for (size_t i = 0; i < worker->options->plan->output_count; i++)
        topic_close(&worker->outputs[i]);
    rf_worker_wait_begin(worker);
    rd_kafka_destroy(worker->producer);
    rf_worker_wait_end(worker);
    worker->producer = NULL;
}

static void quarantine(struct rf_worker *worker, const struct cause *cause, const char *why)
{
    struct rf_slot *slot = &worker->slots[cause->partition];
    bool is_timer = cause->source == RF_SOURCE_TIMER;

    if (slot->task == NULL)
        return;
    rf_log_warning(
        RF_FIELDS(rf_field_text("topic", is_timer
                                             ? RF_TIMER_TOPIC
                                             : worker->options->plan->sources[cause->source].topic),
                  rf_field_int("partition", cause->partition),
                  rf_field_int("offset", cause->offset), rf_field_text("why", why)),
        is_timer ? "a timer becomes a dead letter: what it causes cannot be produced"
                 : "an input becomes a dead letter: what it causes cannot be produced");
    if (is_timer)
        rf_task_quarantine_timer(slot->task, cause->customer, cause->offset, why);
    else
        rf_task_quarantine(slot->task, cause->source, cause->offset, why);
    worker->quarantined = true;
}

/* Errors that the same message will meet again. Everything else heals, or makes the commit fail by itself. */
static bool is_the_messages_fault(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_MSG ||
           code == RD_KAFKA_RESP_ERR_INVALID_RECORD || code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE;
}

/* The topic takes less than was known: less of each letter is kept from here on, down to where it came from and why. */
static void letter_refused(struct rf_worker *worker)
{
    const char *topic = worker->options->dead_letter_topic;

    if (worker->letter_bytes_max == 0 && worker->fatal.kind == RF_ERROR_NONE)
        rf_error_set(&worker->fatal, RF_ERROR_CONFIG, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                     "topic %s refuses the smallest dead letter as too large; raise its"
                     " max.message.bytes to the default",
                     topic);
    worker->letter_bytes_max /= 2;
    if (worker->letter_bytes_max < LETTER_OVERHEAD)
        worker->letter_bytes_max = 0;
    rf_log_warning(RF_FIELDS(rf_field_text("topic", topic),
                             rf_field_int("bytes", (int64_t)worker->letter_bytes_max)),
                   "a dead letter is too large for its topic; less of it is kept");
}

static void blame(struct rf_worker *worker, const struct cause *cause, const char *why)
{
    if (cause == &letter_cause)
        letter_refused(worker);
    else
        quarantine(worker, cause, why);
}

static void changelog_delivered(struct rf_worker *worker, const rd_kafka_message_t *message)
{
    struct rf_slot *slot = &worker->slots[message->partition];

    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        slot->changelog_acknowledged++;
        if (message->offset > slot->changelog_last)
            slot->changelog_last = message->offset;
    } else if (is_the_messages_fault(message->err) && slot->task != NULL) {
        rf_task_quarantine_customer(
            slot->task, rf_bytes_of(message->key, message->key_len),
            "the customer's record is larger than the changelog topic allows");
        worker->quarantined = true;
    }
}

void rf_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct rf_worker *worker = opaque;
    const struct cause *cause = message->_private;

    (void)rk;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        worker->undelivered = true;
    if (message->rkt == worker->changelog)
        changelog_delivered(worker, message);
    else if (cause != NULL && is_the_messages_fault(message->err))
        blame(worker, cause, rd_kafka_err2str(message->err));
}

/* What a failed call to produce means. */
static enum rf_transaction_input produce_failed(struct rf_worker *worker, rd_kafka_resp_err_t code,
                                                const char *topic)
{
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(worker->producer, QUEUE_FULL_WAIT_MS);
        return RF_INPUT_RETRY;
    }
    rf_log_warning(
        RF_FIELDS(rf_field_text("topic", topic), rf_field_text("reason", rd_kafka_err2str(code))),
        "producing failed");
    return code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__STATE
               ? RF_INPUT_UNKNOWN
               : RF_INPUT_ABORTABLE;
}

/* Headers stay the caller's where the call fails. */
static enum rf_transaction_input produce(struct rf_worker *worker, struct rf_outgoing *out)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    do {
        code = rf_outgoing_produce(worker->producer, out);
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
             produce_failed(worker, code, rd_kafka_topic_name(out->topic)) == RF_INPUT_RETRY);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return RF_INPUT_OK;
    if (is_the_messages_fault(code) && out->cause != NULL) {
        blame(worker, out->cause, rd_kafka_err2str(code));
        return RF_INPUT_ABORTABLE;
    }
    return produce_failed(worker, code, rd_kafka_topic_name(out->topic));
}

static struct cause *remember_cause(struct rf_worker *worker, const struct rf_out *out)
{
    struct cause *cause = rf_arena_alloc(&worker->arena, sizeof *cause);

    *cause = (struct cause){.partition = out->cause.partition,
                            .source = out->cause_source,
                            .offset = out->cause.offset};
    if (out->cause_source == RF_SOURCE_TIMER)
        cause->customer = rf_arena_copy(&worker->arena, out->cause_customer);
    return cause;
}

static enum rf_transaction_input produce_headed(struct rf_worker *worker, struct rf_outgoing *out)
{
    enum rf_transaction_input input = produce(worker, out);

    if (input != RF_INPUT_OK)
        rd_kafka_headers_destroy(out->headers);
    return input;
}

static enum rf_transaction_input produce_derived(struct rf_worker *worker, const struct rf_out *out)
{
    const struct rf_derived *derived = out->as.derived;
    const struct rf_stream_output *output = &worker->options->outputs[derived->output];
    struct rf_header headers[RF_CLOUDEVENTS_HEADERS];
    size_t header_count =
        rf_derived_headers(worker->options->plan, derived, &worker->arena, headers);
    struct rf_error err = {0};
    struct rf_outgoing message = {
        .topic = worker->outputs[derived->output],
        .partition = RD_KAFKA_PARTITION_UA,
        .key = rf_derived_key(worker->options->plan, derived, &worker->arena),
        .cause = remember_cause(worker, out),
    };

    rf_buffer_clear(&worker->buffer);
    if (!rf_derived_encode(output->codec, derived, &output->wire, &worker->buffer, &err)) {
        quarantine(worker, message.cause, err.message);
        return RF_INPUT_ABORTABLE;
    }
    message.value = rf_buffer_bytes(&worker->buffer);
    message.headers = rd_kafka_headers_new(header_count);
    for (size_t i = 0; i < header_count; i++)
        rd_kafka_header_add(message.headers, headers[i].name, -1, headers[i].value.data,
                            (ssize_t)headers[i].value.size);
    return produce_headed(worker, &message);
}

static enum rf_transaction_input produce_tombstone(struct rf_worker *worker,
                                                   const struct rf_out *out)
{
    struct rf_outgoing message = {
        .topic = worker->outputs[out->as.tombstone.output],
        .partition = RD_KAFKA_PARTITION_UA,
        .key = out->as.tombstone.key,
        .cause = remember_cause(worker, out),
    };

    return produce(worker, &message);
}

static void add_text_header(rd_kafka_headers_t *headers, const char *name, const char *text)
{
    rd_kafka_header_add(headers, name, -1, text, (ssize_t)strlen(text));
}

static void add_number_header(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)number);
    add_text_header(headers, name, text);
}

/* What of a letter there is room for. Where something is left out its headers say so, and where to find it. */
struct letter_parts {
    bool value, headers, key;
};

static struct letter_parts parts_of(const struct rf_worker *worker,
                                    const struct rf_dead_letter *letter)
{
    const struct rf_input *input = &letter->input;
    size_t own = LETTER_OVERHEAD + strlen(input->position.topic) + strlen(letter->error_class) +
                 strlen(letter->message);
    size_t room = worker->letter_bytes_max > own ? worker->letter_bytes_max - own : 0;

    return (struct letter_parts){
        .value = input->key.size + input->headers.size + input->value.size <= room,
        .headers = input->key.size + input->headers.size <= room,
        .key = input->key.size <= room,
    };
}

static void add_letter_headers(const struct rf_dead_letter *letter, struct letter_parts parts,
                               rd_kafka_headers_t *headers)
{
    char time[RF_TIME_TEXT_MAX] = "";

    if (letter->input.broker_time != RF_MS_MIN)
        rf_time_format_ms(time, sizeof time, letter->input.broker_time);
    if (parts.headers)
        rf_headers_unpack(letter->input.headers, headers);
    add_text_header(headers, "ringfold-topic", letter->input.position.topic);
    add_number_header(headers, "ringfold-partition", letter->input.position.partition);
    add_number_header(headers, "ringfold-offset", letter->input.position.offset);
    add_text_header(headers, "ringfold-time", time);
    add_text_header(headers, "ringfold-error-class", letter->error_class);
    add_text_header(headers, "ringfold-error-message", letter->message);
    if (!parts.value)
        add_number_header(headers, "ringfold-value-omitted", (int64_t)letter->input.value.size);
    if (!parts.headers)
        add_number_header(headers, "ringfold-headers-omitted", (int64_t)letter->input.headers.size);
    if (!parts.key)
        add_number_header(headers, "ringfold-key-omitted", (int64_t)letter->input.key.size);
}

static enum rf_transaction_input produce_dead_letter(struct rf_worker *worker,
                                                     const struct rf_out *out)
{
    const struct rf_dead_letter *letter = out->as.dead_letter;
    struct letter_parts parts = parts_of(worker, letter);
    struct rf_outgoing message = {
        .topic = worker->dead_letters,
        .partition = letter->input.position.partition,
        .key = parts.key ? letter->input.key : (struct rf_bytes){0},
        .value = parts.value ? letter->input.value : (struct rf_bytes){0},
        .headers = rd_kafka_headers_new(DEAD_LETTER_HEADERS),
        .cause = &letter_cause,
    };

    add_letter_headers(letter, parts, message.headers);
    return produce_headed(worker, &message);
}

static enum rf_transaction_input produce_out(struct rf_worker *worker, const struct rf_out *out)
{
    switch (out->kind) {
    case RF_OUT_DERIVED:
        return produce_derived(worker, out);
    case RF_OUT_TOMBSTONE:
        return produce_tombstone(worker, out);
    case RF_OUT_DEAD_LETTER:
        break;
    }
    return produce_dead_letter(worker, out);
}

enum rf_transaction_input rf_produce_outbox(struct rf_worker *worker, struct rf_slot *slot)
{
    size_t count = 0;
    const struct rf_out *outbox = rf_task_take_outbox(slot->task, &count);
    enum rf_transaction_input input = RF_INPUT_OK;

    for (size_t i = 0; i < count && input == RF_INPUT_OK; i++)
        input = produce_out(worker, &outbox[i]);
    rf_failpoint("after_produce_outbox");
    return input;
}

/* One call for up to BATCH_MAX records; the ones that did not fit into the queue are tried again. */
static enum rf_transaction_input produce_batch(struct rf_worker *worker, int32_t partition,
                                               rd_kafka_message_t *messages, size_t count)
{
    while (count > 0) {
        int taken = rd_kafka_produce_batch(worker->changelog, partition, RD_KAFKA_MSG_F_COPY,
                                           messages, (int)count);
        size_t kept = 0;
        enum rf_transaction_input input = RF_INPUT_OK;

        if ((size_t)taken == count)
            return RF_INPUT_OK;
        for (size_t i = 0; i < count; i++) {
            if (messages[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
                continue;
            if (is_the_messages_fault(messages[i].err)) {
                rf_task_quarantine_customer(
                    worker->slots[partition].task,
                    rf_bytes_of(messages[i].key, messages[i].key_len),
                    "the customer's record is larger than message.max.bytes");
                return RF_INPUT_ABORTABLE;
            }
            input = produce_failed(worker, messages[i].err, worker->options->changelog_topic);
            if (input != RF_INPUT_RETRY)
                return input;
            messages[kept++] = messages[i];
        }
        count = kept;
    }
    return RF_INPUT_OK;
}

static enum rf_transaction_input produce_sealed(struct rf_worker *worker, struct rf_slot *slot,
                                                const struct rf_sealed *sealed, size_t sealed_count)
{
    rd_kafka_message_t messages[BATCH_MAX];
    enum rf_transaction_input input = RF_INPUT_OK;

    for (size_t at = 0; at < sealed_count && input == RF_INPUT_OK; at += BATCH_MAX) {
        size_t count = sealed_count - at < BATCH_MAX ? sealed_count - at : BATCH_MAX;

        memset(messages, 0, count * sizeof *messages);
        for (size_t i = 0; i < count; i++) {
            messages[i].key = (void *)(uintptr_t)sealed[at + i].customer.data;
            messages[i].key_len = sealed[at + i].customer.size;
            messages[i].payload = (void *)(uintptr_t)sealed[at + i].record.data;
            messages[i].len = sealed[at + i].record.size;
        }
        input = produce_batch(worker, slot->partition, messages, count);
        rd_kafka_poll(worker->producer, 0);
    }
    slot->changelog_produced += sealed_count;
    return input;
}

/* Once per assignment: a store that is rebuilt from nothing learns from it who wrote the records. */
static enum rf_transaction_input produce_schema(struct rf_worker *worker, struct rf_slot *slot)
{
    char name[RF_LAYOUT_NAME_MAX];
    size_t name_size = rf_layouts_name(&worker->options->record_wire, name);
    struct rf_outgoing message = {
        .topic = worker->tasks,
        .partition = slot->partition,
        .key = rf_bytes_of(name, name_size),
        .value = rf_bytes_of_text(rf_customer_codec_schema_text(worker->options->customer_codec)),
    };

    return slot->schema_written ? RF_INPUT_OK : produce(worker, &message);
}

enum rf_transaction_input rf_produce_state(struct rf_worker *worker, struct rf_slot *slot)
{
    static const char key[] = "state";
    struct rf_outgoing message = {
        .topic = worker->tasks,
        .partition = slot->partition,
        .key = rf_bytes_of(key, sizeof key - 1),
    };

    rf_buffer_clear(&worker->buffer);
    rf_task_write_state(slot->task, slot->sent, &worker->buffer);
    message.value = rf_buffer_bytes(&worker->buffer);
    return produce(worker, &message);
}

enum rf_transaction_input rf_produce_records(struct rf_worker *worker, struct rf_slot *slot)
{
    const struct rf_sealed *sealed = NULL;
    size_t sealed_count = 0;
    struct rf_error err = {0};
    enum rf_transaction_input input = RF_INPUT_OK;

    if (!rf_task_seal(slot->task, &sealed, &sealed_count, &err)) {
        rf_log_warning(RF_FIELDS(rf_field_int("partition", slot->partition),
                                 rf_field_text("reason", err.message)),
                       "a customer's record is too large; its last event becomes a dead letter");
        return RF_INPUT_ABORTABLE;
    }
    input = produce_sealed(worker, slot, sealed, sealed_count);
    if (input == RF_INPUT_OK)
        input = produce_schema(worker, slot);
    return input;
}
