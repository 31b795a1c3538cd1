#include "core/task/histogram.h"

#include <string.h>

#include "core/base/assert.h"

const struct rf_histogram_bounds rf_commit_bounds = {
    14, {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0}};

const struct rf_histogram_bounds rf_delay_bounds = {
    13, {0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0, 604800.0}};

void rf_histogram_init(struct rf_histogram *histogram, const struct rf_histogram_bounds *bounds)
{
    rf_assert(bounds->count > 0);
    rf_assert(bounds->count <= RF_HISTOGRAM_BOUNDS_MAX);
    memset(histogram, 0, sizeof *histogram);
    histogram->bounds = bounds;
}

void rf_histogram_add(struct rf_histogram *histogram, double seconds)
{
    const struct rf_histogram_bounds *bounds = histogram->bounds;
    double counted = seconds < 0.0 ? 0.0 : seconds;
    size_t range = 0;

    while (range < bounds->count && counted > bounds->seconds[range])
        range++;
    histogram->counts[range]++;
    histogram->count++;
    histogram->sum_seconds += counted;
}

void rf_histogram_merge(struct rf_histogram *sum, const struct rf_histogram *more)
{
    if (more->bounds == NULL)
        return;
    if (sum->bounds == NULL)
        rf_histogram_init(sum, more->bounds);
    rf_assert(sum->bounds == more->bounds);
    for (size_t i = 0; i <= sum->bounds->count; i++)
        sum->counts[i] += more->counts[i];
    sum->count += more->count;
    sum->sum_seconds += more->sum_seconds;
}

uint64_t rf_histogram_cumulative(const struct rf_histogram *histogram, size_t bound)
{
    uint64_t sum = 0;

    if (histogram->bounds == NULL)
        return 0;
    rf_assert(bound <= histogram->bounds->count);
    for (size_t i = 0; i <= bound; i++)
        sum += histogram->counts[i];
    return sum;
}

double rf_histogram_quantile(const struct rf_histogram *histogram, double quantile)
{
    uint64_t before = 0;

    rf_assert(quantile >= 0.0);
    rf_assert(quantile <= 1.0);
    if (histogram->count == 0)
        return 0.0;
    for (size_t i = 0; i < histogram->bounds->count; i++) {
        before += histogram->counts[i];
        if ((double)before >= quantile * (double)histogram->count && before > 0)
            return histogram->bounds->seconds[i];
    }
    return histogram->bounds->seconds[histogram->bounds->count - 1];
}
