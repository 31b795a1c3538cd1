#include "edge/store/rocks.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "edge/store/directory.h"
#include "edge/store/layout.h"
#include "edge/store/rocks_internal.h"

#define FIND_CHUNK        256 /* blocks pinned at a time */
#define FOUND_CHUNK_SIZE  ((size_t)256 * 1024)
#define FOUND_KEEP_SIZE   ((size_t)1 << 20)
#define SCAN_READAHEAD    ((size_t)2 << 20)
#define FLUSH_MS_MAX      60000
#define COMPACT_EVERY_ROW 2 /* BottommostLevelCompaction::kForce */

static const uint8_t checkpoint_key[] = {RF_LAYOUT_CHECKPOINT};
static const uint8_t customers_end[] = {RF_LAYOUT_TIMER};
static const uint8_t timers_end[] = {RF_LAYOUT_END};

static const struct rf_store_ops rocks_ops;

struct rf_rocks *rf_rocks_of(void *self)
{
    struct rf_rocks *rocks = self;

    rf_assert(rocks->magic == RF_ROCKS_MAGIC);
    return rocks;
}

struct rf_bytes rf_rocks_key(struct rf_buffer *key, uint8_t prefix, struct rf_bytes rest)
{
    rf_buffer_clear(key);
    rf_buffer_append_byte(key, prefix);
    rf_buffer_append(key, rest.data, rest.size);
    rf_assert(!key->overflow);
    return rf_buffer_bytes(key);
}

struct rf_bytes rf_rocks_timer_key(struct rf_buffer *key, rf_ms due, struct rf_bytes customer)
{
    rf_buffer_clear(key);
    rf_buffer_append_byte(key, RF_LAYOUT_TIMER);
    rf_layout_append_due(key, due);
    rf_buffer_append(key, customer.data, customer.size);
    rf_assert(!key->overflow);
    return rf_buffer_bytes(key);
}

struct rf_bytes rf_rocks_customer_value(struct rf_buffer *value, rf_ms due, struct rf_bytes record)
{
    rf_buffer_clear(value);
    rf_layout_append_customer_head(value, due);
    rf_buffer_append(value, record.data, record.size);
    rf_assert(!value->overflow);
    return rf_buffer_bytes(value);
}

/* A checkpoint that cannot be one means that the files are not ours or are damaged. Neither is repaired
 * here: RF_ERROR_STATE makes the caller rebuild the store from the changelog. */
static bool read_checkpoint(struct rf_rocks *rocks, struct rf_error *err)
{
    bool ok = false;
    char *reason = NULL;
    size_t size = 0;
    char *value = rocksdb_get(rocks->db, rocks->shared->find_options, (const char *)checkpoint_key,
                              sizeof checkpoint_key, &size, &reason);

    if (reason != NULL) {
        rf_rocks_error(err, rocks->path, "reading the checkpoint", reason);
        goto out;
    }
    if (value == NULL) {
        rocks->checkpoint = RF_CHECKPOINT_NONE;
        ok = true;
        goto out;
    }
    if (size != RF_LAYOUT_CHECKPOINT_SIZE || value[0] != RF_LAYOUT_VERSION) {
        rf_error_set(
            err, RF_ERROR_STATE, 0,
            "%s: reading the checkpoint: %zu bytes of layout %d instead of %d of layout %d",
            rocks->path, size, size > 0 ? value[0] : 0, RF_LAYOUT_CHECKPOINT_SIZE,
            RF_LAYOUT_VERSION);
        goto out;
    }
    rocks->checkpoint = rf_layout_read_checkpoint((const uint8_t *)value);
    if (rocks->checkpoint < 0) {
        rf_error_set(err, RF_ERROR_STATE, 0, "%s: checkpoint %lld is not an offset", rocks->path,
                     (long long)rocks->checkpoint);
        goto out;
    }
    ok = true;
out:
    rocksdb_free(value);
    return ok;
}

static void close_db(struct rf_rocks *rocks)
{
    if (rocks->db == NULL)
        return;
    rocksdb_column_family_handle_destroy(rocks->family);
    rocksdb_close(rocks->db);
    rocks->family = NULL;
    rocks->db = NULL;
}

static bool open_db(struct rf_rocks *rocks, struct rf_error *err)
{
    const char *family_name = "default";
    const rocksdb_options_t *options = rocks->shared->options;
    char *reason = NULL;

    rf_assert(rocks->db == NULL);
    rocks->db = rocksdb_open_column_families(options, rocks->path, 1, &family_name, &options,
                                             &rocks->family, &reason);
    if (reason != NULL)
        return rf_rocks_error(err, rocks->path, "opening the store", reason);
    if (read_checkpoint(rocks, err))
        return true;
    close_db(rocks);
    return false;
}

