/* The numbers in Prometheus's text format, version 0.0.4. One call of `family` a metric, its samples behind it. What is
 * not known yet has no sample; nothing is ever negative. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "edge/ops/desk.h"
#include "edge/sys/process.h"

static void family(struct rf_buffer *out, const char *name, const char *type, const char *help)
{
    rf_buffer_printf(out, "# HELP ringfold_%s %s\n# TYPE ringfold_%s %s\n", name, help, name, type);
}

/* A label's value: \, " and line ends escaped. */
static void label_text(struct rf_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            rf_buffer_append_text(out, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\')
            rf_buffer_append_byte(out, '\\');
        rf_buffer_append_byte(out, (uint8_t)*text);
    }
}

/* name{a="...",b="..."} ; `labels` are pairs, ended by NULL. */
static void begin_sample(struct rf_buffer *out, const char *name, va_list labels)
{
    const char *separator = "{";

    rf_buffer_append_text(out, name);
    for (const char *label = va_arg(labels, const char *); label != NULL;
         label = va_arg(labels, const char *)) {
        rf_buffer_printf(out, "%s%s=\"", separator, label);
        label_text(out, va_arg(labels, const char *));
        rf_buffer_append_byte(out, '"');
        separator = ",";
    }
    rf_buffer_append_text(out, separator[0] == ',' ? "} " : " ");
}

static void __attribute__((sentinel))
sample_count(struct rf_buffer *out, uint64_t value, const char *name, ...)
{
    va_list labels;

    va_start(labels, name);
    begin_sample(out, name, labels);
    va_end(labels);
    rf_buffer_printf(out, "%" PRIu64 "\n", value);
}

static void __attribute__((sentinel))
sample(struct rf_buffer *out, double value, const char *name, ...)
{
    char text[RF_DOUBLE_TEXT_MAX];
    va_list labels;

    va_start(labels, name);
    begin_sample(out, name, labels);
    va_end(labels);
    rf_buffer_append(out, text, rf_double_format(text, sizeof text, value));
    rf_buffer_append_byte(out, '\n');
}

struct number_text {
    char text[24];
};

static struct number_text number(int64_t value)
{
    struct number_text made;

    snprintf(made.text, sizeof made.text, "%" PRId64, value);
    return made;
}

static double seconds(int64_t ms)
{
    return (double)ms / 1000.0;
}

/* ---- input ---- */

/* Two sources may read one topic: its partitions are told once, with the first of them. */
static bool is_told(const struct rf_snapshot *snapshot, size_t i)
{
    const struct rf_lag *lag = &snapshot->lags[i];

    for (size_t j = 0; j < snapshot->source_count; j++) {
        if (strcmp(snapshot->sources[j].topic, lag->topic) == 0)
            return strcmp(snapshot->sources[j].source, lag->source) != 0;
    }
    return false;
}

static void print_lag_records(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    family(
        out, "input_lag_records", "gauge",
        "Records of the input that are not committed yet, as kafka-consumer-groups counts them.");
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        const struct rf_lag *lag = &snapshot->lags[i];

        if (!is_told(snapshot, i))
            sample_count(out, (uint64_t)(lag->lag_records > 0 ? lag->lag_records : 0),
                         "ringfold_input_lag_records", "topic", lag->topic, "partition",
                         number(lag->partition).text, NULL);
    }
}

static void print_lag_seconds(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    family(
        out, "input_lag_seconds", "gauge",
        "Now minus the broker's timestamp of the oldest record that is not committed; 0 when caught "
        "up.");
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        const struct rf_lag *lag = &snapshot->lags[i];

        if (lag->lag_ms >= 0 && !is_told(snapshot, i))
            sample(out, seconds(lag->lag_ms), "ringfold_input_lag_seconds", "topic", lag->topic,
                   "partition", number(lag->partition).text, NULL);
    }
    family(out, "input_lag_status", "gauge",
           "What the lag's recent history says: 1 for the status that holds.");
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        const struct rf_lag *lag = &snapshot->lags[i];

        for (int status = 0; status < RF_LAG_STATUSES && !is_told(snapshot, i); status++)
            sample_count(out, (int)lag->status == status, "ringfold_input_lag_status", "topic",
                         lag->topic, "partition", number(lag->partition).text, "status",
                         rf_lag_status_name((enum rf_lag_status)status), NULL);
    }
}

