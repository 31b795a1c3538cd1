/* core/expr/monotone: what is said to rise or fall throughout does, and what comes and goes is not said to. */
#include "core/expr/monotone.h"

#include <check.h>
#include <stdlib.h>

static struct rf_arena arena;

static const struct rf_expr_variable variables[] = {
    {"now", &rf_type_timestamp}, {"then", &rf_type_timestamp}, {"rate", &rf_type_double},
    {"count", &rf_type_int},     {"wild", &rf_type_int},       {"ok", &rf_type_bool}};
#define VARIABLE_COUNT (sizeof variables / sizeof *variables)

static enum rf_course of_variable(void *self, uint32_t variable)
{
    static const enum rf_course courses[VARIABLE_COUNT] = {RF_COURSE_MONOTONE, RF_COURSE_CONSTANT,
                                                           RF_COURSE_MONOTONE, RF_COURSE_CONSTANT,
                                                           RF_COURSE_ANY,      RF_COURSE_CONSTANT};

    (void)self;
    return courses[variable];
}

static const struct {
    const char *text;
    enum rf_course course;
} cases[] = {
    {"count * 3 + 1", RF_COURSE_CONSTANT},
    {"ok ? then : then + duration('1s')", RF_COURSE_CONSTANT},
    {"[1, 2].exists(i, i == count)", RF_COURSE_CONSTANT},
    {"now", RF_COURSE_MONOTONE},
    {"now - then", RF_COURSE_MONOTONE},
    {"then - now", RF_COURSE_MONOTONE},
    {"-(2.0 * rate - 1.0) / 3.0", RF_COURSE_MONOTONE},
    {"now - then > duration('1s')", RF_COURSE_MONOTONE},
    {"!(rate >= 0.5)", RF_COURSE_MONOTONE},
    {"days_between(then, now)", RF_COURSE_MONOTONE},
    {"double((now - then).getHours()) / 24.0", RF_COURSE_MONOTONE},
    {"ok ? -1 : days_between(then, now)", RF_COURSE_MONOTONE},
    {"p_alive(count, 1.0, double((now - then).getSeconds()), 0.2, 4.4, 0.8, 2.4)",
     RF_COURSE_MONOTONE},
    {"math.log(rate)", RF_COURSE_MONOTONE},
    {"wild", RF_COURSE_ANY},
    {"rate - 2.0 * rate", RF_COURSE_ANY},
    {"1.0 / rate", RF_COURSE_ANY},
    {"rate == 0.5", RF_COURSE_ANY},
    {"rate > 0.5 ? 1 : 2", RF_COURSE_ANY},
    {"now.getHours()", RF_COURSE_ANY},
    {"(now - then).getMilliseconds()", RF_COURSE_ANY},
    {"days_between(then, now) % 7", RF_COURSE_ANY},
    {"days_between(then, now) in [7, 14]", RF_COURSE_ANY},
    {"string(now)", RF_COURSE_ANY},
    {"[1, 2].exists(i, days_between(then, now) == i)", RF_COURSE_ANY},
    {"rate > 0.5 && rate < 0.7", RF_COURSE_ANY},
};
#define CASE_COUNT (sizeof cases / sizeof *cases)

START_TEST(the_course_follows_from_operators_and_functions)
{
    struct rf_expr_env env = {.variables = variables, .variable_count = VARIABLE_COUNT};
    struct rf_expr_faults faults;
    const struct rf_expr *expr = NULL;

    rf_arena_init(&arena, 4096);
    ck_assert_msg(
        rf_expr_compile(&arena, &env, rf_bytes_of_text(cases[_i].text), NULL, &expr, &faults),
        "%s: %s", cases[_i].text, faults.items[0].message);
    ck_assert_msg(rf_expr_course(expr, of_variable, NULL) == cases[_i].course, "%s: %d",
                  cases[_i].text, (int)rf_expr_course(expr, of_variable, NULL));
    rf_arena_deinit(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("monotone");
    TCase *tcase = tcase_create("all");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(tcase, the_course_follows_from_operators_and_functions, 0, CASE_COUNT);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
