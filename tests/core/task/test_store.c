/* core/task/store: the contract, for every implementation. */
#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "core/task/memory_store.h"
#include "core/task/store.h"
#include "edge/store/rocks.h"
#include "support/scratch.h"

/* Opened once a test: each runs in its own process. */
static struct scratch scratch;
static struct rf_rocks_shared *shared;

static struct rf_store open_memory(void)
{
    return rf_memory_store_open();
}

/* A restart that loses nothing flushed. */
static struct rf_store restart_memory(struct rf_store store)
{
    rf_memory_store_crash(store);
    return store;
}

static struct rf_store open_rocks(void)
{
    const struct rf_rocks_settings settings = {
        .cache_size = 8 << 20, .memtables_size = 8 << 20, .tasks_max = 2, .compaction_threads = 1};
    struct rf_store store = {0};
    struct rf_error err = {0};
    char path[128];

    if (shared == NULL) {
        scratch_make(&scratch);
        shared = rf_rocks_shared_open(&settings);
    }
    snprintf(path, sizeof path, "%s/retention/task-0", scratch.path);
    ck_assert_msg(rf_rocks_open(shared, path, &store, &err), "%s", err.message);
    return store;
}

static struct rf_store restart_rocks(struct rf_store store)
{
    store.ops->close(store.self);
    return open_rocks();
}

static const struct {
    const char *name;
    struct rf_store (*open)(void);
    struct rf_store (*restart)(struct rf_store store);
} stores[] = {
    {"memory", open_memory, restart_memory},
    {"rocksdb", open_rocks, restart_rocks},
};

#define STORE_COUNT ((int)(sizeof stores / sizeof stores[0]))

static void shut(struct rf_store store)
{
    store.ops->close(store.self);
    if (shared == NULL)
        return;
    rf_rocks_shared_close(shared);
    scratch_remove(&scratch);
}

/* Before an assert that is to fail: nothing of the test comes after it. */
static void abandon(void)
{
    if (shared != NULL)
        scratch_remove(&scratch);
}

static struct rf_bytes text(const char *characters)
{
    return rf_bytes_of_text(characters);
}

static struct rf_store_write write_of(const char *customer, const char *record)
{
    return (struct rf_store_write){.customer = text(customer), .record = text(record)};
}

static struct rf_store_write erase_of(const char *customer)
{
    return (struct rf_store_write){.customer = text(customer)};
}

static void apply(struct rf_store store, const struct rf_store_write *writes, size_t count,
                  int64_t checkpoint)
{
    struct rf_error err = {0};

    ck_assert_msg(store.ops->apply(store.self, writes, count, checkpoint, &err), "%s", err.message);
}

static void flush(struct rf_store store)
{
    struct rf_error err = {0};

    ck_assert_msg(store.ops->flush(store.self, true, &err), "%s", err.message);
}

/* `record` NULL: the customer is not there. */
static void expect(struct rf_store store, struct rf_bytes customer, const char *record)
{
    struct rf_error err = {0};
    struct rf_bytes found = text("to be overwritten");

    ck_assert_msg(store.ops->find(store.self, &customer, 1, &found, &err), "%s", err.message);
    if (record == NULL) {
        ck_assert_ptr_null(found.data);
        return;
    }
    ck_assert_ptr_nonnull(found.data);
    ck_assert_msg(rf_bytes_equal(found, text(record)), "%.*s instead of %s", (int)found.size,
                  (const char *)found.data, record);
}

static void expect_checkpoint(struct rf_store store, int64_t expected)
{
    struct rf_error err = {0};
    int64_t checkpoint = -2;

    ck_assert_msg(store.ops->checkpoint(store.self, &checkpoint, &err), "%s", err.message);
    ck_assert_int_eq(checkpoint, expected);
}

static void expect_note(struct rf_store store, const char *name, const char *value)
{
    struct rf_error err = {0};
    struct rf_bytes found = text("to be overwritten");

    ck_assert_msg(store.ops->note_get(store.self, text(name), &found, &err), "%s", err.message);
    if (value == NULL)
        ck_assert_ptr_null(found.data);
    else
        ck_assert(found.data != NULL && rf_bytes_equal(found, text(value)));
}

