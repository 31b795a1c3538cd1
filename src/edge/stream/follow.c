#include "edge/stream/follow.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "edge/stream/admin.h"
#include "edge/stream/client.h"
#include "edge/sys/clock.h"

#define TIMEOUT_MS  15000
#define SILENT_MS   (2 * TIMEOUT_MS) /* before the end: kafka is away, or a transaction hangs */
#define ARENA_CHUNK 4096

struct place {
    int64_t from, reached, target; /* offsets; `target` with to_end only */
};

struct rf_follow {
    struct rf_follow_options options;
    rd_kafka_t *observer; /* high watermarks */
    rd_kafka_t *reader;
    int32_t *partitions;      /* by topic */
    struct place **places;    /* by topic and partition */
    rd_kafka_message_t *held; /* what `message` points into */
    struct rf_message message;
    struct rf_arena arena; /* of its headers */
    int64_t heard_ms;
};

/* ---- opening ---- */

static bool count_partitions(struct rf_follow *follow, struct rf_error *err)
{
    for (size_t i = 0; i < follow->options.topic_count; i++) {
        if (!rf_admin_count_partitions(follow->observer, follow->options.topics[i],
                                       &follow->partitions[i], err))
            return false;
        follow->places[i] = calloc((size_t)follow->partitions[i], sizeof *follow->places[i]);
        rf_assert(follow->places[i] != NULL);
    }
    return true;
}

static struct place *find_place(const struct rf_follow *follow, const char *topic,
                                int32_t partition, size_t *index)
{
    for (size_t i = 0; i < follow->options.topic_count; i++) {
        if (strcmp(follow->options.topics[i], topic) == 0 && partition >= 0 &&
            partition < follow->partitions[i]) {
            *index = i;
            return &follow->places[i][partition];
        }
    }
    return NULL;
}

/* Sets `from` of every place, from what `offset` means to Kafka: an instant, or one of its logical offsets. */
static bool ask_offsets(struct rf_follow *follow, rd_kafka_t *rk, int64_t offset,
                        rd_kafka_topic_partition_list_t **list, struct rf_error *err)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    *list = rd_kafka_topic_partition_list_new(16);
    for (size_t i = 0; i < follow->options.topic_count; i++) {
        for (int32_t p = 0; p < follow->partitions[i]; p++)
            rd_kafka_topic_partition_list_add(*list, follow->options.topics[i], p)->offset = offset;
    }
    code = rd_kafka_offsets_for_times(rk, *list, TIMEOUT_MS);
    for (int i = 0; i < (*list)->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        code = (*list)->elems[i].err;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           rf_error_set(err, RF_ERROR_RETRY, code, "asking where %s begins and ends: %s",
                        follow->options.topics[0], rd_kafka_err2str(code));
}

static bool find_targets(struct rf_follow *follow, struct rf_error *err)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    bool ok = ask_offsets(follow, follow->observer, RD_KAFKA_OFFSET_END, &list, err);
    size_t topic = 0;

    for (int i = 0; ok && i < list->cnt; i++)
        find_place(follow, list->elems[i].topic, list->elems[i].partition, &topic)->target =
            list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

/* The end is asked for as the reader sees it, the last stable offset: what is in an open transaction now is still to
 * come. An instant after the last message is the end, too. */
