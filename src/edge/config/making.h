/* One feature on its way from settings to plan. Open to this room only; features.c makes them. */
#pragma once
#include "core/model/feature.h"
#include "edge/config/build.h"

/* Which settings go with which kind of feature. */
struct rf_kind_row {
    const char *name;
    enum rf_feature_kind kind;
    bool on, where, window, offset, bucket, half_life;
};

struct rf_making {
    struct rf_build *build;
    struct rf_entry *entry;
    struct rf_feature_draft *draft;
    struct rf_feature *feature;
    const struct rf_kind_row *kind;
    const struct rf_yaml_node *value; /* what stands under the kind's name */
    const char *on;                   /* the kind of event; NULL: EXPR, CASES_OF */
    bool of_occurrences;              /* COUNT and INTERVAL; DECAY and TREND of a kind */
    size_t index;
    struct rf_feature_input *inputs;
};

/* A complaint; the entry is broken. They return false. */
bool rf_making_fail(struct rf_making *making, struct rf_place place, const char *message);
bool rf_making_fail_at(struct rf_making *making, const char *setting, const char *message,
                       const char *hint);
const struct rf_yaml_node *rf_making_written(const struct rf_making *making, const char *setting);

/* feature_values.c: does the kind take values of the type, and what is to be done where it does not. */
bool rf_making_takes(enum rf_feature_kind kind, enum rf_type_kind type);
const char *rf_making_conversion_hint(enum rf_feature_kind kind, const struct rf_type *type);
/* What follows from the type of the values, NULL where there are none: types of the feature and its state. */
void rf_making_set_types(struct rf_making *making, const struct rf_type *value);

/* feature_window.c: window, offset, bucket, half-life and the shape of the state. */
bool rf_making_set_window(struct rf_making *making);
