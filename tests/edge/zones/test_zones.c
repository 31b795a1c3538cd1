/* edge/zones: offsets from the system's database, and only from there. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/zones/zones.h"

static bool offset(const char *zone, int64_t seconds, int32_t *found)
{
    struct rf_zone_table *table = rf_zone_table_open();
    struct rf_zones zones = rf_zone_table_zones(table);
    bool known = zones.offset(zones.self, rf_bytes_of_text(zone), seconds, found);

    rf_zone_table_close(table);
    return known;
}

START_TEST(summer_time_begins_at_its_instant)
{
    int32_t found = 0;

    /* 2024-03-31T01:00:00Z */
    ck_assert(offset("Europe/Berlin", 1711846799, &found));
    ck_assert_int_eq(found, 3600);
    ck_assert(offset("Europe/Berlin", 1711846800, &found));
    ck_assert_int_eq(found, 7200);
    ck_assert(offset("Asia/Kathmandu", 1234567890, &found));
    ck_assert_int_eq(found, 20700);
}
END_TEST

START_TEST(the_process_zone_is_not_asked)
{
    int32_t found = 0;

    setenv("TZ", "Asia/Tokyo", 1);

    ck_assert(offset("America/St_Johns", 1234567890, &found));
    ck_assert_int_eq(found, -12600);
    ck_assert(!offset("", 1234567890, &found));
}
END_TEST

START_TEST(what_is_no_zone_is_said_to_be_none)
{
    static const char *const names[] = {"Europe/Atlantis", "/etc/localtime", "../../etc/passwd",
                                        "CET-1CEST",       "+02:00",         "Europe/Berlin ",
                                        "europe//berlin"};
    int32_t found = 0;

    ck_assert_msg(!offset(names[_i], 0, &found), "%s is taken for a zone", names[_i]);
}
END_TEST

struct search {
    const char *wanted;
    size_t count;
    bool found;
};

static void see(void *to, struct rf_bytes name)
{
    struct search *search = to;

    search->count++;
    search->found = search->found || rf_bytes_equal(name, rf_bytes_of_text(search->wanted));
}

START_TEST(the_names_can_be_seen_where_the_database_has_a_list)
{
    struct rf_zone_table *table = rf_zone_table_open();
    struct rf_zones zones = rf_zone_table_zones(table);
    struct search search = {.wanted = "Europe/Berlin"};

    zones.each(zones.self, see, &search);
    ck_assert(search.found);
    ck_assert_uint_gt(search.count, 300);

    search = (struct search){.wanted = "Europe/Berlin"};
    setenv("TZDIR", "/nowhere", 1);
    zones.each(zones.self, see, &search);
    ck_assert_uint_eq(search.count, 0);
    rf_zone_table_close(table);
}
END_TEST

START_TEST(a_stream_of_nonsense_is_answered_after_the_table_is_full)
{
    struct rf_zone_table *table = rf_zone_table_open();
    struct rf_zones zones = rf_zone_table_zones(table);
    int32_t found = 0;
    char name[32];

    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "Nowhere/%d", i);
        ck_assert(!zones.offset(zones.self, rf_bytes_of_text(name), 0, &found));
    }
    ck_assert(zones.offset(zones.self, rf_bytes_of_text("Asia/Tokyo"), 0, &found));
    ck_assert_int_eq(found, 32400);
    rf_zone_table_close(table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/zones");
    TCase *tcase = tcase_create("zones");
    tcase_add_test(tcase, summer_time_begins_at_its_instant);
    tcase_add_test(tcase, the_process_zone_is_not_asked);
    tcase_add_loop_test(tcase, what_is_no_zone_is_said_to_be_none, 0, 7);
    tcase_add_test(tcase, the_names_can_be_seen_where_the_database_has_a_list);
    tcase_add_test(tcase, a_stream_of_nonsense_is_answered_after_the_table_is_full);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
