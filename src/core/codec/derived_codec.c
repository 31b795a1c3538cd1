#include "core/codec/derived_codec.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/varint.h"
#include "core/codec/avro_encode.h"
#include "core/expr/expr.h"
#include "core/model/format.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"

#define LITERAL_SIZE_MAX (1U << 20)
#define PARTS_MAX        4096
/* A reason's value as text: a feature's, of which the list of cases is the longest, RF_CASES_MAX of them with ids
 * of RF_KEY_SIZE_MAX bytes, of which each may be written as several. */
#define REASON_SIZE_MAX (512U << 10)

enum part_kind {
    PART_LITERAL,
    PART_ID,
    PART_CUSTOMER,
    PART_BECAUSE,
    PART_OCCURRED_AT,
    PART_VALUE,
    PART_REASONS,
    PART_TOPIC,
    PART_PARTITION,
    PART_OFFSET,
    PART_STATUS,
    PART_EPISODE,
    PART_EPISODE_ID,
    PART_MATCHED,
    PART_MATCHED_STEP,
    PART_MATCHED_KIND,
    PART_REASON_NAME,
    PART_REASON_VALUE,
};

struct parts {
    size_t count;
    const struct part *items;
};

/* A stretch of the body: bytes that are known, or one attribute. */
struct part {
    enum part_kind kind;
    const struct rf_schema *type;
    const struct rf_value
        *fallback; /* the field's default, for a null that the type does not take */
    struct rf_bytes literal;
    struct parts item;    /* REASONS, MATCHED: one of them */
    uint8_t instant_kind; /* OCCURRED_AT: the kind of value that the type takes */
};

struct rf_derived_codec {
    const struct rf_plan *plan;
    const struct rf_output *output;
    struct parts *by_rule; /* of the rules of this output; last, of EVICTED and ERASED */
};

struct builder {
    struct rf_arena *arena;
    const struct rf_plan *plan;
    const struct rf_rule *rule; /* NULL: EVICTED, ERASED */
    struct rf_buffer parts;     /* struct part each */
    struct rf_buffer literal;   /* bytes that are not a part yet */
    struct rf_error *err;
};

static void open_builder(struct builder *builder, struct rf_arena *arena,
                         const struct rf_plan *plan, const struct rf_rule *rule,
                         struct rf_error *err)
{
    *builder = (struct builder){.arena = arena, .plan = plan, .rule = rule, .err = err};
    rf_buffer_init(&builder->parts, PARTS_MAX * sizeof(struct part));
    rf_buffer_init(&builder->literal, LITERAL_SIZE_MAX);
}

static bool add_part(struct builder *builder, struct part part)
{
    struct part literal = {.kind = PART_LITERAL};

    if (builder->literal.size > 0) {
        literal.literal = rf_arena_copy(builder->arena, rf_buffer_bytes(&builder->literal));
        rf_buffer_append(&builder->parts, &literal, sizeof literal);
        rf_buffer_clear(&builder->literal);
    }
    if (part.kind != PART_LITERAL)
        rf_buffer_append(&builder->parts, &part, sizeof part);
    if (builder->parts.overflow)
        return rf_error_set(builder->err, RF_ERROR_CONFIG, 0, "the schema has too many fields");
    return true;
}

static bool close_builder(struct builder *builder, bool ok, struct parts *parts)
{
    struct part *items = NULL;

    ok = ok && add_part(builder, (struct part){.kind = PART_LITERAL});
    if (ok) {
        items = rf_arena_alloc(builder->arena, builder->parts.size);
        if (builder->parts.size > 0)
            memcpy(items, builder->parts.data, builder->parts.size);
        *parts = (struct parts){.count = builder->parts.size / sizeof *items, .items = items};
    }
    rf_buffer_deinit(&builder->parts);
    rf_buffer_deinit(&builder->literal);
    return ok;
}

