/* core/task/task: one partition's life, whatever becomes of its transactions. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/task/memory_store.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_customers.h"
#include "core/task/task_progress.h"
#include "core/task/task_quarantine.h"
#include "core/task/task_stats.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "support/plan_fixture.h"

#define MINUTE RF_MINUTE_MS

/* ---- a task on a small plan, and a decoder that does as it is told ---- */

static struct fixture fixture;
static const struct rf_customer_codec *codec;
static struct rf_task *task;
static struct rf_store store;
static bool schema_is_here;
static int64_t changelog_offset;

/* "bad": cannot be decoded; "wait": its schema is not here yet; otherwise the value of `number`. */
static bool decode(void *self, uint32_t source, struct rf_bytes payload, struct rf_arena *arena,
                   struct rf_value *fields, struct rf_error *err)
{
    int64_t number = 0;

    (void)self;
    (void)source;
    (void)arena;
    if (rf_bytes_equal(payload, rf_bytes_of_text("bad")))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "garbage");
    if (rf_bytes_equal(payload, rf_bytes_of_text("wait")) && !schema_is_here)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "the schema is not here yet");
    for (size_t i = 0; i < payload.size && payload.data[i] >= '0' && payload.data[i] <= '9'; i++)
        number = number * 10 + (payload.data[i] - '0');
    fields[FIELD_NUMBER] = rf_value_int(number);
    return true;
}

static const struct rf_decoder_ops decoder_ops = {.decode = decode};
static const struct rf_decoder decoders[FIXTURE_SOURCES_MAX] = {{.ops = &decoder_ops},
                                                                {.ops = &decoder_ops}};

static struct rf_task *open_task(void)
{
    struct rf_task_options options = {
        .plan = &fixture.plan,
        .codec = codec,
        .record_wire = {.format = RF_FORMAT_AVRO_OBJECT, .fingerprint = 1},
        .store = store,
        .memory_max = 1U << 20,
    };
    struct rf_error err = {0};
    struct rf_task *made = rf_task_open(&options, &err);

    ck_assert_msg(made != NULL, "%s", err.message);
    rf_task_set_decoders(made, decoders);
    return made;
}

static void setup(void)
{
    uint32_t calls = 0;
    uint32_t sum = 0;
    uint32_t by_number = 0;

    fixture_init(&fixture);
    calls = fixture_source(&fixture, "calls", 0);
    fixture_source(&fixture, "complaints", 0);
    fixture_listen(
        &fixture,
        fixture_feature(&fixture, (struct rf_feature){.name = "calls", .kind = RF_FEATURE_COUNT}),
        calls, NULL, NULL);
    sum = fixture_feature(
        &fixture,
        (struct rf_feature){.name = "total", .kind = RF_FEATURE_SUM, .state_type = &rf_type_int});
    fixture_listen(&fixture, sum, calls, NULL, fixture_expr(&fixture, "event.number", NULL));
    by_number = fixture_feature(&fixture, (struct rf_feature){.name = "by_number",
                                                              .kind = RF_FEATURE_COUNT_BY,
                                                              .key_type = &rf_type_int,
                                                              .values_max = 2});
    fixture_listen(&fixture, by_number, 1, NULL, fixture_expr(&fixture, "event.number", NULL));
    fixture_rule(&fixture, (struct rf_rule){.name = "third",
                                            .when = fixture_expr(&fixture, "calls == 3", NULL)});
    fixture.plan.lateness = RF_LATENESS_NONE;
    fixture.plan.max_ahead = RF_DAY_MS;
    fixture.plan.record_bytes_max = 65536;
    fixture.plan.event_bytes_max = 65536;
    codec = rf_customer_codec_make(&fixture.arena, &fixture.plan);
    store = rf_memory_store_open();
    schema_is_here = false;
    changelog_offset = 0;
    task = open_task();
}

static void teardown(void)
{
    rf_task_close(task);
    fixture_deinit(&fixture);
}

