#include "core/model/derived.h"

const char *rf_status_name(enum rf_status status)
{
    static const char *const names[] = {
        [RF_STATUS_RAISED] = "RAISED",   [RF_STATUS_UPDATED] = "UPDATED",
        [RF_STATUS_CLEARED] = "CLEARED", [RF_STATUS_EVICTED] = "EVICTED",
        [RF_STATUS_ERASED] = "ERASED",
    };

    return names[status];
}

const char *rf_held_by_name(enum rf_held_by by)
{
    static const char *const names[RF_HELD_BY_COUNT] = {"cooldown", "for", "guard", "shadow"};

    return names[by];
}
