/* A configuration, compiled: what the core needs to fold, decide and emit. Made by edge/config, immutable,
 * shared by all threads. Everything in it lives in one arena.
 * What it is made of stands beside: source.h, feature.h, pattern.h, rule.h, output.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/time.h"

#define RF_LATENESS_NONE INT64_C(-1) /* nothing is too late */

enum rf_late {
    RF_LATE_DROP,
    RF_LATE_DEAD_LETTER
};

struct rf_source;
struct rf_feature;
struct rf_pattern;
struct rf_rule;
struct rf_output;

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