/* Every operation starts here. The database is closed only where `compact` could not open it again. */
static bool ready(struct rf_rocks *rocks, struct rf_error *err)
{
    rf_assert(err->kind == RF_ERROR_NONE);
    rf_assert(rocks->load == NULL);
    return rocks->db != NULL || open_db(rocks, err);
}

/* Writes the keys of `customers` one behind the other. Returns whether they are in order. */
static bool make_keys(struct rf_rocks *rocks, const struct rf_bytes *customers, size_t count,
                      const char **keys, size_t *sizes)
{
    bool sorted = true;
    const uint8_t *at = NULL;

    rf_buffer_clear(&rocks->key);
    for (size_t i = 0; i < count; i++) {
        sizes[i] = customers[i].size + 1;
        rf_buffer_append_byte(&rocks->key, RF_LAYOUT_CUSTOMER);
        rf_buffer_append(&rocks->key, customers[i].data, customers[i].size);
        sorted = sorted && (i == 0 || rf_bytes_compare(customers[i - 1], customers[i]) <= 0);
    }
    rf_assert(!rocks->key.overflow);
    at = rocks->key.data; /* which moved while it grew */
    for (size_t i = 0; i < count; i++) {
        keys[i] = (const char *)at;
        at += sizes[i];
    }
    return sorted;
}

/* Values are copied, so that no handle and no pinned block of the cache outlives the call. */
static struct rf_bytes take_value(struct rf_rocks *rocks, rocksdb_pinnableslice_t *slice)
{
    size_t size = 0;
    const char *value = NULL;
    struct rf_bytes copied = {0};

    if (slice == NULL)
        return copied;
    value = rocksdb_pinnableslice_value(slice, &size);
    copied = rf_arena_copy(&rocks->found, rf_bytes_of(value, size));
    rocksdb_pinnableslice_destroy(slice);
    rf_assert(copied.data != NULL);
    return copied;
}

static bool not_a_customer(struct rf_error *err, const struct rf_rocks *rocks)
{
    return rf_error_set(err, RF_ERROR_STATE, 0, "%s: a customer's record has no head", rocks->path);
}

static bool find_chunk(struct rf_rocks *rocks, const struct rf_bytes *customers, size_t count,
                       struct rf_stored *found, struct rf_error *err)
{
    const char *keys[FIND_CHUNK];
    size_t sizes[FIND_CHUNK];
    rocksdb_pinnableslice_t *values[FIND_CHUNK];
    char *reasons[FIND_CHUNK];
    char *reason = NULL;
    bool sorted = make_keys(rocks, customers, count, keys, sizes);
    bool ok = true;

    rf_assert(count <= FIND_CHUNK);
    rocksdb_batched_multi_get_cf(rocks->db, rocks->shared->find_options, rocks->family, count, keys,
                                 sizes, values, reasons, sorted);
    for (size_t i = 0; i < count; i++) {
        struct rf_bytes value = take_value(rocks, values[i]);

        found[i] = (struct rf_stored){.due = RF_MS_MAX};
        if (value.data != NULL)
            ok = rf_layout_read_customer(value, &found[i].record, &found[i].due) && ok;
        if (reason == NULL)
            reason = reasons[i];
        else
            rocksdb_free(reasons[i]);
    }
    if (reason != NULL)
        return rf_rocks_error(err, rocks->path, "looking customers up", reason);
    return ok || not_a_customer(err, rocks);
}

static bool rocks_find(void *self, const struct rf_bytes *customers, size_t customer_count,
                       struct rf_stored *found, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);

    if (!ready(rocks, err))
        return false;
    rf_arena_reset(&rocks->found, FOUND_KEEP_SIZE);
    for (size_t i = 0; i < customer_count; i += FIND_CHUNK) {
        size_t rest = customer_count - i;

        if (!find_chunk(rocks, customers + i, rest < FIND_CHUNK ? rest : FIND_CHUNK, found + i,
                        err))
            return false;
    }
    return true;
}

static void batch_put(rocksdb_writebatch_t *batch, struct rf_bytes key, struct rf_bytes value)
{
    if (value.data == NULL)
        rocksdb_writebatch_delete(batch, (const char *)key.data, key.size);
    else
        rocksdb_writebatch_put(batch, (const char *)key.data, key.size, (const char *)value.data,
                               value.size);
}

