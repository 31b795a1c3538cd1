#include "core/codec/value_json.h"

#include <math.h>

#include "core/base/number.h"
#include "core/base/time.h"
#include "core/expr/type.h"

#define NANOSECOND_DIGITS 9

/* A character that may not stand in a JSON string as it is. */
static void print_escaped(struct rf_buffer *out, uint8_t byte)
{
    switch (byte) {
    case '"':
        rf_buffer_append_text(out, "\\\"");
        return;
    case '\\':
        rf_buffer_append_text(out, "\\\\");
        return;
    case '\n':
        rf_buffer_append_text(out, "\\n");
        return;
    case '\r':
        rf_buffer_append_text(out, "\\r");
        return;
    case '\t':
        rf_buffer_append_text(out, "\\t");
        return;
    default:
        rf_buffer_printf(out, "\\u%04x", byte);
        return;
    }
}

/* `keep_max`: bytes above it are written as characters of that number; 0xff: none. */
static void print_quoted(struct rf_buffer *out, struct rf_bytes text, uint8_t keep_max)
{
    size_t done = 0;

    rf_buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f && byte <= keep_max)
            continue;
        rf_buffer_append(out, text.data + done, i - done);
        print_escaped(out, byte);
        done = i + 1;
    }
    rf_buffer_append(out, text.data == NULL ? NULL : text.data + done, text.size - done);
    rf_buffer_append_byte(out, '"');
}

void rf_json_print_text(struct rf_buffer *out, struct rf_bytes text)
{
    print_quoted(out, text, 0xff);
}

static void print_double(struct rf_buffer *out, double number)
{
    char text[RF_DOUBLE_TEXT_MAX];

    if (!isfinite(number)) {
        rf_buffer_append_text(out, "null");
        return;
    }
    rf_buffer_append(out, text, rf_double_format(text, sizeof text, number));
}

static void print_instant(struct rf_buffer *out, struct rf_value value)
{
    char text[RF_TIME_TEXT_MAX];
    size_t size = rf_time_format(text, sizeof text, value.as.seconds, value.nanoseconds);

    rf_json_print_text(out, rf_bytes_of(text, size));
}

static void print_duration(struct rf_buffer *out, struct rf_value value)
{
    bool is_negative = value.as.seconds < 0 || value.nanoseconds < 0;
    int64_t seconds = is_negative ? -value.as.seconds : value.as.seconds;
    int32_t fraction = is_negative ? -value.nanoseconds : value.nanoseconds;
    int digits = NANOSECOND_DIGITS;

    rf_buffer_printf(out, "\"%s%lld", is_negative ? "-" : "", (long long)seconds);
    while (fraction != 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (fraction != 0)
        rf_buffer_printf(out, ".%0*d", digits, fraction);
    rf_buffer_append_text(out, "s\"");
}

static void print_list(struct rf_buffer *out, const struct rf_list *list)
{
    rf_buffer_append_byte(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            rf_buffer_append_byte(out, ',');
        rf_value_print_json(out, list->items[i]);
    }
    rf_buffer_append_byte(out, ']');
}

/* JSON has texts for keys only. */
static void print_key(struct rf_buffer *out, struct rf_value key)
{
    if (key.kind == RF_VALUE_STRING) {
        rf_value_print_json(out, key);
        return;
    }
    rf_buffer_append_byte(out, '"');
    rf_value_print_json(out, key);
    rf_buffer_append_byte(out, '"');
}

static void print_map(struct rf_buffer *out, const struct rf_map *map)
{
    rf_buffer_append_byte(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        if (i > 0)
            rf_buffer_append_byte(out, ',');
        print_key(out, map->keys[i]);
        rf_buffer_append_byte(out, ':');
        rf_value_print_json(out, map->values[i]);
    }
    rf_buffer_append_byte(out, '}');
}

static void print_record(struct rf_buffer *out, const struct rf_record *record)
{
    rf_buffer_append_byte(out, '{');
    for (size_t i = 0; i < record->type->field_count; i++) {
        if (i > 0)
            rf_buffer_append_byte(out, ',');
        rf_json_print_text(out, rf_bytes_of_text(record->type->fields[i].name));
        rf_buffer_append_byte(out, ':');
        rf_value_print_json(out, record->fields[i]);
    }
    rf_buffer_append_byte(out, '}');
}

void rf_value_print_json(struct rf_buffer *out, struct rf_value value)
{
    switch ((enum rf_value_kind)value.kind) {
    case RF_VALUE_NULL:
    case RF_VALUE_TYPE:
        rf_buffer_append_text(out, "null");
        return;
    case RF_VALUE_BOOL:
        rf_buffer_append_text(out, value.as.boolean ? "true" : "false");
        return;
    case RF_VALUE_INT:
        rf_buffer_printf(out, "%lld", (long long)value.as.integer);
        return;
    case RF_VALUE_UINT:
        rf_buffer_printf(out, "%llu", (unsigned long long)value.as.uinteger);
        return;
    case RF_VALUE_DOUBLE:
        print_double(out, value.as.number);
        return;
    case RF_VALUE_STRING:
        rf_json_print_text(out, value.as.text);
        return;
    case RF_VALUE_BYTES:
        print_quoted(out, value.as.text, 0x7e);
        return;
    case RF_VALUE_TIMESTAMP:
        print_instant(out, value);
        return;
    case RF_VALUE_DURATION:
        print_duration(out, value);
        return;
    case RF_VALUE_LIST:
        print_list(out, value.as.list);
        return;
    case RF_VALUE_MAP:
        print_map(out, value.as.map);
        return;
    case RF_VALUE_RECORD:
        print_record(out, value.as.record);
        return;
    case RF_VALUE_OPTIONAL:
        rf_value_print_json(out, value.as.optional == NULL ? rf_value_null() : *value.as.optional);
        return;
    }
}
