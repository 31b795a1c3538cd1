#include "cli/test_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain_text.h"
#include "cli/test_match.h"
#include "core/base/assert.h"
#include "core/engine/copy.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/task/counts.h"
#include "core/task/outbox.h"
#include "core/task/task_customers.h"
#include "core/task/task_stats.h"
#include "edge/replay/offline.h"
#include "edge/sys/clock.h"

#define TEXT_MAX    (1U << 20)
#define EMITTED_MAX 100000 /* of one test; what comes after is counted as a failure */
#define SHOWN_MAX   10     /* events that were not expected, in one failure */

struct emitted {
    struct rf_derived derived;
    bool matched;
};

struct letter {
    size_t line; /* of the event */
    const char *error_class;
    const char *message;
    bool matched;
};

struct run {
    const struct rf_test_bench *bench;
    const struct rf_test_case *test;
    struct rf_arena *arena;
    struct rf_test_outcome *outcome;
    struct rf_offline *offline;
    struct rf_buffer details;

    size_t *lines; /* by offset: of the event */
    size_t line_count;

    /* since the last expectation that looked at them */
    size_t emitted_count, emitted_capacity;
    struct emitted *emitted; /* owned */
    size_t letter_count, letter_capacity;
    struct letter *letters; /* owned */
    struct rf_task_counts before;
};

/* ---- what happens ---- */

static void *grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 16 : 2 * *capacity;
    items = realloc(items, *capacity * item_size);
    rf_assert(items != NULL);
    return items;
}

static void take_derived(void *self, const struct rf_derived *derived)
{
    struct run *run = self;
    struct rf_derived *copy = NULL;
    struct rf_reason *reasons = NULL;
    struct rf_matched *matched = NULL;

    if (run->emitted_count == EMITTED_MAX)
        return;
    run->emitted =
        grow(run->emitted, run->emitted_count, &run->emitted_capacity, sizeof *run->emitted);
    run->emitted[run->emitted_count] = (struct emitted){.derived = *derived};
    copy = &run->emitted[run->emitted_count++].derived;
    copy->customer = rf_arena_copy(run->arena, derived->customer);
    copy->because = rf_arena_copy(run->arena, derived->because);
    reasons = rf_arena_alloc(run->arena, (derived->reason_count + 1) * sizeof *reasons);
    for (size_t i = 0; i < derived->reason_count; i++) {
        reasons[i] = derived->reasons[i];
        reasons[i].value = rf_value_copy(run->arena, derived->reasons[i].value);
    }
    copy->reasons = reasons;
    matched = rf_arena_alloc(run->arena, (derived->matched_count + 1) * sizeof *matched);
    for (size_t i = 0; i < derived->matched_count; i++)
        matched[i] = derived->matched[i];
    copy->matched = matched;
}

static void take_dead_letter(void *self, const struct rf_dead_letter *letter)
{
    struct run *run = self;
    int64_t offset = letter->input.position.offset;

    rf_assert(offset >= 0 && (size_t)offset < run->line_count);
    run->letters =
        grow(run->letters, run->letter_count, &run->letter_capacity, sizeof *run->letters);
    run->letters[run->letter_count++] = (struct letter){
        .line = run->lines[offset],
        .error_class = rf_arena_copy_text(run->arena, letter->error_class),
        .message = rf_arena_copy_text(run->arena, letter->message),
    };
}

/* ---- failures ---- */

/* With what has gathered in run->details. */
static void RF_PRINTF(3, 4) fail(struct run *run, size_t line, const char *format, ...)
{
    struct rf_test_outcome *outcome = run->outcome;
    struct rf_test_failure *failure = &outcome->failures[outcome->failure_count];
    va_list arguments;
    char message[RF_ERROR_MESSAGE_MAX];

    if (outcome->failure_count < RF_TEST_FAILURES_MAX) {
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        failure->line = line;
        failure->message = rf_arena_copy_text(run->arena, message);
        failure->details =
            (const char *)rf_arena_copy(run->arena, rf_buffer_bytes(&run->details)).data;
        outcome->failure_count++;
    }
    rf_buffer_clear(&run->details);
}

