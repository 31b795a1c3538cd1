#include "cli/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/error.h"
#include "edge/sys/clock.h"

#define SECOND_NS        INT64_C(1000000000)
#define INTERVAL_NS      (SECOND_NS / 10)
#define RATE_AFTER_NS    (SECOND_NS / 2) /* before that a rate is a guess */
#define COLUMNS_FALLBACK 80

/* The whole line, which is ASCII. */
struct line {
    char *text;
    size_t size;
    size_t size_max;
};

static void RF_PRINTF(2, 3) append(struct line *line, const char *format, ...)
{
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(line->text + line->size, line->size_max - line->size, format, arguments);
    va_end(arguments);
    rf_assert(size >= 0);
    line->size += (size_t)size;
    if (line->size >= line->size_max)
        line->size = line->size_max - 1;
}

/* Three digits and a unit: 950, 1.2k, 31k, 2.9M; of bytes 1.2KiB. */
static void append_amount(struct line *line, double amount, bool bytes)
{
    static const char *const decimal[] = {"", "k", "M", "G", "T", "P"};
    static const char *const binary[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    const double step = bytes ? 1024 : 1000;
    size_t unit = 0;

    while (amount >= step - 0.5 && unit + 1 < sizeof decimal / sizeof decimal[0]) {
        amount /= step;
        unit++;
    }
    append(line, "%.*f%s", unit > 0 && amount < 9.95 ? 1 : 0, amount,
           bytes ? binary[unit] : decimal[unit]);
}

/* The two largest units: 6s, 2m10s, 3h05m, 4d02h. */
static void append_left(struct line *line, double seconds)
{
    uint64_t left = (uint64_t)(seconds + 0.5);

    if (left < 60)
        append(line, "%" PRIu64 "s", left);
    else if (left < 3600)
        append(line, "%" PRIu64 "m%02" PRIu64 "s", left / 60, left % 60);
    else if (left < 86400)
        append(line, "%" PRIu64 "h%02" PRIu64 "m", left / 3600, left / 60 % 60);
    else
        append(line, "%" PRIu64 "d%02" PRIu64 "h", left / 86400, left / 3600 % 24);
    append(line, " left");
}

static void append_done(struct line *line, const char *unit, uint64_t done, uint64_t total)
{
    bool bytes = strcmp(unit, "bytes") == 0;

    if (total > 0)
        append(line, "  %d%%", (int)((double)done * 100 / (double)total));
    append(line, "  ");
    append_amount(line, (double)done, bytes);
    if (total > 0) {
        append(line, " of ");
        append_amount(line, (double)total, bytes);
    }
    if (!bytes)
        append(line, " %s", unit);
}

size_t rf_progress_format(const struct rf_progress *progress, uint64_t done, rf_ns now,
                          size_t columns, char *text, size_t size_max)
{
    struct line line = {.text = text, .size = 0, .size_max = size_max};
    bool bytes = strcmp(progress->unit, "bytes") == 0;
    uint64_t total = done <= progress->total ? progress->total : 0; /* it was no good estimate */
    rf_ns passed = now - progress->started;
    double rate = 0;

    rf_assert(size_max >= RF_PROGRESS_TEXT_MAX);
    if (passed >= RATE_AFTER_NS && done > progress->done_at_start)
        rate = (double)(done - progress->done_at_start) / ((double)passed / (double)SECOND_NS);
    append(&line, "%s", progress->doing);
    append_done(&line, progress->unit, done, total);
    if (rate > 0) {
        append(&line, "  ");
        append_amount(&line, rate, bytes);
        append(&line, "/s");
    }
    if (rate > 0 && total > done) {
        append(&line, "  ");
        append_left(&line, (double)(total - done) / rate);
    }
    if (line.size > columns)
        line.size = columns;
    text[line.size] = '\0';
    return line.size;
}

static size_t terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return COLUMNS_FALLBACK;
    return size.ws_col;
}

static bool can_rewrite(void)
{
    const char *terminal = getenv("TERM");  /* NOLINT(concurrency-mt-unsafe): nobody */
    const char *plain = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): sets it */

    return isatty(STDERR_FILENO) != 0 && terminal != NULL && strcmp(terminal, "dumb") != 0 &&
           (plain == NULL || plain[0] == '\0');
}

void rf_progress_start(struct rf_progress *progress, const char *doing, const char *unit,
                       uint64_t total, bool quiet)
{
    memset(progress, 0, sizeof *progress);
    progress->doing = doing;
    progress->unit = unit;
    progress->total = total;
    progress->shown = !quiet && can_rewrite();
    progress->started = rf_clock_monotonic_ns();
}

void rf_progress_resume(struct rf_progress *progress, uint64_t done)
{
    progress->done_at_start = done;
    progress->started = rf_clock_monotonic_ns();
}

/* The last column stays free: a terminal would go to the next line there. */
void rf_progress_update(struct rf_progress *progress, uint64_t done)
{
    char text[RF_PROGRESS_TEXT_MAX];
    rf_ns now;

    if (!progress->shown)
        return;
    now = rf_clock_monotonic_ns();
    if (progress->written != 0 && now - progress->written < INTERVAL_NS)
        return;
    rf_progress_format(progress, done, now, terminal_columns() - 1, text, sizeof text);
    fprintf(stderr, "\r%s\x1b[K", text);
    fflush(stderr);
    progress->written = now;
    progress->visible = true;
}

void rf_progress_hide(struct rf_progress *progress)
{
    if (!progress->visible)
        return;
    fprintf(stderr, "\r\x1b[K");
    fflush(stderr);
    progress->visible = false;
}

void rf_progress_end(struct rf_progress *progress)
{
    rf_progress_hide(progress);
    progress->shown = false;
}
