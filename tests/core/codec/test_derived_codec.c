/* core/codec/derived_codec: what a rule found, as its output's schema asks for it. */
#include "core/codec/avro_support.h"
#include "core/codec/derived_codec.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "edge/formats/avro_schema.h"

static struct rf_arena arena;
static struct rf_output output;
static struct rf_rule rules[2];
static struct rf_plan plan;
static struct rf_reason reasons[2];
static struct rf_derived derived;

static void setup(void)
{
    rf_arena_init(&arena, 1U << 16);
    output = (struct rf_output){.name = "offer", .format = RF_FORMAT_AVRO_RAW};
    rules[0] =
        (struct rf_rule){.name = "gone-quiet", .version = "00112233aabbccdd", .severity = "high"};
    rules[1] = rules[0];
    rules[1].name = "win-back";
    rules[1].offer_id = "bonus-minutes";
    rules[1].offer_channel = "sms";
    rules[1].offer_value =
        (const struct rf_expr *)&rules[1]; /* there is one; it is not looked at */
    plan = (struct rf_plan){.app = "telco",
                            .version = "ffeeddccbbaa9988",
                            .rule_count = 2,
                            .output_count = 1,
                            .rules = rules,
                            .outputs = &output,
                            .lifecycle_output = RF_OUTPUT_NONE};
    reasons[0] = (struct rf_reason){.name = "calls_7d", .value = rf_value_int(3)};
    reasons[1] =
        (struct rf_reason){.name = "plan", .value = rf_value_string(rf_bytes_of_text("gold"))};
    derived =
        (struct rf_derived){.id = "0123456789abcdef0123456789abcdef",
                            .rule = 1,
                            .episode = 2,
                            .episode_id = "00ff",
                            .customer = rf_bytes_of_text("c-42"),
                            .occurred_at = INT64_C(1700000000123),
                            .position = {.topic = "telco.calls", .partition = 2, .offset = 77},
                            .because = rf_bytes_of_text("it is \"quiet\""),
                            .offer_value = rf_value_double(12.5),
                            .reason_count = 2,
                            .reasons = reasons};
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
}

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"O\",\"fields\":[" fields "]}"
#define F(name, type)  "{\"name\":\"" name "\",\"type\":" type "}"

/* The event as a reader of the schema sees it, or "error: message". */
static const char *seen_as(const char *schema_text)
{
    const struct rf_derived_codec *codec = NULL;
    struct rf_buffer out;
    struct rf_error err = {0};
    const char *seen = NULL;

    output.schema = schema_of(&arena, schema_text);
    rf_buffer_init(&out, 10000);
    if (rf_derived_codec_make(&arena, &plan, &output, &codec, &err) &&
        rf_derived_encode(codec, &derived, NULL, &out, &err))
        seen = read_as(&arena, schema_text, schema_text,
                       rf_bytes_of(rf_arena_copy(&arena, rf_buffer_bytes(&out)).data, out.size));
    else
        seen = rf_arena_printf(&arena, "error: %s", err.message);
    rf_buffer_deinit(&out);
    return seen;
}

