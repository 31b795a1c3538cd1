#include "cli/endpoint.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/explained.h"
#include "core/base/assert.h"
#include "core/model/plan.h"
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

bool rf_endpoint_open(const struct rf_config *config, const struct rf_instance *instance,
                      struct rf_ops **ops, struct rf_error *err)
{
    struct rf_ops_options options;

    *ops = NULL;
    if (config->http.listen == NULL)
        return true;
    options = options_of(config, instance->name);
    options.other_port = strcmp(instance->name, config->instance) != 0;
    *ops = rf_ops_open(&options, err);
    if (*ops == NULL)
        return false;
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
