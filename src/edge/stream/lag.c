/* The thread of watch.h: a round a second. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/stream/client.h"
#include "edge/stream/watch.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define AWAY_MS          (3 * RF_OWNERS_MS) /* so long nobody has to answer to be called away */
#define ROUND_MS         1000
#define ENDS_TIMEOUT_MS  5000
#define PROBE_TIMEOUT_MS 1000
#define PROBES_MAX       64 /* a round; the others wait for the next ones */

/* One partition of one source that is ours, in a round. */
struct seen {
    struct rf_lag_reading reading;
    int32_t partition;
    uint32_t source;
    bool asked; /* its ends are of this round */
    int64_t log_start, log_end, stable_end;
    bool stands; /* there is lag, and nothing moves */
};

struct round {
    struct rf_watch *watch;
    size_t count, capacity;
    struct seen *seen; /* owned */
    size_t turn;       /* where the probes of the last round ended */
};

/* ---- what the workers say ---- */

static struct seen *push(struct round *round)
{
    if (round->count == round->capacity) {
        round->capacity = round->capacity == 0 ? 64 : round->capacity * 2;
        round->seen = realloc(round->seen, round->capacity * sizeof *round->seen);
        rf_assert(round->seen != NULL);
    }
    return &round->seen[round->count++];
}

static void collect(struct round *round)
{
    struct rf_watch *watch = round->watch;
    size_t source_count = watch->options->plan->source_count;

    round->count = 0;
    for (int w = 0; w < watch->worker_count; w++) {
        struct rf_worker *worker = &watch->workers[w];
        const struct rf_published *copy = NULL;

        rf_mutex_lock(&worker->lock);
        copy = worker->published;
        for (size_t i = 0; i < copy->slot_count; i++) {
            for (size_t s = 0; s < source_count; s++)
                *push(round) = (struct seen){
                    .reading = copy->readings[i * source_count + s],
                    .partition = copy->slots[i].partition,
                    .source = (uint32_t)s,
                    .log_start = -1,
                    .log_end = -1,
                    .stable_end = -1,
                };
        }
        rf_mutex_unlock(&worker->lock);
    }
}

static uint64_t count_rebalances(const struct rf_watch *watch)
{
    uint64_t sum = 0;

    for (int w = 0; w < watch->worker_count; w++) {
        struct rf_worker *worker = &watch->workers[w];

        rf_mutex_lock(&worker->lock);
        sum += worker->published->rebalances;
        rf_mutex_unlock(&worker->lock);
    }
    return sum;
}

/* ---- where the sources begin and end ---- */

static const char *topic_of(const struct round *round, const struct seen *seen)
{
    return round->watch->options->plan->sources[seen->source].topic;
}

static rd_kafka_topic_partition_list_t *list_partitions(const struct round *round, int64_t logical,
                                                        bool standing)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)round->count + 1);

    for (size_t i = 0; i < round->count; i++) {
        const char *topic = topic_of(round, &round->seen[i]);
        int32_t partition = round->seen[i].partition;

        if ((!standing || round->seen[i].stands) &&
            rd_kafka_topic_partition_list_find(list, topic, partition) == NULL)
            rd_kafka_topic_partition_list_add(list, topic, partition)->offset = logical;
    }
    return list;
}

/* One ListOffsets request a broker for all partitions: rd_kafka_offsets_for_times hands the "time" through, and to the
 * protocol -1 and -2 are the end and the beginning. The handle reads uncommitted, so the end is the high watermark. */
