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
    return (struct rf_store_write){.customer = text(customer),
                                   .record = text(record),
                                   .due = RF_MS_MAX,
                                   .due_before = RF_MS_MAX};
}

static struct rf_store_write erase_of(const char *customer)
{
    return (struct rf_store_write){
        .customer = text(customer), .due = RF_MS_MAX, .due_before = RF_MS_MAX};
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
    struct rf_stored found = {.record = text("to be overwritten"), .due = 5};

    ck_assert_msg(store.ops->find(store.self, &customer, 1, &found, &err), "%s", err.message);
    if (record == NULL) {
        ck_assert_ptr_null(found.record.data);
        ck_assert_int_eq(found.due, RF_MS_MAX);
        return;
    }
    ck_assert_ptr_nonnull(found.record.data);
    ck_assert_msg(rf_bytes_equal(found.record, text(record)), "%.*s instead of %s",
                  (int)found.record.size, (const char *)found.record.data, record);
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

static bool note_visit(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    struct rf_bytes record = stored.record;
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

    ck_assert_msg(store.ops->scan(store.self, (struct rf_bytes){0}, note_visit, &walk, &err), "%s",
                  err.message);
    ck_assert_str_eq(walk.text, expected);
}

static void expect_walk_from(struct rf_store store, const char *from, const char *expected)
{
    struct rf_error err = {0};
    struct walk walk = {.visits_max = SIZE_MAX};

    ck_assert_msg(store.ops->scan(store.self, text(from), note_visit, &walk, &err), "%s",
                  err.message);
    ck_assert_str_eq(walk.text, expected);
}

static struct rf_store_write due_of(const char *customer, const char *record, rf_ms due,
                                    rf_ms due_before)
{
    return (struct rf_store_write){
        .customer = text(customer), .record = text(record), .due = due, .due_before = due_before};
}

/* "due customer;" of the first `max` from a place on. */
static void expect_due(struct rf_store store, rf_ms due, const char *customer, size_t max,
                       const char *expected)
{
    struct rf_error err = {0};
    struct rf_store_timer timers[16];
    struct rf_store_timer from = {.due = due, .customer = text(customer)};
    size_t count = 99;
    char line[512] = "";

    ck_assert_uint_le(max, 16);
    ck_assert_msg(store.ops->due(store.self, from, timers, max, &count, &err), "%s", err.message);
    ck_assert_uint_le(count, max);
    for (size_t i = 0; i < count; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%" PRId64 " %.*s;",
                 timers[i].due, (int)timers[i].customer.size,
                 (const char *)timers[i].customer.data);
    ck_assert_str_eq(line, expected);
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
        due_of("", "no name", 3, RF_MS_MAX),
        due_of("", "a zero byte", 1, RF_MS_MAX),
        due_of("", "three of them", 2, RF_MS_MAX),
        write_of("\x01schema", "like a note"),
        write_of("\xff\xff", "high"),
    };

    writes[0].customer = rf_bytes_of(zeros, 0);
    writes[1].customer = rf_bytes_of(zeros, 1);
    writes[2].customer = rf_bytes_of(zeros, 3);
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
    struct rf_store_timer timers[4];
    struct rf_error err = {0};
    size_t count = 0;
    ck_assert(store.ops->due(store.self, (struct rf_store_timer){.due = RF_MS_MIN}, timers, 4,
                             &count, &err));
    ck_assert_uint_eq(count, 3);
    ck_assert(rf_bytes_equal(timers[0].customer, rf_bytes_of(zeros, 1)));
    ck_assert(rf_bytes_equal(timers[1].customer, rf_bytes_of(zeros, 3)));
    ck_assert(rf_bytes_equal(timers[2].customer, rf_bytes_of(zeros, 0)));
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
    static struct rf_stored found[2 * COUNT];
    struct rf_error err = {0};
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "c%06zu", i);
        writes[i] = write_of(names[i], names[i]);
        customers[2 * ((i * 379) % COUNT)] = text(names[i]); /* any order, strangers in between */
        customers[2 * i + 1] = text("stranger");
    }
    apply(store, writes, COUNT, 1);

    ck_assert_msg(store.ops->find(store.self, customers, 2 * COUNT, found, &err), "%s",
                  err.message);

    for (size_t i = 0; i < 2 * COUNT; i += 2) {
        ck_assert(rf_bytes_equal(found[i].record, customers[i]));
        ck_assert_ptr_null(found[i + 1].record.data);
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
    expect_walk_from(store, "bob", "bob=2;carol=3;");
    expect_walk_from(store, "bobby", "carol=3;");
    expect_walk_from(store, "eve", "");
    shut(store);
}
END_TEST

