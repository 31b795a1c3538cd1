#include <inttypes.h>
#include <string.h>

#include "cli/tail.h"
#include "cli/terminal.h"
#include "core/codec/value_json.h"
#include "core/expr/expr.h"

/* A member of a record or of a map from text; null where there is none. */
static struct rf_value member(struct rf_value value, const char *name)
{
    struct rf_bytes text = rf_bytes_of_text(name);

    if (value.kind == RF_VALUE_RECORD) {
        const struct rf_record *record = value.as.record;

        for (size_t i = 0; i < record->type->field_count; i++) {
            if (strcmp(record->type->fields[i].name, name) == 0)
                return record->fields[i];
        }
    }
    for (size_t i = 0; value.kind == RF_VALUE_MAP && i < value.as.map->count; i++) {
        if (value.as.map->keys[i].kind == RF_VALUE_STRING &&
            rf_bytes_equal(value.as.map->keys[i].as.text, text))
            return value.as.map->values[i];
    }
    return rf_value_null();
}

static struct rf_bytes text_member(struct rf_value value, const char *name)
{
    struct rf_value found = member(value, name);

    return found.kind == RF_VALUE_STRING ? found.as.text : (struct rf_bytes){0};
}

/* What would move a terminal's cursor or colour is shown as a point. */
static void print_safe(struct rf_buffer *out, struct rf_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        rf_buffer_append_byte(out,
                              text.data[i] < 0x20 || text.data[i] == 0x7f ? '.' : text.data[i]);
}

static void print_padded(struct rf_buffer *out, struct rf_bytes text, size_t width)
{
    print_safe(out, text);
    for (size_t i = text.size; i < width; i++)
        rf_buffer_append_byte(out, ' ');
}

static void print_instant(struct rf_buffer *out, rf_ms time)
{
    char text[RF_TIME_TEXT_MAX];

    if (time == RF_MS_MIN)
        rf_buffer_append_text(out, "-");
    else
        rf_buffer_append(out, text, rf_time_format_ms(text, sizeof text, time));
}

/* ---- alerts ---- */

static const char *colour_of(struct rf_bytes severity)
{
    if (rf_bytes_equal(severity, rf_bytes_of_text("critical")) ||
        rf_bytes_equal(severity, rf_bytes_of_text("high")))
        return RF_RED;
    return rf_bytes_equal(severity, rf_bytes_of_text("medium")) ? RF_YELLOW : RF_BOLD;
}

static bool is_alert(struct rf_value event)
{
    return text_member(event, "rule").size > 0 && text_member(event, "customer").size > 0;
}

/* Values of reasons are text in Avro and what they are in JSON. */
static void print_reason_value(struct rf_buffer *out, struct rf_value value)
{
    if (value.kind == RF_VALUE_STRING)
        print_safe(out, value.as.text);
    else
        rf_value_print_json(out, value);
}

static void print_reasons(struct rf_buffer *out, struct rf_value reasons)
{
    if (reasons.kind != RF_VALUE_LIST || reasons.as.list->count == 0)
        return;
    rf_buffer_append_text(out, "                          ");
    for (size_t i = 0; i < reasons.as.list->count; i++) {
        rf_buffer_append_text(out, i == 0 ? "" : ", ");
        print_safe(out, text_member(reasons.as.list->items[i], "name"));
        rf_buffer_append_text(out, " = ");
        print_reason_value(out, member(reasons.as.list->items[i], "value"));
    }
    rf_buffer_append_byte(out, '\n');
}

static void print_occurred(struct rf_buffer *out, const struct rf_tail_line *line)
{
    struct rf_value at = member(line->event, "occurred_at");

    if (at.kind == RF_VALUE_STRING)
        print_safe(out, at.as.text);
    else if (at.kind == RF_VALUE_TIMESTAMP)
        print_instant(out, rf_value_to_ms(at));
    else
        print_instant(out, line->message->time);
}

static void print_alert(const struct rf_tail_line *line, bool colour, struct rf_buffer *out)
{
    struct rf_bytes severity = text_member(line->event, "severity");
    struct rf_bytes status = text_member(line->event, "status");
    struct rf_bytes because = text_member(line->event, "because");
    bool offer = text_member(line->event, "offer_id").size > 0;

    print_occurred(out, line);
    rf_buffer_append_text(out, "  ");
    rf_buffer_append_text(out, colour ? colour_of(severity) : "");
    print_padded(out, offer ? rf_bytes_of_text("offer") : severity, 8);
    rf_buffer_append_text(out, colour ? RF_PLAIN : "");
    rf_buffer_append_byte(out, ' ');
    print_safe(out, text_member(line->event, "customer"));
    rf_buffer_append_text(out, "  ");
    print_safe(out, text_member(line->event, "rule"));
    if (status.size > 0 && !rf_bytes_equal(status, rf_bytes_of_text("RAISED"))) {
        rf_buffer_append_byte(out, ' ');
        print_safe(out, status);
    }
    if (because.size > 0) {
        rf_buffer_append_text(out, ": ");
        print_safe(out, because);
    }
    rf_buffer_append_byte(out, '\n');
    print_reasons(out, member(line->event, "reasons"));
}

/* ---- any message ---- */

static void print_key(struct rf_buffer *out, struct rf_bytes key)
{
    if (key.data == NULL)
        rf_buffer_append_text(out, "null");
    else if (rf_bytes_is_utf8(key))
        print_safe(out, key);
    else
        rf_value_print(out, rf_value_bytes(key));
}

void rf_tail_print_text(const struct rf_tail_line *line, bool colour, struct rf_buffer *out)
{
    if (line->failure == NULL && is_alert(line->event)) {
        print_alert(line, colour, out);
        return;
    }
    print_instant(out, line->message->time);
    rf_buffer_printf(out, "  %s%s %" PRId32 ":%" PRId64 "%s  ", colour ? RF_DIM : "", line->topic,
                     line->message->partition, line->message->offset, colour ? RF_PLAIN : "");
    print_key(out, line->message->key);
    rf_buffer_append_text(out, "  ");
    if (line->failure == NULL)
        rf_value_print_json(out, line->event);
    else
        rf_buffer_printf(out, "cannot be decoded: %s", line->failure);
    rf_buffer_append_byte(out, '\n');
}

static void print_json_key(struct rf_buffer *out, struct rf_bytes key)
{
    rf_value_print_json(out, key.data == NULL        ? rf_value_null()
                             : rf_bytes_is_utf8(key) ? rf_value_string(key)
                                                     : rf_value_bytes(key));
}

void rf_tail_print_json(const struct rf_tail_line *line, struct rf_buffer *out)
{
    rf_buffer_append_text(out, "{\"topic\":");
    rf_json_print_text(out, rf_bytes_of_text(line->topic));
    rf_buffer_printf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"time\":",
                     line->message->partition, line->message->offset);
    rf_value_print_json(out, line->message->time == RF_MS_MIN
                                 ? rf_value_null()
                                 : rf_value_timestamp_ms(line->message->time));
    rf_buffer_append_text(out, ",\"key\":");
    print_json_key(out, line->message->key);
    if (line->failure == NULL) {
        rf_buffer_append_text(out, ",\"event\":");
        rf_value_print_json(out, line->event);
    } else {
        rf_buffer_append_text(out, ",\"error\":");
        rf_json_print_text(out, rf_bytes_of_text(line->failure));
        rf_buffer_append_text(out, ",\"value\":");
        print_json_key(out, line->message->value);
    }
    rf_buffer_append_text(out, "}\n");
}
