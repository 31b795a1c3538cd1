/* core/engine/explain: what is said of a rule is what the rule goes by. And core/codec/explanation_json. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/codec/explanation_json.h"
#include "core/engine/engine.h"
#include "core/engine/explain.h"
#include "core/model/feature.h"
#include "core/model/rule.h"
#include "support/plan_fixture.h"

#define START INT64_C(1700000000000)

static struct fixture f;
static struct rf_arena arena;
static struct rf_engine *engine;
static struct rf_explainer *explainer;
static struct rf_customer alice;
static struct rf_explanation explanation;
static uint32_t calls;

static void setup(void)
{
    uint32_t feature = 0;

    fixture_init(&f);
    rf_arena_init(&arena, 64U << 10);
    calls = fixture_source(&f, "calls", 0);
    feature = fixture_feature(&f, (struct rf_feature){.name = "dropped",
                                                      .kind = RF_FEATURE_COUNT,
                                                      .window = 7 * RF_DAY_MS,
                                                      .bucket = RF_HOUR_MS});
    fixture_listen(&f, feature, calls, fixture_expr(&f, "event.flag", NULL), NULL);
    feature =
        fixture_feature(&f, (struct rf_feature){.name = "answered", .kind = RF_FEATURE_COUNT});
    fixture_listen(&f, feature, calls, fixture_expr(&f, "!event.flag", NULL), NULL);
    feature = fixture_feature(&f, (struct rf_feature){.name = "spent",
                                                      .kind = RF_FEATURE_SUM,
                                                      .state_type = &rf_type_double});
    fixture_listen(&f, feature, calls, NULL, fixture_expr(&f, "event.amount", NULL));
    feature = fixture_feature(&f, (struct rf_feature){.name = "latest",
                                                      .kind = RF_FEATURE_MAX,
                                                      .state_type = &rf_type_timestamp});
    fixture_listen(&f, feature, calls, NULL, fixture_expr(&f, "event.time", NULL));
    engine = NULL;
    explainer = NULL;
}

static void teardown(void)
{
    rf_engine_close(engine);
    rf_explainer_close(explainer);
    rf_arena_deinit(&arena);
    fixture_deinit(&f);
}

static struct rf_rule rule_of(const char *when)
{
    return (struct rf_rule){.name = "r", .when = fixture_expr(&f, when, &rf_type_bool)};
}

static void open_with(struct rf_rule rule)
{
    fixture_rule(&f, rule);
    engine = rf_engine_open(&f.plan);
    explainer = rf_explainer_open(&f.plan);
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &alice);
}

static size_t call_at(rf_ms after, bool dropped)
{
    struct rf_event event;
    struct rf_fold result;
    struct rf_error err = {0};
    struct rf_value *fields = fixture_event(&arena, calls, START + after, &event);

    fields[FIELD_FLAG] = rf_value_bool(dropped);
    fields[FIELD_AMOUNT] = rf_value_double(2.5);
    ck_assert_msg(rf_engine_fold(engine, &alice, &event, START + after, &arena, &result, &err),
                  "%s", err.message);
    return result.derived_count;
}

static const struct rf_explained_rule *explain_at(rf_ms after)
{
    rf_explain(explainer, &alice, START + after, &arena, &explanation);
    ck_assert_uint_eq(explanation.rule_count, 1);
    return &explanation.rules[0];
}

static void assert_text(struct rf_bytes actual, const char *expected)
{
    ck_assert_msg(rf_bytes_equal(actual, rf_bytes_of_text(expected)), "%.*s", (int)actual.size,
                  (const char *)actual.data);
}

START_TEST(a_condition_is_explained_part_by_part_with_its_values)
{
    open_with(rule_of("dropped >= 3 &&\n  (answered > 0 || !(spent < 10.0))"));
    call_at(0, true);

    const struct rf_explained_rule *rule = explain_at(0);

    ck_assert_int_eq(rule->standing, RF_STANDING_CONDITION);
    ck_assert_int_eq(rule->when->truth, RF_TRUTH_FALSE);
    ck_assert_int_eq(rule->when->kind, RF_CONDITION_AND);
    assert_text(rule->when->text, "dropped >= 3 && (answered > 0 || !(spent < 10.0))");
    ck_assert_uint_eq(rule->when->part_count, 2);
    const struct rf_explained *first = &rule->when->parts[0];
    double gap = 0;
    assert_text(first->text, "dropped >= 3");
    ck_assert_int_eq(first->truth, RF_TRUTH_FALSE);
    ck_assert_uint_eq(first->read_count, 1);
    ck_assert_str_eq(first->reads[0].name, "dropped");
    ck_assert_int_eq(first->reads[0].value.as.integer, 1);
    ck_assert(rf_explained_gap(first, &gap));
    ck_assert_double_eq(gap, 2);
    const struct rf_explained *second = &rule->when->parts[1];
    ck_assert_int_eq(second->kind, RF_CONDITION_OR);
    ck_assert_int_eq(second->truth, RF_TRUTH_FALSE);
    ck_assert_int_eq(second->parts[0].truth, RF_TRUTH_FALSE);
    ck_assert_int_eq(second->parts[1].kind, RF_CONDITION_NOT);
    ck_assert_int_eq(second->parts[1].parts[0].truth, RF_TRUTH_TRUE);
    ck_assert_double_eq(second->parts[1].parts[0].left.as.number, 2.5);
}
END_TEST

START_TEST(what_is_read_of_the_customer_is_shown_like_a_feature)
{
    open_with(rule_of("customer.events + dropped < 5 && now - customer.first_seen > duration('1h') "
                      "&& customer.id != 'bob'"));
    call_at(0, true);
    call_at(1, false);

    const struct rf_explained *parts = explain_at(1)->when->parts;

    ck_assert_uint_eq(parts[0].read_count, 2);
    ck_assert_str_eq(parts[0].reads[0].name, "customer.events");
    ck_assert_int_eq(parts[0].reads[0].value.as.integer, 2);
    ck_assert_str_eq(parts[0].reads[1].name, "dropped");
    ck_assert_uint_eq(parts[1].read_count, 1);
    ck_assert_str_eq(parts[1].reads[0].name, "customer.first_seen");
    ck_assert(rf_value_equal(parts[1].reads[0].value, rf_value_timestamp_ms(START)));
    ck_assert_str_eq(parts[2].reads[0].name, "customer.id");
    assert_text(parts[2].reads[0].value.as.text, "alice");
}
END_TEST

START_TEST(a_part_that_cannot_be_evaluated_says_why)
{
    open_with(rule_of("dropped > 0 && 10 / answered > 3"));
    call_at(0, true);

    const struct rf_explained *part = &explain_at(0)->when->parts[1];

    ck_assert_int_eq(part->truth, RF_TRUTH_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(part->why, "zero"));
    ck_assert_int_eq(part->left.kind, RF_VALUE_NULL);
}
END_TEST

START_TEST(a_value_is_of_the_instant_that_is_asked_for)
{
    open_with(rule_of("dropped > 0"));
    call_at(0, true);

    ck_assert_int_eq(explain_at(RF_DAY_MS)->when->truth, RF_TRUTH_TRUE);
    ck_assert_int_eq(explain_at(8 * RF_DAY_MS)->when->truth, RF_TRUTH_FALSE);
    /* and one before the latest event counts as that */
    explain_at(-RF_DAY_MS);
    ck_assert_int_eq(explanation.now, START);
}
END_TEST

