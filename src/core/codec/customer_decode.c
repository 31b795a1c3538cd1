/* Bytes to a customer, by the schema that wrote them.
 *
 * A layout is that schema seen from one plan: a flat list of steps, one for each field, in the order of the
 * bytes (a record inside a record adds no bytes, so `state` is simply its fields). A step fills a member or
 * the state of a feature, or skips. Bytes that do not fit are RF_ERROR_STATE; nothing is allocated that the
 * bytes at hand could not fill. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/varint.h"
#include "core/codec/customer_parts.h"
#include "core/codec/customer_reader.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/rule.h"

enum operation {
    OPERATION_MEMBER,
    OPERATION_FEATURE,
    OPERATION_SKIP,
};

struct step {
    enum operation operation;
    uint32_t index; /* member or feature */
    const struct rf_schema_field *field;
};

struct rf_customer_layout {
    const struct rf_customer_codec *codec;
    const struct step *steps;
    size_t step_count;
};

struct layout_maker {
    const struct rf_customer_codec *codec;
    struct step *steps;
    size_t step_count;
    bool has_member[RF_MEMBER_COUNT];
};

/* Do both read and write the same bytes, in the same sense? `expected` is ours and no deeper than a few. */
static bool same_shape(const struct rf_schema *expected, const struct rf_schema *writer)
{
    if (expected->kind != writer->kind || expected->logical != writer->logical)
        return false;
    switch (expected->kind) {
    case RF_SCHEMA_RECORD:
        if (expected->count != writer->count)
            return false;
        for (size_t i = 0; i < expected->count; i++) {
            if (strcmp(expected->fields[i].name, writer->fields[i].name) != 0 ||
                !same_shape(expected->fields[i].type, writer->fields[i].type))
                return false;
        }
        return true;
    case RF_SCHEMA_UNION:
        if (expected->count != writer->count)
            return false;
        for (size_t i = 0; i < expected->count; i++) {
            if (!same_shape(expected->branches[i], writer->branches[i]))
                return false;
        }
        return true;
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
        return same_shape(expected->element, writer->element);
    case RF_SCHEMA_FIXED:
    case RF_SCHEMA_ENUM:
        return expected->count == writer->count;
    case RF_SCHEMA_NULL:
    case RF_SCHEMA_BOOLEAN:
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_STRING:
        break;
    }
    return true;
}

static void add_step(struct layout_maker *maker, enum operation operation, size_t index,
                     const struct rf_schema_field *field)
{
    maker->steps[maker->step_count++] =
        (struct step){.operation = operation, .index = (uint32_t)index, .field = field};
}

/* State of an unknown name, or of a name that meant something else, is skipped: the feature starts empty. */
static void add_state(struct layout_maker *maker, const struct rf_schema *state)
{
    const struct rf_plan *plan = maker->codec->plan;

    for (size_t i = 0; i < state->count; i++) {
        const struct rf_schema_field *field = &state->fields[i];
        size_t feature = 0;

        while (feature < plan->feature_count &&
               (maker->codec->parts[feature].form == RF_FORM_NONE ||
                strcmp(plan->features[feature].state_name, field->name) != 0))
            feature++;
        if (feature < plan->feature_count &&
            same_shape(rf_customer_state_schema(maker->codec->parts[feature]), field->type))
            add_step(maker, OPERATION_FEATURE, feature, field);
        else
            add_step(maker, OPERATION_SKIP, 0, field);
    }
}

static bool add_member(struct layout_maker *maker, enum rf_customer_member member,
                       const struct rf_schema_field *field, struct rf_error *err)
{
    const struct rf_schema *expected = rf_customer_member_field(maker->codec, member)->type;
    bool fits = member == RF_MEMBER_STATE ? field->type->kind == RF_SCHEMA_RECORD
                                          : same_shape(expected, field->type);

    if (!fits)
        return rf_error_set(err, RF_ERROR_STATE, 0,
                            "the schema is no customer record: its field `%s` has another type",
                            field->name);
    maker->has_member[member] = true;
    if (member == RF_MEMBER_STATE)
        add_state(maker, field->type);
    else
        add_step(maker, OPERATION_MEMBER, member, field);
    return true;
}

static bool add_field(struct layout_maker *maker, const struct rf_schema_field *field,
                      struct rf_error *err)
{
    for (int i = 0; i < RF_MEMBER_COUNT; i++) {
        enum rf_customer_member member = (enum rf_customer_member)i;

        if (strcmp(rf_customer_member_field(maker->codec, member)->name, field->name) == 0)
            return add_member(maker, member, field, err);
    }
    add_step(maker, OPERATION_SKIP, 0, field); /* a column: computed again from the state */
    return true;
}

static size_t count_steps(const struct rf_schema *writer)
{
    size_t count = writer->count;

    for (size_t i = 0; i < writer->count; i++) {
        if (writer->fields[i].type->kind == RF_SCHEMA_RECORD)
            count += writer->fields[i].type->count;
    }
    return count;
}

