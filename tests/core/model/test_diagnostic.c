/* core/model/diagnostic: what is wrong, counted and without repetition; and what was probably meant. */
#include <check.h>
#include <stdlib.h>

#include "core/model/diagnostic.h"

static struct rf_arena arena;
static struct rf_diagnostics diagnostics;

static void set_up(void)
{
    rf_arena_init(&arena, 4096);
    rf_diagnostics_init(&diagnostics, &arena);
}

static void tear_down(void)
{
    rf_arena_deinit(&arena);
}

START_TEST(a_diagnostic_keeps_its_own_texts)
{
    char message[] = "there is no setting 'apps'";

    rf_diagnostics_add(
        &diagnostics,
        &(struct rf_diagnostic){.file = "a.yaml", .line = 3, .column = 1, .message = message});
    message[0] = 'T';

    ck_assert_uint_eq(diagnostics.count, 1);
    ck_assert_str_eq(diagnostics.items[0].message, "there is no setting 'apps'");
    ck_assert_uint_eq(diagnostics.items[0].width, 1);
    ck_assert_ptr_null(diagnostics.items[0].hint);
}
END_TEST

START_TEST(the_same_is_said_once)
{
    const struct rf_diagnostic same = {
        .file = "a.yaml", .line = 3, .column = 1, .message = "wrong"};
    struct rf_diagnostic elsewhere = same;
    elsewhere.line = 4;

    rf_diagnostics_add(&diagnostics, &same);
    rf_diagnostics_add(&diagnostics, &same);
    rf_diagnostics_add(&diagnostics, &elsewhere);

    ck_assert_uint_eq(diagnostics.count, 2);
    ck_assert_uint_eq(diagnostics.error_count, 2);
}
END_TEST

START_TEST(what_is_beyond_the_limit_is_counted)
{
    for (size_t i = 0; i < RF_DIAGNOSTICS_MAX + 20; i++)
        rf_diagnostics_add(&diagnostics,
                           &(struct rf_diagnostic){.file = "a", .line = i + 1, .message = "wrong"});

    ck_assert_uint_eq(diagnostics.count, RF_DIAGNOSTICS_MAX);
    ck_assert_uint_eq(diagnostics.error_count, RF_DIAGNOSTICS_MAX + 20);
}
END_TEST

START_TEST(a_warning_is_no_error)
{
    rf_diagnostics_add(
        &diagnostics,
        &(struct rf_diagnostic){.level = RF_DIAGNOSTIC_WARNING, .file = "a", .message = "careful"});

    ck_assert_uint_eq(diagnostics.count, 1);
    ck_assert_uint_eq(diagnostics.error_count, 0);
}
END_TEST

static const struct {
    const char *written;
    const char *nearest; /* NULL: nothing is near */
} names[] = {
    {"windwo", "window"}, /* two neighbours swapped */
    {"windw", "window"},  {"windoww", "window"}, {"wimdow", "window"}, {"where", "where"},
    {"wehre", "where"},   {"offest", "offset"},  {"x", NULL},          {"", NULL},
    {"cooldown", NULL},   {"wnd", NULL},
};

START_TEST(the_nearest_name_is_a_third_of_its_length_away_at_most)
{
    static const char *const known[] = {"window", "where", "offset", "on"};

    const char *nearest = rf_nearest_name(rf_bytes_of_text(names[_i].written), known, 4);

    if (names[_i].nearest == NULL)
        ck_assert_msg(nearest == NULL, "%s: %s", names[_i].written, nearest);
    else
        ck_assert_pstr_eq(nearest, names[_i].nearest);
}
END_TEST

START_TEST(a_word_without_end_is_near_to_nothing)
{
    static const char *const known[] = {"window"};
    static char word[100000];

    for (size_t i = 0; i < sizeof word; i++)
        word[i] = 'w';

    ck_assert_ptr_null(rf_nearest_name(rf_bytes_of(word, sizeof word), known, 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/model/diagnostic");
    TCase *tcase = tcase_create("diagnostic");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_diagnostic_keeps_its_own_texts);
    tcase_add_test(tcase, the_same_is_said_once);
    tcase_add_test(tcase, what_is_beyond_the_limit_is_counted);
    tcase_add_test(tcase, a_warning_is_no_error);
    tcase_add_loop_test(tcase, the_nearest_name_is_a_third_of_its_length_away_at_most, 0,
                        sizeof names / sizeof names[0]);
    tcase_add_test(tcase, a_word_without_end_is_near_to_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
