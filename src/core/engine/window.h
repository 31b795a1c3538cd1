/* COUNT, SUM, MIN, MAX and TREND over a window of event time, at the grain of a bucket.
 *
 * At the instant `now` the window is (now - offset - window, now - offset]. An event is kept only as part of
 * its bucket, floor(time / grain), and a bucket counts while any millisecond of it is inside the window:
 *
 *        grain   |-----|-----|-----|-----|-----|-----|
 *        window          (-----------------]
 *        counts     x     x     x     x     .     .        x: whole buckets
 *
 * So an event inside the window always counts, one that is a grain or more outside of it never does, and at
 * each edge the error is less than a grain (at the newer edge only where there is an offset: nothing is
 * newer than now).
 *
 * Only buckets in which something happened exist. Those that have left the window are dropped when the
 * feature changes, and what arrives too late for its bucket is not taken in: at most
 * (window + offset) / grain + 2 buckets are kept. Times are event times and `now` is the greatest of them,
 * so the buckets of a customer depend only on that customer's events, not on when they were read. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/feature.h"

/* False where the event is too old to count at `now` or later: nothing has changed. */
bool rf_window_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                   rf_ms now, union rf_number number, struct rf_arena *arena);

/* Is an event of this time taken in, at `now`? */
bool rf_window_takes(const struct rf_feature *feature, rf_ms time, rf_ms now);

/* COUNT and SUM of nothing are 0; MIN and MAX of nothing are null. Sums go from the oldest to the newest. */
struct rf_value rf_window_value(const struct rf_feature *feature,
                                const struct rf_feature_state *state, rf_ms now);

/* One number into another: the less of them for MIN, the greater for MAX, else their sum. True where it
 * changed. */
bool rf_window_combine(const struct rf_feature *feature, union rf_number *into,
                       union rf_number number);

/* TREND: the sum over the window by that over the window before it, both whole buckets as above: the bucket
 * in which they meet is in both. Null where the one before comes to 0. */
struct rf_value rf_window_trend(const struct rf_feature *feature,
                                const struct rf_feature_state *state, rf_ms now);
