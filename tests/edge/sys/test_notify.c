/* edge/sys/notify: what a supervisor hears, on a real datagram socket, by path and by abstract name. */
#include <check.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "edge/sys/clock.h"
#include "edge/sys/notify.h"

static char directory[] = "/tmp/test_notify_XXXXXX";
static char path[64];
static int listener = -1;

static void listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(name);

    memcpy(address.sun_path, name, size);
    listener = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1)),
                     0);
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/notify", directory);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    unsetenv("NOTIFY_SOCKET");
}

static void teardown(void)
{
    if (listener >= 0)
        close(listener);
    unlink(path);
    rmdir(directory);
}

/* The next datagram; "" where none is there. */
static const char *heard(void)
{
    static char text[1024];
    ssize_t size = recv(listener, text, sizeof text - 1, MSG_DONTWAIT);

    text[size < 0 ? 0 : size] = '\0';
    return text;
}

static void open_at(struct rf_notify *notify, const char *socket_name)
{
    struct rf_error err = {0};

    setenv("NOTIFY_SOCKET", socket_name, 1);
    ck_assert_msg(rf_notify_open(notify, &err), "%s", err.message);
}

#define ck_assert_told(call)                                                                       \
    do {                                                                                           \
        struct rf_error told = {0};                                                                \
        ck_assert_msg(call(&notify, &told), "%s", told.message);                                   \
    } while (0)

START_TEST(where_nobody_asked_nothing_is_said)
{
    struct rf_notify notify;
    struct rf_error err = {0};

    setenv("WATCHDOG_USEC", "1000000", 1);
    ck_assert(rf_notify_open(&notify, &err));

    ck_assert_int_eq(notify.watchdog, 0);
    ck_assert_told(rf_notify_ready);
    rf_notify_close(&notify);
}
END_TEST

START_TEST(a_life_is_told_from_ready_to_stopping)
{
    struct rf_notify notify;
    struct rf_error err = {0};
    int64_t before = rf_clock_monotonic_ns() / 1000;
    int64_t moment = 0;

    listen_at(path);
    open_at(&notify, path);
    ck_assert(rf_notify_extend(&notify, 30000, &err));
    ck_assert_str_eq(heard(), "EXTEND_TIMEOUT_USEC=30000000");
    ck_assert_told(rf_notify_ready);
    ck_assert_str_eq(heard(), "READY=1");
    ck_assert(rf_notify_status(&notify, "restoring: 3 of 8 tasks are ready\nREADY=1", &err));
    ck_assert_str_eq(heard(), "STATUS=restoring: 3 of 8 tasks are ready");
    ck_assert_told(rf_notify_watchdog);
    ck_assert_str_eq(heard(), "WATCHDOG=1");
    ck_assert_told(rf_notify_reloading);
    ck_assert_int_eq(sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &moment), 1);
    ck_assert_int_ge(moment, before);
    ck_assert_told(rf_notify_stopping);
    ck_assert_str_eq(heard(), "STOPPING=1");
    ck_assert_str_eq(heard(), "");
    rf_notify_close(&notify);
}
END_TEST

START_TEST(an_abstract_name_is_spoken_to)
{
    struct rf_notify notify;
    char name[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = (size_t)snprintf(name, sizeof name, "@ringfold-test-%d", (int)getpid());

    /* bound to exactly this name, as systemd binds: no zero byte belongs to it */
    memcpy(address.sun_path + 1, name + 1, size - 1);
    listener = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
                     0);
    open_at(&notify, name);

    ck_assert_told(rf_notify_ready);

    ck_assert_str_eq(heard(), "READY=1");
    rf_notify_close(&notify);
}
END_TEST

START_TEST(a_supervisor_that_has_gone_is_an_error_and_no_death)
{
    struct rf_notify notify;
    struct rf_error err = {0};

    listen_at(path);
    open_at(&notify, path);
    close(listener);
    listener = -1;

    ck_assert(!rf_notify_ready(&notify, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RETRY);
    ck_assert_ptr_nonnull(strstr(err.message, "NOTIFY_SOCKET"));
    rf_notify_close(&notify);
}
END_TEST

START_TEST(a_supervisor_that_does_not_listen_is_not_waited_for_without_end)
{
    struct rf_notify notify;
    struct rf_error err = {0};
    rf_ns before = rf_clock_monotonic_ns();
    int sent = 0;

    listen_at(path);
    open_at(&notify, path);
    while (sent < 100000 && rf_notify_watchdog(&notify, &err))
        sent++;

    ck_assert_int_eq(err.kind, RF_ERROR_RETRY); /* its queue is full */
    ck_assert_int_lt(rf_clock_monotonic_ns() - before, INT64_C(10000000000));
    rf_notify_close(&notify);
}
END_TEST

START_TEST(the_watchdog_is_for_the_process_that_it_names)
{
    struct rf_notify notify;
    char pid[16];

    snprintf(pid, sizeof pid, "%d", (int)getpid());
    listen_at(path);
    setenv("WATCHDOG_USEC", "2500000", 1);
    open_at(&notify, path);
    ck_assert_int_eq(notify.watchdog, 2500);
    rf_notify_close(&notify);
    setenv("WATCHDOG_PID", pid, 1);
    open_at(&notify, path);
    ck_assert_int_eq(notify.watchdog, 2500);
    rf_notify_close(&notify);
    setenv("WATCHDOG_PID", "1", 1);
    open_at(&notify, path);
    ck_assert_int_eq(notify.watchdog, 0);
    rf_notify_close(&notify);
}
END_TEST

START_TEST(an_address_of_no_known_form_is_an_error)
{
    static const char *const wrong[] = {"notify", "/", "@", "vsock:2:1234"};
    struct rf_notify notify;
    char long_path[200];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rf_error err = {0};

        setenv("NOTIFY_SOCKET", wrong[i], 1);
        ck_assert_msg(!rf_notify_open(&notify, &err), "%s", wrong[i]);
        ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
        ck_assert_ptr_nonnull(strstr(err.message, wrong[i]));
    }
    struct rf_error err = {0};
    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    setenv("NOTIFY_SOCKET", long_path, 1);
    ck_assert(!rf_notify_open(&notify, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/notify");
    TCase *tests = tcase_create("notify");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, where_nobody_asked_nothing_is_said);
    tcase_add_test(tests, a_life_is_told_from_ready_to_stopping);
    tcase_add_test(tests, an_abstract_name_is_spoken_to);
    tcase_add_test(tests, a_supervisor_that_has_gone_is_an_error_and_no_death);
    tcase_add_test(tests, a_supervisor_that_does_not_listen_is_not_waited_for_without_end);
    tcase_add_test(tests, the_watchdog_is_for_the_process_that_it_names);
    tcase_add_test(tests, an_address_of_no_known_form_is_an_error);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
