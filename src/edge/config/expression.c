#include <string.h>

#include "core/base/assert.h"
#include "core/model/feature.h"
#include "core/model/schema.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/build.h"

#define CIRCLES_SOUGHT_MAX 8

/* A name that no expression can write: keeps the index of `event` where there is none. */
static const char hidden[] = "";

static bool is_identifier_byte(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || byte == '_';
}

/* Does the text name this variable? Looks at words, not into quoted texts; a field of that name counts
 * too, which is good enough for a hint. */
static bool names_word(struct rf_bytes text, const char *word)
{
    size_t size = strlen(word);
    uint8_t quote = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool starts = i == 0 || !is_identifier_byte(text.data[i - 1]);
        if (quote != 0 || byte == '"' || byte == '\'') {
            quote = quote == 0 ? byte : byte == quote ? 0 : quote;
            continue;
        }
        if (starts && i + size <= text.size && memcmp(text.data + i, word, size) == 0 &&
            (i + size == text.size || !is_identifier_byte(text.data[i + size])))
            return true;
    }
    return false;
}

static size_t find_feature(const struct rf_build *build, struct rf_bytes name)
{
    size_t i = 0;

    while (i < build->feature_entries.count &&
           !rf_bytes_equal(rf_bytes_of_text(build->feature_entries.items[i].name), name))
        i++;
    return i;
}

static bool feature_names(const struct rf_build *build, size_t feature, const char *word)
{
    const struct rf_yaml_node *map = build->feature_entries.items[feature].group.map;

    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (map->items[i]->kind == RF_YAML_SCALAR && names_word(map->items[i]->text, word))
            return true;
    }
    return false;
}

/* The way from one feature to another through what they name, as "a -> b -> c"; NULL: there is none. */
static const char *find_way(const struct rf_build *build, size_t from, size_t to)
{
    size_t count = build->feature_entries.count;
    uint16_t queue[RF_FEATURES_MAX];
    uint16_t came_from[RF_FEATURES_MAX];
    bool seen[RF_FEATURES_MAX] = {false};
    size_t head = 0, tail = 0;
    const char *way = build->feature_entries.items[to].name;

    queue[tail++] = (uint16_t)from;
    seen[from] = true;
    while (head < tail && queue[head] != to) {
        size_t at = queue[head++];
        for (size_t i = 0; i < count; i++) {
            if (seen[i] || !feature_names(build, at, build->feature_entries.items[i].name))
                continue;
            seen[i] = true;
            came_from[i] = (uint16_t)at;
            queue[tail++] = (uint16_t)i;
        }
    }
    if (head == tail)
        return NULL;
    for (size_t at = to; at != from;) {
        at = came_from[at];
        way = rf_arena_printf(build->arena, "%s -> %s", build->feature_entries.items[at].name, way);
    }
    return way;
}

/* A feature that exists, but further down: it is the order, or a circle. */
static const char *order_hint(struct rf_build *build, const struct rf_scope *scope,
                              struct rf_bytes name)
{
    size_t named = find_feature(build, name);
    size_t self = scope->variable_count - RF_VARIABLE_FEATURE;
    const char *way = NULL;

    if (named == build->feature_entries.count || self >= build->feature_entries.count ||
        named < self)
        return NULL;
    if (named == self)
        return "a feature cannot read itself";
    if (build->circles_sought++ < CIRCLES_SOUGHT_MAX)
        way = find_way(build, named, self);
    if (way != NULL)
        return rf_arena_printf(build->arena, "they read each other: %s -> %s",
                               build->feature_entries.items[self].name, way);
    return rf_arena_printf(build->arena, "it is written further down; move '%s' above '%s'",
                           build->feature_entries.items[named].name,
                           build->feature_entries.items[self].name);
}

static bool is_text(struct rf_bytes bytes, const char *text)
{
    return rf_bytes_equal(bytes, rf_bytes_of_text(text));
}

/* What to do about a result of the wrong type. */
static const char *result_hint(const struct rf_type *want)
{
    if (want == NULL)
        return NULL;
    switch (want->kind) {
    case RF_TYPE_BOOL:
        return "compare it with something: x == \"...\", x > 0";
    case RF_TYPE_STRING:
        return "string(x) makes a text of it";
    case RF_TYPE_TIMESTAMP:
        return "timestamp(x) reads a text or seconds since 1970; "
               "milliseconds: timestamp(0) + duration(string(x) + \"ms\")";
    case RF_TYPE_DOUBLE:
        return "double(x) converts it";
    default:
        return NULL;
    }
}

static const char *unknown_hint(struct rf_build *build, const struct rf_scope *scope,
                                const struct rf_expr_fault *fault, struct rf_bytes word)
{
    const char *hint = NULL;
    bool known_elsewhere = is_text(word, "now") || is_text(word, "customer") ||
                           find_feature(build, word) < build->feature_entries.count;

    if (scope->is_source && known_elsewhere)
        return "the expressions of a source see the event alone";
    if (scope->source == NULL && is_text(word, "event"))
        return "an event is seen by the features that fold it (sum, last, where, ...): "
               "make a feature of it and read that";
    if (!scope->is_source)
        hint = order_hint(build, scope, word);
    if (hint == NULL && fault->hint == NULL && word.size > 0 && word.data[0] >= 'A' &&
        word.data[0] <= 'Z')
        hint = rf_arena_printf(build->arena, "a text stands in quotes: \"%.*s\"", (int)word.size,
                               (const char *)word.data);
    return hint != NULL ? hint : fault->hint;
}

