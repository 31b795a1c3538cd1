/* core/base/arena: what it gives is aligned, apart, and lasts until the reset; a steady state allocates nothing. */
#include <check.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

START_TEST(allocations_are_aligned_and_do_not_touch_one_another)
{
    enum {
        COUNT = 2000
    };
    struct rf_arena arena;
    uint8_t *rooms[COUNT];
    rf_arena_init(&arena, 1000);

    for (size_t i = 0; i < COUNT; i++) {
        size_t size = i * 7 % 300;
        bool aligned = i % 3 != 0;
        rooms[i] = aligned ? rf_arena_alloc(&arena, size) : rf_arena_alloc_bytes(&arena, size);
        ck_assert_ptr_nonnull(rooms[i]);
        if (aligned)
            ck_assert_uint_eq((uintptr_t)rooms[i] % alignof(max_align_t), 0);
        memset(rooms[i], (int)(i % 251), size);
    }

    for (size_t i = 0; i < COUNT; i++) {
        uint8_t expected[300];
        memset(expected, (int)(i % 251), sizeof expected);
        ck_assert_int_eq(memcmp(rooms[i], expected, i * 7 % 300), 0);
    }
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(what_is_larger_than_a_chunk_gets_its_own)
{
    struct rf_arena arena;
    rf_arena_init(&arena, 64);

    char *small = rf_arena_copy_text(&arena, "small");
    uint8_t *large = rf_arena_alloc(&arena, 1000000);
    memset(large, 1, 1000000);
    char *again = rf_arena_copy_text(&arena, "again");

    ck_assert_str_eq(small, "small");
    ck_assert_str_eq(again, "again");
    ck_assert_uint_ge(arena.reserved, 1000064);
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(a_chunk_is_used_to_its_last_byte)
{
    struct rf_arena arena;
    rf_arena_init(&arena, 64);

    uint8_t *first = rf_arena_alloc_bytes(&arena, 30);
    uint8_t *second = rf_arena_alloc_bytes(&arena, 34);

    ck_assert_ptr_eq(second, first + 30);
    ck_assert_uint_eq(arena.reserved, 64);
    rf_arena_alloc_bytes(&arena, 1);
    ck_assert_uint_eq(arena.reserved, 128);
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(a_zeroed_allocation_is_zero_also_in_memory_that_was_used)
{
    struct rf_arena arena;
    rf_arena_init(&arena, 1000);
    memset(rf_arena_alloc(&arena, 500), 0xff, 500);
    rf_arena_reset(&arena, SIZE_MAX);

    uint8_t *room = rf_arena_alloc_zero(&arena, 500);

    for (size_t i = 0; i < 500; i++)
        ck_assert_uint_eq(room[i], 0);
    rf_arena_deinit(&arena);
}
END_TEST

static void fill(struct rf_arena *arena)
{
    for (size_t i = 0; i < 100; i++)
        memset(rf_arena_alloc(arena, i * 10), 7, i * 10);
}

START_TEST(a_steady_state_reserves_nothing_more)
{
    struct rf_arena arena;
    rf_arena_init(&arena, 4096);
    fill(&arena);
    size_t reserved = arena.reserved;

    for (int round = 0; round < 10; round++) {
        rf_arena_reset(&arena, SIZE_MAX);
        fill(&arena);
    }

    ck_assert_uint_eq(arena.reserved, reserved);
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(a_reset_keeps_no_more_than_it_is_told)
{
    struct rf_arena arena;
    rf_arena_init(&arena, 1000);
    fill(&arena);
    ck_assert_uint_gt(arena.reserved, 5000);

    rf_arena_reset(&arena, 5000);

    ck_assert_uint_le(arena.reserved, 5000);
    ck_assert_uint_gt(arena.reserved, 0);
    fill(&arena);
    rf_arena_reset(&arena, 0);
    ck_assert_uint_eq(arena.reserved, 0);
    ck_assert_ptr_null(arena.first);
    fill(&arena);
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(a_copy_has_a_terminator_that_is_not_counted)
{
    struct rf_arena arena;
    uint8_t source[] = {'a', 0, 'b'};
    rf_arena_init(&arena, 64);
    rf_arena_alloc_bytes(&arena, 1);

    struct rf_bytes copy = rf_arena_copy(&arena, rf_bytes_of(source, sizeof source));
    struct rf_bytes empty = rf_arena_copy(&arena, rf_bytes_of(NULL, 0));
    source[0] = 'z';

    ck_assert(rf_bytes_equal(copy, rf_bytes_of("a\0b", 3)));
    ck_assert_uint_eq(copy.data[3], 0);
    ck_assert_uint_eq(empty.size, 0);
    ck_assert_ptr_nonnull(empty.data);
    ck_assert_uint_eq(empty.data[0], 0);
    rf_arena_deinit(&arena);
}
END_TEST

START_TEST(printf_makes_as_much_room_as_it_takes)
{
    struct rf_arena arena;
    rf_arena_init(&arena, 64);

    char *text = rf_arena_printf(&arena, "%0*d|%s", 500, 1, "end");

    ck_assert_uint_eq(strlen(text), 504);
    ck_assert_str_eq(text + 499, "1|end");
    ck_assert_str_eq(rf_arena_printf(&arena, "%s", ""), "");
    rf_arena_deinit(&arena);
}
END_TEST

/* From: nothing, one chunk, several; to: new, in use, reset. */
START_TEST(what_is_adopted_outlives_its_first_arena)
{
    static const size_t counts[] = {0, 1, 40};

    for (size_t state = 0; state < 3; state++) {
        struct rf_arena arena;
        struct rf_arena from;
        const char *texts[40];
        const char *own = NULL;
        size_t used = 0;
        rf_arena_init(&arena, 100);
        rf_arena_init(&from, 100);
        if (state > 0)
            own = rf_arena_copy_text(&arena, "the arena's own");
        if (state == 2)
            rf_arena_reset(&arena, SIZE_MAX);
        for (size_t i = 0; i < counts[_i]; i++)
            texts[i] = rf_arena_printf(&from, "text number %zu", i);
        used = rf_arena_used(&arena) + rf_arena_used(&from);

        rf_arena_adopt(&arena, &from);
        ck_assert_uint_ge(rf_arena_used(&arena), used);
        ck_assert_uint_eq(rf_arena_used(&from), 0);
        rf_arena_copy_text(&from, "what comes later");
        rf_arena_deinit(&from);
        for (size_t i = 0; i < 100; i++) /* does not write over it */
            memset(rf_arena_alloc(&arena, 30), 0xff, 30);

        for (size_t i = 0; i < counts[_i]; i++) {
            char expected[40];
            snprintf(expected, sizeof expected, "text number %zu", i);
            ck_assert_str_eq(texts[i], expected);
        }
        if (state == 1)
            ck_assert_str_eq(own, "the arena's own");
        rf_arena_deinit(&arena);
    }
}
END_TEST

START_TEST(an_arena_of_no_chunks_asserts)
{
    struct rf_arena arena;

    rf_arena_init(&arena, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/base/arena");
    TCase *tcase = tcase_create("arena");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, allocations_are_aligned_and_do_not_touch_one_another);
    tcase_add_test(tcase, what_is_larger_than_a_chunk_gets_its_own);
    tcase_add_test(tcase, a_chunk_is_used_to_its_last_byte);
    tcase_add_test(tcase, a_zeroed_allocation_is_zero_also_in_memory_that_was_used);
    tcase_add_test(tcase, a_steady_state_reserves_nothing_more);
    tcase_add_test(tcase, a_reset_keeps_no_more_than_it_is_told);
    tcase_add_test(tcase, a_copy_has_a_terminator_that_is_not_counted);
    tcase_add_test(tcase, printf_makes_as_much_room_as_it_takes);
    tcase_add_loop_test(tcase, what_is_adopted_outlives_its_first_arena, 0, 3);
    tcase_add_test_raise_signal(tcase, an_arena_of_no_chunks_asserts, SIGABRT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
