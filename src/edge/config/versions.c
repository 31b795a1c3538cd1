/* Versions: what has the same hash means the same. White space and comments do not count, neither does the
 * order of settings; of a feature everything counts that decides its state, with what it reads in turn; of
 * a rule everything but its name. */
#include <inttypes.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/schema.h"
#include "core/model/source.h"
#include "edge/config/build.h"

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    return rf_hash64_seeded(rf_bytes_of(bytes, sizeof bytes), hash);
}

static uint64_t add_double(uint64_t hash, double number)
{
    uint64_t bits = 0;

    memcpy(&bits, &number, sizeof bits);
    return add_number(hash, bits);
}

/* NULL and "" differ. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    if (text == NULL)
        return add_number(hash, UINT64_MAX);
    hash = add_number(hash, strlen(text));
    return rf_hash64_seeded(rf_bytes_of_text(text), hash);
}

static uint64_t add_expr(uint64_t hash, const struct rf_expr *expr)
{
    return add_number(hash, expr == NULL ? 0 : rf_expr_fingerprint(expr));
}

static uint64_t add_reads(const struct rf_build *build, uint64_t hash,
                          const struct rf_feature_set *reads)
{
    for (size_t i = 0; i < build->plan->feature_count; i++) {
        if (rf_set_has(reads, i))
            hash = add_number(hash, build->feature_hashes[i]);
    }
    return hash;
}

static void hash_feature(struct rf_build *build, size_t i)
{
    struct rf_feature *feature = &build->features[i];
    uint64_t hash = add_number(0, feature->kind);

    hash = add_number(hash, feature->type->kind);
    hash = add_number(hash, (uint64_t)feature->window);
    hash = add_number(hash, (uint64_t)feature->offset);
    hash = add_number(hash, (uint64_t)feature->bucket);
    hash = add_number(hash, (uint64_t)feature->half_life);
    hash = add_expr(hash, feature->expr);
    if (feature->input_count > 0) {
        /* Of a kind's sources all have the same text: one more source is not another definition. */
        const struct rf_feature_input *input = &feature->inputs[0];
        hash = add_text(hash, build->sources[input->source].kind);
        hash = add_expr(hash, input->where);
        hash = add_expr(hash, input->value);
        if (feature->kind == RF_FEATURE_CASES)
            hash = add_expr(add_expr(hash, input->open), input->close);
    }
    if (feature->stat != RF_STAT_NONE)
        hash = add_number(hash, feature->stat);
    if (feature->key_type != NULL)
        hash = add_number(hash, feature->key_type->kind);
    if (feature->values_max != 0)
        hash = add_number(hash, feature->values_max);
    hash = add_reads(build, hash, &feature->reads);
    if (feature->shape != RF_STATE_NONE)
        feature->state_name = rf_arena_printf(build->arena, "%s_%08" PRIx32, feature->name,
                                              (uint32_t)(hash ^ hash >> 32));
    if (feature->kind == RF_FEATURE_QUANTILE) /* any `q` is read off the same state */
        hash = add_double(hash, feature->q);
    build->feature_hashes[i] = hash;
}

/* What is kept of a pattern means something only to the same steps: its name is a hash of them. */
static uint64_t hash_pattern(struct rf_build *build, const char *rule, ptrdiff_t index)
{
    struct rf_pattern *pattern = &build->patterns[index];
    uint64_t hash = add_number(0, pattern->step_count);

    for (size_t i = 0; i < pattern->step_count; i++) {
        hash = add_text(hash, pattern->steps[i].kind);
        hash = add_number(hash, pattern->steps[i].negated);
    }
    for (size_t i = 0; i < pattern->input_count; i++) {
        const struct rf_pattern_input *input = &pattern->inputs[i];
        /* Of a kind's sources all have the same text: one more source is not another definition. */
        if (i > 0 && pattern->inputs[i - 1].step == input->step)
            continue;
        hash = add_expr(hash, input->where);
    }
    for (size_t i = 0; i < pattern->stage_count; i++) {
        hash = add_number(hash, pattern->stages[i].step);
        hash = add_number(hash, (uint64_t)pattern->stages[i].within);
    }
    hash = add_number(hash, (uint64_t)pattern->within);
    hash = add_number(hash, (uint64_t)pattern->silence);
    hash = add_number(hash, pattern->skips);
    hash = add_reads(build, hash, &build->pattern_reads[index]);
    pattern->state_name =
        rf_arena_printf(build->arena, "%s_%08" PRIx32, rule, (uint32_t)(hash ^ hash >> 32));
    return hash;
}

