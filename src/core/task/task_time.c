/* Time without events: what comes due, in the order of (due, customer), at its place among the events.
 *
 * Before an event moves time to an instant, everything due up to that instant has fired; what an event makes due in the
 * past fires before the next one is folded. So the outcome depends on the inputs and their order, and not on where
 * transactions begin and end. A customer is looked at once for each instant at which it is due, so that among
 * customers the order is that of time too. */
#include "core/task/task_time.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/task/task_internal.h"

#define SWEEP_KEEP_MAX (128U * 1024)

rf_ms rf_task_watermark(const struct rf_task *task, rf_ms stream_time)
{
    rf_span_ms lateness = task->options.plan->lateness;

    if (lateness == RF_LATENESS_NONE)
        return stream_time;
    return stream_time < RF_MS_MIN + lateness ? RF_MS_MIN : stream_time - lateness;
}

/* The timer in the place of an input. */
static struct rf_input timer_input(const struct rf_task *task, struct rf_bytes customer, rf_ms due)
{
    return (struct rf_input){
        .source = RF_SOURCE_TIMER,
        .position = {.topic = RF_TIMER_TOPIC, .partition = task->options.partition, .offset = due},
        .broker_time = RF_MS_MIN,
        .key = customer};
}

/* What it does cannot be written down: it does nothing, and waits for an event. */
static void hold(struct rf_task *task, struct rf_bytes customer, rf_ms due, const char *why)
{
    struct rf_input timer = timer_input(task, customer, due);

    rf_task_dead_letter(task, &timer, "held", rf_arena_copy_text(&task->arena, why));
    rf_records_put_off(task->records, customer, RF_MS_MAX);
    task->fired++;
}

static void fire(struct rf_task *task, struct rf_customer *customer, rf_ms due)
{
    struct rf_input timer = timer_input(task, customer->id, due);
    struct rf_fold fold = {0};

    rf_engine_advance(task->engine, customer, due, &task->arena, &fold);
    rf_assert(fold.due > due); /* or it would be looked at for ever */
    task->open_counts.timers++;
    rf_ledger_timer(&task->ledger, &fold);
    rf_task_take_fold(task, &timer, &fold);
    if (fold.evicted) {
        rf_records_erase(task->records, customer->id);
        task->open_counts.evicted++;
    } else {
        if (fold.changed)
            rf_records_changed(task->records, customer->id);
        rf_records_put_off(task->records, customer->id, fold.due);
    }
    task->fired += fold.changed || fold.evicted;
}

/* The store, or the heap, says that this customer is due; the customer itself decides. */
static bool look(struct rf_task *task, struct rf_bytes id, rf_ms due, struct rf_error *err)
{
    struct rf_customer *customer = NULL;
    const char *held = NULL;

    if (!rf_records_customer(task->records, id, &task->arena, &customer, err))
        return false;
    task->looked++;
    if (rf_records_due_of(task->records, id) > due)
        return true; /* not before then */
    held = task->quarantine_count == 0 ? NULL : rf_task_is_held(task, id, due);
    if (held != NULL)
        hold(task, customer->id, due, held);
    else
        fire(task, customer, due);
    return true;
}

static enum rf_reach failed(struct rf_task *task, struct rf_error *err)
{
    if (err->kind != RF_ERROR_RETRY)
        return RF_REACH_FAILED;
    task->blocked = *err;
    rf_error_clear(err);
    return RF_STOPPED;
}

static enum rf_reach look_until(struct rf_task *task, rf_ms until, struct rf_error *err)
{
    for (;;) {
        struct rf_bytes customer = {0};
        rf_ms due = RF_MS_MAX;

        if (task->looks_left == 0)
            return RF_STOPPED;
        if (!rf_records_due(task->records, until, &due, &customer, err))
            return failed(task, err);
        if (due == RF_MS_MAX)
            return RF_REACHED;
        if (due > task->clock)
            task->clock = due - 1; /* wherever this ends: everything before has fired */
        task->looks_left--;
        if (!look(task, customer, due, err))
            return failed(task, err);
    }
}

enum rf_reach rf_task_reach(struct rf_task *task, rf_ms until, struct rf_error *err)
{
    rf_assert(until >= task->clock);
    if (rf_records_next_due(task->records) <= until && until != RF_MS_MIN) {
        enum rf_reach reach = look_until(task, until, err);

        if (reach != RF_REACHED)
            return reach;
    }
    task->clock = until;
    return RF_REACHED;
}

bool rf_task_advance(struct rf_task *task, rf_ms clock, struct rf_error *err)
{
    rf_ms until = rf_ms_later(clock, task->clock);

    rf_error_clear(&task->blocked);
    task->looks_left = task->options.looks_max;
    if (rf_task_reach(task, until, err) != RF_REACH_FAILED)
        return true;
    return rf_error_wrap(err, "task %d", (int)task->options.partition);
}

bool rf_task_is_due(struct rf_task *task, rf_ms at)
{
    struct rf_bytes customer = {0};
    struct rf_error err = {0};
    rf_ms until = rf_ms_later(at, task->clock);
    rf_ms due = RF_MS_MAX;

    if (rf_task_next_due(task) > until)
        return false;
    return !rf_records_due(task->records, until, &due, &customer, &err) || due != RF_MS_MAX;
}

/* Before time has begun there is nothing to wait for. */
rf_ms rf_task_next_due(const struct rf_task *task)
{
    return task->loading || task->clock == RF_MS_MIN ? RF_MS_MAX
                                                     : rf_records_next_due(task->records);
}

rf_ms rf_task_clock(const struct rf_task *task)
{
    return task->committed_clock;
}

rf_ms rf_task_clock_open(const struct rf_task *task)
{
    return task->clock;
}

rf_ms rf_task_stream_time(const struct rf_task *task)
{
    return task->committed_stream_time;
}

rf_ms rf_task_now(const struct rf_task *task)
{
    return rf_ms_later(task->committed_stream_time, task->committed_clock);
}

bool rf_task_is_swept(const struct rf_task *task)
{
    return task->loading || rf_records_is_swept(task->records);
}

bool rf_task_sweep(struct rf_task *task, size_t count, struct rf_error *err)
{
    bool ok = true;

    if (rf_task_is_swept(task))
        return true;
    ok = rf_records_sweep(task->records, &task->swept, count, err);
    rf_arena_reset(&task->swept, SWEEP_KEEP_MAX);
    return ok || rf_error_wrap(err, "working out when the customers of task %d are due",
                               (int)task->options.partition);
}
