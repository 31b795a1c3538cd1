/* Why the rules of a customer do not fire, or did: how each stands at an instant. Plain data, made by
 * core/engine/explain.h, printed by core/codec/explanation_json.h and by the command line. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/expr/condition.h"
#include "core/expr/value.h"
#include "core/model/derived.h"

enum rf_truth {
    RF_TRUTH_FALSE,
    RF_TRUTH_TRUE,
    RF_TRUTH_UNKNOWN, /* it cannot be evaluated */
};

/* A condition, or a part of it, with the values for which it holds or not. */
struct rf_explained {
    enum rf_condition_kind kind;
    struct rf_bytes text; /* as it is written, on one line */
    enum rf_truth truth;
    const char *why; /* UNKNOWN: why it cannot be evaluated; NULL otherwise */
    enum rf_comparison
        comparison; /* of a TEST that compares: with the values of both sides, null where unknown */
    struct rf_value left, right;
    size_t read_count; /* of a TEST: the features, and what of the customer, that it names */
    const struct rf_reason *reads;
    size_t part_count;
    const struct rf_explained *parts;
};

/* What keeps a rule from firing. The first that applies. */
enum rf_standing {
    RF_STANDING_READY,     /* nothing: it fires at the next event, or has fired at this instant */
    RF_STANDING_CONDITION, /* `when` does not hold */
    RF_STANDING_RAISED,    /* its alert is open: it is cleared before it is raised again */
    RF_STANDING_FOR,       /* `when` has to hold for longer */
    RF_STANDING_TOLD,      /* with `for`: it has fired since `when` began to hold */
    RF_STANDING_COOLDOWN,
    RF_STANDING_PATTERN, /* its pattern has to become complete */
    RF_STANDING_OFF,     /* it is not asked */
};
#define RF_STANDINGS (RF_STANDING_OFF + 1)

/* How far the customer has come in a pattern: its partial matches, the one that has begun first at first. */
struct rf_explained_event {
    const char *kind;
    rf_ms time;
};

struct rf_explained_run {
    size_t taken_count;
    const struct rf_explained_event *taken;
    const char *next;    /* the kind that it waits for; NULL: silence is all that is missing */
    const char *forbids; /* kinds that would end it, with commas; NULL: none */
    rf_ms until;         /* it ends then, or with silence is complete; RF_MS_MAX: it has time */
};

struct rf_explained_pattern {
    size_t stage_count; /* events of a whole match */
    size_t run_count;
    const struct rf_explained_run *runs;
    size_t waiting_count; /* events that wait for older ones to come in (`lateness`) */
};

struct rf_explained_rule {
    uint32_t rule; /* index in the plan */
    enum rf_standing standing;
    rf_ms since; /* RAISED: its alert; FOR, TOLD: `when` holds; RF_MS_MIN: none */
    /* FOR, COOLDOWN: over then, if all stays as it is; PATTERN: it is silent until then. RF_MS_MIN: none */
    rf_ms until;
    int64_t fired_count;
    rf_ms last_fired; /* RF_MS_MIN: never */
    rf_ms due;        /* if nothing happens it fires or clears then; RF_MS_MAX: never */
    const struct rf_explained_pattern *pattern; /* NULL: the rule has none */
    const struct rf_explained *when;       /* NULL: it has a pattern, every match of which counts */
    const struct rf_explained *clear_when; /* NULL: the rule has none, or its alert is not open */
};

struct rf_explanation {
    struct rf_bytes customer;
    rf_ms now;
    rf_ms
        due; /* the first instant at which something comes of it if nothing happens; RF_MS_MAX: none */
    size_t rule_count;
    const struct rf_explained_rule *rules; /* in the order of the plan */
};

/* "ready", "condition", "raised", "for", "told", "cooldown", "pattern", "off". */
const char *rf_standing_name(enum rf_standing standing);
/* "==", "<=", ...; "" for none. */
const char *rf_comparison_name(enum rf_comparison comparison);
/* How far a comparison of numbers, instants or lengths of time is from its threshold: right - left, in the unit of
 * the values, lengths of time in seconds. False: it compares nothing of that kind. */
bool rf_explained_gap(const struct rf_explained *test, double *gap);
