/* edge/store: what crashes, damage, full disks and other processes leave of a store. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <rocksdb/c.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "edge/store/rocks.h"
#include "support/scratch.h"

#define CUSTOMERS 2000

static struct scratch scratch;
static char path[128];
static struct rf_rocks_shared *shared;

static void set_up(void)
{
    scratch_make(&scratch);
    snprintf(path, sizeof path, "%s/retention/task-3", scratch.path);
}

static void tear_down(void)
{
    scratch_remove(&scratch);
}

/* A cache of its own each time: what is read comes from the files. */
static bool try_open(struct rf_store *store, struct rf_error *err)
{
    const struct rf_rocks_settings settings = {
        .cache_size = 1 << 20, .memtables_size = 1 << 20, .tasks_max = 4, .compaction_threads = 1};

    *err = (struct rf_error){0};
    shared = rf_rocks_shared_open(&settings);
    if (rf_rocks_open(shared, path, store, err))
        return true;
    rf_rocks_shared_close(shared);
    return false;
}

static struct rf_store open_store(void)
{
    struct rf_error err;
    struct rf_store store = {0};

    ck_assert_msg(try_open(&store, &err), "%s", err.message);
    return store;
}

static void close_store(struct rf_store store)
{
    store.ops->close(store.self);
    rf_rocks_shared_close(shared);
}

/* Apply number `n` writes a third of the customers, and erases a few: what a store holds follows from its
 * checkpoint alone. */
