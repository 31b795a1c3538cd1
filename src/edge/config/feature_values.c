/* Which values a kind of feature takes, and the types that follow from them. */
#include <string.h>

#include "core/base/assert.h"
#include "core/model/customer.h"
#include "core/model/feature.h"
#include "edge/config/making.h"

static bool is_scalar(enum rf_type_kind kind)
{
    return kind == RF_TYPE_BOOL || kind == RF_TYPE_INT || kind == RF_TYPE_UINT ||
           kind == RF_TYPE_DOUBLE || kind == RF_TYPE_STRING || kind == RF_TYPE_BYTES ||
           kind == RF_TYPE_TIMESTAMP || kind == RF_TYPE_DURATION;
}

bool rf_making_takes(enum rf_feature_kind kind, enum rf_type_kind type)
{
    switch (kind) {
    case RF_FEATURE_SUM:
    case RF_FEATURE_DECAY:
    case RF_FEATURE_MEAN:
    case RF_FEATURE_QUANTILE:
    case RF_FEATURE_TREND:
        return type == RF_TYPE_INT || type == RF_TYPE_DOUBLE;
    case RF_FEATURE_MIN:
    case RF_FEATURE_MAX:
        return type == RF_TYPE_INT || type == RF_TYPE_DOUBLE || type == RF_TYPE_TIMESTAMP ||
               type == RF_TYPE_DURATION;
    case RF_FEATURE_TOP:
    case RF_FEATURE_ENTROPY:
    case RF_FEATURE_COUNT_BY:
        return type == RF_TYPE_STRING || type == RF_TYPE_INT || type == RF_TYPE_BOOL;
    case RF_FEATURE_CASES:
        return type == RF_TYPE_STRING;
    default:
        return is_scalar(type);
    }
}

const char *rf_making_conversion_hint(enum rf_feature_kind kind, const struct rf_type *type)
{
    if (type->kind == RF_TYPE_DYN)
        return "its type is not known before it runs: convert it, int(x), double(x), string(x)";
    switch (kind) {
    case RF_FEATURE_SUM:
    case RF_FEATURE_DECAY:
    case RF_FEATURE_MEAN:
    case RF_FEATURE_QUANTILE:
    case RF_FEATURE_TREND:
        return "it takes int and double: int(x), double(x)";
    case RF_FEATURE_MIN:
    case RF_FEATURE_MAX:
        return "it takes int, double, timestamp and duration";
    case RF_FEATURE_TOP:
    case RF_FEATURE_ENTROPY:
    case RF_FEATURE_COUNT_BY:
        return "it takes string, int and bool: string(x)";
    case RF_FEATURE_CASES:
        return "the id of a case is a text: string(x)";
    default:
        return "it takes one plain value: a bool, a number, a text, bytes, a time";
    }
}

static const struct rf_type *plain_type(enum rf_type_kind kind)
{
    static const struct rf_type *const plain[] = {
        &rf_type_bool,   &rf_type_int,   &rf_type_uint,      &rf_type_double,
        &rf_type_string, &rf_type_bytes, &rf_type_timestamp, &rf_type_duration,
    };

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (plain[i]->kind == kind)
            return plain[i];
    }
    rf_assert(false && "no plain type");
    return NULL;
}

/* Of the kinds whose state is by key. */
static void set_tally_types(struct rf_making *making, const struct rf_type *value)
{
    struct rf_feature *feature = making->feature;
    struct rf_arena *arena = making->build->arena;
    bool is_mean = feature->kind == RF_FEATURE_MEAN;
    bool by_number = is_mean || feature->kind == RF_FEATURE_QUANTILE;
    const struct rf_type *key = by_number ? &rf_type_int : plain_type(value->kind);
    struct rf_type counts = {
        .kind = RF_TYPE_MAP, .sparse = true, .key = key, .element = &rf_type_int};

    feature->key_type = key;
    feature->state_type = is_mean || feature->half_life > 0 ? &rf_type_double : &rf_type_int;
    if (by_number)
        feature->type = rf_type_nullable(arena, &rf_type_double);
    else if (feature->kind == RF_FEATURE_TOP)
        feature->type = rf_type_nullable(arena, key);
    else if (feature->kind == RF_FEATURE_ENTROPY)
        feature->type = &rf_type_double;
    else
        feature->type = memcpy(rf_arena_alloc(arena, sizeof counts), &counts, sizeof counts);
}

static const struct rf_type *stat_type(struct rf_arena *arena, enum rf_feature_stat stat)
{
    if (stat == RF_STAT_OLDEST)
        return rf_type_nullable(arena, &rf_type_timestamp);
    if (stat == RF_STAT_OPENED || stat == RF_STAT_REOPENED || stat == RF_STAT_RESOLVED)
        return &rf_type_int;
    return rf_type_nullable(arena, &rf_type_duration);
}

void rf_making_set_types(struct rf_making *making, const struct rf_type *value)
{
    struct rf_feature *feature = making->feature;
    struct rf_arena *arena = making->build->arena;

    switch (feature->kind) {
    case RF_FEATURE_COUNT:
        feature->type = feature->state_type = &rf_type_int;
        break;
    case RF_FEATURE_COUNT_DISTINCT:
        feature->type = &rf_type_int;
        break;
    case RF_FEATURE_DECAY:
        feature->type = feature->state_type = &rf_type_double;
        break;
    case RF_FEATURE_SUM:
        feature->type = feature->state_type = plain_type(value->kind);
        break;
    case RF_FEATURE_MEAN:
    case RF_FEATURE_TOP:
    case RF_FEATURE_ENTROPY:
    case RF_FEATURE_QUANTILE:
    case RF_FEATURE_COUNT_BY:
        set_tally_types(making, value);
        break;
    case RF_FEATURE_TREND:
        feature->state_type = making->of_occurrences ? &rf_type_int : plain_type(value->kind);
        feature->type = rf_type_nullable(arena, &rf_type_double);
        break;
    case RF_FEATURE_INTERVAL:
    case RF_FEATURE_CASES_OF:
        feature->type = stat_type(arena, feature->stat);
        break;
    case RF_FEATURE_CASES:
        feature->type = &rf_cases_type;
        break;
    case RF_FEATURE_EXPR:
        feature->type = value;
        break;
    default:
        feature->state_type = plain_type(value->kind);
        feature->type = rf_type_nullable(arena, feature->state_type);
    }
}
