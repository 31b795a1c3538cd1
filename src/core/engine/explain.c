#include "core/engine/explain.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/engine/copy.h"
#include "core/engine/due.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"
#include "core/model/feature.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"
#include "core/model/variables.h"

#define MEMORY_CHUNK (16U << 10)

/* A rule's conditions, taken apart; NULL where there is none or it is too deep for that. */
struct parts {
    const struct rf_condition *when, *clear_when;
};

struct rf_explainer {
    struct rf_engine *engine; /* owned: its view of a customer is ours alone */
    struct rf_arena memory;
    struct parts *rules;
};

static const struct rf_condition *take_apart(struct rf_explainer *explainer,
                                             const struct rf_expr *expr)
{
    const struct rf_condition *condition = NULL;

    if (expr == NULL)
        return NULL;
    condition = rf_condition_of(&explainer->memory, expr);
    if (condition == NULL) { /* too deep: as a whole */
        struct rf_condition *whole = rf_arena_alloc_zero(&explainer->memory, sizeof *whole);

        whole->test = expr;
        whole->text = rf_bytes_of_text("the condition");
        condition = whole;
    }
    return condition;
}

struct rf_explainer *rf_explainer_open(const struct rf_plan *plan)
{
    struct rf_explainer *explainer = calloc(1, sizeof *explainer);

    rf_assert(explainer != NULL);
    explainer->engine = rf_engine_open(plan);
    rf_arena_init(&explainer->memory, MEMORY_CHUNK);
    explainer->rules =
        rf_arena_alloc_zero(&explainer->memory, (plan->rule_count + 1) * sizeof *explainer->rules);
    for (size_t i = 0; i < plan->rule_count; i++) {
        explainer->rules[i].when = take_apart(explainer, plan->rules[i].when);
        explainer->rules[i].clear_when = take_apart(explainer, plan->rules[i].clear_when);
    }
    return explainer;
}

void rf_explainer_close(struct rf_explainer *explainer)
{
    if (explainer == NULL)
        return;
    rf_engine_close(explainer->engine);
    rf_arena_deinit(&explainer->memory);
    free(explainer);
}

/* ---- a condition ---- */

struct explaining {
    struct rf_engine *engine;
    struct rf_arena *arena;
};

/* Line ends and indentation of a longer condition become one space each. */
static struct rf_bytes one_line(struct rf_arena *arena, struct rf_bytes text)
{
    uint8_t *line = rf_arena_alloc_bytes(arena, text.size);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        bool space = text.data[i] == ' ' || text.data[i] == '\t' || text.data[i] == '\n' ||
                     text.data[i] == '\r';

        if (!space)
            line[size++] = text.data[i];
        else if (size > 0 && line[size - 1] != ' ')
            line[size++] = ' ';
    }
    while (size > 0 && line[size - 1] == ' ')
        size--;
    return rf_bytes_of(line, size);
}

/* The value of a part; null where it has none, and then `err` says why. */
static struct rf_value value_of(struct explaining *explaining, const struct rf_expr *expr,
                                struct rf_error *err)
{
    struct rf_engine *engine = explaining->engine;
    struct rf_feature_set reads = {0};
    struct rf_value value = rf_value_null();

    rf_wiring_reads(&engine->wiring, expr, &reads);
    if (!rf_features_need(engine, &reads, explaining->arena, err) ||
        !rf_features_eval(engine, expr, explaining->arena, &value, err))
        return rf_value_null();
    return rf_value_copy(explaining->arena, value);
}

/* One that fails is null. */
static struct rf_reason explain_feature(struct explaining *explaining, uint32_t feature)
{
    struct rf_engine *engine = explaining->engine;
    struct rf_feature_set reads = engine->wiring.reads[feature];

    rf_feature_set_add(&reads, feature);
    rf_features_have(engine, &reads, explaining->arena);
    return (struct rf_reason){
        .name = engine->plan->features[feature].name,
        .value =
            rf_value_copy(explaining->arena, engine->variables[RF_VARIABLE_FEATURE + feature])};
}

/* The features that a test names itself, and what it names of the customer, each once. */
static void explain_reads(struct explaining *explaining, const struct rf_expr *expr,
                          struct rf_explained *explained)
{
    size_t count = 0;
    const struct rf_expr_read *reads = rf_expr_reads(expr, &count);
    struct rf_reason *items =
        rf_arena_alloc(explaining->arena, (count + RF_CUSTOMER_FIELDS) * sizeof *items);
    struct rf_feature_set named = {0};
    bool named_field[RF_CUSTOMER_FIELDS] = {false};

