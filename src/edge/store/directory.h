/* Directories of stores: made, moved aside, removed. Any thread. */
#pragma once
#include <stdbool.h>

#include "core/base/error.h"

/* With the parents that are missing. For the owner alone: they hold customers. Errors: CONFIG, RETRY. */
bool rf_directory_make(const char *path, struct rf_error *err) RF_MUST_CHECK;

/* With everything in it; nothing where there is none. Errors: CONFIG, RETRY. */
bool rf_directory_remove(const char *path, struct rf_error *err) RF_MUST_CHECK;

/* Says what `errno` stopped: RETRY where it may pass, CONFIG otherwise. Returns false. */
bool rf_directory_fail(struct rf_error *err, const char *doing, const char *path);
