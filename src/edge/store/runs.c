/* The block of memory, of `memory_max` bytes:
 *
 *   | record | record | ...  →        ← ... | entry | entry |
 *
 *   record   key size, 4 bytes | value size, 4 bytes, FFFFFFFF: erased | key | value
 *   entry    the key's eight bytes behind what all keys begin with, as a big endian number | where its record is
 *
 * so that most comparisons touch entries only. A later record lies higher: position decides between equal keys.
 *
 * The file is one run behind the other, a run is blocks:
 *
 *   block    size, 8 bytes | hash of the rest, 8 bytes | whole records, in order of their keys, each key once
 *
 * in the byte order of the machine: nobody else reads it, and it does not outlive the process. */
#include "edge/store/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/hash.h"
#include "edge/store/directory.h"

#define ERASED           UINT32_MAX
#define RECORD_HEAD_SIZE ((size_t)8)
#define BLOCK_HEAD_SIZE  ((size_t)16)
#define MEMORY_MAX       (UINT32_MAX & ~(size_t)15)
#define FILE_MODE        0600
#define RECORD_SIZE_MAX  ((size_t)1 << 31)
#define BLOCK_BUFFER_MAX (RECORD_SIZE_MAX + RECORD_HEAD_SIZE + BLOCK_HEAD_SIZE + RF_RUNS_BLOCK_SIZE)

struct entry {
    uint64_t prefix;
    uint32_t position;
};

struct record {
    struct rf_bytes key;
    struct rf_bytes value; /* data == NULL: erased */
    size_t size;           /* with its head */
};

struct run {
    off_t at;  /* the next block */
    off_t end; /* of the run */
    size_t index;
    struct rf_buffer block;
    size_t used;           /* of the block, with `current` */
    struct record current; /* points into the block */
};

struct rf_runs {
    char *path; /* owned */
    int file;   /* -1: not made yet */
    off_t file_size;
    uint8_t *memory; /* owned; NULL once merged from the file */
    size_t memory_size;
    size_t records_size;
    size_t entry_count;
    size_t common_size;     /* what all keys in the block begin with, in bytes */
    struct rf_buffer block; /* being written */
    off_t *run_ends;        /* owned */
    size_t run_count;
    struct run *heap; /* owned; while merging */
    size_t heap_count;
};

struct rf_runs *rf_runs_open(const char *path, size_t memory_max)
{
    struct rf_runs *runs = calloc(1, sizeof *runs);

    rf_assert(runs != NULL);
    rf_assert(memory_max >= RF_RUNS_BLOCK_SIZE);
    runs->path = strdup(path);
    runs->file = -1;
    runs->memory_size = (memory_max < MEMORY_MAX ? memory_max : MEMORY_MAX) & ~(size_t)15;
    runs->memory = malloc(runs->memory_size); /* touched as it fills */
    rf_assert(runs->path != NULL && runs->memory != NULL);
    rf_buffer_init(&runs->block, BLOCK_BUFFER_MAX);
    return runs;
}

void rf_runs_close(struct rf_runs *runs)
{
    for (size_t i = 0; i < runs->heap_count; i++)
        rf_buffer_deinit(&runs->heap[i].block);
    if (runs->file >= 0) {
        close(runs->file);
        unlink(runs->path);
    }
    rf_buffer_deinit(&runs->block);
    free(runs->heap);
    free(runs->run_ends);
    free(runs->memory);
    free(runs->path);
    free(runs);
}

static struct record record_at(const uint8_t *at)
{
    struct record record = {0};
    uint32_t sizes[2];

    memcpy(sizes, at, sizeof sizes);
    record.key = rf_bytes_of(at + RECORD_HEAD_SIZE, sizes[0]);
    if (sizes[1] != ERASED)
        record.value = rf_bytes_of(at + RECORD_HEAD_SIZE + sizes[0], sizes[1]);
    record.size = RECORD_HEAD_SIZE + record.key.size + record.value.size;
    return record;
}

static size_t record_size(struct rf_bytes key, struct rf_bytes value)
{
    return RECORD_HEAD_SIZE + key.size + (value.data == NULL ? 0 : value.size);
}

