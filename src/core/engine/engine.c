#include "core/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/engine/describe.h"
#include "core/engine/due.h"
#include "core/engine/feature_set.h"
#include "core/engine/features.h"
#include "core/engine/fold.h"
#include "core/engine/patterns.h"
#include "core/engine/rules.h"
#include "core/engine/seen.h"
#include "core/engine/state.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/source.h"
#include "core/model/variables.h"

#define MEMORY_CHUNK  (64U << 10)
#define SCRATCH_CHUNK (16U << 10)
#define SCRATCH_KEEP  (128U * 1024)

static void bind_customer_variable(struct rf_engine *engine)
{
    engine->customer_record =
        (struct rf_record){.type = &rf_customer_type, .fields = engine->customer_fields};
    engine->variables[RF_VARIABLE_CUSTOMER] = rf_value_record(&engine->customer_record);
}

static rf_span_ms longest_dedup(const struct rf_plan *plan)
{
    rf_span_ms longest = 0;

    for (size_t i = 0; i < plan->source_count; i++) {
        if (plan->sources[i].dedup > longest)
            longest = plan->sources[i].dedup;
    }
    return longest;
}

struct rf_engine *rf_engine_open(const struct rf_plan *plan)
{
    struct rf_engine *engine = calloc(1, sizeof *engine);
    size_t variable_count = RF_VARIABLE_FEATURE + plan->feature_count;

    rf_assert(engine != NULL);
    engine->plan = plan;
    rf_arena_init(&engine->memory, MEMORY_CHUNK);
    rf_arena_init(&engine->scratch, SCRATCH_CHUNK);
    rf_wiring_make(&engine->memory, plan, &engine->wiring);
    engine->variables =
        rf_arena_alloc_zero(&engine->memory, variable_count * sizeof *engine->variables);
    engine->contributions = rf_arena_alloc(&engine->memory, engine->wiring.listener_count_max *
                                                                sizeof *engine->contributions);
    rf_moving_make(&engine->memory, plan, &engine->wiring, &engine->moving);
    engine->moments =
        rf_arena_alloc_zero(&engine->memory, plan->rule_count * sizeof *engine->moments);
    engine->held = rf_arena_alloc_zero(&engine->memory, plan->rule_count * sizeof *engine->held);
    engine->meter = rf_arena_alloc_zero(&engine->memory, plan->rule_count * sizeof *engine->meter);
    engine->steps =
        rf_arena_alloc_zero(&engine->memory, plan->pattern_count * sizeof *engine->steps);
    engine->dedup_max = longest_dedup(plan);
    bind_customer_variable(engine);
    return engine;
}

void rf_engine_close(struct rf_engine *engine)
{
    if (engine == NULL)
        return;
    rf_arena_deinit(&engine->scratch);
    rf_arena_deinit(&engine->memory);
    free(engine->derived);
    free(engine);
}

static void fold_begin(struct rf_engine *engine, struct rf_fold *fold)
{
    engine->derived_count = 0;
    if (engine->any_held)
        memset(engine->held, 0, engine->plan->rule_count * sizeof *engine->held);
    engine->any_held = false;
    fold->held = NULL;
    fold->result = RF_FOLD_DONE;
    fold->changed = false;
    fold->evicted = false;
    fold->due = RF_MS_MAX;
    fold->derived = NULL;
    fold->derived_count = 0;
    fold->seen_forgotten = 0;
    fold->values_dropped = 0;
    fold->pattern_ignored = 0;
    fold->pattern_hurried = 0;
    fold->pattern_dropped = 0;
    fold->rule_error_count = 0;
    fold->rule_error_rule = 0;
    fold->rule_error.kind = RF_ERROR_NONE;
    fold->rule_error.origin_code = 0;
    fold->rule_error.message[0] = 0;
}

/* An id that is already too old to be asked for is not kept. */
static void remember(struct rf_engine *engine, struct rf_customer *customer,
                     const struct rf_event *event, struct rf_arena *arena, struct rf_fold *fold)
{
    rf_ms oldest = engine->now - engine->plan->sources[event->source].dedup;

    if (event->id_hash == 0 || event->time < oldest)
        return;
    if (!rf_seen_add(customer, event->id_hash, event->time, engine->now - engine->dedup_max, arena))
        fold->seen_forgotten++;
}

static void count_event(struct rf_customer *customer, const struct rf_event *event)
{
    customer->as_of = rf_ms_later(customer->as_of, event->time);
    if (event->time < customer->first_seen)
        customer->first_seen = event->time;
    customer->event_count++;
}

static void fold_end(const struct rf_engine *engine, struct rf_arena *arena, struct rf_fold *fold)
{
    struct rf_derived *derived = NULL;

    if (engine->any_held)
        fold->held = engine->held;
    if (engine->derived_count == 0)
        return;
    derived = rf_arena_alloc(arena, engine->derived_count * sizeof *derived);
    memcpy(derived, engine->derived, engine->derived_count * sizeof *derived);
    fold->derived = derived;
    fold->derived_count = engine->derived_count;
}

