/* core/codec/avro_program: every rule of schema resolution, and that no payload does harm. */
#include "core/codec/avro_support.h"

static struct rf_arena arena;

static void setup(void)
{
    rf_arena_init(&arena, 1U << 16);
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

#define RECORD(fields)    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define FIELD_OR(name, type, default_value)                                                        \
    "{\"name\":\"" name "\",\"type\":" type ",\"default\":" default_value "}"
#define ONE(type) RECORD(FIELD("a", type))

/* One row, one rule: what is written by `writer` in `body` is seen by `reader` as `expected`. */
static const struct {
    const char *writer;
    const char *reader;
    const char *body;
    const char *expected;
} rules[] = {
    /* every type as itself */
    {ONE("\"null\""), ONE("\"null\""), "", "{\"a\":null}"},
    {ONE("\"boolean\""), ONE("\"boolean\""), "01", "{\"a\":true}"},
    {ONE("\"int\""), ONE("\"int\""), "01", "{\"a\":-1}"},
    {ONE("\"int\""), ONE("\"int\""), "ffffffff0f", "{\"a\":-2147483648}"},
    {ONE("\"long\""), ONE("\"long\""), "feffffffffffffffff01", "{\"a\":9223372036854775807}"},
    {ONE("\"long\""), ONE("\"long\""), "ffffffffffffffffff01", "{\"a\":-9223372036854775808}"},
    {ONE("\"float\""), ONE("\"float\""), "0000c03f", "{\"a\":1.5}"},
    {ONE("\"double\""), ONE("\"double\""), "000000000000f83f", "{\"a\":1.5}"},
    {ONE("\"double\""), ONE("\"double\""), "000000000000f87f", "{\"a\":null}"},
    {ONE("\"string\""), ONE("\"string\""), "06 66 c3 bc", "{\"a\":\"f\xc3\xbc\"}"},
    {ONE("\"bytes\""), ONE("\"bytes\""), "04 00ff", "{\"a\":\"\\u0000\\u00ff\"}"},
    {ONE("{\"type\":\"array\",\"items\":\"int\"}"), ONE("{\"type\":\"array\",\"items\":\"int\"}"),
     "04 02 04 02 06 00", "{\"a\":[1,2,3]}"},
    {ONE("{\"type\":\"array\",\"items\":\"int\"}"), ONE("{\"type\":\"array\",\"items\":\"int\"}"),
     "03 04 02 04 01 02 06 00", "{\"a\":[1,2,3]}"},
    {ONE("{\"type\":\"map\",\"values\":\"int\"}"), ONE("{\"type\":\"map\",\"values\":\"int\"}"),
     "04 02 78 02 02 79 04 02 02 78 06 00", "{\"a\":{\"x\":3,\"y\":2}}"},
    {ONE("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}"),
     ONE("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}"), "4142", "{\"a\":\"AB\"}"},
    /* fields by name, in any order; what the reader lacks is skipped, what the writer lacks is a default */
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"string\"")),
     RECORD(FIELD("b", "\"string\"") "," FIELD("a", "\"int\"")), "02 0278",
     "{\"b\":\"x\",\"a\":1}"},
    {RECORD(FIELD("x", "\"string\"") "," FIELD("a", "\"int\"") "," FIELD("y", "\"double\"")),
     ONE("\"int\""), "04 6162 02 0000000000000000", "{\"a\":1}"},
    {ONE("\"int\""), RECORD(FIELD("a", "\"int\"") "," FIELD_OR("b", "\"string\"", "\"none\"")),
     "02", "{\"a\":1,\"b\":\"none\"}"},
    {ONE("\"int\""), RECORD(FIELD_OR("b", "[\"null\",\"int\"]", "null")), "02", "{\"b\":null}"},
    {ONE("\"int\""),
     RECORD(FIELD_OR("b", "{\"type\":\"array\",\"items\":\"long\"}", "[1,2]") "," FIELD_OR(
         "c", "{\"type\":\"map\",\"values\":\"double\"}", "{\"k\":0.5}")),
     "02", "{\"b\":[1,2],\"c\":{\"k\":0.5}}"},
    {ONE("\"int\""),
     RECORD(FIELD_OR("b",
                     "{\"type\":\"record\",\"name\":\"In\",\"fields\":[" FIELD(
                         "x", "\"int\"") "," FIELD_OR("y", "\"string\"", "\"why\"") "]}",
                     "{\"x\":7}")),
     "02", "{\"b\":{\"x\":7,\"y\":\"why\"}}"},
    {ONE("\"int\""), RECORD(FIELD("b", "\"int\"")), "02",
     "error: resolving what R wrote to the reader's R: field b: the writer has no such field, and the reader no default for it"},
    /* aliases of fields and of records; the name goes before an alias */
    {ONE("\"int\""), RECORD("{\"name\":\"b\",\"aliases\":[\"z\",\"a\"],\"type\":\"int\"}"), "02",
     "{\"b\":1}"},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")),
     RECORD("{\"name\":\"b\",\"aliases\":[\"a\"],\"type\":\"int\"}"), "02 04", "{\"b\":2}"},
    {"{\"type\":\"record\",\"name\":\"Old\",\"fields\":[" FIELD("a", "\"int\"") "]}",
     "{\"type\":\"record\",\"name\":\"New\",\"aliases\":[\"Old\"],\"fields\":[" FIELD(
         "a", "\"int\"") "]}",
     "02", "{\"a\":1}"},
    {"{\"type\":\"record\",\"name\":\"x.R\",\"fields\":[" FIELD("a", "\"int\"") "]}",
     ONE("\"int\""), "02", "{\"a\":1}"},
    {"{\"type\":\"record\",\"name\":\"Old\",\"fields\":[" FIELD("a", "\"int\"") "]}",
     ONE("\"int\""), "02",
     "error: resolving what Old wrote to the reader's R: record Old cannot be read as record R, which has no such alias"},
    /* promotions */
    {ONE("\"int\""), ONE("\"long\""), "02", "{\"a\":1}"},
    {ONE("\"int\""), ONE("\"float\""), "02", "{\"a\":1}"},
    {ONE("\"int\""), ONE("\"double\""), "02", "{\"a\":1}"},
    {ONE("\"long\""), ONE("\"float\""), "02", "{\"a\":1}"},
    {ONE("\"long\""), ONE("\"double\""), "02", "{\"a\":1}"},
    {ONE("\"float\""), ONE("\"double\""), "0000c03f", "{\"a\":1.5}"},
    {ONE("\"string\""), ONE("\"bytes\""), "02 78", "{\"a\":\"x\"}"},
    {ONE("\"bytes\""), ONE("\"string\""), "02 78", "{\"a\":\"x\"}"},
    {ONE("\"long\""), ONE("\"int\""), "02",
     "error: resolving what R wrote to the reader's R: field a: long cannot be read as int"},
    {ONE("\"double\""), ONE("\"float\""), "0000000000000000",
     "error: resolving what R wrote to the reader's R: field a: double cannot be read as float"},
    {ONE("\"int\""), ONE("\"string\""), "02",
     "error: resolving what R wrote to the reader's R: field a: int cannot be read as string"},
    /* enums by symbol, the reader's default for one it lacks */
    {ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}"),
     ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"]}"), "00", "{\"a\":\"A\"}"},
    {ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"C\"]}"),
     ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"],\"default\":\"B\"}"), "02",
     "{\"a\":\"B\"}"},
    {ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"C\"]}"),
     ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"]}"), "02",
     "error: R, field a, byte 0 of 1: the reader's enum has neither this symbol nor a default"},
    {ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"C\"]}"),
     ONE("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"C\"]}"), "04",
     "error: R, field a, byte 0 of 1: an enum's index is out of range"},
    /* unions on either side */
    {ONE("[\"null\",\"int\"]"), ONE("[\"null\",\"int\"]"), "00", "{\"a\":null}"},
    {ONE("[\"null\",\"int\"]"), ONE("[\"int\",\"null\"]"), "02 04", "{\"a\":2}"},
    {ONE("\"int\""), ONE("[\"null\",\"int\"]"), "04", "{\"a\":2}"},
    {ONE("\"int\""), ONE("[\"null\",\"double\"]"), "04", "{\"a\":2}"},
    {ONE("\"int\""), ONE("[\"double\",\"int\"]"), "04", "{\"a\":2}"},
    {ONE("[\"null\",\"int\"]"), ONE("\"long\""), "02 04", "{\"a\":2}"},
    {ONE("[\"null\",\"int\"]"), ONE("\"long\""), "00",
     "error: R, field a, byte 1 of 1: null cannot be read as long"},
    {ONE("[\"string\",\"int\"]"), ONE("[\"null\",\"long\"]"), "00 00",
     "error: R, field a, byte 1 of 2: no branch of the reader's union takes string"},
    {ONE("[\"null\",\"string\"]"), ONE("\"int\""), "00",
     "error: resolving what R wrote to the reader's R: field a: no branch of the writer's union resolves: string cannot be read as int"},
    {ONE("[\"null\",\"int\"]"), ONE("[\"null\",\"int\"]"), "04",
     "error: R, field a, byte 0 of 1: a union's branch is out of range"},
    {"[\"string\"," ONE("\"int\"") "]", ONE("\"int\""), "02 06", "{\"a\":3}"},
    {"[\"string\"," ONE("\"int\"") "]", ONE("\"int\""), "00 00",
     "error: R, byte 1 of 2: string cannot be read as record"},
    {ONE("[{\"type\":\"record\",\"name\":\"x.A\",\"fields\":[]},{\"type\":\"record\",\"name\":\"y.A\",\"fields\":[" FIELD(
         "v", "\"int\"") "]}]"),
     ONE("[{\"type\":\"record\",\"name\":\"y.A\",\"fields\":[" FIELD(
         "v", "\"int\"") "]},{\"type\":\"record\",\"name\":\"x.A\",\"fields\":[]}]"),
     "02 0a", "{\"a\":{\"v\":5}}"},
    /* fixed: name and size */
    {ONE("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}"),
     ONE("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}"), "4142",
     "error: resolving what R wrote to the reader's R: field a: fixed F of 2 bytes cannot be read as fixed F of 3"},
    /* logical types: the writer's unit */
    {ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"),
     ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"), "01",
     "{\"a\":\"1969-12-31T23:59:59.999Z\"}"},
    {ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}"),
     ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"), "80 89 7a",
     "{\"a\":\"1970-01-01T00:00:01Z\"}"},
    {ONE("\"long\""), ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"), "d00f",
     "{\"a\":\"1970-01-01T00:00:01Z\"}"},
    {ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"), ONE("\"long\""), "d00f",
     "{\"a\":1000}"},
    {ONE("{\"type\":\"int\",\"logicalType\":\"date\"}"),
     ONE("{\"type\":\"int\",\"logicalType\":\"date\"}"), "02", "{\"a\":\"1970-01-02T00:00:00Z\"}"},
    {ONE("{\"type\":\"int\",\"logicalType\":\"time-millis\"}"),
     ONE("{\"type\":\"int\",\"logicalType\":\"time-millis\"}"), "b817", "{\"a\":\"1.5s\"}"},
    {ONE("{\"type\":\"long\",\"logicalType\":\"time-micros\"}"),
     ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"), "02",
     "error: resolving what R wrote to the reader's R: field a: the logical types of writer and reader contradict each other"},
    {ONE("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2}"),
     ONE("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2}"), "04 ff85",
     "{\"a\":-1.23}"},
    {ONE("{\"type\":\"fixed\",\"name\":\"D\",\"size\":10,\"logicalType\":\"decimal\",\"precision\":20,\"scale\":1}"),
     ONE("{\"type\":\"fixed\",\"name\":\"D\",\"size\":10,\"logicalType\":\"decimal\",\"precision\":20,\"scale\":1}"),
     "00000000000000000019", "{\"a\":2.5}"},
    {ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"),
     ONE("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"), "feffffffffffffffff01",
     "error: R, field a, byte 0 of 10: an instant is outside the years 1 to 9999"},
    /* malformed */
    {ONE("\"boolean\""), ONE("\"boolean\""), "07",
     "error: R, field a, byte 0 of 1: a boolean is neither 0 nor 1"},
    {ONE("\"string\""), ONE("\"string\""), "02 ff",
     "error: R, field a, byte 0 of 2: a text is not well-formed UTF-8"},
    {ONE("\"string\""), ONE("\"string\""), "0a 61",
     "error: R, field a, byte 0 of 2: it is cut off"},
    {ONE("\"string\""), ONE("\"string\""), "01",
     "error: R, field a, byte 0 of 1: a length is negative"},
    {ONE("\"string\""), ONE("\"string\""), "feffffffffffffffff01",
     "error: R, field a, byte 0 of 10: it is cut off"},
    {ONE("\"int\""), ONE("\"int\""), "8080808010",
     "error: R, field a, byte 0 of 5: an int has more than 32 bits"},
    {ONE("\"long\""), ONE("\"long\""), "ffffffffffffffffffff01",
     "error: R, field a, byte 0 of 11: an integer is cut off or too long"},
    {ONE("\"long\""), ONE("\"long\""), "80",
     "error: R, field a, byte 0 of 1: an integer is cut off or too long"},
    {ONE("\"double\""), ONE("\"double\""), "00", "error: R, field a, byte 0 of 1: it is cut off"},
    {ONE("\"int\""), ONE("\"int\""), "0200",
     "error: R, byte 1 of 2: bytes are left over behind the datum"},
    {ONE("\"int\""), ONE("\"int\""), "",
     "error: R, field a, byte 0 of 0: an integer is cut off or too long"},
    {RECORD(FIELD("x", "\"double\"") "," FIELD("a", "\"int\"")), ONE("\"int\""), "0000",
     "error: R, byte 0 of 2: it is cut off"},
};

