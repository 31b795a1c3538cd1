/* core/codec/customer_*_states: the states that are by key, of intervals and of cases, as an engine makes them:
 * read by any Avro reader, kept through changes of the plan, and refused or harmless where bytes are damaged. */
#include <avro.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "edge/formats/avro_schema.h"
#include "support/plan_fixture.h"

#define START INT64_C(1700000000000)

static struct fixture f;
static struct rf_arena arena;
static struct rf_engine *engine;
static const struct rf_customer_codec *codec;
static uint64_t seed;

static void add(struct rf_feature feature, const char *value)
{
    uint32_t index = 0;

    if (feature.name == NULL)
        feature.name = rf_arena_printf(&f.arena, "f%zu", f.plan.feature_count);
    index = fixture_feature(&f, feature);
    fixture_listen(&f, index, 0, NULL, value == NULL ? NULL : fixture_expr(&f, value, NULL));
}

/* Each kind of key with each kind of number: since ever, in a window, with a half-life. */
static void add_tallies(void)
{
    static const struct {
        enum rf_feature_kind kind;
        const struct rf_type *key;
        const char *value;
    } rows[] = {
        {RF_FEATURE_MEAN, NULL, "event.amount"},
        {RF_FEATURE_QUANTILE, NULL, "event.amount"},
        {RF_FEATURE_TOP, &rf_type_string, "event.text"},
        {RF_FEATURE_ENTROPY, &rf_type_bool, "event.flag"},
        {RF_FEATURE_COUNT_BY, &rf_type_int, "event.number"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int how = 0; how < 3; how++) {
            if (how == 2 && rows[i].kind == RF_FEATURE_COUNT_BY)
                continue;
            add((struct rf_feature){.kind = rows[i].kind,
                                    .key_type = rows[i].key,
                                    .window = how == 1 ? RF_DAY_MS : 0,
                                    .bucket = how == 1 ? RF_HOUR_MS : 0,
                                    .half_life = how == 2 ? RF_DAY_MS : 0,
                                    .q = 0.5},
                rows[i].value);
        }
    }
}

static void make_plan(void)
{
    uint32_t cases = 0;

    fixture_source(&f, "calls", 0);
    add_tallies();
    add((struct rf_feature){.kind = RF_FEATURE_TREND,
                            .state_type = &rf_type_int,
                            .window = RF_DAY_MS,
                            .bucket = RF_HOUR_MS},
        NULL);
    add((struct rf_feature){.name = "gap", .kind = RF_FEATURE_INTERVAL, .stat = RF_STAT_STDDEV},
        NULL);
    cases = fixture_feature(&f, (struct rf_feature){.name = "cases", .kind = RF_FEATURE_CASES});
    fixture_listen_cases(&f, cases, 0, fixture_expr(&f, "event.number % 2 == 0", NULL),
                         fixture_expr(&f, "event.number % 2 == 1", NULL),
                         fixture_expr(&f, "event.text", NULL));
    fixture_feature(&f, (struct rf_feature){.name = "resolution",
                                            .kind = RF_FEATURE_CASES_OF,
                                            .stat = RF_STAT_RESOLUTION_MEAN,
                                            .of = cases});
}

static void setup(void)
{
    fixture_init(&f);
    rf_arena_init(&arena, 64U << 10);
    seed = 1;
    make_plan();
    engine = rf_engine_open(&f.plan);
    codec = rf_customer_codec_make(&f.arena, &f.plan);
}

static void teardown(void)
{
    rf_engine_close(engine);
    rf_arena_deinit(&arena);
    fixture_deinit(&f);
}

static void fold(struct rf_engine *with, struct rf_customer *customer)
{
    rf_ms as_of = customer->event_count == 0 ? START : customer->as_of;
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};
    struct rf_value *fields = fixture_event(
        &arena, 0, as_of + (rf_ms)fixture_random_below(&seed, 7200000) - 3000000, &event);
    char *text = rf_arena_printf(&arena, "v%d", (int)fixture_random_below(&seed, 70));

    fields[FIELD_TEXT] = rf_value_string(rf_bytes_of_text(text));
    fields[FIELD_AMOUNT] = rf_value_double((double)fixture_random_below(&seed, 99999) - 9999.0);
    fields[FIELD_NUMBER] = rf_value_int((int64_t)fixture_random_below(&seed, 9));
    fields[FIELD_FLAG] = rf_value_bool(fixture_random_below(&seed, 2) == 0);
    ck_assert_msg(rf_engine_fold(with, customer, &event, RF_MS_MIN, &arena, &result, &err), "%s",
                  err.message);
}

