#include "edge/ops/desk.h"

#include "core/base/assert.h"
#include "core/model/rule.h"
#include "edge/ops/page.h"

#define ARENA_CHUNK (64U * 1024)
#define LETTERS_MAX 100 /* that are shown */
#define RECENTS_MAX 1000

static void print_livez(const struct rf_snapshot *snapshot, struct rf_reply *reply)
{
    const struct rf_worker_view *stuck = snapshot == NULL ? NULL : rf_health_stuck(snapshot);
    struct rf_json json = {.out = &reply->body};

    reply->status = stuck == NULL ? 200 : 503;
    rf_json_begin(&json, NULL, '{');
    rf_json_bool(&json, "live", stuck == NULL);
    if (stuck != NULL) {
        rf_json_int(&json, "worker", stuck->index);
        rf_json_text(&json, "reason", stuck->running ? "its loop does not turn" : "it has ended");
        rf_json_seconds(&json, "since_seconds", stuck->since_turn_ms);
    }
    rf_json_end(&json, '}');
}

static void print_readyz(const struct rf_desk_view *view, const struct rf_snapshot *snapshot,
                         struct rf_reply *reply)
{
    struct rf_json json = {.out = &reply->body};
    struct rf_health health;

    rf_health_ready(view, snapshot, &health);
    reply->status = health.ready ? 200 : 503;
    reply->retry_after = health.ready ? 0 : 5;
    rf_json_begin(&json, NULL, '{');
    rf_json_bool(&json, "ready", health.ready);
    rf_json_text(&json, "state", health.state);
    rf_json_text(&json, "reason", health.reason);
    rf_json_count(&json, "tasks", health.task_count);
    rf_json_count(&json, "tasks_ready", health.ready_tasks);
    rf_json_int(&json, "restore_remaining_records", health.remaining);
    rf_json_seconds(&json, "eta_seconds", health.eta_ms);
    rf_json_end(&json, '}');
}

static void print_lag_entry(struct rf_json *json, const struct rf_lag *lag)
{
    rf_json_begin(json, NULL, '{');
    rf_json_text(json, "source", lag->source);
    rf_json_text(json, "topic", lag->topic);
    rf_json_int(json, "partition", lag->partition);
    rf_json_text(json, "status", rf_lag_status_name(lag->status));
    rf_json_int(json, "lag_records", lag->lag_records);
    rf_json_seconds(json, "lag_seconds", lag->lag_ms);
    rf_json_bool(json, "lag_seconds_exact", lag->lag_ms >= 0 && lag->lag_ms_exact);
    rf_json_time(json, "oldest_time", lag->oldest_time);
    rf_json_double(json, "records_per_second", lag->records_per_second);
    rf_json_int(json, "log_start", lag->log_start);
    rf_json_int(json, "committed", lag->committed);
    rf_json_int(json, "position", lag->position);
    rf_json_int(json, "stable_end", lag->stable_end);
    rf_json_int(json, "log_end", lag->log_end);
    rf_json_time(json, "as_of", lag->as_of);
    rf_json_end(json, '}');
}

static void print_lag(const struct rf_snapshot *snapshot, struct rf_json *json)
{
    int64_t records = 0;
    rf_span_ms worst = 0;
    bool known = true;

    rf_json_begin(json, "partitions", '[');
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        const struct rf_lag *lag = &snapshot->lags[i];

        print_lag_entry(json, lag);
        records += lag->lag_records;
        worst = lag->lag_ms > worst ? lag->lag_ms : worst;
        known = known && lag->lag_ms >= 0;
    }
    rf_json_end(json, ']');
    rf_json_int(json, "lag_records", records);
    rf_json_seconds(json, "lag_seconds_max", known ? worst : -1);
}

