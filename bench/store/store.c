/* CPU microseconds a record of edge/store, all threads together: RocksDB's flushes and compactions are in it.
 *
 * usage: bench_store DIRECTORY [CUSTOMERS]      DIRECTORY is made, filled and left behind
 *
 * Records of 120 bytes, half of them noise; customers are 12 digits. Prints a line a figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/store/rocks.h"
#include "edge/sys/clock.h"

#define RECORD_SIZE   120
#define CUSTOMER_SIZE 12
#define BATCH         200000
#define BATCHES       10
#define FIND_BATCH    10000
#define FIND_BATCHES  100
#define CACHE_SIZE    ((size_t)128 << 20)

static uint8_t pool[1 << 20]; /* records are pieces of it */
static char names[BATCH][CUSTOMER_SIZE];
static struct rf_store_write writes[BATCH];
static struct rf_bytes customers[FIND_BATCH];
static struct rf_stored found[FIND_BATCH];
static uint64_t state = 42;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void check(bool ok, const struct rf_error *err)
{
    if (ok)
        return;
    fprintf(stderr, "bench_store: %s\n", err->message);
    exit(EXIT_FAILURE);
}

/* Eight bytes of noise, eight like all others, as features are. */
static void fill_pool(void)
{
    for (size_t i = 0; i < sizeof pool; i += 16) {
        uint64_t bits = next_random();

        memcpy(pool + i, &bits, 8);
    }
}

static struct rf_bytes any_record(void)
{
    return rf_bytes_of(pool + next_random() % (sizeof pool - RECORD_SIZE), RECORD_SIZE);
}

static struct rf_bytes name_customer(char name[CUSTOMER_SIZE], uint64_t number)
{
    for (size_t i = CUSTOMER_SIZE; i-- > 0; number /= 10)
        name[i] = (char)('0' + number % 10);
    return rf_bytes_of(name, CUSTOMER_SIZE);
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *first = a;
    const uint64_t *second = b;

    return (*first > *second) - (*first < *second);
}

/* `count` customers in order, at most; each once. */
static size_t choose(uint64_t *numbers, size_t count, uint64_t customer_count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        numbers[i] = next_random() % customer_count;
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || numbers[i] != numbers[kept - 1])
            numbers[kept++] = numbers[i];
    }
    return kept;
}

static void print(const char *what, rf_ns cpu, rf_ns wall, size_t count)
{
    printf("%-44s %6.2f CPU-us a record  %9.0f records/s\n", what,
           (double)cpu / 1e3 / (double)count, (double)count * 1e9 / (double)wall);
}

static void settle(struct rf_store store)
{
    struct rf_store_sizes sizes = {.pending_bytes = 1};
    struct rf_error err = {0};

    check(store.ops->flush(store.self, true, &err), &err);
    for (int quiet = 0; quiet < 10; quiet++) {
        rf_clock_sleep_ms(50);
        store.ops->sizes(store.self, &sizes);
        if (sizes.pending_bytes > 0)
            quiet = 0;
    }
}

static void bench_apply(struct rf_store store, uint64_t customer_count, int64_t *checkpoint)
{
    static uint64_t numbers[BATCH];
    struct rf_error err = {0};
    rf_ns cpu = 0;
    rf_ns wall = 0;
    size_t total = 0;

    for (int batch = 0; batch < BATCHES; batch++) {
        size_t count = choose(numbers, BATCH, customer_count);

        for (size_t i = 0; i < count; i++) {
            writes[i].customer = name_customer(names[i], numbers[i]);
            writes[i].record = any_record();
            writes[i].due = RF_MS_MAX;
            writes[i].due_before = RF_MS_MAX;
        }
        total += count;
        rf_ns cpu_began = rf_clock_cpu_ns();
        rf_ns wall_began = rf_clock_monotonic_ns();
        check(store.ops->apply(store.self, writes, count, ++*checkpoint, &err), &err);
        if (batch == BATCHES - 1)
            settle(store);
        cpu += rf_clock_cpu_ns() - cpu_began;
        wall += rf_clock_monotonic_ns() - wall_began;
    }
    print("apply, sorted batches of 200 k", cpu, wall, total);
}

