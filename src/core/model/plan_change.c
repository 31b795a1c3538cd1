#include "core/model/plan_change.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/schema.h"
#include "core/model/source.h"

#define STATE_SUFFIX_SIZE 9 /* "_01234567": the hash of a definition behind a feature's name */

struct comparing {
    struct rf_arena *arena;
    const struct rf_plan *before, *after;
};

/* ---- what differs ---- */

static void add_detail(struct rf_part_change *part, const char *detail)
{
    if (part->detail_count < RF_CHANGE_DETAILS_MAX)
        part->details[part->detail_count++] = detail;
}

static void compare_expr(struct rf_part_change *part, const char *what,
                         const struct rf_expr *before, const struct rf_expr *after)
{
    if ((before == NULL) != (after == NULL) ||
        (before != NULL && rf_expr_fingerprint(before) != rf_expr_fingerprint(after)))
        add_detail(part, what);
}

static void compare_span(struct comparing *comparing, struct rf_part_change *part, const char *what,
                         rf_span_ms before, rf_span_ms after)
{
    char old[RF_SPAN_TEXT_MAX];
    char new[RF_SPAN_TEXT_MAX];

    if (before == after)
        return;
    old[rf_span_format(old, sizeof old, before)] = '\0';
    new[rf_span_format(new, sizeof new, after)] = '\0';
    add_detail(part, rf_arena_printf(comparing->arena, "%s %s -> %s", what,
                                     before == 0 ? "none" : old, after == 0 ? "none" : new));
}

static void compare_text(struct comparing *comparing, struct rf_part_change *part, const char *what,
                         const char *before, const char *after)
{
    before = before == NULL ? "none" : before;
    after = after == NULL ? "none" : after;
    if (strcmp(before, after) != 0)
        add_detail(part, rf_arena_printf(comparing->arena, "%s %s -> %s", what, before, after));
}

static void compare_number(struct rf_part_change *part, const char *what, uint64_t before,
                           uint64_t after)
{
    if (before != after)
        add_detail(part, what);
}

static void compare_schema(struct rf_part_change *part, const struct rf_schema *before,
                           const struct rf_schema *after)
{
    if ((before == NULL) != (after == NULL) ||
        (before != NULL && rf_schema_fingerprint(before) != rf_schema_fingerprint(after)))
        add_detail(part, "schema");
}

static const char *format_name(enum rf_format format)
{
    static const char *const names[] = {[RF_FORMAT_AVRO] = "avro",
                                        [RF_FORMAT_AVRO_OBJECT] = "avro-object",
                                        [RF_FORMAT_AVRO_RAW] = "avro-raw",
                                        [RF_FORMAT_JSON] = "json"};

    return names[format];
}

/* ---- lists by name ---- */

static void begin(struct comparing *comparing, struct rf_part_changes *list, size_t count_max)
{
    list->items = rf_arena_alloc_zero(comparing->arena, (count_max + 1) * sizeof *list->items);
}

static struct rf_part_change *add(struct rf_part_changes *list, const char *name,
                                  enum rf_change change)
{
    struct rf_part_change *part = &list->items[list->count++];

    *part = (struct rf_part_change){.name = name, .change = change};
    return part;
}

/* ---- features ---- */

static const struct rf_feature *find_feature(const struct rf_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->feature_count; i++) {
        if (strcmp(plan->features[i].name, name) == 0)
            return &plan->features[i];
    }
    return NULL;
}

static const char *kind_of(const struct rf_plan *plan, const struct rf_feature *feature)
{
    return feature->input_count == 0 ? NULL : plan->sources[feature->inputs[0].source].kind;
}

static void detail_inputs(struct comparing *comparing, struct rf_part_change *part,
                          const struct rf_feature *before, const struct rf_feature *after)
{
    static const struct rf_feature_input none = {0};
    const struct rf_feature_input *old = before->input_count == 0 ? &none : before->inputs;
    const struct rf_feature_input *new = after->input_count == 0 ? &none : after->inputs;

    compare_text(comparing, part, "on", kind_of(comparing->before, before),
                 kind_of(comparing->after, after));
    compare_expr(part, "where", old->where, new->where);
    compare_expr(part, "the value", old->value, new->value);
    compare_expr(part, "open", old->open, new->open);
    compare_expr(part, "close", old->close, new->close);
}

