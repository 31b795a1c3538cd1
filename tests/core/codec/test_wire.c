/* core/codec/wire: both headers, byte for byte. */
#include <check.h>
#include <stdlib.h>

#include "core/codec/wire.h"
#include "core/model/format.h"

START_TEST(a_header_is_written_and_read_back)
{
    const struct {
        struct rf_wire wire;
        const char *bytes;
        size_t size;
    } rows[] = {
        {{.format = RF_FORMAT_AVRO, .id = 0x01020304}, "\x00\x01\x02\x03\x04", 5},
        {{.format = RF_FORMAT_AVRO, .id = UINT32_MAX}, "\x00\xff\xff\xff\xff", 5},
        {{.format = RF_FORMAT_AVRO_OBJECT, .fingerprint = UINT64_C(0x0102030405060708)},
         "\xc3\x01\x08\x07\x06\x05\x04\x03\x02\x01",
         10},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rf_buffer out;
        struct rf_wire wire = {0};
        struct rf_bytes body = {0};
        struct rf_error err = {0};

        rf_buffer_init(&out, 100);
        rf_wire_write(&out, &rows[i].wire);
        ck_assert(rf_bytes_equal(rf_buffer_bytes(&out), rf_bytes_of(rows[i].bytes, rows[i].size)));
        rf_buffer_append_text(&out, "body");
        ck_assert(rf_wire_read(rows[i].wire.format, rf_buffer_bytes(&out), &wire, &body, &err));
        ck_assert_uint_eq(wire.id, rows[i].wire.id);
        ck_assert_uint_eq(wire.fingerprint, rows[i].wire.fingerprint);
        ck_assert(rf_bytes_equal(body, rf_bytes_of_text("body")));
        rf_buffer_deinit(&out);
    }
}
END_TEST

START_TEST(what_is_no_header_is_named)
{
    const struct {
        enum rf_format format;
        const char *bytes;
        size_t size;
        const char *message;
    } rows[] = {
        {RF_FORMAT_AVRO, "", 0, "0 bytes are too few for magic byte 0 and a schema id of 4 bytes"},
        {RF_FORMAT_AVRO, "\0\0\0\1", 4,
         "4 bytes are too few for magic byte 0 and a schema id of 4 bytes"},
        {RF_FORMAT_AVRO, "{\"a\":1}", 7,
         "the first byte is 0x7b, not the 0x00 of a registry's wire format"},
        {RF_FORMAT_AVRO_OBJECT, "\xc3\x01", 2,
         "2 bytes are too few for the 10-byte header of a single object"},
        {RF_FORMAT_AVRO_OBJECT, "\0\0\0\0\1abcdef", 11,
         "it begins with 00 00, not with the c3 01 of a single object"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rf_wire wire = {0};
        struct rf_bytes body = {0};
        struct rf_error err = {0};

        ck_assert(!rf_wire_read(rows[i].format, rf_bytes_of(rows[i].bytes, rows[i].size), &wire,
                                &body, &err));
        ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
        ck_assert_str_eq(err.message, rows[i].message);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/wire");
    TCase *tcase = tcase_create("wire");
    tcase_add_test(tcase, a_header_is_written_and_read_back);
    tcase_add_test(tcase, what_is_no_header_is_named);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
