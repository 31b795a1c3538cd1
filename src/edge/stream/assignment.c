/* Which partitions are ours: the rebalance callback, and the opening of tasks. */
#include "edge/stream/assignment.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/task.h"
#include "core/task/task_store.h"
#include "edge/stream/commit.h"
#include "edge/stream/silence.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define COMMITTED_TIMEOUT_MS                                                                       \
    60000 /* an open transaction of a former owner keeps its offsets back so long */
#define WATERMARK_TIMEOUT_MS 10000

static int source_of_topic(const struct rf_plan *plan, const char *topic)
{
    for (size_t i = 0; i < plan->source_count; i++) {
        if (strcmp(plan->sources[i].topic, topic) == 0)
            return (int)i;
    }
    return -1;
}

bool rf_committed_offsets(struct rf_worker *worker, int32_t partition, int64_t *offsets,
                          struct rf_error *err)
{
    const struct rf_plan *plan = worker->options->plan;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)plan->source_count);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (size_t i = 0; i < plan->source_count; i++)
        rd_kafka_topic_partition_list_add(list, plan->sources[i].topic, partition);
    rf_worker_wait_begin(worker);
    code = rd_kafka_committed(worker->consumer, list, COMMITTED_TIMEOUT_MS);
    rf_worker_wait_end(worker);
    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < plan->source_count; i++) {
        offsets[i] = list->elems[i].offset < 0 ? -1 : list->elems[i].offset;
        code = list->elems[i].err;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    return rf_error_set(err, RF_ERROR_RETRY, code,
                        "asking for the committed offsets of partition %" PRId32 ": %s", partition,
                        rd_kafka_err2str(code));
}

/* Where to begin: behind what is committed; at the configured end of the topic where nothing is. Errors: CONFIG,
 * where the topic no longer has what comes next. */
static bool starting_offset(struct rf_worker *worker, const char *topic, int32_t partition,
                            int64_t committed, int64_t *offset, struct rf_error *err)
{
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    rf_worker_wait_begin(worker);
    code = rd_kafka_query_watermark_offsets(worker->observer, topic, partition, &low, &high,
                                            WATERMARK_TIMEOUT_MS);
    rf_worker_wait_end(worker);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rf_error_set(err, RF_ERROR_RETRY, code,
                            "asking for the offsets of %s partition %" PRId32 ": %s", topic,
                            partition, rd_kafka_err2str(code));
    *offset = committed >= 0 ? committed : worker->options->start == RF_START_EARLIEST ? low : high;
    if (*offset < low && worker->options->accept_gap) {
        rf_log_warning(RF_FIELDS(rf_field_text("topic", topic),
                                 rf_field_int("partition", partition),
                                 rf_field_int("from", *offset), rf_field_int("to", low)),
                       "records are missing from the input, as --accept-gap allows");
        *offset = low;
    }
    if (*offset < low)
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "%s partition %" PRId32 " begins at offset %" PRId64 ", but offset %" PRId64
            " comes next: %" PRId64
            " records have fallen off its retention; --accept-gap goes on without them",
            topic, partition, low, *offset, low - *offset);
    if (*offset > high)
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "%s partition %" PRId32 " ends at offset %" PRId64 ", but offset %" PRId64
            " comes next: the topic was deleted and made anew; reset the group's offsets or use a new app",
            topic, partition, high, *offset);
    return true;
}

/* One partition number: its offsets, and its way into the worker's inbox. */
static bool assign_slot(struct rf_worker *worker, struct rf_slot *slot,
                        rd_kafka_topic_partition_list_t *list, struct rf_error *err)
{
    const struct rf_plan *plan = worker->options->plan;

    if (!rf_committed_offsets(worker, slot->partition, slot->committed, err))
        return false;
    for (size_t i = 0; i < plan->source_count; i++) {
        rd_kafka_topic_partition_t *entry =
            rd_kafka_topic_partition_list_find(list, plan->sources[i].topic, slot->partition);
        rd_kafka_queue_t *queue = NULL;

        if (entry == NULL)
            return rf_error_set(err, RF_ERROR_CONFIG, 0,
                                "partition %" PRId32 " of %s was given to another member",
                                slot->partition, plan->sources[i].topic);
        if (!starting_offset(worker, plan->sources[i].topic, slot->partition, slot->committed[i],
                             &entry->offset, err))
            return false;
        slot->position[i] = slot->committed[i];
        slot->sent[i] = -1;
        slot->records_read[i] = 0;
        slot->last_time[i] = RF_MS_MIN;
        queue =
            rd_kafka_queue_get_partition(worker->consumer, plan->sources[i].topic, slot->partition);
        rf_assert(queue != NULL);
        rd_kafka_queue_forward(queue, worker->inbox);
        rd_kafka_queue_destroy(queue);
    }
    slot->state = RF_SLOT_WAITING;
    rf_silence_begin(slot);
    slot->retry_at_ms = 0;
    slot->cold = false;
    slot->schema_written = false;
    slot->committed_at = RF_MS_MIN;
    slot->stored_at = RF_MS_MIN;
    slot->durable_at = RF_MS_MIN;
    return true;
}

