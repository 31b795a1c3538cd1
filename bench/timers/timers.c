/* What pending timers cost while none of them is due: a task on RocksDB whose customers wait for silence.
 *
 *   bench_timers DIRECTORY WAITING [EVENTS] [none]     DIRECTORY is made, filled and left behind
 *
 * WAITING customers made a call once and are waited for: `now - last_call > duration("720h")`. Then EVENTS calls
 * (1000000, unless said) come from 10000 others, who are waited for as well, a millisecond of event time each, in
 * transactions of 10000, written every tenth. `none`: the same without the rule, so without any timer.
 *
 *   fill     CPU of making and writing the waiting, a customer
 *   fold     CPU of an event, with its part of transaction and store
 *   idle     a second in which nothing comes: ten looks, as a worker takes them
 *   fire     CPU of a timer, when all of them are due at once */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "edge/store/rocks.h"
#include "edge/sys/clock.h"
#include "support/plan_fixture.h"

#define START       INT64_C(1700000000000)
#define HOT         10000
#define BATCH       10000
#define WRITE_EVERY 10
#define MEMORY      ((size_t)64 << 20)
#define DISTANCE    (400 * RF_DAY_MS)

struct bench {
    struct fixture fixture;
    const struct rf_customer_codec *codec;
    struct rf_task *task;
    struct rf_store store; /* the task's */
    struct rf_decoder decoder;
    int64_t offset, changelog;
    uint64_t seed;
};

static void check(bool ok, const struct rf_error *err)
{
    if (ok)
        return;
    fprintf(stderr, "bench_timers: %s\n", err->message);
    exit(EXIT_FAILURE);
}

/* The value is the time. */
static bool decode(void *self, uint32_t source, struct rf_bytes payload, struct rf_arena *arena,
                   struct rf_value *fields, struct rf_error *err)
{
    rf_ms time = 0;

    (void)self;
    (void)source;
    (void)arena;
    (void)err;
    memcpy(&time, payload.data, sizeof time);
    fields[FIELD_INSTANT] = rf_value_timestamp_ms(time);
    return true;
}

static const struct rf_decoder_ops decoder_ops = {.decode = decode};

static void make_plan(struct bench *bench, bool waits)
{
    static const uint32_t reasons[] = {0};
    struct fixture *f = &bench->fixture;
    uint32_t last = 0;
    uint32_t calls = 0;

    fixture_init(f);
    fixture_source(f, "calls", 0);
    f->sources[0].time = fixture_expr(f, "event.instant", NULL);
    last = fixture_feature(f, (struct rf_feature){.name = "last_call",
                                                  .kind = RF_FEATURE_LAST,
                                                  .state_type = &rf_type_timestamp});
    fixture_listen(f, last, 0, NULL, fixture_expr(f, "event.instant", NULL));
    calls = fixture_feature(f, (struct rf_feature){.name = "calls", .kind = RF_FEATURE_COUNT});
    fixture_listen(f, calls, 0, NULL, NULL);
    if (waits)
        fixture_rule(f, (struct rf_rule){
                            .name = "quiet",
                            .when = fixture_expr(
                                f, "last_call != null && now - last_call > duration('720h')", NULL),
                            .reads = {.bits = {1}},
                            .reason_features = reasons,
                            .reason_count = 1});
    f->plan.lateness = RF_LATENESS_NONE;
    f->plan.max_ahead = 2 * DISTANCE;
    f->plan.record_bytes_max = 65536;
    bench->codec = rf_customer_codec_make(&f->arena, &f->plan);
}

static void open_task(struct bench *bench, struct rf_rocks_shared *shared, const char *path)
{
    struct rf_task_options options = {.plan = &bench->fixture.plan,
                                      .codec = bench->codec,
                                      .record_wire = {.format = RF_FORMAT_AVRO_OBJECT},
                                      .memory_max = MEMORY};
    struct rf_error err = {0};

    check(rf_rocks_open(shared, path, &options.store, &err), &err);
    bench->store = options.store;
    bench->task = rf_task_open(&options, &err);
    check(bench->task != NULL, &err);
    bench->decoder = (struct rf_decoder){.ops = &decoder_ops};
    rf_task_set_decoders(bench->task, &bench->decoder);
}

static void feed(struct bench *bench, const char *kind, uint64_t number, rf_ms time)
{
    char name[32];
    struct rf_input input = {
        .position = {.topic = "calls", .offset = bench->offset++},
        .broker_time = time,
        .key = rf_bytes_of(name, (size_t)snprintf(name, sizeof name, "%s%010llu", kind,
                                                  (unsigned long long)number)),
        .value = rf_bytes_of(&time, sizeof time)};

    rf_task_feed(bench->task, &input);
}

