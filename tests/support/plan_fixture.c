#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "support/plan_fixture.h"

#include <string.h>

#include "core/base/assert.h"

static const struct rf_type maybe_int = {.kind = RF_TYPE_INT, .nullable = true};

static const struct rf_field_type event_fields[FIELD_COUNT] = {
    [FIELD_AMOUNT] = {"amount", &rf_type_double},
    [FIELD_NUMBER] = {"number", &rf_type_int},
    [FIELD_TEXT] = {"text", &rf_type_string},
    [FIELD_FLAG] = {"flag", &rf_type_bool},
    [FIELD_INSTANT] = {"instant", &rf_type_timestamp},
    [FIELD_LENGTH] = {"length", &rf_type_duration},
    [FIELD_NATURAL] = {"natural", &rf_type_uint},
    [FIELD_MAYBE] = {"maybe", &maybe_int},
    [FIELD_TIME] = {"time", &rf_type_timestamp},
};
static const struct rf_record_type event_type = {
    .name = "event", .field_count = FIELD_COUNT, .fields = event_fields};

void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    rf_arena_init(&f->arena, 64U << 10);
    f->outputs[0] =
        (struct rf_output){.name = "churn-alert", .topic = "alerts", .format = RF_FORMAT_JSON};
    f->plan = (struct rf_plan){
        .app = "test-app",
        .version = "0123456789abcdef",
        .output_count = 1,
        .sources = f->sources,
        .features = f->features,
        .rules = f->rules,
        .lifecycle_output = RF_OUTPUT_NONE,
        .outputs = f->outputs,
        .event_bytes_max = 1U << 20,
        .record_bytes_max = 1U << 20,
    };
}

void fixture_deinit(struct fixture *f)
{
    rf_arena_deinit(&f->arena);
}

uint32_t fixture_source(struct fixture *f, const char *name, rf_span_ms dedup)
{
    uint32_t index = (uint32_t)f->plan.source_count++;

    rf_assert(index < FIXTURE_SOURCES_MAX);
    f->sources[index] = (struct rf_source){
        .name = name,
        .topic = name,
        .kind = name,
        .role = RF_ROLE_EVENTS,
        .format = RF_FORMAT_JSON,
        .event_type = &event_type,
        .time_field = FIELD_TIME,
        .kind_field = -1,
        .source_field = -1,
        .dedup = dedup,
    };
    return index;
}

static bool is_tally(enum rf_feature_kind kind)
{
    return kind == RF_FEATURE_MEAN || kind == RF_FEATURE_TOP || kind == RF_FEATURE_ENTROPY ||
           kind == RF_FEATURE_QUANTILE || kind == RF_FEATURE_COUNT_BY;
}

static enum rf_state_shape shape_of(const struct rf_feature *feature)
{
    if (feature->kind == RF_FEATURE_EXPR || feature->kind == RF_FEATURE_CASES_OF)
        return RF_STATE_NONE;
    if (feature->kind == RF_FEATURE_INTERVAL)
        return RF_STATE_INTERVAL;
    if (feature->kind == RF_FEATURE_CASES)
        return RF_STATE_CASES;
    if (is_tally(feature->kind))
        return RF_STATE_TALLY;
    if (feature->kind == RF_FEATURE_COUNT_DISTINCT)
        return RF_STATE_DISTINCT;
    if (feature->window == 0 || feature->kind == RF_FEATURE_FIRST ||
        feature->kind == RF_FEATURE_LAST)
        return RF_STATE_VALUE;
    return RF_STATE_BUCKETS;
}

static const struct rf_type *nullable(struct fixture *f, const struct rf_type *type)
{
    struct rf_type *made = rf_arena_alloc(&f->arena, sizeof *made);

    *made = *type;
    made->nullable = true;
    return made;
}

static void fill_tally_types(struct fixture *f, struct rf_feature *feature)
{
    bool is_mean = feature->kind == RF_FEATURE_MEAN;

    if (is_mean || feature->kind == RF_FEATURE_QUANTILE)
        feature->key_type = &rf_type_int;
    rf_assert(feature->key_type != NULL);
    feature->state_type = is_mean || feature->half_life > 0 ? &rf_type_double : &rf_type_int;
    if (feature->kind == RF_FEATURE_TOP)
        feature->type = nullable(f, feature->key_type);
    else if (feature->kind == RF_FEATURE_ENTROPY)
        feature->type = &rf_type_double;
    else if (feature->kind == RF_FEATURE_COUNT_BY)
        feature->type = rf_type_map(&f->arena, feature->key_type, &rf_type_int);
    else
        feature->type = nullable(f, &rf_type_double);
}

static void fill_other_types(struct fixture *f, struct rf_feature *feature)
{
    bool is_count = feature->stat == RF_STAT_OPENED || feature->stat == RF_STAT_REOPENED ||
                    feature->stat == RF_STAT_RESOLVED;

    if (feature->kind == RF_FEATURE_CASES)
        feature->type = &rf_cases_type;
    else if (feature->kind == RF_FEATURE_TREND)
        feature->type = nullable(f, &rf_type_double);
    else if (is_count)
        feature->type = &rf_type_int;
    else
        feature->type =
            nullable(f, feature->stat == RF_STAT_OLDEST ? &rf_type_timestamp : &rf_type_duration);
}

