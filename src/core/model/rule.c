#include "core/model/rule.h"

#include <string.h>

#include "core/model/plan.h"

const char *rf_rule_mode_name(enum rf_rule_mode mode)
{
    static const char *const names[] = {
        [RF_MODE_LIVE] = "live", [RF_MODE_SHADOW] = "shadow", [RF_MODE_OFF] = "off"};

    return names[mode];
}

const struct rf_rule *rf_rule_find(const struct rf_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        if (strcmp(plan->rules[i].name, name) == 0)
            return &plan->rules[i];
    }
    return NULL;
}
