#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/ops/feed.h"
#include "edge/ops/guard.h"
#include "support/fake_inspect.h"

static struct rf_feed feed;
static struct fake_inspect fake;
static struct rf_inspect port;
static int woken, slept;
static char text[RF_FEED_QUEUE_MAX + 1];

static void wake(void *connection)
{
    ck_assert_ptr_eq(connection, &woken);
    woken++;
}

static void put_to_sleep(void *connection)
{
    ck_assert_ptr_eq(connection, &woken);
    slept++;
}

static void setup(void)
{
    woken = slept = 0;
    fake_inspect_init(&fake);
    port = fake_inspect_port(&fake);
    rf_feed_init(&feed, 77, wake);
}

static struct rf_feed_reader *join(const char *last_id)
{
    return rf_feed_join(&feed, &woken, last_id, &port);
}

/* All that is there for the reader. */
static enum rf_feed_read read_all(struct rf_feed_reader *reader)
{
    size_t total = 0, size = 0;
    enum rf_feed_read result;

    while ((result = rf_feed_read(&feed, reader, text + total, 700, &size, put_to_sleep)) ==
           RF_FEED_SOME)
        total += size;
    text[total] = '\0';
    return result;
}

static size_t count_of(const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

START_TEST(a_new_reader_gets_what_was_there_and_then_what_comes)
{
    fake_inspect_emit(&fake, 3);
    struct rf_feed_reader *reader = join(NULL);

    ck_assert_int_eq(read_all(reader), RF_FEED_NONE);
    ck_assert_uint_eq(count_of("event: derived\nid: "), 3);
    ck_assert_int_eq(slept, 1);

    fake_inspect_emit(&fake, 2);
    rf_feed_write(&feed, &port, rf_bytes_of_text("{\"n\":1}"));
    ck_assert_int_eq(woken, 1);
    ck_assert_int_eq(read_all(reader), RF_FEED_NONE);
    ck_assert_uint_eq(count_of("event: derived\nid: "), 2);
    ck_assert_uint_eq(count_of("id: 77-4\n"), 1);
    ck_assert_uint_eq(count_of("event: tick\ndata: {\"n\":1}\n\n"), 1);
    rf_feed_leave(&feed, reader);
}
END_TEST

START_TEST(a_reader_that_comes_back_goes_on_where_it_was)
{
    fake_inspect_emit(&fake, 5);
    struct rf_feed_reader *reader = join("77-3");

    read_all(reader);
    ck_assert_uint_eq(count_of("event: derived"), 2);
    ck_assert_uint_eq(count_of("id: 77-4\n"), 1);
    rf_feed_leave(&feed, reader);

    /* Of another life of the process, or none that we gave: it gets all there is. */
    static const char *const foreign[] = {"76-3", "3", "77-", "-3", "77-x", "", "77-3-3"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        reader = join(foreign[i]);
        read_all(reader);
        ck_assert_uint_eq(count_of("event: derived"), 5);
        rf_feed_leave(&feed, reader);
    }
}
END_TEST

START_TEST(who_claims_to_have_seen_what_is_to_come_silences_nobody)
{
    fake_inspect_emit(&fake, 2);
    struct rf_feed_reader *liar = join("77-18446744073709551615");
    struct rf_feed_reader *reader = join(NULL);

    read_all(liar);
    ck_assert_uint_eq(count_of("event: derived"), 2);
    read_all(reader);
    fake_inspect_emit(&fake, 3);
    rf_feed_write(&feed, &port, (struct rf_bytes){0});
    read_all(reader);
    ck_assert_uint_eq(count_of("event: derived"), 3);
    rf_feed_leave(&feed, liar);
    rf_feed_leave(&feed, reader);
}
END_TEST

START_TEST(other_workers_count_from_one_again_and_nothing_is_missed)
{
    fake_inspect_emit(&fake, 5);
    struct rf_feed_reader *reader = join(NULL);
    read_all(reader);

    fake_inspect_init(&fake);
    rf_feed_begin_life(&feed, 77); /* at the same moment, by the clock */
    fake_inspect_emit(&fake, 2);
    rf_feed_write(&feed, &port, (struct rf_bytes){0});

    read_all(reader);
    ck_assert_uint_eq(count_of("event: derived"), 2);
    ck_assert_uint_eq(count_of("id: 78-1\n"), 1);
    rf_feed_leave(&feed, reader);
}
END_TEST

START_TEST(a_second_reader_gets_nothing_twice_and_the_first_misses_nothing)
{
    fake_inspect_emit(&fake, 1);
    struct rf_feed_reader *first = join(NULL);
    read_all(first);
    fake_inspect_emit(&fake, 1);

    struct rf_feed_reader *second = join(NULL);
    rf_feed_write(&feed, &port, (struct rf_bytes){0});

    read_all(first);
    ck_assert_uint_eq(count_of("id: 77-2\n"), 1);
    read_all(second);
    ck_assert_uint_eq(count_of("id: 77-1\n"), 1);
    ck_assert_uint_eq(count_of("id: 77-2\n"), 1);
    rf_feed_leave(&feed, first);
    rf_feed_leave(&feed, second);
}
END_TEST

START_TEST(a_reader_that_does_not_read_is_ended_and_costs_no_more_than_its_queue)
{
    static char tick[60 * 1024];
    struct rf_feed_reader *slow = join(NULL);

    memset(tick, 'x', sizeof tick);
    for (int i = 0; i < 20; i++) {
        rf_feed_write(&feed, &port, rf_bytes_of(tick, sizeof tick));
        ck_assert_uint_le(slow->queue.size, RF_FEED_QUEUE_MAX);
    }
    ck_assert_int_eq(read_all(slow), RF_FEED_END);
    rf_feed_leave(&feed, slow);
}
END_TEST

START_TEST(readers_are_limited_and_a_closed_feed_ends_them)
{
    struct rf_feed_reader *readers[RF_FEED_READERS_MAX];

    for (int i = 0; i < RF_FEED_READERS_MAX; i++) {
        readers[i] = join(NULL);
        ck_assert_ptr_nonnull(readers[i]);
    }
    ck_assert_ptr_null(join(NULL));
    read_all(readers[0]);

    rf_feed_close(&feed);

    ck_assert_int_eq(woken, 1); /* the one that slept */
    for (int i = 0; i < RF_FEED_READERS_MAX; i++) {
        ck_assert_int_eq(read_all(readers[i]), RF_FEED_END);
        rf_feed_leave(&feed, readers[i]);
    }
    ck_assert_ptr_null(join(NULL));
    rf_feed_deinit(&feed);
}
END_TEST

START_TEST(more_than_readers_can_take_is_cut_to_the_newest)
{
    static char large[RF_FEED_QUEUE_MAX / 4];
    fake_inspect_emit(&fake, 10);
    memset(large, '1', sizeof large);
    for (int i = 0; i < 10; i++)
        fake.recents[i].text = rf_bytes_of(large, sizeof large);

    struct rf_feed_reader *reader = join(NULL);

    read_all(reader);
    ck_assert_uint_eq(count_of("event: derived"), 1);
    ck_assert_uint_eq(count_of("id: 77-10\n"), 1);
    rf_feed_leave(&feed, reader);
}
END_TEST

START_TEST(a_new_reader_gets_the_past_and_one_that_comes_back_does_not)
{
    char tick[32];

    for (int i = 0; i < RF_FEED_PAST + 5; i++) {
        snprintf(tick, sizeof tick, "{\"n\":%d}", i);
        rf_feed_keep(&feed, rf_bytes_of_text(tick));
    }
    struct rf_feed_reader *reader = join(NULL);
    read_all(reader);
    ck_assert_uint_eq(count_of("event: past"), RF_FEED_PAST);
    ck_assert_uint_eq(count_of("{\"n\":4}"), 0);
    ck_assert_ptr_nonnull(strstr(text, "{\"age\":0,\"tick\":{\"n\":5}}\n\n"));
    ck_assert(strstr(text, "{\"n\":5}") < strstr(text, "{\"n\":64}"));
    rf_feed_leave(&feed, reader);

    reader = join("77-1");
    read_all(reader);
    ck_assert_uint_eq(count_of("event: past"), 0);
    rf_feed_leave(&feed, reader);
    rf_feed_close(&feed);
    rf_feed_deinit(&feed);
}
END_TEST

START_TEST(a_past_that_is_too_large_is_cut_to_its_newest_part)
{
    static char tick[RF_FEED_QUEUE_MAX / 10];

    memset(tick, '1', sizeof tick);
    for (int i = 0; i < 9; i++)
        rf_feed_keep(&feed, rf_bytes_of(tick, sizeof tick));
    struct rf_feed_reader *reader = join(NULL);

    ck_assert_uint_le(reader->queue.size, RF_FEED_QUEUE_MAX / 4);
    read_all(reader);
    ck_assert_uint_eq(count_of("event: past"), 2);
    rf_feed_leave(&feed, reader);
}
END_TEST

/* ---- the guard ---- */

#define PAIRS 130

static struct rf_guard guard;
static int ours[PAIRS], theirs[PAIRS];
static struct rf_guard_entry *entries[PAIRS];

static void set_up_guard(void)
{
    rf_guard_init(&guard, 16);
    for (int i = 0; i < PAIRS; i++) {
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        ours[i] = pair[0];
        theirs[i] = pair[1];
        entries[i] = NULL;
    }
}

static void tear_down_guard(void)
{
    for (int i = 0; i < PAIRS; i++) {
        if (entries[i] != NULL)
            rf_guard_leave(&guard, entries[i]);
        close(ours[i]);
        close(theirs[i]);
    }
    rf_guard_deinit(&guard);
}

static bool is_cut(int i)
{
    struct pollfd end = {.fd = theirs[i], .events = POLLRDHUP};

    return poll(&end, 1, 0) == 1;
}

/* From 10.0.0.`host`, at the instant `i`, after those that are cut were closed. */
static bool enter(int i, uint32_t host)
{
    for (int k = 0; k < i; k++) {
        if (entries[k] != NULL && is_cut(k)) {
            rf_guard_leave(&guard, entries[k]);
            entries[k] = NULL;
        }
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(0x0a000000U + host)};

    entries[i] =
        rf_guard_enter(&guard, ours[i], (const struct sockaddr *)(const void *)&address, i);
    return entries[i] != NULL;
}

static size_t count_open(void)
{
    uint64_t made_room = 0;

    return rf_guard_count(&guard, &made_room);
}

START_TEST(a_connection_whose_time_is_up_is_cut_and_no_other)
{
    rf_ns up = RF_GUARD_REQUEST_NS;
    enter(0, 1);
    enter(1, 1);

    ck_assert_uint_eq(rf_guard_sweep(&guard, up - 1), 0);
    ck_assert_uint_eq(rf_guard_sweep(&guard, up), 1);
    ck_assert_uint_eq(rf_guard_sweep(&guard, up), 0);

    ck_assert(is_cut(0));
    ck_assert(!is_cut(1));
    rf_guard_serve(&guard, entries[1], INT64_MAX);
    ck_assert_uint_eq(rf_guard_sweep(&guard, INT64_MAX - 1), 0);
    rf_guard_await(&guard, entries[1], 7);
    ck_assert_uint_eq(rf_guard_sweep(&guard, up + 6), 0);
    ck_assert_uint_eq(rf_guard_sweep(&guard, up + 7), 1);
    ck_assert(is_cut(1));
}
END_TEST

START_TEST(the_oldest_silent_connection_of_an_address_at_its_share_makes_room_for_its_own)
{
    for (int i = 0; i < 16; i++)
        ck_assert(enter(i, i < 15 ? 1 : 2));
    ck_assert(enter(16, 1));
    rf_guard_serve(&guard, entries[0], INT64_MAX);
    ck_assert_int_eq(send(theirs[1], "G", 1, 0), 1); /* which we did not read yet */

    ck_assert(enter(17, 1));
    ck_assert(enter(18, 1));

    for (int i = 0; i < 19; i++)
        ck_assert_msg(is_cut(i) == (i == 2 || i == 3), "connection %d", i);
    ck_assert_uint_eq(count_open(), 17);
}
END_TEST

START_TEST(an_address_whose_share_is_served_gets_no_more_and_others_do)
{
    for (int i = 0; i < 16; i++) {
        ck_assert(enter(i, 1));
        rf_guard_serve(&guard, entries[i], INT64_MAX);
    }

    ck_assert(!enter(16, 1));
    ck_assert(enter(17, 2));

    for (int i = 0; i < 16; i++)
        ck_assert_msg(!is_cut(i), "connection %d", i);
    rf_guard_leave(&guard, entries[0]);
    entries[0] = NULL;
    ck_assert(enter(16, 1));
}
END_TEST

START_TEST(when_more_than_half_is_taken_who_has_most_that_are_silent_makes_room)
{
    size_t left[8] = {0};
    for (int i = 0; i < 64; i++)
        ck_assert(enter(i, 2 + (uint32_t)i / 8)); /* eight each */
    rf_guard_leave(&guard, entries[1]);
    entries[1] = NULL;
    ck_assert(enter(1, 1));
    for (int i = 0; i < 64; i++)
        ck_assert_msg(!is_cut(i), "connection %d", i);

    for (int i = 64; i < PAIRS; i++)
        ck_assert(enter(i, 100 + (uint32_t)i % 4));

    ck_assert(!is_cut(1)); /* older than almost all, but the only one of its address */
    for (int i = 0; i < 64; i++)
        left[i / 8] += !is_cut(i);
    for (int i = 0; i < 8; i++)
        ck_assert_msg(left[i] >= 4 && left[i] <= 6, "%zu of 10.0.0.%d", left[i], 2 + i);
    ck_assert(is_cut(0) && !is_cut(63));
    ck_assert_uint_eq(count_open(), 64);
}
END_TEST

START_TEST(who_is_served_has_not_been_read_or_has_not_taken_its_answer_makes_no_room)
{
    for (int i = 0; i < 64; i++) {
        ck_assert(enter(i, (uint32_t)i / 8));
        rf_guard_serve(&guard, entries[i], INT64_MAX);
        if (i % 4 != 0)
            rf_guard_await(&guard, entries[i], i);
        if (i % 4 == 1)
            ck_assert_int_eq(send(theirs[i], "G", 1, 0), 1);
        if (i % 4 == 2)
            ck_assert_int_eq(send(ours[i], "H", 1, 0), 1);
    }

    for (int i = 64; i < 90; i++)
        ck_assert(enter(i, (uint32_t)i));

    ck_assert_uint_eq(count_open(), 64);
    for (int i = 0; i < 64; i++)
        ck_assert_msg(is_cut(i) == (i % 4 == 3), "connection %d", i);
}
END_TEST

START_TEST(the_sweep_makes_room_where_nobody_comes_in_any_more)
{
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(send(theirs[i], "G", 1, 0), 1);
        ck_assert(enter(i, (uint32_t)i));
    }
    ck_assert_uint_eq(count_open(), 100);
    for (int i = 0; i < 100; i++) {
        char byte = 0;

        ck_assert_int_eq(recv(ours[i], &byte, 1, 0), 1);
    }

    ck_assert_uint_eq(rf_guard_sweep(&guard, 100), 0);

    ck_assert_uint_eq(count_open(), 64);
    for (int i = 0; i < 100; i++)
        ck_assert_msg(is_cut(i) == (i < 36), "connection %d", i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/ops/feed");
    TCase *tests = tcase_create("feed");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_new_reader_gets_what_was_there_and_then_what_comes);
    tcase_add_test(tests, a_reader_that_comes_back_goes_on_where_it_was);
    tcase_add_test(tests, other_workers_count_from_one_again_and_nothing_is_missed);
    tcase_add_test(tests, who_claims_to_have_seen_what_is_to_come_silences_nobody);
    tcase_add_test(tests, a_second_reader_gets_nothing_twice_and_the_first_misses_nothing);
    tcase_add_test(tests, a_reader_that_does_not_read_is_ended_and_costs_no_more_than_its_queue);
    tcase_add_test(tests, readers_are_limited_and_a_closed_feed_ends_them);
    tcase_add_test(tests, more_than_readers_can_take_is_cut_to_the_newest);
    tcase_add_test(tests, a_new_reader_gets_the_past_and_one_that_comes_back_does_not);
    tcase_add_test(tests, a_past_that_is_too_large_is_cut_to_its_newest_part);
    suite_add_tcase(suite, tests);
    tests = tcase_create("guard");
    tcase_add_checked_fixture(tests, set_up_guard, tear_down_guard);
    tcase_add_test(tests, a_connection_whose_time_is_up_is_cut_and_no_other);
    tcase_add_test(tests,
                   the_oldest_silent_connection_of_an_address_at_its_share_makes_room_for_its_own);
    tcase_add_test(tests, an_address_whose_share_is_served_gets_no_more_and_others_do);
    tcase_add_test(tests, when_more_than_half_is_taken_who_has_most_that_are_silent_makes_room);
    tcase_add_test(tests,
                   who_is_served_has_not_been_read_or_has_not_taken_its_answer_makes_no_room);
    tcase_add_test(tests, the_sweep_makes_room_where_nobody_comes_in_any_more);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