static void assign(struct rf_worker *worker, rd_kafka_topic_partition_list_t *list)
{
    const struct rf_plan *plan = worker->options->plan;
    struct rf_error err = {0};
    bool ok = true;

    for (int i = 0; ok && i < list->cnt; i++) {
        int32_t partition = list->elems[i].partition;

        if (strcmp(list->elems[i].topic, plan->sources[0].topic) == 0)
            ok = assign_slot(worker, &worker->slots[partition], list, &err);
    }
    if (!ok) {
        rf_log_error(
            RF_FIELDS(rf_field_text("worker", worker->name), rf_field_text("reason", err.message)),
            "the assignment cannot be taken");
        if (err.kind == RF_ERROR_CONFIG && worker->fatal.kind == RF_ERROR_NONE)
            worker->fatal = err;
        rf_slots_release(worker);
        worker->rejoin = true;
        rd_kafka_assign(worker->consumer, NULL);
        return;
    }
    rd_kafka_assign(worker->consumer, list);
    rd_kafka_pause_partitions(worker->consumer,
                              list); /* until their tasks are restored (invariant 3) */
    for (int i = 0; i < list->cnt; i++)
        worker->slots[list->elems[i].partition].paused = true;
    rf_log_info(RF_FIELDS(rf_field_text("worker", worker->name), rf_field_int("count", list->cnt)),
                "partitions assigned");
}

void rf_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                   rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct rf_worker *worker = opaque;

    worker->meter.rebalances++;
    /* A rebalance that was under way when the consumer began to leave: a handle that closes answers no questions. */
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && worker->closing) {
        rd_kafka_assign(rk, NULL);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(worker, partitions);
        rf_meter_publish(worker, true);
        return;
    }
    if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        rf_log_error(RF_FIELDS(rf_field_text("worker", worker->name),
                               rf_field_text("reason", rd_kafka_err2str(code))),
                     "rebalance failed");
    /* Commit while they are still ours; where they are somebody else's already, our offsets would be refused. */
    if (rf_commit_is_open(worker))
        rf_commit_feed(worker, rd_kafka_assignment_lost(rk) ? RF_INPUT_REVOKED : RF_INPUT_DUE);
    rf_slots_release(worker);
    rd_kafka_assign(rk, NULL);
    rf_meter_publish(worker, true);
    rf_log_info(
        RF_FIELDS(rf_field_text("worker", worker->name), rf_field_int("count", partitions->cnt)),
        "partitions revoked");
}

static rd_kafka_topic_partition_list_t *partitions_of(const struct rf_worker *worker,
                                                      const struct rf_slot *slot)
{
    const struct rf_plan *plan = worker->options->plan;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)plan->source_count);

    for (size_t i = 0; i < plan->source_count; i++) {
        if (source_of_topic(plan, plan->sources[i].topic) == (int)i)
            rd_kafka_topic_partition_list_add(list, plan->sources[i].topic, slot->partition);
    }
    return list;
}

void rf_slots_pause(struct rf_worker *worker, struct rf_slot *slot)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    if (slot->paused)
        return;
    list = partitions_of(worker, slot);
    rd_kafka_pause_partitions(worker->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    slot->paused = true;
}

void rf_slots_resume(struct rf_worker *worker, struct rf_slot *slot)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    if (!slot->paused)
        return;
    list = partitions_of(worker, slot);
    rd_kafka_resume_partitions(worker->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    slot->paused = false;
}

/* What is committed goes to the store before the task is put down; what is not was dropped by the transaction. */
static void release(struct rf_worker *worker, struct rf_slot *slot)
{
    struct rf_error err = {0};
    struct rf_task *task = slot->task;

    slot->task = NULL;
    if (task != NULL) {
        rf_task_forget_inputs(task);
        if (!rf_task_flush(task, 0, &err) || !rf_task_sync(task, false, &err)) {
            rf_log_warning(RF_FIELDS(rf_field_int("partition", slot->partition),
                                     rf_field_text("reason", err.message)),
                           "a store could not be written; its task starts from the changelog");
            rf_task_close(task);
            task = NULL;
        }
    }
    rf_garage_park(&worker->shared->garage, slot->partition, task);
}

void rf_slots_release(struct rf_worker *worker)
{
    rf_assert(worker->transaction.state == RF_TRANSACTION_IDLE ||
              worker->transaction.state == RF_TRANSACTION_LOST);
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];

        if (slot->state == RF_SLOT_RUNNING || slot->state == RF_SLOT_BLOCKED ||
            slot->state == RF_SLOT_RESTORING)
            release(worker, slot);
        slot->state = RF_SLOT_NONE;
        slot->paused = false;
    }
}