/* ---- a customer as the rules see it ---- */

/* *customer is NULL where nothing is known. The values of the features are in bench->values then. */
static bool look(struct run *run, struct rf_bytes id, struct rf_customer **customer,
                 struct rf_error *err)
{
    if (!rf_task_customer(rf_offline_task(run->offline), id, run->arena, customer, err))
        return false;
    if (*customer != NULL)
        rf_engine_features(run->bench->engine, *customer, rf_offline_now(run->offline), run->arena,
                           run->bench->values);
    return true;
}

/* The same, or a failure. */
static struct rf_customer *look_or_fail(struct run *run, struct rf_bytes id, size_t line)
{
    struct rf_customer *customer = NULL;
    struct rf_error err = {0};

    if (!look(run, id, &customer, &err))
        fail(run, line, "%s", err.message);
    else if (customer == NULL)
        fail(run, line, "nothing is known of customer %.*s", (int)id.size, (const char *)id.data);
    return customer;
}

static void print_customer(struct rf_buffer *out, struct rf_bytes id, rf_ms now)
{
    char text[RF_TIME_TEXT_MAX];

    rf_buffer_append(out, id.data, id.size);
    rf_buffer_append_text(out, " at ");
    rf_buffer_append(out, text, rf_time_format_ms(text, sizeof text, now));
}

static void print_standing(struct run *run, const struct rf_customer *customer, uint32_t rule)
{
    struct rf_explanation explanation;

    rf_explain(run->bench->explainer, customer, rf_offline_now(run->offline), run->arena,
               &explanation);
    rf_explained_rule_print_text(run->bench->config->plan, &explanation.rules[rule], "",
                                 &run->details);
}

/* What a rule goes by, of a customer of whom it was expected to fire, and how it stands. */
static void print_reads(struct run *run, uint32_t rule, struct rf_bytes id)
{
    const struct rf_plan *plan = run->bench->config->plan;
    struct rf_customer *customer = NULL;
    struct rf_error err = {0};
    const char *separator = ": ";

    if (!look(run, id, &customer, &err) || customer == NULL) {
        rf_buffer_append_text(&run->details, "nothing is known of customer ");
        rf_buffer_append(&run->details, id.data, id.size);
        rf_buffer_append_byte(&run->details, '\n');
        return;
    }
    rf_buffer_printf(&run->details, "what rule '%s' reads of ", plan->rules[rule].name);
    print_customer(&run->details, id, rf_offline_now(run->offline));
    for (size_t f = 0; f < plan->feature_count; f++) {
        if ((plan->rules[rule].reads.bits[f / 64] >> (f % 64) & 1U) == 0)
            continue;
        rf_buffer_printf(&run->details, "%s%s = ", separator, plan->features[f].name);
        rf_value_print(&run->details, run->bench->values[f]);
        separator = ", ";
    }
    if (separator[0] == ':')
        rf_buffer_append_text(&run->details, ": no feature");
    rf_buffer_append_byte(&run->details, '\n');
    print_standing(run, customer, rule);
}

static void print_named_reads(struct run *run, const char *name, struct rf_bytes id)
{
    const struct rf_plan *plan = run->bench->config->plan;
    const struct rf_rule *rule = rf_rule_find(plan, name);

    if (rule != NULL)
        print_reads(run, (uint32_t)(rule - plan->rules), id);
}

/* ---- derived events ---- */

static size_t find_match(const struct run *run, const struct rf_test_match *match)
{
    for (size_t i = 0; i < run->emitted_count; i++) {
        if (!run->emitted[i].matched && rf_test_compare(run->bench->config->plan, match,
                                                        &run->emitted[i].derived, "", NULL) == 0)
            return i;
    }
    return run->emitted_count;
}

/* The event that nothing else asks for and that differs least; of the expected rule, if there is one. */
static const struct rf_derived *find_nearest(const struct run *run,
                                             const struct rf_test_match *match)
{
    const struct rf_plan *plan = run->bench->config->plan;
    const struct rf_derived *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < run->emitted_count; i++) {
        const struct rf_derived *derived = &run->emitted[i].derived;
        size_t differences = rf_test_compare(plan, match, derived, "", NULL);

        if (match->rule != NULL && (derived->rule == RF_RULE_NONE ||
                                    strcmp(plan->rules[derived->rule].name, match->rule) != 0))
            differences += 100;
        if (run->emitted[i].matched || differences >= least)
            continue;
        least = differences;
        nearest = derived;
    }
    return least < 100 ? nearest : NULL;
}

