#include "core/engine/rules.h"

#include "core/base/assert.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/rule.h"

static bool is_asked(const struct rf_engine *engine, uint32_t index,
                     const struct rf_rule_state *state)
{
    const struct rf_rule_wiring *wiring = &engine->wiring.rules[index];

    if (rf_rule_state_is_over(state, &engine->plan->rules[index]))
        return true;
    if (engine->plan->rules[index].mode == RF_MODE_OFF)
        return false;
    if (engine->plan->rules[index].pattern != NULL && !state->raised)
        return false; /* its matches ask */
    return wiring->each_event || rf_feature_set_meets(&wiring->when_reads, &engine->changed) ||
           (state->raised && rf_feature_set_meets(&wiring->clear_reads, &engine->changed));
}

static bool ask(struct rf_engine *engine, const struct rf_expr *condition,
                const struct rf_feature_set *reads, const char *setting, bool *holds,
                struct rf_error *err)
{
    struct rf_value answer = {0};

    *holds = false;
    if (!rf_features_need(engine, reads, &engine->scratch, err) ||
        !rf_features_eval(engine, condition, &engine->scratch, &answer, err))
        return rf_error_wrap(err, "%s", setting);
    if (answer.kind != RF_VALUE_BOOL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%s: it is neither true nor false", setting);
    *holds = answer.as.boolean;
    return true;
}

/* Has it held for long enough, and not yet fired while it did? */
static bool is_ripe(const struct rf_engine *engine, const struct rf_rule *rule,
                    const struct rf_rule_state *state)
{
    if (rule->hold == 0)
        return true;
    return engine->now - state->held_since >= rule->hold &&
           !rf_rule_state_has_told(state, rule, state->held_since);
}

static void hold_back(struct rf_engine *engine, uint32_t index, enum rf_held_by by)
{
    engine->held[index].by[by]++;
    engine->any_held = true;
}

/* In shadow it is made as well, so that what cannot be made is found out, and told to nobody. */
static bool tell(struct rf_engine *engine, uint32_t index, const struct rf_rule_state *state,
                 enum rf_status status, const struct rf_cause *cause, struct rf_arena *arena,
                 struct rf_error *err)
{
    if (!rf_describe(engine, index, status, cause, state->fired_count, state->id, arena, err))
        return false;
    if (state->shadow)
        engine->derived_count--;
    if (state->shadow && status == RF_STATUS_RAISED)
        hold_back(engine, index, RF_HELD_BY_SHADOW);
    return true;
}

static bool raise_alert(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                        const struct rf_cause *cause, struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    struct rf_rule_state next = *state;
    uint64_t told_hash = 0;

    next.fired_count++;
    next.last_fired = cause->at;
    next.id = rf_describe_episode(engine, index, cause->customer, next.fired_count);
    if (!rf_describe_reasons_hash(engine, index, &told_hash, err) ||
        !tell(engine, index, &next, RF_STATUS_RAISED, cause, arena, err))
        return false;
    *state = next;
    state->raised = rule->clear_when != NULL;
    if (!state->raised) {
        state->id = (struct rf_hash128){0};
        return true;
    }
    state->told = cause->at;
    state->told_hash = told_hash;
    return true;
}

static bool clear_alert(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                        const struct rf_cause *cause, struct rf_arena *arena, struct rf_error *err)
{
    if (!tell(engine, index, state, RF_STATUS_CLEARED, cause, arena, err))
        return false;
    state->raised = false;
    state->held_since = RF_MS_MIN;
    state->told = engine->now;
    state->told_hash = 0;
    state->id = (struct rf_hash128){0};
    rf_rule_state_settle(state, &engine->plan->rules[index]);
    return true;
}

static bool update_alert(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                         const struct rf_cause *cause, struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    uint64_t hash = 0;

    if (rule->update == 0 || engine->now - state->told < rule->update)
        return true;
    if (!rf_describe_reasons_hash(engine, index, &hash, err))
        return false;
    if (hash == state->told_hash)
        return true;
    if (!tell(engine, index, state, RF_STATUS_UPDATED, cause, arena, err))
        return false;
    state->told = engine->now;
    state->told_hash = hash;
    return true;
}

static bool ask_raised(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                       const struct rf_cause *cause, struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    /* It has none any more: what it raised is over. */
    bool clears = rule->clear_when == NULL || rf_rule_state_is_over(state, rule);

    if (!clears && !ask(engine, rule->clear_when, &engine->wiring.rules[index].clear_reads,
                        "clear_when", &clears, err))
        return false;
    if (clears)
        return clear_alert(engine, index, state, cause, arena, err);
    return update_alert(engine, index, state, cause, arena, err);
}

static bool ask_idle(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                     const struct rf_cause *cause, struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    bool holds = false;

    if (!ask(engine, rule->when, &engine->wiring.rules[index].when_reads, "when", &holds, err))
        return false;
    if (!holds) {
        state->held_since = RF_MS_MIN;
        return true;
    }
    if (rule->hold > 0 && state->held_since == RF_MS_MIN)
        state->held_since = engine->now;
    if (engine->now < rf_rule_state_cooled_down(state, rule)) {
        hold_back(engine, index, RF_HELD_BY_COOLDOWN);
        return true;
    }
    if (!is_ripe(engine, rule, state)) {
        hold_back(engine, index, RF_HELD_BY_FOR);
        return true;
    }
    return raise_alert(engine, index, state, cause, arena, err);
}

/* What the pattern asks itself: features do not tell. */
static bool ask_matched(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                        const struct rf_cause *cause, struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    bool holds = true;

    if (cause->at < rf_rule_state_cooled_down(state, rule)) {
        hold_back(engine, index, RF_HELD_BY_COOLDOWN);
        return true;
    }
    if (rule->when != NULL &&
        !ask(engine, rule->when, &engine->wiring.rules[index].when_reads, "when", &holds, err))
        return false;
    if (!holds) {
        hold_back(engine, index, RF_HELD_BY_GUARD);
        return true;
    }
    return raise_alert(engine, index, state, cause, arena, err);
}

static bool tell_match(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                       const struct rf_cause *cause, struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    uint64_t hash = 0;

    if (rule->update == 0 || cause->at - state->told < rule->update)
        return true;
    if (!rf_describe_reasons_hash(engine, index, &hash, err) ||
        !tell(engine, index, state, RF_STATUS_UPDATED, cause, arena, err))
        return false;
    state->told = cause->at;
    state->told_hash = hash;
    return true;
}

static void count_failure(struct rf_engine *engine, uint32_t index, struct rf_fold *fold)
{
    fold->rule_error_count++;
    fold->rule_error_rule = index;
    fold->rule_error = engine->error;
    engine->meter[index].failures++;
}

/* It has nothing to say any more, but that what it has raised is over. */
static bool is_silenced(const struct rf_engine *engine, uint32_t index,
                        const struct rf_rule_state *state)
{
    const struct rf_rule *rule = &engine->plan->rules[index];

    return rule->mode == RF_MODE_OFF || rf_rule_state_is_over(state, rule);
}

void rf_rules_match(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                    const struct rf_cause *cause, struct rf_arena *arena, struct rf_fold *fold)
{
    rf_ns began = 0;
    bool ok = false;

    rf_assert(cause->match != NULL);
    if (is_silenced(engine, index, state))
        return;
    began = rf_meter_begin(engine, index);
    rf_error_clear(&engine->error);
    ok = state->raised ? tell_match(engine, index, state, cause, arena, &engine->error)
                       : ask_matched(engine, index, state, cause, arena, &engine->error);
    rf_meter_end(engine, index, began);
    if (!ok)
        count_failure(engine, index, fold);
}

void rf_rules_end(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_cause *cause, struct rf_arena *arena, struct rf_fold *fold)
{
    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        rf_error_clear(&engine->error);
        if (customer->rules[i].raised &&
            !clear_alert(engine, i, &customer->rules[i], cause, arena, &engine->error))
            count_failure(engine, i, fold);
    }
}

void rf_rules_ask_one(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                      const struct rf_cause *cause, struct rf_arena *arena, struct rf_fold *fold)
{
    rf_ns began = rf_meter_begin(engine, index);
    bool ok = false;

    rf_error_clear(&engine->error);
    ok = state->raised ? ask_raised(engine, index, state, cause, arena, &engine->error)
                       : ask_idle(engine, index, state, cause, arena, &engine->error);
    rf_meter_end(engine, index, began);
    if (!ok)
        count_failure(engine, index, fold);
}

void rf_rules_ask(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold)
{
    const struct rf_cause cause = {.customer = customer->id, .at = engine->now, .event = event};

    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        if (is_asked(engine, i, &customer->rules[i]))
            rf_rules_ask_one(engine, i, &customer->rules[i], &cause, arena, fold);
    }
}