START_TEST(a_datum_is_seen_as_the_reader_asks)
{
    const char *seen =
        read_as(&arena, rules[_i].writer, rules[_i].reader, bytes_of(&arena, rules[_i].body));

    ck_assert_msg(strcmp(seen, rules[_i].expected) == 0, "%s\nas %s\n  is %s\nnot %s",
                  rules[_i].writer, rules[_i].reader, seen, rules[_i].expected);
}
END_TEST

#define ALL_TYPES                                                                                                                                                                               \
    RECORD(FIELD("a", "\"boolean\"") "," FIELD("b", "\"int\"") "," FIELD("c", "\"float\"") "," FIELD("d", "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"string\"}}") "," FIELD( \
        "e",                                                                                                                                                                                    \
        "[\"null\",{\"type\":\"record\",\"name\":\"In\",\"fields\":[" FIELD("x", "\"long\"") "," FIELD("y", "\"bytes\"") "," FIELD(                                                             \
            "z",                                                                                                                                                                                \
            "[\"null\",\"In\"]") "]}]") "," FIELD("f",                                                                                                                                          \
                                                  "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"P\",\"Q\"]}") "," FIELD("g",                                                                \
                                                                                                                            "\"string\""))
#define ALL_BODY                                                                                   \
    "01 04 00000000 02 02 6b 01 06 04 6162 00 00 02 06 04 0001 02 08 00 00 02 06 656e64"

