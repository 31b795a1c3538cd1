/* core/codec/avro_decoder: one message after another, by id, fingerprint or bare. */
#include "core/codec/avro_decoder.h"
#include "core/codec/avro_support.h"
#include "core/codec/schema_list.h"
#include "core/codec/wire.h"
#include "core/model/format.h"
#include "core/model/plan.h"
#include "core/model/source.h"

#define READER                                                                                     \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},"          \
    "{\"name\":\"b\",\"type\":\"string\",\"default\":\"none\"}]}"
#define WRITER_1                                                                                   \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"
#define WRITER_2                                                                                   \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":\"string\"},"        \
    "{\"name\":\"a\",\"type\":\"long\"}]}"
#define WRITER_BAD                                                                                 \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}"

static struct rf_arena arena;
static struct rf_schema_list list;
static struct rf_schemas counted; /* the list, with its questions counted */
static int questions;
static bool registry_is_away;
static struct rf_source sources[3];
static struct rf_plan plan;
static struct rf_avro_decoder *decoder;

static bool count_by_id(void *self, uint32_t id, const struct rf_schema **schema,
                        struct rf_error *err)
{
    struct rf_schemas port = rf_schema_list_port(self);

    questions++;
    if (registry_is_away)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "the registry is away");
    return port.ops->by_id(self, id, schema, err);
}

static bool count_by_fingerprint(void *self, uint64_t fingerprint, const struct rf_schema **schema,
                                 struct rf_error *err)
{
    struct rf_schemas port = rf_schema_list_port(self);

    questions++;
    return port.ops->by_fingerprint(self, fingerprint, schema, err);
}

static void setup(void)
{
    static const struct rf_schemas_ops ops = {.by_id = count_by_id,
                                              .by_fingerprint = count_by_fingerprint};

    rf_arena_init(&arena, 4096);
    rf_schema_list_init(&list);
    rf_schema_list_add(&list, 1, schema_of(&arena, WRITER_1));
    rf_schema_list_add(&list, 2, schema_of(&arena, WRITER_2));
    rf_schema_list_add(&list, 3, schema_of(&arena, WRITER_BAD));
    counted = (struct rf_schemas){.ops = &ops, .self = &list};
    questions = 0;
    registry_is_away = false;
    memset(sources, 0, sizeof sources);
    sources[0].format = RF_FORMAT_AVRO;
    sources[1].format = RF_FORMAT_AVRO_OBJECT;
    sources[2].format = RF_FORMAT_AVRO_RAW;
    for (size_t i = 0; i < 3; i++)
        sources[i].schema = schema_of(&arena, READER);
    plan = (struct rf_plan){.source_count = 3, .sources = sources, .event_bytes_max = 1U << 20};
    decoder = rf_avro_decoder_open(&plan, &counted);
}

static void teardown(void)
{
    rf_avro_decoder_close(decoder);
    rf_schema_list_deinit(&list);
    rf_arena_deinit(&arena);
}

static const char *decoded(uint32_t source, const char *hex, enum rf_error_kind kind)
{
    struct rf_decoder port = rf_avro_decoder_port(decoder);
    struct rf_value fields[2] = {{0}};
    struct rf_error err = {0};

    if (port.ops->decode(port.self, source, bytes_of(&arena, hex), &arena, fields, &err)) {
        ck_assert_int_eq(kind, RF_ERROR_NONE);
        return json_of(&arena, sources[source].schema, NULL, fields);
    }
    ck_assert_int_eq(err.kind, kind);
    return rf_arena_copy_text(&arena, err.message);
}

START_TEST(messages_of_several_schemas_come_mixed_and_each_is_asked_for_once)
{
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(decoded(0, "00 00000001 06", RF_ERROR_NONE), "{\"a\":3,\"b\":\"none\"}");
        ck_assert_str_eq(decoded(0, "00 00000002 0278 08", RF_ERROR_NONE), "{\"a\":4,\"b\":\"x\"}");
    }
    ck_assert_int_eq(questions, 2);
}
END_TEST

START_TEST(a_schema_that_does_not_resolve_is_remembered_as_such)
{
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(
            decoded(0, "00 00000003 0278", RF_ERROR_RECORD),
            "schema 3: resolving what R wrote to the reader's R: field a: string cannot be read as long");
    ck_assert_int_eq(questions, 1);
}
END_TEST