static void print_task(struct rf_json *json, const struct rf_task_view *task)
{
    rf_json_begin(json, NULL, '{');
    rf_json_int(json, "partition", task->partition);
    rf_json_int(json, "worker", task->worker);
    rf_json_text(json, "state", rf_task_status_name(task->status));
    rf_json_text(json, "blocked", task->blocked);
    rf_json_int(json, "changelog_next", task->changelog_next);
    rf_json_int(json, "changelog_target", task->changelog_target);
    rf_json_count(json, "restored_records", task->restored_records);
    rf_json_int(json, "restore_remaining_records", task->restore_remaining);
    rf_json_seconds(json, "restore_eta_seconds", task->restore_eta_ms);
    rf_json_time(json, "stream_time", task->stream_time);
    rf_json_time(json, "watermark", task->watermark);
    rf_json_time(json, "next_due", task->next_due);
    rf_json_int(json, "lag_records", task->lag_records);
    rf_json_seconds(json, "lag_seconds", task->lag_ms);
    rf_json_count(json, "records", task->records);
    rf_json_count(json, "events", task->events);
    rf_json_count(json, "store_bytes", task->store.bytes);
    rf_json_time(json, "committed_at", task->committed_at);
    rf_json_time(json, "stored_at", task->stored_at);
    rf_json_time(json, "durable_at", task->durable_at);
    rf_json_end(json, '}');
}

static void print_worker(struct rf_json *json, const struct rf_worker_view *worker)
{
    rf_json_begin(json, NULL, '{');
    rf_json_int(json, "worker", worker->index);
    rf_json_bool(json, "running", worker->running);
    rf_json_bool(json, "waits_for_kafka", worker->waits_for_kafka);
    rf_json_seconds(json, "since_turn_seconds", worker->since_turn_ms);
    rf_json_seconds(json, "since_commit_seconds", worker->since_commit_ms);
    rf_json_count(json, "committed", worker->committed);
    rf_json_count(json, "aborted", worker->aborted);
    rf_json_count(json, "unknown", worker->unknown);
    rf_json_count(json, "fenced", worker->lost);
    rf_json_count(json, "rebalances", worker->rebalances);
    rf_json_double(json, "idle_ratio", worker->idle_ratio);
    rf_json_double(json, "commit_seconds_p50",
                   rf_histogram_quantile(&worker->commit_duration, 0.5));
    rf_json_double(json, "commit_seconds_p99",
                   rf_histogram_quantile(&worker->commit_duration, 0.99));
    rf_json_end(json, '}');
}

static void print_tasks(const struct rf_snapshot *snapshot, struct rf_json *json)
{
    rf_json_text(json, "group_state", snapshot->group_state);
    rf_json_begin(json, "tasks", '[');
    for (size_t i = 0; i < snapshot->task_count; i++)
        print_task(json, &snapshot->tasks[i]);
    rf_json_end(json, ']');
    rf_json_begin(json, "workers", '[');
    for (size_t i = 0; i < snapshot->worker_count; i++)
        print_worker(json, &snapshot->workers[i]);
    rf_json_end(json, ']');
    rf_json_begin(json, "owners", '[');
    for (size_t i = 0; i < snapshot->partition_count; i++) {
        const struct rf_owner *owner = &snapshot->owners[i];

        rf_json_begin(json, NULL, '{');
        rf_json_count(json, "partition", i);
        rf_json_text(json, "instance", owner->instance);
        rf_json_text(json, "address", owner->address);
        rf_json_bool(json, "this", owner->is_us);
        rf_json_end(json, '}');
    }
    rf_json_end(json, ']');
}

static void print_rules(const struct rf_snapshot *snapshot, struct rf_json *json)
{
    rf_json_begin(json, "rules", '[');
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct rf_rule_view *rule = &snapshot->rules[i];

        rf_json_begin(json, NULL, '{');
        rf_json_text(json, "rule", rule->rule);
        rf_json_text(json, "version", rule->version);
        rf_json_text(json, "output", rule->output);
        rf_json_text(json, "severity", rule->severity);
        rf_json_text(json, "mode", rule->mode);
        rf_json_count(json, "raised", rule->counts.raised);
        rf_json_count(json, "updated", rule->counts.updated);
        rf_json_count(json, "cleared", rule->counts.cleared);
        rf_json_begin(json, "held", '{');
        for (int by = 0; by < RF_HELD_BY_COUNT; by++)
            rf_json_count(json, rf_held_by_name((enum rf_held_by)by), rule->counts.held[by]);
        rf_json_end(json, '}');
        rf_json_count(json, "errors", rule->counts.errors);
        rf_json_count(json, "evaluations", rule->evaluations);
        rf_json_double(json, "evaluation_seconds",
                       rule->timed == 0 ? 0.0 : (double)rule->timed_ns / (double)rule->timed / 1e9);
        rf_json_end(json, '}');
    }
    rf_json_end(json, ']');
}

