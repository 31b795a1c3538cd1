/* edge/registry: a registry that is down, slow, wrong, far away or malicious costs time, never an answer. */
#include <check.h>
#include <stdlib.h>

#include "edge/registry/http.h"
#include "edge/registry/registry.h"
#include "edge/sys/clock.h"
#include "support/http_server.h"
#include "support/scratch.h"

#define CALL                                                                                       \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Call\\\",\\\"fields\\\":["        \
    "{\\\"name\\\":\\\"seconds\\\",\\\"type\\\":\\\"long\\\"}]}\"}"
#define CALL_TEXT                                                                                  \
    "{\"type\":\"record\",\"name\":\"Call\",\"fields\":[{\"name\":\"seconds\",\"type\":\"long\"}]}"

static struct scratch scratch;
static struct http_server server;
static char url[64];

static void set_up(void)
{
    scratch_make(&scratch);
    http_server_start(&server, 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
}

static void tear_down(void)
{
    http_server_stop(&server);
    scratch_remove(&scratch);
}

static struct rf_registry *open_with(struct rf_registry_options options)
{
    struct rf_error err = {0};
    struct rf_registry *registry = rf_registry_open(&options, &err);

    ck_assert_msg(registry != NULL, "%s", err.message);
    return registry;
}

static struct rf_registry *open_registry(void)
{
    return open_with((struct rf_registry_options){.urls = url,
                                                  .cache_dir = scratch.path,
                                                  .timeout = 400,
                                                  .unknown_for = 300,
                                                  .tries_max = 2});
}

/* Asks until the answer is no longer RETRY, as the worker does between two polls. */
static bool wait_for(struct rf_registry *registry, uint32_t id, const struct rf_schema **schema,
                     struct rf_error *err)
{
    struct rf_schemas schemas = rf_registry_schemas(registry);

    for (int tries = 0; tries < 1000; tries++) {
        *err = (struct rf_error){0};
        if (schemas.ops->by_id(schemas.self, id, schema, err))
            return true;
        if (err->kind != RF_ERROR_RETRY)
            return false;
        rf_clock_sleep_ms(10);
    }
    return false;
}

static const struct rf_schema *expect_schema(struct rf_registry *registry, uint32_t id,
                                             const char *name)
{
    const struct rf_schema *schema = NULL;
    struct rf_error err;

    ck_assert_msg(wait_for(registry, id, &schema, &err), "%s", err.message);
    ck_assert_int_eq(schema->kind, RF_SCHEMA_RECORD);
    ck_assert_str_eq(schema->name, name);
    return schema;
}

static void expect_record_error(struct rf_registry *registry, uint32_t id, const char *part)
{
    const struct rf_schema *schema = NULL;
    struct rf_error err;

    ck_assert(!wait_for(registry, id, &schema, &err));
    ck_assert_msg(err.kind == RF_ERROR_RECORD, "%s", err.message);
    ck_assert_msg(strstr(err.message, part) != NULL, "%s", err.message);
}

/* Now, without waiting. */
static void expect_retry(struct rf_registry *registry, uint32_t id, const char *part)
{
    struct rf_schemas schemas = rf_registry_schemas(registry);
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    ck_assert(!schemas.ops->by_id(schemas.self, id, &schema, &err));
    ck_assert_msg(err.kind == RF_ERROR_RETRY, "%s", err.message);
    ck_assert_msg(strstr(err.message, part) != NULL, "%s", err.message);
}

START_TEST(a_schema_is_fetched_once_and_the_first_question_does_not_wait)
{
    http_server_add(&server, (struct http_route){"GET /schemas/ids/7", 200, CALL, 0, 200, 0});
    struct rf_registry *registry = open_registry();
    rf_ns began = rf_clock_monotonic_ns();

    expect_retry(registry, 7, "schema 7 is being fetched");

    ck_assert_int_lt(rf_clock_monotonic_ns() - began, 100000000);
    const struct rf_schema *schema = expect_schema(registry, 7, "Call");
    ck_assert_ptr_eq(expect_schema(registry, 7, "Call"), schema);
    ck_assert_int_eq(http_server_requests(&server), 1);
    ck_assert_ptr_nonnull(strstr(server.last_request, "application/vnd.schemaregistry.v1+json"));
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_restart_needs_no_registry_for_what_was_learnt)
{
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});
    struct rf_registry *registry = open_registry();
    expect_schema(registry, 7, "Call");
    rf_registry_close(registry);
    http_server_stop(&server);
    registry = open_registry();

    struct rf_schemas schemas = rf_registry_schemas(registry);
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    ck_assert_msg(schemas.ops->by_id(schemas.self, 7, &schema, &err), "%s", err.message);

    ck_assert_str_eq(schema->name, "Call");
    rf_registry_close(registry);
    http_server_start(&server, 0);
}
END_TEST

