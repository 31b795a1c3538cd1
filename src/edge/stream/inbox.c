#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/task/task_customers.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"

#define ARENA_CHUNK (16U * 1024)

void rf_inbox_init(struct rf_inbox *inbox)
{
    memset(inbox, 0, sizeof *inbox);
    rf_mutex_init(&inbox->lock);
    rf_condition_init(&inbox->answered);
    atomic_init(&inbox->waiting, 0);
}

void rf_inbox_deinit(struct rf_inbox *inbox)
{
    rf_assert(inbox->open_count == 0); /* askers have gone before the workers */
    rf_condition_deinit(&inbox->answered);
    rf_mutex_deinit(&inbox->lock);
}

static void free_if_last(struct rf_inquiry *inquiry)
{
    rf_assert(inquiry->references > 0);
    if (--inquiry->references > 0)
        return;
    for (int i = 0; i < inquiry->part_count; i++)
        rf_arena_deinit(&inquiry->parts[i].arena);
    free(inquiry);
}

/* ---- the worker's side ---- */

/* True: this task knows the customer. */
static bool ask_task(struct rf_worker *worker, struct rf_slot *slot, struct rf_bytes id,
                     struct rf_part *part)
{
    size_t feature_count = worker->options->plan->feature_count;
    struct rf_customer *customer = NULL;
    struct rf_value *features = NULL;
    struct rf_error err = {0};

    if (!rf_task_customer(slot->task, id, &part->arena, &customer, &err)) {
        part->err = err;
        return false;
    }
    if (customer == NULL)
        return false;
    features = rf_arena_alloc_zero(&part->arena, (feature_count + 1) * sizeof *features);
    part->at = rf_task_now(slot->task);
    if (part->at < customer->as_of)
        part->at = customer->as_of;
    rf_task_features(slot->task, customer, part->at, &part->arena, features);
    part->customer = customer;
    part->features = features;
    part->readings = rf_meter_read(worker, slot, &part->arena);
    part->partition = slot->partition;
    part->changelog_offset = rf_task_changelog_next(slot->task);
    part->committed_at = slot->committed_at;
    part->restoring = slot->state == RF_SLOT_RESTORING;
    return true;
}

static void answer(struct rf_worker *worker, const struct rf_inquiry *inquiry, struct rf_part *part)
{
    struct rf_bytes id = rf_bytes_of(inquiry->id, inquiry->id_size);

    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        struct rf_slot *slot = &worker->slots[i];

        if (slot->state == RF_SLOT_NONE)
            continue;
        part->restoring_count += slot->state == RF_SLOT_WAITING || slot->state == RF_SLOT_RESTORING;
        if (part->customer == NULL && slot->task != NULL)
            (void)ask_task(worker, slot, id, part);
    }
    worker->meter.questions++;
}

static struct rf_inquiry *take(struct rf_inbox *inbox, int index)
{
    struct rf_inquiry *taken = NULL;

    rf_mutex_lock(&inbox->lock);
    for (size_t i = 0; i < inbox->open_count && taken == NULL; i++) {
        if (inbox->open[i]->parts[index].state == RF_PART_WAITING)
            taken = inbox->open[i];
    }
    if (taken != NULL) {
        taken->parts[index].state = RF_PART_TAKEN;
        taken->references++;
    }
    rf_mutex_unlock(&inbox->lock);
    return taken;
}

void rf_inbox_answer(struct rf_worker *worker)
{
    struct rf_inbox *inbox = &worker->shared->inbox;
    struct rf_inquiry *inquiry = NULL;

    if (atomic_load(&inbox->waiting) == 0)
        return;
    while ((inquiry = take(inbox, worker->index)) != NULL) {
        struct rf_part *part = &inquiry->parts[worker->index];

        answer(worker, inquiry, part);
        rf_mutex_lock(&inbox->lock);
        part->state = RF_PART_DONE;
        free_if_last(inquiry);
        rf_condition_wake_all(&inbox->answered);
        rf_mutex_unlock(&inbox->lock);
    }
}

/* ---- the asker's side ---- */

static struct rf_inquiry *make(struct rf_bytes customer, const bool *ended, int worker_count)
{
    struct rf_inquiry *inquiry =
        calloc(1, sizeof *inquiry + (size_t)worker_count * sizeof inquiry->parts[0]);

    rf_assert(inquiry != NULL);
    rf_assert(customer.size <= sizeof inquiry->id);
    if (customer.size > 0)
        memcpy(inquiry->id, customer.data, customer.size);
    inquiry->id_size = customer.size;
    inquiry->part_count = worker_count;
    inquiry->references = 1;
    for (int i = 0; i < worker_count; i++) {
        rf_arena_init(&inquiry->parts[i].arena, ARENA_CHUNK);
        inquiry->parts[i].state = ended[i] ? RF_PART_DONE : RF_PART_WAITING;
    }
    return inquiry;
}

static bool is_settled(const struct rf_inquiry *inquiry)
{
    bool all = true;

    for (int i = 0; i < inquiry->part_count; i++) {
        const struct rf_part *part = &inquiry->parts[i];

        if (part->state == RF_PART_DONE && part->customer != NULL && !part->restoring)
            return true;
        all = all && part->state == RF_PART_DONE;
    }
    return all;
}

static void withdraw(struct rf_inbox *inbox, const struct rf_inquiry *inquiry)
    RF_REQUIRES(inbox->lock)
{
    size_t at = 0;

    while (inbox->open[at] != inquiry)
        at++;
    rf_assert(at < inbox->open_count);
    inbox->open[at] = inbox->open[--inbox->open_count];
    atomic_fetch_sub(&inbox->waiting, 1);
}

struct rf_inquiry *rf_inbox_ask(struct rf_inbox *inbox, struct rf_bytes customer, const bool *ended,
                                int worker_count, rf_span_ms timeout)
{
    struct rf_inquiry *inquiry = NULL;
    rf_ns until = rf_clock_monotonic_ns() + timeout * 1000000;

    rf_mutex_lock(&inbox->lock);
    if (inbox->open_count < RF_INBOX_MAX) {
        inquiry = make(customer, ended, worker_count);
        inbox->open[inbox->open_count++] = inquiry;
        atomic_fetch_add(&inbox->waiting, 1);
        while (!is_settled(inquiry) &&
               rf_condition_wait_until(&inbox->answered, &inbox->lock, until)) {
        }
        withdraw(inbox, inquiry);
    }
    rf_mutex_unlock(&inbox->lock);
    return inquiry;
}

bool rf_inbox_has(struct rf_inbox *inbox, struct rf_inquiry *inquiry, int worker)
{
    bool has = false;

    rf_assert(worker < inquiry->part_count);
    rf_mutex_lock(&inbox->lock);
    has = inquiry->parts[worker].state == RF_PART_DONE;
    rf_mutex_unlock(&inbox->lock);
    return has;
}

void rf_inbox_leave(struct rf_inbox *inbox, struct rf_inquiry *inquiry)
{
    rf_mutex_lock(&inbox->lock);
    free_if_last(inquiry);
    rf_mutex_unlock(&inbox->lock);
}
