#include "core/task/outbox.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/task/task_internal.h"

struct rf_out *rf_task_push_out(struct rf_task *task, enum rf_out_kind kind,
                                const struct rf_input *cause)
{
    struct rf_out *out = NULL;

    if (task->outbox_count == task->outbox_capacity) {
        task->outbox_capacity = task->outbox_capacity == 0 ? 64 : task->outbox_capacity * 2;
        task->outbox = realloc(task->outbox, task->outbox_capacity * sizeof *task->outbox);
        rf_assert(task->outbox != NULL);
    }
    out = &task->outbox[task->outbox_count++];
    *out = (struct rf_out){.kind = kind,
                           .cause = cause->position,
                           .cause_source = cause->source,
                           .cause_customer = cause->key};
    return out;
}

void rf_task_dead_letter(struct rf_task *task, const struct rf_input *input,
                         const char *error_class, const char *message)
{
    struct rf_dead_letter *letter = rf_arena_alloc(&task->arena, sizeof *letter);

    *letter =
        (struct rf_dead_letter){.input = *input, .error_class = error_class, .message = message};
    rf_task_push_out(task, RF_OUT_DEAD_LETTER, input)->as.dead_letter = letter;
    task->open_counts.dead_letters++;
}

const struct rf_out *rf_task_take_outbox(struct rf_task *task, size_t *count)
{
    const struct rf_out *first = task->outbox + task->outbox_taken;

    rf_assert(task->outbox_taken <= task->outbox_count);
    *count = task->outbox_count - task->outbox_taken;
    task->outbox_taken = task->outbox_count;
    return first;
}

const struct rf_out *rf_task_outbox(const struct rf_task *task, size_t *count)
{
    *count = task->outbox_count;
    return task->outbox;
}
