/* What the process has used so far. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct rf_process_stats {
    double cpu_seconds; /* of all threads, user and system */
    uint64_t resident_bytes;
    uint64_t open_files, open_files_max;
};

/* What the system does not say is 0. */
void rf_process_stats(struct rf_process_stats *stats);

/* What may still be written to the disk that `path` is on, by who is not root. False: the system does not say. Any
 * thread. */
bool rf_process_disk_available(const char *path, uint64_t *bytes);
