#include "edge/stream/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/output.h"
#include "core/model/source.h"
#include "edge/stream/running.h"
#include "edge/stream/topics.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define FAULTS_MAX   64
#define WAIT_STEP_MS 20
#define MESSAGE_MAX  (8U << 20)   /* of one derived event or task state */
#define HEADERS_MAX  (256U << 20) /* of one message; far beyond what a broker takes */
#define ARENA_CHUNK  (64U * 1024)

/* What would make the run wrong is an error before anything is consumed; what is only unwise is said. */
bool rf_stream_check(struct rf_stream_options *options, struct rf_error *err)
{
    struct rf_topic topics[RF_TOPICS_MAX];
    struct rf_topic_fault *faults = calloc(FAULTS_MAX, sizeof *faults);
    struct rf_topics_options check = {
        .kafka = options->kafka,
        .kafka_count = options->kafka_count,
        .topics = topics,
        .topic_count = rf_topics_list(options->plan, options->changelog_topic, options->tasks_topic,
                                      options->dead_letter_topic, topics),
        .record_bytes_max = options->plan->record_bytes_max,
    };
    struct rf_topics_found found = {0};
    size_t fault_count = 0;
    bool ok = false;

    rf_assert(faults != NULL);
    ok = rf_topics_check(&check, faults, FAULTS_MAX, &fault_count, &found, err);
    for (size_t i = 0; ok && i < fault_count; i++) {
        if (faults[i].fatal)
            ok = rf_error_set(err, RF_ERROR_CONFIG, 0, "topic %s: %s", faults[i].topic,
                              faults[i].message);
        else
            rf_log_warning(RF_FIELDS(rf_field_text("topic", faults[i].topic)), "%s",
                           faults[i].message);
    }
    options->partitions = found.partitions;
    options->batch_bytes_max = found.message_bytes_min;
    if (found.dead_letter_bytes > 0 &&
        (size_t)found.dead_letter_bytes < options->dead_letter_bytes_max)
        options->dead_letter_bytes_max = (size_t)found.dead_letter_bytes;
    free(faults);
    return ok;
}

static bool worker_init(struct rf_worker *worker, struct rf_worker_shared *shared, int index,
                        struct rf_error *err)
{
    const struct rf_stream_options *options = &shared->options;

    worker->shared = shared;
    worker->options = options;
    worker->index = index;
    snprintf(worker->name, sizeof worker->name, "%s-%d", options->instance, index);
    worker->slots = calloc((size_t)shared->partition_count, sizeof *worker->slots);
    worker->outputs = calloc(options->plan->output_count + 1, sizeof(rd_kafka_topic_t *));
    rf_mutex_init(&worker->lock);
    rf_meter_init(worker);
    rf_assert(worker->slots != NULL);
    rf_assert(worker->outputs != NULL);
    for (int32_t i = 0; i < shared->partition_count; i++)
        worker->slots[i].partition = i;
    rf_transaction_init(&worker->transaction);
    rf_arena_init(&worker->arena, ARENA_CHUNK);
    rf_buffer_init(&worker->buffer, MESSAGE_MAX);
    rf_buffer_init(&worker->headers, HEADERS_MAX);
    worker->letter_bytes_max = options->dead_letter_bytes_max;
    atomic_store(&worker->turned_ms, rf_clock_monotonic_ms());
    worker->stored_ms = rf_clock_monotonic_ms();
    worker->synced_ms = worker->stored_ms;
    worker->decoders = options->ports.decoders_open(options->ports.self, err);
    return worker->decoders != NULL;
}

static void worker_deinit(struct rf_worker *worker)
{
    const struct rf_stream_ports *ports = &worker->options->ports;

    if (worker->decoders != NULL)
        ports->decoders_close(ports->self, worker->decoders);
    free(worker->slots);
    free(worker->outputs);
    rf_arena_deinit(&worker->arena);
    rf_buffer_deinit(&worker->buffer);
    rf_buffer_deinit(&worker->headers);
    rf_meter_deinit(worker);
    rf_mutex_deinit(&worker->lock);
}

static bool start_workers(struct rf_stream *stream, struct rf_error *err)
{
    for (int i = 0; i < stream->shared.options.workers; i++) {
        struct rf_worker *worker = &stream->workers[i];
        char name[32];
        bool ok = worker_init(worker, &stream->shared, i, err);

        snprintf(name, sizeof name, "worker-%d", i);
        ok = ok && rf_thread_start(&worker->thread, name, rf_worker_run, worker, err);
        if (!ok) {
            worker_deinit(worker);
            return false;
        }
        stream->worker_count++;
    }
    return true;
}

struct rf_stream *rf_stream_start(const struct rf_stream_options *options, struct rf_error *err)
{
    struct rf_stream *stream = NULL;

