/* core/codec/decimal: the nearest double, also where 53 bits are too few. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/codec/decimal.h"

static const struct {
    const char *bytes;
    size_t size;
    int32_t scale;
    double number;
} rows[] = {
    {"\x00", 1, 0, 0},
    {"\x00", 1, 5, 0},
    {"\xff", 1, 0, -1},
    {"\x80", 1, 0, -128},
    {"\x00\x80", 2, 0, 128},
    {"\x0a", 1, 1, 1.0},
    {"\x01", 1, 1, 0.1},
    {"\x7f\xff\xff\xff\xff\xff\xff\xff", 8, 0, 9223372036854775807.0},
    {"\x80\x00\x00\x00\x00\x00\x00\x00", 8, 0, -9223372036854775808.0},
    {"\x7f\xff\xff\xff\xff\xff\xff\xff", 8, 18, 9.223372036854775807},
    {"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x19", 10, 1, 2.5},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xe7", 10, 1, -2.5},
    {"\x01\x00\x00\x00\x00\x00\x00\x00\x00", 9, 0, 18446744073709551616.0},
    {"\xff\x00\x00\x00\x00\x00\x00\x00\x00", 9, 0, -18446744073709551616.0},
    {"\x01\x00\x00\x00\x00\x00\x00\x00\x00", 9, 30, 18446744073709551616e-30},
};

START_TEST(bytes_become_the_nearest_double)
{
    double number = 0;

    ck_assert(
        rf_decimal_to_double(rf_bytes_of(rows[_i].bytes, rows[_i].size), rows[_i].scale, &number));

    ck_assert_double_eq(number, rows[_i].number);
}
END_TEST

START_TEST(no_bytes_and_too_many_are_refused)
{
    uint8_t many[RF_DECIMAL_SIZE_MAX + 1] = {1};
    double number = 0;

    ck_assert(!rf_decimal_to_double(rf_bytes_of("", 0), 0, &number));
    ck_assert(!rf_decimal_to_double(rf_bytes_of(many, sizeof many), 0, &number));
    ck_assert(rf_decimal_to_double(rf_bytes_of(many, sizeof many - 1), 0, &number));
    ck_assert_double_eq(number, 0x1p504);
}
END_TEST

START_TEST(a_double_comes_back_in_as_few_bytes_as_it_needs)
{
    static const double numbers[] = {
        0, 0.01, -0.01, 1.27, 1.28, -1.28, -1.29, 327.67, -92233720368547758.0};
    static const size_t sizes[] = {1, 1, 1, 1, 2, 1, 2, 2, 8};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t bytes[RF_DECIMAL_SIZE_MAX];
        size_t size = rf_decimal_from_double(numbers[i], 2, 0, bytes);
        double back = 0;

        ck_assert_uint_eq(size, sizes[i]);
        ck_assert(rf_decimal_to_double(rf_bytes_of(bytes, size), 2, &back));
        ck_assert_double_eq(back, numbers[i]);
    }
}
END_TEST

START_TEST(what_does_not_fit_has_no_size)
{
    uint8_t bytes[RF_DECIMAL_SIZE_MAX];

    ck_assert_uint_eq(rf_decimal_from_double(1.28, 2, 1, bytes), 0);
    ck_assert_uint_eq(rf_decimal_from_double(1e30, 2, 0, bytes), 0);
    ck_assert_uint_eq(rf_decimal_from_double((double)NAN, 2, 0, bytes), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/decimal");
    TCase *tcase = tcase_create("decimal");
    tcase_add_loop_test(tcase, bytes_become_the_nearest_double, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, no_bytes_and_too_many_are_refused);
    tcase_add_test(tcase, a_double_comes_back_in_as_few_bytes_as_it_needs);
    tcase_add_test(tcase, what_does_not_fit_has_no_size);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
