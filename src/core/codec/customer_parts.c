#include "core/codec/customer_parts.h"

#include "core/base/assert.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* The schemas that no plan changes. */
static const struct rf_schema schema_null = {.kind = RF_SCHEMA_NULL};
static const struct rf_schema schema_boolean = {.kind = RF_SCHEMA_BOOLEAN};
static const struct rf_schema schema_long = {.kind = RF_SCHEMA_LONG};
static const struct rf_schema schema_double = {.kind = RF_SCHEMA_DOUBLE};
static const struct rf_schema schema_string = {.kind = RF_SCHEMA_STRING};
static const struct rf_schema schema_bytes = {.kind = RF_SCHEMA_BYTES};
static const struct rf_schema schema_instant = {.kind = RF_SCHEMA_LONG,
                                                .logical = RF_LOGICAL_TIMESTAMP_MILLIS};
static const struct rf_schema schema_hash = {
    .kind = RF_SCHEMA_FIXED, .name = "ringfold.Hash", .count = 8};

/* Every table below is in the order of this enum: one entry for each Avro type that a scalar can have. */
enum basic {
    BASIC_BOOLEAN,
    BASIC_LONG,
    BASIC_DOUBLE,
    BASIC_STRING,
    BASIC_BYTES,
    BASIC_INSTANT,
    BASIC_COUNT,
};

static const struct rf_schema *const basics[BASIC_COUNT] = {
    &schema_boolean, &schema_long, &schema_double, &schema_string, &schema_bytes, &schema_instant,
};

static const struct rf_schema *const optional_branches[BASIC_COUNT][2] = {
    {&schema_null, &schema_boolean}, {&schema_null, &schema_long},  {&schema_null, &schema_double},
    {&schema_null, &schema_string},  {&schema_null, &schema_bytes}, {&schema_null, &schema_instant},
};

#define OPTIONAL(basic)                                                                            \
    {                                                                                              \
        .kind = RF_SCHEMA_UNION, .count = 2, .branches = optional_branches[basic]                  \
    }
static const struct rf_schema optionals[BASIC_COUNT] = {
    OPTIONAL(BASIC_BOOLEAN), OPTIONAL(BASIC_LONG),  OPTIONAL(BASIC_DOUBLE),
    OPTIONAL(BASIC_STRING),  OPTIONAL(BASIC_BYTES), OPTIONAL(BASIC_INSTANT),
};

#define STAMPED_FIELDS(schema)                                                                     \
    {                                                                                              \
        {.name = "at", .type = &schema_instant},                                                   \
        {                                                                                          \
            .name = "value", .type = &(schema)                                                     \
        }                                                                                          \
    }
static const struct rf_schema_field stamped_fields[BASIC_COUNT][2] = {
    STAMPED_FIELDS(schema_boolean), STAMPED_FIELDS(schema_long),  STAMPED_FIELDS(schema_double),
    STAMPED_FIELDS(schema_string),  STAMPED_FIELDS(schema_bytes), STAMPED_FIELDS(schema_instant),
};

#define STAMPED(full_name, basic)                                                                  \
    {                                                                                              \
        .kind = RF_SCHEMA_RECORD, .name = (full_name), .count = 2, .fields = stamped_fields[basic] \
    }
static const struct rf_schema stamped[BASIC_COUNT] = {
    STAMPED("ringfold.StampedBoolean", BASIC_BOOLEAN),
    STAMPED("ringfold.StampedLong", BASIC_LONG),
    STAMPED("ringfold.StampedDouble", BASIC_DOUBLE),
    STAMPED("ringfold.StampedString", BASIC_STRING),
    STAMPED("ringfold.StampedBytes", BASIC_BYTES),
    STAMPED("ringfold.StampedInstant", BASIC_INSTANT),
};

