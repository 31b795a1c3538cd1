/* A worker's transaction: executes the actions of core/task/transaction. Inside this room only. Thread: worker. */
#pragma once
#include <stdbool.h>

#include "core/task/transaction.h"

struct rf_worker;

void rf_commit_feed(struct rf_worker *worker, enum rf_transaction_input input);
bool rf_commit_is_open(const struct rf_worker *worker);
