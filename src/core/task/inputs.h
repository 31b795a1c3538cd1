/* What was fed to a task: folded but not committed, then pending. A queue whose payloads are copied once and live
 * until their transaction is committed. Inside this room only. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/model/event.h"

struct rf_inputs {
    struct rf_input *items; /* owned */
    size_t count, capacity;
    size_t folded;             /* items[0..folded) are folded in the open transaction */
    struct rf_input *arranged; /* owned; scratch of rf_inputs_arrange */
    size_t arranged_capacity;
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
/* Puts the pending ones into the order in which they are to be folded: by the message's timestamp across sources,
 * each source in its own order. `behind`: bit s is set where source s has more to come that is not here yet; what
 * might come after that is left for later. Returns how many can be folded now. */
size_t rf_inputs_arrange(struct rf_inputs *inputs, uint64_t behind);
void rf_inputs_folded(struct rf_inputs *inputs); /* the first pending one is folded */
void rf_inputs_commit(struct rf_inputs *inputs); /* the folded ones are done with */
void rf_inputs_rewind(struct rf_inputs *inputs); /* the folded ones are pending again */
void rf_inputs_forget(struct rf_inputs *inputs); /* all of them */
size_t rf_inputs_bytes(const struct rf_inputs *inputs);
/* The first of a source that is here; NULL: none is. */
const struct rf_input *rf_inputs_oldest(const struct rf_inputs *inputs, uint32_t source);
