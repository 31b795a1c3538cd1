/* A worker's loop: poll, fold, commit when it is due, restore what was assigned, write what has gathered. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_stats.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "edge/stream/assignment.h"
#include "edge/stream/client.h"
#include "edge/stream/commit.h"
#include "edge/stream/headers.h"
#include "edge/stream/producer.h"
#include "edge/stream/restore.h"
#include "edge/stream/silence.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"
#include "edge/sys/failpoint.h"
#include "edge/sys/log.h"

#define BATCH_MESSAGES_MAX 8192
#define IDLE_POLL_MS       100 /* how long a rebalance may wait to be noticed */
#define RESTORE_POLL_MS    0   /* while a task restores, the restorer does the waiting */
#define RETRY_MS           1000
#define BLOCKED_RETRY_MS   100
#define GARAGE_RETRY_MS    50
#define SOURCE_WAIT_MS     300 /* for a source that has more to come */
#define REJOIN_PAUSE_MS    1000
#define ABORT_PAUSE_MAX_MS 5000
#define SYNC_EVERY_MS      10000

static bool is_stopping(struct rf_worker *worker)
{
    bool stop = false;

    rf_mutex_lock(&worker->lock);
    stop = worker->stop;
    rf_mutex_unlock(&worker->lock);
    return stop;
}

bool rf_worker_is_stopping_now(struct rf_worker *worker)
{
    bool stop = false;

    rf_mutex_lock(&worker->lock);
    stop = worker->stop_now;
    rf_mutex_unlock(&worker->lock);
    return stop;
}

/* ---- polling ---- */

static void consume_failed(struct rf_worker *worker, const rd_kafka_message_t *message)
{
    const char *topic = message->rkt == NULL ? "" : rd_kafka_topic_name(message->rkt);

    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        rf_silence_end(worker, message);
        return;
    }
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET &&
        worker->fatal.kind == RF_ERROR_NONE) {
        rf_error_set(
            &worker->fatal, RF_ERROR_CONFIG, message->err,
            "%s partition %d no longer has the offset that comes next: %s; --accept-gap goes on without it",
            topic, (int)message->partition, rd_kafka_message_errstr(message));
        return;
    }
    rf_log_warning(RF_FIELDS(rf_field_text("topic", topic),
                             rf_field_int("partition", message->partition),
                             rf_field_text("reason", rd_kafka_message_errstr(message))),
                   "consuming failed");
}

static void feed(struct rf_worker *worker, struct rf_slot *slot, const rd_kafka_message_t *message)
{
    const struct rf_plan *plan = worker->options->plan;
    const char *topic = rd_kafka_topic_name(message->rkt);
    rd_kafka_timestamp_type_t time_type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t time = rd_kafka_message_timestamp(message, &time_type);
    struct rf_input input = {
        .broker_time = time_type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? RF_MS_MIN : time,
        .key = rf_bytes_of(message->key, message->key == NULL ? 0 : message->key_len),
        .value = rf_bytes_of(message->payload, message->payload == NULL ? 0 : message->len),
        .headers = rf_headers_pack(message, &worker->headers),
    };

    rf_meter_poll_brings(worker);
    for (size_t i = 0; i < plan->source_count; i++) {
        if (strcmp(plan->sources[i].topic, topic) != 0)
            continue;
        input.source = (uint32_t)i;
        input.position = (struct rf_position){.topic = plan->sources[i].topic,
                                              .partition = message->partition,
                                              .offset = message->offset};
        rf_task_feed(slot->task, &input);
        slot->fed = true;
        slot->position[i] = message->offset + 1;
        slot->records_read[i]++;
        slot->last_time[i] = input.broker_time;
    }
}

static void on_message(rd_kafka_message_t *message, void *opaque)
{
    struct rf_worker *worker = opaque;
    struct rf_slot *slot = NULL;

    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        consume_failed(worker, message);
        return;
    }
    rf_assert(message->partition < worker->shared->partition_count);
    slot = &worker->slots[message->partition];
    if (slot->state == RF_SLOT_RUNNING || slot->state == RF_SLOT_BLOCKED) {
        feed(worker, slot, message);
    } else {
        /* Its partition was paused before it was ever fetched from. Should it come all the same, it may not be lost. */
        rf_log_warning(RF_FIELDS(rf_field_int("partition", message->partition)),
                       "a message came before its task was ready; joining anew");
        worker->rejoin = true;
    }
    if (--worker->batch_left == 0)
        rd_kafka_yield(worker->consumer);
}

