/* The bulk load of an empty store: records are sorted outside RocksDB, written as files that do not overlap,
 * and handed over in one step. The checkpoint is a record of the first file, so that everything and the
 * checkpoint, or nothing, are there after a crash too (invariant 2).
 *
 * RocksDB 7.8 mixes the order of files up when they overlap with what a store holds already (fixed in 7.10):
 * the store is empty and idle. The files in the making are in PATH/load, which RocksDB does not look at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/store/directory.h"
#include "edge/store/layout.h"
#include "edge/store/rocks_internal.h"
#include "edge/store/runs.h"

#define TIMERS_PART      4                  /* of the memory, for the order of time */
#define FILE_SIZE_TARGET ((size_t)64 << 20) /* before compression */

struct rf_rocks_load {
    struct rf_runs *runs; /* owned; customers */
    struct rf_runs
        *timers; /* owned; their places in the order of time, once the customers are written */
    char *directory;      /* owned */
    rocksdb_sstfilewriter_t *writer;
    size_t writer_size; /* keys and values in the open file; 0: none is open */
    char **files;       /* owned, and each of them; finished, but for the last while one is open */
    size_t file_count;
};

static char *path_in(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);

    rf_assert(path != NULL);
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

static void free_load(struct rf_rocks_load *load)
{
    rf_runs_close(load->runs);
    rf_runs_close(load->timers);
    rocksdb_sstfilewriter_destroy(load->writer);
    for (size_t i = 0; i < load->file_count; i++)
        free(load->files[i]);
    free(load->files);
    free(load->directory);
    free(load);
}

bool rf_rocks_load_clean(struct rf_rocks *rocks, struct rf_error *err)
{
    char *directory = path_in(rocks->path, "load");
    bool ok = rf_directory_remove(directory, err);

    free(directory);
    return ok;
}

static void load_cancel(void *self)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    struct rf_error ignored = {0}; /* what stays is removed at the next open */

    if (rocks->load == NULL)
        return;
    free_load(rocks->load);
    rocks->load = NULL;
    (void)!rf_rocks_load_clean(rocks, &ignored);
}

static bool load_begin(void *self, size_t memory_max, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    struct rf_rocks_load *load = NULL;
    char *directory = path_in(rocks->path, "load");
    char *runs_path = path_in(directory, "runs");
    char *timers_path = path_in(directory, "timers");

    rf_assert(err->kind == RF_ERROR_NONE);
    rf_assert(rocks->load == NULL && rocks->db != NULL);
    rf_assert(rocks->checkpoint == RF_CHECKPOINT_NONE);
    rf_assert(memory_max >= RF_STORE_LOAD_MEMORY_MIN);
    if (rf_rocks_load_clean(rocks, err) && rf_directory_make(directory, err)) {
        load = calloc(1, sizeof *load);
        rf_assert(load != NULL);
        load->directory = directory;
        load->runs = rf_runs_open(runs_path, memory_max / TIMERS_PART * (TIMERS_PART - 1));
        load->timers = rf_runs_open(timers_path, memory_max / TIMERS_PART);
        load->writer =
            rocksdb_sstfilewriter_create(rocks->shared->env_options, rocks->shared->options);
        rocks->load = load;
    } else {
        free(directory);
    }
    free(runs_path);
    free(timers_path);
    return rocks->load != NULL;
}

static bool load_add(void *self, struct rf_bytes customer, struct rf_bytes record, rf_ms due,
                     struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    struct rf_bytes value = {0};

    rf_assert(rocks->load != NULL);
    rf_assert(due >= RF_MS_MIN && due <= RF_MS_MAX);
    if (record.data != NULL)
        value = rf_rocks_customer_value(&rocks->value, due, record);
    if (rf_runs_add(rocks->load->runs, customer, value, err))
        return true;
    load_cancel(rocks);
    return false;
}

static bool close_file(struct rf_rocks *rocks, struct rf_error *err)
{
    char *reason = NULL;

    if (rocks->load->writer_size == 0)
        return true;
    rocks->load->writer_size = 0;
    rocksdb_sstfilewriter_finish(rocks->load->writer, &reason);
    return reason == NULL || rf_rocks_error(err, rocks->path, "writing sorted files", reason);
}

