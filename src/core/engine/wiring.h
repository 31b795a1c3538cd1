/* Who listens to what and who reads what: read off the plan's expressions once, when the engine opens.
 *
 * "Reads" is meant with what is read in turn: a rule that reads an expression reads the features in it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/model/feature.h"
#include "core/model/plan.h"

/* A feature's interest in a source. */
struct rf_listener {
    uint32_t feature;
    const struct rf_expr *where;        /* NULL: every event */
    const struct rf_expr *value;        /* NULL: an occurrence */
    const struct rf_expr *open, *close; /* CASES */
    struct rf_feature_set where_reads;
    struct rf_feature_set value_reads; /* of `open` and `close` too */
};

struct rf_listeners {
    size_t count;
    struct rf_listener *items; /* in the order of the features */
};

/* A step's interest in a source. */
struct rf_pattern_listener {
    uint32_t rule;
    uint32_t pattern;
    uint32_t step;
    const struct rf_expr *where; /* NULL: every event */
    struct rf_feature_set where_reads;
};

struct rf_pattern_listeners {
    size_t count;
    struct rf_pattern_listener *items; /* in the order of the rules, then of the steps */
};

struct rf_rule_wiring {
    struct rf_feature_set when_reads;
    struct rf_feature_set clear_reads;
    struct rf_feature_set outcome_reads; /* of `because`, the offer's value and the reasons */
    bool each_event; /* a condition changes as time passes, or reads no feature that would tell */
};

struct rf_wiring {
    struct rf_listeners *sources;                 /* by source */
    struct rf_pattern_listeners *pattern_sources; /* by source */
    size_t listener_count_max;                    /* of one source */
    struct rf_feature_set *affected; /* by feature: itself and the expressions that read it */
    struct rf_rule_wiring *rules;    /* by rule */
    struct rf_feature_set *reads;    /* by feature: what its expression reads */
};

void rf_wiring_make(struct rf_arena *arena, const struct rf_plan *plan, struct rf_wiring *wiring);

/* Adds the features that `expr` reads to `set`. True where it reads the time itself. */
bool rf_wiring_reads(const struct rf_wiring *wiring, const struct rf_expr *expr,
                     struct rf_feature_set *set);