static void random_customer(struct rf_customer *customer)
{
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), customer);
    for (uint64_t i = 1 + fixture_random_below(&seed, 1 + fixture_random_below(&seed, 200)); i > 0;
         i--)
        fold(engine, customer);
}

static struct rf_bytes encode(const struct rf_customer_codec *with, struct rf_engine *of,
                              const struct rf_customer *customer)
{
    struct rf_value *values = rf_arena_alloc_zero(&arena, f.plan.feature_count * sizeof *values);
    struct rf_buffer out;
    struct rf_bytes bytes;

    rf_engine_features(of, customer, customer->as_of, &arena, values);
    rf_buffer_init(&out, 1U << 20);
    rf_customer_encode(with, customer, values, &out);
    ck_assert(!out.overflow);
    bytes = rf_arena_copy(&arena, rf_buffer_bytes(&out));
    rf_buffer_deinit(&out);
    return bytes;
}

static const struct rf_customer_layout *layout_of(const struct rf_customer_codec *reader,
                                                  const struct rf_schema *writer)
{
    const struct rf_customer_layout *layout = NULL;
    struct rf_error err = {0};

    ck_assert_msg(rf_customer_layout_make(&f.arena, reader, writer, &layout, &err), "%s",
                  err.message);
    return layout;
}

static void decode(const struct rf_customer_layout *layout, struct rf_bytes body,
                   struct rf_customer *customer)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_customer_decode(layout, body, &arena, customer, &err), "%s", err.message);
}

START_TEST(any_avro_reader_reads_it_by_the_text_of_its_schema)
{
    const char *text = rf_customer_codec_schema_text(codec);
    const struct rf_schema *parsed = NULL;
    avro_schema_t schema = NULL;
    avro_value_iface_t *iface = NULL;
    struct rf_error err = {0};

    ck_assert_msg(rf_avro_schema_parse(&f.arena, rf_bytes_of_text(text), NULL, 0, &parsed, &err),
                  "%s", err.message);
    ck_assert_uint_eq(rf_schema_fingerprint(parsed),
                      rf_schema_fingerprint(rf_customer_codec_schema(codec)));
    ck_assert_msg(avro_schema_from_json_length(text, strlen(text), &schema) == 0, "%s\n%s",
                  avro_strerror(), text);
    iface = avro_generic_class_from_schema(schema);
    for (int round = 0; round < 50; round++) {
        static char copy[1U << 20];
        struct rf_customer customer;
        random_customer(&customer);
        struct rf_bytes bytes = encode(codec, engine, &customer);
        avro_value_t record;
        avro_generic_value_new(iface, &record);
        avro_reader_t reader = avro_reader_memory((const char *)bytes.data, (int64_t)bytes.size);
        avro_writer_t writer = avro_writer_memory(copy, sizeof copy);

        ck_assert_msg(avro_value_read(reader, &record) == 0, "%s", avro_strerror());
        ck_assert_msg(avro_value_write(writer, &record) == 0, "%s", avro_strerror());

        ck_assert_int_eq(avro_writer_tell(writer), (int64_t)bytes.size);
        ck_assert_mem_eq(copy, bytes.data, bytes.size);
        avro_writer_free(writer);
        avro_reader_free(reader);
        avro_value_decref(&record);
        rf_arena_reset(&arena, 1U << 20);
    }
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
}
END_TEST

/* ---- another plan --------------------------------------------------------------------------------- */

/* The same features from the fifth on, then those before it; one redefined, one gone, and one that is new. */
static void change_plan(void)
{
    struct rf_feature old[32];
    size_t count = f.plan.feature_count;

    memcpy(old, f.features, count * sizeof *old);
    f.plan.feature_count = 0;
    for (size_t i = 5; i < count + 4; i++) {
        struct rf_feature feature = old[i < count ? i : i - count + 1]; /* feature 0 is gone */

        if (strcmp(feature.name, "gap") == 0)
            feature.state_name = "gap_ffffffff";
        if (feature.kind == RF_FEATURE_CASES_OF)
            feature.of -= 5;
        f.features[f.plan.feature_count++] = feature;
    }
    add((struct rf_feature){.name = "new", .kind = RF_FEATURE_TOP, .key_type = &rf_type_string},
        "event.text");
}

