#include "cli/endpoint.h"

#include <string.h>

#include "cli/explained.h"
#include "core/base/assert.h"
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
