/* core/model/schema: canonical form, fingerprint and types, against the specification's own examples. */
#include <check.h>
#include <stdlib.h>

#include "core/codec/avro_support.h"
#include "core/expr/type.h"
#include "core/model/schema.h"

static struct rf_arena arena;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

/* Fingerprints: CRC-64-AVRO as fastavro and Avro's own test data (schema-tests.txt) have them. */
static const struct {
    const char *text;
    const char *canonical;
    uint64_t fingerprint;
} rows[] = {
    {"\"null\"", "\"null\"", UINT64_C(7195948357588979594)},
    {"{\"type\":\"null\"}", "\"null\"", UINT64_C(7195948357588979594)},
    {"\"boolean\"", "\"boolean\"", (uint64_t)INT64_C(-6970731678124411036)},
    {"\"int\"", "\"int\"", UINT64_C(8247732601305521295)},
    {"\"long\"", "\"long\"", (uint64_t)INT64_C(-3434872931120570953)},
    {"\"float\"", "\"float\"", UINT64_C(5583340709985441680)},
    {"\"double\"", "\"double\"", (uint64_t)INT64_C(-8181574048448539266)},
    {"\"bytes\"", "\"bytes\"", UINT64_C(5746618253357095269)},
    {"\"string\"", "\"string\"", (uint64_t)INT64_C(-8142146995180207161)},
    {"[ \"int\"  ]", "[\"int\"]", (uint64_t)INT64_C(-5232228896498058493)},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"namespace\":\"x.y\", \"doc\":\"hi\"}",
     "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[]}", 0},
    {"{\"type\":\"enum\",\"name\":\"x.E\",\"symbols\":[\"A\",\"B\"],\"default\":\"A\"}",
     "{\"name\":\"x.E\",\"type\":\"enum\",\"symbols\":[\"A\",\"B\"]}", 0},
    {"{\"type\":\"fixed\",\"size\":15,\"name\":\"F\",\"aliases\":[\"G\"]}",
     "{\"name\":\"F\",\"type\":\"fixed\",\"size\":15}", 0},
    {"{\"items\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},\"type\":\"array\"}",
     "{\"type\":\"array\",\"items\":\"long\"}", 0},
    {"{\"values\":\"string\",\"type\":\"map\"}", "{\"type\":\"map\",\"values\":\"string\"}", 0},
    {"{\"type\":\"record\",\"name\":\"a.L\",\"fields\":[{\"name\":\"next\",\"default\":null,\"type\":[\"null\",\"L\"]}]}",
     "{\"name\":\"a.L\",\"type\":\"record\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"a.L\"]}]}",
     0},
};

START_TEST(the_canonical_form_is_the_specifications)
{
    const struct rf_schema *schema = NULL;
    struct rf_buffer out;

    schema = schema_of(&arena, rows[_i].text);
    rf_buffer_init(&out, 10000);

    rf_schema_canonical(&out, schema);

    ck_assert_msg(rf_bytes_equal(rf_buffer_bytes(&out), rf_bytes_of_text(rows[_i].canonical)),
                  "%.*s", (int)out.size, (const char *)out.data);
    if (rows[_i].fingerprint != 0)
        ck_assert_uint_eq(rf_schema_fingerprint(schema), rows[_i].fingerprint);
    rf_buffer_deinit(&out);
}
END_TEST

static const struct {
    const char *schema;
    const char *type;
} types[] = {
    {"\"null\"", "null"},
    {"\"boolean\"", "bool"},
    {"\"int\"", "int"},
    {"\"long\"", "int"},
    {"\"float\"", "double"},
    {"\"double\"", "double"},
    {"\"bytes\"", "bytes"},
    {"\"string\"", "string"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "string"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", "bytes"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "list(int)"},
    {"{\"type\":\"map\",\"values\":[\"null\",\"double\"]}", "map(string, double?)"},
    {"[\"null\",\"string\"]", "string?"},
    {"[\"string\",\"null\"]", "string?"},
    {"[\"string\"]", "string"},
    {"[\"null\"]", "null"},
    {"[\"string\",\"int\"]", "dyn"},
    {"[\"null\",\"string\",\"int\"]", "dyn?"},
    {"{\"type\":\"map\",\"values\":[\"int\",\"string\",\"null\"]}", "map(string, dyn?)"},
    {"{\"type\":\"int\",\"logicalType\":\"date\"}", "timestamp"},
    {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}", "timestamp"},
    {"{\"type\":\"int\",\"logicalType\":\"time-millis\"}", "duration"},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4}", "double"},
    {"{\"type\":\"string\",\"logicalType\":\"uuid\"}", "string"},
    {"{\"type\":\"string\",\"logicalType\":\"timestamp-millis\"}", "string"},
};

START_TEST(a_schema_has_the_type_that_expressions_see)
{
    struct rf_buffer out;

    rf_buffer_init(&out, 1000);
    rf_type_print(&out, rf_schema_type(&arena, schema_of(&arena, types[_i].schema)));

    ck_assert_msg(rf_bytes_equal(rf_buffer_bytes(&out), rf_bytes_of_text(types[_i].type)),
                  "%s is %.*s", types[_i].schema, (int)out.size, (const char *)out.data);
    rf_buffer_deinit(&out);
}
END_TEST

START_TEST(the_keys_of_a_map_may_be_missing)
{
    const struct rf_schema *schema = schema_of(&arena, "{\"type\":\"map\",\"values\":\"int\"}");

    ck_assert(rf_schema_type(&arena, schema)->sparse);
}
END_TEST

START_TEST(a_record_that_contains_itself_is_dyn_there)
{
    const struct rf_schema *schema = schema_of(
        &arena,
        "{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"v\",\"type\":\"int\"},{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}");

    const struct rf_type *type = rf_schema_type(&arena, schema);

    ck_assert_int_eq(type->kind, RF_TYPE_RECORD);
    ck_assert_uint_eq(type->record->field_count, 2);
    ck_assert_str_eq(type->record->fields[0].name, "v");
    ck_assert_int_eq(type->record->fields[0].type->kind, RF_TYPE_INT);
    ck_assert_int_eq(type->record->fields[1].type->kind, RF_TYPE_DYN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/model/schema");
    TCase *tcase = tcase_create("schema");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, the_canonical_form_is_the_specifications, 0,
                        sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, a_schema_has_the_type_that_expressions_see, 0,
                        sizeof types / sizeof *types);
    tcase_add_test(tcase, the_keys_of_a_map_may_be_missing);
    tcase_add_test(tcase, a_record_that_contains_itself_is_dyn_there);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
