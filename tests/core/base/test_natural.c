/* core/base/natural: small results against machine arithmetic, large ones against themselves. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "core/base/natural.h"

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static void assert_is(const struct rf_natural *n, uint64_t expected)
{
    struct rf_natural same;

    rf_natural_set(&same, expected);
    ck_assert_int_eq(rf_natural_compare(n, &same), 0);
}

START_TEST(what_fits_in_64_bits_is_what_the_machine_says)
{
    for (int i = 0; i < 10000; i++) {
        uint64_t a = random_bits() >> (20 + random_bits() % 44);
        uint32_t factor = 1 + (uint32_t)random_bits() % 999;
        uint32_t shift = (uint32_t)random_bits() % 10;
        struct rf_natural n;

        rf_natural_set(&n, a);
        rf_natural_multiply_add(&n, factor, 7);
        assert_is(&n, a * factor + 7);
        rf_natural_shift_left(&n, shift);
        assert_is(&n, (a * factor + 7) << shift);
    }
}
END_TEST

START_TEST(powers_of_five_add_up)
{
    for (uint32_t exponent = 0; exponent < 1200; exponent += 17) {
        struct rf_natural at_once;
        struct rf_natural one_by_one;
        rf_natural_set(&at_once, 3);
        rf_natural_set(&one_by_one, 3);

        rf_natural_multiply_power_of_five(&at_once, exponent);
        for (uint32_t i = 0; i < exponent; i++)
            rf_natural_multiply_add(&one_by_one, 5, 0);

        ck_assert_int_eq(rf_natural_compare(&at_once, &one_by_one), 0);
    }
}
END_TEST

START_TEST(bits_and_headroom_are_counted)
{
    for (uint32_t shift = 0; shift < 1000; shift++) {
        struct rf_natural n;
        rf_natural_set(&n, 5);
        rf_natural_shift_left(&n, shift);

        ck_assert_uint_eq(rf_natural_bits(&n), shift + 3);
        uint32_t limbs = n.count;
        rf_natural_shift_left(&n, rf_natural_headroom(&n));
        ck_assert_uint_eq(n.count, limbs);
        ck_assert_uint_eq(rf_natural_headroom(&n), 0);
    }
    struct rf_natural zero;
    rf_natural_set(&zero, 0);
    ck_assert_uint_eq(rf_natural_bits(&zero), 0);
}
END_TEST

START_TEST(a_sum_compares_as_a_sum)
{
    for (int i = 0; i < 10000; i++) {
        uint64_t a = random_bits() >> (1 + random_bits() % 63);
        uint64_t b = random_bits() >> (1 + random_bits() % 63);
        uint64_t c = a + b + random_bits() % 3 - 1;
        struct rf_natural na, nb, nc;
        rf_natural_set(&na, a);
        rf_natural_set(&nb, b);
        rf_natural_set(&nc, c);

        int order = rf_natural_compare_sum(&na, &nb, &nc);

        ck_assert_int_eq(order < 0, a + b < c);
        ck_assert_int_eq(order > 0, a + b > c);
    }
}
END_TEST

/* n = quotient * divisor + rest is put together and taken apart again. */
START_TEST(a_small_quotient_and_its_rest_are_found)
{
    for (int i = 0; i < 5000; i++) {
        uint32_t quotient = 1 + (uint32_t)random_bits() % 131071;
        uint32_t digit = (uint32_t)random_bits() % 1000000;
        struct rf_natural divisor;
        struct rf_natural n;
        rf_natural_set(&divisor, random_bits() | 1);
        rf_natural_multiply_power_of_five(&divisor, (uint32_t)random_bits() % 300);
        rf_natural_multiply_add(&divisor, 1000003, 0);
        rf_natural_shift_left(&divisor, rf_natural_headroom(&divisor));
        n = divisor;
        rf_natural_multiply_add(&n, quotient, digit);

        ck_assert_uint_eq(rf_natural_divide_small(&n, &divisor), quotient);

        assert_is(&n, digit);
    }
}
END_TEST

START_TEST(the_first_64_bits_of_a_quotient_are_found)
{
    for (int i = 0; i < 5000; i++) {
        uint64_t expected = random_bits() | UINT64_C(1) << 63;
        uint32_t rest = (uint32_t)random_bits() % 3;
        struct rf_natural divisor;
        struct rf_natural n;
        bool more = false;
        rf_natural_set(&divisor, random_bits());
        rf_natural_multiply_power_of_five(&divisor, 100 + (uint32_t)random_bits() % 100);
        rf_natural_shift_left(&divisor, rf_natural_headroom(&divisor));
        /* divisor is made a multiple of 2^63 so that n / divisor * 2^63 can be put together */
        n = divisor;
        rf_natural_multiply_add(&n, (uint32_t)(expected >> 32), 0);
        rf_natural_shift_left(&n, 32);
        struct rf_natural lower = divisor;
        rf_natural_multiply_add(&lower, (uint32_t)expected, rest);
        for (uint64_t carry = 0, j = 0; j < RF_NATURAL_LIMBS; j++) {
            uint64_t sum =
                carry + (j < n.count ? n.limbs[j] : 0) + (j < lower.count ? lower.limbs[j] : 0);
            if (j < n.count)
                n.limbs[j] = (uint32_t)sum;
            else
                ck_assert_uint_eq(sum, 0);
            carry = sum >> 32;
        }
        rf_natural_shift_left(&divisor, 63);
        uint32_t headroom = rf_natural_headroom(&divisor);
        rf_natural_shift_left(&divisor, headroom);
        rf_natural_shift_left(&n, headroom);

        ck_assert_uint_eq(rf_natural_divide(&n, &divisor, &more), expected);

        ck_assert_int_eq(more, rest != 0);
    }
}
END_TEST

START_TEST(growing_past_the_limit_asserts)
{
    struct rf_natural n;

    rf_natural_set(&n, 1);
    rf_natural_shift_left(&n, RF_NATURAL_LIMBS * 32);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/base/natural");
    TCase *tcase = tcase_create("natural");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_fits_in_64_bits_is_what_the_machine_says);
    tcase_add_test(tcase, powers_of_five_add_up);
    tcase_add_test(tcase, bits_and_headroom_are_counted);
    tcase_add_test(tcase, a_sum_compares_as_a_sum);
    tcase_add_test(tcase, a_small_quotient_and_its_rest_are_found);
    tcase_add_test(tcase, the_first_64_bits_of_a_quotient_are_found);
    tcase_add_test_raise_signal(tcase, growing_past_the_limit_asserts, SIGABRT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
