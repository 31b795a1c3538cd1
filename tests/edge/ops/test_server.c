/* The server on a real socket, with an instance that is not one behind it. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/ops/feed.h"
#include "edge/ops/server.h"
#include "edge/sys/file.h"
#include "support/fake_inspect.h"
#include "support/scratch.h"

#define TOKEN "0123456789abcdef0123"

static struct fake_inspect fake;
static struct rf_ops *ops;
static struct rf_ops_options options;
static char answer[1 << 20];

static void open_server(const char *listen_at)
{
    struct rf_error err = {0};
    struct rf_inspect port = fake_inspect_port(&fake);

    ck_assert(rf_address_parse(listen_at, &options.address));
    ops = rf_ops_open(&options, &err);
    ck_assert_msg(ops != NULL, "%s", err.message);
    rf_ops_attach(ops, &port);
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    fake_inspect_init(&fake);
    options = (struct rf_ops_options){
        .version = "9.9", .app = "orders", .instance = "a", .print_customer = fake_print_customer};
    open_server("127.0.0.1:0");
}

static void close_server(void)
{
    rf_ops_detach(ops, "stopping");
    rf_ops_close(ops);
    ops = NULL;
}

static void teardown(void)
{
    if (ops != NULL)
        close_server();
}

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int connection = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)atol(strrchr(rf_ops_address(ops), ':') + 1));
    ck_assert_int_eq(connect(connection, (struct sockaddr *)&address, sizeof address), 0);
    return connection;
}

static void say(int connection, const char *text)
{
    ck_assert_int_eq(send(connection, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Into `answer`, until `part` is in it, or the end. False: neither within ten seconds. */
static bool hear(int connection, const char *part)
{
    size_t size = 0;
    struct pollfd wait = {.fd = connection, .events = POLLIN};

    answer[0] = '\0';
    while (poll(&wait, 1, 10000) > 0) {
        ssize_t got = recv(connection, answer + size, sizeof answer - 1 - size, 0);

        if (got <= 0)
            return part == NULL;
        size += (size_t)got;
        answer[size] = '\0';
        if (part != NULL && strstr(answer, part) != NULL)
            return true;
    }
    return false;
}

/* One request on a connection of its own; its status. */
static int request(const char *line, const char *headers)
{
    char text[8192];
    int connection = dial();

    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
             line, headers);
    say(connection, text);
    ck_assert_msg(hear(connection, NULL), "no end: %s", answer);
    close(connection);
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static void has(const char *part)
{
    ck_assert_msg(strstr(answer, part) != NULL, "'%s' is not in\n%s", part, answer);
}

START_TEST(every_path_answers_get_and_head)
{
    static const char *const paths[] = {
        "/",        "/page.css", "/page.js",      "/icon.svg",
        "/metrics", "/livez",    "/openapi.json", "/lag",
        "/tasks",   "/rules",    "/dead-letters", "/customers/C-found"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char line[64];

        snprintf(line, sizeof line, "GET %s", paths[i]);
        ck_assert_msg(request(line, "") == 200, "%s: %s", line, answer);
        ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\n") + 4);
        ck_assert_int_ne(strstr(answer, "\r\n\r\n")[4], '\0');
        snprintf(line, sizeof line, "HEAD %s", paths[i]);
        ck_assert_msg(request(line, "") == 200, "%s: %s", line, answer);
        ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    }
}
END_TEST

START_TEST(answers_carry_the_headers_that_keep_a_browser_safe)
{
    ck_assert_int_eq(request("GET /", ""), 200);
    has("X-Content-Type-Options: nosniff\r\n");
    has("Cache-Control: no-store\r\n");
    has("Content-Security-Policy: default-src 'none'; script-src 'self'");
    has("frame-ancestors 'none'");
    has("Referrer-Policy: no-referrer\r\n");

    ck_assert_int_eq(request("GET /nothing", ""), 404);
    has("X-Content-Type-Options: nosniff\r\n");
    has("Content-Type: application/problem+json\r\n");
    has("\"status\":404");
}
END_TEST

START_TEST(other_methods_and_bodies_are_refused)
{
    ck_assert_int_eq(request("POST /metrics", ""), 405);
    has("Allow: GET, HEAD\r\n");
    ck_assert_int_eq(request("DELETE /customers/C1", ""), 405);
    ck_assert_int_eq(request("BREW /metrics", ""), 405);
    ck_assert_int_eq(request("POST /metrics", "Content-Length: 3\r\n"), 405);
    ck_assert_int_eq(request("GET /metrics", "Content-Length: 1000000000\r\n"), 413);
    ck_assert_int_eq(request("GET /metrics", "Transfer-Encoding: chunked\r\n"), 413);
    ck_assert_int_eq(request("GET /metrics", "Content-Length: 0\r\n"), 200);
}
END_TEST