static bool takes_null(const struct rf_schema *type)
{
    if (type->kind == RF_SCHEMA_NULL)
        return true;
    for (size_t i = 0; type->kind == RF_SCHEMA_UNION && i < type->count; i++) {
        if (type->branches[i]->kind == RF_SCHEMA_NULL)
            return true;
    }
    return false;
}

static bool add_literal(struct builder *builder, const struct rf_schema *type,
                        struct rf_value value)
{
    if (rf_avro_encode_value(type, value, &builder->literal, builder->err))
        return true;
    builder->err->kind = RF_ERROR_CONFIG;
    return false;
}

static bool add_default(struct builder *builder, const struct rf_schema_field *field,
                        const char *why)
{
    if (field->has_default)
        return add_literal(builder, field->type, field->default_value);
    if (takes_null(field->type))
        return add_literal(builder, field->type, rf_value_null());
    return rf_error_set(builder->err, RF_ERROR_CONFIG, 0, "%s, so it needs a default", why);
}

/* A symbol that an enum does not have is written as its default, as a reader would see it. */
static const struct rf_schema *find_enum(const struct rf_schema *type)
{
    if (type->kind == RF_SCHEMA_ENUM)
        return type;
    for (size_t i = 0; type->kind == RF_SCHEMA_UNION && i < type->count; i++) {
        if (type->branches[i]->kind == RF_SCHEMA_ENUM)
            return type->branches[i];
    }
    return NULL;
}

static struct rf_value known_symbol(const struct rf_schema *type, const char *text)
{
    const struct rf_schema *symbols = find_enum(type);
    bool is_known = symbols == NULL || symbols->default_symbol < 0;

    for (size_t i = 0; !is_known && i < symbols->count; i++)
        is_known = strcmp(symbols->symbols[i], text) == 0;
    if (!is_known)
        text = symbols->symbols[symbols->default_symbol];
    return rf_value_string(rf_bytes_of_text(text));
}

static bool add_text(struct builder *builder, const struct rf_schema_field *field, const char *text)
{
    if (text == NULL)
        return add_default(builder, field,
                           builder->rule == NULL ? "there is nothing for it"
                                                 : "the rule has nothing for it");
    return add_literal(builder, field->type, known_symbol(field->type, text));
}

/* Whether a value of this kind can be written to the type at all: asked of a sample. */
static bool check_sample(struct builder *builder, const struct rf_schema *type,
                         struct rf_value sample)
{
    struct rf_buffer nowhere;
    bool ok = false;

    rf_buffer_init(&nowhere, LITERAL_SIZE_MAX);
    ok = rf_avro_encode_value(type, sample, &nowhere, builder->err);
    rf_buffer_deinit(&nowhere);
    if (!ok)
        builder->err->kind = RF_ERROR_CONFIG;
    return ok;
}

static bool add_attribute(struct builder *builder, const struct rf_schema_field *field,
                          enum part_kind kind, struct rf_value sample)
{
    struct part part = {.kind = kind, .type = field->type};

    if (field->has_default)
        part.fallback = &field->default_value;
    return check_sample(builder, field->type, sample) && add_part(builder, part);
}

/* An instant goes into a schema of instants, as RFC 3339 into a text, as milliseconds into a long. */
static bool add_instant(struct builder *builder, const struct rf_schema_field *field)
{
    const struct rf_value samples[] = {
        rf_value_timestamp(0, 0),
        rf_value_string(rf_bytes_of_text("")),
        rf_value_int(INT64_MAX),
    };

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct part part = {
            .kind = PART_OCCURRED_AT, .type = field->type, .instant_kind = samples[i].kind};

        if (check_sample(builder, field->type, samples[i]))
            return add_part(builder, part);
        rf_error_clear(builder->err);
    }
    return rf_error_set(builder->err, RF_ERROR_CONFIG, 0,
                        "an instant is a timestamp, a long or a string");
}

/* Of a union the branch of a kind, with its index written before what follows. */
static const struct rf_schema *enter_branch(struct builder *builder, const struct rf_schema *type,
                                            enum rf_schema_kind kind)
{
    uint8_t index[RF_VARINT_SIZE_MAX];

