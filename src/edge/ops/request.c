#include "edge/ops/request.h"

#include <string.h>

#include "core/base/assert.h"

#define CUSTOMERS "/customers/"

static const struct {
    const char *path;
    bool is_public;
} routes[RF_ROUTE_COUNT] = {
    [RF_ROUTE_METRICS] = {"/metrics", true},
    [RF_ROUTE_LIVEZ] = {"/livez", true},
    [RF_ROUTE_READYZ] = {"/readyz", true},
    [RF_ROUTE_LAG] = {"/lag", false},
    [RF_ROUTE_TASKS] = {"/tasks", false},
    [RF_ROUTE_RULES] = {"/rules", false},
    [RF_ROUTE_DEAD_LETTERS] = {"/dead-letters", false},
    [RF_ROUTE_CUSTOMER] = {"/customers/{id}", false},
    [RF_ROUTE_EVENTS] = {"/events", false},
    [RF_ROUTE_OPENAPI] = {"/openapi.json", false},
    [RF_ROUTE_PAGE] = {"/", false},
    [RF_ROUTE_STYLE] = {"/page.css", false},
    [RF_ROUTE_SCRIPT] = {"/page.js", false},
    [RF_ROUTE_ICON] = {"/icon.svg", false},
};

const char *rf_route_path(enum rf_route route)
{
    rf_assert(route < RF_ROUTE_COUNT);
    return routes[route].path;
}

bool rf_route_is_public(enum rf_route route)
{
    rf_assert(route < RF_ROUTE_COUNT);
    return routes[route].is_public;
}

static bool refuse(struct rf_refusal *refusal, int status, const char *reason)
{
    *refusal = (struct rf_refusal){.status = status, .reason = reason};
    return false;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What RFC 3986 lets stand unescaped in a path segment, '%' apart. */
static bool is_plain(uint8_t c)
{
    return is_letter_or_digit(c) || (c != 0 && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

/* One byte of `text` at *i, which moves on. False: `text` is not percent-encoded as it should be. */
static bool decode_byte(struct rf_bytes text, size_t *i, uint8_t *byte)
{
    int high = 0, low = 0;

    *byte = text.data[(*i)++];
    if (*byte != '%')
        return is_plain(*byte);
    if (text.size - *i < 2)
        return false;
    high = hex_digit(text.data[*i]);
    low = hex_digit(text.data[*i + 1]);
    *i += 2;
    if (high < 0 || low < 0)
        return false;
    *byte = (uint8_t)(high << 4 | low);
    return true;
}

/* Into at most size_max bytes. NULL, or why not. */
static const char *decode(struct rf_bytes text, uint8_t *decoded, size_t size_max, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < text.size;) {
        uint8_t byte = 0;

        if (*size == size_max)
            return "it is too long: a customer's id has at most 1024 bytes";
        if (!decode_byte(text, &i, &byte))
            return "it is not percent-encoded: what is not a letter, a digit or one of -._~ is "
                   "written as % and two hexadecimal digits";
        if (byte < 0x20 || byte == 0x7F)
            return "it has a control character";
        decoded[(*size)++] = byte;
    }
    return rf_bytes_is_utf8(rf_bytes_of(decoded, *size)) ? NULL : "it is not UTF-8";
}

static bool parse_id(struct rf_bytes segment, struct rf_request *request,
                     struct rf_refusal *refusal)
{
    const char *fault = NULL;

    if (segment.size == 0 || memchr(segment.data, '/', segment.size) != NULL)
        return refuse(refusal, 404, "a customer is /customers/ID, and a / in the ID is %2F");
    fault = decode(segment, request->id, sizeof request->id, &request->id_size);
    if (fault != NULL)
        return refuse(refusal, 400, fault);
    rf_assert(request->id_size > 0);
    return true;
}

static bool starts_with(struct rf_bytes text, const char *start)
{
    size_t size = strlen(start);

    return text.size >= size && memcmp(text.data, start, size) == 0;
}

static bool parse_path(struct rf_bytes path, struct rf_request *request, struct rf_refusal *refusal)
{
    for (int i = 0; i < RF_ROUTE_COUNT; i++) {
        if (rf_bytes_equal(path, rf_bytes_of_text(routes[i].path))) {
            request->route = (enum rf_route)i;
            if (i != RF_ROUTE_CUSTOMER) /* "{id}" is in no path */
                return true;
        }
    }
    if (!starts_with(path, CUSTOMERS))
        return refuse(refusal, 404, "there is nothing here; /openapi.json says what there is");
    request->route = RF_ROUTE_CUSTOMER;
    return parse_id(rf_bytes_of(path.data + strlen(CUSTOMERS), path.size - strlen(CUSTOMERS)),
                    request, refusal);
}

static bool parse_names(struct rf_bytes value, struct rf_names *names, struct rf_refusal *refusal)
{
    if (names->size > 0 || value.size == 0)
        return refuse(refusal, 400,
                      "'asked' and 'restoring' are lists of instances, with commas, and come once");
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];

        if (!is_plain(c) || (!is_letter_or_digit(c) && strchr("._-,", c) == NULL))
            return refuse(refusal, 400,
                          "'asked' and 'restoring' name instances: letters, digits, '.', '_', '-'");
    }
    memcpy(names->text, value.data, value.size);
    names->size = value.size;
    return true;
}

