#include <check.h>
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

START_TEST(a_connection_whose_time_is_up_is_cut_and_no_other)
{
    static struct rf_guard guard;
    int sockets[2][2];
    char byte = 0;

    rf_guard_init(&guard);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets[i]), 0);
    struct rf_guard_entry *first = rf_guard_enter(&guard, sockets[0][0], 1000);
    struct rf_guard_entry *second = rf_guard_enter(&guard, sockets[1][0], 2000);

    ck_assert_uint_eq(rf_guard_sweep(&guard, 999), 0);
    ck_assert_uint_eq(rf_guard_sweep(&guard, 1000), 1);
    ck_assert_uint_eq(rf_guard_sweep(&guard, 1000), 0);
    ck_assert_int_eq(recv(sockets[0][1], &byte, 1, MSG_DONTWAIT), 0); /* its end */
    ck_assert_int_eq(recv(sockets[1][1], &byte, 1, MSG_DONTWAIT), -1);
    rf_guard_set(&guard, second, INT64_MAX);
    ck_assert_uint_eq(rf_guard_sweep(&guard, INT64_MAX - 1), 0);

    rf_guard_leave(&guard, first);
    ck_assert_uint_eq(rf_guard_count(&guard), 1);
    rf_guard_leave(&guard, second);
    rf_guard_deinit(&guard);
    for (int i = 0; i < 2; i++) {
        close(sockets[i][0]);
        close(sockets[i][1]);
    }
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
    tcase_add_test(tests, a_second_reader_gets_nothing_twice_and_the_first_misses_nothing);
    tcase_add_test(tests, a_reader_that_does_not_read_is_ended_and_costs_no_more_than_its_queue);
    tcase_add_test(tests, readers_are_limited_and_a_closed_feed_ends_them);
    tcase_add_test(tests, more_than_readers_can_take_is_cut_to_the_newest);
    tcase_add_test(tests, a_new_reader_gets_the_past_and_one_that_comes_back_does_not);
    tcase_add_test(tests, a_past_that_is_too_large_is_cut_to_its_newest_part);
    tcase_add_test(tests, a_connection_whose_time_is_up_is_cut_and_no_other);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
