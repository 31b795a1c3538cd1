#include "core/engine/due.h"

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/engine/crossing.h"
#include "core/engine/describe.h"
#include "core/engine/features.h"
#include "core/engine/patterns.h"
#include "core/engine/rules.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"

#define STEPS_FEW  4  /* candidates tried at each event: mostly the next one comes before */
#define STEPS_MANY 64 /* ... where the customer is looked at for the sake of it */
#define ROUNDS_MAX 64

static const struct rf_moment never = {.at = RF_MS_MAX};

static struct rf_moment of_crossing(struct rf_crossing crossing)
{
    return (struct rf_moment){.at = crossing.at, .real = crossing.real};
}

/* When the condition comes true by itself, but not before `earliest`, when it may have come true already. */
static struct rf_moment rising(struct rf_engine *engine, const struct rf_customer *customer,
                               const struct rf_moving_condition *condition, rf_ms from,
                               rf_ms earliest, unsigned steps_max)
{
    struct rf_crossing crossing = {0};

    if (!condition->may_rise)
        return never;
    crossing = rf_crossing_find(engine, customer, condition, from, true, steps_max);
    if (!crossing.real || crossing.at >= earliest)
        return of_crossing(crossing);
    if (rf_crossing_holds(engine, customer, condition, earliest))
        return (struct rf_moment){.at = earliest, .real = true};
    return of_crossing(rf_crossing_find(engine, customer, condition, earliest, true, steps_max));
}

/* As rf_crossing_find, however many steps there are on the way, but no further than `until`. */
static rf_ms find_for_sure(struct rf_engine *engine, const struct rf_customer *customer,
                           const struct rf_moving_condition *condition, rf_ms from, bool wanted,
                           rf_ms until)
{
    struct rf_crossing crossing = {.at = from};
    unsigned steps = until == RF_MS_MAX ? STEPS_MANY : STEPS_FEW;

    for (unsigned i = 0;
         i < ROUNDS_MAX * STEPS_MANY / steps && crossing.at < until && !crossing.real; i++)
        crossing = rf_crossing_find(engine, customer, condition, crossing.at, wanted, steps);
    return crossing.real && crossing.at <= until ? crossing.at : RF_MS_MAX;
}

/* `when` has to hold for a while: the first time that it does so for long enough. */
static struct rf_moment of_hold(struct rf_engine *engine, const struct rf_customer *customer,
                                uint32_t index, rf_ms from)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    const struct rf_moving_condition *when = &engine->moving.rules[index].when;
    const struct rf_rule_state *state = &customer->rules[index];
    rf_ms since = state->held_since;

    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        rf_ms fall = RF_MS_MAX;
        rf_ms ripe = 0;

        if (since == RF_MS_MIN) {
            since = when->may_rise ? find_for_sure(engine, customer, when, from, true, RF_MS_MAX)
                                   : RF_MS_MAX;
            from = since;
        }
        if (since == RF_MS_MAX)
            return never;
        ripe = rf_ms_later(since + rule->hold, rf_rule_state_cooled_down(state, rule));
        if (ripe > from && !rf_rule_state_has_told(state, rule, since)) {
            if (when->may_fall)
                fall = find_for_sure(engine, customer, when, from, false, ripe);
            if (ripe < fall)
                return (struct rf_moment){.at = ripe, .real = true, .since = since};
        }
        if (!when->may_fall || !when->may_rise)
            return never; /* it is not to hold again without an event */
        if (fall == RF_MS_MAX)
            fall = find_for_sure(engine, customer, when, from, false, RF_MS_MAX);
        if (fall == RF_MS_MAX)
            return never;
        from = fall;
        since = RF_MS_MIN;
    }
    return never;
}

static rf_ms base_of(const struct rf_customer *customer, const struct rf_rule_state *state)
{
    return rf_ms_later(rf_ms_later(customer->as_of, state->told), state->last_fired);
}

static struct rf_moment of_rule(struct rf_engine *engine, const struct rf_customer *customer,
                                uint32_t index, rf_ms looked, unsigned steps_max)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    const struct rf_moving_rule *moving = &engine->moving.rules[index];
    const struct rf_rule_state *state = &customer->rules[index];
    rf_ms from = rf_ms_later(base_of(customer, state), looked);

    if (!moving->has_timers)
        return never;
    if (rf_rule_state_is_over(state, rule))
        return looked < from ? (struct rf_moment){.at = from, .real = true} : never;
    if (state->raised)
        return rising(engine, customer, &moving->clear_when, from, RF_MS_MIN, steps_max);
    if (rule->hold == 0)
        return rising(engine, customer, &moving->when, from, rf_rule_state_cooled_down(state, rule),
                      steps_max);
    return of_hold(engine, customer, index, from);
}

