/* How far a customer has come in each pattern: a map from the pattern's state name.
 *
 *   passed                                          what is older comes too late
 *   events [ { time, topic, partition, offset, steps } ]   by time; steps: a bit for each that it matches
 *   waiting                                         how many of them, at the end, wait for the watermark
 *   runs [ [ place in events ... ] ]                a partial match each, by its first event
 *
 * A pattern of another definition has another name, and is skipped. */
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/customer_parts.h"
#include "core/codec/customer_reader.h"
#include "core/codec/customer_writer.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"

#define EVENTS_MAX (RF_PATTERN_RUNS_MAX * RF_PATTERN_EVENTS_MAX + RF_PATTERN_WAITING_MAX)

/* ---- written ---- */

static void write_event(struct rf_writer *w, const struct rf_pattern_event *event)
{
    rf_write_long(w, event->time);
    rf_write_bytes(w, rf_bytes_of_text(event->position.topic));
    rf_write_long(w, event->position.partition);
    rf_write_long(w, event->position.offset);
    rf_write_long(w, event->steps);
}

static void write_run(struct rf_writer *w, const struct rf_pattern_run *run)
{
    rf_assert(run->taken > 0);
    rf_write_items(w, run->taken);
    for (uint32_t i = 0; i < run->taken; i++)
        rf_write_long(w, run->events[i]);
    rf_write_items_end(w);
}

static void write_pattern(struct rf_writer *w, const struct rf_pattern_state *state)
{
    rf_write_long(w, state->passed);
    rf_write_items(w, state->event_count);
    for (uint32_t i = 0; i < state->event_count; i++)
        write_event(w, &state->events[i]);
    rf_write_items_end(w);
    rf_write_long(w, state->event_count - state->taken_count);
    rf_write_items(w, state->run_count);
    for (uint32_t i = 0; i < state->run_count; i++)
        write_run(w, &state->runs[i]);
    rf_write_items_end(w);
}

static bool remembers(const struct rf_pattern_state *state)
{
    return state->passed != RF_MS_MIN || state->event_count > 0;
}

/* Patterns that no event was for are not in the map. */
void rf_write_patterns(struct rf_writer *w, const struct rf_plan *plan,
                       const struct rf_pattern_state *states)
{
    int64_t count = 0;

    for (size_t i = 0; i < plan->pattern_count; i++)
        count += remembers(&states[i]);
    rf_write_items(w, count);
    for (size_t i = 0; count > 0 && i < plan->pattern_count; i++) {
        if (!remembers(&states[i]))
            continue;
        rf_write_bytes(w, rf_bytes_of_text(plan->patterns[i].state_name));
        write_pattern(w, &states[i]);
    }
    rf_write_items_end(w);
}

/* ---- read ---- */

/* Most events of a customer lie in few topics: one copy for each in a row. */
static bool read_topic(struct rf_reader *r, const struct rf_pattern_event *before,
                       struct rf_arena *arena, const char **topic)
{
    struct rf_bytes text = {0};

    if (!rf_read_bytes(r, &text))
        return false;
    if (!rf_bytes_is_utf8(text) || (text.size > 0 && memchr(text.data, 0, text.size) != NULL))
        return rf_read_fault(r, "a topic that is no text");
    if (before != NULL && rf_bytes_equal(rf_bytes_of_text(before->position.topic), text))
        *topic = before->position.topic;
    else
        *topic = (const char *)rf_arena_copy(arena, text).data;
    return true;
}

static bool read_event(struct rf_reader *r, const struct rf_pattern *pattern,
                       const struct rf_pattern_event *before, struct rf_arena *arena,
                       struct rf_pattern_event *event)
{
    int64_t partition = 0;
    int64_t steps = 0;

    if (!rf_read_instant(r, &event->time) ||
        !read_topic(r, before, arena, &event->position.topic) || !rf_read_long(r, &partition) ||
        !rf_read_long(r, &event->position.offset) || !rf_read_long(r, &steps))
        return false;
    if (partition < 0 || partition > INT32_MAX)
        return rf_read_fault(r, "a partition that cannot be");
    if (steps <= 0 || steps >> pattern->step_count != 0)
        return rf_read_fault(r, "an event of no step");
    if (before != NULL && before->time > event->time)
        return rf_read_fault(r, "events out of order");
    event->position.partition = (int32_t)partition;
    event->steps = (uint32_t)steps;
    return true;
}

static bool read_events(struct rf_reader *r, const struct rf_pattern *pattern,
                        struct rf_arena *arena, struct rf_pattern_state *state)
{
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block_within(r, 5, EVENTS_MAX - state->event_count, "too many events", &count))
            return false;
        if (count == 0)
            return true;
        state->events = rf_read_grow(arena, state->events, sizeof *state->events,
                                     state->event_count, count, &state->event_capacity);
        for (; count > 0; count--) {
            struct rf_pattern_event *event = &state->events[state->event_count];

            if (!read_event(r, pattern, state->event_count > 0 ? event - 1 : NULL, arena, event))
                return false;
            state->event_count++;
        }
    }
}