static const struct rf_schema *const stamped_branches[BASIC_COUNT][2] = {
    {&schema_null, &stamped[BASIC_BOOLEAN]}, {&schema_null, &stamped[BASIC_LONG]},
    {&schema_null, &stamped[BASIC_DOUBLE]},  {&schema_null, &stamped[BASIC_STRING]},
    {&schema_null, &stamped[BASIC_BYTES]},   {&schema_null, &stamped[BASIC_INSTANT]},
};

#define OPTIONAL_STAMPED(basic)                                                                    \
    {                                                                                              \
        .kind = RF_SCHEMA_UNION, .count = 2, .branches = stamped_branches[basic]                   \
    }
static const struct rf_schema optional_stamped[BASIC_COUNT] = {
    OPTIONAL_STAMPED(BASIC_BOOLEAN), OPTIONAL_STAMPED(BASIC_LONG),  OPTIONAL_STAMPED(BASIC_DOUBLE),
    OPTIONAL_STAMPED(BASIC_STRING),  OPTIONAL_STAMPED(BASIC_BYTES), OPTIONAL_STAMPED(BASIC_INSTANT),
};

static const struct rf_schema_field bucket_long_fields[] = {
    {.name = "index", .type = &schema_long}, {.name = "value", .type = &schema_long}};
static const struct rf_schema_field bucket_double_fields[] = {
    {.name = "index", .type = &schema_long}, {.name = "value", .type = &schema_double}};
static const struct rf_schema bucket_long = {.kind = RF_SCHEMA_RECORD,
                                             .name = "ringfold.BucketLong",
                                             .count = COUNT_OF(bucket_long_fields),
                                             .fields = bucket_long_fields};
static const struct rf_schema bucket_double = {.kind = RF_SCHEMA_RECORD,
                                               .name = "ringfold.BucketDouble",
                                               .count = COUNT_OF(bucket_double_fields),
                                               .fields = bucket_double_fields};
static const struct rf_schema buckets_long = {.kind = RF_SCHEMA_ARRAY, .element = &bucket_long};
static const struct rf_schema buckets_double = {.kind = RF_SCHEMA_ARRAY, .element = &bucket_double};

static const struct rf_schema_field distinct_fields[] = {{.name = "hashes", .type = &schema_bytes},
                                                         {.name = "sketch", .type = &schema_bytes}};
static const struct rf_schema distinct = {.kind = RF_SCHEMA_RECORD,
                                          .name = "ringfold.Distinct",
                                          .count = COUNT_OF(distinct_fields),
                                          .fields = distinct_fields};
static const struct rf_schema *const distinct_branches[] = {&schema_null, &distinct};
static const struct rf_schema optional_distinct = {
    .kind = RF_SCHEMA_UNION, .count = 2, .branches = distinct_branches};

static const struct rf_schema_field recent_fields[] = {{.name = "hash", .type = &schema_hash},
                                                       {.name = "last", .type = &schema_instant}};
static const struct rf_schema recent = {.kind = RF_SCHEMA_RECORD,
                                        .name = "ringfold.Recent",
                                        .count = COUNT_OF(recent_fields),
                                        .fields = recent_fields};
static const struct rf_schema recents = {.kind = RF_SCHEMA_ARRAY, .element = &recent};

/* By key: boolean, long, string. In a window, with a half-life, since ever. */
static const struct rf_schema *const tally_keys[] = {&schema_boolean, &schema_long, &schema_string};
#define TALLY_FIELDS(key, schema)                                                                  \
    {                                                                                              \
        {.name = "key", .type = &(key)},                                                           \
        {                                                                                          \
            .name = "value", .type = &(schema)                                                     \
        }                                                                                          \
    }
#define TALLY_FIELDS_OF(key)                                                                       \
    {                                                                                              \
        TALLY_FIELDS(key, schema_long), TALLY_FIELDS(key, schema_double),                          \
            TALLY_FIELDS(key, stamped[BASIC_DOUBLE]), TALLY_FIELDS(key, buckets_long),             \
            TALLY_FIELDS(key, buckets_double)                                                      \
    }
