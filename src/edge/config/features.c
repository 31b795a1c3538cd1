#include <string.h>

#include "core/base/assert.h"
#include "edge/config/build.h"

#define BUCKETS_LEAST 168   /* of a window: an hour's grain for a week */
#define BUCKETS_MAX   10000 /* of window and offset together */

/* Which settings go with which kind of feature. */
struct kind_row {
    const char *name;
    enum rf_feature_kind kind;
    bool on, where, window, offset, half_life;
};

/* `first` and a distinct count keep no history that an offset could look back into; what was the first
 * within a window cannot be told from what was the first at all. */
static const struct kind_row kinds[] = {
    {"count", RF_FEATURE_COUNT, false, true, true, true, false},
    {"sum", RF_FEATURE_SUM, true, true, true, true, false},
    {"min", RF_FEATURE_MIN, true, true, true, true, false},
    {"max", RF_FEATURE_MAX, true, true, true, true, false},
    {"first", RF_FEATURE_FIRST, true, true, false, false, false},
    {"last", RF_FEATURE_LAST, true, true, true, false, false},
    {"count_distinct", RF_FEATURE_COUNT_DISTINCT, true, true, true, false, false},
    {"decay", RF_FEATURE_DECAY, true, true, false, false, true},
    {"expr", RF_FEATURE_EXPR, false, false, false, false, false},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* One feature on its way. */
struct making {
    struct rf_build *build;
    struct rf_entry *entry;
    struct rf_feature_draft *draft;
    struct rf_feature *feature;
    const struct kind_row *kind;
    const struct rf_yaml_node *value; /* what stands under the kind's name */
    const char *on;                   /* the kind of event; NULL: EXPR */
    bool of_occurrences;              /* COUNT and DECAY of a kind */
    size_t index;
    struct rf_feature_input *inputs;
};

static bool fail(struct making *making, struct rf_place place, const char *message)
{
    rf_complain(&making->build->yaml, place, "%s", message);
    making->entry->broken = true;
    return false;
}

static bool fail_at(struct making *making, const char *setting, const char *message,
                    const char *hint)
{
    struct rf_place place = rf_group_place(&making->entry->group, setting);

    place.hint = hint;
    return fail(making, place, message);
}

/* ---- which kind ----------------------------------------------------------------------------------- */

static const struct rf_yaml_node *written(const struct making *making, const char *setting)
{
    return rf_group_find(&making->entry->group, setting);
}

static bool find_kind(struct making *making)
{
    struct rf_arena *arena = making->build->arena;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (written(making, kinds[i].name) == NULL)
            continue;
        if (making->kind != NULL)
            return fail_at(making, kinds[i].name,
                           rf_arena_printf(arena, "a feature is either '%s' or '%s'",
                                           making->kind->name, kinds[i].name),
                           "make two features of it");
        making->kind = &kinds[i];
    }
    if (making->kind == NULL) {
        struct rf_place place = rf_place_of(making->entry->group.key);
        place.hint = "one of count, sum, min, max, first, last, count_distinct, decay, expr";
        return fail(
            making, place,
            rf_arena_printf(arena, "feature '%s' does not say what it is", making->entry->name));
    }
    making->value = written(making, making->kind->name);
    making->feature->kind = making->kind->kind;
    return true;
}

static bool refuse_setting(struct making *making, const char *setting, bool allowed)
{
    if (allowed || written(making, setting) == NULL)
        return true;
    return fail_at(
        making, setting,
        rf_arena_printf(making->build->arena, "'%s' has no '%s'", making->kind->name, setting),
        making->of_occurrences && strcmp(setting, "on") == 0 ? "it names its kind itself"
                                                             : "remove it");
}