    for (size_t i = 0; i < count; i++) {
        uint32_t feature = reads[i].variable - RF_VARIABLE_FEATURE;

        for (uint32_t field = 0; field < RF_CUSTOMER_FIELDS; field++) {
            if (named_field[field] || !rf_read_is_customer(&reads[i], field))
                continue;
            named_field[field] = true;
            items[explained->read_count++] = (struct rf_reason){
                .name = rf_customer_field_name(field),
                .value =
                    rf_value_copy(explaining->arena, explaining->engine->customer_fields[field])};
        }
        if (reads[i].variable < RF_VARIABLE_FEATURE || rf_feature_set_has(&named, feature))
            continue;
        rf_feature_set_add(&named, feature);
        items[explained->read_count++] = explain_feature(explaining, feature);
    }
    explained->reads = items;
}

static void explain(struct explaining *explaining, const struct rf_condition *condition,
                    struct rf_explained *explained)
{
    struct rf_explained *parts = NULL;
    struct rf_error err = {0};
    struct rf_value value = value_of(explaining, condition->test, &err);

    *explained = (struct rf_explained){
        .kind = condition->kind,
        .text = one_line(explaining->arena, condition->text),
        .truth = value.kind != RF_VALUE_BOOL ? RF_TRUTH_UNKNOWN
                 : value.as.boolean          ? RF_TRUTH_TRUE
                                             : RF_TRUTH_FALSE,
        .comparison = condition->comparison,
        .part_count = condition->part_count,
    };
    if (explained->truth == RF_TRUTH_UNKNOWN)
        explained->why = rf_arena_copy_text(explaining->arena, err.kind == RF_ERROR_NONE
                                                                   ? "it is neither true nor false"
                                                                   : err.message);
    if (condition->kind == RF_CONDITION_TEST)
        explain_reads(explaining, condition->test, explained);
    if (condition->left != NULL && condition->right != NULL) {
        struct rf_error ignored = {0};

        explained->left = value_of(explaining, condition->left, &ignored);
        rf_error_clear(&ignored);
        explained->right = value_of(explaining, condition->right, &ignored);
    }
    parts = rf_arena_alloc(explaining->arena, (condition->part_count + 1) * sizeof *parts);
    for (size_t i = 0; i < condition->part_count; i++)
        explain(explaining, &condition->parts[i], &parts[i]);
    explained->parts = parts;
}

static const struct rf_explained *explain_whole(struct explaining *explaining,
                                                const struct rf_condition *condition)
{
    struct rf_explained *explained = NULL;

    if (condition == NULL)
        return NULL;
    explained = rf_arena_alloc(explaining->arena, sizeof *explained);
    explain(explaining, condition, explained);
    return explained;
}

/* ---- a pattern ---- */

/* The kinds of the steps in a mask, with commas; NULL: none. */
static const char *kinds_of(struct rf_arena *arena, const struct rf_pattern *pattern,
                            uint32_t steps)
{
    const char *kinds = NULL;

    for (uint32_t i = 0; i < pattern->step_count; i++) {
        if ((steps >> i & 1U) == 0)
            continue;
        kinds = kinds == NULL ? pattern->steps[i].kind
                              : rf_arena_printf(arena, "%s, %s", kinds, pattern->steps[i].kind);
    }
    return kinds;
}

/* When a partial match ends, or is complete where silence is all that it waits for. */
static rf_ms end_of_run(const struct rf_pattern *pattern, const struct rf_explained_run *run)
{
    rf_ms first = run->taken[0].time;
    rf_ms last = run->taken[run->taken_count - 1].time;
    rf_span_ms step = run->taken_count < pattern->stage_count
                          ? pattern->stages[run->taken_count].within
                          : pattern->silence;
    rf_ms whole = pattern->within > 0 ? first + pattern->within : RF_MS_MAX;
    rf_ms next = step > 0 ? last + step : RF_MS_MAX;

    return rf_ms_earlier(next, whole);
}

static void explain_run(struct rf_arena *arena, const struct rf_pattern *pattern,
                        const struct rf_pattern_state *state, const struct rf_pattern_run *run,
                        struct rf_explained_run *explained)
{
    struct rf_explained_event *taken = rf_arena_alloc(arena, (run->taken + 1) * sizeof *taken);
    bool complete = run->taken == pattern->stage_count;

    rf_assert(run->taken > 0);
    rf_assert(run->taken <= pattern->stage_count);
    for (uint32_t i = 0; i < run->taken; i++) {
        taken[i].kind = pattern->steps[pattern->stages[i].step].kind;
        taken[i].time = state->events[run->events[i]].time;
    }
    *explained = (struct rf_explained_run){
        .taken_count = run->taken,
        .taken = taken,
        .next = complete ? NULL : pattern->steps[pattern->stages[run->taken].step].kind,
        .forbids = kinds_of(arena, pattern,
                            complete ? pattern->forbids : pattern->stages[run->taken].forbids),
    };
    explained->until = end_of_run(pattern, explained);
}

