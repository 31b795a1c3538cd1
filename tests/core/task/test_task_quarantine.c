/* core/task: an input whose consequences cannot be produced becomes a dead letter, whatever else is the matter with
 * its task; and a task that could not read its store is none the worse for it. */
#include <check.h>
#include <stdlib.h>

#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/task/memory_store.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_quarantine.h"
#include "core/task/task_store.h"
#include "support/plan_fixture.h"

#define START INT64_C(1700000000000)

static struct fixture f;
static struct rf_task *task;
static struct rf_store store;
static struct rf_store_ops ops; /* the memory store's, but for `find` */
static bool (*memory_find)(void *self, const struct rf_bytes *customers, size_t count,
                           struct rf_stored *found, struct rf_error *err);
static bool disk_fails;

/* "?": its schema is not here yet; "!": it is bad. Everything else is the event's text. */
static bool decode(void *self, uint32_t source, struct rf_bytes payload, struct rf_arena *arena,
                   struct rf_value *fields, struct rf_error *err)
{
    (void)self;
    (void)source;
    (void)arena;
    if (rf_bytes_equal(payload, rf_bytes_of_text("?")))
        return rf_error_set(err, RF_ERROR_RETRY, 0, "its schema is not here yet");
    if (rf_bytes_equal(payload, rf_bytes_of_text("!")))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "it cannot be read");
    fields[FIELD_TEXT] = rf_value_string(payload);
    return true;
}

static bool find(void *self, const struct rf_bytes *customers, size_t count,
                 struct rf_stored *found, struct rf_error *err)
{
    if (disk_fails)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "the disk is busy");
    return memory_find(self, customers, count, found, err);
}

static const struct rf_decoder_ops decoder_ops = {.decode = decode};
static const struct rf_decoder decoder = {.ops = &decoder_ops};

static void open_task(bool timed)
{
    struct rf_task_options options = {
        .plan = &f.plan, .record_wire = {.format = RF_FORMAT_AVRO_OBJECT}, .memory_max = 1U << 20};
    struct rf_error err = {0};
    uint32_t last = 0;

    fixture_init(&f);
    fixture_source(&f, "calls", 0);
    last = fixture_feature(&f, (struct rf_feature){.name = "last",
                                                   .kind = RF_FEATURE_LAST,
                                                   .state_type = &rf_type_string});
    fixture_listen(&f, last, 0, NULL, fixture_expr(&f, "event.text", NULL));
    if (timed)
        fixture_rule(&f, (struct rf_rule){.name = "quiet",
                                          .cooldown = RF_DAY_MS,
                                          .when = fixture_expr(&f,
                                                               "now - customer.first_seen > "
                                                               "duration('1s')",
                                                               &rf_type_bool)});
    f.plan.lateness = RF_LATENESS_NONE;
    f.plan.max_ahead = RF_DAY_MS;
    f.plan.record_bytes_max = 300;
    store = rf_memory_store_open();
    ops = *store.ops;
    memory_find = ops.find;
    ops.find = find;
    store.ops = &ops;
    disk_fails = false;
    options.codec = rf_customer_codec_make(&f.arena, &f.plan);
    options.store = store;
    task = rf_task_open(&options, &err);
    ck_assert_msg(task != NULL, "%s", err.message);
    rf_task_set_decoders(task, &decoder);
}

static void setup(void)
{
    open_task(false);
}

static void setup_timed(void)
{
    open_task(true);
}

static void teardown(void)
{
    rf_task_close(task);
    fixture_deinit(&f);
}

static void feed_at(int64_t offset, rf_ms after, const char *customer, const char *text)
{
    struct rf_input input = {.position = {.topic = "calls", .offset = offset},
                             .broker_time = START + after,
                             .key = rf_bytes_of_text(customer),
                             .value = rf_bytes_of_text(text)};

    rf_task_feed(task, &input);
}

static void feed(int64_t offset, const char *customer, const char *text)
{
    feed_at(offset, offset, customer, text);
}

static void fold(void)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_task_fold(task, &err), "%s", err.message);
}

static bool seal(void)
{
    const struct rf_sealed *sealed = NULL;
    size_t count = 0;
    struct rf_error err = {0};
    bool ok = rf_task_seal(task, &sealed, &count, &err);

    ck_assert(ok || err.kind == RF_ERROR_RECORD);
    return ok;
}

static size_t dead_letters(void)
{
    size_t count = 0;
    size_t letters = 0;
    const struct rf_out *out = rf_task_take_outbox(task, &count);

    for (size_t i = 0; i < count; i++)
        letters += out[i].kind == RF_OUT_DEAD_LETTER;
    return letters;
}

static const char *giant(void)
{
    static char text[400];

    memset(text, 'x', sizeof text - 1);
    return text;
}

START_TEST(an_input_that_emits_too_much_may_make_its_record_too_large_as_well)
{
    feed(0, "alice", "hello");
    fold();

    rf_task_quarantine(task, 0, 0, "what it emits is too large");
    rf_task_quarantine_customer(task, rf_bytes_of_text("alice"), "her record is too large");
    rf_task_aborted(task);
    fold();

    ck_assert_uint_eq(dead_letters(), 1);
    ck_assert(seal());
}
END_TEST