static bool parse_parameter(struct rf_bytes pair, struct rf_request *request,
                            struct rf_refusal *refusal)
{
    const uint8_t *equals = pair.size == 0 ? NULL : memchr(pair.data, '=', pair.size);
    size_t name_size = equals == NULL ? pair.size : (size_t)(equals - pair.data);
    struct rf_bytes name = rf_bytes_of(pair.data, name_size);
    struct rf_bytes written = {0};
    uint8_t value[RF_REQUEST_NAMES_MAX];
    size_t size = 0;

    if (equals != NULL)
        written = rf_bytes_of(equals + 1, pair.size - name_size - 1);
    if (decode(written, value, sizeof value, &size) != NULL)
        return refuse(refusal, 400, "a parameter's value is too long or not percent-encoded UTF-8");
    if (rf_bytes_equal(name, rf_bytes_of_text("asked")))
        return parse_names(rf_bytes_of(value, size), &request->asked, refusal);
    if (rf_bytes_equal(name, rf_bytes_of_text("restoring")))
        return parse_names(rf_bytes_of(value, size), &request->restoring, refusal);
    if (!rf_bytes_equal(name, rf_bytes_of_text("redirect")))
        return refuse(refusal, 400,
                      "there is no such parameter: a customer's are 'redirect', 'asked' and "
                      "'restoring'");
    if (request->no_redirect || !rf_bytes_equal(rf_bytes_of(value, size), rf_bytes_of_text("no")))
        return refuse(refusal, 400, "'redirect' is 'no' or left out");
    request->no_redirect = true;
    return true;
}

static bool parse_query(struct rf_bytes query, struct rf_request *request,
                        struct rf_refusal *refusal)
{
    if (request->route != RF_ROUTE_CUSTOMER)
        return refuse(refusal, 400, "this path takes no parameters");
    for (size_t begin = 0; begin <= query.size;) {
        size_t left = query.size - begin;
        const uint8_t *end = left == 0 ? NULL : memchr(query.data + begin, '&', left);
        size_t size = end == NULL ? left : (size_t)(end - query.data) - begin;

        if (!parse_parameter(rf_bytes_of(query.data + begin, size), request, refusal))
            return false;
        begin += size + 1;
    }
    return true;
}

static bool parse_target(struct rf_bytes target, struct rf_request *request,
                         struct rf_refusal *refusal)
{
    const uint8_t *mark = NULL;
    struct rf_bytes path = target;

    if (target.size > RF_REQUEST_TARGET_MAX)
        return refuse(refusal, 414, "the request's target is longer than 8192 bytes");
    if (target.size == 0 || target.data[0] != '/')
        return refuse(refusal, 400, "the request's target has to begin with /");
    mark = memchr(target.data, '?', target.size);
    if (mark != NULL)
        path.size = (size_t)(mark - target.data);
    if (!parse_path(path, request, refusal))
        return false;
    return mark == NULL ||
           parse_query(rf_bytes_of(mark + 1, target.size - path.size - 1), request, refusal);
}

bool rf_request_parse(const char *method, struct rf_bytes target, struct rf_request *request,
                      struct rf_refusal *refusal)
{
    request->route = RF_ROUTE_METRICS;
    request->id_size = 0;
    request->asked.size = 0;
    request->restoring.size = 0;
    request->no_redirect = false;
    request->head = strcmp(method, "HEAD") == 0;
    if (!parse_target(target, request, refusal))
        return false;
    if (!request->head && strcmp(method, "GET") != 0)
        return refuse(refusal, 405, "only GET and HEAD are answered: nothing is changed here");
    return true;
}
