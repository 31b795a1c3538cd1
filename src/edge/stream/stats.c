/* What a worker says of itself: counted as it works, copied for others a few times a second. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_stats.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"

#define PUBLISH_MS 250
#define SIZE_MS    5000 /* how often the stores are asked how large they are */

static struct rf_rule_meter *make_meters(const struct rf_plan *plan)
{
    struct rf_rule_meter *meters = calloc(plan->rule_count + 1, sizeof *meters);

    rf_assert(meters != NULL);
    return meters;
}

void rf_meter_init(struct rf_worker *worker)
{
    struct rf_meter *meter = &worker->meter;

    memset(meter, 0, sizeof *meter);
    meter->committed_at = RF_MS_MIN;
    meter->committed_ms = -1;
    rf_histogram_init(&meter->commit_duration, &rf_commit_bounds);
    rf_ledger_init(&meter->ledger, worker->options->plan);
    meter->rules = make_meters(worker->options->plan);
    rf_mutex_lock(&worker->lock);
    for (size_t i = 0; i < 2; i++) {
        struct rf_published *copy = calloc(1, sizeof *copy);

        rf_assert(copy != NULL);
        rf_ledger_init(&copy->ledger, worker->options->plan);
        copy->rules = make_meters(worker->options->plan);
        copy->committed_at = RF_MS_MIN;
        copy->committed_ms = -1;
        if (i == 0)
            worker->published = copy;
        else
            worker->draft = copy;
    }
    rf_mutex_unlock(&worker->lock);
}

static void free_copy(struct rf_published *copy)
{
    free(copy->slots);
    free(copy->readings);
    free(copy->rules);
    rf_ledger_deinit(&copy->ledger);
    free(copy);
}

void rf_meter_deinit(struct rf_worker *worker)
{
    rf_ledger_deinit(&worker->meter.ledger);
    free(worker->meter.rules);
    rf_mutex_lock(&worker->lock);
    free_copy(worker->published);
    free_copy(worker->draft);
    worker->published = NULL;
    worker->draft = NULL;
    rf_mutex_unlock(&worker->lock);
}

/* ---- counting ---- */

void rf_meter_poll_begins(struct rf_worker *worker)
{
    worker->meter.poll_began_ns = rf_clock_monotonic_ns();
}

void rf_meter_poll_brings(struct rf_worker *worker)
{
    if (worker->meter.poll_began_ns == 0)
        return;
    worker->meter.idle_ns += rf_clock_monotonic_ns() - worker->meter.poll_began_ns;
    worker->meter.poll_began_ns = 0;
}

void rf_meter_poll_ends(struct rf_worker *worker)
{
    rf_meter_poll_brings(worker); /* nothing: it was all waiting */
}

void rf_meter_commit_begins(struct rf_worker *worker)
{
    worker->meter.commit_began_ns = rf_clock_monotonic_ns();
}

void rf_meter_committed(struct rf_worker *worker)
{
    struct rf_meter *meter = &worker->meter;

    rf_assert(meter->commit_began_ns != 0);
    rf_histogram_add(&meter->commit_duration,
                     (double)(rf_clock_monotonic_ns() - meter->commit_began_ns) / 1e9);
    meter->committed_at = rf_clock_wall_ms();
    meter->committed_ms = rf_clock_monotonic_ms();
}

void rf_meter_slot_committed(struct rf_worker *worker, struct rf_slot *slot)
{
    size_t count = 0;
    const struct rf_out *outbox = rf_task_outbox(slot->task, &count);

    rf_ledger_add(&worker->meter.ledger, rf_task_ledger(slot->task));
    rf_ledger_outbox(&worker->meter.ledger, outbox, count);
    slot->committed_at = rf_clock_wall_ms();
    if (count > 0)
        rf_ring_note(&worker->shared->ring, worker->options->plan, outbox, count,
                     slot->committed_at);
}

/* ---- copying ---- */

static void make_room(struct rf_published *copy, size_t source_count)
{
    if (copy->slot_count < copy->slot_capacity)
        return;
    copy->slot_capacity = copy->slot_capacity == 0 ? 8 : copy->slot_capacity * 2;
    copy->slots = realloc(copy->slots, copy->slot_capacity * sizeof *copy->slots);
    copy->readings =
        realloc(copy->readings, copy->slot_capacity * source_count * sizeof *copy->readings);
    rf_assert(copy->slots != NULL);
    rf_assert(copy->readings != NULL);
}

