/* core/engine: mean, top, entropy, quantile, count_by, trend, interval and cases against a naive reference that
 * keeps every event and counts again each time, over random streams with late events; once more with the customer
 * written to bytes and read back at random moments; and in another order of arrival. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "support/plan_fixture.h"

#define START  INT64_C(1700000000000)
#define EVENTS 250
#define VALUES 20
#define CASES  30

enum {
    MEAN_EVER,
    MEAN_OFFSET,
    MEAN_HALF,
    TOP_EVER,
    TOP_WINDOW,
    TOP_HALF,
    ENTROPY_EVER,
    ENTROPY_OFFSET,
    ENTROPY_HALF,
    QUANTILE_EVER,
    QUANTILE_WINDOW,
    QUANTILE_HALF,
    COUNTS_EVER,
    COUNTS_WINDOW,
    TREND_COUNT,
    TREND_SUM,
    GAP_MEAN,
    GAP_LAST,
    GAP_MIN,
    GAP_MAX,
    GAP_STDDEV,
    OPEN,
    OLDEST,
    OPENED,
    REOPENED,
    RESOLVED,
    RESOLUTION_MEAN,
    RESOLUTION_LAST,
    FEATURES,
};

struct kept {
    rf_ms time;
    int value; /* of VALUES */
    double amount;
    int64_t action; /* 0: opens, 1: closes */
    uint64_t id;    /* of CASES */
    bool flag;
    bool placed; /* not too late for the gaps */
};

struct reference {
    struct kept kept[EVENTS];
    size_t count;
    rf_ms as_of;
};

struct run {
    struct rf_arena arena;
    struct rf_engine *engine;
    struct rf_customer customer;
};

static struct fixture f;
static rf_span_ms window, offset, bucket, half_life;
static double q;
static const struct rf_customer_codec *codec;
static const struct rf_customer_layout *layout;

static void listen(uint32_t feature, const char *where, const char *value)
{
    fixture_listen(&f, feature, 0, where == NULL ? NULL : fixture_expr(&f, where, NULL),
                   value == NULL ? NULL : fixture_expr(&f, value, NULL));
}

static const char *name_of(uint32_t feature)
{
    return rf_arena_printf(&f.arena, "f%u", feature);
}

static void add(uint32_t index, struct rf_feature feature, const char *where, const char *value)
{
    feature.name = name_of(index);
    ck_assert_uint_eq(fixture_feature(&f, feature), index);
    listen(index, where, value);
}

static void add_tallies(void)
{
    static const struct {
        enum rf_feature_kind kind;
        bool windowed, shifted, halved;
        const char *where, *value;
    } rows[] = {
        [MEAN_EVER] = {RF_FEATURE_MEAN, false, false, false, NULL, "event.amount"},
        [MEAN_OFFSET] = {RF_FEATURE_MEAN, true, true, false, NULL, "event.amount"},
        [MEAN_HALF] = {RF_FEATURE_MEAN, false, false, true, NULL, "event.amount"},
        [TOP_EVER] = {RF_FEATURE_TOP, false, false, false, NULL, "event.text"},
        [TOP_WINDOW] = {RF_FEATURE_TOP, true, false, false, NULL, "event.text"},
        [TOP_HALF] = {RF_FEATURE_TOP, false, false, true, NULL, "event.text"},
        [ENTROPY_EVER] = {RF_FEATURE_ENTROPY, false, false, false, NULL, "event.text"},
        [ENTROPY_OFFSET] = {RF_FEATURE_ENTROPY, true, true, false, NULL, "event.text"},
        [ENTROPY_HALF] = {RF_FEATURE_ENTROPY, false, false, true, NULL, "event.text"},
        [QUANTILE_EVER] = {RF_FEATURE_QUANTILE, false, false, false, NULL, "event.amount"},
        [QUANTILE_WINDOW] = {RF_FEATURE_QUANTILE, true, false, false, NULL, "event.amount"},
        [QUANTILE_HALF] = {RF_FEATURE_QUANTILE, false, false, true, NULL, "event.amount"},
        [COUNTS_EVER] = {RF_FEATURE_COUNT_BY, false, false, false, "event.flag", "event.text"},
        [COUNTS_WINDOW] = {RF_FEATURE_COUNT_BY, true, false, false, NULL, "event.text"},
    };

    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
        add(i,
            (struct rf_feature){.kind = rows[i].kind,
                                .key_type = &rf_type_string,
                                .window = rows[i].windowed ? window : 0,
                                .bucket = rows[i].windowed ? bucket : 0,
                                .offset = rows[i].shifted ? offset : 0,
                                .half_life = rows[i].halved ? half_life : 0,
                                .q = q},
            rows[i].where, rows[i].value);
}

