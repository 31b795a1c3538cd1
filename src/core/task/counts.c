#include "core/task/counts.h"

void rf_task_counts_add(struct rf_task_counts *sum, const struct rf_task_counts *more)
{
    sum->records += more->records;
    sum->events += more->events;
    sum->filtered += more->filtered;
    sum->duplicates += more->duplicates;
    sum->late += more->late;
    sum->dead_letters += more->dead_letters;
    sum->derived += more->derived;
    sum->erased += more->erased;
    sum->evicted += more->evicted;
    sum->timers += more->timers;
    sum->rule_errors += more->rule_errors;
    sum->seen_forgotten += more->seen_forgotten;
    sum->values_dropped += more->values_dropped;
    sum->pattern_ignored += more->pattern_ignored;
    sum->pattern_hurried += more->pattern_hurried;
    sum->pattern_dropped += more->pattern_dropped;
}
