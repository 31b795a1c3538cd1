#include "core/engine/pattern.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/time.h"

#define ROOM_FIRST 4

/* One look at a customer. */
struct look {
    const struct rf_pattern *pattern;
    struct rf_pattern_state *state;
    struct rf_arena *arena;
    struct rf_pattern_outcome *outcome;
};

/* ---- what is kept --------------------------------------------------------------------------------- */

/* `items` with room for one more. */
static void *grow(struct rf_arena *arena, void *items, size_t item_size, uint32_t count,
                  uint32_t *capacity)
{
    void *grown = NULL;

    if (count < *capacity)
        return items;
    *capacity = count < ROOM_FIRST ? ROOM_FIRST : 2 * count;
    grown = rf_arena_alloc(arena, *capacity * item_size);
    if (count > 0)
        memcpy(grown, items, count * item_size);
    return grown;
}

static rf_ms first_time(const struct look *look, const struct rf_pattern_run *run)
{
    return look->state->events[run->events[0]].time;
}

static rf_ms last_time(const struct look *look, const struct rf_pattern_run *run)
{
    return look->state->events[run->events[run->taken - 1]].time;
}

/* Behind the last stage: only silence is missing. */
static bool is_silent(const struct rf_pattern *pattern, const struct rf_pattern_run *run)
{
    return run->taken == pattern->stage_count;
}

/* When the silence is long enough. */
static rf_ms silence_end(const struct look *look, const struct rf_pattern_run *run)
{
    rf_ms end = look->pattern->silence > 0 ? last_time(look, run) + look->pattern->silence
                                           : first_time(look, run) + look->pattern->within;

    rf_assert(look->pattern->ends_in_silence);
    return rf_ms_earlier(end, RF_MS_MAX);
}

/* The earliest end of a silence; RF_MS_MAX: nobody is silent. */
static rf_ms next_end(const struct look *look)
{
    rf_ms next = RF_MS_MAX;

    for (uint32_t i = 0; i < look->state->run_count; i++) {
        const struct rf_pattern_run *run = &look->state->runs[i];
        rf_ms end = is_silent(look->pattern, run) ? silence_end(look, run) : RF_MS_MAX;

        next = rf_ms_earlier(next, end);
    }
    return next;
}

/* Events that no run has taken go; those that wait stay. */
static void forget_events(struct rf_pattern_state *state)
{
    uint32_t kept = 0;
    uint32_t waiting = state->event_count - state->taken_count;

    for (uint32_t i = 0; i < state->taken_count; i++) {
        bool taken = false;

        for (uint32_t j = 0; j < state->run_count; j++) {
            struct rf_pattern_run *run = &state->runs[j];

            for (uint32_t k = 0; k < run->taken; k++) {
                if (run->events[k] != i)
                    continue;
                run->events[k] = kept;
                taken = true;
            }
        }
        if (taken)
            state->events[kept++] = state->events[i];
    }
    if (waiting > 0)
        memmove(state->events + kept, state->events + state->taken_count,
                waiting * sizeof *state->events);
    state->taken_count = kept;
    state->event_count = kept + waiting;
}

/* ---- matches -------------------------------------------------------------------------------------- */

static void add_match(const struct look *look, const struct rf_pattern_run *run, rf_ms time,
                      bool by_timer)
{
    struct rf_pattern_outcome *outcome = look->outcome;
    uint32_t capacity = (uint32_t)outcome->match_capacity;
    struct rf_pattern_taken *taken = rf_arena_alloc(look->arena, run->taken * sizeof *taken);

    rf_assert(run->taken == look->pattern->stage_count);
    for (uint32_t i = 0; i < run->taken; i++) {
        const struct rf_pattern_event *event = &look->state->events[run->events[i]];

        taken[i] = (struct rf_pattern_taken){.step = look->pattern->stages[i].step,
                                             .time = event->time,
                                             .position = event->position};
    }
    outcome->matches = grow(look->arena, outcome->matches, sizeof *outcome->matches,
                            (uint32_t)outcome->match_count, &capacity);
    outcome->match_capacity = capacity;
    outcome->matches[outcome->match_count++] = (struct rf_pattern_match){
        .time = time, .by_timer = by_timer, .event_count = run->taken, .events = taken};
}

/* What is done with each run in turn; those that are kept move together. */
struct sieve {
    struct rf_pattern_state *state;
    uint32_t kept;
    bool skipping; /* a match was found that skips ... */
    uint32_t past; /* ... every run that began no later than this event */
};

static void keep(struct sieve *sieve, const struct rf_pattern_run *run)
{
    if (sieve->skipping && run->events[0] <= sieve->past)
        return;
    sieve->state->runs[sieve->kept++] = *run;
}

