/* Any bytes as a customer record: refused, or a customer that can be folded into, looked at and written, and
 * whose bytes then read back to the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/assert.h"
#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"
#include "support/plan_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct subject {
    struct fixture fixture;
    struct rf_engine *engine;
    const struct rf_customer_codec *codec;
    const struct rf_customer_layout *layout;
    struct rf_value values[32];
};

static void add(struct fixture *f, struct rf_feature feature, const char *value)
{
    const struct rf_expr *expr = value == NULL ? NULL : fixture_expr(f, value, NULL);

    if (expr != NULL && feature.kind != RF_FEATURE_COUNT_DISTINCT)
        feature.state_type = rf_expr_type(expr);
    fixture_listen(f, fixture_feature(f, feature), 0, NULL, expr);
}

static void add_features(struct fixture *f)
{
    add(f, (struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL);
    add(f,
        (struct rf_feature){.name = "n_7d",
                            .kind = RF_FEATURE_COUNT,
                            .window = 7 * RF_DAY_MS,
                            .bucket = RF_HOUR_MS},
        NULL);
    add(f,
        (struct rf_feature){.name = "s_ago",
                            .kind = RF_FEATURE_SUM,
                            .window = 7 * RF_DAY_MS,
                            .offset = 7 * RF_DAY_MS,
                            .bucket = RF_DAY_MS},
        "event.amount");
    add(f,
        (struct rf_feature){
            .name = "latest", .kind = RF_FEATURE_MAX, .window = 7 * RF_DAY_MS, .bucket = RF_DAY_MS},
        "event.instant");
    add(f, (struct rf_feature){.name = "longest", .kind = RF_FEATURE_MAX}, "event.length");
    add(f, (struct rf_feature){.name = "text", .kind = RF_FEATURE_LAST}, "event.text");
    add(f, (struct rf_feature){.name = "first", .kind = RF_FEATURE_FIRST}, "event.natural");
    add(f, (struct rf_feature){.name = "rate", .kind = RF_FEATURE_DECAY, .half_life = RF_DAY_MS},
        NULL);
    add(f, (struct rf_feature){.name = "things", .kind = RF_FEATURE_COUNT_DISTINCT},
        "event.number");
    add(f,
        (struct rf_feature){
            .name = "recent", .kind = RF_FEATURE_COUNT_DISTINCT, .window = RF_DAY_MS},
        "event.number");
}

/* By key since ever, in a window and with a half-life; times and cases kept one by one. */
static void add_aggregates(struct fixture *f)
{
    uint32_t cases = 0;

    add(f, (struct rf_feature){.name = "mean", .kind = RF_FEATURE_MEAN, .half_life = RF_DAY_MS},
        "event.amount");
    add(f,
        (struct rf_feature){.name = "median",
                            .kind = RF_FEATURE_QUANTILE,
                            .q = 0.5,
                            .window = RF_DAY_MS,
                            .bucket = RF_HOUR_MS},
        "event.amount");
    add(f, (struct rf_feature){.name = "top", .kind = RF_FEATURE_TOP, .key_type = &rf_type_string},
        "event.text");
    add(f,
        (struct rf_feature){
            .name = "counts", .kind = RF_FEATURE_COUNT_BY, .key_type = &rf_type_int},
        "event.number");
    add(f,
        (struct rf_feature){.name = "spread",
                            .kind = RF_FEATURE_ENTROPY,
                            .key_type = &rf_type_bool,
                            .half_life = RF_DAY_MS},
        "event.flag");
    fixture_listen(f,
                   fixture_feature(f, (struct rf_feature){.name = "trend",
                                                          .kind = RF_FEATURE_TREND,
                                                          .state_type = &rf_type_int,
                                                          .window = RF_DAY_MS,
                                                          .bucket = RF_HOUR_MS}),
                   0, NULL, NULL);
    add(f, (struct rf_feature){.name = "gap", .kind = RF_FEATURE_INTERVAL, .stat = RF_STAT_STDDEV},
        NULL);
    cases = fixture_feature(f, (struct rf_feature){.name = "cases", .kind = RF_FEATURE_CASES});
    fixture_listen_cases(f, cases, 0, fixture_expr(f, "event.flag", NULL),
                         fixture_expr(f, "!event.flag", NULL), fixture_expr(f, "event.text", NULL));
    fixture_feature(f, (struct rf_feature){.name = "resolution",
                                           .kind = RF_FEATURE_CASES_OF,
                                           .stat = RF_STAT_RESOLUTION_LAST,
                                           .of = cases});
}

