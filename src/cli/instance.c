#include "cli/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "edge/sys/file.h"

#define INSTANCES_MAX 64 /* of one name on one machine */

/* True: *lock is ours, or -1 where somebody else has it. */
static bool try_lock(const char *path, int *lock, struct rf_error *err)
{
    int reason = 0;

    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0)
        return rf_error_set(err, RF_ERROR_CONFIG, errno, "%s: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    reason = errno;
    close(*lock);
    *lock = -1;
    if (reason == EWOULDBLOCK)
        return true;
    return rf_error_set(err, RF_ERROR_CONFIG, reason, "locking %s: %s", path, strerror(reason));
}

bool rf_instance_lock(const char *directory, int *lock, struct rf_error *err)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/lock", directory) >= (int)sizeof path)
        return rf_error_set(err, RF_ERROR_CONFIG, ENAMETOOLONG, "%s: the path is too long",
                            directory);
    return try_lock(path, lock, err);
}

bool rf_instance_claim(const char *state_dir, const char *app, const char *wanted,
                       struct rf_arena *arena, struct rf_instance *instance, struct rf_error *err)
{
    for (int i = 1; i <= INSTANCES_MAX; i++) {
        const char *name = i == 1 ? wanted : rf_arena_printf(arena, "%s-%d", wanted, i);
        const char *directory = rf_arena_printf(arena, "%s/%s/%s", state_dir, app, name);
        int lock = -1;

        if (!rf_file_make_directory(directory, err) ||
            !try_lock(rf_arena_printf(arena, "%s/lock", directory), &lock, err))
            return rf_error_wrap(err, "the state directory (state.dir)");
        if (lock >= 0) {
            *instance = (struct rf_instance){.name = name, .directory = directory, .lock = lock};
            return true;
        }
    }
    return rf_error_set(err, RF_ERROR_CONFIG, 0, "%d processes run as instance %s already",
                        INSTANCES_MAX, wanted);
}

void rf_instance_release(struct rf_instance *instance)
{
    rf_assert(instance->lock >= 0);
    close(instance->lock);
    instance->lock = -1;
}
