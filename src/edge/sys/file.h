/* Whole files and directories. Any thread.
 *
 * What the system refuses is an error of kind CONFIG: a path, a right or a disk that the operator has to
 * see to; origin_code is errno. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

/* Appends what the file holds to `content`, whose size_max is the limit: a larger file is an error. A
 * pipe (/dev/stdin) is read to its end. */
bool rf_file_read(const char *path, struct rf_buffer *content, struct rf_error *err) RF_MUST_CHECK;

/* Whoever reads `path` sees the old content or the new, also after a crash: written beside it, synced and
 * renamed. `mode` is of a new file, as in open(2); an existing one is replaced, its rights too. */
bool rf_file_write(const char *path, struct rf_bytes content, unsigned mode,
                   struct rf_error *err) RF_MUST_CHECK;

/* With the parents that are missing, for the owner alone; fine where it is there already. */
bool rf_file_make_directory(const char *path, struct rf_error *err) RF_MUST_CHECK;

struct rf_file_names {
    size_t count;
    const char **items; /* bytewise ascending; without . and .. */
};

bool rf_file_list(const char *path, struct rf_arena *arena, struct rf_file_names *names,
                  struct rf_error *err) RF_MUST_CHECK;

/* Removes `path`, a file or a directory with everything in it, below `root`. Refused is what leads out:
 * an absolute path, an empty one, "..", a symbolic link on the way. Links inside are removed, never
 * followed. Fine where there is no such path. */
bool rf_file_remove_tree(const char *root, const char *path, struct rf_error *err) RF_MUST_CHECK;
