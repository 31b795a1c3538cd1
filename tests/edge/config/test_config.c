/* edge/config: what a configuration that is fine becomes. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/schema.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/config.h"

static struct rf_arena arena;
static struct rf_diagnostics diagnostics;
static const char *registry_schema; /* what the registry has; NULL: nothing */

static const char *find_variable(void *self, const char *name)
{
    (void)self;
    return strcmp(name, "PASSWORD") == 0 ? "from-env" : NULL;
}

static bool schema_of(void *self, const struct rf_registry_settings *registry, const char *topic,
                      struct rf_arena *into, struct rf_bytes *text, struct rf_error *err)
{
    (void)self;
    ck_assert_str_eq(registry->url, "http://localhost:8081");
    if (registry_schema == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "subject %s-value is not registered", topic);
    *text = rf_arena_copy(into, rf_bytes_of_text(registry_schema));
    return true;
}

static const struct rf_config *load(const char *text)
{
    const struct rf_config_environment environment = {
        .variable = find_variable, .schema_of = schema_of, .hostname = "host 1"};
    struct rf_config *config = NULL;

    rf_diagnostics_init(&diagnostics, &arena);
    (void)rf_config_load_text(RF_SOURCE_DIR "/test.yaml", rf_bytes_of_text(text), &environment,
                              &arena, &config, &diagnostics);
    return config;
}

static const struct rf_config *load_fine(const char *text)
{
    const struct rf_config *config = load(text);

    ck_assert_msg(config != NULL, "%zu:%zu %s", diagnostics.items[0].line,
                  diagnostics.items[0].column, diagnostics.items[0].message);
    return config;
}

/* Two sources of one kind with different schemas, and one of another. */
#define HEAD                                                                                       \
    "app: test\n"                                                                                  \
    "kafka: { bootstrap.servers: localhost }\n"                                                    \
    "sources:\n"                                                                                   \
    "  calls: { topic: calls, format: json, kind: call, schema: schemas/call.avsc }\n"             \
    "  bills: { topic: bills, format: json, kind: purchase, schema: schemas/purchase.avsc }\n"
#define TAIL "outputs:\n  alert: { topic: alerts }\n"

static const struct rf_plan *plan_of(const char *features, const char *rules)
{
    const char *text =
        rf_arena_printf(&arena, HEAD "features:\n%srules:\n%s" TAIL, features, rules);

    return load_fine(text)->plan;
}

static const struct rf_feature *feature_of(const char *definition)
{
    const struct rf_plan *plan = plan_of(rf_arena_printf(&arena, "  f: %s\n", definition), "");

    ck_assert_uint_eq(plan->feature_count, 1);
    return &plan->features[0];
}

static bool has(struct rf_feature_set set, size_t i)
{
    return (set.bits[i / 64] >> (i % 64) & 1U) != 0;
}

static void set_up(void)
{
    rf_arena_init(&arena, 65536);
    registry_schema = NULL;
}

static void tear_down(void)
{
    rf_arena_deinit(&arena);
}

/* ---- settings ------------------------------------------------------------------------------------- */

START_TEST(what_is_not_written_has_its_default)
{
    const struct rf_config *config = load_fine(HEAD);

    ck_assert_str_eq(config->plan->app, "test");
    ck_assert_str_eq(config->instance, "host-1");
    ck_assert_int_eq(config->workers, 1);
    ck_assert_int_eq(config->delivery, RF_EXACTLY_ONCE);
    ck_assert_int_eq(config->start, RF_START_EARLIEST);
    ck_assert_int_eq(config->commit_interval, 100);
    ck_assert_int_eq(config->plan->max_ahead, RF_DAY_MS);
    ck_assert_uint_eq(config->state_memory, 256U << 20);
    ck_assert_str_eq(config->topics.changelog, "test-changelog");
    ck_assert_str_eq(config->topics.tasks, "test-tasks");
    ck_assert_str_eq(config->topics.dead_letters, "test-dlq");
    ck_assert_str_eq(config->http.listen, "127.0.0.1:8088");
    ck_assert_ptr_null(config->registry.url);
    ck_assert_uint_eq(diagnostics.count, 0);
}
END_TEST

START_TEST(what_is_written_wins_and_a_dot_is_a_mapping)
{
    const struct rf_config *config = load_fine(
        HEAD "commit.interval: 20ms\ncommit: { max_events: 7 }\nstate: { memory: 1GiB }\n"
             "delivery: at_least_once\nstart: latest\nlate: drop\nlateness: 1h\n"
             "http.listen: off\nlog: { level: debug, format: json }\ninstance: a-1\n"
             "topics: { changelog: mine, replication: 3, min_insync: 2 }\nworkers: '4'\n");

    ck_assert_int_eq(config->commit_interval, 20);
    ck_assert_int_eq(config->commit_events_max, 7);
    ck_assert_uint_eq(config->state_memory, 1U << 30);
    ck_assert_int_eq(config->delivery, RF_AT_LEAST_ONCE);
    ck_assert_int_eq(config->start, RF_START_LATEST);
    ck_assert_int_eq(config->plan->late, RF_LATE_DROP);
    ck_assert_int_eq(config->plan->lateness, RF_HOUR_MS);
    ck_assert_ptr_null(config->http.listen);
    ck_assert_int_eq(config->log_level, RF_LOG_DEBUG);
    ck_assert_int_eq(config->log_format, RF_LOG_JSON);
    ck_assert_str_eq(config->instance, "a-1");
    ck_assert_str_eq(config->topics.changelog, "mine");
    ck_assert_int_eq(config->topics.replication, 3);
    ck_assert_int_eq(config->workers, 4);
}
END_TEST

