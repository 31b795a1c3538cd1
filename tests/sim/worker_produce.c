/* As edge/stream/producer.c: how the task's outbox and records become messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_quarantine.h"
#include "core/task/task_store.h"
#include "sim/worker.h"

static void quarantine(struct sim_worker *worker, const struct sim_cause *cause, const char *why)
{
    struct sim_slot *slot = &worker->slots[cause->partition];

    if (slot->task == NULL)
        return;
    sim_trace(worker->world, "%d: %s-%d-%lld into quarantine: %s", worker->index,
              cause->source == RF_SOURCE_TIMER ? "timer" : sim_topic_names[cause->source],
              (int)cause->partition, (long long)cause->offset, why);
    if (cause->source == RF_SOURCE_TIMER)
        rf_task_quarantine_timer(slot->task, cause->customer, cause->offset, why);
    else
        rf_task_quarantine(slot->task, cause->source, cause->offset, why);
    worker->world->counts.quarantined++;
    worker->quarantined = true;
}

static void quarantine_customer(struct sim_worker *worker, int32_t partition,
                                struct rf_bytes customer, const char *why)
{
    sim_trace(worker->world, "%d: the last input of %.*s into quarantine: %s", worker->index,
              (int)customer.size, (const char *)customer.data, why);
    rf_task_quarantine_customer(worker->slots[partition].task, customer, why);
    worker->world->counts.quarantined++;
    worker->quarantined = true;
}

void sim_delivered(struct sim_worker *worker, const struct sim_message *message)
{
    struct sim_slot *slot = &worker->slots[message->partition];

    if (message->topic != SIM_CHANGELOG) {
        if (message->has_cause && message->too_large)
            quarantine(worker, &message->cause, "what it causes is too large for its topic");
    } else if (!message->failed) {
        slot->changelog_acknowledged++;
        if (message->offset > slot->changelog_last)
            slot->changelog_last = message->offset;
    } else if (message->too_large && slot->task != NULL) {
        quarantine_customer(worker, message->partition, message->entry.key,
                            "the customer's record is larger than the changelog topic allows");
    }
}

static enum rf_transaction_input produce(struct sim_worker *worker,
                                         const struct sim_message *message)
{
    switch (sim_producer_produce(worker->producer, message)) {
    case SIM_OK:
        if (sim_random_chance(&worker->world->random, 300))
            sim_pause(worker); /* between any two messages */
        return RF_INPUT_OK;
    case SIM_MSG_SIZE:
        if (message->has_cause)
            quarantine(worker, &message->cause, "what it causes is too large for a message");
        else if (message->topic == SIM_CHANGELOG)
            quarantine_customer(worker, message->partition, message->entry.key,
                                "the customer's record is larger than message.max.bytes");
        return RF_INPUT_ABORTABLE;
    case SIM_WRONG_STATE:
        return RF_INPUT_UNKNOWN;
    case SIM_RETRIABLE:
    case SIM_ABORTABLE:
    case SIM_FATAL:
        break;
    }
    rf_assert(false);
    return RF_INPUT_UNKNOWN;
}

static enum rf_transaction_input produce_derived(struct sim_worker *worker, struct sim_slot *slot,
                                                 const struct rf_out *out)
{
    struct sim_message message = {
        .topic = SIM_ALERTS,
        .partition = slot->partition,
        .cause = {out->cause.partition, out->cause_source, out->cause.offset, {0}},
        .has_cause = true};

    if (out->cause_source == RF_SOURCE_TIMER)
        message.cause.customer = rf_arena_copy(&worker->world->arena, out->cause_customer);

    rf_buffer_clear(&worker->buffer);
    if (worker->world->plant == SIM_PLANT_RANDOM_ID)
        rf_buffer_printf(&worker->buffer, "%d", (int)sim_random_below(&worker->world->random, 10));
    sim_derived_write(&worker->world->plan.plan, out->as.derived, &worker->buffer);
    message.entry.key = out->as.derived->customer;
    message.entry.value = rf_buffer_bytes(&worker->buffer);
    if (worker->world->plant == SIM_PLANT_TIMER_OUTSIDE && out->cause_source == RF_SOURCE_TIMER) {
        message.entry.key = rf_arena_copy(&worker->world->broker.arena, message.entry.key);
        message.entry.value = rf_arena_copy(&worker->world->broker.arena, message.entry.value);
        sim_append(&worker->world->broker, SIM_ALERTS, slot->partition, &message.entry);
        return RF_INPUT_OK;
    }
    return produce(worker, &message);
}

static enum rf_transaction_input produce_dead_letter(struct sim_worker *worker,
                                                     struct sim_slot *slot,
                                                     const struct rf_out *out)
{
    struct sim_world *world = worker->world;
    const struct rf_dead_letter *letter = out->as.dead_letter;
    struct sim_letter *headers = rf_arena_alloc(&world->arena, sizeof *headers);
    struct sim_message message = {
        .topic = SIM_DEAD_LETTERS,
        .partition = slot->partition,
        .entry = {.key = letter->input.key, .value = letter->input.value}};

    *headers =
        (struct sim_letter){.source = letter->input.source,
                            .offset = letter->input.position.offset,
                            .error_class = rf_arena_copy_text(&world->arena, letter->error_class)};
    message.entry.letter = headers;
    if (message.entry.key.size + message.entry.value.size > world->settings.letter_bytes_max)
        message.entry.value = (struct rf_bytes){0};
    if (world->plant == SIM_PLANT_LETTER_OUTSIDE) {
        sim_append(&world->broker, SIM_DEAD_LETTERS, slot->partition, &message.entry);
        return RF_INPUT_OK;
    }
    return produce(worker, &message);
}

