/* edge/formats/json_decoder: a payload's members as the source's fields. */
#include "core/codec/avro_support.h"
#include "core/model/format.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/formats/json_decoder.h"

static struct rf_arena arena;
static struct rf_source source;
static struct rf_plan plan;
static struct rf_json_decoder *decoder;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
    source = (struct rf_source){.format = RF_FORMAT_JSON};
    plan = (struct rf_plan){.source_count = 1, .sources = &source, .event_bytes_max = 1000000};
    decoder = rf_json_decoder_open(&plan);
}

static void teardown(void)
{
    rf_json_decoder_close(decoder);
    rf_arena_deinit(&arena);
}

static const char *decoded_bytes(const char *fields_text, struct rf_bytes payload)
{
    struct rf_decoder port = rf_json_decoder_port(decoder);
    struct rf_value fields[8] = {{0}};
    struct rf_error err = {0};

    source.schema = schema_of(
        &arena, rf_arena_printf(&arena, "{\"type\":\"record\",\"name\":\"t.R\",\"fields\":[%s]}",
                                fields_text));
    if (!port.ops->decode(port.self, 0, payload, &arena, fields, &err)) {
        ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
        return rf_arena_printf(&arena, "error: %s", err.message);
    }
    return json_of(&arena, source.schema, source.fields_used, fields);
}

#define A(type) "{\"name\":\"a\",\"type\":" type "}"
#define MILLIS  "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"
#define ENUM    "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}"
#define ENUM_OR "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"],\"default\":\"Y\"}"
#define RECORD                                                                                     \
    "{\"type\":\"record\",\"name\":\"In\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"

