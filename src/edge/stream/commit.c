/* Executes what core/task/transaction decides, and says what became of it. Nothing is decided here. */
#include "edge/stream/commit.h"

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "edge/stream/assignment.h"
#include "edge/stream/producer.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"
#include "edge/sys/failpoint.h"
#include "edge/sys/log.h"

#define SLOW_COMMIT_MS                                                                             \
    5000 /* guard G1: longer than this, a repeated EndTxn may still be under way */
#define FLUSH_BEFORE_ABORT_MS 2000
#define FLUSH_MS              30000
#define SEND_OFFSETS_MS       30000
#define FIND_OUT_PAUSE_MS     500

bool rf_commit_is_open(const struct rf_worker *worker)
{
    return worker->transaction.state == RF_TRANSACTION_OPEN;
}

static bool is_exactly_once(const struct rf_worker *worker)
{
    return worker->options->delivery == RF_EXACTLY_ONCE;
}

static bool has_folded(const struct rf_slot *slot)
{
    return slot->task != NULL && rf_task_folded(slot->task) > 0;
}

/* Something that the changelog and the tasks topic have to tell. A customer looked at in vain is nothing. */
static bool has_news(const struct rf_slot *slot)
{
    return has_folded(slot) || (slot->task != NULL && rf_task_fired(slot->task) > 0);
}

/* librdkafka's own classification; none of the flags means that nobody knows. Consumes `error`. */
static enum rf_transaction_input judge_error(struct rf_worker *worker, rd_kafka_error_t *error,
                                             const char *doing)
{
    enum rf_transaction_input input = RF_INPUT_UNKNOWN;

    if (error == NULL)
        return RF_INPUT_OK;
    if (rd_kafka_error_is_retriable(error))
        input = RF_INPUT_RETRY;
    else if (rd_kafka_error_txn_requires_abort(error))
        input = RF_INPUT_ABORTABLE;
    rf_log_warning(RF_FIELDS(rf_field_text("worker", worker->name),
                             rf_field_text("code", rd_kafka_error_name(error)),
                             rf_field_text("reason", rd_kafka_error_string(error))),
                   input == RF_INPUT_UNKNOWN ? "%s failed, and how it ended has to be found out"
                                             : "%s failed",
                   doing);
    rd_kafka_error_destroy(error);
    return input;
}

static enum rf_transaction_input begin(struct rf_worker *worker)
{
    struct rf_error err = {0};

    if (worker->renew_producer) {
        rf_producer_close(worker);
        worker->meter.cause = RF_PRODUCER_UNCERTAIN;
        rf_log_info(RF_FIELDS(rf_field_text("worker", worker->name)),
                    "the producer is made anew after an uncertain commit");
    }
    if (worker->producer == NULL && !rf_producer_open(worker, &err)) {
        rf_log_warning(
            RF_FIELDS(rf_field_text("worker", worker->name), rf_field_text("reason", err.message)),
            "no producer");
        return RF_INPUT_UNKNOWN;
    }
    worker->began_ms = rf_clock_monotonic_ms();
    worker->quarantined = false;
    worker->undelivered = false;
    worker->commit_asked = false;
    worker->connection_failed = false;
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        worker->slots[i].changelog_last = -1;
        worker->slots[i].changelog_produced = 0;
        worker->slots[i].changelog_acknowledged = 0;
    }
    if (!is_exactly_once(worker))
        return RF_INPUT_OK;
    return judge_error(worker, rd_kafka_begin_transaction(worker->producer), "begin");
}

