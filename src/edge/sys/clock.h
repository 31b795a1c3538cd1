/* The clocks, and what the process has used so far. Any thread.
 *
 * The core is never told to look here: time reaches it as an argument. */
#pragma once
#include <stdint.h>

#include "core/base/time.h"

rf_ms rf_clock_wall_ms(void); /* may be set, forwards and back */

rf_ns rf_clock_monotonic_ns(void);   /* since some moment; for measuring lengths of time */
int64_t rf_clock_monotonic_ms(void); /* the same, in milliseconds */

rf_ns rf_clock_cpu_ns(void); /* of all threads of the process, user and system */

/* At least as long, whatever signals arrive. */
void rf_clock_sleep_ms(rf_span_ms span);

/* Bytes of memory that the process has in RAM; 0 where the system does not say. */
uint64_t rf_clock_resident_bytes(void);