START_TEST(customers_come_in_the_order_of_time_each_once)
{
    struct rf_store store = stores[_i].open();
    struct rf_store_write first[] = {
        due_of("alice", "1", 500, RF_MS_MAX), due_of("bob", "1", -7000, RF_MS_MAX),
        due_of("carol", "1", 500, RF_MS_MAX), write_of("dora", "never due"),
        due_of("eve", "1", RF_MS_MIN, RF_MS_MAX)};
    struct rf_store_write second[] = {due_of("alice", "2", 90, 500),
                                      due_of("carol", "2", RF_MS_MAX, 500)};
    struct rf_store_write third = {
        .customer = text("eve"), .due = 3, .due_before = RF_MS_MIN}; /* erased */

    apply(store, first, 5, 1);
    expect_due(store, RF_MS_MIN, "", 9, "-62135596800000 eve;-7000 bob;500 alice;500 carol;");
    expect_due(store, 500, "alice", 9, "500 alice;500 carol;");
    expect_due(store, 500, "alice0", 9, "500 carol;");
    expect_due(store, 501, "", 9, "");
    expect_due(store, RF_MS_MIN, "", 2, "-62135596800000 eve;-7000 bob;");
    apply(store, second, 2, 2);
    expect_due(store, -7000, "bob", 9, "-7000 bob;90 alice;");
    apply(store, &third, 1, 3);
    expect_due(store, RF_MS_MIN, "", 9, "-7000 bob;90 alice;");
    expect(store, text("eve"), NULL);
    flush(store);
    store = stores[_i].restart(store);
    expect_due(store, RF_MS_MIN, "", 9, "-7000 bob;90 alice;");
    shut(store);
}
END_TEST

START_TEST(a_customer_knows_its_place_in_the_order_of_time)
{
    struct rf_store store = stores[_i].open();
    struct rf_error err = {0};
    struct rf_store_write first[] = {due_of("alice", "", -1, RF_MS_MAX),
                                     due_of("bob", "1", 77, RF_MS_MAX), write_of("carol", "1")};
    struct rf_bytes customers[] = {text("alice"), text("bob"), text("carol"), text("dora")};
    struct rf_stored found[4];
    apply(store, first, 3, 1);

    ck_assert_msg(store.ops->find(store.self, customers, 4, found, &err), "%s", err.message);

    ck_assert_int_eq(found[0].due, -1);
    ck_assert(found[0].record.data != NULL && found[0].record.size == 0);
    ck_assert_int_eq(found[1].due, 77);
    ck_assert(rf_bytes_equal(found[1].record, text("1")));
    ck_assert_int_eq(found[2].due, RF_MS_MAX);
    ck_assert_int_eq(found[3].due, RF_MS_MAX);
    shut(store);
}
END_TEST

