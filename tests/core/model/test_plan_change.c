/* core/model/plan_change: what is said of the state is what becomes of a customer's record that was written under one
 * configuration and is read under another. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/plan_change.h"
#include "core/model/source.h"
#include "edge/config/config.h"

#define START INT64_C(1700000000000)

static struct rf_arena arena;
static struct rf_plan_changes changes;

static const struct rf_plan *load(const char *features, const char *rest)
{
    static const struct rf_config_environment environment = {.without_kafka = true};
    static struct rf_diagnostics diagnostics;
    struct rf_config *config = NULL;
    const char *text = rf_arena_printf(
        &arena,
        "app: test\n"
        "sources:\n"
        "  calls: { topic: calls, format: json, kind: call, schema: schemas/call.avsc,\n"
        "           customer: event.customer_id, time: event.started_at }\n"
        "features:\n%s%s"
        "outputs:\n  alert: { topic: alerts }\n  offer: { topic: offers }\n",
        features, rest);

    rf_diagnostics_init(&diagnostics, &arena);
    (void)rf_config_load_text(RF_SOURCE_DIR "/test.yaml", rf_bytes_of_text(text), &environment,
                              &arena, &config, &diagnostics);
    ck_assert_msg(config != NULL, "%zu:%zu %s", diagnostics.items[0].line,
                  diagnostics.items[0].column, diagnostics.items[0].message);
    return config->plan;
}

static void setup(void)
{
    rf_arena_init(&arena, 64U << 10);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

static void compare(const struct rf_plan *before, const struct rf_plan *after)
{
    rf_plan_compare(&arena, &(struct rf_plan_before){.plan = before}, after, &changes);
}

static const struct rf_part_change *find(const struct rf_part_changes *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    }
    ck_abort_msg("%s is not among the changes", name);
    return NULL;
}

static void assert_change(const struct rf_part_changes *list, const char *name,
                          enum rf_change change, const char *details)
{
    const struct rf_part_change *part = find(list, name);
    const char *all = "";

    for (size_t i = 0; i < part->detail_count; i++)
        all = rf_arena_printf(&arena, "%s%s%s", all, i == 0 ? "" : ", ", part->details[i]);
    ck_assert_msg(part->change == change, "%s: %d", name, (int)part->change);
    ck_assert_str_eq(all, details);
}

#define BEFORE                                                                                     \
    "  kept: { count: call, window: 7d }\n"                                                        \
    "  longer: { count: call, window: 7d }\n"                                                      \
    "  other: { sum: event.duration_s, on: call }\n"                                               \
    "  gone: { max: event.duration_s, on: call }\n"                                                \
    "  ratio: { expr: 'longer > 0 ? double(kept) / double(longer) : 0.0' }\n"                      \
    "  same: { expr: kept + 1 }\n"
#define AFTER                                                                                      \
    "  added: { decay: call, half_life: 7d }\n"                                                    \
    "  kept: { window: 7d,   count: call } # written otherwise\n"                                  \
    "  longer: { count: call, window: 14d, where: 'event.duration_s > 0.0' }\n"                    \
    "  other: { sum: event.charge, on: call }\n"                                                   \
    "  ratio: { expr: 'longer > 0 ? double(kept) / double(longer) : 0.0' }\n"                      \
    "  same: { expr: kept + 1 }\n"

START_TEST(features_are_kept_redefined_added_and_dropped)
{
    compare(load(BEFORE, ""), load(AFTER, ""));

    ck_assert_uint_eq(changes.features.count, 7);
    assert_change(&changes.features, "added", RF_ADDED, "");
    assert_change(&changes.features, "kept", RF_UNCHANGED, "");
    assert_change(&changes.features, "longer", RF_CHANGED, "where, window 7d -> 14d");
    ck_assert_int_eq(find(&changes.features, "longer")->full_after, 14 * RF_DAY_MS);
    assert_change(&changes.features, "other", RF_CHANGED, "the value");
    ck_assert_int_eq(find(&changes.features, "other")->full_after, 0);
    assert_change(&changes.features, "gone", RF_REMOVED, "");
    assert_change(&changes.features, "ratio", RF_CHANGED, "what it reads");
    ck_assert(find(&changes.features, "ratio")->stateless);
    assert_change(&changes.features, "same", RF_UNCHANGED, "");
}
END_TEST

static void fold_calls(const struct rf_plan *plan, struct rf_customer *customer)
{
    struct rf_engine *engine = rf_engine_open(plan);
    const struct rf_record_type *type = plan->sources[0].event_type;

    for (int i = 0; i < 5; i++) {
        struct rf_value *fields = rf_arena_alloc_zero(&arena, type->field_count * sizeof *fields);
        struct rf_record record = {.type = type, .fields = fields};
        struct rf_event event = {.customer = customer->id,
                                 .time = START + i * RF_HOUR_MS,
                                 .position = {.topic = "calls", .offset = i},
                                 .fields = &record};
        struct rf_fold result;
        struct rf_error err = {0};

        for (size_t k = 0; k < type->field_count; k++)
            fields[k] = rf_value_double(3.5);
        ck_assert_msg(rf_engine_fold(engine, customer, &event, event.time, &arena, &result, &err),
                      "%s", err.message);
    }
    rf_engine_close(engine);
}

/* The bytes of a record of `before`, read under `after`. */
static struct rf_customer reread(const struct rf_plan *before, const struct rf_plan *after,
                                 struct rf_customer *customer)
{
    const struct rf_customer_codec *old = rf_customer_codec_make(&arena, before);
    const struct rf_customer_codec *new = rf_customer_codec_make(&arena, after);
    const struct rf_customer_layout *layout = NULL;
    struct rf_value values[RF_FEATURES_MAX] = {0};
    struct rf_engine *engine = rf_engine_open(before);
    struct rf_customer again;
    struct rf_error err = {0};
    struct rf_buffer body;

