#include "core/task/task_store.h"

#include "core/base/assert.h"
#include "core/task/task_internal.h"

#define RESTORE_MEMORY ((size_t)16 << 20)

/* Of a store that is filled, in bulk or not. */
static size_t restore_memory(const struct rf_task *task)
{
    return task->options.restore_memory > 0 ? task->options.restore_memory : RESTORE_MEMORY;
}

bool rf_task_flush(struct rf_task *task, size_t gathered_max, struct rf_error *err)
{
    struct rf_records_stats stats = rf_records_stats(task->records);

    if (task->loading)
        return true;                  /* there is nothing to flush but what the load holds */
    rf_assert(stats.open_count == 0); /* invariant 1: between transactions only */
    if (stats.gathered_count == 0 || stats.gathered_memory < gathered_max)
        return true;
    if (rf_records_flush(task->records, task->changelog_next, err))
        return true;
    return rf_error_wrap(err, "writing the store of task %d", (int)task->options.partition);
}

bool rf_task_sync(struct rf_task *task, bool wait, struct rf_error *err)
{
    if (task->loading)
        return true;
    return task->options.store.ops->flush(task->options.store.self, wait, err);
}

void rf_task_store_sizes(const struct rf_task *task, struct rf_store_sizes *sizes)
{
    rf_store_sizes(task->loading ? NULL : &task->options.store, sizes);
}

int64_t rf_task_changelog_next(const struct rf_task *task)
{
    return task->changelog_next;
}

/* In bulk where the store can, and is empty: then also the hot cache is. */
static bool begin_load(struct rf_task *task, struct rf_error *err)
{
    const struct rf_store *store = &task->options.store;

    if (task->loading || store->ops->load == NULL || task->changelog_next != RF_CHECKPOINT_NONE)
        return true;
    if (!store->ops->load->begin(store->self, restore_memory(task), err))
        return false;
    task->loading = true;
    return true;
}

static bool load_failed(struct rf_task *task, struct rf_error *err)
{
    task->loading = false;
    task->changelog_next = RF_CHECKPOINT_NONE; /* the store is as empty as before */
    return rf_error_wrap(err, "filling the store of task %d", (int)task->options.partition);
}

bool rf_task_restore(struct rf_task *task, struct rf_bytes customer, struct rf_bytes record,
                     struct rf_error *err)
{
    const struct rf_store *store = &task->options.store;

    if (!begin_load(task, err))
        return load_failed(task, err);
    if (!task->loading) {
        rf_records_restore(task->records, customer, record);
        return rf_task_flush(task, restore_memory(task), err);
    }
    return store->ops->load->add(store->self, customer, record, RF_MS_MAX, err) ||
           load_failed(task, err);
}

void rf_task_restored_to(struct rf_task *task, int64_t changelog_next)
{
    rf_assert(changelog_next >= task->changelog_next);
    task->changelog_next = changelog_next;
}

bool rf_task_restore_end(struct rf_task *task, int64_t changelog_next, struct rf_error *err)
{
    const struct rf_store *store = &task->options.store;

    if (changelog_next > task->changelog_next)
        rf_task_restored_to(task, changelog_next);
    if (!task->loading)
        return true;
    if (!store->ops->load->finish(store->self, task->changelog_next, err))
        return load_failed(task, err);
    task->loading = false;
    rf_records_begin_sweep(task->records);
    return true;
}

void rf_task_restore_schema(struct rf_task *task, struct rf_bytes name, struct rf_bytes text)
{
    rf_layouts_note(task->layouts, name, text);
}

void rf_task_restore_state(struct rf_task *task, const struct rf_task_state *state)
{
    rf_assert(task->inputs.folded == 0);
    task->stream_time = state->stream_time;
    task->committed_stream_time = state->stream_time;
    task->clock = state->clock;
    if (state->stream_time != RF_MS_MIN &&
        rf_task_watermark(task, state->stream_time) > task->clock)
        task->clock = rf_task_watermark(task, state->stream_time);
    task->committed_clock = task->clock;
}
