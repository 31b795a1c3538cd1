/* The real HTTP server over an instance that is not one: tests write its numbers as lines on standard input.
 *
 * usage: serve [--listen ADDRESS:PORT] [--token-file FILE] [--certificate FILE --key FILE [--client-ca FILE]] [--aliases]
 *
 *     lag PARTITION SECONDS RECORDS RATE STATUS    alert RULE SEVERITY CUSTOMER BECAUSE...
 *     commit SECONDS COUNT                         letter CLASS TOPIC MESSAGE...
 *     restore PARTITION REMAINING ETA_SECONDS      ready        delay MS        detach        attach
 *     mode RULE MODE SHADOW_COUNT                  leave
 *
 * Its first line is {"address": "HOST:PORT"}; each command is answered by "ok". Standard input's end ends it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "edge/ops/server.h"
#include "edge/sys/clock.h"
#include "edge/sys/signal.h"
#include "edge/sys/thread.h"
#include "support/fake_inspect.h"

#define PARTITIONS  8
#define RULES       5
#define RECENTS_MAX 200
#define TEXT_MAX    700
#define TARGET      1000000

static const char *const rules[RULES] = {"service-failure", "complaining-again", "gone-quiet",
                                         "win-back", "heavy-user"};
static const char *const severities[RULES] = {"high", "critical", "medium", "low", "low"};

static struct state {
    struct rf_mutex lock;
    struct fake_inspect fake; /* answers about customers */
    struct rf_lag lags[PARTITIONS];
    struct rf_task_view tasks[PARTITIONS];
    struct rf_worker_view worker;
    struct rf_rule_view rules[RULES];
    struct rf_owner owners[PARTITIONS];
    struct rf_source_view source;
    struct rf_named_count letters[2];
    struct rf_recent recents[RECENTS_MAX];
    char texts[RECENTS_MAX][TEXT_MAX];
    uint64_t sequence;
    rf_ms started_at;
    struct rf_histogram delays;
} state;

static void init_state(void)
{
    rf_mutex_init(&state.lock);
    fake_inspect_init(&state.fake);
    state.started_at = rf_clock_wall_ms();
    for (int i = 0; i < PARTITIONS; i++) {
        state.lags[i] = (struct rf_lag){.source = i % 2 == 0 ? "calls" : "purchases",
                                        .topic = i % 2 == 0 ? "telco.calls" : "telco.purchases",
                                        .partition = i / 2,
                                        .lag_ms_exact = true,
                                        .status = RF_LAG_OK};
        state.tasks[i] =
            (struct rf_task_view){.partition = i, .status = RF_TASK_RUNNING, .next_due = RF_MS_MAX};
        state.owners[i] = (struct rf_owner){"host-1", "127.0.0.1:8088", true};
    }
    state.worker = (struct rf_worker_view){.running = true, .rebalances = 1, .idle_ratio = 0.4};
    rf_histogram_init(&state.worker.commit_duration, &rf_commit_bounds);
    rf_histogram_init(&state.delays, &rf_delay_bounds);
    for (int i = 0; i < RULES; i++)
        state.rules[i] = (struct rf_rule_view){.rule = rules[i],
                                               .version = "0123456789abcdef",
                                               .output = "churn-alert",
                                               .severity = severities[i],
                                               .mode = "live"};
    state.source = (struct rf_source_view){.source = "calls", .topic = "telco.calls"};
    state.letters[0] = (struct rf_named_count){.name = "record"};
    state.letters[1] = (struct rf_named_count){.name = "late"};
}

/* ---- the port ---- */

static const void *copy(struct rf_arena *arena, const void *data, size_t size)
{
    return rf_arena_copy(arena, rf_bytes_of(data, size)).data;
}

static void *aligned_copy(struct rf_arena *arena, const void *data, size_t size)
{
    void *made = rf_arena_alloc(arena, size);

    memcpy(made, data, size);
    return made;
}