static void print_unmatched(struct run *run)
{
    size_t shown = 0;
    size_t more = 0;

    for (size_t i = 0; i < run->emitted_count; i++) {
        if (run->emitted[i].matched)
            continue;
        if (shown++ >= SHOWN_MAX) {
            more++;
            continue;
        }
        rf_buffer_append_text(&run->details, "  ");
        rf_test_derived_print(run->bench->config->plan, &run->emitted[i].derived, &run->details);
        rf_buffer_append_byte(&run->details, '\n');
    }
    if (more > 0)
        rf_buffer_printf(&run->details, "  and %zu more\n", more);
}

static size_t count_unmatched(const struct run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->emitted_count; i++)
        count += run->emitted[i].matched ? 0 : 1;
    return count;
}

/* Events that went another way than into a customer: the likely cause where nothing came of them. */
static void print_counts(struct run *run)
{
    struct rf_task_counts now = rf_task_counts(rf_offline_task(run->offline));
    uint64_t filtered = now.filtered - run->before.filtered;
    uint64_t duplicates = now.duplicates - run->before.duplicates;
    uint64_t late = now.late - run->before.late;
    uint64_t errors = now.rule_errors - run->before.rule_errors;

    if (filtered > 0)
        rf_buffer_printf(&run->details, "%llu events were passed over by their source's `where`\n",
                         (unsigned long long)filtered);
    if (duplicates > 0)
        rf_buffer_printf(&run->details, "%llu events were duplicates by their `id`\n",
                         (unsigned long long)duplicates);
    if (late > 0)
        rf_buffer_printf(&run->details, "%llu events came too late (`lateness`)\n",
                         (unsigned long long)late);
    if (errors > 0)
        rf_buffer_printf(&run->details, "rules could not be evaluated %llu times\n",
                         (unsigned long long)errors);
}

static void print_rule_error(struct run *run)
{
    struct rf_error why = {0};
    uint32_t rule = 0;

    if (rf_task_take_rule_error(rf_offline_task(run->offline), &rule, &why))
        rf_buffer_printf(&run->details, "rule '%s' could not be evaluated: %s\n",
                         run->bench->config->plan->rules[rule].name, why.message);
}

static void fail_missing(struct run *run, const struct rf_test_match *match)
{
    const struct rf_derived *nearest = find_nearest(run, match);
    struct rf_bytes customer = match->customer.data != NULL ? match->customer : run->test->customer;
    struct rf_buffer *details = &run->details;

    rf_buffer_append_text(details, "expected: ");
    rf_test_match_print(details, match);
    rf_buffer_append_byte(details, '\n');
    if (nearest != NULL) {
        rf_buffer_append_text(details, "nearest:  ");
        rf_test_derived_print(run->bench->config->plan, nearest, details);
        rf_buffer_append_byte(details, '\n');
        (void)rf_test_compare(run->bench->config->plan, match, nearest, "  ", details);
        customer = nearest->customer;
    }
    if (count_unmatched(run) > (nearest != NULL ? 1 : 0)) {
        rf_buffer_append_text(details, "emitted, and not expected:\n");
        print_unmatched(run);
    }
    if (match->rule != NULL)
        print_named_reads(run, match->rule, customer);
    print_counts(run);
    print_rule_error(run);
    fail(run, match->line, "%s",
         run->emitted_count == 0 ? "nothing was emitted" : "no such event was emitted");
}

static bool is_in_order(const struct run *run, const struct rf_test_expectation *expectation)
{
    const struct rf_plan *plan = run->bench->config->plan;

    for (size_t i = 0; i < expectation->match_count; i++) {
        if (rf_test_compare(plan, &expectation->matches[i], &run->emitted[i].derived, "", NULL) > 0)
            return false;
    }
    return true;
}

