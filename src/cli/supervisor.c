#include "cli/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define START_EXTENSION_MS (2 * RF_MINUTE_MS) /* twice what waits between two messages at most */

/* A supervisor that does not hear us ends us, and starts us again: nothing that we could do better. */
static void note(struct rf_supervisor *supervisor, bool told, const struct rf_error *err)
{
    if (told) {
        supervisor->deaf = false;
    } else if (!supervisor->deaf) {
        supervisor->deaf = true;
        rf_log_warning(RF_FIELDS(rf_field_error(err)), "the supervisor does not listen");
    }
}

bool rf_supervisor_open(struct rf_supervisor *supervisor, struct rf_error *err)
{
    memset(supervisor, 0, sizeof *supervisor);
    if (!rf_notify_open(&supervisor->notify, err))
        return false;
    if (supervisor->notify.fd >= 0) {
        supervisor->stats = calloc(1, sizeof *supervisor->stats);
        rf_assert(supervisor->stats != NULL);
    }
    return true;
}

void rf_supervisor_close(struct rf_supervisor *supervisor)
{
    rf_notify_close(&supervisor->notify);
    free(supervisor->stats);
    supervisor->stats = NULL;
}

static void tell_status(struct rf_supervisor *supervisor, const char *status)
{
    struct rf_error err = {0};

    if (strcmp(status, supervisor->status) == 0)
        return;
    snprintf(supervisor->status, sizeof supervisor->status, "%.*s",
             (int)sizeof supervisor->status - 1, status);
    note(supervisor, rf_notify_status(&supervisor->notify, status, &err), &err);
}

void rf_supervisor_waits(struct rf_supervisor *supervisor, const char *why)
{
    struct rf_error err = {0};

    note(supervisor, rf_notify_extend(&supervisor->notify, START_EXTENSION_MS, &err), &err);
    tell_status(supervisor, why);
}

void rf_supervisor_runs(struct rf_supervisor *supervisor)
{
    struct rf_error err = {0};

    note(supervisor, rf_notify_ready(&supervisor->notify, &err), &err);
}

void rf_supervisor_reloads(struct rf_supervisor *supervisor)
{
    struct rf_error err = {0};

    note(supervisor, rf_notify_reloading(&supervisor->notify, &err), &err);
}

void rf_supervisor_stops(struct rf_supervisor *supervisor)
{
    struct rf_error err = {0};

    note(supervisor, rf_notify_stopping(&supervisor->notify, &err), &err);
    tell_status(supervisor, "stopping: what is folded is committed");
}

/* "restoring: 3 of 8 tasks are ready" */
static void describe(const struct rf_stream_stats *stats, char *text, size_t size_max)
{
    size_t counts[RF_SLOT_BLOCKED + 1] = {0};
    size_t opening = 0;

    for (size_t i = 0; i < stats->slot_count; i++)
        counts[stats->slots[i].state]++;
    opening = counts[RF_SLOT_WAITING] + counts[RF_SLOT_RESTORING];
    if (opening > 0)
        snprintf(text, size_max, "restoring: %zu of %zu tasks are ready",
                 stats->slot_count - opening, stats->slot_count);
    else if (counts[RF_SLOT_BLOCKED] > 0)
        snprintf(text, size_max, "running, tasks: %zu; %zu wait, the log says what for",
                 stats->slot_count, counts[RF_SLOT_BLOCKED]);
    else
        snprintf(text, size_max, "running, tasks: %zu", stats->slot_count);
}

/* Half of what the watchdog allows is for us to see that a worker is stuck, half of that for the way. */
static void feed_watchdog(struct rf_supervisor *supervisor, int64_t stuck_ms)
{
    rf_span_ms allowed = supervisor->notify.watchdog;
    struct rf_error err = {0};

    if (allowed == 0 || rf_clock_monotonic_ms() - supervisor->fed_ms < allowed / 4)
        return;
    if (stuck_ms > allowed / 2) {
        rf_log_error(RF_FIELDS(rf_field_int("milliseconds", stuck_ms)),
                     "a worker does not come round: the watchdog is not fed");
        return;
    }
    supervisor->fed_ms = rf_clock_monotonic_ms();
    note(supervisor, rf_notify_watchdog(&supervisor->notify, &err), &err);
}

void rf_supervisor_turn(struct rf_supervisor *supervisor, struct rf_stream *stream)
{
    char status[sizeof supervisor->status];

    if (supervisor->notify.fd < 0)
        return;
    feed_watchdog(supervisor, rf_stream_stuck_ms(stream));
    rf_stream_stats(stream, supervisor->stats);
    describe(supervisor->stats, status, sizeof status);
    tell_status(supervisor, status);
}
