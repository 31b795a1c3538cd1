/* edge/stream/owners: which instance a member belongs to, and which partitions it has, whatever the bytes are. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "edge/stream/watch.h"

START_TEST(a_name_says_the_instance_and_its_address)
{
    struct rf_watched_owner owner;
    char name[512];

    rf_owner_name("host-a-3", "10.0.0.7:8088", name, sizeof name);
    ck_assert_str_eq(name, "host-a-3;http=10.0.0.7:8088");
    ck_assert(rf_owner_parse(name, &owner));
    ck_assert_str_eq(owner.instance, "host-a");
    ck_assert_str_eq(owner.address, "10.0.0.7:8088");

    rf_owner_name("one-0", NULL, name, sizeof name);
    ck_assert_str_eq(name, "one-0");
    ck_assert(rf_owner_parse(name, &owner));
    ck_assert_str_eq(owner.instance, "one");
    ck_assert_str_eq(owner.address, "");
}
END_TEST

START_TEST(a_client_that_is_not_ours_is_no_instance)
{
    static const char *const names[] = {"", "rdkafka", "-1", ";http=x", "-;http=x"};
    struct rf_watched_owner owner;
    char longest[1000];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(!rf_owner_parse(names[i], &owner), "%s", names[i]);
    memset(longest, 'x', sizeof longest);
    memcpy(longest + sizeof longest - 3, "-0", 3);
    ck_assert(!rf_owner_parse(longest, &owner));
}
END_TEST

/* Version 1; topic "a": 7; topic "calls": 2, 0; no user data. */
static const uint8_t assignment[] = {0, 1, 0, 0, 0, 2,   0,   1,   'a',  0,    0,    0,   1, 0,
                                     0, 0, 7, 0, 5, 'c', 'a', 'l', 'l',  's',  0,    0,   0, 2,
                                     0, 0, 0, 2, 0, 0,   0,   0,   0xff, 0xff, 0xff, 0xff};

START_TEST(a_member_has_the_partitions_that_its_assignment_names)
{
    const struct rf_watched_owner owner = {.instance = "one"};
    struct rf_watched_owner owners[4] = {0};

    rf_owner_note(rf_bytes_of(assignment, sizeof assignment), "calls", &owner, owners, 4);

    ck_assert_str_eq(owners[0].instance, "one");
    ck_assert_str_eq(owners[1].instance, "");
    ck_assert_str_eq(owners[2].instance, "one");
    ck_assert_str_eq(owners[3].instance, "");
}
END_TEST

/* Each is in memory of its own size: a sanitizer sees what is read behind it. */
START_TEST(an_assignment_that_is_cut_or_broken_gives_nothing_that_is_not_there)
{
    const struct rf_watched_owner owner = {.instance = "one"};

    for (size_t size = 0; size < sizeof assignment; size++) {
        for (size_t at = 0; at <= size; at++) {
            struct rf_watched_owner owners[4] = {0};
            uint8_t *bytes = malloc(size + 1);

            ck_assert_ptr_nonnull(bytes);
            memcpy(bytes, assignment, size);
            if (at < size)
                bytes[at] = 0xff;
            bytes = realloc(bytes, size == 0 ? 1 : size);
            ck_assert_ptr_nonnull(bytes);
            rf_owner_note(rf_bytes_of(bytes, size), "calls", &owner, owners, 4);
            ck_assert_str_eq(owners[1].instance, "");
            ck_assert_str_eq(owners[3].instance, "");
            free(bytes);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/stream/owners");
    TCase *tcase = tcase_create("owners");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(tcase, a_name_says_the_instance_and_its_address);
    tcase_add_test(tcase, a_client_that_is_not_ours_is_no_instance);
    tcase_add_test(tcase, a_member_has_the_partitions_that_its_assignment_names);
    tcase_add_test(tcase, an_assignment_that_is_cut_or_broken_gives_nothing_that_is_not_there);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
