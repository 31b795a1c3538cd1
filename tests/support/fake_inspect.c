#include "support/fake_inspect.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NOW_MS INT64_C(1790000000000)

static const struct rf_plan plan = {.app = "orders", .version = "00112233445566ff"};

static void init_lags(struct fake_inspect *fake)
{
    const struct rf_lag lag = {.source = "calls",
                               .topic = "telco.calls",
                               .log_end = 1000,
                               .stable_end = 1000,
                               .committed = 1000,
                               .position = 1000,
                               .oldest_time = RF_MS_MIN,
                               .lag_ms_exact = true,
                               .records_per_second = 250.5,
                               .status = RF_LAG_OK,
                               .as_of = NOW_MS};

    for (int i = 0; i < 4; i++)
        fake->lags[i] = lag;
    fake->lags[1].partition = 1;
    fake->lags[1].committed = 900;
    fake->lags[1].lag_records = 100;
    fake->lags[1].lag_ms = 12500;
    fake->lags[1].status = RF_LAG_LAGGING;
    fake->lags[2].source = "texts"; /* the same topic by another source */
    fake->lags[3].source = "texts";
    fake->lags[3].partition = 1;
    fake->lags[3].lag_ms = -1;
    fake->sources[0] = (struct rf_source_view){
        .source = "calls", .topic = "telco.calls", .counts = {.folded = 90, .late = 3}};
    fake->sources[1] = (struct rf_source_view){.source = "texts", .topic = "telco.calls"};
}

static void init_tasks(struct fake_inspect *fake)
{
    for (int i = 0; i < 3; i++)
        fake->tasks[i] = (struct rf_task_view){.partition = i,
                                               .status = RF_TASK_RUNNING,
                                               .stream_time = NOW_MS - 60000,
                                               .watermark = NOW_MS - 60000,
                                               .next_due = RF_MS_MAX,
                                               .committed_at = NOW_MS,
                                               .stored_at = NOW_MS,
                                               .durable_at = RF_MS_MIN};
    fake->tasks[2].status = RF_TASK_RESTORING;
    fake->tasks[2].restore_remaining = 5000;
    fake->tasks[2].restore_eta_ms = 7500;
    for (int i = 0; i < 2; i++) {
        fake->workers[i] = (struct rf_worker_view){.index = i,
                                                   .running = true,
                                                   .since_turn_ms = 50,
                                                   .committed_at = NOW_MS,
                                                   .committed = 20,
                                                   .rebalances = 1,
                                                   .restored = 1000,
                                                   .idle_ratio = 0.25};
        rf_histogram_init(&fake->workers[i].commit_duration, &rf_commit_bounds);
        rf_histogram_add(&fake->workers[i].commit_duration, 0.012);
    }
}

static void init_rules(struct fake_inspect *fake)
{
    fake->rules[0] = (struct rf_rule_view){.rule = "service-failure",
                                           .version = "0123456789abcdef",
                                           .output = "alert",
                                           .severity = "high",
                                           .counts = {.raised = 7, .held = {9, 4, 0}, .errors = 1},
                                           .evaluations = 4096,
                                           .timed = 4,
                                           .timed_ns = 2000};
    fake->rules[1] = (struct rf_rule_view){
        .rule = "say \"hi\"\\", .version = "0", .output = "offer", .severity = "low"};
    fake->letters[0] = (struct rf_named_count){"record", 2};
    fake->letters[1] = (struct rf_named_count){"late", 3};
}

void fake_inspect_init(struct fake_inspect *fake)
{
    memset(fake, 0, sizeof *fake);
    init_lags(fake);
    init_tasks(fake);
    init_rules(fake);
    fake->owners[0] = (struct rf_owner){"a", "127.0.0.1:8088", true};
    fake->owners[1] = (struct rf_owner){"b", "127.0.0.1:8089", false};
    fake->snapshot = (struct rf_snapshot){
        .at = NOW_MS,
        .started_at = NOW_MS - 100000,
        .app = "orders",
        .instance = "a",
        .plan_version = plan.version,
        .group_state = "Stable",
        .lag_count = 4,
        .task_count = 3,
        .worker_count = 2,
        .source_count = 2,
        .rule_count = 2,
        .partition_count = 3,
        .lags = fake->lags,
        .tasks = fake->tasks,
        .workers = fake->workers,
        .sources = fake->sources,
        .rules = fake->rules,
        .owners = fake->owners,
        .dead_letters = {2, fake->letters},
    };
    rf_histogram_init(&fake->snapshot.event_delay, &rf_delay_bounds);
    rf_histogram_add(&fake->snapshot.event_delay, 3.5);
}