static void detail_feature(struct comparing *comparing, struct rf_part_change *part,
                           const struct rf_feature *before, const struct rf_feature *after)
{
    compare_number(part, "kind", before->kind, after->kind);
    compare_number(part, "what is taken of it", before->stat, after->stat);
    if (before->q < after->q || before->q > after->q)
        add_detail(part, "the quantile");
    compare_number(part, "values", before->values_max, after->values_max);
    detail_inputs(comparing, part, before, after);
    compare_expr(part, "expr", before->expr, after->expr);
    compare_span(comparing, part, "window", before->window, after->window);
    compare_span(comparing, part, "offset", before->offset, after->offset);
    compare_span(comparing, part, "bucket", before->bucket, after->bucket);
    compare_span(comparing, part, "half_life", before->half_life, after->half_life);
}

/* Does it read, in turn, what is another now? Features read earlier ones only, and those are compared already. */
static bool reads_changed(const struct rf_part_changes *list, const struct rf_feature *feature)
{
    for (size_t i = 0; i < list->count; i++) {
        if ((feature->reads.bits[i / 64] >> (i % 64) & 1U) != 0 &&
            list->items[i].change != RF_UNCHANGED)
            return true;
    }
    return feature->kind == RF_FEATURE_CASES_OF && list->items[feature->of].change != RF_UNCHANGED;
}

static bool is_stateless(const struct rf_feature *feature)
{
    return feature->state_name == NULL;
}

static void compare_feature(struct comparing *comparing, struct rf_part_changes *list,
                            const struct rf_feature *after)
{
    const struct rf_feature *before = find_feature(comparing->before, after->name);
    bool changed_below = reads_changed(list, after);
    struct rf_part_change *part = add(list, after->name, RF_ADDED);

    part->stateless = is_stateless(after);
    part->full_after = after->window + after->offset;
    if (before == NULL)
        return;
    detail_feature(comparing, part, before, after);
    if (changed_below)
        add_detail(part, "what it reads");
    part->change = part->detail_count > 0 ? RF_CHANGED : RF_UNCHANGED;
    if (!is_stateless(after) && !is_stateless(before)) {
        /* The state's name decides; the details only tell of it. */
        bool same = strcmp(before->state_name, after->state_name) == 0;

        part->change = same ? RF_UNCHANGED : RF_CHANGED;
        if (same)
            part->detail_count = 0;
        else if (part->detail_count == 0)
            add_detail(part, "definition");
    }
}

static void compare_features(struct comparing *comparing, struct rf_part_changes *list)
{
    const struct rf_plan *before = comparing->before;

    begin(comparing, list, before->feature_count + comparing->after->feature_count);
    for (size_t i = 0; i < comparing->after->feature_count; i++)
        compare_feature(comparing, list, &comparing->after->features[i]);
    for (size_t i = 0; i < before->feature_count; i++) {
        if (find_feature(comparing->after, before->features[i].name) == NULL)
            add(list, before->features[i].name, RF_REMOVED)->stateless =
                is_stateless(&before->features[i]);
    }
}

/* Of a state whose definition is not known any more: the name without its hash. */
static const char *feature_of_state(struct rf_arena *arena, const char *state)
{
    size_t size = strlen(state);

    if (size <= STATE_SUFFIX_SIZE || state[size - STATE_SUFFIX_SIZE] != '_')
        return state;
    return rf_arena_printf(arena, "%.*s", (int)(size - STATE_SUFFIX_SIZE), state);
}

static bool has_state(const struct rf_plan_before *before, const char *state)
{
    for (size_t i = 0; i < before->state_count; i++) {
        if (strcmp(before->states[i], state) == 0)
            return true;
    }
    return false;
}