static const struct rf_explained_pattern *explain_pattern(struct explaining *explaining,
                                                          const struct rf_pattern *pattern)
{
    const struct rf_engine *engine = explaining->engine;
    const struct rf_pattern_state *state = NULL;
    struct rf_explained_pattern *explained = NULL;
    struct rf_explained_run *runs = NULL;

    if (pattern == NULL)
        return NULL;
    state = &engine->customer->patterns[pattern - engine->plan->patterns];
    explained = rf_arena_alloc(explaining->arena, sizeof *explained);
    runs = rf_arena_alloc(explaining->arena, (state->run_count + 1) * sizeof *runs);
    for (uint32_t i = 0; i < state->run_count; i++)
        explain_run(explaining->arena, pattern, state, &state->runs[i], &runs[i]);
    *explained = (struct rf_explained_pattern){
        .stage_count = pattern->stage_count,
        .run_count = state->run_count,
        .runs = runs,
        .waiting_count = state->event_count - state->taken_count,
    };
    return explained;
}

/* ---- a rule ---- */

/* As rules.c decides it. */
static void find_standing(const struct rf_rule *rule, const struct rf_rule_state *state, rf_ms now,
                          struct rf_explained_rule *explained)
{
    bool holds = explained->when == NULL || explained->when->truth == RF_TRUTH_TRUE;
    rf_ms held_since = state->held_since == RF_MS_MIN ? now : state->held_since;
    rf_ms cooled = rf_rule_state_cooled_down(state, rule);

    if (rule->mode == RF_MODE_OFF && !state->raised) {
        explained->standing = RF_STANDING_OFF;
    } else if (state->raised) {
        explained->standing = RF_STANDING_RAISED;
        explained->since = state->last_fired;
    } else if (rule->pattern != NULL) {
        explained->standing = RF_STANDING_PATTERN;
        explained->until = now < cooled ? cooled : RF_MS_MIN;
    } else if (!holds) {
        explained->standing = RF_STANDING_CONDITION;
    } else if (rule->hold > 0 && now - held_since < rule->hold) {
        explained->standing = RF_STANDING_FOR;
        explained->since = held_since;
        explained->until = held_since + rule->hold;
    } else if (rule->hold > 0 && rf_rule_state_has_told(state, rule, held_since)) {
        explained->standing = RF_STANDING_TOLD;
        explained->since = held_since;
    } else if (now < cooled) {
        explained->standing = RF_STANDING_COOLDOWN;
        explained->until = cooled;
    }
}

static void explain_rule(struct explaining *explaining, const struct parts *parts, uint32_t index,
                         struct rf_explained_rule *explained)
{
    struct rf_engine *engine = explaining->engine;
    const struct rf_rule_state *state = &engine->customer->rules[index];

    *explained = (struct rf_explained_rule){
        .rule = index,
        .standing = RF_STANDING_READY,
        .since = RF_MS_MIN,
        .until = RF_MS_MIN,
        .fired_count = state->fired_count,
        .last_fired = state->last_fired,
        .due = explained->due,
        .pattern = explain_pattern(explaining, engine->plan->rules[index].pattern),
        .when = explain_whole(explaining, parts->when),
        .clear_when = state->raised ? explain_whole(explaining, parts->clear_when) : NULL,
    };
    find_standing(&engine->plan->rules[index], state, engine->now, explained);
}

void rf_explain(struct rf_explainer *explainer, const struct rf_customer *customer, rf_ms now,
                struct rf_arena *arena, struct rf_explanation *explanation)
{
    struct rf_engine *engine = explainer->engine;
    struct explaining explaining = {.engine = engine, .arena = arena};
    size_t count = engine->plan->rule_count;
    struct rf_explained_rule *rules = rf_arena_alloc_zero(arena, (count + 1) * sizeof *rules);
    rf_ms due = RF_MS_MAX;

    rf_features_look(engine, customer, customer->as_of, NULL);
    due = rf_due_foresee(engine, customer); /* looks at other instants: before the rest */
    for (size_t i = 0; i < count; i++)
        rules[i].due = engine->moments[i].at;
    rf_features_look(engine, customer, rf_ms_later(customer->as_of, now), NULL);
    for (uint32_t i = 0; i < count; i++)
        explain_rule(&explaining, &explainer->rules[i], i, &rules[i]);
    *explanation = (struct rf_explanation){.customer = customer->id,
                                           .now = engine->now,
                                           .due = due,
                                           .rule_count = count,
                                           .rules = rules};
}
