/* A rule as it is configured. Plain data of a plan; what is remembered of a rule and a customer is in
 * model/customer.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/time.h"
#include "core/expr/expr.h"
#include "core/model/feature.h"

#define RF_RULES_MAX 256

struct rf_pattern;
struct rf_plan;

/* What a rule that fires comes to. */
enum rf_rule_mode {
    RF_MODE_LIVE,
    RF_MODE_SHADOW, /* it is asked and remembers like any other, and tells nobody: counted as held back */
    RF_MODE_OFF, /* it is not asked; what it has raised is cleared */
};
/* "live", "shadow", "off" */
const char *rf_rule_mode_name(enum rf_rule_mode mode);

struct rf_rule {
    const char *name;
    const char *version; /* 16 hex digits: a hash of the definition, whatever its mode */
    enum rf_rule_mode mode;
    const struct rf_expr *when; /* bool; NULL: every match of the pattern counts */
    const struct rf_pattern
        *pattern; /* one of the plan's; NULL: the rule asks for what is, by `when` */
    const struct rf_expr *because;    /* string; NULL: none */
    const char *severity;             /* "low", "medium", "high", "critical" */
    rf_span_ms cooldown;              /* 0: fires at every event for which it holds */
    rf_span_ms hold;                  /* `for`: how long `when` has to hold first */
    const struct rf_expr *clear_when; /* bool; NULL: its alerts are no states, but news */
    rf_span_ms
        update; /* an open episode is told again when its reasons have changed, no sooner than this
                        * after it was last told; 0: never */
    uint32_t output;
    const char *offer_id;              /* NULL: not an offer */
    const char *offer_channel;         /* NULL as above */
    const struct rf_expr *offer_value; /* double; NULL: none */
    struct rf_feature_set
        reads; /* of its conditions: features whose change makes it worth asking again */
    const uint32_t
        *reason_features; /* the features that its conditions name, in order: the reasons */
    size_t reason_count;
    /* What they name of the customer: reasons too, behind those; bit 1 << enum rf_customer_field. */
    uint32_t reason_customer;
};

/* The plan's rule of this name; NULL: it has none. */
const struct rf_rule *rf_rule_find(const struct rf_plan *plan, const char *name);
