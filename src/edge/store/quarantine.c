/* A damaged store is kept beside the new one for somebody to look at. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "edge/store/directory.h"
#include "edge/store/rocks.h"

#define DAMAGED      ".damaged-"
#define INSTANT_SIZE sizeof "20261123T160217Z"

static void write_instant(char instant[INSTANT_SIZE])
{
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    rf_assert(strftime(instant, INSTANT_SIZE, "%Y%m%dT%H%M%SZ", &utc) == INSTANT_SIZE - 1);
}

/* Deletes NAME.damaged-* in `parent`. */
static bool remove_damaged(const char *parent, const char *name, struct rf_error *err)
{
    bool ok = true;
    char prefix[PATH_MAX];
    char path[PATH_MAX + NAME_MAX + 2];
    DIR *directory = opendir(parent);
    const struct dirent *entry = NULL;

    if (directory == NULL)
        return rf_directory_fail(err, "reading", parent);
    snprintf(prefix, sizeof prefix, "%s" DAMAGED, name);
    while (ok && (entry = readdir(directory)) != NULL) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        ok = rf_directory_remove(path, err);
    }
    closedir(directory);
    return ok;
}

bool rf_rocks_quarantine(const char *path, struct rf_error *err)
{
    char parent[PATH_MAX];
    char target[PATH_MAX];
    char instant[INSTANT_SIZE];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    int size = 0;

    rf_assert(name[0] != '\0');
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    size = slash == NULL ? snprintf(parent, sizeof parent, ".")
                         : snprintf(parent, sizeof parent, "%.*s", (int)(slash - path + 1), path);
    if (size < 0 || (size_t)size >= sizeof parent)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "moving %s aside: the path is too long", path);
    if (!remove_damaged(parent, name, err))
        return false;
    write_instant(instant);
    size = snprintf(target, sizeof target, "%s" DAMAGED "%s", path, instant);
    if (size < 0 || (size_t)size >= sizeof target)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "moving %s aside: the path is too long", path);
    return rename(path, target) == 0 || rf_directory_fail(err, "moving aside", path);
}
