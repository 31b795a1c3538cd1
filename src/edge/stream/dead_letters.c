#include "edge/stream/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "edge/stream/client.h"
#include "edge/stream/outgoing.h"
#include "edge/stream/worker.h"
#include "edge/sys/failpoint.h"

#define POLL_MS         100
#define INIT_TIMEOUT_MS 30000
#define QUEUE_WAIT_MS   50
#define HEADER_PREFIX   "ringfold-"
#define HANDLED         HEADER_PREFIX "handled"
#define ACTION          HEADER_PREFIX "action"
#define TOPIC_NAME_MAX  250 /* Kafka allows 249 */

static const char retried[] = "retried";
static const char discarded[] = "discarded";

struct mark {
    int32_t partition;
    int64_t offset;
    const char *action;
};

struct rf_letters {
    struct rf_letters_options options;
    struct rf_follow *follow;
    struct rf_letter letter;
    struct mark *marks; /* sorted */
    size_t mark_count, mark_capacity;
    rd_kafka_t *producer;       /* NULL: read only */
    bool is_open;               /* a transaction is */
    rd_kafka_resp_err_t failed; /* the first delivery that failed in it */
};

/* ---- reading ---- */

/* Where ringfold's headers begin: they come last, so that nobody's message can make up its own fate. The count of all
 * where there are none. */
static size_t find_ours(const struct rf_message *message)
{
    for (size_t i = message->header_count; i > 0; i--) {
        if (strcmp(message->headers[i - 1].name, HEADER_PREFIX "topic") == 0)
            return i - 1;
    }
    return message->header_count;
}

static struct rf_bytes header_of(const struct rf_message *message, size_t from, const char *name)
{
    for (size_t i = from; i < message->header_count; i++) {
        if (strcmp(message->headers[i].name, name) == 0)
            return message->headers[i].value;
    }
    return (struct rf_bytes){0};
}

static bool number_of(const struct rf_message *message, size_t from, const char *name,
                      int64_t *number)
{
    struct rf_bytes text = header_of(message, from, name);

    return text.data != NULL && rf_int64_parse(text, number);
}

/* False: no dead letter of ringfold's; a mark, or somebody else's message. */
static bool read_letter(const struct rf_message *message, struct rf_letter *letter)
{
    size_t ours = find_ours(message);
    int64_t partition = -1;

    *letter = (struct rf_letter){
        .message = message,
        .own_header_count = ours,
        .topic = header_of(message, ours, HEADER_PREFIX "topic"),
        .time = header_of(message, ours, HEADER_PREFIX "time"),
        .error_class = header_of(message, ours, HEADER_PREFIX "error-class"),
        .reason = header_of(message, ours, HEADER_PREFIX "error-message"),
        .value_omitted = -1,
    };
    (void)number_of(message, ours, HEADER_PREFIX "value-omitted", &letter->value_omitted);
    if (letter->topic.size == 0 || letter->topic.size >= TOPIC_NAME_MAX ||
        !number_of(message, ours, HEADER_PREFIX "partition", &partition) ||
        !number_of(message, ours, HEADER_PREFIX "offset", &letter->offset) || partition < 0 ||
        partition >= RF_PARTITIONS_MAX)
        return false;
    letter->partition = (int32_t)partition;
    return true;
}

static void take_mark(struct rf_letters *letters, const struct rf_message *message)
{
    struct rf_bytes action = header_of(message, 0, ACTION);
    struct mark mark = {.partition = message->partition};

    if (find_ours(message) != message->header_count ||
        !number_of(message, 0, HANDLED, &mark.offset))
        return;
    mark.action = rf_bytes_equal(action, rf_bytes_of_text(discarded)) ? discarded : retried;
    if (letters->mark_count == letters->mark_capacity) {
        letters->mark_capacity = letters->mark_capacity == 0 ? 64 : 2 * letters->mark_capacity;
        letters->marks =
            reallocarray(letters->marks, letters->mark_capacity, sizeof *letters->marks);
        rf_assert(letters->marks != NULL);
    }
    letters->marks[letters->mark_count++] = mark;
}

static int compare_marks(const void *a, const void *b)
{
    const struct mark *one = a;
    const struct mark *other = b;

    if (one->partition != other->partition)
        return one->partition < other->partition ? -1 : 1;
    return one->offset < other->offset ? -1 : one->offset > other->offset;
}

static const char *action_on(const struct rf_letters *letters, const struct rf_message *message)
{
    struct mark wanted = {.partition = message->partition, .offset = message->offset};
    const struct mark *found = letters->mark_count == 0
                                   ? NULL
                                   : bsearch(&wanted, letters->marks, letters->mark_count,
                                             sizeof *letters->marks, compare_marks);

    return found == NULL ? NULL : found->action;
}