START_TEST(what_is_not_used_is_skipped_and_left_alone)
{
    const struct rf_schema *schema = schema_of(&arena, ALL_TYPES);
    struct rf_bytes body = bytes_of(&arena, ALL_BODY);

    for (unsigned set = 0; set < 1U << schema->count; set++) {
        const struct rf_avro_program *program = NULL;
        struct rf_error err = {0};
        struct rf_value fields[7];
        bool used[7];

        memset(fields, 0xee, sizeof fields);
        for (size_t i = 0; i < schema->count; i++)
            used[i] = (set >> i & 1) != 0;
        ck_assert_msg(rf_avro_compile(&arena, schema, schema, used, NULL, &program, &err), "%s",
                      err.message);
        ck_assert_msg(rf_avro_decode(program, body, &arena, fields, &err), "%s", err.message);
        for (size_t i = 0; i < schema->count; i++)
            ck_assert_int_eq(fields[i].kind == 0xee, !used[i]);
        if (used[6])
            ck_assert(rf_bytes_equal(fields[6].as.text, rf_bytes_of_text("end")));
    }
}
END_TEST

START_TEST(every_prefix_of_a_body_is_an_error_whatever_is_used)
{
    const struct rf_schema *schema = schema_of(&arena, ALL_TYPES);
    struct rf_bytes body = bytes_of(&arena, ALL_BODY);
    bool used[7] = {false};

    for (int all = 0; all < 2; all++) {
        const struct rf_avro_program *program = NULL;
        struct rf_error err = {0};

        ck_assert(
            rf_avro_compile(&arena, schema, schema, all == 1 ? NULL : used, NULL, &program, &err));
        for (size_t size = 0; size < body.size; size++) {
            uint8_t *copy = malloc(size + 1); /* so that a sanitizer sees one byte too many */
            struct rf_value fields[7];

            memcpy(copy, body.data, size);
            rf_error_clear(&err);
            ck_assert(!rf_avro_decode(program, rf_bytes_of(copy, size), &arena, fields, &err));
            ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
            free(copy);
        }
    }
}
END_TEST