bool rf_customer_layout_make(struct rf_arena *arena, const struct rf_customer_codec *codec,
                             const struct rf_schema *writer,
                             const struct rf_customer_layout **layout, struct rf_error *err)
{
    struct rf_customer_layout *made = NULL;
    struct layout_maker maker = {.codec = codec};

    if (writer->kind != RF_SCHEMA_RECORD)
        return rf_error_set(err, RF_ERROR_STATE, 0,
                            "the schema is no customer record: it is no record at all");
    maker.steps = rf_arena_alloc(arena, count_steps(writer) * sizeof *maker.steps);
    for (size_t i = 0; i < writer->count; i++) {
        if (!add_field(&maker, &writer->fields[i], err))
            return false;
    }
    for (int i = 0; i < RF_MEMBER_COUNT; i++) {
        if (!maker.has_member[i] && i != RF_MEMBER_DUE && i != RF_MEMBER_PATTERNS)
            return rf_error_set(err, RF_ERROR_STATE, 0,
                                "the schema is no customer record: it has no field `%s`",
                                rf_customer_member_field(codec, (enum rf_customer_member)i)->name);
    }
    rf_assert(maker.step_count <= count_steps(writer));
    made = rf_arena_alloc(arena, sizeof *made);
    *made = (struct rf_customer_layout){
        .codec = codec, .steps = maker.steps, .step_count = maker.step_count};
    *layout = made;
    return true;
}

/* NULL: a rule that is no more. Rules are written in the order of the plan, so the search goes on from the
 * one found before. */
static struct rf_rule_state *find_rule(const struct rf_plan *plan, struct rf_customer *customer,
                                       struct rf_bytes name, size_t *next)
{
    for (size_t tried = 0; tried < plan->rule_count; tried++) {
        size_t i = (*next + tried) % plan->rule_count;

        if (rf_bytes_equal(rf_bytes_of_text(plan->rules[i].name), name)) {
            *next = i + 1;
            return &customer->rules[i];
        }
    }
    return NULL;
}

/* So far below the end of the range that counting on cannot reach it. */
static bool read_count(struct rf_reader *r, int64_t least, int64_t *count)
{
    if (!rf_read_long(r, count))
        return false;
    return (*count >= least && *count <= INT64_MAX / 2) ||
           rf_read_fault(r, "a count that cannot be");
}

static bool read_optional_instant(struct rf_reader *r, rf_ms *instant)
{
    bool some = false;

    return rf_read_branch(r, &some) && (!some || rf_read_instant(r, instant));
}

static bool read_raised(struct rf_reader *r, struct rf_rule_state *rule)
{
    if (!rf_read_branch(r, &rule->raised))
        return false;
    if (!rule->raised)
        return true;
    if (rule->fired_count == 0)
        return rf_read_fault(r, "an alert that was never raised");
    if (!rf_read_hash(r, &rule->id.high) || !rf_read_hash(r, &rule->id.low))
        return false;
    rule->id.high = __builtin_bswap64(rule->id.high);
    rule->id.low = __builtin_bswap64(rule->id.low);
    return rf_read_hash(r, &rule->told_hash);
}

static bool read_rule(struct rf_reader *r, struct rf_rule_state *rule)
{
    rf_rule_state_init(rule);
    if (!read_count(r, 0, &rule->fired_count) || !read_optional_instant(r, &rule->last_fired) ||
        !read_optional_instant(r, &rule->held_since) || !read_optional_instant(r, &rule->told))
        return false;
    if (rule->fired_count == 0 && rule->last_fired != RF_MS_MIN)
        return rf_read_fault(r, "a count that cannot be");
    return rf_read_boolean(r, &rule->shadow) && read_raised(r, rule);
}

static void keep_lost(struct rf_arena *arena, struct rf_customer *customer, struct rf_bytes entry)
{
    customer->lost_rules = rf_read_grow(arena, customer->lost_rules, sizeof *customer->lost_rules,
                                        customer->lost_rule_count, 1, NULL);
    customer->lost_rules[customer->lost_rule_count++] = entry;
}

static bool read_rules(struct rf_reader *r, const struct rf_plan *plan, struct rf_arena *arena,
                       struct rf_customer *customer)
{
    uint32_t count = 0;
    size_t next = 0;

    for (;;) {
        if (!rf_read_block(r, 6, &count))
            return false;
        if (count == 0)
            return true;
        for (; count > 0; count--) {
            struct rf_bytes name = {0};
            struct rf_rule_state read = {0};
            struct rf_rule_state *rule = NULL;
            const uint8_t *start = r->at;

            if (!rf_read_bytes(r, &name) || !read_rule(r, &read))
                return false;
            rule = find_rule(plan, customer, name, &next);
            if (rule == NULL && read.raised && !read.shadow)
                keep_lost(arena, customer, rf_bytes_of(start, (size_t)(r->at - start)));
            if (rule == NULL)
                continue;
            *rule = read;
            rf_rule_state_settle(rule, &plan->rules[rule - customer->rules]);
        }
    }
}

