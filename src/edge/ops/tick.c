/* What the stream of events says each second: the numbers that the page draws, and no more. */
#include "core/base/assert.h"
#include "core/model/rule.h"
#include "edge/ops/desk.h"

#define LAGS_MAX      64   /* the worst ones are told; the sums are of all */
#define LAGS_SEEN_MAX 2048 /* among which they are sought */

/* Is `a` further behind than `b`? */
static bool is_worse(const struct rf_lag *a, const struct rf_lag *b)
{
    if (a->lag_ms != b->lag_ms)
        return a->lag_ms > b->lag_ms;
    return a->lag_records > b->lag_records;
}

/* The worst LAGS_MAX of `lags`, in the order of `lags`: those that fewer than LAGS_MAX are worse than. */
static size_t pick_worst(const struct rf_lag *lags, size_t count, bool *picked)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        size_t worse = 0;

        for (size_t j = 0; j < count && worse < LAGS_MAX; j++)
            worse += j != i &&
                     (is_worse(&lags[j], &lags[i]) || (j < i && !is_worse(&lags[i], &lags[j])));
        picked[i] = worse < LAGS_MAX;
        kept += picked[i];
    }
    rf_assert(kept <= LAGS_MAX);
    return kept;
}

static void print_lag(struct rf_json *json, const struct rf_lag *lag)
{
    rf_json_begin(json, NULL, '{');
    rf_json_text(json, "source", lag->source);
    rf_json_int(json, "partition", lag->partition);
    rf_json_text(json, "status", rf_lag_status_name(lag->status));
    rf_json_int(json, "records", lag->lag_records);
    rf_json_seconds(json, "seconds", lag->lag_ms);
    rf_json_double(json, "rate", lag->records_per_second);
    rf_json_end(json, '}');
}

static void print_lags(struct rf_json *json, const struct rf_snapshot *snapshot)
{
    bool picked[LAGS_SEEN_MAX];
    size_t count = snapshot->lag_count < LAGS_SEEN_MAX ? snapshot->lag_count : LAGS_SEEN_MAX;
    int64_t records = 0;
    rf_span_ms worst = 0;
    double rate = 0;

    pick_worst(snapshot->lags, count, picked);
    rf_json_begin(json, "lags", '[');
    for (size_t i = 0; i < count; i++) {
        if (picked[i])
            print_lag(json, &snapshot->lags[i]);
    }
    rf_json_end(json, ']');
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        records += snapshot->lags[i].lag_records;
        rate += snapshot->lags[i].records_per_second;
        worst = snapshot->lags[i].lag_ms > worst ? snapshot->lags[i].lag_ms : worst;
    }
    rf_json_count(json, "lag_count", snapshot->lag_count);
    rf_json_int(json, "lag_records", records);
    rf_json_seconds(json, "lag_seconds", worst);
    rf_json_double(json, "rate", rate);
}

static void print_restore(struct rf_json *json, const struct rf_snapshot *snapshot)
{
    size_t shown = 0;

    rf_json_begin(json, "restore", '[');
    for (size_t i = 0; i < snapshot->task_count && shown < LAGS_MAX; i++) {
        const struct rf_task_view *task = &snapshot->tasks[i];

        if (task->status == RF_TASK_RUNNING)
            continue;
        shown++;
        rf_json_begin(json, NULL, '{');
        rf_json_int(json, "partition", task->partition);
        rf_json_text(json, "state", rf_task_status_name(task->status));
        rf_json_text(json, "blocked", task->blocked);
        rf_json_int(json, "remaining", task->restore_remaining);
        rf_json_int(json, "target", task->changelog_target);
        rf_json_seconds(json, "eta", task->restore_eta_ms);
        rf_json_end(json, '}');
    }
    rf_json_end(json, ']');
}

static void print_commits(struct rf_json *json, const struct rf_snapshot *snapshot)
{
    struct rf_histogram sum;
    uint64_t committed = 0, aborted = 0;

    rf_histogram_init(&sum, &rf_commit_bounds);
    for (size_t i = 0; i < snapshot->worker_count; i++) {
        rf_histogram_merge(&sum, &snapshot->workers[i].commit_duration);
        committed += snapshot->workers[i].committed;
        aborted += snapshot->workers[i].aborted;
    }
    rf_json_begin(json, "commits", '{');
    rf_json_count(json, "committed", committed);
    rf_json_count(json, "aborted", aborted);
    /* Since the start, cumulative by bound: the page takes the difference of two ticks. */
    rf_json_begin(json, "bounds", '[');
    for (size_t i = 0; i < sum.bounds->count; i++)
        rf_json_double(json, NULL, sum.bounds->seconds[i]);
    rf_json_end(json, ']');
    rf_json_begin(json, "counts", '[');
    for (size_t i = 0; i <= sum.bounds->count; i++)
        rf_json_count(json, NULL, rf_histogram_cumulative(&sum, i));
    rf_json_end(json, ']');
    rf_json_end(json, '}');
}

static void print_rules(struct rf_json *json, const struct rf_snapshot *snapshot)
{
    uint64_t letters = 0;

    rf_json_begin(json, "rules", '[');
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct rf_rule_view *rule = &snapshot->rules[i];

        rf_json_begin(json, NULL, '{');
        rf_json_text(json, "rule", rule->rule);
        rf_json_text(json, "severity", rule->severity);
        rf_json_text(json, "mode", rule->mode);
        rf_json_count(json, "raised", rule->counts.raised);
        rf_json_count(json, "shadow", rule->counts.held[RF_HELD_BY_SHADOW]);
        rf_json_count(json, "errors", rule->counts.errors);
        rf_json_end(json, '}');
    }
    rf_json_end(json, ']');
    for (size_t i = 0; i < snapshot->dead_letters.count; i++)
        letters += snapshot->dead_letters.items[i].count;
    rf_json_count(json, "dead_letters", letters);
}

void rf_desk_tick(const struct rf_desk_view *view, const struct rf_snapshot *snapshot,
                  struct rf_buffer *out)
{
    struct rf_json json = {.out = out};
    struct rf_health health;

    rf_health_ready(view, snapshot, &health);
    rf_json_begin(&json, NULL, '{');
    rf_json_bool(&json, "ready", health.ready);
    rf_json_text(&json, "state", health.state);
    rf_json_text(&json, "reason", health.reason);
    rf_json_count(&json, "tasks", health.task_count);
    rf_json_count(&json, "tasks_ready", health.ready_tasks);
    rf_json_seconds(&json, "eta", health.eta_ms);
    if (snapshot != NULL) {
        rf_json_time(&json, "at", snapshot->at);
        rf_json_time(&json, "started_at", snapshot->started_at);
        rf_json_text(&json, "app", snapshot->app);
        rf_json_text(&json, "instance", snapshot->instance);
        rf_json_text(&json, "plan_version", snapshot->plan_version);
        rf_json_text(&json, "group_state", snapshot->group_state);
        rf_json_count(&json, "partitions", snapshot->partition_count);
        print_lags(&json, snapshot);
        print_restore(&json, snapshot);
        print_commits(&json, snapshot);
        print_rules(&json, snapshot);
    }
    rf_json_end(&json, '}');
}
