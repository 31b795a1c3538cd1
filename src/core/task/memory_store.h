/* A store in memory: for replay, tests and the simulator. Keeps what was applied and, for simulated crashes,
 * what was last flushed. */
#pragma once
#include "core/task/store.h"

struct rf_store rf_memory_store_open(void);

/* What a crash leaves: everything since the last flush is gone. */
void rf_memory_store_crash(struct rf_store store);