START_TEST(a_registry_that_is_away_means_later_and_is_asked_again)
{
    registry_is_away = true;
    ck_assert_str_eq(decoded(0, "00 00000001 06", RF_ERROR_RETRY),
                     "schema 1: the registry is away");
    registry_is_away = false;

    ck_assert_str_eq(decoded(0, "00 00000001 06", RF_ERROR_NONE), "{\"a\":3,\"b\":\"none\"}");
}
END_TEST

START_TEST(an_unknown_schema_is_an_error_of_the_record)
{
    ck_assert_str_eq(decoded(0, "00 00000009 06", RF_ERROR_RECORD),
                     "schema 9: there is no schema with the id 9");
}
END_TEST

START_TEST(a_single_object_is_found_by_fingerprint)
{
    struct rf_wire wire = {.format = RF_FORMAT_AVRO_OBJECT,
                           .fingerprint = rf_schema_fingerprint(schema_of(&arena, WRITER_1))};
    struct rf_buffer out;
    char hex[64] = "";

    rf_buffer_init(&out, 100);
    rf_wire_write(&out, &wire);
    rf_buffer_append_byte(&out, 6);
    for (size_t i = 0; i < out.size; i++)
        snprintf(hex + 2 * i, 3, "%02x", out.data[i]);
    rf_buffer_deinit(&out);

    ck_assert_str_eq(decoded(1, hex, RF_ERROR_NONE), "{\"a\":3,\"b\":\"none\"}");
}
END_TEST

START_TEST(a_bare_body_is_of_the_sources_schema_or_of_the_files)
{
    ck_assert_str_eq(decoded(2, "06 0278", RF_ERROR_NONE), "{\"a\":3,\"b\":\"x\"}");

    rf_avro_decoder_set_writer(decoder, 2, schema_of(&arena, WRITER_1));
    rf_avro_decoder_set_writer(decoder, 0, schema_of(&arena, WRITER_2));

    ck_assert_str_eq(decoded(2, "06", RF_ERROR_NONE), "{\"a\":3,\"b\":\"none\"}");
    ck_assert_str_eq(decoded(0, "0278 08", RF_ERROR_NONE), "{\"a\":4,\"b\":\"x\"}");
    rf_avro_decoder_set_writer(decoder, 0, NULL);
    ck_assert_str_eq(decoded(0, "00 00000001 06", RF_ERROR_NONE), "{\"a\":3,\"b\":\"none\"}");
}
END_TEST

START_TEST(a_bare_body_that_does_not_resolve_costs_no_memory_each_time)
{
    rf_avro_decoder_set_writer(decoder, 2, schema_of(&arena, WRITER_BAD));
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(
            decoded(2, "0278", RF_ERROR_RECORD),
            "resolving what R wrote to the reader's R: field a: string cannot be read as long");
}
END_TEST

START_TEST(ten_thousand_schemas_do_not_grow_without_bound)
{
    for (uint32_t id = 100; id < 10100; id++) {
        char hex[32];

        rf_schema_list_add(&list, id, schema_of(&arena, WRITER_1));
        snprintf(hex, sizeof hex, "00%08x06", id);
        ck_assert_str_eq(decoded(0, hex, RF_ERROR_NONE), "{\"a\":3,\"b\":\"none\"}");
    }
    ck_assert_str_eq(decoded(0, "00 00000001 06", RF_ERROR_NONE), "{\"a\":3,\"b\":\"none\"}");
}
END_TEST

START_TEST(a_message_without_value_is_an_error_of_the_record)
{
    struct rf_decoder port = rf_avro_decoder_port(decoder);
    struct rf_value fields[2];
    struct rf_error err = {0};

    ck_assert(!port.ops->decode(port.self, 0, (struct rf_bytes){0}, &arena, fields, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    ck_assert_str_eq(err.message, "the message has no value");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/avro_decoder");
    TCase *tcase = tcase_create("avro_decoder");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, messages_of_several_schemas_come_mixed_and_each_is_asked_for_once);
    tcase_add_test(tcase, a_schema_that_does_not_resolve_is_remembered_as_such);
    tcase_add_test(tcase, a_registry_that_is_away_means_later_and_is_asked_again);
    tcase_add_test(tcase, an_unknown_schema_is_an_error_of_the_record);
    tcase_add_test(tcase, a_single_object_is_found_by_fingerprint);
    tcase_add_test(tcase, a_bare_body_is_of_the_sources_schema_or_of_the_files);
    tcase_add_test(tcase, a_bare_body_that_does_not_resolve_costs_no_memory_each_time);
    tcase_add_test(tcase, ten_thousand_schemas_do_not_grow_without_bound);
    tcase_add_test(tcase, a_message_without_value_is_an_error_of_the_record);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