static bool ask_offsets(struct round *round, int64_t logical)
{
    rd_kafka_topic_partition_list_t *list = list_partitions(round, logical, false);
    rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(round->watch->client, list, ENDS_TIMEOUT_MS);

    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < round->count; i++) {
        struct seen *seen = &round->seen[i];
        const rd_kafka_topic_partition_t *found =
            rd_kafka_topic_partition_list_find(list, topic_of(round, seen), seen->partition);

        rf_assert(found != NULL);
        if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR || found->offset < 0)
            continue;
        if (logical == RD_KAFKA_OFFSET_END)
            seen->log_end = found->offset;
        else
            seen->log_start = found->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rf_log_debug(RF_FIELDS(rf_field_text("reason", rd_kafka_err2str(code))),
                     "the ends of the sources are not known");
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Where the records begin that only the end of a transaction will let through. */
static void ask_stable_ends(struct round *round)
{
    struct rf_watch *watch = round->watch;
    rd_kafka_topic_partition_list_t *list = list_partitions(round, RD_KAFKA_OFFSET_END, true);
    struct rf_error err = {0};

    if (list->cnt > 0 && watch->stable == NULL)
        watch->stable = rf_client_watcher(watch->options->kafka, watch->options->kafka_count,
                                          watch->options->plan->app, true, &err);
    if (list->cnt > 0 && watch->stable != NULL &&
        rd_kafka_offsets_for_times(watch->stable, list, ENDS_TIMEOUT_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0; i < round->count; i++) {
            struct seen *seen = &round->seen[i];
            const rd_kafka_topic_partition_t *found =
                rd_kafka_topic_partition_list_find(list, topic_of(round, seen), seen->partition);

            if (found != NULL && found->err == RD_KAFKA_RESP_ERR_NO_ERROR && found->offset >= 0)
                seen->stable_end = found->offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* First the beginning: retention moves it up, and never past the end that is asked for afterwards. */
static void ask_ends(struct round *round)
{
    if (round->count == 0 || !ask_offsets(round, RD_KAFKA_OFFSET_BEGINNING) ||
        !ask_offsets(round, RD_KAFKA_OFFSET_END))
        return;
    for (size_t i = 0; i < round->count; i++)
        round->seen[i].asked = round->seen[i].log_start >= 0 && round->seen[i].log_end >= 0;
}

/* ---- what follows ---- */

static struct rf_watched *watched_of(struct rf_watch *watch, const struct seen *seen)
    RF_REQUIRES(watch->lock)
{
    size_t index = (size_t)seen->partition * watch->options->plan->source_count + seen->source;
    struct rf_watched *watched = watch->watched[index];

    if (watched == NULL) {
        watched = calloc(1, sizeof *watched);
        rf_assert(watched != NULL);
        watch->watched[index] = watched;
    }
    if (watched->round == 0 || watched->round + 1 < watch->round) { /* it was not ours until now */
        memset(watched, 0, sizeof *watched);
        watched->ends = (struct rf_lag_ends){.log_start = -1,
                                             .log_end = -1,
                                             .stable_end = -1,
                                             .caught_up_end = -1,
                                             .caught_up_at = RF_MS_MIN};
        watched->probe = (struct rf_lag_probe){.from = -1, .offset = -1, .until = -1};
        watched->next = -1;
    }
    watched->round = watch->round;
    return watched;
}

/* True: the age of the oldest record has to be asked for. Where the offset moves, the last record read says enough. */
static bool note(struct rf_watch *watch, struct seen *seen, rf_ms wall, int64_t now_ms)
    RF_REQUIRES(watch->lock)
{
    struct rf_watched *watched = watched_of(watch, seen);
    struct rf_lag lag = {0};
    int64_t next = -1;

    if (seen->asked) {
        watched->ends.log_start = seen->log_start;
        watched->ends.log_end = seen->log_end;
        watched->ends.asked_at = wall;
    }
    if (watched->ends.log_end < 0)
        return false;
    rf_lag_measure(&seen->reading, &watched->ends, &watched->probe, wall, &lag);
    next = rf_lag_next(&seen->reading, &watched->ends);
    if (lag.lag_records == 0 && seen->asked) {
        watched->ends.caught_up_end = seen->log_end;
        watched->ends.caught_up_at = wall;
    }
    seen->stands = next >= 0 && lag.lag_records > 0 && next == watched->next;
    if (!seen->stands)
        watched->ends.stable_end = -1;
    watched->next = next;
    rf_rate_add(&watched->rate, now_ms, (double)seen->reading.records);
    rf_lag_history_add(&watched->history, now_ms, next, lag.lag_records);
    return next >= 0 && lag.lag_records > 0 && !lag.lag_ms_exact &&
           (seen->stands || lag.lag_ms < 0);
}

/* ---- how old the oldest record is ---- */

static void note_probe(struct round *round, const char *topic, int32_t partition,
                       const struct rf_lag_probe *probe)
{
    struct rf_watch *watch = round->watch;

    rf_mutex_lock(&watch->lock);
    for (size_t i = 0; i < round->count; i++) {
        const struct seen *seen = &round->seen[i];

        if (seen->partition == partition && strcmp(topic_of(round, seen), topic) == 0) {
            struct rf_watched *watched = watched_of(watch, seen);

            watched->probe = *probe;
        }
    }
    rf_mutex_unlock(&watch->lock);
}

/* The first record of each partition in `list`, at or behind its offset: what is fetched is one batch each. */
static void probe(struct round *round, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_t *client = round->watch->client;
    int64_t until = rf_clock_monotonic_ms() + PROBE_TIMEOUT_MS;
    int left = list->cnt;

    if (rd_kafka_assign(client, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    while (left > 0 && rf_clock_monotonic_ms() < until) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 100);
        rd_kafka_topic_partition_t *wanted = NULL;
        struct rf_lag_probe found = {.offset = -1, .until = -1, .time = RF_MS_MIN};

        if (message == NULL)
            continue;
        if (message->rkt != NULL)
            wanted = rd_kafka_topic_partition_list_find(list, rd_kafka_topic_name(message->rkt),
                                                        message->partition);
        if (wanted != NULL && wanted->opaque == NULL && message->offset >= wanted->offset &&
            (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
             message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)) {
            rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
            int64_t time = rd_kafka_message_timestamp(message, &type);

            found.from = wanted->offset;
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
                found.until = message->offset;
            else
                found.offset = message->offset;
            if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
                found.time = time;
            note_probe(round, wanted->topic, wanted->partition, &found);
            wanted->opaque = wanted; /* answered */
            left--;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_assign(client, NULL);
}

/* ---- a round ---- */

static void note_stable_ends(struct round *round)
{
    struct rf_watch *watch = round->watch;

    ask_stable_ends(round);
    rf_mutex_lock(&watch->lock);
    for (size_t i = 0; i < round->count; i++) {
        if (round->seen[i].stands)
            watched_of(watch, &round->seen[i])->ends.stable_end = round->seen[i].stable_end;
    }
    rf_mutex_unlock(&watch->lock);
}

/* True: some broker has told where partitions of ours end. */
static bool look(struct round *round)
{
    struct rf_watch *watch = round->watch;
    rd_kafka_topic_partition_list_t *wanted = rd_kafka_topic_partition_list_new(8);
    rf_ms wall = 0;
    bool answered = false;

    collect(round);
    ask_ends(round);
    wall = rf_clock_wall_ms();
    rf_mutex_lock(&watch->lock);
    watch->round++;
    for (size_t i = 0; i < round->count; i++) {
        struct seen *seen = &round->seen[(i + round->turn) % round->count];
        const char *topic = topic_of(round, seen);

        answered = answered || seen->asked;
        if (note(watch, seen, wall, rf_clock_monotonic_ms()) && wanted->cnt < PROBES_MAX &&
            rd_kafka_topic_partition_list_find(wanted, topic, seen->partition) == NULL)
            rd_kafka_topic_partition_list_add(wanted, topic, seen->partition)->offset =
                rf_lag_next(&seen->reading, &watched_of(watch, seen)->ends);
    }
    rf_mutex_unlock(&watch->lock);
    note_stable_ends(round);
    round->turn += PROBES_MAX;
    if (wanted->cnt > 0)
        probe(round, wanted);
    rd_kafka_topic_partition_list_destroy(wanted);
    return answered;
}

static void look_at_workers(struct rf_watch *watch)
{
    for (int w = 0; w < watch->worker_count; w++) {
        struct rf_worker *worker = &watch->workers[w];
        rf_ns idle = 0;

        rf_mutex_lock(&worker->lock);
        idle = worker->published->idle_ns;
        rf_mutex_unlock(&worker->lock);
        rf_mutex_lock(&watch->lock);
        rf_rate_add(&watch->idle[w], rf_clock_monotonic_ms(), (double)idle / 1e9);
        rf_mutex_unlock(&watch->lock);
    }
}

/* A static member that came back within its session keeps the client.id that the group had of it. */
static void check_our_address(struct rf_watch *watch, const struct rf_watched_owner *owners)
{
    const char *ours = watch->options->http_address == NULL ? "" : watch->options->http_address;

    for (int32_t i = 0; i < watch->partition_count; i++) {
        const char *told = owners[i].address;

        if (strcmp(owners[i].instance, watch->options->instance) != 0 || strcmp(told, ours) == 0 ||
            strcmp(told, watch->told_address) == 0)
            continue;
        snprintf(watch->told_address, sizeof watch->told_address, "%s", told);
        rf_log_warning(
            RF_FIELDS(rf_field_text("address", ours), rf_field_text("known_as", told)),
            "other instances know this one by an address that it had before, until it is away for "
            "longer than session.timeout.ms once");
        return;
    }
}

rf_span_ms rf_watch_away_ms(struct rf_watch *watch)
{
    rf_span_ms away = 0;

    rf_mutex_lock(&watch->lock);
    away = rf_clock_monotonic_ms() - watch->answered_ms;
    rf_mutex_unlock(&watch->lock);
    return away < AWAY_MS ? 0 : away;
}

/* One line when Kafka goes, and one when it is back. */
static void take_answer(struct rf_watch *watch, bool answered)
{
    bool is_away = false;

    rf_mutex_lock(&watch->lock);
    if (answered)
        watch->answered_ms = rf_clock_monotonic_ms();
    rf_mutex_unlock(&watch->lock);
    is_away = rf_watch_away_ms(watch) > 0;
    if (is_away && !watch->said_away)
        rf_log_warning(NULL, "kafka does not answer; what is read and folded waits for it");
    else if (!is_away && watch->said_away)
        rf_log_info(NULL, "kafka answers again");
    watch->said_away = is_away;
}

/* Every few seconds, and as soon as a rebalance has come to us. True: it was asked, and some broker has answered. */
static bool look_at_group(struct rf_watch *watch)
{
    uint64_t rebalances = count_rebalances(watch);
    size_t size = (size_t)watch->partition_count * sizeof(struct rf_watched_owner);
    struct rf_watched_owner *owners = NULL;
    char state[32] = "";
    bool answered = false;

    if (watch->owners_ms != 0 && rebalances == watch->rebalances &&
        rf_clock_monotonic_ms() - watch->owners_ms < RF_OWNERS_MS)
        return false;
    owners = malloc(size);
    rf_assert(owners != NULL);
    watch->owners_ms = rf_clock_monotonic_ms();
    watch->rebalances = rebalances;
    if (rf_owners_ask(watch, owners, state, &answered)) {
        if (rebalances > 0) /* before, it says what was of the process before */
            check_our_address(watch, owners);
        rf_mutex_lock(&watch->lock);
        memcpy(watch->owners, owners, size);
        memcpy(watch->group_state, state, sizeof state);
        rf_mutex_unlock(&watch->lock);
    } else if (!answered) {
        rf_mutex_lock(&watch->lock);
        watch->group_state[0] = '\0';
        rf_mutex_unlock(&watch->lock);
    }
    free(owners);
    return answered;
}

static bool open_client(struct rf_watch *watch)
{
    struct rf_error err = {0};

    if (watch->client == NULL)
        watch->client = rf_client_watcher(watch->options->kafka, watch->options->kafka_count,
                                          watch->options->plan->app, false, &err);
    if (watch->client == NULL)
        rf_log_warning(RF_FIELDS(rf_field_error(&err)), "lag cannot be measured");
    return watch->client != NULL;
}

static bool rest(struct rf_watch *watch, int64_t until_ms)
{
    bool stop = false;

    rf_mutex_lock(&watch->lock);
    while (!watch->stop && rf_clock_monotonic_ms() < until_ms)
        rf_condition_wait_until(&watch->wake, &watch->lock, until_ms * 1000000);
    stop = watch->stop;
    rf_mutex_unlock(&watch->lock);
    return !stop;
}

static void run(void *argument)
{
    struct rf_watch *watch = argument;
    struct round round = {.watch = watch};
    int64_t next_ms = 0;
    bool answered = false;

    do {
        next_ms = rf_clock_monotonic_ms() + ROUND_MS;
        answered = false;
        look_at_workers(watch);
        if (open_client(watch)) {
            answered = look(&round);
            answered = look_at_group(watch) || answered;
        }
        take_answer(watch, answered);
    } while (rest(watch, next_ms));
    free(round.seen);
    if (watch->client != NULL)
        rd_kafka_destroy_flags(watch->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (watch->stable != NULL)
        rd_kafka_destroy_flags(watch->stable, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

/* ---- life ---- */

bool rf_watch_start(struct rf_watch *watch, struct rf_worker *workers, int worker_count,
                    struct rf_error *err)
{
    const struct rf_stream_options *options = workers[0].options;
    size_t source_count = options->plan->source_count;

    rf_assert(worker_count > 0);
    memset(watch, 0, sizeof *watch);
    watch->workers = workers;
    watch->worker_count = worker_count;
    watch->options = options;
    watch->partition_count = options->partitions;
    rf_mutex_init(&watch->lock);
    rf_condition_init(&watch->wake);
    rf_mutex_lock(&watch->lock);
    watch->watched =
        calloc((size_t)watch->partition_count * source_count + 1, sizeof(struct rf_watched *));
    watch->owners = calloc((size_t)watch->partition_count, sizeof *watch->owners);
    watch->idle = calloc((size_t)worker_count, sizeof *watch->idle);
    rf_assert(watch->watched != NULL);
    rf_assert(watch->owners != NULL);
    rf_assert(watch->idle != NULL);
    watch->answered_ms = rf_clock_monotonic_ms(); /* the topics were looked at just now */
    rf_mutex_unlock(&watch->lock);
    watch->has_thread = rf_thread_start(&watch->thread, "watch", run, watch, err);
    return watch->has_thread;
}

void rf_watch_stop(struct rf_watch *watch)
{
    size_t count = 0;

    if (watch->workers == NULL)
        return;
    rf_mutex_lock(&watch->lock);
    watch->stop = true;
    rf_condition_wake_all(&watch->wake);
    rf_mutex_unlock(&watch->lock);
    if (watch->has_thread)
        rf_thread_join(&watch->thread);
    count = (size_t)watch->partition_count * watch->options->plan->source_count;
    rf_mutex_lock(&watch->lock);
    for (size_t i = 0; i < count; i++)
        free(watch->watched[i]);
    free(watch->watched);
    free(watch->owners);
    free(watch->idle);
    rf_mutex_unlock(&watch->lock);
    rf_condition_deinit(&watch->wake);
    rf_mutex_deinit(&watch->lock);
    memset(watch, 0, sizeof *watch);
}
