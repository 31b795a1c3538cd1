/* The port of core/task/inspect.h over what workers and watch have left behind. Thread: any but a worker's. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/task/partitioner.h"
#include "edge/stream/running.h"
#include "edge/sys/clock.h"

/* What is gathered before it is handed out. */
struct gathering {
    struct rf_stream *stream;
    struct rf_arena *arena;
    const struct rf_plan *plan;
    struct rf_snapshot *snapshot;
    size_t task_capacity;
    struct rf_task_view *tasks;
    struct rf_lag_reading *readings; /* source s of task i: [i * source_count + s] */
    struct rf_worker_view *workers;
    struct rf_ledger ledger;      /* sum */
    struct rf_rule_meter *meters; /* sum, by rule */
    uint64_t store_faults[RF_STORE_FAULTS];
    uint64_t hot_bytes, transaction_bytes, memtable_bytes;
};

static const char *copy_text(struct rf_arena *arena, const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : rf_arena_copy_text(arena, text);
}

/* ---- from the workers ---- */

static enum rf_task_status status_of(enum rf_slot_state state)
{
    switch (state) {
    case RF_SLOT_RESTORING:
        return RF_TASK_RESTORING;
    case RF_SLOT_RUNNING:
        return RF_TASK_RUNNING;
    case RF_SLOT_BLOCKED:
        return RF_TASK_BLOCKED;
    case RF_SLOT_NONE:
    case RF_SLOT_WAITING:
        break;
    }
    return RF_TASK_WAITING;
}

static void view_restore(const struct rf_published_slot *slot, struct rf_task_view *view)
{
    int64_t elapsed = rf_clock_monotonic_ms() - slot->restore_began_ms;
    int64_t done = slot->changelog_next - slot->restore_from;

    view->restore_eta_ms = view->status == RF_TASK_WAITING ? -1 : 0;
    if (view->status != RF_TASK_RESTORING)
        return;
    if (slot->changelog_target > slot->changelog_next)
        view->restore_remaining = slot->changelog_target - slot->changelog_next;
    if (elapsed > 0 && done > 0)
        view->restore_per_second = (double)done * 1000.0 / (double)elapsed;
    if (view->restore_per_second > 0.0)
        view->restore_eta_ms =
            (int64_t)((double)view->restore_remaining * 1000.0 / view->restore_per_second);
    else
        view->restore_eta_ms = slot->changelog_target > 0 && view->restore_remaining == 0 ? 0 : -1;
}

static void view_task(struct gathering *g, int worker, const struct rf_published_slot *slot)
{
    struct rf_task_view *view = &g->tasks[g->snapshot->task_count];

    *view = (struct rf_task_view){
        .partition = slot->partition,
        .worker = worker,
        .status = status_of(slot->state),
        .blocked = copy_text(g->arena, slot->blocked),
        .changelog_next = slot->changelog_next,
        .changelog_target = slot->changelog_target,
        .restored_records = slot->restored,
        .stream_time = slot->stream_time,
        .watermark = slot->clock,
        .next_due = slot->next_due,
        .pending = slot->pending,
        .records = slot->counts.records,
        .events = slot->counts.events,
        .hot = slot->hot,
        .store = slot->store,
        .committed_at = slot->committed_at,
        .stored_at = slot->stored_at,
        .durable_at = slot->durable_at,
    };
    view_restore(slot, view);
    g->hot_bytes += slot->hot.memory;
    g->memtable_bytes += slot->store.memory;
}

/* One that has ended as it was asked to is not stuck. */
static rf_span_ms since_turn(const struct rf_worker *worker, bool ended)
{
    if (ended && worker->fatal.kind == RF_ERROR_NONE)
        return 0;
    return rf_clock_monotonic_ms() - atomic_load(&worker->turned_ms);
}

