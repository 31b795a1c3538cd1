/* Which conditions move as time passes, and how: read off the plan once, when the engine opens.
 *
 * A condition is taken apart into its tests (core/expr/condition.h). A test
 *   stands   reads nothing that changes without an event;
 *   steps    reads windows: it can only change at the instants at which something enters or leaves one;
 *   flows    reads the time, or a decay: it changes in between.
 * A flowing test turns where it does itself, or where one of the comparisons within it does, those of the expressions
 * that it reads among them: `risk == "amber"` turns with what `risk` is made of. What rises or falls throughout passes
 * what it is compared with once; anything else is looked for in strides that double (crossing.h). What comes and goes
 * within a stride by itself, like an hour of the day, is seen at events and at other timers only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/engine/wiring.h"
#include "core/expr/condition.h"
#include "core/model/feature.h"
#include "core/model/plan.h"

enum rf_movement {
    RF_STANDS,
    RF_STEPS,
    RF_FLOWS,
};

enum rf_turn_form {
    RF_TURN_ANY,    /* the difference of its sides is taken for a straight line */
    RF_TURN_DECAY,  /* a DECAY against what does not flow */
    RF_TURN_ALIVE,  /* p_alive(...) against what does not flow */
    RF_TURN_DECAYS, /* both sides flow: the logarithm of their ratio is taken for a straight line */
};

#define RF_ALIVE_ARGUMENTS 7

/* What of a flowing test turns at an instant of its own. */
struct rf_turn {
    const struct rf_expr *expr; /* bool; NULL: its sides alone are known */
    bool
        by_sign; /* it turns where its sides pass each other, and also where they meet: == and != */
    bool once;   /* from one step to the next, as it rises or falls throughout */
    enum rf_turn_form form;
    rf_span_ms stride;                  /* where it does not turn once: the first look ahead */
    struct rf_feature_set reads;        /* in turn */
    const struct rf_expr *left, *right; /* NULL: it compares nothing */
    const struct rf_expr *other;        /* DECAY, ALIVE: the side that it is compared with */
    uint32_t decay;                     /* DECAY: the feature */
    const struct rf_expr *alive[RF_ALIVE_ARGUMENTS]; /* ALIVE */
    bool alive_modified;                             /* MBG/NBD */
};

struct rf_test {
    const struct rf_expr *expr; /* bool */
    enum rf_movement movement;
    struct rf_feature_set reads; /* in turn */
    size_t turn_count;           /* FLOWS */
    const struct rf_turn *turns; /* the test itself is the last of them */
    uint32_t
        falling; /* a feature that may only fall (steps.h), against what stands; RF_FEATURES_MAX: none */
    bool
        falling_ends_it; /* when that falls the test may cease to hold, and not begin to; or the reverse */
    bool lifts_by_rising;  /* the whole may begin to hold when this test does */
    bool lifts_by_falling; /* ... when it ceases to: it stands under a `!` */
};

/* A part that has to hold for the whole to hold. */
struct rf_conjunct {
    const struct rf_expr *expr;
    struct rf_feature_set reads;
    size_t test_count; /* those that move */
    const struct rf_test *tests;
};

struct rf_moving_condition {
    const struct rf_expr *expr; /* the whole; NULL: there is none */
    struct rf_feature_set reads;
    bool may_rise, may_fall; /* by time alone */
    size_t test_count;       /* those that move */
    const struct rf_test *tests;
    size_t conjunct_count; /* 0: it is no conjunction */
    const struct rf_conjunct *conjuncts;
};

struct rf_moving_rule {
    struct rf_moving_condition when, clear_when;
    bool has_timers;
};

struct rf_moving {
    struct rf_moving_rule *rules; /* by rule */
    bool has_timers;              /* some rule, or the customers' time to live */
    bool has_holds;               /* a rule with `for`, whose condition moves */
};

void rf_moving_make(struct rf_arena *arena, const struct rf_plan *plan,
                    const struct rf_wiring *wiring, struct rf_moving *moving);