    rf_assert(options->workers > 0);
    rf_assert(options->partitions > 0);
    if (options->partitions > RF_PARTITIONS_MAX) {
        rf_error_set(err, RF_ERROR_CONFIG, 0,
                     "the sources have %" PRId32 " partitions, more than %d", options->partitions,
                     RF_PARTITIONS_MAX);
        return NULL;
    }
    stream = calloc(1, sizeof *stream);
    rf_assert(stream != NULL);
    stream->shared.options = *options;
    stream->shared.partition_count = options->partitions;
    stream->started_at = rf_clock_wall_ms();
    rf_garage_init(&stream->shared.garage, options->partitions);
    rf_ring_init(&stream->shared.ring);
    rf_inbox_init(&stream->shared.inbox);
    stream->workers = calloc((size_t)options->workers, sizeof *stream->workers);
    rf_assert(stream->workers != NULL);
    if (start_workers(stream, err) &&
        rf_watch_start(&stream->watch, stream->workers, stream->worker_count, err))
        return stream;
    rf_stream_stop(stream, true);
    rf_stream_close(stream);
    return NULL;
}

void rf_stream_stop(struct rf_stream *stream, bool now)
{
    for (int i = 0; i < stream->worker_count; i++) {
        struct rf_worker *worker = &stream->workers[i];

        rf_mutex_lock(&worker->lock);
        worker->stop = true;
        worker->stop_now = worker->stop_now || now;
        rf_mutex_unlock(&worker->lock);
    }
}

static bool has_ended(struct rf_worker *worker)
{
    bool ended = false;

    rf_mutex_lock(&worker->lock);
    ended = worker->ended;
    rf_mutex_unlock(&worker->lock);
    return ended;
}

/* One worker that ends on its own account takes the others with it: the operator has something to see to. */
static bool all_have_ended(struct rf_stream *stream, struct rf_error *err)
{
    bool all = true;

    for (int i = 0; i < stream->worker_count; i++) {
        struct rf_worker *worker = &stream->workers[i];

        if (!has_ended(worker)) {
            all = false;
        } else if (worker->fatal.kind != RF_ERROR_NONE && err->kind == RF_ERROR_NONE) {
            *err = worker->fatal;
            rf_stream_stop(stream, false);
        }
    }
    return all;
}

int64_t rf_stream_stuck_ms(struct rf_stream *stream)
{
    int64_t now = rf_clock_monotonic_ms();
    int64_t most = 0;

    for (int i = 0; i < stream->worker_count; i++) {
        struct rf_worker *worker = &stream->workers[i];
        int64_t stuck = now - atomic_load(&worker->turned_ms);

        if (!has_ended(worker) && atomic_load(&worker->waits) == 0 && stuck > most)
            most = stuck;
    }
    return most;
}

bool rf_stream_wait(struct rf_stream *stream, int64_t timeout_ms, struct rf_error *err)
{
    int64_t until = rf_clock_monotonic_ms() + timeout_ms;

    while (!all_have_ended(stream, err)) {
        if (rf_clock_monotonic_ms() >= until)
            return false;
        rf_clock_sleep_ms(WAIT_STEP_MS);
    }
    return true;
}

void rf_stream_close(struct rf_stream *stream)
{
    if (stream == NULL)
        return;
    for (int i = 0; i < stream->worker_count; i++)
        rf_thread_join(&stream->workers[i].thread);
    rf_watch_stop(&stream->watch);
    for (int i = 0; i < stream->worker_count; i++)
        worker_deinit(&stream->workers[i]);
    rf_inbox_deinit(&stream->shared.inbox);
    rf_ring_deinit(&stream->shared.ring);
    rf_garage_deinit(&stream->shared.garage);
    free(stream->workers);
    free(stream);
}

struct rf_inspect rf_stream_inspect(struct rf_stream *stream)
{
    return (struct rf_inspect){.ops = &rf_stream_inspect_ops, .self = stream};
}

void rf_stream_stats(struct rf_stream *stream, struct rf_stream_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    for (int i = 0; i < stream->worker_count; i++) {
        struct rf_worker *worker = &stream->workers[i];
        const struct rf_published *part = NULL;

        rf_mutex_lock(&worker->lock);
        part = worker->published;
        stats->committed += part->committed;
        for (size_t s = 0; s < part->slot_count && stats->slot_count < RF_SLOTS_MAX; s++) {
            const struct rf_published_slot *slot = &part->slots[s];

            stats->slots[stats->slot_count++] = (struct rf_slot_stats){.partition = slot->partition,
                                                                       .state = slot->state,
                                                                       .counts = slot->counts,
                                                                       .records = slot->hot};
        }
        rf_mutex_unlock(&worker->lock);
    }
}
