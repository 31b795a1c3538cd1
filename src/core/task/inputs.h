/* What was fed to a task: folded but not committed, then pending. A queue whose payloads are copied once and live
 * until their transaction is committed. Inside this room only. */
#pragma once
#include <stddef.h>

#include "core/base/arena.h"
#include "core/model/event.h"

struct rf_inputs {
    struct rf_input *items; /* owned */
    size_t count, capacity;
    size_t folded;           /* items[0..folded) are folded in the open transaction */
    struct rf_arena arena;   /* payloads */
    struct rf_arena standby; /* to move what is pending to, when the rest is freed */
};

void rf_inputs_init(struct rf_inputs *inputs);
void rf_inputs_deinit(struct rf_inputs *inputs);
void rf_inputs_push(struct rf_inputs *inputs, const struct rf_input *input);

static inline size_t rf_inputs_pending(const struct rf_inputs *inputs)
{
    return inputs->count - inputs->folded;
}

/* The i-th pending one, and the i-th folded one. */
const struct rf_input *rf_inputs_at(const struct rf_inputs *inputs, size_t i);
const struct rf_input *rf_inputs_folded_at(const struct rf_inputs *inputs, size_t i);
void rf_inputs_folded(struct rf_inputs *inputs); /* the first pending one is folded */
void rf_inputs_commit(struct rf_inputs *inputs); /* the folded ones are done with */
void rf_inputs_rewind(struct rf_inputs *inputs); /* the folded ones are pending again */
void rf_inputs_forget(struct rf_inputs *inputs); /* all of them */
size_t rf_inputs_bytes(const struct rf_inputs *inputs);
