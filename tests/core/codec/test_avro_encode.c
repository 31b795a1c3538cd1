/* core/codec/avro_encode: what is encoded is read back the same, and what does not fit is named. */
#include "core/codec/avro_support.h"
#include "core/expr/type.h"

static struct rf_arena arena;

static void setup(void)
{
    rf_arena_init(&arena, 4096);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

#define ONE(type)                                                                                  \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":" type "}]}"

/* The value's body in hexadecimal digits, or "error: message". */
static const char *encoded(const char *type, struct rf_value value)
{
    const struct rf_schema *schema = schema_of(&arena, rf_arena_printf(&arena, ONE("%s"), type));
    struct rf_buffer out;
    struct rf_error err = {0};
    char *hex = rf_arena_printf(&arena, "%*s", 2000, "");

    rf_buffer_init(&out, 900);
    if (!rf_avro_encode(schema, &value, &out, &err)) {
        rf_buffer_deinit(&out);
        ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
        return rf_arena_printf(&arena, "error: %s", err.message);
    }
    hex[0] = '\0';
    for (size_t i = 0; i < out.size; i++)
        snprintf(hex + 2 * i, 3, "%02x", out.data[i]);
    rf_buffer_deinit(&out);
    return hex;
}

static struct rf_value text(const char *chars)
{
    return rf_value_string(rf_bytes_of_text(chars));
}

START_TEST(values_become_the_specifications_bytes)
{
    ck_assert_str_eq(encoded("\"null\"", rf_value_null()), "");
    ck_assert_str_eq(encoded("\"boolean\"", rf_value_bool(true)), "01");
    ck_assert_str_eq(encoded("\"int\"", rf_value_int(-1)), "01");
    ck_assert_str_eq(encoded("\"long\"", rf_value_int(INT64_MIN)), "ffffffffffffffffff01");
    ck_assert_str_eq(encoded("\"long\"", rf_value_uint(64)), "8001");
    ck_assert_str_eq(encoded("\"float\"", rf_value_double(1.5)), "0000c03f");
    ck_assert_str_eq(encoded("\"double\"", rf_value_int(1)), "000000000000f03f");
    ck_assert_str_eq(encoded("\"string\"", text("foo")), "06666f6f");
    ck_assert_str_eq(
        encoded("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", text("B")), "02");
    ck_assert_str_eq(encoded("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}",
                             rf_value_bytes(rf_bytes_of("ab", 2))),
                     "6162");
    ck_assert_str_eq(encoded("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
                             rf_value_timestamp(-1, 999000000)),
                     "01");
    ck_assert_str_eq(
        encoded("{\"type\":\"int\",\"logicalType\":\"date\"}", rf_value_timestamp(-1, 0)), "01");
    ck_assert_str_eq(encoded("{\"type\":\"int\",\"logicalType\":\"time-millis\"}",
                             rf_value_duration(1, 500000000)),
                     "b817");
    ck_assert_str_eq(
        encoded("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2}",
                rf_value_double(-1.23)),
        "0285");
    ck_assert_str_eq(
        encoded(
            "{\"type\":\"fixed\",\"name\":\"D\",\"size\":4,\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}",
            rf_value_double(-1.23)),
        "ffffff85");
}
END_TEST

START_TEST(a_union_takes_the_branch_of_the_values_kind)
{
    ck_assert_str_eq(encoded("[\"null\",\"string\"]", rf_value_null()), "00");
    ck_assert_str_eq(encoded("[\"null\",\"string\"]", text("x")), "020278");
    ck_assert_str_eq(encoded("[\"double\",\"long\"]", rf_value_int(1)), "0202");
    ck_assert_str_eq(encoded("[\"null\",\"double\"]", rf_value_int(1)), "02000000000000f03f");
    ck_assert_str_eq(encoded("[\"int\",\"long\"]", rf_value_int(INT64_C(1) << 40)),
                     "02808080808040");
    ck_assert_str_eq(
        encoded("[{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]},\"string\"]", text("B")),
        "020242");
}
END_TEST

START_TEST(what_does_not_fit_is_named)
{
    ck_assert_str_eq(encoded("\"int\"", rf_value_int(INT64_C(1) << 31)),
                     "error: encoding R: field a: 2147483648 has more than the 32 bits of an int");
    ck_assert_str_eq(encoded("\"string\"", rf_value_int(1)),
                     "error: encoding R: field a: a value of type int does not fit into string");
    ck_assert_str_eq(encoded("\"long\"", rf_value_double(1)),
                     "error: encoding R: field a: a value of type double does not fit into long");
    ck_assert_str_eq(encoded("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", text("B")),
                     "error: encoding R: field a: enum E has no symbol \"B\"");
    ck_assert_str_eq(encoded("[\"null\",\"int\"]", text("B")),
                     "error: encoding R: field a: a value of type string does not fit into union");
    ck_assert_str_eq(encoded("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}",
                             rf_value_bytes(rf_bytes_of("ab", 2))),
                     "error: encoding R: field a: 2 bytes do not fit into fixed F of 3");
    ck_assert_str_eq(
        encoded("{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}",
                rf_value_timestamp(INT64_C(253402300799), 0)),
        "error: encoding R: field a: a value of type timestamp does not fit into long");
    ck_assert_str_eq(encoded("\"string\"",
                             rf_value_string(rf_bytes_of(rf_arena_alloc_zero(&arena, 1000), 1000))),
                     "error: the body is larger than 900 bytes");
}
END_TEST

START_TEST(nested_values_come_back_as_they_were)
{
    static const char record_text[] =
        ONE("{\"type\":\"record\",\"name\":\"In\",\"fields\":["
            "{\"name\":\"list\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"long\"]}},"
            "{\"name\":\"map\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}]}");
    const struct rf_schema *schema = schema_of(&arena, record_text);
    const struct rf_value items[] = {rf_value_int(5), rf_value_null()};
    const struct rf_list list = {.count = 2, .items = items};
    const struct rf_value key = text("k");
    const struct rf_value item = text("v");
    const struct rf_map map = {.count = 1, .keys = &key, .values = &item};
    const struct rf_value inner[] = {{.kind = RF_VALUE_LIST, .as.list = &list},
                                     {.kind = RF_VALUE_MAP, .as.map = &map}};
    const struct rf_record record = {.type = rf_schema_type(&arena, schema->fields[0].type)->record,
                                     .fields = inner};
    const struct rf_value field = rf_value_record(&record);
    struct rf_buffer out;
    struct rf_error err = {0};

    rf_buffer_init(&out, 1000);
    ck_assert_msg(rf_avro_encode(schema, &field, &out, &err), "%s", err.message);

    ck_assert_str_eq(read_as(&arena, record_text, record_text, rf_buffer_bytes(&out)),
                     "{\"a\":{\"list\":[5,null],\"map\":{\"k\":\"v\"}}}");
    rf_buffer_deinit(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/avro_encode");
    TCase *tcase = tcase_create("avro_encode");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, values_become_the_specifications_bytes);
    tcase_add_test(tcase, a_union_takes_the_branch_of_the_values_kind);
    tcase_add_test(tcase, what_does_not_fit_is_named);
    tcase_add_test(tcase, nested_values_come_back_as_they_were);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
