/* edge/formats/ocf: container files, with Avro-C on the other side. */
#include <avro.h>
#include <unistd.h>

#include "core/codec/avro_support.h"
#include "edge/formats/ocf.h"

#define SCHEMA                                                                                     \
    "{\"type\":\"record\",\"name\":\"t.R\",\"fields\":[{\"name\":\"i\",\"type\":\"long\"},"        \
    "{\"name\":\"s\",\"type\":\"string\"}]}"
#define COUNT 20000

static struct rf_arena arena;
static char path[] = "/tmp/rf_ocf_XXXXXX";

static void setup(void)
{
    int descriptor = -1;

    rf_arena_init(&arena, 1U << 16);
    strcpy(path + strlen(path) - 6, "XXXXXX");
    descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    unlink(path); /* Avro-C does not write over a file */
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
    unlink(path);
}

static void check_datums(void)
{
    struct rf_ocf_reader *reader = NULL;
    struct rf_error err = {0};
    struct rf_bytes datum = {0};
    const struct rf_avro_program *program = NULL;
    int64_t count = 0;
    bool end = false;

    ck_assert_msg(rf_ocf_open(path, &reader, &err), "%s", err.message);
    ck_assert_str_eq(rf_ocf_schema(reader)->name, "t.R");
    ck_assert(rf_avro_compile(&arena, rf_ocf_schema(reader), rf_ocf_schema(reader), NULL, NULL,
                              &program, &err));
    for (;;) {
        struct rf_value fields[2];
        char text[32];

        ck_assert_msg(rf_ocf_next(reader, &datum, &end, &err), "%s", err.message);
        if (end)
            break;
        ck_assert_msg(rf_avro_decode(program, datum, &arena, fields, &err), "%s", err.message);
        snprintf(text, sizeof text, "text %d", (int)count);
        ck_assert_int_eq(fields[0].as.integer, count);
        ck_assert(rf_bytes_equal(fields[1].as.text, rf_bytes_of_text(text)));
        count++;
    }
    ck_assert_int_eq(count, COUNT);
    ck_assert(rf_ocf_next(reader, &datum, &end, &err) && end);
    rf_ocf_close(reader);
}

static const char *const avro_c_codecs[] = {"null", "deflate", "snappy", "lzma"};

START_TEST(what_avro_c_writes_is_read)
{
    avro_schema_t schema = NULL;
    avro_file_writer_t writer = NULL;
    avro_value_iface_t *iface = NULL;
    avro_value_t value;

    ck_assert_int_eq(avro_schema_from_json_length(SCHEMA, strlen(SCHEMA), &schema), 0);
    ck_assert_int_eq(
        avro_file_writer_create_with_codec(path, schema, &writer, avro_c_codecs[_i], 0), 0);
    iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &value);
    for (int i = 0; i < COUNT; i++) {
        avro_value_t field;
        char text[32];

        snprintf(text, sizeof text, "text %d", i);
        avro_value_get_by_index(&value, 0, &field, NULL);
        avro_value_set_long(&field, i);
        avro_value_get_by_index(&value, 1, &field, NULL);
        avro_value_set_string(&field, text);
        ck_assert_int_eq(avro_file_writer_append_value(writer, &value), 0);
    }
    avro_file_writer_close(writer);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);

    check_datums();
}
END_TEST

static void write_ours(const char *codec)
{
    struct rf_ocf_writer *writer = NULL;
    struct rf_buffer datum;
    struct rf_error err = {0};

    ck_assert_msg(rf_ocf_create(path, SCHEMA, codec, &writer, &err), "%s", err.message);
    rf_buffer_init(&datum, 1000);
    for (int i = 0; i < COUNT; i++) {
        struct rf_value fields[2] = {rf_value_int(i)};
        char text[32];

        snprintf(text, sizeof text, "text %d", i);
        fields[1] = rf_value_string(rf_bytes_of_text(text));
        rf_buffer_clear(&datum);
        ck_assert(rf_avro_encode(schema_of(&arena, SCHEMA), fields, &datum, &err));
        ck_assert(rf_ocf_append(writer, rf_buffer_bytes(&datum), &err));
        rf_arena_reset(&arena, 1U << 20);
    }
    rf_buffer_deinit(&datum);
    ck_assert_msg(rf_ocf_finish(writer, &err), "%s", err.message);
}