static void add_cases(void)
{
    fixture_feature(&f, (struct rf_feature){.name = "open_cases", .kind = RF_FEATURE_CASES});
    fixture_listen_cases(&f, OPEN, 0, fixture_expr(&f, "event.number == 0", NULL),
                         fixture_expr(&f, "event.number == 1", NULL),
                         fixture_expr(&f, "string(event.natural)", NULL));
    for (uint32_t i = OLDEST; i <= RESOLUTION_LAST; i++)
        fixture_feature(
            &f, (struct rf_feature){.name = name_of(i),
                                    .kind = RF_FEATURE_CASES_OF,
                                    .of = OPEN,
                                    .stat = (enum rf_feature_stat)(RF_STAT_OLDEST + (i - OLDEST))});
}

static void setup(uint64_t seed)
{
    struct rf_error err = {0};

    fixture_init(&f);
    bucket = 1 + (rf_span_ms)fixture_random_below(&seed, 50);
    window = 1 + (rf_span_ms)fixture_random_below(&seed, 600);
    offset = (rf_span_ms)fixture_random_below(&seed, 200);
    half_life = 50 + (rf_span_ms)fixture_random_below(&seed, 400);
    q = (double)fixture_random_below(&seed, 101) / 100.0;
    fixture_source(&f, "events", 0);
    add_tallies();
    add(TREND_COUNT,
        (struct rf_feature){.kind = RF_FEATURE_TREND,
                            .state_type = &rf_type_int,
                            .window = window,
                            .bucket = bucket},
        NULL, NULL);
    add(TREND_SUM,
        (struct rf_feature){.kind = RF_FEATURE_TREND,
                            .state_type = &rf_type_double,
                            .window = window,
                            .bucket = bucket},
        "event.flag", "event.amount");
    for (uint32_t i = GAP_MEAN; i <= GAP_STDDEV; i++)
        add(i,
            (struct rf_feature){.kind = RF_FEATURE_INTERVAL,
                                .stat = (enum rf_feature_stat)(RF_STAT_MEAN + (i - GAP_MEAN))},
            NULL, NULL);
    add_cases();
    codec = rf_customer_codec_make(&f.arena, &f.plan);
    ck_assert(
        rf_customer_layout_make(&f.arena, codec, rf_customer_codec_schema(codec), &layout, &err));
}

static void run_open(struct run *run)
{
    rf_arena_init(&run->arena, 64U << 10);
    run->engine = rf_engine_open(&f.plan);
    rf_customer_init(&run->arena, &f.plan, rf_bytes_of_text("alice"), &run->customer);
}

static void run_close(struct run *run)
{
    rf_engine_close(run->engine);
    rf_arena_deinit(&run->arena);
}

/* In `arena`. */
static struct rf_bytes write_customer(struct run *run, struct rf_arena *arena)
{
    struct rf_value values[FEATURES];
    struct rf_buffer out;
    struct rf_bytes bytes;

    rf_engine_features(run->engine, &run->customer, run->customer.as_of, &run->arena, values);
    rf_buffer_init(&out, 1U << 20);
    rf_customer_encode(codec, &run->customer, values, &out);
    ck_assert(!out.overflow);
    bytes = rf_arena_copy(arena, rf_buffer_bytes(&out));
    rf_buffer_deinit(&out);
    return bytes;
}

static void end_batch(struct run *run)
{
    struct rf_arena store;
    struct rf_error err = {0};
    struct rf_bytes record, body;

    rf_arena_init(&store, 4096);
    record = write_customer(run, &store);
    rf_arena_deinit(&run->arena);
    rf_arena_init(&run->arena, 4096);
    body = rf_arena_copy(&run->arena, record);
    ck_assert_msg(rf_customer_decode(layout, body, &run->arena, &run->customer, &err), "%s",
                  err.message);
    rf_arena_deinit(&store);
}

