/* core/expr: the functions, by what they promise at their edges. The conformance cases hold the rest. */
#include <math.h>
#include <stdlib.h>

#include "expr_support.h"

static struct world world;

static bool berlin_only(void *self, struct rf_bytes zone, int64_t seconds, int32_t *offset_seconds)
{
    (void)self;
    *offset_seconds = seconds < 1711846800 ? 3600 : 7200; /* summer time of 2024 */
    return rf_bytes_equal(zone, rf_bytes_of_text("Europe/Berlin"));
}

static const struct rf_zones zones = {.offset = berlin_only};

static void setup(void)
{
    world_init(&world);
    world.env.zones = &zones;
}

static void teardown(void)
{
    world_deinit(&world);
}

static const struct {
    const char *text;
    const char *value;
} cases[] = {
    /* text: positions are characters */
    {"'a\xc3\xa9z'.size()", "3"},
    {"'a\xc3\xa9z'.charAt(1)", "\"\xc3\xa9\""},
    {"'a\xc3\xa9z'.charAt(3)", "\"\""},
    {"'a\xc3\xa9z'.substring(2)", "\"z\""},
    {"'a\xc3\xa9z'.substring(2, 4)", "eval: substring: index out of range"},
    {"'a\xc3\xa9z'.indexOf('z')", "2"},
    {"'aaa'.lastIndexOf('aa')", "1"},
    {"'a,b,,c'.split(',')", "[\"a\", \"b\", \"\", \"c\"]"},
    {"'a\xc3\xa9z'.split('')", "[\"a\", \"\xc3\xa9\", \"z\"]"},
    {"'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]"},
    {"''.split(',')", "[\"\"]"},
    {"'abab'.replace('a', 'xy', 1)", "\"xybab\""},
    {"'ab'.replace('', '-')", "\"-a-b-\""},
    {"'  a b\\t'.trim()", "\"a b\""},
    {"'%s is %d, %.1f %%'.format(['x', 3, 2.25])", "\"x is 3, 2.2 %\""},
    {"'%x %X %o %b'.format([-255, b'\\xab', 8, true])", "\"-ff AB 10 1\""},
    {"'%s'.format([1e21])", "\"1000000000000000000000\""},
    {"'%s'.format([1.5e-7])", "\"0.00000015\""},
    {"'%s'.format([{'b': [1u, null], 'a': 1.0}])", "\"{a: 1, b: [1, null]}\""},
    {"'%d'.format([])", "eval: format: more clauses than arguments"},
    {"'%'.format([1])", "eval: format: unfinished clause"},
    {"'%.1001f'.format([1.0])", "eval: format: precision above 1000"},
    {"base64.encode(b'a')", "\"YQ==\""},
    {"base64.decode('YQ=')", "eval: base64.decode: malformed input"},
    {"base64.decode('Y')", "eval: base64.decode: malformed input"},
    {"base64.decode('YQ')", "b\"a\""},
    /* regular expressions: RE2's */
    {"'a\\nb'.matches('a.b')", "false"},
    {"'a\\nb'.matches('(?s)a.b')", "true"},
    {"'ab\\n'.matches('b$')", "false"},
    {"'\xc3\xa9'.matches('^.$')", "true"},
    {"'x{'.matches('x{')", "true"},
    {"'aa'.matches('(a)\\\\1')", "compile: invalid pattern: back references are not supported"},
    {"'aa'.matches('a++')", "compile: invalid pattern: repetition of a repetition"},
    {"'aa'.matches('a{1001}')", "compile: invalid pattern: repetition of more than 1000"},
    {"'aa'.matches('(*LIMIT_MATCH=1)a')",
     "compile: invalid pattern: missing argument to repetition"},
    {"'aa'.matches(dyn('a' + '('))", "eval: matches: invalid pattern: missing closing parenthesis"},
    /* numbers */
    {"int('9223372036854775808')", "eval: int: not an integer"},
    {"int(9223372036854775807.0)", "eval: integer overflow: int()"},
    {"uint(-0.0)", "0u"},
    {"double('1e400')", "double(\"Infinity\")"},
    {"string(1e15)", "\"1000000000000000\""},
    {"math.greatest(1, 2.5, 2u)", "2.5"},
    {"math.greatest([])", "eval: math: the list is empty"},
    {"math.least(1.0, 0.0 / 0.0)", "eval: NaN values cannot be ordered"},
    {"0.0 / 0.0 < 1.0", "false"},
    {"math.round(-0.5)", "-1.0"},
    {"math.bitShiftRight(-1, 1)", "9223372036854775807"},
    /* time */
    {"duration('1h1.5m2s3ms4us5ns')", "duration(\"3692.003004005s\")"},
    {"duration('1.')", "eval: duration: not a duration such as 1h30m"},
    {"duration('')", "eval: duration: not a duration such as 1h30m"},
    {"1.0 / math.sign(-0.0)", "double(\"Infinity\")"},
    {"math.sign(-0.5)", "-1.0"},
    {"lists.range(-1)", "eval: lists.range: the size is negative"},
    {"has({'a': 1}.?a)", "compile: has() needs a field: has(event.x)"},
    {"rb'a'", "compile: unexpected ''a'', expected an operator or the end"},
    {"duration('18446744073.999999999s')", "eval: duration: not a duration such as 1h30m"},
    {"int(duration('9223372036s'))", "9223372036000000000"},
    {"duration('-0.5s')", "duration(\"-0.5s\")"},
    {"duration('-1.5s') + duration('1s')", "duration(\"-0.5s\")"},
    {"timestamp('2024-03-31T00:59:59Z').getHours('Europe/Berlin')", "1"},
    {"timestamp('2024-03-31T01:00:00Z').getHours('Europe/Berlin')", "3"},
    {"timestamp('2024-03-31T01:00:00Z').getHours('Mars/Olympus')",
     "eval: there is no time zone 'Mars/Olympus'"},
    {"timestamp('2024-02-29T00:00:00Z').getDayOfYear()", "59"},
    {"timestamp('1969-12-31T23:59:59.5Z').getDayOfWeek()", "3"},
    {"date(timestamp('2024-03-31T22:30:00Z'), 'Europe/Berlin')", "\"2024-04-01\""},
    {"days(timestamp('1969-12-31T23:59:59Z'))", "-1"},
    {"string(timestamp('2024-01-01T00:00:00.100Z'))", "\"2024-01-01T00:00:00.1Z\""},
    /* lists and optionals */
    {"[[1, [2]], [3]].flatten()", "[1, [2], 3]"},
    {"[3, 1, 2].sort()", "[1, 2, 3]"},
    {"[1, 'a'].sort()", "eval: no such overload: sort: the items have no order"},
    {"[1, 2, 1u, 1.0].distinct()", "[1, 2]"},
    {"optional.none().orValue(1)", "1"},
    {"optional.of(1).orValue(1 / 0)", "1"},
    {"[?optional.none(), ?optional.of(2)]", "[2]"},
    {"{1: 'a', 1u: 'b'}", "eval: a map with the same key twice"},
    {"[,]", "[]"},
};

