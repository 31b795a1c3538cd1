/* Local time: an instant in a zone. Zones are names ("Europe/Berlin"), which are data from outside, or fixed
 * offsets ("+02:00", "-03:30", "02:00"), or "UTC". */
#pragma once
#include "core/expr/function.h"

/* The seconds of local time at an instant; false: there is no such zone. */
bool rf_zone_local(const struct rf_zones *zones, struct rf_bytes zone, int64_t seconds,
                   int64_t *local_seconds);