/* The consumer's position steps over control records, ours does not; ours is right where it knows none. */
static void find_positions(struct rf_worker *worker, struct rf_slot *slot)
{
    const struct rf_plan *plan = worker->options->plan;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)plan->source_count);

    for (size_t i = 0; i < plan->source_count; i++)
        rd_kafka_topic_partition_list_add(list, plan->sources[i].topic, slot->partition);
    if (rd_kafka_position(worker->consumer, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        rf_log_debug(RF_FIELDS(rf_field_int("partition", slot->partition)),
                     "the consumer knows no position");
    for (size_t i = 0; i < plan->source_count; i++) {
        int64_t fetched = list->elems[i].offset;

        if (fetched > slot->position[i])
            slot->position[i] = fetched;
        slot->sent[i] = rf_task_position(slot->task, (uint32_t)i, slot->position[i]);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static enum rf_transaction_input flush(struct rf_worker *worker)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    rf_worker_wait_begin(worker);
    code = rd_kafka_flush(worker->producer, FLUSH_MS);
    rf_worker_wait_end(worker);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rf_worker_is_stopping_now(worker) ? RF_INPUT_ABORTABLE : RF_INPUT_RETRY;
    return worker->undelivered ? RF_INPUT_ABORTABLE : RF_INPUT_OK;
}

/* At least once: what is told has arrived before the changelog knows that it was told, and the customers before the
 * task's state knows how late it is, or a death in between would leave something untold, or take for late what is
 * folded again. In a transaction all is there at once. */
static enum rf_transaction_input wait_for_arrival(struct rf_worker *worker)
{
    return is_exactly_once(worker) ? RF_INPUT_OK : flush(worker);
}

static enum rf_transaction_input produce_each(
    struct rf_worker *worker,
    enum rf_transaction_input (*produce)(struct rf_worker *, struct rf_slot *))
{
    enum rf_transaction_input input = RF_INPUT_OK;

    for (int32_t i = 0; i < worker->shared->partition_count && input == RF_INPUT_OK; i++) {
        if (has_news(&worker->slots[i]))
            input = produce(worker, &worker->slots[i]);
    }
    return input;
}

static enum rf_transaction_input produce_slot(struct rf_worker *worker, struct rf_slot *slot)
{
    find_positions(worker, slot);
    return rf_produce_records(worker, slot);
}

static enum rf_transaction_input produce_records(struct rf_worker *worker)
{
    enum rf_transaction_input input = wait_for_arrival(worker);

    if (input != RF_INPUT_OK)
        return input;
    rf_meter_commit_begins(worker);
    rf_failpoint("before_produce");
    input = produce_each(worker, produce_slot);
    if (input == RF_INPUT_OK)
        input = wait_for_arrival(worker);
    rf_failpoint("before_state");
    if (input == RF_INPUT_OK)
        input = produce_each(worker, rf_produce_state);
    if (input != RF_INPUT_OK)
        return input;
    rf_failpoint("after_produce");
    return worker->quarantined ? RF_INPUT_ABORTABLE : RF_INPUT_OK;
}

/* Also of a task in which only time has passed, where they are those of before: they are what lets the group's
 * coordinator refuse a worker whose partitions are somebody else's. */
static rd_kafka_topic_partition_list_t *offsets_to_send(struct rf_worker *worker)
{
    const struct rf_plan *plan = worker->options->plan;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);

    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        const struct rf_slot *slot = &worker->slots[i];

        for (size_t s = 0; has_news(slot) && s < plan->source_count; s++) {
            if (slot->sent[s] >= 0)
                rd_kafka_topic_partition_list_add(list, plan->sources[s].topic, i)->offset =
                    slot->sent[s];
        }
    }
    return list;
}

static enum rf_transaction_input send_offsets(struct rf_worker *worker)
{
    rd_kafka_topic_partition_list_t *offsets = NULL;
    rd_kafka_consumer_group_metadata_t *metadata = NULL;
    rd_kafka_error_t *error = NULL;

    if (!is_exactly_once(worker))
        return RF_INPUT_OK;
    rf_failpoint("before_send_offsets");
    offsets = offsets_to_send(worker);
    metadata = rd_kafka_consumer_group_metadata(
        worker->consumer); /* of this moment: it fences us if we are late */
    rf_worker_wait_begin(worker);
    error =
        rd_kafka_send_offsets_to_transaction(worker->producer, offsets, metadata, SEND_OFFSETS_MS);
    rf_worker_wait_end(worker);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(offsets);
    rf_failpoint("after_send_offsets");
    return judge_error(worker, error, "send offsets");
}

/* At least once: everything delivered, then the offsets. */
static enum rf_transaction_input commit_plainly(struct rf_worker *worker)
{
    rd_kafka_topic_partition_list_t *offsets = NULL;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    enum rf_transaction_input delivered = flush(worker);