    if (type->kind == kind)
        return type;
    for (size_t i = 0; type->kind == RF_SCHEMA_UNION && i < type->count; i++) {
        if (type->branches[i]->kind == kind) {
            rf_buffer_append(&builder->literal, index, rf_varint_write(index, (int64_t)i));
            return type->branches[i];
        }
    }
    rf_error_set(builder->err, RF_ERROR_CONFIG, 0, "it has to be %s",
                 kind == RF_SCHEMA_RECORD ? "a record" : "an array of records");
    return NULL;
}

static bool add_source(struct builder *builder, const struct rf_schema_field *field)
{
    const struct rf_schema *record = enter_branch(builder, field->type, RF_SCHEMA_RECORD);
    bool ok = record != NULL;

    for (size_t i = 0; ok && i < record->count; i++) {
        const struct rf_schema_field *inner = &record->fields[i];

        if (strcmp(inner->name, "topic") == 0)
            ok = add_attribute(builder, inner, PART_TOPIC, rf_value_string(rf_bytes_of_text("")));
        else if (strcmp(inner->name, "partition") == 0)
            ok = add_attribute(builder, inner, PART_PARTITION, rf_value_int(INT32_MAX));
        else if (strcmp(inner->name, "offset") == 0)
            ok = add_attribute(builder, inner, PART_OFFSET, rf_value_int(INT64_MAX));
        else
            ok = add_default(builder, inner, "ringfold does not know it");
        if (!ok)
            return rf_error_wrap(builder->err, "field %s", inner->name);
    }
    return ok;
}

/* A reason's value is of any type. A string takes it as a CEL literal; a union takes it as it is, where it has
 * a branch for it and a string for the rest. */
static bool check_reason_value(struct builder *builder, const struct rf_schema *type)
{
    return check_sample(builder, type, rf_value_string(rf_bytes_of_text("")));
}

static bool add_reason_fields(struct builder *builder, const struct rf_schema *record)
{
    bool ok = true;

    for (size_t i = 0; ok && i < record->count; i++) {
        const struct rf_schema_field *inner = &record->fields[i];

        if (strcmp(inner->name, "name") == 0)
            ok = add_attribute(builder, inner, PART_REASON_NAME,
                               rf_value_string(rf_bytes_of_text("")));
        else if (strcmp(inner->name, "value") == 0)
            ok = check_reason_value(builder, inner->type) &&
                 add_part(builder, (struct part){.kind = PART_REASON_VALUE, .type = inner->type});
        else
            ok = add_default(builder, inner, "ringfold does not know it");
        if (!ok)
            return rf_error_wrap(builder->err, "field %s", inner->name);
    }
    return ok;
}

static bool add_reasons(struct builder *builder, const struct rf_schema_field *field)
{
    const struct rf_schema *array = enter_branch(builder, field->type, RF_SCHEMA_ARRAY);
    struct part part = {.kind = PART_REASONS};
    struct builder inner;
    bool ok = false;

    if (array == NULL)
        return false;
    if (array->element->kind != RF_SCHEMA_RECORD)
        return rf_error_set(builder->err, RF_ERROR_CONFIG, 0, "it has to be an array of records");
    open_builder(&inner, builder->arena, builder->plan, builder->rule, builder->err);
    ok = add_reason_fields(&inner, array->element);
    return close_builder(&inner, ok, &part.item) && add_part(builder, part);
}

static bool add_matched_field(struct builder *builder, const struct rf_schema_field *field)
{
    const struct rf_value any_text = rf_value_string(rf_bytes_of_text(""));

    if (strcmp(field->name, "step") == 0)
        return add_attribute(builder, field, PART_MATCHED_STEP, rf_value_int(RF_PATTERN_STEPS_MAX));
    if (strcmp(field->name, "kind") == 0)
        return add_attribute(builder, field, PART_MATCHED_KIND, any_text);
    if (strcmp(field->name, "occurred_at") == 0)
        return add_instant(builder, field);
    if (strcmp(field->name, "topic") == 0)
        return add_attribute(builder, field, PART_TOPIC, any_text);
    if (strcmp(field->name, "partition") == 0)
        return add_attribute(builder, field, PART_PARTITION, rf_value_int(INT32_MAX));
    if (strcmp(field->name, "offset") == 0)
        return add_attribute(builder, field, PART_OFFSET, rf_value_int(INT64_MAX));
    return add_default(builder, field, "ringfold does not know it");
}