static void bench_find(struct rf_store store, uint64_t customer_count, bool sorted)
{
    static uint64_t numbers[FIND_BATCH];
    struct rf_error err = {0};
    rf_ns cpu = 0;
    rf_ns wall = 0;
    size_t total = 0;

    for (int batch = -FIND_BATCHES / 4; batch < FIND_BATCHES; batch++) {
        size_t count = FIND_BATCH;

        if (sorted)
            count = choose(numbers, FIND_BATCH, customer_count);
        for (size_t i = 0; i < count; i++)
            customers[i] =
                name_customer(names[i], sorted ? numbers[i] : next_random() % customer_count);
        rf_ns cpu_began = rf_clock_cpu_ns();
        rf_ns wall_began = rf_clock_monotonic_ns();
        check(store.ops->find(store.self, customers, count, found, &err), &err);
        if (batch < 0)
            continue; /* the cache fills */
        cpu += rf_clock_cpu_ns() - cpu_began;
        wall += rf_clock_monotonic_ns() - wall_began;
        total += count;
    }
    print(sorted ? "find, batches of 10 k in order" : "find, batches of 10 k in any order", cpu,
          wall, total);
}

static bool count_visit(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    (void)customer;
    (void)stored;
    ++*(size_t *)context;
    return true;
}

static void bench_scan(struct rf_store store)
{
    struct rf_error err = {0};
    size_t count = 0;
    rf_ns cpu = rf_clock_cpu_ns();
    rf_ns wall = rf_clock_monotonic_ns();

    check(store.ops->scan(store.self, (struct rf_bytes){0}, count_visit, &count, &err), &err);
    print("scan", rf_clock_cpu_ns() - cpu, rf_clock_monotonic_ns() - wall, count);
}

static void bench_load(struct rf_rocks_shared *shared, const char *path, uint64_t customer_count,
                       size_t memory_max)
{
    char name[CUSTOMER_SIZE];
    char what[64];
    struct rf_store store;
    struct rf_error err = {0};
    size_t count = (size_t)customer_count * 13 / 4;
    rf_ns cpu = rf_clock_cpu_ns();
    rf_ns wall = rf_clock_monotonic_ns();

    check(rf_rocks_open(shared, path, &store, &err), &err);
    check(store.ops->load->begin(store.self, memory_max, &err), &err);
    for (size_t i = 0; i < count; i++)
        check(store.ops->load->add(store.self, name_customer(name, next_random() % customer_count),
                                   any_record(), RF_MS_MAX, &err),
              &err);
    check(store.ops->load->finish(store.self, 1, &err), &err);
    settle(store);
    snprintf(what, sizeof what, "load of a changelog, %zu MiB", memory_max >> 20);
    print(what, rf_clock_cpu_ns() - cpu, rf_clock_monotonic_ns() - wall, count);
    store.ops->close(store.self);
}

int main(int argc, char **argv)
{
    uint64_t customer_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    const struct rf_rocks_settings settings = {.cache_size = CACHE_SIZE,
                                               .memtables_size = (size_t)128 << 20,
                                               .tasks_max = 4,
                                               .compaction_threads = 1};
    struct rf_rocks_shared *shared = NULL;
    struct rf_store store;
    struct rf_error err = {0};
    int64_t checkpoint = 1;
    char path[512];

    if (argc < 2 || customer_count == 0) {
        fprintf(stderr, "usage: bench_store DIRECTORY [CUSTOMERS]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    fill_pool();
    shared = rf_rocks_shared_open(&settings);
    snprintf(path, sizeof path, "%s/task-0", argv[1]);
    bench_load(shared, path, customer_count, (size_t)64 << 20);
    snprintf(path, sizeof path, "%s/task-1", argv[1]);
    bench_load(shared, path, customer_count, (size_t)1024 << 20);
    check(rf_rocks_open(shared, path, &store, &err), &err);
    bench_apply(store, customer_count, &checkpoint);
    bench_apply(store, customer_count, &checkpoint);
    bench_find(store, customer_count, false);
    bench_find(store, customer_count, true);
    bench_scan(store);
    store.ops->close(store.self);
    rf_rocks_shared_close(shared);
    return EXIT_SUCCESS;
}
