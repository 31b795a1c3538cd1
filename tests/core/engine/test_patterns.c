/* core/engine/patterns: a rule with a pattern, from the event to what is emitted, and through the customer's
 * record. What a pattern means is shown by test_pattern.c and, against Flink, by tests/system/test_patterns.py. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"
#include "support/plan_fixture.h"

#define START INT64_C(1700000000000)

enum {
    COMPLAINT,
    CALL,
    PURCHASE
};

static struct fixture f;
static struct rf_arena arena;
static struct rf_engine *engine;
static struct rf_customer alice;
static uint32_t index_of_rule;
static struct rf_pattern pattern;
static struct rf_pattern_step steps[3];
static struct rf_pattern_stage stages[3];
static struct rf_pattern_input inputs[3];
static char ids[40][RF_EVENT_ID_SIZE + 1]; /* of all that was emitted */
static size_t id_count;

/* complaint, then no call for a day; purchases are nothing to it */
static void setup(void)
{
    fixture_init(&f);
    rf_arena_init(&arena, 64U << 10);
    fixture_source(&f, "complaint", 0);
    fixture_source(&f, "call", 0);
    fixture_source(&f, "purchase", 0);
    fixture_listen(
        &f, fixture_feature(&f, (struct rf_feature){.name = "calls", .kind = RF_FEATURE_COUNT}),
        CALL, NULL, NULL);
    memset(steps, 0, sizeof steps);
    memset(stages, 0, sizeof stages);
    memset(inputs, 0, sizeof inputs);
    steps[0].kind = "complaint";
    steps[1] = (struct rf_pattern_step){.kind = "call", .negated = true};
    inputs[0] = (struct rf_pattern_input){.source = COMPLAINT, .step = 0};
    inputs[1] = (struct rf_pattern_input){.source = CALL, .step = 1};
    pattern = (struct rf_pattern){.state_name = "gone-quiet_1",
                                  .steps = steps,
                                  .step_count = 2,
                                  .stages = stages,
                                  .stage_count = 1,
                                  .inputs = inputs,
                                  .input_count = 2,
                                  .ends_in_silence = true,
                                  .forbids = 2,
                                  .silence = RF_DAY_MS,
                                  .skips = true};
    index_of_rule = fixture_rule(&f, (struct rf_rule){.name = "gone-quiet", .pattern = &pattern});
    pattern.rule = index_of_rule;
    f.plan.patterns = &pattern;
    f.plan.pattern_count = 1;
    engine = NULL;
    id_count = 0;
}

/* complaint, then a call: no silence */
static void end_with_a_call(void)
{
    steps[1].negated = false;
    stages[1].step = 1;
    pattern.stage_count = 2;
    pattern.ends_in_silence = false;
    pattern.forbids = 0;
    pattern.silence = 0;
}

static void teardown(void)
{
    rf_engine_close(engine);
    rf_arena_deinit(&arena);
    fixture_deinit(&f);
}

static void open_engine(void)
{
    engine = rf_engine_open(&f.plan);
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &alice);
}

static void keep_ids(const struct rf_fold *fold)
{
    for (size_t i = 0; i < fold->derived_count && id_count < 40; i++)
        memcpy(ids[id_count++], fold->derived[i].id, sizeof ids[0]);
}

/* Its offset is its time. */
static bool try_event(uint32_t source, rf_ms after, rf_ms watermark, struct rf_fold *fold,
                      struct rf_error *err)
{
    struct rf_event event;
    struct rf_value *fields = fixture_event(&arena, source, START + after, &event);
    bool ok = false;

    fields[FIELD_NUMBER] = rf_value_int(after);
    event.position = (struct rf_position){.topic = "topic", .partition = 3, .offset = after};
    ok = rf_engine_fold(engine, &alice, &event, START + watermark, &arena, fold, err);
    if (ok)
        keep_ids(fold);
    return ok;
}

static struct rf_fold event_late(uint32_t source, rf_ms after, rf_ms watermark)
{
    struct rf_fold fold;
    struct rf_error err = {0};

    ck_assert_msg(try_event(source, after, watermark, &fold, &err), "%s", err.message);
    return fold;
}

static struct rf_fold event(uint32_t source, rf_ms after)
{
    return event_late(source, after, after);
}

static struct rf_fold advance(rf_ms watermark)
{
    struct rf_fold fold;