static void view_worker(struct gathering *g, struct rf_worker *worker,
                        const struct rf_published *copy, bool ended)
{
    struct rf_worker_view *view = &g->workers[worker->index];

    *view = (struct rf_worker_view){
        .index = worker->index,
        .running = !ended,
        .waits_for_kafka = atomic_load(&worker->waits) > 0,
        .since_turn_ms = since_turn(worker, ended),
        .committed_at = copy->committed_at,
        .since_commit_ms =
            copy->committed_ms < 0 ? -1 : rf_clock_monotonic_ms() - copy->committed_ms,
        .committed = copy->committed,
        .aborted = copy->aborted,
        .unknown = copy->unknown,
        .lost = copy->lost,
        .rebalances = copy->rebalances,
        .questions = copy->questions,
        .restored = copy->restored,
        .commit_duration = copy->commit_duration,
    };
    memcpy(view->producers_made, copy->producers_made, sizeof view->producers_made);
}

static void make_room(struct gathering *g, size_t more)
{
    size_t count = g->snapshot->task_count;
    size_t sources = g->plan->source_count;
    struct rf_task_view *tasks = NULL;
    struct rf_lag_reading *readings = NULL;

    if (count + more <= g->task_capacity)
        return;
    g->task_capacity = 2 * g->task_capacity + more;
    tasks = rf_arena_alloc(g->arena, g->task_capacity * sizeof *tasks);
    readings = rf_arena_alloc(g->arena, g->task_capacity * sources * sizeof *readings);
    if (count > 0) {
        memcpy(tasks, g->tasks, count * sizeof *tasks);
        memcpy(readings, g->readings, count * sources * sizeof *readings);
    }
    g->tasks = tasks;
    g->readings = readings;
}

static void gather_worker(struct gathering *g, struct rf_worker *worker)
{
    size_t sources = g->plan->source_count;
    const struct rf_published *copy = NULL;

    rf_mutex_lock(&worker->lock);
    copy = worker->published;
    make_room(g, copy->slot_count);
    for (size_t i = 0; i < copy->slot_count; i++) {
        view_task(g, worker->index, &copy->slots[i]);
        memcpy(&g->readings[g->snapshot->task_count * sources], &copy->readings[i * sources],
               sources * sizeof *copy->readings);
        g->snapshot->task_count++;
    }
    view_worker(g, worker, copy, worker->ended);
    rf_ledger_add(&g->ledger, &copy->ledger);
    for (size_t i = 0; i < g->plan->rule_count; i++) {
        g->meters[i].evaluations += copy->rules[i].evaluations;
        g->meters[i].failures += copy->rules[i].failures;
        g->meters[i].timed += copy->rules[i].timed;
        g->meters[i].timed_ns += copy->rules[i].timed_ns;
    }
    for (size_t i = 0; i < RF_STORE_FAULTS; i++)
        g->store_faults[i] += copy->store_faults[i];
    g->transaction_bytes += copy->transaction_bytes;
    rf_mutex_unlock(&worker->lock);
}

/* ---- from the watch ---- */

static rf_span_ms turned_ms(const struct rf_worker_view *worker)
{
    if (!worker->running)
        return -1;
    return worker->waits_for_kafka ? 0 : worker->since_turn_ms;
}

/* Also where the watch has not seen the partition yet. */
static const struct rf_watched *watched_of(const struct rf_watch *watch, int32_t partition,
                                           size_t source) RF_REQUIRES(watch->lock)
{
    static const struct rf_watched nothing = {
        .ends = {.log_start = -1,
                 .log_end = -1,
                 .stable_end = -1,
                 .asked_at = RF_MS_MIN,
                 .caught_up_end = -1,
                 .caught_up_at = RF_MS_MIN},
        .probe = {.from = -1, .offset = -1, .until = -1},
    };
    const struct rf_watched *watched =
        watch->watched[(size_t)partition * watch->options->plan->source_count + source];

    return watched == NULL || watched->round + 1 < watch->round ? &nothing : watched;
}

