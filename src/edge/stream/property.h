/* What librdkafka thinks of a property, asked before anything is connected. Any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/error.h"

/* Errors: CONFIG, in librdkafka's words. */
bool rf_property_check(const char *name, const char *value, struct rf_error *err) RF_MUST_CHECK;

/* The names of all properties, for suggestions. */
const char *const *rf_property_names(struct rf_arena *arena, size_t *count);
