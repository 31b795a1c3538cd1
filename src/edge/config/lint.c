/* What each part cannot see by itself: topics that meet, sources that are one, secrets on open wires. */
#include <string.h>

#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/config/build.h"
#include "edge/sys/address.h"

struct topic_use {
    const char *topic;
    const char *whose;
    const struct rf_yaml_node *written; /* NULL: it is the default */
};

static void refuse_meeting(struct rf_build *build, const struct topic_use *own,
                           const struct topic_use *other)
{
    struct rf_place place = {0};

    if (other->topic == NULL || strcmp(other->topic, own->topic) != 0)
        return;
    if (own->written != NULL || other->written != NULL)
        place = rf_place_of(own->written != NULL ? own->written : other->written);
    place.hint = "a topic of the application's own is for nothing else";
    rf_complain(&build->yaml, place, "topic '%s' is %s and also %s", own->topic, own->whose,
                other->whose);
}

static struct topic_use entry_topic(const struct rf_build *build, const struct rf_entry *entry,
                                    const char *topic, const char *whose)
{
    return (struct topic_use){
        .topic = topic,
        .whose = rf_arena_printf(build->arena, "that of %s '%s'", whose, entry->name),
        .written = topic == NULL ? NULL : rf_group_find(&entry->group, "topic"),
    };
}

static void check_own_topics(struct rf_build *build)
{
    const struct rf_topic_settings *topics = &build->draft.config.topics;
    const struct rf_group *top = &build->top;
    struct topic_use own[] = {
        {topics->dead_letters, "for dead letters", rf_group_find(top, "topics.dead_letters")},
        {topics->changelog, "the changelog", rf_group_find(top, "topics.changelog")},
        {topics->tasks, "for tasks", rf_group_find(top, "topics.tasks")},
    };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        for (size_t j = 0; j < i; j++)
            refuse_meeting(build, &own[i], &own[j]);
        for (size_t j = 0; j < build->plan->source_count; j++) {
            struct topic_use use = entry_topic(build, &build->source_entries.items[j],
                                               build->sources[j].topic, "source");
            refuse_meeting(build, &own[i], &use);
        }
        for (size_t j = 0; j < build->plan->output_count; j++) {
            struct topic_use use = entry_topic(build, &build->output_entries.items[j],
                                               build->outputs[j].topic, "output");
            refuse_meeting(build, &own[i], &use);
        }
    }
}

/* Two sources may share a topic where each takes its part of it. */
static void check_shared_topics(struct rf_build *build)
{
    for (size_t i = 0; i < build->plan->source_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct rf_source *a = &build->sources[j], *b = &build->sources[i];
            struct rf_place place = rf_group_place(&build->source_entries.items[i].group, "topic");
            if (a->topic == NULL || b->topic == NULL || strcmp(a->topic, b->topic) != 0)
                continue;
            if (a->where != NULL && b->where != NULL &&
                rf_expr_fingerprint(a->where) != rf_expr_fingerprint(b->where))
                continue;
            place.level = RF_DIAGNOSTIC_WARNING;
            place.hint = "give each a 'where' of its own";
            rf_complain(&build->yaml, place,
                        "sources '%s' and '%s' take the same events of topic '%s'", a->name,
                        b->name, b->topic);
        }
    }
}

static void warn_clear_text(struct rf_build *build, const char *setting)
{
    const struct rf_yaml_node *node = rf_group_find(&build->top, setting);
    struct rf_place place = {.level = RF_DIAGNOSTIC_WARNING,
                             .hint = "write { file: PATH }, { env: NAME } or ${NAME}"};

    if (node == NULL || node->kind != RF_YAML_SCALAR || node->piece_count > 0)
        return;
    place.begin = node->begin;
    place.end = node->end;
    place.hide = RF_HIDE_FROM;
    rf_complain(&build->yaml, place, "a secret stands in the configuration");
}

/* Does one of the URLs lead over the network in clear text? */
static bool is_open(const struct rf_build *build, const char *urls)
{
    while (*urls != '\0') {
        size_t size = strcspn(urls, ",");
        const char *url = rf_arena_printf(build->arena, "%.*s", (int)size, urls);

        if (strncmp(url, "http://", 7) == 0 && !rf_all_loopback(url))
            return true;
        urls += urls[size] == ',' ? size + 1 : size;
    }
    return false;
}

static void check_registry(struct rf_build *build)
{
    const struct rf_registry_settings *registry = &build->draft.config.registry;
    bool secret = registry->password != NULL || registry->token != NULL;
    struct rf_place place = rf_group_place(&build->top, "schema_registry.url");

    if (registry->url == NULL)
        return;
    if ((registry->user == NULL) != (registry->password == NULL)) {
        place.hint = "give both or none";
        rf_complain(&build->yaml, place, "schema_registry has a user or a password, but not both");
    }
    place.level = RF_DIAGNOSTIC_WARNING;
    place.hint = "https://";
    if (is_open(build, registry->url))
        rf_complain(
            &build->yaml, place,
            secret
                ? "the registry's password goes over the network in clear text"
                : "schemas come over the network in clear text: who is on the way can change them");
    warn_clear_text(build, "schema_registry.password");
    warn_clear_text(build, "schema_registry.token");
}

/* Half a pair of files is a mistake in any case. */
static void check_http_tls(struct rf_build *build)
{
    const struct rf_http_settings *http = &build->draft.config.http;
    struct rf_place place = rf_group_place(&build->top, "http.tls");

    place.hint = "http.tls: { certificate: PATH, key: PATH }";
    if ((http->certificate == NULL) != (http->key == NULL))
        rf_complain(&build->yaml, place, "http.tls has a certificate or a key, but not both");
    else if (http->client_ca != NULL && http->certificate == NULL)
        rf_complain(&build->yaml, place,
                    "clients can only be asked for certificates where there is one of ours");
}

static void check_http(struct rf_build *build)
{
    const struct rf_http_settings *http = &build->draft.config.http;
    struct rf_place place = rf_group_place(&build->top, "http.listen");
    struct rf_address address;

    check_http_tls(build);
    if (http->listen == NULL || !rf_address_parse(http->listen, &address) ||
        rf_address_is_loopback(&address))
        return;
    if (http->token_file == NULL && http->client_ca == NULL) {
        place.hint = "listen on 127.0.0.1, or set http.token_file or http.tls.client_ca";
        rf_complain(&build->yaml, place,
                    "customers' data could be asked for over the network, by anyone");
        return;
    }
    place.level = RF_DIAGNOSTIC_WARNING;
    place.hint = "set http.tls, or listen on 127.0.0.1 and put a proxy before it";
    if (http->certificate == NULL)
        rf_complain(&build->yaml, place,
                    "tokens and customers' data go over the network in clear text");
}

static void check_delivery(struct rf_build *build)
{
    struct rf_place place = rf_group_place(&build->top, "topics.min_insync");
    const struct rf_topic_settings *topics = &build->draft.config.topics;

    if (topics->replication == 0 || topics->min_insync <= topics->replication)
        return;
    place.hint = "with more than there are copies nothing can be written";
    rf_complain(&build->yaml, place, "'min_insync' is larger than 'replication'");
}

void rf_build_lint(struct rf_build *build)
{
    check_own_topics(build);
    check_shared_topics(build);
    check_registry(build);
    check_http(build);
    check_delivery(build);
}
