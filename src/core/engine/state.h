/* Inside of the engine: the working memory of a fold. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/engine/meter.h"
#include "core/engine/moving.h"
#include "core/engine/wiring.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/variables.h"

/* What an event adds to one feature: evaluated before anything changes. By the feature's kind: `number`
 * for COUNT, SUM, MIN, MAX, DECAY, MEAN and TREND, `value` for FIRST and LAST and, as the key, TOP, ENTROPY,
 * QUANTILE and COUNT_BY, `hash` for COUNT_DISTINCT, `mark` for CASES, nothing for INTERVAL. */
struct rf_contribution {
    uint32_t feature;
    union {
        union rf_number number;
        struct rf_value value;
        uint64_t hash;
        struct {
            struct rf_bytes id;
            bool opens, closes;
        } mark;
    } as;
};

/* When a rule is to be looked at next without an event (due.h). */
struct rf_moment {
    rf_ms at;
    bool real;    /* false: up to there it was looked, in vain */
    rf_ms looked; /* from where on */
    rf_ms since;  /* of a rule with `for`: its condition holds since then */
};

struct rf_engine {
    const struct rf_plan *plan;
    struct rf_arena memory; /* what lives as long as the engine */
    struct rf_wiring wiring;
    rf_span_ms dedup_max;        /* of all sources */
    struct rf_moving moving;     /* what comes true by time alone */
    struct rf_moment *moments;   /* by rule */
    struct rf_held_counts *held; /* by rule, of this fold; all 0 where any_held is false */
    bool any_held;
    struct rf_rule_meter *meter; /* by rule */
    uint64_t evaluations;        /* of all rules */
    rf_ns (*clock)(void);        /* for the meter alone; NULL: none */

    /* of the customer that is looked at */
    const struct rf_customer *customer;
    rf_ms now;
    struct rf_value *variables;  /* as the plan's expressions see them */
    struct rf_feature_set known; /* features whose variable is up to date */
    struct rf_record customer_record;
    struct rf_value customer_fields[RF_CUSTOMER_FIELDS];

    /* of the event that is folded */
    struct rf_arena scratch; /* what its expressions make; forgotten with the next event */
    struct rf_contribution *contributions;
    size_t contribution_count;
    uint32_t *steps;               /* by pattern: the steps that it matches, by bit */
    struct rf_feature_set changed; /* with the expressions that read what changed */
    struct rf_derived *derived;    /* owned; grows */
    size_t derived_count, derived_capacity;
    struct rf_error error; /* of what may fail without the event failing */
};