static void check_extra(struct run *run, const struct rf_test_expectation *expectation)
{
    size_t extra = count_unmatched(run);

    if (extra > 0) {
        print_unmatched(run);
        fail(run, expectation->line, "%zu event%s emitted that %s not expected", extra,
             extra == 1 ? " was" : "s were", extra == 1 ? "is" : "are");
    } else if (!is_in_order(run, expectation)) {
        for (size_t i = 0; i < run->emitted_count; i++)
            run->emitted[i].matched = false;
        print_unmatched(run);
        fail(run, expectation->line, "the events were emitted in another order");
    }
}

static void check_derived(struct run *run, const struct rf_test_expectation *expectation)
{
    size_t failures = run->outcome->failure_count;
    bool *met = NULL;

    if (expectation->mode == RF_TEST_UNSAID)
        return;
    if (run->emitted_count == EMITTED_MAX)
        fail(run, expectation->line, "more than %d events were emitted", EMITTED_MAX);
    met = rf_arena_alloc_zero(run->arena, expectation->match_count * sizeof *met);
    for (size_t i = 0; i < expectation->match_count; i++) {
        size_t found = find_match(run, &expectation->matches[i]);

        met[i] = found < run->emitted_count;
        if (met[i])
            run->emitted[found].matched = true;
    }
    /* Afterwards, so that what is called the nearest is not what another one asks for. */
    for (size_t i = 0; i < expectation->match_count; i++) {
        if (!met[i])
            fail_missing(run, &expectation->matches[i]);
    }
    if (expectation->mode == RF_TEST_EXACT && run->outcome->failure_count == failures)
        check_extra(run, expectation);
    run->emitted_count = 0;
}

/* ---- features and dead letters ---- */

static void check_features(struct run *run, const struct rf_test_features *features)
{
    const struct rf_plan *plan = run->bench->config->plan;
    const struct rf_value *values = run->bench->values;

    if (look_or_fail(run, features->customer, features->line) == NULL)
        return;
    for (size_t i = 0; i < features->count; i++) {
        const struct rf_test_member *member = &features->members[i];

        for (size_t f = 0; f < plan->feature_count; f++) {
            if (strcmp(plan->features[f].name, member->name) != 0 ||
                rf_test_value_matches(&member->value, values[f]))
                continue;
            rf_buffer_append_text(&run->details, "- ");
            rf_test_value_print(&run->details, &member->value);
            rf_buffer_append_text(&run->details, "\n+ ");
            rf_value_print(&run->details, values[f]);
            rf_buffer_append_text(&run->details, "\nof ");
            print_customer(&run->details, features->customer, rf_offline_now(run->offline));
            rf_buffer_append_byte(&run->details, '\n');
            fail(run, member->line, "feature '%s' differs", member->name);
        }
    }
}

static void check_held(struct run *run, const struct rf_test_held *held)
{
    const struct rf_plan *plan = run->bench->config->plan;
    struct rf_customer *customer = look_or_fail(run, held->customer, held->line);
    struct rf_explanation explanation;

    if (customer == NULL)
        return;
    rf_explain(run->bench->explainer, customer, rf_offline_now(run->offline), run->arena,
               &explanation);
    if (explanation.rules[held->rule].standing == held->standing)
        return;
    rf_buffer_printf(&run->details, "- %s\n+ %s\n", rf_standing_name(held->standing),
                     rf_standing_name(explanation.rules[held->rule].standing));
    print_reads(run, held->rule, held->customer);
    fail(run, held->line, "rule '%s' stands otherwise", plan->rules[held->rule].name);
}

static bool letter_matches(const struct rf_test_dead_letter *expected, const struct letter *letter)
{
    return !letter->matched &&
           (expected->error_class == NULL ||
            strcmp(expected->error_class, letter->error_class) == 0) &&
           (expected->message == NULL || strstr(letter->message, expected->message) != NULL);
}