static void record_write(uint8_t *at, struct rf_bytes key, struct rf_bytes value)
{
    uint32_t sizes[2] = {(uint32_t)key.size, value.data == NULL ? ERASED : (uint32_t)value.size};

    memcpy(at, sizes, sizeof sizes);
    if (key.size > 0)
        memcpy(at + RECORD_HEAD_SIZE, key.data, key.size);
    if (value.data != NULL && value.size > 0)
        memcpy(at + RECORD_HEAD_SIZE + key.size, value.data, value.size);
}

/* The entries grow downwards from the end: the last one made lies lowest. */
static struct entry *entries_of(const struct rf_runs *runs)
{
    return (struct entry *)(void *)(runs->memory + runs->memory_size) - runs->entry_count;
}

static size_t common_size(struct rf_bytes a, struct rf_bytes b, size_t size_max)
{
    size_t size = 0;

    while (size < size_max && size < a.size && size < b.size && a.data[size] == b.data[size])
        size++;
    return size;
}

static uint64_t prefix_of(struct rf_bytes key, size_t skipped)
{
    uint64_t prefix = 0;

    rf_assert(skipped <= key.size);
    for (size_t i = 0; i < sizeof prefix; i++)
        prefix = prefix << 8 | (skipped + i < key.size ? key.data[skipped + i] : 0);
    return prefix;
}

/* Equal prefixes say nothing where a key ends within them: the keys decide, then the position. */
static int compare_entries(const void *a, const void *b, void *memory)
{
    const struct entry *first = a;
    const struct entry *second = b;
    const uint8_t *records = memory;
    int order = 0;

    if (first->prefix != second->prefix)
        return first->prefix < second->prefix ? -1 : 1;
    order = rf_bytes_compare(record_at(records + first->position).key,
                             record_at(records + second->position).key);
    if (order != 0)
        return order;
    return first->position < second->position ? -1 : first->position > second->position;
}

static void sort_memory(struct rf_runs *runs)
{
    struct entry *entries = entries_of(runs);

    for (size_t i = 0; i < runs->entry_count; i++)
        entries[i].prefix =
            prefix_of(record_at(runs->memory + entries[i].position).key, runs->common_size);
    qsort_r(entries, runs->entry_count, sizeof *entries, compare_entries, runs->memory);
}

/* The record of sorted entry `i`, or false where a later one of the same key follows. */
static bool survives(const struct rf_runs *runs, size_t i, struct record *record)
{
    const struct entry *entries = entries_of(runs);

    *record = record_at(runs->memory + entries[i].position);
    if (i + 1 == runs->entry_count || entries[i].prefix != entries[i + 1].prefix)
        return true;
    return !rf_bytes_equal(record->key, record_at(runs->memory + entries[i + 1].position).key);
}

