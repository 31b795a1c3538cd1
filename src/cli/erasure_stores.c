#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/erasure.h"
#include "cli/instance.h"
#include "core/model/plan.h"
#include "edge/store/rocks.h"
#include "edge/sys/file.h"

#define ARENA_CHUNK    (16U * 1024)
#define CACHE_SIZE     (32U << 20)
#define MEMTABLES_SIZE (4U << 20)
#define THREADS        2
#define STORE_PREFIX   "task-"
#define DAMAGED        ".damaged-"

struct compacting {
    struct rf_rocks_shared *rocks;
    const struct rf_erasure_listener *listener;
    struct rf_arena arena;
};

static bool compact_store(struct compacting *c, const char *path, struct rf_error *err)
{
    struct rf_store store = {0};
    bool ok = false;

    if (!rf_rocks_open(c->rocks, path, &store, err))
        return false;
    ok = store.ops->compact(store.self, err);
    store.ops->close(store.self);
    if (ok)
        c->listener->compacted(c->listener->self, path);
    return ok;
}

static bool compact_stores(struct compacting *c, const char *directory, struct rf_error *err)
{
    struct rf_file_names names = {0};

    if (!rf_file_list(directory, &c->arena, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = rf_arena_printf(&c->arena, "%s/%s", directory, names.items[i]);

        if (strncmp(names.items[i], STORE_PREFIX, strlen(STORE_PREFIX)) != 0)
            continue;
        if (strstr(names.items[i], DAMAGED) != NULL)
            c->listener->left(c->listener->self, path);
        else if (!compact_store(c, path, err))
            return false;
    }
    return true;
}

static bool compact_instance(struct compacting *c, const char *directory, struct rf_error *err)
{
    int lock = -1;
    bool ok = false;

    if (!rf_instance_lock(directory, &lock, err))
        return false;
    if (lock < 0)
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "an instance runs with the stores in %s: stop it first, it writes what it"
            " has erased into them as it ends",
            directory);
    ok = compact_stores(c, directory, err);
    close(lock);
    return ok;
}

static bool is_instance(struct compacting *c, const char *directory)
{
    return access(rf_arena_printf(&c->arena, "%s/lock", directory), F_OK) == 0;
}

bool rf_erasure_compact(const struct rf_config *config, const struct rf_erasure_listener *listener,
                        struct rf_error *err)
{
    const struct rf_rocks_settings settings = {.cache_size = CACHE_SIZE,
                                               .memtables_size = MEMTABLES_SIZE,
                                               .tasks_max = 1,
                                               .compaction_threads = THREADS};
    struct compacting c = {.listener = listener};
    struct rf_file_names names = {0};
    const char *root = NULL;
    bool ok = false;

    rf_arena_init(&c.arena, ARENA_CHUNK);
    root = rf_arena_printf(&c.arena, "%s/%s", config->state_dir, config->plan->app);
    c.rocks = rf_rocks_shared_open(&settings);
    ok = rf_file_list(root, &c.arena, &names, err);
    for (size_t i = 0; ok && i < names.count; i++) {
        const char *directory = rf_arena_printf(&c.arena, "%s/%s", root, names.items[i]);

        if (is_instance(&c, directory))
            ok = compact_instance(&c, directory, err);
    }
    rf_rocks_shared_close(c.rocks);
    rf_arena_deinit(&c.arena);
    return ok;
}