START_TEST(a_cooldown_is_told_with_its_end_and_then_the_rule_fires)
{
    struct rf_rule rule = rule_of("answered > 0");
    rule.cooldown = RF_DAY_MS;
    open_with(rule);

    ck_assert_uint_eq(call_at(0, false), 1);
    const struct rf_explained_rule *held = explain_at(RF_HOUR_MS);
    ck_assert_int_eq(held->standing, RF_STANDING_COOLDOWN);
    ck_assert_int_eq(held->until, START + RF_DAY_MS);
    ck_assert_int_eq(held->fired_count, 1);
    ck_assert_uint_eq(call_at(RF_DAY_MS - 1, false), 0);

    ck_assert_int_eq(explain_at(RF_DAY_MS)->standing, RF_STANDING_READY);
    ck_assert_uint_eq(call_at(RF_DAY_MS, false), 1);
}
END_TEST

START_TEST(a_condition_that_has_to_hold_is_told_with_since_and_until)
{
    struct rf_rule rule = rule_of("answered > 0");
    rule.hold = 2 * RF_DAY_MS;
    open_with(rule);

    ck_assert_uint_eq(call_at(0, false), 0);
    const struct rf_explained_rule *held = explain_at(RF_DAY_MS);
    ck_assert_int_eq(held->standing, RF_STANDING_FOR);
    ck_assert_int_eq(held->since, START);
    ck_assert_int_eq(held->until, START + 2 * RF_DAY_MS);
    ck_assert_int_eq(held->due, START + 2 * RF_DAY_MS);
    ck_assert_int_eq(explanation.due, held->due);

    ck_assert_uint_eq(call_at(3 * RF_DAY_MS, false), 1);
    ck_assert_int_eq(explain_at(4 * RF_DAY_MS)->standing, RF_STANDING_TOLD);
}
END_TEST

