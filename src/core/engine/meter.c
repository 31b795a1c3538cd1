#include "core/engine/meter.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/engine/state.h"
#include "core/model/plan.h"

void rf_engine_set_clock(struct rf_engine *engine, rf_ns (*monotonic_ns)(void))
{
    engine->clock = monotonic_ns;
}

void rf_engine_take_meter(struct rf_engine *engine, struct rf_rule_meter *sum)
{
    for (size_t i = 0; i < engine->plan->rule_count; i++) {
        sum[i].evaluations += engine->meter[i].evaluations;
        sum[i].failures += engine->meter[i].failures;
        sum[i].timed += engine->meter[i].timed;
        sum[i].timed_ns += engine->meter[i].timed_ns;
    }
    memset(engine->meter, 0, engine->plan->rule_count * sizeof *engine->meter);
}

/* The count goes on over all rules, so that a rule which is asked seldom is timed, too. */
rf_ns rf_meter_begin(struct rf_engine *engine, uint32_t rule)
{
    rf_assert(rule < engine->plan->rule_count);
    engine->meter[rule].evaluations++;
    if (++engine->evaluations % RF_METER_EVERY != 0 || engine->clock == NULL)
        return 0;
    return engine->clock();
}

void rf_meter_end(struct rf_engine *engine, uint32_t rule, rf_ns began)
{
    rf_ns ended = 0;

    if (began == 0)
        return;
    ended = engine->clock();
    rf_assert(ended >= began);
    engine->meter[rule].timed++;
    engine->meter[rule].timed_ns += (uint64_t)(ended - began);
}