static uint64_t mix(int64_t n, int customer)
{
    uint64_t x = (uint64_t)n * UINT64_C(0x9e3779b97f4a7c15) ^
                 (uint64_t)customer * UINT64_C(0xd1b54a32d192ed03);

    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

static bool writes_customer(int64_t n, int customer)
{
    return mix(n, customer) % 3 == 0;
}

static bool erases_customer(int64_t n, int customer)
{
    return mix(n, customer) % 30 == 0;
}

/* When the customer is due after that apply, and before it. */
static rf_ms due_of(int64_t n, int customer)
{
    return erases_customer(n, customer) || customer % 4 == 0 ? RF_MS_MAX : n * 1000 + customer;
}

static rf_ms due_before(int64_t n, int customer)
{
    for (n--; n > 0; n--) {
        if (writes_customer(n, customer))
            return due_of(n, customer);
    }
    return RF_MS_MAX;
}

static bool apply_number(struct rf_store store, int64_t n, struct rf_error *err)
{
    static char names[CUSTOMERS][16];
    static char records[CUSTOMERS][32];
    static struct rf_store_write writes[CUSTOMERS];
    size_t count = 0;

    for (int i = 0; i < CUSTOMERS; i++) {
        if (!writes_customer(n, i))
            continue;
        snprintf(names[count], sizeof names[count], "%06d", i);
        snprintf(records[count], sizeof records[count], "%020" PRId64, n);
        writes[count].customer = rf_bytes_of_text(names[count]);
        writes[count].record =
            erases_customer(n, i) ? (struct rf_bytes){0} : rf_bytes_of_text(records[count]);
        writes[count].due = due_of(n, i);
        writes[count].due_before = due_before(n, i);
        count++;
    }
    return store.ops->apply(store.self, writes, count, n, err);
}

static void apply_numbers(struct rf_store store, int64_t first, int64_t last)
{
    struct rf_error err = {0};

    for (int64_t n = first; n <= last; n++)
        ck_assert_msg(apply_number(store, n, &err), "%s", err.message);
}

static void flush(struct rf_store store)
{
    struct rf_error err = {0};

    ck_assert_msg(store.ops->flush(store.self, true, &err), "%s", err.message);
}

struct walk {
    bool seen[CUSTOMERS];
    int64_t record[CUSTOMERS];
    size_t timer_count;
};

static bool visit(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    struct rf_bytes record = stored.record;
    struct walk *walk = context;
    char name[16] = {0};
    char number[32] = {0};

    ck_assert_uint_eq(customer.size, 6);
    ck_assert_uint_eq(record.size, 20);
    memcpy(name, customer.data, customer.size);
    memcpy(number, record.data, record.size);
    long index = strtol(name, NULL, 10);
    ck_assert(index >= 0 && index < CUSTOMERS);
    walk->seen[index] = true;
    walk->record[index] = strtoll(number, NULL, 10);
    ck_assert_int_eq(stored.due, due_of(walk->record[index], (int)index));
    walk->timer_count += stored.due != RF_MS_MAX;
    return true;
}

/* Whether the store can be read; asserts that what is read is what its checkpoint says. */
static bool read_whole(struct rf_store store, struct rf_error *err)
{
    static struct walk walk;
    static struct rf_store_timer timers[CUSTOMERS];
    size_t timer_count = 0;
    int64_t checkpoint = 0;

    *err = (struct rf_error){0};
    memset(&walk, 0, sizeof walk);
    if (!store.ops->checkpoint(store.self, &checkpoint, err) ||
        !store.ops->scan(store.self, (struct rf_bytes){0}, visit, &walk, err) ||
        !store.ops->due(store.self, (struct rf_store_timer){.due = RF_MS_MIN}, timers, CUSTOMERS,
                        &timer_count, err))
        return false;
    ck_assert_uint_eq(timer_count, walk.timer_count); /* invariant 2: they are of one moment */
    for (int i = 0; i < CUSTOMERS; i++) {
        int64_t n = checkpoint;

        while (n > 0 && !writes_customer(n, i))
            n--;
        if (n <= 0 || erases_customer(n, i))
            ck_assert_msg(!walk.seen[i], "customer %d should not be there at %" PRId64, i,
                          checkpoint);
        else
            ck_assert_msg(walk.seen[i] && walk.record[i] == n,
                          "customer %d of apply %" PRId64 ": %s", i, n,
                          walk.seen[i] ? "another record" : "not there");
    }
    return true;
}

static void expect_whole(struct rf_store store, int64_t checkpoint_min)
{
    struct rf_error err;
    int64_t checkpoint = 0;

    ck_assert_msg(read_whole(store, &err), "%s", err.message);
    ck_assert(store.ops->checkpoint(store.self, &checkpoint, &err));
    ck_assert_int_ge(checkpoint, checkpoint_min);
}

/* The child never returns; the parent must not have used RocksDB yet. */
static pid_t start_child(void (*work)(int report), int *reports)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        work(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    *reports = ends[0];
    return child;
}

static void kill_child(pid_t child)
{
    int status = 0;

    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

static int64_t wait_report(int reports)
{
    int64_t report = 0;

    ck_assert_int_eq(read(reports, &report, sizeof report), sizeof report);
    return report;
}

/* Reports each checkpoint that it knows to be flushed. */
static void apply_for_ever(int report)
{
    struct rf_store store = open_store();

    for (int64_t n = 1;; n++) {
        apply_numbers(store, n, n);
        if (n % 7 != 0)
            continue;
        flush(store);
        if (write(report, &n, sizeof n) != sizeof n)
            _exit(1);
    }
}

START_TEST(a_kill_leaves_an_older_state_and_the_checkpoint_that_goes_with_it)
{
    int reports = -1;
    pid_t child = start_child(apply_for_ever, &reports);
    int64_t flushed = 0;
    for (int i = 0; i <= _i * 3; i++)
        flushed = wait_report(reports);
    nanosleep(&(struct timespec){.tv_nsec = _i * 1700000},
              NULL); /* somewhere between two reports */
    kill_child(child);

    struct rf_store store = open_store();

    expect_whole(store, flushed);
    apply_numbers(store, 100000, 100001); /* and it goes on */
    close_store(store);
}
END_TEST

static void add_all(struct rf_store store, int64_t last)
{
    struct rf_error err = {0};

    for (int64_t n = 1; n <= last; n++) {
        for (int i = 0; i < CUSTOMERS; i++) {
            char name[16];
            char record[32];

            if (!writes_customer(n, i))
                continue;
            snprintf(name, sizeof name, "%06d", i);
            snprintf(record, sizeof record, "%020" PRId64, n);
            ck_assert(store.ops->load->add(store.self, rf_bytes_of_text(name),
                                           erases_customer(n, i) ? (struct rf_bytes){0}
                                                                 : rf_bytes_of_text(record),
                                           due_of(n, i), &err));
        }
    }
}

static void load_once(int report)
{
    struct rf_store store = open_store();
    struct rf_error err = {0};
    int64_t step = 1;

    ck_assert(store.ops->load->begin(store.self, RF_STORE_LOAD_MEMORY_MIN, &err));
    add_all(store, 300);
    if (write(report, &step, sizeof step) != sizeof step)
        _exit(1);
    ck_assert(store.ops->load->finish(store.self, 300, &err));
    step = 2;
    if (write(report, &step, sizeof step) != sizeof step)
        _exit(1);
    pause();
}

START_TEST(a_kill_during_a_load_leaves_all_or_nothing)
{
    int reports = -1;
    int64_t checkpoint = 0;
    char left[160];
    struct rf_error err = {0};
    pid_t child = start_child(load_once, &reports);
    wait_report(reports);
    if (_i == 5) /* after all of it */
        ck_assert_int_eq(wait_report(reports), 2);
    else
        nanosleep(&(struct timespec){.tv_nsec = _i * 9000000}, NULL);
    kill_child(child);

    struct rf_store store = open_store();

    ck_assert(store.ops->checkpoint(store.self, &checkpoint, &err));
    ck_assert_msg(checkpoint == 300 || (checkpoint == RF_CHECKPOINT_NONE && _i < 5), "%" PRId64,
                  checkpoint);
    expect_whole(store, RF_CHECKPOINT_NONE);
    snprintf(left, sizeof left, "%s/load", path);
    ck_assert_int_ne(access(left, F_OK), 0);
    close_store(store);
}
END_TEST

/* The `n`th file of the store whose name ends like this, in the order of names; false: there is none. */
static bool find_file(const char *begins, const char *ends, size_t n, char *found, size_t found_max)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    bool ok = false;

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t size = strlen(name);

        if (!ok && strncmp(name, begins, strlen(begins)) == 0 && size >= strlen(ends) &&
            strcmp(name + size - strlen(ends), ends) == 0 && n-- == 0) {
            snprintf(found, found_max, "%s/%s", path, name);
            ok = true;
        }
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static off_t size_of(const char *file)
{
    struct stat status;

    ck_assert_int_eq(stat(file, &status), 0);
    return status.st_size;
}

static void flip(const char *file, off_t at)
{
    uint8_t byte = 0;
    int descriptor = open(file, O_RDWR);

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(pread(descriptor, &byte, 1, at), 1);
    byte ^= 0x10;
    ck_assert_int_eq(pwrite(descriptor, &byte, 1, at), 1);
    close(descriptor);
}

/* Either the damage is seen as such, or it has hurt nothing: what is read is what the checkpoint says. */
static bool damage_is_seen(void)
{
    struct rf_store store;
    struct rf_error err;

    if (!try_open(&store, &err)) {
        ck_assert_msg(err.kind == RF_ERROR_STATE, "%s", err.message);
        return true;
    }
    bool seen = !read_whole(store, &err);
    ck_assert_msg(!seen || err.kind == RF_ERROR_STATE, "%s", err.message);
    close_store(store);
    return seen;
}

/* Two files, and nothing that RocksDB would still like to do with them. */
static void make_damageable(void)
{
    struct rf_store store = open_store();
    struct rf_error err = {0};
    apply_numbers(store, 1, 20);
    ck_assert_msg(store.ops->compact(store.self, &err), "%s", err.message);
    apply_numbers(store, 21, 25);
    flush(store);
    close_store(store);
}

START_TEST(no_flipped_bit_in_a_file_goes_unseen)
{
    enum {
        FLIPS = 60
    };
    char file[512];
    size_t seen = 0;
    make_damageable();
    ck_assert(find_file("", ".sst", 0, file, sizeof file));
    off_t size = size_of(file);

    for (int i = 0; i < FLIPS; i++) {
        off_t at = size * i / FLIPS + i % 7;
        flip(file, at);
        seen += damage_is_seen();
        flip(file, at);
    }

    ck_assert_uint_ge(seen, FLIPS / 2); /* the rest hit what nobody reads */
}
END_TEST

START_TEST(no_flipped_bit_in_the_manifest_gives_wrong_records)
{
    enum {
        FLIPS = 40
    };
    char file[512];
    size_t seen = 0;

    for (int i = 0; i < FLIPS; i++) {
        make_damageable();
        ck_assert(find_file("MANIFEST-", "", 0, file, sizeof file));
        flip(file, size_of(file) * i / FLIPS);
        seen += damage_is_seen();
        scratch_remove(&scratch);
    }

    ck_assert_uint_ge(seen, FLIPS / 2);
}
END_TEST

START_TEST(a_truncated_file_is_seen_at_open)
{
    char file[512];
    struct rf_store store;
    struct rf_error err;
    make_damageable();
    ck_assert(find_file("", ".sst", 0, file, sizeof file));
    ck_assert_int_eq(truncate(file, size_of(file) - 100), 0);

    ck_assert(!try_open(&store, &err));

    ck_assert_msg(err.kind == RF_ERROR_STATE, "%s", err.message);
    ck_assert_ptr_nonnull(strstr(err.message, path));
}
END_TEST

START_TEST(a_missing_file_is_seen_at_open)
{
    static const char *const begins[] = {"", "MANIFEST-"};
    static const char *const ends[] = {".sst", ""};
    char file[512];
    struct rf_store store;
    struct rf_error err;
    make_damageable();
    ck_assert(find_file(begins[_i], ends[_i], 0, file, sizeof file));
    ck_assert_int_eq(unlink(file), 0);

    ck_assert(!try_open(&store, &err));

    ck_assert_msg(err.kind == RF_ERROR_STATE, "%s", err.message);
}
END_TEST

START_TEST(a_truncated_manifest_or_a_lost_pointer_to_it_gives_no_wrong_records)
{
    char file[512];

    for (off_t cut = 1; cut < 400; cut += 61) {
        make_damageable();
        ck_assert(find_file("MANIFEST-", "", 0, file, sizeof file));
        if (cut < size_of(file))
            ck_assert_int_eq(truncate(file, size_of(file) - cut), 0);
        damage_is_seen();
        scratch_remove(&scratch);
    }
    make_damageable();
    ck_assert(find_file("CURRENT", "", 0, file, sizeof file));
    ck_assert_int_eq(unlink(file), 0);
    damage_is_seen();
}
END_TEST

START_TEST(a_file_that_goes_while_the_store_is_open_is_no_short_walk)
{
    char file[512];
    struct rf_error err;
    make_damageable();
    struct rf_store store = open_store();
    ck_assert(find_file("", ".sst", 0, file, sizeof file));
    flip(file, size_of(file) / 3);

    bool ok = read_whole(store, &err);

    ck_assert(!ok);
    ck_assert_msg(err.kind == RF_ERROR_STATE, "%s", err.message);
    close_store(store);
}
END_TEST

START_TEST(files_of_another_layout_are_not_trusted)
{
    static const char version_1[9] = {1, 0, 0, 0, 0, 0, 0, 0, 41};
    char *reason = NULL;
    struct rf_store store;
    struct rf_error err;
    close_store(open_store());
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_writeoptions_t *write_options = rocksdb_writeoptions_create();
    rocksdb_t *db = rocksdb_open(options, path, &reason);
    ck_assert_ptr_null(reason);
    rocksdb_put(db, write_options, "\0", 1, version_1, sizeof version_1, &reason);
    ck_assert_ptr_null(reason);
    rocksdb_close(db);
    rocksdb_writeoptions_destroy(write_options);
    rocksdb_options_destroy(options);

    ck_assert(!try_open(&store, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_STATE);
    ck_assert_ptr_nonnull(strstr(err.message, "of layout 1 "));
}
END_TEST

START_TEST(a_store_is_open_once_in_a_process)
{
    struct rf_store store = open_store();
    struct rf_store second;
    struct rf_error err = {0};

    ck_assert(!rf_rocks_open(shared, path, &second, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RETRY);
    ck_assert_msg(strstr(err.message, "open already") != NULL, "%s", err.message);
    close_store(store);
    close_store(open_store());
}
END_TEST

static void hold_open(int report)
{
    int64_t opened = 1;

    open_store();
    if (write(report, &opened, sizeof opened) == sizeof opened)
        pause();
}

START_TEST(a_store_that_another_process_has_open_says_so)
{
    int reports = -1;
    struct rf_store store;
    struct rf_error err;
    pid_t child = start_child(hold_open, &reports);
    wait_report(reports);

    ck_assert(!try_open(&store, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RETRY);
    ck_assert_msg(strstr(err.message, "another ringfold") != NULL, "%s", err.message);
    kill_child(child);
    close_store(open_store());
}
END_TEST

/* False where this process may not mount. The mount is seen by this process alone and goes with it. */
static bool mount_small_disk(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    return mount("ringfold-test", scratch.path, "tmpfs", 0, "size=6m,mode=0700") == 0;
}

static void fill_disk(const char *file)
{
    static const char zeros[4096];
    int descriptor = open(file, O_CREAT | O_WRONLY, 0600);

    while (write(descriptor, zeros, sizeof zeros) > 0)
        ;
    close(descriptor);
}

START_TEST(a_full_disk_is_waited_for_and_nothing_is_lost)
{
    char ballast[160];
    struct rf_error err = {0};
    int64_t n = 1;
    if (!mount_small_disk()) {
        fprintf(stderr, "skipped: a full disk needs the right to mount\n");
        return;
    }
    struct rf_store store = open_store();
    apply_numbers(store, 1, n);
    snprintf(ballast, sizeof ballast, "%s/ballast", scratch.path);
    fill_disk(ballast);

    while (apply_number(store, n + 1, &err) && n < 10000)
        n++;
    ck_assert_msg(err.kind == RF_ERROR_RETRY, "%s", err.message);
    expect_whole(store, n); /* it can still be read */

    ck_assert_int_eq(unlink(ballast), 0);
    for (int tries = 0; tries < 300; tries++) {
        err = (struct rf_error){0};
        if (apply_number(store, n + 1, &err))
            break;
        ck_assert_msg(err.kind == RF_ERROR_RETRY, "%s", err.message);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    ck_assert_msg(err.kind == RF_ERROR_NONE, "%s", err.message);
    flush(store);
    close_store(store);
    store = open_store();
    expect_whole(store, n + 1);
    close_store(store);
    umount2(scratch.path, MNT_DETACH);
}
END_TEST

START_TEST(a_load_on_a_full_disk_leaves_the_store_empty)
{
    struct rf_error err = {0};
    int64_t checkpoint = 0;
    bool ok = true;
    if (!mount_small_disk()) {
        fprintf(stderr, "skipped: a full disk needs the right to mount\n");
        return;
    }
    struct rf_store store = open_store();
    ck_assert(store.ops->load->begin(store.self, RF_STORE_LOAD_MEMORY_MIN, &err));

    for (int i = 0; ok && i < 200000; i++) {
        char name[64];
        snprintf(name, sizeof name, "%016" PRIx64 "%016" PRIx64, mix(i, 1), mix(i, 2));
        ok = store.ops->load->add(store.self, rf_bytes_of_text(name), rf_bytes_of_text(name),
                                  RF_MS_MAX, &err);
    }
    ok = ok && store.ops->load->finish(store.self, 1, &err);

    ck_assert(!ok);
    ck_assert_msg(err.kind == RF_ERROR_RETRY, "%s", err.message);
    err = (struct rf_error){0};
    ck_assert(store.ops->checkpoint(store.self, &checkpoint, &err));
    ck_assert_int_eq(checkpoint, RF_CHECKPOINT_NONE);
    apply_numbers(store, 1, 3); /* there is room again */
    flush(store);
    expect_whole(store, 3);
    close_store(store);
    umount2(scratch.path, MNT_DETACH);
}
END_TEST

/* Whether `text` is in any file under the store, and so also in none that RocksDB has forgotten. */
static bool found_on_disk;
static const char *sought;

static int search_file(const char *file, const struct stat *status, int type, struct FTW *where)
{
    (void)where;
    if (type != FTW_F || status->st_size == 0)
        return 0;
    size_t size = (size_t)status->st_size;
    char *content = malloc(size);
    FILE *stream = fopen(file, "rb");
    ck_assert_ptr_nonnull(stream);
    size = fread(content, 1, size, stream);
    fclose(stream);
    found_on_disk = found_on_disk || memmem(content, size, sought, strlen(sought)) != NULL;
    free(content);
    return 0;
}

static bool is_on_disk(const char *text)
{
    found_on_disk = false;
    sought = text;
    nftw(path, search_file, 16, FTW_PHYS);
    return found_on_disk;
}

START_TEST(no_byte_of_an_erased_customer_is_left_after_compaction)
{
    static const char customer[] = "+49-170-7531902";
    static const char record[] = "Qz7#uW1!pX9";
    struct rf_error err = {0};
    struct rf_store store = open_store();
    struct rf_store_write write = {.customer = rf_bytes_of_text(customer),
                                   .record = rf_bytes_of_text(record),
                                   .due = 1234567,
                                   .due_before = RF_MS_MAX};
    struct rf_store_write erase = {
        .customer = rf_bytes_of_text(customer), .due = RF_MS_MAX, .due_before = 1234567};
    apply_numbers(store, 1, 5);
    ck_assert(store.ops->apply(store.self, &write, 1, 6, &err));
    flush(store);
    ck_assert(is_on_disk(customer)); /* so the search is one that finds */
    ck_assert(is_on_disk(record));
    ck_assert(store.ops->apply(store.self, &erase, 1, 7, &err));

    ck_assert_msg(store.ops->compact(store.self, &err), "%s", err.message);

    ck_assert(!is_on_disk(record));
    ck_assert(!is_on_disk(customer));
    ck_assert(!is_on_disk(customer + 4));
    close_store(store);
    ck_assert(!is_on_disk(customer + 4));
}
END_TEST

START_TEST(a_damaged_store_is_moved_aside_and_only_the_last_one_is_kept)
{
    struct rf_error err = {0};
    char parent[128];
    struct dirent **entries = NULL;
    snprintf(parent, sizeof parent, "%s/retention", scratch.path);
    make_damageable();
    ck_assert_msg(rf_rocks_quarantine(path, &err), "%s", err.message);
    make_damageable();
    ck_assert_msg(rf_rocks_quarantine(path, &err), "%s", err.message);
    ck_assert_msg(rf_rocks_quarantine(path, &err), "nothing there: %s", err.message);

    int count = scandir(parent, &entries, NULL, alphasort);

    ck_assert_int_eq(count, 3); /* ".", ".." */
    ck_assert_int_eq(strncmp(entries[2]->d_name, "task-3.damaged-2", 16), 0);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    struct rf_store store = open_store();
    expect_whole(store, RF_CHECKPOINT_NONE);
    close_store(store);
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_for_the_operator)
{
    struct rf_store store;
    struct rf_error err;
    snprintf(path, sizeof path, "/proc/ringfold/task-0");

    ck_assert(!try_open(&store, &err));

    ck_assert_msg(err.kind == RF_ERROR_CONFIG, "%s", err.message);
}
END_TEST

START_TEST(sixty_four_stores_stay_within_the_budget)
{
    enum {
        STORES = 64,
        ROUNDS = 12
    };
    const struct rf_rocks_settings settings = {.cache_size = 16 << 20,
                                               .memtables_size = 32 << 20,
                                               .tasks_max = STORES,
                                               .compaction_threads = 1};
    static struct rf_store stores[STORES];
    struct rf_error err = {0};
    uint64_t memtables_size = 0;
    shared = rf_rocks_shared_open(&settings);
    for (int i = 0; i < STORES; i++) {
        snprintf(path, sizeof path, "%s/app/task-%d", scratch.path, i);
        ck_assert_msg(rf_rocks_open(shared, path, &stores[i], &err), "%s", err.message);
    }

    for (int64_t n = 1; n <= ROUNDS; n++) {
        uint64_t sum = 0;
        for (int i = 0; i < STORES; i++) {
            struct rf_store_sizes sizes;
            ck_assert_msg(apply_number(stores[i], n, &err), "%s", err.message);
            stores[i].ops->sizes(stores[i].self, &sizes);
            sum += sizes.memory;
        }
        memtables_size = sum > memtables_size ? sum : memtables_size;
    }
    for (int i = 0; i < STORES; i += 16)
        expect_whole(stores[i], ROUNDS);

    ck_assert_uint_gt(memtables_size, 0);
    ck_assert_uint_le(memtables_size, settings.memtables_size);
    ck_assert_uint_le(rf_rocks_shared_cache_used(shared), settings.cache_size * 5 / 4);
    for (int i = 0; i < STORES; i++)
        stores[i].ops->close(stores[i].self);
    rf_rocks_shared_close(shared);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/store/rocks");
    TCase *tcase = tcase_create("faults");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_kill_leaves_an_older_state_and_the_checkpoint_that_goes_with_it, 0,
                        4);
    tcase_add_loop_test(tcase, a_kill_during_a_load_leaves_all_or_nothing, 0, 6);
    tcase_add_test(tcase, no_flipped_bit_in_a_file_goes_unseen);
    tcase_add_test(tcase, no_flipped_bit_in_the_manifest_gives_wrong_records);
    tcase_add_test(tcase, a_truncated_file_is_seen_at_open);
    tcase_add_loop_test(tcase, a_missing_file_is_seen_at_open, 0, 2);
    tcase_add_test(tcase, a_truncated_manifest_or_a_lost_pointer_to_it_gives_no_wrong_records);
    tcase_add_test(tcase, a_file_that_goes_while_the_store_is_open_is_no_short_walk);
    tcase_add_test(tcase, files_of_another_layout_are_not_trusted);
    tcase_add_test(tcase, a_store_is_open_once_in_a_process);
    tcase_add_test(tcase, a_store_that_another_process_has_open_says_so);
    tcase_add_test(tcase, no_byte_of_an_erased_customer_is_left_after_compaction);
    tcase_add_test(tcase, a_damaged_store_is_moved_aside_and_only_the_last_one_is_kept);
    tcase_add_test(tcase, a_directory_that_cannot_be_made_is_for_the_operator);
    tcase_add_test(tcase, sixty_four_stores_stay_within_the_budget);
    suite_add_tcase(suite, tcase);
    TCase *disk = tcase_create("full disk");
    tcase_set_timeout(disk, 120);
    tcase_add_checked_fixture(disk, set_up, tear_down);
    tcase_add_test(disk, a_full_disk_is_waited_for_and_nothing_is_lost);
    tcase_add_test(disk, a_load_on_a_full_disk_leaves_the_store_empty);
    suite_add_tcase(suite, disk);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
