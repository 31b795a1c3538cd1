/* A stream that runs: what its outside (stream.c) and its answers (inspect.c) share. Inside this room only. */
#pragma once
#include "edge/stream/watch.h"
#include "edge/stream/worker.h"

struct rf_stream {
    struct rf_worker_shared shared;
    struct rf_worker *workers; /* owned */
    int worker_count;          /* started */
    struct rf_watch watch;
    rf_ms started_at;
};

extern const struct rf_inspect_ops rf_stream_inspect_ops;
