/* core/engine against a naive reference that keeps every event and counts again each time, over random streams of
 * several customers with late events and duplicates. And once more with every customer written to bytes and read
 * back at random moments: where a batch ends must change nothing. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/rule.h"
#include "support/plan_fixture.h"

#define START     INT64_C(1700000000000)
#define CUSTOMERS 3
#define EVENTS    200

enum {
    COUNT_EVER,
    COUNT_WINDOW,
    SUM_OFFSET,
    MAX_WINDOW,
    MIN_EVER,
    FIRST_EVER,
    LAST_WINDOW,
    DISTINCT_EVER,
    DISTINCT_WINDOW,
    DECAY,
    EXPR,
    FEATURES,
};

struct kept {
    rf_ms time;
    rf_ms now_when_taken;
    uint64_t id;
    bool flag;
    double amount;
    int64_t number;
};

struct reference {
    struct kept kept[EVENTS];
    size_t count;
    rf_ms as_of;
    int64_t fired;
    rf_ms last_fired;
};

/* One way of folding: a customer each, an arena, and whether they go through bytes now and then. */
struct run {
    struct rf_arena arena;
    struct rf_engine *engine;
    struct rf_customer customers[CUSTOMERS];
};

static struct fixture f;
static rf_span_ms window, offset, bucket, half_life, dedup, cooldown;
static const struct rf_customer_codec *codec;
static const struct rf_customer_layout *layout;

static void listen(uint32_t feature, const char *where, const char *value)
{
    fixture_listen(&f, feature, 0, where == NULL ? NULL : fixture_expr(&f, where, NULL),
                   value == NULL ? NULL : fixture_expr(&f, value, NULL));
}

static void make_features(void)
{
    static const char *const names[] = {"n",     "n_w",  "s_off",  "max_w",    "min",
                                        "first", "last", "things", "things_w", "rate"};
    const struct rf_feature features[] = {
        [COUNT_EVER] = {.kind = RF_FEATURE_COUNT},
        [COUNT_WINDOW] = {.kind = RF_FEATURE_COUNT, .window = window, .bucket = bucket},
        [SUM_OFFSET] = {.kind = RF_FEATURE_SUM,
                        .state_type = &rf_type_double,
                        .window = window,
                        .offset = offset,
                        .bucket = bucket},
        [MAX_WINDOW] = {.kind = RF_FEATURE_MAX,
                        .state_type = &rf_type_int,
                        .window = window,
                        .bucket = bucket},
        [MIN_EVER] = {.kind = RF_FEATURE_MIN, .state_type = &rf_type_int},
        [FIRST_EVER] = {.kind = RF_FEATURE_FIRST, .state_type = &rf_type_int},
        [LAST_WINDOW] = {.kind = RF_FEATURE_LAST, .state_type = &rf_type_int, .window = window},
        [DISTINCT_EVER] = {.kind = RF_FEATURE_COUNT_DISTINCT},
        [DISTINCT_WINDOW] = {.kind = RF_FEATURE_COUNT_DISTINCT, .window = window},
        [DECAY] = {.kind = RF_FEATURE_DECAY, .half_life = half_life},
    };
    static const char *const values[] = {
        [SUM_OFFSET] = "event.amount",
        [MAX_WINDOW] = "event.number",
        [MIN_EVER] = "event.number",
        [FIRST_EVER] = "event.number",
        [LAST_WINDOW] = "event.number",
        [DISTINCT_EVER] = "event.number",
        [DISTINCT_WINDOW] = "string(event.number)",
        [DECAY] = "event.amount",
    };

    for (uint32_t i = 0; i < EXPR; i++) {
        struct rf_feature feature = features[i];
        feature.name = names[i];
        fixture_feature(&f, feature);
        listen(i, i == COUNT_WINDOW ? "event.flag" : NULL, values[i]);
    }
    fixture_feature(&f, (struct rf_feature){.name = "both",
                                            .kind = RF_FEATURE_EXPR,
                                            .expr = fixture_expr(&f, "n_w * 1000 + n", NULL)});
}

static void setup(uint64_t seed)
{
    fixture_init(&f);
    window = 1 + (rf_span_ms)fixture_random_below(&seed, 400);
    offset = (rf_span_ms)fixture_random_below(&seed, 200);
    bucket = 1 + (rf_span_ms)fixture_random_below(&seed, 50);
    half_life = 50 + (rf_span_ms)fixture_random_below(&seed, 400);
    dedup = 1 + (rf_span_ms)fixture_random_below(&seed, 300);
    cooldown = (rf_span_ms)fixture_random_below(&seed, 100);
    fixture_source(&f, "events", dedup);
    make_features();
    fixture_rule(&f, (struct rf_rule){.name = "busy",
                                      .when = fixture_expr(&f, "n_w >= 3", NULL),
                                      .cooldown = cooldown});
    codec = rf_customer_codec_make(&f.arena, &f.plan);
    struct rf_error err = {0};
    ck_assert(
        rf_customer_layout_make(&f.arena, codec, rf_customer_codec_schema(codec), &layout, &err));
}

