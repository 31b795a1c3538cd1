/* Numbers by key: what MEAN, TOP, ENTROPY, QUANTILE and COUNT_BY are made of.
 *
 *                 key                         number
 *   MEAN          0 and 1                     the weights, and the weighted values
 *   QUANTILE      the value's bin             how many
 *   the others    the value                   how many
 *
 * A number is kept as that of another feature would be: since ever, in buckets of a window (window.h), or with
 * weights that halve (decay.h); so what those say of late events and of errors holds here.
 *
 * A QUANTILE has at most RF_TALLY_BINS_MAX bins; beyond that its two lowest become one, and what is in them
 * counts as the higher. The others have at most the feature's number of values, k, and are exact while there are
 * no more. Beyond that a new value takes the place of
 *   in a window    the one seen least recently, by bucket (of those, the one seen least, then the least)
 *   TOP, ENTROPY   the one seen least, and starts with that one's number: the space-saving algorithm
 *                  (A. Metwally, D. Agrawal, A. El Abbadi, ICDT 2005). No number is too low, none is too
 *                  high by more than the k-th part of all, and a value that makes up more than that is there.
 *   COUNT_BY       the one seen least, and starts with nothing: no number is too high.
 *
 * So an ENTROPY without a window is never too high: the j greatest numbers are at least what the j most frequent
 * values have (of a value that is not there no number is below what it has), and who majorizes has less entropy.
 * And of n events without a half-life it is too low by no more than log2(n / k) + 1: what it misses is the entropy
 * within each number, that of whether an event was inherited, at most 1, and of at most n / k inherited ones. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/feature.h"

/* Adds `amount` to the number of `key`, which is copied where it is kept. Adds 1 to *dropped where a value was
 * dropped for lack of room. False where the event is too old to count at `now` or later: nothing has changed. */
bool rf_tally_add(const struct rf_feature *feature, struct rf_feature_state *state,
                  struct rf_value key, union rf_number amount, rf_ms time, rf_ms now,
                  struct rf_arena *arena, size_t *dropped);

/* Of a number, a bool or a text of the feature's key_type. */
int rf_tally_order(struct rf_value a, struct rf_value b);

/* The value of the feature. Weights that halve are compared as of the latest of their events, so that it does not
 * move as time passes. What it is made of is in `arena`. */
struct rf_value rf_tally_value(const struct rf_feature *feature,
                               const struct rf_feature_state *state, rf_ms now,
                               struct rf_arena *arena);