START_TEST(a_damaged_file_on_disk_is_asked_for_again)
{
    char command[256];
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});
    struct rf_registry *registry = open_registry();
    expect_schema(registry, 7, "Call");
    rf_registry_close(registry);
    snprintf(command, sizeof command, "for f in %s/*/7.json; do echo '{\"schema\":3}' > $f; done",
             scratch.path);
    ck_assert_int_eq(system(command), 0);

    registry = open_registry();

    expect_schema(registry, 7, "Call");
    ck_assert_int_eq(http_server_requests(&server), 2);
    rf_registry_close(registry);
}
END_TEST

START_TEST(what_one_registry_gave_is_not_taken_for_anothers)
{
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});
    struct rf_registry *registry = open_registry();
    expect_schema(registry, 7, "Call");
    rf_registry_close(registry);

    registry = open_with(
        (struct rf_registry_options){.urls = "http://127.0.0.1:1", .cache_dir = scratch.path});

    expect_retry(registry, 7, "being fetched");
    rf_registry_close(registry);
}
END_TEST

START_TEST(an_unknown_id_is_the_records_fault_and_is_not_asked_for_each_time)
{
    struct rf_registry *registry = open_registry();

    expect_record_error(registry, 9, "the registry has no such schema");
    for (int i = 0; i < 100; i++)
        expect_record_error(registry, 9, "40403");
    ck_assert_int_eq(http_server_requests(&server), 1);

    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/9", .status = 200, .body = CALL});
    rf_clock_sleep_ms(350);
    expect_schema(registry, 9, "Call"); /* it was registered meanwhile */
    rf_registry_close(registry);
}
END_TEST

static void expect_counted(struct rf_registry *registry, int status, uint64_t expected)
{
    const char *names[RF_REGISTRY_STATUSES_MAX];
    uint64_t counts[RF_REGISTRY_STATUSES_MAX];
    size_t count = rf_registry_requests(registry, names, counts);
    uint64_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (atoi(names[i]) == status)
            found += counts[i];
    }
    ck_assert_uint_eq(found, expected);
}

START_TEST(a_registry_that_stumbles_is_asked_again)
{
    static const int statuses[] = {500, 503, 429, 408};
    http_server_add(&server, (struct http_route){.request = "GET /schemas/ids/7",
                                                 .status = statuses[_i],
                                                 .body = "busy",
                                                 .times = 1});
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});
    struct rf_registry *registry = open_registry();

    expect_schema(registry, 7, "Call");

    ck_assert_int_eq(http_server_requests(&server), 2);
    expect_counted(registry, statuses[_i], 1);
    expect_counted(registry, 200, 1);
    expect_counted(registry, 404, 0);
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_slow_registry_times_out_and_is_asked_again)
{
    http_server_add(&server, (struct http_route){.request = "GET /schemas/ids/7",
                                                 .status = 200,
                                                 .body = CALL,
                                                 .times = 1,
                                                 .delay_ms = 700});
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});
    struct rf_registry *registry = open_registry();

    expect_schema(registry, 7, "Call");

    ck_assert_int_eq(http_server_requests(&server), 2);
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_registry_that_is_down_is_waited_for)
{
    int port = server.port;
    http_server_stop(&server);
    struct rf_registry *registry = open_registry();
    expect_retry(registry, 7, "being fetched");
    rf_clock_sleep_ms(200);
    expect_retry(registry, 7, url); /* says who does not answer */

    http_server_start(&server, port);
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});

    expect_schema(registry, 7, "Call");
    rf_registry_close(registry);
}
END_TEST

