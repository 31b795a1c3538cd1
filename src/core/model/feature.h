/* A feature as it is configured: what it is made of, what of it is kept, and how long. Plain data of a plan; what is kept
 * of a customer is in model/customer.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/time.h"
#include "core/expr/expr.h"

#define RF_FEATURES_MAX 256

/* A set of features, by index. */
struct rf_feature_set {
    uint64_t bits[RF_FEATURES_MAX / 64];
};

enum rf_feature_kind {
    RF_FEATURE_COUNT,
    RF_FEATURE_SUM,
    RF_FEATURE_MIN,
    RF_FEATURE_MAX,
    RF_FEATURE_FIRST, /* by event time; the earlier arrival wins a tie */
    RF_FEATURE_LAST,  /* by event time; the later arrival wins a tie */
    RF_FEATURE_COUNT_DISTINCT,
    RF_FEATURE_DECAY,
    RF_FEATURE_EXPR,
    RF_FEATURE_MEAN,
    RF_FEATURE_TOP,
    RF_FEATURE_ENTROPY,
    RF_FEATURE_QUANTILE,
    RF_FEATURE_COUNT_BY,
    RF_FEATURE_TREND,
    RF_FEATURE_INTERVAL,
    RF_FEATURE_CASES,    /* `open`, `close`, `by` */
    RF_FEATURE_CASES_OF, /* what another feature's cases add up to */
};                       /* new kinds go to the end: the number is part of what a state is called */

/* What of a feature is kept in the customer record (model/customer.h). */
enum rf_state_shape {
    RF_STATE_NONE,  /* EXPR, CASES_OF */
    RF_STATE_VALUE, /* one value and its event time: DECAY, FIRST, LAST; others without a window */
    RF_STATE_BUCKETS, /* TREND; COUNT, SUM, MIN, MAX in a window: a number for each bucket that is not empty */
    RF_STATE_DISTINCT, /* COUNT_DISTINCT: hashes with when each was last seen; a sketch when it grows */
    RF_STATE_TALLY,    /* MEAN, TOP, ENTROPY, QUANTILE, COUNT_BY: a VALUE or BUCKETS by key */
    RF_STATE_INTERVAL, /* INTERVAL */
    RF_STATE_CASES,    /* CASES */
};

/* What of an INTERVAL or of cases the feature is. */
enum rf_feature_stat {
    RF_STAT_NONE,
    RF_STAT_MEAN, /* INTERVAL: durations */
    RF_STAT_LAST,
    RF_STAT_MIN,
    RF_STAT_MAX,
    RF_STAT_STDDEV,
    RF_STAT_OLDEST, /* CASES_OF: timestamp, when the oldest of the open ones was opened */
    RF_STAT_OPENED, /* int: how many cases ever were */
    RF_STAT_REOPENED,
    RF_STAT_RESOLVED,
    RF_STAT_RESOLUTION_MEAN, /* duration, from an opening to the close that ends it */
    RF_STAT_RESOLUTION_LAST,
};

/* What one source contributes to a feature. A value that is null contributes nothing; a number that
 * is not finite makes the event a dead letter (but for COUNT_DISTINCT). */
struct rf_feature_input {
    uint32_t source;
    const struct rf_expr *where; /* bool; NULL: every event */
    const struct rf_expr
        *value; /* NULL: COUNT, INTERVAL, DECAY and TREND of occurrences; CASES: the id */
    const struct rf_expr *open, *close; /* CASES: bool; else NULL */
};

/* A feature is a column of the customer record beside these, which are therefore no names for one. */
#define RF_RESERVED_COLUMNS                                                                        \
    "customer", "first_seen", "as_of", "events", "due", "state", "rules", "seen", "patterns"

struct rf_feature {
    const char *name;
    const char *state_name; /* name and a hash of the definition, an Avro name: a redefined feature
                             * starts empty; NULL: EXPR */
    enum rf_feature_kind kind;
    enum rf_state_shape shape;
    const struct rf_type *type; /* of its value; nullable where there may be none yet */
    /* Of what BUCKETS or VALUE hold, by key in a TALLY: int or double (COUNT int, DECAY double), timestamp
     * or duration for MIN and MAX, any scalar for FIRST and LAST; never nullable. NULL: the other shapes. */
    const struct rf_type *state_type;
    const struct rf_type *key_type; /* TALLY: string, int or bool; MEAN and QUANTILE int */
    enum rf_feature_stat stat;
    uint32_t of; /* CASES_OF: the feature with the cases, an earlier one */
    double q;    /* QUANTILE: 0 to 1 */
    uint32_t
        values_max; /* TOP, ENTROPY, COUNT_BY: values that are remembered; 0: RF_TALLY_VALUES */
    const struct rf_feature_input *inputs;
    size_t input_count;
    rf_span_ms window;    /* 0: since ever; always 0 for DECAY and FIRST */
    rf_span_ms offset;    /* BUCKETS only: the window ends this long before now; TREND: `window` */
    rf_span_ms bucket;    /* BUCKETS: the grain; the window's edge is exact to this much */
    rf_span_ms half_life; /* DECAY, or a TALLY; 0: none */
    const struct rf_expr *expr; /* EXPR */
    struct rf_feature_set
        reads;      /* features that its expressions read, themselves included in turn */
    bool reads_now; /* its value moves as time passes */
};
