/* edge/formats/avro_schema: what the specification allows is understood, what it forbids is named. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/avro_support.h"

static struct rf_arena arena;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

#define RECORD(fields)       "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define DEFAULT(type, value) RECORD("{\"name\":\"a\",\"type\":" type ",\"default\":" value "}")

static const struct {
    const char *text;
    const char *message;
} faults[] = {
    {"", "line 1, column 0: '[' or '{' expected near end of file"},
    {"{\"type\":\"int\",\"type\":\"int\"}",
     "line 1, column 20: duplicate object key near '\"type\"'"},
    {"5", "$: a type is a name, an object or an array"},
    {"\"strin\"", "$: there is no type strin so far"},
    {"{}", "$: a type needs the attribute type"},
    {"[]", "$: a union needs a branch"},
    {"[\"int\",\"int\"]", "$[1]: int is there twice"},
    {"[\"null\",[\"int\"]]", "$[1]: a union may not contain a union"},
    {"[{\"type\":\"array\",\"items\":\"int\"},{\"type\":\"array\",\"items\":\"long\"}]",
     "$[1]: array is there twice"},
    {"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},\"F\"]", "$[1]: F is there twice"},
    {"{\"type\":\"array\"}", "$: array needs items"},
    {"{\"type\":\"map\",\"items\":\"int\"}", "$: map needs values"},
    {"{\"type\":\"map\",\"values\":\"x\"}", "$.values: there is no type x so far"},
    {"{\"type\":\"record\",\"fields\":[]}", "$: a record needs a name"},
    {"{\"type\":\"record\",\"name\":\"R\"}", "$: record R needs fields, an array"},
    {"{\"type\":\"record\",\"name\":\"1R\",\"fields\":[]}",
     "$: \"1R\" is no name: letters, digits and _ are, not first a digit"},
    {"{\"type\":\"record\",\"name\":\"a..b\",\"fields\":[]}",
     "$: \"a..b\" is no name: letters, digits and _ are, not first a digit"},
    {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a-b\",\"fields\":[]}",
     "$: \"a-b\" is no namespace"},
    {"{\"type\":\"record\",\"name\":\"x.string\",\"fields\":[]}",
     "$: the name of the primitive type string is taken"},
    {RECORD("5"), "$.fields[0]: a field has to be an object"},
    {RECORD("{\"type\":\"int\"}"), "$.fields[0]: a field needs a name"},
    {RECORD("{\"name\":\"a b\",\"type\":\"int\"}"), "$.fields[0]: the field's name is none"},
    {RECORD("{\"name\":\"a\"}"), "$.fields[0]: field a needs a type"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":\"int\"}"),
     "$.fields[1]: field a is there twice"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"order\":\"up\"}"),
     "$.fields[0]: \"up\" is no order: ascending, descending, ignore"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"aliases\":\"b\"}"),
     "$.fields[0]: aliases have to be an array"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"aliases\":[\"x.b\"]}"),
     "$.fields[0]: alias 0 is no name"},
    {RECORD("{\"name\":\"a\",\"type\":{\"type\":\"enum\",\"name\":\"R\",\"symbols\":[]}}"),
     "$.fields[0].type: R is defined twice"},
    {"{\"type\":\"enum\",\"name\":\"E\"}", "$: enum E needs symbols, an array"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}", "$: symbol A is there twice"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A-B\"]}",
     "$: symbol 0 of enum E is no name"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}",
     "$: the default of enum E is not one of its symbols"},
    {"{\"type\":\"fixed\",\"name\":\"F\"}", "$: fixed F needs a size from 0 to 2147483647"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}",
     "$: fixed F needs a size from 0 to 2147483647"},
    /* defaults */
    {DEFAULT("\"int\"", "\"1\""), "$.fields[0].default: a string is no int"},
    {DEFAULT("\"int\"", "1.0"), "$.fields[0].default: a number is no int"},
    {DEFAULT("\"int\"", "3000000000"),
     "$.fields[0].default: 3000000000 has more than the 32 bits of an int"},
    {DEFAULT("\"string\"", "null"), "$.fields[0].default: null is no string"},
    {DEFAULT("\"boolean\"", "0"), "$.fields[0].default: an integer is no boolean"},
    {DEFAULT("[\"null\",\"string\"]", "\"\""),
     "$.fields[0].default: a union's default is of its first branch: a string is no null"},
    {DEFAULT("[\"string\",\"null\"]", "null"),
     "$.fields[0].default: a union's default is of its first branch: null is no string"},
    {DEFAULT("{\"type\":\"array\",\"items\":\"int\"}", "[1,\"x\"]"),
     "$.fields[0].default: item 1: a string is no int"},
    {DEFAULT("{\"type\":\"map\",\"values\":\"int\"}", "{\"k\":null}"),
     "$.fields[0].default: key \"k\": null is no int"},
    {DEFAULT("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"A\"}", "\"B\""),
     "$.fields[0].default: \"B\" is not one of the enum's symbols"},
    {DEFAULT("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"abc\""),
     "$.fields[0].default: 3 bytes do not fit into fixed F of 2"},
    {DEFAULT("\"bytes\"", "\"\\u0100\""),
     "$.fields[0].default: a character above U+00FF is no byte"},
    {DEFAULT("{\"type\":\"record\",\"name\":\"In\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}",
             "{}"),
     "$.fields[0].default: field x is missing and has no default"},
    {RECORD("{\"name\":\"a\",\"type\":\"R\",\"default\":{}}"),
     "$.fields[0].default: the default of field a contains itself"},
};

