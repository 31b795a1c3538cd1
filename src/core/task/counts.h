/* What a task has done, in numbers: of one transaction, and summed over the committed ones. Plain data. */
#pragma once
#include <stdint.h>

struct rf_task_counts {
    uint64_t records; /* inputs folded, whatever became of them */
    uint64_t events;  /* of them, events that changed a customer */
    uint64_t filtered, duplicates, late, dead_letters, derived, erased, evicted;
    uint64_t timers; /* looks at a customer because something was due */
    uint64_t rule_errors;
    uint64_t seen_forgotten; /* event ids that de-duplication had no more room for */
    uint64_t values_dropped; /* values that features had no more room for */
    /* events too late for a pattern, events that it took before their time, partial matches it gave up */
    uint64_t pattern_ignored, pattern_hurried, pattern_dropped;
};

void rf_task_counts_add(struct rf_task_counts *sum, const struct rf_task_counts *more);