static void hash_rule(struct rf_build *build, struct rf_rule *rule)
{
    uint64_t hash = add_expr(0, rule->when);

    hash = add_expr(hash, rule->because);
    hash = add_expr(hash, rule->offer_value);
    hash = add_text(hash, rule->severity);
    hash = add_expr(hash, rule->clear_when);
    hash = add_number(hash, (uint64_t)rule->cooldown);
    hash = add_number(hash, (uint64_t)rule->hold);
    hash = add_number(hash, (uint64_t)rule->update);
    hash = add_text(hash, build->outputs[rule->output].name);
    hash = add_text(hash, rule->offer_id);
    hash = add_text(hash, rule->offer_channel);
    if (rule->pattern != NULL)
        hash = add_number(hash, hash_pattern(build, rule->name, rule->pattern - build->patterns));
    hash = add_reads(build, hash, &rule->reads);
    rule->version = rf_arena_printf(build->arena, "%016" PRIx64, hash);
}

static uint64_t add_source(uint64_t hash, const struct rf_source *source)
{
    hash = add_text(hash, source->name);
    hash = add_text(hash, source->topic);
    hash = add_text(hash, source->kind);
    hash = add_number(hash, source->format);
    hash = add_number(hash, rf_schema_fingerprint(source->schema));
    hash = add_expr(hash, source->customer);
    hash = add_expr(hash, source->time);
    hash = add_expr(hash, source->id);
    hash = add_expr(hash, source->where);
    return add_number(hash, (uint64_t)source->dedup);
}

static uint64_t add_output(uint64_t hash, const struct rf_output *output)
{
    hash = add_text(hash, output->name);
    hash = add_text(hash, output->topic);
    hash = add_number(hash, output->format);
    hash = add_number(hash, output->keyed_by_rule);
    return add_number(hash, output->schema == NULL ? 0 : rf_schema_fingerprint(output->schema));
}

void rf_build_hashes(struct rf_build *build)
{
    struct rf_plan *plan = build->plan;
    uint64_t hash = add_text(0, plan->app);

    rf_assert(build->yaml.diagnostics->error_count == 0);
    build->feature_hashes =
        rf_arena_alloc(build->arena, (plan->feature_count + 1) * sizeof *build->feature_hashes);
    for (size_t i = 0; i < plan->feature_count; i++)
        hash_feature(build, i);
    for (size_t i = 0; i < plan->rule_count; i++)
        hash_rule(build, &build->rules[i]);
    for (size_t i = 0; i < plan->source_count; i++)
        hash = add_source(hash, &plan->sources[i]);
    for (size_t i = 0; i < plan->feature_count; i++)
        hash = add_number(add_text(hash, plan->features[i].name), build->feature_hashes[i]);
    for (size_t i = 0; i < plan->rule_count; i++) {
        hash = add_text(add_text(hash, plan->rules[i].name), plan->rules[i].version);
        if (plan->rules[i].mode != RF_MODE_LIVE)
            hash = add_number(hash, plan->rules[i].mode);
    }
    for (size_t i = 0; i < plan->output_count; i++)
        hash = add_output(hash, &plan->outputs[i]);
    hash = add_number(hash, (uint64_t)plan->lateness);
    hash = add_number(hash, plan->late);
    hash = add_number(hash, (uint64_t)plan->max_ahead);
    hash = add_number(hash, (uint64_t)plan->ttl);
    hash = add_number(hash, plan->lifecycle_output);
    hash = add_number(hash, plan->event_bytes_max);
    hash = add_number(hash, plan->record_bytes_max);
    plan->version = rf_arena_printf(build->arena, "%016" PRIx64, hash);
}
