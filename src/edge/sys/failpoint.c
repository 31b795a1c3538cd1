#include "edge/sys/failpoint.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/number.h"
#include "edge/sys/clock.h"

#define VARIABLE "RINGFOLD_FAILPOINT"

#ifdef RF_FAILPOINTS

#define FAILPOINTS_MAX 8
#define SLEEP_MS_MAX   (10 * RF_MINUTE_MS)

struct failpoint {
    char name[64];
    enum {
        ACTION_KILL,
        ACTION_STOP,
        ACTION_EXIT,
        ACTION_SLEEP,
    } action;
    uint64_t sleep_ms;
    uint64_t nth; /* 0: every time */
    atomic_uint_fast64_t reached;
};

bool rf_failpoints_any; /* set before threads start, then only read */
static struct failpoint failpoints[FAILPOINTS_MAX];
static size_t failpoint_count;

static bool parse_action(struct rf_bytes text, struct failpoint *point)
{
    static const char *const names[] = {"kill", "stop", "exit"};
    static const size_t sleep_size = sizeof "sleep=" - 1;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (rf_bytes_equal(text, rf_bytes_of_text(names[i]))) {
            point->action = ACTION_KILL + (unsigned)i;
            return true;
        }
    }
    point->action = ACTION_SLEEP;
    return text.size > sleep_size && memcmp(text.data, "sleep=", sleep_size) == 0 &&
           rf_uint64_parse(rf_bytes_of(text.data + sleep_size, text.size - sleep_size),
                           &point->sleep_ms) &&
           point->sleep_ms <= (uint64_t)SLEEP_MS_MAX;
}

/* name:action[:nth] */
static bool parse_failpoint(const char *text, size_t size, struct failpoint *point)
{
    const char *end = text + size;
    const char *action = memchr(text, ':', size);
    const char *nth = NULL;

    if (action == NULL || action == text || (size_t)(action - text) >= sizeof point->name)
        return false;
    memcpy(point->name, text, (size_t)(action - text));
    point->name[action - text] = '\0';
    action++;
    point->nth = 0;
    atomic_init(&point->reached, 0);
    nth = memchr(action, ':', (size_t)(end - action));
    if (nth == NULL)
        return parse_action(rf_bytes_of(action, (size_t)(end - action)), point);
    return parse_action(rf_bytes_of(action, (size_t)(nth - action)), point) &&
           rf_uint64_parse(rf_bytes_of(nth + 1, (size_t)(end - nth - 1)), &point->nth) &&
           point->nth > 0;
}

bool rf_failpoints_setup(struct rf_error *err)
{
    const char *text = getenv(VARIABLE); /* NOLINT(concurrency-mt-unsafe): before threads start */

    failpoint_count = 0;
    rf_failpoints_any = false;
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");

        if (failpoint_count == FAILPOINTS_MAX)
            return rf_error_set(err, RF_ERROR_CONFIG, 0, VARIABLE ": more than %d failpoints",
                                FAILPOINTS_MAX);
        if (!parse_failpoint(text, size, &failpoints[failpoint_count]))
            return rf_error_set(
                err, RF_ERROR_CONFIG, 0,
                VARIABLE
                ": '%.*s' is not name:action[:nth] with an action of kill, stop, exit, sleep=MS",
                (int)size, text);
        failpoint_count++;
        text += size;
        text += *text == ',' ? 1 : 0;
    }
    rf_failpoints_any = failpoint_count > 0;
    return true;
}

static void act(const struct failpoint *point)
{
    static const char *const names[] = {"kill", "stop", "exit", "sleep"};
    char line[128];
    int size = snprintf(line, sizeof line, "ringfold: failpoint %s: %s\n", point->name,
                        names[point->action]);
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);

    (void)written;
    switch (point->action) {
    case ACTION_KILL:
        raise(SIGKILL);
        break;
    case ACTION_STOP:
        raise(SIGSTOP);
        break;
    case ACTION_EXIT:
        _exit(RF_FAILPOINT_EXIT);
    case ACTION_SLEEP:
        rf_clock_sleep_ms((rf_span_ms)point->sleep_ms);
        break;
    }
}

void rf_failpoint_reached(const char *name)
{
    for (size_t i = 0; i < failpoint_count; i++) {
        struct failpoint *point = &failpoints[i];

        if (strcmp(point->name, name) != 0)
            continue;
        if (point->nth == 0 || atomic_fetch_add(&point->reached, 1) + 1 == point->nth)
            act(point);
    }
}

#else

/* Asked for, but not there: a crash test that tests nothing must not pass. */
bool rf_failpoints_setup(struct rf_error *err)
{
    const char *text = getenv(VARIABLE); /* NOLINT(concurrency-mt-unsafe): before threads start */

    if (text == NULL || *text == '\0')
        return true;
    return rf_error_set(err, RF_ERROR_CONFIG, 0,
                        VARIABLE " is set, and this build has no failpoints");
}

#endif