static void fold(struct run *run, const struct kept *kept)
{
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};
    struct rf_value *fields = fixture_event(&run->arena, 0, kept->time, &event);
    char *text = rf_arena_printf(&run->arena, "v%02d", kept->value);

    fields[FIELD_TEXT] = rf_value_string(rf_bytes_of_text(text));
    fields[FIELD_AMOUNT] = rf_value_double(kept->amount);
    fields[FIELD_NUMBER] = rf_value_int(kept->action);
    fields[FIELD_NATURAL] = rf_value_uint(kept->id);
    fields[FIELD_FLAG] = rf_value_bool(kept->flag);
    ck_assert_msg(
        rf_engine_fold(run->engine, &run->customer, &event, kept->time, &run->arena, &result, &err),
        "%s", err.message);
}

/* ---- the reference -------------------------------------------------------------------------------- */

static bool in_window(rf_ms time, rf_ms end)
{
    rf_ms first = rf_floor_div(time, bucket) * bucket;

    return first + bucket - 1 > end - window && first <= end;
}

static double halved(const struct reference *r, size_t i)
{
    return exp2(-(double)(r->as_of - r->kept[i].time) / (double)half_life);
}

/* The weight of an event in a feature; 0: it does not count. */
static double weight_in(const struct reference *r, size_t i, uint32_t feature)
{
    const struct rf_feature *of = &f.features[feature];

    if (of->half_life > 0)
        return halved(r, i);
    if (of->window > 0)
        return in_window(r->kept[i].time, r->as_of - of->offset) ? 1.0 : 0.0;
    return 1.0;
}

static void check_mean(const struct reference *r, uint32_t feature, struct rf_value value)
{
    double weight = 0, sum = 0;

    for (size_t i = 0; i < r->count; i++) {
        weight += weight_in(r, i, feature);
        sum += weight_in(r, i, feature) * r->kept[i].amount;
    }
    ck_assert_int_eq(value.kind, weight == 0 ? RF_VALUE_NULL : RF_VALUE_DOUBLE);
    if (weight == 0)
        return;
    if (f.features[feature].half_life == 0)
        ck_assert_double_eq(value.as.number, sum / weight); /* quarters: exact in any order */
    else
        ck_assert_double_eq_tol(value.as.number, sum / weight, 1e-9 * fabs(sum / weight) + 1e-9);
}

static double weights_by_value(const struct reference *r, uint32_t feature, double weights[VALUES])
{
    double total = 0;

    memset(weights, 0, VALUES * sizeof *weights);
    for (size_t i = 0; i < r->count; i++) {
        weights[r->kept[i].value] += weight_in(r, i, feature);
        total += weight_in(r, i, feature);
    }
    return total;
}

static void check_top(const struct reference *r, uint32_t feature, struct rf_value value)
{
    double weights[VALUES];
    double total = weights_by_value(r, feature, weights);
    int top = 0;

    ck_assert_int_eq(value.kind, total == 0 ? RF_VALUE_NULL : RF_VALUE_STRING);
    if (total == 0)
        return;
    for (int i = 1; i < VALUES; i++)
        top = weights[i] > weights[top] ? i : top;
    int found = (value.as.text.data[1] - '0') * 10 + value.as.text.data[2] - '0';
    if (f.features[feature].half_life > 0)
        ck_assert_double_ge(weights[found], weights[top] * (1 - 1e-9));
    else
        ck_assert_int_eq(found, top);
}

static void check_entropy(const struct reference *r, uint32_t feature, struct rf_value value)
{
    double weights[VALUES];
    double total = weights_by_value(r, feature, weights);
    double entropy = 0;

    for (int i = 0; i < VALUES; i++)
        entropy -= weights[i] > 0 ? weights[i] / total * log2(weights[i] / total) : 0;
    ck_assert_double_eq_tol(value.as.number, entropy, 1e-9);
}

static int by_amount(const void *a, const void *b)
{
    double x = ((const double *)a)[0], y = ((const double *)b)[0];

    return (x > y) - (x < y);
}

static size_t at_rank(double (*items)[2], size_t count, double rank)
{
    double below = 0;
    size_t at = 0;

    while (at + 1 < count && (below += items[at][1]) <= rank)
        at++;
    return at;
}

