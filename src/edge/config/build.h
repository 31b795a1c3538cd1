/* From settings to a plan: what the steps of rf_config_load share. Open to this room only.
 *
 * A step that fails complains and leaves its entry `broken`; later steps take what is broken for unknown
 * and say nothing of it, so that one mistake is one message. */
#pragma once
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/draft.h"

/* One entry of `sources`, `features`, `rules` or `outputs`. */
struct rf_entry {
    const char *name;
    struct rf_group group;
    bool broken;
};

struct rf_entries {
    size_t count;
    struct rf_entry *items;
};

struct rf_build {
    struct rf_yaml yaml;
    struct rf_reader reader;
    struct rf_arena *arena;
    const struct rf_config_environment *environment;
    struct rf_group top;
    struct rf_config_draft draft;
    struct rf_plan *plan;
    struct rf_entries source_entries, feature_entries, rule_entries, output_entries;
    struct rf_source_draft *source_drafts;
    struct rf_output_draft *output_drafts;
    /* These are the plan's own arrays. */
    struct rf_source *sources;
    struct rf_feature *features;
    struct rf_rule *rules;
    struct rf_pattern *patterns; /* of the rules that have one, in their order */
    struct rf_feature_set *pattern_reads;
    struct rf_output *outputs;
    bool **fields_used;       /* of each source; NULL where it is broken */
    uint64_t *feature_hashes; /* of each definition, with what it reads */
    size_t circles_sought;    /* the way back is long to look for: not for every fault of a file */
    struct rf_expr_variable variables[RF_VARIABLE_FEATURE + RF_FEATURES_MAX];
};

/* The named mappings under a setting of the file, their names checked. */
void rf_build_entries(struct rf_build *build, const char *setting, struct rf_entries *entries);
/* Reads an entry's settings into `draft`. False: something in it is wrong. */
bool rf_build_entry(struct rf_build *build, struct rf_entry *entry, const char *group, void *draft);

/* The steps, in order. */
void rf_build_kafka(struct rf_build *build);
void rf_build_sources(struct rf_build *build);
void rf_build_features(struct rf_build *build);
void rf_build_outputs(struct rf_build *build);
void rf_build_rules(struct rf_build *build);
void rf_build_hashes(struct rf_build *build); /* versions: only of a plan without errors */
void rf_build_lint(struct rf_build *build);
/* "HOST[:PORT],...", each perhaps with a scheme before and a path behind: is none of them beyond this machine? */
bool rf_all_loopback(const char *servers);
void rf_build_bindings(struct rf_build *build); /* likewise */

/* Of one source or output, called `name` in messages; NULL: a complaint was made. */
const struct rf_schema *rf_build_schema(struct rf_build *build, struct rf_bytes text,
                                        const char *name, struct rf_place place);

/* The `pattern` of a rule, and the features that it reads. False: complaints were made. */
bool rf_build_pattern(struct rf_build *build, struct rf_entry *entry,
                      const struct rf_rule_draft *draft, struct rf_pattern *pattern,
                      struct rf_feature_set *reads);

/* What an expression sees, and whose it is. */
struct rf_scope {
    size_t variable_count;          /* of build->variables */
    const struct rf_source *source; /* gives `event` its type; NULL: there is no event */
    bool is_source;                 /* a source's own: it sees nothing but the event */
    const char *for_whom;           /* " for source 'calls'": behind each message; "" */
};

/* Compiles a scalar. NULL: the faults are diagnostics, at their place inside of the scalar. */
const struct rf_expr *rf_build_expr(struct rf_build *build, const struct rf_yaml_node *node,
                                    const struct rf_scope *scope, const struct rf_type *want);
/* The same of an entry, which is broken where it cannot be compiled. NULL also where `node` is NULL. */
const struct rf_expr *rf_build_entry_expr(struct rf_build *build, struct rf_entry *entry,
                                          const struct rf_yaml_node *node,
                                          const struct rf_scope *scope, const struct rf_type *want);
/* Marks what the program reads: fields of the source (which may be NULL), features into `set` (may be NULL). */
void rf_build_reads(struct rf_build *build, const struct rf_expr *expr,
                    const struct rf_source *source, struct rf_feature_set *set, bool *reads_now);

static inline bool rf_set_has(const struct rf_feature_set *set, size_t i)
{
    return (set->bits[i / 64] >> (i % 64) & 1U) != 0;
}

static inline void rf_set_unite(struct rf_feature_set *set, const struct rf_feature_set *other)
{
    for (size_t i = 0; i < RF_FEATURES_MAX / 64; i++)
        set->bits[i] |= other->bits[i];
}

static inline void rf_set_add(struct rf_feature_set *set, size_t i)
{
    set->bits[i / 64] |= UINT64_C(1) << (i % 64);
}
