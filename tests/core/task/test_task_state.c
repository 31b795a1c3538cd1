/* core/task/task_state: the record of the tasks topic, for us and for any Avro reader. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/wire.h"
#include "core/model/format.h"
#include "core/task/task_state.h"
#include "edge/formats/avro_schema.h"

static struct rf_task_state some_state(void)
{
    struct rf_task_state state = {.partition = 3,
                                  .stream_time = 1700000000123,
                                  .clock = 1700000009999,
                                  .changelog_offset = 77,
                                  .plan_version = "0123456789abcdef"};

    state.position_count = 2;
    state.positions[0].topic = rf_bytes_of_text("calls");
    state.positions[0].offset = 12;
    state.positions[1].topic = rf_bytes_of_text("complaints");
    state.positions[1].offset = 0;
    return state;
}

START_TEST(what_was_written_is_read)
{
    struct rf_task_state written = some_state(), read;
    struct rf_buffer bytes;
    struct rf_error err = {0};
    rf_buffer_init(&bytes, 4096);

    rf_task_state_write(&written, &bytes);

    ck_assert_msg(rf_task_state_read(rf_buffer_bytes(&bytes), &read, &err), "%s", err.message);
    ck_assert_int_eq(read.partition, 3);
    ck_assert_int_eq(read.stream_time, 1700000000123);
    ck_assert_int_eq(read.clock, 1700000009999);
    ck_assert_int_eq(read.changelog_offset, 77);
    ck_assert_str_eq(read.plan_version, "0123456789abcdef");
    ck_assert_uint_eq(read.position_count, 2);
    ck_assert(rf_bytes_equal(read.positions[1].topic, rf_bytes_of_text("complaints")));
    ck_assert_int_eq(read.positions[1].offset, 0);
    rf_buffer_deinit(&bytes);
}
END_TEST

START_TEST(a_record_of_the_former_version_is_read_and_knows_no_clock)
{
    static const uint8_t former[] = {
        0xc3, 0x01, 0xda, 0x44, 0xa0, 0x99, 0x8a, 0xdd, 0x2f, 0x76, /* its schema */
        6,    2,    14,   2,    'v',  2,    2,    'c',  24,   0};
    struct rf_task_state read;
    struct rf_error err = {0};

    ck_assert_msg(rf_task_state_read(rf_bytes_of(former, sizeof former), &read, &err), "%s",
                  err.message);

    ck_assert_int_eq(read.partition, 3);
    ck_assert_int_eq(read.stream_time, 1);
    ck_assert_int_eq(read.clock, RF_MS_MIN);
    ck_assert_uint_eq(read.position_count, 1);
    ck_assert_int_eq(read.positions[0].offset, 12);
}
END_TEST

START_TEST(whatever_is_cut_off_is_refused)
{
    struct rf_task_state written = some_state(), read;
    struct rf_buffer bytes;
    rf_buffer_init(&bytes, 4096);
    rf_task_state_write(&written, &bytes);

    for (size_t size = 0; size < bytes.size; size++) {
        struct rf_error err = {0};
        ck_assert_msg(!rf_task_state_read(rf_bytes_of(bytes.data, size), &read, &err), "%zu bytes",
                      size);
        ck_assert_int_eq(err.kind, RF_ERROR_STATE);
    }
    rf_buffer_deinit(&bytes);
}
END_TEST

START_TEST(the_fingerprint_is_that_of_the_schema)
{
    struct rf_task_state written = some_state();
    const struct rf_schema *schema = NULL;
    struct rf_wire wire;
    struct rf_bytes body;
    struct rf_buffer bytes;
    struct rf_arena arena;
    struct rf_error err = {0};
    rf_buffer_init(&bytes, 4096);
    rf_arena_init(&arena, 4096);
    rf_task_state_write(&written, &bytes);

    ck_assert(rf_wire_read(RF_FORMAT_AVRO_OBJECT, rf_buffer_bytes(&bytes), &wire, &body, &err));
    ck_assert_msg(rf_avro_schema_parse(&arena, rf_bytes_of_text(rf_task_state_schema), NULL, 0,
                                       &schema, &err),
                  "%s", err.message);

    ck_assert_uint_eq(wire.fingerprint, rf_schema_fingerprint(schema));
    rf_buffer_deinit(&bytes);
    rf_arena_deinit(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/task_state");
    TCase *tcase = tcase_create("task_state");
    tcase_add_test(tcase, what_was_written_is_read);
    tcase_add_test(tcase, a_record_of_the_former_version_is_read_and_knows_no_clock);
    tcase_add_test(tcase, whatever_is_cut_off_is_refused);
    tcase_add_test(tcase, the_fingerprint_is_that_of_the_schema);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
