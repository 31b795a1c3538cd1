#include <string.h>

#include "core/base/assert.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/making.h"

/* `first` and a distinct count keep no history that an offset could look back into; what was the first
 * within a window cannot be told from what was the first at all. */
static const struct rf_kind_row kinds[] = {
    /* name, kind, on, where, window, offset, bucket, half_life */
    {"count", RF_FEATURE_COUNT, false, true, true, true, true, false},
    {"sum", RF_FEATURE_SUM, true, true, true, true, true, false},
    {"mean", RF_FEATURE_MEAN, true, true, true, true, true, true},
    {"min", RF_FEATURE_MIN, true, true, true, true, true, false},
    {"max", RF_FEATURE_MAX, true, true, true, true, true, false},
    {"quantile", RF_FEATURE_QUANTILE, true, true, true, true, true, true},
    {"first", RF_FEATURE_FIRST, true, true, false, false, false, false},
    {"last", RF_FEATURE_LAST, true, true, true, false, false, false},
    {"top", RF_FEATURE_TOP, true, true, true, true, true, true},
    {"entropy", RF_FEATURE_ENTROPY, true, true, true, true, true, true},
    {"count_by", RF_FEATURE_COUNT_BY, true, true, true, true, true, false},
    {"count_distinct", RF_FEATURE_COUNT_DISTINCT, true, true, true, false, false, false},
    {"decay", RF_FEATURE_DECAY, true, true, false, false, false, true},
    {"trend", RF_FEATURE_TREND, true, true, true, false, true, false},
    {"interval", RF_FEATURE_INTERVAL, false, true, false, false, false, false},
    {"open", RF_FEATURE_CASES, true, true, false, false, false, false},
    {"cases", RF_FEATURE_CASES_OF, false, false, false, false, false, false},
    {"expr", RF_FEATURE_EXPR, false, false, false, false, false, false},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

bool rf_making_fail(struct rf_making *making, struct rf_place place, const char *message)
{
    rf_complain(&making->build->yaml, place, "%s", message);
    making->entry->broken = true;
    return false;
}

bool rf_making_fail_at(struct rf_making *making, const char *setting, const char *message,
                       const char *hint)
{
    struct rf_place place = rf_group_place(&making->entry->group, setting);

    place.hint = hint;
    return rf_making_fail(making, place, message);
}

/* ---- which kind ----------------------------------------------------------------------------------- */

const struct rf_yaml_node *rf_making_written(const struct rf_making *making, const char *setting)
{
    return rf_group_find(&making->entry->group, setting);
}

static const char *all_kinds(const struct rf_making *making)
{
    const char *all = "one of";

    for (size_t i = 0; i < KIND_COUNT; i++)
        all =
            rf_arena_printf(making->build->arena, "%s%s %s", all, i == 0 ? "" : ",", kinds[i].name);
    return all;
}

static bool find_kind(struct rf_making *making)
{
    struct rf_arena *arena = making->build->arena;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (rf_making_written(making, kinds[i].name) == NULL)
            continue;
        if (making->kind != NULL)
            return rf_making_fail_at(making, kinds[i].name,
                                     rf_arena_printf(arena, "a feature is either '%s' or '%s'",
                                                     making->kind->name, kinds[i].name),
                                     "make two features of it");
        making->kind = &kinds[i];
    }
    if (making->kind == NULL) {
        struct rf_place place = rf_place_of(making->entry->group.key);
        place.hint = all_kinds(making);
        return rf_making_fail(
            making, place,
            rf_arena_printf(arena, "feature '%s' does not say what it is", making->entry->name));
    }
    making->value = rf_making_written(making, making->kind->name);
    making->feature->kind = making->kind->kind;
    return true;
}

static bool refuse_setting(struct rf_making *making, const char *setting, bool allowed)
{
    if (allowed || rf_making_written(making, setting) == NULL)
        return true;
    return rf_making_fail_at(
        making, setting,
        rf_arena_printf(making->build->arena, "'%s' has no '%s'", making->kind->name, setting),
        making->of_occurrences && strcmp(setting, "on") == 0 ? "it names its kind itself"
                                                             : "remove it");
}

