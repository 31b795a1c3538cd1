/* What the files of this room share; nobody else includes it. */
#pragma once
#include <stdatomic.h>

#include "edge/registry/http.h"
#include "edge/registry/registry.h"
#include "edge/registry/table.h"
#include "edge/sys/thread.h"

struct rf_registry {
    struct rf_mutex mutex;
    struct rf_condition wanted; /* somebody asked for an id, or to stop */
    struct rf_table table RF_GUARDED_BY(mutex);
    atomic_bool stop;

    /* immutable */
    struct rf_arena arena;
    struct rf_http_settings http; /* texts in `arena` */
    struct rf_http_counts counts; /* of all questions so far */
    const char *cache_path;       /* NULL: nothing is kept on disk */
    rf_ns unknown_for_ns;
    unsigned tries_max;
    const atomic_bool *gives_up; /* NULL: never */

    bool has_thread;
    struct rf_thread thread;
};
