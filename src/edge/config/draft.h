/* What the rows of the settings table are read into, before it is compiled. Open to this room only. */
#pragma once
#include "edge/config/settings.h"

struct rf_config_draft {
    struct rf_config config;
    const char *app;
    int delivery, start, idle, late, log_level, log_format;
    rf_span_ms lateness;
    rf_span_ms max_ahead;
    uint64_t event_bytes_max;
    uint64_t record_bytes_max;
    rf_span_ms ttl;
    const char *lifecycle_output;
    const struct rf_yaml_node *kafka, *sources, *features, *rules, *outputs;
};

struct rf_source_draft {
    const char *topic;
    const char *kind;
    const char *schema_file;
    int format;
    rf_span_ms dedup;
    const struct rf_yaml_node *customer, *time, *id, *where;
};

struct rf_feature_draft {
    const struct rf_yaml_node *count, *sum, *min, *max, *first, *last, *count_distinct, *decay,
        *expr, *mean, *top, *entropy, *quantile, *count_by, *trend, *interval, *open;
    const struct rf_yaml_node *where, *close, *by;
    const char *on, *cases;
    double q;
    int64_t values;
    int stat;                                     /* index in the choices */
    rf_span_ms window, offset, bucket, half_life; /* 0: not written */
};

struct rf_offer_draft {
    const char *id;
    const char *channel;
    const struct rf_yaml_node *value;
};

/* A step of a rule's `pattern`. */
struct rf_step_draft {
    const char *kind, *negated; /* `not` */
    const struct rf_yaml_node *where;
    int64_t times;
    rf_span_ms within, silence; /* 0: not written */
};

struct rf_rule_draft {
    const struct rf_yaml_node *when, *because, *clear_when, *pattern;
    const char *emit;
    int severity, mode; /* index in the choices */
    rf_span_ms cooldown, hold, update;
    rf_span_ms within; /* of the pattern; 0: not written */
    int skip;          /* index in the choices */
    struct rf_offer_draft offer;
};

struct rf_output_draft {
    const char *topic;
    const char *schema_file;
    int format; /* index in the choices; 0: not written */
    int key;
};
