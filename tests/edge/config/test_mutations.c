/* edge/config: every mistake is found, at its place, with what to do about it.
 *
 * Each row changes one thing in a configuration that is fine. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/expr/expr.h"
#include "edge/config/config.h"
#include "edge/stream/property.h"

static const char fine[] =
    "app: retention\n"
    "kafka:\n"
    "  bootstrap.servers: localhost:9092\n"
    "schema_registry: { url: \"http://localhost:8081\" }\n"
    "state: { dir: /tmp/ringfold, memory: 64MiB }\n"
    "workers: 2\n"
    "commit.interval: 50ms\n"
    "\n"
    "sources:\n"
    "  calls: { topic: calls, format: avro, schema: schemas/call.avsc, kind: call, time: event.started_at, id: event.cdr_id }\n"
    "  payments:\n"
    "    topic: payments\n"
    "    format: json\n"
    "    schema: schemas/purchase.avsc\n"
    "    kind: purchase\n"
    "    customer: event.customer_id\n"
    "\n"
    "features:\n"
    "  dropped_7d: { count: call, where: 'event.termination == \"DROPPED\"', window: 7d }\n"
    "  minutes: { sum: event.duration_s / 60.0, on: call, window: 28d, offset: 28d }\n"
    "  rate: { decay: call, half_life: 7d }\n"
    "  spend: { sum: event.amount, on: purchase }\n"
    "  last_cell: { last: event.cell_id, on: call }\n"
    "  share:\n"
    "    expr: |\n"
    "      minutes > 0.0\n"
    "        ? spend / minutes\n"
    "        : 0.0\n"
    "\n"
    "rules:\n"
    "  failing:\n"
    "    when: dropped_7d >= 3 && share > 0.5\n"
    "    emit: alert\n"
    "    severity: high\n"
    "    cooldown: 7d\n"
    "    because: '\"dropped \" + string(dropped_7d) + \" calls\"'\n"
    "  win-back:\n"
    "    when: spend > 100.0\n"
    "    emit: offer\n"
    "    offer: { id: minutes, channel: sms, value: spend }\n"
    "\n"
    "outputs:\n"
    "  alert: { topic: alerts, schema: schemas/churn_alert.avsc }\n"
    "  offer: { topic: offers, format: json }\n";

static const struct {
    const char *from;
    const char *to;
    const char *place;   /* of the first error */
    const char *message; /* a part of it */
    const char *hint;    /* a part of it; NULL: the expression room's own */
    size_t errors;       /* one mistake is one message, where it is one */
} mutations[] = {
    {"app: retention\n", "", "1:1", "'app' is missing",
     "the application's name: its consumer group and its own topics begin with it", 1},
    {"app: retention", "ap: retention", "1:1", "there is no setting 'ap'", "known here: app", 2},
    {"app: retention", "app: my app", "1:6",
     "'app' is not a name of letters, digits, '.', '_' and '-': 'my app'",
     "the application's name: its consumer group and its own topics begin with it", 1},
    {"app: retention", "app:", "1:4",
     "'app' has to be a name of letters, digits, '.', '_' and '-', not nothing",
     "the application's name: its consumer group and its own topics begin with it", 1},
    {"app: retention", "app: [retention]", "1:6",
     "'app' has to be a name of letters, digits, '.', '_' and '-', not a list",
     "the application's name: its consumer group and its own topics begin with it", 1},
    {"workers: 2", "worker: 2", "6:1", "there is no setting 'worker'", "did you mean 'workers'?",
     1},
    {"workers: 2", "workers: two", "6:10", "'workers' is not a whole number: 'two'",
     "threads, each with its own consumer and producer", 1},
    {"workers: 2", "workers: 0", "6:10", "'workers' has to be from 1 to 256, and is 0",
     "threads, each with its own consumer and producer", 1},
    {"workers: 2", "workers: 1.5", "6:10", "'workers' is not a whole number: '1.5'",
     "threads, each with its own consumer and producer", 1},
    {"workers: 2", "workers: 2\nworkers: 3", "7:1", "'workers' is given twice in one mapping",
     "remove one of the two", 1},
    {"workers: 2", "workers: ${WORKERS}", "6:10", "the environment variable WORKERS is not set",
     "set it, or give a default: ${WORKERS:-...}", 1},
    {"workers: 2", "workers: ${WORKERS:-many}", "6:10", "'workers' is not a whole number: 'many'",
     "threads, each with its own consumer and producer", 1},
    {"workers: 2", "workers: 2\ndelivery: exactly-once", "7:11",
     "'delivery' has to be exactly_once or at_least_once, and is 'exactly-once'",
     "did you mean 'exactly_once'?", 1},
    {"workers: 2", "workers: 2\nstart: newest", "7:8",
     "'start' has to be earliest or latest, and is 'newest'",
     "where a source is read from at the very first start", 1},
    {"workers: 2", "workers: 2\nlate: maybe", "7:7",
     "'late' has to be drop or dead_letter, and is 'maybe'",
     "what happens to an event that is too late", 1},
    {"workers: 2", "workers: 2\npolicy: { control_group: 5% }", "7:1",
     "'policy' is not supported by this version of ringfold", "remove it", 1},
    {"workers: 2", "workers: 2\nhttp: { listen: 8088 }", "7:17",
     "'listen' is not ADDRESS:PORT such as 127.0.0.1:8088, or off: '8088'", "ADDRESS:PORT, or off",
     1},
    {"workers: 2", "workers: 2\nhttp: { listen: '::1:8088' }", "7:18",
     "'listen' is not ADDRESS:PORT such as 127.0.0.1:8088, or off: '::1:8088'",
     "ADDRESS:PORT, or off", 1},
    {"workers: 2", "workers: 2\nhttp: { listen: '0.0.0.0:8088' }", "7:18",
     "customers' data could be asked for over the network, by anyone",
     "listen on 127.0.0.1, or set http.token_file or http.tls.client_ca", 1},
    {"workers: 2", "workers: 2\nhttp: { tls: { client_ca: tests/edge/config/test_config.c } }",
     "7:14", "clients can only be asked for certificates where there is one of ours",
     "http.tls: { certificate: PATH, key: PATH }", 1},
    {"workers: 2", "workers: 2\nhttp: { tls: { key: tests/edge/config/test_config.c } }", "7:14",
     "http.tls has a certificate or a key, but not both",
     "http.tls: { certificate: PATH, key: PATH }", 1},
    {"workers: 2", "workers: 2\nlog: { level: verbose }", "7:15",
     "'level' has to be debug, info, warning or error, and is 'verbose'",
     "the least that is written", 1},
    {"workers: 2", "workers: 2\nmax_ahead: -1d", "7:12",
     "'max_ahead' is not a length of time such as 250ms, 90s, 15m, 24h, 7d or 1d12h: '-1d'",
     "how far an event's time may be past its message's timestamp; beyond it the event is a dead letter",
     1},
    {"workers: 2", "\tworkers: 2", "6:1",
     "this is not YAML: tab character may not be used as indentation", "indent with spaces", 1},
    {"commit.interval: 50ms", "commit.interval: 50", "7:18",
     "'interval' is not a length of time such as 250ms, 90s, 15m, 24h, 7d or 1d12h: '50'",
     "the length of a transaction: what is emitted is visible this much later", 1},
    {"commit.interval: 50ms", "commit.interval: 2h", "7:18",
     "'interval' has to be from 1ms to 1m, and is 2h",
     "the length of a transaction: what is emitted is visible this much later", 1},
    {"commit.interval: 50ms", "commit.intervall: 50ms", "7:8",
     "there is no setting 'intervall' in commit", "did you mean 'interval'?", 1},
    {"commit.interval: 50ms", "commit: { interval: 50ms }\ncommit.interval: 60ms", "8:8",
     "'interval' is given twice", "remove one of the two", 1},
    {"commit.interval: 50ms", "commit: fast", "7:9", "'commit' has to be a mapping, not a text",
     "how often transactions end", 1},
    {"memory: 64MiB", "memory: 64MB", "5:38",
     "'memory' is not a size such as 64KiB, 512MiB or 1GiB: '64MB'",
     "for caches and write buffers of all tasks together", 1},
    {"memory: 64MiB", "memory: 1MiB", "5:38",
     "'memory' has to be from 16MiB to 1024GiB, and is 1MiB",
     "for caches and write buffers of all tasks together", 1},
    {"memory: 64MiB", "memry: 64MiB", "5:30", "there is no setting 'memry' in state",
     "did you mean 'memory'?", 1},
    {"{ dir: /tmp/ringfold, memory: 64MiB }", "{ dir: /tmp/ringfold, memory: 64MiB", "6:8",
     "this is not YAML: missing comma in flow mapping",
     "inside { } and [ ] quote a text that contains , [ ] { or }", 1},
    {"url: \"http://localhost:8081\"", "url: localhost:8081", "4:25",
     "'url' is not a URL that begins with http:// or https://: 'localhost:8081'",
     "of a registry with the Confluent API; several with commas in between", 1},
    {"url: \"http://localhost:8081\"", "url: \"http://me:secret@localhost:8081\"", "4:26",
     "'url' carries credentials", "give them as user and password", 1},
    {"{ url: \"http://localhost:8081\" }", "{ timeout: 5s }", "4:18",
     "'url' is missing in schema_registry",
     "of a registry with the Confluent API; several with commas in between", 1},
    {"{ url: \"http://localhost:8081\" }", "{ url: \"http://localhost:8081\", user: me }", "4:26",
     "schema_registry has a user or a password, but not both", "give both or none", 1},
    {"{ url: \"http://localhost:8081\" }",
     "{ url: \"http://localhost:8081\", ca_location: no/such.pem }", "4:63",
     "no/such.pem: No such file or directory",
     "the path is relative to the folder of this configuration", 1},
    {"bootstrap.servers: localhost:9092", "group.id: mine\n  bootstrap.servers: localhost:9092",
     "3:3", "ringfold sets 'group.id' itself", "it is 'app'", 1},
    {"bootstrap.servers: localhost:9092",
     "enable.auto.commit: true\n  bootstrap.servers: localhost:9092", "3:3",
     "ringfold sets 'enable.auto.commit' itself",
     "offsets are committed with the transaction that they belong to", 1},
    {"bootstrap.servers: localhost:9092",
     "sasl.password: { file: no/such }\n  bootstrap.servers: localhost:9092", "3:26",
     "no/such: No such file or directory", NULL, 1},
    {"bootstrap.servers: localhost:9092",
     "sasl.password: { env: NO_SUCH }\n  bootstrap.servers: localhost:9092", "3:25",
     "the environment variable NO_SUCH is not set", "set it where ringfold is started", 1},
    {"bootstrap.servers: localhost:9092", "sasl.password: [a]\n  bootstrap.servers: localhost:9092",
     "3:18", "a value is expected here, not a list",
     "write a text, { file: PATH } or { env: NAME }", 1},
    {"bootstrap.servers: localhost:9092", "client.id: x", "3:3", "ringfold sets 'client.id' itself",
     "it is INSTANCE-WORKER: see 'instance'", 2},
    {"kafka:\n  bootstrap.servers: localhost:9092\n", "", "1:1",
     "'bootstrap.servers' is missing in kafka", "kafka: { bootstrap.servers: HOST:PORT }", 1},
    {"kafka:\n  bootstrap.servers: localhost:9092\n", "kafka: localhost:9092\n", "2:8",
     "'kafka' has to be a mapping from properties to values, not a text",
     "properties of librdkafka, bootstrap.servers first; a value may be { file: PATH } or { env: NAME }",
     1},
    {"topic: calls, ", "", "10:3", "'topic' is missing in sources.calls",
     "what is read; all sources have the same number of partitions", 1},
    {"topic: calls,", "topic: telco/calls,", "10:19",
     "'topic' is not a topic: up to 249 letters, digits, '.', '_' and '-': 'telco/calls'",
     "what is read; all sources have the same number of partitions", 1},
    {"topic: calls,", "topic: retention-changelog,", "10:19",
     "topic 'retention-changelog' is the changelog and also that of source 'calls'",
     "a topic of the application's own is for nothing else", 1},
    {"format: avro,", "format: arvo,", "10:34",
     "'format' has to be avro, avro-object, avro-raw or json, and is 'arvo'",
     "did you mean 'avro'?", 1},
    {"format: json\n    schema: schemas/purchase.avsc", "format: json", "11:3",
     "source 'payments' has no schema: its fields are not known", "schema: FILE", 1},
    {"schemas/call.avsc", "schemas/cal.avsc", "10:48",
     "schemas/cal.avsc: No such file or directory",
     "the path is relative to the folder of this configuration", 1},
    {"schemas/call.avsc", "schemas/README.md", "10:48", "schemas/README.md: line 1, column 1", NULL,
     1},
    {"time: event.started_at", "time: event.start_at", "10:91", "'start_at'", NULL, 1},
    {"time: event.started_at", "time: event.duration_s", "10:91", "the result has to be timestamp",
     NULL, 1},
    {"time: event.started_at", "time: event.time", "10:85",
     "event.time is what this expression makes",
     "name a field of the event, or leave it out for the message's timestamp", 1},
    {"id: event.cdr_id", "id: event.duration_s", "10:107", "an id has to be a string or an int",
     "string(x) makes a text of it; a value that may be null needs a default", 1},
    {"id: event.cdr_id", "id: event.cell_id", "10:107", "an id has to be a string or an int",
     "string(x) makes a text of it; a value that may be null needs a default", 1},
    {"id: event.cdr_id", "where: now > event.started_at", "10:110", "'now'",
     "the expressions of a source see the event alone", 1},
    {"customer: event.customer_id", "customer: event.amount", "16:21",
     "the result has to be string", NULL, 1},
    {"customer: event.customer_id", "dedup: 3d", "16:12", "'dedup' needs an 'id' to go by",
     "id: EXPRESSION", 1},
    {"customer: event.customer_id", "rekey: true", "16:5",
     "'rekey' is not supported by this version of ringfold", "remove it", 1},
    {"customer: event.customer_id", "custumer: event.customer_id", "16:5",
     "there is no setting 'custumer' in sources.payments", "did you mean 'customer'?", 1},
    {"  payments:\n", "  2nd payments:\n", "11:3",
     "'2nd payments' is no name for one of the sources",
     "letters, digits, '_' and '-', not a digit first", 1},
    {"  calls: { topic: calls,", "  calls: { topic: calls, topic: calls,", "10:26",
     "'topic' is given twice in one mapping", "remove one of the two", 1},
    {"count: call,", "count: cal,", "19:24", "no source has the kind 'cal'", "did you mean 'call'?",
     1},
    {"count: call,", "cuont: call,", "19:17", "there is no setting 'cuont' in features.dropped_7d",
     "did you mean 'count'?", 1},
    {"count: call,", "", "19:3", "feature 'dropped_7d' does not say what it is",
     "one of count, sum, mean, min, max, quantile, first, last, top, entropy, count_by, count_distinct, decay, trend, interval, open, cases, expr",
     1},
    {"count: call,", "count: call, sum: event.duration_s,", "19:35",
     "a feature is either 'count' or 'sum'", "make two features of it", 1},
    {"count: call,", "count: call, on: call,", "19:34", "'count' has no 'on'",
     "it names its kind itself", 1},
    {"event.termination == \"DROPPED\"", "event.terminaton == \"DROPPED\"", "19:44", "'terminaton'",
     NULL, 1},
    {"event.termination == \"DROPPED\"", "event.termination == DROPPED", "19:59", "'DROPPED'",
     "a text stands in quotes: \"DROPPED\"", 1},
    {"event.termination == \"DROPPED\"", "event.termination = \"DROPPED\"", "19:56",
     "unexpected character", NULL, 1},
    {"event.termination == \"DROPPED\"", "event.termination", "19:44", "the result has to be bool",
     NULL, 1},
    {"event.termination == \"DROPPED\"", "event.cell_id.startsWith(\"4\")", "19:44",
     "'event.cell_id'", NULL, 1},
    {"window: 7d }", "window: 7 days }", "19:79",
     "'window' is not a length of time such as 250ms, 90s, 15m, 24h, 7d or 1d12h: '7 days'",
     "only events of this last length of time; the default is all", 1},
    {"window: 7d }", "window: 7d, bucket: 5h }", "19:91",
     "'window' is not a whole number of buckets of 5h", "window: 7d goes with bucket: 1h", 1},
    {"window: 7d }", "window: 7d, bucket: 1s }", "19:91",
     "window and offset have more than 10000 buckets",
     "take a larger 'bucket': a customer's record keeps each that is not empty", 1},
    {"window: 7d }", "window: 90500ms }", "19:79", "'window' and 'offset' have to be whole seconds",
     "window: 90s", 1},
    {"window: 7d }", "values: 9 }", "19:79", "'count' has no 'values'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { top: event.cell_id, on: call, values: 1025 }",
     "21:49", "'values' has to be from 1 to 1024, and is 1025",
     "of top, entropy and count_by: how many different values of a customer are remembered; they "
     "are exact up to there",
     1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { entropy: event.cell_id, on: call, window: 30d, values: 1024 }", "21:53",
     "window and offset have more than 125 buckets",
     "take a larger 'bucket', or fewer 'values': a customer's record keeps each of each", 1},
    {"window: 7d }", "half_life: 7d }", "19:82", "'count' has no 'half_life'", "remove it", 1},
    {"window: 7d }", "offset: 7d }", "19:79", "'offset' needs a 'window'", "window: 28d", 1},
    {"on: call, window: 28d", "on: calls, window: 28d", "20:48", "no source has the kind 'calls'",
     "did you mean 'call'?", 1},
    {"on: call, window: 28d", "window: 28d", "20:3",
     "feature 'minutes' does not say on which events",
     "on: KIND, the kind of event whose values are taken", 1},
    {"event.duration_s / 60.0, on", "event.duration_s / 60, on", "20:36", "'/'", NULL, 1},
    {"event.duration_s / 60.0, on", "event.termination, on", "20:19",
     "'sum' does not take a value of type string", "it takes int and double: int(x), double(x)", 1},
    {"event.duration_s / 60.0, on", "share, on", "20:19", "'share'",
     "they read each other: minutes -> share -> minutes", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { decay: call }", "21:3",
     "'half_life' is missing in a decay", "half_life: 7d", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { decay: calls, half_life: 7d }", "21:18",
     "no source has the kind 'calls'", "did you mean 'call'?", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { decay: call, on: call, half_life: 7d }",
     "21:28", "'decay' has no 'on'", "it names its kind itself", 1},
    {"rate: { decay: call, half_life: 7d }", "customer: { decay: call, half_life: 7d }", "21:3",
     "a feature cannot be called 'customer'",
     "CEL or the customer record uses it; take another one", 1},
    {"rate: { decay: call, half_life: 7d }", "call-rate: { decay: call, half_life: 7d }", "21:3",
     "'call-rate' is no name for one of the features",
     "letters, digits and '_', not a digit first: expressions read it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: call", "21:3",
     "'rate' has to be a mapping, not a text", "{ count: KIND, window: 7d }, for instance", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { first: event.time, on: call, window: 7d }",
     "21:48", "'first' has no 'window'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { open: event.time, close: event.charge > 1.0, by: event.cdr_id, on: call }", "21:23",
     "the result has to be bool", "compare it with something", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { open: event.charge > 1.0, by: event.cdr_id, on: call }", "21:3",
     "'close' is missing in an open", "close: EXPRESSION, which events close a case", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { open: event.charge > 1.0, close: event.charge < 1.0, on: call }", "21:3",
     "'by' is missing in an open", "by: EXPRESSION, the id of the case", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { open: event.charge > 1.0, close: event.charge < 1.0, by: event.duration_s, on: call }",
     "21:68", "'open' does not take a value of type double",
     "the id of a case is a text: string(x)", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call, window: 7d }",
     "21:100", "'open' has no 'window'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { count: call, by: event.cdr_id }", "21:28",
     "'count' has no 'by'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { cases: spend, stat: oldest }", "21:18",
     "there are no cases 'spend' above",
     "the feature with 'open', 'close' and 'by' has to be written above", 1},
    {"rate: { decay: call, half_life: 7d }",
     "cs: { open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }\n"
     "  rate: { cases: css, stat: oldest }",
     "22:18", "there are no cases 'css' above", "did you mean 'cs'?", 1},
    {"rate: { decay: call, half_life: 7d }",
     "cs: { open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }\n"
     "  rate: { cases: cs }",
     "22:3", "'stat' is missing in a cases",
     "one of oldest, opened, reopened, resolved, resolution_mean, resolution_last", 1},
    {"rate: { decay: call, half_life: 7d }",
     "cs: { open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }\n"
     "  rate: { cases: cs, stat: stddev }",
     "22:28", "'cases' has no such 'stat'",
     "one of oldest, opened, reopened, resolved, resolution_mean, resolution_last", 1},
    {"rate: { decay: call, half_life: 7d }",
     "cs: { open: event.charge > 1.0, close: event.charge < 1.0, by: event.cdr_id, on: call }\n"
     "  rate: { cases: cs, stat: opened, on: call }",
     "22:40", "'cases' has no 'on'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { interval: calls }", "21:21",
     "no source has the kind 'calls'", "did you mean 'call'?", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { interval: call, stat: oldest }", "21:33",
     "'interval' has no such 'stat'", "one of mean, last, min, max, stddev", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { interval: call, stat: median }", "21:33",
     "'stat' has to be mean, last,", "did you mean 'mean'?", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { interval: call, window: 7d }", "21:35",
     "'interval' has no 'window'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { interval: call, on: call }", "21:31",
     "'interval' has no 'on'", "it names its kind itself", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { count: call, stat: mean }", "21:30",
     "'count' has no 'stat'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { trend: call }", "21:3",
     "'window' is missing in a trend", "window: 28d", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { trend: calls, window: 7d }", "21:18",
     "no source has the kind 'calls'", "did you mean 'call'?", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { trend: call, window: 7d, offset: 7d }",
     "21:44", "'trend' has no 'offset'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { trend: event.termination, on: call, window: 7d }", "21:18",
     "'trend' does not take a value of type string", "it takes int and double: int(x), double(x)",
     1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { mean: event.duration_s, on: call, window: 7d, half_life: 7d }", "21:68",
     "a feature has either a 'window' or a 'half_life'", "make two features of it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { mean: event.termination, on: call }", "21:17",
     "'mean' does not take a value of type string", "it takes int and double: int(x), double(x)",
     1},
    {"rate: { decay: call, half_life: 7d }", "rate: { quantile: event.duration_s, on: call }",
     "21:3", "'q' is missing in a quantile", "q: 0.95", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { quantile: event.duration_s, on: call, q: 95 }", "21:52",
     "'q' is not a number from 0 to 1 such as 0.95: '95'",
     "of quantile: which share; 0.5 is the median", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { top: event.termination, on: call, q: 0.5 }",
     "21:48", "'top' has no 'q'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { top: event.duration_s, on: call }", "21:16",
     "'top' does not take a value of type double", "it takes string, int and bool: string(x)", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { entropy: event.started_at, on: call }",
     "21:20", "'entropy' does not take a value of type timestamp",
     "it takes string, int and bool: string(x)", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { count_by: event.termination, on: call, half_life: 7d }", "21:61",
     "'count_by' has no 'half_life'", "remove it", 1},
    {"rate: { decay: call, half_life: 7d }",
     "rate: { top: event.termination, on: call, window: 365d, bucket: 1h }", "21:67",
     "window and offset have more than 2000 buckets", "take a larger 'bucket'", 1},
    {"rate: { decay: call, half_life: 7d }",
     "ends: { count_by: event.termination, on: call }\n"
     "  rate: { expr: 'ends[\"DROPPED\"] > 3' }",
     "22:22", "there may be no such key",
     "guard it: \"DROPPED\" in ends && ..., or give a default: ends[?\"DROPPED\"].orValue(0)", 1},
    {"rate: { decay: call, half_life: 7d }",
     "ends: { count_by: event.termination, on: call }\n  rate: { expr: ends.DROPPED > 3 }", "22:22",
     "there may be no such key",
     "guard it: has(ends.DROPPED) && ..., or give a default: ends.?DROPPED.orValue(0)", 1},
    {"rate: { decay: call, half_life: 7d }",
     "best: { top: event.termination, on: call }\n  rate: { expr: best.size() > 3 }", "22:17",
     "'best'", NULL, 1},
    {"? spend / minutes", "? spend / minuts", "27:19", "'minuts'", NULL, 1},
    {"? spend / minutes", "? spend / rules_fired(1)", "27:19", "'rules_fired'", NULL, 1},
    {"? spend / minutes", "? share / minutes", "27:11", "'share'", "a feature cannot read itself",
     1},
    {"? spend / minutes", "? event.amount / minutes", "27:11", "'event'",
     "an event is seen by the features that fold it (sum, last, where, ...): make a feature of it and read that",
     1},
    {": 0.0\n", ": 0\n", "27:9", "'?:'", NULL, 1},
    {": 0.0\n", ": 0.0 +\n", "28:16", "unexpected end", NULL, 1},
    {"spend: { sum: event.amount, on: purchase }", "spend: { expr: 'minutes + share' }", "22:29",
     "'share'", "they read each other: spend -> share -> spend", 1},
    {"spend: { sum: event.amount, on: purchase }",
     "spend: { expr: 'double(total)' }\n  total: { expr: minutes }", "22:26", "'total'",
     "it is written further down; move 'total' above 'spend'", 1},
    {"spend: { sum: event.amount, on: purchase }", "spend: { sum: event.currency, on: purchase }",
     "22:17", "'sum' does not take a value of type string",
     "it takes int and double: int(x), double(x)", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: droped_7d >= 3 && share > 0.5", "32:11",
     "'droped_7d'", NULL, 1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: dropped_7d", "32:11",
     "the result has to be bool", NULL, 1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: last_cell.startsWith(\"4\")", "32:11",
     "'last_cell'", NULL, 1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: 'dropped_7d >= ''3'''", "32:23", "'>='", NULL,
     1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: event.duration_s > 3.0", "32:11", "'event'",
     "an event is seen by the features that fold it (sum, last, where, ...): make a feature of it and read that",
     1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: {dropped_7d: 3}", "32:11",
     "'when' has to be an expression, not a mapping",
     "quote an expression that begins with [ or {, or that contains ': '", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: { kind: call }", "32:14",
     "'pattern' has to be a list of mappings, not a mapping",
     "a sequence of events of one customer", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: []", "32:14", "the pattern has no steps",
     "[ { kind: KIND }, { not: KIND, for: 14d } ]", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ call ]", "32:16",
     "a step has to be a mapping, not a text",
     "{ kind: KIND, where: EXPRESSION } or { not: KIND, for: 14d }", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: cal } ]", "32:24",
     "no source has the kind 'cal'", "did you mean 'call'?", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call }, { not: cals, for: 1d } ]",
     "32:39", "no source has the kind 'cals'", "did you mean 'call'?", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { where: 'true' } ]", "32:16",
     "the step does not say which events it is about", "kind: KIND, or not: KIND", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call, not: purchase } ]", "32:35",
     "a step is either 'kind' or 'not'", "make two steps of it", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { not: call, for: 14d } ]", "32:23",
     "a pattern cannot begin with a 'not'", "begin with the event after which nothing may happen",
     1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call, for: 14d } ]", "32:35",
     "'for' is how long a 'not' has to last", "{ not: KIND, for: 14d }, as the last step", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call }, { not: purchase, for: 14d }, { kind: call } ]", "32:54",
     "'for' belongs to the last step", "between two steps a 'not' holds until the next event", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call }, { not: purchase } ]",
     "32:39", "nothing says how long the silence at the end has to last", "for: 14d", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call }, { not: purchase, for: 14d } ]\n    within: 30d", "32:54",
     "'for' and the 'within' of the rule cannot both end the silence",
     "give each step a 'within' of its own", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call }, { not: purchase, times: 2, for: 14d } ]", "32:56",
     "a 'not' has no 'times'", "it is broken by the first such event", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call }, { not: purchase, within: 2d, for: 14d } ]", "32:57",
     "a 'not' has no 'within'", "for: 14d, if nothing may happen for so long", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call, within: 2d }, { kind: call } ]", "32:38",
     "the first step has none before it", "the rule's own 'within' is for the whole pattern", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call }, { kind: call, times: 2, within: 2d } ]", "32:64",
     "a step with 'times' has no 'within'", "write the step once for each of its events", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call }, { kind: call, within: 2d } ]\n    within: 1d", "32:54",
     "'within' is longer than that of the whole pattern",
     "make it shorter, or that of the rule longer", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call, times: 0 } ]", "32:37",
     "'times' has to be from 1 to 32, and is 0", "how many such events, one after the other", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call, times: 30 }, { kind: call, times: 3 } ]", "32:14",
     "a match has 33 events, 32 are the limit", "count with a feature", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call }, { kind: call } ]",
     "32:272", "the pattern has 17 steps, 16 are the limit", "'times' repeats a step", 1},
    {"when: dropped_7d >= 3 && share > 0.5",
     "pattern: [ { kind: call, where: event.amount > 1.0 } ]", "32:43",
     "the event of source 'calls' has no field 'amount'", NULL, 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call, where: event.duration_s } ]",
     "32:43", "the result has to be bool", "compare it with something", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call, wher: 'true' } ]", "32:30",
     "there is no setting 'wher' in rules.failing.pattern, step 1", "did you mean 'where'?", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call } ]\n    skip: past", "33:11",
     "'skip' has to be past_last or none, and is 'past'", "of a pattern", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call } ]\n    for: 1d", "33:10",
     "'for' is how long a 'when' has to hold", "the last step of the pattern", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: dropped_7d >= 3 && share > 0.5\n    within: 1d",
     "33:13", "'within' belongs to a 'pattern'", "pattern: [ { kind: KIND }, ... ], or remove it",
     1},
    {"when: dropped_7d >= 3 && share > 0.5", "when: dropped_7d >= 3 && share > 0.5\n    skip: none",
     "33:11", "'skip' belongs to a 'pattern'", "pattern: [ { kind: KIND }, ... ], or remove it", 1},
    {"when: dropped_7d >= 3 && share > 0.5", "pattern: [ { kind: call }, { not: call, for: 14 } ]",
     "32:50", "'for' is not a length of time", "of a 'not' at the end", 1},
    {"when: dropped_7d >= 3 && share > 0.5\n    ", "", "31:3", "'when' is missing in rules.failing",
     "when: EXPRESSION, or pattern", 1},
    {"emit: alert", "emit: alerts", "33:11", "there is no output 'alerts'", "did you mean 'alert'?",
     1},
    {"emit: alert\n", "\n", "31:3", "'emit' is missing in rules.failing", "the output", 1},
    {"severity: high", "severity: severe", "34:15",
     "'severity' has to be low, medium, high or critical, and is 'severe'", "how urgent it is", 1},
    {"cooldown: 7d", "cooldown: 7", "35:15",
     "'cooldown' is not a length of time such as 250ms, 90s, 15m, 24h, 7d or 1d12h: '7'",
     "how long the rule is silent about a customer after it fired, in event time; the default is not at all",
     1},
    {"cooldown: 7d", "cool_down: 7d", "35:5", "there is no setting 'cool_down' in rules.failing",
     "did you mean 'cooldown'?", 1},
    {"string(dropped_7d)", "dropped_7d", "36:26", "'+'", NULL, 1},
    {"channel: sms, ", "", "40:12", "'channel' is missing in rules.win-back.offer",
     "how to reach the customer", 1},
    {"value: spend", "value: dropped_7d", "40:48", "the result has to be double", NULL, 1},
    {"topic: alerts,", "topic: calls,", "43:19", "topic 'calls' is also that of source 'calls'",
     "what it emits would come back as its input, without end", 1},
    {"topic: alerts,", "topic: offers,", "44:19",
     "outputs 'alert' and 'offer' write different messages to topic 'offers'",
     "give each its topic, or both the same format and schema", 1},
    {"topic: alerts,", "topic: retention-dlq,", "43:19",
     "topic 'retention-dlq' is for dead letters and also that of output 'alert'",
     "a topic of the application's own is for nothing else", 1},
    {"schemas/churn_alert.avsc", "schemas/call.avsc", "43:35",
     "output alert, rule failing, field cdr_id: ringfold does not know it, so it needs a default",
     "give the field a default, or call it by a name that ringfold fills (schemas/README.md)", 1},
    {"topic: offers, format: json", "topic: offers, format: avro", "44:35",
     "output 'offer' has no schema", "schema: FILE, or format: json", 1},
    {"topic: offers, format: json", "topic: offers, format: avro-raw", "44:35",
     "an output cannot be avro-raw: nobody could tell its schema",
     "avro (with a registry), avro-object or json", 1},
    {"topic: offers, format: json", "format: json", "44:3", "'topic' is missing in outputs.offer",
     "where it is written to", 1},
    {"{ topic: offers, format: json }", "offers", "44:3", "'offer' has to be a mapping, not a text",
     "{ topic: TOPIC }", 1},
    {"outputs:", "output:", "42:1", "there is no setting 'output'", "did you mean 'outputs'?", 1},
    {"sources:", "sources: []\nsources_old:", "10:1", "there is no setting 'sources_old'",
     "known here: app", 2},
    {"alert: { topic", "alert: *shared\n  other: { topic", "43:11", "there is no anchor 'shared'",
     "an anchor (&name) has to be written above its use; quote a text that starts with *", 1},
    {"alert: { topic", "alert: { toppic", "43:12", "there is no setting 'toppic' in outputs.alert",
     "did you mean 'topic'?", 1},
    {"bootstrap.servers: localhost:9092", "linger.mss: 5\n  bootstrap.servers: localhost:9092",
     "3:3", "librdkafka: No such configuration property: \"linger.mss\"",
     "did you mean 'linger.ms'?", 1},
    {"bootstrap.servers: localhost:9092", "linger.ms: soon\n  bootstrap.servers: localhost:9092",
     "3:14", "librdkafka: Invalid value for configuration property \"queue.buffering.max.ms\"",
     NULL, 1},
    {"workers: 2", "workers: 2\ntopics: { replication: 2, min_insync: 3 }", "7:39",
     "'min_insync' is larger than 'replication'",
     "with more than there are copies nothing can be written", 1},
    {"workers: 2", "workers: 2\nlimits: { event_bytes: 5TiB }", "7:24",
     "'event_bytes' has to be from 1KiB to 64MiB, and is 5TiB",
     "of a decoded event; larger ones are dead letters", 1},
    {"workers: 2", "workers: 2\ninstance: 'a b'", "7:12",
     "'instance' is not a name of letters, digits, '.', '_' and '-': 'a b'",
     "this process among those of the application; the default is the host's name", 1},
    {"time: event.started_at", "time: ${NO_SUCH}", "10:86",
     "this is not YAML: missing comma in flow mapping",
     "inside { } and [ ] quote a text that contains , [ ] { or }", 1},
    {"topic: calls,", "topic: \"${NO_SUCH}\",", "10:20",
     "the environment variable NO_SUCH is not set", "set it, or give a default: ${NO_SUCH:-...}",
     1},
    /* constants that can only fail */
    {"when: dropped_7d >= 3", "when: now - customer.first_seen > duration(\"14d\")", "32:48",
     "duration: not a duration such as 1h30m",
     "hours are the longest unit here: duration(\"336h\")", 1},
    {"when: dropped_7d >= 3", "when: now - customer.first_seen > duration(\"1w12h\")", "32:48",
     "duration: not a duration such as 1h30m", "duration(\"180h\")", 1},
    {"when: dropped_7d >= 3", "when: now - customer.first_seen > duration(\"30\")", "32:48",
     "duration: not a duration such as 1h30m",
     "such as duration(\"336h\"), duration(\"1h30m\"), duration(\"250ms\")", 1},
    {"when: dropped_7d >= 3", "when: true || now - customer.first_seen > duration(\"14d\")",
     "32:56", "duration: not a duration such as 1h30m", "duration(\"336h\")", 1},
    {"when: dropped_7d >= 3", "when: now > timestamp(\"2026-01-01\")", "32:27",
     "timestamp: not an RFC 3339 time",
     "with its time and zone: timestamp(\"2026-01-01T00:00:00Z\")", 1},
    {"when: dropped_7d >= 3", "when: now > timestamp(\"2026-01-01 12:30\")", "32:27",
     "timestamp: not an RFC 3339 time",
     "with its time and zone: timestamp(\"2026-01-01T12:30:00Z\")", 1},
    {"when: dropped_7d >= 3", "when: now > timestamp(\"2026-02-30T00:00:00Z\")", "32:27",
     "timestamp: not an RFC 3339 time",
     "an RFC 3339 time, such as timestamp(\"2026-01-01T00:00:00Z\")", 1},
    {"event.termination == \"DROPPED\"", "event.started_at.getHours(\"Europe/Berln\") > 3", "19:64",
     "there is no time zone 'Europe/Berln'", "did you mean 'Europe/Berlin'?", 1},
    {"event.termination == \"DROPPED\"", "date(event.started_at, \"Berlin\") == \"2026-01-01\"",
     "19:61", "there is no time zone 'Berlin'", "did you mean 'Europe/Berlin'?", 1},
    {"event.termination == \"DROPPED\"", "event.started_at.getHours(\"+25:00\") > 3", "19:64",
     "there is no time zone '+25:00'",
     "a name such as \"Europe/Berlin\", or an offset such as \"+02:00\"", 1},
    {"event.termination == \"DROPPED\"", "event.cdr_id.matches(\"(\" + \"a\")", "19:63",
     "invalid pattern: missing closing parenthesis", NULL, 1},
    {"string(dropped_7d)", "\"%q\".format([dropped_7d])", "36:28", "format: unknown clause", NULL,
     1},
    {"string(dropped_7d)", "\"%d of %d\".format([dropped_7d])", "36:28",
     "format: more clauses than arguments", NULL, 1},
    {"string(dropped_7d)", "\"%d\".format([customer.id])", "36:50", "format: %d needs a number",
     NULL, 1},
    {"string(dropped_7d)", "\"%d\".format([last_cell])", "36:41", "'last_cell' may be null here",
     NULL, 1},
    {"dropped_7d >= 3", "dropped_7d >= int(\"3 \")", "32:29", "int: not an integer", NULL, 1},
    {"event.termination == \"DROPPED\"", "event.termination.foo == 1", "19:56",
     "a value of type string has no fields", NULL, 1},
    {"event.termination == \"DROPPED\"", "", "19:38",
     "'where' has to be an expression, not an empty text", "bool: which of the events", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { expr: '[1, 2]' }", "21:18",
     "'expr' does not take a value of type list(int)",
     "it takes one plain value: a bool, a number, a text, bytes, a time", 1},
    {"rate: { decay: call, half_life: 7d }", "rate: { min: event.termination, on: call }", "21:16",
     "'min' does not take a value of type string", "it takes int, double, timestamp and duration",
     1},
    {"rate: { decay: call, half_life: 7d }", "in: { count: call }", "21:3",
     "a feature cannot be called 'in'", "CEL or the customer record uses it; take another one", 1},
    {"kind: call,", "kind: erase,", "10:108", "an erasure is not de-duplicated",
     "remove it: to erase twice does no harm", 5},
};

