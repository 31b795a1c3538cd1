/* edge/formats/csv and text_file: RFC 4180 rows out of a file, and lines. */
#include <unistd.h>

#include "core/codec/avro_support.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/formats/csv.h"
#include "edge/formats/text_file.h"

static struct rf_arena arena;
static char path[] = "/tmp/rf_csv_XXXXXX";

static void setup(void)
{
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
    unlink(path);
}

static struct rf_text_file *file_of(const char *text, size_t size, size_t record_max)
{
    struct rf_text_file *file = NULL;
    struct rf_error err = {0};
    int descriptor = -1;

    strcpy(path + strlen(path) - 6, "XXXXXX");
    descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, text, size), (ssize_t)size);
    close(descriptor);
    ck_assert_msg(rf_text_file_open(path, record_max, &file, &err), "%s", err.message);
    return file;
}

/* All records as "line:text|line:text|", an error as "!message|". */
static const char *records_of(const char *text, char separator, size_t record_max)
{
    struct rf_text_file *file = file_of(text, strlen(text), record_max);
    struct rf_buffer out;
    const char *seen = NULL;
    bool end = false;

    rf_buffer_init(&out, 100000);
    while (!end) {
        struct rf_text_record record = {0};
        struct rf_error err = {0};

        if (!rf_text_file_next(file, separator, &record, &end, &err))
            rf_buffer_printf(&out, "!%s|", err.message + strlen(path));
        else if (!end)
            rf_buffer_printf(&out, "%d:%.*s|", (int)record.line, (int)record.text.size,
                             (const char *)record.text.data);
    }
    rf_text_file_close(file);
    rf_buffer_append_byte(&out, 0);
    seen = (const char *)rf_arena_copy(&arena, rf_buffer_bytes(&out)).data;
    rf_buffer_deinit(&out);
    return seen;
}

START_TEST(lines_have_numbers_and_empty_ones_are_passed_over)
{
    ck_assert_str_eq(records_of("", 0, 100), "");
    ck_assert_str_eq(records_of("a\nb", 0, 100), "1:a|2:b|");
    ck_assert_str_eq(records_of("a\n\r\n\nb\r\n", 0, 100), "1:a|4:b|");
    ck_assert_str_eq(records_of("\xef\xbb\xbf{}\n", 0, 100), "1:{}|");
    ck_assert_str_eq(records_of("\"a\nb\"\n", 0, 100), "1:\"a|2:b\"|");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_an_error_and_the_next_is_read)
{
    ck_assert_str_eq(records_of("123456789\n12345678\nx\n", 0, 8),
                     "!:1: it is longer than 8 bytes|2:12345678|3:x|");
}
END_TEST

START_TEST(a_line_end_in_quotes_belongs_to_the_row)
{
    ck_assert_str_eq(records_of("a,\"b\nc\",d\ne\n", ',', 100), "1:a,\"b\nc\",d|3:e|");
    ck_assert_str_eq(records_of("\"say \"\"hi\"\"\n\"\nb\n", ',', 100),
                     "1:\"say \"\"hi\"\"\n\"|3:b|");
    ck_assert_str_eq(records_of("5\" pipe\nb\n", ',', 100), "1:5\" pipe|2:b|");
    ck_assert_str_eq(records_of("a;\"b\n\";c\n", ';', 100), "1:a;\"b\n\";c|");
    ck_assert_str_eq(records_of("\"never closed\nb\n", ',', 100), "1:\"never closed\nb\n|");
}
END_TEST