START_TEST(closing_does_not_wait_for_a_registry_that_is_down)
{
    http_server_add(&server, (struct http_route){.request = "GET /schemas/ids/7",
                                                 .status = 200,
                                                 .body = CALL,
                                                 .delay_ms = 1500});
    struct rf_registry *registry = open_with((struct rf_registry_options){.urls = url});
    expect_retry(registry, 7, "being fetched");
    rf_clock_sleep_ms(100);
    rf_ns began = rf_clock_monotonic_ns();

    rf_registry_close(registry);

    ck_assert_int_lt(rf_clock_monotonic_ns() - began, 1400000000);
}
END_TEST

START_TEST(an_answer_that_is_no_registrys_is_not_the_records_fault)
{
    static const char *const bodies[] = {"<html>Bad gateway</html>", "", "[]", "{\"schema\": 5}",
                                         "{\"schema\": \"x\", \"schema\": \"y\"}"};
    http_server_add(&server, (struct http_route){.request = "GET /schemas/ids/7",
                                                 .status = 200,
                                                 .body = bodies[_i],
                                                 .times = 1});
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});
    struct rf_registry *registry = open_registry();

    expect_schema(registry, 7, "Call");

    rf_registry_close(registry);
}
END_TEST

START_TEST(a_wrong_address_or_password_sends_nothing_to_the_dead_letters)
{
    static const int statuses[] = {404, 401, 403};
    static const char *const parts[] = {"is this its address", "does not know who is asking",
                                        "does not allow"};
    http_server_add(
        &server,
        (struct http_route){.request = "GET /schemas/ids/7", .status = statuses[_i], .body = "no"});
    struct rf_registry *registry = open_registry();
    expect_retry(registry, 7, "being fetched");
    rf_clock_sleep_ms(150);

    expect_retry(registry, 7, parts[_i]);

    rf_registry_close(registry);
}
END_TEST

START_TEST(what_is_not_an_avro_schema_is_the_records_fault)
{
    static const char *const bodies[] = {
        "{\"schema\":\"message Call {}\",\"schemaType\":\"PROTOBUF\"}",
        "{\"schema\":\"{\\\"type\\\":\\\"recor\"}", "{\"schema\":\"\\\"Unknown\\\"\"}"};
    static const char *const parts[] = {"PROTOBUF", "", ""};
    http_server_add(
        &server,
        (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = bodies[_i]});
    struct rf_registry *registry = open_registry();

    expect_record_error(registry, 7, parts[_i]);

    rf_registry_close(registry);
}
END_TEST

START_TEST(an_answer_is_read_up_to_a_limit)
{
    http_server_add(&server, (struct http_route){.request = "GET /schemas/ids/7",
                                                 .status = 200,
                                                 .body = CALL,
                                                 .padding = RF_HTTP_ANSWER_SIZE_MAX});
    struct rf_registry *registry = open_with((struct rf_registry_options){.urls = url});

    expect_record_error(registry, 7, "bytes");

    rf_registry_close(registry);
}
END_TEST

#define REFERS(name, type, references)                                                             \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"" name                            \
    "\\\",\\\"fields\\\":[{\\\"name\\\":\\\"f\\\",\\\"type\\\":\\\"" type                          \
    "\\\"}]}\",\"references\":[" references "]}"
#define REFERENCE(subject, version)                                                                \
    "{\"name\":\"n\",\"subject\":\"" subject "\",\"version\":" version "}"

