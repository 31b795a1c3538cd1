/* The window of a feature, its grain, and the shape of the state that follows. */
#include "core/model/customer.h"
#include "core/model/feature.h"
#include "edge/config/making.h"

#define BUCKETS_LEAST 168   /* of a window: an hour's grain for a week */
#define BUCKETS_MAX   10000 /* of window and offset together */
#define TALLY_BUCKETS_MAX                                                                          \
    2000 /* likewise, of each of RF_TALLY_VALUES values or bins; fewer of more */

/* The largest round grain that the window and its offset are whole numbers of, and that leaves its edge
 * exact to a 168th; 0: none. */
static rf_span_ms default_bucket(rf_span_ms window, rf_span_ms offset)
{
    static const rf_span_ms grains[] = {RF_DAY_MS,         6 * RF_HOUR_MS,   RF_HOUR_MS,
                                        15 * RF_MINUTE_MS, 5 * RF_MINUTE_MS, RF_MINUTE_MS,
                                        RF_SECOND_MS};
    rf_span_ms smallest = 0;

    for (size_t i = 0; i < sizeof grains / sizeof grains[0]; i++) {
        if (window % grains[i] != 0 || offset % grains[i] != 0)
            continue;
        smallest = grains[i];
        if (window / grains[i] >= BUCKETS_LEAST)
            return grains[i];
    }
    return smallest;
}

_Static_assert(RF_TALLY_VALUES == 64, "the default of `values` is written in settings.c");

static int64_t buckets_max(const struct rf_feature *feature)
{
    if (feature->shape != RF_STATE_TALLY)
        return BUCKETS_MAX;
    if (feature->values_max <= RF_TALLY_VALUES)
        return TALLY_BUCKETS_MAX;
    return TALLY_BUCKETS_MAX * RF_TALLY_VALUES / feature->values_max;
}

static bool check_bucket(struct rf_making *making)
{
    struct rf_feature *feature = making->feature;
    const char *at = feature->bucket != 0 ? "bucket" : "window";
    int64_t limit = buckets_max(feature);
    char text[64];

    if (feature->bucket == 0)
        feature->bucket = default_bucket(feature->window, feature->offset);
    if (feature->bucket == 0)
        return rf_making_fail_at(making, at, "'window' and 'offset' have to be whole seconds",
                                 "window: 90s");
    text[rf_span_format(text, sizeof text, feature->bucket)] = '\0';
    if (feature->window % feature->bucket != 0)
        return rf_making_fail_at(making, at,
                                 rf_arena_printf(making->build->arena,
                                                 "'window' is not a whole number of buckets of %s",
                                                 text),
                                 "window: 7d goes with bucket: 1h");
    if (feature->offset % feature->bucket != 0)
        return rf_making_fail_at(making, "offset",
                                 rf_arena_printf(making->build->arena,
                                                 "'offset' is not a whole number of buckets of %s",
                                                 text),
                                 "make it a multiple of 'bucket'");
    if ((feature->window + feature->offset) / feature->bucket > limit)
        return rf_making_fail_at(
            making, at,
            rf_arena_printf(making->build->arena, "window and offset have more than %lld buckets",
                            (long long)limit),
            feature->values_max > RF_TALLY_VALUES
                ? "take a larger 'bucket', or fewer 'values': a customer's record keeps each of each"
                : "take a larger 'bucket': a customer's record keeps each that is not empty");
    return true;
}

static enum rf_state_shape shape_of(const struct rf_feature *feature)
{
    switch (feature->kind) {
    case RF_FEATURE_EXPR:
    case RF_FEATURE_CASES_OF:
        return RF_STATE_NONE;
    case RF_FEATURE_COUNT_DISTINCT:
        return RF_STATE_DISTINCT;
    case RF_FEATURE_MEAN:
    case RF_FEATURE_TOP:
    case RF_FEATURE_ENTROPY:
    case RF_FEATURE_QUANTILE:
    case RF_FEATURE_COUNT_BY:
        return RF_STATE_TALLY;
    case RF_FEATURE_INTERVAL:
        return RF_STATE_INTERVAL;
    case RF_FEATURE_CASES:
        return RF_STATE_CASES;
    default:
        return feature->window == 0 || feature->kind == RF_FEATURE_LAST ? RF_STATE_VALUE
                                                                        : RF_STATE_BUCKETS;
    }
}

bool rf_making_set_window(struct rf_making *making)
{
    struct rf_feature *feature = making->feature;

    feature->window = making->draft->window;
    feature->offset = making->draft->offset;
    feature->bucket = making->draft->bucket;
    feature->half_life = making->draft->half_life;
    feature->q = making->draft->q;
    if (making->draft->values !=
        RF_TALLY_VALUES) /* a default that is written is no other definition */
        feature->values_max = (uint32_t)making->draft->values;
    if (feature->kind == RF_FEATURE_TREND) /* the window before is kept as well */
        feature->offset = feature->window;
    if (feature->window != 0 || feature->kind == RF_FEATURE_DECAY)
        feature->reads_now = true;
    feature->shape = shape_of(feature);
    if (feature->shape == RF_STATE_BUCKETS ||
        (feature->shape == RF_STATE_TALLY && feature->window != 0))
        return check_bucket(making);
    return true;
}
