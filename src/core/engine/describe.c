#include "core/engine/describe.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/engine/copy.h"
#include "core/engine/distinct.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/variables.h"

/* A reason's value as text, to be compared. */
#define REASON_SIZE_MAX 65536

static uint8_t *put_number(uint8_t *at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        *at++ = (uint8_t)(number >> (8 * i));
    return at;
}

static uint8_t *put_part(uint8_t *at, struct rf_bytes part)
{
    at = put_number(at, part.size, 8);
    if (part.size > 0)
        memcpy(at, part.data, part.size);
    return at + part.size;
}

/* XXH3-128 over the texts, each: size (8 bytes), then the bytes; then the numbers; all numbers with the least
 * significant byte first. Consumers remember what is made of it: this may never change. */
static struct rf_hash128 hash_parts(struct rf_engine *engine, const struct rf_bytes *parts,
                                    size_t part_count, uint32_t partition, int64_t number)
{
    size_t size = 4 + 8;
    uint8_t *message = NULL;
    uint8_t *at = NULL;

    for (size_t i = 0; i < part_count; i++)
        size += 8 + parts[i].size;
    message = rf_arena_alloc_bytes(&engine->scratch, size);
    at = message;
    for (size_t i = 0; i < part_count; i++)
        at = put_part(at, parts[i]);
    at = put_number(at, partition, 4);
    at = put_number(at, (uint64_t)number, 8);
    rf_assert(at == message + size);
    return rf_hash128(rf_bytes_of(message, size));
}

/* In hexadecimal digits, the most significant first. */
static void write_id(struct rf_hash128 hash, char id[RF_EVENT_ID_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < 16; i++) {
        id[i] = digits[hash.high >> (60 - 4 * i) & 15];
        id[16 + i] = digits[hash.low >> (60 - 4 * i) & 15];
    }
    id[RF_EVENT_ID_SIZE] = 0;
}

/* Invariant 5: the same event makes the same id, whenever and wherever it is folded: app, rule, customer, topic,
 * partition, offset; behind the rule's name its status, where that is not RAISED. A timer's topic is RF_TIMER_TOPIC and
 * its offset the instant. Of a match also the event that it began with, as text (TOPIC/PARTITION/OFFSET) before the
 * topic: several may be complete at once. */
static void make_id(struct rf_engine *engine, struct rf_derived *derived)
{
    const char *rule = derived->rule == RF_RULE_NONE ? "" : engine->plan->rules[derived->rule].name;
    struct rf_bytes parts[6] = {rf_bytes_of_text(engine->plan->app), rf_bytes_of_text(rule)};
    size_t count = 2;

    if (derived->status != RF_STATUS_RAISED)
        parts[count++] = rf_bytes_of_text(rf_status_name(derived->status));
    parts[count++] = derived->customer;
    if (derived->matched_count > 0)
        parts[count++] = rf_bytes_of_text(
            rf_arena_printf(&engine->scratch, "%s/%d/%lld", derived->matched[0].position.topic,
                            (int)derived->matched[0].position.partition,
                            (long long)derived->matched[0].position.offset));
    parts[count++] = rf_bytes_of_text(derived->position.topic);
    write_id(hash_parts(engine, parts, count, (uint32_t)derived->position.partition,
                        derived->position.offset),
             derived->id);
}

struct rf_hash128 rf_describe_episode(struct rf_engine *engine, uint32_t rule,
                                      struct rf_bytes customer, int64_t number)
{
    const struct rf_rule *of = &engine->plan->rules[rule];
    const struct rf_bytes parts[] = {rf_bytes_of_text(engine->plan->app),
                                     rf_bytes_of_text(of->name), rf_bytes_of_text(of->version),
                                     customer};

    return hash_parts(engine, parts, sizeof parts / sizeof *parts, 0, number);
}

/* What the conditions name, with the values for which they were true: features, then what they name of the customer. */
static void copy_reasons(struct rf_engine *engine, const struct rf_rule *rule,
                         struct rf_arena *arena, struct rf_derived *derived)
{
    struct rf_reason *reasons =
        rf_arena_alloc(arena, (rule->reason_count + RF_CUSTOMER_FIELDS) * sizeof *reasons);
    size_t count = rule->reason_count;

    for (size_t i = 0; i < rule->reason_count; i++) {
        uint32_t feature = rule->reason_features[i];

        reasons[i].name = engine->plan->features[feature].name;
        reasons[i].value = rf_value_copy(arena, engine->variables[RF_VARIABLE_FEATURE + feature]);
    }
    for (uint32_t field = 0; field < RF_CUSTOMER_FIELDS; field++) {
        if ((rule->reason_customer >> field & 1) == 0)
            continue;
        reasons[count].name = rf_customer_field_name(field);
        reasons[count++].value = rf_value_copy(arena, engine->customer_fields[field]);
    }
    derived->reasons = reasons;
    derived->reason_count = count;
}

/* The events, in their order, with what the pattern calls them. */
static void copy_match(const struct rf_engine *engine, const struct rf_pattern_match *match,
                       struct rf_arena *arena, struct rf_derived *derived)
{
    const struct rf_rule *rule = &engine->plan->rules[derived->rule];
    const struct rf_pattern *pattern = rule->pattern;
    struct rf_matched *matched = rf_arena_alloc(arena, match->event_count * sizeof *matched);

    for (size_t i = 0; i < match->event_count; i++) {
        const struct rf_pattern_taken *taken = &match->events[i];

        matched[i] = (struct rf_matched){.step = taken->step + 1,
                                         .kind = pattern->steps[taken->step].kind,
                                         .time = taken->time,
                                         .position = taken->position};
    }
    derived->matched = matched;
    derived->matched_count = match->event_count;
}