static void feed(uint32_t source, int64_t offset, const char *customer, rf_ms time,
                 const char *value)
{
    struct rf_input input = {
        .source = source,
        .position = {.topic = fixture.plan.sources[source].topic, .offset = offset},
        .broker_time = time,
        .key = customer == NULL ? (struct rf_bytes){0} : rf_bytes_of_text(customer),
        .value = value == NULL ? (struct rf_bytes){0} : rf_bytes_of_text(value),
    };

    rf_task_feed(task, &input);
}

static void fold(void)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_task_fold(task, &err), "%s", err.message);
}

static const struct rf_sealed *seal(size_t *count)
{
    const struct rf_sealed *sealed = NULL;
    struct rf_error err = {0};

    ck_assert_msg(rf_task_seal(task, &sealed, count, &err), "%s", err.message);
    return sealed;
}

/* Takes the outbox, seals and commits; `records` (may be NULL) gets what went to the changelog. */
static void commit(struct rf_buffer *records)
{
    size_t count = 0;
    const struct rf_sealed *sealed = seal(&count);

    for (size_t i = 0; records != NULL && i < count; i++) {
        rf_buffer_append(records, sealed[i].customer.data, sealed[i].customer.size);
        rf_buffer_append(records, sealed[i].record.data, sealed[i].record.size);
    }
    rf_task_take_outbox(task, &count);
    changelog_offset += 10;
    rf_task_committed(task, changelog_offset);
}

static int64_t total_of(const char *id)
{
    struct rf_arena arena;
    struct rf_customer *customer = NULL;
    struct rf_error err = {0};
    int64_t total = -1;

    rf_arena_init(&arena, 4096);
    ck_assert_msg(rf_task_customer(task, rf_bytes_of_text(id), &arena, &customer, &err), "%s",
                  err.message);
    if (customer != NULL)
        total = customer->features[1].value.as.integer;
    rf_arena_deinit(&arena);
    return total;
}

/* ---- the promises ---- */

START_TEST(what_is_folded_counts_only_once_it_is_committed)
{
    feed(0, 0, "alice", MINUTE, "5");
    fold();
    ck_assert_int_eq(total_of("alice"), -1);

    commit(NULL);

    ck_assert_int_eq(total_of("alice"), 5);
    ck_assert_int_eq(rf_task_stream_time(task), MINUTE);
    ck_assert_uint_eq(rf_task_counts(task).events, 1);
}
END_TEST

START_TEST(a_value_that_had_to_make_room_is_counted_once_it_is_committed)
{
    static const char *const numbers[] = {"1", "2", "3", "3"};
    for (int64_t i = 0; i < 4; i++)
        feed(1, i, "alice", (i + 1) * MINUTE, numbers[i]);
    fold();
    rf_task_aborted(task);
    ck_assert_uint_eq(rf_task_counts(task).values_dropped, 0);
    fold();
    ck_assert_uint_eq(rf_task_ledger(task)->values_dropped, 1);

    commit(NULL);

    ck_assert_uint_eq(rf_task_counts(task).values_dropped, 1);
}
END_TEST