START_TEST(secrets_come_from_files_and_variables_and_are_marked)
{
    char path[] = "/tmp/test_config_XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, "from-file\n", 10), 10);
    close(file);

    const struct rf_config *config = load_fine(rf_arena_printf(
        &arena,
        "app: test\nsources: { calls: { topic: c, format: json, schema: schemas/call.avsc } }\n"
        "kafka:\n  bootstrap.servers: localhost\n  sasl.password: { file: %s }\n"
        "  ssl.key.password: { env: PASSWORD }\n  ssl.keystore.password: ${PASSWORD}\n",
        path));
    remove(path);

    ck_assert_uint_eq(config->property_count, 4);
    ck_assert(!config->properties[0].secret);
    for (size_t i = 1; i < 4; i++)
        ck_assert(config->properties[i].secret);
    ck_assert_str_eq(config->properties[1].value, "from-file");
    ck_assert_str_eq(config->properties[2].value, "from-env");
    ck_assert_str_eq(config->properties[3].value, "from-env");
    ck_assert_uint_eq(diagnostics.count, 0);
}
END_TEST

/* What is allowed but dangerous; a part of the warning. */
static const struct {
    const char *text;
    const char *warning; /* NULL: none */
} warnings[] = {
    {"kafka: { bootstrap.servers: 'localhost:9092,127.0.0.1:9093,[::1]:9094' }\n", NULL},
    {"kafka: { bootstrap.servers: 'kafka.example:9092' }\n", "goes to Kafka in clear text"},
    {"kafka: { bootstrap.servers: 'localhost.example:9092' }\n", "goes to Kafka in clear text"},
    {"kafka: { bootstrap.servers: 'localhost:1,PLAINTEXT://b:2' }\n", "in clear text"},
    {"kafka: { bootstrap.servers: 'b:9092', security.protocol: sasl_plaintext }\n",
     "in clear text"},
    {"kafka: { bootstrap.servers: 'b:9092', security.protocol: SSL }\n", NULL},
    {"kafka: { bootstrap.servers: localhost, sasl.password: hunter2 }\n",
     "a secret stands in the configuration"},
    {"kafka: { bootstrap.servers: localhost, enable.ssl.certificate.verification: false }\n",
     "certificates are not verified"},
    {"kafka: { bootstrap.servers: localhost }\n"
     "http: { listen: '0.0.0.0:8088', token_file: tests/edge/config/test_config.c }\n",
     "go over the network in clear text"},
    {"kafka: { bootstrap.servers: localhost }\n"
     "schema_registry: { url: 'http://r:8081', user: me, password: '${PASSWORD}' }\n",
     "the registry's password goes over the network"},
    {"kafka: { bootstrap.servers: localhost }\nschema_registry: { url: 'http://r:8081/apis' }\n",
     "schemas come over the network in clear text"},
    {"kafka: { bootstrap.servers: localhost }\n"
     "schema_registry: { url: 'http://localhost:8081/apis,http://localhost.example/apis' }\n",
     "schemas come over the network in clear text"},
    {"kafka: { bootstrap.servers: localhost }\n"
     "schema_registry: { url: 'http://localhost:8081/apis,http://127.0.0.1/apis,https://r:1/apis' }\n",
     NULL},
    {"kafka: { bootstrap.servers: localhost }\n"
     "rules: { r: { when: '1 > 2', emit: o } }\noutputs: { o: { topic: o } }\n",
     "rule 'r' can never fire"},
    {"kafka: { bootstrap.servers: localhost }\n"
     "rules: { r: { when: 'customer.id == \"1\"', emit: o } }\noutputs: { o: { topic: o } }\n",
     "rule 'r' reads no feature"},
    {"kafka: { bootstrap.servers: localhost }\n"
     "rules: { r: { when: 'customer.events == 3', emit: o } }\noutputs: { o: { topic: o } }\n",
     NULL},
    {"kafka: { bootstrap.servers: localhost }\n"
     "rules: { r: { when: 'now - customer.first_seen > duration(\"1h\")', emit: o } }\n"
     "outputs: { o: { topic: o } }\n",
     NULL},
};

START_TEST(what_is_dangerous_is_a_warning)
{
    const char *text = rf_arena_printf(
        &arena,
        "app: test\nsources: { c: { topic: c, format: json, schema: schemas/call.avsc } }\n%s",
        warnings[_i].text);

    load_fine(text);

    ck_assert_uint_eq(diagnostics.error_count, 0);
    ck_assert_uint_eq(diagnostics.count, warnings[_i].warning == NULL ? 0 : 1);
    if (warnings[_i].warning != NULL)
        ck_assert_msg(strstr(diagnostics.items[0].message, warnings[_i].warning) != NULL, "%s",
                      diagnostics.items[0].message);
}
END_TEST

START_TEST(two_sources_may_share_a_topic_where_each_takes_its_part)
{
    static const char shared[] =
        "app: test\nkafka: { bootstrap.servers: localhost }\nsources:\n"
        "  a: { topic: t, format: json, schema: schemas/call.avsc, where: event.duration_s > 0.0 }\n"
        "  b: { topic: t, format: json, schema: schemas/call.avsc, where: event.duration_s == 0.0 }\n";

    load_fine(shared);
    ck_assert_uint_eq(diagnostics.count, 0);

    load_fine("app: test\nkafka: { bootstrap.servers: localhost }\nsources:\n"
              "  a: { topic: t, format: json, schema: schemas/call.avsc }\n"
              "  b: { topic: t, format: json, schema: schemas/call.avsc }\n");
    ck_assert_uint_eq(diagnostics.count, 1);
    ck_assert_ptr_nonnull(strstr(diagnostics.items[0].message, "take the same events"));
}
END_TEST

/* ---- sources -------------------------------------------------------------------------------------- */

