#include "cli/explain_text.h"

#include <math.h>
#include <stdio.h>

#include "core/base/number.h"
#include "core/expr/expr.h"
#include "core/model/rule.h"

#define INDENT_STEP "  "
#define TEXT_MAX    4096

static void print_instant(struct rf_buffer *out, rf_ms instant)
{
    char text[RF_TIME_TEXT_MAX];

    rf_buffer_append(out, text, rf_time_format_ms(text, sizeof text, instant));
}

/* ---- a condition ---- */

static bool is_time(struct rf_value value)
{
    return value.kind == RF_VALUE_TIMESTAMP || value.kind == RF_VALUE_DURATION;
}

/* To six digits: how far something is is not worth more. */
static void print_amount(struct rf_buffer *out, double amount, bool is_span)
{
    char text[RF_SPAN_TEXT_MAX];

    if (is_span && amount < 1e12)
        rf_buffer_append(out, text,
                         rf_span_format(text, sizeof text, (rf_span_ms)llround(amount * 1e3)));
    else
        rf_buffer_printf(out, "%.6g", amount);
}

/* "3 short", "1.5 too much": of a comparison that does not hold. */
static void print_gap(struct rf_buffer *out, const struct rf_explained *test)
{
    bool wants_more =
        test->comparison == RF_COMPARES_GREATER || test->comparison == RF_COMPARES_GREATER_EQUAL;
    bool wants_less =
        test->comparison == RF_COMPARES_LESS || test->comparison == RF_COMPARES_LESS_EQUAL;
    double gap = 0;

    if (test->truth != RF_TRUTH_FALSE || (!wants_more && !wants_less) ||
        !rf_explained_gap(test, &gap) || !isfinite(gap))
        return;
    if (gap == 0) {
        rf_buffer_append_text(out, ", just not");
        return;
    }
    rf_buffer_append_text(out, ", ");
    print_amount(out, fabs(gap), is_time(test->left));
    rf_buffer_append_text(out, wants_more ? " short" : " too much");
}

/* What both sides come to, where that is more than the value of the one thing that is read. */
static void print_sides(struct rf_buffer *out, const struct rf_explained *test)
{
    if (test->comparison == RF_COMPARES_NOTHING ||
        (test->read_count == 1 && (rf_value_equal(test->left, test->reads[0].value) ||
                                   rf_value_equal(test->right, test->reads[0].value))))
        return;
    rf_buffer_append_text(out, test->read_count == 0 ? "" : ": ");
    rf_value_print(out, test->left);
    rf_buffer_printf(out, " %s ", rf_comparison_name(test->comparison));
    rf_value_print(out, test->right);
}

static void print_values(struct rf_buffer *out, const struct rf_explained *test)
{
    for (size_t i = 0; i < test->read_count; i++) {
        rf_buffer_printf(out, "%s%s = ", i == 0 ? "" : ", ", test->reads[i].name);
        rf_value_print(out, test->reads[i].value);
    }
    print_sides(out, test);
    print_gap(out, test);
}

static const char *mark_of(const struct rf_explained *condition)
{
    return condition->truth == RF_TRUTH_TRUE    ? "yes"
           : condition->truth == RF_TRUTH_FALSE ? "no "
                                                : "?  ";
}

static void print_condition(struct rf_buffer *out, const struct rf_explained *condition,
                            const char *indent, unsigned depth)
{
    static const char *const joined[] = {[RF_CONDITION_TEST] = "",
                                         [RF_CONDITION_AND] = "all of",
                                         [RF_CONDITION_OR] = "any of",
                                         [RF_CONDITION_NOT] = "not",
                                         [RF_CONDITION_CHOICE] = "if, then, else"};

    rf_buffer_append_text(out, indent);
    for (unsigned i = 0; i < depth; i++)
        rf_buffer_append_text(out, INDENT_STEP);
    rf_buffer_printf(out, "%s ", mark_of(condition));
    if (condition->kind != RF_CONDITION_TEST) {
        rf_buffer_printf(out, "%s\n", joined[condition->kind]);
    } else {
        rf_buffer_append(out, condition->text.data, condition->text.size);
        rf_buffer_append_text(out, "   ");
        print_values(out, condition);
        if (condition->why != NULL)
            rf_buffer_printf(out, " (%s)", condition->why);
        rf_buffer_append_byte(out, '\n');
    }
    for (size_t i = 0; i < condition->part_count; i++)
        print_condition(out, &condition->parts[i], indent, depth + 1);
}

/* The parts of an `&&` stand as a list. */
static void print_whole(struct rf_buffer *out, const struct rf_explained *condition,
                        const char *indent)
{
    if (condition->kind != RF_CONDITION_AND) {
        print_condition(out, condition, indent, 0);
        return;
    }
    for (size_t i = 0; i < condition->part_count; i++)
        print_condition(out, &condition->parts[i], indent, 0);
}

/* ---- a pattern ---- */

