#include "core/base/error.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

bool rf_error_set(struct rf_error *err, enum rf_error_kind kind, int32_t origin_code,
                  const char *format, ...)
{
    va_list arguments;

    rf_assert(err->kind == RF_ERROR_NONE);
    rf_assert(kind != RF_ERROR_NONE);
    err->kind = kind;
    err->origin_code = origin_code;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return false;
}

bool rf_error_wrap(struct rf_error *err, const char *format, ...)
{
    char cause[RF_ERROR_MESSAGE_MAX];
    va_list arguments;
    int written = 0;
    int room = 0;

    rf_assert(err->kind != RF_ERROR_NONE);
    memcpy(cause, err->message, sizeof cause);
    va_start(arguments, format);
    written = vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    rf_assert(written >= 0);
    room = RF_ERROR_MESSAGE_MAX - written - (int)sizeof ": ";
    if (room > 0) /* the end of a long cause is lost, never what was being done */
        snprintf(err->message + written, (size_t)room + sizeof ": ", ": %.*s", room, cause);
    return false;
}

void rf_error_clear(struct rf_error *err)
{
    err->kind = RF_ERROR_NONE;
    err->origin_code = 0;
    err->message[0] = '\0';
}

const char *rf_error_kind_name(enum rf_error_kind kind)
{
    switch (kind) {
    case RF_ERROR_NONE:
        return "none";
    case RF_ERROR_RECORD:
        return "record";
    case RF_ERROR_CONFIG:
        return "config";
    case RF_ERROR_RETRY:
        return "retry";
    case RF_ERROR_ABORT:
        return "abort";
    case RF_ERROR_LOST:
        return "lost";
    case RF_ERROR_STATE:
        return "state";
    }
    return "unknown";
}
