/* How often a number fell into which range. Plain data: copied, added, compared. In seconds, as Prometheus has it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define RF_HISTOGRAM_BOUNDS_MAX 16

/* Upper bounds, ascending, each inclusive (`le`); what is above the last counts as +Inf. */
struct rf_histogram_bounds {
    size_t count;
    double seconds[RF_HISTOGRAM_BOUNDS_MAX];
};

extern const struct rf_histogram_bounds rf_commit_bounds; /* 1 ms to 30 s */
extern const struct rf_histogram_bounds rf_delay_bounds;  /* 0.1 s to 7 days */

struct rf_histogram {
    const struct rf_histogram_bounds *bounds;
    uint64_t counts[RF_HISTOGRAM_BOUNDS_MAX +
                    1]; /* by bound, each alone (not cumulative); the last: +Inf */
    uint64_t count;     /* of all of them */
    double sum_seconds;
};

void rf_histogram_init(struct rf_histogram *histogram, const struct rf_histogram_bounds *bounds);
/* A negative number counts as 0. */
void rf_histogram_add(struct rf_histogram *histogram, double seconds);
/* `sum` has the same bounds, or none yet. */
void rf_histogram_merge(struct rf_histogram *sum, const struct rf_histogram *more);
/* How many were at most seconds[bound]: what an `le` bucket says; bound == bounds->count: all. */
uint64_t rf_histogram_cumulative(const struct rf_histogram *histogram, size_t bound);
/* An upper bound of the quantile (0 to 1), as far as the ranges tell; 0 where nothing was counted, the last bound
 * where it is above that. */
double rf_histogram_quantile(const struct rf_histogram *histogram, double quantile);
