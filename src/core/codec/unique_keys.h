/* A map as it was written may name a key twice; as a value it may not. Of this room only. */
#pragma once
#include <stddef.h>

#include "core/base/arena.h"
#include "core/expr/value.h"

/* Drops repeated keys (strings): the first keeps its place, the last its value. Returns how many are left.
 * Time is proportional to `count`; scratch comes from `arena`. */
size_t rf_unique_keys(struct rf_arena *arena, struct rf_value *keys, struct rf_value *values,
                      size_t count);
