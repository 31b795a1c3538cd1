/* core/base/buffer: a buffer cannot pass its limit, and says so once. */
#include <check.h>
#include <stdlib.h>

#include "core/base/buffer.h"

START_TEST(an_append_past_the_limit_writes_nothing_and_is_remembered)
{
    struct rf_buffer buffer;
    rf_buffer_init(&buffer, 8);

    rf_buffer_append_text(&buffer, "12345678");
    ck_assert(!buffer.overflow);
    rf_buffer_append_byte(&buffer, '9');

    ck_assert(buffer.overflow);
    ck_assert_uint_eq(buffer.size, 8);
    rf_buffer_clear(&buffer);
    ck_assert(!buffer.overflow);
    rf_buffer_deinit(&buffer);
}
END_TEST

START_TEST(printf_formats_and_counts_no_terminator)
{
    struct rf_buffer buffer;
    rf_buffer_init(&buffer, 1000);

    rf_buffer_printf(&buffer, "%d dropped %s", 3, "calls");

    ck_assert_uint_eq(buffer.size, 15);
    ck_assert(rf_bytes_equal(rf_buffer_bytes(&buffer), rf_bytes_of_text("3 dropped calls")));
    rf_buffer_deinit(&buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/base/buffer");
    TCase *tcase = tcase_create("buffer");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_append_past_the_limit_writes_nothing_and_is_remembered);
    tcase_add_test(tcase, printf_formats_and_counts_no_terminator);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
