/* The `pattern` of a rule: its steps, judged one by one and side by side, and compiled for each source of
 * their kinds. What they mean is said in core/engine/pattern.h. */
#include <string.h>

#include "core/base/assert.h"
#include "core/model/feature.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/build.h"

/* One step on its way. */
struct step {
    struct rf_group group;
    struct rf_step_draft draft;
    const struct rf_yaml_node *node;
    const struct rf_yaml_node *kind_node;
    const char *kind;
    bool negated;
    bool broken;
};

/* One pattern on its way. */
struct making {
    struct rf_build *build;
    struct rf_entry *entry;
    const struct rf_rule_draft *draft;
    struct rf_pattern *pattern;
    struct rf_feature_set *reads; /* of the features that a `where` names */
    struct step *steps;
    size_t step_count;
    struct rf_pattern_input *inputs;
    struct rf_pattern_stage *stages;
    bool broken;
};

static bool fail(struct making *making, struct rf_place place, const char *hint,
                 const char *message)
{
    place.hint = hint;
    rf_complain(&making->build->yaml, place, "%s", message);
    making->broken = true;
    return false;
}

/* About one setting of a step, or the step where it is not written. */
static bool fail_at(struct making *making, struct step *step, const char *setting, const char *hint,
                    const char *message)
{
    const struct rf_yaml_node *node = rf_group_find(&step->group, setting);

    step->broken = true;
    return fail(making, rf_place_of(node != NULL ? node : step->node), hint, message);
}

static bool is_written(const struct step *step, const char *setting)
{
    return rf_group_find(&step->group, setting) != NULL;
}

/* ---- kinds ---------------------------------------------------------------------------------------- */

static bool is_of_kind(const struct rf_source *source, const char *kind)
{
    return source->role == RF_ROLE_EVENTS && strcmp(source->kind, kind) == 0;
}

static size_t count_sources(const struct rf_build *build, const char *kind)
{
    size_t count = 0;

    for (size_t i = 0; i < build->plan->source_count; i++)
        count += is_of_kind(&build->sources[i], kind) ? 1 : 0;
    return count;
}

static bool fail_unknown_kind(struct making *making, struct step *step)
{
    struct rf_build *build = making->build;
    const char *names[RF_SOURCES_MAX];
    const char *hint = "the sources have";
    const char *nearest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < build->plan->source_count; i++) {
        if (build->sources[i].role != RF_ROLE_EVENTS)
            continue;
        names[count++] = build->sources[i].kind;
        hint = rf_arena_printf(build->arena, "%s%s %s", hint, count == 1 ? "" : ",",
                               build->sources[i].kind);
    }
    nearest = rf_nearest_name(rf_bytes_of_text(step->kind), names, count);
    if (nearest != NULL)
        hint = rf_arena_printf(build->arena, "did you mean '%s'?", nearest);
    step->broken = true;
    return fail(making, rf_place_of(step->kind_node), hint,
                rf_arena_printf(build->arena, "no source has the kind '%.80s'", step->kind));
}

static bool find_kind(struct making *making, struct step *step)
{
    bool has_kind = is_written(step, "kind");

    step->negated = is_written(step, "not");
    if (has_kind && step->negated)
        return fail_at(making, step, "not", "make two steps of it",
                       "a step is either 'kind' or 'not'");
    if (!has_kind && !step->negated)
        return fail_at(making, step, "kind", "kind: KIND, or not: KIND",
                       "the step does not say which events it is about");
    step->kind = step->negated ? step->draft.negated : step->draft.kind;
    step->kind_node = rf_group_find(&step->group, step->negated ? "not" : "kind");
    if (making->build->plan->source_count == 0) { /* complained of already */
        step->broken = true;
        return false;
    }
    return count_sources(making->build, step->kind) > 0 || fail_unknown_kind(making, step);
}

/* ---- one step ------------------------------------------------------------------------------------- */

static bool check_negated(struct making *making, struct step *step, size_t index)
{
    if (index == 0)
        return fail_at(making, step, "not",
                       "begin with the event after which nothing may happen: { kind: KIND }",
                       "a pattern cannot begin with a 'not'");
    if (is_written(step, "times"))
        return fail_at(making, step, "times", "it is broken by the first such event",
                       "a 'not' has no 'times'");
    if (is_written(step, "within"))
        return fail_at(making, step, "within", "for: 14d, if nothing may happen for so long",
                       "a 'not' has no 'within'");
    if (is_written(step, "for") && index + 1 < making->step_count)
        return fail_at(making, step, "for",
                       "between two steps a 'not' holds until the next event; that step may have a "
                       "'within'",
                       "'for' belongs to the last step");
    return true;
}