static bool check_settings(struct making *making)
{
    const struct kind_row *kind = making->kind;
    bool ok = refuse_setting(making, "on", kind->on && !making->of_occurrences);

    ok = refuse_setting(making, "where", kind->where) && ok;
    ok = refuse_setting(making, "window", kind->window) && ok;
    ok = refuse_setting(making, "offset", kind->offset) && ok;
    ok = refuse_setting(making, "half_life", kind->half_life) && ok;
    ok = refuse_setting(making, "bucket", kind->offset) && ok;
    if (kind->half_life && written(making, "half_life") == NULL)
        ok = fail_at(making, "half_life", "'half_life' is missing in a decay", "half_life: 7d");
    if (ok && making->draft->window == 0 && making->draft->offset != 0)
        ok = fail_at(making, "offset", "'offset' needs a 'window'", "window: 28d");
    if (ok && making->draft->window == 0 && making->draft->bucket != 0)
        ok = fail_at(making, "bucket", "'bucket' is the grain of a 'window'", "window: 28d");
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

static bool fail_unknown_kind(struct making *making, const struct rf_yaml_node *node)
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
    return fail(
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

static bool find_on(struct making *making)
{
    struct rf_build *build = making->build;
    const struct rf_yaml_node *on = written(making, "on");

    if (build->plan->source_count == 0) /* complained of already */
        return false;
    if (making->kind->kind == RF_FEATURE_EXPR)
        return true;
    if (making->kind->kind == RF_FEATURE_COUNT ||
        (making->kind->kind == RF_FEATURE_DECAY && is_kind(build, rf_yaml_text(making->value)))) {
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
    if (making->kind->kind == RF_FEATURE_DECAY && is_identifier(making->value->text))
        return fail_unknown_kind(making, making->value);
    struct rf_place place = rf_place_of(making->entry->group.key);
    place.hint = "on: KIND, the kind of event whose values are taken";
    return fail(making, place,
                rf_arena_printf(build->arena, "feature '%s' does not say on which events",
                                making->entry->name));
}

static size_t count_sources(const struct making *making)
{
    size_t count = 0;

    for (size_t i = 0; i < making->build->plan->source_count; i++)
        count += making->build->sources[i].role == RF_ROLE_EVENTS &&
                         strcmp(making->build->sources[i].kind, making->on) == 0
                     ? 1
                     : 0;
    return count;
}

static struct rf_scope scope_of(const struct making *making, const struct rf_source *source)
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

static bool is_scalar(enum rf_type_kind kind)
{
    return kind == RF_TYPE_BOOL || kind == RF_TYPE_INT || kind == RF_TYPE_UINT ||
           kind == RF_TYPE_DOUBLE || kind == RF_TYPE_STRING || kind == RF_TYPE_BYTES ||
           kind == RF_TYPE_TIMESTAMP || kind == RF_TYPE_DURATION;
}

static bool takes(enum rf_feature_kind kind, enum rf_type_kind type)
{
    switch (kind) {
    case RF_FEATURE_SUM:
    case RF_FEATURE_DECAY:
        return type == RF_TYPE_INT || type == RF_TYPE_DOUBLE;
    case RF_FEATURE_MIN:
    case RF_FEATURE_MAX:
        return type == RF_TYPE_INT || type == RF_TYPE_DOUBLE || type == RF_TYPE_TIMESTAMP ||
               type == RF_TYPE_DURATION;
    default:
        return is_scalar(type);
    }
}

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

static const char *conversion_hint(enum rf_feature_kind kind, const struct rf_type *type)
{
    if (type->kind == RF_TYPE_DYN)
        return "its type is not known before it runs: convert it, int(x), double(x), string(x)";
    if (kind == RF_FEATURE_SUM || kind == RF_FEATURE_DECAY)
        return "it takes int and double: int(x), double(x)";
    if (kind == RF_FEATURE_MIN || kind == RF_FEATURE_MAX)
        return "it takes int, double, timestamp and duration";
    return "it takes one plain value: a bool, a number, a text, bytes, a time";
}

/* Its type is not known, and that has been complained of. */
static bool reads_broken(const struct making *making)
{
    for (size_t i = 0; i < making->index; i++) {
        if (rf_set_has(&making->feature->reads, i) &&
            making->build->feature_entries.items[i].broken)
            return true;
    }
    return false;
}

static bool check_value_type(struct making *making, const struct rf_expr *expr)
{
    const struct rf_type *type = rf_expr_type(expr);
    struct rf_place place = rf_place_of(making->value);

    if (takes(making->feature->kind, type->kind))
        return true;
    if (type->kind == RF_TYPE_DYN && reads_broken(making)) {
        making->entry->broken = true;
        return false;
    }
    place.hint = conversion_hint(making->feature->kind, type);
    return fail(making, place,
                rf_arena_printf(making->build->arena, "'%s' does not take a value of type %s",
                                making->kind->name, type_text(making->build, type)));
}

static bool merge_type(struct making *making, const struct rf_expr *expr,
                       const struct rf_type **type)
{
    const struct rf_type *own = rf_expr_type(expr);
    struct rf_place place = rf_place_of(making->value);

    if (*type == NULL || (*type)->kind == own->kind) {
        *type = own;
        return true;
    }
    place.hint = "convert it to one type, for instance double(x)";
    return fail(making, place,
                rf_arena_printf(making->build->arena,
                                "the sources of kind '%s' give it different types: %s, %s",
                                making->on, type_text(making->build, *type),
                                type_text(making->build, own)));
}

static const struct rf_expr *compile(struct making *making, const struct rf_yaml_node *node,
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

/* The same `where` and value once for each source of the kind: their events differ in type. */
static bool compile_inputs(struct making *making, const struct rf_type **type)
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
        input->value = compile(making, making->value, source, NULL);
        if (input->value != NULL && check_value_type(making, input->value))
            merge_type(making, input->value, type);
    }
    making->feature->inputs = making->inputs;
    return !making->entry->broken;
}

static const struct rf_type *plain_type(enum rf_type_kind kind)
{
    static const struct rf_type *const plain[] = {
        &rf_type_bool,   &rf_type_int,   &rf_type_uint,      &rf_type_double,
        &rf_type_string, &rf_type_bytes, &rf_type_timestamp, &rf_type_duration,
    };

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (plain[i]->kind == kind)
            return plain[i];
    }
    rf_assert(false && "no plain type");
    return NULL;
}

static void set_types(struct making *making, const struct rf_type *value)
{
    struct rf_feature *feature = making->feature;

    switch (feature->kind) {
    case RF_FEATURE_COUNT:
        feature->type = feature->state_type = &rf_type_int;
        break;
    case RF_FEATURE_COUNT_DISTINCT:
        feature->type = &rf_type_int;
        break;
    case RF_FEATURE_DECAY:
        feature->type = feature->state_type = &rf_type_double;
        break;
    case RF_FEATURE_SUM:
        feature->type = feature->state_type = plain_type(value->kind);
        break;
    case RF_FEATURE_EXPR:
        feature->type = value;
        break;
    default:
        feature->state_type = plain_type(value->kind);
        feature->type = rf_type_nullable(making->build->arena, feature->state_type);
    }
}

/* ---- windows -------------------------------------------------------------------------------------- */

/* The largest round grain that the window and its offset are whole numbers of, and that leaves its edge
 * exact to a 168th; 0: none. */
static rf_span_ms default_bucket(rf_span_ms window, rf_span_ms offset)
{
    static const rf_span_ms grains[] = {RF_DAY_MS,         6 * RF_HOUR_MS,   RF_HOUR_MS,
                                        15 * RF_MINUTE_MS, 5 * RF_MINUTE_MS, RF_MINUTE_MS,
                                        RF_SECOND_MS};
    rf_span_ms smallest = 0;

    for (size_t i = 0; i < sizeof grains / sizeof grains[0]; i++) {
        if (window % grains[i] != 0 || offset % grains[i] != 0)
            continue;
        smallest = grains[i];
        if (window / grains[i] >= BUCKETS_LEAST)
            return grains[i];
    }
    return smallest;
}

static bool check_bucket(struct making *making)
{
    struct rf_feature *feature = making->feature;
    const char *at = feature->bucket != 0 ? "bucket" : "window";
    char text[64];

    if (feature->bucket == 0)
        feature->bucket = default_bucket(feature->window, feature->offset);
    if (feature->bucket == 0)
        return fail_at(making, at, "'window' and 'offset' have to be whole seconds", "window: 90s");
    text[rf_span_format(text, sizeof text, feature->bucket)] = '\0';
    if (feature->window % feature->bucket != 0)
        return fail_at(making, at,
                       rf_arena_printf(making->build->arena,
                                       "'window' is not a whole number of buckets of %s", text),
                       "window: 7d goes with bucket: 1h");
    if (feature->offset % feature->bucket != 0)
        return fail_at(making, "offset",
                       rf_arena_printf(making->build->arena,
                                       "'offset' is not a whole number of buckets of %s", text),
                       "make it a multiple of 'bucket'");
    if ((feature->window + feature->offset) / feature->bucket > BUCKETS_MAX)
        return fail_at(making, at, "window and offset have more than 10000 buckets",
                       "take a larger 'bucket': a customer's record keeps each that is not empty");
    return true;
}

static bool set_window(struct making *making)
{
    struct rf_feature *feature = making->feature;

    feature->window = making->draft->window;
    feature->offset = making->draft->offset;
    feature->bucket = making->draft->bucket;
    feature->half_life = making->draft->half_life;
    if (feature->window != 0 || feature->kind == RF_FEATURE_DECAY)
        feature->reads_now = true;
    if (feature->kind == RF_FEATURE_EXPR)
        feature->shape = RF_STATE_NONE;
    else if (feature->kind == RF_FEATURE_COUNT_DISTINCT)
        feature->shape = RF_STATE_DISTINCT;
    else if (feature->window == 0 || feature->kind == RF_FEATURE_LAST)
        feature->shape = RF_STATE_VALUE;
    else
        feature->shape = RF_STATE_BUCKETS;
    return feature->shape != RF_STATE_BUCKETS || check_bucket(making);
}

/* ---- one feature ---------------------------------------------------------------------------------- */

static bool make_feature(struct making *making)
{
    const struct rf_type *type = NULL;
    bool reads_now = false;

    if (!find_kind(making) || !find_on(making) || !check_settings(making) || !set_window(making))
        return false;
    reads_now = making->feature->reads_now;
    if (making->kind->kind == RF_FEATURE_EXPR) {
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
    set_types(making, type);
    return true;
}

void rf_build_features(struct rf_build *build)
{
    struct rf_entries *entries = &build->feature_entries;
    struct rf_expr_variable *variables = build->variables;
    struct rf_record_type *customer = rf_arena_alloc(build->arena, sizeof *customer);
    struct rf_field_type *id = rf_arena_alloc(build->arena, sizeof *id);

    *id = (struct rf_field_type){.name = "id", .type = &rf_type_string};
    *customer = (struct rf_record_type){.name = "the customer", .field_count = 1, .fields = id};
    build->plan->customer_type = customer;
    variables[RF_VARIABLE_NOW] = (struct rf_expr_variable){"now", &rf_type_timestamp};
    variables[RF_VARIABLE_CUSTOMER] =
        (struct rf_expr_variable){"customer", rf_type_record(build->arena, customer)};
    build->features =
        rf_arena_alloc_zero(build->arena, (entries->count + 1) * sizeof *build->features);
    for (size_t i = 0; i < entries->count; i++) {
        struct rf_entry *entry = &entries->items[i];
        struct rf_feature_draft draft = {0};
        struct making making = {.build = build,
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
