/* SIGTERM and SIGINT ask the process to stop, SIGHUP to reload; SIGPIPE is for nobody.
 *
 * A handler only counts and writes a byte to a pipe, which a loop can wait for beside its other files. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/time.h"

/* Once, from the main thread, before other threads start. Errors: RETRY. */
bool rf_signals_catch(struct rf_error *err) RF_MUST_CHECK;

/* As it was before. */
void rf_signals_release(void);

/* How often the process was asked to stop. 1: finish what is begun; 2 and more: now. Any thread. */
int rf_signals_stop_count(void);

/* True from the first time on that it was asked to stop: for what looks at a flag. Of this process's lifetime. */
const atomic_bool *rf_signals_stop_flag(void);

/* True once after one or more SIGHUP. Any thread. */
bool rf_signals_take_reload(void);

/* Waits for the next signal, no longer than `span`; at once where one came since the last wait. False:
 * none came. Thread: one. */
bool rf_signals_wait(rf_span_ms span);

/* Readable when rf_signals_wait would return at once: for poll(2). */
int rf_signals_fd(void);