void fake_inspect_emit(struct fake_inspect *fake, size_t count)
{
    static const char text[] = "{\"rule\":\"service-failure\",\"customer\":\"C-found\"}";

    for (size_t i = 0; i < count; i++) {
        size_t at = fake->recent_count;

        fake->recents[at] = (struct rf_recent){.sequence = at + 1,
                                               .committed_at = NOW_MS,
                                               .kind = RF_RECENT_DERIVED,
                                               .text = rf_bytes_of_text(text)};
        __atomic_store_n(&fake->recent_count, at + 1, __ATOMIC_RELEASE); /* others look */
    }
}

static void take_snapshot(void *self, struct rf_arena *arena, struct rf_snapshot *snapshot)
{
    struct fake_inspect *fake = self;

    (void)arena;
    *snapshot = fake->snapshot;
}

static void found(struct rf_answer *answer, bool stale)
{
    static const struct rf_customer customer = {
        .id = {(const uint8_t *)FAKE_FOUND, sizeof FAKE_FOUND - 1}, .event_count = 12};

    *answer = (struct rf_answer){.kind = RF_ANSWER_FOUND,
                                 .plan = &plan,
                                 .customer = &customer,
                                 .at = NOW_MS,
                                 .partition = 1,
                                 .changelog_offset = 4711,
                                 .committed_at = NOW_MS,
                                 .lag_records = stale ? -1 : 0,
                                 .lag_ms = stale ? -1 : 0,
                                 .restoring = stale,
                                 .restore_eta_ms = stale ? 7500 : 0};
}

static bool ask(void *self, const struct rf_question *question, struct rf_arena *arena,
                struct rf_answer *answer, struct rf_error *err)
{
    static const struct rf_owner others[] = {{"b", "127.0.0.1:8089", false}, {"c", NULL, false}};
    struct fake_inspect *fake = self;
    char id[RF_CUSTOMER_ID_MAX + 1] = "";

    (void)arena;
    memcpy(id, question->customer.data, question->customer.size);
    __atomic_fetch_add(&fake->asked, 1, __ATOMIC_RELAXED);
    nanosleep(&(struct timespec){.tv_sec = fake->delay_ms / 1000,
                                 .tv_nsec = fake->delay_ms % 1000 * 1000000},
              NULL);
    *answer = (struct rf_answer){.kind = RF_ANSWER_UNKNOWN};
    if (strcmp(id, FAKE_FOUND) == 0 || strcmp(id, FAKE_STALE) == 0)
        found(answer, strcmp(id, FAKE_STALE) == 0);
    else if (strcmp(id, FAKE_ELSEWHERE) == 0)
        *answer =
            (struct rf_answer){.kind = RF_ANSWER_ELSEWHERE, .other_count = 2, .others = others};
    else if (strcmp(id, FAKE_RESTORING) == 0)
        *answer = (struct rf_answer){.kind = RF_ANSWER_RESTORING, .restore_eta_ms = 7500};
    else if (strcmp(id, FAKE_HALF) == 0)
        *answer = (struct rf_answer){.kind = RF_ANSWER_ELSEWHERE,
                                     .other_count = 1,
                                     .others = others,
                                     .restoring = true,
                                     .restore_eta_ms = 7500};
    else if (strcmp(id, FAKE_ORPHAN) == 0)
        *answer = (struct rf_answer){.kind = RF_ANSWER_ELSEWHERE, .unowned_count = 2};
    else if (strcmp(id, FAKE_BUSY) == 0)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "no worker answered in 2 s");
    return true;
}

static size_t recent(void *self, uint64_t after, struct rf_recent *recents, size_t count_max,
                     struct rf_arena *arena)
{
    struct fake_inspect *fake = self;
    size_t there = __atomic_load_n(&fake->recent_count, __ATOMIC_ACQUIRE);
    size_t count = 0;

    (void)arena;
    for (size_t i = 0; i < there && count < count_max; i++) {
        if (fake->recents[i].sequence > after)
            recents[count++] = fake->recents[i];
    }
    return count;
}

struct rf_inspect fake_inspect_port(struct fake_inspect *fake)
{
    static const struct rf_inspect_ops ops = {take_snapshot, ask, recent};

    return (struct rf_inspect){&ops, fake};
}

void fake_print_customer(const struct rf_plan *of, const struct rf_customer *customer,
                         const struct rf_value *values, rf_ms now, struct rf_buffer *out)
{
    (void)of;
    (void)values;
    (void)now;
    rf_buffer_printf(out, "{\"customer\":\"%.*s\",\"events\":%lld}", (int)customer->id.size,
                     (const char *)customer->id.data, (long long)customer->event_count);
}
