#include <string.h>

#include "core/base/assert.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/variables.h"
#include "edge/config/build.h"

static const char *const severities[] = {"low", "medium", "high", "critical"};

static const struct rf_expr *compile(struct rf_build *build, struct rf_entry *entry,
                                     const struct rf_yaml_node *node, const struct rf_type *want)
{
    struct rf_scope scope = {.variable_count = RF_VARIABLE_FEATURE + build->feature_entries.count,
                             .for_whom = ""};

    return rf_build_entry_expr(build, entry, node, &scope, want);
}

static bool find_output(struct rf_build *build, struct rf_place place, const char *name,
                        uint32_t *output)
{
    const char *names[RF_RULES_MAX];
    size_t count = build->output_entries.count;
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        names[i] = build->output_entries.items[i].name;
        if (strcmp(names[i], name) == 0) {
            *output = (uint32_t)i;
            return true;
        }
    }
    nearest = rf_nearest_name(rf_bytes_of_text(name), names, count);
    place.hint = nearest != NULL
                     ? rf_arena_printf(build->arena, "did you mean '%s'?", nearest)
                     : rf_arena_printf(build->arena, "outputs: { %s: { topic: ... } }", name);
    rf_complain(&build->yaml, place, "there is no output '%.80s'", name);
    return false;
}

/* What becomes of customers themselves. */
static void make_lifecycle(struct rf_build *build)
{
    const char *name = build->draft.lifecycle_output;

    build->plan->ttl = build->draft.ttl;
    build->plan->lifecycle_output = RF_OUTPUT_NONE;
    if (name != NULL)
        (void)find_output(build, rf_group_place(&build->top, "customers.emit"), name,
                          &build->plan->lifecycle_output);
}

static size_t add_reasons(const struct rf_expr *condition, struct rf_feature_set *named,
                          uint32_t *reasons, size_t reason_count)
{
    size_t count = 0;
    const struct rf_expr_read *reads = rf_expr_reads(condition, &count);

    for (size_t i = 0; i < count; i++) {
        uint32_t feature = reads[i].variable - RF_VARIABLE_FEATURE;
        if (reads[i].variable < RF_VARIABLE_FEATURE || rf_set_has(named, feature))
            continue;
        rf_set_add(named, feature);
        reasons[reason_count++] = feature;
    }
    return reason_count;
}

/* What the condition names of the customer. */
static uint32_t customer_reasons(const struct rf_expr *condition)
{
    size_t count = 0;
    const struct rf_expr_read *reads = rf_expr_reads(condition, &count);
    uint32_t named = 0;

    for (size_t i = 0; i < count; i++) {
        for (uint32_t field = 0; field < RF_CUSTOMER_FIELDS; field++)
            named |= (uint32_t)rf_read_is_customer(&reads[i], field) << field;
    }
    return named;
}

/* The features that the conditions name themselves, each once, in order; then what they name of the customer. */
static void set_reasons(struct rf_build *build, struct rf_rule *rule)
{
    uint32_t *reasons = rf_arena_alloc(build->arena, RF_FEATURES_MAX * sizeof *reasons);
    struct rf_feature_set named = {0};

    if (rule->when != NULL)
        rule->reason_count = add_reasons(rule->when, &named, reasons, 0);
    if (rule->clear_when != NULL)
        rule->reason_count = add_reasons(rule->clear_when, &named, reasons, rule->reason_count);
    rule->reason_features = reasons;
    if (rule->when != NULL)
        rule->reason_customer |= customer_reasons(rule->when);
    if (rule->clear_when != NULL)
        rule->reason_customer |= customer_reasons(rule->clear_when);
}

/* Does it ask for nothing that an event could change? Who the customer is stays as it is. */
static bool reads_nothing(const struct rf_rule *rule)
{
    return rule->reason_count == 0 &&
           (rule->reason_customer & ~(UINT32_C(1) << RF_CUSTOMER_ID)) == 0;
}

static void warn_constant(struct rf_build *build, const struct rf_rule *rule,
                          const struct rf_yaml_node *when)
{
    struct rf_place place = rf_place_of(when);
    struct rf_value value;

    place.level = RF_DIAGNOSTIC_WARNING;
    if (rf_expr_constant(rule->when, &value) && value.kind == RF_VALUE_BOOL) {
        place.hint = "the condition reads no feature";
        rf_complain(&build->yaml, place,
                    value.as.boolean ? "rule '%s' is always true" : "rule '%s' can never fire",
                    rule->name);
    } else if (reads_nothing(rule)) {
        place.hint = "it holds or not, whatever the customer did";
        rf_complain(&build->yaml, place, "rule '%s' reads no feature", rule->name);
    }
}