/* "customer=record;" of all that a walk visits. */
struct walk {
    char text[1024];
    size_t visits_max;
};

static bool note_visit(void *context, struct rf_bytes customer, struct rf_bytes record)
{
    struct walk *walk = context;
    size_t size = strlen(walk->text);

    snprintf(walk->text + size, sizeof walk->text - size, "%.*s=%.*s;", (int)customer.size,
             (const char *)customer.data, (int)record.size, (const char *)record.data);
    return --walk->visits_max > 0;
}

static void expect_walk(struct rf_store store, size_t visits_max, const char *expected)
{
    struct rf_error err = {0};
    struct walk walk = {.visits_max = visits_max};

    ck_assert_msg(store.ops->scan(store.self, note_visit, &walk, &err), "%s", err.message);
    ck_assert_str_eq(walk.text, expected);
}

START_TEST(a_new_store_knows_nobody_and_has_no_checkpoint)
{
    struct rf_store store = stores[_i].open();

    expect(store, text("alice"), NULL);
    expect_checkpoint(store, RF_CHECKPOINT_NONE);
    expect_note(store, "schema", NULL);
    expect_walk(store, SIZE_MAX, "");
    shut(store);
}
END_TEST

START_TEST(what_was_applied_last_is_found)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write first[] = {write_of("alice", "1 call"), write_of("bob", "2 calls")};
    struct rf_store_write second[] = {write_of("alice", "3 calls")};

    apply(store, first, 2, 41);
    apply(store, second, 1, 42);

    expect(store, text("alice"), "3 calls");
    expect(store, text("bob"), "2 calls");
    expect(store, text("carol"), NULL);
    expect_checkpoint(store, 42);
    shut(store);
}
END_TEST

START_TEST(an_erased_customer_is_gone_and_the_checkpoint_moves_with_it)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write write = write_of("alice", "3 dropped calls");
    struct rf_store_write erase = erase_of("alice");

    apply(store, &write, 1, 41);
    apply(store, &erase, 1, 42);

    expect(store, text("alice"), NULL);
    expect_checkpoint(store, 42);
    expect_walk(store, SIZE_MAX, "");
    shut(store);
}
END_TEST

START_TEST(an_empty_record_is_not_an_erasure)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write write = write_of("alice", "");

    apply(store, &write, 1, 1);

    expect(store, text("alice"), "");
    store = stores[_i].restart((flush(store), store));
    expect(store, text("alice"), "");
    shut(store);
}
END_TEST

START_TEST(a_customer_may_be_called_anything)
{
    static const uint8_t zeros[] = {0, 0, 0};
    struct rf_store store = stores[_i].open();
    struct rf_store_write writes[] = {
        {.customer = rf_bytes_of(zeros, 0), .record = text("no name")},
        {.customer = rf_bytes_of(zeros, 1), .record = text("a zero byte")},
        {.customer = rf_bytes_of(zeros, 3), .record = text("three of them")},
        write_of("\x01schema", "like a note"),
        write_of("\xff\xff", "high"),
    };

    store.ops->note_put(store.self, text("schema"), text("the note"));
    apply(store, writes, 5, 7);

    expect(store, rf_bytes_of(zeros, 0), "no name");
    expect(store, rf_bytes_of(zeros, 1), "a zero byte");
    expect(store, rf_bytes_of(zeros, 2), NULL);
    expect(store, rf_bytes_of(zeros, 3), "three of them");
    expect(store, text("\x01schema"), "like a note");
    expect(store, text("\xff\xff"), "high");
    expect_note(store, "schema", "the note");
    expect_checkpoint(store, 7);
    shut(store);
}
END_TEST

START_TEST(a_look_up_answers_in_the_order_it_was_asked)
{
    enum {
        COUNT = 1000
    };
    struct rf_store store = stores[_i].open();
    static char names[COUNT][16];
    static struct rf_store_write writes[COUNT];
    static struct rf_bytes customers[2 * COUNT];
    static struct rf_bytes records[2 * COUNT];
    struct rf_error err = {0};
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "c%06zu", i);
        writes[i] = write_of(names[i], names[i]);
        customers[2 * ((i * 379) % COUNT)] = text(names[i]); /* any order, strangers in between */
        customers[2 * i + 1] = text("stranger");
    }
    apply(store, writes, COUNT, 1);

    ck_assert_msg(store.ops->find(store.self, customers, 2 * COUNT, records, &err), "%s",
                  err.message);

    for (size_t i = 0; i < 2 * COUNT; i += 2) {
        ck_assert(rf_bytes_equal(records[i], customers[i]));
        ck_assert_ptr_null(records[i + 1].data);
    }
    shut(store);
}
END_TEST