static bool is_duplicate(const struct rf_engine *engine, const struct rf_customer *customer,
                         const struct rf_event *event, rf_ms now)
{
    return event->id_hash != 0 &&
           rf_seen_find(customer, event->id_hash, now - engine->plan->sources[event->source].dedup);
}

/* The customer is looked at from its latest event, this one included: windows end there, decays are of
 * there, cooldowns are counted to there. So what an event does depends on the customer's own events in the order
 * of their arrival, and on nothing else: no clock, no other customer, no batch. */
static void apply(struct rf_engine *engine, struct rf_customer *customer,
                  const struct rf_event *event, rf_ms watermark, struct rf_arena *arena,
                  struct rf_fold *fold)
{
    const struct rf_due_limits limits = {.until = event->time, .watermark = watermark};
    bool looks = customer->due <= event->time || engine->moving.has_holds;
    rf_ms now = engine->now;

    if (customer->due <= event->time)
        (void)rf_due_fire(engine, customer, &limits, arena, fold);
    if (engine->moving.has_holds)
        rf_due_settle(engine, customer, event->time);
    if (looks)
        rf_features_look(engine, customer, now, event);
    rf_fold_apply(engine, customer, event, arena, fold);
    remember(engine, customer, event, arena, fold);
    count_event(customer, event);
    engine->variables[RF_VARIABLE_EVENT] = rf_value_null(); /* no rule sees the event */
    rf_rules_ask(engine, customer, event, arena, fold);
    rf_patterns_take(engine, customer, event, watermark, arena, fold);
    customer->due = rf_due_of(engine, customer);
    fold->due = customer->due;
    fold->changed = true;
}

bool rf_engine_fold(struct rf_engine *engine, struct rf_customer *customer,
                    const struct rf_event *event, rf_ms watermark, struct rf_arena *arena,
                    struct rf_fold *fold, struct rf_error *err)
{
    rf_ms now = rf_ms_later(customer->as_of, event->time);

    rf_assert(event->source < engine->plan->source_count);
    rf_assert(arena != &engine->scratch);
    fold_begin(engine, fold);
    if (event->time < RF_MS_MIN || event->time > RF_MS_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "its time is outside the years 1 to 9999: %lld milliseconds",
                            (long long)event->time);
    if (is_duplicate(engine, customer, event, now)) {
        fold->result = RF_FOLD_DUPLICATE;
        fold->due = customer->due;
        return true;
    }
    rf_arena_reset(&engine->scratch, SCRATCH_KEEP);
    rf_features_look(engine, customer, now, event);
    if (!rf_fold_gather(engine, event, err) || !rf_patterns_gather(engine, event, err))
        return false;
    apply(engine, customer, event, watermark, arena, fold);
    rf_assert(customer->as_of == now);
    fold_end(engine, arena, fold);
    return true;
}

void rf_engine_advance(struct rf_engine *engine, struct rf_customer *customer, rf_ms watermark,
                       struct rf_arena *arena, struct rf_fold *fold)
{
    const struct rf_due_limits limits = {
        .until = watermark, .watermark = watermark, .evicts = true};

    rf_assert(arena != &engine->scratch);
    fold_begin(engine, fold);
    rf_arena_reset(&engine->scratch, SCRATCH_KEEP);
    rf_features_look(engine, customer, customer->as_of, NULL);
    fold->due = rf_due_fire(engine, customer, &limits, arena, fold);
    if (fold->changed && !fold->evicted)
        customer->due = rf_due_of(engine, customer);
    fold_end(engine, arena, fold);
}

rf_ms rf_engine_due(struct rf_engine *engine, const struct rf_customer *customer)
{
    rf_arena_reset(&engine->scratch, SCRATCH_KEEP);
    rf_features_look(engine, customer, customer->as_of, NULL);
    return rf_due_of(engine, customer);
}

bool rf_engine_has_timers(const struct rf_engine *engine)
{
    return engine->moving.has_timers;
}

bool rf_engine_erased(struct rf_engine *engine, const struct rf_event *event,
                      struct rf_arena *arena, struct rf_derived *derived)
{
    const struct rf_cause cause = {.customer = event->customer, .at = event->time, .event = event};

    if (engine->plan->lifecycle_output == RF_OUTPUT_NONE)
        return false;
    rf_arena_reset(&engine->scratch, SCRATCH_KEEP);
    engine->now = event->time;
    rf_describe_lifecycle(engine, RF_STATUS_ERASED, &cause, arena, derived);
    return true;
}

void rf_engine_features(struct rf_engine *engine, const struct rf_customer *customer, rf_ms now,
                        struct rf_arena *arena, struct rf_value *values)
{
    rf_features_look(engine, customer, rf_ms_later(customer->as_of, now), NULL);
    for (uint32_t i = 0; i < engine->plan->feature_count; i++) {
        struct rf_feature_set one = {0};

        rf_feature_set_add(&one, i);
        rf_error_clear(&engine->error);
        /* One that fails is null, and so what later expressions read of it. */
        (void)!rf_features_need(engine, &one, arena, &engine->error);
    }
    memcpy(values, engine->variables + RF_VARIABLE_FEATURE,
           engine->plan->feature_count * sizeof *values);
}
