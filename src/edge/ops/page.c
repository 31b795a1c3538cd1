#include "edge/ops/page.h"

#include "edge/ops/page_bytes.h"
#include "edge/ops/reply.h"

bool rf_page_find(enum rf_route route, struct rf_page *page)
{
    switch (route) {
    case RF_ROUTE_PAGE:
        *page = (struct rf_page){"text/html; charset=utf-8", rf_page_index};
        return true;
    case RF_ROUTE_STYLE:
        *page = (struct rf_page){"text/css; charset=utf-8", rf_page_style};
        return true;
    case RF_ROUTE_SCRIPT:
        *page = (struct rf_page){"text/javascript; charset=utf-8", rf_page_script};
        return true;
    case RF_ROUTE_ICON:
        *page = (struct rf_page){"image/svg+xml", rf_page_icon};
        return true;
    case RF_ROUTE_OPENAPI:
        *page = (struct rf_page){RF_TYPE_JSON, rf_page_openapi};
        return true;
    default:
        return false;
    }
}
