/* core/task/record_table: a table that forgets as well as it remembers. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/task/record_table.h"

#define KEYS 5000

static struct rf_bytes key_of(char text[16], int i)
{
    return rf_bytes_of(text, (size_t)snprintf(text, 16, "c%d", i));
}

/* Few distinct hashes: long runs of collisions, which is where removing goes wrong. */
static uint64_t hash_of(struct rf_bytes key, bool colliding)
{
    return colliding ? rf_hash64(key) % 7 : rf_hash64(key);
}

START_TEST(what_was_inserted_is_found_and_what_was_removed_is_not)
{
    bool colliding = _i == 1;
    int keys = colliding ? 300 : KEYS;
    struct rf_record_table table;
    char text[16];
    rf_record_table_init(&table);

    for (int i = 0; i < keys; i++) {
        struct rf_bytes key = key_of(text, i);
        rf_record_table_insert(&table, key, hash_of(key, colliding));
    }
    for (int i = 0; i < keys; i += 3) {
        struct rf_bytes key = key_of(text, i);
        rf_record_table_remove(&table, rf_record_table_find(&table, key, hash_of(key, colliding)));
    }

    for (int i = 0; i < keys; i++) {
        struct rf_bytes key = key_of(text, i);
        struct rf_record_entry *entry = rf_record_table_find(&table, key, hash_of(key, colliding));
        ck_assert_msg((entry != NULL) == (i % 3 != 0), "key %d", i);
        if (entry != NULL)
            ck_assert_ptr_eq(table.entries[entry->index], entry);
    }
    ck_assert_uint_eq(table.count, (size_t)(keys - (keys + 2) / 3));
    rf_record_table_deinit(&table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/task/record_table");
    TCase *tcase = tcase_create("record_table");
    tcase_add_loop_test(tcase, what_was_inserted_is_found_and_what_was_removed_is_not, 0, 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
