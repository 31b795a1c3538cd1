/* edge/sys/file: whole or not at all, never more than the limit, and never outside the root. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/sys/file.h"

static char root[64]; /* a directory of this test's own, and the working directory */

static void setup(void)
{
    snprintf(root, sizeof root, "/tmp/rf-test-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chdir(root), 0);
}

static void teardown(void)
{
    struct rf_error err = {0};

    ck_assert_int_eq(chdir("/tmp"), 0);
    ck_assert_msg(rf_file_remove_tree("/tmp", root + strlen("/tmp/"), &err), "%s", err.message);
    ck_assert_int_eq(access(root, F_OK), -1);
}

static void put(const char *path, const char *text)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_file_write(path, rf_bytes_of_text(text), 0600, &err), "%s", err.message);
}

static void make(const char *path)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_file_make_directory(path, &err), "%s", err.message);
}

static void assert_holds(const char *path, const char *text)
{
    struct rf_buffer content;
    struct rf_error err = {0};

    rf_buffer_init(&content, 1 << 20);
    ck_assert_msg(rf_file_read(path, &content, &err), "%s", err.message);
    ck_assert(rf_bytes_equal(rf_buffer_bytes(&content), rf_bytes_of_text(text)));
    rf_buffer_deinit(&content);
}

START_TEST(what_is_written_is_read_and_replaced)
{
    struct stat status;

    put("a", "first");
    assert_holds("a", "first");
    put("a", "");
    assert_holds("a", "");
    put("./a", "third");
    assert_holds("a", "third");

    ck_assert_int_eq(stat("a", &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_file_may_be_as_large_as_the_limit_and_no_larger)
{
    for (size_t size_max = 9; size_max <= 11; size_max++) {
        struct rf_buffer content;
        struct rf_error err = {0};
        put("a", "0123456789");
        rf_buffer_init(&content, size_max);

        bool ok = rf_file_read("a", &content, &err);

        ck_assert_int_eq(ok, size_max >= 10);
        if (!ok) {
            ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
            ck_assert_str_eq(err.message, "reading a: larger than 9 bytes");
        }
        rf_buffer_deinit(&content);
    }
}
END_TEST

START_TEST(a_large_file_is_read_in_many_pieces)
{
    const size_t size = 3 * 65536 + 17;
    struct rf_buffer content;
    struct rf_error err = {0};
    char *text = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i % 26);
    text[size] = '\0';
    put("large", text);
    rf_buffer_init(&content, size);

    ck_assert_msg(rf_file_read("large", &content, &err), "%s", err.message);

    ck_assert(rf_bytes_equal(rf_buffer_bytes(&content), rf_bytes_of_text(text)));
    rf_buffer_deinit(&content);
    free(text);
}
END_TEST

START_TEST(what_the_system_refuses_is_said_with_its_reason)
{
    struct rf_buffer content;
    struct rf_error err = {0};
    rf_buffer_init(&content, 100);
    put("a", "x");

    ck_assert(!rf_file_read("none", &content, &err));
    ck_assert_str_eq(err.message, "opening none: No such file or directory");
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_int_eq(err.origin_code, ENOENT);
    rf_error_clear(&err);
    ck_assert(!rf_file_read(".", &content, &err));
    ck_assert_str_eq(err.message, "reading .: Is a directory");
    rf_error_clear(&err);
    ck_assert(!rf_file_write("none/b", rf_bytes_of_text("x"), 0600, &err));
    ck_assert_str_eq(err.message, "writing none/b: No such file or directory");
    rf_error_clear(&err);
    ck_assert(!rf_file_make_directory("a/b", &err));
    ck_assert_str_eq(err.message, "making directory a/b: Not a directory");
    rf_buffer_deinit(&content);
}
END_TEST

START_TEST(a_write_that_fails_leaves_the_old_file_and_nothing_beside_it)
{
    struct rf_error err = {0};
    struct rf_arena arena;
    struct rf_file_names names;
    make("d/in-the-way");
    rf_arena_init(&arena, 1000);

    ck_assert(!rf_file_write("d/in-the-way", rf_bytes_of_text("x"), 0600, &err));

    rf_error_clear(&err);
    ck_assert_msg(rf_file_list("d", &arena, &names, &err), "%s", err.message);
    ck_assert_uint_eq(names.count, 1);
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(directories_are_made_with_their_parents_for_the_owner_alone)
{
    struct stat status;

    make("a/b//c/");
    make("a/b/c");
    make(root);

    ck_assert_int_eq(stat("a/b/c", &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0700);
}
END_TEST

START_TEST(a_list_is_sorted_and_complete)
{
    struct rf_error err = {0};
    struct rf_arena arena;
    struct rf_file_names names;
    rf_arena_init(&arena, 1000);
    make("many");
    for (int i = 99; i >= 0; i--) {
        char path[32];
        snprintf(path, sizeof path, "many/%02d", i);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        ck_assert_int_ge(fd, 0);
        close(fd);
    }

    ck_assert_msg(rf_file_list("many", &arena, &names, &err), "%s", err.message);

    ck_assert_uint_eq(names.count, 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(atoi(names.items[i]), i);
    make("empty");
    ck_assert(rf_file_list("empty", &arena, &names, &err));
    ck_assert_uint_eq(names.count, 0);
    ck_assert(!rf_file_list("none", &arena, &names, &err));
    ck_assert_str_eq(err.message, "listing none: No such file or directory");
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(a_tree_is_removed_and_links_in_it_are_not_followed)
{
    struct rf_error err = {0};
    char outside[100];
    make("outside");
    put("outside/precious", "x");
    make("stores/task-1/deep/deeper");
    put("stores/task-1/deep/file", "x");
    make("stores/task-2");
    snprintf(outside, sizeof outside, "%s/outside", root);
    ck_assert_int_eq(symlink(outside, "stores/task-1/deep/link"), 0);
    ck_assert_int_eq(symlink("../../outside/precious", "stores/task-1/file-link"), 0);

    ck_assert_msg(rf_file_remove_tree("stores", "task-1", &err), "%s", err.message);
    ck_assert_msg(rf_file_remove_tree("stores", "task-1", &err), "%s",
                  err.message); /* it is gone: fine */

    ck_assert_int_eq(access("stores/task-1", F_OK), -1);
    ck_assert_int_eq(access("stores/task-2", F_OK), 0);
    assert_holds("outside/precious", "x");
}
END_TEST

START_TEST(a_path_that_leads_out_of_the_root_is_refused)
{
    static const char *const leading_out[] = {"",     ".",       "..",           "../outside",
                                              "/etc", "a/../..", "a//../b",      "./a",
                                              "a/",   "a/.",     "link/precious"};
    make("outside");
    put("outside/precious", "x");
    make("stores/a");
    ck_assert_int_eq(symlink("../outside", "stores/link"), 0);

    for (size_t i = 0; i < sizeof leading_out / sizeof leading_out[0]; i++) {
        struct rf_error err = {0};

        ck_assert_msg(!rf_file_remove_tree("stores", leading_out[i], &err), "%s", leading_out[i]);
        ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    }

    ck_assert_int_eq(access("stores/a", F_OK), 0);
    assert_holds("outside/precious", "x");
    struct rf_error err = {0};
    ck_assert_msg(rf_file_remove_tree("stores", "link", &err), "%s",
                  err.message); /* the link itself */
    assert_holds("outside/precious", "x");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/file");
    TCase *tcase = tcase_create("file");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_written_is_read_and_replaced);
    tcase_add_test(tcase, a_file_may_be_as_large_as_the_limit_and_no_larger);
    tcase_add_test(tcase, a_large_file_is_read_in_many_pieces);
    tcase_add_test(tcase, what_the_system_refuses_is_said_with_its_reason);
    tcase_add_test(tcase, a_write_that_fails_leaves_the_old_file_and_nothing_beside_it);
    tcase_add_test(tcase, directories_are_made_with_their_parents_for_the_owner_alone);
    tcase_add_test(tcase, a_list_is_sorted_and_complete);
    tcase_add_test(tcase, a_tree_is_removed_and_links_in_it_are_not_followed);
    tcase_add_test(tcase, a_path_that_leads_out_of_the_root_is_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
