/* A value with everything it points to, so that it lives as long as `arena`. */
#pragma once
#include "core/base/arena.h"
#include "core/expr/value.h"

struct rf_value rf_value_copy(struct rf_arena *arena, struct rf_value value);