/* The consumer's position steps over transaction markers also where nothing comes that could be committed. */
static void read_positions(struct rf_worker *worker, const struct rf_slot *slot,
                           struct rf_lag_reading *readings)
{
    const struct rf_plan *plan = worker->options->plan;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)plan->source_count);

    for (size_t s = 0; s < plan->source_count; s++)
        rd_kafka_topic_partition_list_add(list, plan->sources[s].topic, slot->partition);
    if (worker->consumer != NULL &&
        rd_kafka_position(worker->consumer, list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t s = 0; s < plan->source_count; s++) {
            if (list->elems[s].offset > readings[s].position)
                readings[s].position = list->elems[s].offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void copy_readings(struct rf_worker *worker, const struct rf_slot *slot,
                          struct rf_lag_reading *readings)
{
    const struct rf_plan *plan = worker->options->plan;

    for (size_t s = 0; s < plan->source_count; s++) {
        const struct rf_input *oldest =
            slot->task == NULL ? NULL : rf_task_oldest(slot->task, (uint32_t)s);

        readings[s] = (struct rf_lag_reading){
            .committed = slot->committed[s],
            .position = slot->position[s],
            .oldest_offset = oldest == NULL ? -1 : oldest->position.offset,
            .oldest_time = oldest == NULL ? RF_MS_MIN : oldest->broker_time,
            .last_time = slot->last_time[s],
            .records = slot->records_read[s],
            .from_end = worker->options->start == RF_START_LATEST,
        };
    }
    read_positions(worker, slot, readings);
}

const struct rf_lag_reading *rf_meter_read(struct rf_worker *worker, const struct rf_slot *slot,
                                           struct rf_arena *arena)
{
    struct rf_lag_reading *readings =
        rf_arena_alloc(arena, worker->options->plan->source_count * sizeof *readings);

    copy_readings(worker, slot, readings);
    return readings;
}

static void copy_slot(struct rf_slot *slot, bool sizes, struct rf_published_slot *copy)
{
    const char *why = NULL;

    memset(copy, 0, sizeof *copy);
    copy->partition = slot->partition;
    copy->state = slot->state;
    copy->changelog_target = slot->changelog_target;
    copy->changelog_next = slot->changelog_reached;
    copy->restore_from = slot->restore_from;
    copy->restore_began_ms = slot->restore_began_ms;
    copy->restored = slot->restored;
    copy->stream_time = RF_MS_MIN;
    copy->clock = RF_MS_MIN;
    copy->next_due = RF_MS_MAX;
    copy->committed_at = slot->committed_at;
    copy->stored_at = slot->stored_at;
    copy->durable_at = slot->durable_at;
    if (slot->task == NULL)
        return;
    if (slot->state == RF_SLOT_BLOCKED && rf_task_is_blocked(slot->task, &why))
        memcpy(copy->blocked, why, strnlen(why, sizeof copy->blocked - 1));
    if (slot->state == RF_SLOT_RUNNING || slot->state == RF_SLOT_BLOCKED)
        copy->changelog_next = rf_task_changelog_next(slot->task);
    copy->stream_time = rf_task_stream_time(slot->task);
    copy->clock = rf_task_clock(slot->task);
    if (rf_task_next_due(slot->task) != RF_MS_MIN) /* the store was asked */
        copy->next_due = rf_task_next_due(slot->task);
    copy->pending = rf_task_pending(slot->task);
    copy->counts = rf_task_counts(slot->task);
    copy->hot = rf_task_records_stats(slot->task);
    if (sizes)
        rf_task_store_sizes(slot->task, &slot->store_sizes);
    copy->store = slot->store_sizes;
}

static void copy_worker(struct rf_worker *worker, struct rf_published *copy)
{
    const struct rf_meter *meter = &worker->meter;

    copy->committed = worker->transaction.committed_count;
    copy->aborted = worker->transaction.aborted_count;
    copy->unknown = worker->transaction.unknown_count;
    copy->lost = worker->transaction.lost_count;
    memcpy(copy->producers_made, meter->producers_made, sizeof copy->producers_made);
    copy->rebalances = meter->rebalances;
    copy->questions = meter->questions;
    copy->restored = meter->restored;
    memcpy(copy->store_faults, meter->store_faults, sizeof copy->store_faults);
    copy->commit_duration = meter->commit_duration;
    copy->committed_at = meter->committed_at;
    copy->committed_ms = meter->committed_ms;
    copy->idle_ns = meter->idle_ns;
    memcpy(copy->rules, meter->rules, worker->options->plan->rule_count * sizeof *copy->rules);
    rf_ledger_clear(&copy->ledger);
    rf_ledger_add(&copy->ledger, &meter->ledger);
}

static void note_task(struct rf_worker *worker, struct rf_task *task, struct rf_published *copy)
{
    copy->transaction_bytes += rf_task_transaction_bytes(task);
    rf_task_take_meter(task, worker->meter.rules);
}

void rf_meter_publish(struct rf_worker *worker, bool now)
{
    struct rf_meter *meter = &worker->meter;
    struct rf_published *copy = worker->draft;
    size_t source_count = worker->options->plan->source_count;
    int64_t time = rf_clock_monotonic_ms();
    bool sizes = now || time - meter->sized_ms >= SIZE_MS;

    if (!now && time - meter->published_ms < PUBLISH_MS)
        return;
    meter->published_ms = time;
    if (sizes)
        meter->sized_ms = time;
    copy->slot_count = 0;
    copy->transaction_bytes = 0;
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];

        if (slot->state == RF_SLOT_NONE)
            continue;
        make_room(copy, source_count);
        copy_slot(slot, sizes, &copy->slots[copy->slot_count]);
        copy_readings(worker, slot, &copy->readings[copy->slot_count * source_count]);
        if (slot->task != NULL)
            note_task(worker, slot->task, copy);
        copy->slot_count++;
    }
    copy_worker(worker, copy);
    rf_mutex_lock(&worker->lock);
    worker->draft = worker->published;
    worker->published = copy;
    rf_mutex_unlock(&worker->lock);
}
