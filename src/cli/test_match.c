#include "cli/test_match.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/number.h"
#include "core/codec/derived_codec.h"
#include "core/model/output.h"
#include "core/model/rule.h"

#define TEXT_MAX           65536
#define TOLERANCE_STANDARD 1e-9 /* of the greater of the two */

/* ---- values ---- */

static bool is_near(double expected, double actual, double tolerance)
{
    double size = fabs(expected) > fabs(actual) ? fabs(expected) : fabs(actual);

    if (isnan(expected) || isnan(actual))
        return isnan(expected) && isnan(actual);
    if (isinf(expected) || isinf(actual))
        return expected == actual;
    return fabs(expected - actual) <= (tolerance < 0 ? TOLERANCE_STANDARD * size : tolerance);
}

static bool number_matches(const struct rf_test_value *expected, struct rf_value actual)
{
    struct rf_bytes text = rf_bytes_of_text(expected->text);
    int64_t integer = 0;
    uint64_t uinteger = 0;
    double number = 0;

    if (expected->tolerance < 0 && actual.kind == RF_VALUE_INT && rf_int64_parse(text, &integer))
        return integer == actual.as.integer;
    if (expected->tolerance < 0 && actual.kind == RF_VALUE_UINT && rf_uint64_parse(text, &uinteger))
        return uinteger == actual.as.uinteger;
    if (!rf_double_parse(text, &number))
        return false;
    return is_near(number,
                   actual.kind == RF_VALUE_INT    ? (double)actual.as.integer
                   : actual.kind == RF_VALUE_UINT ? (double)actual.as.uinteger
                                                  : actual.as.number,
                   expected->tolerance);
}

static bool instant_matches(struct rf_bytes text, struct rf_value actual)
{
    int64_t seconds = 0;
    int32_t nanoseconds = 0;

    return rf_time_parse(text, &seconds, &nanoseconds) && seconds == actual.as.seconds &&
           nanoseconds == actual.nanoseconds;
}

/* "7d", or "2.5s" as they are printed. */
static bool duration_matches(struct rf_bytes text, struct rf_value actual)
{
    double actual_seconds = (double)actual.as.seconds + 1e-9 * actual.nanoseconds;
    double seconds = 0;
    rf_span_ms span = 0;

    if (rf_span_parse(text, &span))
        return is_near((double)span / RF_SECOND_MS, actual_seconds, -1);
    return text.size > 1 && text.data[text.size - 1] == 's' &&
           rf_double_parse(rf_bytes_of(text.data, text.size - 1), &seconds) &&
           is_near(seconds, actual_seconds, -1);
}

static bool list_matches(const struct rf_test_value *expected, struct rf_value actual)
{
    if (actual.kind != RF_VALUE_LIST || actual.as.list->count != expected->count)
        return false;
    for (size_t i = 0; i < expected->count; i++) {
        if (!rf_test_value_matches(&expected->items[i], actual.as.list->items[i]))
            return false;
    }
    return true;
}

/* A key as it is written: its text, or as CEL writes it. */
static bool key_is(struct rf_value key, const char *text)
{
    struct rf_buffer literal;
    bool same = false;

    if (key.kind == RF_VALUE_STRING)
        return rf_bytes_equal(key.as.text, rf_bytes_of_text(text));
    rf_buffer_init(&literal, TEXT_MAX);
    rf_value_print(&literal, key);
    same = rf_bytes_equal(rf_buffer_bytes(&literal), rf_bytes_of_text(text));
    rf_buffer_deinit(&literal);
    return same;
}

static const struct rf_value *find_member(struct rf_value actual, const char *key)
{
    if (actual.kind == RF_VALUE_MAP) {
        for (size_t i = 0; i < actual.as.map->count; i++) {
            if (key_is(actual.as.map->keys[i], key))
                return &actual.as.map->values[i];
        }
        return NULL;
    }
    for (size_t i = 0; i < actual.as.record->type->field_count; i++) {
        if (strcmp(actual.as.record->type->fields[i].name, key) == 0)
            return &actual.as.record->fields[i];
    }
    return NULL;
}

static bool map_matches(const struct rf_test_value *expected, struct rf_value actual)
{
    if (actual.kind != RF_VALUE_MAP && actual.kind != RF_VALUE_RECORD)
        return false;
    if (actual.kind == RF_VALUE_MAP && actual.as.map->count != expected->count)
        return false;
    for (size_t i = 0; i < expected->count; i++) {
        const struct rf_value *member = find_member(actual, expected->keys[i]);

        if (member == NULL || !rf_test_value_matches(&expected->items[i], *member))
            return false;
    }
    return true;
}

