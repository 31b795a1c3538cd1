/* core/base/bytes: UTF-8 as RFC 3629 has it, and the order of the store's keys. */
#include <check.h>
#include <stdlib.h>

#include "core/base/bytes.h"

static const struct {
    const char *text;
    size_t size;
    bool valid;
} hard[] = {
    {"", 0, true},
    {"a", 1, true},
    {"\0", 1, true},
    {"\x7f", 1, true},
    {"\x80", 1, false}, /* a continuation alone */
    {"\xbf", 1, false},
    {"\xc0\x80", 2, false}, /* U+0000 overlong */
    {"\xc1\xbf", 2, false}, /* U+007F overlong */
    {"\xc2\x80", 2, true},  /* U+0080, the first of two */
    {"\xdf\xbf", 2, true},  /* U+07FF, the last */
    {"\xc2", 1, false},     /* cut off */
    {"\xc2\x41", 2, false},
    {"\xc2\xc2\x80", 3, false},
    {"\xe0\x80\x80", 3, false},             /* overlong */
    {"\xe0\x9f\xbf", 3, false},             /* U+07FF overlong */
    {"\xe0\xa0\x80", 3, true},              /* U+0800 */
    {"\xed\x9f\xbf", 3, true},              /* U+D7FF */
    {"\xed\xa0\x80", 3, false},             /* U+D800, a surrogate */
    {"\xed\xbf\xbf", 3, false},             /* U+DFFF */
    {"\xed\xa0\xbd\xed\xb8\x80", 6, false}, /* a pair of them, as CESU-8 */
    {"\xee\x80\x80", 3, true},              /* U+E000 */
    {"\xef\xbf\xbf", 3, true},              /* U+FFFF, a noncharacter but well-formed */
    {"\xef\xbb\xbf", 3, true},              /* the byte order mark */
    {"\xe2\x82", 2, false},
    {"\xe2\x82\x41", 3, false},
    {"\xe2\x28\xa1", 3, false},
    {"\xf0\x80\x80\x80", 4, false}, /* overlong */
    {"\xf0\x8f\xbf\xbf", 4, false}, /* U+FFFF overlong */
    {"\xf0\x90\x80\x80", 4, true},  /* U+10000 */
    {"\xf4\x8f\xbf\xbf", 4, true},  /* U+10FFFF */
    {"\xf4\x90\x80\x80", 4, false}, /* U+110000 */
    {"\xf5\x80\x80\x80", 4, false},
    {"\xf8\x88\x80\x80\x80", 5, false},
    {"\xfc\x84\x80\x80\x80\x80", 6, false},
    {"\xfe", 1, false},
    {"\xff", 1, false},
    {"\xf0\x9f\x98", 3, false},
    {"\xf0\x9f\x98\x80", 4, true},
    {"\xf0\x28\x8c\x28", 4, false},
};

/* At every distance from the end of the eight bytes that are looked at together. */
START_TEST(a_hard_case_is_judged_as_rfc_3629_says_wherever_it_stands)
{
    for (size_t before = 0; before < 20; before++) {
        for (size_t after = 0; after < 20; after++) {
            char text[64];
            memset(text, 'x', sizeof text);
            memcpy(text + before, hard[_i].text, hard[_i].size);

            bool valid = rf_bytes_is_utf8(rf_bytes_of(text, before + hard[_i].size + after));

            ck_assert_msg(valid == hard[_i].valid, "case %d with %zu before and %zu after", _i,
                          before, after);
        }
    }
}
END_TEST

static size_t encode(uint32_t point, uint8_t *out)
{
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = size; i-- > 1; point >>= 6)
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
    out[0] = (uint8_t)(leads[size] | point);
    return size;
}

START_TEST(every_code_point_but_the_surrogates_is_text_and_no_part_of_one_is)
{
    for (uint32_t point = 0; point < 0x110000; point++) {
        uint8_t text[4];
        size_t size = encode(point, text);
        bool surrogate = point >= 0xd800 && point <= 0xdfff;

        if (rf_bytes_is_utf8(rf_bytes_of(text, size)) == surrogate)
            ck_abort_msg("U+%04X", point);
        if (size > 1 && rf_bytes_is_utf8(rf_bytes_of(text, size - 1)))
            ck_abort_msg("U+%04X, cut", point);
    }
}
END_TEST

START_TEST(the_order_is_bytewise_and_the_shorter_comes_first)
{
    static const struct rf_bytes ascending[] = {
        {NULL, 0},
        {(const uint8_t *)"\0", 1},
        {(const uint8_t *)"a", 1},
        {(const uint8_t *)"a\0", 2},
        {(const uint8_t *)"aa", 2},
        {(const uint8_t *)"b", 1},
        {(const uint8_t *)"\x80", 1},
        {(const uint8_t *)"\xff", 1},
    };
    const size_t count = sizeof ascending / sizeof ascending[0];

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = rf_bytes_compare(ascending[i], ascending[j]);

            ck_assert_int_eq(order < 0, i < j);
            ck_assert_int_eq(order > 0, i > j);
            ck_assert_int_eq(rf_bytes_equal(ascending[i], ascending[j]), i == j);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/base/bytes");
    TCase *tcase = tcase_create("bytes");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_hard_case_is_judged_as_rfc_3629_says_wherever_it_stands, 0,
                        (int)(sizeof hard / sizeof hard[0]));
    tcase_add_test(tcase, every_code_point_but_the_surrogates_is_text_and_no_part_of_one_is);
    tcase_add_test(tcase, the_order_is_bytewise_and_the_shorter_comes_first);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
