/* core/expr/lexer: literals are decoded as they are written, and a fault is where it is. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/expr/lexer.h"

static struct rf_arena arena;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

static const struct {
    const char *text;
    const char *value;
    size_t size;
    enum rf_value_kind kind;
} texts[] = {
    {"'a'", "a", 1, RF_VALUE_STRING},
    {"\"it's\"", "it's", 4, RF_VALUE_STRING},
    {"'''a'\n'b'''", "a'\n'b", 5, RF_VALUE_STRING},
    {"r'\\n'", "\\n", 2, RF_VALUE_STRING},
    {"R\"\\\"", "\\", 1, RF_VALUE_STRING},
    {"'\\n\\t\\\\\\''", "\n\t\\'", 4, RF_VALUE_STRING},
    {"'\\377'", "\xc3\xbf", 2, RF_VALUE_STRING},
    {"'\\xff'", "\xc3\xbf", 2, RF_VALUE_STRING},
    {"'\\u20ac'", "\xe2\x82\xac", 3, RF_VALUE_STRING},
    {"'\\U0001f431'", "\xf0\x9f\x90\xb1", 4, RF_VALUE_STRING},
    {"'\\000'", "\0", 1, RF_VALUE_STRING},
    {"b'\\xff'", "\xff", 1, RF_VALUE_BYTES},
    {"b'\\377\xc3\xbf'", "\xff\xc3\xbf", 3, RF_VALUE_BYTES},
    {"bR'\\xff'", "\\xff", 4, RF_VALUE_BYTES},
    {"''", "", 0, RF_VALUE_STRING},
    {"\"\"\"\"\"\"", "", 0, RF_VALUE_STRING},
};

START_TEST(a_text_is_what_its_escapes_say)
{
    struct rf_lexer lexer;
    struct rf_token token;
    rf_lexer_init(&lexer, &arena, rf_bytes_of_text(texts[_i].text));

    ck_assert_msg(rf_lexer_next(&lexer, &token), "%s", lexer.message);

    ck_assert_int_eq(token.kind, RF_TOKEN_LITERAL);
    ck_assert_int_eq(token.value.kind, texts[_i].kind);
    ck_assert(rf_bytes_equal(token.value.as.text, rf_bytes_of(texts[_i].value, texts[_i].size)));
    ck_assert_uint_eq(token.size, strlen(texts[_i].text));
    ck_assert(rf_lexer_next(&lexer, &token));
    ck_assert_int_eq(token.kind, RF_TOKEN_END);
}
END_TEST

static const struct {
    const char *text;
    struct rf_value value;
} numbers[] = {
    {"0", {.kind = RF_VALUE_INT}},
    {"9223372036854775807", {.kind = RF_VALUE_INT, .as.integer = INT64_MAX}},
    {"0x7fffffffffffffff", {.kind = RF_VALUE_INT, .as.integer = INT64_MAX}},
    {"18446744073709551615u", {.kind = RF_VALUE_UINT, .as.uinteger = UINT64_MAX}},
    {"0xFFU", {.kind = RF_VALUE_UINT, .as.uinteger = 255}},
    {"1.5", {.kind = RF_VALUE_DOUBLE, .as.number = 1.5}},
    {".5", {.kind = RF_VALUE_DOUBLE, .as.number = 0.5}},
    {"1e3", {.kind = RF_VALUE_DOUBLE, .as.number = 1000}},
    {"2.5E-1", {.kind = RF_VALUE_DOUBLE, .as.number = 0.25}},
};

START_TEST(a_number_has_the_type_it_is_written_in)
{
    struct rf_lexer lexer;
    struct rf_token token;
    rf_lexer_init(&lexer, &arena, rf_bytes_of_text(numbers[_i].text));

    ck_assert(rf_lexer_next(&lexer, &token));

    ck_assert(token.number);
    ck_assert_int_eq(token.value.kind, numbers[_i].value.kind);
    ck_assert_uint_eq(token.value.as.uinteger, numbers[_i].value.as.uinteger);
}
END_TEST

static const struct {
    const char *text;
    const char *message;
    size_t offset;
} faults[] = {
    {"'abc", "literal without its closing quote", 0},
    {"'a\nb'", "literal without its closing quote", 0},
    {"'a\\qb'", "unknown escape in a literal", 2},
    {"'\\u12'", "malformed escape in a literal", 1},
    {"'\\ud800'", "escape is not a Unicode character", 1},
    {"b'\\u0041'", "unknown escape in a literal", 2},
    {"18446744073709551616u", "uint literal out of range", 0},
    {"9223372036854775809", "int literal out of range", 0},
    {"1e999", "double literal out of range", 0},
    {"#", "unexpected character", 0},
    {"`a b", "malformed quoted name", 0},
    {"'\\", "unknown escape in a literal", 1},
};

START_TEST(a_fault_names_its_place)
{
    struct rf_lexer lexer;
    struct rf_token token;
    rf_lexer_init(&lexer, &arena, rf_bytes_of_text(faults[_i].text));

    ck_assert(!rf_lexer_next(&lexer, &token));

    ck_assert_str_eq(lexer.message, faults[_i].message);
    ck_assert_uint_eq(lexer.fault_offset, faults[_i].offset);
    ck_assert_uint_ge(lexer.fault_size, 1);
}
END_TEST

START_TEST(spaces_and_comments_are_between_tokens)
{
    static const enum rf_token_kind kinds[] = {
        RF_TOKEN_IDENT, RF_TOKEN_LESS_EQUAL, RF_TOKEN_LITERAL, RF_TOKEN_AND, RF_TOKEN_NOT,
        RF_TOKEN_IDENT, RF_TOKEN_IN,         RF_TOKEN_IDENT,   RF_TOKEN_END};
    struct rf_lexer lexer;
    struct rf_token token;
    rf_lexer_init(&lexer, &arena, rf_bytes_of_text("\ta<= 1 // one\n &&\r\n!inner in\f_x9 // end"));

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        ck_assert(rf_lexer_next(&lexer, &token));
        ck_assert_int_eq(token.kind, kinds[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/expr/lexer");
    TCase *tcase = tcase_create("lexer");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_text_is_what_its_escapes_say, 0, sizeof texts / sizeof texts[0]);
    tcase_add_loop_test(tcase, a_number_has_the_type_it_is_written_in, 0,
                        sizeof numbers / sizeof numbers[0]);
    tcase_add_loop_test(tcase, a_fault_names_its_place, 0, sizeof faults / sizeof faults[0]);
    tcase_add_test(tcase, spaces_and_comments_are_between_tokens);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
