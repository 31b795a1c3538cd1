/* core/expr: whatever is written, compiling and evaluating end, within bounds. */
#include <stdlib.h>

#include "expr_support.h"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_deinit(&world);
}

/* `count` times `part`, between `before` and `after`. */
static char *repeat(const char *before, const char *part, size_t count, const char *after)
{
    size_t size = strlen(before) + count * strlen(part) + strlen(after) + 1;
    char *text = malloc(size);
    size_t at = strlen(before);

    memcpy(text, before, at);
    for (size_t i = 0; i < count; i++, at += strlen(part))
        memcpy(text + at, part, strlen(part));
    strcpy(text + at, after);
    return text;
}

static const struct {
    const char *before, *part;
    size_t count;
    const char *after, *value;
} shapes[] = {
    {"", "(", 200, "1", "compile: unexpected end, expected ')'"},
    {"", "(", 5000, "", "compile: expression is nested too deeply"},
    {"", "[", 60000, "", "compile: expression is nested too deeply"},
    {"", "!", 60000, "true", "compile: expression is nested too deeply"},
    {"", "-", 60000, "1", "compile: expression is nested too deeply"},
    {"", "[1].map(x, ", 5000, "", "compile: expression is nested too deeply"},
    {"", "true ? 1 : ", 5000, "1", "compile: expression is nested too deeply"},
    {"", "1 + ", 15000, "1", "compile: expression is too long"},
    {"", "1 + ", 1000, "1", "1001"},
    {"", "true && ", 8000, "true", "true"},
    {"", "false || ", 7000, "true", "true"},
    {"[1]", ".map(x, x)", 1000, "", "[1]"},
    {"a", ".b", 30000, "", "compile: expression is too long"},
    {"", " ", 70000, "1", "compile: expression is too long"},
    {"[", "1,", 20000, "].size()", "20000"},
    {"{", "1:1,", 2, "}", "eval: a map with the same key twice"},
};

START_TEST(a_text_of_any_shape_is_answered)
{
    char *text = repeat(shapes[_i].before, shapes[_i].part, shapes[_i].count, shapes[_i].after);

    const char *value = evaluate(&world, text, NULL);

    ck_assert_msg(strcmp(value, shapes[_i].value) == 0, "%d: got %s, wanted %s", _i, value,
                  shapes[_i].value);
    free(text);
}
END_TEST

START_TEST(a_large_map_costs_what_looking_for_double_keys_takes)
{
    char *text = malloc(65536);
    size_t at = 0;

    text[at++] = '{';
    for (int i = 0; i < 8000; i++)
        at += (size_t)snprintf(text + at, 65536 - at, "%d:0,", i);
    strcpy(text + at, "}.size()");

    ck_assert_str_eq(evaluate(&world, text, NULL), "eval: cost limit exceeded");
    free(text);
}
END_TEST

/* x0 is `first`; each of the thirty is made of the one before, whose name stands for every @; then `last`. */
static void chain(char text[2000], const char *first, const char *again, const char *last)
{
    size_t at = (size_t)sprintf(text, "cel.bind(x0, %s, ", first);

    for (int i = 1; i < 30; i++) {
        at += (size_t)sprintf(text + at, "cel.bind(x%d, ", i);
        for (const char *c = again; *c != '\0'; c++) {
            if (*c == '@')
                at += (size_t)sprintf(text + at, "x%d", i - 1);
            else
                text[at++] = *c;
        }
        at += (size_t)sprintf(text + at, ", ");
    }
    at += (size_t)sprintf(text + at, "%s", last);
    memset(text + at, ')', 30);
    text[at + 30] = '\0';
}

START_TEST(text_that_doubles_is_stopped)
{
    char text[2000];

    chain(text, "'aaaaaaaaaaaaaaaa'", "@ + @", "x29.size()");
    ck_assert_str_eq(evaluate(&world, text, NULL), "eval: cost limit exceeded");
}
END_TEST

START_TEST(lists_that_hold_each_other_are_not_flattened_without_end)
{
    char text[2000];

    chain(text, "[1, 2, 3, 4]", "[@, @, @]", "x29.flatten(40).size()");
    ck_assert_str_eq(evaluate(&world, text, NULL), "eval: cost limit exceeded");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
    ck_assert_str_eq(evaluate(&world, "'\xff'", NULL), "compile: expression is not UTF-8");
}
END_TEST

START_TEST(no_fault_is_lost_and_none_is_behind_the_end)
{
    ck_assert_ptr_null(compile(&world, "a + b + c.d(e) + [f][g]", NULL));

    ck_assert_uint_eq(world.faults.count, 7);
    for (size_t i = 0; i < world.faults.count; i++)
        ck_assert_uint_lt(world.faults.items[i].offset, 23);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/expr/limits");
    TCase *tcase = tcase_create("limits");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_text_of_any_shape_is_answered, 0,
                        sizeof shapes / sizeof shapes[0]);
    tcase_add_test(tcase, a_large_map_costs_what_looking_for_double_keys_takes);
    tcase_add_test(tcase, text_that_doubles_is_stopped);
    tcase_add_test(tcase, lists_that_hold_each_other_are_not_flattened_without_end);
    tcase_add_test(tcase, bytes_that_are_no_text_are_refused);
    tcase_add_test(tcase, no_fault_is_lost_and_none_is_behind_the_end);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
