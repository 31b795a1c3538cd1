/* Who causes what cannot be produced: an input, a timer, a customer that has grown too large. */
#include "core/task/task_quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/task/task_internal.h"

const char *rf_task_quarantine_reason(const struct rf_task *task, const struct rf_input *input)
{
    for (size_t i = 0; i < task->quarantine_count; i++) {
        const struct rf_quarantined *entry = &task->quarantine[i];

        if (entry->source == input->source && entry->offset == input->position.offset)
            return entry->why;
    }
    return NULL;
}

static const struct rf_quarantined *find_timer(const struct rf_task *task, struct rf_bytes customer,
                                               rf_ms due, bool holds)
{
    for (size_t i = 0; i < task->quarantine_count; i++) {
        const struct rf_quarantined *entry = &task->quarantine[i];

        if (entry->source == RF_SOURCE_TIMER && entry->holds == holds &&
            (entry->offset == due || (holds && entry->offset == RF_MS_MIN)) &&
            rf_bytes_equal(entry->customer, customer))
            return entry;
    }
    return NULL;
}

const struct rf_quarantined *rf_task_quarantined_timer(const struct rf_task *task,
                                                       struct rf_bytes customer, rf_ms due)
{
    return find_timer(task, customer, due, false);
}

const char *rf_task_is_held(const struct rf_task *task, struct rf_bytes customer, rf_ms due)
{
    const struct rf_quarantined *entry = find_timer(task, customer, due, true);

    return entry == NULL ? NULL : entry->why;
}

static struct rf_quarantined *add(struct rf_task *task, uint32_t source, int64_t offset,
                                  const char *why)
{
    struct rf_quarantined *entry = NULL;

    if (task->quarantine_count == task->quarantine_capacity) {
        task->quarantine_capacity =
            task->quarantine_capacity == 0 ? 8 : task->quarantine_capacity * 2;
        task->quarantine =
            realloc(task->quarantine, task->quarantine_capacity * sizeof *task->quarantine);
        rf_assert(task->quarantine != NULL);
    }
    entry = &task->quarantine[task->quarantine_count++];
    *entry = (struct rf_quarantined){.source = source, .offset = offset};
    strncpy(entry->why, why, sizeof entry->why - 1);
    return entry;
}

void rf_task_quarantine(struct rf_task *task, uint32_t source, int64_t offset, const char *why)
{
    const struct rf_input place = {.source = source, .position = {.offset = offset}};

    rf_assert(source < task->options.plan->source_count);
    if (rf_task_quarantine_reason(task, &place) == NULL)
        add(task, source, offset, why);
}

static void add_timer(struct rf_task *task, struct rf_bytes customer, rf_ms due, bool holds,
                      const char *why)
{
    struct rf_quarantined *entry = NULL;
    uint8_t *copy = NULL;

    if (find_timer(task, customer, due, holds) != NULL)
        return;
    copy = malloc(customer.size + 1);
    rf_assert(copy != NULL);
    if (customer.size > 0)
        memcpy(copy, customer.data, customer.size);
    entry = add(task, RF_SOURCE_TIMER, due, why);
    entry->customer = rf_bytes_of(copy, customer.size);
    entry->holds = holds;
}

void rf_task_quarantine_timer(struct rf_task *task, struct rf_bytes customer, rf_ms due,
                              const char *why)
{
    add_timer(task, customer, due, false, why);
}

void rf_task_hold(struct rf_task *task, struct rf_bytes customer, rf_ms due, const char *why)
{
    add_timer(task, customer, due, true, why);
}

void rf_task_end_quarantine(struct rf_task *task)
{
    for (size_t i = 0; i < task->quarantine_count; i++)
        free((void *)(uintptr_t)task->quarantine[i].customer.data);
    task->quarantine_count = 0;
    task->quarantine_known = 0;
}

/* The customer's open record after one more of its inputs. */
static size_t size_after(struct rf_task *task, const struct rf_judged *judged)
{
    struct rf_customer *customer = NULL;
    struct rf_fold fold = {0};
    struct rf_error err = {0};
    bool opened = false;

    if (judged->verdict == RF_VERDICT_ERASE)
        rf_records_erase(task->records, judged->event.customer);
    opened =
        rf_records_customer(task->records, judged->event.customer, &task->arena, &customer, &err);
    rf_assert(opened); /* as it was a moment ago */
    if (judged->verdict == RF_VERDICT_FOLD &&
        !rf_engine_fold(task->engine, customer, &judged->event, task->clock, &task->arena, &fold,
                        &err))
        rf_assert(err.kind == RF_ERROR_RECORD); /* as it was then, too */
    return rf_records_size(task->records, task->engine, &task->arena, judged->event.customer);
}

/* The folded input that makes a customer's record too large: the first after which it is larger than the plan
 * allows, else the one by which it grew most. Found by folding the customer's inputs again, one by one; the
 * transaction has to be aborted anyway. NULL: all of them are put aside already, for what they emit. */
static const struct rf_input *culprit_of(struct rf_task *task, struct rf_bytes customer)
{
    const struct rf_input *culprit = NULL;
    size_t growth_max = 0;
    size_t size = rf_records_reopen(task->records, task->engine, &task->arena, customer);

    for (size_t i = 0; i < task->inputs.folded; i++) {
        const struct rf_input *input = rf_inputs_folded_at(&task->inputs, i);
        struct rf_judged *judged = &task->judged[0];
        size_t before = size;

        rf_error_clear(&task->blocked);
        if (!rf_task_judge(task, input, judged) || judged->verdict == RF_VERDICT_BAD ||
            judged->verdict == RF_VERDICT_FILTERED ||
            !rf_bytes_equal(judged->event.customer, customer))
            continue;
        size = size_after(task, judged);
        if (culprit == NULL || (size > before && size - before > growth_max)) {
            culprit = input;
            growth_max = size > before ? size - before : 0;
        }
        if (size == SIZE_MAX)
            break;
    }
    return culprit;
}

/* Where no input is left to blame, time has made the record grow: the customer is left alone until an event of its
 * own comes. But what has been put aside since the last abort is still folded: without it the record may be as small
 * as ever, which the next attempt shows. */
void rf_task_quarantine_customer(struct rf_task *task, struct rf_bytes customer, const char *why)
{
    const struct rf_error blocked = task->blocked; /* by an input that is not folded yet */
    const struct rf_input *input = culprit_of(task, customer);

    task->blocked = blocked;
    if (input != NULL)
        rf_task_quarantine(task, input->source, input->position.offset, why);
    if (task->quarantine_count == task->quarantine_known && task->looked > 0)
        rf_task_hold(task, customer, RF_MS_MIN, why);
    rf_assert(task->quarantine_count > 0); /* an open customer was opened by an event, or by time */
}
