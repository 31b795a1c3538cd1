/* A derived event's way out, as it is configured. Plain data of a plan. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/model/format.h"

#define RF_OUTPUT_NONE UINT32_MAX

struct rf_schema;

struct rf_output {
    const char *name;
    const char *topic;
    enum rf_format format;
    const char *schema_text;        /* NULL: JSON without a schema */
    const struct rf_schema *schema; /* a record; NULL as above */
    bool keyed_by_rule;             /* key `customer/rule`, else the customer */
};
