/* Bringing a store up to the changelog before its task takes an event (invariant 3).
 *
 *   stable committed offsets (assignment.c) → high watermarks, read_uncommitted → read the changelog and the tasks
 *   topic, read_committed, until the partition's end is at or past them → the two must speak of one moment → run */
#include "edge/stream/restore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/task_state.h"
#include "core/task/task_store.h"
#include "edge/stream/assignment.h"
#include "edge/stream/client.h"
#include "edge/stream/silence.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"
#include "edge/sys/failpoint.h"
#include "edge/sys/log.h"

#define WATERMARK_TIMEOUT_MS 10000
#define STEP_MS              50 /* then the consumer is polled again */
#define RETRY_MS             1000
#define ROOM_RETRY_MS        20
#define RESTORE_MEMORY_MIN   ((size_t)4 << 20)  /* then 400 MiB are sorted within it */
#define RESTORE_MEMORY_MAX   ((size_t)16 << 20) /* more is hardly faster */
#define TASKS_TAIL                                                                                 \
    1000 /* records of the tasks topic that surely hold the last state, but for aborted ones */

size_t rf_restore_memory(const struct rf_worker *worker)
{
    size_t memory = rf_worker_memory(worker);

    return memory < RESTORE_MEMORY_MIN   ? RESTORE_MEMORY_MIN
           : memory > RESTORE_MEMORY_MAX ? RESTORE_MEMORY_MAX
                                         : memory;
}

static void retry_later(struct rf_slot *slot, const char *what, const char *reason)
{
    rf_log_warning(
        RF_FIELDS(rf_field_int("partition", slot->partition), rf_field_text("reason", reason)),
        "%s", what);
    slot->retry_at_ms = rf_clock_monotonic_ms() + RETRY_MS;
}

static bool watermarks(struct rf_worker *worker, const char *topic, int32_t partition, int64_t *low,
                       int64_t *high, struct rf_error *err)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    rf_worker_wait_begin(worker);
    code = rd_kafka_query_watermark_offsets(worker->observer, topic, partition, low, high,
                                            WATERMARK_TIMEOUT_MS);
    rf_worker_wait_end(worker);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    return rf_error_set(err, RF_ERROR_RETRY, code, "asking for the end of %s: %s", topic,
                        rd_kafka_err2str(code));
}

/* Is all that the store lacks still in the changelog? */
static bool check_changelog(const struct rf_worker *worker, const struct rf_slot *slot, int64_t low,
                            int64_t high, struct rf_error *err)
{
    int64_t from = rf_task_changelog_next(slot->task);
    const char *topic = worker->options->changelog_topic;

    if (from > high)
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "the store of partition %" PRId32 " is at offset %" PRId64
            " of %s, which ends at %" PRId64
            ": the topic was deleted or cut; remove the state directory to start from what is left",
            slot->partition, from, topic, high);
    if (low > 0 && (from == RF_CHECKPOINT_NONE || from < low) && !worker->options->accept_gap)
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "%s partition %" PRId32 " begins at offset %" PRId64
            " instead of 0: records were deleted from it"
            " and the state cannot be rebuilt from it; set cleanup.policy=compact and restore the topic, or"
            " go on without them by --accept-gap",
            topic, slot->partition, low);
    return true;
}

/* The restorer reads what all slots that restore still need. */
static bool assign_restorer(struct rf_worker *worker, struct rf_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (worker->restorer == NULL)
        worker->restorer =
            rf_client_restorer(worker->options->kafka, worker->options->kafka_count,
                               worker->options->plan->app, rf_worker_memory(worker), err);
    for (int32_t i = 0; worker->restorer != NULL && i < worker->shared->partition_count; i++) {
        const struct rf_slot *slot = &worker->slots[i];

        if (slot->state != RF_SLOT_RESTORING)
            continue;
        if (slot->changelog_reached < slot->changelog_target)
            rd_kafka_topic_partition_list_add(list, worker->options->changelog_topic, i)->offset =
                slot->changelog_reached;
        if (slot->tasks_reached < slot->tasks_target)
            rd_kafka_topic_partition_list_add(list, worker->options->tasks_topic, i)->offset =
                slot->tasks_reached;
    }
    if (worker->restorer != NULL)
        code = rd_kafka_assign(worker->restorer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rf_error_set(err, RF_ERROR_RETRY, code, "reading the changelog: %s",
                     rd_kafka_err2str(code));
    return err->kind == RF_ERROR_NONE;
}

/* Several stores are filled at once, as many as the memory of this worker's customers feeds: none of them is there yet. */
static bool has_room(const struct rf_worker *worker, const struct rf_slot *one_more)
{
    size_t filling = 0;

    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        const struct rf_slot *slot = &worker->slots[i];

        filling += slot != one_more && slot->state == RF_SLOT_RESTORING && slot->cold &&
                   slot->retry_at_ms == 0;
    }
    return filling == 0 || (filling + 1) * rf_restore_memory(worker) <= rf_worker_memory(worker);
}

/* All of it or nothing: with half of it known, the restorer would read for this slot from the wrong place as soon as
 * another slot assigns it. */
