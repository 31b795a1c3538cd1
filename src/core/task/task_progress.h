/* How far a task is: what waits in it, what its open transaction holds, and the positions that are committed with it.
 * For whoever drives it, and whoever measures its lag. Thread: the task's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/model/event.h"

struct rf_task;

size_t rf_task_pending(const struct rf_task *task); /* fed, not folded */
/* Of them, what does not wait for a source that is behind. */
size_t rf_task_ready(struct rf_task *task);
size_t rf_task_folded(const struct rf_task *task); /* folded, not committed */
/* Timers of which something came, not committed. */
size_t rf_task_fired(const struct rf_task *task);
/* Has something been done that has to be committed or aborted? Where nothing was folded and nothing fired there is
 * nothing to tell anybody. */
bool rf_task_is_open(const struct rf_task *task);
size_t rf_task_transaction_bytes(const struct rf_task *task);

/* The next offset of a source's partition, as of what was folded: `fetched` is the consumer's position, and right
 * unless inputs of this source are still pending. */
int64_t rf_task_position(const struct rf_task *task, uint32_t source, int64_t fetched);
/* The oldest input of a source that is not committed; NULL: there is none here. */
const struct rf_input *rf_task_oldest(const struct rf_task *task, uint32_t source);

/* The record for the tasks topic: call after seal. `positions[i]`: next offset of source i, -1: none. */
void rf_task_write_state(const struct rf_task *task, const int64_t *positions,
                         struct rf_buffer *out);
