/* The path of a request: method, target and Authorization, taken apart and answered, over an instance that is not one.
 *
 * The input is three lines: METHOD TARGET, the header's value, and a file of tokens. Whatever they are there is one
 * answer, a status that the OpenAPI document has, and nothing of a customer without a token that is in the file. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/ops/auth.h"
#include "edge/ops/desk.h"
#include "support/fake_inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Up to the next line's end, as a text of its own. */
static char *take_line(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size == 0 ? NULL : memchr(*data, '\n', *size);
    size_t length = end == NULL ? *size : (size_t)(end - *data);
    char *line = malloc(length + 1);

    rf_assert(line != NULL);
    if (length > 0)
        memcpy(line, *data, length);
    line[length] = '\0';
    *data += length + (end != NULL);
    *size -= length + (end != NULL);
    return line;
}

static void check_tokens(struct rf_bytes file, const char *authorization)
{
    static struct rf_tokens tokens;
    struct rf_error err = {0};
    const char *name = NULL;

    if (!rf_tokens_parse(file, &tokens, &err)) {
        rf_assert(err.kind == RF_ERROR_CONFIG);
        return;
    }
    name = rf_tokens_find(&tokens, authorization);
    rf_assert(name == NULL || memchr(authorization, ' ', strlen(authorization)) != NULL);
    rf_assert(name == NULL || strlen(name) < RF_TOKEN_NAME_MAX);
}

static void check_answer(const struct rf_request *request, const struct rf_reply *reply)
{
    rf_assert(reply->status == 200 || reply->status == 307 || reply->status == 404 ||
              reply->status == 421 || reply->status == 503);
    rf_assert((reply->location != NULL) == (reply->status == 307));
    if (request->route == RF_ROUTE_CUSTOMER) {
        rf_assert(request->id_size > 0 && request->id_size <= RF_REQUEST_ID_MAX);
        rf_assert(rf_bytes_is_utf8(rf_bytes_of(request->id, request->id_size)));
    }
    if (reply->location != NULL) { /* a header: nothing in it may end it */
        rf_assert(strlen(reply->location) < RF_LOCATION_MAX);
        for (const char *c = reply->location; *c != '\0'; c++)
            rf_assert(*c > ' ' && *c <= '~');
    }
}

static void answer(const char *method, const char *target)
{
    static struct fake_inspect fake;
    static const struct rf_desk_counts counts;
    const struct rf_desk desk = {
        .version = "1", .app = "orders", .instance = "a", .print_customer = fake_print_customer};
    struct rf_inspect port = fake_inspect_port(&fake);
    struct rf_desk_view view = {.inspect = &port, .phase = "starting", .counts = &counts};
    struct rf_request request;
    struct rf_refusal refusal = {0};
    struct rf_reply reply;

    if (fake.snapshot.app == NULL)
        fake_inspect_init(&fake);
    if (!rf_request_parse(method, rf_bytes_of_text(target), &request, &refusal)) {
        rf_assert(refusal.status >= 400 && refusal.status < 500);
        rf_assert(refusal.reason != NULL);
        return;
    }
    if (request.route == RF_ROUTE_EVENTS)
        return;
    rf_reply_init(&reply);
    rf_desk_answer(&desk, &view, &request, &reply);
    check_answer(&request, &reply);
    rf_reply_deinit(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = take_line(&data, &size);
    char *authorization = take_line(&data, &size);
    char *space = strchr(line, ' ');

    check_tokens(rf_bytes_of(data, size), authorization);
    if (space != NULL) {
        *space = '\0';
        answer(line, space + 1);
    }
    free(authorization);
    free(line);
    return 0;
}
