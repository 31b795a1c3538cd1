/* What one event costs in the engine, without Kafka and without a store: nanoseconds of one core.
 *
 *   bench_engine [CUSTOMERS [EVENTS [RULE]]]      10000 customers and 2000000 events, unless said
 *
 * The plan is a telecom operator's: calls and dropped calls of 7 days by the hour, minutes of 28 days by six
 * hours, a decayed call rate, distinct cells, and one rule over two of them with a cooldown. Events are spread
 * over the customers at random and over 28 days, a twentieth of them up to an hour late.
 *
 * RULE adds one that comes true by time alone, to see what its timer costs: silence (no call for 14 days), fading (a
 * decayed rate falls below a limit), drop (these 28 days against those before).
 *
 *   fold       the event into the customer, rules included
 *   features   all columns of a record
 *   encode     the record to bytes
 *   decode     bytes to a customer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/rule.h"
#include "support/plan_fixture.h"

#define START    INT64_C(1700000000000)
#define CELLS    40
#define FEATURES 7

struct bench {
    struct fixture fixture;
    struct rf_arena arena; /* customers */
    struct rf_arena batch;
    struct rf_engine *engine;
    struct rf_customer *customers;
    size_t customer_count;
    size_t event_count;
    uint64_t seed;
    size_t derived_count;
    const char *rule; /* NULL: none is added */
};

static double seconds(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void report(const char *what, double started, size_t count)
{
    printf("%-10s %7.1f ns\n", what, (seconds() - started) * 1e9 / (double)count);
}

static void add_feature(struct fixture *f, struct rf_feature feature, const char *where,
                        const char *value)
{
    const struct rf_expr *where_expr = where == NULL ? NULL : fixture_expr(f, where, NULL);
    const struct rf_expr *value_expr = value == NULL ? NULL : fixture_expr(f, value, NULL);

    fixture_listen(f, fixture_feature(f, feature), 0, where_expr, value_expr);
}

static void make_plan(struct fixture *f)
{
    static const uint32_t reasons[] = {1, 2};

    fixture_init(f);
    fixture_source(f, "calls", 0);
    add_feature(f,
                (struct rf_feature){.name = "calls_7d",
                                    .kind = RF_FEATURE_COUNT,
                                    .window = 7 * RF_DAY_MS,
                                    .bucket = RF_HOUR_MS},
                NULL, NULL);
    add_feature(f,
                (struct rf_feature){.name = "dropped_7d",
                                    .kind = RF_FEATURE_COUNT,
                                    .window = 7 * RF_DAY_MS,
                                    .bucket = RF_HOUR_MS},
                "event.text == 'DROPPED'", NULL);
    add_feature(f,
                (struct rf_feature){.name = "minutes_28d",
                                    .kind = RF_FEATURE_SUM,
                                    .state_type = &rf_type_double,
                                    .window = 28 * RF_DAY_MS,
                                    .bucket = 6 * RF_HOUR_MS},
                NULL, "event.amount / 60.0");
    add_feature(
        f,
        (struct rf_feature){.name = "rate", .kind = RF_FEATURE_DECAY, .half_life = 7 * RF_DAY_MS},
        NULL, NULL);
    add_feature(f, (struct rf_feature){.name = "cells", .kind = RF_FEATURE_COUNT_DISTINCT}, NULL,
                "event.number");
    add_feature(f,
                (struct rf_feature){
                    .name = "last_call", .kind = RF_FEATURE_LAST, .state_type = &rf_type_timestamp},
                NULL, "event.time");
    add_feature(f,
                (struct rf_feature){.name = "minutes_28d_ago",
                                    .kind = RF_FEATURE_SUM,
                                    .state_type = &rf_type_double,
                                    .window = 28 * RF_DAY_MS,
                                    .offset = 28 * RF_DAY_MS,
                                    .bucket = 6 * RF_HOUR_MS},
                NULL, "event.amount / 60.0");
    fixture_rule(f, (struct rf_rule){
                        .name = "service-failure",
                        .when = fixture_expr(f, "dropped_7d >= 3 && minutes_28d > 60.0", NULL),
                        .because = fixture_expr(f, "string(dropped_7d) + ' dropped calls'", NULL),
                        .cooldown = 7 * RF_DAY_MS,
                        .reason_features = reasons,
                        .reason_count = 2,
                    });
}

/* False: there is no such rule. */
static bool add_rule(struct fixture *f, const char *name)
{
    static const struct {
        const char *name;
        const char *when;
    } rules[] = {
        {"silence", "last_call != null && now - last_call > duration('336h')"},
        {"fading", "rate < 0.5"},
        {"drop", "minutes_28d_ago > 60.0 && minutes_28d < 0.5 * minutes_28d_ago"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].name, name) != 0)
            continue;
        fixture_rule(f, (struct rf_rule){.name = rules[i].name,
                                         .when = fixture_expr(f, rules[i].when, NULL),
                                         .cooldown = 28 * RF_DAY_MS});
        return true;
    }
    return false;
}

static void open_bench(struct bench *bench)
{
    make_plan(&bench->fixture);
    if (bench->rule != NULL && !add_rule(&bench->fixture, bench->rule)) {
        fprintf(stderr, "bench_engine: there is no rule '%s'\n", bench->rule);
        exit(2);
    }
    rf_arena_init(&bench->arena, 4U << 20);
    rf_arena_init(&bench->batch, 1U << 20);
    bench->engine = rf_engine_open(&bench->fixture.plan);
    bench->customers = calloc(bench->customer_count, sizeof *bench->customers);
    rf_assert(bench->customers != NULL);
    for (size_t i = 0; i < bench->customer_count; i++) {
        char *id = rf_arena_printf(&bench->arena, "4917%08zu", i);

        rf_customer_init(&bench->arena, &bench->fixture.plan, rf_bytes_of_text(id),
                         &bench->customers[i]);
    }
}