/* Inputs are kept until they are committed: while commits fail, and in the rest after an abort, no more than fit into a
 * transaction are taken (invariant 6). A task that is blocked is paused, and keeps no other from going on. */
static bool has_room(const struct rf_worker *worker)
{
    size_t bytes = 0;

    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        const struct rf_slot *slot = &worker->slots[i];

        if (slot->task != NULL && slot->state != RF_SLOT_BLOCKED)
            bytes += rf_task_transaction_bytes(slot->task);
    }
    return bytes < worker->options->commit_bytes_max;
}

static void poll_consumer(struct rf_worker *worker, int timeout_ms)
{
    bool takes_more = has_room(worker);
    rd_kafka_message_t *message = NULL;

    rf_meter_poll_begins(worker);
    message = /* rebalances, errors */
        rd_kafka_consumer_poll(worker->consumer, takes_more ? 0 : timeout_ms);

    worker->batch_left = BATCH_MESSAGES_MAX;
    if (message != NULL) {
        on_message(message, worker);
        rd_kafka_message_destroy(message);
    }
    if (!takes_more)
        return;
    if (rd_kafka_consume_callback_queue(worker->inbox, timeout_ms, on_message, worker) < 0)
        rf_log_warning(RF_FIELDS(rf_field_text("reason", rd_kafka_err2str(rd_kafka_last_error()))),
                       "polling failed");
}

/* ---- folding ---- */

static void rebuild(struct rf_worker *worker, struct rf_slot *slot, const struct rf_error *why)
{
    struct rf_error err = {0};
    int32_t partition = slot->partition;

    worker->meter.store_faults[RF_STORE_DAMAGED]++;
    rf_log_error(
        RF_FIELDS(rf_field_int("partition", partition), rf_field_text("reason", why->message)),
        "the store is damaged: it is put aside and rebuilt from the changelog");
    if (rf_commit_is_open(worker))
        rf_commit_feed(worker, RF_INPUT_ABORTABLE);
    if (slot->task != NULL)
        rf_task_close(slot->task);
    slot->task = NULL;
    if (slot->state == RF_SLOT_RUNNING || slot->state == RF_SLOT_BLOCKED ||
        slot->state == RF_SLOT_RESTORING)
        rf_garage_park(&worker->shared->garage, partition, NULL);
    slot->state = RF_SLOT_NONE;
    if (!worker->options->ports.store_quarantine(worker->options->ports.self, partition, &err))
        rf_log_error(RF_FIELDS(rf_field_text("reason", err.message)),
                     "the damaged store could not be put aside");
    worker->rejoin = true; /* inputs that were fed are read again from the committed offsets */
}

static void note_blocked(struct rf_worker *worker, struct rf_slot *slot)
{
    const char *why = NULL;

    if (rf_task_is_blocked(slot->task, &why)) {
        if (slot->state != RF_SLOT_BLOCKED)
            rf_log_warning(
                RF_FIELDS(rf_field_int("partition", slot->partition), rf_field_text("reason", why)),
                "a task waits");
        slot->state = RF_SLOT_BLOCKED;
        slot->retry_at_ms = rf_clock_monotonic_ms() + BLOCKED_RETRY_MS;
        rf_slots_pause(worker, slot);
    } else if (slot->state == RF_SLOT_BLOCKED) {
        rf_log_info(RF_FIELDS(rf_field_int("partition", slot->partition)), "the task goes on");
        slot->state = RF_SLOT_RUNNING;
        rf_slots_resume(worker, slot);
    }
}

/* Which sources have more to come: their end, as the last fetch told it, is beyond what we have. A source that says
 * nothing, or a heap of inputs, is not waited for without end. */
