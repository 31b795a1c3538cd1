#include "sim/client.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "sim/worker.h"

#define DELAY_MAX         400 /* ticks that the network keeps a request back */
#define COMMITTED_TIMEOUT 300
#define REQUEST_TIMEOUT   100

struct sim_producer *sim_producer_open(struct sim_worker *worker)
{
    struct sim_producer *producer = calloc(1, sizeof *producer);

    rf_assert(producer != NULL);
    producer->worker = worker;
    producer->state = SIM_READY;
    return producer;
}

void sim_producer_free(struct sim_producer *producer)
{
    if (producer == NULL)
        return;
    free(producer->queue);
    free(producer);
}

/* ---- deliveries ---- */

static void report(struct sim_producer *producer)
{
    while (producer->reported < producer->sent) {
        struct sim_message message = producer->queue[producer->reported++];

        sim_delivered(producer->worker, &message);
    }
}

/* Kept by value: the broker copies what it takes, and nothing else outlives the transaction. */
static void forget_queue(struct sim_producer *producer)
{
    rf_assert(producer->reported == producer->count);
    producer->count = 0;
    producer->sent = 0;
    producer->reported = 0;
}

static void fail_message(struct sim_producer *producer, struct sim_message *message, bool too_large)
{
    message->failed = true;
    message->too_large = too_large;
    producer->sent++;
    if (producer->state == SIM_IN_TRANSACTION)
        producer->state = SIM_MUST_ABORT;
}

void sim_producer_purge(struct sim_producer *producer)
{
    for (size_t i = producer->sent; i < producer->count; i++)
        producer->queue[i].failed = true;
    producer->sent = producer->count;
    report(producer);
}

/* False: not now. */
static bool transmit_one(struct sim_producer *producer)
{
    struct sim_worker *worker = producer->worker;
    struct sim_message *message = &producer->queue[producer->sent];
    struct sim_produce_request request = {.producer = worker->index,
                                          .epoch = producer->epoch,
                                          .topic = message->topic,
                                          .partition = message->partition,
                                          .entry = message->entry,
                                          .claim = message->claim};

    switch (sim_broker_produce(&worker->world->broker, &request, &message->offset)) {
    case SIM_DONE:
        producer->registered = true;
        producer->sent++;
        return true;
    case SIM_CONCURRENT:
        return false;
    case SIM_TOO_LARGE:
        fail_message(producer, message, true);
        return true;
    case SIM_FENCED:
    case SIM_INVALID:
    case SIM_STALE_MEMBER:
        producer->state = SIM_BROKEN;
        fail_message(producer, message, false);
        return true;
    }
    rf_assert(false);
    return false;
}

static void transmit(struct sim_producer *producer, size_t count)
{
    if (producer->sent < producer->count && producer->state == SIM_IN_TRANSACTION &&
        sim_happens(producer->worker->world, SIM_FAULT_ABORTABLE))
        fail_message(producer, &producer->queue[producer->sent],
                     false); /* timed out in the queue */
    while (count-- > 0 && producer->sent < producer->count && transmit_one(producer))
        ;
}

void sim_producer_poll(struct sim_producer *producer)
{
    struct sim_random *random = &producer->worker->world->random;

    transmit(producer, (size_t)sim_random_below(random, 6));
    if (sim_random_chance(random, 700))
        report(producer);
}

void sim_producer_flush(struct sim_producer *producer)
{
    for (uint64_t i = 0; i < REQUEST_TIMEOUT && producer->sent < producer->count; i++) {
        transmit(producer, (size_t)sim_random_between(&producer->worker->world->random, 1, 8));
        sim_pause(producer->worker);
    }
    report(producer);
}

/* ---- calls ---- */

enum sim_code sim_producer_init(struct sim_producer *producer)
{
    struct sim_worker *worker = producer->worker;

