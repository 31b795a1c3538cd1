#include "edge/sys/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/number.h"
#include "edge/sys/clock.h"

#define STATUS_MAX      200
#define MESSAGE_MAX     512
#define SEND_SECONDS    1
#define WATCHDOG_US_MAX (UINT64_C(1000000) * 3600 * 24)

static uint64_t number_of_environment(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): before threads start */
    uint64_t number = 0;

    if (text == NULL || !rf_uint64_parse(rf_bytes_of_text(text), &number))
        return 0;
    return number;
}

/* A path, or @NAME, whose '@' stands for the zero byte that begins an abstract address. */
static bool read_address(struct rf_notify *notify, const char *text, struct rf_error *err)
{
    size_t size = strlen(text);

    if (size < 2 || (text[0] != '/' && text[0] != '@'))
        return rf_error_set(err, RF_ERROR_CONFIG, EINVAL,
                            "NOTIFY_SOCKET is '%s': an absolute path or @NAME is what it may be",
                            text);
    if (size >= sizeof notify->address.sun_path)
        return rf_error_set(err, RF_ERROR_CONFIG, ENAMETOOLONG,
                            "NOTIFY_SOCKET is longer than %zu bytes",
                            sizeof notify->address.sun_path - 1);
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, text, size);
    if (text[0] == '@')
        notify->address.sun_path[0] = '\0';
    /* An abstract name ends where the address ends, a path with its zero byte. */
    notify->address_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (text[0] == '@' ? 0 : 1));
    return true;
}

bool rf_notify_open(struct rf_notify *notify, struct rf_error *err)
{
    const char *text = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe): before threads */
    struct timeval patience = {.tv_sec = SEND_SECONDS};
    uint64_t watchdog_us = number_of_environment("WATCHDOG_USEC");
    uint64_t watchdog_pid = number_of_environment("WATCHDOG_PID");

    memset(notify, 0, sizeof *notify);
    notify->fd = -1;
    if (text == NULL || *text == '\0')
        return true;
    if (!read_address(notify, text, err))
        return false;
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd < 0) {
        char reason[128];

        return rf_error_set(err, RF_ERROR_CONFIG, errno, "making a socket for NOTIFY_SOCKET: %s",
                            strerror_r(errno, reason, sizeof reason));
    }
    rf_assert(setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0);
    if (watchdog_us <= WATCHDOG_US_MAX && (watchdog_pid == 0 || watchdog_pid == (uint64_t)getpid()))
        notify->watchdog = (rf_span_ms)(watchdog_us / 1000);
    return true;
}

void rf_notify_close(struct rf_notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

static bool send_text(const struct rf_notify *notify, const char *text, struct rf_error *err)
{
    size_t size = strlen(text);
    ssize_t sent = 0;

    if (notify->fd < 0)
        return true;
    do {
        sent = sendto(notify->fd, text, size, MSG_NOSIGNAL,
                      (const struct sockaddr *)&notify->address, notify->address_size);
    } while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)size)
        return true;
    return rf_error_set(err, RF_ERROR_RETRY, errno, "telling the supervisor (NOTIFY_SOCKET): %s",
                        strerror(errno)); /* NOLINT(concurrency-mt-unsafe): of a known number */
}

bool rf_notify_ready(const struct rf_notify *notify, struct rf_error *err)
{
    return send_text(notify, "READY=1", err);
}

bool rf_notify_status(const struct rf_notify *notify, const char *status, struct rf_error *err)
{
    char message[MESSAGE_MAX];
    size_t size = strcspn(status, "\n");

    snprintf(message, sizeof message, "STATUS=%.*s", (int)(size < STATUS_MAX ? size : STATUS_MAX),
             status);
    return send_text(notify, message, err);
}

bool rf_notify_watchdog(const struct rf_notify *notify, struct rf_error *err)
{
    return send_text(notify, "WATCHDOG=1", err);
}

bool rf_notify_extend(const struct rf_notify *notify, rf_span_ms span, struct rf_error *err)
{
    char message[MESSAGE_MAX];

    rf_assert(span > 0);
    snprintf(message, sizeof message, "EXTEND_TIMEOUT_USEC=%" PRId64, (int64_t)span * 1000);
    return send_text(notify, message, err);
}

bool rf_notify_reloading(const struct rf_notify *notify, struct rf_error *err)
{
    char message[MESSAGE_MAX];

    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             (int64_t)(rf_clock_monotonic_ns() / 1000));
    return send_text(notify, message, err);
}

bool rf_notify_stopping(const struct rf_notify *notify, struct rf_error *err)
{
    return send_text(notify, "STOPPING=1", err);
}
