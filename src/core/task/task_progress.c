#include "core/task/task_progress.h"

#include <string.h>

#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/task_internal.h"
#include "core/task/task_state.h"

size_t rf_task_pending(const struct rf_task *task)
{
    return rf_inputs_pending(&task->inputs);
}

size_t rf_task_ready(struct rf_task *task)
{
    return rf_inputs_arrange(&task->inputs, task->behind);
}

size_t rf_task_folded(const struct rf_task *task)
{
    return task->inputs.folded;
}

size_t rf_task_fired(const struct rf_task *task)
{
    return task->fired;
}

bool rf_task_is_open(const struct rf_task *task)
{
    return task->inputs.folded > 0 || task->looked > 0;
}

size_t rf_task_transaction_bytes(const struct rf_task *task)
{
    return rf_arena_used(&task->arena) + rf_inputs_bytes(&task->inputs);
}

int64_t rf_task_position(const struct rf_task *task, uint32_t source, int64_t fetched)
{
    size_t pending = rf_inputs_pending(&task->inputs);

    for (size_t i = 0; i < pending; i++) {
        const struct rf_input *input = rf_inputs_at(&task->inputs, i);

        if (input->source == source)
            return input->position.offset;
    }
    return fetched;
}

const struct rf_input *rf_task_oldest(const struct rf_task *task, uint32_t source)
{
    return rf_inputs_oldest(&task->inputs, source);
}

void rf_task_write_state(const struct rf_task *task, const int64_t *positions,
                         struct rf_buffer *out)
{
    const struct rf_plan *plan = task->options.plan;
    struct rf_task_state state = {
        .partition = task->options.partition,
        .stream_time = task->stream_time,
        .changelog_offset = task->changelog_next < 0 ? 0 : task->changelog_next,
        .clock = task->clock,
    };

    strncpy(state.plan_version, plan->version, sizeof state.plan_version - 1);
    for (size_t i = 0; i < plan->source_count; i++) {
        if (positions[i] < 0)
            continue;
        state.positions[state.position_count].topic = rf_bytes_of_text(plan->sources[i].topic);
        state.positions[state.position_count].offset = positions[i];
        state.position_count++;
    }
    rf_task_state_write(&state, out);
}