START_TEST(a_walk_is_in_order_and_ends_when_it_is_told_to)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write first[] = {write_of("bob", "2"), write_of("dora", "4")};
    struct rf_store_write second[] = {write_of("alice", "1"), write_of("carol", "3"),
                                      erase_of("dora")};
    store.ops->note_put(store.self, text("schema"), text("not a customer"));
    apply(store, first, 2, 1);
    flush(store);
    apply(store, second, 3, 2);

    expect_walk(store, SIZE_MAX, "alice=1;bob=2;carol=3;");
    expect_walk(store, 2, "alice=1;bob=2;");
    shut(store);
}
END_TEST

START_TEST(what_was_flushed_survives_a_restart_with_its_checkpoint)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write write = write_of("alice", "1 call");
    apply(store, &write, 1, 41);
    flush(store);

    store = stores[_i].restart(store);

    expect(store, text("alice"), "1 call");
    expect_checkpoint(store, 41);
    shut(store);
}
END_TEST

START_TEST(an_empty_apply_moves_the_checkpoint_and_the_same_one_may_come_again)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write write = write_of("alice", "1 call");

    apply(store, NULL, 0, 41);
    apply(store, &write, 1, 41);

    expect_checkpoint(store, 41);
    expect(store, text("alice"), "1 call");
    shut(store);
}
END_TEST

START_TEST(a_note_is_seen_at_once_and_kept_with_the_next_apply)
{
    struct rf_store store = stores[_i].open();

    store.ops->note_put(store.self, text("schema"), text("one"));
    store.ops->note_put(store.self, text("schema"), text("two"));
    store.ops->note_put(store.self, text("empty"), text(""));
    expect_note(store, "schema", "two");
    apply(store, NULL, 0, 1);
    flush(store);
    store = stores[_i].restart(store);

    expect_note(store, "schema", "two");
    expect_note(store, "empty", "");
    expect_note(store, "sche", NULL);
    shut(store);
}
END_TEST

START_TEST(a_note_without_an_apply_is_forgotten)
{
    struct rf_store store = stores[_i].open();

    store.ops->note_put(store.self, text("schema"), text("one"));
    flush(store);
    store = stores[_i].restart(store);

    expect_note(store, "schema", NULL);
    expect_checkpoint(store, RF_CHECKPOINT_NONE);
    shut(store);
}
END_TEST

START_TEST(a_removed_note_is_gone)
{
    struct rf_store store = stores[_i].open();
    store.ops->note_put(store.self, text("schema"), text("one"));
    apply(store, NULL, 0, 1);

    store.ops->note_put(store.self, text("schema"), (struct rf_bytes){0});
    expect_note(store, "schema", NULL);
    apply(store, NULL, 0, 2);
    flush(store);
    store = stores[_i].restart(store);

    expect_note(store, "schema", NULL);
    shut(store);
}
END_TEST

START_TEST(compacting_changes_nothing_that_can_be_asked)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write writes[] = {write_of("alice", "1"), write_of("bob", "2")};
    struct rf_store_write erase = erase_of("alice");
    struct rf_error err = {0};
    store.ops->note_put(store.self, text("schema"), text("one"));
    apply(store, writes, 2, 1);
    flush(store);
    apply(store, &erase, 1, 2);

    ck_assert_msg(store.ops->compact(store.self, &err), "%s", err.message);

    expect_walk(store, SIZE_MAX, "bob=2;");
    expect_note(store, "schema", "one");
    expect_checkpoint(store, 2);
    shut(store);
}
END_TEST

START_TEST(a_checkpoint_that_goes_back_is_our_mistake)
{
    struct rf_store store = stores[_i].open();
    apply(store, NULL, 0, 41);
    abandon();

    apply(store, NULL, 0, 40);
}
END_TEST

