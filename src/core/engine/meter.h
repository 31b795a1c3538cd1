/* How often each rule was evaluated, how often that failed, and what it costs. Part of no result: whatever the clock
 * says, the same events give the same records and the same derived events. */
#pragma once
#include <stdint.h>

#include "core/base/time.h"

#define RF_METER_EVERY 1024 /* evaluations, of which one is timed */

struct rf_rule_meter {
    uint64_t evaluations, failures;
    uint64_t timed;    /* of the evaluations */
    uint64_t timed_ns; /* all timed ones together; reading the clock is in it, some 20 ns each */
};

struct rf_engine;

/* Lends the engine a clock; NULL: nothing is timed, as at first. */
void rf_engine_set_clock(struct rf_engine *engine, rf_ns (*monotonic_ns)(void));
/* Adds what was counted since the last call, by rule. */
void rf_engine_take_meter(struct rf_engine *engine, struct rf_rule_meter *sum);

/* Around an evaluation. Inside the engine. Returns when it began; 0: it is not timed. */
rf_ns rf_meter_begin(struct rf_engine *engine, uint32_t rule);
void rf_meter_end(struct rf_engine *engine, uint32_t rule, rf_ns began);
