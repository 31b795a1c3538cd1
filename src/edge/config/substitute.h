/* `${NAME}` and `${NAME:-DEFAULT}` in a scalar become environment variables; `$${` is a written `${`. */
#pragma once
#include "edge/config/yaml.h"

struct rf_substitution {
    const struct rf_yaml *yaml;
    rf_variable_find *variable;
    void *self;
    size_t room; /* bytes that may still be put in: a variable used often cannot grow without end */
};

/* Changes `scalar`'s text and pieces. What cannot be replaced is a diagnostic and stays as it is. */
void rf_substitute(struct rf_substitution *substitution, struct rf_yaml_node *scalar);
