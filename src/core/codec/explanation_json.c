#include "core/codec/explanation_json.h"

#include "core/codec/value_json.h"
#include "core/model/rule.h"

static void print_text(struct rf_buffer *out, const char *name, struct rf_bytes text)
{
    rf_buffer_printf(out, "\"%s\":", name);
    rf_json_print_text(out, text);
}

static void print_instant(struct rf_buffer *out, const char *name, rf_ms instant)
{
    char text[RF_TIME_TEXT_MAX];

    print_text(out, name, rf_bytes_of(text, rf_time_format_ms(text, sizeof text, instant)));
}

static void print_comparison(struct rf_buffer *out, const struct rf_explained *test)
{
    double gap = 0;

    if (test->comparison == RF_COMPARES_NOTHING)
        return;
    rf_buffer_printf(out, ",\"compares\":\"%s\",\"left\":", rf_comparison_name(test->comparison));
    rf_value_print_json(out, test->left);
    rf_buffer_append_text(out, ",\"right\":");
    rf_value_print_json(out, test->right);
    if (!rf_explained_gap(test, &gap))
        return;
    rf_buffer_append_text(out, ",\"gap\":");
    rf_value_print_json(out, rf_value_double(gap));
}

static void print_reads(struct rf_buffer *out, const struct rf_explained *test)
{
    rf_buffer_append_text(out, ",\"reads\":{");
    for (size_t i = 0; i < test->read_count; i++) {
        rf_buffer_append_text(out, i == 0 ? "" : ",");
        rf_json_print_text(out, rf_bytes_of_text(test->reads[i].name));
        rf_buffer_append_byte(out, ':');
        rf_value_print_json(out, test->reads[i].value);
    }
    rf_buffer_append_byte(out, '}');
}

static void print_condition(struct rf_buffer *out, const struct rf_explained *condition)
{
    static const char *const joined[] = {[RF_CONDITION_TEST] = "",
                                         [RF_CONDITION_AND] = "all",
                                         [RF_CONDITION_OR] = "any",
                                         [RF_CONDITION_NOT] = "not",
                                         [RF_CONDITION_CHOICE] = "choice"};

    rf_buffer_append_byte(out, '{');
    print_text(out, "text", condition->text);
    rf_buffer_printf(out, ",\"holds\":%s",
                     condition->truth == RF_TRUTH_UNKNOWN ? "null"
                     : condition->truth == RF_TRUTH_TRUE  ? "true"
                                                          : "false");
    if (condition->why != NULL) {
        rf_buffer_append_byte(out, ',');
        print_text(out, "error", rf_bytes_of_text(condition->why));
    }
    if (condition->kind == RF_CONDITION_TEST) {
        print_comparison(out, condition);
        print_reads(out, condition);
    } else {
        rf_buffer_printf(out, ",\"%s\":[", joined[condition->kind]);
        for (size_t i = 0; i < condition->part_count; i++) {
            rf_buffer_append_text(out, i == 0 ? "" : ",");
            print_condition(out, &condition->parts[i]);
        }
        rf_buffer_append_byte(out, ']');
    }
    rf_buffer_append_byte(out, '}');
}

static void print_optional_instant(struct rf_buffer *out, const char *name, rf_ms instant,
                                   rf_ms none)
{
    if (instant == none)
        return;
    rf_buffer_append_byte(out, ',');
    print_instant(out, name, instant);
}

static void print_run(struct rf_buffer *out, const struct rf_explained_run *run)
{
    rf_buffer_append_text(out, "{\"taken\":[");
    for (size_t i = 0; i < run->taken_count; i++) {
        rf_buffer_append_text(out, i == 0 ? "{" : ",{");
        print_text(out, "kind", rf_bytes_of_text(run->taken[i].kind));
        rf_buffer_append_byte(out, ',');
        print_instant(out, "at", run->taken[i].time);
        rf_buffer_append_byte(out, '}');
    }
    rf_buffer_append_byte(out, ']');
    if (run->next != NULL) {
        rf_buffer_append_byte(out, ',');
        print_text(out, "next", rf_bytes_of_text(run->next));
    }
    if (run->forbids != NULL) {
        rf_buffer_append_byte(out, ',');
        print_text(out, "forbids", rf_bytes_of_text(run->forbids));
    }
    print_optional_instant(out, "until", run->until, RF_MS_MAX);
    rf_buffer_append_byte(out, '}');
}

static void print_pattern(struct rf_buffer *out, const struct rf_explained_pattern *pattern)
{
    rf_buffer_printf(out, ",\"pattern\":{\"events\":%zu,\"waiting\":%zu,\"partial\":[",
                     pattern->stage_count, pattern->waiting_count);
    for (size_t i = 0; i < pattern->run_count; i++) {
        rf_buffer_append_text(out, i == 0 ? "" : ",");
        print_run(out, &pattern->runs[i]);
    }
    rf_buffer_append_text(out, "]}");
}

static void print_rule(struct rf_buffer *out, enum rf_rule_mode mode,
                       const struct rf_explained_rule *rule)
{
    rf_buffer_printf(out, "{\"standing\":\"%s\"", rf_standing_name(rule->standing));
    rf_buffer_printf(out, ",\"mode\":\"%s\"", rf_rule_mode_name(mode));
    print_optional_instant(out, "since", rule->since, RF_MS_MIN);
    print_optional_instant(out, "until", rule->until, RF_MS_MIN);
    rf_buffer_printf(out, ",\"fired\":%lld", (long long)rule->fired_count);
    print_optional_instant(out, "last_fired", rule->last_fired, RF_MS_MIN);
    print_optional_instant(out, "due", rule->due, RF_MS_MAX);
    if (rule->when != NULL) {
        rf_buffer_append_text(out, ",\"when\":");
        print_condition(out, rule->when);
    }
    if (rule->clear_when != NULL) {
        rf_buffer_append_text(out, ",\"clear_when\":");
        print_condition(out, rule->clear_when);
    }
    if (rule->pattern != NULL)
        print_pattern(out, rule->pattern);
    rf_buffer_append_byte(out, '}');
}

void rf_explanation_print_json(const struct rf_plan *plan, const struct rf_explanation *explanation,
                               struct rf_buffer *out)
{
    rf_buffer_append_byte(out, '{');
    print_instant(out, "now", explanation->now);
    if (explanation->due == RF_MS_MAX)
        rf_buffer_append_text(out, ",\"due\":null");
    print_optional_instant(out, "due", explanation->due, RF_MS_MAX);
    rf_buffer_append_text(out, ",\"rules\":{");
    for (size_t i = 0; i < explanation->rule_count; i++) {
        rf_buffer_append_text(out, i == 0 ? "" : ",");
        rf_json_print_text(out, rf_bytes_of_text(plan->rules[explanation->rules[i].rule].name));
        rf_buffer_append_byte(out, ':');
        print_rule(out, plan->rules[explanation->rules[i].rule].mode, &explanation->rules[i]);
    }
    rf_buffer_append_text(out, "}}");
}
