/* How a command is told of an instant: RFC 3339, or so long ago. */
#pragma once
#include <stdbool.h>

#include "core/base/time.h"

/* "1998-07-01T00:00:00Z", or "15m", "2h", "7d": that long before now. */
bool rf_moment_parse(const char *text, rf_ms *instant);
