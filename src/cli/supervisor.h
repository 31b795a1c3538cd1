/* What systemd, or another that speaks its protocol, is told of the daemon: that it starts, runs, restores, reloads,
 * stops, and that its workers come round. Without one nothing is said. Thread: main. */
#pragma once
#include <stdbool.h>

#include "edge/stream/stream.h"
#include "edge/sys/notify.h"

struct rf_supervisor {
    struct rf_notify notify;
    struct rf_stream_stats *stats; /* owned; NULL where nobody listens */
    char status[160];              /* as last told */
    int64_t fed_ms;                /* the watchdog, monotonic */
    bool deaf;                     /* a message was lost; said once */
};

/* Before threads start. Errors: CONFIG. */
bool rf_supervisor_open(struct rf_supervisor *supervisor, struct rf_error *err) RF_MUST_CHECK;
void rf_supervisor_close(struct rf_supervisor *supervisor);

/* Not running yet: `why` waits. Called at least every minute, or the supervisor gives the start up. */
void rf_supervisor_waits(struct rf_supervisor *supervisor, const char *why);
/* The workers run; also after a reload. */
void rf_supervisor_runs(struct rf_supervisor *supervisor);
/* Every second or so while they run: feeds the watchdog unless a worker is stuck, and tells what the tasks do. */
void rf_supervisor_turn(struct rf_supervisor *supervisor, struct rf_stream *stream);
/* A reload begins; rf_supervisor_runs when it is over, however it ended. */
void rf_supervisor_reloads(struct rf_supervisor *supervisor);
void rf_supervisor_stops(struct rf_supervisor *supervisor);
