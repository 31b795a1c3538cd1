/* core/base/math: near the true value (long double and the C library are the oracles), the special cases
 * of C17 Annex F, and the very bits, so that nobody changes a stored feature without noticing. */
#include <check.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/base/math_table.h"

#if defined(__SANITIZE_ADDRESS__) || LDBL_MANT_DIG > 64
#define CASES 100000
#else
#define CASES 1000000
#endif

static uint64_t random_state;

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

static double between(double low, double high)
{
    return low + (high - low) * ((double)(random_bits() >> 11) * 0x1p-53);
}

static void reset_random(void)
{
    random_state = UINT64_C(0x9e3779b97f4a7c15);
}

/* How far `got` is from the truth, in units of the last place of the double nearest to the truth. */
static double error_ulp(double got, long double truth)
{
    double nearest = (double)truth;
    int exponent = 0;

    if (isinf(nearest) || isinf(got))
        return nearest == got ? 0 : INFINITY;
    frexp(nearest, &exponent);
    if (exponent < DBL_MIN_EXP)
        exponent = DBL_MIN_EXP;
    return (double)fabsl(((long double)got - truth) / ldexpl(1, exponent - DBL_MANT_DIG));
}

static uint64_t steps_apart(double a, double b)
{
    int64_t distance = (int64_t)(bits_of(a) - bits_of(b));

    return (uint64_t)llabs(distance);
}

/* long double has 11 bits more at least, so its own error is seen as less than 0.001 ulp. */
static void assert_near(const char *name, double x, double got, long double truth, double libm)
{
    if (!(error_ulp(got, truth) <= 0.512))
        ck_abort_msg("%s(%a) is %a: %f ulp off", name, x, got, error_ulp(got, truth));
    if (steps_apart(got, libm) > 1)
        ck_abort_msg("%s(%a) is %a, and %a in the C library", name, x, got, libm);
}

static void check_exp(double x)
{
    assert_near("exp", x, rf_exp(x), expl(x), exp(x));
}

static void check_exp2(double x)
{
    assert_near("exp2", x, rf_exp2(x), exp2l(x), exp2(x));
}

static void check_logs(double x)
{
    assert_near("log", x, rf_log(x), logl(x), log(x));
    assert_near("log2", x, rf_log2(x), log2l(x), log2(x));
}

START_TEST(exp_and_exp2_are_near_the_truth)
{
    reset_random();
    for (int i = 0; i < CASES / 4; i++) {
        check_exp(between(-746, 710));
        check_exp(between(-2, 2));
        check_exp(between(-746, -707)); /* subnormal results */
        check_exp(between(-1, 1) * 0x1p-40);
        check_exp2(between(-1076, 1025));
        check_exp2(between(-2, 2));
        check_exp2(between(-1076, -1020));
    }
}
END_TEST

START_TEST(log_and_log2_are_near_the_truth)
{
    reset_random();
    for (int i = 0; i < CASES / 4; i++) {
        double any = double_of(random_bits() >> 1);

        if (isfinite(any) && any > 0)
            check_logs(any);
        check_logs(between(0.5, 2));
        check_logs(1 + between(-0.01, 0.01));
        check_logs(1 + between(-1, 1) * 0x1p-30);
        check_logs(double_of(1 + (random_bits() >> 12))); /* subnormal */
    }
}
END_TEST

static void check_pow(double x, double y)
{
    double got = rf_pow(x, y);

    if (steps_apart(got, pow(x, y)) > 1)
        ck_abort_msg("pow(%a, %a) is %a, and %a in the C library", x, y, got, pow(x, y));
}

START_TEST(pow_is_within_one_ulp_of_the_c_library)
{
    reset_random();
    for (int i = 0; i < CASES / 4; i++) {
        double any = double_of(random_bits() >> 1);
        double near_one = 1 + between(-1, 1) * 0x1p-20;

        check_pow(between(0, 100), between(-160, 160));
        check_pow(near_one, between(-750, 750) / log(near_one));
        check_pow(between(0, 1), between(0, 1));
        if (!isnan(any)) {
            check_pow(any, between(-2, 2));
            check_pow(any, between(-1.1, 1.1));
            check_pow(between(0, 2), any);
            check_pow(-any, (double)(random_bits() % 64) - 32);
        }
    }
}
END_TEST