static bool require_setting(struct rf_making *making, const char *setting, const char *hint)
{
    const char *message = NULL;

    if (rf_making_written(making, setting) != NULL)
        return true;
    message = rf_arena_printf(making->build->arena, "'%s' is missing in a%s %s", setting,
                              strchr("aeiou", making->kind->name[0]) != NULL ? "n" : "",
                              making->kind->name);
    return rf_making_fail_at(making, setting, message, hint);
}

static const char *stat_hint(enum rf_feature_kind kind)
{
    return kind == RF_FEATURE_INTERVAL
               ? "one of mean, last, min, max, stddev"
               : "one of oldest, opened, reopened, resolved, resolution_mean, resolution_last";
}

/* The choices are those of both kinds. */
static bool check_stat(struct rf_making *making)
{
    struct rf_feature *feature = making->feature;
    bool of_cases = false;

    if (feature->kind != RF_FEATURE_INTERVAL && feature->kind != RF_FEATURE_CASES_OF)
        return true;
    feature->stat = RF_STAT_MEAN;
    if (rf_making_written(making, "stat") != NULL)
        feature->stat = (enum rf_feature_stat)(making->draft->stat + 1);
    of_cases = feature->stat >= RF_STAT_OLDEST;
    if (of_cases == (feature->kind == RF_FEATURE_CASES_OF))
        return true;
    return rf_making_fail_at(
        making, "stat",
        rf_arena_printf(making->build->arena, "'%s' has no such 'stat'", making->kind->name),
        stat_hint(feature->kind));
}

/* What belongs to one kind alone. */
static bool check_own_settings(struct rf_making *making)
{
    enum rf_feature_kind kind = making->kind->kind;
    bool is_quantile = kind == RF_FEATURE_QUANTILE;
    bool is_cases = kind == RF_FEATURE_CASES;
    bool is_by_value =
        kind == RF_FEATURE_TOP || kind == RF_FEATURE_ENTROPY || kind == RF_FEATURE_COUNT_BY;
    bool ok = refuse_setting(making, "q", is_quantile);

    ok = refuse_setting(making, "values", is_by_value) && ok;
    ok = refuse_setting(making, "stat",
                        kind == RF_FEATURE_INTERVAL || kind == RF_FEATURE_CASES_OF) &&
         ok;
    ok = refuse_setting(making, "close", is_cases) && ok;
    ok = refuse_setting(making, "by", is_cases) && ok;
    if (is_quantile)
        ok = require_setting(making, "q", "q: 0.95") && ok;
    if (is_cases) {
        ok = require_setting(making, "close", "close: EXPRESSION, which events close a case") && ok;
        ok = require_setting(making, "by", "by: EXPRESSION, the id of the case") && ok;
    }
    if (kind == RF_FEATURE_DECAY)
        ok = require_setting(making, "half_life", "half_life: 7d") && ok;
    if (kind == RF_FEATURE_TREND)
        ok = require_setting(making, "window", "window: 28d") && ok;
    if (kind == RF_FEATURE_CASES_OF)
        ok = require_setting(making, "stat", stat_hint(kind)) && ok;
    return ok && check_stat(making);
}

static bool check_settings(struct rf_making *making)
{
    const struct rf_kind_row *kind = making->kind;
    bool ok = refuse_setting(making, "on", kind->on && !making->of_occurrences);

    ok = refuse_setting(making, "where", kind->where) && ok;
    ok = refuse_setting(making, "window", kind->window) && ok;
    ok = refuse_setting(making, "offset", kind->offset) && ok;
    ok = refuse_setting(making, "half_life", kind->half_life) && ok;
    ok = refuse_setting(making, "bucket", kind->bucket) && ok;
    ok = check_own_settings(making) && ok;
    if (ok && making->draft->window != 0 && making->draft->half_life != 0)
        ok = rf_making_fail_at(making, "half_life",
                               "a feature has either a 'window' or a 'half_life'",
                               "make two features of it");
    if (ok && making->draft->window == 0 && making->draft->offset != 0)
        ok = rf_making_fail_at(making, "offset", "'offset' needs a 'window'", "window: 28d");
    if (ok && making->draft->window == 0 && making->draft->bucket != 0)
        ok = rf_making_fail_at(making, "bucket", "'bucket' is the grain of a 'window'",
                               "window: 28d");
    return ok;
}

