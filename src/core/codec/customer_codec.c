#include "core/codec/customer_codec.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/customer_parts.h"
#include "core/model/feature.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"

/* What the schema is made into: lives as long as the making does. */
struct maker {
    struct rf_arena *arena;
    const struct rf_plan *plan;
    const struct rf_customer_part *parts;
    struct rf_customer_doc *docs;
    size_t doc_count;
};

static const struct rf_value empty_list = {.kind = RF_VALUE_LIST,
                                           .as.list = &(const struct rf_list){0}};
static const struct rf_value empty_map = {.kind = RF_VALUE_MAP,
                                          .as.map = &(const struct rf_map){0}};

/* An Avro namespace from the name of the application: what is no letter or digit becomes an underscore. */
static const char *make_namespace(struct rf_arena *arena, const char *app)
{
    char *name = rf_arena_printf(arena, "%s%s", app[0] >= '0' && app[0] <= '9' ? "_" : "", app);

    for (char *p = name; *p != 0; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

        if (!letter && !(*p >= '0' && *p <= '9'))
            *p = '_';
    }
    return name;
}

/* Whatever may be absent in an older or newer record has a default, so that any two versions of the schema
 * can read each other's records. */
static struct rf_schema_field make_field(const char *name, const struct rf_schema *type)
{
    struct rf_schema_field field = {.name = name, .type = type};

    field.has_default = type->kind == RF_SCHEMA_UNION || type->kind == RF_SCHEMA_ARRAY ||
                        type->kind == RF_SCHEMA_MAP;
    if (type->kind == RF_SCHEMA_ARRAY)
        field.default_value = empty_list;
    else if (type->kind == RF_SCHEMA_MAP)
        field.default_value = empty_map;
    return field;
}

static void add_doc(struct maker *maker, const struct rf_schema_field *field, const char *text)
{
    maker->docs[maker->doc_count++] = (struct rf_customer_doc){.field = field, .text = text};
}

static const char *what(const struct rf_feature *feature)
{
    switch (feature->kind) {
    case RF_FEATURE_COUNT:
        return "number of events";
    case RF_FEATURE_SUM:
        return "sum";
    case RF_FEATURE_MIN:
        return "least value";
    case RF_FEATURE_MAX:
        return "greatest value";
    case RF_FEATURE_FIRST:
        return "first value by event time";
    case RF_FEATURE_LAST:
        return "last value by event time";
    case RF_FEATURE_COUNT_DISTINCT:
        return "number of distinct values";
    case RF_FEATURE_DECAY:
        return "sum whose weights halve";
    case RF_FEATURE_MEAN:
        return "mean";
    case RF_FEATURE_TOP:
        return "most frequent value";
    case RF_FEATURE_ENTROPY:
        return "entropy of the values in bits";
    case RF_FEATURE_QUANTILE:
        return "quantile of the values, within 1 %";
    case RF_FEATURE_COUNT_BY:
        return "number of events by value";
    case RF_FEATURE_TREND:
        return "window against the one before it,";
    case RF_FEATURE_INTERVAL:
        return "time between events";
    case RF_FEATURE_CASES:
        return "open cases";
    case RF_FEATURE_CASES_OF:
    case RF_FEATURE_EXPR:
        break;
    }
    return "computed from other features";
}

static const char *column_doc(struct rf_arena *arena, const struct rf_feature *feature,
                              enum rf_scalar scalar)
{
    const char *unit = scalar == RF_SCALAR_DURATION ? "; milliseconds" : "";
    const char *text = what(feature);
    char span[64];

    if (feature->half_life > 0) {
        rf_span_format(span, sizeof span, feature->half_life);
        text = rf_arena_printf(arena,
                               feature->kind == RF_FEATURE_DECAY
                                   ? "%s every %s"
                                   : "%s with weights that halve every %s",
                               text, span);
    }
    if (feature->window > 0) {
        rf_span_format(span, sizeof span, feature->window);
        text = rf_arena_printf(arena, "%s in %s", text, span);
    }
    if (feature->offset > 0 && feature->kind != RF_FEATURE_TREND) {
        rf_span_format(span, sizeof span, feature->offset);
        text = rf_arena_printf(arena, "%s that ended %s before as_of", text, span);
    }
    return rf_arena_printf(arena, "%s%s", text, unit);
}

