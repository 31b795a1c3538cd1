/* core/base/varint: Avro's zig-zag encoding, byte for byte, and nothing read that was not written. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/varint.h"

static const struct {
    int64_t number;
    size_t size;
    uint8_t bytes[RF_VARINT_SIZE_MAX];
} known[] = {
    {0, 1, {0x00}},
    {-1, 1, {0x01}},
    {1, 1, {0x02}},
    {-2, 1, {0x03}},
    {2, 1, {0x04}},
    {-64, 1, {0x7f}},
    {64, 2, {0x80, 0x01}},
    {8191, 2, {0xfe, 0x7f}},
    {8192, 3, {0x80, 0x80, 0x01}},
    {INT32_MAX, 5, {0xfe, 0xff, 0xff, 0xff, 0x0f}},
    {INT32_MIN, 5, {0xff, 0xff, 0xff, 0xff, 0x0f}},
    {INT64_MAX, 10, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
    {INT64_MIN, 10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
};

START_TEST(a_number_is_written_as_the_avro_specification_says_and_read_back)
{
    uint8_t out[RF_VARINT_SIZE_MAX];
    const uint8_t *at = out;
    int64_t number = 0;

    size_t size = rf_varint_write(out, known[_i].number);

    ck_assert_uint_eq(size, known[_i].size);
    ck_assert_mem_eq(out, known[_i].bytes, size);
    ck_assert(rf_varint_read(&at, out + size, &number));
    ck_assert_int_eq(number, known[_i].number);
    ck_assert_ptr_eq(at, out + size);
}
END_TEST

START_TEST(a_number_that_is_cut_off_is_refused_and_the_position_stays)
{
    for (size_t size = 0; size < known[_i].size; size++) {
        const uint8_t *at = known[_i].bytes;
        int64_t number = 42;

        ck_assert(!rf_varint_read(&at, known[_i].bytes + size, &number));
        ck_assert_ptr_eq(at, known[_i].bytes);
        ck_assert_int_eq(number, 42);
    }
}
END_TEST

START_TEST(more_than_64_bits_are_refused)
{
    static const uint8_t too_large[][11] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},       /* bit 65 */
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00}, /* an eleventh byte */
        {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00},
    };

    for (size_t i = 0; i < sizeof too_large / sizeof too_large[0]; i++) {
        const uint8_t *at = too_large[i];
        int64_t number = 42;

        ck_assert(!rf_varint_read(&at, too_large[i] + sizeof too_large[i], &number));
    }
}
END_TEST

START_TEST(every_size_of_number_comes_back)
{
    for (int shift = 0; shift < 64; shift++) {
        for (int64_t offset = -2; offset <= 2; offset++) {
            int64_t written = (int64_t)((UINT64_C(1) << shift) + (uint64_t)offset);
            uint8_t out[RF_VARINT_SIZE_MAX];
            const uint8_t *at = out;
            int64_t number = 0;

            size_t size = rf_varint_write(out, written);

            ck_assert(rf_varint_read(&at, out + size, &number));
            ck_assert_int_eq(number, written);
        }
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("core/base/varint");
    TCase *tcase = tcase_create("varint");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_number_is_written_as_the_avro_specification_says_and_read_back, 0,
                        COUNT(known));
    tcase_add_loop_test(tcase, a_number_that_is_cut_off_is_refused_and_the_position_stays, 0,
                        COUNT(known));
    tcase_add_test(tcase, more_than_64_bits_are_refused);
    tcase_add_test(tcase, every_size_of_number_comes_back);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