/* Within 1 % of the value of that rank; where weights halve the last bits decide which of two that is. */
static void check_quantile(const struct reference *r, uint32_t feature, struct rf_value value)
{
    bool halves = f.features[feature].half_life > 0;
    double items[EVENTS][2];
    size_t count = 0;
    double total = 0, rank = 0;

    for (size_t i = 0; i < r->count; i++) {
        items[count][0] = r->kept[i].amount;
        items[count][1] = weight_in(r, i, feature);
        total += items[count][1];
        count += items[count][1] > 0;
    }
    ck_assert_int_eq(value.kind, count == 0 ? RF_VALUE_NULL : RF_VALUE_DOUBLE);
    if (count == 0)
        return;
    qsort(items, count, sizeof *items, by_amount);
    rank = halves ? q * total : q * (total - 1);
    double least = items[at_rank(items, count, halves ? rank - 1e-9 * total : rank)][0];
    double most = items[at_rank(items, count, halves ? rank + 1e-9 * total : rank)][0];
    ck_assert_double_ge(value.as.number, least - 0.01000001 * fabs(least));
    ck_assert_double_le(value.as.number, most + 0.01000001 * fabs(most));
}

static void check_counts(const struct reference *r, uint32_t feature, struct rf_value value)
{
    int64_t counts[VALUES] = {0};
    size_t next = 0;

    for (size_t i = 0; i < r->count; i++)
        counts[r->kept[i].value] +=
            weight_in(r, i, feature) > 0 && (feature != COUNTS_EVER || r->kept[i].flag);
    ck_assert_int_eq(value.kind, RF_VALUE_MAP);
    for (int i = 0; i < VALUES; i++) {
        char name[8];

        if (counts[i] == 0)
            continue;
        ck_assert_uint_lt(next, value.as.map->count);
        ck_assert_uint_eq(value.as.map->keys[next].as.text.size, 3);
        snprintf(name, sizeof name, "v%02d", i % 100);
        ck_assert_mem_eq(value.as.map->keys[next].as.text.data, name, 3);
        ck_assert_int_eq(value.as.map->values[next].as.integer, counts[i]);
        next++;
    }
    ck_assert_uint_eq(next, value.as.map->count);
}

