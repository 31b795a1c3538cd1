#include "core/engine/patterns.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/engine/describe.h"
#include "core/engine/features.h"
#include "core/engine/pattern.h"
#include "core/engine/rules.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"

static bool ask_where(struct rf_engine *engine, const struct rf_pattern_listener *listener,
                      bool *wanted, struct rf_error *err)
{
    struct rf_value answer = {0};

    *wanted = true;
    if (listener->where == NULL)
        return true;
    if (!rf_features_need(engine, &listener->where_reads, &engine->scratch, err) ||
        !rf_features_eval(engine, listener->where, &engine->scratch, &answer, err))
        return false;
    if (answer.kind != RF_VALUE_BOOL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "it is neither true nor false");
    *wanted = answer.as.boolean;
    return true;
}

bool rf_patterns_gather(struct rf_engine *engine, const struct rf_event *event,
                        struct rf_error *err)
{
    const struct rf_pattern_listeners *listeners = NULL;

    if (engine->plan->pattern_count == 0)
        return true;
    listeners = &engine->wiring.pattern_sources[event->source];
    memset(engine->steps, 0, engine->plan->pattern_count * sizeof *engine->steps);
    for (size_t i = 0; i < listeners->count; i++) {
        const struct rf_pattern_listener *listener = &listeners->items[i];
        bool wanted = false;

        if (!ask_where(engine, listener, &wanted, err))
            return rf_error_wrap(err, "rule `%s`: step %u of its pattern: where",
                                 engine->plan->rules[listener->rule].name, listener->step + 1);
        if (wanted)
            engine->steps[listener->pattern] |= UINT32_C(1) << listener->step;
    }
    return true;
}

/* The customer cannot be looked at as it was before its latest event: a match that became certain only now, by the
 * watermark, is judged by what is known now, and happened when it happened. */
static void fire(struct rf_engine *engine, struct rf_customer *customer, uint32_t rule,
                 const struct rf_pattern_outcome *outcome, struct rf_arena *arena,
                 struct rf_fold *fold)
{
    fold->pattern_ignored += outcome->ignored_count;
    fold->pattern_hurried += outcome->hurried_count;
    fold->pattern_dropped += outcome->dropped_count;
    for (size_t i = 0; i < outcome->match_count; i++) {
        const struct rf_pattern_match *match = &outcome->matches[i];
        const struct rf_cause cause = {.customer = customer->id, .at = match->time, .match = match};

        rf_features_look(engine, customer, rf_ms_later(customer->as_of, match->time), NULL);
        rf_rules_match(engine, rule, &customer->rules[rule], &cause, arena, fold);
    }
}

void rf_patterns_take(struct rf_engine *engine, struct rf_customer *customer,
                      const struct rf_event *event, rf_ms watermark, struct rf_arena *arena,
                      struct rf_fold *fold)
{
    for (size_t i = 0; i < engine->plan->pattern_count; i++) {
        const struct rf_pattern *pattern = &engine->plan->patterns[i];
        const struct rf_pattern_event shown = {
            .time = event->time, .position = event->position, .steps = engine->steps[i]};
        struct rf_pattern_outcome outcome = {0};

        if (shown.steps != 0)
            rf_pattern_offer(pattern, &customer->patterns[i], &shown, watermark, arena, &outcome);
        else
            rf_pattern_advance(pattern, &customer->patterns[i], watermark, arena, &outcome);
        fire(engine, customer, pattern->rule, &outcome, arena, fold);
    }
}

void rf_patterns_advance(struct rf_engine *engine, struct rf_customer *customer, rf_ms watermark,
                         struct rf_arena *arena, struct rf_fold *fold)
{
    for (size_t i = 0; i < engine->plan->pattern_count; i++) {
        const struct rf_pattern *pattern = &engine->plan->patterns[i];
        struct rf_pattern_outcome outcome = {0};

        if (rf_pattern_due(pattern, &customer->patterns[i]) > watermark)
            continue;
        rf_pattern_advance(pattern, &customer->patterns[i], watermark, arena, &outcome);
        fold->changed = true;
        fire(engine, customer, pattern->rule, &outcome, arena, fold);
    }
}

rf_ms rf_patterns_due(const struct rf_engine *engine, const struct rf_customer *customer)
{
    const struct rf_plan *plan = engine->plan;
    rf_ms least = RF_MS_MAX;

    for (size_t i = 0; i < plan->pattern_count; i++) {
        rf_ms due = rf_pattern_due(&plan->patterns[i], &customer->patterns[i]);

        least = rf_ms_earlier(least, due);
    }
    return least;
}