static const struct {
    const char *fields;
    const char *payload;
    const char *expected;
} rows[] = {
    {A("\"int\""), "{\"a\":5,\"other\":{}}", "{\"a\":5}"},
    {A("\"int\""), "{\"a\":5.0}", "{\"a\":5}"},
    {A("\"int\""), "{\"a\":5.5}", "error: field a: 5.5 is no int"},
    {A("\"int\""), "{\"a\":\"5\"}", "error: field a: a string is no int"},
    {A("\"int\""), "{\"a\":null}", "error: field a: null is no int"},
    {A("\"int\""), "{\"a\":2147483648}",
     "error: field a: 2147483648 has more than the 32 bits of an int"},
    {A("\"long\""), "{\"a\":-9223372036854775808}", "{\"a\":-9223372036854775808}"},
    {A("\"long\""), "{\"a\":1e300}", "error: field a: 1e+300 is no long"},
    {A("\"double\""), "{\"a\":3}", "{\"a\":3}"},
    {A("\"double\""), "{\"a\":-0.25}", "{\"a\":-0.25}"},
    {A("\"double\""), "{\"a\":\"NaN\"}", "{\"a\":null}"},
    {A("\"boolean\""), "{\"a\":true}", "{\"a\":true}"},
    {A("\"boolean\""), "{\"a\":1}", "error: field a: an integer is no boolean"},
    {A("\"string\""), "{\"a\":\"\\u00fc\\u0000\"}", "{\"a\":\"\xc3\xbc\\u0000\"}"},
    {A("\"bytes\""), "{\"a\":\"\\u00ff\"}", "{\"a\":\"\\u00ff\"}"},
    {A(MILLIS), "{\"a\":1500}", "{\"a\":\"1970-01-01T00:00:01.500Z\"}"},
    {A(MILLIS), "{\"a\":\"2026-11-23T17:00:00+01:00\"}", "{\"a\":\"2026-11-23T16:00:00Z\"}"},
    {A(MILLIS), "{\"a\":\"2026-11-23\"}", "{\"a\":\"2026-11-23T00:00:00Z\"}"},
    {A(MILLIS), "{\"a\":\"2026-02-30\"}",
     "error: field a: \"2026-02-30\" is not an instant (RFC 3339, as 2026-11-23T16:00:00Z)"},
    {A(MILLIS), "{\"a\":9223372036854775807}",
     "error: field a: 9223372036854775807 is an instant outside the years 1 to 9999"},
    {A("{\"type\":\"int\",\"logicalType\":\"date\"}"), "{\"a\":\"2000-02-29\"}",
     "{\"a\":\"2000-02-29T00:00:00Z\"}"},
    {A("{\"type\":\"int\",\"logicalType\":\"date\"}"), "{\"a\":\"1900-02-29\"}",
     "error: field a: \"1900-02-29\" is not a date (YYYY-MM-DD)"},
    {A("{\"type\":\"int\",\"logicalType\":\"time-millis\"}"), "{\"a\":\"01:02:03.5\"}",
     "{\"a\":\"3723.5s\"}"},
    {A("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}"),
     "{\"a\":12.34}", "{\"a\":12.34}"},
    {A("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}"),
     "{\"a\":\"12.34\"}", "{\"a\":12.34}"},
    {A(ENUM), "{\"a\":\"Y\"}", "{\"a\":\"Y\"}"},
    {A(ENUM), "{\"a\":\"Z\"}", "error: field a: \"Z\" is not one of the enum's symbols"},
    {A(ENUM_OR), "{\"a\":\"Z\"}", "{\"a\":\"Y\"}"},
    {A("{\"type\":\"array\",\"items\":\"int\"}"), "{\"a\":[1,2]}", "{\"a\":[1,2]}"},
    {A("{\"type\":\"array\",\"items\":\"int\"}"), "{\"a\":[1,\"x\"]}",
     "error: field a: item 1: a string is no int"},
    {A("{\"type\":\"map\",\"values\":\"int\"}"), "{\"a\":{\"k\":1,\"j\":2}}",
     "{\"a\":{\"k\":1,\"j\":2}}"},
    {A(RECORD), "{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":1}}"},
    {A(RECORD), "{\"a\":{\"y\":2}}", "error: field a: field x is missing and has no default"},
    /* unions, plain and tagged */
    {A("[\"null\",\"string\"]"), "{\"a\":null}", "{\"a\":null}"},
    {A("[\"null\",\"string\"]"), "{\"a\":\"v\"}", "{\"a\":\"v\"}"},
    {A("[\"null\",\"string\"]"), "{\"a\":{\"string\":\"v\"}}", "{\"a\":\"v\"}"},
    {A("[\"null\",\"string\"]"), "{\"a\":5}", "error: field a: an integer is no string"},
    {A("[\"null\",\"int\",\"string\"]"), "{\"a\":\"v\"}", "{\"a\":\"v\"}"},
    {A("[\"null\",\"int\",\"string\"]"), "{\"a\":7}", "{\"a\":7}"},
    {A("[\"null\"," MILLIS "]"), "{\"a\":{\"long\":1500}}", "{\"a\":\"1970-01-01T00:00:01.500Z\"}"},
    {A("[\"null\"," RECORD "]"), "{\"a\":{\"x\":3}}", "{\"a\":{\"x\":3}}"},
    {A("[\"null\"," RECORD "]"), "{\"a\":{\"t.In\":{\"x\":3}}}", "{\"a\":{\"x\":3}}"},
    {A("[\"null\"," RECORD "]"), "{\"a\":{\"t.In\":{\"x\":\"3\"}}}",
     "error: field a: field x: a string is no int"},
    {A("[\"int\",\"string\"]"), "{\"a\":null}", "error: field a: null is no union"},
    /* what is missing */
    {A("\"int\""), "{}", "error: field a is missing and has no default"},
    {"{\"name\":\"a\",\"type\":\"int\",\"default\":9}", "{}", "{\"a\":9}"},
    {"{\"name\":\"a\",\"aliases\":[\"b\",\"c\"],\"type\":\"int\"}", "{\"c\":4}", "{\"a\":4}"},
    {"{\"name\":\"a\",\"aliases\":[\"b\"],\"type\":\"int\"}", "{\"b\":4,\"a\":5}", "{\"a\":5}"},
    /* no JSON */
    {A("\"int\""), "{\"a\":1", "error: JSON, line 1, column 6: '}' expected near end of file"},
    {A("\"int\""), "{\"a\":1,\"a\":2}",
     "error: JSON, line 1, column 10: duplicate object key near '\"a\"'"},
    {A("\"int\""), "{\"a\":1} x", "error: JSON, line 1, column 9: end of file expected near 'x'"},
    {A("\"int\""), "[1]", "error: the payload is no JSON object"},
    {A("\"string\""), "{\"a\":\"\xff\"}",
     "error: JSON, line 1, column 6: unable to decode byte 0xff near '\"'"},
    {A("\"long\""), "{\"a\":9223372036854775808}",
     "error: JSON, line 1, column 24: too big integer near '9223372036854775808'"},
};