static struct rf_arena arena;
static struct rf_diagnostics diagnostics;

static bool berlin_only(void *self, struct rf_bytes zone, int64_t seconds, int32_t *offset_seconds)
{
    (void)self;
    (void)seconds;
    *offset_seconds = 3600;
    return rf_bytes_equal(zone, rf_bytes_of_text("Europe/Berlin"));
}

static void each_zone(void *self, void (*see)(void *to, struct rf_bytes name), void *to)
{
    static const char *const names[] = {"Europe/Paris", "Europe/Berlin", "Asia/Tokyo"};

    (void)self;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64]; /* gone, as soon as it was seen */
        snprintf(name, sizeof name, "%s", names[i]);
        see(to, rf_bytes_of_text(name));
        memset(name, '?', sizeof name);
    }
}

static const struct rf_zones zones = {.offset = berlin_only, .each = each_zone};

static bool check_property(void *self, const char *name, const char *value, struct rf_error *err)
{
    (void)self;
    return rf_property_check(name, value, err);
}

static struct rf_config *load(const char *text)
{
    struct rf_config_environment environment = {.property_check = check_property, .zones = &zones};
    struct rf_config *config = NULL;

    environment.property_names = rf_property_names(&arena, &environment.property_name_count);
    rf_diagnostics_init(&diagnostics, &arena);
    if (!rf_config_load_text(RF_SOURCE_DIR "/mutated.yaml", rf_bytes_of_text(text), &environment,
                             &arena, &config, &diagnostics))
        ck_assert_ptr_null(config);
    return config;
}

