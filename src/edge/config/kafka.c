#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "edge/config/build.h"
#include "edge/config/value.h"

#define PROPERTIES_MAX 500

/* What ringfold sets itself, and why nobody else may. */
static const struct {
    const char *name;
    const char *why;
} own[] = {
    {"enable.auto.commit", "offsets are committed with the transaction that they belong to"},
    {"auto.commit.enable", "offsets are committed with the transaction that they belong to"},
    {"auto.commit.interval.ms", "offsets are committed with the transaction: see commit.interval"},
    {"enable.auto.offset.store", "offsets are committed with the transaction that they belong to"},
    {"offset.store.method", "offsets are committed with the transaction that they belong to"},
    {"isolation.level", "sources are read committed, the changelog as its restore needs it"},
    {"transactional.id", "it is APP-INSTANCE-WORKER: see app and instance"},
    {"enable.idempotence", "it is on: without it a retry could double an alert"},
    {"enable.gapless.guarantee", "a failed message aborts the transaction instead"},
    {"acks", "it is all: with less an alert could be lost"},
    {"request.required.acks", "it is all: with less an alert could be lost"},
    {"auto.offset.reset", "use 'start: earliest' or 'start: latest'"},
    {"partition.assignment.strategy",
     "it is range: partition n of every source goes to one worker"},
    {"group.id", "it is 'app'"},
    {"group.instance.id", "it is INSTANCE-WORKER: see 'instance'"},
    {"group.protocol",
     "static membership and the range assignor are those of the classic protocol"},
    {"enable.partition.eof", "restore relies on it"},
    {"delivery.report.only.error", "a transaction is committed when every message was reported"},
    {"client.id", "it is INSTANCE-WORKER: see 'instance'"},
};

static const char *why_own(const char *name)
{
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(own[i].name, name) == 0)
            return own[i].why;
    }
    return NULL;
}

static bool is_secret(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
           strstr(name, "key.pem") != NULL || strcmp(name, "sasl.oauthbearer.config") == 0;
}

/* It is the name that is wrong where librdkafka has no such property; otherwise the value. */
static void refuse_property(struct rf_build *build, const struct rf_yaml_node *key,
                            const struct rf_yaml_node *item, const char *why)
{
    const struct rf_config_environment *environment = build->environment;
    const char *name = rf_yaml_text(key);
    const char *nearest =
        rf_nearest_name(key->text, environment->property_names, environment->property_name_count);
    bool known = nearest != NULL && strcmp(nearest, name) == 0;
    struct rf_place place = rf_place_of(known ? item : key);

    place.hide = !known ? RF_HIDE_BEHIND : is_secret(name) ? RF_HIDE_FROM : RF_HIDE_KNOWN;
    if (!known && nearest != NULL)
        place.hint = rf_arena_printf(build->arena, "did you mean '%s'?", nearest);
    else if (!known)
        place.hint = "librdkafka's CONFIGURATION.md lists them";
    if (known && is_secret(name))
        rf_complain(&build->yaml, place, "librdkafka refuses this value of '%s'", name);
    else
        rf_complain(&build->yaml, place, "%s", why);
}

static bool check_property(struct rf_build *build, const struct rf_yaml_node *key,
                           const struct rf_yaml_node *item, const char *value)
{
    const struct rf_config_environment *environment = build->environment;
    const char *name = rf_yaml_text(key);
    const char *why = why_own(name);
    struct rf_place place = rf_place_of(key);
    struct rf_error err = {0};

    if (why != NULL) {
        place.hint = why;
        rf_complain(&build->yaml, place, "ringfold sets '%s' itself", name);
        return false;
    }
    if (environment->property_check == NULL ||
        environment->property_check(environment->self, name, value, &err))
        return true;
    refuse_property(build, key, item, err.message);
    return false;
}

static void warn_clear_text(struct rf_build *build, const struct rf_yaml_node *item)
{
    struct rf_place place = rf_place_of(item);

    if (item->kind != RF_YAML_SCALAR || item->piece_count > 0)
        return;
    place.level = RF_DIAGNOSTIC_WARNING;
    place.hide = RF_HIDE_FROM;
    place.hint = "write { file: PATH }, { env: NAME } or ${NAME}";
    rf_complain(&build->yaml, place, "a secret stands in the configuration");
}

