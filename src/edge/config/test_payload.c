/* The fields of a test's event as the JSON that its source would bring: checked against the source's schema, strictly
 * (a field that does not exist, a symbol that an enum does not have and a number in quotes are mistakes here). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/codec/value_json.h"
#include "edge/config/test_reader.h"
#include "edge/formats/text_value.h"

struct fault {
    const struct rf_yaml_node *node;
    const char *message, *hint;
};

struct writing {
    struct rf_test_file *file;
    const struct rf_test_payload *payload;
    struct rf_buffer *out;
    struct fault fault;
};

static bool write_value(struct writing *writing, const struct rf_schema *schema,
                        const struct rf_yaml_node *node);

static bool RF_PRINTF(4, 5) fail(struct writing *writing, const struct rf_yaml_node *node,
                                 const char *hint, const char *format, ...)
{
    char message[RF_ERROR_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    writing->fault = (struct fault){
        .node = node, .message = rf_arena_copy_text(writing->file->arena, message), .hint = hint};
    return false;
}

static bool is_null(const struct rf_yaml_node *node)
{
    return node->kind == RF_YAML_SCALAR &&
           (node->empty ||
            (node->style == RF_YAML_PLAIN &&
             (strcmp(rf_yaml_text(node), "null") == 0 || strcmp(rf_yaml_text(node), "~") == 0)));
}

static const char *article(const struct rf_schema *schema)
{
    return schema->logical == RF_LOGICAL_DATE ? "a date"
           : schema->logical == RF_LOGICAL_TIMESTAMP_MILLIS ||
                   schema->logical == RF_LOGICAL_TIMESTAMP_MICROS ||
                   schema->logical == RF_LOGICAL_TIMESTAMP_NANOS
               ? "an instant"
           : schema->kind == RF_SCHEMA_INT || schema->kind == RF_SCHEMA_LONG ? "a whole number"
           : schema->kind == RF_SCHEMA_FLOAT || schema->kind == RF_SCHEMA_DOUBLE
               ? "a number"
               : rf_schema_kind_name(schema->kind);
}

/* ---- scalars ---- */

static bool is_instant(const struct rf_schema *schema)
{
    return schema->logical == RF_LOGICAL_TIMESTAMP_MILLIS ||
           schema->logical == RF_LOGICAL_TIMESTAMP_MICROS ||
           schema->logical == RF_LOGICAL_TIMESTAMP_NANOS;
}

static bool write_symbol(struct writing *writing, const struct rf_schema *schema,
                         const struct rf_yaml_node *node)
{
    const char *nearest = NULL;
    const char *all = "it has:";

    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->symbols[i], rf_yaml_text(node)) == 0) {
            rf_json_print_text(writing->out, node->text);
            return true;
        }
        all = rf_arena_printf(writing->file->arena, "%s %s", all, schema->symbols[i]);
    }
    nearest = rf_nearest_name(node->text, schema->symbols, schema->count);
    return fail(writing, node,
                nearest == NULL
                    ? all
                    : rf_arena_printf(writing->file->arena, "did you mean '%s'?", nearest),
                "'%.80s' is no symbol of %s", rf_yaml_text(node), schema->name);
}

static bool is_whole_number(struct rf_bytes text)
{
    int64_t number = 0;

    return rf_int64_parse(text, &number);
}

static bool write_number(struct writing *writing, const struct rf_schema *schema,
                         const struct rf_yaml_node *node)
{
    struct rf_value value = rf_value_null();
    struct rf_error err = {0};
    char text[RF_DOUBLE_TEXT_MAX];
    rf_ms instant = 0;

    if (node->style != RF_YAML_PLAIN && schema->logical == RF_LOGICAL_NONE)
        return fail(writing, node, "write it without quotes", "a text in quotes is not %s",
                    article(schema));
    if (is_instant(schema) && rf_test_relative(node->text, writing->payload->time, &instant)) {
        rf_value_print_json(writing->out, rf_value_timestamp_ms(instant));
        return true;
    }
    if (!rf_text_value(schema, node->text, &value, &err))
        return fail(writing, node,
                    is_instant(schema)
                        ? "+2d is seen from the event's own time; otherwise 2026-03-01T10:00:00Z"
                        : NULL,
                    "%s", err.message);
    if (schema->logical != RF_LOGICAL_NONE && !is_whole_number(node->text)) {
        rf_json_print_text(writing->out, node->text); /* an instant, a date, a time of day */
    } else if (value.kind == RF_VALUE_DOUBLE) {
        rf_double_format(text, sizeof text, value.as.number);
        rf_buffer_printf(writing->out,
                         strchr("NIi", text[text[0] == '-']) != NULL ? "\"%s\"" : "%s", text);
    } else {
        rf_buffer_append(writing->out, node->text.data, node->text.size);
    }
    return true;
}

