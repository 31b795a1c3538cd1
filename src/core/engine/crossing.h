/* When a condition will come true, or cease to, if nothing happens.
 *
 * Candidates are the instants at which one of its tests may turn (moving.h): for windows the steps, for decays and
 * P(alive) the closed form of the crossing, for what is linear in time the zero of the line. Every candidate is then made
 * exact by the program itself: the crossing is the first millisecond at which it says so, which is what an event at that
 * millisecond would have seen. What may come and go is looked at in strides that double until it has turned.
 *
 *   decay      v 2^(-t/h) = c            t  = h log2(v / c)
 *   decays     u 2^(-t/g) = v 2^(-t/h)   the zero of log2(u / v) - t (1/g - 1/h), a line
 *   P(alive)   BG/NBD, P = q             T* = (alpha + t_x) ((1-q)/q (b+x-1)/a)^(1/(r+x)) - alpha
 *              MBG/NBD                   the same with b + x in place of b + x - 1  */
#pragma once
#include "core/engine/state.h"

struct rf_crossing {
    rf_ms at;  /* RF_MS_MAX: never */
    bool real; /* false: up to there it was looked, in vain; it has to be looked on from there */
};

/* The engine looks at this customer already, and its features are as they were then; where it looks is moved.
 *
 * The first instant after `from` at which the condition becomes `wanted`, having been otherwise the millisecond before.
 * At most `steps_max` candidates are tried. */
struct rf_crossing rf_crossing_find(struct rf_engine *engine, const struct rf_customer *customer,
                                    const struct rf_moving_condition *condition, rf_ms from,
                                    bool wanted, unsigned steps_max);

/* Does it hold at that instant? One that cannot be evaluated does not. */
bool rf_crossing_holds(struct rf_engine *engine, const struct rf_customer *customer,
                       const struct rf_moving_condition *condition, rf_ms at);