START_TEST(requests_one_behind_another_are_answered_in_order)
{
    int connection = dial();

    say(connection, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /customers/C-found HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ck_assert(hear(connection, NULL));
    close(connection);

    const char *first = strstr(answer, "\"live\":true");
    const char *second = strstr(answer, "\"changelog_offset\":4711");
    const char *third = strstr(answer, "\"status\":404");
    ck_assert_msg(first != NULL && second != NULL && third != NULL, "%s", answer);
    ck_assert(first < second && second < third);
}
END_TEST

START_TEST(a_name_that_is_not_this_machines_is_refused_without_a_token)
{
    int connection = dial();

    say(connection, "GET /customers/C-found HTTP/1.1\r\nHost: evil.example:80\r\n\r\n");
    ck_assert(hear(connection, "HTTP/1.1 421"));
    close(connection);
    connection = dial();
    say(connection, "GET /livez HTTP/1.1\r\nHost: evil.example:80\r\n\r\n");
    ck_assert(hear(connection, "HTTP/1.1 200"));
    close(connection);
    ck_assert_uint_eq(fake.asked, 0);
}
END_TEST

START_TEST(a_token_is_needed_for_all_but_metrics_and_health)
{
    static const char *const guarded[] = {"GET /",
                                          "GET /page.js",
                                          "GET /openapi.json",
                                          "GET /lag",
                                          "GET /tasks",
                                          "GET /rules",
                                          "GET /events",
                                          "GET /customers/C-found",
                                          "HEAD /lag",
                                          "HEAD /customers/C-found",
                                          "HEAD /events",
                                          "GET /dead-letters"};
    struct rf_error err = {0};
    struct scratch scratch;
    char path[128];

    close_server();
    scratch_make(&scratch);
    snprintf(path, sizeof path, "%s/tokens", scratch.path);
    ck_assert(rf_file_write(path, rf_bytes_of_text("prometheus:" TOKEN "\n"), 0600, &err));
    options.token_file = path;
    open_server("127.0.0.1:0");

    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
        ck_assert_msg(request(guarded[i], "") == 401, "%s: %s", guarded[i], answer);
        has("WWW-Authenticate: Bearer");
        has("WWW-Authenticate: Basic");
        ck_assert_int_eq(request(guarded[i], "Authorization: Bearer " TOKEN "x\r\n"), 401);
    }
    ck_assert_uint_eq(fake.asked, 0);
    ck_assert_int_eq(request("GET /metrics", ""), 200);
    ck_assert_int_eq(request("GET /livez", ""), 200);
    ck_assert_int_eq(request("GET /readyz", ""), 503);
    ck_assert_int_eq(request("GET /customers/C-found", "Authorization: Bearer " TOKEN "\r\n"), 200);
    ck_assert_int_eq(request("GET /customers/C-found",
                             "Authorization: Basic eDowMTIzNDU2Nzg5YWJjZGVm"
                             "MDEyMw==\r\n"),
                     200);
    ck_assert_uint_eq(fake.asked, 2);
    scratch_remove(&scratch);
}
END_TEST

