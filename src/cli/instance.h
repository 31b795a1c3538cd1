/* Which instance this process is: a name that is stable over restarts and nobody else's, and the directory that
 * goes with it.
 *
 * The configured name (by default the host's) is tried first, then NAME-2, NAME-3 ...: the same command started
 * twice on one machine gives two instances that share the partitions, each with stores of its own. A lock on the
 * directory decides; the kernel gives it back however the process ends. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/error.h"

struct rf_instance {
    const char *name;
    const char *directory; /* <state dir>/<app>/<name> */
    int lock;              /* owned file descriptor */
};

/* Errors: CONFIG. */
bool rf_instance_claim(const char *state_dir, const char *app, const char *wanted,
                       struct rf_arena *arena, struct rf_instance *instance, struct rf_error *err);
void rf_instance_release(struct rf_instance *instance);

/* *lock is an owned file descriptor, or -1 where a process runs with this directory. Errors: CONFIG. */
bool rf_instance_lock(const char *directory, int *lock, struct rf_error *err);