static void run_open(struct run *run)
{
    rf_arena_init(&run->arena, 64U << 10);
    run->engine = rf_engine_open(&f.plan);
    for (size_t i = 0; i < CUSTOMERS; i++)
        rf_customer_init(&run->arena, &f.plan, rf_bytes_of_text("alice"), &run->customers[i]);
}

static void run_close(struct run *run)
{
    rf_engine_close(run->engine);
    rf_arena_deinit(&run->arena);
}

/* In `arena`. */
static struct rf_bytes write_customer(struct run *run, size_t customer, struct rf_arena *arena)
{
    struct rf_value values[FEATURES];
    struct rf_buffer out;
    struct rf_bytes bytes;

    rf_engine_features(run->engine, &run->customers[customer], run->customers[customer].as_of,
                       &run->arena, values);
    rf_buffer_init(&out, 1U << 20);
    rf_customer_encode(codec, &run->customers[customer], values, &out);
    ck_assert(!out.overflow);
    bytes = rf_arena_copy(arena, rf_buffer_bytes(&out));
    rf_buffer_deinit(&out);
    return bytes;
}

/* The end of a batch: every customer becomes bytes, the arena goes, and they are read again. */
static void end_batch(struct run *run)
{
    struct rf_arena store;
    struct rf_bytes records[CUSTOMERS];
    struct rf_error err = {0};

    rf_arena_init(&store, 4096);
    for (size_t i = 0; i < CUSTOMERS; i++)
        records[i] = write_customer(run, i, &store);
    rf_arena_deinit(&run->arena);
    rf_arena_init(&run->arena, 4096);
    for (size_t i = 0; i < CUSTOMERS; i++) {
        struct rf_bytes body = rf_arena_copy(&run->arena, records[i]);

        ck_assert_msg(rf_customer_decode(layout, body, &run->arena, &run->customers[i], &err), "%s",
                      err.message);
    }
    rf_arena_deinit(&store);
}

static bool same_bucket_window(rf_ms time, rf_ms end)
{
    rf_ms first = rf_floor_div(time, bucket) * bucket;

    return first + bucket - 1 > end - window && first <= end;
}

static bool is_duplicate(const struct reference *reference, const struct kept *event, rf_ms now)
{
    for (size_t i = 0; i < reference->count; i++) {
        const struct kept *kept = &reference->kept[i];

        if (kept->id == event->id && kept->time >= now - dedup &&
            kept->time >= kept->now_when_taken - dedup)
            return true;
    }
    return false;
}

static int64_t recount(const struct reference *reference)
{
    int64_t count = 0;

    for (size_t i = 0; i < reference->count; i++)
        count += reference->kept[i].flag &&
                 same_bucket_window(reference->kept[i].time, reference->as_of);
    return count;
}

static bool occurs_before(const struct reference *reference, size_t index, bool in_window)
{
    for (size_t i = 0; i < index; i++) {
        const struct kept *kept = &reference->kept[i];

        if (kept->number == reference->kept[index].number &&
            (!in_window || kept->time > reference->as_of - window))
            return true;
    }
    return false;
}

static void check_numbers(const struct reference *reference, const struct rf_value *values)
{
    double sum = 0, decay = 0;
    int64_t distinct = 0, distinct_window = 0;

    for (size_t i = 0; i < reference->count; i++) {
        const struct kept *kept = &reference->kept[i];
        bool inside = kept->time > reference->as_of - window;

        if (same_bucket_window(kept->time, reference->as_of - offset))
            sum += kept->amount;
        decay += kept->amount * exp2(-(double)(reference->as_of - kept->time) / (double)half_life);
        distinct += !occurs_before(reference, i, false);
        distinct_window += inside && !occurs_before(reference, i, true);
    }
    ck_assert_int_eq(values[COUNT_EVER].as.integer, (int64_t)reference->count);
    ck_assert_int_eq(values[COUNT_WINDOW].as.integer, recount(reference));
    ck_assert_double_eq(values[SUM_OFFSET].as.number, sum); /* quarters: exact in any order */
    ck_assert_double_eq_tol(values[DECAY].as.number, decay, 1e-12 * (decay + 1));
    ck_assert_int_eq(values[DISTINCT_EVER].as.integer, distinct);
    ck_assert_int_eq(values[DISTINCT_WINDOW].as.integer, distinct_window);
    ck_assert_int_eq(values[EXPR].as.integer,
                     recount(reference) * 1000 + (int64_t)reference->count);
}

static void check_choice(struct rf_value value, const struct kept *chosen)
{
    ck_assert_int_eq(value.kind, chosen == NULL ? RF_VALUE_NULL : RF_VALUE_INT);
    if (chosen != NULL)
        ck_assert_int_eq(value.as.integer, chosen->number);
}