static void set_up(void)
{
    rf_arena_init(&arena, 65536);
}

static void tear_down(void)
{
    rf_arena_deinit(&arena);
}

START_TEST(the_configuration_is_fine_before_anything_is_changed)
{
    struct rf_config *config = load(fine);

    ck_assert_msg(config != NULL, "%zu:%zu %s", diagnostics.items[0].line,
                  diagnostics.items[0].column, diagnostics.items[0].message);
    ck_assert_uint_eq(diagnostics.count, 0);
}
END_TEST

static const struct rf_diagnostic *first_error(void)
{
    for (size_t i = 0; i < diagnostics.count; i++) {
        if (diagnostics.items[i].level == RF_DIAGNOSTIC_ERROR)
            return &diagnostics.items[i];
    }
    ck_abort_msg("there is no error");
    return NULL;
}

static const char *mutate(size_t i)
{
    static char text[sizeof fine + 1000];
    const char *at = strstr(fine, mutations[i].from);

    ck_assert_msg(at != NULL, "nothing to change: %s", mutations[i].from);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - fine), fine, mutations[i].to,
             at + strlen(mutations[i].from));
    return text;
}

START_TEST(a_mistake_is_found_with_its_place_and_a_remedy)
{
    const char *text = mutate((size_t)_i);

    struct rf_config *config = load(text);

    ck_assert_msg(config == NULL, "%s is taken", mutations[_i].to);
    const struct rf_diagnostic *error = first_error();
    char place[64];
    snprintf(place, sizeof place, "%zu:%zu", error->line, error->column);
    ck_assert_msg(strcmp(place, mutations[_i].place) == 0, "%s: at %s: %s", mutations[_i].to, place,
                  error->message);
    ck_assert_msg(strstr(error->message, mutations[_i].message) != NULL, "%s: %s", mutations[_i].to,
                  error->message);
    ck_assert_msg(mutations[_i].hint == NULL ||
                      (error->hint != NULL && strstr(error->hint, mutations[_i].hint) != NULL),
                  "%s: %s: %s", mutations[_i].to, error->message, error->hint);
    ck_assert_msg(diagnostics.error_count == mutations[_i].errors, "%s: %zu errors",
                  mutations[_i].to, diagnostics.error_count);
}
END_TEST

