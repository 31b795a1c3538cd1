/* What page/embed.cmake makes of the files in page/. Inside this room only. */
#pragma once
#include "core/base/bytes.h"

extern const struct rf_bytes rf_page_index, rf_page_style, rf_page_script, rf_page_icon,
    rf_page_openapi;
