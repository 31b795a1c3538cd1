#include "core/engine/crossing.h"

#include <math.h>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "core/base/time.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"
#include "core/engine/steps.h"
#include "core/model/feature.h"
#include "core/model/plan.h"

#define HORIZON_MS (36525 * RF_DAY_MS)
#define SLOPE_MS   RF_HOUR_MS
#define GUESS_NONE RF_MS_MAX

/* The engine looks at this customer already, at whatever instant. */
static bool evaluate(struct rf_engine *engine, const struct rf_customer *customer,
                     const struct rf_expr *expr, const struct rf_feature_set *reads, rf_ms at,
                     struct rf_value *value)
{
    if (engine->now != at)
        rf_features_look(engine, customer, at, NULL);
    rf_error_clear(&engine->error);
    return rf_features_need(engine, reads, &engine->scratch, &engine->error) &&
           rf_features_eval(engine, expr, &engine->scratch, value, &engine->error);
}

static bool is_true(struct rf_engine *engine, const struct rf_customer *customer,
                    const struct rf_expr *expr, const struct rf_feature_set *reads, rf_ms at)
{
    struct rf_value value = {0};

    return evaluate(engine, customer, expr, reads, at, &value) && value.kind == RF_VALUE_BOOL &&
           value.as.boolean;
}

bool rf_crossing_holds(struct rf_engine *engine, const struct rf_customer *customer,
                       const struct rf_moving_condition *condition, rf_ms at)
{
    return is_true(engine, customer, condition->expr, &condition->reads, at);
}

/* ---- where a test may cross ---- */

struct search {
    struct rf_engine *engine;
    const struct rf_customer *customer;
    const struct rf_turn *turn;
};

/* What a turn is told by: whether it holds; or how its sides stand to each other. */
enum phase {
    PHASE_FALSE,
    PHASE_TRUE,
    PHASE_LESS,
    PHASE_SAME,
    PHASE_GREATER,
    PHASE_NONE, /* no order is known, or there is no value */
};

static bool side_at(const struct search *search, const struct rf_expr *expr, rf_ms at,
                    struct rf_value *value)
{
    return evaluate(search->engine, search->customer, expr, &search->turn->reads, at, value);
}

/* Instants and lengths in milliseconds. NAN: it is none. */
static double number_of(struct rf_value value)
{
    double number = 0;

    if (value.kind == RF_VALUE_TIMESTAMP || value.kind == RF_VALUE_DURATION)
        return (double)rf_value_to_ms(value);
    return rf_value_to_double(value, &number) ? number : (double)NAN;
}

static enum phase phase_of_sides(const struct search *search, rf_ms at)
{
    struct rf_value left = {0}, right = {0};
    double l = 0, r = 0;

    if (!side_at(search, search->turn->left, at, &left) ||
        !side_at(search, search->turn->right, at, &right))
        return PHASE_NONE;
    l = number_of(left);
    r = number_of(right);
    if (l < r)
        return PHASE_LESS;
    if (l > r)
        return PHASE_GREATER;
    return l == r || rf_value_equal(left, right) ? PHASE_SAME : PHASE_NONE;
}

static enum phase phase_at(const struct search *search, rf_ms at)
{
    const struct rf_turn *turn = search->turn;

    if (turn->by_sign)
        return phase_of_sides(search, at);
    return is_true(search->engine, search->customer, turn->expr, &turn->reads, at) ? PHASE_TRUE
                                                                                   : PHASE_FALSE;
}

static double number_at(const struct search *search, const struct rf_expr *expr, rf_ms at)
{
    struct rf_value value = {0};

    return side_at(search, expr, at, &value) ? number_of(value) : (double)NAN;
}

/* NAN and what lies outside of (from, until] guess nothing. */
static rf_ms guess_at(double at, rf_ms from, rf_ms until)
{
    return at > (double)from && at < (double)until ? (rf_ms)at : GUESS_NONE;
}

static rf_ms guess_decay(const struct search *search, rf_ms from, rf_ms until)
{
    const struct rf_feature *feature = &search->engine->plan->features[search->turn->decay];
    const struct rf_feature_state *state = &search->customer->features[search->turn->decay];
    double limit = number_at(search, search->turn->other, from);

    if (!state->set || !(state->value.as.number / limit > 0))
        return GUESS_NONE;
    return guess_at((double)state->at +
                        (double)feature->half_life * rf_log2(state->value.as.number / limit),
                    from, until);
}

