/* core/base/hash: the values that are stored and emitted do not change. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/hash.h"

/* Of the first bytes of 0, 7, 14, ... modulo 256; the sizes are those at which XXH3 changes its ways. The
 * row of no bytes is what the XXH3 specification prints. */
static const struct {
    size_t size;
    uint64_t hash64;
    uint64_t seeded; /* by 1234567890123 */
    uint64_t high;
    uint64_t low;
} known[] = {
    {0, UINT64_C(0x2d06800538d394c2), UINT64_C(0x52a27a0f5c9c134f), UINT64_C(0x99aa06d3014798d8),
     UINT64_C(0x6001c324468d497f)},
    {1, UINT64_C(0xc44bdff4074eecdb), UINT64_C(0x46150b4a149940d9), UINT64_C(0xa6cd5e9392000f6a),
     UINT64_C(0xc44bdff4074eecdb)},
    {3, UINT64_C(0xc3489259e968ad9e), UINT64_C(0x12178d3a4ff13fbb), UINT64_C(0x656e81c56e41fe02),
     UINT64_C(0xc3489259e968ad9e)},
    {8, UINT64_C(0xb88dee77f6bf6980), UINT64_C(0x813a07a091f56718), UINT64_C(0xe4b9dd0b66ff3c50),
     UINT64_C(0xebabbd0695002ff6)},
    {16, UINT64_C(0x9da23836adf2be1e), UINT64_C(0x29bc97c09053f1fd), UINT64_C(0xddf6c1254d70f767),
     UINT64_C(0x94eaa17b20756f46)},
    {17, UINT64_C(0xf34c3c9cf5a112d1), UINT64_C(0xc83ce028d47c4adb), UINT64_C(0x263f67af63088041),
     UINT64_C(0x735fe434ded90c3c)},
    {128, UINT64_C(0x65f3c2c00fa93185), UINT64_C(0x151064c14c3713a9), UINT64_C(0xdd9e5aa9bd51cc9c),
     UINT64_C(0xc6bd21ecc865f29f)},
    {129, UINT64_C(0x28065c6ec25f5b25), UINT64_C(0xa9bf51c3b7ada022), UINT64_C(0x00433635cf8d872e),
     UINT64_C(0x7f4accb76587485b)},
    {240, UINT64_C(0x4917a75c0ef8eed7), UINT64_C(0x88c070e6737a7a3b), UINT64_C(0x89e3a0a2ee355d25),
     UINT64_C(0xd10beb4e0599e4b3)},
    {241, UINT64_C(0x541b19226f0052e8), UINT64_C(0x4478f0253ef25135), UINT64_C(0x75f4da43f23cce5a),
     UINT64_C(0x541b19226f0052e8)},
    {1000, UINT64_C(0x10ad30264426c830), UINT64_C(0x134122e9a42e01dc), UINT64_C(0xabee229cdadad76d),
     UINT64_C(0x10ad30264426c830)},
};

START_TEST(a_known_run_of_bytes_has_its_known_hashes)
{
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    struct rf_bytes run = rf_bytes_of(bytes, known[_i].size);

    struct rf_hash128 hash = rf_hash128(run);

    ck_assert_uint_eq(rf_hash64(run), known[_i].hash64);
    ck_assert_uint_eq(rf_hash64_seeded(run, UINT64_C(1234567890123)), known[_i].seeded);
    ck_assert_uint_eq(hash.high, known[_i].high);
    ck_assert_uint_eq(hash.low, known[_i].low);
}
END_TEST

START_TEST(no_bytes_hash_the_same_with_and_without_an_address)
{
    ck_assert_uint_eq(rf_hash64(rf_bytes_of(NULL, 0)), rf_hash64(rf_bytes_of("", 0)));
    ck_assert_uint_eq(rf_hash64_seeded(rf_bytes_of(NULL, 0), 0), rf_hash64(rf_bytes_of("", 0)));
}
END_TEST

START_TEST(the_order_of_the_parts_of_a_chained_hash_matters)
{
    struct rf_bytes a = rf_bytes_of_text("a");
    struct rf_bytes b = rf_bytes_of_text("b");

    uint64_t ab = rf_hash64_seeded(b, rf_hash64_seeded(a, 0));
    uint64_t ba = rf_hash64_seeded(a, rf_hash64_seeded(b, 0));

    ck_assert_uint_ne(ab, ba);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/base/hash");
    TCase *tcase = tcase_create("hash");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_known_run_of_bytes_has_its_known_hashes, 0,
                        (int)(sizeof known / sizeof known[0]));
    tcase_add_test(tcase, no_bytes_hash_the_same_with_and_without_an_address);
    tcase_add_test(tcase, the_order_of_the_parts_of_a_chained_hash_matters);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