static const char *better_hint(struct rf_build *build, const struct rf_scope *scope,
                               const struct rf_expr_fault *fault, struct rf_bytes text,
                               const struct rf_type *want)
{
    struct rf_bytes word = {0};

    if (fault->stage != RF_EXPR_AT_CHECK || fault->offset >= text.size)
        return fault->hint;
    word.data = text.data + fault->offset;
    while (fault->offset + word.size < text.size && is_identifier_byte(word.data[word.size]))
        word.size++;
    if (strncmp(fault->message, "there is no '", 13) == 0)
        return unknown_hint(build, scope, fault, word);
    if (fault->hint == NULL && strncmp(fault->message, "the result has to be ", 21) == 0)
        return result_hint(want);
    return fault->hint;
}

static void report(struct rf_build *build, const struct rf_yaml_node *node,
                   const struct rf_scope *scope, const struct rf_type *want,
                   const struct rf_expr_faults *faults)
{
    size_t count = faults->count;
    size_t most = sizeof faults->items / sizeof faults->items[0];

    for (size_t i = 0; i < count && i < most; i++) {
        const struct rf_expr_fault *fault = &faults->items[i];
        struct rf_place place = {0};
        if (!rf_complaints_full(&build->yaml))
            place = rf_place_in(&build->yaml, node, fault->offset, fault->size);
        place.hint = better_hint(build, scope, fault, node->text, want);
        rf_complain(&build->yaml, place, "%s%s", fault->message, scope->for_whom);
    }
}

const struct rf_expr *rf_build_expr(struct rf_build *build, const struct rf_yaml_node *node,
                                    const struct rf_scope *scope, const struct rf_type *want)
{
    struct rf_expr_env env = {.variables = build->variables,
                              .variable_count = scope->variable_count,
                              .zones = build->environment->zones,
                              .constants_have_to_work = true};
    struct rf_expr_variable *event = &build->variables[RF_VARIABLE_EVENT];
    struct rf_expr_faults faults = {0};
    const struct rf_expr *expr = NULL;

    rf_assert(node->kind == RF_YAML_SCALAR);
    rf_assert(scope->variable_count <= RF_VARIABLE_FEATURE + RF_FEATURES_MAX);
    if (node->text.size > RF_EXPR_TEXT_MAX) {
        rf_complain(&build->yaml, rf_place_of(node), "the expression is longer than 64 KiB");
        return NULL;
    }
    event->name = scope->source == NULL ? hidden : "event";
    event->type = scope->source == NULL ? &rf_type_null
                                        : rf_type_record(build->arena, scope->source->event_type);
    if (!rf_expr_compile(build->arena, &env, node->text, want, &expr, &faults)) {
        rf_assert(faults.count > 0);
        report(build, node, scope, want, &faults);
        return NULL;
    }
    return expr;
}

static void read_event(struct rf_build *build, const struct rf_source *source,
                       const struct rf_expr_read *read)
{
    bool *used = build->fields_used[source - build->sources];
    size_t field_count = source->schema->count;

    for (size_t i = 0; read->depth == 0 && i < field_count; i++)
        used[i] = true;
    if (read->depth > 0 && read->path[0] < field_count)
        used[read->path[0]] = true;
}

const struct rf_expr *rf_build_entry_expr(struct rf_build *build, struct rf_entry *entry,
                                          const struct rf_yaml_node *node,
                                          const struct rf_scope *scope, const struct rf_type *want)
{
    const struct rf_expr *expr = node == NULL ? NULL : rf_build_expr(build, node, scope, want);

    if (node != NULL && expr == NULL)
        entry->broken = true;
    return expr;
}

void rf_build_reads(struct rf_build *build, const struct rf_expr *expr,
                    const struct rf_source *source, struct rf_feature_set *set, bool *reads_now)
{
    size_t count = 0;
    const struct rf_expr_read *reads = NULL;

    if (expr == NULL)
        return;
    reads = rf_expr_reads(expr, &count);
    for (size_t i = 0; i < count; i++) {
        size_t feature = 0;
        if (reads[i].variable == RF_VARIABLE_EVENT && source != NULL)
            read_event(build, source, &reads[i]);
        if ((reads[i].variable == RF_VARIABLE_NOW || rf_read_is_history(&reads[i])) &&
            reads_now != NULL)
            *reads_now = true;
        if (reads[i].variable < RF_VARIABLE_FEATURE || set == NULL)
            continue;
        feature = reads[i].variable - RF_VARIABLE_FEATURE;
        rf_assert(feature < build->feature_entries.count);
        rf_set_add(set, feature);
        for (size_t word = 0; word < RF_FEATURES_MAX / 64; word++)
            set->bits[word] |= build->features[feature].shape == RF_STATE_NONE
                                   ? build->features[feature].reads.bits[word]
                                   : 0;
        if (reads_now != NULL && build->features[feature].reads_now)
            *reads_now = true;
    }
}
