#include "core/task/task_customers.h"

#include "core/task/task_internal.h"
#include "core/task/task_store.h"

#define ARENA_CHUNK (256U * 1024)

static bool decode_committed(struct rf_task *task, struct rf_bytes id, struct rf_bytes record,
                             struct rf_arena *arena, struct rf_customer **customer,
                             struct rf_error *err)
{
    const struct rf_customer_layout *layout = NULL;
    struct rf_bytes copy = rf_arena_copy(arena, record);
    struct rf_bytes body = {0};
    struct rf_customer *made = rf_arena_alloc(arena, sizeof *made);

    if (!rf_layouts_find(task->layouts, copy, &layout, &body, err) ||
        !rf_customer_decode(layout, body, arena, made, err))
        return false;
    made->id = rf_arena_copy(arena, id);
    *customer = made;
    return true;
}

bool rf_task_customer(struct rf_task *task, struct rf_bytes id, struct rf_arena *arena,
                      struct rf_customer **customer, struct rf_error *err)
{
    struct rf_bytes record = {0};

    *customer = NULL;
    if (task->loading)
        return true; /* nothing of it is seen yet */
    if (!rf_records_committed_bytes(task->records, id, &record, err))
        return false;
    return record.data == NULL || decode_committed(task, id, record, arena, customer, err);
}

struct customer_walk {
    struct rf_task *task;
    struct rf_arena arena; /* of one customer */
    bool (*visit)(void *context, const struct rf_customer *customer);
    void *context;
    struct rf_error *err;
};

static bool visit_customer(void *context, struct rf_bytes id, struct rf_stored stored)
{
    struct customer_walk *walk = context;
    struct rf_customer *customer = NULL;

    rf_arena_reset(&walk->arena, ARENA_CHUNK);
    return decode_committed(walk->task, id, stored.record, &walk->arena, &customer, walk->err) &&
           walk->visit(walk->context, customer);
}

bool rf_task_each_customer(struct rf_task *task,
                           bool (*visit)(void *context, const struct rf_customer *customer),
                           void *context, struct rf_error *err)
{
    struct customer_walk walk = {.task = task, .visit = visit, .context = context, .err = err};
    struct rf_store *store = &task->options.store;
    bool ok = rf_task_flush(task, 0, err);

    rf_arena_init(&walk.arena, ARENA_CHUNK);
    ok = ok && store->ops->scan(store->self, (struct rf_bytes){0}, visit_customer, &walk, err) &&
         err->kind == RF_ERROR_NONE;
    rf_arena_deinit(&walk.arena);
    return ok;
}

void rf_task_features(struct rf_task *task, const struct rf_customer *customer, rf_ms now,
                      struct rf_arena *arena, struct rf_value *values)
{
    rf_engine_features(task->engine, customer, now, arena, values);
}