/* The customer, and its place in the order of time. */
static void batch_customer(struct rf_rocks *rocks, rocksdb_writebatch_t *batch,
                           const struct rf_store_write *write)
{
    const struct rf_bytes none = {0};
    rf_ms due = write->record.data == NULL ? RF_MS_MAX : write->due;

    rf_assert(write->due >= RF_MS_MIN && write->due <= RF_MS_MAX);
    batch_put(batch, rf_rocks_key(&rocks->key, RF_LAYOUT_CUSTOMER, write->customer),
              write->record.data == NULL
                  ? none
                  : rf_rocks_customer_value(&rocks->value, due, write->record));
    if (due == write->due_before)
        return;
    if (write->due_before != RF_MS_MAX)
        batch_put(batch, rf_rocks_timer_key(&rocks->key, write->due_before, write->customer), none);
    if (due != RF_MS_MAX)
        batch_put(batch, rf_rocks_timer_key(&rocks->key, due, write->customer), rf_bytes_of("", 0));
}

static void fill_batch(struct rf_rocks *rocks, rocksdb_writebatch_t *batch,
                       const struct rf_store_write *writes, size_t write_count, int64_t checkpoint)
{
    uint8_t value[RF_LAYOUT_CHECKPOINT_SIZE];

    rf_layout_write_checkpoint(value, checkpoint);
    batch_put(batch, rf_bytes_of(checkpoint_key, sizeof checkpoint_key),
              rf_bytes_of(value, sizeof value));
    for (size_t i = 0; i < rocks->pending.count; i++) {
        const struct rf_note *note = &rocks->pending.items[i];

        batch_put(batch, rf_rocks_key(&rocks->key, RF_LAYOUT_NOTE, note->name), note->value);
    }
    for (size_t i = 0; i < write_count; i++)
        batch_customer(rocks, batch, &writes[i]);
}

/* One WriteBatch, so one memtable and one file: what a crash leaves has a checkpoint that fits
 * (invariant 2). */
static bool rocks_apply(void *self, const struct rf_store_write *writes, size_t write_count,
                        int64_t checkpoint, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    rocksdb_writebatch_t *batch = NULL;
    char *reason = NULL;

    if (!ready(rocks, err))
        return false;
    rf_assert(checkpoint >= 0);
    rf_assert(checkpoint >= rocks->checkpoint);
    rf_assert(rf_store_writes_are_sorted(writes, write_count));
    batch = rocksdb_writebatch_create();
    fill_batch(rocks, batch, writes, write_count, checkpoint);
    rf_assert((size_t)rocksdb_writebatch_count(batch) >= write_count + rocks->pending.count + 1);
    rocksdb_write(rocks->db, rocks->shared->write_options, batch, &reason);
    rocksdb_writebatch_destroy(batch);
    if (reason != NULL)
        return rf_rocks_error(err, rocks->path, "writing customers", reason);
    rf_notes_clear(&rocks->pending);
    rocks->checkpoint = checkpoint;
    return true;
}

static bool rocks_checkpoint(void *self, int64_t *checkpoint, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);

    if (!ready(rocks, err))
        return false;
    *checkpoint = rocks->checkpoint;
    return true;
}

static void rocks_note_put(void *self, struct rf_bytes name, struct rf_bytes value)
{
    rf_notes_put(&rf_rocks_of(self)->pending, name, value);
}

static bool rocks_note_get(void *self, struct rf_bytes name, struct rf_bytes *value,
                           struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    const struct rf_note *pending = rf_notes_find(&rocks->pending, name);
    rocksdb_pinnableslice_t *slice = NULL;
    struct rf_bytes key = {0};
    char *reason = NULL;

    if (!ready(rocks, err))
        return false;
    if (pending != NULL) {
        *value = pending->value;
        return true;
    }
    key = rf_rocks_key(&rocks->key, RF_LAYOUT_NOTE, name);
    slice = rocksdb_get_pinned(rocks->db, rocks->shared->find_options, (const char *)key.data,
                               key.size, &reason);
    if (reason != NULL)
        return rf_rocks_error(err, rocks->path, "reading a note", reason);
    rf_arena_reset(&rocks->found, FOUND_KEEP_SIZE);
    *value = take_value(rocks, slice);
    return true;
}