static void take_snapshot(void *self, struct rf_arena *arena, struct rf_snapshot *snapshot)
{
    (void)self;
    rf_mutex_lock(&state.lock);
    *snapshot = (struct rf_snapshot){
        .at = rf_clock_wall_ms(),
        .started_at = state.started_at,
        .app = "telco-retention",
        .instance = "host-1",
        .plan_version = "4f1c09a2be7730d1",
        .group_state = "Stable",
        .lag_count = PARTITIONS,
        .task_count = PARTITIONS,
        .worker_count = 1,
        .source_count = 1,
        .rule_count = RULES,
        .partition_count = PARTITIONS,
        .lags = aligned_copy(arena, state.lags, sizeof state.lags),
        .tasks = aligned_copy(arena, state.tasks, sizeof state.tasks),
        .workers = aligned_copy(arena, &state.worker, sizeof state.worker),
        .sources = aligned_copy(arena, &state.source, sizeof state.source),
        .rules = aligned_copy(arena, state.rules, sizeof state.rules),
        .owners = aligned_copy(arena, state.owners, sizeof state.owners),
        .dead_letters = {2, aligned_copy(arena, state.letters, sizeof state.letters)},
        .event_delay = state.delays,
        .emitted = state.sequence,
    };
    rf_mutex_unlock(&state.lock);
}

static bool ask(void *self, const struct rf_question *question, struct rf_arena *arena,
                struct rf_answer *answer, struct rf_error *err)
{
    struct rf_inspect port = fake_inspect_port(&state.fake);

    (void)self;
    return port.ops->ask(port.self, question, arena, answer, err);
}

static size_t recent(void *self, uint64_t after, struct rf_recent *recents, size_t count_max,
                     struct rf_arena *arena)
{
    size_t count = 0;
    uint64_t first = 0;

    (void)self;
    rf_mutex_lock(&state.lock);
    first = state.sequence > RECENTS_MAX ? state.sequence - RECENTS_MAX + 1 : 1;
    for (uint64_t i = after < first ? first : after + 1; i <= state.sequence && count < count_max;
         i++) {
        recents[count] = state.recents[i % RECENTS_MAX];
        recents[count].text.data = copy(arena, recents[count].text.data, recents[count].text.size);
        count++;
    }
    rf_mutex_unlock(&state.lock);
    return count;
}

static const struct rf_inspect_ops port_ops = {take_snapshot, ask, recent};
static const struct rf_inspect port = {&port_ops, &state};

/* ---- commands ---- */

static void emit(enum rf_recent_kind kind, const char *text)
{
    uint64_t sequence = ++state.sequence;
    char *kept = state.texts[sequence % RECENTS_MAX];

    snprintf(kept, TEXT_MAX, "%s", text);
    state.recents[sequence % RECENTS_MAX] = (struct rf_recent){.sequence = sequence,
                                                               .committed_at = rf_clock_wall_ms(),
                                                               .kind = kind,
                                                               .text = rf_bytes_of_text(kept)};
}

static void emit_alert(const char *rule, const char *severity, const char *customer,
                       const char *because)
{
    char text[TEXT_MAX];
    char at[RF_TIME_TEXT_MAX + 1] = "";

    rf_time_format_ms(at, sizeof at, rf_clock_wall_ms() - 1500);
    snprintf(text, sizeof text,
             "{\"rule\":\"%s\",\"severity\":\"%s\",\"customer\":\"%s\",\"status\":\"RAISED\","
             "\"because\":\"%s\",\"occurred_at\":\"%s\",\"reasons\":[{\"name\":\"dropped_7d\","
             "\"value\":3},{\"name\":\"complaints_14d\",\"value\":1},{\"name\":\"spend_90d\","
             "\"value\":120.5}]}",
             rule, severity, customer, because, at);
    emit(RF_RECENT_DERIVED, text);
    for (int i = 0; i < RULES; i++)
        state.rules[i].counts.raised += strcmp(rules[i], rule) == 0;
}

static void emit_letter(const char *class, const char *topic, const char *message)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof text,
             "{\"source\":\"calls\",\"topic\":\"%s\",\"partition\":3,\"offset\":%" PRIu64
             ",\"time\":\"2026-03-01T10:00:00Z\",\"class\":\"%s\",\"message\":\"%s\"}",
             topic, 4200 + state.sequence, class, message);
    emit(RF_RECENT_DEAD_LETTER, text);
    state.letters[strcmp(class, "late") == 0].count++;
}