START_TEST(an_event_has_its_fields_and_time_kind_and_source)
{
    const struct rf_plan *plan = load_fine(HEAD)->plan;
    const struct rf_source *calls = &plan->sources[0];

    ck_assert_str_eq(calls->kind, "call");
    ck_assert_int_eq(calls->format, RF_FORMAT_JSON);
    ck_assert_uint_eq(calls->event_type->field_count, calls->schema->count + 3);
    ck_assert_str_eq(calls->event_type->fields[calls->time_field].name, "time");
    ck_assert_str_eq(calls->event_type->fields[calls->kind_field].name, "kind");
    ck_assert_str_eq(calls->event_type->fields[calls->source_field].name, "source");
}
END_TEST

START_TEST(a_schema_may_have_a_field_of_its_own_called_time)
{
    registry_schema =
        "{\"type\":\"record\",\"name\":\"E\",\"fields\":["
        "{\"name\":\"time\",\"type\":\"long\"},{\"name\":\"kind\",\"type\":\"string\"}]}";

    const struct rf_plan *plan =
        load_fine("app: test\nkafka: { bootstrap.servers: localhost }\n"
                  "schema_registry: { url: 'http://localhost:8081' }\n"
                  "sources: { e: { topic: e, format: avro, where: 'event.time > 5' } }\n")
            ->plan;

    ck_assert_int_eq(plan->sources[0].time_field, -1);
    ck_assert_int_eq(plan->sources[0].kind_field, -1);
    ck_assert_int_eq(plan->sources[0].source_field, 2);
    ck_assert_str_eq(plan->sources[0].kind, "e");
}
END_TEST

START_TEST(a_registry_without_the_schema_is_an_error_at_the_source)
{
    ck_assert_ptr_null(load("app: test\nkafka: { bootstrap.servers: localhost }\n"
                            "schema_registry: { url: 'http://localhost:8081' }\n"
                            "sources: { e: { topic: e, format: avro } }\n"));

    ck_assert_uint_eq(diagnostics.error_count, 1);
    ck_assert_uint_eq(diagnostics.items[0].line, 4);
    ck_assert_str_eq(diagnostics.items[0].message,
                     "the schema of source 'e': subject e-value is not registered");
}
END_TEST

START_TEST(fields_that_some_expression_reads_are_in_use_and_no_others)
{
    const struct rf_plan *plan =
        plan_of("  d: { count: call, where: 'event.termination == \"DROPPED\"' }\n"
                "  m: { sum: event.duration_s, on: call }\n"
                "  t: { last: event.time, on: call }\n",
                "");
    const struct rf_source *calls = &plan->sources[0];

    for (size_t i = 0; i < calls->schema->count; i++) {
        const char *name = calls->schema->fields[i].name;
        bool used = strcmp(name, "termination") == 0 || strcmp(name, "duration_s") == 0;
        ck_assert_msg(calls->fields_used[i] == used, "%s", name);
    }
}
END_TEST

/* ---- features ------------------------------------------------------------------------------------- */

