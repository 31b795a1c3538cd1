#include "cli/configuration.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/diagnostics.h"
#include "edge/registry/registry.h"
#include "edge/stream/property.h"
#include "edge/zones/zones.h"

#define ARENA_CHUNK_SIZE  65536
#define HOSTNAME_SIZE_MAX 200

static const char *find_variable(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

static bool check_property(void *self, const char *name, const char *value, struct rf_error *err)
{
    (void)self;
    return rf_property_check(name, value, err);
}

/* Waits for an answer: `check` and `run` have to know, and it is asked once. */
static bool find_schema(void *self, const struct rf_registry_settings *settings, const char *topic,
                        struct rf_arena *arena, struct rf_bytes *text, struct rf_error *err)
{
    const struct rf_registry_options options = {
        .urls = settings->url,
        .user = settings->user,
        .password = settings->password,
        .token = settings->token,
        .ca_location = settings->ca_location,
        .timeout = settings->timeout,
        .tries_max = 2,
    };
    const char *subject = rf_arena_printf(arena, "%s-value", topic);
    struct rf_registry *registry = rf_registry_open(&options, err);
    struct rf_registry_schema schema = {0};
    bool found = false;
    bool ok = false;

    (void)self;
    if (registry == NULL)
        return false;
    ok = rf_registry_latest(registry, subject, arena, &schema, &found, err);
    rf_registry_close(registry);
    if (ok && !found)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "the registry has no subject %s", subject);
    *text = schema.text;
    return ok;
}

static const char *find_hostname(struct rf_arena *arena)
{
    char hostname[HOSTNAME_SIZE_MAX] = "";

    if (gethostname(hostname, sizeof hostname - 1) != 0 || hostname[0] == '\0')
        return NULL;
    return rf_arena_copy_text(arena, hostname);
}

bool rf_configuration_open(struct rf_configuration *configuration, const char *path,
                           const struct rf_configuration_options *options)
{
    struct rf_arena *arena = &configuration->arena;
    struct rf_config_environment *environment = NULL;
    bool ok = false;

    *configuration = (struct rf_configuration){.zones = rf_zone_table_open()};
    configuration->zone_port = rf_zone_table_zones(configuration->zones);
    rf_arena_init(arena, ARENA_CHUNK_SIZE);
    environment = rf_arena_alloc_zero(arena, sizeof *environment);
    *environment = (struct rf_config_environment){
        .variable = find_variable,
        .schema_of = options->offline ? NULL : find_schema,
        .property_check = check_property,
        .hostname = find_hostname(arena),
        .zones = &configuration->zone_port,
        .without_kafka = options->without_kafka,
        .shadow_tells = options->shadow_tells,
    };
    environment->property_names = rf_property_names(arena, &environment->property_name_count);
    configuration->diagnostics = rf_arena_alloc(arena, sizeof *configuration->diagnostics);
    rf_diagnostics_init(configuration->diagnostics, arena);
    ok = rf_config_load(path, environment, arena, &configuration->config,
                        configuration->diagnostics);
    if (!options->silent)
        rf_diagnostics_print(stderr, configuration->diagnostics);
    return ok;
}

void rf_configuration_close(struct rf_configuration *configuration)
{
    rf_arena_deinit(&configuration->arena);
    rf_zone_table_close(configuration->zones);
}

int rf_configuration_use(const char *path, const struct rf_configuration_options *options,
                         int (*work)(struct rf_configuration *configuration, void *self),
                         void *self)
{
    struct rf_configuration configuration;
    int status = RF_EXIT_USAGE;

    if (rf_configuration_open(&configuration, path, options))
        status = work(&configuration, self);
    rf_configuration_close(&configuration);
    return status;
}
