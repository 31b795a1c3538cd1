#include "core/engine/wiring.h"

#include "core/base/assert.h"
#include "core/engine/feature_set.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/model/variables.h"

struct maker {
    struct rf_arena *arena;
    const struct rf_plan *plan;
    struct rf_wiring *wiring;
    struct rf_feature_set moving; /* features whose own value changes as time passes */
};

bool rf_wiring_reads(const struct rf_wiring *wiring, const struct rf_expr *expr,
                     struct rf_feature_set *set)
{
    const struct rf_expr_read *reads = NULL;
    size_t count = 0;
    bool reads_now = false;

    if (expr == NULL)
        return false;
    reads = rf_expr_reads(expr, &count);
    for (size_t i = 0; i < count; i++) {
        if (reads[i].variable == RF_VARIABLE_NOW || rf_read_is_history(&reads[i]))
            reads_now = true;
        if (reads[i].variable < RF_VARIABLE_FEATURE)
            continue;
        uint32_t feature = reads[i].variable - RF_VARIABLE_FEATURE;

        rf_feature_set_add(set, feature);
        rf_feature_set_unite(set, &wiring->reads[feature]);
    }
    return reads_now;
}

/* In order: an expression reads earlier features only, so what those read is known. */
static void wire_feature(struct maker *maker, uint32_t index)
{
    const struct rf_feature *feature = &maker->plan->features[index];
    struct rf_feature_set *reads = &maker->wiring->reads[index];
    bool reads_now = rf_wiring_reads(maker->wiring, feature->expr, reads);

    if (feature->kind == RF_FEATURE_CASES_OF)
        rf_feature_set_add(reads, feature->of);
    rf_assert(rf_feature_set_next(reads, index) == RF_FEATURES_MAX);
    if (feature->window > 0 || feature->half_life > 0 || reads_now)
        rf_feature_set_add(&maker->moving, index);
    rf_feature_set_add(&maker->wiring->affected[index], index);
    for (uint32_t i = rf_feature_set_next(reads, 0); i < RF_FEATURES_MAX;
         i = rf_feature_set_next(reads, i + 1))
        rf_feature_set_add(&maker->wiring->affected[i], index);
}

static void count_listeners(struct maker *maker)
{
    const struct rf_plan *plan = maker->plan;

    for (size_t i = 0; i < plan->feature_count; i++) {
        for (size_t j = 0; j < plan->features[i].input_count; j++) {
            struct rf_listeners *of = &maker->wiring->sources[plan->features[i].inputs[j].source];

            of->count++;
            if (of->count > maker->wiring->listener_count_max)
                maker->wiring->listener_count_max = of->count;
        }
    }
    for (size_t i = 0; i < plan->source_count; i++) {
        struct rf_listeners *of = &maker->wiring->sources[i];

        of->items = rf_arena_alloc_zero(maker->arena, of->count * sizeof *of->items);
        of->count = 0;
    }
}

static void wire_inputs(struct maker *maker, uint32_t index)
{
    const struct rf_feature *feature = &maker->plan->features[index];

    for (size_t i = 0; i < feature->input_count; i++) {
        const struct rf_feature_input *input = &feature->inputs[i];
        struct rf_listeners *of = &maker->wiring->sources[input->source];
        struct rf_listener *listener = &of->items[of->count++];

        listener->feature = index;
        listener->where = input->where;
        listener->value = input->value;
        listener->open = input->open;
        listener->close = input->close;
        rf_wiring_reads(maker->wiring, input->where, &listener->where_reads);
        rf_wiring_reads(maker->wiring, input->value, &listener->value_reads);
        rf_wiring_reads(maker->wiring, input->open, &listener->value_reads);
        rf_wiring_reads(maker->wiring, input->close, &listener->value_reads);
    }
}

static void wire_pattern(struct maker *maker, uint32_t index)
{
    const struct rf_pattern *pattern = &maker->plan->patterns[index];

    rf_assert(maker->plan->rules[pattern->rule].pattern == pattern);
    for (size_t i = 0; i < pattern->input_count; i++) {
        const struct rf_pattern_input *input = &pattern->inputs[i];
        struct rf_pattern_listeners *of = &maker->wiring->pattern_sources[input->source];
        struct rf_pattern_listener *listener = &of->items[of->count++];

        *listener = (struct rf_pattern_listener){
            .rule = pattern->rule, .pattern = index, .step = input->step, .where = input->where};
        rf_wiring_reads(maker->wiring, input->where, &listener->where_reads);
    }
}

static void wire_patterns(struct maker *maker)
{
    const struct rf_plan *plan = maker->plan;

    maker->wiring->pattern_sources = rf_arena_alloc_zero(
        maker->arena, plan->source_count * sizeof *maker->wiring->pattern_sources);
    for (size_t i = 0; i < plan->source_count; i++) {
        size_t count = 0;

        for (size_t j = 0; j < plan->pattern_count; j++) {
            for (size_t k = 0; k < plan->patterns[j].input_count; k++)
                count += plan->patterns[j].inputs[k].source == i;
        }
        maker->wiring->pattern_sources[i].items =
            rf_arena_alloc(maker->arena, count * sizeof(struct rf_pattern_listener));
    }
    for (uint32_t i = 0; i < plan->pattern_count; i++)
        wire_pattern(maker, i);
}

static void wire_rule(struct maker *maker, size_t index)
{
    const struct rf_rule *rule = &maker->plan->rules[index];
    struct rf_rule_wiring *wiring = &maker->wiring->rules[index];
    bool reads_now = rf_wiring_reads(maker->wiring, rule->when, &wiring->when_reads);

    reads_now = rf_wiring_reads(maker->wiring, rule->clear_when, &wiring->clear_reads) || reads_now;
    wiring->each_event = reads_now || rf_feature_set_is_empty(&wiring->when_reads) ||
                         rf_feature_set_meets(&wiring->when_reads, &maker->moving) ||
                         rf_feature_set_meets(&wiring->clear_reads, &maker->moving);
    rf_wiring_reads(maker->wiring, rule->because, &wiring->outcome_reads);
    rf_wiring_reads(maker->wiring, rule->offer_value, &wiring->outcome_reads);
    for (size_t i = 0; i < rule->reason_count; i++) {
        rf_feature_set_unite(&wiring->outcome_reads,
                             &maker->wiring->reads[rule->reason_features[i]]);
        rf_feature_set_add(&wiring->outcome_reads, rule->reason_features[i]);
    }
}

void rf_wiring_make(struct rf_arena *arena, const struct rf_plan *plan, struct rf_wiring *wiring)
{
    struct maker maker = {.arena = arena, .plan = plan, .wiring = wiring};

    rf_assert(plan->feature_count <= RF_FEATURES_MAX);
    rf_assert(plan->rule_count <= RF_RULES_MAX);
    *wiring = (struct rf_wiring){0};
    wiring->sources = rf_arena_alloc_zero(arena, plan->source_count * sizeof *wiring->sources);
    wiring->affected = rf_arena_alloc_zero(arena, plan->feature_count * sizeof *wiring->affected);
    wiring->rules = rf_arena_alloc_zero(arena, plan->rule_count * sizeof *wiring->rules);
    wiring->reads = rf_arena_alloc_zero(arena, plan->feature_count * sizeof *wiring->reads);
    for (uint32_t i = 0; i < plan->feature_count; i++)
        wire_feature(&maker, i);
    count_listeners(&maker);
    for (uint32_t i = 0; i < plan->feature_count; i++)
        wire_inputs(&maker, i);
    for (size_t i = 0; i < plan->rule_count; i++)
        wire_rule(&maker, i);
    wire_patterns(&maker);
}