static const struct {
    const char *schema;
    const char *expected;
} rows[] = {
    {RECORD(F("id", "\"string\"") "," F("app", "\"string\"") "," F("rule", "\"string\"") "," F(
         "rule_version", "\"string\"") "," F("plan_version", "\"string\"") "," F("customer",
                                                                                 "\"string\"")),
     "{\"id\":\"0123456789abcdef0123456789abcdef\",\"app\":\"telco\",\"rule\":\"win-back\",\"rule_version\":\"00112233aabbccdd\",\"plan_version\":\"ffeeddccbbaa9988\",\"customer\":\"c-42\"}"},
    {RECORD(F("because", "\"string\"") "," F("offer_id", "[\"null\",\"string\"]") "," F(
         "channel", "\"string\"") "," F("value", "[\"null\",\"double\"]")),
     "{\"because\":\"it is \\\"quiet\\\"\",\"offer_id\":\"bonus-minutes\",\"channel\":\"sms\",\"value\":12.5}"},
    {RECORD(
         F("severity", "{\"type\":\"enum\",\"name\":\"S\",\"symbols\":[\"low\",\"high\"]}") "," F(
             "status", "\"string\"")),
     "{\"severity\":\"high\",\"status\":\"RAISED\"}"},
    {RECORD(
         F("severity",
           "{\"type\":\"enum\",\"name\":\"S\",\"symbols\":[\"low\",\"mad\"],\"default\":\"mad\"}")),
     "{\"severity\":\"mad\"}"},
    {RECORD(F("occurred_at", "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}")),
     "{\"occurred_at\":\"2023-11-14T22:13:20.123Z\"}"},
    {RECORD(
         F("occurred_at", "[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}]")),
     "{\"occurred_at\":\"2023-11-14T22:13:20.123Z\"}"},
    {RECORD(F("episode", "\"int\"") "," F("episode_id", "\"string\"")),
     "{\"episode\":2,\"episode_id\":\"00ff\"}"},
    {RECORD(F("occurred_at", "\"long\"")), "{\"occurred_at\":1700000000123}"},
    {RECORD(F("occurred_at", "\"string\"")), "{\"occurred_at\":\"2023-11-14T22:13:20.123Z\"}"},
    {RECORD(F("reasons",
              "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Re\",\"fields\":[" F(
                  "name", "\"string\"") "," F("value", "\"string\"") "]}}")),
     "{\"reasons\":[{\"name\":\"calls_7d\",\"value\":\"3\"},{\"name\":\"plan\",\"value\":\"\\\"gold\\\"\"}]}"},
    {RECORD(F(
         "reasons",
         "[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Re\",\"fields\":[" F(
             "value",
             "[\"null\",\"double\",\"string\"]") ",{\"name\":\"x\",\"type\":\"int\",\"default\":9}," F("name",
                                                                                                       "\"string\"") "]}}]")),
     "{\"reasons\":[{\"value\":3,\"x\":9,\"name\":\"calls_7d\"},{\"value\":\"gold\",\"x\":9,\"name\":\"plan\"}]}"},
    {RECORD(F("source",
              "{\"type\":\"record\",\"name\":\"S\",\"fields\":[" F("topic", "\"string\"") "," F(
                  "partition", "\"int\"") "," F("offset", "\"long\"") "]}")),
     "{\"source\":{\"topic\":\"telco.calls\",\"partition\":2,\"offset\":77}}"},
    {RECORD("{\"name\":\"ours\",\"type\":\"string\",\"default\":\"x\"}," F("maybe",
                                                                           "[\"null\",\"int\"]")),
     "{\"ours\":\"x\",\"maybe\":null}"},
    {RECORD(F("ours", "\"string\"")),
     "error: output offer, rule gone-quiet, field ours: ringfold does not know it, so it needs a default"},
    {RECORD(F("offer_id", "\"string\"")),
     "error: output offer, rule gone-quiet, field offer_id: the rule has nothing for it, so it needs a default"},
    {RECORD(F("id", "\"int\"")),
     "error: output offer, rule gone-quiet, field id: a value of type string does not fit into int"},
    {RECORD(F("severity", "{\"type\":\"enum\",\"name\":\"S\",\"symbols\":[\"low\"]}")),
     "error: output offer, rule gone-quiet, field severity: enum S has no symbol \"high\""},
    {RECORD(F("reasons", "{\"type\":\"array\",\"items\":\"string\"}")),
     "error: output offer, rule gone-quiet, field reasons: it has to be an array of records"},
    {RECORD(F("source",
              "{\"type\":\"record\",\"name\":\"S\",\"fields\":[" F("shard", "\"int\"") "]}")),
     "error: output offer, rule gone-quiet, field source: field shard: ringfold does not know it, so it needs a default"},
    {RECORD(F("occurred_at", "\"boolean\"")),
     "error: output offer, rule gone-quiet, field occurred_at: an instant is a timestamp, a long or a string"},
};