/* Two events, then none for a day: every event is of each. */
static void add_pattern(struct fixture *f)
{
    static const struct rf_pattern_step steps[] = {{.kind = "events"},
                                                   {.kind = "events", .negated = true}};
    static const struct rf_pattern_stage stages[2];
    static const struct rf_pattern_input inputs[2] = {{.step = 0}, {.step = 1}};
    static struct rf_pattern pattern = {.state_name = "quiet_0",
                                        .steps = steps,
                                        .step_count = 2,
                                        .stages = stages,
                                        .stage_count = 2,
                                        .inputs = inputs,
                                        .input_count = 2,
                                        .ends_in_silence = true,
                                        .forbids = 2,
                                        .silence = RF_DAY_MS};

    pattern.rule = fixture_rule(f, (struct rf_rule){.name = "quiet", .pattern = &pattern});
    f->plan.patterns = &pattern;
    f->plan.pattern_count = 1;
}

static struct subject *make_subject(void)
{
    static struct subject subject;
    struct fixture *f = &subject.fixture;
    struct rf_error err = {0};

    fixture_init(f);
    fixture_source(f, "events", RF_DAY_MS);
    add_features(f);
    add_aggregates(f);
    fixture_rule(f, (struct rf_rule){.name = "busy",
                                     .when = fixture_expr(f, "n_7d > 3 && rate > 1.0", NULL),
                                     .cooldown = RF_HOUR_MS});
    add_pattern(f);
    subject.engine = rf_engine_open(&f->plan);
    subject.codec = rf_customer_codec_make(&f->arena, &f->plan);
    bool ok = rf_customer_layout_make(
        &f->arena, subject.codec, rf_customer_codec_schema(subject.codec), &subject.layout, &err);
    rf_assert(ok);
    return &subject;
}

static void write_customer(struct subject *subject, const struct rf_customer *customer,
                           struct rf_arena *arena, struct rf_buffer *out)
{
    rf_buffer_init(out, 1U << 24);
    rf_engine_features(subject->engine, customer, customer->as_of, arena, subject->values);
    rf_customer_encode(subject->codec, customer, subject->values, out);
    rf_assert(!out->overflow);
}

static void fold_one(struct subject *subject, struct rf_customer *customer, struct rf_arena *arena)
{
    struct rf_event event;
    struct rf_fold fold;
    struct rf_error err = {0};
    rf_ms time = customer->as_of < RF_MS_MAX - RF_DAY_MS ? customer->as_of + RF_HOUR_MS : RF_MS_MAX;

    fixture_event(arena, 0, time, &event);
    event.id_hash = 1;
    if (!rf_engine_fold(subject->engine, customer, &event, time, arena, &fold, &err)) {
        fprintf(stderr, "%s\n", err.message);
        rf_assert(false && "the event can be folded");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct subject *subject;
    struct rf_arena arena;
    struct rf_customer customer, again;
    struct rf_buffer first, second;
    struct rf_error err = {0};

    if (subject == NULL)
        subject = make_subject();
    rf_arena_init(&arena, 16U << 10);
    if (rf_customer_decode(subject->layout, rf_bytes_of(data, size), &arena, &customer, &err)) {
        fold_one(subject, &customer, &arena);
        write_customer(subject, &customer, &arena, &first);
        if (!rf_customer_decode(subject->layout, rf_buffer_bytes(&first), &arena, &again, &err)) {
            fprintf(stderr, "%s\n", err.message);
            rf_assert(false && "what was written can be read");
        }
        write_customer(subject, &again, &arena, &second);
        rf_assert(rf_bytes_equal(rf_buffer_bytes(&first), rf_buffer_bytes(&second)));
        rf_buffer_deinit(&first);
        rf_buffer_deinit(&second);
    } else {
        rf_assert(err.kind == RF_ERROR_STATE);
    }
    rf_arena_deinit(&arena);
    return 0;
}