static const struct {
    const char *definition;
    enum rf_feature_kind kind;
    enum rf_state_shape shape;
    enum rf_type_kind type;
    bool nullable, reads_now;
    rf_span_ms bucket;
} features[] = {
    {"{ count: call }", RF_FEATURE_COUNT, RF_STATE_VALUE, RF_TYPE_INT, false, false, 0},
    {"{ count: call, window: 7d }", RF_FEATURE_COUNT, RF_STATE_BUCKETS, RF_TYPE_INT, false, true,
     RF_HOUR_MS},
    {"{ count: call, window: 1h }", RF_FEATURE_COUNT, RF_STATE_BUCKETS, RF_TYPE_INT, false, true,
     RF_SECOND_MS},
    {"{ count: call, window: 90s }", RF_FEATURE_COUNT, RF_STATE_BUCKETS, RF_TYPE_INT, false, true,
     RF_SECOND_MS},
    {"{ count: call, window: 28d }", RF_FEATURE_COUNT, RF_STATE_BUCKETS, RF_TYPE_INT, false, true,
     RF_HOUR_MS},
    {"{ count: call, window: 90d }", RF_FEATURE_COUNT, RF_STATE_BUCKETS, RF_TYPE_INT, false, true,
     6 * RF_HOUR_MS},
    {"{ count: call, window: 365d }", RF_FEATURE_COUNT, RF_STATE_BUCKETS, RF_TYPE_INT, false, true,
     RF_DAY_MS},
    {"{ count: call, window: 7d, bucket: 1d }", RF_FEATURE_COUNT, RF_STATE_BUCKETS, RF_TYPE_INT,
     false, true, RF_DAY_MS},
    {"{ sum: event.duration_s, on: call }", RF_FEATURE_SUM, RF_STATE_VALUE, RF_TYPE_DOUBLE, false,
     false, 0},
    {"{ sum: 'int(event.duration_s)', on: call, window: 7d }", RF_FEATURE_SUM, RF_STATE_BUCKETS,
     RF_TYPE_INT, false, true, RF_HOUR_MS},
    {"{ min: event.time, on: call }", RF_FEATURE_MIN, RF_STATE_VALUE, RF_TYPE_TIMESTAMP, true,
     false, 0},
    {"{ max: event.duration_s, on: call, window: 7d }", RF_FEATURE_MAX, RF_STATE_BUCKETS,
     RF_TYPE_DOUBLE, true, true, RF_HOUR_MS},
    {"{ first: event.cell_id, on: call }", RF_FEATURE_FIRST, RF_STATE_VALUE, RF_TYPE_STRING, true,
     false, 0},
    {"{ last: event.direction, on: call, window: 7d }", RF_FEATURE_LAST, RF_STATE_VALUE,
     RF_TYPE_STRING, true, true, 0},
    {"{ count_distinct: event.cell_id, on: call }", RF_FEATURE_COUNT_DISTINCT, RF_STATE_DISTINCT,
     RF_TYPE_INT, false, false, 0},
    {"{ count_distinct: event.cell_id, on: call, window: 30d }", RF_FEATURE_COUNT_DISTINCT,
     RF_STATE_DISTINCT, RF_TYPE_INT, false, true, 0},
    {"{ decay: call, half_life: 7d }", RF_FEATURE_DECAY, RF_STATE_VALUE, RF_TYPE_DOUBLE, false,
     true, 0},
    {"{ decay: event.amount, on: purchase, half_life: 7d }", RF_FEATURE_DECAY, RF_STATE_VALUE,
     RF_TYPE_DOUBLE, false, true, 0},
    {"{ mean: event.duration_s, on: call }", RF_FEATURE_MEAN, RF_STATE_TALLY, RF_TYPE_DOUBLE, true,
     false, 0},
    {"{ mean: event.duration_s, on: call, window: 28d, offset: 28d }", RF_FEATURE_MEAN,
     RF_STATE_TALLY, RF_TYPE_DOUBLE, true, true, RF_HOUR_MS},
    {"{ mean: event.duration_s, on: call, half_life: 7d }", RF_FEATURE_MEAN, RF_STATE_TALLY,
     RF_TYPE_DOUBLE, true, false, 0},
    {"{ quantile: event.duration_s, on: call, q: 0.95 }", RF_FEATURE_QUANTILE, RF_STATE_TALLY,
     RF_TYPE_DOUBLE, true, false, 0},
    {"{ top: event.direction, on: call, half_life: 7d }", RF_FEATURE_TOP, RF_STATE_TALLY,
     RF_TYPE_STRING, true, false, 0},
    {"{ top: event.time.getHours(), on: call, window: 7d }", RF_FEATURE_TOP, RF_STATE_TALLY,
     RF_TYPE_INT, true, true, RF_HOUR_MS},
    {"{ entropy: event.cell_id, on: call, window: 90d }", RF_FEATURE_ENTROPY, RF_STATE_TALLY,
     RF_TYPE_DOUBLE, false, true, 6 * RF_HOUR_MS},
    {"{ count_by: event.charge > 1.0, on: call }", RF_FEATURE_COUNT_BY, RF_STATE_TALLY, RF_TYPE_MAP,
     false, false, 0},
    {"{ trend: call, window: 28d }", RF_FEATURE_TREND, RF_STATE_BUCKETS, RF_TYPE_DOUBLE, true, true,
     RF_HOUR_MS},
    {"{ trend: event.amount, on: purchase, window: 90d, bucket: 1d }", RF_FEATURE_TREND,
     RF_STATE_BUCKETS, RF_TYPE_DOUBLE, true, true, RF_DAY_MS},
    {"{ interval: call }", RF_FEATURE_INTERVAL, RF_STATE_INTERVAL, RF_TYPE_DURATION, true, false,
     0},
    {"{ interval: call, stat: stddev, where: event.charge > 1.0 }", RF_FEATURE_INTERVAL,
     RF_STATE_INTERVAL, RF_TYPE_DURATION, true, false, 0},
    {"{ open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }",
     RF_FEATURE_CASES, RF_STATE_CASES, RF_TYPE_LIST, false, false, 0},
    {"{ expr: 'now' }", RF_FEATURE_EXPR, RF_STATE_NONE, RF_TYPE_TIMESTAMP, false, true, 0},
    {"{ expr: '2 + 3' }", RF_FEATURE_EXPR, RF_STATE_NONE, RF_TYPE_INT, false, false, 0},
};

START_TEST(a_feature_becomes_what_it_says)
{
    const struct rf_feature *feature = feature_of(features[_i].definition);

    ck_assert_int_eq(feature->kind, features[_i].kind);
    ck_assert_int_eq(feature->shape, features[_i].shape);
    ck_assert_int_eq(feature->type->kind, features[_i].type);
    ck_assert_int_eq(feature->type->nullable, features[_i].nullable);
    ck_assert_int_eq(feature->reads_now, features[_i].reads_now);
    ck_assert_int_eq(feature->bucket, features[_i].bucket);
    if (feature->kind == RF_FEATURE_EXPR) {
        ck_assert_ptr_null(feature->state_name);
        ck_assert_ptr_null(feature->state_type);
    } else {
        ck_assert_uint_eq(strlen(feature->state_name), strlen("f_01234567"));
        ck_assert_int_eq(feature->state_type == NULL, feature->shape == RF_STATE_DISTINCT ||
                                                          feature->shape == RF_STATE_INTERVAL ||
                                                          feature->shape == RF_STATE_CASES);
        ck_assert_int_eq(feature->key_type == NULL, feature->shape != RF_STATE_TALLY);
        ck_assert(feature->state_type == NULL || !feature->state_type->nullable);
    }
}
END_TEST

#define CASES                                                                                      \
    "  c: { open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }\n"

START_TEST(what_cases_come_to_is_read_off_their_feature)
{
    const struct rf_plan *plan =
        plan_of("  n: { count: call }\n" CASES "  d: { cases: c, stat: resolution_mean }\n"
                "  o: { cases: c, stat: oldest }\n  r: { cases: c, stat: reopened }\n"
                "  e: { expr: 'd == null ? 0 : d.getMinutes() + r' }\n",
                "  r: { when: 'c.size() > 0 && e > 3 && c[0].opened_at < now', emit: alert }\n");
    const struct rf_feature *cases = &plan->features[1], *stat = &plan->features[2];

    ck_assert_ptr_nonnull(cases->inputs[0].open);
    ck_assert_ptr_nonnull(cases->inputs[0].close);
    ck_assert_int_eq(stat->kind, RF_FEATURE_CASES_OF);
    ck_assert_int_eq(stat->stat, RF_STAT_RESOLUTION_MEAN);
    ck_assert_uint_eq(stat->of, 1);
    ck_assert_int_eq(stat->type->kind, RF_TYPE_DURATION);
    ck_assert_int_eq(plan->features[3].type->kind, RF_TYPE_TIMESTAMP);
    ck_assert_int_eq(plan->features[4].type->kind, RF_TYPE_INT);
    ck_assert_ptr_null(stat->state_name);
    ck_assert(has(plan->rules[0].reads, 1));
}
END_TEST

