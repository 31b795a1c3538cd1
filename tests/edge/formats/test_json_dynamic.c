/* edge/formats/json_dynamic: values of a JSON text that no schema describes. */
#include <check.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/codec/value_json.h"
#include "edge/formats/json_dynamic.h"

static const struct {
    const char *text;
    const char *expected;
} rows[] = {
    {"{\"a\":[1,2.5,true,null,\"x\"],\"b\":{}}", "{\"a\":[1,2.5,true,null,\"x\"],\"b\":{}}"},
    {" 7 ", "7"},
    {"\"\\u0000\\u00fc\"", "\"\\u0000\xc3\xbc\""},
    {"", "error: JSON, line 1, column 0: '[' or '{' expected near end of file"},
    {"{\"a\":1,\"a\":2}", "error"},
    {"{\"a\":", "error"},
    {"\xff", "error"},
};

START_TEST(a_text_becomes_values_of_its_own_kinds)
{
    struct rf_arena arena;
    struct rf_buffer out;
    struct rf_value value = {0};
    struct rf_error err = {0};
    rf_arena_init(&arena, 4096);
    rf_buffer_init(&out, 4096);

    bool ok = rf_json_dynamic(rf_bytes_of_text(rows[_i].text), &arena, &value, &err);

    if (rows[_i].expected[0] == 'e') {
        ck_assert(!ok);
        ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    } else {
        ck_assert_msg(ok, "%s", err.message);
        rf_value_print_json(&out, value);
        rf_buffer_append_byte(&out, 0);
        ck_assert_str_eq((const char *)out.data, rows[_i].expected);
    }
    rf_buffer_deinit(&out);
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(what_nests_without_end_is_refused)
{
    char text[2000];
    struct rf_arena arena;
    struct rf_value value = {0};
    struct rf_error err = {0};
    rf_arena_init(&arena, 4096);
    memset(text, '[', 1000);
    memset(text + 1000, ']', 1000);

    bool ok = rf_json_dynamic(rf_bytes_of(text, sizeof text), &arena, &value, &err);

    ck_assert(!ok);
    ck_assert_str_eq(err.message, "JSON nests deeper than 64");
    rf_arena_deinit(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_dynamic");
    TCase *tcase = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_text_becomes_values_of_its_own_kinds, 0,
                        (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tcase, what_nests_without_end_is_refused);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