START_TEST(a_function_does_what_it_promises)
{
    const char *value = evaluate(&world, cases[_i].text, NULL);

    ck_assert_msg(strcmp(value, cases[_i].value) == 0, "%s: got %s, wanted %s", cases[_i].text,
                  value, cases[_i].value);
}
END_TEST

/* Computed with the parameters that the BTYD package fits to CDNOW. */
static const struct {
    const char *text;
    double value;
} p_alive[] = {
    {"p_alive(23.0, 39.0, 39.0, 0.243, 4.414, 0.793, 2.426)", 0.9686},
    {"p_alive(5.0, 30.0, 39.0, 0.243, 4.414, 0.793, 2.426)", 0.7056},
    {"p_alive(20, 30.0, 39.0, 0.243, 4.414, 0.793, 2.426)", 0.1968},
    {"p_alive(2, 30.43, 38.86, 0.243, 4.414, 0.793, 2.426)", 0.7266},
    {"p_alive(5, 30.0, 46.8775, 0.243, 4.414, 0.793, 2.426)", 0.5},
    {"p_alive(0, 0.0, 39.0, 0.243, 4.414, 0.793, 2.426)", 1},
    {"p_alive_mbg(0, 0.0, 0.0, 0.243, 4.414, 0.793, 2.426)", 1 / (1 + 0.793 / 2.426)},
};

START_TEST(p_alive_agrees_with_the_literature)
{
    double value = strtod(evaluate(&world, p_alive[_i].text, NULL), NULL);

    ck_assert_msg(fabs(value - p_alive[_i].value) < 0.00006, "%s: got %s", p_alive[_i].text,
                  world.text);
}
END_TEST

START_TEST(p_alive_refuses_what_is_no_customer)
{
    ck_assert_ptr_nonnull(
        strstr(evaluate(&world, "p_alive(1, 40.0, 39.0, 0.243, 4.414, 0.793, 2.426)", NULL),
               "p_alive: needs"));
    ck_assert_ptr_nonnull(
        strstr(evaluate(&world, "p_alive(1, 1.0, 39.0, 0.0 / 0.0, 4.414, 0.793, 2.426)", NULL),
               "p_alive: needs"));
}
END_TEST

/* Every text printed is a literal of the value that was printed. */
static const char *const literals[] = {
    "1u",
    "-9223372036854775808",
    "1.0",
    "1e+100",
    "-0.0",
    "b\"\\x00\\xff\\\"a\"",
    "\"\\u0007\\n\\\"\\\\\"",
    "timestamp(\"0001-01-01T00:00:00Z\")",
    "duration(\"-1.000000001s\")",
    "[1, [2u], {}]",
    "{\"a\": 1, 2: [true]}",
    "optional.of(optional.none())",
    "google.protobuf.Timestamp",
    "null_type",
};

START_TEST(a_value_prints_as_its_literal)
{
    ck_assert_str_eq(evaluate(&world, literals[_i], NULL), literals[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/expr/functions");
    TCase *tcase = tcase_create("functions");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_function_does_what_it_promises, 0, sizeof cases / sizeof cases[0]);
    tcase_add_loop_test(tcase, p_alive_agrees_with_the_literature, 0,
                        sizeof p_alive / sizeof p_alive[0]);
    tcase_add_test(tcase, p_alive_refuses_what_is_no_customer);
    tcase_add_loop_test(tcase, a_value_prints_as_its_literal, 0,
                        sizeof literals / sizeof literals[0]);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
