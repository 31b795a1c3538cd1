/* A sequence of events that a rule waits for, and how far a customer has come in it. What it means is said in
 * engine/pattern.h; here is what is compiled and what is kept. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/time.h"
#include "core/expr/expr.h"
#include "core/model/event.h"

#define RF_PATTERN_STEPS_MAX   16 /* as they are written; a bit of a mask each */
#define RF_PATTERN_EVENTS_MAX  32 /* of one match: `times` counted */
#define RF_PATTERN_RUNS_MAX    32 /* partial matches of a customer; the one begun first goes first */
#define RF_PATTERN_WAITING_MAX 256 /* events of a customer that wait for the watermark */

/* A step as it is written: what an explanation calls it. */
struct rf_pattern_step {
    const char *kind;
    bool negated;
};

/* A source whose events can be the event of a step. */
struct rf_pattern_input {
    uint32_t source;
    uint32_t step;
    const struct rf_expr *where; /* bool; NULL: every event */
};

/* One event of a match: a step with `times: 3` is three of these. Steps are meant by their bit. */
struct rf_pattern_stage {
    uint32_t step;     /* index */
    uint32_t forbids;  /* what ends a partial match that waits here */
    rf_span_ms within; /* less than this after the event before; 0: whenever */
};

struct rf_pattern {
    uint32_t rule; /* whose it is */
    const char *
        state_name; /* of what is kept, with a hash of the definition: a changed one starts empty */
    const struct rf_pattern_step *steps;
    size_t step_count;
    const struct rf_pattern_stage *stages;
    size_t stage_count;
    const struct rf_pattern_input *inputs; /* in the order of the steps */
    size_t input_count;
    rf_span_ms within;    /* all events are less than this after the first; 0: whenever */
    bool ends_in_silence; /* behind the last stage: none of `forbids` ... */
    uint32_t forbids;
    rf_span_ms silence; /* ... for so long after the last event; 0: until `within` is over */
    bool skips;         /* `skip: past_last` */
};

/* An event that matched some step when it arrived. */
struct rf_pattern_event {
    rf_ms time;
    struct rf_position position;
    uint32_t steps; /* by bit */
};

/* A partial match: the events that it took, as places in `events`; of the stages 0 to taken - 1. */
struct rf_pattern_run {
    uint32_t taken;
    uint32_t events[RF_PATTERN_EVENTS_MAX];
};

struct rf_pattern_state {
    rf_ms passed; /* what is older comes too late; RF_MS_MIN: nothing was looked at so far */
    /* Ascending by time, then arrival: first those that some run took, then those that wait. */
    uint32_t taken_count, event_count, event_capacity;
    struct rf_pattern_event *events;
    uint32_t run_count, run_capacity;
    struct rf_pattern_run *runs; /* by their first event */
};
