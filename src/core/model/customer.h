/* What is known of one customer, opened for folding. Made from the record's bytes at first touch in a
 * transaction and written back to bytes at its end (codec/customer_codec.h); lives in the batch arena. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/time.h"
#include "core/expr/type.h"
#include "core/expr/value.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"

/* By the feature's state_type: `number` where it is double, else `integer` (timestamps and durations in
 * milliseconds). */
union rf_number {
    int64_t integer;
    double number;
};

struct rf_bucket {
    int64_t index; /* floor(event time / feature->bucket) */
    union rf_number as;
};

struct rf_distinct {
    uint64_t hash;
    rf_ms last; /* the latest event time it was seen at */
};

/* Registers of a HyperLogLog sketch: 2^RF_SKETCH_BITS bytes. */
#define RF_SKETCH_BITS 10
#define RF_SKETCH_SIZE (1U << RF_SKETCH_BITS)
/* Distinct values counted exactly, per customer and feature, before the sketch takes over. */
#define RF_DISTINCT_EXACT_MAX 512

struct rf_tally;
struct rf_interval;
struct rf_cases;

struct rf_feature_state {
    bool set;              /* VALUE: there is one */
    rf_ms at;              /* FIRST, LAST: event time of the value; DECAY: what it is relative to */
    struct rf_value value; /* VALUE: of the feature's state_type; times to the millisecond, as they
                            * are stored; text is in the batch arena or in the record's bytes */
    uint32_t count;        /* of buckets, hashes or tallies */
    uint32_t capacity;
    union {
        struct rf_bucket *buckets;    /* BUCKETS: ascending by index */
        struct rf_distinct *distinct; /* DISTINCT: ascending by hash */
        struct rf_tally *tallies;     /* TALLY: ascending by key */
        struct rf_interval *interval; /* INTERVAL: NULL before the first event */
        struct rf_cases *cases;       /* CASES: NULL before the first */
    };
    uint8_t *sketch; /* DISTINCT: NULL while exact */
};

/* What a TALLY holds for one key. */
struct rf_tally {
    struct rf_value key;           /* of the feature's key_type */
    struct rf_feature_state state; /* VALUE, stamped where there is a half-life, or BUCKETS */
};
/* Keys, per customer and feature: of values, where the feature says nothing else, and at most; of a quantile's bins. */
#define RF_TALLY_VALUES     64
#define RF_TALLY_VALUES_MAX 1024
#define RF_TALLY_BINS_MAX   512
uint32_t rf_tally_keys_max(const struct rf_feature *feature);
/* Bytes of a text that is counted by, and of a case's id; an event with a longer one is a dead letter. */
#define RF_KEY_SIZE_MAX 1024

/* The time between events of a kind. `mean` of gaps and the like are of those that are settled; the latest
 * events are kept one by one, so that a late one finds its place among them. */
#define RF_INTERVAL_TIMES_MAX 32
struct rf_interval {
    int64_t count;   /* of events, late ones included */
    rf_ms first;     /* the least event time */
    int64_t settled; /* gaps before times[0]: */
    double mean;     /* milliseconds */
    double squares;  /* sum of squared differences from the mean */
    rf_span_ms least, most;
    uint32_t time_count;                    /* at least 1 */
    rf_ms times[RF_INTERVAL_TIMES_MAX + 1]; /* ascending */
};

/* What openings and closings of one case, in order of their times, come to. */
struct rf_case_run {
    bool open;
    rf_ms changed;   /* the latest mark: RF_MS_MIN: none */
    rf_ms opened_at; /* where open */
    int64_t opened;  /* times, the first included */
    int64_t resolved;
    rf_span_ms resolved_ms; /* sum over those */
    rf_ms resolved_at;      /* the latest; RF_MS_MIN: never */
    rf_span_ms resolved_last_ms;
};

/* A mark: an event time, and whether it opened or closed the case. At one instant an opening is first. */
#define RF_CASE_MARKS_MAX 16
struct rf_case {
    struct rf_bytes id;
    struct rf_case_run settled; /* what is before marks[0] */
    uint32_t mark_count;
    int64_t marks[RF_CASE_MARKS_MAX + 1]; /* 2 * time, + 1 where it closes; ascending */
};

#define RF_CASES_MAX 64
struct rf_cases {
    /* of cases that are forgotten */
    int64_t opened, reopened, resolved;
    rf_span_ms resolved_ms;
    rf_ms resolved_at; /* the latest; RF_MS_MIN: never */
    rf_span_ms resolved_last_ms;
    uint32_t count, capacity;
    struct rf_case *items; /* ascending by id */
};
/* What a feature of cases is a list of: the open ones, the oldest first. */
extern const struct rf_record_type
    rf_case_type; /* { id: string, opened_at: timestamp, reopened: int } */
extern const struct rf_type rf_cases_type;

/* An alert is an episode: raised, perhaps updated, cleared. Without `clear_when` it is over as it begins. */
struct rf_rule_state {
    int64_t fired_count; /* how often it was raised: the number of the latest episode */
    rf_ms last_fired;    /* when; RF_MS_MIN: never in its mode */
    rf_ms held_since;    /* with `for`: `when` holds since then; RF_MS_MIN: it does not */
    rf_ms told;          /* with clear_when: an episode was last told of; RF_MS_MIN: never */
    bool shadow;         /* remembered in shadow: nobody was told */
    bool raised;         /* the episode is open */
    /* of an open episode */
    uint64_t told_hash;   /* of the reasons told then */
    struct rf_hash128 id; /* of the episode, whatever becomes of the rule meanwhile */
};

struct rf_rule;
/* Nothing is remembered. */
void rf_rule_state_init(struct rf_rule_state *state);
/* It has told of an alert that is still open, and will not tell more: only that it is over. */
bool rf_rule_state_is_over(const struct rf_rule_state *state, const struct rf_rule *rule);
/* From when on it may fire again, as far as its cooldown goes; RF_MS_MIN: at any time. */
rf_ms rf_rule_state_cooled_down(const struct rf_rule_state *state, const struct rf_rule *rule);
/* With `for`: has it fired since `when`, which holds since then, has held for long enough? */
bool rf_rule_state_has_told(const struct rf_rule_state *state, const struct rf_rule *rule,
                            rf_ms held_since);
/* What was remembered in another mode is of no account in this one, but for what is to be told to be over first, and
 * for the number of episodes, which goes on. */
void rf_rule_state_settle(struct rf_rule_state *state, const struct rf_rule *rule);

/* An event id that was seen, for de-duplication. */
struct rf_seen {
    uint64_t hash; /* of source and id */
    rf_ms time;    /* event time */
};
#define RF_SEEN_MAX 1024 /* per customer; beyond it the oldest is forgotten and counted */

struct rf_customer {
    struct rf_bytes id;
    rf_ms first_seen; /* least event time; RF_MS_MAX: new */
    rf_ms as_of;      /* greatest event time; RF_MS_MIN: new */
    int64_t event_count;
    rf_ms
        due; /* to be looked at without an event; RF_MS_MAX: never. Follows from plan and rest (engine.h) */
    struct rf_feature_state *features; /* by index in the plan */
    struct rf_rule_state *rules;       /* by index in the plan */
    /* Open alerts of rules that the plan does not have, as they were read: they come back with the rule. */
    uint32_t lost_rule_count;
    struct rf_bytes *lost_rules;
    struct rf_pattern_state *patterns; /* by index in the plan */
    uint32_t seen_count, seen_capacity;
    struct rf_seen *seen; /* ascending by time, then hash */
};
