/* The stores of a worker's partitions, brought up to the changelog before their tasks take an event (invariant 3), a step
 * each turn of its loop. Inside this room only. Thread: worker. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct rf_worker;
struct rf_slot;

void rf_restore_begin(struct rf_worker *worker, struct rf_slot *slot);
void rf_restore_step(struct rf_worker *worker);
/* What one store may hold while it is filled, in bytes. */
size_t rf_restore_memory(const struct rf_worker *worker);
bool rf_restore_is_needed(const struct rf_worker *worker);
