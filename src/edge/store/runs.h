/* Sorts more records than memory holds: sorted runs in a file, then one merge. Knows nothing of RocksDB.
 *
 * Records are gathered in one block of memory; a full block is sorted and written as a run. Of a key only the
 * last record added comes out, and nothing where that one was an erasure. Where everything fits the block no
 * file is written. The merge holds RF_RUNS_BLOCK_SIZE a run and a record of each, so that memory stays within
 * `memory_max` up to memory_max * memory_max / RF_RUNS_BLOCK_SIZE of input: 32 GiB with 32 MiB. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

#define RF_RUNS_BLOCK_SIZE ((size_t)32 * 1024)

struct rf_runs;

/* `path`: of the file, made when it is needed and removed by close. At most 4 GiB of memory are used. */
struct rf_runs *rf_runs_open(const char *path, size_t memory_max);
void rf_runs_close(struct rf_runs *runs);

/* value.data == NULL: erased. Errors: RETRY (the disk), CONFIG. */
bool rf_runs_add(struct rf_runs *runs, struct rf_bytes key, struct rf_bytes value,
                 struct rf_error *err) RF_MUST_CHECK;

/* Once, after the last add: every record that is left, in the order of rf_bytes_compare. Stops where `visit`
 * fails. Errors: those of `visit`; RETRY (the file could not be read back). */
bool rf_runs_merge(struct rf_runs *runs,
                   bool (*visit)(void *context, struct rf_bytes key, struct rf_bytes value,
                                 struct rf_error *err),
                   void *context, struct rf_error *err) RF_MUST_CHECK;