static bool write_boolean(struct writing *writing, const struct rf_yaml_node *node)
{
    const char *text = rf_yaml_text(node);

    if (node->style != RF_YAML_PLAIN || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
        return fail(writing, node, "write true or false", "'%.80s' is no boolean", text);
    rf_buffer_append_text(writing->out, text);
    return true;
}

static bool write_scalar(struct writing *writing, const struct rf_schema *schema,
                         const struct rf_yaml_node *node)
{
    if (node->kind != RF_YAML_SCALAR || node->empty)
        return fail(writing, node, NULL, "%s is not %s", rf_yaml_kind_name(node), article(schema));
    switch (schema->kind) {
    case RF_SCHEMA_BOOLEAN:
        return write_boolean(writing, node);
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
        return write_number(writing, schema, node);
    case RF_SCHEMA_ENUM:
        return write_symbol(writing, schema, node);
    default: /* string, bytes, fixed, decimals: as text; the decoder judges the rest */
        rf_json_print_text(writing->out, node->text);
        return true;
    }
}

/* ---- what has parts ---- */

static bool write_list(struct writing *writing, const struct rf_schema *schema,
                       const struct rf_yaml_node *node)
{
    if (node->kind != RF_YAML_LIST)
        return fail(writing, node, "[ ... ]", "%s is no array", rf_yaml_kind_name(node));
    rf_buffer_append_byte(writing->out, '[');
    for (size_t i = 0; i < node->count; i++) {
        rf_buffer_append_text(writing->out, i == 0 ? "" : ",");
        if (!write_value(writing, schema->element, node->items[i]))
            return false;
    }
    rf_buffer_append_byte(writing->out, ']');
    return true;
}

static bool write_map(struct writing *writing, const struct rf_schema *schema,
                      const struct rf_yaml_node *node)
{
    if (node->kind != RF_YAML_MAP)
        return fail(writing, node, "{ KEY: VALUE }", "%s is no map", rf_yaml_kind_name(node));
    rf_buffer_append_byte(writing->out, '{');
    for (size_t i = 0; i < node->count; i++) {
        rf_buffer_append_text(writing->out, i == 0 ? "" : ",");
        rf_json_print_text(writing->out, node->keys[i]->text);
        rf_buffer_append_byte(writing->out, ':');
        if (!write_value(writing, schema->element, node->items[i]))
            return false;
    }
    rf_buffer_append_byte(writing->out, '}');
    return true;
}

/* The first branch that the value fits; where none does, the fault of the last. */
static bool write_union(struct writing *writing, const struct rf_schema *schema,
                        const struct rf_yaml_node *node)
{
    size_t mark = writing->out->size;

    writing->fault = (struct fault){0};
    for (size_t i = 0; i < schema->count; i++) {
        const struct rf_schema *branch = schema->branches[i];

        if ((branch->kind == RF_SCHEMA_NULL) != is_null(node))
            continue;
        writing->out->size = mark;
        if (write_value(writing, branch, node))
            return true;
    }
    if (writing->fault.node == NULL)
        return fail(writing, node, NULL, "%s is of none of the types here",
                    rf_yaml_kind_name(node));
    return false;
}

/* A field's value in a mapping, by its name or an alias. */
static const struct rf_yaml_node *find_field(const struct rf_schema_field *field,
                                             const struct rf_yaml_node *map)
{
    const struct rf_yaml_node *node = NULL;

    if (map == NULL || map->kind != RF_YAML_MAP)
        return NULL;
    node = rf_yaml_find(map, field->name);
    for (size_t i = 0; node == NULL && i < field->alias_count; i++)
        node = rf_yaml_find(map, field->aliases[i]);
    return node;
}

static bool check_names(struct writing *writing, const struct rf_schema *schema,
                        const struct rf_yaml_node *map)
{
    const char *names[256];
    size_t count = schema->count < 256 ? schema->count : 256;
    const char *nearest = NULL;
    const char *all = "it has:";

    for (size_t i = 0; map != NULL && i < map->count; i++) {
        bool known = false;

        for (size_t f = 0; f < schema->count && !known; f++) {
            const struct rf_yaml_node one = {
                .kind = RF_YAML_MAP, .count = 1, .keys = &map->keys[i], .items = &map->items[i]};
            known = find_field(&schema->fields[f], &one) != NULL;
        }
        if (known)
            continue;
        for (size_t f = 0; f < count; f++) {
            names[f] = schema->fields[f].name;
            all = rf_arena_printf(writing->file->arena, "%s %s", all, names[f]);
        }
        nearest = rf_nearest_name(map->keys[i]->text, names, count);
        return fail(writing, map->keys[i],
                    nearest == NULL
                        ? all
                        : rf_arena_printf(writing->file->arena, "did you mean '%s'?", nearest),
                    "there is no field '%.80s' in %s", rf_yaml_key(map, i), schema->name);
    }
    return true;
}

static bool has_null(const struct rf_schema *schema)
{
    bool has = schema->kind == RF_SCHEMA_NULL;

    for (size_t i = 0; schema->kind == RF_SCHEMA_UNION && i < schema->count; i++)
        has = has || schema->branches[i]->kind == RF_SCHEMA_NULL;
    return has;
}

/* One record: what is written, what is implied, defaults, null. */
struct record {
    const struct rf_schema *schema;
    const struct rf_yaml_node *written, *defaults; /* mappings; may be NULL */
    unsigned implied;                              /* bits: those whose path has led here */
    size_t depth;
};

static bool write_record(struct writing *writing, const struct record *record);

static const struct rf_schema *record_in(const struct rf_schema *schema)
{
    for (size_t i = 0; schema->kind == RF_SCHEMA_UNION && i < schema->count; i++) {
        if (schema->branches[i]->kind == RF_SCHEMA_RECORD)
            return schema->branches[i];
    }
    return schema;
}

/* What the test says of a field by other words. */
static bool write_implied(struct writing *writing, const struct record *record, uint32_t index,
                          bool *done)
{
    struct record inner = {.schema = record_in(record->schema->fields[index].type),
                           .depth = record->depth + 1};

    *done = false;
    for (unsigned i = 0; i < RF_TEST_IMPLIED; i++) {
        const struct rf_test_implied *implied = &writing->payload->implied[i];

        if ((record->implied >> i & 1U) == 0 || implied->path == NULL ||
            implied->path[record->depth] != index)
            continue;
        *done = true;
        if (implied->depth == record->depth + 1) {
            rf_buffer_append_text(writing->out, implied->json);
            return true;
        }
        inner.implied |= 1U << i;
    }
    return !*done || write_record(writing, &inner);
}

static bool write_missing(struct writing *writing, const struct record *record, uint32_t index)
{
    const struct rf_schema_field *field = &record->schema->fields[index];
    const bool *used = record->depth == 0 ? writing->payload->source->fields_used : NULL;
    bool done = false;

    if (!write_implied(writing, record, index, &done))
        return false;
    if (done)
        return true;
    if (has_null(field->type) || (used != NULL && !used[index])) {
        rf_buffer_append_text(writing->out, "null"); /* nobody looks at one that is not used */
        return true;
    }
    return fail(writing, record->written != NULL ? record->written : writing->payload->event,
                "write it in the event's `fields`, or for all events in the file's `defaults`",
                "field '%s' is missing, and has no default", field->name);
}

static bool write_record(struct writing *writing, const struct record *record)
{
    const struct rf_schema *schema = record->schema;
    const char *separator = "";

    if (!check_names(writing, schema, record->written) ||
        !check_names(writing, schema, record->defaults))
        return false;
    rf_buffer_append_byte(writing->out, '{');
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct rf_schema_field *field = &schema->fields[i];
        const struct rf_yaml_node *node = find_field(field, record->written);
        bool implied = false;

        for (unsigned k = 0; k < RF_TEST_IMPLIED; k++)
            implied = implied || ((record->implied >> k & 1U) != 0 &&
                                  writing->payload->implied[k].path != NULL &&
                                  writing->payload->implied[k].path[record->depth] == i);
        if (node == NULL && !implied)
            node = find_field(field, record->defaults);
        if (node == NULL && !implied && field->has_default)
            continue;
        rf_buffer_printf(writing->out, "%s", separator);
        separator = ",";
        rf_json_print_text(writing->out, rf_bytes_of_text(field->name));
        rf_buffer_append_byte(writing->out, ':');
        if (node != NULL ? !write_value(writing, field->type, node)
                         : !write_missing(writing, record, i))
            return false;
    }
    rf_buffer_append_byte(writing->out, '}');
    return true;
}