/* One that nobody expects is a failure: the event that the test speaks of did not count. */
static void check_dead_letters(struct run *run, const struct rf_test_expectation *expectation)
{
    for (size_t i = 0; i < expectation->dead_letter_count; i++) {
        size_t found = 0;

        while (found < run->letter_count &&
               !letter_matches(&expectation->dead_letters[i], &run->letters[found]))
            found++;
        if (found < run->letter_count)
            run->letters[found].matched = true;
        else
            fail(run, expectation->dead_letters[i].line, "there was no such dead letter");
    }
    for (size_t i = 0; i < run->letter_count; i++) {
        if (!run->letters[i].matched)
            fail(run, run->letters[i].line, "the event became a dead letter: %s: %s",
                 run->letters[i].error_class, run->letters[i].message);
    }
    run->letter_count = 0;
}

static void check(struct run *run, const struct rf_test_expectation *expectation)
{
    check_dead_letters(run, expectation);
    check_derived(run, expectation);
    for (size_t i = 0; i < expectation->features_count; i++)
        check_features(run, &expectation->features[i]);
    for (size_t i = 0; i < expectation->held_count; i++)
        check_held(run, &expectation->held[i]);
    run->before = rf_task_counts(rf_offline_task(run->offline));
}

/* ---- the steps ---- */

static bool feed(struct run *run, const struct rf_test_step *step, struct rf_error *err)
{
    for (size_t i = 0; i < step->event_count; i++) {
        const struct rf_test_event *event = &step->events[i];
        const struct rf_input input = {
            .source = event->source,
            .position = {.topic = run->bench->config->plan->sources[event->source].topic,
                         .offset = (int64_t)run->line_count},
            .broker_time = event->broker_time,
            .key = event->key,
            .value = event->payload,
        };

        run->lines[run->line_count++] = event->line;
        if (!rf_offline_feed(run->offline, &input, err))
            return false;
    }
    return rf_offline_commit(run->offline, err);
}

static bool take_step(struct run *run, const struct rf_test_step *step, struct rf_error *err)
{
    switch (step->kind) {
    case RF_TEST_GIVEN:
        run->emitted_count = 0;
        if (!feed(run, step, err))
            return false;
        run->emitted_count = 0;
        return true;
    case RF_TEST_WHEN:
        return feed(run, step, err);
    case RF_TEST_ADVANCE:
        return rf_offline_advance(run->offline, step->to, err);
    case RF_TEST_EXPECT:
        check(run, step->expectation);
        return true;
    }
    return true;
}

static void take_steps(struct run *run)
{
    static const struct rf_test_expectation nothing = {0};
    struct rf_error err = {0};
    size_t events = 0;

    for (size_t i = 0; i < run->test->step_count; i++)
        events += run->test->steps[i].event_count;
    run->lines = rf_arena_alloc(run->arena, (events + 1) * sizeof *run->lines);
    for (size_t i = 0; i < run->test->step_count; i++) {
        if (take_step(run, &run->test->steps[i], &err))
            continue;
        fail(run, run->test->steps[i].line, "%s", err.message);
        return;
    }
    check_dead_letters(run, &nothing); /* those of events after the last expectation */
}

void rf_test_run(const struct rf_test_bench *bench, const struct rf_test_case *test,
                 struct rf_arena *arena, struct rf_test_outcome *outcome)
{
    struct run run = {.bench = bench, .test = test, .arena = arena, .outcome = outcome};
    const struct rf_offline_options options = {
        .plan = bench->config->plan,
        .codec = bench->codec,
        .decoders = bench->decoders,
        .commit_events = (size_t)bench->config->commit_events_max,
        .listener = {.self = &run, .derived = take_derived, .dead_letter = take_dead_letter},
    };
    struct rf_error err = {0};
    rf_ns start = rf_clock_monotonic_ns();

    *outcome = (struct rf_test_outcome){0};
    rf_buffer_init(&run.details, TEXT_MAX);
    run.offline = rf_offline_open(&options, &err);
    if (run.offline == NULL)
        fail(&run, test->line, "%s", err.message);
    else
        take_steps(&run);
    rf_offline_close(run.offline);
    rf_buffer_deinit(&run.details);
    free(run.emitted);
    free(run.letters);
    outcome->seconds = (double)(rf_clock_monotonic_ns() - start) / 1e9;
}
