#include "edge/stream/offsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/stream/admin.h"
#include "edge/stream/client.h"
#include "edge/sys/clock.h"

#define TIMEOUT_MS 15000
#define PEEK_MS    5000 /* for the timestamps of all partitions together */
#define POLL_MS    50

struct rf_offsets {
    struct rf_offsets_options options;
    rd_kafka_t *observer; /* read_uncommitted: committed offsets as they are, and high watermarks */
    rd_kafka_t *committed_peeker; /* NULL until something is left to read */
    rd_kafka_t *all_peeker;       /* NULL until a transaction is open */
    struct rf_offsets_place *places;
    size_t count;
    size_t *first; /* index of a topic's first place; one more at the end */
};

struct rf_offsets *rf_offsets_open(const struct rf_offsets_options *options, struct rf_error *err)
{
    struct rf_offsets *offsets = calloc(1, sizeof *offsets);

    rf_assert(offsets != NULL);
    rf_assert(options->topic_count > 0);
    offsets->options = *options;
    offsets->first = calloc(options->topic_count + 1, sizeof *offsets->first);
    rf_assert(offsets->first != NULL);
    offsets->observer =
        rf_client_reader(options->kafka, options->kafka_count, options->group, false, err);
    if (offsets->observer != NULL)
        return offsets;
    rf_offsets_close(offsets);
    return NULL;
}

void rf_offsets_close(struct rf_offsets *offsets)
{
    if (offsets == NULL)
        return;
    if (offsets->observer != NULL)
        rd_kafka_destroy(offsets->observer);
    if (offsets->committed_peeker != NULL)
        rd_kafka_destroy(offsets->committed_peeker);
    if (offsets->all_peeker != NULL)
        rd_kafka_destroy(offsets->all_peeker);
    free(offsets->places);
    free(offsets->first);
    free(offsets);
}

/* ---- offsets ---- */

static bool list_places(struct rf_offsets *offsets, struct rf_error *err)
{
    offsets->count = 0;
    for (size_t i = 0; i < offsets->options.topic_count; i++) {
        int32_t partitions = 0;

        if (!rf_admin_count_partitions(offsets->observer, offsets->options.topics[i], &partitions,
                                       err))
            return false;
        offsets->first[i] = offsets->count;
        offsets->places = reallocarray(offsets->places, offsets->count + (size_t)partitions,
                                       sizeof *offsets->places);
        rf_assert(offsets->places != NULL);
        for (int32_t p = 0; p < partitions; p++)
            offsets->places[offsets->count++] = (struct rf_offsets_place){
                .topic = (uint32_t)i, .partition = p, .oldest = RF_MS_MAX};
    }
    offsets->first[offsets->options.topic_count] = offsets->count;
    return true;
}

static const char *topic_of(const struct rf_offsets *offsets, const struct rf_offsets_place *place)
{
    return offsets->options.topics[place->topic];
}

/* Answers of Kafka come as lists in their own order. NULL: a partition that was not asked for. */
static struct rf_offsets_place *find_place(struct rf_offsets *offsets, const char *topic,
                                           int32_t partition)
{
    for (size_t i = 0; i < offsets->options.topic_count; i++) {
        size_t at = offsets->first[i] + (size_t)partition;

        if (partition >= 0 && at < offsets->first[i + 1] &&
            strcmp(offsets->options.topics[i], topic) == 0)
            return &offsets->places[at];
    }
    return NULL;
}

/* Every place, asked for with this offset. */
static rd_kafka_topic_partition_list_t *list_of(const struct rf_offsets *offsets, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)offsets->count);

    for (size_t i = 0; i < offsets->count; i++)
        rd_kafka_topic_partition_list_add(list, topic_of(offsets, &offsets->places[i]),
                                          offsets->places[i].partition)
            ->offset = offset;
    return list;
}