enum tally_value {
    TALLY_LONG,
    TALLY_DOUBLE,
    TALLY_STAMPED,
    TALLY_BUCKETS_LONG,
    TALLY_BUCKETS_DOUBLE,
    TALLY_COUNT,
};
static const struct rf_schema_field tally_fields[COUNT_OF(tally_keys)][TALLY_COUNT][2] = {
    TALLY_FIELDS_OF(schema_boolean), TALLY_FIELDS_OF(schema_long), TALLY_FIELDS_OF(schema_string)};
#define TALLY(full_name, key, value)                                                               \
    {                                                                                              \
        .kind = RF_SCHEMA_RECORD, .name = (full_name), .count = 2,                                 \
        .fields = tally_fields[key][value]                                                         \
    }
#define TALLIES_OF(name, key)                                                                      \
    {                                                                                              \
        TALLY("ringfold.Tally" name "Long", key, TALLY_LONG),                                      \
            TALLY("ringfold.Tally" name "Double", key, TALLY_DOUBLE),                              \
            TALLY("ringfold.Tally" name "Stamped", key, TALLY_STAMPED),                            \
            TALLY("ringfold.Tally" name "BucketsLong", key, TALLY_BUCKETS_LONG),                   \
            TALLY("ringfold.Tally" name "BucketsDouble", key, TALLY_BUCKETS_DOUBLE)                \
    }
static const struct rf_schema tally[COUNT_OF(tally_keys)][TALLY_COUNT] = {
    TALLIES_OF("Boolean", 0), TALLIES_OF("Long", 1), TALLIES_OF("String", 2)};
#define ARRAY_OF(key, value)                                                                       \
    {                                                                                              \
        .kind = RF_SCHEMA_ARRAY, .element = &tally[key][value]                                     \
    }
#define ARRAYS_OF(key)                                                                             \
    {                                                                                              \
        ARRAY_OF(key, TALLY_LONG), ARRAY_OF(key, TALLY_DOUBLE), ARRAY_OF(key, TALLY_STAMPED),      \
            ARRAY_OF(key, TALLY_BUCKETS_LONG), ARRAY_OF(key, TALLY_BUCKETS_DOUBLE)                 \
    }
static const struct rf_schema tallies[COUNT_OF(tally_keys)][TALLY_COUNT] = {
    ARRAYS_OF(0), ARRAYS_OF(1), ARRAYS_OF(2)};

static const struct rf_schema longs = {.kind = RF_SCHEMA_ARRAY, .element = &schema_long};
static const struct rf_schema_field interval_fields[] = {
    {.name = "count", .type = &schema_long},     {.name = "first", .type = &schema_instant},
    {.name = "settled", .type = &schema_long},   {.name = "mean", .type = &schema_double},
    {.name = "squares", .type = &schema_double}, {.name = "least", .type = &schema_long},
    {.name = "most", .type = &schema_long},      {.name = "times", .type = &longs}};
static const struct rf_schema interval = {.kind = RF_SCHEMA_RECORD,
                                          .name = "ringfold.Interval",
                                          .count = COUNT_OF(interval_fields),
                                          .fields = interval_fields};
static const struct rf_schema *const interval_branches[] = {&schema_null, &interval};
static const struct rf_schema optional_interval = {
    .kind = RF_SCHEMA_UNION, .count = 2, .branches = interval_branches};

static const struct rf_schema_field settled_fields[] = {
    {.name = "open", .type = &schema_boolean},
    {.name = "changed", .type = &schema_instant},
    {.name = "opened_at", .type = &schema_instant},
    {.name = "opened", .type = &schema_long},
    {.name = "resolved", .type = &schema_long},
    {.name = "resolved_ms", .type = &schema_long},
    {.name = "resolved_at", .type = &schema_instant},
    {.name = "resolved_last_ms", .type = &schema_long}};
static const struct rf_schema settled = {.kind = RF_SCHEMA_RECORD,
                                         .name = "ringfold.Settled",
                                         .count = COUNT_OF(settled_fields),
                                         .fields = settled_fields};