START_TEST(references_are_followed_and_kept_on_disk_with_their_schema)
{
    http_server_add(
        &server, (struct http_route){
                     .request = "GET /schemas/ids/1",
                     .status = 200,
                     .body = REFERS("A", "B", REFERENCE("b value", "3") "," REFERENCE("c", "1"))});
    http_server_add(
        &server, (struct http_route){.request = "GET /subjects/b%20value/versions/3?deleted=true",
                                     .status = 200,
                                     .body = REFERS("B", "C", REFERENCE("c", "1"))});
    http_server_add(&server,
                    (struct http_route){.request = "GET /subjects/c/versions/1?deleted=true",
                                        .status = 200,
                                        .body = REFERS("C", "long", "")});
    struct rf_registry *registry = open_registry();

    const struct rf_schema *schema = expect_schema(registry, 1, "A");

    ck_assert_str_eq(schema->fields[0].type->name, "B");
    ck_assert_str_eq(schema->fields[0].type->fields[0].type->name, "C");
    ck_assert_int_eq(http_server_requests(&server), 3);
    rf_registry_close(registry);
    registry = open_registry();
    schema = expect_schema(registry, 1, "A");
    ck_assert_str_eq(schema->fields[0].type->fields[0].type->name, "C");
    ck_assert_int_eq(http_server_requests(&server), 3);
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_circle_of_references_ends)
{
    http_server_add(&server, (struct http_route){.request = "GET /schemas/ids/1",
                                                 .status = 200,
                                                 .body = REFERS("A", "B", REFERENCE("b", "1"))});
    http_server_add(&server,
                    (struct http_route){.request = "GET /subjects/b/versions/1?deleted=true",
                                        .status = 200,
                                        .body = REFERS("B", "C", REFERENCE("c", "1"))});
    http_server_add(&server,
                    (struct http_route){.request = "GET /subjects/c/versions/1?deleted=true",
                                        .status = 200,
                                        .body = REFERS("C", "B", REFERENCE("b", "1"))});
    struct rf_registry *registry = open_registry();

    expect_record_error(registry, 1, "refers to itself");

    rf_registry_close(registry);
}
END_TEST

START_TEST(the_next_address_is_asked_where_one_does_not_answer)
{
    char urls[256];
    static struct http_server second;
    http_server_start(&second, 0);
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 500, .body = ""});
    http_server_add(
        &second,
        (struct http_route){.request = "GET /registry/schemas/ids/7", .status = 200, .body = CALL});
    http_server_add(
        &second,
        (struct http_route){.request = "GET /registry/schemas/ids/8", .status = 200, .body = CALL});
    snprintf(urls, sizeof urls, "http://127.0.0.1:1, %s,http://127.0.0.1:%d/registry/", url,
             second.port);
    struct rf_registry *registry = open_with((struct rf_registry_options){.urls = urls});

    expect_schema(registry, 7, "Call");
    expect_schema(registry, 8, "Call");

    ck_assert_int_eq(http_server_requests(&server),
                     1); /* the one that answers is asked first now */
    rf_registry_close(registry);
    http_server_stop(&second);
}
END_TEST

START_TEST(a_password_is_sent_and_never_shown)
{
    char urls[128];
    snprintf(urls, sizeof urls, "http://ringfold:geheim@127.0.0.1:%d", server.port);
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 500, .body = ""});
    struct rf_registry *registry = open_with((struct rf_registry_options){.urls = urls});
    expect_retry(registry, 7, "");
    rf_clock_sleep_ms(200);

    struct rf_schemas schemas = rf_registry_schemas(registry);
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    ck_assert(!schemas.ops->by_id(schemas.self, 7, &schema, &err));

    ck_assert_ptr_null(strstr(err.message, "geheim"));
    ck_assert_ptr_nonnull(strstr(err.message, url));
    ck_assert_ptr_nonnull(strstr(server.last_request, "Authorization: Basic cmluZ2ZvbGQ6Z2VoZWlt"));
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_token_is_sent)
{
    http_server_add(
        &server, (struct http_route){.request = "GET /schemas/ids/7", .status = 200, .body = CALL});
    struct rf_registry *registry =
        open_with((struct rf_registry_options){.urls = url, .token = "t0ken"});

    expect_schema(registry, 7, "Call");

    ck_assert_ptr_nonnull(strstr(server.last_request, "Authorization: Bearer t0ken"));
    rf_registry_close(registry);
}
END_TEST