static size_t find(const char *name)
{
    size_t i = 0;

    while (strcmp(f.features[i].name, name) != 0) {
        i++;
        ck_assert_uint_lt(i, f.plan.feature_count);
    }
    return i;
}

START_TEST(a_changed_plan_goes_on_with_what_it_still_has_and_starts_the_rest_empty)
{
    struct rf_customer customer, again;
    struct rf_value before[32], after[32];
    const char *names[32];
    size_t count = f.plan.feature_count;
    random_customer(&customer);
    for (int i = 0; i < 30; i++)
        fold(engine, &customer);
    struct rf_bytes bytes = encode(codec, engine, &customer);
    rf_engine_features(engine, &customer, customer.as_of, &arena, before);
    for (size_t i = 0; i < count; i++)
        names[i] = f.features[i].name;
    rf_engine_close(engine);
    change_plan();
    engine = rf_engine_open(&f.plan);
    const struct rf_customer_codec *changed = rf_customer_codec_make(&f.arena, &f.plan);

    decode(layout_of(changed, rf_customer_codec_schema(codec)), bytes, &again);

    rf_engine_features(engine, &again, again.as_of, &arena, after);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i], "gap") != 0)
            ck_assert_msg(rf_value_equal(before[i], after[find(names[i])]), "%s", names[i]);
    }
    ck_assert_int_eq(after[find("gap")].kind, RF_VALUE_NULL);
    ck_assert_int_eq(after[find("new")].kind, RF_VALUE_NULL);
    fold(engine, &again);
    decode(layout_of(changed, rf_customer_codec_schema(changed)), encode(changed, engine, &again),
           &customer);
    rf_engine_features(engine, &customer, customer.as_of, &arena, after);
    ck_assert_int_eq(after[find("new")].kind, RF_VALUE_STRING);
}
END_TEST

/* What a version wrote that knew none of these. */
START_TEST(a_record_of_before_is_read)
{
    struct rf_plan before = f.plan;
    struct rf_customer customer, again;
    before.feature_count = 0;
    const struct rf_customer_codec *old = rf_customer_codec_make(&f.arena, &before);
    rf_customer_init(&arena, &before, rf_bytes_of_text("alice"), &customer);
    customer.first_seen = customer.as_of = START;
    customer.event_count = 1;
    struct rf_buffer out;
    rf_buffer_init(&out, 1000);
    rf_customer_encode(old, &customer, NULL, &out);
    struct rf_bytes bytes = rf_arena_copy(&arena, rf_buffer_bytes(&out));
    rf_buffer_deinit(&out);

    decode(layout_of(codec, rf_customer_codec_schema(old)), bytes, &again);

    ck_assert_int_eq(again.event_count, 1);
    fold(engine, &again);
    ck_assert_int_eq(again.event_count, 2);
}
END_TEST

/* ---- damage --------------------------------------------------------------------------------------- */

START_TEST(a_record_cut_off_anywhere_is_damaged)
{
    const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));
    struct rf_customer customer, again;
    random_customer(&customer);
    for (int i = 0; i < 60; i++)
        fold(engine, &customer);
    struct rf_bytes bytes = encode(codec, engine, &customer);

    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = malloc(size + 1);
        struct rf_error err = {0};
        memcpy(copy, bytes.data, size);

        ck_assert(!rf_customer_decode(layout, rf_bytes_of(copy, size), &arena, &again, &err));

        ck_assert_int_eq(err.kind, RF_ERROR_STATE);
        free(copy);
        rf_arena_reset(&arena, 1U << 20);
    }
}
END_TEST

