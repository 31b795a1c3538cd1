#include "edge/store/directory.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/assert.h"

#define DIRECTORY_MODE        0700
#define REMOVE_OPEN_FILES_MAX 16

bool rf_directory_fail(struct rf_error *err, const char *doing, const char *path)
{
    int reason = errno;
    bool passes = reason == ENOSPC || reason == EIO || reason == EMFILE || reason == ENFILE ||
                  reason == EINTR || reason == EBUSY;

    return rf_error_set(err, passes ? RF_ERROR_RETRY : RF_ERROR_CONFIG, reason, "%s %s: %s", doing,
                        path, strerror(reason));
}

bool rf_directory_make(const char *path, struct rf_error *err)
{
    char *part = strdup(path);
    bool ok = true;

    rf_assert(part != NULL);
    rf_assert(path[0] != '\0');
    for (char *slash = strchr(part + 1, '/'); ok && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = mkdir(part, DIRECTORY_MODE) == 0 || errno == EEXIST;
        *slash = '/';
    }
    ok = ok && (mkdir(part, DIRECTORY_MODE) == 0 || errno == EEXIST);
    if (!ok)
        rf_directory_fail(err, "making directory", path);
    free(part);
    return ok;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

bool rf_directory_remove(const char *path, struct rf_error *err)
{
    if (nftw(path, remove_one, REMOVE_OPEN_FILES_MAX, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return true;
    return rf_directory_fail(err, "removing", path);
}