START_TEST(a_fault_is_named_with_its_place)
{
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    ck_assert_msg(
        !rf_avro_schema_parse(&arena, rf_bytes_of_text(faults[_i].text), NULL, 0, &schema, &err),
        "%s", faults[_i].text);

    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    if (_i > 0) /* of an empty text jansson's words differ */
        ck_assert_str_eq(err.message, faults[_i].message);
}
END_TEST

START_TEST(names_take_the_namespace_that_surrounds_them)
{
    const struct rf_schema *schema = schema_of(
        &arena,
        "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"x.y\",\"aliases\":[\"Old\",\"z.Older\"],\"fields\":["
        "{\"name\":\"a\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}},"
        "{\"name\":\"b\",\"type\":{\"type\":\"record\",\"name\":\"q.In\",\"fields\":["
        "{\"name\":\"c\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}},"
        "{\"name\":\"d\",\"type\":\"x.y.E\"},{\"name\":\"e\",\"type\":\"F\"}]}},"
        "{\"name\":\"f\",\"type\":\"E\"},{\"name\":\"g\",\"type\":\"q.F\"},"
        "{\"name\":\"h\",\"type\":{\"type\":\"fixed\",\"name\":\"G\",\"namespace\":\"\",\"size\":1}}]}");

    ck_assert_str_eq(schema->name, "x.y.R");
    ck_assert_str_eq(schema->aliases[0], "x.y.Old");
    ck_assert_str_eq(schema->aliases[1], "z.Older");
    ck_assert_str_eq(schema->fields[0].type->name, "x.y.E");
    ck_assert_str_eq(schema->fields[1].type->name, "q.In");
    ck_assert_str_eq(schema->fields[1].type->fields[0].type->name, "q.F");
    ck_assert_ptr_eq(schema->fields[2].type, schema->fields[0].type);
    ck_assert_ptr_eq(schema->fields[3].type, schema->fields[1].type->fields[0].type);
    ck_assert_str_eq(schema->fields[4].type->name, "G");
}
END_TEST

START_TEST(references_lend_their_types)
{
    const struct rf_bytes references[] = {
        rf_bytes_of_text("{\"type\":\"enum\",\"name\":\"t.E\",\"symbols\":[\"A\",\"B\"]}"),
        rf_bytes_of_text(
            "{\"type\":\"record\",\"name\":\"t.In\",\"fields\":[{\"name\":\"e\",\"type\":\"E\",\"default\":\"B\"}]}"),
    };
    const char *text =
        "{\"type\":\"record\",\"name\":\"t.R\",\"fields\":[{\"name\":\"a\",\"type\":\"In\",\"default\":{}}]}";
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    ck_assert_msg(
        rf_avro_schema_parse(&arena, rf_bytes_of_text(text), references, 2, &schema, &err), "%s",
        err.message);
    ck_assert_str_eq(json_of(&arena, schema, NULL, &schema->fields[0].default_value),
                     "{\"a\":{\"e\":\"B\"}}");
    ck_assert(!rf_avro_schema_parse(&arena, rf_bytes_of_text(text), references, 1, &schema, &err));
    ck_assert_str_eq(err.message, "$.fields[0].type: there is no type t.In so far");
}
END_TEST