/* The events of a pattern's match; of a rule without one the default, or none. */
static bool add_matched(struct builder *builder, const struct rf_schema_field *field)
{
    const struct rf_schema *array = NULL;
    struct part part = {.kind = PART_MATCHED};
    struct builder inner;
    bool ok = true;

    if ((builder->rule == NULL || builder->rule->pattern == NULL) &&
        (field->has_default || takes_null(field->type)))
        return add_default(builder, field, "there is nothing for it");
    array = enter_branch(builder, field->type, RF_SCHEMA_ARRAY);
    if (array == NULL)
        return false;
    if (array->element->kind != RF_SCHEMA_RECORD)
        return rf_error_set(builder->err, RF_ERROR_CONFIG, 0, "it has to be an array of records");
    open_builder(&inner, builder->arena, builder->plan, builder->rule, builder->err);
    for (size_t i = 0; ok && i < array->element->count; i++) {
        const struct rf_schema_field *of = &array->element->fields[i];

        ok = add_matched_field(&inner, of) || rf_error_wrap(builder->err, "field %s", of->name);
    }
    return close_builder(&inner, ok, &part.item) && add_part(builder, part);
}

static bool add_value(struct builder *builder, const struct rf_schema_field *field)
{
    if (builder->rule == NULL || builder->rule->offer_value == NULL)
        return add_default(builder, field,
                           builder->rule == NULL ? "there is nothing for it"
                                                 : "the rule has nothing for it");
    return add_attribute(builder, field, PART_VALUE, rf_value_double(0.5));
}

static bool find_constant(const struct builder *builder, const char *name, const char **text)
{
    static const struct rf_rule none = {0};
    const struct rf_rule *rule = builder->rule == NULL ? &none : builder->rule;
    const struct {
        const char *name;
        const char *text;
    } rows[] = {
        {"app", builder->plan->app},      {"rule", rule->name},
        {"rule_version", rule->version},  {"plan_version", builder->plan->version},
        {"severity", rule->severity},     {"offer_id", rule->offer_id},
        {"channel", rule->offer_channel},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *text = rows[i].text;
            return true;
        }
    }
    return false;
}

/* Every status that there can be has to find a place in the field. */
static bool add_status(struct builder *builder, const struct rf_schema_field *field)
{
    static const enum rf_status of_rules[] = {RF_STATUS_RAISED, RF_STATUS_UPDATED,
                                              RF_STATUS_CLEARED};
    static const enum rf_status of_none[] = {RF_STATUS_EVICTED, RF_STATUS_ERASED};
    size_t count = builder->rule == NULL ? 2 : builder->rule->clear_when == NULL ? 1 : 3;

    for (size_t i = 0; i < count; i++) {
        enum rf_status status = builder->rule == NULL ? of_none[i] : of_rules[i];

        /* A mild default will do for a status that goes without saying, but no alert may look open that is not. */
        if (!check_sample(builder, field->type,
                          status == RF_STATUS_RAISED
                              ? known_symbol(field->type, rf_status_name(status))
                              : rf_value_string(rf_bytes_of_text(rf_status_name(status)))))
            return false;
    }
    return add_part(builder, (struct part){.kind = PART_STATUS, .type = field->type});
}