    rf_engine_advance(engine, &alice, START + watermark, &arena, &fold);
    keep_ids(&fold);
    return fold;
}

START_TEST(a_match_fires_its_rule_and_names_its_events)
{
    end_with_a_call();
    open_engine();

    ck_assert_uint_eq(event(COMPLAINT, 1).derived_count, 0);
    ck_assert_uint_eq(event(PURCHASE, 2).derived_count, 0);
    struct rf_fold fold = event(CALL, 5);

    ck_assert_uint_eq(fold.derived_count, 1);
    const struct rf_derived *derived = fold.derived;
    ck_assert_uint_eq(derived->rule, index_of_rule);
    ck_assert_int_eq(derived->status, RF_STATUS_RAISED);
    ck_assert_int_eq(derived->occurred_at, START + 5);
    ck_assert_str_eq(derived->position.topic, "topic");
    ck_assert_int_eq(derived->position.offset, 5);
    ck_assert_uint_eq(derived->matched_count, 2);
    ck_assert_uint_eq(derived->matched[0].step, 1);
    ck_assert_str_eq(derived->matched[0].kind, "complaint");
    ck_assert_int_eq(derived->matched[0].time, START + 1);
    ck_assert_int_eq(derived->matched[0].position.partition, 3);
    ck_assert_uint_eq(derived->matched[1].step, 2);
    ck_assert_str_eq(derived->matched[1].kind, "call");
    ck_assert_int_eq(derived->matched[1].position.offset, 5);
}
END_TEST

START_TEST(silence_fires_once_with_nothing_arriving)
{
    open_engine();

    struct rf_fold fold = event(COMPLAINT, 1);
    ck_assert_int_eq(fold.due, START + 1 + RF_DAY_MS);
    ck_assert_int_eq(alice.due, fold.due);
    ck_assert(!advance(RF_DAY_MS).changed);
    fold = advance(5 * RF_DAY_MS);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert(fold.changed);
    ck_assert_int_eq(fold.derived->occurred_at, START + 1 + RF_DAY_MS);
    ck_assert_str_eq(fold.derived->position.topic, RF_TIMER_TOPIC);
    ck_assert_int_eq(fold.derived->position.offset, START + 1 + RF_DAY_MS);
    ck_assert_uint_eq(fold.derived->matched_count, 1);
    ck_assert_int_eq(alice.due, RF_MS_MAX);
    ck_assert_uint_eq(advance(9 * RF_DAY_MS).derived_count, 0);
}
END_TEST

START_TEST(silence_that_ended_before_an_event_fires_before_it)
{
    f.rules[index_of_rule].because = fixture_expr(&f, "string(calls)", &rf_type_string);
    open_engine();
    event(COMPLAINT, 1);

    struct rf_fold fold = event(CALL, 3 * RF_DAY_MS);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived->occurred_at, START + 1 + RF_DAY_MS);
    ck_assert(rf_bytes_equal(fold.derived->because, rf_bytes_of_text("0")));
}
END_TEST

START_TEST(an_event_may_still_break_the_silence_while_the_watermark_is_behind)
{
    open_engine();
    event_late(COMPLAINT, 1, 0);
    event_late(PURCHASE, 9 * RF_DAY_MS, RF_DAY_MS);

    struct rf_fold fold = event_late(CALL, RF_DAY_MS, RF_DAY_MS);

    ck_assert_uint_eq(fold.derived_count, 0);
    ck_assert_uint_eq(advance(9 * RF_DAY_MS).derived_count, 0);
}
END_TEST

/* A rule that is due at that very millisecond does not bring the pattern's time forward. */
START_TEST(another_rule_that_is_due_ends_no_silence)
{
    const struct rf_expr *when =
        fixture_expr(&f, "now >= timestamp('2023-11-15T22:13:20.001Z')", &rf_type_bool);
    struct rf_fold fold;

    fixture_rule(&f, (struct rf_rule){.name = "also", .when = when, .cooldown = 90 * RF_DAY_MS});
    open_engine();
    event_late(COMPLAINT, 1, 0);

    fold = event_late(PURCHASE, 9 * RF_DAY_MS, RF_DAY_MS);
    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_uint_ne(fold.derived->rule, index_of_rule);
    ck_assert_int_eq(fold.derived->occurred_at, START + RF_DAY_MS + 1);

    ck_assert_uint_eq(event_late(CALL, RF_DAY_MS, RF_DAY_MS).derived_count, 0);
    ck_assert_uint_eq(advance(9 * RF_DAY_MS).derived_count, 0);
}
END_TEST