START_TEST(a_payload_is_seen_as_the_schema_says)
{
    const char *seen = decoded_bytes(rows[_i].fields, rf_bytes_of_text(rows[_i].payload));

    ck_assert_msg(strcmp(seen, rows[_i].expected) == 0, "%s\n  is %s\nnot %s", rows[_i].payload,
                  seen, rows[_i].expected);
}
END_TEST

START_TEST(unused_fields_are_not_looked_at)
{
    const bool used[] = {true, false};

    source.fields_used = used;
    ck_assert_str_eq(decoded_bytes(A("\"int\"") ",{\"name\":\"b\",\"type\":\"int\"}",
                                   rf_bytes_of_text("{\"a\":1,\"b\":\"no int\"}")),
                     "{\"a\":1}");
}
END_TEST

START_TEST(size_and_nesting_are_bounded)
{
    struct rf_buffer payload;
    const char *seen = NULL;

    rf_buffer_init(&payload, 4000000);
    for (size_t i = 0; i < 100000; i++)
        rf_buffer_append_text(&payload, "{\"a\":");
    seen = decoded_bytes(A("\"int\""), rf_buffer_bytes(&payload));
    ck_assert_msg(strstr(seen, "maximum parsing depth reached") != NULL, "%s", seen);

    rf_buffer_clear(&payload);
    for (size_t i = 0; i < 1000001; i++)
        rf_buffer_append_byte(&payload, ' ');
    seen = decoded_bytes(A("\"int\""), rf_buffer_bytes(&payload));
    ck_assert_str_eq(seen, "error: a payload of 1000001 bytes is larger than the limit of 1000000");
    rf_buffer_deinit(&payload);
}
END_TEST

/* Every level may be read in several ways, all of which fail at the bottom: 3^60 tries without a bound. */
START_TEST(a_union_that_never_fits_is_given_up)
{
    struct rf_buffer payload;
    const char *seen = NULL;

    rf_buffer_init(&payload, 10000);
    rf_buffer_append_text(&payload, "{\"a\":");
    for (int i = 0; i < 15; i++)
        rf_buffer_append_text(&payload, "{\"n\":");
    rf_buffer_append_text(&payload, "\"x\"");
    for (int i = 0; i < 16; i++)
        rf_buffer_append_text(&payload, "}");
    seen = decoded_bytes(
        A("[{\"type\":\"record\",\"name\":\"P\",\"fields\":[{\"name\":\"n\",\"type\":[\"P\","
          "{\"type\":\"record\",\"name\":\"Q\",\"fields\":[{\"name\":\"n\",\"type\":[\"P\",\"Q\",\"int\"]}]},"
          "\"int\"]}]},\"Q\",\"int\"]"),
        rf_buffer_bytes(&payload));
    ck_assert_msg(strncmp(seen, "error: field a: ", 16) == 0, "%s", seen);
    rf_buffer_deinit(&payload);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/formats/json_decoder");
    TCase *tcase = tcase_create("json_decoder");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_payload_is_seen_as_the_schema_says, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, unused_fields_are_not_looked_at);
    tcase_add_test(tcase, size_and_nesting_are_bounded);
    tcase_add_test(tcase, a_union_that_never_fits_is_given_up);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
