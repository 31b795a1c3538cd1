/* edge/sys/pseudonym: SipHash-2-4 as its authors published it, and one name for one customer. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "edge/sys/pseudonym.h"

/* Of the key 00 01 .. 0f and the messages "", 00, 00 01, ...: the paper's example is the one of 15 bytes. */
START_TEST(the_hash_is_siphash_2_4)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } published[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)},
    };
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;

    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
        ck_assert_uint_eq(rf_pseudonym_hash(bytes, rf_bytes_of(bytes, published[i].size)),
                          published[i].hash);
}
END_TEST

START_TEST(a_key_decides_the_pseudonym_and_the_customer_is_not_in_it)
{
    static const uint8_t key[RF_PSEUDONYM_KEY_SIZE] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                       8, 9, 10, 11, 12, 13, 14, 15};
    char text[RF_PSEUDONYM_TEXT_MAX];
    rf_pseudonym_set_key(key);

    size_t size = rf_pseudonym_format(text, sizeof text, rf_bytes_of("", 0));

    ck_assert_str_eq(text, "c-726fdb47dd0e0e31");
    ck_assert_uint_eq(size, strlen(text));
}
END_TEST

START_TEST(without_a_key_a_customer_has_one_pseudonym_in_the_process_and_others_have_others)
{
    char a[RF_PSEUDONYM_TEXT_MAX];
    char b[RF_PSEUDONYM_TEXT_MAX];

    rf_pseudonym_format(a, sizeof a, rf_bytes_of_text("491701234567"));
    rf_pseudonym_format(b, sizeof b, rf_bytes_of_text("491701234567"));
    ck_assert_str_eq(a, b);
    rf_pseudonym_format(b, sizeof b, rf_bytes_of_text("491701234568"));
    ck_assert_str_ne(a, b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/sys/pseudonym");
    TCase *tcase = tcase_create("pseudonym");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_hash_is_siphash_2_4);
    tcase_add_test(tcase, a_key_decides_the_pseudonym_and_the_customer_is_not_in_it);
    tcase_add_test(
        tcase, without_a_key_a_customer_has_one_pseudonym_in_the_process_and_others_have_others);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