    for (uint64_t i = 0; i < REQUEST_TIMEOUT; i++) {
        sim_pause(worker);
        if (sim_happens(worker->world, SIM_FAULT_RETRIABLE))
            return SIM_RETRIABLE;
        if (sim_broker_init_producer(&worker->world->broker, worker->index, &producer->epoch) ==
            SIM_DONE) {
            sim_trace(worker->world, "%d: producer of epoch %u", worker->index, producer->epoch);
            return SIM_OK;
        }
    }
    return SIM_RETRIABLE;
}

enum sim_code sim_producer_begin(struct sim_producer *producer)
{
    if (sim_happens(producer->worker->world, SIM_FAULT_FATAL))
        producer->state = SIM_BROKEN;
    if (producer->state == SIM_BROKEN)
        return SIM_FATAL;
    rf_assert(producer->state == SIM_READY);
    producer->state = SIM_IN_TRANSACTION;
    producer->registered = false;
    return SIM_OK;
}

enum sim_code sim_producer_produce(struct sim_producer *producer, const struct sim_message *message)
{
    const struct sim_settings *settings = &producer->worker->world->settings;

    if (producer->state != SIM_IN_TRANSACTION)
        return SIM_WRONG_STATE;
    if (message->entry.key.size + message->entry.value.size > settings->message_bytes_max)
        return SIM_MSG_SIZE;
    if (producer->count == producer->capacity) {
        producer->capacity = producer->capacity == 0 ? 64 : producer->capacity * 2;
        producer->queue = realloc(producer->queue, producer->capacity * sizeof *producer->queue);
        rf_assert(producer->queue != NULL);
    }
    producer->queue[producer->count] = *message;
    producer->queue[producer->count].entry.key =
        rf_arena_copy(&producer->worker->world->arena, message->entry.key);
    producer->queue[producer->count].entry.value =
        rf_arena_copy(&producer->worker->world->arena, message->entry.value);
    if (message->entry.key.data == NULL)
        producer->queue[producer->count].entry.key = (struct rf_bytes){0};
    if (message->entry.value.data == NULL)
        producer->queue[producer->count].entry.value = (struct rf_bytes){0};
    producer->count++;
    return SIM_OK;
}

/* What goes wrong before a request is sent. */
static enum sim_code fail_before(struct sim_producer *producer)
{
    struct sim_world *world = producer->worker->world;

    if (producer->state == SIM_BROKEN)
        return SIM_FATAL;
    if (producer->state == SIM_MUST_ABORT)
        return SIM_ABORTABLE;
    if (sim_happens(world, SIM_FAULT_RETRIABLE))
        return SIM_RETRIABLE;
    if (sim_happens(world, SIM_FAULT_ABORTABLE)) {
        producer->state = SIM_MUST_ABORT;
        return SIM_ABORTABLE;
    }
    return SIM_OK;
}

static enum sim_code break_down(struct sim_producer *producer)
{
    producer->state = SIM_BROKEN;
    return SIM_FATAL;
}

/* The network keeps a copy of the request, and the client has noticed that something was wrong. */
static void delay(struct sim_producer *producer, struct sim_delayed *request)
{
    struct sim_world *world = producer->worker->world;

    request->due = world->now + (uint64_t)sim_random_between(&world->random, 1, DELAY_MAX);
    request->producer = producer->worker->index;
    request->epoch = producer->epoch;
    sim_broker_delay(&world->broker, request);
    producer->worker->connection_failed = true;
    sim_trace(world, "%d: the network keeps a %s back", producer->worker->index,
              request->is_end ? (request->commit ? "commit" : "abort") : "offset commit");
}

static void delay_offsets(struct sim_producer *producer, const struct sim_offsets_request *request)
{
    struct sim_delayed delayed = {.member_id = request->member_id,
                                  .generation = request->generation};

    memcpy(delayed.offsets, request->offsets, sizeof delayed.offsets);
    delay(producer, &delayed);
}

static enum sim_code judge_reply(struct sim_producer *producer, enum sim_reply reply)
{
    if (reply == SIM_DONE)
        return SIM_OK;
    if (reply == SIM_STALE_MEMBER) {
        producer->state = SIM_MUST_ABORT;
        return SIM_ABORTABLE;
    }
    return break_down(producer);
}