static void check_choices(const struct reference *reference, const struct rf_value *values)
{
    const struct kept *greatest = NULL, *least = NULL, *first = NULL, *last = NULL;

    for (size_t i = 0; i < reference->count; i++) {
        const struct kept *kept = &reference->kept[i];

        if (same_bucket_window(kept->time, reference->as_of) &&
            (greatest == NULL || kept->number > greatest->number))
            greatest = kept;
        if (least == NULL || kept->number < least->number)
            least = kept;
        if (first == NULL || kept->time < first->time)
            first = kept;
        if (kept->time > reference->as_of - window && (last == NULL || kept->time >= last->time))
            last = kept;
    }
    check_choice(values[MAX_WINDOW], greatest);
    check_choice(values[MIN_EVER], least);
    check_choice(values[FIRST_EVER], first);
    check_choice(values[LAST_WINDOW], last);
}

/* What the reference expects of the rule. */
static bool expect_rule(struct reference *reference)
{
    if (reference->fired > 0 && reference->as_of - reference->last_fired < cooldown)
        return false;
    if (recount(reference) < 3)
        return false;
    reference->fired++;
    reference->last_fired = reference->as_of;
    return true;
}

static struct kept random_event(uint64_t *seed, rf_ms as_of)
{
    rf_ms back = (rf_ms)fixture_random_below(seed, fixture_random_below(seed, 5) == 0 ? 800 : 10);

    return (struct kept){
        .time = as_of + (rf_ms)fixture_random_below(seed, 30) - back,
        .id = 1 + fixture_random_below(seed, 400),
        .flag = fixture_random_below(seed, 3) > 0,
        .amount = (double)fixture_random_below(seed, 4000) / 4.0,
        .number = (int64_t)fixture_random_below(seed, 30) - 10,
    };
}

static struct rf_fold fold(struct run *run, size_t customer, const struct kept *kept,
                           int64_t position)
{
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};
    struct rf_value *fields = fixture_event(&run->arena, 0, kept->time, &event);

    fields[FIELD_FLAG] = rf_value_bool(kept->flag);
    fields[FIELD_AMOUNT] = rf_value_double(kept->amount);
    fields[FIELD_NUMBER] = rf_value_int(kept->number);
    event.id_hash = kept->id;
    event.position.offset = position;
    ck_assert_msg(rf_engine_fold(run->engine, &run->customers[customer], &event, RF_MS_MIN,
                                 &run->arena, &result, &err),
                  "%s", err.message);
    return result;
}

/* False: it was a duplicate. */
static bool expect(struct reference *reference, struct kept event, struct rf_fold result)
{
    rf_ms now = event.time > reference->as_of ? event.time : reference->as_of;

    if (is_duplicate(reference, &event, now)) {
        ck_assert_int_eq(result.result, RF_FOLD_DUPLICATE);
        return false;
    }
    ck_assert_int_eq(result.result, RF_FOLD_DONE);
    event.now_when_taken = now;
    reference->as_of = now;
    reference->kept[reference->count++] = event;
    ck_assert_uint_eq(result.derived_count, expect_rule(reference) ? 1 : 0);
    return true;
}

static void check_values(struct run *run, size_t customer, const struct reference *reference)
{
    struct rf_value values[FEATURES];

    rf_engine_features(run->engine, &run->customers[customer], reference->as_of, &run->arena,
                       values);
    check_numbers(reference, values);
    check_choices(reference, values);
}

START_TEST(random_streams_fold_as_a_recount_says_whatever_the_batches)
{
    uint64_t seed = (uint64_t)_i * 7919 + 1;
    static struct reference references[CUSTOMERS];
    struct run whole = {0}, batched = {0};
    setup(seed);
    run_open(&whole);
    run_open(&batched);
    memset(references, 0, sizeof references);
    for (size_t i = 0; i < CUSTOMERS; i++)
        references[i].as_of = RF_MS_MIN;

    for (int64_t i = 0; i < EVENTS; i++) {
        size_t customer = fixture_random_below(&seed, CUSTOMERS);
        struct reference *reference = &references[customer];
        struct kept event = random_event(&seed, reference->count == 0 ? START : reference->as_of);

        struct rf_fold a = fold(&whole, customer, &event, i);
        struct rf_fold b = fold(&batched, customer, &event, i);

        ck_assert_int_eq(a.result, b.result);
        ck_assert_uint_eq(a.derived_count, b.derived_count);
        if (a.derived_count > 0)
            ck_assert_str_eq(a.derived[0].id, b.derived[0].id);
        if (expect(reference, event, a))
            check_values(&whole, customer, reference);
        if (fixture_random_below(&seed, 6) == 0)
            end_batch(&batched);
    }

    for (size_t i = 0; i < CUSTOMERS; i++)
        ck_assert(rf_bytes_equal(write_customer(&whole, i, &whole.arena),
                                 write_customer(&batched, i, &whole.arena)));
    run_close(&whole);
    run_close(&batched);
    fixture_deinit(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine against a recount");
    TCase *tcase = tcase_create("differential");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, random_streams_fold_as_a_recount_says_whatever_the_batches, 0, 60);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
