/* JSON without a schema: what a text holds, as values of their own kind. For commands that show other people's
 * messages; what is folded always has a schema. Any thread. */
#pragma once
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/expr/value.h"

/* Objects become maps from text, arrays lists, whole numbers ints, other numbers doubles; in `arena`. Errors: RECORD, with
 * line and column. */
bool rf_json_dynamic(struct rf_bytes text, struct rf_arena *arena, struct rf_value *value,
                     struct rf_error *err) RF_MUST_CHECK;
