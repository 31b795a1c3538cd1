#include "edge/ops/json.h"

#include <inttypes.h>
#include <math.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/codec/value_json.h"

static void begin_value(struct rf_json *json, const char *name)
{
    if (json->comma)
        rf_buffer_append_byte(json->out, ',');
    json->comma = true;
    if (name != NULL) {
        rf_json_print_text(json->out, rf_bytes_of_text(name));
        rf_buffer_append_byte(json->out, ':');
    }
}

void rf_json_begin(struct rf_json *json, const char *name, char bracket)
{
    rf_assert(bracket == '{' || bracket == '[');
    begin_value(json, name);
    rf_buffer_append_byte(json->out, (uint8_t)bracket);
    json->comma = false;
}

void rf_json_end(struct rf_json *json, char bracket)
{
    rf_assert(bracket == '}' || bracket == ']');
    rf_buffer_append_byte(json->out, (uint8_t)bracket);
    json->comma = true;
}

void rf_json_text(struct rf_json *json, const char *name, const char *text)
{
    begin_value(json, name);
    if (text == NULL)
        rf_buffer_append_text(json->out, "null");
    else
        rf_json_print_text(json->out, rf_bytes_of_text(text));
}

void rf_json_bytes(struct rf_json *json, const char *name, struct rf_bytes text)
{
    begin_value(json, name);
    rf_json_print_text(json->out, text);
}

void rf_json_int(struct rf_json *json, const char *name, int64_t number)
{
    begin_value(json, name);
    rf_buffer_printf(json->out, "%" PRId64, number);
}

void rf_json_count(struct rf_json *json, const char *name, uint64_t number)
{
    begin_value(json, name);
    rf_buffer_printf(json->out, "%" PRIu64, number);
}

void rf_json_double(struct rf_json *json, const char *name, double number)
{
    char text[RF_DOUBLE_TEXT_MAX];

    begin_value(json, name);
    if (isfinite(number))
        rf_buffer_append(json->out, text, rf_double_format(text, sizeof text, number));
    else
        rf_buffer_append_text(json->out, "null");
}

void rf_json_bool(struct rf_json *json, const char *name, bool yes)
{
    begin_value(json, name);
    rf_buffer_append_text(json->out, yes ? "true" : "false");
}

void rf_json_time(struct rf_json *json, const char *name, rf_ms instant)
{
    char text[RF_TIME_TEXT_MAX];

    begin_value(json, name);
    if (instant <= RF_MS_MIN || instant >= RF_MS_MAX) {
        rf_buffer_append_text(json->out, "null");
        return;
    }
    rf_buffer_append_byte(json->out, '"');
    rf_buffer_append(json->out, text, rf_time_format_ms(text, sizeof text, instant));
    rf_buffer_append_byte(json->out, '"');
}

void rf_json_seconds(struct rf_json *json, const char *name, rf_span_ms span)
{
    if (span < 0)
        rf_json_text(json, name, NULL);
    else
        rf_json_double(json, name, (double)span / 1000.0);
}

void rf_json_raw(struct rf_json *json, const char *name, struct rf_bytes text)
{
    begin_value(json, name);
    rf_buffer_append(json->out, text.data, text.size);
}