static void print_records(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    family(out, "records_total", "counter", "Records of the input, by what became of them.");
    for (size_t i = 0; i < snapshot->source_count; i++) {
        const struct rf_source_view *source = &snapshot->sources[i];
        const struct {
            const char *result;
            uint64_t count;
        } results[] = {
            {"folded", source->counts.folded},           {"filtered", source->counts.filtered},
            {"duplicate", source->counts.duplicate},     {"late", source->counts.late},
            {"dead_letter", source->counts.dead_letter}, {"erase", source->counts.erase},
        };

        for (size_t j = 0; j < sizeof results / sizeof results[0]; j++)
            sample_count(out, results[j].count, "ringfold_records_total", "source", source->source,
                         "topic", source->topic, "result", results[j].result, NULL);
    }
}

static void print_named(struct rf_buffer *out, const struct rf_named_counts *counts,
                        const char *name, const char *label)
{
    for (size_t i = 0; i < counts->count; i++)
        sample_count(out, counts->items[i].count, name, label, counts->items[i].name, NULL);
}

static void print_late(struct rf_buffer *out, const struct rf_desk *desk,
                       const struct rf_snapshot *snapshot)
{
    uint64_t late = 0;

    for (size_t i = 0; i < snapshot->source_count; i++)
        late += snapshot->sources[i].counts.late;
    family(out, "late_events_total", "counter",
           "Events older than `lateness` allows, by what is done with them.");
    sample_count(out, late, "ringfold_late_events_total", "action",
                 desk->drops_late ? "drop" : "dead_letter", NULL);
    family(out, "dead_letters_total", "counter", "Records that could not be folded, by reason.");
    print_named(out, &snapshot->dead_letters, "ringfold_dead_letters_total", "reason");
}

static void print_histogram(struct rf_buffer *out, const char *name,
                            const struct rf_histogram *histogram)
{
    char bound[RF_DOUBLE_TEXT_MAX + 1];
    char bucket[96], part[96];

    snprintf(bucket, sizeof bucket, "ringfold_%s_bucket", name);
    for (size_t i = 0; i < histogram->bounds->count; i++) {
        bound[rf_double_format(bound, sizeof bound, histogram->bounds->seconds[i])] = '\0';
        sample_count(out, rf_histogram_cumulative(histogram, i), bucket, "le", bound, NULL);
    }
    sample_count(out, histogram->count, bucket, "le", "+Inf", NULL);
    snprintf(part, sizeof part, "ringfold_%s_sum", name);
    sample(out, histogram->sum_seconds, part, NULL);
    snprintf(part, sizeof part, "ringfold_%s_count", name);
    sample_count(out, histogram->count, part, NULL);
}

/* ---- tasks ---- */

struct task_metric {
    const char *name, *help;
    double (*value)(const struct rf_task_view *task); /* negative: not known */
};

static double task_remaining(const struct rf_task_view *task)
{
    return (double)task->restore_remaining;
}

static double task_eta(const struct rf_task_view *task)
{
    return seconds(task->restore_eta_ms);
}

static double task_stream_time(const struct rf_task_view *task)
{
    return seconds(task->stream_time);
}

static double task_store_bytes(const struct rf_task_view *task)
{
    return (double)task->store.bytes;
}

static double task_keys(const struct rf_task_view *task)
{
    return (double)task->store.customers;
}

static double task_durable(const struct rf_task_view *task)
{
    return seconds(task->durable_at);
}