START_TEST(an_address_that_others_can_reach_needs_a_token)
{
    struct rf_error err = {0};

    close_server();
    ck_assert(rf_address_parse("0.0.0.0:0", &options.address));
    ck_assert(!rf_ops_check(&options, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    rf_error_clear(&err);

    ck_assert_ptr_null(rf_ops_open(&options, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_msg(strstr(err.message, "http.token_file") != NULL, "%s", err.message);
}
END_TEST

START_TEST(a_port_that_is_taken_is_an_error_or_another_one)
{
    struct rf_ops *first = ops;
    struct rf_error err = {0};

    ck_assert(rf_address_parse(rf_ops_address(first), &options.address));
    ck_assert_ptr_null(rf_ops_open(&options, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_msg(strstr(err.message, "taken by another program") != NULL, "%s", err.message);
    rf_error_clear(&err);

    options.other_port = true;
    struct rf_ops *second = rf_ops_open(&options, &err);
    ck_assert_msg(second != NULL, "%s", err.message);
    ck_assert_str_ne(rf_ops_address(first), rf_ops_address(second));
    rf_ops_close(second);
}
END_TEST

static uint16_t port_with(uint16_t last)
{
    struct rf_error err = {0};
    struct rf_ops *other = NULL;
    uint16_t found = 0;

    options.last_port = last;
    other = rf_ops_open(&options, &err);
    ck_assert_msg(other != NULL, "%s", err.message);
    found = rf_ops_port(other);
    rf_ops_close(other);
    return found;
}

START_TEST(where_any_port_will_do_it_is_that_of_the_last_time)
{
    uint16_t taken = rf_ops_port(ops);
    uint16_t free_one = port_with(0);

    ck_assert_uint_ne(free_one, taken);
    ck_assert_uint_eq(port_with(free_one), free_one);
    ck_assert_uint_ne(port_with(taken), taken); /* somebody has it: any other one */

    options.address.port = taken;
    options.other_port = true;
    ck_assert_uint_eq(port_with(free_one), free_one);
    ck_assert_uint_ne(port_with(taken), taken);

    options.address.port = 0;
    options.address.port = port_with(0);
    options.other_port = false; /* what is configured is what is listened on */
    ck_assert_uint_eq(port_with(free_one), options.address.port);
}
END_TEST

START_TEST(events_come_as_they_are_committed)
{
    int connection = dial();

    fake_inspect_emit(&fake, 1);
    say(connection, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ck_assert(hear(connection, "event: tick"));
    has("Content-Type: text/event-stream");
    fake_inspect_emit(&fake, 1);
    ck_assert(hear(connection, "-2\ndata: "));
    close(connection);
}
END_TEST

START_TEST(more_listeners_than_there_is_room_for_are_told_so)
{
    int connections[RF_FEED_READERS_MAX];

    for (int i = 0; i < RF_FEED_READERS_MAX; i++) {
        connections[i] = dial();
        say(connections[i], "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        ck_assert(hear(connections[i], "retry: 2000"));
    }
    ck_assert_int_eq(request("GET /events", ""), 503);
    for (int i = 0; i < RF_FEED_READERS_MAX; i++)
        close(connections[i]);
}
END_TEST

START_TEST(it_ends_while_questions_and_streams_are_under_way)
{
    int listening = dial(), asking = dial();

    fake.delay_ms = 300;
    say(listening, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ck_assert(hear(listening, "retry: 2000"));
    say(asking, "GET /customers/C-found HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int i = 0; i < 1000 && __atomic_load_n(&fake.asked, __ATOMIC_RELAXED) == 0; i++)
        usleep(1000);

    close_server();

    ck_assert(hear(listening, NULL));
    close(listening);
    close(asking);
}
END_TEST

START_TEST(health_is_answered_while_customers_take_long)
{
    int asking[16];

    fake.delay_ms = 200;
    for (int i = 0; i < 16; i++) {
        asking[i] = dial();
        say(asking[i], "GET /customers/C-found HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    ck_assert_int_eq(request("GET /livez", ""), 200);
    ck_assert_uint_le(__atomic_load_n(&fake.asked, __ATOMIC_RELAXED), 8);
    for (int i = 0; i < 16; i++) {
        ck_assert(hear(asking[i], "\"changelog_offset\":4711"));
        close(asking[i]);
    }
}
END_TEST

START_TEST(headers_that_are_too_large_are_refused)
{
    size_t size = 1U << 20;
    char *text = malloc(size + 64);
    int connection = dial();

    strcpy(text, "GET /livez HTTP/1.1\r\nX: ");
    memset(text + strlen(text), 'a', size - strlen(text));
    text[size] = '\0';
    /* The server may close before all of it is taken. */
    (void)!send(connection, text, size, MSG_NOSIGNAL);
    hear(connection, "HTTP/1.1 431");
    close(connection);
    free(text);
    ck_assert_int_eq(request("GET /livez", ""), 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/ops/server");
    TCase *tests = tcase_create("server");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_path_answers_get_and_head);
    tcase_add_test(tests, answers_carry_the_headers_that_keep_a_browser_safe);
    tcase_add_test(tests, other_methods_and_bodies_are_refused);
    tcase_add_test(tests, requests_one_behind_another_are_answered_in_order);
    tcase_add_test(tests, a_name_that_is_not_this_machines_is_refused_without_a_token);
    tcase_add_test(tests, a_token_is_needed_for_all_but_metrics_and_health);
    tcase_add_test(tests, an_address_that_others_can_reach_needs_a_token);
    tcase_add_test(tests, a_port_that_is_taken_is_an_error_or_another_one);
    tcase_add_test(tests, where_any_port_will_do_it_is_that_of_the_last_time);
    tcase_add_test(tests, events_come_as_they_are_committed);
    tcase_add_test(tests, more_listeners_than_there_is_room_for_are_told_so);
    tcase_add_test(tests, it_ends_while_questions_and_streams_are_under_way);
    tcase_add_test(tests, health_is_answered_while_customers_take_long);
    tcase_add_test(tests, headers_that_are_too_large_are_refused);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