START_TEST(a_schema_is_filled_by_name)
{
    /* both rules are of the output, so both have to bind: give the first what offers alone have */
    if (strstr(rows[_i].expected, "error") == NULL) {
        rules[0].offer_id = rules[1].offer_id;
        rules[0].offer_channel = rules[1].offer_channel;
    }
    ck_assert_str_eq(seen_as(rows[_i].schema), rows[_i].expected);
}
END_TEST

START_TEST(a_rule_without_a_value_writes_the_default)
{
    derived.rule = 0;
    derived.offer_value = rf_value_null();
    ck_assert_str_eq(seen_as(RECORD("{\"name\":\"value\",\"type\":\"double\",\"default\":-1}")),
                     "{\"value\":-1}");
    derived.rule = 1;
    ck_assert_str_eq(seen_as(RECORD("{\"name\":\"value\",\"type\":\"double\",\"default\":-1}")),
                     "{\"value\":-1}");
}
END_TEST

START_TEST(a_customer_that_is_no_text_is_an_error_of_the_record)
{
    derived.customer = rf_bytes_of("\xff\xfe", 2);
    ck_assert_str_eq(
        seen_as(RECORD(F("customer", "\"string\""))),
        "error: encoding what rule win-back emits: the customer's id is not well-formed UTF-8");
}
END_TEST

START_TEST(the_wire_header_stands_before_the_body)
{
    const struct rf_wire wire = {.format = RF_FORMAT_AVRO, .id = 7};
    const struct rf_derived_codec *codec = NULL;
    struct rf_buffer out;
    struct rf_error err = {0};

    output.format = RF_FORMAT_AVRO;
    output.schema = schema_of(&arena, RECORD(F("customer", "\"string\"")));
    ck_assert(rf_derived_codec_make(&arena, &plan, &output, &codec, &err));
    rf_buffer_init(&out, 1000);
    ck_assert(rf_derived_encode(codec, &derived, &wire, &out, &err));
    ck_assert(rf_bytes_equal(rf_buffer_bytes(&out), rf_bytes_of("\0\0\0\0\7\10c-42", 10)));
    rf_buffer_deinit(&out);
}
END_TEST

START_TEST(json_has_every_known_attribute)
{
    struct rf_buffer out;

    rf_buffer_init(&out, 10000);
    rf_derived_print_json(&plan, &derived, &out);
    rf_buffer_append_byte(&out, 0);
    ck_assert_str_eq(
        (const char *)out.data,
        "{\"id\":\"0123456789abcdef0123456789abcdef\",\"app\":\"telco\",\"rule\":\"win-back\","
        "\"rule_version\":\"00112233aabbccdd\",\"plan_version\":\"ffeeddccbbaa9988\",\"customer\":\"c-42\","
        "\"severity\":\"high\",\"status\":\"RAISED\",\"episode\":2,\"episode_id\":\"00ff\",\"because\":\"it is \\\"quiet\\\"\","
        "\"occurred_at\":\"2023-11-14T22:13:20.123Z\",\"offer_id\":\"bonus-minutes\",\"channel\":\"sms\","
        "\"value\":12.5,\"reasons\":[{\"name\":\"calls_7d\",\"value\":3},{\"name\":\"plan\",\"value\":\"gold\"}],"
        "\"source\":{\"topic\":\"telco.calls\",\"partition\":2,\"offset\":77}}");
    rf_buffer_deinit(&out);
}
END_TEST

static struct rf_pattern a_pattern;
static const struct rf_matched matched[] = {
    {.step = 1,
     .kind = "complaint",
     .time = INT64_C(1700000000000),
     .position = {.topic = "telco.complaints", .partition = 2, .offset = 7}},
    {.step = 3,
     .kind = "call",
     .time = INT64_C(1700000000123),
     .position = {.topic = "telco.calls", .partition = 2, .offset = 77}}};

#define MATCHED                                                                                                  \
    "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"M\",\"fields\":[" F("step", "\"int\"") "," F( \
        "kind",                                                                                                  \
        "\"string\"") "," F("occurred_at",                                                                       \
                            "\"long\"") "," F("topic",                                                           \
                                              "\"string\"") "," F("partition",                                   \
                                                                  "\"int\"") "," F("offset",                     \
                                                                                   "\"long\"") ",{\"name\":\"x\",\"type\":\"int\",\"default\":9}]}}"