static rf_ms guess_alive(const struct search *search, rf_ms from, rf_ms until)
{
    double v[RF_ALIVE_ARGUMENTS]; /* x, t_x, T, r, alpha, a, b */
    double q = number_at(search, search->turn->other, from);
    double age_later = number_at(search, search->turn->alive[2], from + SLOPE_MS);
    double base = 0, crossing = 0;

    for (size_t i = 0; i < RF_ALIVE_ARGUMENTS; i++)
        v[i] = number_at(search, search->turn->alive[i], from);
    base = (1 - q) / q * (v[6] + v[0] - (search->turn->alive_modified ? 0 : 1)) / v[5];
    if (!(base > 0) || !(age_later > v[2]))
        return GUESS_NONE;
    crossing = (v[4] + v[1]) * rf_pow(base, 1 / (v[3] + v[0])) - v[4];
    return guess_at((double)from + (crossing - v[2]) / (age_later - v[2]) * (double)SLOPE_MS, from,
                    until);
}

static double difference_at(const struct search *search, rf_ms at)
{
    double left = number_at(search, search->turn->left, at);
    double right = number_at(search, search->turn->right, at);

    return search->turn->form == RF_TURN_DECAYS ? rf_log2(left / right) : left - right;
}

/* The zero of the line through the difference of the sides now and a little later; where that has not moved, as it goes
 * by whole days, now and at the end. */
static rf_ms guess_line(const struct search *search, rf_ms from, rf_ms until)
{
    rf_ms later = until - from > SLOPE_MS ? from + SLOPE_MS : until;
    double now = 0, then = 0;

    if (search->turn->left == NULL)
        return GUESS_NONE;
    now = difference_at(search, from);
    then = difference_at(search, later);
    if (now == then) {
        later = until;
        then = difference_at(search, later);
    }
    if (!(now < then) && !(now > then))
        return GUESS_NONE;
    return guess_at((double)from + now / (now - then) * (double)(later - from), from, until);
}

static rf_ms guess(const struct search *search, rf_ms from, rf_ms until)
{
    switch (search->turn->form) {
    case RF_TURN_DECAY:
        return guess_decay(search, from, until);
    case RF_TURN_ALIVE:
        return guess_alive(search, from, until);
    case RF_TURN_ANY:
    case RF_TURN_DECAYS:
        break;
    }
    return guess_line(search, from, until);
}

/* Draws the bounds (`low`: as before, `high`: turned) together around a guess, in growing strides: a good guess is a
 * millisecond or two off. */
static void narrow(const struct search *search, enum phase before, rf_ms about, rf_ms *low,
                   rf_ms *high)
{
    bool turned = phase_at(search, about) != before;

    for (rf_span_ms stride = 1; stride < *high - *low; stride *= 8) {
        rf_ms at = turned ? about - stride : about + stride;

        if (turned)
            *high = about < *high ? about : *high;
        else
            *low = about > *low ? about : *low;
        if (at <= *low || at >= *high)
            return;
        about = at;
        if ((phase_at(search, at) != before) != turned) {
            if (turned)
                *low = at;
            else
                *high = at;
            return;
        }
    }
}

/* Two instants in [from, until] between which it turns, the earliest that are found. False: none. */
static bool enclose(const struct search *search, enum phase before, rf_ms from, rf_ms until,
                    rf_ms *low, rf_ms *high)
{
    rf_span_ms stride = search->turn->once ? until - from : search->turn->stride;

    *low = from;
    for (;;) {
        *high = stride < until - from ? from + stride : until;
        if (phase_at(search, *high) != before)
            return true;
        if (*high == until)
            return false;
        *low = *high;
        stride *= 2;
    }
}

