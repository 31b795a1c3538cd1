/* Sets of features, as bits. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/model/feature.h"

#define RF_FEATURE_SET_WORDS (RF_FEATURES_MAX / 64)

static inline void rf_feature_set_add(struct rf_feature_set *set, uint32_t feature)
{
    set->bits[feature / 64] |= UINT64_C(1) << (feature % 64);
}

static inline bool rf_feature_set_has(const struct rf_feature_set *set, uint32_t feature)
{
    return (set->bits[feature / 64] >> (feature % 64) & 1) != 0;
}

static inline void rf_feature_set_unite(struct rf_feature_set *set,
                                        const struct rf_feature_set *other)
{
    for (unsigned i = 0; i < RF_FEATURE_SET_WORDS; i++)
        set->bits[i] |= other->bits[i];
}

static inline void rf_feature_set_subtract(struct rf_feature_set *set,
                                           const struct rf_feature_set *other)
{
    for (unsigned i = 0; i < RF_FEATURE_SET_WORDS; i++)
        set->bits[i] &= ~other->bits[i];
}

static inline bool rf_feature_set_meets(const struct rf_feature_set *a,
                                        const struct rf_feature_set *b)
{
    uint64_t common = 0;

    for (unsigned i = 0; i < RF_FEATURE_SET_WORDS; i++)
        common |= a->bits[i] & b->bits[i];
    return common != 0;
}

static inline bool rf_feature_set_is_empty(const struct rf_feature_set *set)
{
    return !rf_feature_set_meets(set, set);
}

/* The first member that is not before `from`; RF_FEATURES_MAX: there is none. */
static inline uint32_t rf_feature_set_next(const struct rf_feature_set *set, uint32_t from)
{
    for (uint32_t word = from / 64; word < RF_FEATURE_SET_WORDS; word++) {
        uint64_t bits = set->bits[word];

        if (word == from / 64)
            bits &= ~UINT64_C(0) << (from % 64);
        if (bits != 0)
            return word * 64 + (uint32_t)__builtin_ctzll(bits);
    }
    return RF_FEATURES_MAX;
}
