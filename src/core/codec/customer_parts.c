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

static const struct rf_schema_field rule_fields[] = {
    {.name = "fired", .type = &schema_long}, {.name = "last_fired", .type = &schema_instant}};
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
    schemas[RF_MEMBER_STATE] = NULL;
    schemas[RF_MEMBER_RULES] = &rules;
    schemas[RF_MEMBER_SEEN] = &seen;
}