static bool read_seen(struct rf_reader *r, struct rf_arena *arena, struct rf_customer *customer)
{
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block_within(r, 9, RF_SEEN_MAX - customer->seen_count, "too many event ids",
                                  &count))
            return false;
        if (count == 0)
            return true;
        customer->seen = rf_read_grow(arena, customer->seen, sizeof *customer->seen,
                                      customer->seen_count, count, &customer->seen_capacity);
        for (; count > 0; count--) {
            struct rf_seen *item = &customer->seen[customer->seen_count];

            if (!rf_read_hash(r, &item->hash) || !rf_read_instant(r, &item->time))
                return false;
            if (customer->seen_count > 0 && item[-1].time > item->time)
                return rf_read_fault(r, "event ids out of order");
            customer->seen_count++;
        }
    }
}

static bool read_member(struct rf_reader *r, const struct rf_plan *plan,
                        enum rf_customer_member member, struct rf_arena *arena,
                        struct rf_customer *customer)
{
    switch (member) {
    case RF_MEMBER_CUSTOMER:
        if (!rf_read_bytes(r, &customer->id))
            return false;
        return rf_bytes_is_utf8(customer->id) || rf_read_fault(r, "an id that is not UTF-8");
    case RF_MEMBER_FIRST_SEEN:
        return rf_read_instant(r, &customer->first_seen);
    case RF_MEMBER_AS_OF:
        return rf_read_instant(r, &customer->as_of);
    case RF_MEMBER_EVENTS:
        return read_count(r, 0, &customer->event_count);
    case RF_MEMBER_DUE:
        return read_optional_instant(r, &customer->due);
    case RF_MEMBER_RULES:
        return read_rules(r, plan, arena, customer);
    case RF_MEMBER_PATTERNS:
        return rf_read_patterns(r, plan, arena, customer->patterns);
    case RF_MEMBER_SEEN:
        return read_seen(r, arena, customer);
    case RF_MEMBER_STATE:
    case RF_MEMBER_COUNT:
        break;
    }
    rf_assert(false && "a member that has no step");
    return false;
}

static bool run(const struct rf_customer_layout *layout, struct rf_reader *r,
                struct rf_arena *arena, struct rf_customer *customer)
{
    for (size_t i = 0; i < layout->step_count; i++) {
        const struct step *step = &layout->steps[i];
        bool ok = false;

        r->field = step->field->name;
        switch (step->operation) {
        case OPERATION_MEMBER:
            ok = read_member(r, layout->codec->plan, step->index, arena, customer);
            break;
        case OPERATION_FEATURE:
            ok = rf_read_state(r, layout->codec->parts[step->index],
                               &layout->codec->plan->features[step->index], arena,
                               &customer->features[step->index]);
            break;
        case OPERATION_SKIP:
            ok = rf_read_skip(r, step->field->type, RF_SCHEMA_DEPTH_MAX);
            break;
        }
        if (!ok)
            return false;
    }
    return r->at == r->end || rf_read_fault(r, "bytes behind the record");
}

/* What no field says alone: nothing of a customer is later than as_of, from where the engine looks back. */
static bool is_consistent(const struct rf_customer_codec *codec, const struct rf_customer *customer)
{
    const struct rf_plan *plan = codec->plan;

    for (size_t i = 0; i < plan->feature_count; i++) {
        if (!rf_state_is_until(codec->parts[i], &plan->features[i], &customer->features[i],
                               customer->as_of))
            return false;
    }
    return customer->event_count == 0 || customer->first_seen <= customer->as_of;
}

bool rf_customer_decode(const struct rf_customer_layout *layout, struct rf_bytes body,
                        struct rf_arena *arena, struct rf_customer *customer, struct rf_error *err)
{
    const struct rf_plan *plan = layout->codec->plan;
    struct rf_reader r = {
        .start = body.data, .at = body.data, .end = body.data + body.size, .fault = "cut off"};

    rf_customer_init(arena, plan, (struct rf_bytes){0}, customer);
    if (!run(layout, &r, arena, customer))
        return rf_error_set(err, RF_ERROR_STATE, 0,
                            "a customer record of %zu bytes is damaged in `%s` near byte %zu: %s",
                            body.size, r.field, (size_t)(r.at - r.start), r.fault);
    if (!is_consistent(layout->codec, customer))
        return rf_error_set(err, RF_ERROR_STATE, 0,
                            "a customer record of %zu bytes is damaged: something in it is later "
                            "than its as_of",
                            body.size);
    return true;
}
