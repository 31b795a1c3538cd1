#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "edge/ops/desk.h"
#include "support/fake_inspect.h"

static struct fake_inspect fake;
static struct rf_inspect port;
static struct rf_desk_counts counts;
static struct rf_desk desk = {.version = "9.9",
                              .app = "orders",
                              .instance = "a",
                              .started_at = 1790000000000,
                              .print_customer = fake_print_customer};
static struct rf_desk_view view;
static struct rf_reply reply;

static void setup(void)
{
    fake_inspect_init(&fake);
    port = fake_inspect_port(&fake);
    counts = (struct rf_desk_counts){.refused = 5};
    counts.answers[RF_ROUTE_LAG][2] = 17;
    view = (struct rf_desk_view){.inspect = &port, .phase = "starting", .counts = &counts};
    rf_reply_init(&reply);
}

static void teardown(void)
{
    rf_reply_deinit(&reply);
}

static const char *ask(const char *target)
{
    struct rf_request request;
    struct rf_refusal refusal = {0};

    ck_assert_msg(rf_request_parse("GET", rf_bytes_of_text(target), &request, &refusal), "%s",
                  refusal.reason);
    rf_reply_deinit(&reply);
    rf_reply_init(&reply);
    rf_desk_answer(&desk, &view, &request, &reply);
    rf_buffer_append_byte(&reply.body, 0);
    return (const char *)reply.body.data;
}

static json_t *ask_json(const char *target)
{
    json_error_t error;
    json_t *json = json_loads(ask(target), JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(json != NULL, "%s: %s", error.text, (const char *)reply.body.data);
    return json;
}

static void has(const char *text, const char *line)
{
    ck_assert_msg(strstr(text, line) != NULL, "'%s' is not in\n%s", line, text);
}

static void has_not(const char *text, const char *line)
{
    ck_assert_msg(strstr(text, line) == NULL, "'%s' is in\n%s", line, text);
}

START_TEST(metrics_say_the_lag_of_each_partition_once)
{
    const char *text = ask("/metrics");

    ck_assert_int_eq(reply.status, 200);
    ck_assert_str_eq(reply.type, RF_TYPE_METRICS);
    has(text, "\nringfold_input_lag_records{topic=\"telco.calls\",partition=\"1\"} 100\n");
    has(text, "\nringfold_input_lag_seconds{topic=\"telco.calls\",partition=\"1\"} 12.5\n");
    has(text, "\nringfold_input_lag_seconds{topic=\"telco.calls\",partition=\"0\"} 0\n");
    has(text, "status=\"lagging\"} 1\n");
    const char *first = strstr(text, "ringfold_input_lag_records{");
    int found = 0;
    for (; first != NULL; first = strstr(first + 1, "ringfold_input_lag_records{"))
        found++;
    ck_assert_int_eq(found, 2);
}
END_TEST

START_TEST(what_is_not_known_has_no_sample)
{
    fake.lags[0].lag_ms = -1;
    fake.tasks[1].restore_eta_ms = -1;

    const char *text = ask("/metrics");

    has_not(text, "ringfold_input_lag_seconds{topic=\"telco.calls\",partition=\"0\"}");
    has_not(text, "ringfold_restore_eta_seconds{task=\"1\"}");
    has_not(text, "ringfold_store_last_checkpoint_timestamp_seconds{");
    has(text, "\nringfold_restore_eta_seconds{task=\"2\"} 7.5\n");
}
END_TEST

START_TEST(lag_is_never_negative)
{
    fake.lags[0].lag_records = -3;

    has(ask("/metrics"), "\nringfold_input_lag_records{topic=\"telco.calls\",partition=\"0\"} 0\n");
}
END_TEST

START_TEST(metrics_count_transactions_rules_and_dead_letters)
{
    const char *text = ask("/metrics");

    has(text, "\nringfold_transactions_total{result=\"committed\"} 40\n");
    has(text, "\nringfold_commit_duration_seconds_count 2\n");
    has(text, "\nringfold_commit_duration_seconds_bucket{le=\"+Inf\"} 2\n");
    has(text, "\nringfold_event_time_delay_seconds_sum 3.5\n");
    has(text, "\nringfold_alerts_total{rule=\"service-failure\",status=\"raised\"} 7\n");
    has(text, "\nringfold_alerts_total{rule=\"say \\\"hi\\\"\\\\\",status=\"raised\"} 0\n");
    has(text, "\nringfold_rule_held_total{rule=\"service-failure\",by=\"cooldown\"} 9\n");
    has(text, "\nringfold_rule_held_total{rule=\"service-failure\",by=\"for\"} 4\n");
    has(text, "\nringfold_dead_letters_total{reason=\"late\"} 3\n");
    has(text, "\nringfold_late_events_total{action=\"dead_letter\"} 3\n");
    has(text, "\nringfold_task_state{task=\"2\",state=\"restoring\"} 1\n");
    has(text, "\nringfold_http_requests_total{path=\"/lag\",code=\"2xx\"} 17\n");
    has(text, "\nringfold_ready 0\n");
    has(text, "\nprocess_resident_memory_bytes ");
}
END_TEST

START_TEST(aliases_are_given_where_they_are_wanted)
{
    has_not(ask("/metrics"), "kafka_consumergroup_lag");

    desk.lag_aliases = true;
    const char *text = ask("/metrics");
    desk.lag_aliases = false;

    has(text, "\nkafka_consumergroup_lag{consumergroup=\"orders\",topic=\"telco.calls\","
              "partition=\"1\"} 100\n");
}
END_TEST

START_TEST(the_disk_of_the_stores_is_watched_where_there_is_one)
{
    has_not(ask("/metrics"), "disk_available");

    desk.state_dir = "/nowhere/at/all";
    has_not(ask("/metrics"), "disk_available");
    desk.state_dir = "/";
    has(ask("/metrics"), "\nringfold_state_disk_available_bytes ");
    desk.state_dir = NULL;
}
END_TEST

START_TEST(metrics_and_health_are_answered_without_workers)
{
    view.inspect = NULL;
    view.phase = "waiting for kafka";

    has(ask("/metrics"), "\nringfold_ready 0\n");
    ck_assert_int_eq(reply.status, 200);
    has(ask("/livez"), "{\"live\":true}");
    ck_assert_int_eq(reply.status, 200);
    has(ask("/readyz"), "\"state\":\"starting\",\"reason\":\"waiting for kafka\"");
    ck_assert_int_eq(reply.status, 503);
    has(ask("/lag"), "waiting for kafka");
    ck_assert_int_eq(reply.status, 503);
    has(ask("/customers/C-found"), "waiting for kafka");
    ck_assert_int_eq(reply.status, 503);
}
END_TEST

START_TEST(it_is_not_ready_while_a_task_restores_and_says_how_long)
{
    json_t *json = ask_json("/readyz");

    ck_assert_int_eq(reply.status, 503);
    ck_assert_str_eq(json_string_value(json_object_get(json, "state")), "restoring");
    ck_assert(json_number_value(json_object_get(json, "eta_seconds")) == 7.5);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "restore_remaining_records")), 5000);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "tasks_ready")), 2);
    json_decref(json);

    fake.tasks[2].status = RF_TASK_RUNNING;
    json_decref(ask_json("/readyz"));
    ck_assert_int_eq(reply.status, 200);
}
END_TEST