static void view_lag(struct gathering *g, const struct rf_task_view *task, size_t source,
                     const struct rf_lag_reading *reading, struct rf_lag *lag)
    RF_REQUIRES(g->stream->watch.lock)
{
    const struct rf_watched *watched = watched_of(&g->stream->watch, task->partition, source);

    memset(lag, 0, sizeof *lag);
    rf_lag_measure(reading, &watched->ends, &watched->probe, g->snapshot->at, lag);
    lag->source = g->plan->sources[source].name;
    lag->topic = g->plan->sources[source].topic;
    lag->partition = task->partition;
    lag->records_per_second = rf_rate_per_second(&watched->rate);
    lag->status =
        rf_lag_status(&watched->history, task->status, turned_ms(&g->workers[task->worker]));
}

/* A task's: the sum of its sources, and the worst of them. */
static void add_lag(const struct rf_lag *lag, int64_t *records, rf_span_ms *age)
{
    if (lag->lag_records < 0 || *records < 0)
        *records = -1;
    else
        *records += lag->lag_records;
    if (lag->lag_ms < 0 || *age < 0)
        *age = -1;
    else if (lag->lag_ms > *age)
        *age = lag->lag_ms;
}

static void view_owners(struct gathering *g) RF_REQUIRES(g->stream->watch.lock)
{
    const struct rf_watch *watch = &g->stream->watch;
    size_t count = (size_t)watch->partition_count;
    struct rf_owner *owners = rf_arena_alloc_zero(g->arena, count * sizeof *owners);

    for (size_t i = 0; i < count; i++) {
        owners[i].instance = copy_text(g->arena, watch->owners[i].instance);
        owners[i].address = copy_text(g->arena, watch->owners[i].address);
        owners[i].is_us = strcmp(watch->owners[i].instance, watch->options->instance) == 0;
    }
    g->snapshot->owners = owners;
    g->snapshot->partition_count = count;
    g->snapshot->group_state = copy_text(g->arena, watch->group_state);
}