static uint64_t property(const struct rf_rocks *rocks, const char *name)
{
    uint64_t value = 0;
    int failed = rocksdb_property_int(rocks->db, name, &value);

    rf_assert(failed == 0);
    return value;
}

/* Once RocksDB 7.8 has recovered from a full disk, its flush no longer waits, and says that all is well. */
static bool wait_flushed(const struct rf_rocks *rocks, uint64_t failures, struct rf_error *err)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int waited_ms = 0; property(rocks, "rocksdb.num-immutable-mem-table") > 0; waited_ms++) {
        if (property(rocks, "rocksdb.background-errors") != failures || waited_ms >= FLUSH_MS_MAX)
            return rf_error_set(err, RF_ERROR_RETRY, 0, "%s: flushing has not ended after %d ms",
                                rocks->path, waited_ms);
        nanosleep(&pause, NULL);
    }
    return true;
}

static bool flush_db(struct rf_rocks *rocks, bool wait, struct rf_error *err)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    uint64_t failures = property(rocks, "rocksdb.background-errors");
    char *reason = NULL;

    rocksdb_flushoptions_set_wait(options, wait);
    rocksdb_flush(rocks->db, options, &reason);
    rocksdb_flushoptions_destroy(options);
    if (reason != NULL)
        return rf_rocks_error(err, rocks->path, "flushing", reason);
    return !wait || wait_flushed(rocks, failures, err);
}

static bool rocks_flush(void *self, bool wait, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);

    return ready(rocks, err) && flush_db(rocks, wait, err);
}

static bool rocks_scan(void *self, struct rf_bytes from,
                       bool (*visit)(void *context, struct rf_bytes customer,
                                     struct rf_stored stored),
                       void *context, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    rocksdb_readoptions_t *options = NULL;
    rocksdb_iterator_t *iterator = NULL;
    struct rf_bytes begin = {0};
    char *reason = NULL;
    bool whole = true;

    if (!ready(rocks, err))
        return false;
    begin = rf_rocks_key(&rocks->key, RF_LAYOUT_CUSTOMER, from);
    options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_iterate_upper_bound(options, (const char *)customers_end,
                                                sizeof customers_end);
    rocksdb_readoptions_set_fill_cache(options,
                                       0); /* a walk must not push the live customers out */
    rocksdb_readoptions_set_readahead_size(options, SCAN_READAHEAD);
    iterator = rocksdb_create_iterator(rocks->db, options);
    rocksdb_iter_seek(iterator, (const char *)begin.data, begin.size);
    for (; rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
        struct rf_bytes key = {0};
        struct rf_bytes value = {0};
        struct rf_stored stored = {0};

        key.data = (const uint8_t *)rocksdb_iter_key(iterator, &key.size);
        value.data = (const uint8_t *)rocksdb_iter_value(iterator, &value.size);
        rf_assert(key.size >= 1 && key.data[0] == RF_LAYOUT_CUSTOMER);
        whole = rf_layout_read_customer(value, &stored.record, &stored.due);
        if (!whole || !visit(context, rf_bytes_of(key.data + 1, key.size - 1), stored))
            break;
    }
    rocksdb_iter_get_error(iterator,
                           &reason); /* a damaged block ends the walk like the last customer */
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    if (reason != NULL)
        return rf_rocks_error(err, rocks->path, "walking over all customers", reason);
    return whole || not_a_customer(err, rocks);
}

static rocksdb_iterator_t *seek_timer(struct rf_rocks *rocks, struct rf_store_timer from,
                                      rocksdb_readoptions_t *options)
{
    rocksdb_iterator_t *iterator = NULL;
    struct rf_bytes begin = rf_rocks_timer_key(&rocks->key, from.due, from.customer);

    rocksdb_readoptions_set_iterate_upper_bound(options, (const char *)timers_end,
                                                sizeof timers_end);
    iterator = rocksdb_create_iterator(rocks->db, options);
    rocksdb_iter_seek(iterator, (const char *)begin.data, begin.size);
    return iterator;
}