START_TEST(writes_out_of_order_are_our_mistake)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write writes[] = {write_of("bob", "2"), write_of("alice", "1")};
    abandon();

    apply(store, writes, 2, 1);
}
END_TEST

START_TEST(a_customer_twice_in_an_apply_is_our_mistake)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write writes[] = {write_of("bob", "2"), write_of("bob", "1")};
    abandon();

    apply(store, writes, 2, 1);
}
END_TEST

static void add(struct rf_store store, const char *customer, const char *record)
{
    struct rf_error err = {0};
    struct rf_bytes value = record == NULL ? (struct rf_bytes){0} : text(record);

    ck_assert_msg(store.ops->load->add(store.self, text(customer), value, &err), "%s", err.message);
}

/* False: this implementation has no load. */
static bool begin(struct rf_store store)
{
    struct rf_error err = {0};

    if (store.ops->load == NULL)
        return false;
    ck_assert_msg(store.ops->load->begin(store.self, RF_STORE_LOAD_MEMORY_MIN, &err), "%s",
                  err.message);
    return true;
}

START_TEST(a_load_keeps_the_last_record_of_each_customer)
{
    struct rf_store store = stores[_i].open();
    struct rf_error err = {0};
    if (!begin(store)) {
        shut(store);
        return;
    }

    add(store, "carol", "1");
    add(store, "alice", "1");
    add(store, "bob", "1");
    add(store, "alice", NULL);
    add(store, "bob", NULL);
    add(store, "carol", "2");
    add(store, "bob", "3");
    add(store, "dora", NULL);
    store.ops->note_put(store.self, text("schema"), text("one"));
    ck_assert_msg(store.ops->load->finish(store.self, 8, &err), "%s", err.message);

    expect_walk(store, SIZE_MAX, "bob=3;carol=2;");
    store = stores[_i].restart(store);
    expect_walk(store, SIZE_MAX, "bob=3;carol=2;");
    expect_note(store, "schema", "one");
    expect_checkpoint(store, 8);
    struct rf_store_write write = write_of("bob", "4");
    apply(store, &write, 1, 9);
    expect_walk(store, SIZE_MAX, "bob=4;carol=2;");
    shut(store);
}
END_TEST

START_TEST(a_cancelled_load_leaves_the_store_empty_and_another_may_follow)
{
    struct rf_store store = stores[_i].open();
    struct rf_error err = {0};
    if (!begin(store)) {
        shut(store);
        return;
    }
    add(store, "alice", "1");

    store.ops->load->cancel(store.self);

    expect_walk(store, SIZE_MAX, "");
    expect_checkpoint(store, RF_CHECKPOINT_NONE);
    begin(store);
    ck_assert_msg(store.ops->load->finish(store.self, 3, &err), "%s", err.message);
    expect_walk(store, SIZE_MAX, "");
    expect_checkpoint(store, 3);
    shut(store);
}
END_TEST

/* What the load is compared with: a store that was given the same records one by one. */
struct comparison {
    struct rf_store expected;
    size_t count;
};

static bool compare_visit(void *context, struct rf_bytes customer, struct rf_bytes record)
{
    struct comparison *comparison = context;
    struct rf_error err = {0};
    struct rf_bytes expected = {0};

    comparison->expected.ops->find(comparison->expected.self, &customer, 1, &expected, &err);
    ck_assert(expected.data != NULL && rf_bytes_equal(expected, record));
    comparison->count++;
    return true;
}

static bool count_visit(void *context, struct rf_bytes customer, struct rf_bytes record)
{
    (void)customer;
    (void)record;
    ++*(size_t *)context;
    return true;
}

