#include "core/expr/condition.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct rf_arena arena;

static const struct rf_expr_variable variables[] = {
    {"a", &rf_type_int}, {"b", &rf_type_int}, {"ok", &rf_type_bool}, {"x", &rf_type_double}};

static void setup(void)
{
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

static const struct rf_expr *compile(const char *text)
{
    struct rf_expr_env env = {.variables = variables, .variable_count = 4};
    struct rf_expr_faults faults;
    const struct rf_expr *expr = NULL;

    ck_assert_msg(rf_expr_compile(&arena, &env, rf_bytes_of_text(text), NULL, &expr, &faults), "%s",
                  faults.items[0].message);
    return expr;
}

static const struct rf_condition *take(const char *text)
{
    const struct rf_condition *condition = rf_condition_of(&arena, compile(text));

    ck_assert_ptr_nonnull(condition);
    return condition;
}

static void assert_text(const struct rf_condition *condition, const char *text)
{
    ck_assert_msg(rf_bytes_equal(condition->text, rf_bytes_of_text(text)), "it is '%.*s'",
                  (int)condition->text.size, (const char *)condition->text.data);
}

static bool eval(const struct rf_expr *expr, int64_t a, int64_t b)
{
    struct rf_value values[4] = {rf_value_int(a), rf_value_int(b), rf_value_bool(true),
                                 rf_value_double(0.5)};
    struct rf_expr_scratch scratch = {.arena = &arena};
    struct rf_value result = {0};
    struct rf_error err = {0};

    ck_assert_msg(rf_expr_eval(expr, values, &scratch, &result, &err), "%s", err.message);
    ck_assert_int_eq(result.kind, RF_VALUE_BOOL);
    return result.as.boolean;
}

START_TEST(a_conjunction_falls_into_its_tests_in_the_order_of_the_text)
{
    const struct rf_condition *c = take("a > 1 && ok && !(b + 1 < 3)");

    ck_assert_int_eq(c->kind, RF_CONDITION_AND);
    ck_assert_uint_eq(c->part_count, 3);
    assert_text(&c->parts[0], "a > 1");
    assert_text(&c->parts[1], "ok");
    ck_assert_int_eq(c->parts[2].kind, RF_CONDITION_NOT);
    assert_text(&c->parts[2].parts[0], "b + 1 < 3");
    ck_assert_int_eq(c->parts[0].comparison, RF_COMPARES_GREATER);
    ck_assert_int_eq(c->parts[1].comparison, RF_COMPARES_NOTHING);
}
END_TEST

START_TEST(each_part_is_a_program_of_its_own)
{
    const struct rf_condition *c = take("(a > 1 || b > 1) && a != b");

    ck_assert(eval(c->parts[0].test, 2, 0));
    ck_assert(!eval(c->parts[0].test, 1, 1));
    ck_assert(eval(c->parts[0].parts[1].test, 0, 2));
    ck_assert(!eval(c->parts[1].test, 7, 7));
    ck_assert(eval(c->test, 2, 0));
}
END_TEST

START_TEST(brackets_around_the_first_operand_are_part_of_the_text)
{
    assert_text(take("(a + b) * 2 > (b - 1)"), "(a + b) * 2 > (b - 1)");
    assert_text(&take("ok && (a + b) * 2 > b")->parts[1], "(a + b) * 2 > b");
}
END_TEST

START_TEST(a_choice_between_conditions_has_three_parts)
{
    const struct rf_condition *c = take("ok ? a > 1 : b > 1");

    ck_assert_int_eq(c->kind, RF_CONDITION_CHOICE);
    ck_assert_uint_eq(c->part_count, 3);
    assert_text(&c->parts[2], "b > 1");
}
END_TEST

START_TEST(what_is_no_condition_is_not_taken_apart)
{
    ck_assert_ptr_null(rf_condition_of(&arena, compile("a + b")));
}
END_TEST

START_TEST(a_macro_stays_one_test)
{
    const struct rf_condition *c = take("[1, 2].exists(i, i == a && ok) && ok");

    ck_assert_uint_eq(c->part_count, 2);
    ck_assert_int_eq(c->parts[0].kind, RF_CONDITION_TEST);
    ck_assert(eval(c->parts[0].test, 2, 0));
    ck_assert(!eval(c->parts[0].test, 3, 0));
}
END_TEST

START_TEST(the_reads_of_a_part_are_its_own)
{
    const struct rf_condition *c = take("a > 1 && x < 2.0");
    size_t count = 0;
    const struct rf_expr_read *reads = rf_expr_reads(c->parts[1].test, &count);

    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(reads[0].variable, 3);
    ck_assert_str_eq(reads[0].text, "x");
}
END_TEST

START_TEST(a_variable_and_a_call_are_known_for_what_they_are)
{
    const struct rf_condition *c = take("x > p_alive(a, x, 2.0, 1.0, 1.0, 1.0, 2.0)");
    const struct rf_expr *arguments[7];
    uint32_t variable = 0;

    ck_assert(rf_expr_is_variable(c->left, &variable));
    ck_assert_uint_eq(variable, 3);
    ck_assert(!rf_expr_is_variable(c->right, &variable));
    ck_assert(rf_expr_is_call(&arena, c->right, "p_alive", arguments, 7));
    ck_assert(rf_expr_is_variable(arguments[1], &variable));
    ck_assert(!rf_expr_is_call(&arena, c->right, "p_alive", arguments, 6));
    ck_assert(!rf_expr_is_call(&arena, c->right, "hash", arguments, 7));
}
END_TEST

START_TEST(the_comparisons_within_are_found_itself_first)
{
    struct rf_inner_comparison found[8];
    const char *text = "(a > 1 ? x : 1.0) < (b == 2 ? 2.0 : x)";

    ck_assert_uint_eq(rf_condition_inner(&arena, compile(text), found, 8), 3);
    ck_assert_int_eq(found[0].comparison, RF_COMPARES_LESS);
    ck_assert_int_eq(found[1].comparison, RF_COMPARES_GREATER);
    ck_assert_int_eq(found[2].comparison, RF_COMPARES_EQUAL);
    ck_assert(eval(found[1].test, 2, 0));
    ck_assert(!eval(found[2].test, 0, 1));
    ck_assert_uint_eq(rf_condition_inner(&arena, compile(text), found, 2), 2);
}
END_TEST

START_TEST(being_in_a_list_is_being_equal_to_one_of_it)
{
    struct rf_inner_comparison found[8];
    struct rf_value value = {0};

    ck_assert_uint_eq(rf_condition_inner(&arena, compile("a in [3, b, 5]"), found, 8), 3);
    ck_assert_uint_eq(rf_condition_inner(&arena, compile("!(a in [3, 4])"), found, 8), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(found[i].test);
        ck_assert_int_eq(found[i].comparison, RF_COMPARES_EQUAL);
        ck_assert(rf_expr_constant(found[i].right, &value));
        ck_assert_int_eq(value.as.integer, 3 + i);
    }
}
END_TEST

START_TEST(what_reads_a_macros_variable_cannot_be_asked_alone)
{
    struct rf_inner_comparison found[8];

    ck_assert_uint_eq(
        rf_condition_inner(&arena, compile("[1, b].exists(i, i > a) && a < b"), found, 8), 1);
    ck_assert_int_eq(found[0].comparison, RF_COMPARES_LESS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("condition");
    TCase *tcase = tcase_create("all");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_conjunction_falls_into_its_tests_in_the_order_of_the_text);
    tcase_add_test(tcase, each_part_is_a_program_of_its_own);
    tcase_add_test(tcase, brackets_around_the_first_operand_are_part_of_the_text);
    tcase_add_test(tcase, a_choice_between_conditions_has_three_parts);
    tcase_add_test(tcase, what_is_no_condition_is_not_taken_apart);
    tcase_add_test(tcase, a_macro_stays_one_test);
    tcase_add_test(tcase, the_reads_of_a_part_are_its_own);
    tcase_add_test(tcase, a_variable_and_a_call_are_known_for_what_they_are);
    tcase_add_test(tcase, the_comparisons_within_are_found_itself_first);
    tcase_add_test(tcase, being_in_a_list_is_being_equal_to_one_of_it);
    tcase_add_test(tcase, what_reads_a_macros_variable_cannot_be_asked_alone);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