static void check_trend(const struct reference *r, bool is_count, struct rf_value value)
{
    double now = 0, before = 0;

    for (size_t i = 0; i < r->count; i++) {
        double amount = is_count ? 1.0 : r->kept[i].flag ? r->kept[i].amount : 0.0;

        now += in_window(r->kept[i].time, r->as_of) ? amount : 0.0;
        before += in_window(r->kept[i].time, r->as_of - window) ? amount : 0.0;
    }
    ck_assert_int_eq(value.kind, before == 0 ? RF_VALUE_NULL : RF_VALUE_DOUBLE);
    if (before != 0)
        ck_assert_double_eq(value.as.number, now / before);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void check_gap(struct rf_value value, rf_span_ms gap, bool some)
{
    ck_assert_int_eq(value.kind, some ? RF_VALUE_DURATION : RF_VALUE_NULL);
    if (some)
        ck_assert_int_eq(rf_value_to_ms(value), gap);
}

static void check_gaps(const struct reference *r, const struct rf_value *values)
{
    int64_t all[EVENTS], placed[EVENTS];
    size_t count = 0;
    rf_span_ms least = INT64_MAX, most = 0;
    double mean = 0, squares = 0;

    for (size_t i = 0; i < r->count; i++) {
        all[i] = r->kept[i].time;
        if (r->kept[i].placed)
            placed[count++] = r->kept[i].time;
    }
    qsort(all, r->count, sizeof *all, by_number);
    qsort(placed, count, sizeof *placed, by_number);
    for (size_t i = 1; i < count; i++) {
        rf_span_ms gap = placed[i] - placed[i - 1];

        least = gap < least ? gap : least;
        most = gap > most ? gap : most;
        mean += (double)gap / (double)(count - 1);
    }
    for (size_t i = 1; i < count; i++)
        squares += ((double)(placed[i] - placed[i - 1]) - mean) *
                   ((double)(placed[i] - placed[i - 1]) - mean);
    bool some = r->count > 1;
    check_gap(values[GAP_MEAN], some ? (all[r->count - 1] - all[0]) / (int64_t)(r->count - 1) : 0,
              some);
    check_gap(values[GAP_LAST], some ? all[r->count - 1] - all[r->count - 2] : 0, some);
    check_gap(values[GAP_MIN], least, some);
    check_gap(values[GAP_MAX], most, some);
    ck_assert_int_eq(values[GAP_STDDEV].kind, some ? RF_VALUE_DURATION : RF_VALUE_NULL);
    if (some)
        ck_assert_double_eq_tol((double)rf_value_to_ms(values[GAP_STDDEV]),
                                sqrt(squares / (double)(count - 1)), 0.5 + 1e-6);
}

struct totals {
    int64_t open, opened, reopened, resolved;
    rf_span_ms sum, last;
    rf_ms last_at, oldest;
};

/* One case, its marks in order: an opening before a closing of the same instant. */
static void replay_case(const struct reference *r, uint64_t id, struct totals *totals)
{
    int64_t marks[EVENTS];
    size_t count = 0;
    bool open = false, ever = false;
    rf_ms since = 0;

    for (size_t i = 0; i < r->count; i++) {
        if (r->kept[i].id == id && r->kept[i].action < 2)
            marks[count++] = 2 * r->kept[i].time + r->kept[i].action;
    }
    qsort(marks, count, sizeof *marks, by_number);
    for (size_t i = 0; i < count; i++) {
        bool opens = marks[i] % 2 == 0;
        rf_ms time = marks[i] / 2;

        if (opens == open)
            continue;
        open = opens;
        if (opens) {
            totals->opened += !ever;
            totals->reopened += ever;
            ever = true;
            since = time;
            continue;
        }
        totals->resolved++;
        totals->sum += time - since;
        if (time > totals->last_at || (time == totals->last_at && time - since > totals->last))
            totals->last = time - since;
        totals->last_at = time > totals->last_at ? time : totals->last_at;
    }
    totals->open += open;
    totals->oldest = open && since < totals->oldest ? since : totals->oldest;
}

static void check_cases(const struct reference *r, const struct rf_value *values)
{
    struct totals totals = {.last_at = RF_MS_MIN, .oldest = RF_MS_MAX};
    const struct rf_list *list = values[OPEN].as.list;

    for (uint64_t id = 0; id < CASES; id++)
        replay_case(r, id, &totals);
    ck_assert_int_eq((int64_t)list->count, totals.open);
    for (size_t i = 1; i < list->count; i++)
        ck_assert_int_le(rf_value_to_ms(list->items[i - 1].as.record->fields[1]),
                         rf_value_to_ms(list->items[i].as.record->fields[1]));
    ck_assert_int_eq(values[OLDEST].kind, totals.open > 0 ? RF_VALUE_TIMESTAMP : RF_VALUE_NULL);
    if (totals.open > 0) {
        ck_assert_int_eq(rf_value_to_ms(values[OLDEST]), totals.oldest);
        ck_assert_int_eq(rf_value_to_ms(list->items[0].as.record->fields[1]), totals.oldest);
    }
    ck_assert_int_eq(values[OPENED].as.integer, totals.opened);
    ck_assert_int_eq(values[REOPENED].as.integer, totals.reopened);
    ck_assert_int_eq(values[RESOLVED].as.integer, totals.resolved);
    check_gap(values[RESOLUTION_MEAN], totals.resolved > 0 ? totals.sum / totals.resolved : 0,
              totals.resolved > 0);
    check_gap(values[RESOLUTION_LAST], totals.last, totals.resolved > 0);
}

static void check_all(struct run *run, const struct reference *r)
{
    struct rf_value values[FEATURES];

    rf_engine_features(run->engine, &run->customer, r->as_of, &run->arena, values);
    for (uint32_t i = MEAN_EVER; i <= MEAN_HALF; i++)
        check_mean(r, i, values[i]);
    for (uint32_t i = TOP_EVER; i <= TOP_HALF; i++)
        check_top(r, i, values[i]);
    for (uint32_t i = ENTROPY_EVER; i <= ENTROPY_HALF; i++)
        check_entropy(r, i, values[i]);
    for (uint32_t i = QUANTILE_EVER; i <= QUANTILE_HALF; i++)
        check_quantile(r, i, values[i]);
    for (uint32_t i = COUNTS_EVER; i <= COUNTS_WINDOW; i++)
        check_counts(r, i, values[i]);
    check_trend(r, true, values[TREND_COUNT]);
    check_trend(r, false, values[TREND_SUM]);
    check_gaps(r, values);
    check_cases(r, values);
}

/* ---- streams -------------------------------------------------------------------------------------- */

static struct kept random_event(uint64_t *seed, rf_ms as_of, rf_ms late_most)
{
    rf_ms back = (rf_ms)fixture_random_below(
        seed, fixture_random_below(seed, 5) == 0 ? (uint64_t)late_most : 10);

    return (struct kept){
        .time = as_of + (rf_ms)fixture_random_below(seed, 30) - back,
        .value =
            (int)(fixture_random_below(seed, VALUES) * fixture_random_below(seed, VALUES) / VALUES),
        .amount = ((double)fixture_random_below(seed, 4000) - 1000.0) / 4.0,
        .action = (int64_t)fixture_random_below(seed, 3),
        .id = fixture_random_below(seed, CASES),
        .flag = fixture_random_below(seed, 3) > 0,
    };
}

/* The promise: it is no later than RF_INTERVAL_TIMES_MAX younger ones. */
static bool is_placed(const struct reference *r, rf_ms time)
{
    size_t placed = 0, younger = 0;

    for (size_t i = 0; i < r->count; i++) {
        placed += r->kept[i].placed;
        younger += r->kept[i].placed && r->kept[i].time > time;
    }
    return placed <= RF_INTERVAL_TIMES_MAX || younger < RF_INTERVAL_TIMES_MAX;
}

START_TEST(random_streams_come_to_what_a_recount_says_whatever_the_batches)
{
    uint64_t seed = (uint64_t)_i * 104729 + 3;
    static struct reference reference;
    struct run whole = {0}, batched = {0};
    setup(seed);
    run_open(&whole);
    run_open(&batched);
    reference = (struct reference){.as_of = RF_MS_MIN};

    for (int i = 0; i < EVENTS; i++) {
        struct kept event =
            random_event(&seed, reference.count == 0 ? START : reference.as_of, 800);

        event.placed = is_placed(&reference, event.time);
        reference.kept[reference.count++] = event;
        reference.as_of = event.time > reference.as_of ? event.time : reference.as_of;
        fold(&whole, &event);
        fold(&batched, &event);

        check_all(&whole, &reference);
        if (fixture_random_below(&seed, 6) == 0)
            end_batch(&batched);
    }

    ck_assert(rf_bytes_equal(write_customer(&whole, &whole.arena),
                             write_customer(&batched, &whole.arena)));
    run_close(&whole);
    run_close(&batched);
    fixture_deinit(&f);
}
END_TEST

/* With the latest event last in both, so that nothing is too late for its window at either arrival. */
START_TEST(another_order_of_arrival_gives_the_same_bits)
{
    uint64_t seed = (uint64_t)_i * 15485863 + 11;
    struct kept events[RF_INTERVAL_TIMES_MAX];
    struct rf_value values[2][FEATURES];
    struct run runs[2] = {0};
    setup(seed);
    for (int i = 0; i < RF_INTERVAL_TIMES_MAX; i++)
        events[i] = random_event(&seed, START, 60);
    events[RF_INTERVAL_TIMES_MAX - 1].time = START + 100;

    for (int turn = 0; turn < 2; turn++) {
        run_open(&runs[turn]);
        for (int i = 0; i < RF_INTERVAL_TIMES_MAX; i++)
            fold(&runs[turn], &events[i]);
        rf_engine_features(runs[turn].engine, &runs[turn].customer, START + 100, &runs[turn].arena,
                           values[turn]);
        for (int i = RF_INTERVAL_TIMES_MAX - 2; i > 0; i--) {
            size_t j = fixture_random_below(&seed, (uint64_t)i + 1);
            struct kept swap = events[i];
            events[i] = events[j];
            events[j] = swap;
        }
    }

    for (uint32_t i = 0; i < FEATURES; i++) {
        if (f.features[i].half_life == 0)
            ck_assert_msg(rf_value_equal(values[0][i], values[1][i]), "feature %u", i);
    }
    run_close(&runs[0]);
    run_close(&runs[1]);
    fixture_deinit(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine: aggregates against a recount");
    TCase *tcase = tcase_create("aggregates");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, random_streams_come_to_what_a_recount_says_whatever_the_batches, 0,
                        40);
    tcase_add_loop_test(tcase, another_order_of_arrival_gives_the_same_bits, 0, 40);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