    if (delivered != RF_INPUT_OK)
        return delivered;
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        if (worker->slots[i].changelog_acknowledged != worker->slots[i].changelog_produced)
            return RF_INPUT_ABORTABLE;
    }
    offsets = offsets_to_send(worker);
    rf_worker_wait_begin(worker);
    code = rd_kafka_commit(worker->consumer, offsets, 0);
    rf_worker_wait_end(worker);
    rd_kafka_topic_partition_list_destroy(offsets);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return RF_INPUT_OK;
    rf_log_warning(RF_FIELDS(rf_field_text("worker", worker->name),
                             rf_field_text("reason", rd_kafka_err2str(code))),
                   "committing offsets failed");
    return RF_INPUT_ABORTABLE;
}

static enum rf_transaction_input commit(struct rf_worker *worker)
{
    int64_t start = rf_clock_monotonic_ms();
    enum rf_transaction_input input = RF_INPUT_OK;
    rd_kafka_error_t *error = NULL;

    if (!is_exactly_once(worker))
        return commit_plainly(worker);
    rf_failpoint("before_commit");
    worker->commit_asked = true;
    rf_worker_wait_begin(worker);
    error = rd_kafka_commit_transaction(worker->producer, -1);
    rf_worker_wait_end(worker);
    input = judge_error(worker, error, "commit");
    if (worker->connection_failed || rf_clock_monotonic_ms() - start > SLOW_COMMIT_MS)
        worker->renew_producer = true;
    rf_failpoint("after_commit");
    return input;
}

static void tell_emitted(const struct rf_worker *worker, const struct rf_slot *slot)
{
    size_t count = 0;
    const struct rf_out *outbox = rf_task_outbox(slot->task, &count);

    for (size_t i = 0; i < count; i++) {
        if (outbox[i].kind == RF_OUT_DERIVED)
            worker->options->ports.emitted(worker->options->ports.emitted_self,
                                           outbox[i].as.derived);
    }
}

static void end_transaction(struct rf_worker *worker)
{
    worker->folded = 0;
    rf_arena_reset(&worker->arena, 1U << 20);
}

/* Committed: from here on the records count (invariant 1). They reach the store when enough have gathered. */
static enum rf_transaction_input apply(struct rf_worker *worker)
{
    rf_meter_committed(worker);
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];
        bool news = has_news(slot);

        if (slot->task == NULL || !rf_task_is_open(slot->task))
            continue;
        rf_assert(slot->changelog_acknowledged == slot->changelog_produced);
        if (worker->options->ports.emitted != NULL)
            tell_emitted(worker, slot);
        rf_meter_slot_committed(worker, slot);
        rf_task_committed(slot->task, slot->changelog_last < 0 ? -1 : slot->changelog_last + 1);
        if (!news)
            continue;
        slot->schema_written = true;
        for (size_t s = 0; s < worker->options->plan->source_count; s++)
            slot->committed[s] = slot->sent[s];
    }
    worker->abort_streak = 0;
    end_transaction(worker);
    return RF_INPUT_OK;
}

static void drop_overlays(struct rf_worker *worker)
{
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        if (worker->slots[i].task != NULL)
            rf_task_aborted(worker->slots[i].task);
    }
    end_transaction(worker);
}

/* Deliveries first: an EndTxn that overtakes AddPartitions is answered by a fatal INVALID_TXN_STATE. */
static enum rf_transaction_input abort_transaction(struct rf_worker *worker)
{
    enum rf_transaction_input input = RF_INPUT_OK;
    int64_t start = rf_clock_monotonic_ms();

    rf_worker_wait_begin(worker);
    rd_kafka_flush(worker->producer, FLUSH_BEFORE_ABORT_MS);
    if (is_exactly_once(worker))
        input = judge_error(worker, rd_kafka_abort_transaction(worker->producer, -1), "abort");
    rf_worker_wait_end(worker);
    if (input == RF_INPUT_RETRY || input == RF_INPUT_UNKNOWN)
        return input;
    if (worker->connection_failed || rf_clock_monotonic_ms() - start > SLOW_COMMIT_MS)
        worker->renew_producer = true;
    drop_overlays(worker);
    worker->abort_streak++;
    return RF_INPUT_OK;
}