/* Cut off anywhere, a configuration is no crash: an error, or still a whole one. */
START_TEST(a_configuration_cut_off_anywhere_is_no_crash)
{
    static char text[sizeof fine];

    for (size_t size = 0; size + 1 < sizeof fine; size++) {
        memcpy(text, fine, size);
        text[size] = '\0';
        rf_arena_reset(&arena, 1 << 20);
        (void)load(text);
    }
}
END_TEST

/* Any one byte changed, likewise. */
START_TEST(a_configuration_with_any_byte_changed_is_no_crash)
{
    static const char bytes[] = "{}[]:,'\"|>&*#%@\n\t ${~-?";
    static char text[sizeof fine];

    for (size_t at = (size_t)_i; at + 1 < sizeof fine; at += 7) {
        memcpy(text, fine, sizeof fine);
        text[at] = bytes[(at + (size_t)_i) % (sizeof bytes - 1)];
        rf_arena_reset(&arena, 1 << 20);
        (void)load(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/config/mutations");
    TCase *tcase = tcase_create("mutations");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_configuration_is_fine_before_anything_is_changed);
    tcase_add_loop_test(tcase, a_mistake_is_found_with_its_place_and_a_remedy, 0,
                        sizeof mutations / sizeof mutations[0]);
    tcase_add_test(tcase, a_configuration_cut_off_anywhere_is_no_crash);
    tcase_add_loop_test(tcase, a_configuration_with_any_byte_changed_is_no_crash, 0, 7);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