START_TEST(it_is_ready_without_tasks_once_it_has_joined)
{
    fake.snapshot.task_count = 0;
    ask("/readyz");
    ck_assert_int_eq(reply.status, 200);

    fake.workers[0].rebalances = fake.workers[1].rebalances = 0;
    has(ask("/readyz"), "\"state\":\"joining\"");
    ck_assert_int_eq(reply.status, 503);
}
END_TEST

START_TEST(a_blocked_task_says_why)
{
    fake.tasks[0].status = RF_TASK_BLOCKED;
    fake.tasks[0].blocked = "the disk is full";

    has(ask("/readyz"), "\"state\":\"blocked\",\"reason\":\"the disk is full\"");
    ck_assert_int_eq(reply.status, 503);
}
END_TEST

START_TEST(a_worker_that_does_not_turn_is_not_live_but_one_that_waits_for_kafka_is)
{
    fake.workers[1].since_turn_ms = 31000;
    has(ask("/livez"), "\"live\":false,\"worker\":1");
    ck_assert_int_eq(reply.status, 503);

    fake.workers[1].waits_for_kafka = true;
    ask("/livez");
    ck_assert_int_eq(reply.status, 200);

    fake.workers[0].running = false; /* asked to end, for a reload or for good */
    ask("/livez");
    ck_assert_int_eq(reply.status, 200);

    fake.workers[0].since_turn_ms = 31000; /* ended by an error, and the process is still there */
    has(ask("/livez"), "\"worker\":0,\"reason\":\"it has ended\"");
    ck_assert_int_eq(reply.status, 503);
}
END_TEST