/* ---- of which events ------------------------------------------------------------------------------ */

static bool is_kind(const struct rf_build *build, const char *name)
{
    for (size_t i = 0; i < build->plan->source_count; i++) {
        if (build->sources[i].role == RF_ROLE_EVENTS && strcmp(build->sources[i].kind, name) == 0)
            return true;
    }
    return false;
}

static bool is_identifier(struct rf_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '-')))
            return false;
    }
    return text.size > 0;
}

static bool fail_unknown_kind(struct rf_making *making, const struct rf_yaml_node *node)
{
    struct rf_build *build = making->build;
    const char *names[RF_SOURCES_MAX];
    size_t count = 0;
    const char *nearest = NULL;
    const char *all = NULL;
    struct rf_place place = rf_place_of(node);

    for (size_t i = 0; i < build->plan->source_count; i++) {
        if (build->sources[i].role != RF_ROLE_EVENTS)
            continue;
        names[count++] = build->sources[i].kind;
        all = rf_arena_printf(build->arena, "%s%s%s", all == NULL ? "the sources have " : all,
                              all == NULL ? "" : ", ", build->sources[i].kind);
    }
    nearest = rf_nearest_name(node->text, names, count);
    place.hint =
        nearest != NULL ? rf_arena_printf(build->arena, "did you mean '%s'?", nearest) : all;
    if (strcmp(rf_yaml_text(node), "erase") == 0)
        place.hint = "an erasure leaves nothing behind that could be counted";
    return rf_making_fail(
        making, place,
        rf_arena_printf(build->arena, "no source has the kind '%.80s'", rf_yaml_text(node)));
}

/* The one kind that there is, if there is but one. */
static const char *only_kind(const struct rf_build *build)
{
    const char *only = NULL;

    for (size_t i = 0; i < build->plan->source_count; i++) {
        if (build->sources[i].role != RF_ROLE_EVENTS)
            continue;
        if (only != NULL && strcmp(only, build->sources[i].kind) != 0)
            return NULL;
        only = build->sources[i].kind;
    }
    return only;
}

static bool names_kind_only(enum rf_feature_kind kind)
{
    return kind == RF_FEATURE_COUNT || kind == RF_FEATURE_INTERVAL;
}

static bool may_name_kind(enum rf_feature_kind kind)
{
    return kind == RF_FEATURE_DECAY || kind == RF_FEATURE_TREND;
}

static bool find_on(struct rf_making *making)
{
    struct rf_build *build = making->build;
    const struct rf_yaml_node *on = rf_making_written(making, "on");

    if (build->plan->source_count == 0) /* complained of already */
        return false;
    if (making->kind->kind == RF_FEATURE_EXPR || making->kind->kind == RF_FEATURE_CASES_OF)
        return true;
    if (names_kind_only(making->kind->kind) ||
        (may_name_kind(making->kind->kind) && is_kind(build, rf_yaml_text(making->value)))) {
        making->of_occurrences = true;
        making->on = rf_yaml_text(making->value);
        return is_kind(build, making->on) || fail_unknown_kind(making, making->value);
    }
    if (on != NULL) {
        making->on = making->draft->on;
        return is_kind(build, making->on) || fail_unknown_kind(making, on);
    }
    making->on = only_kind(build);
    if (making->on != NULL)
        return true;
    if (may_name_kind(making->kind->kind) && is_identifier(making->value->text))
        return fail_unknown_kind(making, making->value);
    struct rf_place place = rf_place_of(making->entry->group.key);
    place.hint = "on: KIND, the kind of event whose values are taken";
    return rf_making_fail(making, place,
                          rf_arena_printf(build->arena, "feature '%s' does not say on which events",
                                          making->entry->name));
}

static size_t count_sources(const struct rf_making *making)
{
    size_t count = 0;

    for (size_t i = 0; i < making->build->plan->source_count; i++)
        count += making->build->sources[i].role == RF_ROLE_EVENTS &&
                         strcmp(making->build->sources[i].kind, making->on) == 0
                     ? 1
                     : 0;
    return count;
}

