/* The page at `/` and the OpenAPI document: files of page/, made into the program by page/embed.cmake. */
#pragma once
#include <stdbool.h>

#include "core/base/bytes.h"
#include "edge/ops/request.h"

struct rf_page {
    const char *type;
    struct rf_bytes bytes;
};

/* False: the route is not a file. */
bool rf_page_find(enum rf_route route, struct rf_page *page);