static void set_lag(const char *arguments)
{
    int partition = 0;
    double seconds = 0, rate = 0;
    int64_t records = 0;
    char status[32] = "";

    rf_assert(sscanf(arguments, "%d %lf %" SCNd64 " %lf %31s", &partition, &seconds, &records,
                     &rate, status) == 5);
    rf_assert(partition >= 0 && partition < PARTITIONS);
    state.lags[partition].lag_ms = (rf_span_ms)(seconds * 1000);
    state.lags[partition].lag_records = records;
    state.lags[partition].records_per_second = rate;
    for (int i = 0; i < RF_LAG_STATUSES; i++) {
        if (strcmp(rf_lag_status_name((enum rf_lag_status)i), status) == 0)
            state.lags[partition].status = (enum rf_lag_status)i;
    }
}

static void set_restore(const char *arguments)
{
    int partition = 0;
    int64_t remaining = 0;
    double eta = 0;

    rf_assert(sscanf(arguments, "%d %" SCNd64 " %lf", &partition, &remaining, &eta) == 3);
    rf_assert(partition >= 0 && partition < PARTITIONS);
    state.tasks[partition].status = RF_TASK_RESTORING;
    state.tasks[partition].restore_remaining = remaining;
    state.tasks[partition].changelog_target = TARGET;
    state.tasks[partition].restore_eta_ms = (rf_span_ms)(eta * 1000);
}

static void set_ready(void)
{
    for (int i = 0; i < PARTITIONS; i++) {
        state.tasks[i].status = RF_TASK_RUNNING;
        state.tasks[i].restore_remaining = 0;
        state.tasks[i].restore_eta_ms = 0;
    }
}

static void add_commits(const char *arguments)
{
    double seconds = 0;
    int count = 0;

    rf_assert(sscanf(arguments, "%lf %d", &seconds, &count) == 2);
    for (int i = 0; i < count; i++)
        rf_histogram_add(&state.worker.commit_duration, seconds);
    state.worker.committed += (uint64_t)count;
}

static void set_mode(const char *arguments)
{
    static char mode[32];
    char name[64] = "";
    uint64_t count = 0;

    rf_assert(sscanf(arguments, "%63s %31s %" SCNu64, name, mode, &count) == 3);
    for (int i = 0; i < RULES; i++) {
        if (strcmp(rules[i], name) != 0)
            continue;
        state.rules[i].mode = mode;
        state.rules[i].counts.held[RF_HELD_BY_SHADOW] = count;
    }
}

static void obey(struct rf_ops *ops, const char *line)
{
    char name[32] = "", a[64] = "", b[64] = "", c[64] = "";
    const char *arguments = line + strcspn(line, " ");
    int rest = 0;

    rf_assert(sscanf(line, "%31s", name) == 1);
    if (strcmp(name, "detach") == 0)
        rf_ops_detach(ops, "waiting for kafka");
    if (strcmp(name, "attach") == 0)
        rf_ops_attach(ops, &port);
    if (strcmp(name, "leave") == 0)
        rf_ops_leave(ops);
    rf_mutex_lock(&state.lock);
    if (strcmp(name, "lag") == 0)
        set_lag(arguments);
    else if (strcmp(name, "commit") == 0)
        add_commits(arguments);
    else if (strcmp(name, "restore") == 0)
        set_restore(arguments);
    else if (strcmp(name, "mode") == 0)
        set_mode(arguments);
    else if (strcmp(name, "ready") == 0)
        set_ready();
    else if (strcmp(name, "delay") == 0)
        state.fake.delay_ms = strtol(arguments, NULL, 10);
    else if (strcmp(name, "alert") == 0 &&
             sscanf(arguments, "%63s %63s %63s %n", a, b, c, &rest) == 3)
        emit_alert(a, b, c, arguments + rest);
    else if (strcmp(name, "letter") == 0 && sscanf(arguments, "%63s %63s %n", a, b, &rest) == 2)
        emit_letter(a, b, arguments + rest);
    rf_mutex_unlock(&state.lock);
    printf("ok\n");
    fflush(stdout);
}

