#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "edge/ops/auth.h"

static struct rf_tokens tokens;
static struct rf_error err;

static bool parse(const char *text)
{
    rf_error_clear(&err);
    return rf_tokens_parse(rf_bytes_of_text(text), &tokens, &err);
}

static void setup(void)
{
    ck_assert(parse("# who may ask\n"
                    "\n"
                    "grafana:0123456789abcdef0123\r\n"
                    "aaaaaaaaaaaaaaaabbbb\n"
                    "ops:sEcReT:with:colons!!"));
}

START_TEST(a_token_is_found_with_its_holder)
{
    ck_assert_uint_eq(tokens.count, 3);
    ck_assert_str_eq(rf_tokens_find(&tokens, "Bearer 0123456789abcdef0123"), "grafana");
    ck_assert_str_eq(rf_tokens_find(&tokens, "bearer  aaaaaaaaaaaaaaaabbbb"), "token");
    ck_assert_str_eq(rf_tokens_find(&tokens, "Bearer sEcReT:with:colons!!"), "ops");
}
END_TEST

START_TEST(a_browser_gives_it_as_a_password)
{
    /* anyone:0123456789abcdef0123 */
    ck_assert_str_eq(rf_tokens_find(&tokens, "Basic YW55b25lOjAxMjM0NTY3ODlhYmNkZWYwMTIz"),
                     "grafana");
    /* :sEcReT:with:colons!! */
    ck_assert_str_eq(rf_tokens_find(&tokens, "Basic OnNFY1JlVDp3aXRoOmNvbG9ucyEh"), "ops");
}
END_TEST

static const char *const nobodys[] = {
    NULL,
    "",
    "Bearer",
    "Bearer ",
    "Bearer 0123456789abcdef012",
    "Bearer 0123456789abcdef01234",
    "Bearer 0123456789ABCDEF0123",
    "Bearer grafana:0123456789abcdef0123",
    "Bearer 0123456789abcdef0123 ",
    "Token 0123456789abcdef0123",
    "0123456789abcdef0123",
    "Basic",
    "Basic ",
    "Basic !!!!",
    "Basic YW55b25l",
    "Basic YW55b25lOjAxMjM0NTY3ODlhYmNkZWYwMTI0",
    "Basic YW55b25lOjAxMjM0NTY3ODlhYmNkZWYwMTIz=x",
};

START_TEST(what_is_not_exactly_a_token_is_nobodys)
{
    ck_assert_ptr_null(rf_tokens_find(&tokens, nobodys[_i]));
}
END_TEST

START_TEST(a_very_long_one_is_nobodys)
{
    char text[8192] = "Bearer ";

    memset(text + 7, 'a', sizeof text - 8);
    text[sizeof text - 1] = '\0';
    ck_assert_ptr_null(rf_tokens_find(&tokens, text));
    memcpy(text, "Basic  ", 7);
    ck_assert_ptr_null(rf_tokens_find(&tokens, text));
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} wrong[] = {
    {"", "there is no token in it"},
    {"# none\n\n", "there is no token in it"},
    {"ops:short\n", "line 1: a token has 16 to 256 characters"},
    {"# x\nops:with a space in it\n", "line 2: a line is NAME:TOKEN"},
    {":0123456789abcdef0123\n", "line 1: a line is NAME:TOKEN"},
};

START_TEST(a_file_that_is_wrong_names_the_line_and_not_the_token)
{
    ck_assert(!parse(wrong[_i].text));

    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_msg(strstr(err.message, wrong[_i].message) != NULL, "%s", err.message);
    ck_assert_ptr_null(strstr(err.message, "0123"));
    ck_assert_ptr_null(strstr(err.message, "short"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/ops/auth");
    TCase *tests = tcase_create("auth");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_token_is_found_with_its_holder);
    tcase_add_test(tests, a_browser_gives_it_as_a_password);
    tcase_add_loop_test(tests, what_is_not_exactly_a_token_is_nobodys, 0,
                        (int)(sizeof nobodys / sizeof nobodys[0]));
    tcase_add_test(tests, a_very_long_one_is_nobodys);
    tcase_add_loop_test(tests, a_file_that_is_wrong_names_the_line_and_not_the_token, 0,
                        (int)(sizeof wrong / sizeof wrong[0]));
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