static bool find_targets(struct rf_worker *worker, struct rf_slot *slot, struct rf_error *err)
{
    int64_t changelog_low = 0;
    int64_t changelog_high = 0;
    int64_t tasks_low = 0;
    int64_t tasks_high = 0;
    int64_t from = rf_task_changelog_next(slot->task);

    if (!watermarks(worker, worker->options->changelog_topic, slot->partition, &changelog_low,
                    &changelog_high, err) ||
        !watermarks(worker, worker->options->tasks_topic, slot->partition, &tasks_low, &tasks_high,
                    err))
        return false;
    if (!check_changelog(worker, slot, changelog_low, changelog_high, err))
        return false;
    slot->changelog_target = changelog_high;
    slot->tasks_target = tasks_high;
    slot->changelog_reached = from < changelog_low ? changelog_low : from;
    slot->tasks_from = tasks_low;
    /* The last state is near the end; the schemas of older records may be anywhere, and are on disk unless the store
     * is new. */
    if (from != RF_CHECKPOINT_NONE && slot->tasks_target - TASKS_TAIL > tasks_low)
        slot->tasks_from = slot->tasks_target - TASKS_TAIL;
    slot->tasks_low = tasks_low;
    slot->tasks_reached = slot->tasks_from;
    return true;
}

/* Errors end here: tried again later, or the worker's end. */
void rf_restore_begin(struct rf_worker *worker, struct rf_slot *slot)
{
    struct rf_error err = {0};

    rf_assert(slot->task != NULL);
    slot->state = RF_SLOT_RESTORING;
    slot->has_state = false;
    slot->restored = 0;
    slot->restore_began_ms = rf_clock_monotonic_ms();
    slot->changelog_reached = 0;
    slot->tasks_reached = 0;
    slot->changelog_target = 0;
    slot->tasks_target = 0;
    slot->restore_from = 0;
    slot->cold = slot->cold || rf_task_changelog_next(slot->task) == RF_CHECKPOINT_NONE;
    if (slot->cold && !has_room(worker, slot)) { /* the restorer does not read for it yet */
        slot->retry_at_ms = rf_clock_monotonic_ms() + ROOM_RETRY_MS;
        return;
    }
    if (find_targets(worker, slot, &err) && assign_restorer(worker, &err)) {
        slot->retry_at_ms = 0;
        slot->restore_from = slot->changelog_reached;
        return;
    }
    if (err.kind == RF_ERROR_CONFIG && worker->fatal.kind == RF_ERROR_NONE)
        worker->fatal = err;
    retry_later(slot, "restoring cannot begin yet", err.message);
}

static void read_bookkeeping(struct rf_slot *slot, const rd_kafka_message_t *message)
{
    struct rf_bytes key = rf_bytes_of(message->key, message->key_len);
    struct rf_bytes value = rf_bytes_of(message->payload, message->len);
    struct rf_error err = {0};

    if (!rf_bytes_equal(key, rf_bytes_of_text("state"))) {
        if (value.data != NULL)
            rf_task_restore_schema(slot->task, key, value);
        return;
    }
    if (value.data == NULL || value.size > sizeof slot->state_bytes)
        return;
    memcpy(slot->state_bytes, value.data, value.size);
    if (rf_task_state_read(rf_bytes_of(slot->state_bytes, value.size), &slot->state_found, &err)) {
        slot->has_state = true;
        return;
    }
    slot->has_state = false;
    rf_log_warning(
        RF_FIELDS(rf_field_int("partition", slot->partition), rf_field_text("reason", err.message)),
        "a record of the tasks topic cannot be read");
}

static bool read_record(struct rf_slot *slot, const rd_kafka_message_t *message)
{
    struct rf_error err = {0};

    if (!rf_task_restore(slot->task, rf_bytes_of(message->key, message->key_len),
                         rf_bytes_of(message->payload, message->len), &err)) {
        retry_later(slot, "the store cannot be written; restoring waits", err.message);
        return false;
    }
    rf_task_restored_to(slot->task, message->offset + 1);
    slot->restored++;
    return true;
}

static void read_message(struct rf_worker *worker, const rd_kafka_message_t *message)
{
    bool is_changelog =
        strcmp(rd_kafka_topic_name(message->rkt), worker->options->changelog_topic) == 0;
    struct rf_slot *slot = &worker->slots[message->partition];
    int64_t *reached = is_changelog ? &slot->changelog_reached : &slot->tasks_reached;

    if (slot->state != RF_SLOT_RESTORING)
        return;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (message->offset > *reached)
            *reached = message->offset; /* control records count */
        return;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        retry_later(slot, "reading the changelog failed", rd_kafka_message_errstr(message));
        return;
    }
    if (message->offset < *reached || slot->retry_at_ms != 0)
        return;
    if (!is_changelog)
        read_bookkeeping(slot, message);
    else if (read_record(slot, message))
        worker->meter.restored++;
    else
        return;
    *reached = message->offset + 1;
}

