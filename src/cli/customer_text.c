#include "cli/customer_text.h"

#include "core/codec/value_json.h"
#include "core/expr/expr.h"
#include "core/model/feature.h"
#include "core/model/rule.h"

static void print_time(struct rf_buffer *out, rf_ms instant)
{
    char text[RF_TIME_TEXT_MAX];

    rf_buffer_append(out, text, rf_time_format_ms(text, sizeof text, instant));
}

static void print_json_time(struct rf_buffer *out, const char *name, rf_ms instant)
{
    rf_buffer_printf(out, "\"%s\":\"", name);
    print_time(out, instant);
    rf_buffer_append_text(out, "\",");
}

static void print_json_rules(const struct rf_plan *plan, const struct rf_customer *customer,
                             struct rf_buffer *out)
{
    const char *separator = "";

    rf_buffer_append_text(out, ",\"rules\":{");
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct rf_rule_state *rule = &customer->rules[i];

        if (rule->last_fired == RF_MS_MIN)
            continue;
        rf_buffer_printf(out, "%s", separator);
        rf_json_print_text(out, rf_bytes_of_text(plan->rules[i].name));
        rf_buffer_printf(out, ":{\"fired\":%lld,\"last_fired\":\"", (long long)rule->fired_count);
        print_time(out, rule->last_fired);
        rf_buffer_append_text(out, "\"}");
        separator = ",";
    }
    rf_buffer_append_byte(out, '}');
}

void rf_customer_print_json(const struct rf_plan *plan, const struct rf_customer *customer,
                            const struct rf_value *values, rf_ms now, struct rf_buffer *out)
{
    rf_buffer_append_text(out, "{\"customer\":");
    rf_json_print_text(out, customer->id);
    rf_buffer_append_byte(out, ',');
    print_json_time(out, "now", now);
    print_json_time(out, "first_seen", customer->first_seen);
    print_json_time(out, "as_of", customer->as_of);
    rf_buffer_printf(out, "\"events\":%lld,\"features\":{", (long long)customer->event_count);
    for (size_t i = 0; i < plan->feature_count; i++) {
        rf_buffer_append_text(out, i == 0 ? "" : ",");
        rf_json_print_text(out, rf_bytes_of_text(plan->features[i].name));
        rf_buffer_append_byte(out, ':');
        rf_value_print_json(out, values[i]);
    }
    rf_buffer_append_byte(out, '}');
    print_json_rules(plan, customer, out);
    rf_buffer_append_text(out, "}\n");
}

void rf_customer_print_text(const struct rf_plan *plan, const struct rf_customer *customer,
                            const struct rf_value *values, rf_ms now, struct rf_buffer *out)
{
    rf_buffer_append_text(out, "customer ");
    rf_buffer_append(out, customer->id.data, customer->id.size);
    rf_buffer_printf(out, ": %lld events from ", (long long)customer->event_count);
    print_time(out, customer->first_seen);
    rf_buffer_append_text(out, " to ");
    print_time(out, customer->as_of);
    rf_buffer_append_text(out, "\nfeatures at ");
    print_time(out, now);
    rf_buffer_append_byte(out, '\n');
    for (size_t i = 0; i < plan->feature_count; i++) {
        rf_buffer_printf(out, "  %-24s ", plan->features[i].name);
        rf_value_print(out, values[i]);
        rf_buffer_append_byte(out, '\n');
    }
    rf_buffer_append_text(out, "rules\n");
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct rf_rule_state *rule = &customer->rules[i];

        rf_buffer_printf(out, "  %-24s ", plan->rules[i].name);
        if (rule->last_fired == RF_MS_MIN) {
            rf_buffer_append_text(out, "never fired\n");
            continue;
        }
        rf_buffer_printf(out, "fired %lld time%s, last ", (long long)rule->fired_count,
                         rule->fired_count == 1 ? "" : "s");
        print_time(out, rule->last_fired);
        rf_buffer_append_byte(out, '\n');
    }
}