static void compare_states(struct comparing *comparing, const struct rf_plan_before *before,
                           struct rf_part_changes *list)
{
    begin(comparing, list, before->state_count + comparing->after->feature_count);
    for (size_t i = 0; i < comparing->after->feature_count; i++) {
        const struct rf_feature *feature = &comparing->after->features[i];
        struct rf_part_change *part = add(list, feature->name, RF_UNCHANGED);

        part->stateless = is_stateless(feature);
        part->full_after = feature->window + feature->offset;
        if (!part->stateless && !has_state(before, feature->state_name))
            part->change = RF_ADDED;
    }
    for (size_t i = 0; i < before->state_count; i++) {
        const char *name = feature_of_state(comparing->arena, before->states[i]);
        const struct rf_feature *feature = find_feature(comparing->after, name);
        size_t index = feature == NULL ? 0 : (size_t)(feature - comparing->after->features);

        if (feature == NULL) {
            add(list, name, RF_REMOVED);
        } else if (list->items[index].change == RF_ADDED) {
            list->items[index].change = RF_CHANGED;
            add_detail(&list->items[index], "definition");
        }
    }
}

/* ---- rules, sources, outputs ---- */

/* The name of what is kept of a pattern has a hash of its definition in it. */
static const char *state_of(const struct rf_pattern *pattern)
{
    return pattern == NULL ? "" : pattern->state_name;
}

static void detail_rule(struct comparing *comparing, struct rf_part_change *part,
                        const struct rf_rule *before, const struct rf_rule *after)
{
    compare_expr(part, "when", before->when, after->when);
    if (strcmp(state_of(before->pattern), state_of(after->pattern)) != 0)
        add_detail(part, "pattern, whose partial matches are forgotten");
    compare_expr(part, "clear_when", before->clear_when, after->clear_when);
    compare_expr(part, "because", before->because, after->because);
    compare_text(comparing, part, "severity", before->severity, after->severity);
    compare_text(comparing, part, "mode", rf_rule_mode_name(before->mode),
                 rf_rule_mode_name(after->mode));
    compare_span(comparing, part, "cooldown", before->cooldown, after->cooldown);
    compare_span(comparing, part, "for", before->hold, after->hold);
    compare_span(comparing, part, "update", before->update, after->update);
    compare_text(comparing, part, "emit", comparing->before->outputs[before->output].name,
                 comparing->after->outputs[after->output].name);
    compare_text(comparing, part, "offer.id", before->offer_id, after->offer_id);
    compare_text(comparing, part, "offer.channel", before->offer_channel, after->offer_channel);
    compare_expr(part, "offer.value", before->offer_value, after->offer_value);
    if (part->detail_count == 0)
        add_detail(part, "what it reads");
}

static void compare_rules(struct comparing *comparing, struct rf_part_changes *list)
{
    const struct rf_plan *before = comparing->before;
    const struct rf_plan *after = comparing->after;

    begin(comparing, list, before->rule_count + after->rule_count);
    for (size_t i = 0; i < after->rule_count; i++) {
        const struct rf_rule *old = rf_rule_find(before, after->rules[i].name);
        struct rf_part_change *part = add(list, after->rules[i].name, RF_ADDED);

        if (old == NULL)
            continue;
        part->change = RF_UNCHANGED;
        if (strcmp(old->version, after->rules[i].version) == 0 && old->mode == after->rules[i].mode)
            continue;
        part->change = RF_CHANGED;
        detail_rule(comparing, part, old, &after->rules[i]);
    }
    for (size_t i = 0; i < before->rule_count; i++) {
        if (rf_rule_find(after, before->rules[i].name) == NULL)
            add(list, before->rules[i].name, RF_REMOVED);
    }
}

static void detail_source(struct comparing *comparing, struct rf_part_change *part,
                          const struct rf_source *before, const struct rf_source *after)
{
    compare_text(comparing, part, "topic", before->topic, after->topic);
    compare_text(comparing, part, "kind", before->kind, after->kind);
    compare_text(comparing, part, "format", format_name(before->format),
                 format_name(after->format));
    compare_schema(part, before->schema, after->schema);
    compare_expr(part, "customer", before->customer, after->customer);
    compare_expr(part, "time", before->time, after->time);
    compare_expr(part, "id", before->id, after->id);
    compare_expr(part, "where", before->where, after->where);
    compare_span(comparing, part, "dedup", before->dedup, after->dedup);
    part->change = part->detail_count > 0 ? RF_CHANGED : RF_UNCHANGED;
}

