#include "core/engine/due.h"

#include "core/base/assert.h"
#include "core/engine/crossing.h"
#include "core/engine/describe.h"
#include "core/engine/features.h"
#include "core/engine/rules.h"

static const struct rf_moment never = {.at = RF_MS_MAX};

static rf_ms later(rf_ms a, rf_ms b)
{
    return a > b ? a : b;
}

static struct rf_moment of_crossing(struct rf_crossing crossing)
{
    return (struct rf_moment){.at = crossing.at, .real = crossing.real};
}

/* When the condition comes true by itself, but not before `earliest`, when it may have come true already. */
static struct rf_moment rising(struct rf_engine *engine, const struct rf_customer *customer,
                               const struct rf_moving_condition *condition, rf_ms from,
                               rf_ms earliest)
{
    struct rf_crossing crossing = {0};

    if (!condition->may_rise)
        return never;
    crossing = rf_crossing_find(engine, customer, condition, from, true);
    if (!crossing.real || crossing.at >= earliest)
        return of_crossing(crossing);
    if (rf_crossing_holds(engine, customer, condition, earliest))
        return (struct rf_moment){.at = earliest, .real = true};
    return of_crossing(rf_crossing_find(engine, customer, condition, earliest, true));
}

static rf_ms cooled_down(const struct rf_rule *rule, const struct rf_rule_state *state)
{
    return state->fired_count == 0 ? RF_MS_MIN : state->last_fired + rule->cooldown;
}

/* `when` holds, and has to for a while: either it ceases to, or the time is over. */
static struct rf_moment of_hold(struct rf_engine *engine, const struct rf_customer *customer,
                                const struct rf_moving_rule *moving, const struct rf_rule *rule,
                                const struct rf_rule_state *state, rf_ms from)
{
    rf_ms ripe = later(state->held_since + rule->hold, cooled_down(rule, state));
    struct rf_moment fall = never;

    if (moving->when.may_fall)
        fall = of_crossing(rf_crossing_find(engine, customer, &moving->when, from, false));
    if (state->fired_count > 0 && state->last_fired >= state->held_since + rule->hold)
        return fall; /* fired already in this hold */
    if (ripe <= from || fall.at <= ripe)
        return fall;
    return (struct rf_moment){.at = ripe, .real = true};
}

static struct rf_moment of_rule(struct rf_engine *engine, const struct rf_customer *customer,
                                uint32_t index, rf_ms from)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    const struct rf_moving_rule *moving = &engine->moving.rules[index];
    const struct rf_rule_state *state = &customer->rules[index];

    if (!moving->has_timers)
        return never;
    from = later(from, customer->as_of);
    if (state->fired_count > 0)
        from = later(from, state->last_fired);
    if (state->raised)
        return rising(engine, customer, &moving->clear_when, from, RF_MS_MIN);
    if (rule->hold == 0)
        return rising(engine, customer, &moving->when, from, cooled_down(rule, state));
    if (state->held_since == RF_MS_MIN)
        return rising(engine, customer, &moving->when, from, RF_MS_MIN);
    return of_hold(engine, customer, moving, rule, state, later(from, state->held_since));
}

static rf_ms end_of_life(const struct rf_engine *engine, const struct rf_customer *customer)
{
    rf_span_ms ttl = engine->plan->ttl;

    if (ttl == 0 || customer->event_count == 0 || customer->as_of > RF_MS_MAX - ttl)
        return RF_MS_MAX;
    return customer->as_of + ttl;
}

/* The earliest of all rules; engine->moments[i] becomes that of rule i, looked for from where it was looked in
 * vain. */
static rf_ms find_next(struct rf_engine *engine, const struct rf_customer *customer)
{
    rf_ms next = RF_MS_MAX;

    if (customer->as_of == RF_MS_MIN)
        return RF_MS_MAX; /* nothing ever happened */
    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        rf_ms looked = engine->moments[i].looked;

        engine->moments[i] = of_rule(engine, customer, i, looked);
        engine->moments[i].looked = looked;
        if (engine->moments[i].at < next)
            next = engine->moments[i].at;
    }
    return next;
}

static void begin_looking(struct rf_engine *engine)
{
    for (uint32_t i = 0; i < engine->plan->rule_count; i++)
        engine->moments[i].looked = RF_MS_MIN;
}

static rf_ms earlier(rf_ms a, rf_ms b)
{
    return a < b ? a : b;
}

rf_ms rf_due_of(struct rf_engine *engine, const struct rf_customer *customer)
{
    if (!engine->moving.has_timers)
        return RF_MS_MAX;
    begin_looking(engine);
    return earlier(find_next(engine, customer), end_of_life(engine, customer));
}

static void evict(struct rf_engine *engine, struct rf_customer *customer, rf_ms at,
                  struct rf_arena *arena, struct rf_fold *fold)
{
    const struct rf_cause cause = {.customer = customer->id};

    fold->evicted = true;
    fold->changed = true;
    rf_features_look(engine, customer, at, NULL);
    if (engine->plan->lifecycle_output != RF_OUTPUT_NONE)
        rf_describe_lifecycle(engine, RF_STATUS_EVICTED, &cause, arena, rf_describe_push(engine));
}

/* True where the customer is another now. A rule that could not be evaluated is not asked again at this instant. */
static bool fire_rules(struct rf_engine *engine, struct rf_customer *customer, rf_ms at,
                       struct rf_arena *arena, struct rf_fold *fold)
{
    const struct rf_cause cause = {.customer = customer->id};
    bool changed = false;

    rf_features_look(engine, customer, at, NULL);
    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        struct rf_rule_state before = customer->rules[i];

        if (engine->moments[i].at != at)
            continue;
        engine->moments[i].looked = at;
        if (!engine->moments[i].real)
            continue;
        rf_rules_ask_one(engine, i, &customer->rules[i], &cause, arena, fold);
        changed = changed || before.fired_count != customer->rules[i].fired_count ||
                  before.raised != customer->rules[i].raised ||
                  before.held_since != customer->rules[i].held_since;
    }
    return changed;
}

rf_ms rf_due_fire(struct rf_engine *engine, struct rf_customer *customer, rf_ms until, bool evicts,
                  struct rf_arena *arena, struct rf_fold *fold)
{
    rf_ms life = end_of_life(engine, customer);

    begin_looking(engine);
    for (;;) {
        rf_ms next = find_next(engine, customer);

        if (evicts && life <= until && life <= next) {
            evict(engine, customer, life, arena, fold);
            return RF_MS_MAX;
        }
        if (next > until)
            return earlier(next, life);
        if (fire_rules(engine, customer, next, arena, fold))
            fold->changed = true;
    }
}