static int compare_lags(const void *a, const void *b)
{
    const struct rf_lag *x = a;
    const struct rf_lag *y = b;
    int order = strcmp(x->source, y->source);

    return order != 0 ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

static int compare_tasks(const void *a, const void *b)
{
    const struct rf_task_view *x = a;
    const struct rf_task_view *y = b;

    return (x->partition > y->partition) - (x->partition < y->partition);
}

static void gather_watch(struct gathering *g)
{
    struct rf_watch *watch = &g->stream->watch;
    size_t sources = g->plan->source_count;
    size_t count = g->snapshot->task_count * sources;
    struct rf_lag *lags = rf_arena_alloc_zero(g->arena, (count + 1) * sizeof *lags);

    rf_mutex_lock(&watch->lock);
    for (size_t i = 0; i < g->snapshot->task_count; i++) {
        for (size_t s = 0; s < sources; s++) {
            struct rf_lag *lag = &lags[i * sources + s];

            view_lag(g, &g->tasks[i], s, &g->readings[i * sources + s], lag);
            add_lag(lag, &g->tasks[i].lag_records, &g->tasks[i].lag_ms);
        }
    }
    for (int i = 0; i < g->stream->worker_count; i++)
        g->workers[i].idle_ratio = rf_rate_per_second(&watch->idle[i]);
    view_owners(g);
    rf_mutex_unlock(&watch->lock);
    g->snapshot->kafka_away = rf_watch_away_ms(watch);
    qsort(lags, count, sizeof *lags, compare_lags);
    qsort(g->tasks, g->snapshot->task_count, sizeof *g->tasks, compare_tasks);
    g->snapshot->lags = lags;
    g->snapshot->lag_count = count;
    g->snapshot->tasks = g->tasks;
    g->snapshot->workers = g->workers;
    g->snapshot->worker_count = (size_t)g->stream->worker_count;
}

/* ---- from the plan and the counts ---- */

static void view_sources(struct gathering *g)
{
    struct rf_source_view *sources =
        rf_arena_alloc_zero(g->arena, (g->plan->source_count + 1) * sizeof *sources);

    for (size_t i = 0; i < g->plan->source_count; i++) {
        sources[i].source = g->plan->sources[i].name;
        sources[i].topic = g->plan->sources[i].topic;
        sources[i].counts = g->ledger.sources[i];
        g->snapshot->erased += g->ledger.sources[i].erase;
    }
    g->snapshot->sources = sources;
    g->snapshot->source_count = g->plan->source_count;
}

static void view_rules(struct gathering *g)
{
    struct rf_rule_view *rules =
        rf_arena_alloc_zero(g->arena, (g->plan->rule_count + 1) * sizeof *rules);

    for (size_t i = 0; i < g->plan->rule_count; i++) {
        const struct rf_rule *rule = &g->plan->rules[i];

        rules[i].rule = rule->name;
        rules[i].version = rule->version;
        rules[i].output = g->plan->outputs[rule->output].name;
        rules[i].severity = rule->severity;
        rules[i].mode = rf_rule_mode_name(rule->mode);
        rules[i].counts = g->ledger.rules[i];
        rules[i].counts.errors = g->meters[i].failures;
        rules[i].evaluations = g->meters[i].evaluations;
        rules[i].timed = g->meters[i].timed;
        rules[i].timed_ns = g->meters[i].timed_ns;
    }
    g->snapshot->rules = rules;
    g->snapshot->rule_count = g->plan->rule_count;
}

static struct rf_named_counts copy_counts(struct rf_arena *arena,
                                          const struct rf_named_count *counts, size_t count)
{
    struct rf_named_count *items = rf_arena_alloc(arena, (count + 1) * sizeof *items);

    memcpy(items, counts, count * sizeof *items);
    return (struct rf_named_counts){.count = count, .items = items};
}

static void view_counts(struct gathering *g)
{
    static const char *const faults[RF_STORE_FAULTS] = {"damaged", "unwritable", "unopened"};
    const struct rf_stream_ports *ports = &g->stream->shared.options.ports;
    struct rf_named_count counts[RF_PORT_COUNTS_MAX + 8];
    size_t count = 0;

    for (size_t i = 0; i < RF_LETTER_CLASSES; i++)
        counts[count++] = (struct rf_named_count){rf_letter_class_name((enum rf_letter_class)i),
                                                  g->ledger.dead_letters[i]};
    g->snapshot->dead_letters = copy_counts(g->arena, counts, count);
    count = 0;
    for (size_t i = 0; i < RF_STORE_FAULTS; i++)
        counts[count++] = (struct rf_named_count){faults[i], g->store_faults[i]};
    g->snapshot->store_errors = copy_counts(g->arena, counts, count);
    count = ports->registry_requests == NULL ? 0 : ports->registry_requests(ports->self, counts);
    g->snapshot->registry_requests = copy_counts(g->arena, counts, count);
    count = ports->memory == NULL ? 0 : ports->memory(ports->self, counts);
    counts[count++] = (struct rf_named_count){"hot_records", g->hot_bytes};
    counts[count++] = (struct rf_named_count){"transactions", g->transaction_bytes};
    counts[count++] = (struct rf_named_count){"memtables", g->memtable_bytes};
    counts[count++] = (struct rf_named_count){"resident", rf_clock_resident_bytes()};
    g->snapshot->memory = copy_counts(g->arena, counts, count);
    g->snapshot->event_delay = g->ledger.delay;
    g->snapshot->evicted = g->ledger.evicted;
    g->snapshot->seen_forgotten = g->ledger.seen_forgotten;
    g->snapshot->values_dropped = g->ledger.values_dropped;
    g->snapshot->patterns = g->ledger.patterns;
}

static void snapshot(void *self, struct rf_arena *arena, struct rf_snapshot *snapshot)
{
    struct rf_stream *stream = self;
    struct gathering g = {.stream = stream,
                          .arena = arena,
                          .plan = stream->shared.options.plan,
                          .snapshot = snapshot};

    *snapshot = (struct rf_snapshot){
        .started_at = stream->started_at,
        .app = g.plan->app,
        .instance = stream->shared.options.instance,
        .plan_version = g.plan->version,
    };
    g.workers = rf_arena_alloc_zero(arena, ((size_t)stream->worker_count + 1) * sizeof *g.workers);
    g.meters = rf_arena_alloc_zero(arena, (g.plan->rule_count + 1) * sizeof *g.meters);
    rf_ledger_init(&g.ledger, g.plan);
    for (int i = 0; i < stream->worker_count; i++)
        gather_worker(&g, &stream->workers[i]);
    snapshot->at = rf_clock_wall_ms();
    gather_watch(&g);
    view_sources(&g);
    view_rules(&g);
    view_counts(&g);
    rf_ledger_deinit(&g.ledger);
    snapshot->emitted = rf_ring_last(&stream->shared.ring);
}

/* ---- a customer ---- */

static void add_other(const struct rf_snapshot *snapshot, int32_t partition,
                      struct rf_owner *others, size_t *count)
{
    const struct rf_owner *owner = &snapshot->owners[partition];

    if (owner->instance == NULL || owner->is_us)
        return;
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(others[i].instance, owner->instance) == 0)
            return;
    }
    others[(*count)++] = *owner;
}