/* Offers shown, accepted, declined; complaints that are open: as the design has them. */
START_TEST(what_an_operator_writes_of_complaints_and_offers_is_fine)
{
    load_fine(
        "app: test\nkafka: { bootstrap.servers: localhost }\nsources:\n"
        "  complaints: { topic: c, format: json, kind: complaint, time: event.opened_at, schema: schemas/complaint.avsc }\n"
        "  replies: { topic: r, format: json, kind: reply, schema: schemas/offer_reply.avsc }\n"
        "features:\n"
        "  open_complaints: { open: 'event.status == \"OPENED\"', close: 'event.status == \"RESOLVED\"', by: event.case_id, on: complaint }\n"
        "  replies: { count_by: 'event.offer_id + \":\" + event.answer', on: reply, window: 90d }\n"
        "  usual_channel: { top: 'event.?channel.orValue(\"none\")', on: complaint }\n"
        "  contact_gap: { interval: complaint, stat: last }\n"
        "rules:\n"
        "  r:\n"
        "    when: open_complaints.size() > 0 && replies[?\"bonus-minutes:ACCEPTED\"].orValue(0) == 0\n"
        "    emit: alert\n"
        "    because: 'usual_channel == null ? \"\" : usual_channel'\n" TAIL);

    ck_assert_uint_eq(diagnostics.count, 0);
}
END_TEST

START_TEST(another_quantile_of_the_same_values_is_read_off_the_same_state)
{
    const struct rf_feature *p95 = feature_of("{ quantile: event.charge, on: call, q: 0.95 }");
    const struct rf_feature *p50 = feature_of("{ quantile: event.charge, on: call, q: 0.5 }");
    const struct rf_feature *other = feature_of("{ quantile: event.duration_s, on: call, q: 0.5 }");

    ck_assert_str_eq(p95->state_name, p50->state_name);
    ck_assert_str_ne(p95->state_name, other->state_name);
    ck_assert_double_eq(p95->q, 0.95);
}
END_TEST

START_TEST(a_count_by_is_asked_for_keys_that_may_be_missing)
{
    plan_of("  c: { count_by: event.termination, on: call }\n"
            "  a: { expr: 'c[?\"DROPPED\"].orValue(0)' }\n"
            "  b: { expr: c.?DROPPED.orValue(0) }\n"
            "  d: { expr: '\"DROPPED\" in c || has(c.BUSY) || c.exists(k, v, v > 3)' }\n",
            "");

    ck_assert_uint_eq(diagnostics.count, 0);
}
END_TEST

START_TEST(a_feature_takes_every_source_of_its_kind)
{
    const struct rf_plan *plan =
        load_fine(
            "app: test\nkafka: { bootstrap.servers: localhost }\nsources:\n"
            "  old: { topic: o, format: json, kind: call, schema: schemas/call.avsc }\n"
            "  bills: { topic: b, format: json, kind: bill, schema: schemas/purchase.avsc }\n"
            "  new: { topic: n, format: json, kind: call, schema: schemas/call.avsc }\n"
            "  gone: { topic: g, format: json, kind: erase, schema: schemas/erasure.avsc }\n"
            "features:\n  m: { sum: event.duration_s, on: call, where: event.charge > 0.0 }\n")
            ->plan;
    const struct rf_feature *feature = &plan->features[0];

    ck_assert_int_eq(plan->sources[3].role, RF_ROLE_ERASE);
    ck_assert_uint_eq(feature->input_count, 2);
    ck_assert_uint_eq(feature->inputs[0].source, 0);
    ck_assert_uint_eq(feature->inputs[1].source, 2);
    ck_assert_ptr_nonnull(feature->inputs[1].where);
    ck_assert_ptr_nonnull(feature->inputs[1].value);
}
END_TEST

START_TEST(where_there_is_one_kind_on_may_be_left_out)
{
    const struct rf_plan *plan =
        load_fine("app: test\nkafka: { bootstrap.servers: localhost }\n"
                  "sources: { c: { topic: c, format: json, schema: schemas/call.avsc } }\n"
                  "features: { m: { sum: event.duration_s } }\n")
            ->plan;

    ck_assert_uint_eq(plan->features[0].input_count, 1);
}
END_TEST

START_TEST(an_expression_reads_through_expressions_but_not_through_folds)
{
    const struct rf_plan *plan = plan_of("  a: { count: call }\n"
                                         "  b: { count: call, where: a > 1 }\n"
                                         "  c: { expr: a + b }\n"
                                         "  d: { expr: c * 2 }\n"
                                         "  e: { count: call, window: 7d }\n"
                                         "  g: { expr: e + c }\n",
                                         "  r: { when: d > 1 && b > 0 && d < 9, emit: alert }\n");

    ck_assert(has(plan->features[1].reads, 0));
    ck_assert(has(plan->features[3].reads, 0));
    ck_assert(has(plan->features[3].reads, 1));
    ck_assert(has(plan->features[3].reads, 2));
    ck_assert(!plan->features[3].reads_now);
    ck_assert(plan->features[5].reads_now);
    const struct rf_rule *rule = &plan->rules[0];
    ck_assert(has(rule->reads, 0));
    ck_assert(has(rule->reads, 3));
    ck_assert(!has(rule->reads, 4));
    ck_assert_uint_eq(rule->reason_count, 2);
    ck_assert_uint_eq(rule->reason_features[0], 3);
    ck_assert_uint_eq(rule->reason_features[1], 1);
}
END_TEST

