/* core/engine/rules, the modes of a rule: what is in shadow does as it would and tells nobody; what is taken out of
 * service leaves no alert open. The customer goes through its record between one plan and the next, as it does in a
 * store. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/engine/meter.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/rule.h"
#include "support/plan_fixture.h"

#define START INT64_C(1700000000000)

static struct fixture f;
static struct rf_arena arena;
static struct rf_engine *engine;
static struct rf_customer alice;
static uint32_t calls, complaints, index_of_rule;

static void setup(void)
{
    uint32_t dropped = 0;

    fixture_init(&f);
    rf_arena_init(&arena, 64U << 10);
    calls = fixture_source(&f, "calls", 0);
    complaints = fixture_source(&f, "complaints", 0);
    dropped = fixture_feature(&f, (struct rf_feature){.name = "dropped", .kind = RF_FEATURE_COUNT});
    fixture_listen(&f, dropped, calls, NULL, NULL);
    index_of_rule = fixture_rule(
        &f, (struct rf_rule){.name = "r",
                             .when = fixture_expr(&f, "dropped % 4 == 2", &rf_type_bool),
                             .clear_when = fixture_expr(&f, "dropped % 4 == 0", &rf_type_bool),
                             .because = fixture_expr(&f, "string(dropped)", &rf_type_string)});
    f.plan.lifecycle_output = RF_OUTPUT_NONE;
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &alice);
    engine = rf_engine_open(&f.plan);
}

static void teardown(void)
{
    rf_engine_close(engine);
    rf_arena_deinit(&arena);
    fixture_deinit(&f);
}

static struct rf_fold call(rf_ms after)
{
    struct rf_event event;
    struct rf_fold fold;
    struct rf_error err = {0};

    (void)fixture_event(&arena, calls, START + after, &event);
    event.position.offset = after;
    ck_assert_msg(rf_engine_fold(engine, &alice, &event, RF_MS_MIN, &arena, &fold, &err), "%s",
                  err.message);
    return fold;
}

static struct rf_fold advance(rf_ms to)
{
    struct rf_fold fold;

    rf_engine_advance(engine, &alice, START + to, &arena, &fold);
    return fold;
}

/* Another plan reads what this one has written, and works out when the customer is due. */
static void take_over(enum rf_rule_mode mode, size_t rule_count)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&arena, &f.plan);
    struct rf_value *values = rf_arena_alloc_zero(&arena, f.plan.feature_count * sizeof *values);
    const struct rf_customer_layout *layout = NULL;
    struct rf_buffer *body = rf_arena_alloc_zero(&arena, sizeof *body);
    struct rf_error err = {0};

    rf_engine_features(engine, &alice, alice.as_of, &arena, values);
    rf_buffer_init(body, 1U << 20);
    rf_customer_encode(codec, &alice, values, body);
    rf_engine_close(engine);
    f.rules[index_of_rule].mode = mode;
    f.plan.rule_count = rule_count;
    engine = rf_engine_open(&f.plan);
    ck_assert(rf_customer_layout_make(&arena, rf_customer_codec_make(&arena, &f.plan),
                                      rf_customer_codec_schema(codec), &layout, &err));
    ck_assert_msg(rf_customer_decode(layout, rf_arena_copy(&arena, rf_buffer_bytes(body)), &arena,
                                     &alice, &err),
                  "%s", err.message);
    rf_buffer_deinit(body);
    alice.due = rf_engine_due(engine, &alice);
}

static void assert_told(struct rf_fold fold, enum rf_status status, int64_t episode)
{
    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived[0].status, status);
    ck_assert_int_eq(fold.derived[0].episode, episode);
}

static void assert_nothing_told(struct rf_fold fold)
{
    ck_assert_uint_eq(fold.derived_count, 0);
}

