/* core/engine: an event is gathered, added and judged; what fails changes nothing. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "support/plan_fixture.h"

#define START INT64_C(1700000000000)

static struct fixture f;
static struct rf_arena arena;
static struct rf_engine *engine;
static struct rf_customer alice;
static uint32_t calls, complaints;

static void setup(void)
{
    fixture_init(&f);
    rf_arena_init(&arena, 64U << 10);
    calls = fixture_source(&f, "calls", RF_DAY_MS);
    complaints = fixture_source(&f, "complaints", 0);
    engine = NULL;
}

static void teardown(void)
{
    rf_engine_close(engine);
    rf_arena_deinit(&arena);
    fixture_deinit(&f);
}

/* After the plan is complete. */
static void open_engine(void)
{
    engine = rf_engine_open(&f.plan);
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &alice);
}

static uint32_t feature(struct rf_feature made, const char *where, const char *value)
{
    const struct rf_expr *where_expr =
        where == NULL ? NULL : fixture_expr(&f, where, &rf_type_bool);
    const struct rf_expr *value_expr = value == NULL ? NULL : fixture_expr(&f, value, NULL);
    uint32_t index = 0;

    if (made.state_type == NULL && value_expr != NULL)
        made.state_type = rf_expr_type(value_expr);
    index = fixture_feature(&f, made);
    fixture_listen(&f, index, calls, where_expr, value_expr);
    return index;
}

static uint32_t expression(const char *name, const char *text)
{
    return fixture_feature(&f, (struct rf_feature){.name = name,
                                                   .kind = RF_FEATURE_EXPR,
                                                   .expr = fixture_expr(&f, text, NULL)});
}

static void fold(const struct rf_event *event, struct rf_fold *result)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_engine_fold(engine, &alice, event, RF_MS_MIN, &arena, result, &err), "%s",
                  err.message);
}

static struct rf_value value_at(uint32_t index, rf_ms now)
{
    struct rf_value *values = rf_arena_alloc(&arena, f.plan.feature_count * sizeof *values);

    rf_engine_features(engine, &alice, now, &arena, values);
    return values[index];
}

static struct rf_value value_of(uint32_t index)
{
    return value_at(index, alice.as_of);
}

/* Folds a call with `amount` at START + after. */
static struct rf_fold call(rf_ms after, double amount)
{
    struct rf_event event;
    struct rf_fold result;
    struct rf_value *fields = fixture_event(&arena, calls, START + after, &event);

    fields[FIELD_AMOUNT] = rf_value_double(amount);
    fold(&event, &result);
    return result;
}

static struct rf_bytes bytes_of_alice(void)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&arena, &f.plan);
    struct rf_value *values = rf_arena_alloc(&arena, f.plan.feature_count * sizeof *values);
    struct rf_buffer out;
    struct rf_bytes bytes;

    rf_engine_features(engine, &alice, alice.as_of, &arena, values);
    rf_buffer_init(&out, 1U << 20);
    rf_customer_encode(codec, &alice, values, &out);
    bytes = rf_arena_copy(&arena, rf_buffer_bytes(&out));
    rf_buffer_deinit(&out);
    return bytes;
}

