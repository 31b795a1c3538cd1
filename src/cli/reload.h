/* SIGHUP: the configuration is read again while the daemon runs.
 *
 * A generation is a configuration and what was made of it. The next one is read, checked, and everything that it needs of
 * the registry and of Kafka is asked for, while the present one goes on. Only then do the workers commit and put down
 * their tasks, and those of the next generation take them up: from one transaction to the next, and with the state
 * as it is. Where anything is wrong with the next one, the present one never stops. */
#pragma once
#include <stdbool.h>

#include "cli/configuration.h"
#include "cli/runtime.h"

struct rf_generation {
    struct rf_configuration configuration; /* does not move */
    struct rf_runtime runtime;
    bool is_open; /* the runtime */
};

/* The next generation, ready to take over; NULL: `present` stays, and the log says why. */
struct rf_generation *rf_reload(struct rf_generation *present, const char *file);
/* It does not run any more; its configuration stays readable. */
void rf_generation_rest(struct rf_generation *generation);
/* Frees it. NULL is nothing. */
void rf_generation_close(struct rf_generation *generation);

/* What `next` changes that needs a restart: the setting's name; NULL: nothing. */
const char *rf_reload_refused(const struct rf_config *present, const struct rf_config *next);