START_TEST(in_shadow_it_goes_the_same_way_and_tells_nobody)
{
    struct rf_rule_state *state = &alice.rules[index_of_rule];

    take_over(RF_MODE_SHADOW, 1);
    assert_nothing_told(call(1));
    struct rf_fold raised = call(2);

    assert_nothing_told(raised);
    ck_assert_uint_eq(raised.held[index_of_rule].by[RF_HELD_BY_SHADOW], 1);
    state = &alice.rules[index_of_rule];
    ck_assert(state->raised && state->shadow);
    ck_assert_int_eq(state->fired_count, 1);
    ck_assert_int_eq(state->last_fired, START + 2);
    ck_assert_ptr_null(call(3).held); /* the alert is open */
    assert_nothing_told(call(4));
    ck_assert(!state->raised);
    (void)call(5);
    ck_assert_uint_eq(call(6).held[index_of_rule].by[RF_HELD_BY_SHADOW], 1);
    ck_assert_int_eq(state->fired_count, 2);
    assert_nothing_told(advance(1000000));
}
END_TEST

START_TEST(what_could_not_be_told_is_found_out_in_shadow)
{
    f.rules[index_of_rule].because = fixture_expr(&f, "string(1 / (dropped - 2))", &rf_type_string);
    take_over(RF_MODE_SHADOW, 1);
    (void)call(1);
    struct rf_fold fold = call(2);

    ck_assert_uint_eq(fold.rule_error_count, 1);
    ck_assert_ptr_null(fold.held);
    ck_assert(!alice.rules[index_of_rule].raised);
}
END_TEST

START_TEST(what_is_switched_off_clears_what_it_has_raised_without_an_event)
{
    (void)call(1);
    struct rf_fold raised = call(2);
    assert_told(raised, RF_STATUS_RAISED, 1);

    take_over(RF_MODE_OFF, 1);
    ck_assert_int_eq(alice.due, START + 2);
    assert_nothing_told(advance(1));
    struct rf_fold cleared = advance(2);

    assert_told(cleared, RF_STATUS_CLEARED, 1);
    ck_assert_str_eq(cleared.derived[0].episode_id, raised.derived[0].episode_id);
    ck_assert_int_eq(cleared.derived[0].occurred_at, START + 2);
    ck_assert_str_eq(cleared.derived[0].position.topic, RF_TIMER_TOPIC);
    ck_assert_int_eq(alice.due, RF_MS_MAX);
    for (int i = 3; i <= 10; i++)
        assert_nothing_told(call(i));
    take_over(RF_MODE_LIVE, 1);
    for (int i = 11; i <= 13; i++)
        assert_nothing_told(call(i));
    assert_told(call(14), RF_STATUS_RAISED, 2);
}
END_TEST

START_TEST(an_event_that_comes_before_the_timer_clears_it_once)
{
    (void)call(1);
    assert_told(call(2), RF_STATUS_RAISED, 1);

    take_over(RF_MODE_OFF, 1);
    assert_told(call(1), RF_STATUS_CLEARED, 1); /* late: the timer of 2 has not fired */
    ck_assert_int_eq(alice.due, RF_MS_MAX);
    assert_nothing_told(advance(100));
}
END_TEST

START_TEST(what_goes_into_the_shadow_is_cleared_and_begins_there_anew)
{
    f.rules[index_of_rule].cooldown = 100;
    (void)call(1);
    assert_told(call(2), RF_STATUS_RAISED, 1);
    take_over(RF_MODE_SHADOW, 1);
    assert_told(advance(2), RF_STATUS_CLEARED, 1);

    struct rf_rule_state *state = &alice.rules[index_of_rule];
    ck_assert(state->shadow && !state->raised);
    ck_assert_int_eq(state->last_fired, RF_MS_MIN);
    for (int i = 3; i < 6; i++)
        ck_assert_ptr_null(call(i).held);
    ck_assert_uint_eq(call(6).held[index_of_rule].by[RF_HELD_BY_SHADOW],
                      1); /* no cooldown of then */
    ck_assert_int_eq(state->fired_count, 2);
}
END_TEST