static bool make_file(struct rf_runs *runs, struct rf_error *err)
{
    runs->file = open(runs->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    return runs->file >= 0 || rf_directory_fail(err, "making", runs->path);
}

static bool write_all(struct rf_runs *runs, const uint8_t *data, size_t size, struct rf_error *err)
{
    while (size > 0) {
        ssize_t written = write(runs->file, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return rf_directory_fail(err, "writing", runs->path);
        data += written;
        size -= (size_t)written;
        runs->file_size += written;
    }
    return true;
}

static void block_begin(struct rf_runs *runs)
{
    static const uint8_t head[BLOCK_HEAD_SIZE];

    rf_buffer_clear(&runs->block);
    rf_buffer_append(&runs->block, head, sizeof head);
}

static bool block_end(struct rf_runs *runs, struct rf_error *err)
{
    struct rf_bytes body =
        rf_bytes_of(runs->block.data + BLOCK_HEAD_SIZE, runs->block.size - BLOCK_HEAD_SIZE);
    uint64_t head[2] = {body.size, rf_hash64(body)};

    rf_assert(!runs->block.overflow);
    if (body.size == 0)
        return true;
    memcpy(runs->block.data, head, sizeof head);
    return write_all(runs, runs->block.data, runs->block.size, err);
}

static bool block_add(struct rf_runs *runs, struct rf_bytes key, struct rf_bytes value,
                      struct rf_error *err)
{
    size_t size = record_size(key, value);

    if (runs->block.size > BLOCK_HEAD_SIZE && runs->block.size + size > RF_RUNS_BLOCK_SIZE) {
        if (!block_end(runs, err))
            return false;
        block_begin(runs);
    }
    record_write(rf_buffer_reserve(&runs->block, size), key, value);
    rf_buffer_advance(&runs->block, size);
    return true;
}

static void end_run(struct rf_runs *runs)
{
    runs->run_ends = realloc(runs->run_ends, (runs->run_count + 1) * sizeof *runs->run_ends);
    rf_assert(runs->run_ends != NULL);
    runs->run_ends[runs->run_count++] = runs->file_size;
}

/* Writes what is in memory as a run. */
static bool spill(struct rf_runs *runs, struct rf_error *err)
{
    struct record record;

    if (runs->file < 0 && !make_file(runs, err))
        return false;
    sort_memory(runs);
    block_begin(runs);
    for (size_t i = 0; i < runs->entry_count; i++) {
        if (survives(runs, i, &record) && !block_add(runs, record.key, record.value, err))
            return false;
    }
    if (!block_end(runs, err))
        return false;
    end_run(runs);
    runs->records_size = 0;
    runs->entry_count = 0;
    return true;
}

/* A record that memory has no room for is a run of its own. */
static bool add_huge(struct rf_runs *runs, struct rf_bytes key, struct rf_bytes value,
                     struct rf_error *err)
{
    rf_assert(runs->entry_count == 0);
    if (runs->file < 0 && !make_file(runs, err))
        return false;
    block_begin(runs);
    if (!block_add(runs, key, value, err) || !block_end(runs, err))
        return false;
    end_run(runs);
    return true;
}

bool rf_runs_add(struct rf_runs *runs, struct rf_bytes key, struct rf_bytes value,
                 struct rf_error *err)
{
    size_t size = record_size(key, value);
    size_t used = runs->records_size + (runs->entry_count + 1) * sizeof(struct entry);

    rf_assert(runs->memory != NULL && runs->heap == NULL);
    rf_assert(size <= RECORD_SIZE_MAX);
    if (used + size > runs->memory_size) {
        if (runs->entry_count > 0 && !spill(runs, err))
            return false;
        if (size + sizeof(struct entry) > runs->memory_size)
            return add_huge(runs, key, value, err);
    }
    record_write(runs->memory + runs->records_size, key, value);
    runs->common_size = runs->entry_count == 0
                            ? key.size
                            : common_size(record_at(runs->memory).key, key, runs->common_size);
    runs->entry_count++;
    entries_of(runs)[0].position = (uint32_t)runs->records_size;
    runs->records_size += size;
    rf_assert_slow(runs->records_size + runs->entry_count * sizeof(struct entry) <=
                   runs->memory_size);
    return true;
}

static bool read_all(const struct rf_runs *runs, struct run *run, uint8_t *data, size_t size,
                     struct rf_error *err)
{
    while (size > 0) {
        ssize_t got = run->at + (off_t)size > run->end ? 0 : pread(runs->file, data, size, run->at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return rf_directory_fail(err, "reading", runs->path);
        if (got == 0)
            return rf_error_set(err, RF_ERROR_RETRY, 0, "reading %s: shorter than it was written",
                                runs->path);
        data += got;
        size -= (size_t)got;
        run->at += got;
    }
    return true;
}

static bool read_block(const struct rf_runs *runs, struct run *run, struct rf_error *err)
{
    uint64_t head[2];

    rf_assert(run->at < run->end);
    if (!read_all(runs, run, (uint8_t *)head, sizeof head, err))
        return false;
    if (head[0] > (uint64_t)(run->end - run->at))
        return rf_error_set(err, RF_ERROR_RETRY, 0, "reading %s: a block of %llu bytes", runs->path,
                            (unsigned long long)head[0]);
    rf_buffer_clear(&run->block);
    if (!read_all(runs, run, rf_buffer_reserve(&run->block, head[0]), head[0], err))
        return false;
    rf_buffer_advance(&run->block, head[0]);
    run->used = 0;
    if (rf_hash64(rf_buffer_bytes(&run->block)) != head[1])
        return rf_error_set(err, RF_ERROR_RETRY, 0, "reading %s: not what was written", runs->path);
    return true;
}

/* Moves to the next record. *ended: there is none. */
static bool run_next(const struct rf_runs *runs, struct run *run, bool *ended, struct rf_error *err)
{
    *ended = false;
    if (run->used == run->block.size) {
        *ended = run->at == run->end;
        if (*ended)
            return true;
        if (!read_block(runs, run, err))
            return false;
    }
    run->current = record_at(run->block.data + run->used);
    run->used += run->current.size;
    rf_assert(run->used <= run->block.size);
    return true;
}

/* The smallest key first; of one key the newest record first. */
static bool comes_before(const struct run *a, const struct run *b)
{
    int order = rf_bytes_compare(a->current.key, b->current.key);

    return order != 0 ? order < 0 : a->index > b->index;
}

static void sink(struct rf_runs *runs, size_t parent)
{
    struct run *heap = runs->heap;

    for (size_t child = 2 * parent + 1; child < runs->heap_count; child = 2 * parent + 1) {
        struct run moved = heap[parent];

        if (child + 1 < runs->heap_count && comes_before(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_before(&heap[child], &moved))
            break;
        heap[parent] = heap[child];
        heap[child] = moved;
        parent = child;
    }
}

static bool open_heap(struct rf_runs *runs, struct rf_error *err)
{
    off_t at = 0;
    bool ended = false;

    runs->heap = calloc(runs->run_count, sizeof *runs->heap);
    rf_assert(runs->heap != NULL);
    for (size_t i = 0; i < runs->run_count; i++) {
        struct run *run = &runs->heap[runs->heap_count++];

        *run = (struct run){.at = at, .end = runs->run_ends[i], .index = i};
        rf_buffer_init(&run->block, BLOCK_BUFFER_MAX);
        if (!run_next(runs, run, &ended, err))
            return false;
        rf_assert(!ended); /* no run is empty */
        at = run->end;
    }
    for (size_t i = runs->heap_count; i-- > 0;)
        sink(runs, i);
    return true;
}

/* Steps the first run of the heap; one at its end leaves. */
static bool advance(struct rf_runs *runs, struct rf_error *err)
{
    bool ended = false;

    if (!run_next(runs, &runs->heap[0], &ended, err))
        return false;
    if (ended) {
        rf_buffer_deinit(&runs->heap[0].block);
        runs->heap[0] = runs->heap[--runs->heap_count];
    }
    sink(runs, 0);
    return true;
}

static bool merge_file(struct rf_runs *runs,
                       bool (*visit)(void *context, struct rf_bytes key, struct rf_bytes value,
                                     struct rf_error *err),
                       void *context, struct rf_error *err)
{
    struct rf_buffer last; /* the key that was dealt with: its block may be gone */
    bool ok = true;
    bool first = true;

    rf_buffer_init(&last, RECORD_SIZE_MAX);
    while (ok && runs->heap_count > 0) {
        const struct record *record = &runs->heap[0].current;

        if (first || !rf_bytes_equal(record->key, rf_buffer_bytes(&last))) {
            first = false;
            rf_buffer_clear(&last);
            rf_buffer_append(&last, record->key.data, record->key.size);
            ok = record->value.data == NULL || visit(context, record->key, record->value, err);
        }
        ok = ok && advance(runs, err);
    }
    rf_buffer_deinit(&last);
    return ok;
}

static bool merge_memory(struct rf_runs *runs,
                         bool (*visit)(void *context, struct rf_bytes key, struct rf_bytes value,
                                       struct rf_error *err),
                         void *context, struct rf_error *err)
{
    struct record record;

    sort_memory(runs);
    for (size_t i = 0; i < runs->entry_count; i++) {
        if (!survives(runs, i, &record) || record.value.data == NULL)
            continue;
        if (!visit(context, record.key, record.value, err))
            return false;
    }
    return true;
}

bool rf_runs_merge(struct rf_runs *runs,
                   bool (*visit)(void *context, struct rf_bytes key, struct rf_bytes value,
                                 struct rf_error *err),
                   void *context, struct rf_error *err)
{
    rf_assert(runs->memory != NULL && runs->heap == NULL);
    if (runs->run_count == 0)
        return merge_memory(runs, visit, context, err);
    if (runs->entry_count > 0 && !spill(runs, err))
        return false;
    free(runs->memory);
    runs->memory = NULL;
    return open_heap(runs, err) && merge_file(runs, visit, context, err);
}
