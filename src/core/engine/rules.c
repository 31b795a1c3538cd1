#include "core/engine/rules.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/engine/copy.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"

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

/* Invariant 5: the same event makes the same id, whenever and wherever it is folded. The id is XXH3-128 over
 *
 *     app, rule, customer, topic     each: size (8 bytes), then the bytes
 *     partition (4), offset (8)      all numbers with the least significant byte first
 *
 * in hexadecimal digits, the most significant first. Consumers remember ids: this may never change. */
static void make_id(struct rf_engine *engine, const struct rf_rule *rule,
                    const struct rf_event *event, char id[RF_EVENT_ID_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";
    const struct rf_bytes parts[] = {
        rf_bytes_of_text(engine->plan->app),
        rf_bytes_of_text(rule->name),
        event->customer,
        rf_bytes_of_text(event->position.topic),
    };
    size_t size = 4 + 8;
    uint8_t *message = NULL;
    uint8_t *at = NULL;
    struct rf_hash128 hash = {0};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        size += 8 + parts[i].size;
    message = rf_arena_alloc_bytes(&engine->scratch, size);
    at = message;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        at = put_part(at, parts[i]);
    at = put_number(at, (uint32_t)event->position.partition, 4);
    at = put_number(at, (uint64_t)event->position.offset, 8);
    rf_assert(at == message + size);
    hash = rf_hash128(rf_bytes_of(message, size));
    for (unsigned i = 0; i < 16; i++) {
        id[i] = digits[hash.high >> (60 - 4 * i) & 15];
        id[16 + i] = digits[hash.low >> (60 - 4 * i) & 15];
    }
    id[RF_EVENT_ID_SIZE] = 0;
}

/* The features that the condition names, with the values for which it was true. */
static void copy_reasons(struct rf_engine *engine, const struct rf_rule *rule,
                         struct rf_arena *arena, struct rf_derived *derived)
{
    struct rf_reason *reasons = rf_arena_alloc(arena, rule->reason_count * sizeof *reasons);

    for (size_t i = 0; i < rule->reason_count; i++) {
        uint32_t feature = rule->reason_features[i];

        rf_assert(rf_feature_set_has(&engine->known, feature));
        reasons[i].name = engine->plan->features[feature].name;
        reasons[i].value = rf_value_copy(arena, engine->variables[RF_VARIABLE_FEATURE + feature]);
    }
    derived->reasons = reasons;
    derived->reason_count = rule->reason_count;
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

/* Everything that the derived event says. */
static bool describe(struct rf_engine *engine, uint32_t index, const struct rf_event *event,
                     struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_rule *rule = &engine->plan->rules[index];
    struct rf_derived *derived = &engine->derived[engine->derived_count];

    *derived = (struct rf_derived){
        .rule = index,
        .output = rule->output,
        .customer = event->customer,
        .occurred_at = engine->now,
        .position = event->position,
        .offer_value = rf_value_null(),
    };
    if (!rf_features_need(engine, &engine->wiring.rules[index].outcome_reads, &engine->scratch,
                          err) ||
        !read_because(engine, rule, arena, derived, err) ||
        !read_offer_value(engine, rule, derived, err))
        return false;
    make_id(engine, rule, event, derived->id);
    copy_reasons(engine, rule, arena, derived);
    return true;
}

static bool is_due(const struct rf_engine *engine, uint32_t index,
                   const struct rf_rule_state *state)
{
    const struct rf_rule_wiring *wiring = &engine->wiring.rules[index];

    if (!wiring->each_event && !rf_feature_set_meets(&wiring->when_reads, &engine->changed))
        return false;
    return state->fired_count == 0 ||
           engine->now - state->last_fired >= engine->plan->rules[index].cooldown;
}

static bool ask(struct rf_engine *engine, uint32_t index, bool *holds, struct rf_error *err)
{
    struct rf_value answer = {0};

    *holds = false;
    if (!rf_features_need(engine, &engine->wiring.rules[index].when_reads, &engine->scratch, err) ||
        !rf_features_eval(engine, engine->plan->rules[index].when, &engine->scratch, &answer, err))
        return false;
    if (answer.kind != RF_VALUE_BOOL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "when: it is neither true nor false");
    *holds = answer.as.boolean;
    return true;
}

/* False: it could not be evaluated, and nothing has changed. */
static bool ask_rule(struct rf_engine *engine, uint32_t index, struct rf_rule_state *state,
                     const struct rf_event *event, struct rf_arena *arena, struct rf_error *err)
{
    bool holds = false;

    if (!ask(engine, index, &holds, err))
        return false;
    if (!holds)
        return true;
    if (!describe(engine, index, event, arena, err))
        return false;
    engine->derived_count++;
    state->fired_count++;
    state->last_fired = engine->now;
    return true;
}

void rf_rules_ask(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold)
{
    struct rf_derived *derived = NULL;

    engine->derived_count = 0;
    for (uint32_t i = 0; i < engine->plan->rule_count; i++) {
        if (!is_due(engine, i, &customer->rules[i]))
            continue;
        rf_error_clear(&engine->error);
        if (ask_rule(engine, i, &customer->rules[i], event, arena, &engine->error))
            continue;
        fold->rule_error_count++;
        fold->rule_error_rule = i;
        fold->rule_error = engine->error;
    }
    if (engine->derived_count == 0)
        return;
    derived = rf_arena_alloc(arena, engine->derived_count * sizeof *derived);
    memcpy(derived, engine->derived, engine->derived_count * sizeof *derived);
    fold->derived = derived;
    fold->derived_count = engine->derived_count;
}
