#include "cli/endpoint.h"

#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/explained.h"
#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/number.h"
#include "core/model/plan.h"
#include "edge/sys/file.h"
#include "edge/sys/log.h"

static struct rf_ops_options options_of(const struct rf_config *config, const char *instance)
{
    struct rf_ops_options options = {
        .token_file = config->http.token_file,
        .certificate = config->http.certificate,
        .key = config->http.key,
        .client_ca = config->http.client_ca,
        .version = RF_VERSION,
        .app = config->plan->app,
        .instance = instance,
        .state_dir = config->state_dir,
        .lag_aliases = config->http.lag_aliases,
        .drops_late = config->plan->late == RF_LATE_DROP,
        .print_customer = rf_explained_print_json,
    };

    rf_assert(rf_address_parse(config->http.listen, &options.address)); /* it was checked */
    return options;
}

bool rf_endpoint_check(const struct rf_config *config, struct rf_error *err)
{
    struct rf_ops_options options;

    if (config->http.listen == NULL)
        return true;
    options = options_of(config, config->instance);
    return rf_ops_check(&options, err);
}

#define PORT_FILE     "%s/http-port"
#define PORT_TEXT_MAX 8

/* The port of the last time; 0: there was none, or nobody can tell. */
static uint16_t last_port(const struct rf_instance *instance)
{
    char path[PATH_MAX];
    struct rf_buffer text;
    struct rf_error err = {0};
    int64_t port = 0;

    if (snprintf(path, sizeof path, PORT_FILE, instance->directory) >= (int)sizeof path)
        return 0;
    rf_buffer_init(&text, PORT_TEXT_MAX);
    if (!rf_file_read(path, &text, &err) || !rf_int64_parse(rf_buffer_bytes(&text), &port) ||
        port < 1 || port > UINT16_MAX)
        port = 0;
    rf_buffer_deinit(&text);
    return (uint16_t)port;
}

static void keep_port(const struct rf_instance *instance, uint16_t port)
{
    char path[PATH_MAX];
    char text[PORT_TEXT_MAX];
    struct rf_error err = {0};

    snprintf(text, sizeof text, "%u", port);
    if (snprintf(path, sizeof path, PORT_FILE, instance->directory) >= (int)sizeof path ||
        !rf_file_write(path, rf_bytes_of_text(text), 0600, &err))
        rf_log_warning(RF_FIELDS(rf_field_int("port", port), rf_field_text("reason", err.message)),
                       "the port is not kept: the next start may take another one, which other "
                       "instances are slow to learn");
}

bool rf_endpoint_open(const struct rf_config *config, const struct rf_instance *instance,
                      struct rf_ops **ops, struct rf_error *err)
{
    struct rf_ops_options options;

    *ops = NULL;
    if (config->http.listen == NULL)
        return true;
    options = options_of(config, instance->name);
    options.other_port = strcmp(instance->name, config->instance) != 0;
    options.last_port =
        instance->directory == NULL ? 0 : last_port(instance); /* `demo` keeps none */
    *ops = rf_ops_open(&options, err);
    if (*ops == NULL)
        return false;
    if (instance->directory != NULL && rf_ops_port(*ops) != options.last_port)
        keep_port(instance, rf_ops_port(*ops));
    rf_log_info(RF_FIELDS(rf_field_text("address", rf_ops_address(*ops)),
                          rf_field_bool("tls", config->http.certificate != NULL)),
                "listening for http");
    return true;
}

/* A name that others resolve, too: the full one where the resolver knows it. */
static const char *host_name(struct rf_arena *arena)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found = NULL;
    char short_name[RF_ADDRESS_HOST_MAX] = "";
    const char *name = NULL;

    if (gethostname(short_name, sizeof short_name - 1) != 0 || short_name[0] == '\0')
        return "localhost";
    if (getaddrinfo(short_name, NULL, &wanted, &found) == 0 && found->ai_canonname != NULL)
        name = rf_arena_copy_text(arena, found->ai_canonname);
    if (found != NULL)
        freeaddrinfo(found);
    return name != NULL ? name : rf_arena_copy_text(arena, short_name);
}

const char *rf_endpoint_advertised(const struct rf_config *config, const struct rf_ops *ops,
                                   struct rf_arena *arena)
{
    struct rf_address address;

    if (ops == NULL || config->http.advertise != NULL)
        return ops == NULL ? NULL : config->http.advertise;
    rf_assert(rf_address_parse(rf_ops_address(ops), &address));
    if (strcmp(address.host, "0.0.0.0") != 0 && strcmp(address.host, "::") != 0)
        return rf_ops_address(ops);
    return rf_arena_printf(arena, "%s:%u", host_name(arena), address.port);
}