START_TEST(the_events_that_a_pattern_matched_are_told)
{
    static const char told[] =
        "{\"matched\":[{\"step\":1,\"kind\":\"complaint\",\"occurred_at\":1700000000000,"
        "\"topic\":\"telco.complaints\",\"partition\":2,\"offset\":7,\"x\":9},"
        "{\"step\":3,\"kind\":\"call\",\"occurred_at\":1700000000123,\"topic\":\"telco.calls\","
        "\"partition\":2,\"offset\":77,\"x\":9}]}";
    struct rf_buffer out;
    rules[0].pattern = rules[1].pattern = &a_pattern;
    derived.matched = matched;
    derived.matched_count = 2;

    ck_assert_str_eq(seen_as(RECORD(F("matched", MATCHED))), told);
    ck_assert_str_eq(seen_as(RECORD(F("matched", "[\"null\"," MATCHED "]"))), told);
    ck_assert_str_eq(
        seen_as(RECORD(F("matched", "\"string\""))),
        "error: output offer, rule gone-quiet, field matched: it has to be an array of "
        "records");
    rf_buffer_init(&out, 10000);
    rf_derived_print_json(&plan, &derived, &out);
    rf_buffer_append_byte(&out, 0);
    ck_assert_ptr_nonnull(strstr(
        (const char *)out.data,
        ",\"matched\":[{\"step\":1,\"kind\":\"complaint\",\"occurred_at\":"
        "\"2023-11-14T22:13:20Z\",\"topic\":\"telco.complaints\",\"partition\":2,\"offset\":7},"));
    rf_buffer_deinit(&out);
}
END_TEST

START_TEST(what_no_pattern_matched_is_the_default_null_or_an_empty_list)
{
    ck_assert_str_eq(seen_as(RECORD(F("matched", MATCHED))), "{\"matched\":[]}");
    ck_assert_str_eq(seen_as(RECORD(F("matched", "[\"null\"," MATCHED "]"))), "{\"matched\":null}");
    rules[0].pattern = rules[1].pattern = &a_pattern; /* an alert that is over */
    ck_assert_str_eq(seen_as(RECORD(F("matched", MATCHED))), "{\"matched\":[]}");
}
END_TEST

START_TEST(headers_are_those_of_cloudevents)
{
    struct rf_header headers[RF_CLOUDEVENTS_HEADERS];
    static const char *const expected[] = {"ce_specversion=1.0",
                                           "ce_id=0123456789abcdef0123456789abcdef",
                                           "ce_source=/ringfold/telco",
                                           "ce_type=ringfold.offer",
                                           "ce_subject=c-42",
                                           "ce_time=2023-11-14T22:13:20.123Z",
                                           "content-type=application/avro"};

    ck_assert_uint_eq(rf_derived_headers(&plan, &derived, &arena, headers), RF_CLOUDEVENTS_HEADERS);
    for (size_t i = 0; i < RF_CLOUDEVENTS_HEADERS; i++)
        ck_assert_str_eq(rf_arena_printf(&arena, "%s=%.*s", headers[i].name,
                                         (int)headers[i].value.size,
                                         (const char *)headers[i].value.data),
                         expected[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/derived_codec");
    TCase *tcase = tcase_create("derived_codec");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_schema_is_filled_by_name, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, a_rule_without_a_value_writes_the_default);
    tcase_add_test(tcase, a_customer_that_is_no_text_is_an_error_of_the_record);
    tcase_add_test(tcase, the_wire_header_stands_before_the_body);
    tcase_add_test(tcase, json_has_every_known_attribute);
    tcase_add_test(tcase, the_events_that_a_pattern_matched_are_told);
    tcase_add_test(tcase, what_no_pattern_matched_is_the_default_null_or_an_empty_list);
    tcase_add_test(tcase, headers_are_those_of_cloudevents);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