START_TEST(an_open_alert_is_told_with_what_would_clear_it)
{
    struct rf_rule rule = rule_of("dropped >= 1");
    rule.clear_when = fixture_expr(&f, "answered >= 2", &rf_type_bool);
    open_with(rule);

    ck_assert_ptr_null(explain_at(0)->clear_when);
    call_at(0, true);
    const struct rf_explained_rule *raised = explain_at(RF_HOUR_MS);
    ck_assert_int_eq(raised->standing, RF_STANDING_RAISED);
    ck_assert_int_eq(raised->since, START);
    assert_text(raised->clear_when->text, "answered >= 2");
    ck_assert_int_eq(raised->clear_when->truth, RF_TRUTH_FALSE);

    call_at(RF_HOUR_MS, false);
    call_at(2 * RF_HOUR_MS, false);
    ck_assert_int_ne(explain_at(2 * RF_HOUR_MS)->standing, RF_STANDING_RAISED);
}
END_TEST

/* Whatever happened before: events that change nothing that the rule reads but the time. */
START_TEST(a_rule_that_is_ready_fires_with_the_next_event)
{
    struct rf_rule rule = rule_of("dropped >= 2 && latest != null && now > timestamp(0)");
    uint64_t seed = (uint64_t)_i;
    size_t ready = 0;
    rf_ms time = 0;

    rule.cooldown = 6 * RF_HOUR_MS;
    open_with(rule);
    for (unsigned i = 0; i < 300; i++) {
        bool dropped = fixture_random_below(&seed, 4) == 0;

        time += (rf_ms)fixture_random_below(&seed, 8 * RF_HOUR_MS);
        alice.due = rf_engine_due(engine, &alice);
        enum rf_standing standing = explain_at(time)->standing;
        size_t fired = call_at(time, dropped);
        if (dropped || standing != RF_STANDING_READY)
            continue;
        ready++;
        ck_assert_uint_ge(fired, 1);
    }
    ck_assert_uint_gt(ready, 10);
}
END_TEST

START_TEST(as_json_it_says_the_same)
{
    struct rf_rule rule = rule_of("dropped >= 3 && (spent > 1.0 || answered > 10)");
    struct rf_buffer out;
    double number = 0;
    const char *standing = NULL, *text = NULL;
    int holds = 1, fired = 1, dropped = 0;

    rule.cooldown = RF_DAY_MS;
    open_with(rule);
    call_at(0, true);
    explain_at(0);
    rf_buffer_init(&out, 1U << 20);
    rf_explanation_print_json(&f.plan, &explanation, &out);

    json_t *json = json_loadb((const char *)out.data, out.size, JSON_REJECT_DUPLICATES, NULL);
    json_t *parts = NULL;

    ck_assert_msg(json != NULL, "%.*s", (int)out.size, (const char *)out.data);
    ck_assert_int_eq(json_unpack(json, "{s:{s:{s:s, s:i, s:{s:s, s:b, s:o}}}}", "rules", "r",
                                 "standing", &standing, "fired", &fired, "when", "text", &text,
                                 "holds", &holds, "all", &parts),
                     0);
    ck_assert_str_eq(standing, "condition");
    ck_assert_str_eq(text, "dropped >= 3 && (spent > 1.0 || answered > 10)");
    ck_assert_int_eq(holds, 0);
    ck_assert_int_eq(fired, 0);
    ck_assert_int_eq(json_unpack(json_array_get(parts, 0), "{s:F, s:{s:i}}", "gap", &number,
                                 "reads", "dropped", &dropped),
                     0);
    ck_assert_double_eq(number, 2);
    ck_assert_int_eq(dropped, 1);
    ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(parts, 1), "any")), 2);
    json_decref(json);
    rf_buffer_deinit(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *tcase = tcase_create("explain");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_condition_is_explained_part_by_part_with_its_values);
    tcase_add_test(tcase, what_is_read_of_the_customer_is_shown_like_a_feature);
    tcase_add_test(tcase, a_part_that_cannot_be_evaluated_says_why);
    tcase_add_test(tcase, a_value_is_of_the_instant_that_is_asked_for);
    tcase_add_test(tcase, a_cooldown_is_told_with_its_end_and_then_the_rule_fires);
    tcase_add_test(tcase, a_condition_that_has_to_hold_is_told_with_since_and_until);
    tcase_add_test(tcase, an_open_alert_is_told_with_what_would_clear_it);
    tcase_add_loop_test(tcase, a_rule_that_is_ready_fires_with_the_next_event, 0, 8);
    tcase_add_test(tcase, as_json_it_says_the_same);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
