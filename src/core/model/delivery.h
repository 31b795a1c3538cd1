/* What the command line hands from the configuration to the workers, so that neither of the two rooms needs to
 * know the other. */
#pragma once
#include <stdbool.h>

enum rf_delivery {
    RF_EXACTLY_ONCE,
    RF_AT_LEAST_ONCE
};

/* Where a source is read from when nothing was ever committed. */
enum rf_start {
    RF_START_EARLIEST,
    RF_START_LATEST
};

/* For librdkafka, as it is. */
struct rf_property {
    const char *name;
    const char *value;
    bool secret; /* never printed */
};