static bool check_positive(struct making *making, struct step *step, size_t index)
{
    rf_span_ms within = step->draft.within;

    if (is_written(step, "for"))
        return fail_at(making, step, "for", "{ not: KIND, for: 14d }, as the last step",
                       "'for' is how long a 'not' has to last");
    if (within > 0 && index == 0)
        return fail_at(making, step, "within", "the rule's own 'within' is for the whole pattern",
                       "the first step has none before it");
    if (within > 0 && step->draft.times > 1)
        return fail_at(making, step, "within", "write the step once for each of its events",
                       "a step with 'times' has no 'within'");
    if (within > 0 && making->draft->within > 0 && within > making->draft->within)
        return fail_at(making, step, "within", "make it shorter, or that of the rule longer",
                       "'within' is longer than that of the whole pattern");
    return true;
}

static bool read_step(struct making *making, size_t index, const struct rf_yaml_node *node)
{
    struct step *step = &making->steps[index];

    step->node = node;
    step->group = (struct rf_group){
        .name = "rules.*.pattern.*",
        .path = rf_arena_printf(making->build->arena, "%s.pattern, step %zu",
                                making->entry->group.path, index + 1),
        .map = node,
    };
    if (node->kind != RF_YAML_MAP) {
        step->broken = true;
        return fail(making, rf_place_of(node),
                    "{ kind: KIND, where: EXPRESSION } or { not: KIND, for: 14d }",
                    rf_arena_printf(making->build->arena, "a step has to be a mapping, not %s",
                                    rf_yaml_kind_name(node)));
    }
    rf_settings_read(&making->build->reader, &step->group, &step->draft);
    if (step->group.broken) {
        step->broken = true;
        making->broken = true;
        return false;
    }
    return find_kind(making, step) && (step->negated ? check_negated(making, step, index)
                                                     : check_positive(making, step, index));
}

static bool read_steps(struct making *making)
{
    const struct rf_yaml_node *list = making->draft->pattern;
    struct rf_place place = rf_place_of(list);

    if (list->count == 0)
        return fail(making, place, "[ { kind: KIND }, { not: KIND, for: 14d } ]",
                    "the pattern has no steps");
    if (list->count > RF_PATTERN_STEPS_MAX)
        return fail(
            making, rf_place_of(list->items[RF_PATTERN_STEPS_MAX]), "'times' repeats a step",
            rf_arena_printf(making->build->arena, "the pattern has %zu steps, %d are the limit",
                            list->count, RF_PATTERN_STEPS_MAX));
    making->step_count = list->count;
    making->steps = rf_arena_alloc_zero(making->build->arena, list->count * sizeof *making->steps);
    for (size_t i = 0; i < list->count; i++)
        (void)read_step(making, i, list->items[i]);
    return !making->broken;
}

/* ---- all together --------------------------------------------------------------------------------- */

static bool check_end(struct making *making)
{
    struct step *last = &making->steps[making->step_count - 1];

    if (!last->negated)
        return true;
    if (last->draft.silence == 0 && making->draft->within == 0)
        return fail_at(making, last, "not", "for: 14d",
                       "nothing says how long the silence at the end has to last");
    if (last->draft.silence > 0 && making->draft->within > 0)
        return fail_at(making, last, "for",
                       "give each step a 'within' of its own, or leave 'for' out: then the silence "
                       "lasts until the rule's 'within' is over",
                       "'for' and the 'within' of the rule cannot both end the silence");
    return true;
}

static bool check_events(struct making *making)
{
    int64_t count = 0;

    for (size_t i = 0; i < making->step_count; i++)
        count += making->steps[i].negated ? 0 : making->steps[i].draft.times;
    if (count <= RF_PATTERN_EVENTS_MAX)
        return true;
    return fail(making, rf_place_of(making->draft->pattern),
                "count with a feature: { count: KIND, window: 7d }, and ask for it with 'when'",
                rf_arena_printf(making->build->arena, "a match has %lld events, %d are the limit",
                                (long long)count, RF_PATTERN_EVENTS_MAX));
}