START_TEST(an_exact_result_is_exact)
{
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        ck_assert(rf_exp2(exponent) == ldexp(1, exponent));
        ck_assert(rf_log2(ldexp(1, exponent)) == exponent);
        ck_assert(rf_pow(2, exponent) == ldexp(1, exponent));
        ck_assert(rf_pow(0.5, -exponent) == ldexp(1, exponent));
    }
    for (int base = 2; base < 3000; base++) {
        double product = 1;

        for (int power = 1; product * base <= 0x1p53; power++) {
            product *= base;
            ck_assert(rf_pow(base, power) == product);
            ck_assert(rf_pow(-base, power) == (power % 2 == 0 ? product : -product));
        }
        ck_assert(rf_pow((double)base * base, 0.5) == base);
    }
}
END_TEST

/* One row of Annex F; any NaN is our NaN. */
static const struct {
    double (*of)(double);
    double x;
    double result;
} ends[] = {
    {rf_exp, 0.0, 1},
    {rf_exp, -0.0, 1},
    {rf_exp, INFINITY, INFINITY},
    {rf_exp, -INFINITY, 0},
    {rf_exp, NAN, NAN},
    {rf_exp, 709.782712893384, 0x1.fffffffffff2ap+1023},
    {rf_exp, 709.7827128933841, INFINITY},
    {rf_exp, 1e300, INFINITY},
    {rf_exp, -745.1332191019411, 0x1p-1074},
    {rf_exp, -745.1332191019412, 0},
    {rf_exp, -1e300, 0},
    {rf_exp, 0x1p-1074, 1},
    {rf_exp2, 0.0, 1},
    {rf_exp2, -0.0, 1},
    {rf_exp2, INFINITY, INFINITY},
    {rf_exp2, -INFINITY, 0},
    {rf_exp2, NAN, NAN},
    {rf_exp2, 1024, INFINITY},
    {rf_exp2, -1074.9999999999998, 0x1p-1074},
    {rf_exp2, -1075, 0},
    {rf_exp2, -1e300, 0},
    {rf_exp2, 1e300, INFINITY},
    {rf_log, 0.0, -INFINITY},
    {rf_log, -0.0, -INFINITY},
    {rf_log, 1, 0},
    {rf_log, -1, NAN},
    {rf_log, -0x1p-1074, NAN},
    {rf_log, INFINITY, INFINITY},
    {rf_log, -INFINITY, NAN},
    {rf_log, NAN, NAN},
    {rf_log2, 0.0, -INFINITY},
    {rf_log2, -0.0, -INFINITY},
    {rf_log2, 1, 0},
    {rf_log2, -1, NAN},
    {rf_log2, INFINITY, INFINITY},
    {rf_log2, -INFINITY, NAN},
    {rf_log2, NAN, NAN},
};

static void assert_same(double got, double expected)
{
    if (isnan(expected))
        expected = double_of(UINT64_C(0x7ff8000000000000)); /* without a sign on every machine */
    ck_assert_msg(bits_of(got) == bits_of(expected), "%a instead of %a", got, expected);
}

START_TEST(a_function_ends_as_annex_f_says)
{
    assert_same(ends[_i].of(ends[_i].x), ends[_i].result);
}
END_TEST

START_TEST(pow_ends_as_annex_f_says_which_is_what_the_c_library_does)
{
    static const double ends_of_pow[] = {
        0.0,
        -0.0,
        1,
        -1,
        0.5,
        -0.5,
        2,
        -2,
        3,
        -3,
        1.5,
        -1.5,
        INFINITY,
        -INFINITY,
        NAN,
        0x1p52,
        0x1p53,
        -0x1p53,
        0x1p-1074,
        -0x1p-1074,
        DBL_MAX,
        -DBL_MAX,
        0x1.fffffffffffffp-1,
        0x1.0000000000001p+0,
        0x1.fffffffffffffp52,
        -0x1.fffffffffffffp52,
        1e-300,
        -1e300,
        0x1p70,
        -0x1p70,
        0x1p-70,
    };
    const size_t count = sizeof ends_of_pow / sizeof ends_of_pow[0];

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            double got = rf_pow(ends_of_pow[i], ends_of_pow[j]);
            double expected = pow(ends_of_pow[i], ends_of_pow[j]);

            if (isnan(expected) || isinf(expected) || expected == 0 || fabs(expected) == 1)
                assert_same(got, expected);
            else
                ck_assert_uint_le(steps_apart(got, expected), 1);
        }
    }
}
END_TEST