/* Complete. The runs stand in the order of their first events, so of several the first one counts. */
static void complete(const struct look *look, struct sieve *sieve, const struct rf_pattern_run *run,
                     rf_ms time, bool by_timer)
{
    if (sieve->skipping && run->events[0] <= sieve->past)
        return;
    add_match(look, run, time, by_timer);
    if (!look->pattern->skips)
        return;
    sieve->skipping = true;
    sieve->past = run->events[run->taken - 1];
}

/* Runs that began before the match was found, but stand before it, cannot be: whoever began earlier has come
 * at least as far, and is complete no later. */
static void finish(const struct look *look, struct sieve *sieve)
{
    for (uint32_t i = 0; sieve->skipping && i < sieve->kept; i++)
        rf_assert(sieve->state->runs[i].events[0] > sieve->past);
    look->state->run_count = sieve->kept;
}

/* ---- one instant ---------------------------------------------------------------------------------- */

/* Too much time has passed for the event that it waits for. */
static bool has_expired(const struct look *look, const struct rf_pattern_run *run, rf_ms now)
{
    rf_span_ms of_step = 0;

    if (is_silent(look->pattern, run))
        return false; /* its end fires, at its own instant */
    of_step = look->pattern->stages[run->taken].within;
    if (of_step > 0 && now - last_time(look, run) >= of_step)
        return true;
    return look->pattern->within > 0 && now - first_time(look, run) >= look->pattern->within;
}

static void expire(const struct look *look, rf_ms now)
{
    struct sieve sieve = {.state = look->state};

    for (uint32_t i = 0; i < look->state->run_count; i++) {
        const struct rf_pattern_run run = look->state->runs[i];

        if (!has_expired(look, &run, now))
            keep(&sieve, &run);
    }
    finish(look, &sieve);
}

/* A timer: every silence that ends now. */
static void end_silence(const struct look *look, rf_ms now)
{
    struct sieve sieve = {.state = look->state};

    rf_assert(now >= look->state->passed);
    expire(look, now);
    for (uint32_t i = 0; i < look->state->run_count; i++) {
        const struct rf_pattern_run run = look->state->runs[i];

        if (is_silent(look->pattern, &run) && silence_end(look, &run) <= now)
            complete(look, &sieve, &run, now, true);
        else
            keep(&sieve, &run);
    }
    finish(look, &sieve);
    look->state->passed = now;
}

/* A run and the event at `place`: kept, taken on, complete or ended. */
static void meet(const struct look *look, struct sieve *sieve, const struct rf_pattern_run *before,
                 uint32_t place)
{
    const struct rf_pattern *pattern = look->pattern;
    const struct rf_pattern_event *event = &look->state->events[place];
    struct rf_pattern_run run = *before;
    bool awaited = false;
    bool forbidden = (event->steps & pattern->forbids) != 0;

    if (!is_silent(pattern, &run)) {
        const struct rf_pattern_stage *stage = &pattern->stages[run.taken];

        awaited = (event->steps >> stage->step & 1) != 0;
        forbidden = (event->steps & stage->forbids) != 0;
    }
    if (awaited)
        run.events[run.taken++] = place;
    if (awaited && is_silent(pattern, &run) && !pattern->ends_in_silence)
        complete(look, sieve, &run, event->time, false);
    else if (!forbidden)
        keep(sieve, &run);
}

/* A silence that may yet end `before` and leave `run`: its match would skip whatever began up to its last
 * event. */
static bool is_between(const struct look *look, const struct rf_pattern_run *silent,
                       const struct rf_pattern_run *before, const struct rf_pattern_run *run)
{
    uint32_t last = silent->events[silent->taken - 1];

    return is_silent(look->pattern, silent) && before->events[0] <= last && last < run->events[0];
}

/* A run that is as far as one that began before it. Without a `within` they differ in nothing else: that one
 * completes first and skips this one, so it will never be asked for. `kept`: the runs up to that one. */
static bool is_shadowed(const struct look *look, const struct rf_pattern_run *run, uint32_t kept)
{
    const struct rf_pattern_run *before = &look->state->runs[kept - 1];

    if (run->taken != before->taken)
        return false;
    if (is_silent(look->pattern, run) && run->events[0] > before->events[before->taken - 1])
        return false;
    for (uint32_t i = 0; i + 1 < kept; i++) {
        if (is_between(look, &look->state->runs[i], before, run))
            return false;
    }
    return true;
}

static bool has_within(const struct rf_pattern *pattern)
{
    bool found = pattern->within > 0;

    for (size_t i = 0; i < pattern->stage_count; i++)
        found = found || pattern->stages[i].within > 0;
    return found;
}