/* Random writes, compared with the plainest model; and a crash, that must take the order of time back with the rest. */
START_TEST(the_order_of_time_is_that_of_the_customers_whatever_was_written)
{
    enum {
        CUSTOMERS = 60,
        ROUNDS = 400
    };
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567";
    struct rf_store store = stores[_i].open();
    rf_ms due[CUSTOMERS];
    uint64_t state = 5;
    for (int i = 0; i < CUSTOMERS; i++)
        due[i] = RF_MS_MAX;

    for (int round = 1; round <= ROUNDS; round++) {
        struct rf_store_write writes[CUSTOMERS];
        struct rf_store_timer timers[CUSTOMERS];
        struct rf_store_timer from = {.due = RF_MS_MIN};
        struct rf_error err = {0};
        size_t count = 0;
        for (int i = 0; i < CUSTOMERS; i++) {
            int at = i < 8 ? i + 52 : i < 34 ? i + 18 : i - 34; /* digits, capitals, the rest */
            state = state * UINT64_C(6364136223846793005) + 1;
            if (state >> 61 != 0)
                continue;
            rf_ms next = state >> 40 & 1 ? (rf_ms)(state >> 56) : RF_MS_MAX;
            bool erased = (state >> 33 & 7) == 0;
            writes[count++] =
                (struct rf_store_write){.customer = rf_bytes_of(letters + at, 1),
                                        .record = erased ? (struct rf_bytes){0} : text("x"),
                                        .due = next,
                                        .due_before = due[i]};
            due[i] = erased ? RF_MS_MAX : next;
        }
        apply(store, writes, count, round);
        if (round % 50 == 0) {
            flush(store);
            store = stores[_i].restart(store);
        }

        ck_assert(store.ops->due(store.self, from, timers, CUSTOMERS, &count, &err));

        for (size_t i = 1; i < count; i++)
            ck_assert(timers[i - 1].due < timers[i].due ||
                      (timers[i - 1].due == timers[i].due &&
                       rf_bytes_compare(timers[i - 1].customer, timers[i].customer) < 0));
        for (size_t i = 0; i < count; i++) {
            const char *letter = strchr(letters, timers[i].customer.data[0]);
            long at = letter - letters;
            long index = at >= 52 ? at - 52 : at >= 26 ? at - 18 : at + 34;
            ck_assert_int_eq(timers[i].due, due[index]);
        }
        size_t expected = 0;
        for (int i = 0; i < CUSTOMERS; i++)
            expected += due[i] != RF_MS_MAX;
        ck_assert_uint_eq(count, expected);
    }
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

    ck_assert_msg(store.ops->load->add(store.self, text(customer), value, RF_MS_MAX, &err), "%s",
                  err.message);
}

static void add_due(struct rf_store store, const char *customer, const char *record, rf_ms due)
{
    struct rf_error err = {0};

    ck_assert_msg(store.ops->load->add(store.self, text(customer), text(record), due, &err), "%s",
                  err.message);
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
    add_due(store, "eve", "1", 17);
    add_due(store, "eve", "2", 18);
    add_due(store, "adam", "2", 18);
    add_due(store, "zoe", "2", 3);
    add(store, "zoe", NULL);
    store.ops->note_put(store.self, text("schema"), text("one"));
    ck_assert_msg(store.ops->load->finish(store.self, 8, &err), "%s", err.message);

    expect_walk(store, SIZE_MAX, "adam=2;bob=3;carol=2;eve=2;");
    store = stores[_i].restart(store);
    expect_walk(store, SIZE_MAX, "adam=2;bob=3;carol=2;eve=2;");
    expect_due(store, RF_MS_MIN, "", 9, "18 adam;18 eve;");
    expect_note(store, "schema", "one");
    expect_checkpoint(store, 8);
    struct rf_store_write write = write_of("bob", "4");
    apply(store, &write, 1, 9);
    expect_walk(store, SIZE_MAX, "adam=2;bob=4;carol=2;eve=2;");
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

static bool compare_visit(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    struct comparison *comparison = context;
    struct rf_error err = {0};
    struct rf_stored expected = {0};

    comparison->expected.ops->find(comparison->expected.self, &customer, 1, &expected, &err);
    ck_assert(expected.record.data != NULL && rf_bytes_equal(expected.record, stored.record));
    ck_assert_int_eq(expected.due, stored.due);
    comparison->count++;
    return true;
}

static bool count_visit(void *context, struct rf_bytes customer, struct rf_stored stored)
{
    (void)customer;
    (void)stored;
    ++*(size_t *)context;
    return true;
}

/* All of them, a few at a time, each walk from where the last one ended. */
static void compare_timers(struct rf_store store, struct rf_store expected)
{
    struct rf_store_timer ours[100];
    struct rf_store_timer theirs[100];
    struct rf_store_timer from = {.due = RF_MS_MIN};
    char last[256] = "";
    struct rf_error err = {0};
    size_t total = 0;

    for (;;) {
        size_t count = 0;
        size_t expected_count = 0;

        from.customer = text(last);
        ck_assert(store.ops->due(store.self, from, ours, 100, &count, &err));
        ck_assert(expected.ops->due(expected.self, from, theirs, 100, &expected_count, &err));
        ck_assert_uint_eq(count, expected_count);
        for (size_t i = 0; i < count; i++) {
            ck_assert_int_eq(ours[i].due, theirs[i].due);
            ck_assert(rf_bytes_equal(ours[i].customer, theirs[i].customer));
        }
        total += count;
        if (count < 100)
            break;
        from.due = ours[99].due;
        snprintf(last, sizeof last, "%.*s", (int)ours[99].customer.size,
                 (const char *)ours[99].customer.data);
        total--; /* it comes again */
    }
    ck_assert_uint_gt(total, 10000);
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
                                       .record = erased ? (struct rf_bytes){0} : text(value),
                                       .due = i % 3 == 0 ? RF_MS_MAX : (rf_ms)(state >> 30)};
        struct rf_stored before;
        comparison.expected.ops->find(comparison.expected.self, &write.customer, 1, &before, &err);
        write.due_before = before.due;
        apply(comparison.expected, &write, 1, i + 1);
        if (erased)
            add(store, customer, NULL);
        else
            add_due(store, customer, value, write.due);
    }
    ck_assert_msg(store.ops->load->finish(store.self, COUNT, &err), "%s", err.message);

    ck_assert_msg(
        store.ops->scan(store.self, (struct rf_bytes){0}, compare_visit, &comparison, &err), "%s",
        err.message);
    comparison.expected.ops->scan(comparison.expected.self, (struct rf_bytes){0}, count_visit,
                                  &expected_count, &err);
    compare_timers(store, comparison.expected);
    ck_assert_uint_eq(comparison.count, expected_count);
    ck_assert_uint_gt(expected_count, CUSTOMERS);
    comparison.expected.ops->close(comparison.expected.self);
    free(large);
    shut(store);
}
END_TEST