static void warn_property(struct rf_build *build, const struct rf_yaml_node *key, const char *value)
{
    const char *name = rf_yaml_text(key);
    struct rf_place place = rf_place_of(key);

    place.level = RF_DIAGNOSTIC_WARNING;
    if (strcmp(name, "plugin.library.paths") == 0) {
        place.hint = "make sure that nobody else can write them";
        rf_complain(&build->yaml, place, "libraries are loaded into the process");
    }
    if (strcmp(name, "enable.ssl.certificate.verification") == 0 && strcmp(value, "false") == 0) {
        place.hint = "give the broker's authority with ssl.ca.location instead";
        rf_complain(&build->yaml, place,
                    "anybody can pass for the broker: certificates are not verified");
    }
    if (strcmp(name, "ssl.endpoint.identification.algorithm") == 0 && strcmp(value, "none") == 0) {
        place.hint = "https is the default";
        rf_complain(&build->yaml, place, "the broker's name is not compared with its certificate");
    }
}

static const struct rf_property *find(const struct rf_build *build, const char *name)
{
    const struct rf_config *config = &build->draft.config;

    for (size_t i = 0; i < config->property_count; i++) {
        if (strcmp(config->properties[i].name, name) == 0)
            return &config->properties[i];
    }
    return NULL;
}

static bool is_loopback(const char *host, size_t size)
{
    static const char *const hosts[] = {"localhost", "127.", "[::1]", "::1"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t length = strlen(hosts[i]);
        bool prefix = hosts[i][length - 1] == '.';
        if (size >= length && strncasecmp(host, hosts[i], length) == 0 &&
            (prefix || size == length || host[length] == ':' || host[length] == '/'))
            return true;
    }
    return false;
}

bool rf_all_loopback(const char *servers)
{
    while (*servers != '\0') {
        size_t size = 0;
        const char *scheme = NULL;
        servers += strspn(servers, ", ");
        size = strcspn(servers, ", ");
        scheme = memmem(servers, size, "://", 3);
        if (scheme != NULL) {
            size -= (size_t)(scheme + 3 - servers);
            servers = scheme + 3;
        }
        if (size > 0 && !is_loopback(servers, size))
            return false;
        servers += size;
    }
    return true;
}

static const struct rf_yaml_node *written(const struct rf_build *build, const char *name)
{
    return rf_yaml_find(build->draft.kafka, name);
}

static void check_servers(struct rf_build *build)
{
    const char *name =
        find(build, "bootstrap.servers") != NULL ? "bootstrap.servers" : "metadata.broker.list";
    const struct rf_property *servers = find(build, name);
    const struct rf_property *protocol = find(build, "security.protocol");
    struct rf_place place = rf_group_place(&build->top, "kafka");

    if (servers == NULL) {
        place.hint = "kafka: { bootstrap.servers: HOST:PORT }";
        if (!build->environment->without_kafka && written(build, name) == NULL &&
            written(build, "bootstrap.servers") == NULL &&
            (build->draft.kafka != NULL || rf_group_find(&build->top, "kafka") == NULL))
            rf_complain(&build->yaml, place, "'bootstrap.servers' is missing in kafka");
        return;
    }
    if (rf_all_loopback(servers->value) ||
        (protocol != NULL &&
         (strcasecmp(protocol->value, "ssl") == 0 || strcasecmp(protocol->value, "sasl_ssl") == 0)))
        return;
    place = rf_place_of(written(build, name));
    place.level = RF_DIAGNOSTIC_WARNING;
    place.hint = "security.protocol: ssl (or sasl_ssl)";
    rf_complain(&build->yaml, place, "customers' data goes to Kafka in clear text");
}

static void add_property(struct rf_build *build, const struct rf_yaml_node *key,
                         const struct rf_yaml_node *item, struct rf_property *properties)
{
    const char *value = rf_secret_read(&build->reader, item);
    const char *name = rf_yaml_text(key);

    if (value == NULL || !check_property(build, key, item, value))
        return;
    warn_property(build, key, value);
    if (is_secret(name))
        warn_clear_text(build, item);
    properties[build->draft.config.property_count++] = (struct rf_property){
        .name = name,
        .value = value,
        .secret = is_secret(name) || item->kind == RF_YAML_MAP,
    };
}

void rf_build_kafka(struct rf_build *build)
{
    const struct rf_yaml_node *map = build->draft.kafka;
    size_t count = map == NULL ? 0 : map->count;
    struct rf_property *properties = NULL;

    if (count > PROPERTIES_MAX) {
        rf_complain(&build->yaml, rf_place_of(map->keys[PROPERTIES_MAX]),
                    "more than 500 properties of Kafka");
        count = PROPERTIES_MAX;
    }
    properties = rf_arena_alloc(build->arena, (count + 1) * sizeof *properties);
    build->draft.config.properties = properties;
    for (size_t i = 0; i < count; i++)
        add_property(build, map->keys[i], map->items[i], properties);
    check_servers(build);
}
