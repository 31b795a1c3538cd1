#include "edge/sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"

#define READ_SIZE 65536

/* "doing path: why". Returns false. */
static bool fail(struct rf_error *err, const char *doing, const char *path)
{
    int error = errno;
    char reason[128];

    return rf_error_set(err, RF_ERROR_CONFIG, error, "%s %s: %s", doing, path,
                        strerror_r(error, reason, sizeof reason));
}

static bool read_all(int fd, const char *path, struct rf_buffer *content, struct rf_error *err)
{
    for (;;) {
        size_t left = content->size_max - content->size;
        size_t wanted = left < READ_SIZE ? left : READ_SIZE;
        uint8_t beyond = 0;
        ssize_t taken = wanted > 0 ? read(fd, rf_buffer_reserve(content, wanted), wanted)
                                   : read(fd, &beyond, 1);

        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0)
            return fail(err, "reading", path);
        if (taken == 0)
            return true;
        if (wanted == 0)
            return rf_error_set(err, RF_ERROR_CONFIG, EFBIG, "reading %s: larger than %zu bytes",
                                path, content->size_max);
        rf_buffer_advance(content, (size_t)taken);
    }
}

bool rf_file_read(const char *path, struct rf_buffer *content, struct rf_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = false;

    if (fd < 0)
        return fail(err, "opening", path);
    ok = read_all(fd, path, content, err);
    close(fd);
    return ok;
}

static bool write_all(int fd, struct rf_bytes content)
{
    while (content.size > 0) {
        ssize_t written = write(fd, content.data, content.size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        content = rf_bytes_of(content.data + written, content.size - (size_t)written);
    }
    return true;
}

/* A rename lasts once the directory is synced. */
static bool sync_directory_of(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int fd = -1;
    bool ok = false;

    if (slash == NULL)
        snprintf(directory, sizeof directory, ".");
    else
        snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path),
                 path);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool rf_file_write(const char *path, struct rf_bytes content, unsigned mode, struct rf_error *err)
{
    char beside[PATH_MAX];
    int size = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    int fd = -1;

    if (size < 0 || (size_t)size >= sizeof beside) {
        errno = ENAMETOOLONG;
        return fail(err, "writing", path);
    }
    fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return fail(err, "writing", path);
    if (fchmod(fd, mode) != 0 || !write_all(fd, content) || fsync(fd) != 0) {
        fail(err, "writing", path);
        close(fd);
        unlink(beside);
        return false;
    }
    close(fd);
    if (rename(beside, path) != 0) {
        fail(err, "writing", path);
        unlink(beside);
        return false;
    }
    return sync_directory_of(path) || fail(err, "syncing the directory of", path);
}

bool rf_file_make_directory(const char *path, struct rf_error *err)
{
    char part[PATH_MAX];
    struct stat status;
    size_t size = strlen(path);

    if (size == 0 || size >= sizeof part) {
        errno = size == 0 ? ENOENT : ENAMETOOLONG;
        return fail(err, "making directory", path);
    }
    for (size_t end = 1; end <= size; end++) {
        if (end < size && path[end] != '/')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)end, path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return fail(err, "making directory", part);
    }
    if (stat(path, &status) != 0)
        return fail(err, "making directory", path);
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return fail(err, "making directory", path);
    }
    return true;
}

static bool is_self_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool rf_file_list(const char *path, struct rf_arena *arena, struct rf_file_names *names,
                  struct rf_error *err)
{
    DIR *directory = opendir(path);
    struct dirent *entry = NULL;
    size_t capacity = 0;
    int error = 0;

    names->count = 0;
    names->items = NULL;
    if (directory == NULL)
        return fail(err, "listing", path);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    for (errno = 0; (entry = readdir(directory)) != NULL; errno = 0) {
        if (is_self_or_parent(entry->d_name))
            continue;
        if (names->count == capacity) {
            const char **grown = rf_arena_alloc(arena, (capacity * 2 + 16) * sizeof *grown);

            if (names->count > 0)
                memcpy(grown, names->items, names->count * sizeof *grown);
            names->items = grown;
            capacity = capacity * 2 + 16;
        }
        names->items[names->count++] = rf_arena_copy_text(arena, entry->d_name);
    }
    error = errno;
    closedir(directory);
    if (error != 0) {
        errno = error;
        return fail(err, "listing", path);
    }
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
    return true;
}

static bool remove_at(int parent, const char *name, int depth);

static bool remove_content(DIR *directory, int depth)
{
    struct dirent *entry = NULL;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    for (errno = 0; (entry = readdir(directory)) != NULL; errno = 0) {
        if (!is_self_or_parent(entry->d_name) &&
            !remove_at(dirfd(directory), entry->d_name, depth + 1))
            return false;
    }
    return errno == 0;
}

/* A name in an open directory: nothing that happens to the path above it can lead elsewhere. errno says
 * what failed. */
static bool remove_at(int parent, const char *name, int depth)
{
    DIR *directory = NULL;
    int error = 0;
    int fd = -1;
    bool ok = false;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    if (depth > 64) {
        errno = ELOOP;
        return false;
    }
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (directory == NULL) {
        error = errno;
        if (fd >= 0)
            close(fd);
        errno = error;
        return false;
    }
    ok = remove_content(directory, depth);
    error = errno;
    closedir(directory);
    errno = error;
    return ok && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/* Opens the directory that `path`'s last component is in, without following a link on the way, and sets
 * *last to that component. -1, and errno. */
static int open_parent(const char *root, const char *path, char *last)
{
    const char *at = path;
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (fd >= 0) {
        size_t size = strcspn(at, "/");
        int next = -1;

        if (size > NAME_MAX) {
            close(fd);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(last, at, size);
        last[size] = '\0';
        if (at[size] == '\0')
            return fd;
        next = openat(fd, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        size += strspn(at + size, "/");
        close(fd);
        fd = next;
        at += size;
    }
    return -1;
}

/* No component is empty, "." or "..", so that every one leads down. */
static bool leads_down(const char *path)
{
    while (true) {
        size_t size = strcspn(path, "/");

        if (size == 0 || (size == 1 && path[0] == '.') || (size == 2 && memcmp(path, "..", 2) == 0))
            return false;
        if (path[size] == '\0')
            return true;
        path += size + 1;
    }
}

bool rf_file_remove_tree(const char *root, const char *path, struct rf_error *err)
{
    char last[NAME_MAX + 1];
    bool ok = false;
    int parent = -1;

    if (!leads_down(path))
        return rf_error_set(err, RF_ERROR_CONFIG, EINVAL,
                            "removing '%s' below %s: the path leads elsewhere", path, root);
    parent = open_parent(root, path, last);
    if (parent < 0 && errno == ENOENT)
        return true;
    ok = parent >= 0 && remove_at(parent, last, 0);
    if (!ok) {
        fail(err, "removing", path);
        rf_error_wrap(err, "below %s", root);
    }
    if (parent >= 0)
        close(parent);
    return ok;
}
