/* What a supervisor is told, by the protocol of sd_notify(3): lines in a datagram to the socket that NOTIFY_SOCKET
 * names, a path or, after '@', a name in the abstract namespace. systemd and podman listen there. Where nobody asked,
 * nothing is said, and every call is free.
 *
 * Thread: one, that of rf_notify_open. */
#pragma once
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/base/error.h"
#include "core/base/time.h"

struct rf_notify {
    int fd; /* -1: nobody asked */
    struct sockaddr_un address;
    socklen_t address_size;
    rf_span_ms
        watchdog; /* the supervisor wants to hear WATCHDOG=1 at least so often; 0: it does not */
};

/* Reads the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. Before threads start. Errors: CONFIG. */
bool rf_notify_open(struct rf_notify *notify, struct rf_error *err) RF_MUST_CHECK;
void rf_notify_close(struct rf_notify *notify);

/* True where nobody asked. Waits a second at most. Errors: RETRY, and the message is lost. */
bool rf_notify_ready(const struct rf_notify *notify, struct rf_error *err) RF_MUST_CHECK;
/* What `systemctl status` shows: the first line of it, 200 bytes at most. */
bool rf_notify_status(const struct rf_notify *notify, const char *status,
                      struct rf_error *err) RF_MUST_CHECK;
bool rf_notify_watchdog(const struct rf_notify *notify, struct rf_error *err) RF_MUST_CHECK;
/* What goes on now, starting or stopping, may take this much longer. */
bool rf_notify_extend(const struct rf_notify *notify, rf_span_ms span,
                      struct rf_error *err) RF_MUST_CHECK;
/* Around a reload: reloading, then ready. The moment goes with it, which Type=notify-reload (systemd 253) asks for. */
bool rf_notify_reloading(const struct rf_notify *notify, struct rf_error *err) RF_MUST_CHECK;
bool rf_notify_stopping(const struct rf_notify *notify, struct rf_error *err) RF_MUST_CHECK;