static bool open_file(struct rf_rocks *rocks, struct rf_error *err)
{
    struct rf_rocks_load *load = rocks->load;
    char *reason = NULL;
    char name[32];

    snprintf(name, sizeof name, "%06zu.sst", load->file_count);
    load->files = realloc(load->files, (load->file_count + 1) * sizeof *load->files);
    rf_assert(load->files != NULL);
    load->files[load->file_count] = path_in(load->directory, name);
    rocksdb_sstfilewriter_open(load->writer, load->files[load->file_count++], &reason);
    return reason == NULL || rf_rocks_error(err, rocks->path, "making sorted files", reason);
}

static bool put(struct rf_rocks *rocks, struct rf_bytes key, struct rf_bytes value,
                struct rf_error *err)
{
    struct rf_rocks_load *load = rocks->load;
    char *reason = NULL;

    if (load->writer_size >= FILE_SIZE_TARGET && !close_file(rocks, err))
        return false;
    if (load->writer_size == 0 && !open_file(rocks, err))
        return false;
    rocksdb_sstfilewriter_put(load->writer, (const char *)key.data, key.size,
                              (const char *)value.data, value.size, &reason);
    load->writer_size += key.size + value.size;
    return reason == NULL || rf_rocks_error(err, rocks->path, "writing sorted files", reason);
}

static bool put_customer(void *self, struct rf_bytes customer, struct rf_bytes value,
                         struct rf_error *err)
{
    struct rf_rocks *rocks = self;
    struct rf_bytes record = {0};
    rf_ms due = RF_MS_MAX;
    bool whole = rf_layout_read_customer(value, &record, &due);

    rf_assert(whole);
    if (due != RF_MS_MAX &&
        !rf_runs_add(rocks->load->timers, rf_rocks_timer_key(&rocks->key, due, customer),
                     rf_bytes_of("", 0), err))
        return false;
    return put(rocks, rf_rocks_key(&rocks->key, RF_LAYOUT_CUSTOMER, customer), value, err);
}

static bool put_timer(void *self, struct rf_bytes key, struct rf_bytes value, struct rf_error *err)
{
    return put(self, key, value, err);
}

/* Checkpoint, notes, customers, the order of time: the order of layout.h. */
static bool write_files(struct rf_rocks *rocks, int64_t checkpoint, struct rf_error *err)
{
    uint8_t value[RF_LAYOUT_CHECKPOINT_SIZE];
    const struct rf_note *notes = rocks->pending.items;

    rf_layout_write_checkpoint(value, checkpoint);
    if (!put(rocks, rf_rocks_key(&rocks->key, RF_LAYOUT_CHECKPOINT, (struct rf_bytes){0}),
             rf_bytes_of(value, sizeof value), err))
        return false;
    for (size_t i = 0; i < rocks->pending.count; i++) {
        if (notes[i].value.data == NULL)
            continue;
        if (!put(rocks, rf_rocks_key(&rocks->key, RF_LAYOUT_NOTE, notes[i].name), notes[i].value,
                 err))
            return false;
    }
    return rf_runs_merge(rocks->load->runs, put_customer, rocks, err) &&
           rf_runs_merge(rocks->load->timers, put_timer, rocks, err) && close_file(rocks, err);
}

static bool ingest(struct rf_rocks *rocks, struct rf_error *err)
{
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
    char *reason = NULL;

    rf_assert(rocks->load->file_count > 0);
    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    rocksdb_ingest_external_file(rocks->db, (const char *const *)rocks->load->files,
                                 rocks->load->file_count, options, &reason);
    rocksdb_ingestexternalfileoptions_destroy(options);
    return reason == NULL || rf_rocks_error(err, rocks->path, "taking sorted files in", reason);
}

static bool load_finish(void *self, int64_t checkpoint, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    bool ok = false;

    rf_assert(rocks->load != NULL);
    rf_assert(checkpoint >= 0);
    rf_assert(rocks->checkpoint == RF_CHECKPOINT_NONE);
    ok = write_files(rocks, checkpoint, err) && ingest(rocks, err);
    load_cancel(rocks); /* removes the directory: what was taken in is no longer there */
    if (!ok)
        return false;
    rf_notes_clear(&rocks->pending);
    rocks->checkpoint = checkpoint;
    return true;
}

const struct rf_store_load_ops rf_rocks_load_ops = {
    .begin = load_begin,
    .add = load_add,
    .finish = load_finish,
    .cancel = load_cancel,
};