START_TEST(events_out_of_order_are_taken_when_the_watermark_has_reached_them)
{
    end_with_a_call();
    open_engine();
    event_late(CALL, 10, 0);
    event_late(COMPLAINT, 7, 0);
    ck_assert_int_eq(alice.due, START + 7);

    struct rf_fold fold = event_late(PURCHASE, 40, 10);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived->occurred_at, START + 10);
    ck_assert_int_eq(fold.derived->position.offset, 10);
    ck_assert_int_eq(alice.rules[index_of_rule].last_fired, START + 10);
}
END_TEST

START_TEST(a_condition_is_asked_at_the_match_and_at_no_other_time)
{
    end_with_a_call();
    f.rules[index_of_rule].when = fixture_expr(&f, "calls >= 2", &rf_type_bool);
    open_engine();
    event(COMPLAINT, 1);
    ck_assert_uint_eq(event(CALL, 2).derived_count, 0);
    ck_assert_uint_eq(event(CALL, 3).derived_count, 0); /* it holds, but nothing matches */
    event(COMPLAINT, 4);

    ck_assert_uint_eq(event(CALL, 5).derived_count, 1);
}
END_TEST

START_TEST(a_rule_that_cools_down_lets_a_match_go)
{
    end_with_a_call();
    f.rules[index_of_rule].cooldown = 100;
    open_engine();
    event(COMPLAINT, 1);
    ck_assert_uint_eq(event(CALL, 2).derived_count, 1);
    event(COMPLAINT, 3);
    ck_assert_uint_eq(event(CALL, 101).derived_count, 0);
    event(COMPLAINT, 102);

    ck_assert_uint_eq(event(CALL, 103).derived_count, 1);
}
END_TEST

START_TEST(matches_that_are_complete_at_once_have_ids_of_their_own)
{
    end_with_a_call();
    pattern.skips = false;
    open_engine();
    event(COMPLAINT, 1);
    event(COMPLAINT, 2);

    struct rf_fold fold = event(CALL, 3);

    ck_assert_uint_eq(fold.derived_count, 2);
    ck_assert_str_ne(fold.derived[0].id, fold.derived[1].id);
    ck_assert_int_eq(fold.derived[0].episode, 1);
    ck_assert_int_eq(fold.derived[1].episode, 2);
}
END_TEST

START_TEST(an_open_alert_is_told_of_further_matches_and_cleared)
{
    end_with_a_call();
    f.rules[index_of_rule].clear_when = fixture_expr(&f, "calls > 3", &rf_type_bool);
    f.rules[index_of_rule].update = 10;
    open_engine();
    event(COMPLAINT, 1);
    ck_assert_int_eq(event(CALL, 2).derived->status, RF_STATUS_RAISED);
    event(COMPLAINT, 3);
    ck_assert_uint_eq(event(CALL, 4).derived_count, 0); /* too soon */
    event(COMPLAINT, 11);
    struct rf_fold fold = event(CALL, 12);
    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived->status, RF_STATUS_UPDATED);
    ck_assert_uint_eq(fold.derived->matched_count, 2);
    ck_assert_int_eq(fold.derived->episode, 1);

    fold = event(CALL, 13);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived->status, RF_STATUS_CLEARED);
    ck_assert_uint_eq(fold.derived->matched_count, 0);
}
END_TEST

/* Its silence is over by the watermark before the customer's latest event, at which the alert is cleared. */
START_TEST(an_alert_that_is_over_is_not_told_of_a_further_match)
{
    f.rules[index_of_rule].clear_when = fixture_expr(&f, "calls > 3", &rf_type_bool);
    f.rules[index_of_rule].update = 10;
    open_engine();
    event(COMPLAINT, 0);
    ck_assert_int_eq(advance(RF_DAY_MS).derived->status, RF_STATUS_RAISED);
    event(COMPLAINT, 2 * RF_DAY_MS);
    event_late(PURCHASE, 4 * RF_DAY_MS, 2 * RF_DAY_MS);
    f.rules[index_of_rule].mode = RF_MODE_SHADOW;
    rf_engine_close(engine);
    engine = rf_engine_open(&f.plan);

    ck_assert_uint_eq(advance(3 * RF_DAY_MS).derived_count, 0);
    struct rf_fold fold = advance(4 * RF_DAY_MS);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived->status, RF_STATUS_CLEARED);
    ck_assert_int_eq(fold.derived->occurred_at, START + 4 * RF_DAY_MS);
}
END_TEST

