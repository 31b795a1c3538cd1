/* The options of every store, and the cache they share. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "edge/store/rocks_internal.h"

#define WRITE_BUFFER_SIZE_MIN ((size_t)64 * 1024) /* RocksDB takes less for this */
#define LEVEL_BASE_SIZE_MIN   ((uint64_t)64 << 20)
#define INFO_LOG_HEADER       5
#define MANIFEST_SIZE_MAX     ((size_t)1 << 20)
#define OPEN_FILES_MAX        128 /* of one store */
#define BLOOM_BITS_PER_KEY    10.0
#define MEMTABLE_BLOOM_RATIO  0.01 /* of its size: some 30 bits for a record of 300 bytes */

static rocksdb_block_based_table_options_t *make_table_options(rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY)); /* taken over */
    rocksdb_block_based_options_set_format_version(table, 5);
    /* Indexes and filters count in the cache's size: otherwise they grow with the number of customers. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    return table;
}

/* A memtable may be full while the one before it is being written out, hence two a task. */
static size_t write_buffer_size(const struct rf_rocks_settings *settings)
{
    size_t size = settings->memtables_size / ((size_t)2 * settings->tasks_max);

    return size < WRITE_BUFFER_SIZE_MIN ? WRITE_BUFFER_SIZE_MIN : size;
}

static void set_sizes(rocksdb_options_t *options, const struct rf_rocks_settings *settings)
{
    size_t buffer_size = write_buffer_size(settings);
    uint64_t level_size = (uint64_t)buffer_size * 8;

    rocksdb_options_set_write_buffer_size(options, buffer_size);
    rocksdb_options_set_max_write_buffer_number(options, 2);
    rocksdb_options_set_max_bytes_for_level_base(
        options, level_size < LEVEL_BASE_SIZE_MIN ? LEVEL_BASE_SIZE_MIN : level_size);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
}

/* RocksDB's own log says what it was opened with and no more: on a full disk the second line that it cannot
 * write ends the process by an assertion (Debian's build keeps them). What goes wrong comes back as errors. */
static void set_quiet(rocksdb_options_t *options)
{
    rocksdb_options_set_info_log_level(options, INFO_LOG_HEADER);
    rocksdb_options_set_keep_log_file_num(options, 1);
    rocksdb_options_set_max_manifest_file_size(options, MANIFEST_SIZE_MAX);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
}

static rocksdb_options_t *make_options(const struct rf_rocks_settings *settings,
                                       const rocksdb_block_based_table_options_t *table)
{
    rocksdb_options_t *options = rocksdb_options_create();

    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_paranoid_checks(options,
                                        1); /* a missing or truncated file is found at open */
    /* Two flushes at once may delete each other's file after a fault (fixed in RocksDB 8.7). */
    rocksdb_options_set_max_background_flushes(options, 1);
    rocksdb_options_set_max_background_compactions(options, 1); /* of one store */
    rocksdb_options_set_allow_concurrent_memtable_write(options, 0);
    /* Who is read is hardly ever in a memtable: what is in there is in the hot cache as well. */
    rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, MEMTABLE_BLOOM_RATIO);
    /* What is written above the last level is soon rewritten: compressing it is a fifth of the CPU of apply. */
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_bottommost_compression(options, rocksdb_lz4_compression);
    rocksdb_options_set_block_based_table_factory(
        options, (rocksdb_block_based_table_options_t *)(uintptr_t)table); /* copied */
    set_sizes(options, settings);
    set_quiet(options);
    return options;
}

static void set_threads(uint32_t compaction_threads)
{
    rocksdb_env_t *env = rocksdb_create_default_env();

    rocksdb_env_set_low_priority_background_threads(env, (int)compaction_threads);
    rocksdb_env_set_high_priority_background_threads(env, 1);
    rocksdb_env_destroy(env);
}

struct rf_rocks_shared *rf_rocks_shared_open(const struct rf_rocks_settings *settings)
{
    struct rf_rocks_shared *shared = calloc(1, sizeof *shared);

    rf_assert(shared != NULL);
    rf_assert(settings->tasks_max > 0);
    rf_assert(settings->compaction_threads > 0 && settings->compaction_threads <= 64);
    set_threads(settings->compaction_threads);
    shared->cache = rocksdb_cache_create_lru(settings->cache_size);
    shared->table_options = make_table_options(shared->cache);
    shared->options = make_options(settings, shared->table_options);
    shared->find_options = rocksdb_readoptions_create();
    shared->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(shared->write_options, 1);
    rocksdb_writeoptions_set_memtable_insert_hint_per_batch(shared->write_options, 1);
    shared->env_options = rocksdb_envoptions_create();
    return shared;
}

void rf_rocks_shared_close(struct rf_rocks_shared *shared)
{
    rocksdb_envoptions_destroy(shared->env_options);
    rocksdb_writeoptions_destroy(shared->write_options);
    rocksdb_readoptions_destroy(shared->find_options);
    rocksdb_options_destroy(shared->options);
    rocksdb_block_based_options_destroy(shared->table_options);
    rocksdb_cache_destroy(shared->cache);
    free(shared);
}

size_t rf_rocks_shared_cache_used(const struct rf_rocks_shared *shared)
{
    return rocksdb_cache_get_usage(shared->cache);
}
