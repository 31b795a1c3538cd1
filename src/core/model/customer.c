#include "core/model/customer.h"

#include "core/model/feature.h"
#include "core/model/rule.h"

static const struct rf_field_type case_fields[] = {
    {"id", &rf_type_string},
    {"opened_at", &rf_type_timestamp},
    {"reopened", &rf_type_int},
};

const struct rf_record_type rf_case_type = {.name = "a case",
                                            .field_count = sizeof case_fields / sizeof *case_fields,
                                            .fields = case_fields};

static const struct rf_type case_type = {.kind = RF_TYPE_RECORD, .record = &rf_case_type};

const struct rf_type rf_cases_type = {.kind = RF_TYPE_LIST, .element = &case_type};

void rf_rule_state_init(struct rf_rule_state *state)
{
    *state =
        (struct rf_rule_state){.last_fired = RF_MS_MIN, .held_since = RF_MS_MIN, .told = RF_MS_MIN};
}

uint32_t rf_tally_keys_max(const struct rf_feature *feature)
{
    if (feature->kind == RF_FEATURE_QUANTILE)
        return RF_TALLY_BINS_MAX;
    if (feature->kind == RF_FEATURE_MEAN)
        return 2;
    return feature->values_max == 0 ? RF_TALLY_VALUES : feature->values_max;
}

bool rf_rule_state_is_over(const struct rf_rule_state *state, const struct rf_rule *rule)
{
    return state->raised && !state->shadow && rule->mode != RF_MODE_LIVE;
}

rf_ms rf_rule_state_cooled_down(const struct rf_rule_state *state, const struct rf_rule *rule)
{
    return state->last_fired == RF_MS_MIN ? RF_MS_MIN : state->last_fired + rule->cooldown;
}

bool rf_rule_state_has_told(const struct rf_rule_state *state, const struct rf_rule *rule,
                            rf_ms held_since)
{
    return state->last_fired != RF_MS_MIN && state->last_fired >= held_since + rule->hold;
}

void rf_rule_state_settle(struct rf_rule_state *state, const struct rf_rule *rule)
{
    bool shadow = rule->mode == RF_MODE_SHADOW;
    int64_t count = state->fired_count;

    if (rf_rule_state_is_over(state, rule))
        return;
    if (rule->mode == RF_MODE_OFF)
        state->held_since = RF_MS_MIN;
    if (state->shadow == shadow)
        return;
    rf_rule_state_init(state);
    state->fired_count = count;
    state->shadow = shadow;
}
