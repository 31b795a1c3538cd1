/* Patterns: a sequence of events of one customer, with silence in it or at its end. The same pattern on the
 * same events gives the same matches as Flink CEP; tests/system/test_patterns.py compares them. What is meant:
 *
 *   order       Events are taken in the order of their time, those of the same time as they arrived. They wait
 *               until the watermark has reached them. An event older than the last one looked at, or than a timer
 *               that has fired, comes too late: it is ignored and counted.
 *   steps       Every event of the first step begins a partial match; an event takes it one step on where it is
 *               of the step awaited, and is skipped by it where not (Flink: followedBy, relaxed contiguity).
 *               `times: n` are n events one after the other in the same way (times(n)).
 *   within      Of the pattern: an event counts only if it comes less than that after the first one (within).
 *               Of a step: less than that after the event before it (within, PREVIOUS_AND_CURRENT).
 *   not         Between two steps: such an event ends the partial match while the next step is awaited
 *               (notFollowedBy). As in Flink, a `not` behind a step with `times` holds from the first event of
 *               that step on, and an event that is forbidden and awaited at once ends the partial match, unless
 *               it completes it.
 *   not, last   None such for so long after the last event: the match is complete at that instant, by timer
 *               (notFollowedBy with within(d, PREVIOUS_AND_CURRENT)). Without `for` the silence lasts until the
 *               `within` of the pattern is over (notFollowedBy, within). An event at the very instant is too
 *               late to break it.
 *   skip        past_last: a match ends every partial match that began no later than its last event
 *               (skipPastLastEvent); of several at the same instant the one begun first counts. none: every
 *               match counts (noSkip).
 *
 * A step's kind and `where` are judged when the event arrives: here it is a mask of the steps that it matches. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/model/pattern.h"

/* One event of a match. */
struct rf_pattern_taken {
    uint32_t step; /* index */
    rf_ms time;
    struct rf_position position;
};

struct rf_pattern_match {
    rf_ms time;    /* of its last event, or when the silence was long enough */
    bool by_timer; /* the latter */
    size_t event_count;
    const struct rf_pattern_taken
        *events; /* in their order; the last one completed it, if no timer did */
};

/* What came of looking: to be cleared before the first, added to by each. In the arena. */
struct rf_pattern_outcome {
    size_t match_count, match_capacity;
    struct rf_pattern_match *matches; /* in the order of their time */
    size_t ignored_count;             /* events that came too late */
    size_t hurried_count;             /* events looked at before the watermark, for lack of room */
    size_t dropped_count;             /* partial matches given up, for lack of room */
};

/* An event that matches the `steps` (by bit; not 0) arrives; then as rf_pattern_advance. */
void rf_pattern_offer(const struct rf_pattern *pattern, struct rf_pattern_state *state,
                      const struct rf_pattern_event *event, rf_ms watermark, struct rf_arena *arena,
                      struct rf_pattern_outcome *outcome);

/* No event older than `watermark` will come: looks at what waited for that, and fires the timers. */
void rf_pattern_advance(const struct rf_pattern *pattern, struct rf_pattern_state *state,
                        rf_ms watermark, struct rf_arena *arena,
                        struct rf_pattern_outcome *outcome);

/* The least watermark at which advancing would change something; RF_MS_MAX: none. */
rf_ms rf_pattern_due(const struct rf_pattern *pattern, const struct rf_pattern_state *state);