static bool is_ours(const struct rf_snapshot *snapshot, int32_t partition)
{
    for (size_t i = 0; i < snapshot->task_count; i++) {
        if (snapshot->tasks[i].partition == partition)
            return true;
    }
    return false;
}

/* Who else might know, the likeliest first. */
static void find_others(const struct rf_snapshot *snapshot, struct rf_bytes customer,
                        struct rf_arena *arena, struct rf_answer *answer)
{
    int32_t count = (int32_t)snapshot->partition_count;
    struct rf_owner *others = rf_arena_alloc(arena, ((size_t)count + 1) * sizeof *others);

    add_other(snapshot, rf_partition_murmur2(customer, count), others, &answer->other_count);
    add_other(snapshot, rf_partition_crc32(customer, count), others, &answer->other_count);
    for (int32_t i = 0; i < count; i++) {
        const struct rf_owner *owner = &snapshot->owners[i];

        add_other(snapshot, i, others, &answer->other_count);
        if ((owner->instance == NULL || owner->is_us) && !is_ours(snapshot, i))
            answer->unowned_count++;
    }
    answer->others = others;
}

static const struct rf_task_view *task_of(const struct rf_snapshot *snapshot, int32_t partition)
{
    for (size_t i = 0; i < snapshot->task_count; i++) {
        if (snapshot->tasks[i].partition == partition)
            return &snapshot->tasks[i];
    }
    return NULL;
}

/* How far the task was behind when it answered: the snapshot may be of a moment before. */
static void measure_part(struct rf_stream *stream, const struct rf_part *part,
                         struct rf_answer *answer)
{
    struct rf_watch *watch = &stream->watch;
    rf_ms wall = rf_clock_wall_ms();

    rf_mutex_lock(&watch->lock);
    for (size_t s = 0; s < answer->plan->source_count; s++) {
        const struct rf_watched *watched = watched_of(watch, part->partition, s);
        struct rf_lag lag = {0};

        rf_lag_measure(&part->readings[s], &watched->ends, &watched->probe, wall, &lag);
        add_lag(&lag, &answer->lag_records, &answer->lag_ms);
    }
    rf_mutex_unlock(&watch->lock);
}

static void found(struct rf_stream *stream, const struct rf_snapshot *snapshot,
                  struct rf_part *part, struct rf_arena *arena, struct rf_answer *answer)
{
    const struct rf_task_view *task = task_of(snapshot, part->partition);

    rf_arena_adopt(arena, &part->arena);
    answer->kind = RF_ANSWER_FOUND;
    answer->plan = stream->shared.options.plan;
    answer->customer = part->customer;
    answer->features = part->features;
    answer->at = part->at;
    answer->partition = part->partition;
    answer->changelog_offset = part->changelog_offset;
    answer->committed_at = part->committed_at;
    answer->restoring = part->restoring;
    answer->restore_eta_ms = !part->restoring ? 0 : task == NULL ? -1 : task->restore_eta_ms;
    if (part->restoring) { /* what waits is in the changelog, and how old that is nobody knows */
        answer->lag_records = -1;
        answer->lag_ms = -1;
    } else {
        measure_part(stream, part, answer);
    }
}