START_TEST(an_unused_field_that_does_not_resolve_does_no_harm)
{
    const struct rf_schema *writer =
        schema_of(&arena, RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"string\"")));
    const struct rf_schema *reader = schema_of(
        &arena, RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"") "," FIELD("c", "\"int\"")));
    const bool used[] = {true, false, false};
    const struct rf_avro_program *program = NULL;
    struct rf_value fields[3] = {{0}};
    struct rf_error err = {0};

    ck_assert_msg(rf_avro_compile(&arena, writer, reader, used, NULL, &program, &err), "%s",
                  err.message);
    ck_assert(rf_avro_decode(program, bytes_of(&arena, "02 0278"), &arena, fields, &err));

    ck_assert_int_eq(fields[0].as.integer, 1);
}
END_TEST

#define LIST RECORD(FIELD("v", "\"int\"") "," FIELD("next", "[\"null\",\"R\"]"))

START_TEST(a_record_may_contain_itself_up_to_the_depth_limit)
{
    uint8_t body[200];
    size_t size = 0;

    for (int i = 0; i < 31; i++) {
        body[size++] = 2;
        body[size++] = 2;
    }
    body[size++] = 2;
    body[size++] = 0;
    ck_assert(strstr(read_as(&arena, LIST, LIST, rf_bytes_of(body, size)), "error") == NULL);
    body[size - 1] = 2;
    body[size++] = 2;
    body[size++] = 0;

    const char *seen = read_as(&arena, LIST, LIST, rf_bytes_of(body, size));

    ck_assert_msg(strstr(seen, "it nests too deep") != NULL, "%s", seen);
}
END_TEST