static const struct task_metric task_metrics[] = {
    {"restore_remaining_records",
     "Offsets of the changelog that are still to be read into the task's store.", task_remaining},
    {"restore_eta_seconds", "When that will be done, at the present rate; 0: it is.", task_eta},
    {"stream_time_seconds", "Greatest event time that is committed, since 1970.", task_stream_time},
    {"store_bytes", "Size of the task's store on disk.", task_store_bytes},
    {"store_keys_estimate", "Customers in the task's store, as it estimates.", task_keys},
    {"store_last_checkpoint_timestamp_seconds",
     "When the task's store was last made durable, since 1970.", task_durable},
};

static void print_tasks(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    char name[96];

    for (size_t i = 0; i < sizeof task_metrics / sizeof task_metrics[0]; i++) {
        family(out, task_metrics[i].name, "gauge", task_metrics[i].help);
        snprintf(name, sizeof name, "ringfold_%s", task_metrics[i].name);
        for (size_t j = 0; j < snapshot->task_count; j++) {
            double value = task_metrics[i].value(&snapshot->tasks[j]);

            if (value >= 0)
                sample(out, value, name, "task", number(snapshot->tasks[j].partition).text, NULL);
        }
    }
    family(out, "task_state", "gauge", "1 for the state that the task is in.");
    for (size_t i = 0; i < snapshot->task_count; i++) {
        for (int state = 0; state < RF_TASK_STATUSES; state++)
            sample_count(out, (int)snapshot->tasks[i].status == state, "ringfold_task_state",
                         "task", number(snapshot->tasks[i].partition).text, "state",
                         rf_task_status_name((enum rf_task_status)state), NULL);
    }
}

/* ---- workers ---- */

static void print_transactions(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    struct rf_histogram commits;
    uint64_t committed = 0, aborted = 0, lost = 0, unknown = 0, rebalances = 0;

    rf_histogram_init(&commits, &rf_commit_bounds);
    for (size_t i = 0; i < snapshot->worker_count; i++) {
        const struct rf_worker_view *worker = &snapshot->workers[i];

        committed += worker->committed;
        aborted += worker->aborted;
        lost += worker->lost;
        unknown += worker->unknown;
        rebalances += worker->rebalances;
        rf_histogram_merge(&commits, &worker->commit_duration);
    }
    family(out, "transactions_total", "counter", "Transactions, by how they ended.");
    sample_count(out, committed, "ringfold_transactions_total", "result", "committed", NULL);
    sample_count(out, aborted, "ringfold_transactions_total", "result", "aborted", NULL);
    sample_count(out, lost, "ringfold_transactions_total", "result", "fenced", NULL);
    sample_count(out, unknown, "ringfold_transactions_total", "result", "unknown", NULL);
    family(out, "commit_duration_seconds", "histogram",
           "From the decision to commit until the broker's answer.");
    print_histogram(out, "commit_duration_seconds", &commits);
    family(out, "rebalances_total", "counter", "Assignments and revocations by the group.");
    sample_count(out, rebalances, "ringfold_rebalances_total", NULL);
}

static void print_producers(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    family(out, "producer_reinits_total", "counter",
           "Transactional producers that were made anew, by why.");
    for (int cause = RF_PRODUCER_START + 1; cause < RF_PRODUCER_CAUSES; cause++) {
        uint64_t made = 0;

        for (size_t i = 0; i < snapshot->worker_count; i++)
            made += snapshot->workers[i].producers_made[cause];
        sample_count(out, made, "ringfold_producer_reinits_total", "cause",
                     rf_producer_cause_name((enum rf_producer_cause)cause), NULL);
    }
}