static struct rf_scope scope_of(const struct rf_making *making, const struct rf_source *source)
{
    return (struct rf_scope){
        .variable_count = RF_VARIABLE_FEATURE + making->index,
        .source = source,
        .for_whom = source != NULL && count_sources(making) > 1
                        ? rf_arena_printf(making->build->arena, " (for source '%s')", source->name)
                        : "",
    };
}

/* ---- values --------------------------------------------------------------------------------------- */

static const char *type_text(struct rf_build *build, const struct rf_type *type)
{
    struct rf_buffer text;
    const char *copy = NULL;

    rf_buffer_init(&text, 1000);
    rf_type_print(&text, type);
    copy = (const char *)rf_arena_copy(build->arena, rf_buffer_bytes(&text)).data;
    rf_buffer_deinit(&text);
    return copy;
}

/* Its type is not known, and that has been complained of. */
static bool reads_broken(const struct rf_making *making)
{
    for (size_t i = 0; i < making->index; i++) {
        if (rf_set_has(&making->feature->reads, i) &&
            making->build->feature_entries.items[i].broken)
            return true;
    }
    return false;
}

static bool check_value_type(struct rf_making *making, const struct rf_expr *expr)
{
    const struct rf_type *type = rf_expr_type(expr);
    struct rf_place place = rf_place_of(making->value);

    if (rf_making_takes(making->feature->kind, type->kind))
        return true;
    if (type->kind == RF_TYPE_DYN && reads_broken(making)) {
        making->entry->broken = true;
        return false;
    }
    place.hint = rf_making_conversion_hint(making->feature->kind, type);
    return rf_making_fail(making, place,
                          rf_arena_printf(making->build->arena,
                                          "'%s' does not take a value of type %s",
                                          making->kind->name, type_text(making->build, type)));
}

static bool merge_type(struct rf_making *making, const struct rf_expr *expr,
                       const struct rf_type **type)
{
    const struct rf_type *own = rf_expr_type(expr);
    struct rf_place place = rf_place_of(making->value);

    if (*type == NULL || (*type)->kind == own->kind) {
        *type = own;
        return true;
    }
    place.hint = "convert it to one type, for instance double(x)";
    return rf_making_fail(
        making, place,
        rf_arena_printf(making->build->arena,
                        "the sources of kind '%s' give it different types: %s, %s", making->on,
                        type_text(making->build, *type), type_text(making->build, own)));
}

static const struct rf_expr *compile(struct rf_making *making, const struct rf_yaml_node *node,
                                     const struct rf_source *source, const struct rf_type *want)
{
    struct rf_scope scope = scope_of(making, source);
    const struct rf_expr *expr = rf_build_expr(making->build, node, &scope, want);

    if (expr == NULL)
        making->entry->broken = true;
    rf_build_reads(making->build, expr, source, &making->feature->reads,
                   &making->feature->reads_now);
    return expr;
}

static void compile_marks(struct rf_making *making, const struct rf_source *source,
                          struct rf_feature_input *input)
{
    input->open = compile(making, making->draft->open, source, &rf_type_bool);
    input->close = compile(making, making->draft->close, source, &rf_type_bool);
    making->value = making->draft->by; /* where complaints of its type belong */
    input->value = compile(making, making->draft->by, source, NULL);
}

/* The same `where` and value once for each source of the kind: their events differ in type. */
static bool compile_inputs(struct rf_making *making, const struct rf_type **type)
{
    struct rf_build *build = making->build;

    making->inputs =
        rf_arena_alloc_zero(build->arena, (count_sources(making) + 1) * sizeof *making->inputs);
    for (size_t i = 0; i < build->plan->source_count; i++) {
        const struct rf_source *source = &build->sources[i];
        struct rf_feature_input *input = &making->inputs[making->feature->input_count];
        if (source->role != RF_ROLE_EVENTS || strcmp(source->kind, making->on) != 0)
            continue;
        if (source->event_type == NULL) {
            making->entry->broken = true;
            continue;
        }
        making->feature->input_count++;
        input->source = (uint32_t)i;
        if (making->draft->where != NULL)
            input->where = compile(making, making->draft->where, source, &rf_type_bool);
        if (making->of_occurrences)
            continue;
        if (making->feature->kind == RF_FEATURE_CASES)
            compile_marks(making, source, input);
        else
            input->value = compile(making, making->value, source, NULL);
        if (input->value != NULL && check_value_type(making, input->value))
            merge_type(making, input->value, type);
    }
    making->feature->inputs = making->inputs;
    return !making->entry->broken;
}