static bool write_nested(struct writing *writing, const struct rf_schema *schema,
                         const struct rf_yaml_node *node)
{
    struct record record = {.schema = schema, .written = node};

    if (node->kind != RF_YAML_MAP)
        return fail(writing, node, "{ FIELD: VALUE }", "%s is no record %s",
                    rf_yaml_kind_name(node), schema->name);
    record.depth = SIZE_MAX; /* not the event's own */
    return write_record(writing, &record);
}

static bool write_value(struct writing *writing, const struct rf_schema *schema,
                        const struct rf_yaml_node *node)
{
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        rf_buffer_append_text(writing->out, "null");
        return is_null(node) ||
               fail(writing, node, NULL, "%s is not null", rf_yaml_kind_name(node));
    case RF_SCHEMA_ARRAY:
        return write_list(writing, schema, node);
    case RF_SCHEMA_MAP:
        return write_map(writing, schema, node);
    case RF_SCHEMA_RECORD:
        return write_nested(writing, schema, node);
    case RF_SCHEMA_UNION:
        return write_union(writing, schema, node);
    default:
        return write_scalar(writing, schema, node);
    }
}

/* ---- the event ---- */

static bool are_fields(struct rf_test_file *file, const struct rf_yaml_node *node)
{
    if (node == NULL || node->kind == RF_YAML_MAP)
        return true;
    rf_test_complain(file, node, "{ FIELD: VALUE }", "fields are a mapping, not %s",
                     rf_yaml_kind_name(node));
    return false;
}