START_TEST(two_megabytes_of_nesting_are_an_error_whether_read_or_skipped)
{
    size_t size = 2U << 20;
    uint8_t *body = malloc(size);
    const struct rf_schema *schema = schema_of(&arena, LIST);

    memset(body, 2, size);
    for (int all = 0; all < 2; all++) {
        const bool used[] = {true, all == 1};
        const struct rf_avro_program *program = NULL;
        struct rf_value fields[2];
        struct rf_error err = {0};

        ck_assert(rf_avro_compile(&arena, schema, schema, used, NULL, &program, &err));
        ck_assert(!rf_avro_decode(program, rf_bytes_of(body, size), &arena, fields, &err));
        ck_assert_msg(strstr(err.message, "it nests too deep") != NULL, "%s", err.message);
    }
    free(body);
}
END_TEST

/* Bodies that promise more than they hold. */
static const struct {
    const char *type;
    const char *body;
    const char *reason; /* when it is wanted */
} bombs[] = {
    {"{\"type\":\"array\",\"items\":\"null\"}", "80dac41300", "more items"}, /* 20 million */
    {"{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"N\",\"fields\":[]}}",
     "80dac41300", "more items"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "feffffffffffffffff01", "more items"},
    {"{\"type\":\"array\",\"items\":\"double\"}", "e807", "cut off"},
    {"{\"type\":\"map\",\"values\":\"null\"}", "c09a0c", "cut off"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "ffffffffffffffffff01 02 00", "out of range"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "01 01 00", "out of range"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "01 feffffffffffffffff01 00", "out of range"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "01 04 02 00", "not as long as it says"},
    {"{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"null\"}}",
     "04 f0d60900 f0d60900 00", "more items"},
};