/* The nearest double to the true value, from 400-bit arithmetic. */
static const struct {
    const char *name;
    double x;
    double y;
    double result;
} known[] = {
    {"exp", 1, 0, 0x1.5bf0a8b145769p+1},
    {"exp", -1, 0, 0x1.78b56362cef38p-2},
    {"exp", 0.1, 0, 0x1.1aec7b35a00d4p+0},
    {"exp", -0.6931471805599453, 0, 0x1.0000000000000p-1},
    {"exp", 709.782712893384, 0, 0x1.fffffffffff2ap+1023},
    {"exp", -708.5, 0, 0x0.e6cf6d08897acp-1022},
    {"exp", -744.5, 0, 0x0.0000000000001p-1022},
    {"exp", 1e-17, 0, 0x1.0000000000000p+0},
    {"exp", 2.718281828459045, 0, 0x1.e4efb75e4527ap+3},
    {"exp2", 0.5, 0, 0x1.6a09e667f3bcdp+0},
    {"exp2", -0.1, 0, 0x1.ddb680117ab12p-1},
    {"exp2", 1023.999, 0, 0x1.ffa52de61c1b3p+1023},
    {"exp2", -1074.3, 0, 0x0.0000000000001p-1022},
    {"exp2", 3.1415926, 0, 0x1.1a6637366936dp+3},
    {"log", 2, 0, 0x1.62e42fefa39efp-1},
    {"log", 10, 0, 0x1.26bb1bbb55516p+1},
    {"log", 1.0000000000000002, 0, 0x1.fffffffffffffp-53},
    {"log", 0.9999999999999999, 0, -0x1.0000000000000p-53},
    {"log", 5e-324, 0, -0x1.74385446d71c3p+9},
    {"log", 1.7976931348623157e308, 0, 0x1.62e42fefa39efp+9},
    {"log", 0.5, 0, -0x1.62e42fefa39efp-1},
    {"log", 3.5, 0, 0x1.40b512eb53d60p+0},
    {"log2", 3, 0, 0x1.95c01a39fbd68p+0},
    {"log2", 10, 0, 0x1.a934f0979a371p+1},
    {"log2", 1.0000000000000002, 0, 0x1.71547652b82fdp-52},
    {"log2", 1e-310, 0, -0x1.01730dabca5f6p+10},
    {"log2", 0.7, 0, -0x1.0776228967d13p-1},
    {"pow", 2, 0.5, 0x1.6a09e667f3bcdp+0},
    {"pow", 10, -5, 0x1.4f8b588e368f1p-17},
    {"pow", 0.999999, 1e6, 0x1.78b5570a90a47p-2},
    {"pow", 1.7, -42.5, 0x1.614e436591500p-33},
    {"pow", -3, 7, -0x1.1160000000000p+11},
    {"pow", 1.0000000000000002, 4503599627370496, 0x1.5bf0a8b145769p+1},
    {"pow", 1e-300, 1.05, 0x0.000000c1069cdp-1022},
    {"pow", 7, 0.25, 0x1.a0675250ee9f2p+0},
    {"pow", 0.793, 4.414, 0x1.6fde29d3e59ebp-2},
};

static double call(const char *name, double x, double y)
{
    static const struct {
        const char *name;
        double (*of)(double);
    } functions[] = {{"exp", rf_exp}, {"exp2", rf_exp2}, {"log", rf_log}, {"log2", rf_log2}};

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, name) == 0)
            return functions[i].of(x);
    }
    return rf_pow(x, y);
}

