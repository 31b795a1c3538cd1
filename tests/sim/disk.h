/* An instance's store of one partition: the memory store behind a disk that fails by seed. It outlives the task and
 * the process; what a crash leaves is what was flushed. After each write it is compared with the changelog
 * (invariants 1 and 2 of the design). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/task/store.h"

struct sim_world;

struct sim_disk {
    struct sim_world *world; /* not owned */
    int instance;
    int32_t partition;
    struct rf_store inner; /* owned; ops == NULL: there is nothing yet */
    bool open;             /* somebody has it: a second opener is refused */
    bool crashing;         /* closing flushes nothing */
    bool damaged;          /* every call says so */
    bool hidden;           /* but opening it does not */
};

void sim_disk_init(struct sim_disk *disk, struct sim_world *world, int instance, int32_t partition);
void sim_disk_remove(struct sim_disk *disk); /* the volume is lost, or put aside */
/* Errors: STATE, RETRY (somebody has it). */
bool sim_disk_open(struct sim_disk *disk, struct rf_store *store, struct rf_error *err);
void sim_disk_crash(struct sim_disk *disk);
void sim_disk_check(struct sim_disk *disk, const char *when);