START_TEST(the_newest_schema_of_a_subject)
{
    http_server_add(
        &server,
        (struct http_route){
            .request = "GET /subjects/calls-value/versions/latest",
            .status = 200,
            .body =
                "{\"subject\":\"calls-value\",\"version\":2,\"id\":7,\"schema\":\"\\\"string\\\"\"}"});
    http_server_add(
        &server,
        (struct http_route){.request = "GET /subjects/none-value/versions/latest",
                            .status = 404,
                            .body = "{\"error_code\":40401,\"message\":\"Subject not found\"}"});
    struct rf_registry *registry = open_registry();
    struct rf_registry_schema schema;
    struct rf_error err = {0};
    struct rf_arena arena;
    bool found = false;
    rf_arena_init(&arena, 1024);

    ck_assert_msg(rf_registry_latest(registry, "calls-value", &arena, &schema, &found, &err), "%s",
                  err.message);
    ck_assert(found);
    ck_assert_uint_eq(schema.id, 7);
    ck_assert(rf_bytes_equal(schema.text, rf_bytes_of_text("\"string\"")));

    ck_assert(rf_registry_latest(registry, "none-value", &arena, &schema, &found, &err));
    ck_assert(!found);
    rf_arena_deinit(&arena);
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_schema_is_looked_up_and_registered)
{
    http_server_add(&server, (struct http_route){
                                 .request = "POST /subjects/alerts-value",
                                 .status = 404,
                                 .body = "{\"error_code\":40403,\"message\":\"Schema not found\"}",
                                 .times = 1});
    http_server_add(&server, (struct http_route){.request = "POST /subjects/alerts-value/versions",
                                                 .status = 500,
                                                 .body = "{}",
                                                 .times = 1});
    http_server_add(&server, (struct http_route){.request = "POST /subjects/alerts-value/versions",
                                                 .status = 200,
                                                 .body = "{\"id\":12}"});
    http_server_add(
        &server,
        (struct http_route){
            .request = "POST /subjects/alerts-value",
            .status = 200,
            .body = "{\"subject\":\"alerts-value\",\"id\":12,\"version\":1,\"schema\":\"x\"}"});
    struct rf_registry *registry = open_registry();
    struct rf_bytes text = rf_bytes_of_text(CALL_TEXT);
    struct rf_error err = {0};
    uint32_t id = 0;
    bool found = true;

    ck_assert(rf_registry_look_up(registry, "alerts-value", text, &id, &found, &err));
    ck_assert(!found);
    ck_assert_msg(rf_registry_register(registry, "alerts-value", text, &id, &err), "%s",
                  err.message);
    ck_assert_uint_eq(id, 12);
    ck_assert_ptr_nonnull(strstr(server.last_request, "\"schemaType\":\"AVRO\""));
    ck_assert_ptr_nonnull(strstr(server.last_request, "\\\"seconds\\\""));
    id = 0;
    ck_assert(rf_registry_look_up(registry, "alerts-value", text, &id, &found, &err));
    ck_assert(found);
    ck_assert_uint_eq(id, 12);
    rf_registry_close(registry);
}
END_TEST