static void print_workers(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    family(out, "poll_idle_ratio", "gauge",
           "How much of the last ten seconds a worker waited for records; 1: nothing to do.");
    for (size_t i = 0; i < snapshot->worker_count; i++)
        sample(out, snapshot->workers[i].idle_ratio, "ringfold_poll_idle_ratio", "worker",
               number(snapshot->workers[i].index).text, NULL);
    family(out, "worker_since_turn_seconds", "gauge", "Since a worker's loop last turned.");
    for (size_t i = 0; i < snapshot->worker_count; i++) {
        if (snapshot->workers[i].since_turn_ms >= 0)
            sample(out, seconds(snapshot->workers[i].since_turn_ms),
                   "ringfold_worker_since_turn_seconds", "worker",
                   number(snapshot->workers[i].index).text, NULL);
    }
    family(out, "last_commit_timestamp_seconds", "gauge",
           "When a worker's last transaction was committed, since 1970.");
    for (size_t i = 0; i < snapshot->worker_count; i++) {
        if (snapshot->workers[i].committed_at > 0)
            sample(out, seconds(snapshot->workers[i].committed_at),
                   "ringfold_last_commit_timestamp_seconds", "worker",
                   number(snapshot->workers[i].index).text, NULL);
    }
}

/* ---- rules ---- */

static void print_rules(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    family(out, "alerts_total", "counter",
           "Derived events that are committed, by rule and status.");
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct rf_rule_view *rule = &snapshot->rules[i];

        sample_count(out, rule->counts.raised, "ringfold_alerts_total", "rule", rule->rule,
                     "status", "raised", NULL);
        sample_count(out, rule->counts.updated, "ringfold_alerts_total", "rule", rule->rule,
                     "status", "updated", NULL);
        sample_count(out, rule->counts.cleared, "ringfold_alerts_total", "rule", rule->rule,
                     "status", "cleared", NULL);
    }
    family(out, "rule_held_total", "counter",
           "How often a rule would have fired, and was held back, by what.");
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        for (int by = 0; by < RF_HELD_BY_COUNT; by++)
            sample_count(out, snapshot->rules[i].counts.held[by], "ringfold_rule_held_total",
                         "rule", snapshot->rules[i].rule, "by",
                         rf_held_by_name((enum rf_held_by)by), NULL);
    }
    family(out, "rule_errors_total", "counter", "Evaluations of a rule that failed.");
    for (size_t i = 0; i < snapshot->rule_count; i++)
        sample_count(out, snapshot->rules[i].counts.errors, "ringfold_rule_errors_total", "rule",
                     snapshot->rules[i].rule, NULL);
    family(out, "rule_evaluations_total", "counter", "How often a rule was asked.");
    for (size_t i = 0; i < snapshot->rule_count; i++)
        sample_count(out, snapshot->rules[i].evaluations, "ringfold_rule_evaluations_total", "rule",
                     snapshot->rules[i].rule, NULL);
    family(out, "rule_timed_evaluations_total", "counter", "Evaluations that were timed.");
    for (size_t i = 0; i < snapshot->rule_count; i++)
        sample_count(out, snapshot->rules[i].timed, "ringfold_rule_timed_evaluations_total", "rule",
                     snapshot->rules[i].rule, NULL);
    family(out, "rule_timed_seconds_total", "counter", "What the timed evaluations took together.");
    for (size_t i = 0; i < snapshot->rule_count; i++)
        sample(out, (double)snapshot->rules[i].timed_ns / 1e9, "ringfold_rule_timed_seconds_total",
               "rule", snapshot->rules[i].rule, NULL);
}

/* ---- stores, registry, customers ---- */