/* As far as a transaction goes; the changelog's end is made up. */
static size_t commit(struct bench *bench)
{
    const struct rf_sealed *sealed = NULL;
    size_t count = 0;
    struct rf_error err = {0};

    (void)rf_task_take_outbox(bench->task, &count);
    check(rf_task_seal(bench->task, &sealed, &count, &err), &err);
    rf_task_committed(bench->task, count == 0 ? -1 : (bench->changelog += (int64_t)count));
    return count;
}

static void fold(struct bench *bench)
{
    struct rf_error err = {0};

    while (rf_task_pending(bench->task) > 0)
        check(rf_task_fold(bench->task, &err), &err);
    commit(bench);
}

static void report(const char *what, rf_ns cpu, size_t count, const char *unit)
{
    printf("%-6s %10.1f ns %s\n", what, (double)cpu / (double)count, unit);
    fflush(stdout);
}

/* What the filling has left to compact is not the folding's. */
static void settle(const struct bench *bench)
{
    struct rf_store_sizes sizes = {0};

    for (int quiet = 0; quiet < 20; quiet++) {
        rf_clock_sleep_ms(100);
        bench->store.ops->sizes(bench->store.self, &sizes);
        if (sizes.pending_bytes > 0)
            quiet = 0;
    }
}

static void fill(struct bench *bench, size_t waiting)
{
    rf_ns cpu = rf_clock_cpu_ns();
    struct rf_error err = {0};

    for (size_t at = 0; at < waiting;) {
        for (size_t i = 0; i < BATCH && at < waiting; i++, at++)
            feed(bench, "w", at, START + (rf_ms)(at % 1000));
        fold(bench);
        check(rf_task_flush(bench->task, MEMORY / 4, &err), &err);
    }
    check(rf_task_flush(bench->task, 0, &err), &err);
    check(rf_task_sync(bench->task, true, &err), &err);
    check(rf_task_sweep(bench->task, 1, &err), &err);
    settle(bench);
    if (waiting > 0)
        report("fill", rf_clock_cpu_ns() - cpu, waiting, "a customer");
}

static void fold_events(struct bench *bench, size_t events)
{
    struct rf_error err = {0};
    rf_ns cpu = rf_clock_cpu_ns();

    for (size_t at = 0, batch = 0; at < events; batch++) {
        for (size_t i = 0; i < BATCH && at < events; i++, at++)
            feed(bench, "h", fixture_random_below(&bench->seed, HOT), START + 1000 + (rf_ms)at);
        fold(bench);
        if (batch % WRITE_EVERY == 0)
            check(rf_task_flush(bench->task, 0, &err), &err);
    }
    report("fold", rf_clock_cpu_ns() - cpu, events, "an event");
}

static void idle(struct bench *bench)
{
    enum {
        SECONDS = 1000
    };
    rf_ms now = rf_task_clock(bench->task);
    rf_ns cpu = rf_clock_cpu_ns();
    bool due = false;

    for (int i = 0; i < SECONDS * 10; i++)
        due = rf_task_is_due(bench->task, now + i * 100) || due;
    rf_assert(!due);
    report("idle", rf_clock_cpu_ns() - cpu, SECONDS, "a second");
}

static void fire_all(struct bench *bench)
{
    struct rf_error err = {0};
    rf_ns cpu = rf_clock_cpu_ns();
    size_t fired = 0;
    size_t biggest = 0;

    while (rf_task_is_due(bench->task, START + DISTANCE)) {
        size_t count = 0;

        check(rf_task_advance(bench->task, START + DISTANCE, &err), &err);
        count = rf_task_fired(bench->task);
        fired += count;
        biggest = count > biggest ? count : biggest;
        commit(bench);
        check(rf_task_flush(bench->task, MEMORY / 4, &err), &err);
    }
    if (fired > 0)
        report("fire", rf_clock_cpu_ns() - cpu, fired, "a timer");
    printf("       %zu fired, at most %zu in a transaction\n", fired, biggest);
}

int main(int argc, char **argv)
{
    const struct rf_rocks_settings settings = {
        .cache_size = MEMORY, .memtables_size = MEMORY, .tasks_max = 1, .compaction_threads = 1};
    static struct bench bench = {.seed = 1};
    struct rf_rocks_shared *shared = NULL;
    bool waits = argc < 5 || strcmp(argv[4], "none") != 0;

    if (argc < 3) {
        fprintf(stderr, "usage: bench_timers DIRECTORY WAITING [EVENTS] [none]\n");
        return 2;
    }
    shared = rf_rocks_shared_open(&settings);
    make_plan(&bench, waits);
    open_task(&bench, shared, argv[1]);
    fill(&bench, strtoull(argv[2], NULL, 10));
    fold_events(&bench, argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000);
    idle(&bench);
    fire_all(&bench);
    rf_task_close(bench.task);
    rf_rocks_shared_close(shared);
    fixture_deinit(&bench.fixture);
    return EXIT_SUCCESS;
}