START_TEST(documents_are_json_with_what_is_known)
{
    json_t *lag = ask_json("/lag");
    json_t *partitions = json_object_get(lag, "partitions");
    json_t *second = json_array_get(partitions, 1);

    ck_assert_uint_eq(json_array_size(partitions), 4);
    ck_assert_str_eq(json_string_value(json_object_get(second, "status")), "lagging");
    ck_assert(json_number_value(json_object_get(second, "lag_seconds")) == 12.5);
    ck_assert(json_is_null(json_object_get(lag, "lag_seconds_max"))); /* one is not known */
    json_decref(lag);

    json_t *tasks = ask_json("/tasks");
    ck_assert_uint_eq(json_array_size(json_object_get(tasks, "tasks")), 3);
    ck_assert_uint_eq(json_array_size(json_object_get(tasks, "owners")), 3);
    json_decref(tasks);

    json_t *rules = ask_json("/rules");
    json_t *rule = json_array_get(json_object_get(rules, "rules"), 0);
    ck_assert(json_number_value(json_object_get(rule, "evaluation_seconds")) == 5e-7);
    json_t *held = json_object_get(rule, "held");
    ck_assert_int_eq(json_integer_value(json_object_get(held, "cooldown")), 9);
    ck_assert_int_eq(json_integer_value(json_object_get(held, "guard")), 0);
    json_decref(rules);

    fake_inspect_emit(&fake, 3);
    fake.recents[1].kind = RF_RECENT_DEAD_LETTER;
    json_t *letters = ask_json("/dead-letters");
    ck_assert_uint_eq(json_array_size(json_object_get(letters, "recent")), 1);
    json_decref(letters);
}
END_TEST

START_TEST(the_openapi_document_is_json)
{
    struct rf_request request = {.route = RF_ROUTE_OPENAPI};

    rf_desk_answer(&desk, &view, &request, &reply);

    json_t *json = json_loadb((const char *)reply.page.data, reply.page.size, 0, NULL);
    json_t *paths = json_object_get(json, "paths");
    ck_assert_ptr_nonnull(paths);
    for (int i = 0; i < RF_ROUTE_COUNT; i++) {
        const char *path = rf_route_path((enum rf_route)i);
        ck_assert_msg(json_object_get(paths, path) != NULL, "%s is not in it", path);
    }
    ck_assert_uint_eq(json_object_size(paths), RF_ROUTE_COUNT);
    json_decref(json);
}
END_TEST

START_TEST(a_customer_is_answered_with_how_old_the_answer_is)
{
    json_t *json = ask_json("/customers/" FAKE_STALE);
    json_t *as_of = json_object_get(json, "as_of");

    ck_assert_int_eq(reply.status, 200);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(json, "record"), "events")),
                     12);
    ck_assert(json_is_null(json_object_get(as_of, "age_seconds")));
    ck_assert(json_is_null(json_object_get(as_of, "lag_records")));
    ck_assert_int_eq(json_integer_value(json_object_get(as_of, "changelog_offset")), 4711);
    ck_assert(json_is_true(json_object_get(as_of, "restoring")));
    json_decref(json);
}
END_TEST

START_TEST(a_customer_of_others_is_sent_on_until_all_were_asked)
{
    ask("/customers/" FAKE_ELSEWHERE);
    ck_assert_int_eq(reply.status, 307);
    ck_assert_str_eq(reply.location, "http://127.0.0.1:8089/customers/" FAKE_ELSEWHERE "?asked=a");

    has(ask("/customers/" FAKE_ELSEWHERE "?redirect=no"), "\"location\":\"http://127.0.0.1:8089/");
    ck_assert_int_eq(reply.status, 421);
    ck_assert_ptr_null(reply.location);

    has(ask("/customers/" FAKE_ELSEWHERE "?asked=b"), "instance c may keep it");
    ck_assert_int_eq(reply.status, 503);

    ask("/customers/" FAKE_ELSEWHERE "?asked=b,c");
    ck_assert_int_eq(reply.status, 404);
}
END_TEST