START_TEST(what_a_condition_names_of_the_customer_is_a_reason)
{
    const struct rf_plan *plan =
        plan_of("  a: { count: call }\n",
                "  r: { when: customer.events > a, clear_when: customer.id != '', emit: alert }\n"
                "  s: { when: a > 1, emit: alert, because: string(customer.events) }\n");

    ck_assert_uint_eq(plan->rules[0].reason_count, 1);
    ck_assert_uint_eq(plan->rules[0].reason_customer,
                      1U << RF_CUSTOMER_EVENTS | 1U << RF_CUSTOMER_ID);
    ck_assert_uint_eq(plan->rules[1].reason_customer, 0);
}
END_TEST

START_TEST(a_rule_that_reads_a_fold_is_not_asked_for_what_that_fold_looked_at)
{
    const struct rf_plan *plan = plan_of("  a: { count: call }\n"
                                         "  b: { count: call, where: a > 1 }\n",
                                         "  r: { when: b > 0, emit: alert }\n");

    ck_assert(has(plan->rules[0].reads, 1));
    ck_assert(!has(plan->rules[0].reads, 0));
}
END_TEST

/* ---- versions ------------------------------------------------------------------------------------- */

#define FEATURE "  n: { count: call, window: 7d }\n"

START_TEST(a_version_is_of_what_is_meant_not_of_how_it_is_written)
{
    const struct rf_plan *plan =
        plan_of(FEATURE, "  r: { when: n > 3 && n < 9, emit: alert, cooldown: 7d }\n");
    const struct rf_plan *same = plan_of("  n: { window: 168h, count: 'call' }\n",
                                         "  r:\n    cooldown: 1w\n    emit: alert\n    when: |\n"
                                         "      n > 3 // some\n        && n < 9\n");
    const struct rf_plan *renamed =
        plan_of(FEATURE, "  q: { when: n > 3 && n < 9, emit: alert, cooldown: 7d }\n");

    ck_assert_str_eq(plan->rules[0].version, same->rules[0].version);
    ck_assert_str_eq(plan->features[0].state_name, same->features[0].state_name);
    ck_assert_str_eq(plan->version, same->version);
    ck_assert_str_eq(plan->rules[0].version, renamed->rules[0].version);
    ck_assert_str_ne(plan->version, renamed->version);
    ck_assert_uint_eq(strlen(plan->version), 16);
}
END_TEST

static const struct {
    const char *features, *rules;
} changes[] = {
    {FEATURE, "  r: { when: n > 4, emit: alert }\n"},
    {FEATURE, "  r: { when: n > 3, emit: alert, severity: high }\n"},
    {FEATURE, "  r: { when: n > 3, emit: alert, cooldown: 1d }\n"},
    {FEATURE, "  r: { when: n > 3, emit: alert, because: '\"x\"' }\n"},
    {FEATURE, "  r: { when: n > 3, emit: alert, offer: { id: a, channel: b } }\n"},
    {"  n: { count: call, window: 8d }\n", "  r: { when: n > 3, emit: alert }\n"},
    {"  n: { count: call, window: 7d, bucket: 1d }\n", "  r: { when: n > 3, emit: alert }\n"},
    {"  n: { count: purchase, window: 7d }\n", "  r: { when: n > 3, emit: alert }\n"},
    {"  n: { count: call, where: event.charge > 1.0, window: 7d }\n",
     "  r: { when: n > 3, emit: alert }\n"},
};

/* Two definitions of one name: the second starts empty. */
static const char *const redefinitions[][2] = {
    {"{ mean: event.charge, on: call }", "{ mean: event.duration_s, on: call }"},
    {"{ mean: event.charge, on: call }", "{ mean: event.charge, on: call, half_life: 7d }"},
    {"{ mean: event.charge, on: call }", "{ sum: event.charge, on: call }"},
    {"{ top: event.direction, on: call }", "{ entropy: event.direction, on: call }"},
    {"{ top: event.direction, on: call, window: 7d }",
     "{ top: event.direction, on: call, window: 8d }"},
    {"{ top: event.direction, on: call }", "{ top: event.direction, on: call, values: 65 }"},
    {"{ count_by: event.direction, on: call, values: 63 }",
     "{ count_by: event.direction, on: call, values: 1024 }"},
    {"{ trend: call, window: 7d }", "{ trend: call, window: 14d }"},
    {"{ interval: call, stat: min }", "{ interval: call, stat: mean }"},
    {"{ open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }",
     "{ open: event.charge > 2.0, close: event.charge < 1.0, by: event.cdr_id, on: call }"},
    {"{ open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }",
     "{ open: event.charge > 1.0, close: event.charge < 0.5, by: event.cdr_id, on: call }"},
    {"{ open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }",
     "{ open: event.charge > 1.0, close: event.charge < 1.0, by: event.direction, on: call }"},
};

#define STEPS                                                                                      \
    "{ kind: call, times: 2 }, { not: purchase }, { not: call }, { kind: purchase, within: 2d }"

START_TEST(a_pattern_is_a_stage_for_each_event_and_what_each_must_not_meet)
{
    const struct rf_plan *plan =
        plan_of("", "  r: { pattern: [ " STEPS " ], within: 7d, skip: none, emit: alert }\n"
                    "  q: { pattern: [ { kind: call }, { not: call, for: 14d } ], emit: alert }\n");

    ck_assert_uint_eq(plan->pattern_count, 2);
    const struct rf_pattern *pattern = plan->rules[0].pattern;
    ck_assert_ptr_eq(pattern, &plan->patterns[0]);
    ck_assert_ptr_null(plan->rules[0].when);
    ck_assert_uint_eq(pattern->step_count, 4);
    ck_assert(pattern->steps[1].negated);
    ck_assert_str_eq(pattern->steps[3].kind, "purchase");
    ck_assert_uint_eq(pattern->stage_count, 3);
    ck_assert_uint_eq(pattern->stages[0].forbids, 0);
    ck_assert_uint_eq(pattern->stages[1].step, 0);
    ck_assert_uint_eq(pattern->stages[1].forbids, 6); /* from the first of two on */
    ck_assert_uint_eq(pattern->stages[2].step, 3);
    ck_assert_uint_eq(pattern->stages[2].forbids, 6);
    ck_assert_int_eq(pattern->stages[2].within, 2 * RF_DAY_MS);
    ck_assert_int_eq(pattern->within, 7 * RF_DAY_MS);
    ck_assert(!pattern->ends_in_silence);
    ck_assert(!pattern->skips);
    pattern = plan->rules[1].pattern;
    ck_assert_uint_eq(pattern->rule, 1);
    ck_assert(pattern->ends_in_silence);
    ck_assert(pattern->skips);
    ck_assert_uint_eq(pattern->forbids, 2);
    ck_assert_int_eq(pattern->silence, 14 * RF_DAY_MS);
}
END_TEST