/* Since when `when` holds just before an event at `until`: time may have made it come and go. */
static void settle_hold(struct rf_engine *engine, struct rf_customer *customer, uint32_t index,
                        rf_ms until)
{
    const struct rf_moving_condition *when = &engine->moving.rules[index].when;
    struct rf_rule_state *state = &customer->rules[index];
    bool holds = state->held_since != RF_MS_MIN;
    rf_ms at = base_of(customer, state);

    for (unsigned i = 0; i < ROUNDS_MAX && at < until; i++) {
        at = find_for_sure(engine, customer, when, at, !holds, until);
        if (at > until)
            return;
        holds = !holds;
        state->held_since = holds ? at : RF_MS_MIN;
    }
}

void rf_due_settle(struct rf_engine *engine, struct rf_customer *customer, rf_ms until)
{
    if (customer->as_of == RF_MS_MIN)
        return;
    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        if (engine->plan->rules[i].hold > 0 && engine->moving.rules[i].when.test_count > 0 &&
            !customer->rules[i].raised)
            settle_hold(engine, customer, i, until);
    }
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
static rf_ms find_next(struct rf_engine *engine, const struct rf_customer *customer,
                       unsigned steps_max)
{
    rf_ms next = RF_MS_MAX;

    if (customer->as_of == RF_MS_MIN)
        return RF_MS_MAX; /* nothing ever happened */
    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        rf_ms looked = engine->moments[i].looked;

        engine->moments[i] = of_rule(engine, customer, i, looked, steps_max);
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

rf_ms rf_due_of(struct rf_engine *engine, const struct rf_customer *customer)
{
    if (!engine->moving.has_timers)
        return RF_MS_MAX;
    begin_looking(engine);
    return rf_ms_earlier(
        rf_ms_earlier(find_next(engine, customer, STEPS_FEW), rf_patterns_due(engine, customer)),
        end_of_life(engine, customer));
}

rf_ms rf_due_foresee(struct rf_engine *engine, const struct rf_customer *customer)
{
    rf_ms next = end_of_life(engine, customer);

    begin_looking(engine);
    for (uint32_t i = 0; customer->as_of != RF_MS_MIN && i < engine->plan->rule_count; i++) {
        struct rf_moment moment = never;

        for (unsigned rounds = 0; rounds < ROUNDS_MAX && !moment.real; rounds++) {
            moment = of_rule(engine, customer, i, engine->moments[i].looked, STEPS_MANY);
            if (moment.at == RF_MS_MAX)
                break;
            engine->moments[i].looked = moment.at;
        }
        engine->moments[i] = moment.real ? moment : never;
        next = rf_ms_earlier(next, engine->moments[i].at);
    }
    return next;
}

static void evict(struct rf_engine *engine, struct rf_customer *customer, rf_ms at,
                  struct rf_arena *arena, struct rf_fold *fold)
{
    const struct rf_cause cause = {.customer = customer->id, .at = at};

    fold->evicted = true;
    fold->changed = true;
    rf_features_look(engine, customer, at, NULL);
    rf_rules_end(engine, customer, &cause, arena, fold);
    if (engine->plan->lifecycle_output != RF_OUTPUT_NONE)
        rf_describe_lifecycle(engine, RF_STATUS_EVICTED, &cause, arena, rf_describe_push(engine));
}

/* True where the customer is another now. A rule that could not be evaluated is not asked again at this instant. */
static bool fire_rules(struct rf_engine *engine, struct rf_customer *customer, rf_ms at,
                       struct rf_arena *arena, struct rf_fold *fold)
{
    const struct rf_cause cause = {.customer = customer->id, .at = at};
    bool changed = false;

    rf_features_look(engine, customer, at, NULL);
    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        struct rf_rule_state before = customer->rules[i];

        if (engine->moments[i].at != at)
            continue;
        engine->moments[i].looked = at;
        if (!engine->moments[i].real)
            continue;
        if (engine->plan->rules[i].hold > 0 && !before.raised)
            customer->rules[i].held_since = engine->moments[i].since;
        rf_rules_ask_one(engine, i, &customer->rules[i], &cause, arena, fold);
        if (before.fired_count != customer->rules[i].fired_count ||
            before.raised != customer->rules[i].raised)
            changed = true;
        else
            customer->rules[i] = before; /* in vain */
    }
    return changed;
}

rf_ms rf_due_fire(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_due_limits *limits, struct rf_arena *arena, struct rf_fold *fold)
{
    rf_ms life = end_of_life(engine, customer);

    begin_looking(engine);
    for (;;) {
        rf_ms rule = find_next(engine, customer, STEPS_MANY);
        rf_ms pattern = rf_patterns_due(engine, customer);
        rf_ms next = pattern <= limits->watermark ? rf_ms_earlier(rule, pattern) : rule;

        if (limits->evicts && life <= limits->until && life <= next) {
            evict(engine, customer, life, arena, fold);
            return RF_MS_MAX;
        }
        if (next > limits->until || next == RF_MS_MAX)
            return rf_ms_earlier(rf_ms_earlier(rule, pattern), life);
        if (rule == next && fire_rules(engine, customer, next, arena, fold))
            fold->changed = true;
        if (pattern == next && pattern <= limits->watermark)
            rf_patterns_advance(engine, customer, next, arena, fold);
    }
}