static const char *state_doc(struct rf_arena *arena, const struct rf_feature *feature,
                             enum rf_state_form form)
{
    char span[64];

    if (form == RF_FORM_BUCKETS) {
        rf_span_format(span, sizeof span, feature->bucket);
        return rf_arena_printf(arena, "%s: by bucket of %s, index 0 from 1970-01-01T00:00:00Z",
                               feature->name, span);
    }
    if (form == RF_FORM_DISTINCT)
        return rf_arena_printf(arena,
                               "%s: hashes in ascending order, 8 bytes each, least significant "
                               "first; beyond %d of them a HyperLogLog sketch instead",
                               feature->name, RF_DISTINCT_EXACT_MAX);
    if (form == RF_FORM_TALLY && feature->kind == RF_FEATURE_MEAN)
        return rf_arena_printf(arena, "%s: 0: weights, 1: values by their weights", feature->name);
    if (form == RF_FORM_TALLY && feature->kind == RF_FEATURE_QUANTILE)
        return rf_arena_printf(arena, "%s: by bin, ascending; of DDSketch with an error of 1 %%",
                               feature->name);
    if (form == RF_FORM_TALLY)
        return rf_arena_printf(arena, "%s: by value, ascending", feature->name);
    if (form == RF_FORM_RECENT)
        return rf_arena_printf(arena, "%s: hashes and when each was last seen", feature->name);
    return feature->name;
}

static const struct rf_schema *make_record(struct maker *maker, const char *name,
                                           const struct rf_schema_field *fields, size_t count)
{
    struct rf_schema *schema = rf_arena_alloc_zero(maker->arena, sizeof *schema);

    schema->kind = RF_SCHEMA_RECORD;
    schema->name = rf_arena_printf(maker->arena, "%s.%s",
                                   make_namespace(maker->arena, maker->plan->app), name);
    schema->fields = fields;
    schema->count = count;
    return schema;
}

static const struct rf_schema *make_state(struct maker *maker)
{
    const struct rf_plan *plan = maker->plan;
    struct rf_schema_field *fields =
        rf_arena_alloc(maker->arena, plan->feature_count * sizeof *fields);
    size_t count = 0;

    for (size_t i = 0; i < plan->feature_count; i++) {
        const struct rf_feature *feature = &plan->features[i];
        const struct rf_schema *type = rf_customer_state_schema(maker->parts[i]);

        if (type == NULL)
            continue;
        fields[count] = make_field(feature->state_name, type);
        add_doc(maker, &fields[count++], state_doc(maker->arena, feature, maker->parts[i].form));
    }
    return make_record(maker, "State", fields, count);
}

/* A feature of a reserved name would be a field twice: the configuration does not let it through. */
static void check_name(const char *name)
{
    static const char *const reserved[] = {RF_RESERVED_COLUMNS};

    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        rf_assert(strcmp(name, reserved[i]) != 0);
}

static size_t make_columns(struct maker *maker, struct rf_schema_field *fields)
{
    size_t count = 0;

    for (size_t i = 0; i < maker->plan->feature_count; i++) {
        const struct rf_feature *feature = &maker->plan->features[i];
        enum rf_scalar scalar = maker->parts[i].column;

        check_name(feature->name);
        if (scalar == RF_SCALAR_NONE)
            continue;
        fields[count] = make_field(feature->name, rf_customer_column_schema(scalar));
        add_doc(maker, &fields[count++], column_doc(maker->arena, feature, scalar));
    }
    return count;
}