START_TEST(a_timer_is_not_to_blame_for_what_an_input_did_that_is_put_aside_already)
{
    const struct rf_out *out = NULL;
    size_t count = 0;

    feed_at(0, 0, "alice", "hello");
    fold();
    ck_assert(seal());
    rf_task_committed(task, 1);
    feed_at(1, 5000, "bob", "hello"); /* alice has been quiet for long enough */
    feed_at(2, 5001, "alice", giant());
    fold();

    rf_task_quarantine(task, 0, 2, "what it emits is too large");
    ck_assert(!seal());
    rf_task_aborted(task);
    fold();

    out = rf_task_take_outbox(task, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(out[0].kind, RF_OUT_DERIVED);
    ck_assert_int_eq(out[0].cause.offset, START + 1001);
    ck_assert_int_eq(out[1].kind, RF_OUT_DEAD_LETTER);
    ck_assert_int_eq(out[1].cause.offset, 2);
    ck_assert(seal());
}
END_TEST

START_TEST(a_record_is_too_large_while_another_input_waits_for_its_schema)
{
    feed(0, "alice", giant());
    feed(1, "bob", "!");
    feed(2, "bob", "?");
    fold();
    ck_assert(rf_task_is_blocked(task, NULL));

    ck_assert(!seal());
    ck_assert(rf_task_is_blocked(task, NULL));
    rf_task_aborted(task);
    fold();

    ck_assert_uint_eq(dead_letters(), 2);
    ck_assert_uint_eq(rf_task_pending(task), 1);
    ck_assert(seal());
}
END_TEST

START_TEST(one_transaction_may_put_any_number_of_inputs_aside)
{
    for (int64_t i = 0; i < 200; i++)
        feed(i, "alice", "hello");
    fold();

    for (int64_t i = 0; i < 200; i++) {
        rf_task_quarantine(task, 0, i, "what it emits is too large");
        rf_task_quarantine(task, 0, i, "and what it emits besides");
    }
    rf_task_aborted(task);
    fold();

    ck_assert_uint_eq(dead_letters(), 200);
}
END_TEST

/* The giant stands between others, and is the last by its time, so that the later ones do not change the record
 * back. _i 0: the plan forbids its record; 1: the changelog topic does. */
START_TEST(one_giant_input_is_put_aside_and_no_other)
{
    const char *text = giant() + (_i == 0 ? 0 : 300);
    const struct rf_out *out = NULL;
    size_t count = 0;

    for (int64_t i = 0; i < 100; i++)
        feed_at(i, i == 40 ? 1000 : i, "alice", i == 40 ? text : "hello");
    fold();
    if (_i == 0)
        ck_assert(!seal());
    else
        rf_task_quarantine_customer(task, rf_bytes_of_text("alice"),
                                    "larger than the topic allows");
    rf_task_aborted(task);
    fold();

    ck_assert(seal());
    out = rf_task_take_outbox(task, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(out[0].cause.offset, 40);
}
END_TEST

START_TEST(a_customer_that_could_not_be_read_may_come_back_by_a_restore)
{
    static const char other[] = "bob";
    struct rf_error err = {0};

    disk_fails = true;
    feed(0, "alice", "hello");
    fold();
    ck_assert(rf_task_is_blocked(task, NULL));
    rf_task_forget_inputs(task); /* the partition is somebody else's ... */
    disk_fails = false;

    ck_assert(rf_task_restore(task, rf_bytes_of_text("alice"), (struct rf_bytes){0},
                              &err)); /* ... and ours again */
    rf_task_restored_to(task, 10);
    rf_task_set_memory(task, 0); /* nothing that is written stays in memory */
    ck_assert_msg(rf_task_flush(task, 0, &err), "%s", err.message);
    feed(5, "alice", "again");
    feed(6, other, "and somebody new");
    fold();

    ck_assert(!rf_task_is_blocked(task, NULL));
    ck_assert_uint_eq(rf_task_folded(task), 2);
    ck_assert(seal());
    rf_task_committed(task, 12);
    ck_assert_msg(rf_task_flush(task, 0, &err), "%s", err.message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/task_quarantine");
    TCase *tcase = tcase_create("task_quarantine");
    TCase *timed = tcase_create("with a timer");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_input_that_emits_too_much_may_make_its_record_too_large_as_well);
    tcase_add_test(tcase, a_record_is_too_large_while_another_input_waits_for_its_schema);
    tcase_add_test(tcase, one_transaction_may_put_any_number_of_inputs_aside);
    tcase_add_loop_test(tcase, one_giant_input_is_put_aside_and_no_other, 0, 2);
    tcase_add_test(tcase, a_customer_that_could_not_be_read_may_come_back_by_a_restore);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(timed, setup_timed, teardown);
    tcase_add_test(timed, a_timer_is_not_to_blame_for_what_an_input_did_that_is_put_aside_already);
    suite_add_tcase(suite, timed);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
