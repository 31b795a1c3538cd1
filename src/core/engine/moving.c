#include "core/engine/moving.h"

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/engine/feature_set.h"
#include "core/expr/monotone.h"
#include "core/model/rule.h"
#include "core/model/variables.h"

#define TURNS_MAX       32           /* of one test */
#define BEHIND_MAX      64           /* features that are taken apart for one condition */
#define STRIDE_MS       RF_SECOND_MS /* to begin with, where no half-life is shorter */
#define STRIDES_IN_HALF 16           /* in a half-life: there a decay is nearly straight */

struct maker {
    struct rf_arena *arena;
    const struct rf_plan *plan;
    const struct rf_wiring *wiring;
    enum rf_course courses[RF_FEATURES_MAX]; /* of the features, between two steps */
    struct rf_test *tests;
    size_t count, capacity;
    size_t behind; /* features that were taken apart for the condition at hand */
};

static enum rf_course course_of(void *self, uint32_t variable)
{
    const struct maker *maker = self;

    if (variable < RF_VARIABLE_FEATURE)
        return variable == RF_VARIABLE_NOW ? RF_COURSE_MONOTONE : RF_COURSE_CONSTANT;
    return maker->courses[variable - RF_VARIABLE_FEATURE];
}

static bool flows(struct maker *maker, const struct rf_expr *expr)
{
    return rf_expr_course(expr, course_of, maker) != RF_COURSE_CONSTANT;
}

