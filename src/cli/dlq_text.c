#include <inttypes.h>

#include "cli/dlq.h"
#include "core/codec/value_json.h"

#define DUMP_WIDTH 16

static void print_time(struct rf_buffer *out, rf_ms time)
{
    char text[RF_TIME_TEXT_MAX];

    if (time == RF_MS_MIN)
        rf_buffer_append_text(out, "-");
    else
        rf_buffer_append(out, text, rf_time_format_ms(text, sizeof text, time));
}

/* What would move a terminal's cursor or colour is shown as a point. */
static void print_safe(struct rf_buffer *out, struct rf_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        rf_buffer_append_byte(out,
                              text.data[i] < 0x20 || text.data[i] == 0x7f ? '.' : text.data[i]);
}

static void print_id(const struct rf_letter *letter, struct rf_buffer *out)
{
    rf_buffer_printf(out, "%" PRId32 ":%" PRId64, letter->message->partition,
                     letter->message->offset);
}

void rf_letter_print_line(const struct rf_letter *letter, struct rf_buffer *out)
{
    size_t start = out->size;

    print_id(letter, out);
    while (out->size - start < 10)
        rf_buffer_append_byte(out, ' ');
    rf_buffer_append_text(out, "  ");
    print_time(out, letter->message->time);
    rf_buffer_append_text(out, "  ");
    print_safe(out, letter->topic);
    rf_buffer_printf(out, " %" PRId32 ":%" PRId64 "  ", letter->partition, letter->offset);
    print_safe(out, letter->error_class);
    rf_buffer_append_text(out, ": ");
    print_safe(out, letter->reason);
    if (letter->handled != NULL)
        rf_buffer_printf(out, "  (%s)", letter->handled);
    rf_buffer_append_byte(out, '\n');
}

/* ---- payloads ---- */

static bool is_text(struct rf_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = bytes.data[i];

        if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return rf_bytes_is_utf8(bytes);
}

/* 00000000  7b 22 61 ...  |{"a...| */
static void print_dump(struct rf_bytes bytes, struct rf_buffer *out)
{
    for (size_t at = 0; at < bytes.size; at += DUMP_WIDTH) {
        rf_buffer_printf(out, "  %08zx  ", at);
        for (size_t i = at; i < at + DUMP_WIDTH; i++) {
            if (i < bytes.size)
                rf_buffer_printf(out, "%02x ", bytes.data[i]);
            else
                rf_buffer_append_text(out, "   ");
        }
        rf_buffer_append_text(out, " |");
        for (size_t i = at; i < at + DUMP_WIDTH && i < bytes.size; i++)
            rf_buffer_append_byte(
                out, bytes.data[i] < 0x20 || bytes.data[i] > 0x7e ? '.' : bytes.data[i]);
        rf_buffer_append_text(out, "|\n");
    }
}

static void print_payload(const char *name, struct rf_bytes bytes, struct rf_buffer *out)
{
    if (bytes.data == NULL) {
        rf_buffer_printf(out, "%s null\n", name);
        return;
    }
    rf_buffer_printf(out, "%s %zu bytes%s", name, bytes.size, bytes.size == 0 ? "" : ":");
    if (!is_text(bytes)) {
        rf_buffer_append_byte(out, '\n');
        print_dump(bytes, out);
        return;
    }
    rf_buffer_append_byte(out, ' ');
    rf_buffer_append(out, bytes.data, bytes.size);
    rf_buffer_append_byte(out, '\n');
}

static void print_headers(const struct rf_letter *letter, struct rf_buffer *out)
{
    for (size_t i = 0; i < letter->own_header_count; i++) {
        const struct rf_header *header = &letter->message->headers[i];

        rf_buffer_append_text(out, "  header  ");
        print_safe(out, rf_bytes_of_text(header->name));
        rf_buffer_append_text(out, ": ");
        if (header->value.data == NULL)
            rf_buffer_append_text(out, "null");
        print_safe(out, header->value);
        rf_buffer_append_byte(out, '\n');
    }
}