static void print_stores(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    uint64_t restored = 0;

    for (size_t i = 0; i < snapshot->worker_count; i++)
        restored += snapshot->workers[i].restored;
    family(out, "restored_records_total", "counter", "Records read back from the changelog.");
    sample_count(out, restored, "ringfold_restored_records_total", NULL);
    family(out, "store_memory_bytes", "gauge", "Memory for customers, by what it is for.");
    print_named(out, &snapshot->memory, "ringfold_store_memory_bytes", "kind");
    family(out, "store_errors_total", "counter", "Faults of local stores, by kind.");
    print_named(out, &snapshot->store_errors, "ringfold_store_errors_total", "kind");
    family(out, "schema_registry_requests_total", "counter",
           "Questions to the schema registry, by the answer's status.");
    print_named(out, &snapshot->registry_requests, "ringfold_schema_registry_requests_total",
                "code");
    family(out, "customers_evicted_total", "counter",
           "Customers forgotten because they were not seen for long.");
    sample_count(out, snapshot->evicted, "ringfold_customers_evicted_total", NULL);
    family(out, "customers_erased_total", "counter", "Customers erased on demand.");
    sample_count(out, snapshot->erased, "ringfold_customers_erased_total", NULL);
    family(out, "dedup_forgotten_total", "counter",
           "Event ids that de-duplication had no more room for.");
    sample_count(out, snapshot->seen_forgotten, "ringfold_dedup_forgotten_total", NULL);
    family(out, "feature_values_dropped_total", "counter",
           "Values that features had no more room for: one took the place of another.");
    sample_count(out, snapshot->values_dropped, "ringfold_feature_values_dropped_total", NULL);
    family(out, "pattern_events_ignored_total", "counter",
           "Events that came too late for a pattern.");
    sample_count(out, snapshot->patterns.ignored, "ringfold_pattern_events_ignored_total", NULL);
    family(out, "pattern_events_hurried_total", "counter",
           "Events that a pattern took before its time had reached them, for lack of room.");
    sample_count(out, snapshot->patterns.hurried, "ringfold_pattern_events_hurried_total", NULL);
    family(out, "pattern_partial_matches_dropped_total", "counter",
           "Partial matches of patterns given up for lack of room.");
    sample_count(out, snapshot->patterns.dropped, "ringfold_pattern_partial_matches_dropped_total",
                 NULL);
}

/* ---- as kafka_exporter names them ---- */

static void print_aliases(struct rf_buffer *out, const struct rf_snapshot *snapshot)
{
    rf_buffer_append_text(out, "# HELP kafka_consumergroup_lag Current approximate lag of a "
                               "consumer group at a topic and partition.\n"
                               "# TYPE kafka_consumergroup_lag gauge\n");
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        const struct rf_lag *lag = &snapshot->lags[i];

        if (!is_told(snapshot, i))
            sample_count(out, (uint64_t)(lag->lag_records > 0 ? lag->lag_records : 0),
                         "kafka_consumergroup_lag", "consumergroup", snapshot->app, "topic",
                         lag->topic, "partition", number(lag->partition).text, NULL);
    }
    rf_buffer_append_text(out, "# HELP kafka_consumergroup_current_offset Current offset of a "
                               "consumer group at a topic and partition.\n"
                               "# TYPE kafka_consumergroup_current_offset gauge\n");
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        const struct rf_lag *lag = &snapshot->lags[i];

        if (!is_told(snapshot, i) && lag->committed >= 0)
            sample_count(out, (uint64_t)lag->committed, "kafka_consumergroup_current_offset",
                         "consumergroup", snapshot->app, "topic", lag->topic, "partition",
                         number(lag->partition).text, NULL);
    }
}

/* ---- this process ---- */

static void print_process(struct rf_buffer *out, const struct rf_desk *desk)
{
    struct rf_process_stats stats;

    rf_process_stats(&stats);
    rf_buffer_append_text(out, "# HELP process_cpu_seconds_total User and system CPU time.\n"
                               "# TYPE process_cpu_seconds_total counter\n");
    sample(out, stats.cpu_seconds, "process_cpu_seconds_total", NULL);
    rf_buffer_append_text(out, "# HELP process_resident_memory_bytes Memory in RAM.\n"
                               "# TYPE process_resident_memory_bytes gauge\n");
    sample_count(out, stats.resident_bytes, "process_resident_memory_bytes", NULL);
    rf_buffer_append_text(out, "# HELP process_start_time_seconds When it began, since 1970.\n"
                               "# TYPE process_start_time_seconds gauge\n");
    sample(out, seconds(desk->started_at), "process_start_time_seconds", NULL);
    rf_buffer_append_text(out, "# HELP process_open_fds Open file descriptors.\n"
                               "# TYPE process_open_fds gauge\n");
    sample_count(out, stats.open_files, "process_open_fds", NULL);
    rf_buffer_append_text(out, "# HELP process_max_fds How many there may be.\n"
                               "# TYPE process_max_fds gauge\n");
    sample_count(out, stats.open_files_max, "process_max_fds", NULL);
}

