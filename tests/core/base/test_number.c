/* core/base/number: every conversion is the correctly rounded one. The C library's strtod and printf,
 * which are exact in glibc, are the oracle. */
#include <check.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/number.h"

#if defined(__SANITIZE_ADDRESS__)
#define CASES 200000
#else
#define CASES 1000000
#endif

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static double double_of(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint64_t bits_of(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static void assert_reads_as(const char *text, double expected)
{
    double number = -1;

    if (!rf_double_parse(rf_bytes_of_text(text), &number))
        ck_abort_msg("refused: %s", text);
    if (bits_of(number) != bits_of(expected))
        ck_abort_msg("%s is read as %a instead of %a", text, number, expected);
}

/* Up to 25 digits with a point somewhere, and an exponent that leads past both ends. */
static void random_decimal(char *text)
{
    uint64_t choice = random_bits();
    int digits = 1 + (int)(choice % 25);
    int point = (int)(choice >> 8) % (digits + 1);
    int exponent = (int)((choice >> 32) % 700) - 350;

    if ((choice >> 60) == 0)
        *text++ = '-';
    for (int i = 0; i < digits; i++) {
        if (i == point)
            *text++ = '.';
        *text++ = (char)('0' + random_bits() % 10);
    }
    if ((choice >> 56) % 4 == 0)
        *text = '\0';
    else
        snprintf(text, 8, "e%d", (choice >> 56) % 4 == 1 ? exponent / 16 : exponent);
}

START_TEST(random_decimals_are_read_as_strtod_reads_them)
{
    for (int i = 0; i < CASES; i++) {
        char text[64];

        random_decimal(text);

        assert_reads_as(text, strtod(text, NULL));
    }
}
END_TEST

/* The exact decimal of the middle between a random double and the next one up, up to 767 digits. */
static void random_middle(char *text, size_t size_max)
{
    uint64_t bits = random_bits() >> 1;

    if (bits % 4 == 0)
        bits &= (UINT64_C(1) << 53) - 1; /* subnormal, or the least normals */
    while (bits >= UINT64_C(0x7fefffffffffffff))
        bits >>= 1;
    /* Their sum is exact in long double, which has 11 more bits, and the exponent to go with it. */
    long double sum = (long double)double_of(bits) + (long double)double_of(bits + 1);
    snprintf(text, size_max, "%.770Le", sum / 2);
}

START_TEST(the_middle_between_two_doubles_goes_to_the_even_one_and_a_hair_off_it_does_not)
{
    ck_assert_int_ge(LDBL_MANT_DIG, 64);
    for (int i = 0; i < CASES / 200; i++) {
        char text[2048];
        random_middle(text, sizeof text);
        char *exponent = strchr(text, 'e');
        char tail[16];
        snprintf(tail, sizeof tail, "%s", exponent);

        assert_reads_as(text, strtod(text, NULL));

        memcpy(exponent, "0", 2);
        for (int zeros = 0; zeros < 200; zeros++)
            memcpy(text + strlen(text), "0", 2);
        snprintf(text + strlen(text), 20, "1%s", tail); /* 970 digits, the last is what decides */
        assert_reads_as(text, strtod(text, NULL));
        exponent[-1] = '9';
        assert_reads_as(text, strtod(text, NULL));
    }
}
END_TEST

static const char *const hard[] = {
    "0",
    "-0",
    "0e999999999999999999999999",
    "0.0000000000000000000000000000000000000000000000000e-99999999999999999999",
    "1e-99999999999999999999",
    "1e99999999999999999999",
    "-1e99999999999999999999",
    "2.2250738585072011e-308", /* made PHP and Java loop */
    "2.2250738585072012e-308",
    "2.2250738585072014e-308",
    "2.225073858507201136057409796709131975934819546351645648023426109724822222021076945516529523908135087914149158913039621106870086438694594645527657207407820621743379988141063267329253552286881372149012981122451451889849057222307285255133155755015914397476397983411801999323962548289017107081850690630666655994938275772572015763062690663332647565300009245888316433037779791869612049497390377829704905051080609940730262937128958950003583799967207254304360284078895771796150945516748243471030702609144621572289880258182545180325707018860872113128079512233426288368622321503775666622503982534335974568884423900265498198385487948292206894721689831099698365846814022854243330660339850886445804001034933970427567186443383770486037861622771738545623065874679014086723327636718751234567890123456789012345678901e-308",
    "4.9406564584124654e-324",
    "2.4703282292062327e-324", /* just below half of the least: 0 */
    "2.4703282292062328e-324", /* just above */
    "2.47032822920623272088284396434110686182e-324",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.797693134862315807e308",
    "1.7976931348623159e308",
    "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
    "9007199254740993", /* 2^53 + 1 */
    "9007199254740993.00000000000000000000000000000000000000001",
    "9007199254740992.99999999999999999999999999999999999999999",
    "9223372036854775807",
    "18446744073709551616",
    "8.5e22",
    "123456789012345678901234567890e-10",
    "6929495644600919.5",
    "3.518437208883201171875e13",
    "62.5364939768271845828",
    "8.10109172351e-10",
    "1.50000000000000011102230246251565",
    "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203124",
    "1.00000000000000011102230246251565404236316680908203126",
    ".5",
    "5.",
    "+5.e+0",
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000001.5E1",
    "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000015E84",
    "inf",
    "-Infinity",
    "+iNf",
};

START_TEST(a_known_hard_case_is_read_as_strtod_reads_it)
{
    assert_reads_as(hard[_i], strtod(hard[_i], NULL));
}
END_TEST

START_TEST(thousands_of_digits_are_read_exactly)
{
    char *text = malloc(200000);
    size_t size = 0;

    for (size = 0; size < 150000; size++)
        text[size] = (char)('0' + random_bits() % 10);
    snprintf(text + size, 20, "e-149900");

    assert_reads_as(text, strtod(text, NULL));
    memset(text, '0', 150000);
    text[1] = '.';
    snprintf(text + size, 20, "1e+150000");
    assert_reads_as(text, strtod(text, NULL));
    free(text);
}
END_TEST

START_TEST(every_nan_is_the_same_nan)
{
    static const char *const names[] = {"nan", "NaN", "-nan", "+NAN"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_reads_as(names[i], double_of(UINT64_C(0x7ff8000000000000)));
}
END_TEST

static const char *const not_doubles[] = {
    "",       "-",  "+",         ".",      "e5",    ".e5",  "1e",   "1e+", "--1",
    "+-1",    " 1", "1 ",        "1,5",    "1.2.3", "0x10", "1e5.", "1f",  "1_0",
    "infini", "in", "infinityy", "nan(1)", "1e5e5", "1-5",  "٣",
};

START_TEST(what_is_not_a_decimal_is_refused)
{
    double number = 42;

    ck_assert_msg(!rf_double_parse(rf_bytes_of_text(not_doubles[_i]), &number), "%s",
                  not_doubles[_i]);
    ck_assert(number == 42);
}
END_TEST

/* The digits of a text like 12.5e-3 without point, exponent, and zeros at both ends. Returns how many. */
static int take_digits(const char *text, char *digits)
{
    int count = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (*text != '0' || count > 0))
            digits[count++] = *text;
    }
    while (count > 0 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return count;
}

/* Shortest: with one digit less printf's does not read back; and of those of its length the nearest. */
static void assert_written_shortest(double number)
{
    char text[RF_DOUBLE_TEXT_MAX];
    char digits[64];
    char other[64];
    char other_digits[64];
    size_t size = rf_double_format(text, sizeof text, number);
    int count = take_digits(text, digits);

    ck_assert_uint_eq(size, strlen(text));
    if (bits_of(strtod(text, NULL)) != bits_of(number))
        ck_abort_msg("%a is written as %s, which is another", number, text);
    if (count > 1) {
        snprintf(other, sizeof other, "%.*e", count - 2, number);
        if (strtod(other, NULL) == number)
            ck_abort_msg("%s where %s would do", text, other);
    }
    snprintf(other, sizeof other, "%.*e", count > 0 ? count - 1 : 0, number);
    take_digits(other, other_digits);
    if (strtod(other, NULL) == number && strcmp(digits, other_digits) != 0)
        ck_abort_msg("%s where %s is nearer", text, other);
}

START_TEST(a_random_double_is_written_with_the_fewest_digits)
{
    for (int i = 0; i < CASES / 10; i++) {
        double number = double_of(random_bits());

        if (isfinite(number))
            assert_written_shortest(number);
    }
}
END_TEST

START_TEST(an_amount_of_money_is_written_as_it_was_read)
{
    for (int64_t cents = -300000; cents < 300000; cents += 7) {
        char expected[64];
        char text[RF_DOUBLE_TEXT_MAX];
        snprintf(expected, sizeof expected, "%s%" PRId64 ".%02d", cents < 0 ? "-" : "",
                 (int64_t)(llabs(cents) / 100), (int)(llabs(cents) % 100));
        size_t size = strlen(expected);
        while (expected[size - 1] == '0')
            size--;
        expected[expected[size - 1] == '.' ? size - 1 : size] = '\0';

        rf_double_format(text, sizeof text, (double)cents / 100);

        ck_assert_str_eq(text, expected);
    }
}
END_TEST

START_TEST(powers_of_two_and_ten_and_their_neighbours_are_written_with_the_fewest_digits)
{
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        uint64_t bits = bits_of(ldexp(1, exponent));

        for (int64_t step = -1; step <= 1; step++)
            assert_written_shortest(double_of(bits + (uint64_t)step));
    }
    for (int exponent = -323; exponent <= 308; exponent++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", exponent);
        uint64_t bits = bits_of(strtod(text, NULL));

        for (int64_t step = -1; step <= 1; step++)
            assert_written_shortest(double_of(bits + (uint64_t)step));
    }
}
END_TEST

static const struct {
    double number;
    const char *text;
} written[] = {
    {0, "0"},
    {-0.0, "-0"},
    {-5, "-5"},
    {0.1, "0.1"},
    {1e100, "1e+100"},
    {123.456, "123.456"},
    {-0.0045, "-0.0045"},
    {6.02214e23, "6.02214e+23"},
    {1e20, "100000000000000000000"},
    {123456789012345680000.0, "123456789012345680000"},
    {1e21, "1e+21"},
    {1e-6, "0.000001"},
    {0.0000012345678901234567, "0.0000012345678901234567"},
    {1e-7, "1e-7"},
    {1e23, "1e+23"},
    {5e-324, "5e-324"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {9007199254740992.0, "9007199254740992"},
    {5e15, "5000000000000000"},
    {9.5367431640625e-7, "9.5367431640625e-7"},
    {INFINITY, "Infinity"},
    {-INFINITY, "-Infinity"},
    {NAN, "NaN"},
};

START_TEST(a_double_is_laid_out_as_the_header_says)
{
    char text[RF_DOUBLE_TEXT_MAX];

    size_t size = rf_double_format(text, sizeof text, written[_i].number);

    ck_assert_str_eq(text, written[_i].text);
    ck_assert_uint_eq(size, strlen(text));
}
END_TEST

START_TEST(integers_are_read_up_to_their_ends_and_not_beyond)
{
    int64_t number = 0;
    uint64_t natural = 0;

    ck_assert(rf_int64_parse(rf_bytes_of_text("-9223372036854775808"), &number));
    ck_assert_int_eq(number, INT64_MIN);
    ck_assert(rf_int64_parse(rf_bytes_of_text("9223372036854775807"), &number));
    ck_assert_int_eq(number, INT64_MAX);
    ck_assert(rf_int64_parse(rf_bytes_of_text("+0012"), &number));
    ck_assert_int_eq(number, 12);
    ck_assert(rf_uint64_parse(rf_bytes_of_text("18446744073709551615"), &natural));
    ck_assert_uint_eq(natural, UINT64_MAX);
    ck_assert(!rf_int64_parse(rf_bytes_of_text("9223372036854775808"), &number));
    ck_assert(!rf_int64_parse(rf_bytes_of_text("-9223372036854775809"), &number));
    ck_assert(!rf_uint64_parse(rf_bytes_of_text("18446744073709551616"), &natural));
    ck_assert(!rf_uint64_parse(rf_bytes_of_text("99999999999999999999999999"), &natural));
}
END_TEST

static const char *const not_integers[] = {"",    "-",  "+",  "--1", "1.0",
                                           "1e3", " 1", "1 ", "0x1", "1u"};

START_TEST(what_is_not_an_integer_is_refused)
{
    int64_t number = 42;
    uint64_t natural = 42;

    ck_assert(!rf_int64_parse(rf_bytes_of_text(not_integers[_i]), &number));
    ck_assert(!rf_uint64_parse(rf_bytes_of_text(not_integers[_i]), &natural));
    ck_assert(!rf_uint64_parse(rf_bytes_of_text("-1"), &natural));
    ck_assert_int_eq(number, 42);
    ck_assert_uint_eq(natural, 42);
}
END_TEST

START_TEST(sizes_are_read_with_binary_units)
{
    static const struct {
        const char *text;
        uint64_t size;
    } sizes[] = {{"0", 0},
                 {"100000", 100000},
                 {"64KiB", 65536},
                 {"512MiB", UINT64_C(512) << 20},
                 {"1GiB", UINT64_C(1) << 30},
                 {"2TiB", UINT64_C(2) << 40},
                 {"16777215TiB", UINT64_C(16777215) << 40}};
    static const char *const bad[] = {"",      "KiB",    "1kib",        "1KB",    "1 KiB",
                                      "-1KiB", "1.5GiB", "16777216TiB", "1KiBKiB"};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t size = 42;

        ck_assert_msg(rf_size_parse(rf_bytes_of_text(sizes[i].text), &size), "%s", sizes[i].text);
        ck_assert_uint_eq(size, sizes[i].size);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t size = 42;

        ck_assert_msg(!rf_size_parse(rf_bytes_of_text(bad[i]), &size), "%s", bad[i]);
        ck_assert_uint_eq(size, 42);
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("core/base/number");
    TCase *read = tcase_create("read");
    tcase_set_timeout(read, 60);
    tcase_add_test(read, random_decimals_are_read_as_strtod_reads_them);
    tcase_add_test(read,
                   the_middle_between_two_doubles_goes_to_the_even_one_and_a_hair_off_it_does_not);
    tcase_add_loop_test(read, a_known_hard_case_is_read_as_strtod_reads_it, 0, COUNT(hard));
    tcase_add_test(read, thousands_of_digits_are_read_exactly);
    tcase_add_test(read, every_nan_is_the_same_nan);
    tcase_add_loop_test(read, what_is_not_a_decimal_is_refused, 0, COUNT(not_doubles));
    suite_add_tcase(suite, read);
    TCase *write = tcase_create("write");
    tcase_set_timeout(write, 60);
    tcase_add_test(write, a_random_double_is_written_with_the_fewest_digits);
    tcase_add_test(write, an_amount_of_money_is_written_as_it_was_read);
    tcase_add_test(write,
                   powers_of_two_and_ten_and_their_neighbours_are_written_with_the_fewest_digits);
    tcase_add_loop_test(write, a_double_is_laid_out_as_the_header_says, 0, COUNT(written));
    suite_add_tcase(suite, write);
    TCase *integers = tcase_create("integers");
    tcase_set_timeout(integers, 60);
    tcase_add_test(integers, integers_are_read_up_to_their_ends_and_not_beyond);
    tcase_add_loop_test(integers, what_is_not_an_integer_is_refused, 0, COUNT(not_integers));
    tcase_add_test(integers, sizes_are_read_with_binary_units);
    suite_add_tcase(suite, integers);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
