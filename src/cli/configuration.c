#include "cli/configuration.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/diagnostics.h"
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
        .property_check = check_property,
        .hostname = find_hostname(arena),
        .zones = &configuration->zone_port,
        .without_kafka = options->without_kafka,
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