static struct rf_follow *open_follow(const struct rf_letters *letters, struct rf_error *err)
{
    struct rf_follow_options wanted = {
        .kafka = letters->options.kafka,
        .kafka_count = letters->options.kafka_count,
        .client = letters->options.app,
        .topics = &letters->options.topic,
        .topic_count = 1,
        .from = letters->options.since == RF_MS_MIN ? RF_FOLLOW_BEGINNING : RF_FOLLOW_SINCE,
        .since = letters->options.since,
        .to_end = true,
    };

    return rf_follow_open(&wanted, err);
}

/* Marks stand behind their letters, so those of letters since an instant are since it, too. */
static bool read_marks(struct rf_letters *letters, struct rf_error *err)
{
    struct rf_follow *follow = open_follow(letters, err);
    const struct rf_message *message = NULL;
    bool ok = follow != NULL;

    while (ok && !rf_follow_is_done(follow)) {
        ok = rf_follow_next(follow, POLL_MS, &message, err);
        if (ok && message != NULL)
            take_mark(letters, message);
    }
    rf_follow_close(follow);
    if (letters->mark_count > 0)
        qsort(letters->marks, letters->mark_count, sizeof *letters->marks, compare_marks);
    return ok;
}

bool rf_letters_next(struct rf_letters *letters, const struct rf_letter **letter,
                     struct rf_error *err)
{
    const struct rf_message *message = NULL;

    *letter = NULL;
    while (*letter == NULL && !rf_follow_is_done(letters->follow)) {
        if (!rf_follow_next(letters->follow, POLL_MS, &message, err))
            return false;
        if (message == NULL || !read_letter(message, &letters->letter))
            continue;
        letters->letter.handled = action_on(letters, message);
        *letter = &letters->letter;
    }
    return true;
}

/* ---- transactions ---- */

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct rf_letters *letters = opaque;

    (void)rk;
    if (letters->failed == RD_KAFKA_RESP_ERR_NO_ERROR)
        letters->failed = message->err;
}

/* Takes the error. What another process did to us is LOST, everything else may be tried again from the beginning. */
static bool failed(rd_kafka_error_t *error, const char *doing, struct rf_error *err)
{
    bool fatal = rd_kafka_error_is_fatal(error);

    rf_error_set(err, fatal ? RF_ERROR_LOST : RF_ERROR_RETRY, rd_kafka_error_code(error),
                 "%s: %s%s", doing, rd_kafka_error_string(error),
                 fatal ? " (does another process handle dead letters? once it has ended, the same"
                         " command goes on)"
                       : "");
    rd_kafka_error_destroy(error);
    return false;
}

/* Also ends, and waits for the end of, whatever a former holder of the id has left open. */
static bool open_producer(struct rf_letters *letters, struct rf_error *err)
{
    char id[256];
    rd_kafka_error_t *error = NULL;

    snprintf(id, sizeof id, "%s-dlq-tool", letters->options.app);
    letters->producer = rf_client_transactional(
        letters->options.kafka, letters->options.kafka_count, id, delivered, letters, err);
    if (letters->producer == NULL)
        return false;
    error = rd_kafka_init_transactions(letters->producer, INIT_TIMEOUT_MS);
    rf_failpoint("letters_after_init");
    return error == NULL || failed(error, "starting transactions", err);
}

static bool begin(struct rf_letters *letters, struct rf_error *err)
{
    rd_kafka_error_t *error = NULL;

    if (letters->is_open)
        return true;
    error = rd_kafka_begin_transaction(letters->producer);
    letters->is_open = error == NULL;
    letters->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    return error == NULL || failed(error, "beginning a transaction", err);
}

/* Headers are taken, also on failure. */
static bool produce(struct rf_letters *letters, struct rf_outgoing *out, struct rf_error *err)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    do {
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(letters->producer, QUEUE_WAIT_MS);
        code = rf_outgoing_produce(letters->producer, out);
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    rd_kafka_poll(letters->producer, 0);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    rd_kafka_headers_destroy(out->headers);
    return rf_error_set(
        err, code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? RF_ERROR_RECORD : RF_ERROR_RETRY, code,
        "writing to %s partition %" PRId32 ": %s", out->topic_name, out->partition,
        rd_kafka_err2str(code));
}

static bool produce_mark(struct rf_letters *letters, const struct rf_letter *letter,
                         const char *action, struct rf_error *err)
{
    char offset[24];
    int size = snprintf(offset, sizeof offset, "%" PRId64, letter->message->offset);
    struct rf_outgoing out = {
        .topic_name = letters->options.topic,
        .partition = letter->message->partition,
        .headers = rd_kafka_headers_new(2),
    };

    rd_kafka_header_add(out.headers, HANDLED, -1, offset, size);
    rd_kafka_header_add(out.headers, ACTION, -1, action, (ssize_t)strlen(action));
    return produce(letters, &out, err);
}