static const struct rf_schema *const settled_branches[] = {&schema_null, &settled};
static const struct rf_schema optional_settled = {
    .kind = RF_SCHEMA_UNION, .count = 2, .branches = settled_branches};
static const struct rf_schema_field case_fields[] = {{.name = "id", .type = &schema_string},
                                                     {.name = "settled", .type = &optional_settled},
                                                     {.name = "marks", .type = &longs}};
static const struct rf_schema case_one = {.kind = RF_SCHEMA_RECORD,
                                          .name = "ringfold.Case",
                                          .count = COUNT_OF(case_fields),
                                          .fields = case_fields};
static const struct rf_schema case_items = {.kind = RF_SCHEMA_ARRAY, .element = &case_one};
static const struct rf_schema_field cases_fields[] = {
    {.name = "opened", .type = &schema_long},
    {.name = "reopened", .type = &schema_long},
    {.name = "resolved", .type = &schema_long},
    {.name = "resolved_ms", .type = &schema_long},
    {.name = "resolved_at", .type = &schema_instant},
    {.name = "resolved_last_ms", .type = &schema_long},
    {.name = "cases", .type = &case_items}};
static const struct rf_schema cases = {.kind = RF_SCHEMA_RECORD,
                                       .name = "ringfold.Cases",
                                       .count = COUNT_OF(cases_fields),
                                       .fields = cases_fields};
static const struct rf_schema *const cases_branches[] = {&schema_null, &cases};
static const struct rf_schema optional_cases = {
    .kind = RF_SCHEMA_UNION, .count = 2, .branches = cases_branches};

static const struct rf_schema schema_episode = {
    .kind = RF_SCHEMA_FIXED, .name = "ringfold.EpisodeId", .count = 16};
static const struct rf_schema_field raised_fields[] = {{.name = "episode", .type = &schema_episode},
                                                       {.name = "reasons", .type = &schema_hash}};
static const struct rf_schema raised = {.kind = RF_SCHEMA_RECORD,
                                        .name = "ringfold.Raised",
                                        .count = COUNT_OF(raised_fields),
                                        .fields = raised_fields};
static const struct rf_schema *const raised_branches[] = {&schema_null, &raised};
static const struct rf_schema optional_raised = {
    .kind = RF_SCHEMA_UNION, .count = 2, .branches = raised_branches};

static const struct rf_schema_field rule_fields[] = {
    {.name = "fired", .type = &schema_long},
    {.name = "last_fired", .type = &optionals[BASIC_INSTANT]},
    {.name = "held_since", .type = &optionals[BASIC_INSTANT]},
    {.name = "told", .type = &optionals[BASIC_INSTANT]},
    {.name = "shadow", .type = &schema_boolean},
    {.name = "raised", .type = &optional_raised}};
static const struct rf_schema rule = {.kind = RF_SCHEMA_RECORD,
                                      .name = "ringfold.Rule",
                                      .count = COUNT_OF(rule_fields),
                                      .fields = rule_fields};
static const struct rf_schema rules = {.kind = RF_SCHEMA_MAP, .element = &rule};

static const struct rf_schema_field seen_fields[] = {{.name = "hash", .type = &schema_hash},
                                                     {.name = "time", .type = &schema_instant}};
static const struct rf_schema seen_one = {.kind = RF_SCHEMA_RECORD,
                                          .name = "ringfold.Seen",
                                          .count = COUNT_OF(seen_fields),
                                          .fields = seen_fields};
static const struct rf_schema seen = {.kind = RF_SCHEMA_ARRAY, .element = &seen_one};

static const struct rf_schema_field pattern_event_fields[] = {
    {.name = "time", .type = &schema_instant},
    {.name = "topic", .type = &schema_string},
    {.name = "partition", .type = &schema_long},
    {.name = "offset", .type = &schema_long},
    {.name = "steps", .type = &schema_long}};
