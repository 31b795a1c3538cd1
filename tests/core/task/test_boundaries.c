/* core/task: where transactions begin and end, what is aborted, and when the process dies, is nobody's business.
 *
 * A script of events and of passing time is played twice: in one go, and cut into random transactions with random
 * aborts, flushes, and crashes that lose what was not flushed (the changelog brings it back). Features, timers, derived
 * events: everything has to be the same, byte for byte. A failure prints its seed; run with RINGFOLD_SEED to have it
 * again. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/value_json.h"
#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "core/task/memory_store.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_quarantine.h"
#include "core/task/task_state.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "support/plan_fixture.h"

#define RUNS      450
#define CUSTOMERS 7
#define STEPS_MAX 160
#define BEGIN     INT64_C(1700000000000)

enum step_kind {
    STEP_EVENT,
    STEP_ERASE,
    STEP_ADVANCE
};

struct step {
    enum step_kind kind;
    uint32_t source;
    int64_t offset;
    char customer[4];
    rf_ms time;
    double amount;
    int64_t number; /* of one of four calls: 3; of a ticket what is done to it */
    uint64_t id;    /* some come twice */
    char text[4];   /* who was called, or which ticket */
};

/* Its sources. */
enum {
    CALLS,
    ERASURES,
    TICKETS,
    SOURCES
};

static struct fixture fixture;
static const struct rf_customer_codec *codec;
static struct step steps[STEPS_MAX];
static size_t step_count;
static uint64_t told[RF_RULES_MAX]; /* by rule, in all runs */

/* ---- the plan: everything that waits, and one of each kind that is remembered ---- */

static uint32_t on_calls(struct rf_feature feature, const char *value)
{
    uint32_t index = 0;

    feature.bucket = RF_HOUR_MS;
    index = fixture_feature(&fixture, feature);
    fixture_listen(&fixture, index, CALLS, NULL,
                   value == NULL ? NULL : fixture_expr(&fixture, value, NULL));
    fixture.features[index].reads_now = feature.window > 0 || feature.kind == RF_FEATURE_DECAY;
    return index;
}

static void add_numbers(void)
{
    static const rf_span_ms windows[] = {0, 30 * RF_HOUR_MS};
    static const char *const names[][5] = {{"sum", "least", "most", "mean", "median"},
                                           {"sum_w", "least_w", "most_w", "mean_w", "median_w"}};

    for (size_t i = 0; i < 2; i++) {
        on_calls((struct rf_feature){.name = names[i][0],
                                     .kind = RF_FEATURE_SUM,
                                     .window = windows[i],
                                     .state_type = &rf_type_double},
                 "event.amount");
        on_calls((struct rf_feature){.name = names[i][1],
                                     .kind = RF_FEATURE_MIN,
                                     .window = windows[i],
                                     .state_type = &rf_type_double},
                 "event.amount");
        on_calls((struct rf_feature){.name = names[i][2],
                                     .kind = RF_FEATURE_MAX,
                                     .window = windows[i],
                                     .state_type = &rf_type_double},
                 "event.amount");
        on_calls(
            (struct rf_feature){.name = names[i][3], .kind = RF_FEATURE_MEAN, .window = windows[i]},
            "event.amount");
        on_calls(
            (struct rf_feature){
                .name = names[i][4], .kind = RF_FEATURE_QUANTILE, .window = windows[i], .q = 0.5},
            "event.amount");
    }
    on_calls((struct rf_feature){.name = "mood", /* as of an answer to a survey */
                                 .kind = RF_FEATURE_MEAN,
                                 .half_life = 12 * RF_HOUR_MS},
             "event.amount");
    on_calls((struct rf_feature){.name = "median_h",
                                 .kind = RF_FEATURE_QUANTILE,
                                 .half_life = 12 * RF_HOUR_MS,
                                 .q = 0.5},
             "event.amount");
    on_calls((struct rf_feature){.name = "trend",
                                 .kind = RF_FEATURE_TREND,
                                 .window = 2 * RF_DAY_MS,
                                 .state_type = &rf_type_int},
             NULL);
    on_calls((struct rf_feature){.name = "gap", .kind = RF_FEATURE_INTERVAL, .stat = RF_STAT_MEAN},
             NULL);
    on_calls(
        (struct rf_feature){.name = "gap_sd", .kind = RF_FEATURE_INTERVAL, .stat = RF_STAT_STDDEV},
        NULL);
}

