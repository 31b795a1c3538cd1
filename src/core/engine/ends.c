#include "core/engine/ends.h"

#include "core/base/assert.h"
#include "core/engine/number.h"

bool rf_ends_normalise(const struct rf_type *state_type, struct rf_value value,
                       struct rf_value *normal)
{
    union rf_number number = {0};

    *normal = value;
    switch (state_type->kind) {
    case RF_TYPE_BOOL:
        return value.kind == RF_VALUE_BOOL;
    case RF_TYPE_STRING:
        return value.kind == RF_VALUE_STRING;
    case RF_TYPE_BYTES:
        return value.kind == RF_VALUE_BYTES;
    case RF_TYPE_UINT:
        return value.kind == RF_VALUE_UINT;
    case RF_TYPE_INT:
    case RF_TYPE_DOUBLE:
    case RF_TYPE_TIMESTAMP:
    case RF_TYPE_DURATION:
        if (!rf_number_of(state_type, value, &number))
            return false;
        *normal = rf_number_value(state_type, number);
        return true;
    case RF_TYPE_DYN:
    case RF_TYPE_NULL:
    case RF_TYPE_LIST:
    case RF_TYPE_MAP:
    case RF_TYPE_RECORD:
    case RF_TYPE_TYPE:
    case RF_TYPE_OPTIONAL:
    case RF_TYPE_PARAMETER:
        break;
    }
    return false;
}

static bool is_inside(const struct rf_feature *feature, rf_ms time, rf_ms now)
{
    return feature->window == 0 || time > now - feature->window;
}

bool rf_ends_add(const struct rf_feature *feature, struct rf_feature_state *state, rf_ms time,
                 rf_ms now, struct rf_value value, struct rf_arena *arena)
{
    bool wins = feature->kind == RF_FEATURE_FIRST ? time < state->at : time >= state->at;

    rf_assert(time <= now);
    rf_assert(feature->kind == RF_FEATURE_LAST || feature->window == 0);
    if (!is_inside(feature, time, now) || (state->set && !wins))
        return false;
    if (value.kind == RF_VALUE_STRING || value.kind == RF_VALUE_BYTES)
        value.as.text = rf_arena_copy(arena, value.as.text);
    state->set = true;
    state->at = time;
    state->value = value;
    return true;
}

struct rf_value rf_ends_value(const struct rf_feature *feature,
                              const struct rf_feature_state *state, rf_ms now)
{
    if (!state->set || !is_inside(feature, state->at, now))
        return rf_value_null();
    return state->value;
}