/* Some damage is another valid record: the engine takes it as one, and an assertion of it would end the test. */
START_TEST(bytes_damaged_at_random_are_refused_or_make_a_customer_that_can_be_folded_on)
{
    const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));
    struct rf_arena kept;
    struct rf_customer customer;
    int refused = 0, taken = 0;
    rf_arena_init(&kept, 64U << 10);

    for (int round = 0; round < 6000; round++) {
        static struct rf_bytes bytes;
        struct rf_customer again;
        struct rf_error err = {0};

        if (round % 20 == 0) {
            random_customer(&customer);
            rf_arena_reset(&kept, 1U << 20);
            bytes = rf_arena_copy(&kept, encode(codec, engine, &customer));
        }
        uint8_t *copy = malloc(bytes.size);
        memcpy(copy, bytes.data, bytes.size);
        for (uint64_t i = 1 + fixture_random_below(&seed, 3); i > 0; i--)
            copy[fixture_random_below(&seed, bytes.size)] ^=
                (uint8_t)(1U << fixture_random_below(&seed, 8));

        if (rf_customer_decode(layout, rf_bytes_of(copy, bytes.size), &arena, &again, &err)) {
            taken++;
            if (again.as_of < RF_MS_MAX - RF_DAY_MS && again.as_of > RF_MS_MIN + RF_DAY_MS) {
                fold(engine, &again);
                fold(engine, &again);
            }
            (void)encode(codec, engine, &again);
        } else {
            ck_assert_int_eq(err.kind, RF_ERROR_STATE);
            refused++;
        }
        free(copy);
        rf_arena_reset(&arena, 1U << 20);
    }
    ck_assert_int_gt(refused, 1000);
    ck_assert_int_gt(taken, 1000);
    rf_arena_deinit(&kept);
}
END_TEST

/* ---- what the engine relies on -------------------------------------------------------------------- */

static size_t feature_of(enum rf_feature_kind kind)
{
    size_t i = 0;

    while (f.features[i].kind != kind) /* the first is the one since ever */
        i++;
    return i;
}

static void refuse(enum rf_feature_kind kind, struct rf_feature_state state, const char *why)
{
    struct rf_customer customer, again;
    struct rf_error err = {0};
    struct rf_value *values = rf_arena_alloc_zero(&arena, f.plan.feature_count * sizeof *values);
    struct rf_buffer out;

    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &customer);
    customer.first_seen = customer.as_of = START;
    customer.event_count = 1;
    customer.features[feature_of(kind)] = state;
    rf_buffer_init(&out, 1U << 20);
    rf_customer_encode(codec, &customer, values, &out);

    ck_assert(!rf_customer_decode(layout_of(codec, rf_customer_codec_schema(codec)),
                                  rf_buffer_bytes(&out), &arena, &again, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_STATE);
    ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
    rf_buffer_deinit(&out);
}

static struct rf_tally number_by(int64_t key, double number)
{
    return (struct rf_tally){.key = rf_value_int(key),
                             .state = {.set = true, .value = rf_value_double(number)}};
}

static struct rf_tally count_by(int64_t key)
{
    return (struct rf_tally){.key = rf_value_int(key),
                             .state = {.set = true, .value = rf_value_int(1)}};
}

START_TEST(keys_that_cannot_be_are_damage)
{
    struct rf_tally one[] = {number_by(0, 1)};
    struct rf_tally other[] = {number_by(0, 1), number_by(2, 1)};
    struct rf_tally three[] = {number_by(0, 1), number_by(1, 1), number_by(2, 1)};
    struct rf_tally bins[] = {count_by(4), count_by(4)};
    struct rf_tally far[] = {count_by(INT64_MIN)};
    struct rf_tally *many = rf_arena_alloc(&arena, (RF_TALLY_BINS_MAX + 1) * sizeof *many);
    for (int i = 0; i <= RF_TALLY_BINS_MAX; i++)
        many[i] = count_by(i);

    refuse(RF_FEATURE_MEAN, (struct rf_feature_state){.count = 1, .tallies = one}, "of one number");
    refuse(RF_FEATURE_MEAN, (struct rf_feature_state){.count = 2, .tallies = other},
           "neither weights nor values");
    refuse(RF_FEATURE_MEAN, (struct rf_feature_state){.count = 3, .tallies = three},
           "too many keys");
    refuse(RF_FEATURE_QUANTILE, (struct rf_feature_state){.count = 2, .tallies = bins},
           "keys out of order");
    refuse(RF_FEATURE_QUANTILE, (struct rf_feature_state){.count = 1, .tallies = far},
           "a bin out of range");
    refuse(RF_FEATURE_QUANTILE,
           (struct rf_feature_state){.count = RF_TALLY_BINS_MAX + 1, .tallies = many},
           "too many keys");
    refuse(RF_FEATURE_COUNT_BY,
           (struct rf_feature_state){.count = RF_TALLY_VALUES + 1, .tallies = many},
           "too many keys");
}
END_TEST

