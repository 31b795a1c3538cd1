/* Values as CEL literals: what is printed evaluates to what was printed. */
#include "core/expr/expr.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/expr/function.h"
#include "core/expr/types.h"

static const char hex_digits[] = "0123456789abcdef";

static void print_escaped(struct rf_buffer *out, uint8_t c, bool bytes)
{
    static const char pairs[] = "\nn\rr\tt\"\"\\\\";

    for (const char *pair = pairs; *pair != '\0'; pair += 2) {
        if ((uint8_t)pair[0] == c) {
            rf_buffer_append_byte(out, '\\');
            rf_buffer_append_byte(out, (uint8_t)pair[1]);
            return;
        }
    }
    if (c >= 0x20 && c != 0x7f && (c < 0x80 || !bytes)) {
        rf_buffer_append_byte(out, c);
        return;
    }
    rf_buffer_append_text(out, bytes ? "\\x" : "\\u00");
    rf_buffer_append_byte(out, (uint8_t)hex_digits[c >> 4]);
    rf_buffer_append_byte(out, (uint8_t)hex_digits[c & 15]);
}

static void print_text(struct rf_buffer *out, struct rf_bytes text, bool bytes)
{
    rf_buffer_append_text(out, bytes ? "b\"" : "\"");
    for (size_t i = 0; i < text.size; i++)
        print_escaped(out, text.data[i], bytes);
    rf_buffer_append_byte(out, '"');
}

static void print_double(struct rf_buffer *out, double number)
{
    char text[RF_DOUBLE_TEXT_MAX + 1] = {0};
    size_t size = rf_double_format(text, RF_DOUBLE_TEXT_MAX, number);

    rf_assert(size <= RF_DOUBLE_TEXT_MAX);
    text[size] = '\0';
    if (number != number || number - number != 0) { /* NaN and the infinities have no literal */
        rf_buffer_printf(out, "double(\"%s\")", text);
        return;
    }
    rf_buffer_append(out, text, size);
    if (memchr(text, '.', size) == NULL && memchr(text, 'e', size) == NULL)
        rf_buffer_append_text(out, ".0");
}

/* The fraction without trailing zeros. */
static void print_fraction(struct rf_buffer *out, int32_t nanoseconds)
{
    char fraction[16];
    size_t size = 9;

    if (nanoseconds == 0)
        return;
    snprintf(fraction, sizeof fraction, "%09d", nanoseconds);
    while (fraction[size - 1] == '0')
        size--;
    rf_buffer_append_byte(out, '.');
    rf_buffer_append(out, fraction, size);
}

void rf_print_timestamp(struct rf_buffer *out, struct rf_value value)
{
    char text[RF_TIME_TEXT_MAX];
    size_t size = rf_time_format(text, sizeof text, value.as.seconds, 0);

    rf_assert(size > 0 && text[size - 1] == 'Z');
    rf_buffer_append(out, text, size - 1);
    print_fraction(out, value.nanoseconds);
    rf_buffer_append_byte(out, 'Z');
}

void rf_print_duration(struct rf_buffer *out, struct rf_value value)
{
    bool negative = value.as.seconds < 0 || value.nanoseconds < 0;
    uint64_t seconds = value.as.seconds < 0 ? (uint64_t)0 - (uint64_t)value.as.seconds
                                            : (uint64_t)value.as.seconds;
    int32_t nanoseconds = value.nanoseconds < 0 ? -value.nanoseconds : value.nanoseconds;

    rf_buffer_printf(out, "%s%llu", negative ? "-" : "", (unsigned long long)seconds);
    print_fraction(out, nanoseconds);
    rf_buffer_append_byte(out, 's');
}

static void print_list(struct rf_buffer *out, const struct rf_list *list)
{
    rf_buffer_append_byte(out, '[');
    for (size_t i = 0; i < list->count && !out->overflow; i++) {
        if (i > 0)
            rf_buffer_append_text(out, ", ");
        rf_value_print(out, list->items[i]);
    }
    rf_buffer_append_byte(out, ']');
}

static void print_map(struct rf_buffer *out, const struct rf_map *map)
{
    rf_buffer_append_byte(out, '{');
    for (size_t i = 0; i < map->count && !out->overflow; i++) {
        if (i > 0)
            rf_buffer_append_text(out, ", ");
        rf_value_print(out, map->keys[i]);
        rf_buffer_append_text(out, ": ");
        rf_value_print(out, map->values[i]);
    }
    rf_buffer_append_byte(out, '}');
}

static void print_record(struct rf_buffer *out, const struct rf_record *record)
{
    rf_buffer_append_byte(out, '{');
    for (size_t i = 0; i < record->type->field_count && !out->overflow; i++) {
        if (i > 0)
            rf_buffer_append_text(out, ", ");
        rf_buffer_printf(out, "\"%s\": ", record->type->fields[i].name);
        rf_value_print(out, record->fields[i]);
    }
    rf_buffer_append_byte(out, '}');
}

static void print_optional(struct rf_buffer *out, const struct rf_value *value)
{
    if (value == NULL) {
        rf_buffer_append_text(out, "optional.none()");
        return;
    }
    rf_buffer_append_text(out, "optional.of(");
    rf_value_print(out, *value);
    rf_buffer_append_byte(out, ')');
}

void rf_value_print(struct rf_buffer *out, struct rf_value value)
{
    switch ((enum rf_value_kind)value.kind) {
    case RF_VALUE_NULL:
        rf_buffer_append_text(out, "null");
        break;
    case RF_VALUE_BOOL:
        rf_buffer_append_text(out, value.as.boolean ? "true" : "false");
        break;
    case RF_VALUE_INT:
        rf_buffer_printf(out, "%lld", (long long)value.as.integer);
        break;
    case RF_VALUE_UINT:
        rf_buffer_printf(out, "%lluu", (unsigned long long)value.as.uinteger);
        break;
    case RF_VALUE_DOUBLE:
        print_double(out, value.as.number);
        break;
    case RF_VALUE_STRING:
    case RF_VALUE_BYTES:
        print_text(out, value.as.text, value.kind == RF_VALUE_BYTES);
        break;
    case RF_VALUE_TIMESTAMP:
        rf_buffer_append_text(out, "timestamp(\"");
        rf_print_timestamp(out, value);
        rf_buffer_append_text(out, "\")");
        break;
    case RF_VALUE_DURATION:
        rf_buffer_append_text(out, "duration(\"");
        rf_print_duration(out, value);
        rf_buffer_append_text(out, "\")");
        break;
    case RF_VALUE_LIST:
        print_list(out, value.as.list);
        break;
    case RF_VALUE_MAP:
        print_map(out, value.as.map);
        break;
    case RF_VALUE_RECORD:
        print_record(out, value.as.record);
        break;
    case RF_VALUE_TYPE:
        rf_buffer_append_text(out, rf_type_name(value.as.type));
        break;
    case RF_VALUE_OPTIONAL:
        print_optional(out, value.as.optional);
        break;
    }
}