/* ---- one feature ---------------------------------------------------------------------------------- */

/* The feature above that keeps the cases. */
static bool find_cases(struct rf_making *making)
{
    struct rf_build *build = making->build;
    const struct rf_entry *entries = build->feature_entries.items;
    const char *names[RF_FEATURES_MAX];
    size_t count = 0;
    struct rf_place place = rf_place_of(making->value);
    const char *nearest = NULL;

    for (size_t i = 0; i < making->index; i++) {
        if (strcmp(entries[i].name, making->draft->cases) == 0 && entries[i].broken) {
            making->entry->broken = true;
            return false;
        }
        if (build->features[i].kind != RF_FEATURE_CASES || entries[i].broken)
            continue;
        names[count++] = entries[i].name;
        if (strcmp(entries[i].name, making->draft->cases) != 0)
            continue;
        making->feature->of = (uint32_t)i;
        rf_set_add(&making->feature->reads, i);
        return true;
    }
    nearest = rf_nearest_name(making->value->text, names, count);
    place.hint = nearest != NULL
                     ? rf_arena_printf(build->arena, "did you mean '%s'?", nearest)
                     : "the feature with 'open', 'close' and 'by' has to be written above";
    return rf_making_fail(
        making, place,
        rf_arena_printf(build->arena, "there are no cases '%.80s' above", making->draft->cases));
}

static bool make_feature(struct rf_making *making)
{
    const struct rf_type *type = NULL;
    bool reads_now = false;

    if (!find_kind(making) || !find_on(making) || !check_settings(making) ||
        !rf_making_set_window(making))
        return false;
    reads_now = making->feature->reads_now;
    if (making->kind->kind == RF_FEATURE_CASES_OF) {
        if (!find_cases(making))
            return false;
    } else if (making->kind->kind == RF_FEATURE_EXPR) {
        making->feature->expr = compile(making, making->value, NULL, NULL);
        if (making->feature->expr == NULL || !check_value_type(making, making->feature->expr))
            return false;
        type = rf_expr_type(making->feature->expr);
    } else {
        if (!compile_inputs(making, &type))
            return false;
        /* `now` in a where is the event's time: what was folded does not move with time. */
        making->feature->reads_now = reads_now;
    }
    rf_making_set_types(making, type);
    return true;
}

void rf_build_features(struct rf_build *build)
{
    struct rf_entries *entries = &build->feature_entries;
    struct rf_expr_variable *variables = build->variables;

    variables[RF_VARIABLE_NOW] = (struct rf_expr_variable){"now", &rf_type_timestamp};
    variables[RF_VARIABLE_CUSTOMER] =
        (struct rf_expr_variable){"customer", rf_type_record(build->arena, &rf_customer_type)};
    build->features =
        rf_arena_alloc_zero(build->arena, (entries->count + 1) * sizeof *build->features);
    for (size_t i = 0; i < entries->count; i++) {
        struct rf_entry *entry = &entries->items[i];
        struct rf_feature_draft draft = {0};
        struct rf_making making = {.build = build,
                                   .entry = entry,
                                   .draft = &draft,
                                   .index = i,
                                   .feature = &build->features[i]};
        build->features[i].name = entry->name;
        if (rf_build_entry(build, entry, "features.*", &draft))
            entry->broken = !make_feature(&making);
        /* Whoever reads a broken feature is not to be blamed for it. */
        variables[RF_VARIABLE_FEATURE + i] = (struct rf_expr_variable){
            entry->name, entry->broken ? &rf_type_dyn : build->features[i].type};
    }
    build->plan->features = build->features;
    build->plan->feature_count = entries->count;
}
