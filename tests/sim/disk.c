#include "sim/disk.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/task/memory_store.h"
#include "sim/world.h"

void sim_disk_init(struct sim_disk *disk, struct sim_world *world, int instance, int32_t partition)
{
    *disk = (struct sim_disk){.world = world, .instance = instance, .partition = partition};
}

void sim_disk_remove(struct sim_disk *disk)
{
    rf_assert(!disk->open);
    if (disk->inner.ops != NULL)
        disk->inner.ops->close(disk->inner.self);
    disk->inner = (struct rf_store){0};
    disk->damaged = false;
    disk->hidden = false;
}

static bool fails(struct sim_disk *disk, struct rf_error *err)
{
    if (sim_happens(disk->world, SIM_FAULT_STORE_DAMAGE)) {
        disk->damaged = true;
        disk->hidden = sim_random_chance(&disk->world->random, 500);
    }
    if (disk->damaged)
        return !rf_error_set(err, RF_ERROR_STATE, 0, "the store is damaged");
    if (sim_happens(disk->world, SIM_FAULT_STORE_RETRY))
        return !rf_error_set(err, RF_ERROR_RETRY, 0, "the disk is full");
    return false;
}

static bool disk_find(void *self, const struct rf_bytes *customers, size_t customer_count,
                      struct rf_stored *found, struct rf_error *err)
{
    struct sim_disk *disk = self;

    return !fails(disk, err) &&
           disk->inner.ops->find(disk->inner.self, customers, customer_count, found, err);
}

/* What SIM_PLANT_CHECKPOINT_ALONE does: two writes instead of one. */
static bool apply_in_two(struct sim_disk *disk, int64_t checkpoint, struct rf_error *err)
{
    return disk->inner.ops->apply(disk->inner.self, NULL, 0, checkpoint, err) &&
           (!sim_random_chance(&disk->world->random, 500) ||
            disk->inner.ops->flush(disk->inner.self, true, err));
}

static bool disk_apply(void *self, const struct rf_store_write *writes, size_t write_count,
                       int64_t checkpoint, struct rf_error *err)
{
    struct sim_disk *disk = self;

    if (fails(disk, err))
        return false;
    if (disk->world->plant == SIM_PLANT_CHECKPOINT_ALONE && !apply_in_two(disk, checkpoint, err))
        return false;
    if (!disk->inner.ops->apply(disk->inner.self, writes, write_count, checkpoint, err))
        return false;
    sim_disk_check(disk, "written");
    return !sim_happens(disk->world, SIM_FAULT_STORE_FLUSH) ||
           disk->inner.ops->flush(disk->inner.self, false, err);
}

static bool disk_checkpoint(void *self, int64_t *checkpoint, struct rf_error *err)
{
    struct sim_disk *disk = self;

    return !fails(disk, err) && disk->inner.ops->checkpoint(disk->inner.self, checkpoint, err);
}

static void disk_note_put(void *self, struct rf_bytes name, struct rf_bytes value)
{
    struct sim_disk *disk = self;

    disk->inner.ops->note_put(disk->inner.self, name, value);
}

static bool disk_note_get(void *self, struct rf_bytes name, struct rf_bytes *value,
                          struct rf_error *err)
{
    struct sim_disk *disk = self;

    return disk->inner.ops->note_get(disk->inner.self, name, value, err);
}

static bool disk_flush(void *self, bool wait, struct rf_error *err)
{
    struct sim_disk *disk = self;

    if (fails(disk, err))
        return false;
    if (!wait && sim_happens(disk->world, SIM_FAULT_STORE_FLUSH))
        return true; /* "soon", and a crash may be sooner */
    return disk->inner.ops->flush(disk->inner.self, wait, err);
}

static bool disk_scan(void *self, struct rf_bytes from,
                      bool (*visit)(void *context, struct rf_bytes customer,
                                    struct rf_stored stored),
                      void *context, struct rf_error *err)
{
    struct sim_disk *disk = self;

    return disk->inner.ops->scan(disk->inner.self, from, visit, context, err);
}