static void print_run(struct rf_buffer *out, const struct rf_explained_run *run, size_t stage_count,
                      const char *indent)
{
    rf_buffer_printf(out, "%s%zu of %zu: ", indent, run->taken_count, stage_count);
    for (size_t i = 0; i < run->taken_count; i++) {
        rf_buffer_printf(out, "%s%s at ", i == 0 ? "" : ", ", run->taken[i].kind);
        print_instant(out, run->taken[i].time);
    }
    if (run->next != NULL)
        rf_buffer_printf(out, "; waits for %s", run->next);
    else
        rf_buffer_printf(out, "; fires");
    if (run->until != RF_MS_MAX) {
        rf_buffer_append_text(out, run->next != NULL ? ", before " : " at ");
        print_instant(out, run->until);
    }
    if (run->forbids != NULL)
        rf_buffer_printf(out, ", unless %s", run->forbids);
    rf_buffer_append_byte(out, '\n');
}

static void print_pattern(struct rf_buffer *out, const struct rf_explained_pattern *pattern,
                          const char *indent)
{
    if (pattern->run_count == 0)
        rf_buffer_printf(out, "%snothing of its pattern has happened\n", indent);
    for (size_t i = 0; i < pattern->run_count; i++)
        print_run(out, &pattern->runs[i], pattern->stage_count, indent);
    if (pattern->waiting_count > 0)
        rf_buffer_printf(out, "%s%zu event%s of it wait%s for older ones to come in\n", indent,
                         pattern->waiting_count, pattern->waiting_count == 1 ? "" : "s",
                         pattern->waiting_count == 1 ? "s" : "");
}

/* ---- a rule ---- */

static void print_standing(struct rf_buffer *out, const struct rf_explained_rule *rule)
{
    switch (rule->standing) {
    case RF_STANDING_READY:
        rf_buffer_append_text(out, "holds, and nothing holds it back");
        break;
    case RF_STANDING_CONDITION:
        rf_buffer_append_text(out, "does not hold");
        break;
    case RF_STANDING_RAISED:
        rf_buffer_append_text(out, "raised since ");
        print_instant(out, rule->since);
        break;
    case RF_STANDING_FOR:
        rf_buffer_append_text(out, "holds since ");
        print_instant(out, rule->since);
        rf_buffer_append_text(out, ", and has to until ");
        print_instant(out, rule->until);
        break;
    case RF_STANDING_TOLD:
        rf_buffer_append_text(out, "has fired, and holds ever since ");
        print_instant(out, rule->since);
        break;
    case RF_STANDING_PATTERN:
        rf_buffer_append_text(out, "waits for its pattern");
        if (rule->until == RF_MS_MIN)
            break;
        rf_buffer_append_text(out, ", and is silent until ");
        print_instant(out, rule->until);
        break;
    case RF_STANDING_OFF:
        rf_buffer_append_text(out, "is off");
        break;
    case RF_STANDING_COOLDOWN:
        rf_buffer_append_text(out, "holds, and is held back by its cooldown until ");
        print_instant(out, rule->until);
        break;
    }
}

void rf_explained_rule_print_text(const struct rf_plan *plan, const struct rf_explained_rule *rule,
                                  const char *indent, struct rf_buffer *out)
{
    char deeper[TEXT_MAX];
    int size = snprintf(deeper, sizeof deeper, "%s" INDENT_STEP, indent);

    if (size < 0 || (size_t)size >= sizeof deeper)
        deeper[0] = '\0';
    rf_buffer_printf(out, "%s%s: %s", indent, plan->rules[rule->rule].name,
                     plan->rules[rule->rule].mode == RF_MODE_SHADOW ? "in shadow, " : "");
    print_standing(out, rule);
    if (rule->last_fired != RF_MS_MIN) {
        rf_buffer_printf(out, "; fired %lld time%s, last ", (long long)rule->fired_count,
                         rule->fired_count == 1 ? "" : "s");
        print_instant(out, rule->last_fired);
    }
    rf_buffer_append_byte(out, '\n');
    if (rule->pattern != NULL)
        print_pattern(out, rule->pattern, deeper);
    if (rule->pattern != NULL && rule->when != NULL)
        rf_buffer_printf(out, "%swhere a match counts if\n", deeper);
    if (rule->when != NULL)
        print_whole(out, rule->when, deeper);
    if (rule->clear_when != NULL) {
        rf_buffer_printf(out, "%sto be cleared\n", deeper);
        print_condition(out, rule->clear_when, deeper, 1);
    }
    if (rule->due != RF_MS_MAX) {
        rf_buffer_printf(out, "%swithout an event next at ", deeper);
        print_instant(out, rule->due);
        rf_buffer_append_byte(out, '\n');
    }
}

void rf_explanation_print_text(const struct rf_plan *plan, const struct rf_explanation *explanation,
                               struct rf_buffer *out)
{
    rf_buffer_append_text(out, "how the rules of ");
    rf_buffer_append(out, explanation->customer.data, explanation->customer.size);
    rf_buffer_append_text(out, " stand at ");
    print_instant(out, explanation->now);
    rf_buffer_append_byte(out, '\n');
    for (size_t i = 0; i < explanation->rule_count; i++)
        rf_explained_rule_print_text(plan, &explanation->rules[i], INDENT_STEP, out);
}