static bool add_field(struct builder *builder, const struct rf_schema_field *field)
{
    const struct rf_value any_text = rf_value_string(rf_bytes_of_text(""));
    const char *text = NULL;

    if (find_constant(builder, field->name, &text))
        return add_text(builder, field, text);
    if (strcmp(field->name, "id") == 0)
        return add_attribute(builder, field, PART_ID, any_text);
    if (strcmp(field->name, "customer") == 0)
        return add_attribute(builder, field, PART_CUSTOMER, any_text);
    if (strcmp(field->name, "status") == 0)
        return add_status(builder, field);
    if (strcmp(field->name, "episode") == 0)
        return add_attribute(builder, field, PART_EPISODE, rf_value_int(INT32_MAX));
    if (strcmp(field->name, "episode_id") == 0)
        return add_attribute(builder, field, PART_EPISODE_ID, any_text);
    if (strcmp(field->name, "because") == 0)
        return add_attribute(builder, field, PART_BECAUSE, any_text);
    if (strcmp(field->name, "occurred_at") == 0)
        return add_instant(builder, field);
    if (strcmp(field->name, "reasons") == 0)
        return add_reasons(builder, field);
    if (strcmp(field->name, "matched") == 0)
        return add_matched(builder, field);
    if (strcmp(field->name, "source") == 0)
        return add_source(builder, field);
    if (strcmp(field->name, "value") == 0)
        return add_value(builder, field);
    return add_default(builder, field, "ringfold does not know it");
}

static bool bind_rule(struct rf_arena *arena, const struct rf_plan *plan,
                      const struct rf_output *output, const struct rf_rule *rule,
                      struct parts *parts, struct rf_error *err)
{
    const struct rf_schema *schema = output->schema;
    const char *whose = rule == NULL ? "customers" : rule->name;
    struct builder builder;
    bool ok = true;

    open_builder(&builder, arena, plan, rule, err);
    for (size_t i = 0; ok && i < schema->count; i++) {
        ok = add_field(&builder, &schema->fields[i]) ||
             rf_error_wrap(err, "output %s, %s%s, field %s", output->name,
                           rule == NULL ? "" : "rule ", whose, schema->fields[i].name);
    }
    return close_builder(&builder, ok, parts);
}

bool rf_derived_codec_make(struct rf_arena *arena, const struct rf_plan *plan,
                           const struct rf_output *output, const struct rf_derived_codec **codec,
                           struct rf_error *err)
{
    struct rf_derived_codec *made = rf_arena_alloc_zero(arena, sizeof *made);

    rf_assert(output >= plan->outputs && output < plan->outputs + plan->output_count);
    made->plan = plan;
    made->output = output;
    made->by_rule = rf_arena_alloc_zero(arena, (plan->rule_count + 1) * sizeof *made->by_rule);
    *codec = made;
    if (output->format == RF_FORMAT_JSON)
        return true;
    if (output->schema == NULL || output->schema->kind != RF_SCHEMA_RECORD)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "output %s: Avro needs the schema of a record",
                            output->name);
    for (size_t i = 0; i < plan->rule_count; i++) {
        if (&plan->outputs[plan->rules[i].output] != output)
            continue;
        if (!bind_rule(arena, plan, output, &plan->rules[i], &made->by_rule[i], err))
            return false;
    }
    return plan->lifecycle_output == RF_OUTPUT_NONE ||
           &plan->outputs[plan->lifecycle_output] != output ||
           bind_rule(arena, plan, output, NULL, &made->by_rule[plan->rule_count], err);
}

/* Encoding. */

static struct rf_value instant_as(rf_ms instant, uint8_t kind, char text[RF_TIME_TEXT_MAX])
{
    if (kind == RF_VALUE_TIMESTAMP)
        return rf_value_timestamp_ms(instant);
    if (kind == RF_VALUE_INT)
        return rf_value_int(instant);
    return rf_value_string(rf_bytes_of(text, rf_time_format_ms(text, RF_TIME_TEXT_MAX, instant)));
}

static bool encode_or_default(const struct part *part, struct rf_value value, struct rf_buffer *out,
                              struct rf_error *err)
{
    if (value.kind == RF_VALUE_NULL && !takes_null(part->type) && part->fallback != NULL)
        value = *part->fallback;
    return rf_avro_encode_value(part->type, value, out, err);
}

