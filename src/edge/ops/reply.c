#include "edge/ops/reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "edge/ops/json.h"

void rf_reply_init(struct rf_reply *reply)
{
    *reply = (struct rf_reply){.status = 200, .type = RF_TYPE_JSON};
    rf_buffer_init(&reply->body, RF_REPLY_BYTES_MAX);
}

void rf_reply_deinit(struct rf_reply *reply)
{
    rf_buffer_deinit(&reply->body);
    free(reply->location);
}

const char *rf_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        {307, "Temporary Redirect"},  {400, "Bad Request"},         {401, "Unauthorized"},
        {404, "Not Found"},           {405, "Method Not Allowed"},  {413, "Content Too Large"},
        {414, "URI Too Long"},        {421, "Misdirected Request"}, {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].status == status)
            return known[i].text;
    }
    return "Error";
}

void rf_reply_problem(struct rf_reply *reply, int status, const char *format, ...)
{
    struct rf_json json = {.out = &reply->body};
    char detail[RF_ERROR_MESSAGE_MAX + 128];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    rf_buffer_clear(&reply->body);
    reply->status = status;
    reply->type = RF_TYPE_PROBLEM;
    reply->asks_for_token = status == 401;
    rf_json_begin(&json, NULL, '{');
    rf_json_int(&json, "status", status);
    rf_json_text(&json, "title", rf_status_text(status));
    rf_json_text(&json, "detail", detail);
    rf_json_end(&json, '}');
    rf_buffer_append_byte(&reply->body, '\n');
}