static bool literal_matches(struct rf_bytes text, struct rf_value actual)
{
    struct rf_buffer literal;
    bool same = false;

    rf_buffer_init(&literal, TEXT_MAX);
    rf_value_print(&literal, actual);
    same = rf_bytes_equal(rf_buffer_bytes(&literal), text);
    rf_buffer_deinit(&literal);
    return same;
}

bool rf_test_value_matches(const struct rf_test_value *expected, struct rf_value actual)
{
    struct rf_bytes text = rf_bytes_of_text(expected->text == NULL ? "" : expected->text);

    if (expected->kind == RF_TEST_VALUE_NULL)
        return actual.kind == RF_VALUE_NULL;
    if (expected->kind == RF_TEST_VALUE_LIST)
        return list_matches(expected, actual);
    if (expected->kind == RF_TEST_VALUE_MAP)
        return map_matches(expected, actual);
    switch ((enum rf_value_kind)actual.kind) {
    case RF_VALUE_INT:
    case RF_VALUE_UINT:
    case RF_VALUE_DOUBLE:
        return number_matches(expected, actual);
    case RF_VALUE_BOOL:
        return rf_bytes_equal(text, rf_bytes_of_text(actual.as.boolean ? "true" : "false"));
    case RF_VALUE_STRING:
        return rf_bytes_equal(text, actual.as.text);
    case RF_VALUE_TIMESTAMP:
        return instant_matches(text, actual);
    case RF_VALUE_DURATION:
        return duration_matches(text, actual);
    default:
        return literal_matches(text, actual);
    }
}

static void print_items(struct rf_buffer *out, const struct rf_test_value *value)
{
    bool is_map = value->kind == RF_TEST_VALUE_MAP;

    rf_buffer_append_byte(out, is_map ? '{' : '[');
    for (size_t i = 0; i < value->count; i++) {
        rf_buffer_append_text(out, i == 0 ? "" : ", ");
        if (is_map)
            rf_buffer_printf(out, "\"%s\": ", value->keys[i]);
        rf_test_value_print(out, &value->items[i]);
    }
    rf_buffer_append_byte(out, is_map ? '}' : ']');
}

void rf_test_value_print(struct rf_buffer *out, const struct rf_test_value *value)
{
    char text[RF_DOUBLE_TEXT_MAX];

    if (value->kind == RF_TEST_VALUE_LIST || value->kind == RF_TEST_VALUE_MAP) {
        print_items(out, value);
        return;
    }
    if (value->kind == RF_TEST_VALUE_NULL) {
        rf_buffer_append_text(out, "null");
        return;
    }
    rf_buffer_append_text(out, value->text);
    if (value->tolerance < 0)
        return;
    rf_buffer_append_text(out, ", give or take ");
    rf_buffer_append(out, text, rf_double_format(text, sizeof text, value->tolerance));
}

/* A text without the quotes of a literal: as a test would write it. */
static void print_value(struct rf_buffer *out, struct rf_value value)
{
    char text[RF_TIME_TEXT_MAX];

    if (value.kind == RF_VALUE_STRING)
        rf_buffer_append(out, value.as.text.data, value.as.text.size);
    else if (value.kind == RF_VALUE_TIMESTAMP)
        rf_buffer_append(out, text,
                         rf_time_format(text, sizeof text, value.as.seconds, value.nanoseconds));
    else
        rf_value_print(out, value);
}

/* ---- a derived event ---- */

struct comparing {
    const struct rf_plan *plan;
    const struct rf_test_match *match;
    const struct rf_derived *derived;
    const char *indent;
    struct rf_buffer *out; /* NULL: nobody wants to know */
    size_t differences;
};

static void print_instant(struct rf_buffer *out, rf_ms instant)
{
    char text[RF_TIME_TEXT_MAX];

    rf_buffer_append(out, text, rf_time_format_ms(text, sizeof text, instant));
}

static void differ(struct comparing *comparing, const char *what, struct rf_bytes expected,
                   struct rf_bytes actual)
{
    comparing->differences++;
    if (comparing->out == NULL)
        return;
    rf_buffer_printf(comparing->out, "%s- %s: ", comparing->indent, what);
    rf_buffer_append(comparing->out, expected.data, expected.size);
    rf_buffer_printf(comparing->out, "\n%s+ %s: ", comparing->indent, what);
    rf_buffer_append(comparing->out, actual.data, actual.size);
    rf_buffer_append_byte(comparing->out, '\n');
}