START_TEST(what_was_raised_in_the_shadow_is_no_alert_in_the_light)
{
    f.rules[index_of_rule].cooldown = 100;
    take_over(RF_MODE_SHADOW, 1);
    (void)call(1);
    (void)call(2);
    ck_assert(alice.rules[index_of_rule].raised);

    take_over(RF_MODE_LIVE, 1);
    ck_assert(!alice.rules[index_of_rule].raised);
    ck_assert_int_eq(alice.due, RF_MS_MAX);
    for (int i = 3; i < 6; i++)
        assert_nothing_told(call(i)); /* not even that it is over */
    assert_told(call(6), RF_STATUS_RAISED, 2);

    take_over(RF_MODE_SHADOW, 1);
    assert_told(advance(6), RF_STATUS_CLEARED, 2);
    for (int i = 7; i <= 10; i++)
        (void)call(i);
    take_over(RF_MODE_OFF, 1);
    ck_assert_int_eq(alice.due, RF_MS_MAX); /* nobody knows of it */
    ck_assert(!alice.rules[index_of_rule].raised);
}
END_TEST

START_TEST(an_open_alert_of_a_rule_that_was_lost_comes_back_with_it)
{
    (void)call(1);
    struct rf_fold raised = call(2);
    take_over(RF_MODE_LIVE, 0);
    ck_assert_uint_eq(alice.lost_rule_count, 1);
    (void)call(3);
    take_over(RF_MODE_LIVE, 0);

    take_over(RF_MODE_OFF, 1);
    ck_assert_uint_eq(alice.lost_rule_count, 0);
    struct rf_fold cleared = advance(3);
    assert_told(cleared, RF_STATUS_CLEARED, 1);
    ck_assert_str_eq(cleared.derived[0].episode_id, raised.derived[0].episode_id);
}
END_TEST

START_TEST(nothing_is_kept_of_a_lost_rule_that_nobody_waits_for)
{
    for (int i = 1; i <= 4; i++)
        (void)call(i);
    take_over(RF_MODE_LIVE, 0);
    ck_assert_uint_eq(alice.lost_rule_count, 0); /* its alert is over */
    take_over(RF_MODE_SHADOW, 1);
    (void)call(5);
    (void)call(6);
    ck_assert(alice.rules[index_of_rule].raised);
    take_over(RF_MODE_LIVE, 0);
    ck_assert_uint_eq(alice.lost_rule_count, 0); /* nobody was told */
}
END_TEST

START_TEST(who_is_forgotten_has_no_alert_that_is_open)
{
    struct rf_fold gone;

    f.plan.ttl = 1000;
    f.plan.lifecycle_output = f.rules[index_of_rule].output;
    take_over(RF_MODE_LIVE, 1);
    (void)call(1);
    assert_told(call(2), RF_STATUS_RAISED, 1);
    gone = advance(5000);

    ck_assert(gone.evicted);
    ck_assert_uint_eq(gone.derived_count, 2);
    ck_assert_int_eq(gone.derived[0].status, RF_STATUS_CLEARED);
    ck_assert_int_eq(gone.derived[0].occurred_at, START + 1002);
    ck_assert_int_eq(gone.derived[1].status, RF_STATUS_EVICTED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("modes");
    TCase *tcase = tcase_create("modes");
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, in_shadow_it_goes_the_same_way_and_tells_nobody);
    tcase_add_test(tcase, what_could_not_be_told_is_found_out_in_shadow);
    tcase_add_test(tcase, what_is_switched_off_clears_what_it_has_raised_without_an_event);
    tcase_add_test(tcase, an_event_that_comes_before_the_timer_clears_it_once);
    tcase_add_test(tcase, what_goes_into_the_shadow_is_cleared_and_begins_there_anew);
    tcase_add_test(tcase, what_was_raised_in_the_shadow_is_no_alert_in_the_light);
    tcase_add_test(tcase, an_open_alert_of_a_rule_that_was_lost_comes_back_with_it);
    tcase_add_test(tcase, nothing_is_kept_of_a_lost_rule_that_nobody_waits_for);
    tcase_add_test(tcase, who_is_forgotten_has_no_alert_that_is_open);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