/* An alert that is over the moment it begins, or an update of what is never open. */
static void check_episode(struct rf_build *build, struct rf_entry *entry,
                          const struct rf_rule_draft *draft, const struct rf_rule *rule)
{
    struct rf_place place = rf_group_place(&entry->group, "update");
    struct rf_value value;

    if (draft->update > 0 && draft->clear_when == NULL) {
        place.hint = "clear_when: ... makes the alert a state that can change";
        rf_complain(&build->yaml, place, "'update' needs a 'clear_when'");
        entry->broken = true;
    }
    if (rule->clear_when == NULL || rule->when == NULL)
        return;
    place = rf_place_of(draft->clear_when);
    if (rf_expr_fingerprint(rule->clear_when) == rf_expr_fingerprint(rule->when)) {
        place.hint = "an alert is over when something else holds than what raised it";
        rf_complain(&build->yaml, place, "'clear_when' is the same as 'when'");
        entry->broken = true;
    } else if (rf_expr_constant(rule->clear_when, &value) && value.kind == RF_VALUE_BOOL) {
        place.level = RF_DIAGNOSTIC_WARNING;
        place.hint = "the condition reads no feature";
        rf_complain(&build->yaml, place,
                    value.as.boolean ? "an alert of rule '%s' is over at the next event"
                                     : "an alert of rule '%s' is never over",
                    rule->name);
    }
}

static bool refuse(struct rf_build *build, struct rf_entry *entry, const char *setting,
                   const char *hint, const char *message)
{
    struct rf_place place = rf_group_place(&entry->group, setting);

    place.hint = hint;
    rf_complain(&build->yaml, place, "'%s' %s", setting, message);
    return false;
}

/* A pattern and a condition go together, but what is said of one of them needs it. */
static bool make_pattern(struct rf_build *build, struct rf_entry *entry,
                         const struct rf_rule_draft *draft, struct rf_rule *rule)
{
    static const char *const belonging[] = {"within", "skip"};
    size_t index = build->plan->pattern_count;

    if (draft->pattern != NULL) {
        build->plan->pattern_count++;
        rule->pattern = &build->patterns[index];
        build->patterns[index].rule = (uint32_t)(rule - build->rules);
        if (draft->hold > 0)
            return refuse(build, entry, "for",
                          "the last step of the pattern: { not: KIND, for: 14d }",
                          "is how long a 'when' has to hold: a pattern is complete at once");
        if (!rf_build_pattern(build, entry, draft, &build->patterns[index],
                              &build->pattern_reads[index]))
            return false;
        rf_set_unite(&rule->reads, &build->pattern_reads[index]);
        return true;
    }
    for (size_t i = 0; i < sizeof belonging / sizeof belonging[0]; i++) {
        if (rf_group_find(&entry->group, belonging[i]) != NULL)
            return refuse(build, entry, belonging[i],
                          "pattern: [ { kind: KIND }, ... ], or remove it",
                          "belongs to a 'pattern'");
    }
    if (draft->when == NULL) {
        struct rf_place place = rf_place_of(entry->group.key);

        place.hint = "when: EXPRESSION, or pattern: [ { kind: KIND }, ... ]";
        rf_complain(&build->yaml, place, "'when' is missing in %s", entry->group.path);
        return false;
    }
    return true;
}

static void make_rule(struct rf_build *build, struct rf_entry *entry,
                      const struct rf_rule_draft *draft, struct rf_rule *rule)
{
    if (!find_output(build, rf_group_place(&entry->group, "emit"), draft->emit, &rule->output))
        entry->broken = true;
    if (!make_pattern(build, entry, draft, rule))
        entry->broken = true;
    rule->when = compile(build, entry, draft->when, &rf_type_bool);
    rule->because = compile(build, entry, draft->because, &rf_type_string);
    rule->clear_when = compile(build, entry, draft->clear_when, &rf_type_bool);
    rule->offer_value = compile(build, entry, draft->offer.value, &rf_type_double);
    rule->severity = severities[draft->severity];
    rule->mode = (enum rf_rule_mode)draft->mode;
    if (rule->mode == RF_MODE_SHADOW && build->environment->shadow_tells)
        rule->mode = RF_MODE_LIVE;
    rule->cooldown = draft->cooldown;
    rule->hold = draft->hold;
    rule->update = draft->update;
    rule->offer_id = draft->offer.id;
    rule->offer_channel = draft->offer.channel;
    check_episode(build, entry, draft, rule);
    if (rule->when == NULL && rule->pattern == NULL)
        return;
    rf_build_reads(build, rule->when, NULL, &rule->reads, NULL);
    rf_build_reads(build, rule->clear_when, NULL, &rule->reads, NULL);
    set_reasons(build, rule);
    if (rule->pattern == NULL)
        warn_constant(build, rule, draft->when);
}

void rf_build_rules(struct rf_build *build)
{
    struct rf_entries *entries = &build->rule_entries;

    rf_build_entries(build, "rules", entries);
    build->rules = rf_arena_alloc_zero(build->arena, (entries->count + 1) * sizeof *build->rules);
    build->patterns =
        rf_arena_alloc_zero(build->arena, (entries->count + 1) * sizeof *build->patterns);
    build->pattern_reads =
        rf_arena_alloc_zero(build->arena, (entries->count + 1) * sizeof *build->pattern_reads);
    build->plan->patterns = build->patterns;
    for (size_t i = 0; i < entries->count; i++) {
        struct rf_rule_draft draft = {0};
        build->rules[i].name = entries->items[i].name;
        if (rf_build_entry(build, &entries->items[i], "rules.*", &draft))
            make_rule(build, &entries->items[i], &draft, &build->rules[i]);
    }
    make_lifecycle(build);
    build->plan->rules = build->rules;
    build->plan->rule_count = entries->count;
}
