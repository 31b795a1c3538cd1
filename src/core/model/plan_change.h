/* What another configuration means for the state that is there: which features keep theirs, which start empty, which are
 * dropped; which rules, sources and outputs are new, changed or gone. A pure comparison of plans. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/model/plan.h"

enum rf_change {
    RF_UNCHANGED, /* a feature keeps its state */
    RF_ADDED,     /* a feature starts empty */
    RF_CHANGED,   /* a feature is redefined and starts empty */
    RF_REMOVED,   /* a feature's state goes */
};

#define RF_CHANGE_DETAILS_MAX 16

struct rf_part_change {
    const char *name;
    enum rf_change change;
    bool stateless; /* a feature that is computed from others: nothing is kept, nothing is lost */
    /* A feature that starts empty is right after so long; 0: it is of all time, and knows what comes from now on. */
    rf_span_ms full_after;
    size_t detail_count; /* of what is CHANGED: "window 7d -> 14d", "when" */
    const char *details[RF_CHANGE_DETAILS_MAX];
};

struct rf_part_changes {
    size_t count; /* those of the new plan in its order, then what is gone */
    struct rf_part_change *items;
};

struct rf_plan_changes {
    bool app; /* another application: it has consumer offsets, topics and a state of its own */
    struct rf_part_changes features, rules, sources, outputs, settings;
};

/* What is there: another plan; or, where that is NULL, only the names of states in customer records. */
struct rf_plan_before {
    const struct rf_plan *plan;
    size_t state_count;
    const char *const *states;
};

void rf_plan_compare(struct rf_arena *arena, const struct rf_plan_before *before,
                     const struct rf_plan *after, struct rf_plan_changes *changes);