void rf_letter_print_all(const struct rf_letter *letter, struct rf_buffer *out)
{
    rf_buffer_append_text(out, "dead letter ");
    print_id(letter, out);
    rf_buffer_append_text(out, "\n  since   ");
    print_time(out, letter->message->time);
    rf_buffer_append_text(out, "\n  from    ");
    print_safe(out, letter->topic);
    rf_buffer_printf(out, ", partition %" PRId32 ", offset %" PRId64, letter->partition,
                     letter->offset);
    if (letter->time.size > 0) {
        rf_buffer_append_text(out, ", of ");
        print_safe(out, letter->time);
    }
    rf_buffer_append_text(out, "\n  class   ");
    print_safe(out, letter->error_class);
    rf_buffer_append_text(out, "\n  reason  ");
    print_safe(out, letter->reason);
    rf_buffer_printf(out, "\n  handled %s\n",
                     letter->handled == NULL ? "not yet" : letter->handled);
    print_headers(letter, out);
    print_payload("  key    ", letter->message->key, out);
    if (letter->value_omitted >= 0)
        rf_buffer_printf(out, "  value   %" PRId64 " bytes, too large to be kept here\n",
                         letter->value_omitted);
    else
        print_payload("  value  ", letter->message->value, out);
}

/* ---- JSON ---- */

/* "name": text, or "name_hex": its bytes; null where it is null. */
static void print_json_bytes(const char *name, struct rf_bytes bytes, struct rf_buffer *out)
{
    if (bytes.data == NULL) {
        rf_buffer_printf(out, "\"%s\":null", name);
        return;
    }
    if (rf_bytes_is_utf8(bytes)) {
        rf_buffer_printf(out, "\"%s\":", name);
        rf_json_print_text(out, bytes);
        return;
    }
    rf_buffer_printf(out, "\"%s_hex\":\"", name);
    for (size_t i = 0; i < bytes.size; i++)
        rf_buffer_printf(out, "%02x", bytes.data[i]);
    rf_buffer_append_byte(out, '"');
}

static void print_json_message(const struct rf_letter *letter, struct rf_buffer *out)
{
    rf_buffer_append_text(out, ",\"headers\":[");
    for (size_t i = 0; i < letter->own_header_count; i++) {
        const struct rf_header *header = &letter->message->headers[i];

        rf_buffer_append_text(out, i == 0 ? "{" : ",{");
        print_json_bytes("name", rf_bytes_of_text(header->name), out);
        rf_buffer_append_byte(out, ',');
        print_json_bytes("value", header->value, out);
        rf_buffer_append_byte(out, '}');
    }
    rf_buffer_append_text(out, "],");
    print_json_bytes("key", letter->message->key, out);
    rf_buffer_append_byte(out, ',');
    if (letter->value_omitted >= 0)
        rf_buffer_printf(out, "\"value_omitted\":%" PRId64, letter->value_omitted);
    else
        print_json_bytes("value", letter->message->value, out);
}

static void print_json_text(const char *name, struct rf_bytes text, struct rf_buffer *out)
{
    rf_buffer_append_byte(out, ',');
    print_json_bytes(name, text.size == 0 ? (struct rf_bytes){0} : text, out);
}

void rf_letter_print_json(const struct rf_letter *letter, bool whole, struct rf_buffer *out)
{
    rf_buffer_append_text(out, "{\"id\":\"");
    print_id(letter, out);
    rf_buffer_printf(out, "\",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"since\":",
                     letter->message->partition, letter->message->offset);
    rf_value_print_json(out, letter->message->time == RF_MS_MIN
                                 ? rf_value_null()
                                 : rf_value_timestamp_ms(letter->message->time));
    rf_buffer_append_text(out, ",\"from\":{\"topic\":");
    rf_json_print_text(out, letter->topic);
    rf_buffer_printf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, letter->partition,
                     letter->offset);
    print_json_text("time", letter->time, out);
    rf_buffer_append_byte(out, '}');
    print_json_text("class", letter->error_class, out);
    print_json_text("reason", letter->reason, out);
    print_json_text(
        "handled",
        letter->handled == NULL ? (struct rf_bytes){0} : rf_bytes_of_text(letter->handled), out);
    if (whole)
        print_json_message(letter, out);
    rf_buffer_append_text(out, "}\n");
}