/* ---- conditions ----------------------------------------------------------------------------------- */

/* The same `where` once for each source of the kind: their events differ in type. */
static void compile_step(struct making *making, size_t index)
{
    struct rf_build *build = making->build;
    struct step *step = &making->steps[index];
    bool several = count_sources(build, step->kind) > 1;

    for (size_t i = 0; i < build->plan->source_count; i++) {
        const struct rf_source *source = &build->sources[i];
        struct rf_pattern_input *input = &making->inputs[making->pattern->input_count];
        struct rf_scope scope = {
            .variable_count = RF_VARIABLE_FEATURE + build->feature_entries.count,
            .source = source,
            .for_whom =
                several ? rf_arena_printf(build->arena, " (for source '%s')", source->name) : ""};

        if (!is_of_kind(source, step->kind))
            continue;
        if (source->event_type == NULL) {
            making->broken = true;
            continue;
        }
        *input = (struct rf_pattern_input){.source = (uint32_t)i, .step = (uint32_t)index};
        making->pattern->input_count++;
        if (step->draft.where == NULL)
            continue;
        input->where = rf_build_expr(build, step->draft.where, &scope, &rf_type_bool);
        making->broken = making->broken || input->where == NULL;
        rf_build_reads(build, input->where, source, making->reads, NULL);
    }
}

static bool compile_steps(struct making *making)
{
    size_t count_max = making->step_count * (making->build->plan->source_count + 1);

    making->inputs = rf_arena_alloc_zero(making->build->arena, count_max * sizeof *making->inputs);
    making->pattern->inputs = making->inputs;
    for (size_t i = 0; i < making->step_count; i++)
        compile_step(making, i);
    return !making->broken;
}

/* ---- stages --------------------------------------------------------------------------------------- */

/* Of the `not`s that stand side by side from step `index` on. */
static uint32_t forbidden_from(const struct making *making, size_t index)
{
    uint32_t forbids = 0;

    for (size_t i = index; i < making->step_count && making->steps[i].negated; i++)
        forbids |= UINT32_C(1) << i;
    return forbids;
}

/* Within a step with `times` it is the `not` behind it that counts, as in Flink. */
static void add_stages(struct making *making, size_t index, uint32_t forbidden_before)
{
    struct rf_pattern *pattern = making->pattern;
    const struct step *step = &making->steps[index];
    uint32_t forbidden_behind = forbidden_from(making, index + 1);

    for (int64_t i = 0; i < step->draft.times; i++)
        making->stages[pattern->stage_count++] = (struct rf_pattern_stage){
            .step = (uint32_t)index,
            .forbids = i == 0 ? forbidden_before : forbidden_behind,
            .within = step->draft.within,
        };
}

static void make_stages(struct making *making)
{
    struct rf_pattern *pattern = making->pattern;
    struct rf_arena *arena = making->build->arena;
    struct rf_pattern_step *steps = rf_arena_alloc(arena, making->step_count * sizeof *steps);
    uint32_t forbidden = 0;

    making->stages = rf_arena_alloc(arena, RF_PATTERN_EVENTS_MAX * sizeof *making->stages);
    for (size_t i = 0; i < making->step_count; i++) {
        const struct step *step = &making->steps[i];

        steps[i] = (struct rf_pattern_step){.kind = step->kind, .negated = step->negated};
        if (step->negated) {
            forbidden |= UINT32_C(1) << i;
            continue;
        }
        add_stages(making, i, forbidden);
        forbidden = 0;
    }
    pattern->steps = steps;
    pattern->step_count = making->step_count;
    pattern->stages = making->stages;
    pattern->ends_in_silence = forbidden != 0;
    pattern->forbids = forbidden;
    pattern->silence = making->steps[making->step_count - 1].draft.silence;
    pattern->within = making->draft->within;
    pattern->skips = making->draft->skip == 0;
}

bool rf_build_pattern(struct rf_build *build, struct rf_entry *entry,
                      const struct rf_rule_draft *draft, struct rf_pattern *pattern,
                      struct rf_feature_set *reads)
{
    struct making making = {
        .build = build, .entry = entry, .draft = draft, .pattern = pattern, .reads = reads};

    rf_assert(draft->pattern->kind == RF_YAML_LIST);
    if (!read_steps(&making) || !check_end(&making) || !check_events(&making) ||
        !compile_steps(&making))
        return false;
    make_stages(&making);
    return true;
}
