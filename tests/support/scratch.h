/* A directory of its own for a test, gone afterwards. Every test of Check runs in its own process. */
#pragma once
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch {
    char path[64];
};

static inline int scratch_remove_one(const char *path, const struct stat *status, int type,
                                     struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void scratch_make(struct scratch *scratch)
{
    /* in memory where there is such a place: a test of crashes of the process needs no disk */
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(scratch->path, sizeof scratch->path, "%s/ringfold-test-XXXXXX", parent);
    ck_assert_ptr_nonnull(mkdtemp(scratch->path));
}

static inline void scratch_remove(struct scratch *scratch)
{
    nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
