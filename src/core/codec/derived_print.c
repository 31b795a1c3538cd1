#include <string.h>

#include "core/base/assert.h"
#include "core/codec/derived_codec.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"

static void print_text(struct rf_buffer *out, const char *key, struct rf_bytes text)
{
    rf_buffer_printf(out, ",\"%s\":", key);
    rf_json_print_text(out, text);
}

static void print_reasons(struct rf_buffer *out, const struct rf_derived *derived)
{
    rf_buffer_append_text(out, ",\"reasons\":[");
    for (size_t i = 0; i < derived->reason_count; i++) {
        rf_buffer_append_text(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        rf_json_print_text(out, rf_bytes_of_text(derived->reasons[i].name));
        rf_buffer_append_text(out, ",\"value\":");
        rf_value_print_json(out, derived->reasons[i].value);
        rf_buffer_append_byte(out, '}');
    }
    rf_buffer_append_byte(out, ']');
}

static void print_position(struct rf_buffer *out, const struct rf_position *position)
{
    rf_buffer_append_text(out, "\"topic\":");
    rf_json_print_text(out, rf_bytes_of_text(position->topic));
    rf_buffer_printf(out, ",\"partition\":%d,\"offset\":%lld}", position->partition,
                     (long long)position->offset);
}

static void print_matched(struct rf_buffer *out, const struct rf_derived *derived)
{
    char at[RF_TIME_TEXT_MAX];

    rf_buffer_append_text(out, ",\"matched\":[");
    for (size_t i = 0; i < derived->matched_count; i++) {
        const struct rf_matched *matched = &derived->matched[i];

        rf_buffer_printf(out, "%s{\"step\":%u", i == 0 ? "" : ",", matched->step);
        print_text(out, "kind", rf_bytes_of_text(matched->kind));
        print_text(out, "occurred_at",
                   rf_bytes_of(at, rf_time_format_ms(at, sizeof at, matched->time)));
        rf_buffer_append_byte(out, ',');
        print_position(out, &matched->position);
    }
    rf_buffer_append_byte(out, ']');
}

static void print_offer(struct rf_buffer *out, const struct rf_rule *rule,
                        const struct rf_derived *derived)
{
    print_text(out, "offer_id", rf_bytes_of_text(rule->offer_id));
    if (rule->offer_channel != NULL)
        print_text(out, "channel", rf_bytes_of_text(rule->offer_channel));
    rf_buffer_append_text(out, ",\"value\":");
    rf_value_print_json(out, derived->offer_value);
}

void rf_derived_print_json(const struct rf_plan *plan, const struct rf_derived *derived,
                           struct rf_buffer *out)
{
    const struct rf_rule *rule = derived->rule == RF_RULE_NONE ? NULL : &plan->rules[derived->rule];
    char at[RF_TIME_TEXT_MAX];

    rf_assert(rule == NULL || derived->rule < plan->rule_count);
    rf_buffer_printf(out, "{\"id\":\"%s\"", derived->id);
    print_text(out, "app", rf_bytes_of_text(plan->app));
    if (rule != NULL) {
        print_text(out, "rule", rf_bytes_of_text(rule->name));
        print_text(out, "rule_version", rf_bytes_of_text(rule->version));
    }
    print_text(out, "plan_version", rf_bytes_of_text(plan->version));
    rf_buffer_append_text(out, ",\"customer\":");
    /* a message key need not be text */
    rf_value_print_json(out, rf_bytes_is_utf8(derived->customer)
                                 ? rf_value_string(derived->customer)
                                 : rf_value_bytes(derived->customer));
    if (rule != NULL)
        print_text(out, "severity", rf_bytes_of_text(rule->severity));
    print_text(out, "status", rf_bytes_of_text(rf_status_name(derived->status)));
    if (rule != NULL) {
        rf_buffer_printf(out, ",\"episode\":%lld,\"episode_id\":\"%s\"",
                         (long long)derived->episode, derived->episode_id);
        print_text(out, "because", derived->because);
    }
    print_text(out, "occurred_at",
               rf_bytes_of(at, rf_time_format_ms(at, sizeof at, derived->occurred_at)));
    if (rule != NULL && rule->offer_id != NULL)
        print_offer(out, rule, derived);
    print_reasons(out, derived);
    if (rule != NULL && rule->pattern != NULL)
        print_matched(out, derived);
    rf_buffer_append_text(out, ",\"source\":{");
    print_position(out, &derived->position);
    rf_buffer_append_byte(out, '}');
}

struct rf_bytes rf_derived_key(const struct rf_plan *plan, const struct rf_derived *derived,
                               struct rf_arena *arena)
{
    const char *rule = derived->rule == RF_RULE_NONE ? NULL : plan->rules[derived->rule].name;
    size_t size = derived->customer.size;
    uint8_t *key = NULL;

    if (rule == NULL || !plan->outputs[derived->output].keyed_by_rule)
        return derived->customer;
    key = rf_arena_alloc_bytes(arena, size + 1 + strlen(rule));
    memcpy(key, derived->customer.data, size);
    key[size] = '/';
    memcpy(key + size + 1, rule, strlen(rule));
    return rf_bytes_of(key, size + 1 + strlen(rule));
}

size_t rf_derived_headers(const struct rf_plan *plan, const struct rf_derived *derived,
                          struct rf_arena *arena, struct rf_header headers[RF_CLOUDEVENTS_HEADERS])
{
    const struct rf_output *output = &plan->outputs[derived->output];
    uint8_t *at = rf_arena_alloc_bytes(arena, RF_TIME_TEXT_MAX);
    size_t at_size = rf_time_format_ms((char *)at, RF_TIME_TEXT_MAX, derived->occurred_at);
    bool is_json = output->format == RF_FORMAT_JSON;
    const struct rf_header made[RF_CLOUDEVENTS_HEADERS] = {
        {"ce_specversion", rf_bytes_of_text("1.0")},
        {"ce_id", rf_bytes_of(derived->id, RF_EVENT_ID_SIZE)},
        {"ce_source", rf_bytes_of_text(rf_arena_printf(arena, "/ringfold/%s", plan->app))},
        {"ce_type", rf_bytes_of_text(rf_arena_printf(arena, "ringfold.%s", output->name))},
        {"ce_subject", derived->customer},
        {"ce_time", rf_bytes_of(at, at_size)},
        {"content-type", rf_bytes_of_text(is_json ? "application/json" : "application/avro")},
    };

    memcpy(headers, made, sizeof made);
    return RF_CLOUDEVENTS_HEADERS;
}