static void compare_text(struct comparing *comparing, const char *what, const char *expected,
                         struct rf_bytes actual)
{
    if (expected != NULL && !rf_bytes_equal(rf_bytes_of_text(expected), actual))
        differ(comparing, what, rf_bytes_of_text(expected), actual);
}

static void compare_value(struct comparing *comparing, const char *what,
                          const struct rf_test_value *expected, struct rf_value actual)
{
    struct rf_buffer left, right;

    if (rf_test_value_matches(expected, actual))
        return;
    rf_buffer_init(&left, TEXT_MAX);
    rf_buffer_init(&right, TEXT_MAX);
    rf_test_value_print(&left, expected);
    print_value(&right, actual);
    differ(comparing, what, rf_buffer_bytes(&left), rf_buffer_bytes(&right));
    rf_buffer_deinit(&left);
    rf_buffer_deinit(&right);
}

static void compare_time(struct comparing *comparing)
{
    char expected[RF_TIME_TEXT_MAX];
    char actual[RF_TIME_TEXT_MAX];
    rf_ms at = comparing->match->at;

    if (at == RF_MS_MIN || at == comparing->derived->occurred_at)
        return;
    differ(comparing, "at", rf_bytes_of(expected, rf_time_format_ms(expected, sizeof expected, at)),
           rf_bytes_of(actual,
                       rf_time_format_ms(actual, sizeof actual, comparing->derived->occurred_at)));
}

static void compare_episode(struct comparing *comparing)
{
    char expected[32];
    char actual[32];

    if (comparing->match->episode == 0 || comparing->match->episode == comparing->derived->episode)
        return;
    snprintf(expected, sizeof expected, "%lld", (long long)comparing->match->episode);
    snprintf(actual, sizeof actual, "%lld", (long long)comparing->derived->episode);
    differ(comparing, "episode", rf_bytes_of_text(expected), rf_bytes_of_text(actual));
}

static void print_matched(struct rf_buffer *out, const struct rf_derived *derived)
{
    for (size_t i = 0; i < derived->matched_count; i++)
        rf_buffer_printf(out, "%s%s", i == 0 ? "" : ", ", derived->matched[i].kind);
}

static void compare_matched(struct comparing *comparing)
{
    struct rf_buffer actual;

    if (comparing->match->matched == NULL)
        return;
    rf_buffer_init(&actual, TEXT_MAX);
    print_matched(&actual, comparing->derived);
    compare_text(comparing, "matched", comparing->match->matched, rf_buffer_bytes(&actual));
    rf_buffer_deinit(&actual);
}

static void compare_pattern(struct comparing *comparing)
{
    const struct rf_value text = rf_value_string(comparing->derived->because);
    struct rf_value answer = rf_value_null();
    struct rf_expr_scratch scratch = {0};
    struct rf_error err = {0};
    struct rf_arena arena;
    bool fits = false;

    if (comparing->match->because_matches == NULL)
        return;
    rf_arena_init(&arena, TEXT_MAX);
    scratch.arena = &arena;
    fits = rf_expr_eval(comparing->match->because_matches, &text, &scratch, &answer, &err) &&
           answer.kind == RF_VALUE_BOOL && answer.as.boolean;
    rf_arena_deinit(&arena);
    if (!fits)
        differ(comparing, err.kind == RF_ERROR_NONE ? "because, matching" : err.message,
               rf_bytes_of_text(comparing->match->because_pattern), comparing->derived->because);
}

static void compare_reason(struct comparing *comparing, const struct rf_test_member *expected)
{
    const struct rf_derived *derived = comparing->derived;
    struct rf_buffer what;

    rf_buffer_init(&what, TEXT_MAX);
    rf_buffer_printf(&what, "reasons.%s", expected->name);
    rf_buffer_append_byte(&what, '\0');
    for (size_t i = 0; i < derived->reason_count; i++) {
        if (strcmp(derived->reasons[i].name, expected->name) != 0)
            continue;
        compare_value(comparing, (const char *)what.data, &expected->value,
                      derived->reasons[i].value);
        rf_buffer_deinit(&what);
        return;
    }
    differ(comparing, (const char *)what.data, rf_bytes_of_text("a reason"),
           rf_bytes_of_text("not among the reasons"));
    rf_buffer_deinit(&what);
}

size_t rf_test_compare(const struct rf_plan *plan, const struct rf_test_match *match,
                       const struct rf_derived *derived, const char *indent,
                       struct rf_buffer *differences)
{
    struct comparing comparing = {
        .plan = plan, .match = match, .derived = derived, .indent = indent, .out = differences};
    /* The end of a customer is no rule's doing. */
    const struct rf_rule *rule = derived->rule == RF_RULE_NONE ? NULL : &plan->rules[derived->rule];