START_TEST(a_step_is_judged_by_the_customer_before_the_event)
{
    end_with_a_call();
    inputs[1].where = fixture_expr(&f, "calls == 0", &rf_type_bool);
    open_engine();
    event(COMPLAINT, 1);

    ck_assert_uint_eq(event(CALL, 2).derived_count, 1);
}
END_TEST

START_TEST(an_event_whose_step_cannot_be_judged_is_refused_and_changes_nothing)
{
    end_with_a_call();
    inputs[1].where = fixture_expr(&f, "10 / (event.number - 2) > 0", &rf_type_bool);
    open_engine();
    event(COMPLAINT, 1);
    struct rf_fold fold;
    struct rf_error err = {0};

    ck_assert(!try_event(CALL, 2, 2, &fold, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    ck_assert_ptr_nonnull(strstr(err.message, "rule `gone-quiet`: step 2 of its pattern"));
    ck_assert_int_eq(alice.event_count, 1);
    ck_assert_uint_eq(event(CALL, 3).derived_count, 1);
}
END_TEST

/* ---- through the record ---- */

static struct rf_bytes encode(const struct rf_customer_codec *codec)
{
    struct rf_value *values = rf_arena_alloc_zero(&arena, f.plan.feature_count * sizeof *values);
    struct rf_buffer out;
    struct rf_bytes bytes;

    rf_engine_features(engine, &alice, alice.as_of, &arena, values);
    rf_buffer_init(&out, 1U << 20);
    rf_customer_encode(codec, &alice, values, &out);
    ck_assert(!out.overflow);
    bytes = rf_arena_copy(&arena, rf_buffer_bytes(&out));
    rf_buffer_deinit(&out);
    return bytes;
}

static const struct rf_customer_layout *layout_of(const struct rf_customer_codec *codec,
                                                  const struct rf_schema *writer)
{
    const struct rf_customer_layout *layout = NULL;
    struct rf_error err = {0};

    ck_assert_msg(rf_customer_layout_make(&f.arena, codec, writer, &layout, &err), "%s",
                  err.message);
    return layout;
}

/* As it would be in the next transaction. */
static void reopen(const struct rf_customer_codec *codec, const struct rf_customer_layout *layout)
{
    struct rf_bytes bytes = encode(codec);
    struct rf_error err = {0};

    ck_assert_msg(rf_customer_decode(layout, bytes, &arena, &alice, &err), "%s", err.message);
    ck_assert(rf_bytes_equal(encode(codec), bytes));
}

/* Some events out of order, the watermark 20 behind, and time. */
static void live(uint64_t seed, const struct rf_customer_codec *codec,
                 const struct rf_customer_layout *layout)
{
    rf_ms time = 0;

    id_count = 0;
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &alice);
    for (int i = 0; i < 60; i++) {
        uint32_t source = (uint32_t)fixture_random_below(&seed, 3);
        rf_ms back = (rf_ms)fixture_random_below(&seed, 20);

        time += (rf_ms)fixture_random_below(&seed, 9);
        if (fixture_random_below(&seed, 4) == 0)
            advance(time - 20);
        else
            event_late(source, time - back, time - 20);
        if (codec != NULL)
            reopen(codec, layout);
    }
    advance(100000);
}

START_TEST(it_does_not_matter_how_often_the_record_is_written_and_read)
{
    static char alone[40][RF_EVENT_ID_SIZE + 1];
    size_t total = 0;
    pattern.silence = 12;
    pattern.skips = _i % 2 == 0;
    pattern.within = _i % 3 == 0 ? 30 : 0;
    if (_i % 5 == 0)
        end_with_a_call();
    open_engine();
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));

    for (uint64_t seed = 1; seed <= 40; seed++) {
        live(seed, NULL, NULL);
        struct rf_bytes bytes = encode(codec);
        size_t count = id_count;
        memcpy(alone, ids, sizeof alone);

        live(seed, codec, layout);

        ck_assert_uint_eq(id_count, count);
        ck_assert_mem_eq(ids, alone, count * sizeof ids[0]);
        ck_assert(rf_bytes_equal(encode(codec), bytes));
        total += count;
    }
    ck_assert_uint_gt(total, 100);
}
END_TEST

