#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/ops/request.h"

static struct rf_request request;
static struct rf_refusal refusal;

static int status_of(const char *method, const char *target)
{
    refusal = (struct rf_refusal){.status = 200};
    rf_request_parse(method, rf_bytes_of_text(target), &request, &refusal);
    return refusal.status;
}

START_TEST(every_route_is_found_by_its_path_and_only_by_it)
{
    for (int i = 0; i < RF_ROUTE_COUNT; i++) {
        const char *path = rf_route_path((enum rf_route)i);
        char longer[64];

        if (i == RF_ROUTE_CUSTOMER)
            path = "/customers/C1";
        ck_assert_int_eq(status_of("GET", path), 200);
        ck_assert_int_eq((int)request.route, i);
        ck_assert(!request.head);
        ck_assert_int_eq(status_of("HEAD", path), 200);
        ck_assert(request.head);
        snprintf(longer, sizeof longer, "%s/", path);
        ck_assert_int_eq(status_of("GET", longer), 404);
    }
}
END_TEST

static const struct {
    const char *method;
    const char *target;
    int status;
} refused[] = {
    {"GET", "/met%72ics", 404},
    {"GET", "/METRICS", 404},
    {"GET", "//metrics", 404},
    {"GET", "/./metrics", 404},
    {"GET", "/../etc/passwd", 404},
    {"GET", "/page/../metrics", 404},
    {"GET", "http://localhost/metrics", 400},
    {"GET", "*", 400},
    {"GET", "", 400},
    {"GET", "/customers", 404},
    {"GET", "/customers/", 404},
    {"GET", "/customers/a/b", 404},
    {"GET", "/customers//", 404},
    {"GET", "/customers/%", 400},
    {"GET", "/customers/%4", 400},
    {"GET", "/customers/%zz", 400},
    {"GET", "/customers/%00", 400},
    {"GET", "/customers/a%0d%0aSet-Cookie:x", 400},
    {"GET", "/customers/%7f", 400},
    {"GET", "/customers/%c0%af", 400},
    {"GET", "/customers/%ed%a0%80", 400},
    {"GET", "/customers/%ff", 400},
    {"GET", "/customers/\xc3\xa9", 400},
    {"GET", "/customers/a b", 400},
    {"GET", "/customers/a#b", 400},
    {"GET", "/customers/{id}", 400},
    {"GET", "/metrics?", 400},
    {"GET", "/metrics?x=1", 400},
    {"GET", "/customers/C1?", 400},
    {"GET", "/customers/C1?x", 400},
    {"GET", "/customers/C1?redirect", 400},
    {"GET", "/customers/C1?redirect=yes", 400},
    {"GET", "/customers/C1?redirect=no&redirect=no", 400},
    {"GET", "/customers/C1?redirect=no&", 400},
    {"GET", "/customers/C1?asked=", 400},
    {"GET", "/customers/C1?asked=a&asked=b", 400},
    {"GET", "/customers/C1?asked=a%0ab", 400},
    {"GET", "/customers/C1?asked=a/b", 400},
    {"GET", "/customers/C1?asked=%2", 400},
    {"GET", "/customers/C1?restoring=", 400},
    {"GET", "/customers/C1?restoring=a&restoring=b", 400},
    {"GET", "/customers/C1?restoring=a%0ab", 400},
    {"POST", "/metrics", 405},
    {"DELETE", "/customers/C1", 405},
    {"get", "/metrics", 405},
    {"OPTIONS", "/lag", 405},
    {"POST", "/nothing", 404},
};

START_TEST(what_is_not_exactly_ours_is_refused)
{
    int status = status_of(refused[_i].method, refused[_i].target);

    ck_assert_msg(status == refused[_i].status, "%s %s: %d instead of %d", refused[_i].method,
                  refused[_i].target, status, refused[_i].status);
    ck_assert_ptr_nonnull(refusal.reason);
}
END_TEST

static const struct {
    const char *target;
    const char *id;
} customers[] = {
    {"/customers/C0042", "C0042"},
    {"/customers/%2B49%20151", "+49 151"},
    {"/customers/a%2Fb%2f..", "a/b/.."},
    {"/customers/..", ".."},
    {"/customers/caf%C3%A9%20%F0%9F%98%80", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
    {"/customers/%2525", "%25"},
    {"/customers/a+b?redirect=no", "a+b"},
};

START_TEST(an_id_is_decoded_once)
{
    ck_assert_int_eq(status_of("GET", customers[_i].target), 200);

    ck_assert_int_eq((int)request.route, RF_ROUTE_CUSTOMER);
    ck_assert_uint_eq(request.id_size, strlen(customers[_i].id));
    ck_assert_mem_eq(request.id, customers[_i].id, request.id_size);
}
END_TEST

START_TEST(an_id_has_at_most_1024_bytes)
{
    char target[4096] = "/customers/";
    size_t size = strlen(target);

    memset(target + size, 'a', RF_REQUEST_ID_MAX);
    ck_assert_int_eq(status_of("GET", target), 200);
    ck_assert_uint_eq(request.id_size, RF_REQUEST_ID_MAX);

    target[size + RF_REQUEST_ID_MAX] = 'a';
    ck_assert_int_eq(status_of("GET", target), 400);
}
END_TEST

START_TEST(a_target_that_is_too_long_is_414)
{
    char *target = malloc(RF_REQUEST_TARGET_MAX + 2);

    memset(target, 'a', RF_REQUEST_TARGET_MAX + 1);
    target[0] = '/';
    target[RF_REQUEST_TARGET_MAX + 1] = '\0';
    ck_assert_int_eq(status_of("GET", target), 414);
    free(target);
}
END_TEST

START_TEST(the_parameters_of_a_customer_are_read)
{
    ck_assert_int_eq(status_of("GET", "/customers/C1?redirect=no&asked=a-1,b.2&restoring=b.2"),
                     200);

    ck_assert(request.no_redirect);
    ck_assert_uint_eq(request.asked.size, 7);
    ck_assert_mem_eq(request.asked.text, "a-1,b.2", 7);
    ck_assert_uint_eq(request.restoring.size, 3);
    ck_assert_mem_eq(request.restoring.text, "b.2", 3);
}
END_TEST

START_TEST(metrics_and_health_are_public_and_nothing_else)
{
    for (int i = 0; i < RF_ROUTE_COUNT; i++)
        ck_assert_int_eq(rf_route_is_public((enum rf_route)i),
                         i == RF_ROUTE_METRICS || i == RF_ROUTE_LIVEZ || i == RF_ROUTE_READYZ);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request");
    TCase *tests = tcase_create("request");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tests, every_route_is_found_by_its_path_and_only_by_it);
    tcase_add_loop_test(tests, what_is_not_exactly_ours_is_refused, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    tcase_add_loop_test(tests, an_id_is_decoded_once, 0,
                        (int)(sizeof customers / sizeof customers[0]));
    tcase_add_test(tests, an_id_has_at_most_1024_bytes);
    tcase_add_test(tests, a_target_that_is_too_long_is_414);
    tcase_add_test(tests, the_parameters_of_a_customer_are_read);
    tcase_add_test(tests, metrics_and_health_are_public_and_nothing_else);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