    compare_text(&comparing, "rule", match->rule,
                 rf_bytes_of_text(rule == NULL ? "none" : rule->name));
    compare_text(&comparing, "status", match->status,
                 rf_bytes_of_text(rf_status_name(derived->status)));
    if (match->customer.data != NULL && !rf_bytes_equal(match->customer, derived->customer))
        differ(&comparing, "customer", match->customer, derived->customer);
    compare_text(&comparing, "output", match->output,
                 rf_bytes_of_text(plan->outputs[derived->output].name));
    compare_text(&comparing, "severity", match->severity,
                 rf_bytes_of_text(rule == NULL ? "none" : rule->severity));
    compare_text(&comparing, "because", match->because, derived->because);
    compare_pattern(&comparing);
    compare_time(&comparing);
    compare_episode(&comparing);
    compare_matched(&comparing);
    for (size_t i = 0; i < match->reason_count; i++)
        compare_reason(&comparing, &match->reasons[i]);
    if (match->offer_value != NULL)
        compare_value(&comparing, "value", match->offer_value, derived->offer_value);
    return comparing.differences;
}

/* ---- one line each ---- */

static void print_word(struct rf_buffer *out, const char **separator, const char *what,
                       const char *text)
{
    if (text == NULL)
        return;
    rf_buffer_printf(out, "%s%s: %s", *separator, what, text);
    *separator = ", ";
}

void rf_test_match_print(struct rf_buffer *out, const struct rf_test_match *match)
{
    const char *separator = "{ ";

    print_word(out, &separator, "rule", match->rule);
    print_word(out, &separator, "status", match->status);
    print_word(out, &separator, "customer", (const char *)match->customer.data);
    print_word(out, &separator, "output", match->output);
    print_word(out, &separator, "severity", match->severity);
    print_word(out, &separator, "because", match->because);
    if (match->because_pattern != NULL)
        rf_buffer_printf(out, "%sbecause: { matches: '%s' }", separator, match->because_pattern);
    separator = match->because_pattern != NULL ? ", " : separator;
    if (match->episode > 0) {
        rf_buffer_printf(out, "%sepisode: %lld", separator, (long long)match->episode);
        separator = ", ";
    }
    if (match->matched != NULL) {
        rf_buffer_printf(out, "%smatched: [ %s ]", separator, match->matched);
        separator = ", ";
    }
    if (match->at != RF_MS_MIN) {
        rf_buffer_printf(out, "%sat: ", separator);
        print_instant(out, match->at);
        separator = ", ";
    }
    if (match->offer_value != NULL) {
        rf_buffer_printf(out, "%svalue: ", separator);
        rf_test_value_print(out, match->offer_value);
        separator = ", ";
    }
    for (size_t i = 0; i < match->reason_count; i++) {
        if (i == 0)
            rf_buffer_printf(out, "%sreasons: { ", separator);
        rf_buffer_printf(out, "%s%s: ", i == 0 ? "" : ", ", match->reasons[i].name);
        rf_test_value_print(out, &match->reasons[i].value);
    }
    rf_buffer_append_text(out, match->reason_count > 0 ? " } }" : *separator == '{' ? "{ }" : " }");
}

void rf_test_derived_print(const struct rf_plan *plan, const struct rf_derived *derived,
                           struct rf_buffer *out)
{
    const struct rf_rule *rule = derived->rule == RF_RULE_NONE ? NULL : &plan->rules[derived->rule];

    rf_buffer_append_text(out, rf_status_name(derived->status));
    if (rule != NULL)
        rf_buffer_printf(out, " %s, %s, of ", rule->name, rule->severity);
    else
        rf_buffer_append_byte(out, ' ');
    rf_buffer_append(out, derived->customer.data, derived->customer.size);
    if (derived->episode > 1)
        rf_buffer_printf(out, ", episode %lld,", (long long)derived->episode);
    rf_buffer_append_text(out, " at ");
    print_instant(out, derived->occurred_at);
    if (derived->because.size > 0) {
        rf_buffer_append_text(out, ": ");
        rf_buffer_append(out, derived->because.data, derived->because.size);
    }
    for (size_t i = 0; i < derived->reason_count; i++) {
        rf_buffer_printf(out, "%s%s = ", i == 0 ? " (" : ", ", derived->reasons[i].name);
        rf_value_print(out, derived->reasons[i].value);
    }
    rf_buffer_append_text(out, derived->reason_count > 0 ? ")" : "");
    if (derived->matched_count == 0)
        return;
    rf_buffer_append_text(out, " [");
    print_matched(out, derived);
    rf_buffer_append_byte(out, ']');
}