static enum rf_movement movement_of(struct maker *maker, const struct rf_expr *expr,
                                    struct rf_feature_set *reads)
{
    rf_wiring_reads(maker->wiring, expr, reads);
    if (flows(maker, expr))
        return RF_FLOWS;
    for (uint32_t i = rf_feature_set_next(reads, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(reads, i + 1)) {
        if (maker->plan->features[i].window > 0)
            return RF_STEPS;
    }
    return RF_STANDS;
}

static const struct rf_feature *feature_of(const struct maker *maker, const struct rf_expr *side)
{
    uint32_t variable = 0;

    if (!rf_expr_is_variable(side, &variable) || variable < RF_VARIABLE_FEATURE)
        return NULL;
    return &maker->plan->features[variable - RF_VARIABLE_FEATURE];
}

static bool take_alive(struct maker *maker, const struct rf_expr *side, struct rf_turn *turn)
{
    const struct rf_feature *feature = feature_of(maker, side);

    if (feature != NULL && feature->expr != NULL)
        side = feature->expr; /* a feature that is p_alive(...) */
    turn->alive_modified =
        rf_expr_is_call(maker->arena, side, "p_alive_mbg", turn->alive, RF_ALIVE_ARGUMENTS);
    return turn->alive_modified ||
           rf_expr_is_call(maker->arena, side, "p_alive", turn->alive, RF_ALIVE_ARGUMENTS);
}

static void find_form(struct maker *maker, struct rf_turn *turn)
{
    const struct rf_expr *sides[] = {turn->left, turn->right};

    for (size_t i = 0; i < 2 && turn->form == RF_TURN_ANY; i++) {
        const struct rf_feature *feature = feature_of(maker, sides[i]);

        if (flows(maker, sides[1 - i]))
            continue;
        turn->other = sides[1 - i];
        if (feature != NULL && feature->kind == RF_FEATURE_DECAY) {
            turn->decay = (uint32_t)(feature - maker->plan->features);
            turn->form = RF_TURN_DECAY;
        } else if (take_alive(maker, sides[i], turn)) {
            turn->form = RF_TURN_ALIVE;
        }
    }
    if (turn->other == NULL)
        turn->form = RF_TURN_DECAYS;
}

/* A window stands, and everything that halves only falls. In order: an expression reads earlier features only. */
static void find_courses(struct maker *maker)
{
    for (size_t i = 0; i < maker->plan->feature_count; i++) {
        const struct rf_feature *feature = &maker->plan->features[i];

        if (feature->expr != NULL)
            maker->courses[i] = rf_expr_course(feature->expr, course_of, maker);
        else
            maker->courses[i] = feature->half_life > 0 ? RF_COURSE_MONOTONE : RF_COURSE_CONSTANT;
    }
}

/* True where the one side moves throughout and the other does not. */
static bool passes_once(struct maker *maker, const struct rf_turn *turn)
{
    enum rf_course left = rf_expr_course(turn->left, course_of, maker);
    enum rf_course right = rf_expr_course(turn->right, course_of, maker);

    return (left == RF_COURSE_CONSTANT && right == RF_COURSE_MONOTONE) ||
           (left == RF_COURSE_MONOTONE && right == RF_COURSE_CONSTANT);
}

static rf_span_ms stride_of(const struct maker *maker, const struct rf_feature_set *reads)
{
    rf_span_ms stride = STRIDE_MS;

    for (uint32_t i = rf_feature_set_next(reads, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(reads, i + 1)) {
        rf_span_ms half = maker->plan->features[i].half_life / STRIDES_IN_HALF;

        if (half > 0 && half < stride)
            stride = half;
    }
    return stride;
}

static struct rf_turn turn_of(struct maker *maker, const struct rf_inner_comparison *inner)
{
    struct rf_turn turn = {.expr = inner->test, .left = inner->left, .right = inner->right};

    turn.by_sign =
        inner->comparison == RF_COMPARES_EQUAL || inner->comparison == RF_COMPARES_NOT_EQUAL;
    if (turn.left == NULL) {
        rf_wiring_reads(maker->wiring, turn.expr, &turn.reads);
        turn.once = rf_expr_course(turn.expr, course_of, maker) != RF_COURSE_ANY;
    } else {
        rf_wiring_reads(maker->wiring, turn.left, &turn.reads);
        rf_wiring_reads(maker->wiring, turn.right, &turn.reads);
        turn.once = passes_once(maker, &turn);
        find_form(maker, &turn);
    }
    turn.stride = stride_of(maker, &turn.reads);
    return turn;
}

/* The comparisons within `expr` that flow, and within what it reads. */
static size_t find_inner(struct maker *maker, const struct rf_expr *expr,
                         const struct rf_feature_set *reads, struct rf_inner_comparison *inner)
{
    size_t count = rf_condition_inner(maker->arena, expr, inner, TURNS_MAX);
    size_t flowing = 0;

    for (uint32_t i = rf_feature_set_next(reads, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(reads, i + 1)) {
        const struct rf_feature *feature = &maker->plan->features[i];

        if (feature->expr != NULL)
            count +=
                rf_condition_inner(maker->arena, feature->expr, inner + count, TURNS_MAX - count);
    }
    for (size_t i = 0; i < count; i++) {
        if (flows(maker, inner[i].left) || flows(maker, inner[i].right))
            inner[flowing++] = inner[i];
    }
    return flowing;
}

static void find_turns(struct maker *maker, const struct rf_condition *condition,
                       struct rf_test *test)
{
    const struct rf_inner_comparison itself = {.test = condition->test,
                                               .comparison = condition->comparison,
                                               .left = condition->left,
                                               .right = condition->right};
    struct rf_turn whole = turn_of(maker, &itself);
    struct rf_inner_comparison inner[TURNS_MAX];
    size_t count = whole.once ? 0 : find_inner(maker, test->expr, &test->reads, inner);
    size_t first = count > 0 && condition->left != NULL ? 1 : 0; /* not itself again */
    struct rf_turn *turns = rf_arena_alloc(maker->arena, (count + 1) * sizeof *turns);

    test->turn_count = 0;
    test->turns = turns;
    for (size_t i = first; i < count; i++)
        turns[test->turn_count++] = turn_of(maker, &inner[i]);
    turns[test->turn_count++] = whole;
}

static bool is_at_least(enum rf_comparison comparison)
{
    return comparison == RF_COMPARES_GREATER || comparison == RF_COMPARES_GREATER_EQUAL;
}

static bool is_at_most(enum rf_comparison comparison)
{
    return comparison == RF_COMPARES_LESS || comparison == RF_COMPARES_LESS_EQUAL;
}

/* May it be one that only ever becomes less while nothing happens? For COUNT and COUNT_DISTINCT that is certain, for
 * the others it depends on their numbers (steps.h). */
static bool may_only_fall(const struct rf_feature *feature)
{
    if (feature == NULL || feature->offset > 0)
        return false;
    if (feature->kind == RF_FEATURE_DECAY)
        return true;
    return feature->window > 0 &&
           (feature->kind == RF_FEATURE_COUNT || feature->kind == RF_FEATURE_COUNT_DISTINCT ||
            feature->kind == RF_FEATURE_SUM);
}

static bool stands(struct maker *maker, const struct rf_expr *expr)
{
    struct rf_feature_set reads = {0};

    return movement_of(maker, expr, &reads) == RF_STANDS;
}

/* `calls_7d >= 3` can stop to hold by itself, but not begin to. */
static void find_direction(struct maker *maker, const struct rf_condition *condition,
                           struct rf_test *test)
{
    enum rf_comparison comparison = condition->comparison;
    const struct rf_feature *left = feature_of(maker, condition->left);
    const struct rf_feature *right = feature_of(maker, condition->right);
    bool falls_left = may_only_fall(left) && stands(maker, condition->right);
    bool falls_right = may_only_fall(right) && stands(maker, condition->left);

    if ((!falls_left && !falls_right) || (!is_at_least(comparison) && !is_at_most(comparison)))
        return;
    test->falling = (uint32_t)((falls_left ? left : right) - maker->plan->features);
    test->falling_ends_it = falls_left == is_at_least(comparison);
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

/* `lifts`, `sinks`: whether the whole may begin to hold when this part begins to, when it ceases to. */
static void take_test(struct maker *maker, const struct rf_condition *condition, bool lifts,
                      bool sinks)
{
    struct rf_test test = {
        .expr = condition->test,
        .falling = RF_FEATURES_MAX,
        .lifts_by_rising = lifts,
        .lifts_by_falling = sinks,
    };

    test.movement = movement_of(maker, test.expr, &test.reads);
    if (test.movement == RF_STANDS)
        return;
    if (test.movement == RF_FLOWS)
        find_turns(maker, condition, &test);
    if (condition->left != NULL)
        find_direction(maker, condition, &test);
    keep(maker, &test);
}

/* The condition that a feature stands for. NULL: the test is none, or there would be too many. */
static const struct rf_condition *condition_behind(struct maker *maker, const struct rf_expr *test)
{
    const struct rf_feature *feature = feature_of(maker, test);

    if (feature == NULL || feature->expr == NULL || maker->behind == BEHIND_MAX)
        return NULL;
    maker->behind++;
    return rf_condition_of(maker->arena, feature->expr);
}

static void take(struct maker *maker, const struct rf_condition *condition, bool lifts, bool sinks)
{
    if (condition->kind == RF_CONDITION_TEST) {
        const struct rf_condition *behind = condition_behind(maker, condition->test);

        if (behind != NULL)
            take(maker, behind, lifts, sinks);
        else
            take_test(maker, condition, lifts, sinks);
        return;
    }
    for (size_t i = 0; i < condition->part_count; i++) {
        if (condition->kind == RF_CONDITION_NOT)
            take(maker, &condition->parts[i], sinks, lifts);
        else if (condition->kind == RF_CONDITION_CHOICE)
            take(maker, &condition->parts[i], lifts || sinks, lifts || sinks);
        else
            take(maker, &condition->parts[i], lifts, sinks);
    }
}

/* Each has to hold for the whole to hold. */
static void take_conjuncts(struct maker *maker, const struct rf_condition *condition,
                           struct rf_moving_condition *moving)
{
    size_t count = condition->kind == RF_CONDITION_AND ? condition->part_count : 0;
    struct rf_conjunct *conjuncts = rf_arena_alloc_zero(maker->arena, count * sizeof *conjuncts);

    for (size_t i = 0; i < count; i++) {
        const struct rf_condition *part = &condition->parts[i];

        conjuncts[i].expr = part->test;
        maker->tests = NULL;
        maker->count = maker->capacity = maker->behind = 0;
        take(maker, part, true, false);
        conjuncts[i].test_count = maker->count;
        conjuncts[i].tests = maker->tests;
        rf_wiring_reads(maker->wiring, part->test, &conjuncts[i].reads);
    }
    moving->conjunct_count = count;
    moving->conjuncts = conjuncts;
}

static bool any_lifts(const struct maker *maker, bool rising)
{
    for (size_t i = 0; i < maker->count; i++) {
        const struct rf_test *test = &maker->tests[i];
        const struct rf_feature *falling =
            test->falling == RF_FEATURES_MAX ? NULL : &maker->plan->features[test->falling];
        bool surely = falling != NULL && (falling->kind == RF_FEATURE_COUNT ||
                                          falling->kind == RF_FEATURE_COUNT_DISTINCT);
        bool begins = !surely || !test->falling_ends_it;
        bool ends = !surely || test->falling_ends_it;
        bool lifts = (test->lifts_by_rising && begins) || (test->lifts_by_falling && ends);
        bool sinks = (test->lifts_by_rising && ends) || (test->lifts_by_falling && begins);

        if (rising ? lifts : sinks)
            return true;
    }
    return false;
}

static void take_condition(struct maker *maker, const struct rf_expr *expr,
                           struct rf_moving_condition *moving)
{
    /* one that is too deep to be taken apart is one test */
    struct rf_condition whole = {.kind = RF_CONDITION_TEST, .test = expr};
    const struct rf_condition *condition = NULL;

    moving->expr = expr;
    if (expr == NULL)
        return;
    rf_wiring_reads(maker->wiring, expr, &moving->reads);
    condition = rf_condition_of(maker->arena, expr);
    if (condition == NULL)
        condition = &whole;
    take_conjuncts(maker, condition, moving);
    maker->tests = NULL;
    maker->count = maker->capacity = maker->behind = 0;
    take(maker, condition, true, false);
    moving->may_rise = any_lifts(maker, true);
    moving->may_fall = any_lifts(maker, false);
    moving->tests = maker->tests;
    moving->test_count = maker->count;
}

void rf_moving_make(struct rf_arena *arena, const struct rf_plan *plan,
                    const struct rf_wiring *wiring, struct rf_moving *moving)
{
    struct maker maker = {.arena = arena, .plan = plan, .wiring = wiring};

    *moving = (struct rf_moving){.has_timers = plan->ttl > 0 || plan->pattern_count > 0};
    find_courses(&maker);
    moving->rules = rf_arena_alloc_zero(arena, plan->rule_count * sizeof *moving->rules);
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct rf_rule *rule = &plan->rules[i];
        struct rf_moving_rule *of = &moving->rules[i];

        if (rule->mode != RF_MODE_OFF) { /* what is not asked moves nothing */
            take_condition(&maker, rule->when, &of->when);
            take_condition(&maker, rule->clear_when, &of->clear_when);
        }
        of->has_timers = rule->mode != RF_MODE_LIVE || rule->hold > 0 || of->when.may_rise ||
                         of->clear_when.may_rise;
        moving->has_timers = moving->has_timers || of->has_timers;
        moving->has_holds = moving->has_holds || (rule->hold > 0 && of->when.test_count > 0);
    }
}
