#include "edge/sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/number.h"

static rf_ns read_clock(clockid_t clock)
{
    struct timespec now;

    rf_assert(clock_gettime(clock, &now) == 0);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

rf_ms rf_clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME) / 1000000;
}

rf_ns rf_clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t rf_clock_monotonic_ms(void)
{
    return rf_clock_monotonic_ns() / 1000000;
}

rf_ns rf_clock_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void rf_clock_sleep_ms(rf_span_ms span)
{
    rf_ns until_ns = rf_clock_monotonic_ns() + span * 1000000;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

    rf_assert(span >= 0);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

/* /proc/self/statm: "size resident shared ...", in pages. */
uint64_t rf_clock_resident_bytes(void)
{
    char line[256];
    const char *resident = NULL;
    uint64_t pages = 0;
    ssize_t size = -1;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    size = read(fd, line, sizeof line - 1);
    close(fd);
    if (size <= 0)
        return 0;
    line[size] = '\0';
    resident = strchr(line, ' ');
    if (resident == NULL ||
        !rf_uint64_parse(rf_bytes_of(resident + 1, strcspn(resident + 1, " ")), &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