START_TEST(a_count_does_not_make_work_or_memory)
{
    const char *seen = read_as(&arena, ONE("\"int\""), ONE("\"int\""), bytes_of(&arena, "02"));
    char text[400];

    snprintf(text, sizeof text,
             "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":%s}]}",
             bombs[_i].type);
    seen = read_as(&arena, text, text, bytes_of(&arena, bombs[_i].body));

    ck_assert_msg(strstr(seen, bombs[_i].reason) != NULL, "%s: %s", bombs[_i].body, seen);
    ck_assert_uint_lt(arena.reserved, 8U << 20);
}
END_TEST

START_TEST(twenty_million_nulls_that_nobody_wants_are_passed_over_at_once)
{
    const struct rf_schema *schema = schema_of(
        &arena,
        RECORD(FIELD("a", "{\"type\":\"array\",\"items\":\"null\"}") "," FIELD("b", "\"int\"")));
    const bool used[] = {false, true};
    const struct rf_avro_program *program = NULL;
    struct rf_value fields[2];
    struct rf_error err = {0};

    ck_assert(rf_avro_compile(&arena, schema, schema, used, NULL, &program, &err));
    ck_assert_msg(rf_avro_decode(program, bytes_of(&arena, "80dac413 00 06"), &arena, fields, &err),
                  "%s", err.message);

    ck_assert_int_eq(fields[1].as.integer, 3);
}
END_TEST

START_TEST(a_record_that_only_contains_itself_is_an_error_not_a_crash)
{
    const char *endless = RECORD(FIELD("a", "\"R\""));
    const struct rf_schema *schema = schema_of(&arena, endless);
    const bool used[] = {false};
    const struct rf_avro_program *program = NULL;
    struct rf_value field = {0};
    struct rf_error err = {0};

    const char *seen = read_as(&arena, endless, endless, bytes_of(&arena, ""));

    ck_assert_msg(strstr(seen, "it nests too deep") != NULL, "%s", seen);
    ck_assert(rf_avro_compile(&arena, schema, schema, used, NULL, &program, &err));
    ck_assert(!rf_avro_decode(program, bytes_of(&arena, ""), &arena, &field, &err));
}
END_TEST

START_TEST(memory_is_bounded_by_the_limit)
{
    const struct rf_schema *schema =
        schema_of(&arena, ONE("{\"type\":\"array\",\"items\":\"null\"}"));
    const struct rf_avro_limits limits = {.depth_max = 4, .items_max = 100, .bytes_max = 1000};
    const struct rf_avro_program *program = NULL;
    struct rf_value field = {0};
    struct rf_error err = {0};

    ck_assert(rf_avro_compile(&arena, schema, schema, NULL, &limits, &program, &err));
    ck_assert(rf_avro_decode(program, bytes_of(&arena, "28 00"), &arena, &field, &err));
    ck_assert(!rf_avro_decode(program, bytes_of(&arena, "a001 00"), &arena, &field, &err));

    ck_assert_msg(strstr(err.message, "more memory") != NULL, "%s", err.message);
}
END_TEST

START_TEST(a_schema_whose_records_multiply_compiles_and_skips)
{
    struct rf_buffer text;

    /* L29 would be 2^30 strings if every record were written out; as type and as code it stays small */
    rf_buffer_init(&text, 10000);
    rf_buffer_append_text(
        &text,
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":");
    for (int i = 29; i >= 0; i--)
        rf_buffer_printf(
            &text,
            "{\"type\":\"record\",\"name\":\"L%d\",\"fields\":[{\"name\":\"p\",\"type\":", i);
    rf_buffer_append_text(&text, "\"string\"},{\"name\":\"q\",\"type\":\"string\"}]}");
    for (int i = 0; i < 29; i++)
        rf_buffer_printf(&text, "},{\"name\":\"q\",\"type\":\"L%d\"}]}", i);
    rf_buffer_append_text(&text, "}},{\"name\":\"b\",\"type\":\"int\"}]}");
    rf_buffer_append_byte(&text, 0);
    const struct rf_schema *schema = schema_of(&arena, (const char *)text.data);
    const bool used[] = {false, true};
    const struct rf_avro_program *program = NULL;
    struct rf_value fields[2];
    struct rf_error err = {0};

    ck_assert(rf_schema_type(&arena, schema)->kind == RF_TYPE_RECORD);
    ck_assert_msg(rf_avro_compile(&arena, schema, schema, used, NULL, &program, &err), "%s",
                  err.message);
    ck_assert_msg(rf_avro_decode(program, bytes_of(&arena, "00 06"), &arena, fields, &err), "%s",
                  err.message);
    ck_assert_int_eq(fields[1].as.integer, 3);
    ck_assert(rf_avro_compile(&arena, schema, schema, NULL, NULL, &program, &err));
    rf_buffer_deinit(&text);
}
END_TEST

