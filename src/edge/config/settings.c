#include "edge/config/settings.h"

#include <stddef.h>

#include "core/model/customer.h"
#include "core/model/feature.h"
#include "core/model/pattern.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "edge/config/draft.h"

#define TOP(member)     offsetof(struct rf_config_draft, member)
#define SOURCE(member)  offsetof(struct rf_source_draft, member)
#define FEATURE(member) offsetof(struct rf_feature_draft, member)
#define RULE(member)    offsetof(struct rf_rule_draft, member)
#define STEP(member)    offsetof(struct rf_step_draft, member)
#define OUTPUT(member)  offsetof(struct rf_output_draft, member)

#define KIB             INT64_C(1024)
#define MIB             (1024 * KIB)
#define GIB             (1024 * MIB)
#define YEARS_MS        (366 * RF_DAY_MS)

/* The order of these is the order of the enums that they become. */
static const char *const deliveries[] = {"exactly_once", "at_least_once", NULL};
static const char *const starts[] = {"earliest", "latest", NULL};
static const char *const idles[] = {"wall", "none", NULL};
static const char *const lates[] = {"drop", "dead_letter", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const log_formats[] = {"auto", "text", "json", NULL};
static const char *const formats[] = {"avro", "avro-object", "avro-raw", "json", NULL};
static const char *const keys[] = {"customer", "rule", NULL};
static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

/* With RF_STAT_NONE in front. */
static const char *const stats[] = {"mean",
                                    "last",
                                    "min",
                                    "max",
                                    "stddev",
                                    "oldest",
                                    "opened",
                                    "reopened",
                                    "resolved",
                                    "resolution_mean",
                                    "resolution_last",
                                    NULL};
static const char *const modes[] = {"live", "shadow", "off", NULL};
static const char *const skips[] = {"past_last", "none", NULL};

/* clang-format off */
const struct rf_setting rf_settings[] = {
    /* group, name, type, help, default, choices, least, most, offset, required */
    {"", "app", RF_SETTING_NAME, "the application's name: its consumer group and its own topics begin with it", NULL, NULL, 1, 100, TOP(app), true},
    {"", "kafka", RF_SETTING_PROPERTIES, "properties of librdkafka, bootstrap.servers first; a value may be { file: PATH } or { env: NAME }", NULL, NULL, 0, 0, TOP(kafka), false},
    {"", "schema_registry", RF_SETTING_GROUP, "where Avro schemas are looked up and registered", NULL, NULL, 0, 0, 0, false},
    {"", "state", RF_SETTING_GROUP, "where customers are kept", NULL, NULL, 0, 0, 0, false},
    {"", "sources", RF_SETTING_NAMED, "what is read, by name", NULL, NULL, 1, RF_SOURCES_MAX, TOP(sources), true},
    {"", "features", RF_SETTING_NAMED, "what is known of each customer, by name; a feature may read those above it", NULL, NULL, 0, RF_FEATURES_MAX, TOP(features), false},
    {"", "rules", RF_SETTING_NAMED, "when something is emitted, by name", NULL, NULL, 0, RF_RULES_MAX, TOP(rules), false},
    {"", "outputs", RF_SETTING_NAMED, "where rules emit to, by name", NULL, NULL, 0, RF_RULES_MAX, TOP(outputs), false},
    {"", "workers", RF_SETTING_INTEGER, "threads, each with its own consumer and producer", "1", NULL, 1, 256, TOP(config.workers), false},
    {"", "instance", RF_SETTING_NAME, "this process among those of the application; the default is the host's name", NULL, NULL, 1, 200, TOP(config.instance), false},
    {"", "delivery", RF_SETTING_CHOICE, "what a failure may do to what is emitted", "exactly_once", deliveries, 0, 0, TOP(delivery), false},
    {"", "start", RF_SETTING_CHOICE, "where a source is read from at the very first start", "earliest", starts, 0, 0, TOP(start), false},
    {"", "commit", RF_SETTING_GROUP, "how often transactions end", NULL, NULL, 0, 0, 0, false},
    {"", "lateness", RF_SETTING_SPAN, "how far behind the latest event of its partition an event may be; with it the partition's time is so far behind, and patterns take events in the order of their time; the default is none: nothing is too late, and nothing waits", NULL, NULL, 0, 36500 * RF_DAY_MS, TOP(lateness), false},
    {"", "idle", RF_SETTING_CHOICE, "how time goes on where a partition was read to its end and nothing comes: by the wall clock (less the lateness), so that silence is noticed, or not at all, until the next event", "wall", idles, 0, 0, TOP(idle), false},
    {"", "late", RF_SETTING_CHOICE, "what happens to an event that is too late", "dead_letter", lates, 0, 0, TOP(late), false},
    {"", "max_ahead", RF_SETTING_SPAN, "how far an event's time may be past its message's timestamp; beyond it the event is a dead letter", "1d", NULL, 0, 36500 * RF_DAY_MS, TOP(max_ahead), false},
    {"", "limits", RF_SETTING_GROUP, "what is refused for its size", NULL, NULL, 0, 0, 0, false},
    {"", "topics", RF_SETTING_GROUP, "the application's own topics, and how 'topics create' makes topics", NULL, NULL, 0, 0, 0, false},
    {"", "http", RF_SETTING_GROUP, "the endpoint for metrics, health and questions", NULL, NULL, 0, 0, 0, false},
    {"", "log", RF_SETTING_GROUP, "what is written to standard error", NULL, NULL, 0, 0, 0, false},
    {"", "customers", RF_SETTING_GROUP, "how long customers are kept", NULL, NULL, 0, 0, 0, false},
    {"", "policy", RF_SETTING_LATER, "what an offer must pass before it is emitted", NULL, NULL, 0, 0, 0, false},

    {"schema_registry", "url", RF_SETTING_URL, "of a registry with the Confluent API; several with commas in between", NULL, NULL, 0, 0, TOP(config.registry.url), true},
    {"schema_registry", "user", RF_SETTING_TEXT, "for basic authentication", NULL, NULL, 0, 0, TOP(config.registry.user), false},
    {"schema_registry", "password", RF_SETTING_SECRET, "for basic authentication; { file: PATH } or { env: NAME } keep it out of this file", NULL, NULL, 0, 0, TOP(config.registry.password), false},
    {"schema_registry", "token", RF_SETTING_SECRET, "a bearer token instead of user and password", NULL, NULL, 0, 0, TOP(config.registry.token), false},
    {"schema_registry", "ca_location", RF_SETTING_FILE, "certificates to trust, PEM; the default is the system's", NULL, NULL, 0, 0, TOP(config.registry.ca_location), false},
    {"schema_registry", "auto_register", RF_SETTING_BOOL, "register the schemas of outputs and of the changelog", "true", NULL, 0, 0, TOP(config.registry.auto_register), false},
    {"schema_registry", "timeout", RF_SETTING_SPAN, "for one answer", "10s", NULL, 100, 5 * RF_MINUTE_MS, TOP(config.registry.timeout), false},

    {"state", "dir", RF_SETTING_FOLDER, "the folder for the store", "/var/lib/ringfold", NULL, 0, 0, TOP(config.state_dir), false},
    {"state", "memory", RF_SETTING_SIZE, "for caches and write buffers of all tasks together", "256MiB", NULL, 16 * MIB, 1024 * GIB, TOP(config.state_memory), false},
    {"state", "flush_interval", RF_SETTING_SPAN, "how long committed records are gathered before the store gets them", "10s", NULL, 10, 10 * RF_MINUTE_MS, TOP(config.state_flush_interval), false},

    {"commit", "interval", RF_SETTING_SPAN, "the length of a transaction: what is emitted is visible this much later", "100ms", NULL, 1, RF_MINUTE_MS, TOP(config.commit_interval), false},
    {"commit", "max_events", RF_SETTING_INTEGER, "events after which a transaction ends early", "100000", NULL, 1, 10000000, TOP(config.commit_events_max), false},

    {"limits", "event_bytes", RF_SETTING_SIZE, "of a decoded event; larger ones are dead letters", "1MiB", NULL, KIB, 64 * MIB, TOP(event_bytes_max), false},
    {"limits", "record_bytes", RF_SETTING_SIZE, "of a customer's record; an event that would make it larger is a dead letter", "900KiB", NULL, 4 * KIB, 64 * MIB, TOP(record_bytes_max), false},

    {"topics", "dead_letters", RF_SETTING_TOPIC, "for what cannot be folded; the default is APP-dlq", NULL, NULL, 0, 0, TOP(config.topics.dead_letters), false},
    {"topics", "changelog", RF_SETTING_TOPIC, "the customers' records, compacted; the default is APP-changelog", NULL, NULL, 0, 0, TOP(config.topics.changelog), false},
    {"topics", "tasks", RF_SETTING_TOPIC, "what each partition has come to, compacted; the default is APP-tasks", NULL, NULL, 0, 0, TOP(config.topics.tasks), false},
    {"topics", "partitions", RF_SETTING_INTEGER, "of source topics that are created; 0: 4, or as many as other sources have", "0", NULL, 0, 10000, TOP(config.topics.partitions), false},
    {"topics", "replication", RF_SETTING_INTEGER, "copies of topics that are created; 0: the broker's default", "0", NULL, 0, 100, TOP(config.topics.replication), false},
    {"topics", "min_insync", RF_SETTING_INTEGER, "min.insync.replicas of topics that are created; 0: the broker's default", "0", NULL, 0, 100, TOP(config.topics.min_insync), false},

    {"customers", "ttl", RF_SETTING_SPAN, "a customer without an event for so long is forgotten; the default is never", "0s", NULL, 0, 100 * YEARS_MS, TOP(ttl), false},
    {"customers", "emit", RF_SETTING_NAME, "the output for the news that a customer was forgotten (EVICTED) or erased (ERASED); the default is none", NULL, NULL, 1, 100, TOP(lifecycle_output), false},

    {"http", "listen", RF_SETTING_ADDRESS, "ADDRESS:PORT, or off; port 0 is any that is free; an address that others can reach needs token_file or tls.client_ca", "127.0.0.1:8088", NULL, 0, 0, TOP(config.http.listen), false},
    {"http", "advertise", RF_SETTING_ADDRESS, "ADDRESS:PORT under which other instances and their clients reach this one; the default is listen, with the host's name where that is every address", NULL, NULL, 0, 0, TOP(config.http.advertise), false},
    {"http", "token_file", RF_SETTING_FILE, "who may ask for more than metrics and health: one NAME:TOKEN a line", NULL, NULL, 0, 0, TOP(config.http.token_file), false},
    {"http", "lag_aliases", RF_SETTING_BOOL, "give lag and offsets under the names of kafka_exporter, too", "false", NULL, 0, 0, TOP(config.http.lag_aliases), false},
    {"http", "tls", RF_SETTING_GROUP, "certificates; without them it is plain HTTP", NULL, NULL, 0, 0, 0, false},

    {"http.tls", "certificate", RF_SETTING_FILE, "ours, and what it was signed with, PEM", NULL, NULL, 0, 0, TOP(config.http.certificate), false},
    {"http.tls", "key", RF_SETTING_FILE, "its private key, PEM", NULL, NULL, 0, 0, TOP(config.http.key), false},
    {"http.tls", "client_ca", RF_SETTING_FILE, "who may ask for more than metrics and health: clients with a certificate that one of these has signed, PEM", NULL, NULL, 0, 0, TOP(config.http.client_ca), false},

    {"log", "level", RF_SETTING_CHOICE, "the least that is written", "info", log_levels, 0, 0, TOP(log_level), false},
    {"log", "format", RF_SETTING_CHOICE, "for people or for programs; auto: text on a terminal", "auto", log_formats, 0, 0, TOP(log_format), false},

    {"sources.*", "topic", RF_SETTING_TOPIC, "what is read; all sources have the same number of partitions", NULL, NULL, 0, 0, SOURCE(topic), true},
    {"sources.*", "format", RF_SETTING_CHOICE, "of the messages: avro is the registry's wire format, avro-object Avro's single-object encoding, avro-raw the body alone", NULL, formats, 0, 0, SOURCE(format), true},
    {"sources.*", "schema", RF_SETTING_FILE, "an Avro schema, also for json; with format avro the registry's newest where none is given", NULL, NULL, 0, 0, SOURCE(schema_file), false},
    {"sources.*", "kind", RF_SETTING_NAME, "what features call these events, or erase: each event deletes its customer; the default is the source's name", NULL, NULL, 1, 100, SOURCE(kind), false},
    {"sources.*", "customer", RF_SETTING_EXPRESSION, "string: whose event it is; the default is the message key", NULL, NULL, 0, 0, SOURCE(customer), false},
    {"sources.*", "time", RF_SETTING_EXPRESSION, "timestamp: when it happened; the default is the message's timestamp", NULL, NULL, 0, 0, SOURCE(time), false},
    {"sources.*", "id", RF_SETTING_EXPRESSION, "string or int: the same id is folded once", NULL, NULL, 0, 0, SOURCE(id), false},
    {"sources.*", "where", RF_SETTING_EXPRESSION, "bool: which events are taken; the default is all", NULL, NULL, 0, 0, SOURCE(where), false},
    {"sources.*", "dedup", RF_SETTING_SPAN, "how long an id is remembered, in event time", "7d", NULL, RF_SECOND_MS, 10 * YEARS_MS, SOURCE(dedup), false},
    {"sources.*", "rekey", RF_SETTING_LATER, "route events by customer through a topic of ringfold's own", NULL, NULL, 0, 0, 0, false},

    {"features.*", "count", RF_SETTING_EXPRESSION, "a kind: how many events", NULL, NULL, 0, 0, FEATURE(count), false},
    {"features.*", "sum", RF_SETTING_EXPRESSION, "int or double: the sum over events", NULL, NULL, 0, 0, FEATURE(sum), false},
    {"features.*", "min", RF_SETTING_EXPRESSION, "int, double, timestamp or duration: the least; null before the first", NULL, NULL, 0, 0, FEATURE(min), false},
    {"features.*", "max", RF_SETTING_EXPRESSION, "int, double, timestamp or duration: the greatest; null before the first", NULL, NULL, 0, 0, FEATURE(max), false},
    {"features.*", "first", RF_SETTING_EXPRESSION, "any plain value: of the earliest event; null before the first", NULL, NULL, 0, 0, FEATURE(first), false},
    {"features.*", "last", RF_SETTING_EXPRESSION, "any plain value: of the latest event; null before the first", NULL, NULL, 0, 0, FEATURE(last), false},
    {"features.*", "count_distinct", RF_SETTING_EXPRESSION, "any plain value: how many different ones", NULL, NULL, 0, 0, FEATURE(count_distinct), false},
    {"features.*", "decay", RF_SETTING_EXPRESSION, "a kind, or int or double: a sum in which each event counts half as much after each half_life", NULL, NULL, 0, 0, FEATURE(decay), false},
    {"features.*", "mean", RF_SETTING_EXPRESSION, "int or double: the mean over events; null before the first", NULL, NULL, 0, 0, FEATURE(mean), false},
    {"features.*", "quantile", RF_SETTING_EXPRESSION, "int or double: the value that a share of the values is below, within 1 %; null before the first", NULL, NULL, 0, 0, FEATURE(quantile), false},
    {"features.*", "top", RF_SETTING_EXPRESSION, "string, int or bool: the most frequent one; null before the first", NULL, NULL, 0, 0, FEATURE(top), false},
    {"features.*", "entropy", RF_SETTING_EXPRESSION, "string, int or bool: how evenly they are spread, in bits", NULL, NULL, 0, 0, FEATURE(entropy), false},
    {"features.*", "count_by", RF_SETTING_EXPRESSION, "string, int or bool: how many events of each, as a map", NULL, NULL, 0, 0, FEATURE(count_by), false},
    {"features.*", "trend", RF_SETTING_EXPRESSION, "a kind, or int or double: the count or sum of a window by that of the window before; null where that is 0", NULL, NULL, 0, 0, FEATURE(trend), false},
    {"features.*", "interval", RF_SETTING_EXPRESSION, "a kind: the time between events; null before the second", NULL, NULL, 0, 0, FEATURE(interval), false},
    {"features.*", "open", RF_SETTING_EXPRESSION, "bool: which events open a case; the feature is the list of open ones", NULL, NULL, 0, 0, FEATURE(open), false},
    {"features.*", "close", RF_SETTING_EXPRESSION, "bool: which events close a case", NULL, NULL, 0, 0, FEATURE(close), false},
    {"features.*", "by", RF_SETTING_EXPRESSION, "string: which case it is", NULL, NULL, 0, 0, FEATURE(by), false},
    {"features.*", "cases", RF_SETTING_NAME, "a feature with 'open' and 'close': what its cases come to, by 'stat'", NULL, NULL, 1, 100, FEATURE(cases), false},
    {"features.*", "expr", RF_SETTING_EXPRESSION, "any plain value of the features above", NULL, NULL, 0, 0, FEATURE(expr), false},
    {"features.*", "on", RF_SETTING_NAME, "the kind of event whose values are taken; may be left out where there is one kind", NULL, NULL, 1, 100, FEATURE(on), false},
    {"features.*", "where", RF_SETTING_EXPRESSION, "bool: which of the events", NULL, NULL, 0, 0, FEATURE(where), false},
    {"features.*", "window", RF_SETTING_SPAN, "only events of this last length of time; the default is all", NULL, NULL, RF_SECOND_MS, 10 * YEARS_MS, FEATURE(window), false},
    {"features.*", "offset", RF_SETTING_SPAN, "the window ends this long before now", NULL, NULL, RF_SECOND_MS, 10 * YEARS_MS, FEATURE(offset), false},
    {"features.*", "bucket", RF_SETTING_SPAN, "the grain of the window: its edge is exact to this much; the default is the largest of 1d, 6h, 1h, 15m, 5m, 1m, 1s that cuts the window into 168 parts or more", NULL, NULL, RF_SECOND_MS, 10 * YEARS_MS, FEATURE(bucket), false},
    {"features.*", "q", RF_SETTING_FRACTION, "of quantile: which share; 0.5 is the median", NULL, NULL, 0, 0, FEATURE(q), false},
    {"features.*", "values", RF_SETTING_INTEGER, "of top, entropy and count_by: how many different values of a customer are remembered; they are exact up to there", "64", NULL, 1, RF_TALLY_VALUES_MAX, FEATURE(values), false},
    {"features.*", "stat", RF_SETTING_CHOICE, "of interval: mean (the default), last, min, max, stddev; of cases: oldest, opened, reopened, resolved, resolution_mean, resolution_last", NULL, stats, 0, 0, FEATURE(stat), false},
    {"features.*", "half_life", RF_SETTING_SPAN, "after this long an event counts half: of decay, and instead of a window of mean, quantile, top and entropy", NULL, NULL, RF_SECOND_MS, 10 * YEARS_MS, FEATURE(half_life), false},

    {"rules.*", "when", RF_SETTING_EXPRESSION, "bool: asked again when a feature that it reads has changed; with a pattern: asked at each match", NULL, NULL, 0, 0, RULE(when), false},
    {"rules.*", "emit", RF_SETTING_NAME, "the output", NULL, NULL, 1, 100, RULE(emit), true},
    {"rules.*", "mode", RF_SETTING_CHOICE, "shadow: it is asked and counted, and tells nobody; off: it is not asked, and what it has raised is cleared", "live", modes, 0, 0, RULE(mode), false},
    {"rules.*", "severity", RF_SETTING_CHOICE, "how urgent it is", "medium", severities, 0, 0, RULE(severity), false},
    {"rules.*", "cooldown", RF_SETTING_SPAN, "how long the rule is silent about a customer after it fired, in event time; the default is not at all", "0s", NULL, 0, 10 * YEARS_MS, RULE(cooldown), false},
    {"rules.*", "because", RF_SETTING_EXPRESSION, "string: the explanation for people", NULL, NULL, 0, 0, RULE(because), false},
    {"rules.*", "offer", RF_SETTING_GROUP, "what is offered", NULL, NULL, 0, 0, 0, false},
    {"rules.*", "pattern", RF_SETTING_LIST, "a sequence of events of one customer, step by step: the rule fires at each match", NULL, NULL, 1, RF_PATTERN_STEPS_MAX, RULE(pattern), false},
    {"rules.*", "within", RF_SETTING_SPAN, "of a pattern: all its events come less than this after the first; the default is whenever", NULL, NULL, 1, 10 * YEARS_MS, RULE(within), false},
    {"rules.*", "skip", RF_SETTING_CHOICE, "of a pattern: whether a match ends the partial matches that began before its last event, or every match counts", "past_last", skips, 0, 0, RULE(skip), false},
    {"rules.*", "clear_when", RF_SETTING_EXPRESSION, "bool: when the alert is over; with it alerts are episodes: RAISED, UPDATED, CLEARED", NULL, NULL, 0, 0, RULE(clear_when), false},
    {"rules.*", "for", RF_SETTING_SPAN, "how long `when` has to hold without a break before the rule fires; the default is not at all", "0s", NULL, 0, 10 * YEARS_MS, RULE(hold), false},
    {"rules.*", "update", RF_SETTING_SPAN, "an open alert is told again when its reasons have changed, but only so long after it was last told; the default is never", "0s", NULL, 0, 10 * YEARS_MS, RULE(update), false},

    {"rules.*.pattern.*", "kind", RF_SETTING_NAME, "the kind of event that is awaited; others are skipped", NULL, NULL, 1, 100, STEP(kind), false},
    {"rules.*.pattern.*", "not", RF_SETTING_NAME, "instead of kind: no such event before the next step comes, or for so long", NULL, NULL, 1, 100, STEP(negated), false},
    {"rules.*.pattern.*", "where", RF_SETTING_EXPRESSION, "bool: which of the events; judged when they arrive", NULL, NULL, 0, 0, STEP(where), false},
    {"rules.*.pattern.*", "times", RF_SETTING_INTEGER, "how many such events, one after the other", "1", NULL, 1, RF_PATTERN_EVENTS_MAX, STEP(times), false},
    {"rules.*.pattern.*", "within", RF_SETTING_SPAN, "less than this after the event before; the default is whenever", NULL, NULL, 1, 10 * YEARS_MS, STEP(within), false},
    {"rules.*.pattern.*", "for", RF_SETTING_SPAN, "of a 'not' at the end: how long after the last event none may come; the rule fires at the end of it, by timer", NULL, NULL, 1, 10 * YEARS_MS, STEP(silence), false},

    {"rules.*.offer", "id", RF_SETTING_TEXT, "what to offer", NULL, NULL, 0, 0, RULE(offer.id), true},
    {"rules.*.offer", "channel", RF_SETTING_TEXT, "how to reach the customer", NULL, NULL, 0, 0, RULE(offer.channel), true},
    {"rules.*.offer", "value", RF_SETTING_EXPRESSION, "double: what it is worth", NULL, NULL, 0, 0, RULE(offer.value), false},

    {"outputs.*", "topic", RF_SETTING_TOPIC, "where it is written to", NULL, NULL, 0, 0, OUTPUT(topic), true},
    {"outputs.*", "format", RF_SETTING_CHOICE, "of the messages; the default is avro where there are a registry and a schema, avro-object where there is a schema, json otherwise", NULL, formats, 0, 0, OUTPUT(format), false},
    {"outputs.*", "schema", RF_SETTING_FILE, "an Avro schema, filled by the names of its fields", NULL, NULL, 0, 0, OUTPUT(schema_file), false},
    {"outputs.*", "key", RF_SETTING_CHOICE, "of the messages: the customer, or customer/rule, so that a compacted topic holds what each rule says of each customer now", "customer", keys, 0, 0, OUTPUT(key), false},
};
/* clang-format on */

const size_t rf_setting_count = sizeof rf_settings / sizeof rf_settings[0];
