/* A customer to bytes, by the parts that the plan chose: no schema is walked here. */
#include "core/codec/customer_parts.h"
#include "core/codec/customer_writer.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/rule.h"

/* A value of another type than the feature's can only come from a dynamic expression: no value, then. */
static void put_column(struct rf_writer *w, enum rf_scalar scalar, struct rf_value value)
{
    if (!rf_scalar_fits(scalar, value)) {
        rf_write_byte(w, RF_BRANCH_NULL);
        return;
    }
    if (value.kind == RF_VALUE_UINT && value.as.uinteger > INT64_MAX)
        value.as.uinteger = INT64_MAX;
    rf_write_byte(w, RF_BRANCH_VALUE);
    rf_write_scalar(w, scalar, value);
}

static void put_instant(struct rf_writer *w, rf_ms instant, rf_ms none)
{
    rf_write_byte(w, instant == none ? RF_BRANCH_NULL : RF_BRANCH_VALUE);
    if (instant != none)
        rf_write_long(w, instant);
}

static bool remembers(const struct rf_rule_state *rule)
{
    return rule->fired_count > 0 || rule->held_since != RF_MS_MIN;
}

static void put_rule(struct rf_writer *w, const struct rf_rule_state *rule)
{
    rf_write_long(w, rule->fired_count);
    put_instant(w, rule->last_fired, RF_MS_MIN);
    put_instant(w, rule->held_since, RF_MS_MIN);
    put_instant(w, rule->told, RF_MS_MIN);
    rf_write_byte(w, rule->shadow);
    rf_write_byte(w, rule->raised ? RF_BRANCH_VALUE : RF_BRANCH_NULL);
    if (!rule->raised)
        return;
    rf_write_word(w, __builtin_bswap64(rule->id.high)); /* as the digits of episode_id */
    rf_write_word(w, __builtin_bswap64(rule->id.low));
    rf_write_word(w, rule->told_hash);
}

/* Rules that never fired, and do not wait to, are not in the map. Lost ones are written as they were read. */
static void put_rules(struct rf_writer *w, const struct rf_plan *plan,
                      const struct rf_customer *customer)
{
    int64_t count = customer->lost_rule_count;

    for (size_t i = 0; i < plan->rule_count; i++)
        count += remembers(&customer->rules[i]);
    rf_write_items(w, count);
    for (size_t i = 0; count > 0 && i < plan->rule_count; i++) {
        if (!remembers(&customer->rules[i]))
            continue;
        rf_write_bytes(w, rf_bytes_of_text(plan->rules[i].name));
        put_rule(w, &customer->rules[i]);
    }
    for (uint32_t i = 0; i < customer->lost_rule_count; i++)
        rf_write_raw(w, customer->lost_rules[i]);
    rf_write_items_end(w);
}

static void put_seen(struct rf_writer *w, const struct rf_customer *customer)
{
    rf_write_items(w, customer->seen_count);
    for (uint32_t i = 0; i < customer->seen_count; i++) {
        rf_write_word(w, customer->seen[i].hash);
        rf_write_long(w, customer->seen[i].time);
    }
    rf_write_items_end(w);
}

void rf_customer_encode(const struct rf_customer_codec *codec, const struct rf_customer *customer,
                        const struct rf_value *values, struct rf_buffer *out)
{
    const struct rf_plan *plan = codec->plan;
    struct rf_writer w = {.out = out};

    rf_write_bytes(&w, customer->id);
    rf_write_long(&w, customer->first_seen);
    rf_write_long(&w, customer->as_of);
    rf_write_long(&w, customer->event_count);
    put_instant(&w, customer->due, RF_MS_MAX);
    for (size_t i = 0; i < plan->feature_count; i++) {
        if (codec->parts[i].column != RF_SCALAR_NONE)
            put_column(&w, codec->parts[i].column, values[i]);
    }
    for (size_t i = 0; i < plan->feature_count; i++)
        rf_write_state(&w, codec->parts[i], &customer->features[i]);
    put_rules(&w, plan, customer);
    put_seen(&w, customer);
    rf_write_patterns(&w, plan, customer->patterns);
    rf_writer_end(&w);
}