static uint64_t sources_behind(const struct rf_worker *worker, const struct rf_slot *slot)
{
    const struct rf_plan *plan = worker->options->plan;
    uint64_t behind = 0;

    if (plan->source_count < 2 || rf_clock_monotonic_ms() >= slot->wait_until_ms ||
        rf_task_transaction_bytes(slot->task) > worker->options->commit_bytes_max / 2)
        return 0;
    for (size_t i = 0; i < plan->source_count; i++) {
        int64_t low = 0;
        int64_t high = 0;
        rd_kafka_resp_err_t code = rd_kafka_get_watermark_offsets(
            worker->consumer, plan->sources[i].topic, slot->partition, &low, &high);

        if (code != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0 || slot->position[i] < high)
            behind |= UINT64_C(1) << i;
    }
    return behind;
}

static void tell_rule_errors(const struct rf_worker *worker, struct rf_slot *slot)
{
    struct rf_error why = {0};
    uint32_t rule = 0;

    if (rf_task_take_rule_error(slot->task, &rule, &why))
        rf_log_warning(RF_FIELDS(rf_field_text("rule", worker->options->plan->rules[rule].name),
                                 rf_field_text("reason", rf_expr_failure_kind(&why))),
                       "a rule could not be evaluated, and did not fire");
}

/* `silent_until`: where nothing comes, time goes on to there; RF_MS_MIN: events say what time it is. */
static void fold_slot(struct rf_worker *worker, struct rf_slot *slot, rf_ms silent_until)
{
    struct rf_error err = {0};
    size_t before = rf_task_folded(slot->task);
    size_t fired = rf_task_fired(slot->task);
    enum rf_transaction_input input = RF_INPUT_OK;

    rf_failpoint("before_fold");
    rf_task_set_behind(slot->task, sources_behind(worker, slot));
    if (rf_task_ready(slot->task) == 0 && !rf_task_is_due(slot->task, silent_until) &&
        (slot->state != RF_SLOT_BLOCKED || rf_task_pending(slot->task) > 0))
        return;
    if (!rf_commit_is_open(worker))
        rf_commit_feed(worker, RF_INPUT_EVENT);
    if (!rf_commit_is_open(worker) || slot->task == NULL)
        return;
    if (!(silent_until == RF_MS_MIN ? rf_task_fold(slot->task, &err)
                                    : rf_task_advance(slot->task, silent_until, &err))) {
        rebuild(worker, slot, &err);
        return;
    }
    worker->folded += rf_task_folded(slot->task) - before + rf_task_fired(slot->task) - fired;
    if (rf_task_folded(slot->task) > before || rf_task_pending(slot->task) == 0)
        slot->wait_until_ms = rf_clock_monotonic_ms() + SOURCE_WAIT_MS;
    tell_rule_errors(worker, slot);
    note_blocked(worker, slot);
    worker->busy = worker->busy ||
                   (slot->state == RF_SLOT_RUNNING && rf_task_is_due(slot->task, silent_until));
    input = rf_produce_outbox(worker, slot);
    if (input != RF_INPUT_OK)
        rf_commit_feed(worker, input);
}

static bool may_begin(const struct rf_worker *worker)
{
    return rf_commit_is_open(worker) || rf_clock_monotonic_ms() >= worker->rest_until_ms;
}

static void fold_all(struct rf_worker *worker)
{
    int64_t now = rf_clock_monotonic_ms();

    worker->busy = false;
    for (int32_t i = 0; i < worker->shared->partition_count && !worker->rejoin; i++) {
        struct rf_slot *slot = &worker->slots[i];
        bool runs = slot->state == RF_SLOT_RUNNING ||
                    (slot->state == RF_SLOT_BLOCKED && now >= slot->retry_at_ms);
        rf_ms silent_until = RF_MS_MIN;

        if (!runs || !may_begin(worker))
            continue;
        silent_until = rf_silence_clock(worker, slot);
        if (silent_until != RF_MS_MIN || rf_task_pending(slot->task) > 0 ||
            slot->state == RF_SLOT_BLOCKED || rf_task_is_due(slot->task, RF_MS_MIN))
            fold_slot(worker, slot, silent_until);
    }
}

