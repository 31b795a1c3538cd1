#include "core/model/rule.h"

const char *rf_rule_mode_name(enum rf_rule_mode mode)
{
    static const char *const names[] = {
        [RF_MODE_LIVE] = "live", [RF_MODE_SHADOW] = "shadow", [RF_MODE_OFF] = "off"};

    return names[mode];
}