static bool disk_due(void *self, struct rf_store_timer from, struct rf_store_timer *timers,
                     size_t max, size_t *count, struct rf_error *err)
{
    struct sim_disk *disk = self;

    if (fails(disk, err) || !disk->inner.ops->due(disk->inner.self, from, timers, max, count, err))
        return false;
    if (disk->world->plant == SIM_PLANT_TIMER_LOST && *count > 0 &&
        sim_random_chance(&disk->world->random, 300))
        memmove(timers, timers + 1, --*count * sizeof *timers);
    return true;
}

static bool disk_compact(void *self, struct rf_error *err)
{
    struct sim_disk *disk = self;

    return disk->inner.ops->compact(disk->inner.self, err);
}

static void disk_close(void *self)
{
    struct sim_disk *disk = self;
    struct rf_error err = {0};

    rf_assert(disk->open);
    disk->open = false;
    if (!disk->crashing)
        rf_assert(disk->inner.ops->flush(disk->inner.self, true, &err));
}

static const struct rf_store_ops disk_ops = {
    .find = disk_find,
    .apply = disk_apply,
    .checkpoint = disk_checkpoint,
    .note_put = disk_note_put,
    .note_get = disk_note_get,
    .flush = disk_flush,
    .scan = disk_scan,
    .due = disk_due,
    .compact = disk_compact,
    .close = disk_close,
};

bool sim_disk_open(struct sim_disk *disk, struct rf_store *store, struct rf_error *err)
{
    if (disk->open)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "the store is in use");
    if (!(disk->damaged && disk->hidden) && fails(disk, err))
        return false;
    if (disk->inner.ops == NULL)
        disk->inner = rf_memory_store_open();
    disk->open = true;
    *store = (struct rf_store){.ops = &disk_ops, .self = disk};
    return true;
}

void sim_disk_crash(struct sim_disk *disk)
{
    if (disk->inner.ops == NULL)
        return;
    rf_assert(!disk->open);
    rf_memory_store_crash(disk->inner);
    sim_disk_check(disk, "left by a crash");
}

/* ---- invariants 1 and 2 ---- */

struct comparison {
    const struct sim_disk *disk;
    const char *when;
    struct rf_bytes expected[SIM_CUSTOMERS];
    size_t count;
};

static bool compare(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    struct comparison *comparison = context;
    int index = sim_customer_index(customer);

    if (index < 0 || !rf_bytes_equal(comparison->expected[index], stored.record))
        sim_fail(comparison->disk->world,
                 "store %d of instance %d, %s: %.*s is not what the changelog says",
                 (int)comparison->disk->partition, comparison->disk->instance, comparison->when,
                 (int)customer.size, (const char *)customer.data);
    comparison->count++;
    return true;
}

void sim_disk_check(struct sim_disk *disk, const char *when)
{
    struct comparison comparison = {.disk = disk, .when = when};
    int64_t checkpoint = 0;
    struct rf_error err = {0};
    size_t expected = 0;

    rf_assert(disk->inner.ops->checkpoint(disk->inner.self, &checkpoint, &err));
    if (checkpoint > sim_log_high(&disk->world->broker, SIM_CHANGELOG, disk->partition))
        sim_fail(disk->world, "store %d of instance %d, %s: ahead of the changelog",
                 (int)disk->partition, disk->instance, when);
    sim_truth_view(&disk->world->truth, disk->partition, checkpoint, comparison.expected);
    rf_assert(
        disk->inner.ops->scan(disk->inner.self, (struct rf_bytes){0}, compare, &comparison, &err));
    for (int i = 0; i < SIM_CUSTOMERS; i++)
        expected += comparison.expected[i].data != NULL;
    if (comparison.count != expected)
        sim_fail(disk->world,
                 "store %d of instance %d, %s: it has %zu customers, the changelog %zu before %lld",
                 (int)disk->partition, disk->instance, when, comparison.count, expected,
                 (long long)checkpoint);
}
