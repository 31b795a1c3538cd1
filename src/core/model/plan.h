/* A configuration, compiled: what the core needs to fold, decide and emit. Made by edge/config, immutable,
 * shared by all threads. Everything in it lives in one arena.
 *
 * Expressions see these variables, by index:
 *     0              event      the source's event_type (only in a source's and a feature's expressions)
 *     1              now        timestamp: when the customer is looked at
 *     2              customer   record { id, first_seen, events } (model/customer.h)
 *     3 ...          features   in the order in which they are written */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/time.h"
#include "core/expr/expr.h"
#include "core/model/pattern.h"
#include "core/model/schema.h"

#define RF_VARIABLE_EVENT    0
#define RF_VARIABLE_NOW      1
#define RF_VARIABLE_CUSTOMER 2
#define RF_VARIABLE_FEATURE  3

/* What expressions see as `customer`. */
enum rf_customer_field {
    RF_CUSTOMER_ID,         /* string */
    RF_CUSTOMER_FIRST_SEEN, /* timestamp: the least event time, of the event at hand too */
    RF_CUSTOMER_EVENTS,     /* int: how many were folded, the event at hand included */
    RF_CUSTOMER_FIELDS,
};
extern const struct rf_record_type rf_customer_type;

/* Does it read what every event may change? */
static inline bool rf_read_is_history(const struct rf_expr_read *read)
{
    return read->variable == RF_VARIABLE_CUSTOMER &&
           !(read->depth > 0 && read->path[0] == RF_CUSTOMER_ID);
}

#define RF_LATENESS_NONE INT64_C(-1) /* nothing is too late */

#define RF_SOURCES_MAX   64
#define RF_FEATURES_MAX  256
#define RF_RULES_MAX     256

#define RF_OUTPUT_NONE   UINT32_MAX

/* A set of features, by index. */
struct rf_feature_set {
    uint64_t bits[RF_FEATURES_MAX / 64];
};

enum rf_format {
    RF_FORMAT_AVRO,        /* Confluent wire format: 0, schema id, body */
    RF_FORMAT_AVRO_OBJECT, /* single-object encoding: C3 01, fingerprint, body */
    RF_FORMAT_AVRO_RAW,    /* the body alone; the schema is the source's */
    RF_FORMAT_JSON,
};

enum rf_late {
    RF_LATE_DROP,
    RF_LATE_DEAD_LETTER
};

enum rf_source_role {
    RF_ROLE_EVENTS,
    RF_ROLE_ERASE
};

struct rf_source {
    const char *name;
    const char *topic;
    const char *kind;
    enum rf_source_role role; /* `kind: erase` deletes the customer */
    enum rf_format format;
    const char *schema_text;        /* the reader schema as written */
    const struct rf_schema *schema; /* a record */
    /* The schema's fields, then `time` (event time), `kind` and `source` where the schema has none of that name. */
    const struct rf_record_type *event_type;
    int32_t time_field, kind_field, source_field; /* index in event_type of those; -1: shadowed */
    const bool *fields_used;        /* by index in schema->fields: read by some expression */
    const struct rf_expr *customer; /* string; NULL: the message key */
    const struct rf_expr *time;     /* timestamp; NULL: the message's timestamp */
    const struct rf_expr *id;       /* string, int or uint; NULL: no de-duplication */
    const struct rf_expr *where;    /* bool; NULL: all */
    rf_span_ms dedup;               /* how long an id is remembered */
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

/* What a rule that fires comes to. */
enum rf_rule_mode {
    RF_MODE_LIVE,
    RF_MODE_SHADOW, /* it is asked and remembers like any other, and tells nobody: counted as held back */
    RF_MODE_OFF, /* it is not asked; what it has raised is cleared */
};
/* "live", "shadow", "off" */
const char *rf_rule_mode_name(enum rf_rule_mode mode);

/* A derived event's way out. */
struct rf_output {
    const char *name;
    const char *topic;
    enum rf_format format;
    const char *schema_text;        /* NULL: JSON without a schema */
    const struct rf_schema *schema; /* a record; NULL as above */
    bool keyed_by_rule;             /* key `customer/rule`, else the customer */
};

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
};

struct rf_plan {
    const char *app;
    const char *version; /* 16 hex digits: a hash of everything that decides what is emitted */
    size_t source_count, feature_count, pattern_count, rule_count, output_count;
    const struct rf_source *sources;
    const struct rf_feature *features;
    const struct rf_pattern *patterns;
    const struct rf_rule *rules;
    const struct rf_output *outputs;
    rf_span_ms
        lateness; /* how far behind a task's latest event time an event may be; or RF_LATENESS_NONE */
    enum rf_late late;
    rf_span_ms ttl;            /* a customer without an event for so long is evicted; 0: never */
    uint32_t lifecycle_output; /* where EVICTED and ERASED go; RF_OUTPUT_NONE: nowhere */
    rf_span_ms max_ahead;      /* how far an event's time may be past the broker's */
    size_t event_bytes_max;    /* of a decoded event */
    size_t record_bytes_max;   /* of a customer record as it is written to the changelog */
};
