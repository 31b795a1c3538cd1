/* How every command reads its configuration: with the environment of this process, its zones, librdkafka's
 * properties and the schema registry. */
#pragma once
#include <stdbool.h>

#include "core/expr/expr.h"
#include "edge/config/config.h"

struct rf_configuration_options {
    bool without_kafka; /* replay, test: `kafka` may be missing */
    bool offline;       /* the registry is not asked */
    bool shadow_tells;  /* test: rules in shadow are live */
    bool silent;        /* the caller prints the diagnostics */
};

struct rf_zone_table;

struct rf_configuration {
    struct rf_config *config; /* NULL: there are errors */
    struct rf_diagnostics *diagnostics;
    struct rf_arena arena; /* owned: all of it lives here */
    struct rf_zone_table *zones;
    struct rf_zones zone_port; /* expressions point to it */
};

/* Loads `path` and prints what is wrong to standard error. False: there are errors, to be left with
 * RF_EXIT_USAGE; close it all the same. Does not move afterwards: what is loaded points into it. */
bool rf_configuration_open(struct rf_configuration *configuration, const char *path,
                           const struct rf_configuration_options *options);
void rf_configuration_close(struct rf_configuration *configuration);

/* What most commands do: reads it, lets `work` use it, closes it. Returns the exit status of `work`, or RF_EXIT_USAGE. */
int rf_configuration_use(const char *path, const struct rf_configuration_options *options,
                         int (*work)(struct rf_configuration *configuration, void *self),
                         void *self);