START_TEST(only_features_that_listen_to_the_source_change)
{
    uint32_t count =
        feature((struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    uint32_t both = feature((struct rf_feature){.name = "m", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    fixture_listen(&f, both, complaints, NULL, NULL);
    open_engine();
    struct rf_event event;
    struct rf_fold result;

    call(0, 1);
    fixture_event(&arena, complaints, START + 1, &event);
    fold(&event, &result);

    ck_assert_int_eq(value_of(count).as.integer, 1);
    ck_assert_int_eq(value_of(both).as.integer, 2);
    ck_assert_int_eq(alice.event_count, 2);
    ck_assert_int_eq(alice.first_seen, START);
    ck_assert_int_eq(alice.as_of, START + 1);
}
END_TEST

START_TEST(where_and_value_see_the_customer_as_it_was_before_the_event)
{
    uint32_t count =
        feature((struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    uint32_t later =
        feature((struct rf_feature){.name = "later", .kind = RF_FEATURE_SUM}, "n >= 2", "n * 10");
    open_engine();

    call(0, 1);
    call(1, 1);
    ck_assert_int_eq(value_of(later).as.integer, 0);
    call(2, 1);

    ck_assert_int_eq(value_of(count).as.integer, 3);
    ck_assert_int_eq(value_of(later).as.integer, 20);
}
END_TEST

START_TEST(an_event_that_cannot_be_evaluated_changes_nothing)
{
    feature((struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    feature((struct rf_feature){.name = "share", .kind = RF_FEATURE_SUM}, NULL,
            "100 / event.number");
    open_engine();
    call(0, 1);
    struct rf_bytes before = bytes_of_alice();
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};
    fixture_event(&arena, calls, START + 1, &event)[FIELD_NUMBER] = rf_value_int(0);
    event.id_hash = 77;

    ck_assert(!rf_engine_fold(engine, &alice, &event, RF_MS_MIN, &arena, &result, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    ck_assert_ptr_nonnull(strstr(err.message, "feature `share`: "));
    ck_assert(rf_bytes_equal(bytes_of_alice(), before));
}
END_TEST

START_TEST(a_number_that_is_not_finite_is_a_dead_letter_and_a_null_adds_nothing)
{
    uint32_t sum =
        feature((struct rf_feature){.name = "sum", .kind = RF_FEATURE_SUM}, NULL, "event.amount");
    uint32_t maybe = fixture_feature(
        &f,
        (struct rf_feature){.name = "maybe", .kind = RF_FEATURE_MAX, .state_type = &rf_type_int});
    fixture_listen(&f, maybe, calls, NULL, fixture_expr(&f, "event.maybe", NULL));
    open_engine();
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};

    call(0, 2.5);
    fixture_event(&arena, calls, START, &event)[FIELD_AMOUNT] = rf_value_double((double)INFINITY);
    ck_assert(!rf_engine_fold(engine, &alice, &event, RF_MS_MIN, &arena, &result, &err));

    ck_assert_ptr_nonnull(strstr(err.message, "no finite number"));
    ck_assert_double_eq(value_of(sum).as.number, 2.5);
    ck_assert_int_eq(value_of(maybe).kind, RF_VALUE_NULL);
    fixture_event(&arena, calls, START, &event)[FIELD_MAYBE] = rf_value_int(-4);
    fold(&event, &result);
    ck_assert_int_eq(value_of(maybe).as.integer, -4);
}
END_TEST

START_TEST(a_time_that_no_calendar_has_is_a_dead_letter)
{
    feature((struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    open_engine();
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};
    fixture_event(&arena, calls, START, &event);
    event.time = INT64_MAX;

    ck_assert(!rf_engine_fold(engine, &alice, &event, RF_MS_MIN, &arena, &result, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    ck_assert_int_eq(alice.event_count, 0);
}
END_TEST

START_TEST(first_and_last_go_by_event_time_and_ties_by_arrival)
{
    uint32_t first = feature((struct rf_feature){.name = "first", .kind = RF_FEATURE_FIRST}, NULL,
                             "event.amount");
    uint32_t last =
        feature((struct rf_feature){.name = "last", .kind = RF_FEATURE_LAST}, NULL, "event.amount");
    uint32_t recent =
        feature((struct rf_feature){.name = "recent", .kind = RF_FEATURE_LAST, .window = 100}, NULL,
                "event.amount");
    uint32_t text = feature((struct rf_feature){.name = "text", .kind = RF_FEATURE_LAST}, NULL,
                            "event.text + '!'");
    open_engine();
    ck_assert_int_eq(value_of(first).kind, RF_VALUE_NULL);

    call(50, 1);
    call(50, 2);
    ck_assert_double_eq(value_of(first).as.number, 1);
    ck_assert_double_eq(value_of(last).as.number, 2);
    call(10, 3);
    call(10, 4);

    ck_assert_double_eq(value_of(first).as.number, 3);
    ck_assert_double_eq(value_of(last).as.number, 2);
    ck_assert_double_eq(value_at(recent, START + 149).as.number, 2);
    ck_assert_int_eq(value_at(recent, START + 150).kind, RF_VALUE_NULL);
    ck_assert(rf_bytes_equal(value_of(text).as.text, rf_bytes_of_text("text!")));
}
END_TEST

START_TEST(instants_are_kept_to_the_millisecond_as_they_are_stored)
{
    uint32_t last = feature((struct rf_feature){.name = "last", .kind = RF_FEATURE_LAST}, NULL,
                            "event.instant");
    uint32_t longest = feature((struct rf_feature){.name = "longest", .kind = RF_FEATURE_MAX}, NULL,
                               "event.length");
    open_engine();
    struct rf_event event;
    struct rf_fold result;
    struct rf_value *fields = fixture_event(&arena, calls, START, &event);
    fields[FIELD_INSTANT] = rf_value_timestamp(5, 123456789);
    fields[FIELD_LENGTH] = rf_value_duration(-1, -500000000);

    fold(&event, &result);

    ck_assert_int_eq(value_of(last).nanoseconds, 123000000);
    ck_assert_int_eq(value_of(longest).as.seconds, -1);
    ck_assert_int_eq(value_of(longest).nanoseconds, -500000000);
}
END_TEST

START_TEST(an_id_counts_once_within_its_span)
{
    uint32_t count =
        feature((struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    open_engine();
    struct rf_event event;
    struct rf_fold result;

    fixture_event(&arena, calls, START, &event);
    event.id_hash = 42;
    fold(&event, &result);
    ck_assert_int_eq(result.result, RF_FOLD_DONE);
    struct rf_bytes before = bytes_of_alice();
    fold(&event, &result);

    ck_assert_int_eq(result.result, RF_FOLD_DUPLICATE);
    ck_assert(rf_bytes_equal(bytes_of_alice(), before));
    fixture_event(&arena, calls, START + RF_DAY_MS + 1, &event);
    event.id_hash = 42;
    fold(&event, &result);
    ck_assert_int_eq(result.result, RF_FOLD_DONE);
    ck_assert_int_eq(value_of(count).as.integer, 2);
}
END_TEST

START_TEST(an_id_too_old_for_its_source_is_not_kept_for_a_longer_one)
{
    f.sources[complaints].dedup = RF_HOUR_MS;
    feature((struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    open_engine();
    struct rf_event event;
    struct rf_fold result;
    call(0, 1);

    fixture_event(&arena, complaints, START - RF_HOUR_MS - 1, &event);
    event.id_hash = 1;
    fold(&event, &result);
    ck_assert_uint_eq(alice.seen_count, 0);
    fixture_event(&arena, complaints, START - RF_HOUR_MS, &event);
    event.id_hash = 2;
    fold(&event, &result);

    ck_assert_uint_eq(alice.seen_count, 1);
    ck_assert_uint_eq(alice.seen[0].hash, 2);
}
END_TEST

START_TEST(expressions_are_computed_in_order_and_null_where_they_fail)
{
    uint32_t sum =
        feature((struct rf_feature){.name = "total", .kind = RF_FEATURE_SUM}, NULL, "event.number");
    uint32_t inverse = expression("inverse", "100 / (total - 1)");
    uint32_t twice = expression("twice", "inverse * 2");
    uint32_t age = expression("age", "now - timestamp('2023-11-14T22:13:20Z')");
    uint32_t id = expression("id", "'customer ' + customer.id");
    open_engine();

    call(0, 1);
    ck_assert_int_eq(value_of(sum).as.integer, 1);
    ck_assert_int_eq(value_of(inverse).kind, RF_VALUE_NULL);
    ck_assert_int_eq(value_of(twice).kind, RF_VALUE_NULL);
    call(1000, 1);

    ck_assert_int_eq(value_of(inverse).as.integer, 100);
    ck_assert_int_eq(value_of(twice).as.integer, 200);
    ck_assert_int_eq(value_of(age).as.seconds, 1);
    ck_assert_int_eq(value_at(age, START + 5000).as.seconds, 5);
    ck_assert_int_eq(value_at(age, START).as.seconds, 1); /* never before as_of */
    ck_assert(rf_bytes_equal(value_of(id).as.text, rf_bytes_of_text("customer alice")));
}
END_TEST

START_TEST(customers_do_not_see_each_other)
{
    uint32_t rate = feature(
        (struct rf_feature){.name = "rate", .kind = RF_FEATURE_DECAY, .half_life = RF_DAY_MS}, NULL,
        NULL);
    uint32_t twice = expression("twice", "rate * 2.0");
    open_engine();
    struct rf_customer bob;
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};
    struct rf_value values[2];
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("bob"), &bob);

    call(0, 1);
    fixture_event(&arena, calls, START + 50 * RF_DAY_MS, &event);
    ck_assert(rf_engine_fold(engine, &bob, &event, RF_MS_MIN, &arena, &result, &err));
    call(0, 1);
    rf_engine_features(engine, &bob, bob.as_of, &arena, values);

    ck_assert_double_eq(value_of(rate).as.number, 2.0);
    ck_assert_double_eq(value_of(twice).as.number, 4.0);
    ck_assert_double_eq(values[0].as.number, 1.0);
}
END_TEST

/* ---- customer, cases, counts ---------------------------------------------------------------------- */

static void fold_text(rf_ms time, const char *text, bool flag, struct rf_fold *result)
{
    struct rf_event event;
    struct rf_value *fields = fixture_event(&arena, calls, time, &event);

    fields[FIELD_TEXT] = rf_value_string(rf_bytes_of_text(text));
    fields[FIELD_FLAG] = rf_value_bool(flag);
    fold(&event, result);
}

START_TEST(the_customer_is_known_with_the_event_at_hand)
{
    struct rf_fold result;
    uint32_t before = feature((struct rf_feature){.name = "before", .kind = RF_FEATURE_LAST}, NULL,
                              "customer.events");
    uint32_t first = feature((struct rf_feature){.name = "first_look", .kind = RF_FEATURE_LAST},
                             NULL, "customer.first_seen");
    uint32_t tenure = expression("tenure", "now - customer.first_seen");
    uint32_t events = expression("many", "customer.events");
    fixture_rule(&f, (struct rf_rule){.name = "third",
                                      .when = fixture_expr(&f, "customer.events == 3", NULL)});
    open_engine();

    fold_text(START, "a", true, &result);
    ck_assert_int_eq(value_of(before).as.integer, 1);
    ck_assert_int_eq(rf_value_to_ms(value_of(tenure)), 0);
    fold_text(START + 9000, "a", true, &result);
    ck_assert_uint_eq(result.derived_count, 0);
    fold_text(START - 1000, "a", true, &result); /* late */

    ck_assert_uint_eq(result.derived_count, 1);
    ck_assert_int_eq(value_of(events).as.integer, 3);
    ck_assert_int_eq(value_of(before).as.integer, 2); /* the last by its time */
    ck_assert_int_eq(rf_value_to_ms(value_of(first)), START);
    ck_assert_int_eq(rf_value_to_ms(value_of(tenure)), 10000);
    ck_assert_int_eq(rf_value_to_ms(value_at(tenure, START + 19000)), 20000);
}
END_TEST

/* An expression over the customer's count changes with every event, of whatever kind. */
START_TEST(a_rule_that_reads_the_customers_count_through_a_feature_is_asked_at_each_event)
{
    struct rf_fold result;
    struct rf_event event;
    uint32_t n = feature((struct rf_feature){.name = "n", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    expression("share", "double(n) / double(customer.events)");
    fixture_rule(&f, (struct rf_rule){.name = "diluted",
                                      .when = fixture_expr(&f, "share < 0.6 && n > 0", NULL)});
    open_engine();
    fold_text(START, "a", true, &result);
    ck_assert_uint_eq(result.derived_count, 0);

    fixture_event(&arena, complaints, START + 1, &event); /* no feature listens */
    fold(&event, &result);

    ck_assert_uint_eq(result.derived_count, 1);
    ck_assert_int_eq(value_of(n).as.integer, 1);
}
END_TEST

START_TEST(a_rule_sees_open_cases_and_gives_them_as_its_reason)
{
    struct rf_fold result;
    static const uint32_t reasons[] = {0};
    uint32_t open = fixture_feature(
        &f, (struct rf_feature){.name = "open_complaints", .kind = RF_FEATURE_CASES});
    fixture_listen_cases(&f, open, calls, fixture_expr(&f, "event.flag", NULL),
                         fixture_expr(&f, "!event.flag", NULL),
                         fixture_expr(&f, "event.text", NULL));
    fixture_rule(&f, (struct rf_rule){.name = "two",
                                      .when = fixture_expr(&f, "open_complaints.size() > 1", NULL),
                                      .reason_features = reasons,
                                      .reason_count = 1});
    open_engine();
    fold_text(START, "c-1", true, &result);
    ck_assert_uint_eq(result.derived_count, 0);

    fold_text(START + 1, "c-2", true, &result);

    ck_assert_uint_eq(result.derived_count, 1);
    ck_assert_uint_eq(result.derived[0].reasons[0].value.as.list->count, 2);
    fold_text(START + 2, "c-1", false, &result);
    ck_assert_uint_eq(result.derived_count, 0);
    ck_assert_uint_eq(value_of(open).as.list->count, 1);
}
END_TEST

START_TEST(what_no_feature_uses_makes_no_dead_letter_and_a_key_too_long_does)
{
    static char text[RF_KEY_SIZE_MAX + 2];
    struct rf_fold result;
    struct rf_event event;
    struct rf_error err = {0};
    feature(
        (struct rf_feature){.name = "best", .kind = RF_FEATURE_TOP, .key_type = &rf_type_string},
        "event.flag", "event.text");
    open_engine();
    memset(text, 'x', sizeof text - 1);
    fold_text(START, text, false, &result);
    text[RF_KEY_SIZE_MAX] = 0;
    fold_text(START, text, true, &result);
    text[RF_KEY_SIZE_MAX] = 'x';
    struct rf_value *fields = fixture_event(&arena, calls, START, &event);
    fields[FIELD_TEXT] = rf_value_string(rf_bytes_of_text(text));

    ck_assert(!rf_engine_fold(engine, &alice, &event, RF_MS_MIN, &arena, &result, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    ck_assert_ptr_nonnull(strstr(err.message, "feature `best`: its value has 1025 bytes"));
    ck_assert_int_eq(alice.event_count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/engine");
    TCase *tcase = tcase_create("engine");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, only_features_that_listen_to_the_source_change);
    tcase_add_test(tcase, where_and_value_see_the_customer_as_it_was_before_the_event);
    tcase_add_test(tcase, an_event_that_cannot_be_evaluated_changes_nothing);
    tcase_add_test(tcase, a_number_that_is_not_finite_is_a_dead_letter_and_a_null_adds_nothing);
    tcase_add_test(tcase, a_time_that_no_calendar_has_is_a_dead_letter);
    tcase_add_test(tcase, first_and_last_go_by_event_time_and_ties_by_arrival);
    tcase_add_test(tcase, instants_are_kept_to_the_millisecond_as_they_are_stored);
    tcase_add_test(tcase, an_id_counts_once_within_its_span);
    tcase_add_test(tcase, an_id_too_old_for_its_source_is_not_kept_for_a_longer_one);
    tcase_add_test(tcase, expressions_are_computed_in_order_and_null_where_they_fail);
    tcase_add_test(tcase, customers_do_not_see_each_other);
    tcase_add_test(tcase, the_customer_is_known_with_the_event_at_hand);
    tcase_add_test(tcase,
                   a_rule_that_reads_the_customers_count_through_a_feature_is_asked_at_each_event);
    tcase_add_test(tcase, a_rule_sees_open_cases_and_gives_them_as_its_reason);
    tcase_add_test(tcase, what_no_feature_uses_makes_no_dead_letter_and_a_key_too_long_does);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