/* The longest; -1: one of them is not known. */
static rf_span_ms restore_eta(const struct rf_snapshot *snapshot)
{
    rf_span_ms eta = 0;

    for (size_t i = 0; i < snapshot->task_count; i++) {
        if (snapshot->tasks[i].restore_eta_ms < 0)
            return -1;
        if (snapshot->tasks[i].restore_eta_ms > eta)
            eta = snapshot->tasks[i].restore_eta_ms;
    }
    return eta;
}

/* The part that says most; NULL: none knows. An older state only where nothing better is there. */
static struct rf_part *best_part(struct rf_inbox *inbox, struct rf_inquiry *inquiry)
{
    struct rf_part *best = NULL;

    for (int i = 0; i < inquiry->part_count; i++) {
        struct rf_part *part = &inquiry->parts[i];

        if (rf_inbox_has(inbox, inquiry, i) && part->customer != NULL &&
            (best == NULL || best->restoring))
            best = part;
    }
    return best;
}

/* None knows the customer: is that certain? */
static bool conclude(struct rf_stream *stream, struct rf_inquiry *inquiry,
                     const struct rf_snapshot *snapshot, struct rf_answer *answer,
                     struct rf_error *err)
{
    struct rf_inbox *inbox = &stream->shared.inbox;

    for (int i = 0; i < inquiry->part_count; i++) {
        const struct rf_part *part = &inquiry->parts[i];

        if (!rf_inbox_has(inbox, inquiry, i))
            return rf_error_set(err, RF_ERROR_RETRY, 0, "worker %d has not answered in time%s", i,
                                snapshot->workers[i].waits_for_kafka ? ": it waits for kafka" : "");
        answer->restoring = answer->restoring || part->restoring_count > 0;
        if (part->err.kind != RF_ERROR_NONE && part->restoring_count == 0) {
            *err = part->err;
            return rf_error_wrap(err, "looking a customer up");
        }
    }
    answer->restore_eta_ms = answer->restoring ? restore_eta(snapshot) : 0;
    answer->kind = answer->other_count > 0                          ? RF_ANSWER_ELSEWHERE
                   : answer->restoring || answer->unowned_count > 0 ? RF_ANSWER_RESTORING
                                                                    : RF_ANSWER_UNKNOWN;
    return true;
}

static bool ask(void *self, const struct rf_question *question, struct rf_arena *arena,
                struct rf_answer *answer, struct rf_error *err)
{
    struct rf_stream *stream = self;
    rf_span_ms timeout = question->timeout > 0 ? question->timeout : RF_QUESTION_TIMEOUT_MS;
    bool *ended = rf_arena_alloc_zero(arena, (size_t)stream->worker_count + 1);
    struct rf_snapshot now;
    struct rf_inquiry *inquiry = NULL;
    struct rf_part *part = NULL;
    bool ok = true;

    memset(answer, 0, sizeof *answer);
    if (question->customer.size == 0 || question->customer.size > RF_CUSTOMER_ID_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "a customer's id has 1 to %d bytes",
                            RF_CUSTOMER_ID_MAX);
    snapshot(stream, arena, &now);
    for (int i = 0; i < stream->worker_count; i++)
        ended[i] = !now.workers[i].running;
    inquiry = rf_inbox_ask(&stream->shared.inbox, question->customer, ended, stream->worker_count,
                           timeout);
    if (inquiry == NULL)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "%d questions are waiting already",
                            RF_INBOX_MAX);
    find_others(&now, question->customer, arena, answer);
    part = best_part(&stream->shared.inbox, inquiry);
    if (part != NULL)
        found(stream, &now, part, arena, answer);
    else
        ok = conclude(stream, inquiry, &now, answer, err);
    rf_inbox_leave(&stream->shared.inbox, inquiry);
    return ok;
}

/* ---- what was emitted ---- */

static size_t recent(void *self, uint64_t after, struct rf_recent *recent, size_t count_max,
                     struct rf_arena *arena)
{
    struct rf_stream *stream = self;

    return rf_ring_read(&stream->shared.ring, after, recent, count_max, arena);
}

const struct rf_inspect_ops rf_stream_inspect_ops = {
    .snapshot = snapshot,
    .ask = ask,
    .recent = recent,
};