static void drop_shadowed(const struct look *look)
{
    struct sieve sieve = {.state = look->state};

    if (!look->pattern->skips || has_within(look->pattern))
        return;
    for (uint32_t i = 0; i < look->state->run_count; i++) {
        const struct rf_pattern_run run = look->state->runs[i];

        if (sieve.kept == 0 || !is_shadowed(look, &run, sieve.kept))
            keep(&sieve, &run);
    }
    finish(look, &sieve);
}

static void drop_oldest(const struct look *look)
{
    struct rf_pattern_state *state = look->state;

    if (state->run_count <= RF_PATTERN_RUNS_MAX)
        return;
    rf_assert(state->run_count == RF_PATTERN_RUNS_MAX + 1);
    state->run_count--;
    memmove(state->runs, state->runs + 1, state->run_count * sizeof *state->runs);
    look->outcome->dropped_count++;
}

/* The first of the events that wait. */
static void take_event(const struct look *look)
{
    struct rf_pattern_state *state = look->state;
    struct sieve sieve = {.state = state};
    uint32_t place = state->taken_count;
    const struct rf_pattern_run none = {0};

    rf_assert(place < state->event_count);
    rf_assert(state->events[place].time >= state->passed);
    state->passed = state->events[place].time;
    expire(look, state->passed);
    /* The one that may begin now is the last by its first event. */
    state->runs =
        grow(look->arena, state->runs, sizeof *state->runs, state->run_count, &state->run_capacity);
    state->taken_count++;
    for (uint32_t i = 0; i < state->run_count; i++) {
        const struct rf_pattern_run run = state->runs[i];

        meet(look, &sieve, &run, place);
    }
    if ((state->events[place].steps >> look->pattern->stages[0].step & 1) != 0)
        meet(look, &sieve, &none, place);
    finish(look, &sieve);
    drop_shadowed(look);
    drop_oldest(look);
    forget_events(state);
}

/* ---- time ----------------------------------------------------------------------------------------- */

static bool has_waiting(const struct rf_pattern_state *state)
{
    return state->taken_count < state->event_count;
}

/* A silence ends before the event of the same instant. */
static void advance(const struct look *look, rf_ms watermark)
{
    for (;;) {
        rf_ms end = next_end(look);
        rf_ms event = has_waiting(look->state) ? look->state->events[look->state->taken_count].time
                                               : RF_MS_MAX;

        if (end <= watermark && end < RF_MS_MAX && end <= event) {
            end_silence(look, end);
            forget_events(look->state);
        } else if (has_waiting(look->state) && event <= watermark) {
            take_event(look);
        } else {
            return;
        }
    }
}

/* Behind all that are no later than it. */
static void wait(const struct look *look, const struct rf_pattern_event *event)
{
    struct rf_pattern_state *state = look->state;
    uint32_t place = state->event_count;

    state->events = grow(look->arena, state->events, sizeof *state->events, state->event_count,
                         &state->event_capacity);
    while (place > state->taken_count && state->events[place - 1].time > event->time)
        place--;
    memmove(state->events + place + 1, state->events + place,
            (state->event_count - place) * sizeof *state->events);
    state->events[place] = *event;
    state->event_count++;
}

/* The first that waits is looked at as if the watermark had reached it. */
static void make_room(const struct look *look)
{
    struct rf_pattern_state *state = look->state;

    if (state->event_count - state->taken_count <= RF_PATTERN_WAITING_MAX)
        return;
    look->outcome->hurried_count++;
    advance(look, state->events[state->taken_count].time);
    rf_assert(state->event_count - state->taken_count <= RF_PATTERN_WAITING_MAX);
}

void rf_pattern_offer(const struct rf_pattern *pattern, struct rf_pattern_state *state,
                      const struct rf_pattern_event *event, rf_ms watermark, struct rf_arena *arena,
                      struct rf_pattern_outcome *outcome)
{
    const struct look look = {pattern, state, arena, outcome};

    rf_assert(event->steps != 0);
    rf_assert(event->steps >> pattern->step_count == 0);
    if (event->time < state->passed) {
        outcome->ignored_count++;
    } else {
        wait(&look, event);
        make_room(&look);
    }
    advance(&look, watermark);
}

void rf_pattern_advance(const struct rf_pattern *pattern, struct rf_pattern_state *state,
                        rf_ms watermark, struct rf_arena *arena, struct rf_pattern_outcome *outcome)
{
    const struct look look = {pattern, state, arena, outcome};

    advance(&look, watermark);
}

rf_ms rf_pattern_due(const struct rf_pattern *pattern, const struct rf_pattern_state *state)
{
    /* Looks only: the state of a look is not const for the sake of the others. */
    struct rf_pattern_state copy = *state;
    const struct look look = {.pattern = pattern, .state = &copy};
    rf_ms due = next_end(&look);

    if (has_waiting(state) && state->events[state->taken_count].time < due)
        due = state->events[state->taken_count].time;
    return due;
}