static bool only_time_has_passed(const struct rf_worker *worker)
{
    bool news = false;

    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        if (has_folded(&worker->slots[i]))
            return false;
        news = news || has_news(&worker->slots[i]);
    }
    return news;
}

static bool is_as_before(const struct rf_worker *worker, const struct rf_slot *slot,
                         const int64_t *now)
{
    for (size_t s = 0; s < worker->options->plan->source_count; s++) {
        if (now[s] != slot->committed[s])
            return false;
    }
    return true;
}

/* A new producer with the same transactional.id ends the old one's transaction, one way or the other; then the
 * group's offsets say whether it was aborted. That they are those we sent proves nothing: where the transaction timed
 * out, somebody else may have folded the same inputs, in another order. So whatever has moved on is read from the
 * changelog. A transaction in which only time has passed moves no offset: once its commit was asked for, offsets that
 * have not moved prove nothing. */
static enum rf_transaction_input find_out(struct rf_worker *worker)
{
    struct rf_error err = {0};
    bool moved = worker->commit_asked && only_time_has_passed(worker);

    rf_producer_close(worker);
    worker->meter.cause = RF_PRODUCER_UNKNOWN;
    if (!rf_producer_open(worker, &err)) {
        rf_log_warning(
            RF_FIELDS(rf_field_text("worker", worker->name), rf_field_text("reason", err.message)),
            "no producer");
        rf_clock_sleep_ms(FIND_OUT_PAUSE_MS);
        return rf_worker_is_stopping_now(worker) || err.kind == RF_ERROR_CONFIG ? RF_INPUT_ELSEWHERE
                                                                                : RF_INPUT_RETRY;
    }
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];
        int64_t now[RF_SOURCES_MAX];

        if (!has_folded(slot))
            continue;
        if (!rf_committed_offsets(worker, i, now, &err)) {
            rf_clock_sleep_ms(FIND_OUT_PAUSE_MS);
            return rf_worker_is_stopping_now(worker) || worker->rejoin ? RF_INPUT_ELSEWHERE
                                                                       : RF_INPUT_RETRY;
        }
        moved = moved || !is_as_before(worker, slot, now);
    }
    rf_log_info(RF_FIELDS(rf_field_text("worker", worker->name),
                          rf_field_text("outcome", moved ? "in the changelog" : "aborted")),
                "the outcome of the transaction was found out");
    if (moved)
        return RF_INPUT_ELSEWHERE;
    drop_overlays(worker);
    return RF_INPUT_WAS_ABORTED;
}

static enum rf_transaction_input give_up(struct rf_worker *worker)
{
    rf_log_warning(RF_FIELDS(rf_field_text("worker", worker->name)),
                   "the tasks are given up; the worker joins the group anew");
    drop_overlays(worker);
    rf_slots_release(worker);
    worker->rejoin = true;
    return RF_INPUT_OK;
}

static enum rf_transaction_input execute(struct rf_worker *worker,
                                         enum rf_transaction_action action)
{
    switch (action) {
    case RF_ACTION_BEGIN:
        return begin(worker);
    case RF_ACTION_PRODUCE:
        return produce_records(worker);
    case RF_ACTION_SEND_OFFSETS:
        return send_offsets(worker);
    case RF_ACTION_COMMIT:
        return commit(worker);
    case RF_ACTION_APPLY:
        return apply(worker);
    case RF_ACTION_ABORT:
        return abort_transaction(worker);
    case RF_ACTION_FIND_OUT:
        return find_out(worker);
    case RF_ACTION_GIVE_UP:
        return give_up(worker);
    case RF_ACTION_NONE:
        break;
    }
    rf_assert(false);
    return RF_INPUT_UNKNOWN;
}

void rf_commit_feed(struct rf_worker *worker, enum rf_transaction_input input)
{
    enum rf_transaction_action action = rf_transaction_step(&worker->transaction, input);

    while (action != RF_ACTION_NONE)
        action = rf_transaction_step(&worker->transaction, execute(worker, action));
}
