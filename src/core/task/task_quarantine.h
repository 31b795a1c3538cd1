/* What cannot be produced is handed back to the task here, by whoever produces: before the transaction is aborted. When
 * it is folded again, a dead letter stands in the place of what was to be. Thread: the task's. */
#pragma once
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"

struct rf_task;

/* From now on the input at this place is a dead letter instead of being folded: something that it caused cannot be
 * produced. */
void rf_task_quarantine(struct rf_task *task, uint32_t source, int64_t offset, const char *why);
/* From now on this timer fires without emitting; a dead letter says so. */
void rf_task_quarantine_timer(struct rf_task *task, struct rf_bytes customer, rf_ms due,
                              const char *why);
/* Nothing may become of what is due of this customer at that instant (RF_MS_MIN: at any), as its record would be too
 * large. It waits for an event; a dead letter says so. */
void rf_task_hold(struct rf_task *task, struct rf_bytes customer, rf_ms due, const char *why);
/* The same for the input by which a customer's record has become too large to be produced. */
void rf_task_quarantine_customer(struct rf_task *task, struct rf_bytes customer, const char *why);