enum rf_transaction_input sim_produce_outbox(struct sim_worker *worker, struct sim_slot *slot)
{
    size_t count = 0;
    const struct rf_out *outbox = rf_task_take_outbox(slot->task, &count);
    enum rf_transaction_input input = RF_INPUT_OK;

    for (size_t i = 0; i < count && input == RF_INPUT_OK; i++)
        input = outbox[i].kind == RF_OUT_DERIVED ? produce_derived(worker, slot, &outbox[i])
                                                 : produce_dead_letter(worker, slot, &outbox[i]);
    return input;
}

static enum rf_transaction_input produce_sealed(struct sim_worker *worker, struct sim_slot *slot,
                                                const struct rf_sealed *sealed, size_t sealed_count)
{
    enum rf_transaction_input input = RF_INPUT_OK;

    for (size_t i = 0; i < sealed_count && input == RF_INPUT_OK; i++) {
        struct sim_message message = {
            .topic = SIM_CHANGELOG,
            .partition = slot->partition,
            .entry = {.key = sealed[i].customer, .value = sealed[i].record}};

        input = produce(worker, &message);
    }
    sim_producer_poll(worker->producer);
    slot->changelog_produced += sealed_count;
    return input;
}

static enum rf_transaction_input produce_schema(struct sim_worker *worker, struct sim_slot *slot)
{
    char name[RF_LAYOUT_NAME_MAX];
    size_t name_size = rf_layouts_name(&worker->world->plan.wire, name);
    struct sim_message message = {
        .topic = SIM_TASKS,
        .partition = slot->partition,
        .entry = {.key = rf_bytes_of(name, name_size), .value = rf_bytes_of_text("the schema")}};

    return slot->schema_written ? RF_INPUT_OK : produce(worker, &message);
}

/* What the simulator knows of the transaction, and nobody else. */
static const struct sim_claim *make_claim(struct sim_worker *worker, const struct sim_slot *slot)
{
    struct rf_arena *arena = &worker->world->arena;
    struct sim_claim *claim = rf_arena_alloc_zero(arena, sizeof *claim);

    claim->partition = slot->partition;
    claim->changelog_next = rf_task_changelog_next(slot->task);
    memcpy(claim->began, slot->committed, sizeof claim->began);
    memcpy(claim->sent, slot->sent, sizeof claim->sent);
    claim->step_count = slot->step_count;
    claim->steps = rf_arena_alloc(arena, (slot->step_count + 1) * sizeof *claim->steps);
    if (slot->step_count > 0)
        memcpy(claim->steps, slot->steps, slot->step_count * sizeof *claim->steps);
    return claim;
}

enum rf_transaction_input sim_produce_state(struct sim_worker *worker, struct sim_slot *slot)
{
    struct sim_message message = {.topic = SIM_TASKS,
                                  .partition = slot->partition,
                                  .entry = {.key = rf_bytes_of_text("state")},
                                  .claim = make_claim(worker, slot)};

    rf_buffer_clear(&worker->buffer);
    rf_task_write_state(slot->task, slot->sent, &worker->buffer);
    message.entry.value = rf_buffer_bytes(&worker->buffer);
    return produce(worker, &message);
}

static int compare_writes(const void *a, const void *b)
{
    return rf_bytes_compare(((const struct rf_store_write *)a)->customer,
                            ((const struct rf_store_write *)b)->customer);
}

/* What SIM_PLANT_STORE_BEFORE_COMMIT does. */
static void write_store_now(struct sim_worker *worker, const struct sim_slot *slot,
                            const struct rf_sealed *sealed, size_t count)
{
    struct sim_disk *disk = &worker->instance->disks[slot->partition];
    struct rf_store_write *writes =
        rf_arena_alloc(&worker->world->arena, (count + 1) * sizeof *writes);
    struct rf_error err = {0};
    int64_t checkpoint = rf_task_changelog_next(slot->task);

    for (size_t i = 0; i < count; i++)
        writes[i] = (struct rf_store_write){.customer = sealed[i].customer,
                                            .record = sealed[i].record,
                                            .due = RF_MS_MAX,
                                            .due_before = RF_MS_MAX};
    qsort(writes, count, sizeof *writes, compare_writes);
    rf_assert(disk->inner.ops->apply(disk->inner.self, writes, count,
                                     checkpoint < 0 ? 0 : checkpoint, &err));
}

enum rf_transaction_input sim_produce_records(struct sim_worker *worker, struct sim_slot *slot)
{
    const struct rf_sealed *sealed = NULL;
    size_t sealed_count = 0;
    struct rf_error err = {0};
    enum rf_transaction_input input = RF_INPUT_OK;

    if (!rf_task_seal(slot->task, &sealed, &sealed_count, &err)) {
        sim_trace(worker->world, "%d: %s", worker->index, err.message);
        worker->world->counts.quarantined++;
        return RF_INPUT_ABORTABLE;
    }
    if (worker->world->plant == SIM_PLANT_STORE_BEFORE_COMMIT)
        write_store_now(worker, slot, sealed, sealed_count);
    input = produce_sealed(worker, slot, sealed, sealed_count);
    if (input == RF_INPUT_OK)
        input = produce_schema(worker, slot);
    return input;
}