    rf_buffer_init(&body, 1U << 20);
    rf_engine_features(engine, customer, customer->as_of, &arena, values);
    rf_customer_encode(old, customer, values, &body);
    ck_assert_msg(
        rf_customer_layout_make(&arena, new, rf_customer_codec_schema(old), &layout, &err), "%s",
        err.message);
    ck_assert_msg(rf_customer_decode(layout, rf_arena_copy(&arena, rf_buffer_bytes(&body)), &arena,
                                     &again, &err),
                  "%s", err.message);
    rf_buffer_deinit(&body);
    rf_engine_close(engine);
    return again;
}

static bool is_empty(const struct rf_feature_state *state)
{
    return !state->set && state->count == 0;
}

START_TEST(what_is_said_of_the_state_is_what_becomes_of_a_record)
{
    const struct rf_plan *before = load(BEFORE, "");
    const struct rf_plan *after = load(AFTER, "");
    struct rf_customer customer, again;

    rf_customer_init(&arena, before, rf_bytes_of_text("alice"), &customer);
    fold_calls(before, &customer);
    again = reread(before, after, &customer);
    compare(before, after);

    size_t kept = 0;
    for (size_t i = 0; i < after->feature_count; i++) {
        const struct rf_part_change *part = find(&changes.features, after->features[i].name);

        if (part->stateless)
            continue;
        ck_assert_msg(is_empty(&again.features[i]) == (part->change != RF_UNCHANGED), "%s",
                      part->name);
        kept += part->change == RF_UNCHANGED;
    }
    ck_assert_uint_eq(kept, 1);
}
END_TEST

START_TEST(the_names_of_states_alone_say_the_same_of_features)
{
    const struct rf_plan *before = load(BEFORE, "");
    const struct rf_plan *after = load(AFTER, "");
    const char *states[RF_FEATURES_MAX];
    struct rf_plan_before known = {.states = states};

    for (size_t i = 0; i < before->feature_count; i++) {
        if (before->features[i].state_name != NULL)
            states[known.state_count++] = before->features[i].state_name;
    }
    rf_plan_compare(&arena, &known, after, &changes);

    assert_change(&changes.features, "added", RF_ADDED, "");
    assert_change(&changes.features, "kept", RF_UNCHANGED, "");
    assert_change(&changes.features, "longer", RF_CHANGED, "definition");
    assert_change(&changes.features, "other", RF_CHANGED, "definition");
    assert_change(&changes.features, "gone", RF_REMOVED, "");
    ck_assert_uint_eq(changes.rules.count, 0);
}
END_TEST

START_TEST(rules_are_compared_setting_by_setting)
{
    compare(load(BEFORE, "rules:\n"
                         "  a: { when: kept > 3, emit: alert, cooldown: 7d }\n"
                         "  b: { when: kept > 3, emit: alert }\n"
                         "  c: { when: longer > 3, emit: alert }\n"
                         "  d: { when: kept > 3, emit: alert }\n"
                         "  f: { when: kept > 3, emit: alert }\n"),
            load(AFTER, "rules:\n"
                        "  e: { when: kept > 3, emit: alert }\n"
                        "  f: { when: kept > 3, emit: alert, mode: off }\n"
                        "  c: { when: longer > 3, emit: alert }\n"
                        "  b: { when: 'kept   > 3', emit: alert }\n"
                        "  a: { when: kept > 4, emit: offer, cooldown: 1d, severity: high }\n"));

    ck_assert_uint_eq(changes.rules.count, 6);
    assert_change(&changes.rules, "a", RF_CHANGED,
                  "when, severity medium -> high, cooldown 7d -> 1d, emit alert -> offer");
    assert_change(&changes.rules, "b", RF_UNCHANGED, "");
    assert_change(&changes.rules, "c", RF_CHANGED, "what it reads");
    assert_change(&changes.rules, "d", RF_REMOVED, "");
    assert_change(&changes.rules, "f", RF_CHANGED, "mode live -> off");
    assert_change(&changes.rules, "e", RF_ADDED, "");
}
END_TEST

START_TEST(nothing_changes_against_itself)
{
    const char *rules = "rules:\n  a: { when: kept > 3, emit: alert }\n";

    compare(load(BEFORE, rules), load(BEFORE, rules));

    const struct rf_part_changes *lists[] = {&changes.features, &changes.rules, &changes.sources,
                                             &changes.outputs, &changes.settings};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ck_assert_uint_gt(lists[i]->count, 0);
        for (size_t k = 0; k < lists[i]->count; k++)
            assert_change(lists[i], lists[i]->items[k].name, RF_UNCHANGED, "");
    }
    ck_assert(!changes.app);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_change");
    TCase *tcase = tcase_create("plan_change");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, features_are_kept_redefined_added_and_dropped);
    tcase_add_test(tcase, what_is_said_of_the_state_is_what_becomes_of_a_record);
    tcase_add_test(tcase, the_names_of_states_alone_say_the_same_of_features);
    tcase_add_test(tcase, rules_are_compared_setting_by_setting);
    tcase_add_test(tcase, nothing_changes_against_itself);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