static size_t transaction_bytes(const struct rf_worker *worker)
{
    size_t bytes = 0;

    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        if (worker->slots[i].task != NULL)
            bytes += rf_task_transaction_bytes(worker->slots[i].task);
    }
    return bytes;
}

static void commit_if_due(struct rf_worker *worker)
{
    int aborts = worker->abort_streak;

    if (!rf_commit_is_open(worker))
        return;
    if (rf_clock_monotonic_ms() - worker->began_ms < worker->options->commit_interval_ms &&
        worker->folded < worker->options->commit_events_max &&
        transaction_bytes(worker) < worker->options->commit_bytes_max)
        return;
    rf_commit_feed(worker, RF_INPUT_DUE);
    if (worker->abort_streak > aborts) {
        int64_t pause = INT64_C(20) << (worker->abort_streak < 10 ? worker->abort_streak : 10);

        worker->rest_until_ms =
            rf_clock_monotonic_ms() + (pause > ABORT_PAUSE_MAX_MS ? ABORT_PAUSE_MAX_MS : pause);
    }
}

/* ---- tasks ---- */

/* A damaged store is put aside, anything else may heal: either way the task is opened again later. */
static void opening_failed(struct rf_worker *worker, const struct rf_slot *slot,
                           const struct rf_error *why)
{
    const struct rf_stream_ports *ports = &worker->options->ports;
    struct rf_error aside = {0};

    worker->meter
        .store_faults[why->kind == RF_ERROR_STATE ? RF_STORE_DAMAGED : RF_STORE_UNOPENED]++;
    if (why->kind != RF_ERROR_STATE) {
        rf_log_warning(RF_FIELDS(rf_field_int("partition", slot->partition),
                                 rf_field_text("reason", why->message)),
                       "the store cannot be opened yet");
        return;
    }
    rf_log_error(RF_FIELDS(rf_field_int("partition", slot->partition),
                           rf_field_text("reason", why->message)),
                 "the store is damaged: it is put aside and rebuilt from the changelog");
    if (!ports->store_quarantine(ports->self, slot->partition, &aside))
        rf_log_error(RF_FIELDS(rf_field_text("reason", aside.message)),
                     "the damaged store could not be put aside");
}

static struct rf_task *make_task(struct rf_worker *worker, struct rf_slot *slot)
{
    struct rf_task_options options = {
        .plan = worker->options->plan,
        .codec = worker->options->customer_codec,
        .record_schemas = worker->options->record_schemas,
        .reader = worker->options->record_reader,
        .record_wire = worker->options->record_wire,
        .partition = slot->partition,
        .memory_max = worker->options->records_memory,
        .restore_memory = rf_restore_memory(worker),
    };
    struct rf_error err = {0};
    struct rf_task *task = NULL;

    if (worker->options->ports.store_open(worker->options->ports.self, slot->partition,
                                          &options.store, &err)) {
        task = rf_task_open(&options, &err);
        if (task == NULL)
            options.store.ops->close(options.store.self);
    }
    if (task == NULL)
        opening_failed(worker, slot, &err);
    return task;
}

static void share_memory(struct rf_worker *worker)
{
    size_t running = 0;

    for (int32_t i = 0; i < worker->shared->partition_count; i++)
        running += worker->slots[i].task != NULL;
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        if (worker->slots[i].task != NULL)
            rf_task_set_memory(worker->slots[i].task, rf_worker_memory(worker) / running);
    }
}

static void open_waiting(struct rf_worker *worker)
{
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];

        if (slot->state != RF_SLOT_WAITING || rf_clock_monotonic_ms() < slot->retry_at_ms)
            continue;
        if (!rf_garage_take(&worker->shared->garage, i, &slot->task)) {
            slot->retry_at_ms = rf_clock_monotonic_ms() + GARAGE_RETRY_MS;
            continue;
        }
        if (slot->task == NULL)
            slot->task = make_task(worker, slot);
        if (slot->task == NULL) {
            rf_garage_park(&worker->shared->garage, i, NULL);
            slot->retry_at_ms = rf_clock_monotonic_ms() + RETRY_MS;
            continue;
        }
        rf_task_set_decoders(slot->task, worker->decoders);
        rf_task_set_meter_clock(slot->task, rf_clock_monotonic_ns);
        share_memory(worker);
        rf_restore_begin(worker, slot);
    }
}