static bool read_because(struct rf_engine *engine, const struct rf_rule *rule,
                         struct rf_arena *arena, struct rf_derived *derived, struct rf_error *err)
{
    struct rf_value text = {0};

    if (rule->because == NULL)
        return true;
    if (!rf_features_eval(engine, rule->because, &engine->scratch, &text, err))
        return rf_error_wrap(err, "because");
    if (text.kind != RF_VALUE_STRING)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "because: it is no text");
    derived->because = rf_arena_copy(arena, text.as.text);
    return true;
}

static bool read_offer_value(struct rf_engine *engine, const struct rf_rule *rule,
                             struct rf_derived *derived, struct rf_error *err)
{
    struct rf_value value = {0};

    if (rule->offer_value == NULL)
        return true;
    if (!rf_features_eval(engine, rule->offer_value, &engine->scratch, &value, err))
        return rf_error_wrap(err, "offer value");
    if (value.kind != RF_VALUE_DOUBLE && value.kind != RF_VALUE_NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "offer value: it is no double");
    derived->offer_value = value;
    return true;
}

/* A value as text, so that whatever a feature may be can be compared. */
static uint64_t hash_value(struct rf_value value, uint64_t seed)
{
    struct rf_buffer text;
    uint64_t hash = 0;

    if (rf_distinct_hash(value, &hash))
        return rf_hash64_seeded(rf_bytes_of(&hash, sizeof hash), seed);
    rf_buffer_init(&text, REASON_SIZE_MAX);
    rf_value_print(&text, value);
    hash = rf_hash64_seeded(rf_buffer_bytes(&text), seed);
    rf_buffer_deinit(&text);
    return hash;
}

bool rf_describe_reasons_hash(struct rf_engine *engine, uint32_t rule, uint64_t *hash,
                              struct rf_error *err)
{
    const struct rf_rule *of = &engine->plan->rules[rule];

    *hash = 0;
    if (!rf_features_need(engine, &engine->wiring.rules[rule].outcome_reads, &engine->scratch, err))
        return false;
    for (size_t i = 0; i < of->reason_count; i++)
        *hash = hash_value(engine->variables[RF_VARIABLE_FEATURE + of->reason_features[i]], *hash);
    for (uint32_t field = 0; field < RF_CUSTOMER_FIELDS; field++) {
        if ((of->reason_customer >> field & 1) != 0)
            *hash = hash_value(engine->customer_fields[field], *hash);
    }
    return true;
}

static void set_cause(const struct rf_cause *cause, struct rf_derived *derived)
{
    derived->customer = cause->customer;
    derived->occurred_at = cause->at;
    derived->position = (struct rf_position){.topic = RF_TIMER_TOPIC, .offset = cause->at};
    if (cause->event != NULL)
        derived->position = cause->event->position;
    if (cause->match != NULL && !cause->match->by_timer)
        derived->position = cause->match->events[cause->match->event_count - 1].position;
}

struct rf_derived *rf_describe_push(struct rf_engine *engine)
{
    if (engine->derived_count == engine->derived_capacity) {
        engine->derived_capacity = engine->derived_capacity == 0 ? 8 : 2 * engine->derived_capacity;
        engine->derived =
            realloc(engine->derived, engine->derived_capacity * sizeof *engine->derived);
        rf_assert(engine->derived != NULL);
    }
    return &engine->derived[engine->derived_count++];
}

static bool read_outcome(struct rf_engine *engine, uint32_t index, struct rf_arena *arena,
                         struct rf_derived *derived, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];

    return rf_features_need(engine, &engine->wiring.rules[index].outcome_reads, &engine->scratch,
                            err) &&
           read_because(engine, rule, arena, derived, err) &&
           read_offer_value(engine, rule, derived, err);
}

/* An alert that is over is told as such, whatever fails by then. It needs no explanation: `because` speaks of what
 * made it begin. */
static void read_end(struct rf_engine *engine, uint32_t index, struct rf_derived *derived)
{
    struct rf_error ignored = {0};

    rf_features_have(engine, &engine->wiring.rules[index].outcome_reads, &engine->scratch);
    if (!read_offer_value(engine, &engine->plan->rules[index], derived, &ignored))
        derived->offer_value = rf_value_null();
}

bool rf_describe(struct rf_engine *engine, uint32_t index, enum rf_status status,
                 const struct rf_cause *cause, int64_t number, struct rf_hash128 episode,
                 struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    struct rf_derived derived = {
        .status = status,
        .rule = index,
        .output = rule->output,
        .episode = number,
        .offer_value = rf_value_null(),
    };

    set_cause(cause, &derived);
    if (cause->match != NULL)
        copy_match(engine, cause->match, arena, &derived);
    if (status == RF_STATUS_CLEARED)
        read_end(engine, index, &derived);
    else if (!read_outcome(engine, index, arena, &derived, err))
        return false;
    write_id(episode, derived.episode_id);
    make_id(engine, &derived);
    copy_reasons(engine, rule, arena, &derived);
    *rf_describe_push(engine) = derived;
    return true;
}

void rf_describe_lifecycle(struct rf_engine *engine, enum rf_status status,
                           const struct rf_cause *cause, struct rf_arena *arena,
                           struct rf_derived *derived)
{
    *derived = (struct rf_derived){
        .status = status,
        .rule = RF_RULE_NONE,
        .output = engine->plan->lifecycle_output,
        .offer_value = rf_value_null(),
    };
    rf_assert(derived->output != RF_OUTPUT_NONE);
    set_cause(cause, derived);
    derived->customer = rf_arena_copy(arena, cause->customer);
    make_id(engine, derived);
}