/* Of rule r: what is kept of one means nothing to the other. */
static const char *const patterns[] = {
    "pattern: [ { kind: call }, { kind: call } ]",
    "pattern: [ { kind: call }, { kind: purchase } ]",
    "pattern: [ { kind: call, times: 2 } ]",
    "pattern: [ { kind: call, times: 2 } ], skip: none",
    "pattern: [ { kind: call, times: 2 } ], within: 7d",
    "pattern: [ { kind: call, times: 3 } ], within: 7d",
    "pattern: [ { kind: call }, { kind: call, where: event.charge > 1.0 } ]",
    "pattern: [ { kind: call, where: event.charge > 1.0 }, { kind: call } ]",
    "pattern: [ { kind: call }, { kind: call, where: n > 1 } ]",
    "pattern: [ { kind: call }, { kind: call, within: 1d } ]",
    "pattern: [ { kind: call }, { not: purchase }, { kind: call } ]",
    "pattern: [ { kind: call }, { kind: call }, { not: purchase, for: 1d } ]",
    "pattern: [ { kind: call }, { kind: call }, { not: purchase, for: 2d } ]",
};

static const struct rf_plan *plan_of_pattern(const char *pattern)
{
    return plan_of(FEATURE, rf_arena_printf(&arena, "  r: { %s, emit: alert }\n", pattern));
}

START_TEST(another_pattern_has_another_state_and_the_same_one_the_same)
{
    const struct rf_plan *plan = plan_of_pattern(patterns[_i]);
    const struct rf_plan *again = plan_of_pattern(patterns[_i]);

    ck_assert_str_eq(plan->patterns[0].state_name, again->patterns[0].state_name);
    ck_assert_str_eq(plan->rules[0].version, again->rules[0].version);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const struct rf_plan *other = i == (size_t)_i ? NULL : plan_of_pattern(patterns[i]);

        if (other == NULL)
            continue;
        ck_assert_str_ne(plan->patterns[0].state_name, other->patterns[0].state_name);
        ck_assert_str_ne(plan->rules[0].version, other->rules[0].version);
    }
}
END_TEST

START_TEST(what_a_pattern_reads_of_a_feature_is_part_of_it)
{
    static const char rule[] = "  r: { pattern: [ { kind: call, where: n > 1 } ], emit: alert }\n";
    const struct rf_plan *plan = plan_of(FEATURE, rule);
    const struct rf_plan *other = plan_of("  n: { count: call, window: 8d }\n", rule);

    ck_assert_str_ne(plan->patterns[0].state_name, other->patterns[0].state_name);
}
END_TEST

START_TEST(without_a_lateness_nothing_waits)
{
    ck_assert_int_eq(plan_of("", "")->lateness, RF_LATENESS_NONE);
}
END_TEST

START_TEST(a_redefined_feature_has_another_state)
{
    const char *before = feature_of(redefinitions[_i][0])->state_name;
    const char *again = feature_of(redefinitions[_i][0])->state_name;
    const char *after = feature_of(redefinitions[_i][1])->state_name;

    ck_assert_str_eq(before, again);
    ck_assert_str_ne(before, after);
}
END_TEST

START_TEST(a_number_of_values_that_is_the_default_is_no_other_definition)
{
    const struct rf_feature *feature = feature_of("{ entropy: event.direction, on: call }");
    const struct rf_feature *written =
        feature_of("{ entropy: event.direction, on: call, values: 64 }");

    ck_assert_str_eq(feature->state_name, written->state_name);
    ck_assert_uint_eq(feature_of("{ entropy: event.direction, on: call, values: 400 }")->values_max,
                      400);
    /* It is in customers' records since before there was a choice. */
    ck_assert_str_eq(feature->state_name, "f_cc436455");
}
END_TEST

START_TEST(another_meaning_is_another_version)
{
    const struct rf_plan *plan = plan_of(FEATURE, "  r: { when: n > 3, emit: alert }\n");

    const struct rf_plan *changed = plan_of(changes[_i].features, changes[_i].rules);

    ck_assert_str_ne(plan->rules[0].version, changed->rules[0].version);
    ck_assert_str_ne(plan->version, changed->version);
    if (strcmp(changes[_i].features, FEATURE) != 0)
        ck_assert_str_ne(plan->features[0].state_name, changed->features[0].state_name);
}
END_TEST

/* ---- the whole ------------------------------------------------------------------------------------ */

static const char *const seeds[] = {"/seeds/telco/ringfold.yaml", "/seeds/cdnow/ringfold.yaml"};