/* What the seeds' customers look like, for the page. */
static void print_customer(const struct rf_plan *plan, const struct rf_customer *customer,
                           const struct rf_value *values, rf_ms now, struct rf_buffer *out)
{
    (void)plan;
    (void)values;
    (void)now;
    rf_buffer_printf(
        out,
        "{\"customer\":\"%.*s\",\"now\":\"2026-03-01T10:00:00Z\",\"first_seen\":"
        "\"2025-11-08T09:12:44Z\",\"as_of\":\"2026-03-01T09:58:13Z\",\"events\":214,"
        "\"features\":{\"calls_7d\":11,\"dropped_7d\":3,\"minutes_28d\":184.5,"
        "\"complaints_14d\":1,\"spend_90d\":120.5,\"usage_drop\":0.31,\"last_offer\":"
        "null},\"rules\":{\"service-failure\":{\"fired\":2,\"last_fired\":"
        "\"2026-03-01T09:58:13Z\"}},\"explain\":{\"now\":\"2026-03-01T10:00:00Z\",\"due\":"
        "null,\"rules\":{\"service-failure\":{\"standing\":\"cooldown\",\"until\":"
        "\"2026-03-08T09:58:13Z\",\"fired\":2,\"last_fired\":\"2026-03-01T09:58:13Z\","
        "\"when\":{\"text\":\"complaints_14d > 0 && dropped_7d >= 3\",\"holds\":true,"
        "\"all\":[{\"text\":\"complaints_14d > 0\",\"holds\":true,\"compares\":\">\","
        "\"left\":1,\"right\":0,\"gap\":-1,\"reads\":{\"complaints_14d\":1}},{\"text\":"
        "\"dropped_7d >= 3\",\"holds\":true,\"compares\":\">=\",\"left\":3,\"right\":3,"
        "\"gap\":0,\"reads\":{\"dropped_7d\":3}}]}},\"win-back\":{\"standing\":"
        "\"condition\",\"when\":{\"text\":\"usage_drop > 0.5\",\"holds\":false,"
        "\"compares\":\">\",\"left\":0.31,\"right\":0.5,\"gap\":0.19,\"reads\":"
        "{\"usage_drop\":0.31}}}}}}",
        (int)customer->id.size, (const char *)customer->id.data);
}

static struct rf_ops_options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"token-file", required_argument, NULL, 't'},
        {"certificate", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"client-ca", required_argument, NULL, 'a'},
        {"aliases", no_argument, NULL, 'x'},
        {NULL, 0, NULL, 0},
    };
    struct rf_ops_options options = {.version = RF_VERSION,
                                     .app = "telco-retention",
                                     .instance = "host-1",
                                     .print_customer = print_customer};
    const char *listen_at = "127.0.0.1:0";
    int option = 0;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'l':
            listen_at = optarg;
            break;
        case 't':
            options.token_file = optarg;
            break;
        case 'c':
            options.certificate = optarg;
            break;
        case 'k':
            options.key = optarg;
            break;
        case 'a':
            options.client_ca = optarg;
            break;
        case 'x':
            options.lag_aliases = true;
            break;
        default:
            exit(2);
        }
    }
    rf_assert(rf_address_parse(listen_at, &options.address));
    return options;
}

int main(int argc, char **argv)
{
    struct rf_ops_options options = parse_options(argc, argv);
    struct rf_error err = {0};
    struct rf_ops *ops = NULL;
    char line[1024];

    init_state();
    rf_assert(rf_signals_catch(&err));
    ops = rf_ops_open(&options, &err);
    if (ops == NULL) {
        fprintf(stderr, "serve: %s\n", err.message);
        return 2;
    }
    rf_ops_attach(ops, &port);
    printf("{\"address\":\"%s\"}\n", rf_ops_address(ops));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            obey(ops, line);
    }
    rf_ops_detach(ops, "stopping");
    rf_ops_close(ops);
    return 0;
}
