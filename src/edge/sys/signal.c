#include "edge/sys/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "edge/sys/clock.h"

static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
#define CAUGHT_COUNT (sizeof caught / sizeof caught[0])

static struct sigaction before[CAUGHT_COUNT];
static int pipe_ends[2] = {-1, -1};
static atomic_int stop_count;
static atomic_bool reload_asked;
static atomic_bool stop_asked;

static void on_signal(int number)
{
    int error = errno;
    ssize_t written = 0;

    if (number == SIGHUP)
        atomic_store(&reload_asked, true);
    else {
        atomic_fetch_add(&stop_count, 1);
        atomic_store(&stop_asked, true);
    }
    written = write(pipe_ends[1], "!", 1); /* a full pipe wakes as well */
    (void)written;
    errno = error;
}

bool rf_signals_catch(struct rf_error *err)
{
    struct sigaction action = {0};

    rf_assert(pipe_ends[0] == -1);
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        char reason[128];

        return rf_error_set(err, RF_ERROR_RETRY, errno, "making a pipe for signals: %s",
                            strerror_r(errno, reason, sizeof reason));
    }
    atomic_store(&stop_count, 0);
    atomic_store(&reload_asked, false);
    atomic_store(&stop_asked, false);
    sigfillset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < CAUGHT_COUNT; i++) {
        action.sa_handler = caught[i] == SIGPIPE ? SIG_IGN : on_signal;
        rf_assert(sigaction(caught[i], &action, &before[i]) == 0);
    }
    return true;
}

void rf_signals_release(void)
{
    rf_assert(pipe_ends[0] != -1);
    for (size_t i = 0; i < CAUGHT_COUNT; i++)
        rf_assert(sigaction(caught[i], &before[i], NULL) == 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    pipe_ends[0] = -1;
    pipe_ends[1] = -1;
}

int rf_signals_stop_count(void)
{
    return atomic_load(&stop_count);
}

const atomic_bool *rf_signals_stop_flag(void)
{
    return &stop_asked;
}

bool rf_signals_take_reload(void)
{
    return atomic_exchange(&reload_asked, false);
}

int rf_signals_fd(void)
{
    rf_assert(pipe_ends[0] != -1);
    return pipe_ends[0];
}

bool rf_signals_wait(rf_span_ms span)
{
    rf_ns until = rf_clock_monotonic_ns() + span * 1000000;
    struct pollfd wanted = {.fd = rf_signals_fd(), .events = POLLIN};
    char bytes[64];
    int ready = 0;

    rf_assert(span >= 0 && span <= RF_DAY_MS);
    do {
        rf_ns left = until - rf_clock_monotonic_ns();

        ready = poll(&wanted, 1, left <= 0 ? 0 : (int)(left / 1000000 + 1));
    } while (ready < 0 && errno == EINTR);
    rf_assert(ready >= 0);
    while (read(pipe_ends[0], bytes, sizeof bytes) > 0)
        continue;
    return ready > 0;
}