START_TEST(an_abort_forgets_the_fold_and_the_next_transaction_repeats_it_to_the_bit)
{
    struct rf_buffer first, second;
    char id[RF_EVENT_ID_SIZE + 1];
    size_t count = 0;
    rf_buffer_init(&first, 1U << 20);
    rf_buffer_init(&second, 1U << 20);
    for (int64_t i = 0; i < 3; i++)
        feed(0, i, "alice", (i + 1) * MINUTE, "7");
    fold();
    const struct rf_sealed *sealed = seal(&count);
    rf_buffer_append(&first, sealed[0].customer.data, sealed[0].customer.size);
    rf_buffer_append(&first, sealed[0].record.data, sealed[0].record.size);
    const struct rf_out *outbox = rf_task_take_outbox(task, &count);
    ck_assert_uint_eq(count, 1);
    memcpy(id, outbox[0].as.derived->id, sizeof id);

    rf_task_aborted(task);

    ck_assert_int_eq(total_of("alice"), -1);
    ck_assert_int_eq(rf_task_stream_time(task), RF_MS_MIN);
    ck_assert_uint_eq(rf_task_pending(task), 3);
    fold();
    outbox = rf_task_outbox(task, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(outbox[0].as.derived->id, id); /* invariant 5 */
    commit(&second);
    ck_assert(rf_bytes_equal(rf_buffer_bytes(&first), rf_buffer_bytes(&second)));
    ck_assert_uint_eq(rf_task_counts(task).events, 3);
    rf_buffer_deinit(&first);
    rf_buffer_deinit(&second);
}
END_TEST

START_TEST(an_input_that_cannot_be_decoded_yet_holds_back_what_comes_after_it)
{
    const char *why = NULL;
    feed(0, 0, "alice", MINUTE, "1");
    feed(0, 1, "alice", 2 * MINUTE, "wait");
    feed(0, 2, "alice", 3 * MINUTE, "1");

    fold();

    ck_assert(rf_task_is_blocked(task, &why));
    ck_assert_str_eq(why, "the schema is not here yet");
    ck_assert_uint_eq(rf_task_folded(task), 1);
    ck_assert_int_eq(rf_task_position(task, 0, 3), 1); /* what is committed does not pass it by */
    ck_assert_int_eq(rf_task_position(task, 1, 9), 9);
    commit(NULL);
    ck_assert_uint_eq(rf_task_pending(task), 2);
    schema_is_here = true;
    fold();
    commit(NULL);
    ck_assert(!rf_task_is_blocked(task, NULL));
    ck_assert_uint_eq(rf_task_counts(task).events, 3);
}
END_TEST

START_TEST(invariant_4_a_bad_record_is_a_dead_letter_once_and_stops_nothing)
{
    size_t count = 0;
    feed(0, 0, "alice", MINUTE, "bad");
    feed(0, 1, NULL, MINUTE, "1");
    feed(0, 2, "alice", MINUTE, NULL);
    feed(0, 3, "alice", MINUTE, "1");

    fold();

    const struct rf_out *outbox = rf_task_outbox(task, &count);
    ck_assert_uint_eq(count, 3);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(outbox[i].kind, RF_OUT_DEAD_LETTER);
        ck_assert_int_eq(outbox[i].as.dead_letter->input.position.offset, (int64_t)i);
    }
    ck_assert_str_eq(outbox[0].as.dead_letter->message, "garbage");
    ck_assert(rf_bytes_equal(outbox[0].as.dead_letter->input.value, rf_bytes_of_text("bad")));
    commit(NULL);
    ck_assert_int_eq(total_of("alice"), 1);
}
END_TEST

START_TEST(an_event_far_ahead_of_the_brokers_clock_moves_no_time)
{
    struct rf_source *calls = &fixture.sources[0];
    calls->time = fixture_expr(&fixture, "timestamp(event.number)", NULL);
    struct rf_input input = {
        .position = {.topic = "calls"}, .broker_time = MINUTE, .key = rf_bytes_of_text("alice")};
    input.value = rf_bytes_of_text("4000000000"); /* seconds: the year 2096 */
    rf_task_feed(task, &input);

    fold();
    commit(NULL);

    ck_assert_uint_eq(rf_task_counts(task).dead_letters, 1);
    ck_assert_int_eq(rf_task_stream_time(task), RF_MS_MIN);
}
END_TEST

START_TEST(a_customer_that_did_not_change_is_not_written)
{
    size_t count = 0;
    fixture.sources[0].id = fixture_expr(&fixture, "event.number", NULL);
    fixture.sources[0].dedup = RF_DAY_MS;
    feed(0, 0, "alice", MINUTE, "7");
    fold();
    commit(NULL);
    feed(0, 1, "alice", 2 * MINUTE, "7"); /* the same event again */
    fold();

    seal(&count);

    ck_assert_uint_eq(count, 0);
    rf_task_committed(task, -1);
    ck_assert_uint_eq(rf_task_counts(task).duplicates, 1);
    ck_assert_int_eq(total_of("alice"), 7);
}
END_TEST

START_TEST(what_is_older_than_lateness_allows_is_counted_and_by_choice_a_dead_letter)
{
    fixture.plan.lateness = 10 * MINUTE;
    fixture.plan.late = _i == 0 ? RF_LATE_DROP : RF_LATE_DEAD_LETTER;
    feed(0, 0, "alice", 60 * MINUTE, "1");
    feed(0, 1, "alice", 50 * MINUTE, "1"); /* just in time */
    feed(0, 2, "alice", 49 * MINUTE, "1");

    fold();
    commit(NULL);

    ck_assert_uint_eq(rf_task_counts(task).late, 1);
    ck_assert_uint_eq(rf_task_counts(task).dead_letters, _i == 0 ? 0 : 1);
    ck_assert_int_eq(total_of("alice"), 2);
}
END_TEST

