/* Places where a test makes the process die, stop or sleep: between the steps that have to survive it.
 *
 * RINGFOLD_FAILPOINT="name:action[:nth][,...]" in the environment. Actions: `kill` (SIGKILL to itself),
 * `stop` (SIGSTOP to itself), `exit` (at once, with status RF_FAILPOINT_EXIT), `sleep=MS`. With nth the
 * nth time that the place is reached, otherwise every time. A build with -DRINGFOLD_FAILPOINTS=OFF has
 * none. Any thread. */
#pragma once
#include <stdbool.h>

#include "core/base/error.h"

#define RF_FAILPOINT_EXIT 86

/* Reads the environment. Once, before threads start. Errors: CONFIG. */
bool rf_failpoints_setup(struct rf_error *err) RF_MUST_CHECK;

#ifdef RF_FAILPOINTS
extern bool rf_failpoints_any;
void rf_failpoint_reached(const char *name);

static inline void rf_failpoint(const char *name)
{
    if (__builtin_expect(rf_failpoints_any, false))
        rf_failpoint_reached(name);
}
#else
static inline void rf_failpoint(const char *name)
{
    (void)name;
}
#endif
