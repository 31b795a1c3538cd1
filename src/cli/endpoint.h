/* The HTTP endpoint as a configuration describes it. */
#pragma once
#include "cli/instance.h"
#include "edge/config/config.h"
#include "edge/ops/server.h"

/* Would it open, but for the port? Errors: CONFIG. */
bool rf_endpoint_check(const struct rf_config *config, struct rf_error *err) RF_MUST_CHECK;

/* *ops is NULL where http.listen is off. A further instance of one name on a machine takes any free port where the first
 * has the configured one; where the port is free to choose it is that of the last time, if nobody has it. Errors: CONFIG, RETRY. */
bool rf_endpoint_open(const struct rf_config *config, const struct rf_instance *instance,
                      struct rf_ops **ops, struct rf_error *err) RF_MUST_CHECK;

/* Where others reach it: HOST:PORT, in `arena`. NULL: it is off. */
const char *rf_endpoint_advertised(const struct rf_config *config, const struct rf_ops *ops,
                                   struct rf_arena *arena);