static enum sim_reply request_offsets(struct sim_producer *producer,
                                      const struct sim_offsets_request *request)
{
    struct sim_worker *worker = producer->worker;
    enum sim_reply reply = sim_broker_send_offsets(&worker->world->broker, request);

    while (reply == SIM_CONCURRENT) {
        sim_pause(worker);
        reply = sim_broker_send_offsets(&worker->world->broker, request);
    }
    if (reply == SIM_DONE || reply == SIM_STALE_MEMBER)
        producer->registered = true; /* the group's offsets are a partition of the transaction */
    return reply;
}

enum sim_code sim_producer_send_offsets(struct sim_producer *producer,
                                        const struct sim_offsets_request *request)
{
    struct sim_world *world = producer->worker->world;
    enum sim_code code = fail_before(producer);
    enum sim_reply reply = SIM_DONE;

    if (code != SIM_OK)
        return code;
    sim_pause(producer->worker);
    if (sim_happens(world, SIM_FAULT_FATAL)) {
        if (sim_random_chance(&world->random, 500))
            request_offsets(producer, request);
        return break_down(producer);
    }
    reply = request_offsets(producer, request);
    if (reply == SIM_DONE && sim_happens(world, SIM_FAULT_DELAYED))
        delay_offsets(producer, request);
    if (reply == SIM_DONE && sim_happens(world, SIM_FAULT_RETRIABLE))
        return SIM_RETRIABLE; /* the answer was lost */
    sim_pause(producer->worker);
    return judge_reply(producer, reply);
}

static enum sim_code end_transaction(struct sim_producer *producer, bool commit)
{
    struct sim_worker *worker = producer->worker;
    struct sim_world *world = worker->world;
    struct sim_delayed delayed = {.is_end = true, .commit = commit};
    enum sim_reply reply = SIM_DONE;

    sim_pause(worker);
    if (sim_happens(world, SIM_FAULT_FATAL)) {
        int64_t fate = sim_random_below(&world->random, 3);

        if (fate == 0)
            sim_broker_end(&world->broker, worker->index, producer->epoch, commit);
        else if (fate == 1)
            delay(producer, &delayed);
        if (sim_random_chance(&world->random, 400)) /* it may take long until it is noticed */
            sim_sleep(worker, (uint64_t)sim_random_between(&world->random, 100, 900));
        return break_down(producer);
    }
    if (sim_happens(world, SIM_FAULT_DELAYED))
        delay(producer, &delayed);
    reply = sim_broker_end(&world->broker, worker->index, producer->epoch, commit);
    sim_pause(worker);
    if (reply != SIM_DONE)
        return break_down(producer);
    producer->state = SIM_READY;
    return SIM_OK;
}

enum sim_code sim_producer_commit(struct sim_producer *producer)
{
    enum sim_code code = SIM_OK;

    sim_producer_flush(producer);
    code = fail_before(producer);
    if (code != SIM_OK)
        return code;
    if (producer->sent < producer->count)
        return SIM_RETRIABLE;
    forget_queue(producer);
    if (producer->registered)
        return end_transaction(producer, true);
    producer->state = SIM_READY;
    return SIM_OK;
}

enum sim_code sim_producer_abort(struct sim_producer *producer)
{
    if (producer->state == SIM_BROKEN)
        return SIM_FATAL;
    if (sim_happens(producer->worker->world, SIM_FAULT_RETRIABLE))
        return SIM_RETRIABLE;
    sim_producer_purge(producer);
    forget_queue(producer);
    producer->state = SIM_MUST_ABORT;
    if (producer->registered)
        return end_transaction(producer, false);
    producer->state = SIM_READY;
    return SIM_OK;
}

/* ---- the consumer ---- */

void sim_consumer_open(struct sim_worker *worker)
{
    struct sim_consumer *consumer = &worker->consumer;

    memset(consumer, 0, sizeof *consumer);
    memset(consumer->position, 0xff, sizeof consumer->position);
    consumer->open = true;
    worker->polled = worker->world->now;
    consumer->member_id = sim_group_join(&worker->world->broker, worker->index);
}

