#include "core/task/snapshot.h"

#include "core/base/assert.h"

const char *rf_lag_status_name(enum rf_lag_status status)
{
    static const char *const names[RF_LAG_STATUSES] = {"stopped", "restoring", "ok", "stalled",
                                                       "lagging"};

    rf_assert((size_t)status < RF_LAG_STATUSES);
    return names[status];
}

const char *rf_task_status_name(enum rf_task_status status)
{
    static const char *const names[RF_TASK_STATUSES] = {"waiting", "restoring", "running",
                                                        "blocked"};

    rf_assert((size_t)status < RF_TASK_STATUSES);
    return names[status];
}

const char *rf_producer_cause_name(enum rf_producer_cause cause)
{
    static const char *const names[RF_PRODUCER_CAUSES] = {"start", "uncertain", "unknown",
                                                          "rejoin"};

    rf_assert((size_t)cause < RF_PRODUCER_CAUSES);
    return names[cause];
}