START_TEST(defaults_have_the_form_of_their_type)
{
    const struct rf_schema *schema = schema_of(
        &arena,
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
        "{\"name\":\"a\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},\"default\":1500},"
        "{\"name\":\"b\",\"type\":\"double\",\"default\":2},"
        "{\"name\":\"c\",\"type\":\"bytes\",\"default\":\"\\u00ff\"},"
        "{\"name\":\"d\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2},\"default\":\"\\u0001\\u0000\"},"
        "{\"name\":\"e\",\"type\":\"double\",\"default\":\"NaN\"},"
        "{\"name\":\"f\",\"type\":[\"int\",\"null\"],\"default\":7},"
        "{\"name\":\"g\",\"type\":{\"type\":\"int\",\"logicalType\":\"time-millis\"},\"default\":90}]}");
    struct rf_value values[7];

    for (size_t i = 0; i < 7; i++)
        values[i] = schema->fields[i].default_value;

    ck_assert_str_eq(
        json_of(&arena, schema, NULL, values),
        "{\"a\":\"1970-01-01T00:00:01.500Z\",\"b\":2,\"c\":\"\\u00ff\",\"d\":2.56,\"e\":null,"
        "\"f\":7,\"g\":\"0.09s\"}");
}
END_TEST

START_TEST(a_logical_type_that_does_not_fit_is_ignored)
{
    static const char *const texts[] = {
        "{\"type\":\"string\",\"logicalType\":\"date\"}",
        "{\"type\":\"int\",\"logicalType\":\"timestamp-millis\"}",
        "{\"type\":\"bytes\",\"logicalType\":\"decimal\"}",
        "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":3}",
        "{\"type\":\"long\",\"logicalType\":\"of-our-own\"}",
        "{\"type\":\"long\",\"logicalType\":5}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_int_eq(schema_of(&arena, texts[i])->logical, RF_LOGICAL_NONE);
}
END_TEST

START_TEST(nesting_has_a_limit_also_by_reference)
{
    struct rf_buffer text;
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    rf_buffer_init(&text, 1U << 20);
    for (int i = 0; i < 100000; i++)
        rf_buffer_append_byte(&text, '[');
    ck_assert(!rf_avro_schema_parse(&arena, rf_buffer_bytes(&text), NULL, 0, &schema, &err));

    rf_buffer_clear(&text);
    rf_error_clear(&err);
    rf_buffer_append_text(
        &text,
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f0\",\"type\":{\"type\":\"record\",\"name\":\"A0\",\"fields\":[]}}");
    for (int i = 1; i < 100; i++)
        rf_buffer_printf(
            &text,
            ",{\"name\":\"f%d\",\"type\":{\"type\":\"record\",\"name\":\"A%d\",\"fields\":[{\"name\":\"x\",\"type\":\"A%d\"}]}}",
            i, i, i - 1);
    rf_buffer_append_text(&text, "]}");
    ck_assert(!rf_avro_schema_parse(&arena, rf_buffer_bytes(&text), NULL, 0, &schema, &err));
    ck_assert_msg(strstr(err.message, "nests deeper than 64 levels") != NULL, "%s", err.message);
    rf_buffer_deinit(&text);
}
END_TEST

START_TEST(a_text_has_a_largest_size)
{
    size_t size = RF_AVRO_SCHEMA_SIZE_MAX + 1;
    char *text = malloc(size);
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    memset(text, ' ', size);
    ck_assert(!rf_avro_schema_parse(&arena, rf_bytes_of(text, size), NULL, 0, &schema, &err));
    ck_assert_msg(strstr(err.message, "larger than the limit") != NULL, "%s", err.message);
    free(text);
}
END_TEST

START_TEST(the_schemas_of_the_house_are_understood)
{
    static const char *const names[] = {"call",    "churn_alert", "complaint",
                                        "consent", "dead_letter", "erasure",
                                        "offer",   "offer_reply", "purchase"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        static char text[65536];
        char path[1000];
        FILE *file = NULL;
        size_t size = 0;
        const struct rf_schema *schema = NULL;
        struct rf_error err = {0};

        snprintf(path, sizeof path, "%s/schemas/%s.avsc", RF_SOURCE_DIR, names[i]);
        file = fopen(path, "rb");
        ck_assert_ptr_nonnull(file);
        size = fread(text, 1, sizeof text, file);
        fclose(file);
        ck_assert_msg(rf_avro_schema_parse(&arena, rf_bytes_of(text, size), NULL, 0, &schema, &err),
                      "%s: %s", path, err.message);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/formats/avro_schema");
    TCase *tcase = tcase_create("avro_schema");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_fault_is_named_with_its_place, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tcase, names_take_the_namespace_that_surrounds_them);
    tcase_add_test(tcase, references_lend_their_types);
    tcase_add_test(tcase, defaults_have_the_form_of_their_type);
    tcase_add_test(tcase, a_logical_type_that_does_not_fit_is_ignored);
    tcase_add_test(tcase, nesting_has_a_limit_also_by_reference);
    tcase_add_test(tcase, a_text_has_a_largest_size);
    tcase_add_test(tcase, the_schemas_of_the_house_are_understood);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