/* The newest first. */
static void print_dead_letters(const struct rf_inspect *inspect, struct rf_arena *arena,
                               const struct rf_snapshot *snapshot, struct rf_json *json)
{
    struct rf_recent *recents = rf_arena_alloc(arena, RECENTS_MAX * sizeof *recents);
    size_t count = inspect->ops->recent(inspect->self, 0, recents, RECENTS_MAX, arena);
    size_t shown = 0;

    rf_json_begin(json, "classes", '{');
    for (size_t i = 0; i < snapshot->dead_letters.count; i++)
        rf_json_count(json, snapshot->dead_letters.items[i].name,
                      snapshot->dead_letters.items[i].count);
    rf_json_end(json, '}');
    rf_json_begin(json, "recent", '[');
    for (size_t i = count; i-- > 0 && shown < LETTERS_MAX;) {
        if (recents[i].kind != RF_RECENT_DEAD_LETTER)
            continue;
        shown++;
        rf_json_begin(json, NULL, '{');
        rf_json_count(json, "sequence", recents[i].sequence);
        rf_json_time(json, "committed_at", recents[i].committed_at);
        rf_json_raw(json, "event", recents[i].text);
        rf_json_end(json, '}');
    }
    rf_json_end(json, ']');
}

static void print_document(const struct rf_desk_view *view, enum rf_route route,
                           struct rf_arena *arena, const struct rf_snapshot *snapshot,
                           struct rf_reply *reply)
{
    struct rf_json json = {.out = &reply->body};

    rf_json_begin(&json, NULL, '{');
    rf_json_time(&json, "at", snapshot->at);
    rf_json_text(&json, "app", snapshot->app);
    rf_json_text(&json, "instance", snapshot->instance);
    rf_json_text(&json, "plan_version", snapshot->plan_version);
    if (route == RF_ROUTE_LAG)
        print_lag(snapshot, &json);
    else if (route == RF_ROUTE_TASKS)
        print_tasks(snapshot, &json);
    else if (route == RF_ROUTE_RULES)
        print_rules(snapshot, &json);
    else
        print_dead_letters(view->inspect, arena, snapshot, &json);
    rf_json_end(&json, '}');
}

static void answer_from(const struct rf_desk *desk, const struct rf_desk_view *view,
                        enum rf_route route, struct rf_arena *arena, struct rf_reply *reply)
{
    struct rf_snapshot copied = {0};
    const struct rf_snapshot *snapshot = NULL;

    if (view->inspect != NULL) {
        view->inspect->ops->snapshot(view->inspect->self, arena, &copied);
        snapshot = &copied;
    }
    if (route == RF_ROUTE_METRICS) {
        reply->type = RF_TYPE_METRICS;
        rf_desk_metrics(desk, view, snapshot, &reply->body);
        return;
    }
    if (route == RF_ROUTE_LIVEZ) {
        print_livez(snapshot, reply);
    } else if (route == RF_ROUTE_READYZ) {
        print_readyz(view, snapshot, reply);
    } else if (snapshot == NULL) {
        rf_reply_problem(reply, 503, "no worker runs yet: %s", view->phase);
        reply->retry_after = 2;
        return;
    } else {
        print_document(view, route, arena, snapshot, reply);
    }
    rf_buffer_append_byte(&reply->body, '\n');
}

void rf_desk_answer(const struct rf_desk *desk, const struct rf_desk_view *view,
                    const struct rf_request *request, struct rf_reply *reply)
{
    struct rf_page page;
    struct rf_arena arena;

    rf_assert(request->route != RF_ROUTE_EVENTS);
    if (rf_page_find(request->route, &page)) {
        reply->type = page.type;
        reply->page = page.bytes;
        return;
    }
    if (request->route == RF_ROUTE_CUSTOMER) {
        rf_desk_customer(desk, view, request, reply);
    } else {
        rf_arena_init(&arena, ARENA_CHUNK);
        answer_from(desk, view, request->route, &arena, reply);
        rf_arena_deinit(&arena);
    }
    if (reply->body.overflow)
        rf_reply_problem(reply, 500, "the answer is larger than %u MiB", RF_REPLY_BYTES_MAX >> 20);
}
