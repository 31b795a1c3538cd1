#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/sys/address.h"

static const struct {
    const char *text;
    const char *host; /* NULL: it is none */
    uint16_t port;
    bool is_loopback;
} addresses[] = {
    {"127.0.0.1:8088", "127.0.0.1", 8088, true},
    {"127.9.9.9:0", "127.9.9.9", 0, true},
    {"[::1]:65535", "::1", 65535, true},
    {"localhost:1", "localhost", 1, true},
    {"0.0.0.0:8088", "0.0.0.0", 8088, false},
    {"[::]:8088", "::", 8088, false},
    {"[::ffff:127.0.0.1]:8088", "::ffff:127.0.0.1", 8088, false},
    {"127.0.0.1.example:8088", "127.0.0.1.example", 8088, false},
    {"localhost.example:8088", "localhost.example", 8088, false},
    {"10.0.0.1:8088", "10.0.0.1", 8088, false},
    {"8088", NULL, 0, false},
    {":8088", NULL, 0, false},
    {"[]:8088", NULL, 0, false},
    {"::1:8088", NULL, 0, false},
    {"127.0.0.1:", NULL, 0, false},
    {"127.0.0.1:65536", NULL, 0, false},
    {"127.0.0.1:-1", NULL, 0, false},
    {"127.0.0.1:http", NULL, 0, false},
    {"a b:1", NULL, 0, false},
    {"http://localhost:1", NULL, 0, false},
    {"", NULL, 0, false},
};

START_TEST(an_address_is_a_host_and_a_port)
{
    struct rf_address address;
    bool ok = rf_address_parse(addresses[_i].text, &address);

    ck_assert_int_eq(ok, addresses[_i].host != NULL);
    if (!ok)
        return;
    ck_assert_str_eq(address.host, addresses[_i].host);
    ck_assert_uint_eq(address.port, addresses[_i].port);
    ck_assert_int_eq(rf_address_is_loopback(&address), addresses[_i].is_loopback);
}
END_TEST

START_TEST(port_0_is_a_free_one_and_a_taken_one_says_so)
{
    struct rf_address first, second;
    struct rf_error err = {0};
    int a = -1, b = -1;

    ck_assert(rf_address_parse("127.0.0.1:0", &first));
    ck_assert_msg(rf_address_listen(&first, &a, &err), "%s", err.message);
    ck_assert_uint_ne(first.port, 0);

    second = first;
    ck_assert(!rf_address_listen(&second, &b, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_int_eq(err.origin_code, EADDRINUSE);
    close(a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/address");
    TCase *tests = tcase_create("address");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tests, an_address_is_a_host_and_a_port, 0,
                        (int)(sizeof addresses / sizeof addresses[0]));
    tcase_add_test(tests, port_0_is_a_free_one_and_a_taken_one_says_so);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