static void close_bench(struct bench *bench)
{
    free(bench->customers);
    rf_engine_close(bench->engine);
    rf_arena_deinit(&bench->batch);
    rf_arena_deinit(&bench->arena);
    fixture_deinit(&bench->fixture);
}

static void vary(struct bench *bench, struct rf_value *fields)
{
    uint64_t dice = fixture_random(&bench->seed);

    fields[FIELD_TEXT] = rf_value_string(rf_bytes_of_text(dice % 30 == 0 ? "DROPPED" : "NORMAL"));
    fields[FIELD_AMOUNT] = rf_value_double((double)(dice >> 8 & 511));
    fields[FIELD_NUMBER] = rf_value_int((int64_t)(dice >> 24) % CELLS);
}

static void bench_fold(struct bench *bench)
{
    struct rf_event event;
    struct rf_fold fold;
    struct rf_error err = {0};
    struct rf_value *fields = fixture_event(&bench->arena, 0, START, &event);
    double started = seconds();

    for (size_t i = 0; i < bench->event_count; i++) {
        uint64_t dice = fixture_random(&bench->seed);
        struct rf_customer *customer = &bench->customers[dice % bench->customer_count];
        rf_ms late = dice >> 40 < (1U << 24) / 20 ? (rf_ms)(dice >> 20) % RF_HOUR_MS : 0;

        vary(bench, fields);
        event.time =
            START + (rf_ms)(28 * (double)RF_DAY_MS * (double)i / (double)bench->event_count) - late;
        event.customer = customer->id;
        event.position.offset = (int64_t)i;
        bool ok =
            rf_engine_fold(bench->engine, customer, &event, RF_MS_MIN, &bench->arena, &fold, &err);
        rf_assert(ok);
        bench->derived_count += fold.derived_count;
    }
    report("fold", started, bench->event_count);
}

static void encode_all(struct bench *bench, const struct rf_customer_codec *codec,
                       const struct rf_value *values, struct rf_buffer *out, size_t *ends)
{
    rf_buffer_clear(out);
    for (size_t i = 0; i < bench->customer_count; i++) {
        rf_customer_encode(codec, &bench->customers[i], values + FEATURES * i, out);
        ends[i] = out->size;
    }
    rf_assert(!out->overflow);
}

static void decode_all(struct bench *bench, const struct rf_customer_layout *layout,
                       const struct rf_buffer *records, const size_t *ends)
{
    for (size_t i = 0; i < bench->customer_count; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        struct rf_customer customer;
        struct rf_error err = {0};
        bool ok = rf_customer_decode(layout, rf_bytes_of(records->data + start, ends[i] - start),
                                     &bench->batch, &customer, &err);

        rf_assert(ok);
        if (i % 100 == 99)
            rf_arena_reset(&bench->batch, 4U << 20);
    }
}

static void bench_records(struct bench *bench)
{
    const struct rf_customer_codec *codec =
        rf_customer_codec_make(&bench->arena, &bench->fixture.plan);
    struct rf_value *values =
        rf_arena_alloc(&bench->arena, bench->customer_count * FEATURES * sizeof *values);
    size_t *ends = calloc(bench->customer_count, sizeof *ends);
    const struct rf_customer_layout *layout = NULL;
    struct rf_error err = {0};
    struct rf_buffer out;

    rf_assert(ends != NULL);
    rf_buffer_init(&out, (size_t)1 << 30);
    double started = seconds();
    for (size_t i = 0; i < bench->customer_count; i++)
        rf_engine_features(bench->engine, &bench->customers[i], bench->customers[i].as_of,
                           &bench->batch, values + FEATURES * i);
    report("features", started, bench->customer_count);

    encode_all(bench, codec, values, &out, ends); /* makes the memory resident */
    started = seconds();
    encode_all(bench, codec, values, &out, ends);
    report("encode", started, bench->customer_count);

    bool ok = rf_customer_layout_make(&bench->arena, codec, rf_customer_codec_schema(codec),
                                      &layout, &err);
    rf_assert(ok);
    decode_all(bench, layout, &out, ends);
    started = seconds();
    decode_all(bench, layout, &out, ends);
    report("decode", started, bench->customer_count);
    printf("%.0f bytes a record, %zu alerts\n", (double)out.size / (double)bench->customer_count,
           bench->derived_count);
    rf_buffer_deinit(&out);
    free(ends);
}

int main(int argc, char **argv)
{
    struct bench bench = {.customer_count = 10000, .event_count = 2000000, .seed = 1};

    if (argc > 3)
        bench.rule = argv[3];
    if (argc > 1)
        bench.customer_count = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        bench.event_count = strtoul(argv[2], NULL, 10);
    if (bench.customer_count == 0 || bench.event_count == 0 || argc > 4) {
        fprintf(stderr, "usage: bench_engine [CUSTOMERS [EVENTS [RULE]]]\n");
        return 2;
    }
    open_bench(&bench);
    bench_fold(&bench);
    bench_records(&bench);
    close_bench(&bench);
    return 0;
}