/* What was written survives a crash from here on, with the checkpoint that it carries. */
static bool make_durable(struct rf_slot *slot, struct rf_error *err)
{
    bool ok = false;

    rf_failpoint("before_checkpoint");
    ok = rf_task_sync(slot->task, false, err);
    rf_failpoint("after_checkpoint");
    return ok;
}

/* Between transactions only. Every store_interval what has gathered is written, earlier where it takes a quarter of
 * the memory; every SYNC_EVERY_MS the stores are told to make it durable. */
static void write_stores(struct rf_worker *worker)
{
    int64_t now = rf_clock_monotonic_ms();
    bool due = now - worker->stored_ms >= worker->options->store_interval_ms;
    bool sync = now - worker->synced_ms >= SYNC_EVERY_MS;
    size_t share = rf_worker_memory(worker) / 4;

    if (worker->transaction.state != RF_TRANSACTION_IDLE)
        return;
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];
        struct rf_error err = {0};

        if (slot->task == NULL || slot->state == RF_SLOT_WAITING)
            continue;
        rf_failpoint("before_store_write");
        if (!rf_task_flush(slot->task, due ? 0 : share, &err) ||
            (sync && !make_durable(slot, &err))) {
            if (err.kind == RF_ERROR_STATE) {
                rebuild(worker, slot, &err);
                return;
            }
            worker->meter.store_faults[RF_STORE_UNWRITABLE]++;
            rf_log_warning(
                RF_FIELDS(rf_field_int("partition", i), rf_field_text("reason", err.message)),
                "the store cannot be written; its records stay in memory");
        } else {
            slot->stored_at = due ? rf_clock_wall_ms() : slot->stored_at;
            slot->durable_at = sync ? rf_clock_wall_ms() : slot->durable_at;
        }
        rf_failpoint("after_store_write");
    }
    if (due)
        worker->stored_ms = now;
    if (sync)
        worker->synced_ms = now;
}

/* Between transactions only, where a plan is new to a store. */
static void sweep_stores(struct rf_worker *worker)
{
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];
        struct rf_error err = {0};

        if (worker->transaction.state != RF_TRANSACTION_IDLE)
            return;
        if (slot->state == RF_SLOT_RUNNING && !rf_silence_sweep(worker, slot, &err)) {
            rebuild(worker, slot, &err);
            return;
        }
    }
}

/* ---- life ---- */