/* The first instant in (from, until] at which it has turned; RF_MS_MAX: none is found. */
static rf_ms turn_of(const struct search *search, rf_ms from, rf_ms until)
{
    enum phase before = phase_at(search, from);
    rf_ms low = from;
    rf_ms high = until;
    rf_ms about = GUESS_NONE;

    if (!enclose(search, before, from, until, &low, &high))
        return RF_MS_MAX;
    about = guess(search, low, high);
    if (about != GUESS_NONE)
        narrow(search, before, about, &low, &high);
    while (high - low > 1) {
        rf_ms middle = low + (high - low) / 2;

        if (phase_at(search, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static rf_ms next_step(const struct rf_engine *engine, const struct rf_customer *customer,
                       const struct rf_feature_set *reads, rf_ms from)
{
    rf_ms next = RF_MS_MAX;

    for (uint32_t i = rf_feature_set_next(reads, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(reads, i + 1)) {
        rf_ms step = rf_steps_after(&engine->plan->features[i], &customer->features[i], from);

        next = rf_ms_earlier(next, step);
    }
    return next;
}

/* An instant after `from` before which the test stays as it is. */
static rf_ms candidate_of(struct rf_engine *engine, const struct rf_customer *customer,
                          const struct rf_test *test, rf_ms from)
{
    rf_ms next = next_step(engine, customer, &test->reads, from);
    rf_ms horizon = from > RF_MS_MAX - HORIZON_MS ? RF_MS_MAX - 1 : from + HORIZON_MS;

    for (size_t i = 0; i < test->turn_count; i++) {
        const struct search search = {engine, customer, &test->turns[i]};
        rf_ms until = rf_ms_earlier(next - 1, horizon);

        if (until > from)
            next = rf_ms_earlier(next, turn_of(&search, from, until));
    }
    return next;
}

/* ---- what need not be sought ---- */

/* Can the test begin to hold (`rising`), or cease to, before the next event? */
static bool can_turn(const struct rf_engine *engine, const struct rf_customer *customer,
                     const struct rf_test *test, bool rising)
{
    if (test->falling == RF_FEATURES_MAX || rising != test->falling_ends_it)
        return true;
    return !rf_steps_only_down(&engine->plan->features[test->falling],
                               &customer->features[test->falling]);
}

static bool can_lift(const struct rf_engine *engine, const struct rf_customer *customer,
                     const struct rf_test *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((tests[i].lifts_by_rising && can_turn(engine, customer, &tests[i], true)) ||
            (tests[i].lifts_by_falling && can_turn(engine, customer, &tests[i], false)))
            return true;
    }
    return false;
}

/* A conjunction cannot come true while a part of it is false and has to stay so. */
static bool can_come_true(struct rf_engine *engine, const struct rf_customer *customer,
                          const struct rf_moving_condition *condition, rf_ms from)
{
    if (!can_lift(engine, customer, condition->tests, condition->test_count))
        return false;
    for (size_t i = 0; i < condition->conjunct_count; i++) {
        const struct rf_conjunct *part = &condition->conjuncts[i];

        if (!can_lift(engine, customer, part->tests, part->test_count) &&
            !is_true(engine, customer, part->expr, &part->reads, from))
            return false;
    }
    return true;
}

static rf_ms next_candidate(struct rf_engine *engine, const struct rf_customer *customer,
                            const struct rf_moving_condition *condition, rf_ms from)
{
    rf_ms next = RF_MS_MAX;

    for (size_t i = 0; i < condition->test_count; i++)
        next = rf_ms_earlier(next, candidate_of(engine, customer, &condition->tests[i], from));
    return next;
}

struct rf_crossing rf_crossing_find(struct rf_engine *engine, const struct rf_customer *customer,
                                    const struct rf_moving_condition *condition, rf_ms from,
                                    bool wanted, unsigned steps_max)
{
    const struct rf_crossing none = {.at = RF_MS_MAX};
    bool before = false;

    if (condition->test_count == 0 || from >= RF_MS_MAX)
        return none;
    if (wanted && !can_come_true(engine, customer, condition, from))
        return none;
    before = rf_crossing_holds(engine, customer, condition, from);
    for (unsigned i = 0; i < steps_max; i++) {
        rf_ms at = next_candidate(engine, customer, condition, from);
        bool after = false;

        if (at == RF_MS_MAX)
            return none;
        rf_assert(at > from);
        after = rf_crossing_holds(engine, customer, condition, at);
        if (after == wanted && before != wanted)
            return (struct rf_crossing){.at = at, .real = true};
        before = after;
        from = at;
    }
    return (struct rf_crossing){.at = from};
}
