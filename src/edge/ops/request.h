/* What a client asks for: the request line, taken apart. Strict: what is not exactly one of our paths is none.
 *
 * Nothing here decodes but what is a customer's id: "/met%72ics" is an unknown path. An id is one segment, percent-
 * decoded once, UTF-8 without control characters. Any thread; pure, and fuzzed (tests/fuzz/fuzz_http.c). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/bytes.h"

#define RF_REQUEST_ID_MAX     1024 /* bytes of a customer's id, decoded */
#define RF_REQUEST_NAMES_MAX  1024
#define RF_REQUEST_TARGET_MAX 8192

enum rf_route {
    RF_ROUTE_METRICS,
    RF_ROUTE_LIVEZ,
    RF_ROUTE_READYZ,
    RF_ROUTE_LAG,
    RF_ROUTE_TASKS,
    RF_ROUTE_RULES,
    RF_ROUTE_DEAD_LETTERS,
    RF_ROUTE_CUSTOMER,
    RF_ROUTE_EVENTS,
    RF_ROUTE_OPENAPI,
    RF_ROUTE_PAGE,
    RF_ROUTE_STYLE,
    RF_ROUTE_SCRIPT,
    RF_ROUTE_ICON,
    RF_ROUTE_COUNT
};

/* "/metrics", "/customers/{id}", ... as the OpenAPI document names it. */
const char *rf_route_path(enum rf_route route);
/* Served to anyone who can connect: metrics, health. */
bool rf_route_is_public(enum rf_route route);

/* Of instances, with commas, in a parameter. */
struct rf_names {
    size_t size;
    uint8_t text[RF_REQUEST_NAMES_MAX];
};

struct rf_request {
    enum rf_route route;
    bool head; /* HEAD: the answer goes without its body */
    uint8_t id[RF_REQUEST_ID_MAX];
    size_t id_size;
    bool no_redirect;      /* ?redirect=no: who keeps the customer comes as 421 instead of 307 */
    struct rf_names asked; /* ?asked=a,b: they sent us here, and are not named again */
    struct rf_names
        restoring; /* ?restoring=b: those of them that may know it when they have restored */
};

/* Why it is refused: an HTTP status and a sentence for people. */
struct rf_refusal {
    int status;
    const char *reason; /* a constant */
};

/* `target` is the request's, as it came, query included. False: *refusal says why. */
bool rf_request_parse(const char *method, struct rf_bytes target, struct rf_request *request,
                      struct rf_refusal *refusal);