START_TEST(who_registers_at_the_same_time_as_another_finds_the_schema_there)
{
    http_server_add(&server, (struct http_route){.request = "POST /subjects/alerts-value/versions",
                                                 .status = 409,
                                                 .body = "{\"error_code\":409,\"message\":\"An "
                                                         "artifact with this ID exists\"}"});
    http_server_add(&server, (struct http_route){.request = "POST /subjects/alerts-value",
                                                 .status = 200,
                                                 .body = "{\"id\":12}"});
    struct rf_registry *registry = open_registry();
    struct rf_error err = {0};
    uint32_t id = 0;

    ck_assert_msg(
        rf_registry_register(registry, "alerts-value", rf_bytes_of_text(CALL_TEXT), &id, &err),
        "%s", err.message);

    ck_assert_uint_eq(id, 12);
    ck_assert_int_eq(err.kind, RF_ERROR_NONE);
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_refusal_is_for_the_operator_in_words)
{
    static const struct {
        int status;
        const char *body;
        const char *part;
        int requests; /* after a conflict it looks whether the schema is there by now */
    } refusals[] = {
        {409, "{\"error_code\":40901,\"message\":\"Schema being registered\\nis incompatible\"}",
         "not compatible", 2},
        {409, "incompatible", "not compatible", 2},
        {422, "{\"error_code\":42201,\"message\":\"Invalid schema\"}",
         "does not take it for a schema", 1},
        {401, "", "who is asking", 1},
    };
    http_server_add(&server, (struct http_route){.request = "POST /subjects/alerts-value/versions",
                                                 .status = refusals[_i].status,
                                                 .body = refusals[_i].body});
    struct rf_registry *registry = open_registry();
    struct rf_error err = {0};
    uint32_t id = 0;

    ck_assert(
        !rf_registry_register(registry, "alerts-value", rf_bytes_of_text(CALL_TEXT), &id, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    ck_assert_msg(strstr(err.message, refusals[_i].part) != NULL, "%s", err.message);
    ck_assert_ptr_nonnull(strstr(err.message, "alerts-value"));
    ck_assert_ptr_null(strchr(err.message, '\n'));
    ck_assert_int_eq(http_server_requests(&server), refusals[_i].requests);
    rf_registry_close(registry);
}
END_TEST

START_TEST(a_registry_that_stays_away_is_an_error_to_try_again)
{
    http_server_add(&server,
                    (struct http_route){.request = "GET /config", .status = 503, .body = ""});
    struct rf_registry *registry = open_registry();
    struct rf_arena arena;
    struct rf_error err = {0};
    const char *level = NULL;
    rf_arena_init(&arena, 1024);

    ck_assert(!rf_registry_compatibility(registry, &arena, &level, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_RETRY);
    ck_assert_int_eq(http_server_requests(&server), 2);
    rf_arena_deinit(&arena);
    rf_registry_close(registry);
}
END_TEST

START_TEST(the_compatibility_that_is_demanded)
{
    http_server_add(&server, (struct http_route){.request = "GET /config",
                                                 .status = 200,
                                                 .body = "{\"compatibilityLevel\":\"FULL\"}"});
    struct rf_registry *registry = open_registry();
    struct rf_arena arena;
    struct rf_error err = {0};
    const char *level = NULL;
    rf_arena_init(&arena, 1024);

    ck_assert_msg(rf_registry_compatibility(registry, &arena, &level, &err), "%s", err.message);

    ck_assert_str_eq(level, "FULL");
    rf_arena_deinit(&arena);
    rf_registry_close(registry);
}
END_TEST

START_TEST(schemas_from_files_are_found_by_fingerprint_without_a_registry)
{
    struct rf_registry *registry = open_with((struct rf_registry_options){0});
    struct rf_schemas schemas = rf_registry_schemas(registry);
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    ck_assert_msg(rf_registry_add(registry, rf_bytes_of_text("\"string\""), &err), "%s",
                  err.message);

    /* CRC-64-AVRO of "string", from the Avro specification's own test data */
    ck_assert_msg(
        schemas.ops->by_fingerprint(schemas.self, UINT64_C(0x8f014872634503c7), &schema, &err),
        "%s", err.message);
    ck_assert_int_eq(schema->kind, RF_SCHEMA_STRING);
    ck_assert(!schemas.ops->by_fingerprint(schemas.self, 1, &schema, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
    expect_record_error(registry, 7, "no schema registry is configured");
    err = (struct rf_error){0};
    ck_assert(!rf_registry_add(registry, rf_bytes_of_text("{"), &err));
    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
    rf_registry_close(registry);
}
END_TEST

START_TEST(an_address_that_is_none_is_for_the_operator)
{
    static const char *const addresses[] = {"", "localhost:8081", "file:///etc/passwd", "http://",
                                            " , "};
    struct rf_registry_options options = {.urls = addresses[_i]};
    struct rf_error err = {0};

    ck_assert_ptr_null(rf_registry_open(&options, &err));

    ck_assert_int_eq(err.kind, RF_ERROR_CONFIG);
}
END_TEST

START_TEST(pauses_double_up_to_a_limit)
{
    for (unsigned tries = 1; tries < 40; tries++) {
        rf_span_ms pause = rf_http_pause(tries);
        rf_span_ms longest = tries > 6 ? RF_HTTP_PAUSE_MAX : RF_SECOND_MS / 2 << (tries - 1);

        longest = longest > RF_HTTP_PAUSE_MAX ? RF_HTTP_PAUSE_MAX : longest;
        ck_assert_int_ge(pause, longest / 2);
        ck_assert_int_le(pause, longest);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/registry");
    TCase *tcase = tcase_create("registry");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_schema_is_fetched_once_and_the_first_question_does_not_wait);
    tcase_add_test(tcase, a_restart_needs_no_registry_for_what_was_learnt);
    tcase_add_test(tcase, a_damaged_file_on_disk_is_asked_for_again);
    tcase_add_test(tcase, what_one_registry_gave_is_not_taken_for_anothers);
    tcase_add_test(tcase, an_unknown_id_is_the_records_fault_and_is_not_asked_for_each_time);
    tcase_add_loop_test(tcase, a_registry_that_stumbles_is_asked_again, 0, 4);
    tcase_add_test(tcase, a_slow_registry_times_out_and_is_asked_again);
    tcase_add_test(tcase, a_registry_that_is_down_is_waited_for);
    tcase_add_test(tcase, closing_does_not_wait_for_a_registry_that_is_down);
    tcase_add_loop_test(tcase, an_answer_that_is_no_registrys_is_not_the_records_fault, 0, 5);
    tcase_add_loop_test(tcase, a_wrong_address_or_password_sends_nothing_to_the_dead_letters, 0, 3);
    tcase_add_loop_test(tcase, what_is_not_an_avro_schema_is_the_records_fault, 0, 3);
    tcase_add_test(tcase, an_answer_is_read_up_to_a_limit);
    tcase_add_test(tcase, references_are_followed_and_kept_on_disk_with_their_schema);
    tcase_add_test(tcase, a_circle_of_references_ends);
    tcase_add_test(tcase, the_next_address_is_asked_where_one_does_not_answer);
    tcase_add_test(tcase, a_password_is_sent_and_never_shown);
    tcase_add_test(tcase, a_token_is_sent);
    tcase_add_test(tcase, the_newest_schema_of_a_subject);
    tcase_add_test(tcase, a_schema_is_looked_up_and_registered);
    tcase_add_test(tcase, who_registers_at_the_same_time_as_another_finds_the_schema_there);
    tcase_add_loop_test(tcase, a_refusal_is_for_the_operator_in_words, 0, 4);
    tcase_add_test(tcase, a_registry_that_stays_away_is_an_error_to_try_again);
    tcase_add_test(tcase, the_compatibility_that_is_demanded);
    tcase_add_test(tcase, schemas_from_files_are_found_by_fingerprint_without_a_registry);
    tcase_add_loop_test(tcase, an_address_that_is_none_is_for_the_operator, 0, 5);
    tcase_add_test(tcase, pauses_double_up_to_a_limit);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