START_TEST(who_restores_says_so_to_those_it_sends_on)
{
    ask("/customers/" FAKE_HALF);
    ck_assert_int_eq(reply.status, 307);
    ck_assert_str_eq(reply.location,
                     "http://127.0.0.1:8089/customers/" FAKE_HALF "?asked=a&restoring=a");

    ask("/customers/" FAKE_HALF "?asked=c&restoring=c&redirect=no");
    ck_assert_int_eq(reply.status, 421);
    has((const char *)reply.body.data, "?asked=c,a&restoring=c,a&redirect=no\"");

    ask("/customers/" FAKE_ELSEWHERE "?asked=c&restoring=c"); /* not lost where nothing restores */
    ck_assert_int_eq(reply.status, 307);
    ck_assert_str_eq(reply.location,
                     "http://127.0.0.1:8089/customers/" FAKE_ELSEWHERE "?asked=c,a&restoring=c");
}
END_TEST

static const struct {
    const char *target;
    int status;
    const char *text;
} answers[] = {
    {"/customers/nobody", 404, "nothing is known"},
    {"/customers/" FAKE_RESTORING, 503, "takes 7.5 s more"},
    {"/customers/" FAKE_ORPHAN, 503, "2 partitions are nobody's"},
    {"/customers/" FAKE_HALF "?asked=b", 503, "takes 7.5 s more"},
    {"/customers/" FAKE_ELSEWHERE "?asked=b,c&restoring=b,c", 503, "a store of b,c that is being"},
    {"/customers/nobody?asked=b&restoring=b", 404, "nothing is known"}, /* all are ours by now */
    {"/customers/" FAKE_BUSY, 503, "no worker answered in 2 s"},
};

START_TEST(a_customer_that_cannot_be_told_has_a_reason)
{
    json_t *json = ask_json(answers[_i].target);

    ck_assert_int_eq(reply.status, answers[_i].status);
    ck_assert_str_eq(reply.type, RF_TYPE_PROBLEM);
    has(json_string_value(json_object_get(json, "detail")), answers[_i].text);
    ck_assert_int_eq(reply.retry_after > 0, answers[_i].status == 503);
    json_decref(json);
}
END_TEST

START_TEST(a_tick_is_json_with_the_worst_partitions)
{
    static struct rf_lag many[200];
    struct rf_buffer out;

    for (int i = 0; i < 200; i++) {
        many[i] = fake.lags[0];
        many[i].partition = i;
        many[i].lag_ms = i % 100;
        many[i].lag_records = 1;
    }
    fake.snapshot.lags = many;
    fake.snapshot.lag_count = 200;
    rf_buffer_init(&out, 1U << 20);
    rf_desk_tick(&view, &fake.snapshot, &out);

    json_t *json = json_loadb((const char *)out.data, out.size, 0, NULL);
    json_t *lags = json_object_get(json, "lags");
    ck_assert_uint_eq(json_array_size(lags), 64);
    for (size_t i = 0; i < 64; i++)
        ck_assert_double_ge(json_number_value(json_object_get(json_array_get(lags, i), "seconds")),
                            0.068);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "lag_records")), 200);
    json_decref(json);
    rf_buffer_deinit(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/ops/desk");
    TCase *tests = tcase_create("desk");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, metrics_say_the_lag_of_each_partition_once);
    tcase_add_test(tests, what_is_not_known_has_no_sample);
    tcase_add_test(tests, lag_is_never_negative);
    tcase_add_test(tests, metrics_count_transactions_rules_and_dead_letters);
    tcase_add_test(tests, aliases_are_given_where_they_are_wanted);
    tcase_add_test(tests, the_disk_of_the_stores_is_watched_where_there_is_one);
    tcase_add_test(tests, metrics_and_health_are_answered_without_workers);
    tcase_add_test(tests, it_is_not_ready_while_a_task_restores_and_says_how_long);
    tcase_add_test(tests, it_is_ready_without_tasks_once_it_has_joined);
    tcase_add_test(tests, a_blocked_task_says_why);
    tcase_add_test(tests, a_worker_that_does_not_turn_is_not_live_but_one_that_waits_for_kafka_is);
    tcase_add_test(tests, documents_are_json_with_what_is_known);
    tcase_add_test(tests, the_openapi_document_is_json);
    tcase_add_test(tests, a_customer_is_answered_with_how_old_the_answer_is);
    tcase_add_test(tests, a_customer_of_others_is_sent_on_until_all_were_asked);
    tcase_add_test(tests, who_restores_says_so_to_those_it_sends_on);
    tcase_add_loop_test(tests, a_customer_that_cannot_be_told_has_a_reason, 0,
                        (int)(sizeof answers / sizeof answers[0]));
    tcase_add_test(tests, a_tick_is_json_with_the_worst_partitions);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