START_TEST(what_is_written_is_read_here_and_by_avro_c)
{
    avro_file_reader_t reader = NULL;
    avro_schema_t schema = NULL;
    avro_value_iface_t *iface = NULL;
    avro_value_t value;
    int64_t count = 0;

    write_ours(_i == 0 ? "null" : "deflate");
    check_datums();

    ck_assert_int_eq(avro_file_reader(path, &reader), 0);
    schema = avro_file_reader_get_writer_schema(reader);
    iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &value);
    while (avro_file_reader_read_value(reader, &value) == 0) {
        avro_value_t field;
        int64_t number = 0;

        avro_value_get_by_index(&value, 0, &field, NULL);
        avro_value_get_long(&field, &number);
        ck_assert_int_eq(number, count);
        count++;
        avro_value_reset(&value);
    }
    ck_assert_int_eq(count, COUNT);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    avro_file_reader_close(reader);
}
END_TEST

/* Any byte of the file changed or cut off: an error or other data, never a crash. */
START_TEST(a_damaged_file_is_an_error)
{
    static uint8_t bytes[1U << 20];
    FILE *file = NULL;
    size_t size = 0;
    size_t errors = 0;

    write_ours(_i == 0 ? "null" : "deflate");
    file = fopen(path, "rb");
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t round = 0; round < 300; round++) {
        size_t at = round < 200 ? round : (round - 200) * (size / 100);
        size_t kept = round % 2 == 0 ? size : at;
        struct rf_ocf_reader *reader = NULL;
        struct rf_error err = {0};
        struct rf_bytes datum;
        bool end = false;
        bool ok = false;

        bytes[at] ^= 0x55;
        file = fopen(path, "wb");
        fwrite(bytes, 1, kept, file);
        fclose(file);
        bytes[at] ^= 0x55;
        ok = rf_ocf_open(path, &reader, &err);
        while (ok && !end)
            ok = rf_ocf_next(reader, &datum, &end, &err);
        if (!ok)
            errors++;
        if (reader != NULL)
            rf_ocf_close(reader);
    }
    ck_assert_uint_gt(errors, 200);
}
END_TEST

START_TEST(what_is_no_container_file_is_named)
{
    struct rf_ocf_reader *reader = NULL;
    struct rf_error err = {0};
    FILE *file = fopen(path, "wb");

    fputs("a,b\n1,2\n", file);
    fclose(file);
    ck_assert(!rf_ocf_open(path, &reader, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_msg(strstr(err.message, "is no Avro object container file") != NULL, "%s",
                  err.message);
}
END_TEST

START_TEST(an_empty_file_of_datums_ends_at_once)
{
    struct rf_ocf_writer *writer = NULL;
    struct rf_ocf_reader *reader = NULL;
    struct rf_error err = {0};
    struct rf_bytes datum;
    bool end = false;

    ck_assert(rf_ocf_create(path, SCHEMA, "null", &writer, &err));
    ck_assert(rf_ocf_finish(writer, &err));
    ck_assert_msg(rf_ocf_open(path, &reader, &err), "%s", err.message);
    ck_assert(rf_ocf_next(reader, &datum, &end, &err));
    ck_assert(end);
    rf_ocf_close(reader);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/formats/ocf");
    TCase *tcase = tcase_create("ocf");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, what_avro_c_writes_is_read, 0, 4);
    tcase_add_loop_test(tcase, what_is_written_is_read_here_and_by_avro_c, 0, 2);
    tcase_add_loop_test(tcase, a_damaged_file_is_an_error, 0, 2);
    tcase_add_test(tcase, what_is_no_container_file_is_named);
    tcase_add_test(tcase, an_empty_file_of_datums_ends_at_once);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
