/* core/task/partitioner: the same partitions as Kafka's own clients. */
#include <check.h>
#include <stdlib.h>

#include "core/task/partitioner.h"

/* The values of Kafka's UtilsTest.testMurmur2. */
START_TEST(murmur2_is_the_java_clients)
{
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_bytes key = rf_bytes_of_text(cases[i].key);

        ck_assert_int_eq((int32_t)rf_murmur2(key), cases[i].hash);
        ck_assert_int_eq(rf_partition_murmur2(key, 7), (cases[i].hash & 0x7fffffff) % 7);
    }
}
END_TEST

/* CRC-32/ISO-HDLC, whose check value is 0xcbf43926. */
START_TEST(crc32_is_zlibs)
{
    struct rf_bytes check = rf_bytes_of_text("123456789");

    ck_assert_int_eq(rf_partition_crc32(check, 1000003), (int32_t)(0xcbf43926u % 1000003u));
    ck_assert_int_eq(rf_partition_crc32(rf_bytes_of("", 0), 5), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("partitioner");
    TCase *tcase = tcase_create("partitioner");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(tcase, murmur2_is_the_java_clients);
    tcase_add_test(tcase, crc32_is_zlibs);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