static void add_values(void)
{
    static const struct {
        const char *name;
        enum rf_feature_kind kind;
        rf_span_ms window, half_life;
        uint32_t values_max;
    } rows[] = {
        {"usual", RF_FEATURE_TOP, 0, 0, 0},
        {"usual_w", RF_FEATURE_TOP, RF_DAY_MS, 0, 0},
        {"usual_h", RF_FEATURE_TOP, 0, 12 * RF_HOUR_MS, 3},
        {"spread", RF_FEATURE_ENTROPY, 0, 0, 4},
        {"spread_w", RF_FEATURE_ENTROPY, RF_DAY_MS, 0, 3},
        {"spread_h", RF_FEATURE_ENTROPY, 0, 12 * RF_HOUR_MS, 0},
        {"replies", RF_FEATURE_COUNT_BY, 0, 0, 5},
        {"replies_w", RF_FEATURE_COUNT_BY, RF_DAY_MS, 0, 0},
        {"others", RF_FEATURE_COUNT_DISTINCT, 0, 0, 0},
        {"others_w", RF_FEATURE_COUNT_DISTINCT, 30 * RF_HOUR_MS, 0, 0},
        {"whom_first", RF_FEATURE_FIRST, 0, 0, 0},
        {"whom_last", RF_FEATURE_LAST, 2 * RF_DAY_MS, 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        on_calls((struct rf_feature){.name = rows[i].name,
                                     .kind = rows[i].kind,
                                     .window = rows[i].window,
                                     .half_life = rows[i].half_life,
                                     .values_max = rows[i].values_max,
                                     .key_type = &rf_type_string,
                                     .state_type = &rf_type_string},
                 "event.text");
}

/* A ticket: 0 and 1 open it, 2 closes it. */
static void add_cases(void)
{
    static const enum rf_feature_stat stats[] = {RF_STAT_OLDEST, RF_STAT_REOPENED,
                                                 RF_STAT_RESOLUTION_MEAN};
    static const char *const names[] = {"oldest", "reopened", "resolution"};
    uint32_t cases =
        fixture_feature(&fixture, (struct rf_feature){.name = "tickets", .kind = RF_FEATURE_CASES});

    fixture_listen_cases(&fixture, cases, TICKETS,
                         fixture_expr(&fixture, "event.number < 2", &rf_type_bool),
                         fixture_expr(&fixture, "event.number == 2", &rf_type_bool),
                         fixture_expr(&fixture, "event.text", NULL));
    for (size_t i = 0; i < 3; i++) {
        uint32_t of = fixture_feature(&fixture, (struct rf_feature){.name = names[i],
                                                                    .kind = RF_FEATURE_CASES_OF,
                                                                    .stat = stats[i],
                                                                    .of = cases});

        fixture.features[of].reads.bits[cases / 64] |= UINT64_C(1) << (cases % 64);
    }
}

static uint32_t feature_named(const char *name)
{
    uint32_t i = 0;

    while (strcmp(fixture.features[i].name, name) != 0)
        i++;
    return i;
}

/* `reads`: names, with spaces in between. All of them are reasons. */
static uint32_t rule(struct rf_rule rule, const char *when, const char *clear_when,
                     const char *reads)
{
    uint32_t *reasons = rf_arena_alloc(&fixture.arena, 8 * sizeof *reasons);
    char names[64];

    snprintf(names, sizeof names, "%s", reads);
    for (char *name = strtok(names, " "); name != NULL; name = strtok(NULL, " ")) {
        uint32_t index = feature_named(name);

        reasons[rule.reason_count++] = index;
        rule.reads.bits[index / 64] |= UINT64_C(1) << (index % 64);
    }
    rule.when = when == NULL ? NULL : fixture_expr(&fixture, when, &rf_type_bool);
    if (clear_when != NULL)
        rule.clear_when = fixture_expr(&fixture, clear_when, &rf_type_bool);
    rule.reason_features = reasons;
    return fixture_rule(&fixture, rule);
}

static void add_rules(void)
{
    rule((struct rf_rule){.name = "quiet"},
         "last_call != null && now - last_call > duration('72h')", NULL, "last_call");
    rule((struct rf_rule){.name = "fading"}, "rate < 0.75", "rate > 2.0", "rate");
    rule((struct rf_rule){.name = "busy", .hold = 5 * RF_HOUR_MS, .cooldown = RF_DAY_MS},
         "calls >= 2", NULL, "calls");
    rule((struct rf_rule){.name = "news", .cooldown = 3 * RF_HOUR_MS}, "calls == 1", NULL, "calls");
    rule((struct rf_rule){.name = "tried", .mode = RF_MODE_SHADOW, .hold = 2 * RF_HOUR_MS},
         "calls >= 2", "rate < 0.75", "calls");
    rule((struct rf_rule){.name = "overdue", .hold = 2 * RF_HOUR_MS, .update = RF_HOUR_MS},
         "oldest != null && now - oldest > duration('20h')", "tickets.size() == 0",
         "oldest tickets reopened resolution");
    rule((struct rf_rule){.name = "asks-around",
                          .hold = RF_HOUR_MS,
                          .update = 3 * RF_HOUR_MS,
                          .reason_customer = 1U << RF_CUSTOMER_EVENTS,
                          .because = fixture_expr(&fixture,
                                                  "string(others_w) + ' others, usually ' + "
                                                  "(usual_h == null ? 'nobody' : usual_h)",
                                                  &rf_type_string)},
         "customer.events > 2 && others_w >= 2 && spread_w > 0.5", "others_w < 2",
         "others_w spread_w usual_w replies_w");
    rule((struct rf_rule){.name = "unlike",
                          .cooldown = 6 * RF_HOUR_MS,
                          .offer_value = fixture_expr(&fixture, "mood == null ? sum : sum + mood",
                                                      &rf_type_double)},
         "replies[?'t1'].orValue(0) > 1 || (mean_w != null && mood != null && mood > mean_w)", NULL,
         "replies mean_w mood median trend gap gap_sd");
}

/* One of four calls, within two days another, no third of them in between; and: an opened ticket, then no call for a day. */
static void add_patterns(void)
{
    static struct rf_pattern patterns[2];
    static const struct rf_pattern_step repeated[] = {{"calls", false}};
    static const struct rf_pattern_step silent[] = {{"tickets", false}, {"calls", true}};
    static const struct rf_pattern_stage twice[] = {{.step = 0}, {.step = 0}};
    static const struct rf_pattern_stage once[] = {{.step = 0}};
    struct rf_pattern_input *inputs = rf_arena_alloc_zero(&fixture.arena, 3 * sizeof *inputs);

    inputs[0] = (struct rf_pattern_input){
        .source = CALLS, .where = fixture_expr(&fixture, "event.number == 3", &rf_type_bool)};
    inputs[1] = (struct rf_pattern_input){
        .source = TICKETS, .where = fixture_expr(&fixture, "event.number < 2", &rf_type_bool)};
    inputs[2] = (struct rf_pattern_input){.source = CALLS, .step = 1};
    patterns[0] = (struct rf_pattern){.state_name = "again_1",
                                      .steps = repeated,
                                      .step_count = 1,
                                      .stages = twice,
                                      .stage_count = 2,
                                      .inputs = inputs,
                                      .input_count = 1,
                                      .within = 2 * RF_DAY_MS};
    patterns[1] = (struct rf_pattern){.state_name = "left_1",
                                      .steps = silent,
                                      .step_count = 2,
                                      .stages = once,
                                      .stage_count = 1,
                                      .inputs = inputs + 1,
                                      .input_count = 2,
                                      .ends_in_silence = true,
                                      .forbids = 2,
                                      .silence = RF_DAY_MS,
                                      .skips = true};
    patterns[0].rule =
        rule((struct rf_rule){.name = "again", .pattern = &patterns[0]}, NULL, NULL, "calls");
    patterns[1].rule = rule((struct rf_rule){.name = "left", .pattern = &patterns[1]}, NULL, NULL,
                            "tickets last_call");
    fixture.plan.patterns = patterns;
    fixture.plan.pattern_count = 2;
}

static void make_plan(void)
{
    fixture_init(&fixture);
    fixture_source(&fixture, "calls", 36 * RF_HOUR_MS);
    fixture_source(&fixture, "erasures", 0);
    fixture_source(&fixture, "tickets", 0);
    for (int i = 0; i < SOURCES; i++)
        fixture.sources[i].time = fixture_expr(&fixture, "event.instant", NULL);
    fixture.sources[ERASURES].role = RF_ROLE_ERASE;
    fixture.sources[CALLS].id = fixture_expr(&fixture, "event.natural", NULL);
    on_calls((struct rf_feature){.name = "last_call",
                                 .kind = RF_FEATURE_LAST,
                                 .state_type = &rf_type_timestamp},
             "event.instant");
    on_calls(
        (struct rf_feature){.name = "rate", .kind = RF_FEATURE_DECAY, .half_life = 12 * RF_HOUR_MS},
        "event.amount");
    on_calls((struct rf_feature){.name = "calls", .kind = RF_FEATURE_COUNT, .window = RF_DAY_MS},
             NULL);
    add_numbers();
    add_values();
    add_cases();
    add_rules();
    add_patterns();
    fixture.plan.lifecycle_output = 0;
    fixture.plan.max_ahead = 400 * RF_DAY_MS;
    fixture.plan.record_bytes_max = 65536;
    fixture.plan.event_bytes_max = 65536;
    codec = rf_customer_codec_make(&fixture.arena, &fixture.plan);
}

static bool decode(void *self, uint32_t source, struct rf_bytes payload, struct rf_arena *arena,
                   struct rf_value *fields, struct rf_error *err)
{
    const struct step *step = NULL;
    size_t index = 0;

    (void)self;
    (void)source;
    (void)err;
    memcpy(&index, payload.data, sizeof index);
    step = &steps[index];
    fields[FIELD_INSTANT] = rf_value_timestamp_ms(step->time);
    fields[FIELD_AMOUNT] = rf_value_double(step->amount);
    fields[FIELD_NUMBER] = rf_value_int(step->number);
    fields[FIELD_NATURAL] = rf_value_uint(step->id);
    fields[FIELD_TEXT] = rf_value_string(rf_arena_copy(arena, rf_bytes_of_text(step->text)));
    return true;
}

static const struct rf_decoder_ops decoder_ops = {.decode = decode};
static const struct rf_decoder decoders[FIXTURE_SOURCES_MAX] = {
    {.ops = &decoder_ops}, {.ops = &decoder_ops}, {.ops = &decoder_ops}};

static void make_script(uint64_t *seed)
{
    rf_ms time = BEGIN;
    int64_t offsets[SOURCES] = {0};

    step_count = 30 + fixture_random_below(seed, STEPS_MAX - 30);
    fixture.plan.ttl = fixture_random_below(seed, 2) == 0 ? 9 * RF_DAY_MS : 0;
    fixture.plan.lateness = fixture_random_below(seed, 2) == 0 ? RF_LATENESS_NONE
                            : fixture_random_below(seed, 2) == 0
                                ? 0
                                : (rf_span_ms)fixture_random_below(seed, 30 * RF_HOUR_MS);
    for (size_t i = 0; i < step_count; i++) {
        struct step *step = &steps[i];
        uint64_t kind = fixture_random_below(seed, 40);

        *step = (struct step){.kind = kind == 0   ? STEP_ERASE
                                      : kind <= 3 ? STEP_ADVANCE
                                                  : STEP_EVENT};
        snprintf(step->customer, sizeof step->customer, "c%d", /* one has half of them */
                 fixture_random_below(seed, 2) == 0 ? 0
                                                    : (int)fixture_random_below(seed, CUSTOMERS));
        time += (rf_span_ms)(fixture_random_below(seed, 8) == 0
                                 ? fixture_random_below(seed, 100 * RF_HOUR_MS)
                                 : fixture_random_below(seed, 4 * RF_HOUR_MS));
        step->time = time;
        if (step->kind == STEP_EVENT && fixture_random_below(seed, 4) == 0)
            step->time -= (rf_span_ms)fixture_random_below(seed, 40 * RF_HOUR_MS);
        step->amount = (double)fixture_random_below(seed, 5) / 2.0;
        step->source = step->kind == STEP_ERASE             ? ERASURES
                       : fixture_random_below(seed, 3) == 0 ? TICKETS
                                                            : CALLS;
        step->number = (int64_t)fixture_random_below(seed, step->source == TICKETS ? 3 : 4);
        step->text[0] = 't';
        step->text[1] = (char)('0' + (step->source == TICKETS ? fixture_random_below(seed, 4) == 0
                                                              : fixture_random_below(seed, 9)));
        step->id = i;
        if (i > 10 && fixture_random_below(seed, 6) == 0) { /* it is told twice */
            const struct step *before = &steps[i - 1 - fixture_random_below(seed, 10)];

            step->id = before->id;
            memcpy(step->customer, before->customer, sizeof step->customer);
        }
        step->offset = step->kind == STEP_ADVANCE ? 0 : offsets[step->source]++;
    }
}

/* ---- the world around the task: a changelog, and what was derived ---- */

/* ck_assert notes where it is each time, which takes longer than what is tested. */
static void require(bool ok, const struct rf_error *err)
{
    if (!ok)
        ck_abort_msg("%s", err->message);
}

struct logged {
    struct rf_bytes customer, record; /* owned */
};

struct world {
    struct rf_task *task;
    struct rf_store inner;    /* it outlives the task */
    struct rf_store store;    /* the same, but for its end */
    struct rf_buffer derived; /* what was committed, as text */
    struct logged *changelog; /* owned */
    size_t changelog_count, changelog_capacity;
    struct rf_buffer state; /* the last record of the tasks topic */
    size_t done;            /* steps that are committed */
    size_t looks_max, memory_max;
};

static void stay(void *self)
{
    (void)self;
}

static struct rf_task *open_task(struct world *world)
{
    struct rf_task_options options = {
        .plan = &fixture.plan,
        .codec = codec,
        .record_wire = {.format = RF_FORMAT_AVRO_OBJECT, .fingerprint = 1},
        .store = world->store,
        .memory_max = world->memory_max,
        .looks_max = world->looks_max,
    };
    struct rf_error err = {0};
    struct rf_task *task = rf_task_open(&options, &err);

    require(task != NULL, &err);
    rf_task_set_decoders(task, decoders);
    return task;
}

static void begin(struct world *world, size_t looks_max, size_t memory_max)
{
    static struct rf_store_ops ops; /* of every store */

    *world = (struct world){.looks_max = looks_max, .memory_max = memory_max};
    rf_buffer_init(&world->derived, 1U << 24);
    rf_buffer_init(&world->state, 4096);
    world->inner = rf_memory_store_open();
    ops = *world->inner.ops;
    ops.close = stay;
    world->store = (struct rf_store){.ops = &ops, .self = world->inner.self};
    world->task = open_task(world);
}

static void end(struct world *world)
{
    rf_task_close(world->task);
    world->inner.ops->close(world->inner.self);
    for (size_t i = 0; i < world->changelog_count; i++) {
        free((void *)(uintptr_t)world->changelog[i].customer.data);
        free((void *)(uintptr_t)world->changelog[i].record.data);
    }
    free(world->changelog);
    rf_buffer_deinit(&world->derived);
    rf_buffer_deinit(&world->state);
}

static struct rf_bytes copy_of(struct rf_bytes bytes)
{
    uint8_t *copy = NULL;

    if (bytes.data == NULL)
        return bytes;
    copy = malloc(bytes.size + 1);
    memcpy(copy, bytes.data, bytes.size);
    return rf_bytes_of(copy, bytes.size);
}

static void write_derived(const struct rf_derived *derived, struct rf_buffer *out)
{
    if (derived->rule != RF_RULE_NONE)
        told[derived->rule]++;
    rf_buffer_printf(out, "%s %s %s %.*s at %lld from %s-%d-%lld episode %lld %s", derived->id,
                     rf_status_name(derived->status),
                     derived->rule == RF_RULE_NONE ? "-" : fixture.rules[derived->rule].name,
                     (int)derived->customer.size, (const char *)derived->customer.data,
                     (long long)derived->occurred_at, derived->position.topic,
                     (int)derived->position.partition, (long long)derived->position.offset,
                     (long long)derived->episode, derived->episode_id);
    for (size_t i = 0; i < derived->reason_count; i++) {
        rf_buffer_printf(out, " %s ", derived->reasons[i].name);
        rf_value_print_json(out, derived->reasons[i].value);
    }
    for (size_t i = 0; i < derived->matched_count; i++)
        rf_buffer_printf(out, " matched %s-%lld at %lld", derived->matched[i].position.topic,
                         (long long)derived->matched[i].position.offset,
                         (long long)derived->matched[i].time);
    rf_buffer_append_text(out, " because ");
    rf_buffer_append(out, derived->because.data, derived->because.size);
    rf_value_print_json(out, derived->offer_value);
    rf_buffer_append_byte(out, '\n');
}

static void log_records(struct world *world, const struct rf_sealed *sealed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (world->changelog_count == world->changelog_capacity) {
            world->changelog_capacity = world->changelog_capacity * 2 + 64;
            world->changelog =
                realloc(world->changelog, world->changelog_capacity * sizeof *world->changelog);
        }
        world->changelog[world->changelog_count++] =
            (struct logged){copy_of(sealed[i].customer), copy_of(sealed[i].record)};
    }
}

static void commit(struct world *world, size_t done)
{
    const struct rf_sealed *sealed = NULL;
    const struct rf_out *outbox = NULL;
    int64_t positions[FIXTURE_SOURCES_MAX] = {-1, -1, -1};
    size_t count = 0;
    struct rf_error err = {0};

    outbox = rf_task_take_outbox(world->task, &count);
    for (size_t i = 0; i < count; i++)
        require(outbox[i].kind == RF_OUT_DERIVED ||
                    strcmp(outbox[i].as.dead_letter->error_class, "held") == 0,
                &err);
    outbox = rf_task_outbox(world->task, &count);
    for (size_t i = 0; i < count; i++) {
        if (outbox[i].kind == RF_OUT_DERIVED)
            write_derived(outbox[i].as.derived, &world->derived);
        else
            rf_buffer_printf(&world->derived, "held at %lld\n",
                             (long long)outbox[i].as.dead_letter->input.position.offset);
    }
    require(rf_task_seal(world->task, &sealed, &count, &err), &err);
    log_records(world, sealed, count);
    rf_buffer_clear(&world->state);
    rf_task_write_state(world->task, positions, &world->state);
    rf_task_committed(world->task, count == 0 ? -1 : (int64_t)world->changelog_count);
    world->done = done;
}

static void feed(struct world *world, size_t index)
{
    const struct step *step = &steps[index];
    struct rf_input input = {
        .source = step->source,
        .position = {.topic = fixture.plan.sources[step->source].topic, .offset = step->offset},
        .broker_time = BEGIN + (rf_ms)index, /* the order of the script */
        .key = rf_bytes_of_text(step->customer),
        .value = rf_bytes_of(&index, sizeof index),
    };

    rf_task_feed(world->task, &input);
}

static bool is_done_to(struct world *world, rf_ms clock)
{
    return rf_task_clock(world->task) >= clock && !rf_task_is_due(world->task, clock);
}

/* One transaction at the least; more where looks are rationed. */
static void advance(struct world *world, size_t index)
{
    struct rf_error err = {0};
    rf_ms clock = steps[index].time;

    do {
        require(rf_task_advance(world->task, clock, &err), &err);
        commit(world, world->done);
    } while (!is_done_to(world, clock));
    world->done = index + 1;
}

/* ---- in one go ---- */

static void play_plainly(struct world *world)
{
    struct rf_error err = {0};

    while (world->done < step_count) {
        size_t next = world->done;

        if (steps[next].kind == STEP_ADVANCE) {
            advance(world, next);
            continue;
        }
        while (next < step_count && steps[next].kind != STEP_ADVANCE)
            feed(world, next++);
        do
            require(rf_task_fold(world->task, &err), &err);
        while (rf_task_pending(world->task) > 0 || rf_task_is_due(world->task, RF_MS_MIN));
        commit(world, next);
    }
}

/* ---- cut to pieces ---- */

/* The process dies: what was not flushed is gone, and so is everything in memory. What is committed is in the changelog
 * and the tasks topic, and the inputs are read again from where they were committed. */
static void crash(struct world *world)
{
    struct rf_task_state state;
    struct rf_error err = {0};

    rf_task_close(world->task);
    rf_memory_store_crash(world->inner);
    world->task = open_task(world);
    for (int64_t at = rf_task_changelog_next(world->task) < 0 ? 0
                                                              : rf_task_changelog_next(world->task);
         at < (int64_t)world->changelog_count; at++) {
        require(rf_task_restore(world->task, world->changelog[at].customer,
                                world->changelog[at].record, &err),
                &err);
        rf_task_restored_to(world->task, at + 1);
    }
    require(rf_task_restore_end(world->task, (int64_t)world->changelog_count, &err), &err);
    if (world->state.size == 0)
        return;
    require(rf_task_state_read(rf_buffer_bytes(&world->state), &state, &err), &err);
    rf_task_restore_state(world->task, &state);
}

/* Between transactions. */
static void disturb(struct world *world, uint64_t *seed)
{
    struct rf_error err = {0};
    uint64_t what = fixture_random_below(seed, 12);

    if (what < 3)
        require(rf_task_flush(world->task, 0, &err), &err);
    if (what == 1)
        require(rf_task_sync(world->task, true, &err), &err);
    if (what == 2 || what == 3)
        require(rf_task_sweep(world->task, 1 + fixture_random_below(seed, CUSTOMERS), &err), &err);
    if (what == 4)
        crash(world);
}

/* A transaction: some of what is pending, as far as it comes. Returns whether it was committed. */
static bool transact(struct world *world, size_t *next, uint64_t *seed)
{
    struct rf_error err = {0};
    size_t count = 0;

    for (uint64_t calls = 1 + fixture_random_below(seed, 3); calls > 0; calls--) {
        require(rf_task_fold(world->task, &err), &err);
        if (fixture_random_below(seed, 2) == 0)
            (void)rf_task_take_outbox(world->task, &count);
        for (uint64_t more = fixture_random_below(seed, 4);
             more > 0 && *next < step_count && steps[*next].kind != STEP_ADVANCE; more--)
            feed(world, (*next)++);
    }
    if (fixture_random_below(seed, 4) == 0) {
        if (fixture_random_below(seed, 2) == 0) {
            const struct rf_sealed *sealed = NULL;
            (void)rf_task_take_outbox(world->task, &count);
            require(rf_task_seal(world->task, &sealed, &count, &err), &err); /* and then it fails */
        }
        rf_task_aborted(world->task);
        return false;
    }
    commit(world, world->done + rf_task_folded(world->task));
    return true;
}

static void play_events(struct world *world, uint64_t *seed)
{
    size_t next = world->done;

    do {
        for (uint64_t more = 1 + fixture_random_below(seed, 9);
             more > 0 && next < step_count && steps[next].kind != STEP_ADVANCE; more--)
            feed(world, next++);
        (void)transact(world, &next, seed);
        if (fixture_random_below(seed, 10) == 0) {
            crash(world); /* with inputs pending */
            next = world->done;
        }
    } while (world->done < next || (next < step_count && steps[next].kind != STEP_ADVANCE) ||
             rf_task_is_due(world->task, RF_MS_MIN));
}

static void play_advance(struct world *world, uint64_t *seed)
{
    size_t index = world->done;
    struct rf_error err = {0};

    do {
        require(rf_task_advance(world->task, steps[index].time, &err), &err);
        if (fixture_random_below(seed, 3) == 0)
            rf_task_aborted(world->task);
        else
            commit(world, index);
        disturb(world, seed);
    } while (!is_done_to(world, steps[index].time));
    world->done = index + 1;
}

static void play_in_pieces(struct world *world, uint64_t *seed)
{
    while (world->done < step_count) {
        disturb(world, seed);
        if (steps[world->done].kind == STEP_ADVANCE)
            play_advance(world, seed);
        else
            play_events(world, seed);
    }
}

/* ---- what has to be the same ---- */

static bool append_stored(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    struct rf_buffer *out = context;

    rf_buffer_append(out, customer.data, customer.size);
    rf_buffer_printf(out, " %zu bytes: ", stored.record.size);
    rf_buffer_append(out, stored.record.data, stored.record.size);
    rf_buffer_append_byte(out, '\n');
    return true;
}

static void write_state(struct world *world, struct rf_buffer *out)
{
    struct rf_error err = {0};

    rf_buffer_printf(
        out, "stream time %lld, clock %lld, next due %s\n",
        (long long)rf_task_stream_time(world->task), (long long)rf_task_clock(world->task),
        rf_task_next_due(world->task) > rf_task_clock(world->task) ? "later" : "overdue");
    require(rf_task_flush(world->task, 0, &err), &err);
    require(
        world->store.ops->scan(world->store.self, (struct rf_bytes){0}, append_stored, out, &err),
        &err);
}

/* Shows where they part. */
static void expect_same(uint64_t seed, const char *what, const struct rf_buffer *plain,
                        const struct rf_buffer *pieces)
{
    size_t at = 0;
    size_t line = 0;

    if (rf_bytes_equal(rf_buffer_bytes(plain), rf_buffer_bytes(pieces)))
        return;
    for (; at < plain->size && at < pieces->size && plain->data[at] == pieces->data[at]; at++) {
        if (plain->data[at] == '\n')
            line = at + 1;
    }
    fprintf(stderr, "in one go:\n%.*s\nin pieces:\n%.*s\n",
            (int)(plain->size - line > 800 ? 800 : plain->size - line),
            (const char *)plain->data + line,
            (int)(pieces->size - line > 800 ? 800 : pieces->size - line),
            (const char *)pieces->data + line);
    ck_abort_msg("seed %llu: the %s differ from byte %zu on", (unsigned long long)seed, what, at);
}

static uint64_t compare_run(uint64_t seed)
{
    struct world plain;
    struct world pieces;
    struct rf_buffer plain_state;
    struct rf_buffer pieces_state;
    uint64_t state = seed;
    uint64_t derived = 0;

    rf_buffer_init(&plain_state, 1U << 24);
    rf_buffer_init(&pieces_state, 1U << 24);
    make_script(&state);
    begin(&plain, 0, 1U << 20);
    play_plainly(&plain);
    write_state(&plain, &plain_state);
    begin(&pieces, 1 + fixture_random_below(&state, 4),
          fixture_random_below(&state, 2) == 0 ? 0 : 1U << 20);
    play_in_pieces(&pieces, &state);
    write_state(&pieces, &pieces_state);

    expect_same(seed, "derived events", &plain.derived, &pieces.derived);
    expect_same(seed, "states", &plain_state, &pieces_state);
    for (size_t i = 0; i < plain.derived.size; i++)
        derived += plain.derived.data[i] == '\n';
    end(&plain);
    end(&pieces);
    rf_buffer_deinit(&plain_state);
    rf_buffer_deinit(&pieces_state);
    return derived;
}

START_TEST(however_a_script_is_cut_into_transactions_the_outcome_is_the_same)
{
    const char *one = getenv("RINGFOLD_SEED");
    uint64_t derived = 0;
    make_plan();

    if (one != NULL) {
        compare_run(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        derived += compare_run(seed);

    printf("%d runs, %llu derived events\n", RUNS, (unsigned long long)derived);
    ck_assert_uint_gt(derived, 20 * RUNS); /* or the scripts prove nothing */
    for (size_t i = 0; i < fixture.plan.rule_count; i++)
        ck_assert_msg(told[i] > RUNS || fixture.rules[i].mode == RF_MODE_SHADOW,
                      "%s has told of nothing", fixture.rules[i].name);
    fixture_deinit(&fixture);
}
END_TEST

/* What the timer leaves in the record would make it too large: the customer is left alone until its next event. */
static void play_held(struct world *world, struct rf_buffer *state, bool cut)
{
    struct rf_error err = {0};

    feed(world, 0);
    require(rf_task_fold(world->task, &err), &err);
    commit(world, 1);
    rf_task_hold(world->task, rf_bytes_of_text("c0"), RF_MS_MIN, "too large");
    require(rf_task_advance(world->task, BEGIN + 10 * RF_HOUR_MS, &err), &err);
    ck_assert_uint_eq(rf_task_fired(world->task), 1);
    if (cut)
        commit(world, 1);
    feed(world, 1);
    require(rf_task_fold(world->task, &err), &err);
    commit(world, 2);
    write_state(world, state);
}

START_TEST(who_is_held_waits_for_an_event_in_the_same_transaction_and_in_the_next)
{
    struct world whole;
    struct world cut;
    struct rf_buffer whole_state;
    struct rf_buffer cut_state;

    make_plan();
    fixture.plan.lateness = RF_LATENESS_NONE;
    steps[0] = (struct step){.customer = "c0", .time = BEGIN, .amount = 1.0, .id = 1};
    steps[1] = (struct step){
        .customer = "c0", .offset = 1, .time = BEGIN + 11 * RF_HOUR_MS, .amount = 5.0, .id = 2};
    rf_buffer_init(&whole_state, 1U << 20);
    rf_buffer_init(&cut_state, 1U << 20);

    begin(&whole, 0, 1U << 20);
    play_held(&whole, &whole_state, false);
    begin(&cut, 0, 1U << 20);
    play_held(&cut, &cut_state, true);

    expect_same(0, "derived events", &whole.derived, &cut.derived);
    expect_same(0, "states", &whole_state, &cut_state);
    end(&whole);
    end(&cut);
    rf_buffer_deinit(&whole_state);
    rf_buffer_deinit(&cut_state);
    fixture_deinit(&fixture);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/boundaries");
    TCase *tcase = tcase_create("boundaries");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, who_is_held_waits_for_an_event_in_the_same_transaction_and_in_the_next);
    tcase_add_test(tcase, however_a_script_is_cut_into_transactions_the_outcome_is_the_same);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