static bool read_waiting(struct rf_reader *r, struct rf_pattern_state *state)
{
    int64_t waiting = 0;

    if (!rf_read_long(r, &waiting))
        return false;
    if (waiting < 0 || waiting > state->event_count || waiting > RF_PATTERN_WAITING_MAX)
        return rf_read_fault(r, "more events wait than there are");
    state->taken_count = state->event_count - (uint32_t)waiting;
    if (state->taken_count > 0 && state->events[state->taken_count - 1].time > state->passed)
        return rf_read_fault(r, "an event that was taken before its time");
    if (waiting > 0 && state->events[state->taken_count].time < state->passed)
        return rf_read_fault(r, "an event that waits for what has passed");
    return true;
}

static bool read_run_items(struct rf_reader *r, const struct rf_pattern *pattern,
                           uint32_t taken_count, struct rf_pattern_run *run)
{
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block_within(r, 1, pattern->stage_count - run->taken,
                                  "a partial match that is too long", &count))
            return false;
        if (count == 0)
            return true;
        for (; count > 0; count--) {
            int64_t place = 0;

            if (!rf_read_long(r, &place))
                return false;
            if (place < 0 || place >= taken_count ||
                (run->taken > 0 && place <= run->events[run->taken - 1]))
                return rf_read_fault(r, "a partial match of events that cannot be");
            run->events[run->taken++] = (uint32_t)place;
        }
    }
}

/* Whoever began earlier has come as far at least, no later: the engine relies on it. */
static bool can_follow(const struct rf_pattern_run *before, const struct rf_pattern_run *run)
{
    return before->events[0] < run->events[0] && before->taken >= run->taken &&
           (before->taken > run->taken ||
            before->events[before->taken - 1] <= run->events[run->taken - 1]);
}

/* What has ended has fired. */
static bool is_over(const struct rf_pattern *pattern, const struct rf_pattern_state *state,
                    const struct rf_pattern_run *run)
{
    rf_ms first = state->events[run->events[0]].time;
    rf_ms last = state->events[run->events[run->taken - 1]].time;
    rf_ms end = pattern->silence > 0 ? last + pattern->silence : first + pattern->within;

    return run->taken == pattern->stage_count && end <= state->passed && end < RF_MS_MAX;
}

static bool read_run(struct rf_reader *r, const struct rf_pattern *pattern,
                     struct rf_pattern_state *state)
{
    struct rf_pattern_run *run = &state->runs[state->run_count];

    *run = (struct rf_pattern_run){0};
    if (!read_run_items(r, pattern, state->taken_count, run))
        return false;
    if (run->taken == 0 || (run->taken == pattern->stage_count && !pattern->ends_in_silence))
        return rf_read_fault(r, "a partial match that is none");
    if (is_over(pattern, state, run))
        return rf_read_fault(r, "a silence that is over");
    if (state->run_count > 0 && !can_follow(run - 1, run))
        return rf_read_fault(r, "partial matches out of order");
    state->run_count++;
    return true;
}

static bool read_runs(struct rf_reader *r, const struct rf_pattern *pattern, struct rf_arena *arena,
                      struct rf_pattern_state *state)
{
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block_within(r, 3, RF_PATTERN_RUNS_MAX - state->run_count,
                                  "too many partial matches", &count))
            return false;
        if (count == 0)
            return true;
        state->runs = rf_read_grow(arena, state->runs, sizeof *state->runs, state->run_count, count,
                                   &state->run_capacity);
        for (; count > 0; count--) {
            if (!read_run(r, pattern, state))
                return false;
        }
    }
}

static bool read_pattern(struct rf_reader *r, const struct rf_pattern *pattern,
                         struct rf_arena *arena, struct rf_pattern_state *state)
{
    *state = (struct rf_pattern_state){.passed = RF_MS_MIN};
    return rf_read_instant(r, &state->passed) && read_events(r, pattern, arena, state) &&
           read_waiting(r, state) && read_runs(r, pattern, arena, state);
}

static size_t find_pattern(const struct rf_plan *plan, struct rf_bytes name)
{
    size_t i = 0;

    while (i < plan->pattern_count &&
           !rf_bytes_equal(rf_bytes_of_text(plan->patterns[i].state_name), name))
        i++;
    return i;
}

bool rf_read_patterns(struct rf_reader *r, const struct rf_plan *plan, struct rf_arena *arena,
                      struct rf_pattern_state *states)
{
    uint32_t count = 0;

    for (;;) {
        if (!rf_read_block(r, 5, &count))
            return false;
        if (count == 0)
            return true;
        for (; count > 0; count--) {
            struct rf_bytes name = {0};
            size_t index = 0;

            if (!rf_read_bytes(r, &name))
                return false;
            index = find_pattern(plan, name);
            if (index < plan->pattern_count
                    ? !read_pattern(r, &plan->patterns[index], arena, &states[index])
                    : !rf_read_skip(r, rf_customer_pattern_schema(), RF_SCHEMA_DEPTH_MAX))
                return false;
        }
    }
}