static bool has_branch(const struct rf_schema *type, struct rf_value value, struct rf_buffer *out)
{
    struct rf_error ignored = {0};
    size_t before = out->size;
    bool fits = false;

    if (type->kind == RF_SCHEMA_STRING)
        return false; /* "5 > 3" has to look different from 5 */
    fits = rf_avro_encode_value(type, value, out, &ignored);
    if (!fits)
        out->size = before;
    return fits;
}

static bool encode_reason_value(const struct part *part, struct rf_value value,
                                struct rf_buffer *out, struct rf_error *err)
{
    struct rf_buffer text;
    bool ok = false;

    if (has_branch(part->type, value, out))
        return true;
    rf_buffer_init(&text, REASON_SIZE_MAX);
    rf_value_print(&text, value);
    ok = rf_avro_encode_value(part->type, rf_value_string(rf_buffer_bytes(&text)), out, err);
    rf_buffer_deinit(&text);
    return ok;
}

static bool encode_reasons(const struct part *part, const struct rf_derived *derived,
                           struct rf_buffer *out, struct rf_error *err)
{
    uint8_t count[RF_VARINT_SIZE_MAX];
    bool ok = true;

    if (derived->reason_count > 0)
        rf_buffer_append(out, count, rf_varint_write(count, (int64_t)derived->reason_count));
    for (size_t i = 0; i < derived->reason_count; i++) {
        const struct rf_reason *reason = &derived->reasons[i];

        for (size_t j = 0; ok && j < part->item.count; j++) {
            const struct part *inner = &part->item.items[j];

            if (inner->kind == PART_LITERAL)
                rf_buffer_append(out, inner->literal.data, inner->literal.size);
            else if (inner->kind == PART_REASON_NAME)
                ok = rf_avro_encode_value(
                    inner->type, rf_value_string(rf_bytes_of_text(reason->name)), out, err);
            else
                ok = encode_reason_value(inner, reason->value, out, err);
        }
        if (!ok)
            return rf_error_wrap(err, "reason %s", reason->name);
    }
    rf_buffer_append_byte(out, 0);
    return true;
}

static bool encode_customer(const struct part *part, const struct rf_derived *derived,
                            struct rf_buffer *out, struct rf_error *err)
{
    if (!rf_bytes_is_utf8(derived->customer))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the customer's id is not well-formed UTF-8");
    return rf_avro_encode_value(part->type, rf_value_string(derived->customer), out, err);
}

static bool encode_because(const struct part *part, const struct rf_derived *derived,
                           struct rf_buffer *out, struct rf_error *err)
{
    bool is_null = derived->because.size == 0 && takes_null(part->type);

    return rf_avro_encode_value(
        part->type, is_null ? rf_value_null() : rf_value_string(derived->because), out, err);
}

static bool encode_part(const struct part *part, const struct rf_derived *derived,
                        struct rf_buffer *out, struct rf_error *err);

static bool encode_matched_field(const struct part *part, const struct rf_matched *matched,
                                 struct rf_buffer *out, struct rf_error *err)
{
    /* Its time and place are written as those of a derived event are. */
    const struct rf_derived as_derived = {.occurred_at = matched->time,
                                          .position = matched->position};

    if (part->kind == PART_MATCHED_STEP)
        return rf_avro_encode_value(part->type, rf_value_int(matched->step), out, err);
    if (part->kind == PART_MATCHED_KIND)
        return rf_avro_encode_value(part->type, rf_value_string(rf_bytes_of_text(matched->kind)),
                                    out, err);
    return encode_part(part, &as_derived, out, err);
}

static bool encode_matched(const struct part *part, const struct rf_derived *derived,
                           struct rf_buffer *out, struct rf_error *err)
{
    uint8_t count[RF_VARINT_SIZE_MAX];