static bool take_committed(struct rf_offsets *offsets, struct rf_error *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(offsets, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t code = rd_kafka_committed(offsets->observer, list, TIMEOUT_MS);

    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        struct rf_offsets_place *place =
            find_place(offsets, list->elems[i].topic, list->elems[i].partition);

        code = list->elems[i].err;
        rf_assert(place != NULL);
        place->committed = list->elems[i].offset >= 0 ? list->elems[i].offset : RF_OFFSET_NONE;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           rf_error_set(err, RF_ERROR_RETRY, code, "reading the committed offsets of group %s: %s",
                        offsets->options.group, rd_kafka_err2str(code));
}

/* `which`: RD_KAFKA_OFFSET_BEGINNING or _END, which a list of offsets by time takes too, as the protocol does. */
static bool take_log_offsets(struct rf_offsets *offsets, int64_t which, struct rf_error *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(offsets, which);
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(offsets->observer, list, TIMEOUT_MS);

    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        struct rf_offsets_place *place =
            find_place(offsets, list->elems[i].topic, list->elems[i].partition);

        code = list->elems[i].err;
        rf_assert(place != NULL);
        if (which == RD_KAFKA_OFFSET_END)
            place->end = list->elems[i].offset;
        else
            place->begin = list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           rf_error_set(err, RF_ERROR_RETRY, code, "asking where the topics begin and end: %s",
                        rd_kafka_err2str(code));
}

/* The next offset that the group reads. */
static int64_t next_of(const struct rf_offsets *offsets, const struct rf_offsets_place *place)
{
    int64_t next = place->committed;

    if (next == RF_OFFSET_NONE)
        next = offsets->options.start == RF_START_LATEST ? place->end : place->begin;
    return next > place->begin ? next : place->begin;
}

static void reckon(struct rf_offsets *offsets)
{
    for (size_t i = 0; i < offsets->count; i++) {
        struct rf_offsets_place *place = &offsets->places[i];
        int64_t next = next_of(offsets, place);

        place->lag = place->end > next ? place->end - next : 0;
        place->oldest = place->lag > 0 ? RF_MS_MIN : RF_MS_MAX;
    }
}

/* ---- timestamps ---- */

/* One message a partition, of each place that `wanted` has an offset for (RF_OFFSET_NONE: none); stops at PEEK_MS. */
struct peek {
    struct rf_offsets *offsets;
    rd_kafka_t *peeker;
    int64_t *
        wanted; /* by place; in: where to look, out: where an end was found instead of a message, or NONE */
    size_t left;
};

static void stop_fetching(struct peek *peek, const rd_kafka_message_t *message)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(message->rkt), message->partition);
    rd_kafka_pause_partitions(peek->peeker, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void take_peek(struct peek *peek, const rd_kafka_message_t *message)
{
    struct rf_offsets_place *place = NULL;
    int64_t *wanted = NULL;
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;

    if (message->rkt == NULL)
        return; /* about no partition: librdkafka goes on by itself */
    place = find_place(peek->offsets, rd_kafka_topic_name(message->rkt), message->partition);
    if (place == NULL)
        return;
    wanted = &peek->wanted[place - peek->offsets->places];
    if (*wanted == RF_OFFSET_NONE || place->oldest != RF_MS_MIN)
        return;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        *wanted = message->offset;
        place->oldest = RF_MS_MAX;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *wanted = RF_OFFSET_NONE;
        place->oldest = rd_kafka_message_timestamp(message, &type);
        if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
            place->oldest = RF_MS_MIN;
    } else {
        return;
    }
    stop_fetching(peek, message);
    peek->left--;
}

static bool assign(struct peek *peek, struct rf_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (size_t i = 0; i < peek->offsets->count; i++) {
        if (peek->wanted[i] == RF_OFFSET_NONE)
            continue;
        rd_kafka_topic_partition_list_add(list, topic_of(peek->offsets, &peek->offsets->places[i]),
                                          peek->offsets->places[i].partition)
            ->offset = peek->wanted[i];
        peek->left++;
    }
    code = rd_kafka_assign(peek->peeker, list);
    rd_kafka_resume_partitions(peek->peeker, list); /* an earlier look has paused them */
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           rf_error_set(err, RF_ERROR_RETRY, code, "reading timestamps: %s",
                        rd_kafka_err2str(code));
}