static bool assign(struct rf_follow *follow, struct rf_error *err)
{
    static const int64_t logical[] = {
        [RF_FOLLOW_BEGINNING] = RD_KAFKA_OFFSET_BEGINNING, [RF_FOLLOW_END] = RD_KAFKA_OFFSET_END};
    int64_t wanted = follow->options.from == RF_FOLLOW_SINCE ? follow->options.since
                                                             : logical[follow->options.from];
    rd_kafka_topic_partition_list_t *list = NULL;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    bool ok = ask_offsets(follow, follow->reader, wanted, &list, err);
    size_t topic = 0;

    for (int i = 0; ok && i < list->cnt; i++) {
        struct place *place =
            find_place(follow, list->elems[i].topic, list->elems[i].partition, &topic);

        if (list->elems[i].offset < 0 && follow->options.to_end)
            list->elems[i].offset = place->target;
        place->from = place->reached = list->elems[i].offset;
    }
    if (ok)
        code = rd_kafka_assign(follow->reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rf_error_set(err, RF_ERROR_RETRY, code, "reading %s: %s", follow->options.topics[0],
                            rd_kafka_err2str(code));
    return ok;
}

static bool start(struct rf_follow *follow, struct rf_error *err)
{
    const struct rf_follow_options *options = &follow->options;

    follow->observer =
        rf_client_reader(options->kafka, options->kafka_count, options->client, false, err);
    if (follow->observer == NULL || !count_partitions(follow, err))
        return false;
    follow->reader =
        rf_client_reader(options->kafka, options->kafka_count, options->client, true, err);
    follow->heard_ms = rf_clock_monotonic_ms();
    return follow->reader != NULL && (!options->to_end || find_targets(follow, err)) &&
           assign(follow, err);
}

struct rf_follow *rf_follow_open(const struct rf_follow_options *options, struct rf_error *err)
{
    struct rf_follow *follow = calloc(1, sizeof *follow);

    rf_assert(follow != NULL);
    rf_assert(options->topic_count > 0);
    follow->options = *options;
    rf_arena_init(&follow->arena, ARENA_CHUNK);
    follow->partitions = calloc(options->topic_count, sizeof *follow->partitions);
    follow->places = calloc(options->topic_count, sizeof(struct place *));
    rf_assert(follow->partitions != NULL);
    rf_assert(follow->places != NULL);
    if (start(follow, err))
        return follow;
    rf_follow_close(follow);
    return NULL;
}

static void let_go(struct rf_follow *follow)
{
    if (follow->held != NULL)
        rd_kafka_message_destroy(follow->held);
    follow->held = NULL;
    rf_arena_reset(&follow->arena, ARENA_CHUNK);
}

void rf_follow_close(struct rf_follow *follow)
{
    if (follow == NULL)
        return;
    let_go(follow);
    if (follow->reader != NULL)
        rd_kafka_destroy(follow->reader);
    if (follow->observer != NULL)
        rd_kafka_destroy(follow->observer);
    for (size_t i = 0; i < follow->options.topic_count; i++)
        free(follow->places[i]);
    free(follow->places);
    free(follow->partitions);
    rf_arena_deinit(&follow->arena);
    free(follow);
}

/* ---- reading ---- */

bool rf_follow_is_done(const struct rf_follow *follow)
{
    for (size_t i = 0; follow->options.to_end && i < follow->options.topic_count; i++) {
        for (int32_t p = 0; p < follow->partitions[i]; p++) {
            if (follow->places[i][p].reached < follow->places[i][p].target)
                return false;
        }
    }
    return follow->options.to_end;
}

static void take_headers(struct rf_follow *follow)
{
    rd_kafka_headers_t *headers = NULL;
    struct rf_header *made = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0;

    follow->message.header_count = 0;
    if (rd_kafka_message_headers(follow->held, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    made = rf_arena_alloc(&follow->arena, rd_kafka_header_cnt(headers) * sizeof *made);
    follow->message.headers = made;
    while (rd_kafka_header_get_all(headers, follow->message.header_count, &name, &value, &size) ==
           RD_KAFKA_RESP_ERR_NO_ERROR)
        made[follow->message.header_count++] =
            (struct rf_header){.name = name, .value = rf_bytes_of(value, value == NULL ? 0 : size)};
}

/* `held` is a message: what it says, in our words. */
static void describe(struct rf_follow *follow, size_t topic)
{
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t time = rd_kafka_message_timestamp(follow->held, &type);

    follow->message = (struct rf_message){
        .topic = (uint32_t)topic,
        .partition = follow->held->partition,
        .offset = follow->held->offset,
        .time = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? RF_MS_MIN : time,
        .key = rf_bytes_of(follow->held->key, follow->held->key_len),
        .value = rf_bytes_of(follow->held->payload, follow->held->len),
    };
    take_headers(follow);
}

/* Sets *message where `held` is one that is wanted. */
static bool take(struct rf_follow *follow, const struct rf_message **message, struct rf_error *err)
{
    const rd_kafka_message_t *held = follow->held;
    const char *name =
        held->rkt == NULL ? follow->options.topics[0] : rd_kafka_topic_name(held->rkt);
    size_t topic = 0;
    struct place *place = find_place(follow, name, held->partition, &topic);

    if (held->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && place != NULL) {
        place->reached = held->offset;
        return true;
    }
    if (held->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rf_error_set(err, RF_ERROR_RETRY, held->err, "reading %s: %s", name,
                            rd_kafka_message_errstr(held));
    rf_assert(place != NULL);
    if (follow->options.to_end && held->offset >= place->target) {
        place->reached = place->target;
        return true;
    }
    place->reached = held->offset + 1;
    describe(follow, topic);
    *message = &follow->message;
    return true;
}

bool rf_follow_next(struct rf_follow *follow, int timeout_ms, const struct rf_message **message,
                    struct rf_error *err)
{
    int64_t until_ms = rf_clock_monotonic_ms() + timeout_ms;

    *message = NULL;
    while (*message == NULL && !rf_follow_is_done(follow)) {
        int64_t left_ms = until_ms - rf_clock_monotonic_ms();

        let_go(follow);
        follow->held = rd_kafka_consumer_poll(follow->reader, left_ms < 0 ? 0 : (int)left_ms);
        if (follow->held == NULL && follow->options.to_end &&
            rf_clock_monotonic_ms() - follow->heard_ms > SILENT_MS)
            return rf_error_set(err, RF_ERROR_RETRY, 0,
                                "reading %s: kafka has stopped answering, or a transaction is open"
                                " for longer than usual",
                                follow->options.topics[0]);
        if (follow->held == NULL)
            return true;
        follow->heard_ms = rf_clock_monotonic_ms();
        if (!take(follow, message, err))
            return false;
    }
    return true;
}

int32_t rf_follow_partitions(const struct rf_follow *follow, size_t topic)
{
    rf_assert(topic < follow->options.topic_count);
    return follow->partitions[topic];
}

static uint64_t sum(const struct rf_follow *follow, bool total)
{
    uint64_t offsets = 0;

    for (size_t i = 0; i < follow->options.topic_count; i++) {
        for (int32_t p = 0; p < follow->partitions[i]; p++) {
            const struct place *place = &follow->places[i][p];
            int64_t until = total ? place->target : place->reached;
            offsets += until > place->from ? (uint64_t)(until - place->from) : 0;
        }
    }
    return offsets;
}

uint64_t rf_follow_total(const struct rf_follow *follow)
{
    return sum(follow, true);
}

uint64_t rf_follow_read(const struct rf_follow *follow)
{
    return sum(follow, false);
}