START_TEST(events_between_which_there_is_no_time_are_damage)
{
    static const struct {
        struct rf_interval interval;
        const char *why;
    } rows[] = {
        {{.count = 2, .time_count = 1, .times = {START}, .first = START}, "events that cannot be"},
        {{.count = 1, .time_count = 2, .times = {START - 1, START}, .first = START - 1},
         "events that cannot be"},
        {{.count = 2, .time_count = 2, .times = {START, START - 1}, .first = START - 1},
         "times out of order"},
        {{.count = 2, .time_count = 2, .times = {START - 1, START}, .first = START},
         "times out of order"},
        {{.count = 2, .time_count = 2, .times = {START - 1, START}, .first = 0, .squares = -1},
         "a variance that cannot be"},
        {{.count = 2, .time_count = 2, .times = {START, START + 1}, .first = 0},
         "later than its as_of"},
        {{.count = 2, .settled = 1, .time_count = 2, .times = {START - 1, START}, .first = 0},
         "events that cannot be"},
    };
    struct rf_interval interval = rows[_i].interval;

    refuse(RF_FEATURE_INTERVAL, (struct rf_feature_state){.interval = &interval}, rows[_i].why);
}
END_TEST

/* Its first mark is of before 1970, and none has opened it: there is no instant of its opening. */
START_TEST(a_case_that_was_only_closed_reads_back)
{
    struct rf_customer customer, again;
    struct rf_bytes bytes;

    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &customer);
    for (rf_ms i = 0; i < 2 * RF_CASE_MARKS_MAX; i++) {
        struct rf_event event;
        struct rf_fold result;
        struct rf_error err = {0};
        struct rf_value *fields = fixture_event(&arena, 0, i * RF_DAY_MS - RF_HOUR_MS, &event);

        fields[FIELD_TEXT] = rf_value_string(rf_bytes_of_text("k1"));
        fields[FIELD_NUMBER] = rf_value_int(i == 0 ? 1 : 2);
        ck_assert(rf_engine_fold(engine, &customer, &event, RF_MS_MIN, &arena, &result, &err));
        bytes = encode(codec, engine, &customer);
        decode(layout_of(codec, rf_customer_codec_schema(codec)), bytes, &again);
        ck_assert(rf_bytes_equal(encode(codec, engine, &again), bytes));
    }
}
END_TEST

START_TEST(cases_that_cannot_be_are_damage)
{
    struct rf_case fine = {.id = rf_bytes_of_text("b"),
                           .settled = {.changed = RF_MS_MIN, .resolved_at = RF_MS_MIN},
                           .mark_count = 2,
                           .marks = {2 * START - 2, 2 * START}};
    struct rf_case twice[] = {fine, fine};
    struct rf_case none = fine, future = fine, before = fine;
    none.mark_count = 0;
    future.marks[1] = 2 * START + 3;
    before.settled.changed = START;
    struct rf_case *all[] = {twice, &none, &future, &before};
    static const char *const why[] = {"cases out of order", "times out of order",
                                      "later than its as_of", "times out of order"};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct rf_cases cases = {
            .resolved_at = RF_MS_MIN, .count = i == 0 ? 2 : 1, .items = all[i]};

        refuse(RF_FEATURE_CASES, (struct rf_feature_state){.cases = &cases}, why[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/customer_states");
    TCase *tcase = tcase_create("customer_states");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, any_avro_reader_reads_it_by_the_text_of_its_schema);
    tcase_add_test(tcase, a_case_that_was_only_closed_reads_back);
    tcase_add_test(tcase, a_changed_plan_goes_on_with_what_it_still_has_and_starts_the_rest_empty);
    tcase_add_test(tcase, a_record_of_before_is_read);
    tcase_add_test(tcase, a_record_cut_off_anywhere_is_damaged);
    tcase_add_test(tcase,
                   bytes_damaged_at_random_are_refused_or_make_a_customer_that_can_be_folded_on);
    tcase_add_test(tcase, keys_that_cannot_be_are_damage);
    tcase_add_loop_test(tcase, events_between_which_there_is_no_time_are_damage, 0, 7);
    tcase_add_test(tcase, cases_that_cannot_be_are_damage);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