START_TEST(a_known_value_has_the_known_bits)
{
    double got = call(known[_i].name, known[_i].x, known[_i].y);

    ck_assert_msg(bits_of(got) == bits_of(known[_i].result), "%s(%a, %a) is %a", known[_i].name,
                  known[_i].x, known[_i].y, got);
}
END_TEST

/* If this fails, features stored by an older version no longer compare equal, and `verify` and `diff`
 * will say so: it takes a reason, not new numbers. gcc 12 and clang 14 agree on them at every -O level and
 * with -march=native, as long as -ffp-contract=off. */
START_TEST(the_bits_of_900000_values_have_not_changed)
{
    static const uint64_t expected[] = {UINT64_C(0xa58cf438f28aa663), UINT64_C(0xda4ea25500ba1663),
                                        UINT64_C(0x3f89563aa3d11d06), UINT64_C(0x385579b66cbf56f1),
                                        UINT64_C(0x91db08464c7ef00b)};
    uint64_t sum[5] = {0};

    reset_random();
    for (int i = 0; i < 100000; i++) {
        sum[0] = sum[0] * 31 + bits_of(rf_exp(between(-750, 715)));
        sum[0] = sum[0] * 31 + bits_of(rf_exp(between(-1, 1)));
        sum[1] = sum[1] * 31 + bits_of(rf_exp2(between(-1080, 1030)));
        double x = double_of(random_bits() >> 1);
        sum[2] = sum[2] * 31 + bits_of(rf_log(x));
        sum[3] = sum[3] * 31 + bits_of(rf_log2(x));
        x = between(0.5, 2);
        sum[2] = sum[2] * 31 + bits_of(rf_log(x));
        sum[3] = sum[3] * 31 + bits_of(rf_log2(x));
        x = between(0, 100);
        sum[4] = sum[4] * 31 + bits_of(rf_pow(x, between(-160, 160)));
        x = double_of(random_bits());
        sum[4] = sum[4] * 31 + bits_of(rf_pow(x, between(-2, 2)));
    }

    for (size_t i = 0; i < sizeof sum / sizeof sum[0]; i++)
        ck_assert_msg(sum[i] == expected[i], "function %zu: %016" PRIx64, i, sum[i]);
}
END_TEST

START_TEST(the_tables_are_what_their_comment_says)
{
    for (int j = 0; j < RF_MATH_POWERS; j++) {
        long double power = exp2l((long double)j / RF_MATH_POWERS);

        ck_assert(rf_math_powers[j].high == (double)power);
        ck_assert(fabsl(power - rf_math_powers[j].high - rf_math_powers[j].low) < 0x1p-62L);
    }
    for (int i = 0; i < RF_MATH_LOGS; i++) {
        double c = (1 + i / 128.0) * (i >= 53 ? 0.5 : 1);
        const struct rf_math_log *entry = &rf_math_logs[i];
        long double log = -logl(entry->inverse);

        ck_assert(entry->inverse == nearbyint(512 / c) / 512);
        ck_assert(entry->log_high == ldexp(nearbyint(ldexp((double)log, 42)), -42));
        ck_assert(fabsl(log - entry->log_high - entry->log_low) < 0x1p-63L);
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("core/base/math");
    TCase *near_truth = tcase_create("near the truth");
    tcase_set_timeout(near_truth, 120);
    tcase_add_test(near_truth, exp_and_exp2_are_near_the_truth);
    tcase_add_test(near_truth, log_and_log2_are_near_the_truth);
    tcase_add_test(near_truth, pow_is_within_one_ulp_of_the_c_library);
    tcase_add_test(near_truth, an_exact_result_is_exact);
    suite_add_tcase(suite, near_truth);
    TCase *exact = tcase_create("bits");
    tcase_set_timeout(exact, 60);
    tcase_add_loop_test(exact, a_function_ends_as_annex_f_says, 0, COUNT(ends));
    tcase_add_test(exact, pow_ends_as_annex_f_says_which_is_what_the_c_library_does);
    tcase_add_loop_test(exact, a_known_value_has_the_known_bits, 0, COUNT(known));
    tcase_add_test(exact, the_bits_of_900000_values_have_not_changed);
    tcase_add_test(exact, the_tables_are_what_their_comment_says);
    suite_add_tcase(suite, exact);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
