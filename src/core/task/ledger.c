#include "core/task/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/task/outbox.h"

const char *rf_letter_class_name(enum rf_letter_class letter_class)
{
    static const char *const names[RF_LETTER_CLASSES] = {"record", "late", "quarantined", "held"};

    rf_assert((size_t)letter_class < RF_LETTER_CLASSES);
    return names[letter_class];
}

void rf_ledger_init(struct rf_ledger *ledger, const struct rf_plan *plan)
{
    memset(ledger, 0, sizeof *ledger);
    ledger->source_count = plan->source_count;
    ledger->rule_count = plan->rule_count;
    ledger->sources = calloc(plan->source_count + 1, sizeof *ledger->sources);
    ledger->rules = calloc(plan->rule_count + 1, sizeof *ledger->rules);
    rf_assert(ledger->sources != NULL);
    rf_assert(ledger->rules != NULL);
    rf_histogram_init(&ledger->delay, &rf_delay_bounds);
}

void rf_ledger_deinit(struct rf_ledger *ledger)
{
    free(ledger->sources);
    free(ledger->rules);
    memset(ledger, 0, sizeof *ledger);
}

void rf_ledger_clear(struct rf_ledger *ledger)
{
    memset(ledger->sources, 0, ledger->source_count * sizeof *ledger->sources);
    memset(ledger->rules, 0, ledger->rule_count * sizeof *ledger->rules);
    memset(ledger->dead_letters, 0, sizeof ledger->dead_letters);
    ledger->evicted = 0;
    ledger->seen_forgotten = 0;
    ledger->values_dropped = 0;
    ledger->patterns = (struct rf_pattern_counts){0};
    rf_histogram_init(&ledger->delay, ledger->delay.bounds);
}

void rf_ledger_add(struct rf_ledger *sum, const struct rf_ledger *more)
{
    rf_assert(sum->source_count == more->source_count);
    rf_assert(sum->rule_count == more->rule_count);
    for (size_t i = 0; i < sum->source_count; i++) {
        sum->sources[i].folded += more->sources[i].folded;
        sum->sources[i].filtered += more->sources[i].filtered;
        sum->sources[i].duplicate += more->sources[i].duplicate;
        sum->sources[i].late += more->sources[i].late;
        sum->sources[i].dead_letter += more->sources[i].dead_letter;
        sum->sources[i].erase += more->sources[i].erase;
    }
    for (size_t i = 0; i < sum->rule_count; i++) {
        sum->rules[i].raised += more->rules[i].raised;
        sum->rules[i].updated += more->rules[i].updated;
        sum->rules[i].cleared += more->rules[i].cleared;
        for (size_t by = 0; by < RF_HELD_BY_COUNT; by++)
            sum->rules[i].held[by] += more->rules[i].held[by];
    }
    for (size_t i = 0; i < RF_LETTER_CLASSES; i++)
        sum->dead_letters[i] += more->dead_letters[i];
    sum->evicted += more->evicted;
    sum->seen_forgotten += more->seen_forgotten;
    sum->values_dropped += more->values_dropped;
    sum->patterns.ignored += more->patterns.ignored;
    sum->patterns.hurried += more->patterns.hurried;
    sum->patterns.dropped += more->patterns.dropped;
    rf_histogram_merge(&sum->delay, &more->delay);
}

static void count_held(struct rf_ledger *ledger, const struct rf_fold *fold)
{
    for (size_t i = 0; fold->held != NULL && i < ledger->rule_count; i++) {
        for (size_t by = 0; by < RF_HELD_BY_COUNT; by++)
            ledger->rules[i].held[by] += fold->held[i].by[by];
    }
}

void rf_ledger_fold(struct rf_ledger *ledger, const struct rf_input *input,
                    const struct rf_event *event, const struct rf_fold *fold)
{
    struct rf_source_counts *source = &ledger->sources[input->source];

    rf_assert(input->source < ledger->source_count);
    source->duplicate += fold->result == RF_FOLD_DUPLICATE;
    source->folded += fold->result == RF_FOLD_DONE;
    ledger->seen_forgotten += fold->seen_forgotten;
    ledger->values_dropped += fold->values_dropped;
    count_held(ledger, fold);
    ledger->patterns.ignored += fold->pattern_ignored;
    ledger->patterns.hurried += fold->pattern_hurried;
    ledger->patterns.dropped += fold->pattern_dropped;
    if (input->broker_time != RF_MS_MIN) /* a topic without timestamps */
        rf_histogram_add(&ledger->delay, (double)(input->broker_time - event->time) / 1000.0);
}

void rf_ledger_timer(struct rf_ledger *ledger, const struct rf_fold *fold)
{
    ledger->evicted += fold->evicted;
    count_held(ledger, fold);
}

static void count_dead_letter(struct rf_ledger *ledger, const char *error_class)
{
    size_t found = RF_LETTER_RECORD;

    for (size_t i = 0; i < RF_LETTER_CLASSES; i++) {
        if (strcmp(rf_letter_class_name((enum rf_letter_class)i), error_class) == 0)
            found = i;
    }
    ledger->dead_letters[found]++;
}

static void count_derived(struct rf_ledger *ledger, const struct rf_derived *derived)
{
    switch (derived->status) {
    case RF_STATUS_RAISED:
        ledger->rules[derived->rule].raised++;
        break;
    case RF_STATUS_UPDATED:
        ledger->rules[derived->rule].updated++;
        break;
    case RF_STATUS_CLEARED:
        ledger->rules[derived->rule].cleared++;
        break;
    case RF_STATUS_EVICTED: /* counted with the timer: not every eviction is told */
    case RF_STATUS_ERASED:  /* counted by source, for the same reason */
        break;
    }
}

void rf_ledger_outbox(struct rf_ledger *ledger, const struct rf_out *outbox, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (outbox[i].kind == RF_OUT_DEAD_LETTER)
            count_dead_letter(ledger, outbox[i].as.dead_letter->error_class);
        if (outbox[i].kind == RF_OUT_DERIVED)
            count_derived(ledger, outbox[i].as.derived);
    }
}