static const struct rf_schema *make_customer(struct maker *maker)
{
    static const struct {
        const char *name;
        const char *doc;
    } members[RF_MEMBER_COUNT] = {
        [RF_MEMBER_CUSTOMER] = {"customer", "who: the key of the message"},
        [RF_MEMBER_FIRST_SEEN] = {"first_seen", "the least event time"},
        [RF_MEMBER_AS_OF] = {"as_of", "the greatest event time: the columns are of this instant"},
        [RF_MEMBER_EVENTS] = {"events", "how many events were folded in"},
        [RF_MEMBER_DUE] = {"due", "when something comes due without an event; null: nothing"},
        [RF_MEMBER_STATE] = {"state", "what the columns are computed from; not meant for readers"},
        [RF_MEMBER_RULES] = {"rules", "by rule: how often it fired, when last, and its open alert"},
        [RF_MEMBER_PATTERNS] =
            {"patterns", "by pattern: the events of its partial matches, and those that wait"},
        [RF_MEMBER_SEEN] = {"seen", "ids of recent events, for de-duplication: by time, then hash"},
    };
    size_t count_max = RF_MEMBER_COUNT + maker->plan->feature_count;
    struct rf_schema_field *fields = rf_arena_alloc(maker->arena, count_max * sizeof *fields);
    const struct rf_schema *types[RF_MEMBER_COUNT];
    size_t count = 0;

    rf_customer_member_schemas(types);
    types[RF_MEMBER_STATE] = make_state(maker);
    for (size_t member = 0; member < RF_MEMBER_COUNT; member++) {
        if (member == RF_MEMBERS_BEFORE_COLUMNS)
            count += make_columns(maker, fields + count);
        fields[count] = make_field(members[member].name, types[member]);
        add_doc(maker, &fields[count++], members[member].doc);
    }
    return make_record(maker, "Customer", fields, count);
}

const struct rf_customer_codec *rf_customer_codec_make(struct rf_arena *arena,
                                                       const struct rf_plan *plan)
{
    struct rf_customer_codec *codec = rf_arena_alloc_zero(arena, sizeof *codec);
    struct rf_customer_part *parts = rf_arena_alloc(arena, plan->feature_count * sizeof *parts);
    size_t doc_count_max = RF_MEMBER_COUNT + 2 * plan->feature_count;
    struct maker maker = {.arena = arena, .plan = plan, .parts = parts};

    rf_assert(plan->feature_count <= RF_FEATURES_MAX);
    for (size_t i = 0; i < plan->feature_count; i++)
        parts[i] = rf_customer_part_of(&plan->features[i]);
    maker.docs = rf_arena_alloc(arena, doc_count_max * sizeof *maker.docs);
    codec->plan = plan;
    codec->parts = parts;
    codec->schema = make_customer(&maker);
    rf_assert(maker.doc_count <= doc_count_max);
    codec->schema_text =
        rf_customer_schema_print(arena, codec->schema, maker.docs, maker.doc_count);
    return codec;
}

const struct rf_schema *rf_customer_codec_schema(const struct rf_customer_codec *codec)
{
    return codec->schema;
}

const char *rf_customer_codec_schema_text(const struct rf_customer_codec *codec)
{
    return codec->schema_text;
}

const struct rf_schema_field *rf_customer_member_field(const struct rf_customer_codec *codec,
                                                       enum rf_customer_member member)
{
    size_t place = member;

    if (member >= RF_MEMBERS_BEFORE_COLUMNS)
        place = codec->schema->count - RF_MEMBER_COUNT + member;
    return &codec->schema->fields[place];
}

void rf_customer_init(struct rf_arena *arena, const struct rf_plan *plan, struct rf_bytes id,
                      struct rf_customer *customer)
{
    *customer = (struct rf_customer){
        .id = id, .first_seen = RF_MS_MAX, .as_of = RF_MS_MIN, .due = RF_MS_MAX};
    customer->features =
        rf_arena_alloc_zero(arena, plan->feature_count * sizeof *customer->features);
    customer->rules = rf_arena_alloc(arena, plan->rule_count * sizeof *customer->rules);
    for (size_t i = 0; i < plan->rule_count; i++) {
        rf_rule_state_init(&customer->rules[i]);
        rf_rule_state_settle(&customer->rules[i], &plan->rules[i]);
    }
    customer->patterns = rf_arena_alloc(arena, plan->pattern_count * sizeof *customer->patterns);
    for (size_t i = 0; i < plan->pattern_count; i++)
        customer->patterns[i] = (struct rf_pattern_state){.passed = RF_MS_MIN};
}