bool rf_test_write_payload(struct rf_test_file *file, const struct rf_test_payload *payload)
{
    struct writing writing = {.file = file, .payload = payload, .out = &file->payload};
    const struct record record = {.schema = payload->source->schema,
                                  .written = payload->fields,
                                  .defaults = payload->defaults,
                                  .implied = (1U << RF_TEST_IMPLIED) - 1};

    rf_buffer_clear(&file->payload);
    if (!are_fields(file, payload->fields) || !are_fields(file, payload->defaults))
        return false;
    if (!write_record(&writing, &record)) {
        rf_test_complain(file, writing.fault.node, writing.fault.hint, "%s", writing.fault.message);
        return false;
    }
    if (file->payload.overflow) {
        rf_test_complain(file, payload->event, "limits: { event_bytes: ... } in the configuration",
                         "the event is larger than the %zu bytes that events may have",
                         file->payload.size_max);
        return false;
    }
    return true;
}

bool rf_test_is_written(const struct rf_test_payload *payload, const uint32_t *path, size_t depth)
{
    const struct rf_schema *schema = payload->source->schema;
    const struct rf_yaml_node *node = payload->fields;

    for (size_t i = 0; i < depth && node != NULL; i++) {
        if (schema->kind != RF_SCHEMA_RECORD || path[i] >= schema->count)
            return false;
        node = find_field(&schema->fields[path[i]], node);
        schema = record_in(schema->fields[path[i]].type);
    }
    return node != NULL;
}
