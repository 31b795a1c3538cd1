/* What can be said of a format before it is used: "%d calls".format([...]). */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

struct rf_format_arguments {
    size_t count; /* SIZE_MAX: not known */
    const uint16_t
        *kinds; /* of each, a bit per enum rf_value_kind that it may have; NULL: not known */
};

/* What is wrong with it, whatever the values are; NULL: nothing. *bad: the argument that it is about, SIZE_MAX where
 * it is the format itself. */
const char *rf_format_check(struct rf_bytes format, const struct rf_format_arguments *arguments,
                            size_t *bad);