/* Those that the sender gave it. A null value stays one. */
static rd_kafka_headers_t *own_headers(const struct rf_letter *letter)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(letter->own_header_count);

    for (size_t i = 0; i < letter->own_header_count; i++) {
        const struct rf_header *header = &letter->message->headers[i];

        rd_kafka_header_add(headers, header->name, -1, header->value.data,
                            header->value.data == NULL ? 0 : (ssize_t)header->value.size);
    }
    return headers;
}

bool rf_letters_retry(struct rf_letters *letters, const struct rf_letter *letter, bool keep_time,
                      struct rf_error *err)
{
    char topic[TOPIC_NAME_MAX];
    struct rf_outgoing out = {
        .topic_name = topic,
        .partition = letter->partition,
        .key = letter->message->key,
        .value = letter->message->value,
    };

    rf_assert(letters->producer != NULL);
    rf_assert(letter->handled == NULL);
    snprintf(topic, sizeof topic, "%.*s", (int)letter->topic.size,
             (const char *)letter->topic.data);
    if (letter->value_omitted >= 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "its value of %" PRId64
                            " bytes was too large to be kept, or what is around it: it is in %s,"
                            " partition %" PRId32 ", offset %" PRId64
                            ", as long as that topic keeps it",
                            letter->value_omitted, topic, letter->partition, letter->offset);
    if (keep_time && !rf_time_parse_ms(letter->time, &out.time))
        out.time = 0;
    if (!begin(letters, err))
        return false;
    out.headers = own_headers(letter);
    if (!produce(letters, &out, err))
        return false;
    rf_failpoint("letters_after_message");
    if (!produce_mark(letters, letter, retried, err))
        return false;
    rf_failpoint("letters_after_mark");
    return true;
}

bool rf_letters_discard(struct rf_letters *letters, const struct rf_letter *letter,
                        struct rf_error *err)
{
    rf_assert(letters->producer != NULL);
    rf_assert(letter->handled == NULL);
    return begin(letters, err) && produce_mark(letters, letter, discarded, err);
}

/* False, with the error taken, where what became of the transaction is not known or it was given up. */
static bool commit(struct rf_letters *letters, struct rf_error *err)
{
    rd_kafka_error_t *error = NULL;

    do {
        if (error != NULL)
            rd_kafka_error_destroy(error);
        error = rd_kafka_commit_transaction(letters->producer, -1);
    } while (error != NULL && rd_kafka_error_is_retriable(error));
    return error == NULL || failed(error,
                                   "committing (what was put back is marked, the same command"
                                   " goes on with the rest)",
                                   err);
}

bool rf_letters_commit(struct rf_letters *letters, struct rf_error *err)
{
    if (!letters->is_open)
        return true;
    rf_assert(letters->producer != NULL);
    rd_kafka_flush(letters->producer, INIT_TIMEOUT_MS);
    if (letters->failed != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rf_error_set(err, RF_ERROR_RETRY, letters->failed,
                            "writing: %s (nothing since the last commit was done)",
                            rd_kafka_err2str(letters->failed));
    rf_failpoint("letters_before_commit");
    if (!commit(letters, err))
        return false;
    letters->is_open = false;
    rf_failpoint("letters_after_commit");
    return true;
}

/* ---- life ---- */

/* The order matters: who had the id before is fenced, and their transaction over, before marks are looked for. */
struct rf_letters *rf_letters_open(const struct rf_letters_options *options, bool to_handle,
                                   struct rf_error *err)
{
    struct rf_letters *letters = calloc(1, sizeof *letters);

    rf_assert(letters != NULL);
    letters->options = *options;
    if ((!to_handle || open_producer(letters, err)) && read_marks(letters, err)) {
        letters->follow = open_follow(letters, err);
        if (letters->follow != NULL)
            return letters;
    }
    rf_letters_close(letters);
    return NULL;
}

static void abandon(struct rf_letters *letters)
{
    rd_kafka_error_t *error = rd_kafka_abort_transaction(letters->producer, INIT_TIMEOUT_MS);

    if (error != NULL)
        rd_kafka_error_destroy(error); /* the broker ends it when its time is over */
}

void rf_letters_close(struct rf_letters *letters)
{
    if (letters == NULL)
        return;
    rf_follow_close(letters->follow);
    if (letters->producer != NULL) {
        if (letters->is_open)
            abandon(letters);
        rd_kafka_destroy(letters->producer);
    }
    free(letters->marks);
    free(letters);
}
