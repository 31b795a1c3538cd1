#include "core/engine/interval.h"

#include <math.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/engine/number.h"

/* B. Welford, Technometrics 4(3), 1962; gaps come in the order of their times, so the bits are always the same. */
static void settle(struct rf_interval *interval, rf_span_ms gap)
{
    double from_mean = (double)gap - interval->mean;

    rf_assert(gap >= 0);
    interval->least = interval->settled == 0 || gap < interval->least ? gap : interval->least;
    interval->most = interval->settled == 0 || gap > interval->most ? gap : interval->most;
    interval->settled++;
    interval->mean += from_mean / (double)interval->settled;
    interval->squares += from_mean * ((double)gap - interval->mean);
}

/* The mean needs none of them, the last gap two. */
static uint32_t times_max(const struct rf_feature *feature)
{
    return feature->stat == RF_STAT_MEAN || feature->stat == RF_STAT_LAST ? 2
                                                                          : RF_INTERVAL_TIMES_MAX;
}

static void insert(struct rf_interval *interval, rf_ms time)
{
    uint32_t place = interval->time_count;

    while (place > 0 && interval->times[place - 1] > time)
        place--;
    memmove(interval->times + place + 1, interval->times + place,
            (interval->time_count - place) * sizeof *interval->times);
    interval->times[place] = time;
    interval->time_count++;
}

void rf_interval_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                     struct rf_arena *arena)
{
    struct rf_interval *interval = state->interval;

    if (interval == NULL) {
        interval = state->interval = rf_arena_alloc_zero(arena, sizeof *interval);
        interval->first = time;
    }
    interval->count++;
    if (time < interval->first)
        interval->first = time;
    if (interval->settled > 0 && time < interval->times[0])
        return;
    insert(interval, time);
    if (interval->time_count <= times_max(feature))
        return;
    settle(interval, interval->times[1] - interval->times[0]);
    interval->time_count--;
    memmove(interval->times, interval->times + 1, interval->time_count * sizeof *interval->times);
}

static rf_span_ms deviation(const struct rf_interval *all)
{
    return (rf_span_ms)floor(sqrt(all->squares / (double)all->settled) + 0.5);
}

struct rf_value rf_interval_value(const struct rf_feature *feature,
                                  const struct rf_feature_state *state)
{
    struct rf_interval all = {0};
    uint32_t latest = 0;

    if (state->interval == NULL || state->interval->count < 2)
        return rf_value_null();
    all = *state->interval;
    rf_assert(all.time_count >= 2);
    latest = all.time_count - 1;
    if (feature->stat == RF_STAT_MEAN)
        return rf_number_duration_ms((all.times[latest] - all.first) / (all.count - 1));
    if (feature->stat == RF_STAT_LAST)
        return rf_number_duration_ms(all.times[latest] - all.times[latest - 1]);
    for (uint32_t i = 1; i <= latest; i++)
        settle(&all, all.times[i] - all.times[i - 1]);
    if (feature->stat == RF_STAT_MIN)
        return rf_number_duration_ms(all.least);
    if (feature->stat == RF_STAT_MAX)
        return rf_number_duration_ms(all.most);
    rf_assert(feature->stat == RF_STAT_STDDEV);
    return rf_number_duration_ms(deviation(&all));
}