static void print_disk(struct rf_buffer *out, const char *state_dir)
{
    uint64_t bytes = 0;

    if (state_dir == NULL || !rf_process_disk_available(state_dir, &bytes))
        return;
    family(out, "state_disk_available_bytes", "gauge",
           "What may still be written to the disk that state.dir is on.");
    sample_count(out, bytes, "ringfold_state_disk_available_bytes", NULL);
}

static void print_http(struct rf_buffer *out, const struct rf_desk_counts *counts)
{
    family(out, "http_requests_total", "counter", "Requests that were answered here.");
    for (int route = 0; route < RF_ROUTE_COUNT; route++) {
        for (int class = 1; class < 6; class ++) {
            char code[4] = {(char)('0' + class), 'x', 'x', '\0'};

            if (counts->answers[route][class] > 0)
                sample_count(out, counts->answers[route][class], "ringfold_http_requests_total",
                             "path", rf_route_path((enum rf_route)route), "code", code, NULL);
        }
    }
    family(out, "http_refused_total", "counter", "Requests that were none of ours.");
    sample_count(out, counts->refused, "ringfold_http_refused_total", NULL);
    family(out, "http_cut_total", "counter", "Connections that took too long and were cut.");
    sample_count(out, counts->cut, "ringfold_http_cut_total", NULL);
    family(out, "http_made_room_total", "counter",
           "Connections without a request that were cut to make room for others.");
    sample_count(out, counts->made_room, "ringfold_http_made_room_total", NULL);
    family(out, "http_connections", "gauge", "Connections that are open.");
    sample_count(out, counts->connections, "ringfold_http_connections", NULL);
    family(out, "http_event_streams", "gauge", "Clients of /events.");
    sample_count(out, counts->streams, "ringfold_http_event_streams", NULL);
}

void rf_desk_metrics(const struct rf_desk *desk, const struct rf_desk_view *view,
                     const struct rf_snapshot *snapshot, struct rf_buffer *out)
{
    struct rf_health health;

    rf_health_ready(view, snapshot, &health);
    family(out, "build_info", "gauge", "1; the labels say what runs.");
    sample_count(out, 1, "ringfold_build_info", "version", desk->version, "app", desk->app,
                 "instance_name", desk->instance, "plan",
                 snapshot == NULL ? "" : snapshot->plan_version, NULL);
    family(out, "ready", "gauge", "1 where every partition that is ours is worked on (/readyz).");
    sample_count(out, health.ready, "ringfold_ready", NULL);
    if (snapshot != NULL) {
        print_lag_records(out, snapshot);
        print_lag_seconds(out, snapshot);
        print_records(out, snapshot);
        print_late(out, desk, snapshot);
        family(out, "event_time_delay_seconds", "histogram",
               "The broker's timestamp of a record minus the time of its event.");
        print_histogram(out, "event_time_delay_seconds", &snapshot->event_delay);
        print_tasks(out, snapshot);
        print_transactions(out, snapshot);
        print_producers(out, snapshot);
        print_workers(out, snapshot);
        print_rules(out, snapshot);
        print_stores(out, snapshot);
        if (desk->lag_aliases)
            print_aliases(out, snapshot);
    }
    print_http(out, view->counts);
    print_process(out, desk);
    print_disk(out, desk->state_dir);
}