    if (derived->matched_count > 0)
        rf_buffer_append(out, count, rf_varint_write(count, (int64_t)derived->matched_count));
    for (size_t i = 0; i < derived->matched_count; i++) {
        for (size_t j = 0; j < part->item.count; j++) {
            if (!encode_matched_field(&part->item.items[j], &derived->matched[i], out, err))
                return rf_error_wrap(err, "matched");
        }
    }
    rf_buffer_append_byte(out, 0);
    return true;
}

static bool encode_part(const struct part *part, const struct rf_derived *derived,
                        struct rf_buffer *out, struct rf_error *err)
{
    const struct rf_position *position = &derived->position;
    char text[RF_TIME_TEXT_MAX];

    switch (part->kind) {
    case PART_LITERAL:
        rf_buffer_append(out, part->literal.data, part->literal.size);
        return true;
    case PART_ID:
        return rf_avro_encode_value(
            part->type, rf_value_string(rf_bytes_of(derived->id, RF_EVENT_ID_SIZE)), out, err);
    case PART_CUSTOMER:
        return encode_customer(part, derived, out, err);
    case PART_BECAUSE:
        return encode_because(part, derived, out, err);
    case PART_OCCURRED_AT:
        return rf_avro_encode_value(
            part->type, instant_as(derived->occurred_at, part->instant_kind, text), out, err);
    case PART_VALUE:
        return encode_or_default(part, derived->offer_value, out, err);
    case PART_REASONS:
        return encode_reasons(part, derived, out, err);
    case PART_TOPIC:
        return rf_avro_encode_value(part->type, rf_value_string(rf_bytes_of_text(position->topic)),
                                    out, err);
    case PART_PARTITION:
        return rf_avro_encode_value(part->type, rf_value_int(position->partition), out, err);
    case PART_OFFSET:
        return rf_avro_encode_value(part->type, rf_value_int(position->offset), out, err);
    case PART_STATUS:
        return rf_avro_encode_value(
            part->type, known_symbol(part->type, rf_status_name(derived->status)), out, err);
    case PART_EPISODE:
        return rf_avro_encode_value(part->type, rf_value_int(derived->episode), out, err);
    case PART_EPISODE_ID:
        return rf_avro_encode_value(
            part->type, rf_value_string(rf_bytes_of_text(derived->episode_id)), out, err);
    case PART_MATCHED:
        return encode_matched(part, derived, out, err);
    case PART_MATCHED_STEP:
    case PART_MATCHED_KIND:
    case PART_REASON_NAME:
    case PART_REASON_VALUE:
        break;
    }
    rf_assert(false);
    return false;
}

bool rf_derived_encode(const struct rf_derived_codec *codec, const struct rf_derived *derived,
                       const struct rf_wire *wire, struct rf_buffer *out, struct rf_error *err)
{
    const struct parts *parts = NULL;
    const char *of = derived->rule == RF_RULE_NONE ? "" : "rule ";
    const char *whose = NULL;

    rf_assert(derived->rule == RF_RULE_NONE || derived->rule < codec->plan->rule_count);
    rf_assert(derived->output < codec->plan->output_count);
    rf_assert(&codec->plan->outputs[derived->output] == codec->output);
    parts =
        &codec->by_rule[derived->rule == RF_RULE_NONE ? codec->plan->rule_count : derived->rule];
    whose = derived->rule == RF_RULE_NONE ? rf_status_name(derived->status)
                                          : codec->plan->rules[derived->rule].name;
    if (codec->output->format == RF_FORMAT_JSON) {
        rf_derived_print_json(codec->plan, derived, out);
    } else {
        if (codec->output->format != RF_FORMAT_AVRO_RAW)
            rf_wire_write(out, wire);
        for (size_t i = 0; i < parts->count; i++) {
            if (!encode_part(&parts->items[i], derived, out, err))
                return rf_error_wrap(err, "encoding what %s%s emits", of, whose);
        }
    }
    if (out->overflow)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "what %s%s emits is larger than %zu bytes", of,
                            whose, out->size_max);
    return true;
}