static const struct rf_schema pattern_event = {.kind = RF_SCHEMA_RECORD,
                                               .name = "ringfold.PatternEvent",
                                               .count = COUNT_OF(pattern_event_fields),
                                               .fields = pattern_event_fields};
static const struct rf_schema pattern_events = {.kind = RF_SCHEMA_ARRAY, .element = &pattern_event};
static const struct rf_schema pattern_run = {.kind = RF_SCHEMA_ARRAY, .element = &schema_long};
static const struct rf_schema pattern_runs = {.kind = RF_SCHEMA_ARRAY, .element = &pattern_run};
static const struct rf_schema_field pattern_fields[] = {{.name = "passed", .type = &schema_instant},
                                                        {.name = "events", .type = &pattern_events},
                                                        {.name = "waiting", .type = &schema_long},
                                                        {.name = "runs", .type = &pattern_runs}};
static const struct rf_schema pattern = {.kind = RF_SCHEMA_RECORD,
                                         .name = "ringfold.Pattern",
                                         .count = COUNT_OF(pattern_fields),
                                         .fields = pattern_fields};
static const struct rf_schema patterns = {.kind = RF_SCHEMA_MAP, .element = &pattern};

static enum rf_scalar scalar_of(const struct rf_type *type)
{
    switch (type->kind) {
    case RF_TYPE_BOOL:
        return RF_SCALAR_BOOLEAN;
    case RF_TYPE_INT:
        return RF_SCALAR_INTEGER;
    case RF_TYPE_UINT:
        return RF_SCALAR_UNSIGNED;
    case RF_TYPE_DOUBLE:
        return RF_SCALAR_DOUBLE;
    case RF_TYPE_STRING:
        return RF_SCALAR_STRING;
    case RF_TYPE_BYTES:
        return RF_SCALAR_BYTES;
    case RF_TYPE_TIMESTAMP:
        return RF_SCALAR_TIMESTAMP;
    case RF_TYPE_DURATION:
        return RF_SCALAR_DURATION;
    case RF_TYPE_DYN:
    case RF_TYPE_NULL:
    case RF_TYPE_LIST:
    case RF_TYPE_MAP:
    case RF_TYPE_RECORD:
    case RF_TYPE_TYPE:
    case RF_TYPE_OPTIONAL:
    case RF_TYPE_PARAMETER:
        break;
    }
    return RF_SCALAR_NONE;
}

static enum basic basic_of(enum rf_scalar scalar)
{
    switch (scalar) {
    case RF_SCALAR_BOOLEAN:
        return BASIC_BOOLEAN;
    case RF_SCALAR_INTEGER:
    case RF_SCALAR_UNSIGNED:
    case RF_SCALAR_DURATION:
        return BASIC_LONG;
    case RF_SCALAR_DOUBLE:
        return BASIC_DOUBLE;
    case RF_SCALAR_STRING:
        return BASIC_STRING;
    case RF_SCALAR_BYTES:
        return BASIC_BYTES;
    case RF_SCALAR_TIMESTAMP:
        return BASIC_INSTANT;
    case RF_SCALAR_NONE:
        break;
    }
    return BASIC_COUNT;
}

static enum rf_state_form form_of(const struct rf_feature *feature)
{
    switch (feature->shape) {
    case RF_STATE_NONE:
        return RF_FORM_NONE;
    case RF_STATE_BUCKETS:
        return RF_FORM_BUCKETS;
    case RF_STATE_DISTINCT:
        return feature->window > 0 ? RF_FORM_RECENT : RF_FORM_DISTINCT;
    case RF_STATE_TALLY:
        return RF_FORM_TALLY;
    case RF_STATE_INTERVAL:
        return RF_FORM_INTERVAL;
    case RF_STATE_CASES:
        return RF_FORM_CASES;
    case RF_STATE_VALUE:
        break;
    }
    return feature->kind == RF_FEATURE_FIRST || feature->kind == RF_FEATURE_LAST ||
                   feature->kind == RF_FEATURE_DECAY
               ? RF_FORM_STAMPED
               : RF_FORM_PLAIN;
}