START_TEST(a_datum_of_any_schema_can_be_passed_over)
{
    const struct rf_schema *schema = schema_of(&arena, ALL_TYPES);
    struct rf_bytes body = bytes_of(&arena, ALL_BODY);
    const struct rf_avro_skip *skip = NULL;
    struct rf_error err = {0};
    const uint8_t *at = body.data;

    ck_assert(rf_avro_skip_compile(&arena, schema, &skip, &err));
    ck_assert(rf_avro_skip_run(skip, &at, body.data + body.size));

    ck_assert_ptr_eq(at, body.data + body.size);
    at = body.data;
    ck_assert(!rf_avro_skip_run(skip, &at, body.data + body.size - 1));
    ck_assert_ptr_eq(at, body.data);
}
END_TEST

START_TEST(a_key_that_is_there_twice_keeps_its_last_value_in_large_maps_too)
{
    struct rf_buffer body;
    const char *map = ONE("{\"type\":\"map\",\"values\":\"int\"}");
    char last[32];

    rf_buffer_init(&body, 1U << 20);
    rf_buffer_append(&body, "\xa0\x1f", 2); /* 2000 items */
    for (int i = 0; i < 2000; i++) {
        char key[8];

        snprintf(key, sizeof key, "k%04d", i % 1000);
        rf_buffer_append_byte(&body, 10);
        rf_buffer_append(&body, key, 5);
        rf_buffer_append_byte(&body, i < 1000 ? 2 : 4);
    }
    rf_buffer_append_byte(&body, 0);

    const char *seen = read_as(&arena, map, map, rf_buffer_bytes(&body));

    ck_assert_msg(strncmp(seen, "{\"a\":{\"k0000\":2,\"k0001\":2,", 26) == 0, "%.60s", seen);
    snprintf(last, sizeof last, "\"k0999\":2}}");
    ck_assert_str_eq(seen + strlen(seen) - strlen(last), last);
    rf_buffer_deinit(&body);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/avro_program");
    TCase *tcase = tcase_create("avro_program");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_datum_is_seen_as_the_reader_asks, 0, sizeof rules / sizeof *rules);
    tcase_add_test(tcase, what_is_not_used_is_skipped_and_left_alone);
    tcase_add_test(tcase, every_prefix_of_a_body_is_an_error_whatever_is_used);
    tcase_add_test(tcase, an_unused_field_that_does_not_resolve_does_no_harm);
    tcase_add_test(tcase, a_record_may_contain_itself_up_to_the_depth_limit);
    tcase_add_test(tcase, two_megabytes_of_nesting_are_an_error_whether_read_or_skipped);
    tcase_add_loop_test(tcase, a_count_does_not_make_work_or_memory, 0,
                        sizeof bombs / sizeof *bombs);
    tcase_add_test(tcase, twenty_million_nulls_that_nobody_wants_are_passed_over_at_once);
    tcase_add_test(tcase, a_record_that_only_contains_itself_is_an_error_not_a_crash);
    tcase_add_test(tcase, memory_is_bounded_by_the_limit);
    tcase_add_test(tcase, a_schema_whose_records_multiply_compiles_and_skips);
    tcase_add_test(tcase, a_datum_of_any_schema_can_be_passed_over);
    tcase_add_test(tcase, a_key_that_is_there_twice_keeps_its_last_value_in_large_maps_too);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