START_TEST(a_damaged_record_is_refused_or_can_be_lived_with)
{
    uint64_t seed = 7;
    size_t refused = 0;
    pattern.silence = 12;
    pattern.skips = _i == 0;
    open_engine();
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));
    for (rf_ms time = 1; time < 12; time++)
        event_late(time % 5 == 0 ? CALL : COMPLAINT, time, 6);
    struct rf_bytes good = encode(codec);

    for (int round = 0; round < 20000; round++) {
        struct rf_bytes bytes = rf_arena_copy(&arena, good);
        uint8_t *data = rf_arena_alloc_bytes(&arena, bytes.size);
        struct rf_error err = {0};
        memcpy(data, bytes.data, bytes.size);
        for (uint64_t i = 0; i <= fixture_random_below(&seed, 2); i++)
            data[fixture_random_below(&seed, bytes.size)] = (uint8_t)fixture_random(&seed);

        if (rf_customer_decode(layout, rf_bytes_of(data, bytes.size), &arena, &alice, &err)) {
            advance(13);
            if (alice.as_of < START + 10000)
                event(COMPLAINT, 10000);
            advance(200000);
        } else {
            ck_assert_int_eq(err.kind, RF_ERROR_STATE);
            refused++;
        }
        if (round % 500 == 0)
            rf_arena_reset(&arena, 1U << 20);
        good = round % 500 == 0 ? (struct rf_bytes){0} : good;
        if (good.data == NULL) {
            rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &alice);
            for (rf_ms time = 1; time < 12; time++)
                event_late(time % 5 == 0 ? CALL : COMPLAINT, time, 6);
            good = encode(codec);
        }
    }
    ck_assert_uint_gt(refused, 5000);
}
END_TEST

START_TEST(a_pattern_of_another_definition_starts_empty)
{
    open_engine();
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));
    struct rf_error err = {0};
    event(COMPLAINT, 1);
    struct rf_bytes bytes = encode(codec);
    pattern.state_name = "gone-quiet_2";

    ck_assert_msg(rf_customer_decode(layout, bytes, &arena, &alice, &err), "%s", err.message);

    ck_assert_uint_eq(alice.patterns[0].event_count, 0);
    ck_assert_int_eq(alice.patterns[0].passed, RF_MS_MIN);
    ck_assert_int_eq(rf_engine_due(engine, &alice), RF_MS_MAX);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("core/engine/patterns");
    TCase *rules = tcase_create("rules");
    TCase *record = tcase_create("record");

    tcase_add_checked_fixture(rules, setup, teardown);
    tcase_add_test(rules, a_match_fires_its_rule_and_names_its_events);
    tcase_add_test(rules, silence_fires_once_with_nothing_arriving);
    tcase_add_test(rules, silence_that_ended_before_an_event_fires_before_it);
    tcase_add_test(rules, an_event_may_still_break_the_silence_while_the_watermark_is_behind);
    tcase_add_test(rules, another_rule_that_is_due_ends_no_silence);
    tcase_add_test(rules, events_out_of_order_are_taken_when_the_watermark_has_reached_them);
    tcase_add_test(rules, a_condition_is_asked_at_the_match_and_at_no_other_time);
    tcase_add_test(rules, a_rule_that_cools_down_lets_a_match_go);
    tcase_add_test(rules, matches_that_are_complete_at_once_have_ids_of_their_own);
    tcase_add_test(rules, an_open_alert_is_told_of_further_matches_and_cleared);
    tcase_add_test(rules, an_alert_that_is_over_is_not_told_of_a_further_match);
    tcase_add_test(rules, a_step_is_judged_by_the_customer_before_the_event);
    tcase_add_test(rules, an_event_whose_step_cannot_be_judged_is_refused_and_changes_nothing);
    tcase_add_checked_fixture(record, setup, teardown);
    tcase_add_loop_test(record, it_does_not_matter_how_often_the_record_is_written_and_read, 0, 6);
    tcase_add_loop_test(record, a_damaged_record_is_refused_or_can_be_lived_with, 0, 2);
    tcase_add_test(record, a_pattern_of_another_definition_starts_empty);
    suite_add_tcase(suite, rules);
    suite_add_tcase(suite, record);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    int failed = 0;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