/* The changelog and the committed offsets were written by one transaction. Where they disagree somebody has moved the
 * offsets, or lost a part of the changelog, and folding on would count twice or skip. */
static bool speak_of_one_moment(const struct rf_worker *worker, const struct rf_slot *slot,
                                struct rf_error *err)
{
    const struct rf_plan *plan = worker->options->plan;

    if (worker->options->delivery != RF_EXACTLY_ONCE || worker->options->accept_gap)
        return true;
    for (size_t s = 0; s < plan->source_count; s++) {
        int64_t in_changelog = -1;

        for (size_t i = 0; slot->has_state && i < slot->state_found.position_count; i++) {
            if (rf_bytes_equal(slot->state_found.positions[i].topic,
                               rf_bytes_of_text(plan->sources[s].topic)))
                in_changelog = slot->state_found.positions[i].offset;
        }
        if (in_changelog != slot->committed[s])
            return rf_error_set(
                err, RF_ERROR_CONFIG, 0,
                "%s partition %" PRId32 ": the group's committed offset is %" PRId64
                ", but the state is of offset %" PRId64
                ": the offsets were reset, or the changelog is incomplete;"
                " set the offset back, use a new app, or accept the difference with --accept-gap",
                plan->sources[s].topic, slot->partition, slot->committed[s], in_changelog);
    }
    return true;
}

/* Offsets that have moved since the assignment are no disagreement: the group has gone on without us, a new owner has
 * committed, and we shall be told. Offsets that have not, are one, and the operator's. */
static void disagree(struct rf_worker *worker, struct rf_slot *slot, const struct rf_error *why)
{
    struct rf_error err = {0};
    int64_t now[RF_SOURCES_MAX];
    bool moved = false;

    if (!rf_committed_offsets(worker, slot->partition, now, &err)) {
        retry_later(slot, "the committed offsets are not known", err.message);
        return;
    }
    for (size_t s = 0; s < worker->options->plan->source_count; s++)
        moved = moved || now[s] != slot->committed[s];
    retry_later(slot, moved ? "the task has gone on elsewhere" : "restoring is given up",
                why->message);
    if (moved)
        worker->rejoin = true;
    else if (worker->fatal.kind == RF_ERROR_NONE)
        worker->fatal = *why;
}

static void finish(struct rf_worker *worker, struct rf_slot *slot)
{
    struct rf_error err = {0};
    bool restored = false;

    if (!slot->has_state && slot->tasks_from > slot->tasks_low) {
        slot->tasks_from = slot->tasks_low; /* its tail was all aborted transactions */
        slot->tasks_reached = slot->tasks_low;
        if (!assign_restorer(worker, &err))
            retry_later(slot, "the tasks topic cannot be read", err.message);
        return;
    }
    if (!speak_of_one_moment(worker, slot, &err)) {
        disagree(worker, slot, &err);
        return;
    }
    rf_worker_wait_begin(worker); /* what was read is sorted and taken in */
    restored = rf_task_restore_end(slot->task, slot->changelog_target, &err);
    rf_worker_wait_end(worker);
    if (!restored) {
        retry_later(slot, "the store cannot be written; restoring waits", err.message);
        return;
    }
    if (slot->has_state)
        rf_task_restore_state(slot->task, &slot->state_found);
    slot->state = RF_SLOT_RUNNING;
    rf_silence_begin(slot);
    slot->wait_until_ms =
        rf_clock_monotonic_ms() + 1000; /* until each source was fetched from once */
    rf_slots_resume(worker, slot);
    rf_failpoint("after_restore");
    rf_log_info(
        RF_FIELDS(rf_field_int("partition", slot->partition),
                  rf_field_int("restored_records", (int64_t)slot->restored),
                  rf_field_int("milliseconds", rf_clock_monotonic_ms() - slot->restore_began_ms),
                  rf_field_int("changelog_offset", slot->changelog_target)),
        "task ready");
}

bool rf_restore_is_needed(const struct rf_worker *worker)
{
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        if (worker->slots[i].state == RF_SLOT_RESTORING)
            return true;
    }
    return false;
}

static void poll_restorer(struct rf_worker *worker)
{
    int64_t until = rf_clock_monotonic_ms() + STEP_MS;

    do {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(worker->restorer, 10);

        if (message == NULL)
            return;
        read_message(worker, message);
        rd_kafka_message_destroy(message);
    } while (rf_clock_monotonic_ms() < until);
}

void rf_restore_step(struct rf_worker *worker)
{
    if (worker->restorer != NULL)
        poll_restorer(worker);
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];

        if (slot->state != RF_SLOT_RESTORING)
            continue;
        if (slot->retry_at_ms != 0) {
            if (rf_clock_monotonic_ms() >= slot->retry_at_ms)
                rf_restore_begin(worker, slot); /* from where it has come */
        } else if (slot->changelog_reached >= slot->changelog_target &&
                   slot->tasks_reached >= slot->tasks_target) {
            finish(worker, slot);
        }
    }
    if (worker->restorer != NULL && !rf_restore_is_needed(worker)) {
        rd_kafka_destroy(worker->restorer);
        worker->restorer = NULL;
    }
}