static bool open_clients(struct rf_worker *worker, struct rf_error *err)
{
    rd_kafka_topic_partition_list_t *topics = NULL;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    const struct rf_plan *plan = worker->options->plan;

    if (worker->observer == NULL)
        worker->observer = rf_client_reader(worker->options->kafka, worker->options->kafka_count,
                                            worker->options->plan->app, false, err);
    if (worker->observer == NULL)
        return false;
    /* First the producer: it ends what a former life left open, which would hold the committed offsets back. */
    if (worker->producer == NULL && !rf_producer_open(worker, err))
        return false;
    worker->consumer = rf_client_consumer(worker, err);
    if (worker->consumer == NULL)
        return false;
    worker->inbox = rd_kafka_queue_new(worker->consumer);
    rf_assert(worker->inbox != NULL);
    topics = rd_kafka_topic_partition_list_new((int)plan->source_count);
    for (size_t i = 0; i < plan->source_count; i++) {
        if (rd_kafka_topic_partition_list_find(topics, plan->sources[i].topic,
                                               RD_KAFKA_PARTITION_UA) == NULL)
            rd_kafka_topic_partition_list_add(topics, plan->sources[i].topic,
                                              RD_KAFKA_PARTITION_UA);
    }
    code = rd_kafka_subscribe(worker->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rf_error_set(err, RF_ERROR_RETRY, code, "subscribing: %s", rd_kafka_err2str(code));
    return true;
}

static void close_clients(struct rf_worker *worker)
{
    rf_slots_release(worker);
    if (worker->restorer != NULL)
        rd_kafka_destroy(worker->restorer);
    worker->restorer = NULL;
    if (worker->consumer != NULL) {
        rf_worker_wait_begin(worker);
        worker->closing = true;
        if (worker->fatal.kind == RF_ERROR_NONE)
            rd_kafka_consumer_close(worker->consumer);
        worker->closing = false;
        rd_kafka_queue_destroy(worker->inbox);
        rd_kafka_destroy_flags(worker->consumer, worker->fatal.kind == RF_ERROR_NONE
                                                     ? 0
                                                     : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        rf_worker_wait_end(worker);
    }
    worker->consumer = NULL;
    worker->inbox = NULL;
    rf_producer_close(worker);
}

static void join_anew(struct rf_worker *worker)
{
    struct rf_error err = {0};

    if (worker->consumer != NULL) {
        if (rf_commit_is_open(worker))
            rf_commit_feed(worker, RF_INPUT_ABORTABLE);
        close_clients(worker);
        worker->meter.cause = RF_PRODUCER_REJOIN;
        rf_meter_publish(worker, true); /* nothing is ours */
        rf_clock_sleep_ms(REJOIN_PAUSE_MS);
    }
    atomic_store(&worker->turned_ms, rf_clock_monotonic_ms());
    worker->rejoin = !open_clients(worker, &err);
    if (!worker->rejoin)
        return;
    rf_log_warning(
        RF_FIELDS(rf_field_text("worker", worker->name), rf_field_text("reason", err.message)),
        "the worker cannot join the group yet");
    if (err.kind == RF_ERROR_CONFIG && worker->fatal.kind == RF_ERROR_NONE)
        worker->fatal = err;
    rf_clock_sleep_ms(REJOIN_PAUSE_MS);
}

static int poll_timeout_ms(const struct rf_worker *worker)
{
    int64_t left = IDLE_POLL_MS;

    if (rf_restore_is_needed(worker))
        return RESTORE_POLL_MS;
    if (worker->busy || !rf_silence_is_swept(worker))
        return 0;
    if (rf_commit_is_open(worker))
        left = worker->began_ms + worker->options->commit_interval_ms - rf_clock_monotonic_ms();
    return left < 0 ? 0 : left > IDLE_POLL_MS ? IDLE_POLL_MS : (int)left;
}

static void turn(struct rf_worker *worker)
{
    atomic_store(&worker->turned_ms, rf_clock_monotonic_ms());
    poll_consumer(worker, poll_timeout_ms(worker));
    rf_meter_poll_ends(worker);
    rf_meter_publish(worker, false);
    rf_inbox_answer(worker);
    open_waiting(worker);
    rf_restore_step(worker);
    fold_all(worker);
    commit_if_due(worker);
    if (worker->producer != NULL)
        rd_kafka_poll(worker->producer, 0);
    write_stores(worker);
    sweep_stores(worker);
}

/* What was folded is committed and written, so that the next start has nothing to restore. */
static void leave(struct rf_worker *worker)
{
    bool now = rf_worker_is_stopping_now(worker) || worker->fatal.kind != RF_ERROR_NONE;

    if (worker->consumer == NULL) {
        rf_producer_close(worker); /* it came first; the consumer may have failed */
        return;
    }
    if (rf_commit_is_open(worker))
        rf_commit_feed(worker, now ? RF_INPUT_ABORTABLE : RF_INPUT_DUE);
    close_clients(worker);
    rf_meter_publish(worker, true);
}

void rf_worker_run(void *argument)
{
    struct rf_worker *worker = argument;

    worker->rejoin = true;
    while (!is_stopping(worker) && worker->fatal.kind == RF_ERROR_NONE) {
        if (worker->rejoin)
            join_anew(worker);
        else
            turn(worker);
    }
    leave(worker);
    if (worker->observer != NULL)
        rd_kafka_destroy(worker->observer);
    worker->observer = NULL;
    rf_mutex_lock(&worker->lock);
    worker->ended = true;
    rf_mutex_unlock(&worker->lock);
}