static void fill_types(struct fixture *f, struct rf_feature *feature)
{
    if (is_tally(feature->kind)) {
        fill_tally_types(f, feature);
        return;
    }
    if (feature->kind >= RF_FEATURE_TREND) {
        fill_other_types(f, feature);
        return;
    }
    if (feature->kind == RF_FEATURE_COUNT)
        feature->state_type = &rf_type_int;
    if (feature->kind == RF_FEATURE_DECAY)
        feature->state_type = &rf_type_double;
    if (feature->type != NULL)
        return;
    if (feature->kind == RF_FEATURE_EXPR)
        feature->type = rf_expr_type(feature->expr);
    else if (feature->kind == RF_FEATURE_COUNT_DISTINCT)
        feature->type = &rf_type_int;
    else if (feature->kind == RF_FEATURE_COUNT || feature->kind == RF_FEATURE_SUM ||
             feature->kind == RF_FEATURE_DECAY)
        feature->type = feature->state_type;
    else
        feature->type = nullable(f, feature->state_type);
}

uint32_t fixture_feature(struct fixture *f, struct rf_feature feature)
{
    uint32_t index = (uint32_t)f->plan.feature_count++;

    rf_assert(index < RF_FEATURES_MAX);
    feature.shape = shape_of(&feature);
    if (feature.kind == RF_FEATURE_TREND)
        feature.offset = feature.window;
    if (feature.state_name == NULL && feature.shape != RF_STATE_NONE)
        feature.state_name = rf_arena_printf(&f->arena, "%s_00112233", feature.name);
    fill_types(f, &feature);
    f->features[index] = feature;
    return index;
}

void fixture_listen(struct fixture *f, uint32_t feature, uint32_t source,
                    const struct rf_expr *where, const struct rf_expr *value)
{
    struct rf_feature *listener = &f->features[feature];
    size_t count = listener->input_count;
    struct rf_feature_input *inputs = rf_arena_alloc(&f->arena, (count + 1) * sizeof *inputs);

    if (count > 0)
        memcpy(inputs, listener->inputs, count * sizeof *inputs);
    inputs[count] = (struct rf_feature_input){.source = source, .where = where, .value = value};
    listener->inputs = inputs;
    listener->input_count = count + 1;
}

void fixture_listen_cases(struct fixture *f, uint32_t feature, uint32_t source,
                          const struct rf_expr *open, const struct rf_expr *close,
                          const struct rf_expr *by)
{
    struct rf_feature_input *inputs = rf_arena_alloc(&f->arena, sizeof *inputs);

    rf_assert(f->features[feature].input_count == 0);
    *inputs =
        (struct rf_feature_input){.source = source, .value = by, .open = open, .close = close};
    f->features[feature].inputs = inputs;
    f->features[feature].input_count = 1;
}

uint32_t fixture_rule(struct fixture *f, struct rf_rule rule)
{
    uint32_t index = (uint32_t)f->plan.rule_count++;

    rf_assert(index < RF_RULES_MAX);
    if (rule.version == NULL)
        rule.version = "fedcba9876543210";
    if (rule.severity == NULL)
        rule.severity = "high";
    f->rules[index] = rule;
    return index;
}

struct rf_value *fixture_event(struct rf_arena *arena, uint32_t source, rf_ms time,
                               struct rf_event *event)
{
    struct rf_value *fields = rf_arena_alloc_zero(arena, FIELD_COUNT * sizeof *fields);
    struct rf_record *record = rf_arena_alloc(arena, sizeof *record);

    fields[FIELD_AMOUNT] = rf_value_double(1.0);
    fields[FIELD_NUMBER] = rf_value_int(1);
    fields[FIELD_TEXT] = rf_value_string(rf_bytes_of_text("text"));
    fields[FIELD_FLAG] = rf_value_bool(true);
    fields[FIELD_INSTANT] = rf_value_timestamp(time / 1000, 0);
    fields[FIELD_LENGTH] = rf_value_duration(1, 0);
    fields[FIELD_NATURAL] = rf_value_uint(1);
    fields[FIELD_MAYBE] = rf_value_null();
    fields[FIELD_TIME] = rf_value_timestamp_ms(time);
    *record = (struct rf_record){.type = &event_type, .fields = fields};
    *event = (struct rf_event){
        .source = source,
        .position = {.topic = "events", .partition = 3},
        .time = time,
        .customer = rf_bytes_of_text("alice"),
        .fields = record,
    };
    return fields;
}

uint64_t fixture_random(uint64_t *seed)
{
    uint64_t x = *seed += 0x9e3779b97f4a7c15U;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

uint64_t fixture_random_below(uint64_t *seed, uint64_t limit)
{
    return fixture_random(seed) % limit;
}