START_TEST(a_load_of_far_more_than_its_memory_is_the_same_as_applying_one_by_one)
{
    enum {
        COUNT = 200000,
        CUSTOMERS = 50000,
        LARGE = 3 << 20
    };
    struct rf_store store = stores[_i].open();
    struct comparison comparison = {.expected = rf_memory_store_open()};
    struct rf_error err = {0};
    size_t expected_count = 0;
    uint64_t state = 1;
    char *large = malloc(LARGE + 1);
    if (!begin(store)) {
        comparison.expected.ops->close(comparison.expected.self);
        free(large);
        shut(store);
        return;
    }
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';

    for (int i = 0; i < COUNT; i++) {
        char customer[32];
        char record[128];
        state = state * UINT64_C(6364136223846793005) + 1;
        /* names of many lengths, some the beginning of others */
        snprintf(customer, sizeof customer, "%.*s%" PRIu64, (int)(state >> 61), "customer-",
                 (state >> 33) % CUSTOMERS);
        snprintf(record, sizeof record, "%0*d", (int)(state >> 58) + 1, i);
        bool erased = (state >> 40) % 10 == 0;
        const char *value = erased ? NULL : i % 60000 == 59999 ? large : record;
        struct rf_store_write write = {.customer = text(customer),
                                       .record = erased ? (struct rf_bytes){0} : text(value)};
        apply(comparison.expected, &write, 1, i + 1);
        add(store, customer, value);
    }
    ck_assert_msg(store.ops->load->finish(store.self, COUNT, &err), "%s", err.message);

    ck_assert_msg(store.ops->scan(store.self, compare_visit, &comparison, &err), "%s", err.message);
    comparison.expected.ops->scan(comparison.expected.self, count_visit, &expected_count, &err);
    ck_assert_uint_eq(comparison.count, expected_count);
    ck_assert_uint_gt(expected_count, CUSTOMERS);
    comparison.expected.ops->close(comparison.expected.self);
    free(large);
    shut(store);
}
END_TEST

START_TEST(a_crash_of_the_memory_store_leaves_what_was_flushed)
{
    struct rf_store store = rf_memory_store_open();
    struct rf_store_write first[] = {write_of("alice", "1"), write_of("bob", "1")};
    struct rf_store_write second[] = {erase_of("alice"), write_of("bob", "2"),
                                      write_of("carol", "2")};
    store.ops->note_put(store.self, text("schema"), text("one"));
    apply(store, first, 2, 1);
    flush(store);
    store.ops->note_put(store.self, text("schema"), text("two"));
    apply(store, second, 3, 2);
    apply(store, second, 3, 3);
    expect_walk(store, SIZE_MAX, "bob=2;carol=2;");

    rf_memory_store_crash(store);

    expect_walk(store, SIZE_MAX, "alice=1;bob=1;");
    expect_note(store, "schema", "one");
    expect_checkpoint(store, 1);
    store.ops->close(store.self);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/store");
    TCase *tcase = tcase_create("contract");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_new_store_knows_nobody_and_has_no_checkpoint, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, what_was_applied_last_is_found, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, an_erased_customer_is_gone_and_the_checkpoint_moves_with_it, 0,
                        STORE_COUNT);
    tcase_add_loop_test(tcase, an_empty_record_is_not_an_erasure, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_customer_may_be_called_anything, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_look_up_answers_in_the_order_it_was_asked, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_walk_is_in_order_and_ends_when_it_is_told_to, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, what_was_flushed_survives_a_restart_with_its_checkpoint, 0,
                        STORE_COUNT);
    tcase_add_loop_test(tcase, an_empty_apply_moves_the_checkpoint_and_the_same_one_may_come_again,
                        0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_note_is_seen_at_once_and_kept_with_the_next_apply, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_note_without_an_apply_is_forgotten, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_removed_note_is_gone, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, compacting_changes_nothing_that_can_be_asked, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_load_keeps_the_last_record_of_each_customer, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_cancelled_load_leaves_the_store_empty_and_another_may_follow, 0,
                        STORE_COUNT);
    tcase_add_loop_test(tcase,
                        a_load_of_far_more_than_its_memory_is_the_same_as_applying_one_by_one, 0,
                        STORE_COUNT);
    tcase_add_test(tcase, a_crash_of_the_memory_store_leaves_what_was_flushed);
    for (int i = 0; i < STORE_COUNT; i++) {
        tcase_add_loop_test_raise_signal(tcase, a_checkpoint_that_goes_back_is_our_mistake, SIGABRT,
                                         i, i + 1);
        tcase_add_loop_test_raise_signal(tcase, writes_out_of_order_are_our_mistake, SIGABRT, i,
                                         i + 1);
        tcase_add_loop_test_raise_signal(tcase, a_customer_twice_in_an_apply_is_our_mistake,
                                         SIGABRT, i, i + 1);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