enum sim_poll sim_consumer_poll(struct sim_worker *worker)
{
    struct sim_consumer *consumer = &worker->consumer;
    struct sim_group *group = &worker->world->broker.group;
    struct sim_member *member = &group->members[worker->index];

    if (!member->exists || member->id != consumer->member_id) {
        if (consumer->has_assignment)
            return SIM_POLL_LOST;
        consumer->member_id = sim_group_join(&worker->world->broker, worker->index);
        consumer->generation = 0;
        return SIM_POLL_NOTHING;
    }
    if (group->rebalancing && !member->joined) {
        if (consumer->has_assignment)
            return SIM_POLL_REVOKED;
        member->joined = true;
        return SIM_POLL_NOTHING;
    }
    if (group->rebalancing || consumer->generation == group->generation)
        return SIM_POLL_NOTHING;
    if (consumer->has_assignment)
        return SIM_POLL_LOST; /* generations went by without us */
    consumer->generation = group->generation;
    consumer->assigned = member->assigned;
    consumer->has_assignment = true;
    return SIM_POLL_ASSIGNED;
}

void sim_consumer_unassign(struct sim_worker *worker)
{
    struct sim_consumer *consumer = &worker->consumer;
    struct sim_member *member = &worker->world->broker.group.members[worker->index];

    consumer->assigned = 0;
    consumer->has_assignment = false;
    memset(consumer->position, 0xff, sizeof consumer->position);
    if (member->exists && member->id == consumer->member_id)
        member->joined = true;
}

/* Steps over what no consumer is given, as the library's position does. */
static void step_over(struct sim_broker *broker, enum sim_topic topic, int32_t partition,
                      int64_t *offset)
{
    const struct sim_log *log = sim_log_of(broker, topic, partition);
    int64_t stable = sim_log_stable(broker, topic, partition);

    while (*offset < stable && !sim_entry_is_committed(broker, &log->entries[*offset]))
        (*offset)++;
}

const struct sim_entry *sim_consumer_next(struct sim_worker *worker, uint32_t *source,
                                          int32_t *partition, int64_t *offset)
{
    struct sim_consumer *consumer = &worker->consumer;
    struct sim_broker *broker = &worker->world->broker;
    int32_t partitions = worker->world->settings.partitions;
    int count = SIM_SOURCES * partitions;
    int first = (int)sim_random_below(&worker->world->random, count);

    for (int i = 0; i < count; i++) {
        int pick = (first + i) % count;
        uint32_t s = (uint32_t)(pick / partitions);
        int32_t p = pick % partitions;
        int64_t *fetch = &consumer->fetch[s][p];

        if ((consumer->assigned & (1U << p)) == 0 || consumer->paused[p])
            continue;
        step_over(broker, (enum sim_topic)s, p, fetch);
        if (*fetch >= sim_log_stable(broker, (enum sim_topic)s, p))
            continue;
        *source = s;
        *partition = p;
        *offset = (*fetch)++;
        step_over(broker, (enum sim_topic)s, p, fetch);
        consumer->position[s][p] = *fetch;
        return &sim_log_of(broker, (enum sim_topic)s, p)->entries[*offset];
    }
    return NULL;
}

bool sim_committed_offsets(struct sim_worker *worker, int32_t partition,
                           int64_t offsets[SIM_SOURCES], struct rf_error *err)
{
    struct sim_world *world = worker->world;

    for (uint64_t i = 0; i < COMMITTED_TIMEOUT; i++) {
        sim_pause(worker);
        if (sim_happens(world, SIM_FAULT_QUERY))
            break;
        if (sim_broker_committed(&world->broker, partition,
                                 world->plant != SIM_PLANT_UNSTABLE_OFFSETS, offsets)) {
            if (sim_happens(world, SIM_FAULT_STALE_ANSWER))
                sim_sleep(worker, (uint64_t)sim_random_between(&world->random, 50, 800));
            sim_pause(worker);
            return true;
        }
    }
    return rf_error_set(err, RF_ERROR_RETRY, 0, "asking for the committed offsets");
}