START_TEST(the_samples_are_fine)
{
    const struct rf_config_environment environment = {0};
    const char *path = rf_arena_printf(&arena, "%s%s", RF_SOURCE_DIR, seeds[_i]);
    struct rf_config *config = NULL;

    rf_diagnostics_init(&diagnostics, &arena);
    bool ok = rf_config_load(path, &environment, &arena, &config, &diagnostics);

    ck_assert_msg(ok, "%zu:%zu %s", diagnostics.items[0].line, diagnostics.items[0].column,
                  diagnostics.items[0].message);
    ck_assert_uint_eq(diagnostics.count, 0);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said_so)
{
    const struct rf_config_environment environment = {0};
    struct rf_config *config = NULL;

    rf_diagnostics_init(&diagnostics, &arena);
    ck_assert(!rf_config_load("/no/such.yaml", &environment, &arena, &config, &diagnostics));

    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(strstr(diagnostics.items[0].message, "No such file"));
}
END_TEST

START_TEST(outputs_take_the_format_that_goes_with_what_there_is)
{
    static const char text[] =
        HEAD "%soutputs:\n  a: { topic: a, schema: schemas/churn_alert.avsc }\n  b: { topic: b }\n";
    const struct rf_plan *without = load_fine(rf_arena_printf(&arena, text, ""))->plan;
    const struct rf_plan *with =
        load_fine(rf_arena_printf(&arena, text, "schema_registry: { url: 'http://localhost' }\n"))
            ->plan;

    ck_assert_int_eq(without->outputs[0].format, RF_FORMAT_AVRO_OBJECT);
    ck_assert_int_eq(with->outputs[0].format, RF_FORMAT_AVRO);
    ck_assert_int_eq(with->outputs[1].format, RF_FORMAT_JSON);
}
END_TEST

START_TEST(the_table_is_also_a_json_schema)
{
    struct rf_buffer text;
    json_error_t error;
    rf_buffer_init(&text, 1 << 20);

    rf_config_print_json_schema(&text);

    json_t *schema = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(schema != NULL, "%d:%d %s", error.line, error.column, error.text);
    json_t *properties = json_object_get(schema, "properties");
    json_t *sources =
        json_object_get(json_object_get(properties, "sources"), "additionalProperties");
    ck_assert_ptr_nonnull(json_object_get(json_object_get(sources, "properties"), "topic"));
    ck_assert_ptr_nonnull(json_object_get(properties, "commit.interval"));
    ck_assert_ptr_null(json_object_get(properties, "policy"));
    json_decref(schema);
    rf_buffer_deinit(&text);
}
END_TEST

START_TEST(the_table_is_also_the_list_of_the_manual)
{
    struct rf_buffer text;
    rf_buffer_init(&text, 1 << 20);

    rf_config_print_manual(&text);
    rf_buffer_append_byte(&text, 0);

    ck_assert(!text.overflow);
    ck_assert_ptr_nonnull(strstr((const char *)text.data, ".It Cm features.*.half_life\n"));
    ck_assert_ptr_nonnull(strstr((const char *)text.data, "The default is 100ms.\n"));
    rf_buffer_deinit(&text);
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("edge/config/config");
    TCase *tcase = tcase_create("config");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_not_written_has_its_default);
    tcase_add_test(tcase, what_is_written_wins_and_a_dot_is_a_mapping);
    tcase_add_test(tcase, secrets_come_from_files_and_variables_and_are_marked);
    tcase_add_loop_test(tcase, what_is_dangerous_is_a_warning, 0, COUNT_OF(warnings));
    tcase_add_test(tcase, two_sources_may_share_a_topic_where_each_takes_its_part);
    tcase_add_test(tcase, an_event_has_its_fields_and_time_kind_and_source);
    tcase_add_test(tcase, a_schema_may_have_a_field_of_its_own_called_time);
    tcase_add_test(tcase, a_registry_without_the_schema_is_an_error_at_the_source);
    tcase_add_test(tcase, fields_that_some_expression_reads_are_in_use_and_no_others);
    tcase_add_loop_test(tcase, a_feature_becomes_what_it_says, 0, COUNT_OF(features));
    tcase_add_test(tcase, what_cases_come_to_is_read_off_their_feature);
    tcase_add_test(tcase, what_an_operator_writes_of_complaints_and_offers_is_fine);
    tcase_add_test(tcase, another_quantile_of_the_same_values_is_read_off_the_same_state);
    tcase_add_test(tcase, a_count_by_is_asked_for_keys_that_may_be_missing);
    tcase_add_test(tcase, a_feature_takes_every_source_of_its_kind);
    tcase_add_test(tcase, where_there_is_one_kind_on_may_be_left_out);
    tcase_add_test(tcase, an_expression_reads_through_expressions_but_not_through_folds);
    tcase_add_test(tcase, what_a_condition_names_of_the_customer_is_a_reason);
    tcase_add_test(tcase, a_rule_that_reads_a_fold_is_not_asked_for_what_that_fold_looked_at);
    tcase_add_test(tcase, a_version_is_of_what_is_meant_not_of_how_it_is_written);
    tcase_add_test(tcase, a_number_of_values_that_is_the_default_is_no_other_definition);
    tcase_add_loop_test(tcase, a_redefined_feature_has_another_state, 0,
                        sizeof redefinitions / sizeof redefinitions[0]);
    tcase_add_loop_test(tcase, another_meaning_is_another_version, 0, COUNT_OF(changes));
    tcase_add_test(tcase, a_pattern_is_a_stage_for_each_event_and_what_each_must_not_meet);
    tcase_add_loop_test(tcase, another_pattern_has_another_state_and_the_same_one_the_same, 0,
                        COUNT_OF(patterns));
    tcase_add_test(tcase, what_a_pattern_reads_of_a_feature_is_part_of_it);
    tcase_add_test(tcase, without_a_lateness_nothing_waits);
    tcase_add_loop_test(tcase, the_samples_are_fine, 0, COUNT_OF(seeds));
    tcase_add_test(tcase, a_file_that_is_not_there_is_said_so);
    tcase_add_test(tcase, outputs_take_the_format_that_goes_with_what_there_is);
    tcase_add_test(tcase, the_table_is_also_a_json_schema);
    tcase_add_test(tcase, the_table_is_also_the_list_of_the_manual);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
