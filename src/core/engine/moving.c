#include "core/engine/moving.h"

#include "core/base/assert.h"
#include "core/engine/feature_set.h"

struct maker {
    struct rf_arena *arena;
    const struct rf_plan *plan;
    const struct rf_wiring *wiring;
    struct rf_test *tests;
    size_t count, capacity;
};

/* How the truth of a part of a condition can change by time alone. */
struct turn {
    bool may_rise, may_fall;
};

static bool reads_time(const struct rf_expr *expr)
{
    size_t count = 0;
    const struct rf_expr_read *reads = rf_expr_reads(expr, &count);

    for (size_t i = 0; i < count; i++) {
        if (reads[i].variable == RF_VARIABLE_NOW)
            return true;
    }
    return false;
}

static enum rf_movement movement_of(const struct maker *maker, const struct rf_expr *expr,
                                    struct rf_feature_set *reads)
{
    enum rf_movement movement = RF_STANDS;

    if (rf_wiring_reads(maker->wiring, expr, reads))
        return RF_FLOWS;
    for (uint32_t i = rf_feature_set_next(reads, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(reads, i + 1)) {
        const struct rf_feature *feature = &maker->plan->features[i];

        if (feature->half_life > 0 || (feature->expr != NULL && reads_time(feature->expr)))
            return RF_FLOWS;
        if (feature->window > 0)
            movement = RF_STEPS;
    }
    return movement;
}

static const struct rf_feature *feature_of(const struct maker *maker, const struct rf_expr *side)
{
    uint32_t variable = 0;

    if (!rf_expr_is_variable(side, &variable) || variable < RF_VARIABLE_FEATURE)
        return NULL;
    return &maker->plan->features[variable - RF_VARIABLE_FEATURE];
}

static bool flows(const struct maker *maker, const struct rf_expr *expr)
{
    struct rf_feature_set reads = {0};

    return movement_of(maker, expr, &reads) == RF_FLOWS;
}

static bool take_alive(struct maker *maker, const struct rf_expr *side, struct rf_test *test)
{
    const struct rf_feature *feature = feature_of(maker, side);

    if (feature != NULL && feature->expr != NULL)
        side = feature->expr; /* a feature that is p_alive(...) */
    test->alive_modified =
        rf_expr_is_call(maker->arena, side, "p_alive_mbg", test->alive, RF_ALIVE_ARGUMENTS);
    return test->alive_modified ||
           rf_expr_is_call(maker->arena, side, "p_alive", test->alive, RF_ALIVE_ARGUMENTS);
}

static void find_form(struct maker *maker, struct rf_test *test)
{
    const struct rf_expr *sides[] = {test->left, test->right};

    for (size_t i = 0; i < 2 && test->form == RF_TEST_ANY; i++) {
        const struct rf_feature *feature = feature_of(maker, sides[i]);

        if (flows(maker, sides[1 - i]))
            continue;
        test->other = sides[1 - i];
        if (feature != NULL && feature->kind == RF_FEATURE_DECAY) {
            test->decay = (uint32_t)(feature - maker->plan->features);
            test->form = RF_TEST_DECAY;
        } else if (take_alive(maker, sides[i], test)) {
            test->form = RF_TEST_ALIVE;
        }
    }
}

static bool is_at_least(enum rf_comparison comparison)
{
    return comparison == RF_COMPARES_GREATER || comparison == RF_COMPARES_GREATER_EQUAL;
}

static bool is_at_most(enum rf_comparison comparison)
{
    return comparison == RF_COMPARES_LESS || comparison == RF_COMPARES_LESS_EQUAL;
}

/* Does it only ever become less while nothing happens? */
static bool only_falls(const struct rf_feature *feature)
{
    return feature != NULL && feature->window > 0 && feature->offset == 0 &&
           (feature->kind == RF_FEATURE_COUNT || feature->kind == RF_FEATURE_COUNT_DISTINCT);
}

/* `calls_7d >= 3` can stop to hold by itself, but not begin to. */
static struct turn turn_of(const struct maker *maker, const struct rf_condition *condition,
                           const struct rf_test *test)
{
    struct turn turn = {test->movement != RF_STANDS, test->movement != RF_STANDS};
    struct rf_feature_set reads = {0};
    bool left_stands = false, right_stands = false;

    if (test->movement != RF_STEPS || test->left == NULL)
        return turn;
    left_stands = movement_of(maker, test->left, &reads) == RF_STANDS;
    reads = (struct rf_feature_set){0};
    right_stands = movement_of(maker, test->right, &reads) == RF_STANDS;
    if ((only_falls(feature_of(maker, test->left)) && right_stands &&
         is_at_least(condition->comparison)) ||
        (only_falls(feature_of(maker, test->right)) && left_stands &&
         is_at_most(condition->comparison)))
        turn.may_rise = false;
    if ((only_falls(feature_of(maker, test->left)) && right_stands &&
         is_at_most(condition->comparison)) ||
        (only_falls(feature_of(maker, test->right)) && left_stands &&
         is_at_least(condition->comparison)))
        turn.may_fall = false;
    return turn;
}

static void keep(struct maker *maker, const struct rf_test *test)
{
    if (maker->count == maker->capacity) {
        size_t capacity = maker->capacity == 0 ? 4 : 2 * maker->capacity;
        struct rf_test *tests = rf_arena_alloc(maker->arena, capacity * sizeof *tests);

        for (size_t i = 0; i < maker->count; i++)
            tests[i] = maker->tests[i];
        maker->tests = tests;
        maker->capacity = capacity;
    }
    maker->tests[maker->count++] = *test;
}

static struct turn take_test(struct maker *maker, const struct rf_condition *condition)
{
    struct rf_test test = {
        .expr = condition->test, .left = condition->left, .right = condition->right};