START_TEST(a_record_may_cross_the_buffer)
{
    size_t size = 200000;
    char *text = malloc(size);
    struct rf_text_file *file = NULL;
    struct rf_text_record record = {0};
    struct rf_error err = {0};
    bool end = false;

    memset(text, 'x', size);
    text[70000] = '\n';
    text[size - 1] = '\n';
    file = file_of(text, size, size);
    ck_assert(rf_text_file_next(file, ',', &record, &end, &err));
    ck_assert_uint_eq(record.text.size, 70000);
    ck_assert(rf_text_file_next(file, ',', &record, &end, &err));
    ck_assert_uint_eq(record.text.size, size - 70002);
    ck_assert_uint_eq(record.line, 2);
    rf_text_file_close(file);
    free(text);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error_of_the_configuration)
{
    struct rf_text_file *file = NULL;
    struct rf_error err = {0};

    ck_assert(!rf_text_file_open("/nowhere/x.csv", 100, &file, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_str_eq(err.message, "opening /nowhere/x.csv: No such file or directory");
}
END_TEST

static const struct {
    const char *row;
    char separator;
    const char *cells; /* "a|b" */
} splits[] = {
    {"a", ',', "a"},
    {"a,b", ',', "a|b"},
    {",", ',', "|"},
    {"a,,", ',', "a||"},
    {"\"a,b\",c", ',', "a,b|c"},
    {"\"a\"\"b\"", ',', "a\"b"},
    {"\"\",x", ',', "|x"},
    {"a\tb c", '\t', "a|b c"},
    {"a;b,c", ';', "a|b,c"},
    {"5\" pipe,x", ',', "5\" pipe|x"},
    {"\"a", ',', "error: column 1: its quote is not closed"},
    {"x,\"a\"b", ',', "error: column 2: text follows the closing quote"},
    {"1,2,3,4,5,6,7,8,9", ',', "error: the row has more than 8 columns"},
};

START_TEST(a_row_is_split_into_cells)
{
    struct rf_bytes cells[8];
    size_t count = 0;
    struct rf_error err = {0};
    struct rf_buffer out;

    rf_buffer_init(&out, 1000);
    if (rf_csv_split(rf_bytes_of_text(splits[_i].row), splits[_i].separator, &arena, cells, 8,
                     &count, &err)) {
        for (size_t i = 0; i < count; i++)
            rf_buffer_printf(&out, "%s%.*s", i == 0 ? "" : "|", (int)cells[i].size,
                             (const char *)cells[i].data);
    } else {
        rf_buffer_printf(&out, "error: %s", err.message);
    }
    ck_assert_msg(rf_bytes_equal(rf_buffer_bytes(&out), rf_bytes_of_text(splits[_i].cells)), "%.*s",
                  (int)out.size, (const char *)out.data);
    rf_buffer_deinit(&out);
}
END_TEST

#define SCHEMA                                                                                        \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":["                                                \
    "{\"name\":\"customer\",\"type\":\"string\"},"                                                    \
    "{\"name\":\"amount\",\"type\":\"double\"},"                                                      \
    "{\"name\":\"day\",\"aliases\":[\"date\"],\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}}," \
    "{\"name\":\"count\",\"type\":[\"null\",\"int\"],\"default\":null},"                              \
    "{\"name\":\"paid\",\"type\":\"boolean\",\"default\":true},"                                      \
    "{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"K\",\"symbols\":[\"A\",\"B\"]},\"default\":\"A\"}]}"

static const struct {
    const char *header;
    const char *row;
    const char *expected;
} rows[] = {
    {"customer,amount,date,count,paid,kind", "c1,12.50,1997-01-01,3,false,B",
     "{\"customer\":\"c1\",\"amount\":12.5,\"day\":\"1997-01-01T00:00:00Z\",\"count\":3,\"paid\":false,\"kind\":\"B\"}"},
    {"kind,amount,day,customer", "A,1e3,10000,\"x, y\"",
     "{\"customer\":\"x, y\",\"amount\":1000,\"day\":\"1997-05-19T00:00:00Z\",\"count\":null,\"paid\":true,\"kind\":\"A\"}"},
    {"customer,amount,date,count,paid,kind", ",0,1997-01-01,,,",
     "{\"customer\":\"\",\"amount\":0,\"day\":\"1997-01-01T00:00:00Z\",\"count\":null,\"paid\":true,\"kind\":\"A\"}"},
    {"customer,amount,date,paid", "c,1,1997-01-01,TRUE",
     "{\"customer\":\"c\",\"amount\":1,\"day\":\"1997-01-01T00:00:00Z\",\"count\":null,\"paid\":true,\"kind\":\"A\"}"},
    {"customer,amount,date", "c,12;5,1997-01-01",
     "error: column 2 (amount): \"12;5\" is not a number"},
    {"customer,amount,date", "c,,1997-01-01", "error: column 2 (amount): \"\" is not a number"},
    {"customer,amount,date", "c,1,01/02/1997",
     "error: column 3 (date): \"01/02/1997\" is not a date (YYYY-MM-DD)"},
    {"customer,amount,date", "c,1", "error: the row has 2 columns, the header 3"},
    {"customer,amount,date,count", "c,1,1997-01-01,x",
     "error: column 4 (count): \"x\" is not an integer"},
    {"customer,amount,date,paid", "c,1,1997-01-01,yes",
     "error: column 4 (paid): \"yes\" is not true or false"},
    {"customer,amount,date,kind", "c,1,1997-01-01,C",
     "error: column 4 (kind): \"C\" is not one of the enum's symbols"},
    {"customer,amount,date", "\xff,1,1997-01-01",
     "error: column 1 (customer): the text is not well-formed UTF-8"},
    {"customer,amount", "c,1", "error: there is no column day, and the field has no default"},
};

START_TEST(a_row_is_seen_as_the_schema_says)
{
    const struct rf_source source = {.schema = schema_of(&arena, SCHEMA)};
    const struct rf_plan plan = {.source_count = 1, .sources = &source, .event_bytes_max = 10000};
    struct rf_csv_decoder *decoder = rf_csv_decoder_open(&plan);
    struct rf_decoder port = rf_csv_decoder_port(decoder);
    struct rf_value fields[6] = {{0}};
    struct rf_error err = {0};
    const char *seen = NULL;

    if (rf_csv_decoder_bind(decoder, 0, rf_bytes_of_text(rows[_i].header), ',', &err) &&
        port.ops->decode(port.self, 0, rf_bytes_of_text(rows[_i].row), &arena, fields, &err))
        seen = json_of(&arena, source.schema, NULL, fields);
    else
        seen = rf_arena_printf(&arena, "error: %s", err.message);
    ck_assert_str_eq(seen, rows[_i].expected);
    rf_csv_decoder_close(decoder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/formats/csv");
    TCase *tcase = tcase_create("csv");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, lines_have_numbers_and_empty_ones_are_passed_over);
    tcase_add_test(tcase, a_line_that_is_too_long_is_an_error_and_the_next_is_read);
    tcase_add_test(tcase, a_line_end_in_quotes_belongs_to_the_row);
    tcase_add_test(tcase, a_record_may_cross_the_buffer);
    tcase_add_test(tcase, a_file_that_is_not_there_is_an_error_of_the_configuration);
    tcase_add_loop_test(tcase, a_row_is_split_into_cells, 0, sizeof splits / sizeof *splits);
    tcase_add_loop_test(tcase, a_row_is_seen_as_the_schema_says, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