struct rf_customer_part rf_customer_part_of(const struct rf_feature *feature)
{
    struct rf_customer_part part = {.column = scalar_of(feature->type), .form = form_of(feature)};

    if (part.form == RF_FORM_TALLY) {
        part.inner = feature->window > 0      ? RF_FORM_BUCKETS
                     : feature->half_life > 0 ? RF_FORM_STAMPED
                                              : RF_FORM_PLAIN;
        part.scalar = scalar_of(feature->state_type);
        part.key = scalar_of(feature->key_type);
        rf_assert(part.scalar == RF_SCALAR_DOUBLE ||
                  (part.scalar == RF_SCALAR_INTEGER && part.inner != RF_FORM_STAMPED));
    }
    if (part.form == RF_FORM_PLAIN || part.form == RF_FORM_STAMPED ||
        part.form == RF_FORM_BUCKETS) {
        part.scalar = scalar_of(feature->state_type);
        rf_assert(part.scalar != RF_SCALAR_NONE);
    }
    if (part.form == RF_FORM_BUCKETS)
        rf_assert(basics[basic_of(part.scalar)]->kind == RF_SCHEMA_LONG ||
                  part.scalar == RF_SCALAR_DOUBLE);
    return part;
}

const struct rf_schema *rf_customer_column_schema(enum rf_scalar scalar)
{
    rf_assert(scalar != RF_SCALAR_NONE);
    return &optionals[basic_of(scalar)];
}

static const struct rf_schema *tally_schema(struct rf_customer_part part)
{
    size_t key = 0;
    bool is_double = part.scalar == RF_SCALAR_DOUBLE;

    while (tally_keys[key] != basics[basic_of(part.key)]) {
        key++;
        rf_assert(key < COUNT_OF(tally_keys));
    }
    if (part.inner == RF_FORM_BUCKETS)
        return &tallies[key][is_double ? TALLY_BUCKETS_DOUBLE : TALLY_BUCKETS_LONG];
    if (part.inner == RF_FORM_STAMPED)
        return &tallies[key][TALLY_STAMPED];
    return &tallies[key][is_double ? TALLY_DOUBLE : TALLY_LONG];
}

const struct rf_schema *rf_customer_state_schema(struct rf_customer_part part)
{
    switch (part.form) {
    case RF_FORM_PLAIN:
        return &optionals[basic_of(part.scalar)];
    case RF_FORM_STAMPED:
        return &optional_stamped[basic_of(part.scalar)];
    case RF_FORM_BUCKETS:
        return part.scalar == RF_SCALAR_DOUBLE ? &buckets_double : &buckets_long;
    case RF_FORM_DISTINCT:
        return &optional_distinct;
    case RF_FORM_RECENT:
        return &recents;
    case RF_FORM_TALLY:
        return tally_schema(part);
    case RF_FORM_INTERVAL:
        return &optional_interval;
    case RF_FORM_CASES:
        return &optional_cases;
    case RF_FORM_NONE:
        break;
    }
    return NULL;
}

void rf_customer_member_schemas(const struct rf_schema *schemas[RF_MEMBER_COUNT])
{
    schemas[RF_MEMBER_CUSTOMER] = &schema_string;
    schemas[RF_MEMBER_FIRST_SEEN] = &schema_instant;
    schemas[RF_MEMBER_AS_OF] = &schema_instant;
    schemas[RF_MEMBER_EVENTS] = &schema_long;
    schemas[RF_MEMBER_DUE] = &optionals[BASIC_INSTANT];
    schemas[RF_MEMBER_STATE] = NULL;
    schemas[RF_MEMBER_RULES] = &rules;
    schemas[RF_MEMBER_SEEN] = &seen;
    schemas[RF_MEMBER_PATTERNS] = &patterns;
}

const struct rf_schema *rf_customer_pattern_schema(void)
{
    return &pattern;
}