    test.movement = movement_of(maker, test.expr, &test.reads);
    if (test.movement == RF_STANDS)
        return (struct turn){false, false};
    if (test.movement == RF_FLOWS && test.left != NULL)
        find_form(maker, &test);
    keep(maker, &test);
    return turn_of(maker, condition, &test);
}

static struct turn take(struct maker *maker, const struct rf_condition *condition)
{
    struct turn turn = {false, false};

    if (condition->kind == RF_CONDITION_TEST)
        return take_test(maker, condition);
    for (size_t i = 0; i < condition->part_count; i++) {
        struct turn part = take(maker, &condition->parts[i]);

        turn.may_rise = turn.may_rise || part.may_rise;
        turn.may_fall = turn.may_fall || part.may_fall;
    }
    if (condition->kind == RF_CONDITION_NOT)
        return (struct turn){turn.may_fall, turn.may_rise};
    if (condition->kind == RF_CONDITION_CHOICE && (turn.may_rise || turn.may_fall))
        return (struct turn){true, true};
    return turn;
}

static void take_condition(struct maker *maker, const struct rf_expr *expr,
                           struct rf_moving_condition *moving)
{
    const struct rf_condition *condition = NULL;
    struct turn turn = {false, false};

    moving->expr = expr;
    if (expr == NULL)
        return;
    maker->tests = NULL;
    maker->count = maker->capacity = 0;
    rf_wiring_reads(maker->wiring, expr, &moving->reads);
    condition = rf_condition_of(maker->arena, expr);
    if (condition != NULL) {
        turn = take(maker, condition);
    } else { /* too deep to be taken apart: one test */
        struct rf_condition whole = {.kind = RF_CONDITION_TEST, .test = expr};

        turn = take_test(maker, &whole);
    }
    moving->may_rise = turn.may_rise;
    moving->may_fall = turn.may_fall;
    moving->tests = maker->tests;
    moving->test_count = maker->count;
}

void rf_moving_make(struct rf_arena *arena, const struct rf_plan *plan,
                    const struct rf_wiring *wiring, struct rf_moving *moving)
{
    struct maker maker = {.arena = arena, .plan = plan, .wiring = wiring};

    *moving = (struct rf_moving){.has_timers = plan->ttl > 0 || plan->pattern_count > 0};
    moving->rules = rf_arena_alloc_zero(arena, plan->rule_count * sizeof *moving->rules);
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct rf_rule *rule = &plan->rules[i];
        struct rf_moving_rule *of = &moving->rules[i];

        take_condition(&maker, rule->when, &of->when);
        take_condition(&maker, rule->clear_when, &of->clear_when);
        of->has_timers = rule->hold > 0 || of->when.may_rise || of->clear_when.may_rise;
        moving->has_timers = moving->has_timers || of->has_timers;
        moving->has_holds = moving->has_holds || (rule->hold > 0 && of->when.test_count > 0);
    }
}