static bool run_peek(struct peek *peek, struct rf_error *err)
{
    int64_t until_ms = rf_clock_monotonic_ms() + PEEK_MS;

    if (!assign(peek, err))
        return false;
    while (peek->left > 0 && rf_clock_monotonic_ms() < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(peek->peeker, POLL_MS);

        if (message == NULL)
            continue;
        take_peek(peek, message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_assign(peek->peeker, NULL);
    return true;
}

static bool open_peeker(struct rf_offsets *offsets, rd_kafka_t **peeker, bool committed,
                        struct rf_error *err)
{
    if (*peeker == NULL)
        *peeker = rf_client_peeker(offsets->options.kafka, offsets->options.kafka_count,
                                   offsets->options.group, committed, err);
    return *peeker != NULL;
}

/* What the committed reader does not show before the high watermark is a transaction that is open, or marks and aborted
 * records, which nobody will read. The last stable offset, where the committed reader ended, tells them apart. */
static bool look_into_transactions(struct peek *peek, struct rf_error *err)
{
    struct rf_offsets *offsets = peek->offsets;
    size_t open = 0;

    for (size_t i = 0; i < offsets->count; i++) {
        if (peek->wanted[i] == RF_OFFSET_NONE)
            continue;
        if (offsets->places[i].oldest == RF_MS_MIN || peek->wanted[i] >= offsets->places[i].end) {
            peek->wanted[i] = RF_OFFSET_NONE;
            continue;
        }
        offsets->places[i].oldest = RF_MS_MIN;
        open++;
    }
    if (open == 0)
        return true;
    peek->peeker = NULL;
    if (!open_peeker(offsets, &offsets->all_peeker, false, err))
        return false;
    peek->peeker = offsets->all_peeker;
    peek->left = 0;
    return run_peek(peek, err);
}

static bool take_timestamps(struct rf_offsets *offsets, struct rf_error *err)
{
    struct peek peek = {.offsets = offsets};
    size_t behind = 0;
    bool ok = true;

    peek.wanted = calloc(offsets->count + 1, sizeof *peek.wanted);
    rf_assert(peek.wanted != NULL);
    for (size_t i = 0; i < offsets->count; i++) {
        bool is_behind = offsets->places[i].lag > 0;

        peek.wanted[i] = is_behind ? next_of(offsets, &offsets->places[i]) : RF_OFFSET_NONE;
        behind += is_behind ? 1 : 0;
    }
    if (behind > 0) {
        ok = open_peeker(offsets, &offsets->committed_peeker, true, err);
        peek.peeker = offsets->committed_peeker;
        ok = ok && run_peek(&peek, err) && look_into_transactions(&peek, err);
    }
    free(peek.wanted);
    return ok;
}

/* ---- the look ---- */

static void take_owner(void *self, const char *client, const rd_kafka_topic_partition_t *partition)
{
    struct rf_offsets_place *place = find_place(self, partition->topic, partition->partition);

    if (place != NULL)
        snprintf(place->owner, sizeof place->owner, "%s", client);
}

bool rf_offsets_look(struct rf_offsets *offsets, const struct rf_offsets_place **places,
                     size_t *count, struct rf_error *err)
{
    if (!list_places(offsets, err) || !take_committed(offsets, err) ||
        !take_log_offsets(offsets, RD_KAFKA_OFFSET_BEGINNING, err) ||
        !take_log_offsets(offsets, RD_KAFKA_OFFSET_END, err))
        return false;
    reckon(offsets);
    if (!take_timestamps(offsets, err) ||
        !rf_admin_group_members(offsets->observer, offsets->options.group, take_owner, offsets,
                                err))
        return false;
    *places = offsets->places;
    *count = offsets->count;
    return true;
}