static const struct rf_source *find_source(const struct rf_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->source_count; i++) {
        if (strcmp(plan->sources[i].name, name) == 0)
            return &plan->sources[i];
    }
    return NULL;
}

static void compare_sources(struct comparing *comparing, struct rf_part_changes *list)
{
    const struct rf_plan *before = comparing->before;
    const struct rf_plan *after = comparing->after;

    begin(comparing, list, before->source_count + after->source_count);
    for (size_t i = 0; i < after->source_count; i++) {
        const struct rf_source *old = find_source(before, after->sources[i].name);
        struct rf_part_change *part = add(list, after->sources[i].name, RF_ADDED);

        if (old != NULL)
            detail_source(comparing, part, old, &after->sources[i]);
    }
    for (size_t i = 0; i < before->source_count; i++) {
        if (find_source(after, before->sources[i].name) == NULL)
            add(list, before->sources[i].name, RF_REMOVED);
    }
}

static const struct rf_output *find_output(const struct rf_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->output_count; i++) {
        if (strcmp(plan->outputs[i].name, name) == 0)
            return &plan->outputs[i];
    }
    return NULL;
}

static void compare_outputs(struct comparing *comparing, struct rf_part_changes *list)
{
    const struct rf_plan *before = comparing->before;
    const struct rf_plan *after = comparing->after;

    begin(comparing, list, before->output_count + after->output_count);
    for (size_t i = 0; i < after->output_count; i++) {
        const struct rf_output *new = &after->outputs[i];
        const struct rf_output *old = find_output(before, new->name);
        struct rf_part_change *part = add(list, new->name, RF_ADDED);

        if (old == NULL)
            continue;
        compare_text(comparing, part, "topic", old->topic, new->topic);
        compare_text(comparing, part, "format", format_name(old->format), format_name(new->format));
        compare_schema(part, old->schema, new->schema);
        compare_number(part, "key", old->keyed_by_rule, new->keyed_by_rule);
        part->change = part->detail_count > 0 ? RF_CHANGED : RF_UNCHANGED;
    }
    for (size_t i = 0; i < before->output_count; i++) {
        if (find_output(after, before->outputs[i].name) == NULL)
            add(list, before->outputs[i].name, RF_REMOVED);
    }
}

/* What holds for the whole. */
static void compare_settings(struct comparing *comparing, struct rf_part_changes *list)
{
    const struct rf_plan *before = comparing->before;
    const struct rf_plan *after = comparing->after;
    struct rf_part_change *part = NULL;

    begin(comparing, list, 1);
    part = add(list, "settings", RF_UNCHANGED);
    compare_span(comparing, part, "lateness", before->lateness, after->lateness);
    compare_number(part, "late", before->late, after->late);
    compare_span(comparing, part, "ttl", before->ttl, after->ttl);
    compare_span(comparing, part, "max_ahead", before->max_ahead, after->max_ahead);
    compare_number(part, "limits.event_bytes", before->event_bytes_max, after->event_bytes_max);
    compare_number(part, "limits.record_bytes", before->record_bytes_max, after->record_bytes_max);
    part->change = part->detail_count > 0 ? RF_CHANGED : RF_UNCHANGED;
}

void rf_plan_compare(struct rf_arena *arena, const struct rf_plan_before *before,
                     const struct rf_plan *after, struct rf_plan_changes *changes)
{
    struct comparing comparing = {.arena = arena, .before = before->plan, .after = after};

    *changes = (struct rf_plan_changes){0};
    if (before->plan == NULL) {
        compare_states(&comparing, before, &changes->features);
        return;
    }
    changes->app = strcmp(before->plan->app, after->app) != 0;
    compare_features(&comparing, &changes->features);
    compare_rules(&comparing, &changes->rules);
    compare_sources(&comparing, &changes->sources);
    compare_outputs(&comparing, &changes->outputs);
    compare_settings(&comparing, &changes->settings);
}