static bool rocks_due(void *self, struct rf_store_timer from, struct rf_store_timer *timers,
                      size_t max, size_t *count, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    rocksdb_readoptions_t *options = NULL;
    rocksdb_iterator_t *iterator = NULL;
    char *reason = NULL;

    if (!ready(rocks, err))
        return false;
    options = rocksdb_readoptions_create();
    iterator = seek_timer(rocks, from, options);
    rf_arena_reset(&rocks->found, FOUND_KEEP_SIZE);
    for (*count = 0; *count < max && rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
        struct rf_bytes key = {0};
        size_t head = 1 + RF_LAYOUT_DUE_SIZE;

        key.data = (const uint8_t *)rocksdb_iter_key(iterator, &key.size);
        rf_assert(key.size >= head && key.data[0] == RF_LAYOUT_TIMER);
        timers[(*count)++] = (struct rf_store_timer){
            .due = rf_layout_read_due(key.data + 1),
            .customer =
                rf_arena_copy(&rocks->found, rf_bytes_of(key.data + head, key.size - head))};
    }
    rocksdb_iter_get_error(iterator, &reason);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    return reason == NULL || rf_rocks_error(err, rocks->path, "looking for who is due", reason);
}

/* RocksDB does not say whether a compaction that was asked for has worked: it counts those that have not.
 * The manifest still names old files by their first and last customer; opening writes it anew. */
static bool rocks_compact(void *self, struct rf_error *err)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    rocksdb_compactoptions_t *options = NULL;
    uint64_t failures = 0;

    if (!rocks_flush(self, true, err))
        return false;
    failures = property(rocks, "rocksdb.background-errors");
    options = rocksdb_compactoptions_create();
    rocksdb_compactoptions_set_bottommost_level_compaction(options, COMPACT_EVERY_ROW);
    rocksdb_compact_range_opt(rocks->db, options, NULL, 0, NULL, 0);
    rocksdb_compactoptions_destroy(options);
    if (property(rocks, "rocksdb.background-errors") != failures)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "%s: compacting has failed", rocks->path);
    close_db(rocks);
    return open_db(rocks, err);
}

static void rocks_sizes(void *self, struct rf_store_sizes *sizes)
{
    const struct rf_rocks *rocks = rf_rocks_of(self);

    memset(sizes, 0, sizeof *sizes);
    if (rocks->db == NULL)
        return;
    sizes->bytes = property(rocks, "rocksdb.total-sst-files-size");
    sizes->customers = property(rocks, "rocksdb.estimate-num-keys");
    sizes->memory = property(rocks, "rocksdb.cur-size-all-mem-tables");
    sizes->pending_bytes = property(rocks, "rocksdb.estimate-pending-compaction-bytes");
}

static void rocks_close(void *self)
{
    struct rf_rocks *rocks = rf_rocks_of(self);
    struct rf_error ignored = {0}; /* what cannot be flushed is read from the changelog again */

    rf_rocks_load_ops.cancel(rocks);
    rf_assert(rocks->load == NULL);
    if (rocks->db != NULL)
        (void)!flush_db(rocks, true, &ignored);
    close_db(rocks);
    rf_notes_deinit(&rocks->pending);
    rf_buffer_deinit(&rocks->key);
    rf_buffer_deinit(&rocks->value);
    rf_arena_deinit(&rocks->found);
    free(rocks->path);
    rocks->magic = 0;
    free(rocks);
}

static const struct rf_store_ops rocks_ops = {
    .find = rocks_find,
    .apply = rocks_apply,
    .checkpoint = rocks_checkpoint,
    .note_put = rocks_note_put,
    .note_get = rocks_note_get,
    .flush = rocks_flush,
    .scan = rocks_scan,
    .due = rocks_due,
    .compact = rocks_compact,
    .sizes = rocks_sizes,
    .close = rocks_close,
    .load = &rf_rocks_load_ops,
};

bool rf_rocks_open(struct rf_rocks_shared *shared, const char *path, struct rf_store *store,
                   struct rf_error *err)
{
    struct rf_rocks *rocks = NULL;

    rf_assert(err->kind == RF_ERROR_NONE);
    if (!rf_directory_make(path, err))
        return false;
    rocks = calloc(1, sizeof *rocks);
    rf_assert(rocks != NULL);
    rocks->magic = RF_ROCKS_MAGIC;
    rocks->shared = shared;
    rocks->path = strdup(path);
    rf_assert(rocks->path != NULL);
    rf_buffer_init(&rocks->key, RF_ROCKS_KEYS_SIZE_MAX);
    rf_buffer_init(&rocks->value, RF_ROCKS_KEYS_SIZE_MAX);
    rf_arena_init(&rocks->found, FOUND_CHUNK_SIZE);
    if (!open_db(rocks, err) || !rf_rocks_load_clean(rocks, err)) {
        rocks_close(rocks);
        return false;
    }
    *store = (struct rf_store){.ops = &rocks_ops, .self = rocks};
    return true;
}
