#include "core/task/lag.h"

#include <string.h>

#include "core/base/assert.h"

#define RATE_SAMPLE_MS 1000

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t rf_lag_next(const struct rf_lag_reading *reading, const struct rf_lag_ends *ends)
{
    int64_t next = reading->committed;

    if (next < 0 && !reading->from_end)
        next = ends->log_start;
    /* With nothing of it open, all before the position is committed, or a marker, or of an aborted transaction. */
    if (reading->oldest_offset < 0)
        next = larger(next, reading->position);
    else if (next < 0)
        next = reading->oldest_offset;
    if (next < 0)
        return -1;
    /* What retention took is nobody's any more, unless the worker has it in its hands. */
    if (reading->oldest_offset >= 0 && reading->oldest_offset < ends->log_start)
        return next;
    return larger(next, ends->log_start);
}

/* The broker was asked at another moment than the worker: what the worker has is certainly there. */
static int64_t end_of(const struct rf_lag_reading *reading, const struct rf_lag_ends *ends)
{
    int64_t end = larger(ends->log_end, reading->position);

    return reading->oldest_offset < 0 ? end : larger(end, reading->oldest_offset + 1);
}

static bool probe_fits(const struct rf_lag_probe *probe, int64_t next)
{
    int64_t last = probe->offset >= 0 ? probe->offset : probe->until;

    return probe->from >= 0 && probe->from <= next && next <= last;
}

/* Not earlier than the oldest record can be: behind the last one read, and behind what was there when nothing was left
 * to be read. */
static rf_ms estimate_oldest(const struct rf_lag_reading *reading, const struct rf_lag_ends *ends,
                             int64_t next)
{
    rf_ms bound = reading->last_time;

    if (ends->caught_up_end >= 0 && next >= ends->caught_up_end && ends->caught_up_at > bound)
        bound = ends->caught_up_at;
    return bound;
}

static void measure_age(const struct rf_lag_reading *reading, const struct rf_lag_ends *ends,
                        const struct rf_lag_probe *probe, int64_t next, rf_ms now,
                        struct rf_lag *lag)
{
    if (reading->oldest_offset >= 0) {
        lag->oldest_time = reading->oldest_time;
    } else if (probe->offset >= 0 && probe_fits(probe, next)) {
        lag->oldest_time = probe->time;
    } else {
        lag->oldest_time = estimate_oldest(reading, ends, next);
        lag->lag_ms_exact = false;
    }
    if (lag->oldest_time == RF_MS_MIN)
        lag->lag_ms = -1; /* not known yet, or the topic has no timestamps */
    else
        lag->lag_ms = larger(now - lag->oldest_time, 0);
    if (!lag->lag_ms_exact)
        lag->oldest_time = RF_MS_MIN;
}

void rf_lag_measure(const struct rf_lag_reading *reading, const struct rf_lag_ends *ends,
                    const struct rf_lag_probe *probe, rf_ms now, struct rf_lag *lag)
{
    int64_t next = rf_lag_next(reading, ends);
    int64_t end = end_of(reading, ends);

    lag->log_start = ends->log_start;
    lag->log_end = ends->log_end < 0 ? -1 : end;
    lag->stable_end = ends->stable_end;
    lag->committed = reading->committed;
    lag->position = reading->position;
    lag->records = reading->records;
    lag->as_of = ends->asked_at;
    lag->oldest_time = RF_MS_MIN;
    lag->lag_records = -1;
    lag->lag_ms = -1;
    lag->lag_ms_exact = true;
    if (ends->log_end < 0)
        return;
    if (next < 0) {
        rf_assert(reading->from_end); /* nothing was committed, and reading has not begun */
        next = end;
    }
    lag->lag_records = larger(end - next, 0);
    if (reading->oldest_offset < 0 && probe_fits(probe, next) && probe->offset < 0 &&
        probe->until >= end)
        lag->lag_records = 0; /* markers only: nobody can consume them */
    if (lag->lag_records > 0) {
        measure_age(reading, ends, probe, next, now, lag);
        return;
    }
    lag->lag_ms = 0;
    lag->stable_end = end;
}

/* ---- what has happened lately ---- */

void rf_lag_history_clear(struct rf_lag_history *history)
{
    memset(history, 0, sizeof *history);
}

void rf_lag_history_add(struct rf_lag_history *history, int64_t at_ms, int64_t next, int64_t lag)
{
    struct rf_lag_sample *newest = &history->samples[history->newest];

    rf_assert(lag >= 0);
    if (history->count > 0 && at_ms - newest->at_ms < RF_LAG_SAMPLE_MS) {
        newest->next = next;
        if (lag < newest->lag)
            newest->lag = lag;
        return;
    }
    if (history->count > 0)
        history->newest = (history->newest + 1) % RF_LAG_SAMPLES;
    if (history->count < RF_LAG_SAMPLES)
        history->count++;
    history->samples[history->newest] = (struct rf_lag_sample){at_ms, next, lag};
}

enum rf_lag_status rf_lag_status(const struct rf_lag_history *history, enum rf_task_status task,
                                 rf_span_ms turned_ms)
{
    size_t oldest = (history->newest + RF_LAG_SAMPLES + 1 - history->count) % RF_LAG_SAMPLES;
    const struct rf_lag_sample *first = &history->samples[oldest];
    const struct rf_lag_sample *last = &history->samples[history->newest];

    if (turned_ms < 0 || turned_ms >= RF_LAG_WINDOW_MS)
        return RF_LAG_STOPPED;
    if (task == RF_TASK_WAITING || task == RF_TASK_RESTORING)
        return RF_LAG_RESTORING;
    if (history->count < RF_LAG_SAMPLES)
        return RF_LAG_OK; /* nothing is known of a whole window */
    for (size_t i = 0; i < history->count; i++) {
        if (history->samples[i].lag == 0)
            return RF_LAG_OK;
    }
    if (last->next == first->next)
        return RF_LAG_STALLED;
    return last->lag < first->lag ? RF_LAG_OK : RF_LAG_LAGGING;
}

/* ---- how fast a counter moves ---- */

void rf_rate_add(struct rf_rate *rate, int64_t at_ms, double value)
{
    if (rate->count > 0 && value < rate->samples[rate->newest].value)
        memset(rate, 0, sizeof *rate);
    if (rate->count > 0 && at_ms - rate->samples[rate->newest].at_ms < RATE_SAMPLE_MS)
        return;
    if (rate->count > 0)
        rate->newest = (rate->newest + 1) % RF_RATE_SAMPLES;
    if (rate->count < RF_RATE_SAMPLES)
        rate->count++;
    rate->samples[rate->newest].at_ms = at_ms;
    rate->samples[rate->newest].value = value;
}

double rf_rate_per_second(const struct rf_rate *rate)
{
    size_t oldest = (rate->newest + RF_RATE_SAMPLES + 1 - rate->count) % RF_RATE_SAMPLES;
    int64_t span = 0;

    if (rate->count < 2)
        return 0.0;
    span = rate->samples[rate->newest].at_ms - rate->samples[oldest].at_ms;
    rf_assert(span > 0);
    return (rate->samples[rate->newest].value - rate->samples[oldest].value) * 1000.0 /
           (double)span;
}