START_TEST(a_wrong_place_in_the_order_of_time_is_our_mistake)
{
    struct rf_store store = rf_memory_store_open();
    struct rf_store_write write = due_of("bob", "2", 5, 4);

    apply(store, &write, 1, 1);
}
END_TEST

START_TEST(a_crash_of_the_memory_store_leaves_what_was_flushed)
{
    struct rf_store store = rf_memory_store_open();
    struct rf_store_write first[] = {due_of("alice", "1", 5, RF_MS_MAX),
                                     due_of("bob", "1", 4, RF_MS_MAX)};
    struct rf_store_write second[] = {
        {.customer = text("alice"), .due = RF_MS_MAX, .due_before = 5},
        due_of("bob", "2", 9, 4),
        due_of("carol", "2", 1, RF_MS_MAX)};
    struct rf_store_write third[] = {erase_of("alice"), due_of("bob", "2", 9, 9),
                                     due_of("carol", "2", 1, 1)};
    store.ops->note_put(store.self, text("schema"), text("one"));
    apply(store, first, 2, 1);
    flush(store);
    store.ops->note_put(store.self, text("schema"), text("two"));
    apply(store, second, 3, 2);
    apply(store, third, 3, 3);
    expect_walk(store, SIZE_MAX, "bob=2;carol=2;");
    expect_due(store, RF_MS_MIN, "", 9, "1 carol;9 bob;");

    rf_memory_store_crash(store);

    expect_due(store, RF_MS_MIN, "", 9, "4 bob;5 alice;");
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
    tcase_add_loop_test(tcase, customers_come_in_the_order_of_time_each_once, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, a_customer_knows_its_place_in_the_order_of_time, 0, STORE_COUNT);
    tcase_add_loop_test(tcase, the_order_of_time_is_that_of_the_customers_whatever_was_written, 0,
                        STORE_COUNT);
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
    tcase_add_test_raise_signal(tcase, a_wrong_place_in_the_order_of_time_is_our_mistake, SIGABRT);
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
