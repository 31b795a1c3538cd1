/* A task and its store: what is committed is written to it now and then, and where the store has less than the
 * changelog, it is filled from there before the task folds. Between transactions. Thread: the task's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/task/store.h"
#include "core/task/task_state.h"

struct rf_task;

/* Writes the committed records to the store if `gathered_max` bytes of them have gathered (0: if there are any). */
bool rf_task_flush(struct rf_task *task, size_t gathered_max, struct rf_error *err) RF_MUST_CHECK;
/* Asks the store to make what it has durable. */
bool rf_task_sync(struct rf_task *task, bool wait, struct rf_error *err) RF_MUST_CHECK;
void rf_task_store_sizes(const struct rf_task *task, struct rf_store_sizes *sizes);

/* Where the changelog has to be read from: the store's checkpoint, or how far a restore has come. */
int64_t rf_task_changelog_next(const struct rf_task *task);
/* One changelog record (data == NULL: a tombstone), then where the changelog goes on. A store without a checkpoint is
 * filled in bulk, and has one when rf_task_restore_end has come: an interruption means to begin anew. Errors: RETRY
 * (the disk; what was restored in bulk is void), STATE. */
bool rf_task_restore(struct rf_task *task, struct rf_bytes customer, struct rf_bytes record,
                     struct rf_error *err) RF_MUST_CHECK;
void rf_task_restored_to(struct rf_task *task, int64_t changelog_next);
/* The changelog is read up to `changelog_next`. */
bool rf_task_restore_end(struct rf_task *task, int64_t changelog_next,
                         struct rf_error *err) RF_MUST_CHECK;
/* What the tasks topic says under a name of rf_layouts_name. */
void rf_task_restore_schema(struct rf_task *task, struct rf_bytes name, struct rf_bytes text);
/* The last state in the tasks topic. */
void rf_task_restore_state(struct rf_task *task, const struct rf_task_state *state);