START_TEST(a_quarantined_input_becomes_a_dead_letter_instead_of_being_folded)
{
    size_t count = 0;
    feed(0, 0, "alice", MINUTE, "1");
    feed(0, 1, "alice", MINUTE, "2");
    fold();
    rf_task_take_outbox(task, &count);
    rf_task_quarantine(task, 0, 1, "what it causes is too large");
    rf_task_aborted(task);

    fold();

    const struct rf_out *outbox = rf_task_outbox(task, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(outbox[0].as.dead_letter->error_class, "quarantined");
    commit(NULL);
    ck_assert_int_eq(total_of("alice"), 1);
}
END_TEST

START_TEST(a_record_that_would_be_too_large_costs_its_last_event_only)
{
    const struct rf_sealed *sealed = NULL;
    size_t count = 0;
    struct rf_error err = {0};
    feed(0, 0, "alice", MINUTE, "1");
    fold();
    commit(NULL);
    fixture.plan.record_bytes_max = 16; /* the next record does not fit */
    rf_task_close(task);
    store = rf_memory_store_open();
    changelog_offset = 0;
    task = open_task();
    feed(0, 1, "alice", MINUTE, "1");
    fold();

    ck_assert(!rf_task_seal(task, &sealed, &count, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    rf_task_take_outbox(task, &count);
    rf_task_aborted(task);
    fold();
    commit(NULL);

    ck_assert_uint_eq(rf_task_counts(task).dead_letters, 1);
}
END_TEST

START_TEST(invariant_2_the_store_is_of_the_checkpoint_that_it_carries)
{
    struct rf_error err = {0};
    int64_t checkpoint = 0;
    feed(0, 0, "alice", MINUTE, "1");
    fold();
    commit(NULL);
    ck_assert(store.ops->checkpoint(store.self, &checkpoint, &err));
    ck_assert_int_eq(checkpoint, RF_CHECKPOINT_NONE); /* gathered, not written */

    ck_assert_msg(rf_task_flush(task, 0, &err), "%s", err.message);

    ck_assert(store.ops->checkpoint(store.self, &checkpoint, &err));
    ck_assert_int_eq(checkpoint, 10);
    ck_assert_int_eq(rf_task_changelog_next(task), 10);
}
END_TEST

START_TEST(a_restored_customer_is_what_the_changelog_says_and_a_tombstone_ends_it)
{
    struct rf_buffer record;
    struct rf_error err = {0};
    size_t count = 0;
    rf_buffer_init(&record, 1U << 20);
    feed(0, 0, "alice", MINUTE, "9");
    fold();
    const struct rf_sealed *sealed = seal(&count);
    rf_buffer_append(&record, sealed[0].record.data, sealed[0].record.size);
    rf_task_take_outbox(task, &count);
    rf_task_aborted(task);
    rf_task_forget_inputs(task);

    ck_assert(rf_task_restore(task, rf_bytes_of_text("alice"), rf_buffer_bytes(&record), &err));
    ck_assert(rf_task_restore(task, rf_bytes_of_text("bob"), rf_buffer_bytes(&record), &err));
    ck_assert(rf_task_restore(task, rf_bytes_of_text("bob"), (struct rf_bytes){0}, &err));
    rf_task_restored_to(task, 3);
    ck_assert(rf_task_restore_end(task, 5, &err));

    ck_assert_int_eq(total_of("alice"), 9);
    ck_assert_int_eq(total_of("bob"), -1);
    ck_assert_int_eq(rf_task_changelog_next(task), 5);
    rf_buffer_deinit(&record);
}
END_TEST

/* ---- batch boundaries and aborts do not matter ---- */

#define EVENTS 400

static void feed_generated(int64_t offset, uint64_t seed)
{
    uint64_t state = seed * 1000003 + (uint64_t)offset;
    char customer[8], value[8];

    snprintf(customer, sizeof customer, "c%d", (int)fixture_random_below(&state, 12));
    snprintf(value, sizeof value, "%s",
             fixture_random_below(&state, 20) == 0  ? "bad"
             : fixture_random_below(&state, 2) == 0 ? "3"
                                                    : "4");
    feed(0, offset, customer, (rf_ms)fixture_random_below(&state, 1000) * MINUTE, value);
}

static void take_derived(struct rf_buffer *derived)
{
    size_t count = 0;
    const struct rf_out *outbox = rf_task_outbox(task, &count);

    for (size_t i = 0; i < count; i++) {
        if (outbox[i].kind == RF_OUT_DERIVED)
            rf_buffer_append_text(derived, outbox[i].as.derived->id);
    }
}

/* The final totals and all derived ids, in order; cuts and aborts drawn from `cuts`, 0: one transaction. */
static void play(uint64_t seed, uint64_t cuts, struct rf_buffer *outcome)
{
    struct rf_buffer derived;
    uint64_t state = cuts;
    rf_buffer_init(&derived, 1U << 20);
    for (int64_t offset = 0; offset < EVENTS;) {
        int64_t some = cuts == 0 ? EVENTS : 1 + (int64_t)fixture_random_below(&state, 40);
        size_t count = 0;
        for (int64_t end = offset + some; offset < end && offset < EVENTS; offset++)
            feed_generated(offset, seed);
        while (cuts != 0 && fixture_random_below(&state, 3) == 0) {
            fold();
            rf_task_take_outbox(task, &count);
            rf_task_aborted(task);
        }
        fold();
        take_derived(&derived);
        commit(NULL);
    }
    for (int i = 0; i < 12; i++) {
        char customer[8];
        snprintf(customer, sizeof customer, "c%d", i);
        rf_buffer_printf(outcome, "%s=%d ", customer, (int)total_of(customer));
    }
    rf_buffer_append(outcome, derived.data, derived.size);
    rf_buffer_deinit(&derived);
}

START_TEST(neither_batches_nor_aborts_change_the_outcome)
{
    struct rf_buffer whole, cut;
    uint64_t seed = (uint64_t)_i + 1;
    rf_buffer_init(&whole, 1U << 20);
    rf_buffer_init(&cut, 1U << 20);
    play(seed, 0, &whole);
    teardown();
    setup();

    play(seed, seed * 77 + 5, &cut);

    ck_assert_msg(whole.size > 200, "%.*s", (int)whole.size, whole.data);
    ck_assert(rf_bytes_equal(rf_buffer_bytes(&whole), rf_buffer_bytes(&cut)));
    rf_buffer_deinit(&whole);
    rf_buffer_deinit(&cut);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/task");
    TCase *tcase = tcase_create("task");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_value_that_had_to_make_room_is_counted_once_it_is_committed);
    tcase_add_test(tcase, what_is_folded_counts_only_once_it_is_committed);
    tcase_add_test(tcase, an_abort_forgets_the_fold_and_the_next_transaction_repeats_it_to_the_bit);
    tcase_add_test(tcase, an_input_that_cannot_be_decoded_yet_holds_back_what_comes_after_it);
    tcase_add_test(tcase, invariant_4_a_bad_record_is_a_dead_letter_once_and_stops_nothing);
    tcase_add_test(tcase, an_event_far_ahead_of_the_brokers_clock_moves_no_time);
    tcase_add_loop_test(
        tcase, what_is_older_than_lateness_allows_is_counted_and_by_choice_a_dead_letter, 0, 2);
    tcase_add_test(tcase, a_quarantined_input_becomes_a_dead_letter_instead_of_being_folded);
    tcase_add_test(tcase, a_record_that_would_be_too_large_costs_its_last_event_only);
    tcase_add_test(tcase, invariant_2_the_store_is_of_the_checkpoint_that_it_carries);
    tcase_add_test(tcase, a_restored_customer_is_what_the_changelog_says_and_a_tombstone_ends_it);
    tcase_add_loop_test(tcase, neither_batches_nor_aborts_change_the_outcome, 0, 20);
    tcase_add_test(tcase, a_customer_that_did_not_change_is_not_written);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
