/* The customer record's schema as JSON. Named types are written out where they are first met. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/codec/customer_parts.h"

#define TEXT_SIZE_MAX (1U << 20) /* what our own reader of schemas takes */
#define NAMED_MAX     64

struct printer {
    struct rf_buffer out;
    const struct rf_customer_doc *docs;
    size_t doc_count;
    const struct rf_schema *named[NAMED_MAX]; /* those already written */
    size_t named_count;
};

static void print_schema(struct printer *printer, const struct rf_schema *schema);

static void print_string(struct printer *printer, const char *text)
{
    rf_buffer_append_byte(&printer->out, '"');
    for (; *text != 0; text++) {
        rf_assert((unsigned char)*text >= 0x20); /* names and our own words */
        if (*text == '"' || *text == '\\')
            rf_buffer_append_byte(&printer->out, '\\');
        rf_buffer_append_byte(&printer->out, (uint8_t)*text);
    }
    rf_buffer_append_byte(&printer->out, '"');
}

static void print_member(struct printer *printer, const char *name, const char *text)
{
    print_string(printer, name);
    rf_buffer_append_byte(&printer->out, ':');
    print_string(printer, text);
}

/* Fields of the types that are the same in every record, by type and name. */
static const char *known_doc(const char *record, const char *field)
{
    static const struct {
        const char *record;
        const char *field;
        const char *text;
    } known[] = {
        {"ringfold.BucketLong", "index", "floor(event time / length of a bucket)"},
        {"ringfold.BucketLong", "value", "a number, or milliseconds of an instant or a length"},
        {"ringfold.BucketDouble", "index", "floor(event time / length of a bucket)"},
        {"ringfold.Distinct", "hashes", "empty where there is a sketch"},
        {"ringfold.Distinct", "sketch", "one byte a register; empty while hashes are exact"},
        {"ringfold.Recent", "last", "event time"},
        {"ringfold.Interval", "count", "events"},
        {"ringfold.Interval", "first", "the least event time"},
        {"ringfold.Interval", "settled", "gaps before times[0]: what they come to follows"},
        {"ringfold.Interval", "mean", "milliseconds"},
        {"ringfold.Interval", "squares", "sum of squared differences from the mean"},
        {"ringfold.Interval", "times", "of the latest events"},
        {"ringfold.Cases", "opened", "this and what follows: of cases that are forgotten"},
        {"ringfold.Case", "settled", "what came before the marks"},
        {"ringfold.Case", "marks", "2 * event time, + 1 where it closes"},
        {"ringfold.Rule", "fired", "how often"},
        {"ringfold.Rule", "last_fired", "null: never"},
        {"ringfold.Rule", "held_since", "its condition holds since then, and has to for a while"},
        {"ringfold.Rule", "told", "when an alert that can end was last told of"},
        {"ringfold.Rule", "raised", "its open alert"},
        {"ringfold.Raised", "episode", "episode_id of what was emitted"},
        {"ringfold.Raised", "reasons", "a hash of those told then"},
        {"ringfold.Seen", "hash", "of source and id"},
        {"ringfold.Seen", "time", "event time"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].record, record) == 0 && strcmp(known[i].field, field) == 0)
            return known[i].text;
    }
    return NULL;
}

static const char *find_doc(const struct printer *printer, const struct rf_schema *record,
                            const struct rf_schema_field *field)
{
    for (size_t i = 0; i < printer->doc_count; i++) {
        if (printer->docs[i].field == field)
            return printer->docs[i].text;
    }
    return known_doc(record->name, field->name);
}

static void print_field(struct printer *printer, const struct rf_schema *record,
                        const struct rf_schema_field *field)
{
    const char *doc = find_doc(printer, record, field);

    rf_buffer_append_text(&printer->out, "{");
    print_member(printer, "name", field->name);
    if (doc != NULL) {
        rf_buffer_append_byte(&printer->out, ',');
        print_member(printer, "doc", doc);
    }
    rf_buffer_append_text(&printer->out, ",\"type\":");
    print_schema(printer, field->type);
    if (field->has_default)
        rf_buffer_printf(&printer->out, ",\"default\":%s",
                         field->type->kind == RF_SCHEMA_UNION   ? "null"
                         : field->type->kind == RF_SCHEMA_ARRAY ? "[]"
                                                                : "{}");
    rf_buffer_append_text(&printer->out, "}");
}

/* True where the type was written before, and now by its name. */
static bool print_reference(struct printer *printer, const struct rf_schema *schema)
{
    for (size_t i = 0; i < printer->named_count; i++) {
        if (printer->named[i] == schema) {
            print_string(printer, schema->name);
            return true;
        }
    }
    rf_assert(printer->named_count < NAMED_MAX);
    printer->named[printer->named_count++] = schema;
    return false;
}

static void print_name(struct printer *printer, const struct rf_schema *schema)
{
    const char *dot = strchr(schema->name, '.'); /* our namespaces have one part */

    rf_assert(dot != NULL && strchr(dot + 1, '.') == NULL);
    print_member(printer, "name", dot + 1);
    rf_buffer_printf(&printer->out, ",\"namespace\":\"%.*s\"", (int)(dot - schema->name),
                     schema->name);
}

static void print_record(struct printer *printer, const struct rf_schema *schema)
{
    if (print_reference(printer, schema))
        return;
    rf_buffer_append_text(&printer->out, "{\"type\":\"record\",");
    print_name(printer, schema);
    rf_buffer_append_text(&printer->out, ",\"fields\":[");
    for (size_t i = 0; i < schema->count; i++) {
        if (i > 0)
            rf_buffer_append_byte(&printer->out, ',');
        print_field(printer, schema, &schema->fields[i]);
    }
    rf_buffer_append_text(&printer->out, "]}");
}

static void print_fixed(struct printer *printer, const struct rf_schema *schema)
{
    if (print_reference(printer, schema))
        return;
    rf_buffer_append_text(&printer->out, "{\"type\":\"fixed\",");
    print_name(printer, schema);
    rf_buffer_printf(&printer->out, ",\"size\":%zu}", schema->count);
}

static void print_union(struct printer *printer, const struct rf_schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        rf_buffer_append_byte(&printer->out, i == 0 ? '[' : ',');
        print_schema(printer, schema->branches[i]);
    }
    rf_buffer_append_byte(&printer->out, ']');
}

static void print_container(struct printer *printer, const struct rf_schema *schema)
{
    bool is_array = schema->kind == RF_SCHEMA_ARRAY;

    rf_buffer_printf(&printer->out, "{\"type\":\"%s\",\"%s\":", is_array ? "array" : "map",
                     is_array ? "items" : "values");
    print_schema(printer, schema->element);
    rf_buffer_append_byte(&printer->out, '}');
}

static void print_long(struct printer *printer, const struct rf_schema *schema)
{
    bool is_instant = schema->logical == RF_LOGICAL_TIMESTAMP_MILLIS;

    rf_buffer_append_text(&printer->out,
                          is_instant ? "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"
                                     : "\"long\"");
}

static void print_schema(struct printer *printer, const struct rf_schema *schema)
{
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        print_string(printer, "null");
        return;
    case RF_SCHEMA_BOOLEAN:
        print_string(printer, "boolean");
        return;
    case RF_SCHEMA_LONG:
        print_long(printer, schema);
        return;
    case RF_SCHEMA_DOUBLE:
        print_string(printer, "double");
        return;
    case RF_SCHEMA_BYTES:
        print_string(printer, "bytes");
        return;
    case RF_SCHEMA_STRING:
        print_string(printer, "string");
        return;
    case RF_SCHEMA_RECORD:
        print_record(printer, schema);
        return;
    case RF_SCHEMA_FIXED:
        print_fixed(printer, schema);
        return;
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
        print_container(printer, schema);
        return;
    case RF_SCHEMA_UNION:
        print_union(printer, schema);
        return;
    case RF_SCHEMA_INT:
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_ENUM:
        break;
    }
    rf_assert(false && "a type that the customer record does not have");
}

const char *rf_customer_schema_print(struct rf_arena *arena, const struct rf_schema *schema,
                                     const struct rf_customer_doc *docs, size_t doc_count)
{
    struct printer printer = {.docs = docs, .doc_count = doc_count};
    struct rf_bytes text = {0};

    rf_buffer_init(&printer.out, TEXT_SIZE_MAX);
    print_schema(&printer, schema);
    rf_assert(!printer.out.overflow);
    text = rf_arena_copy(arena, rf_buffer_bytes(&printer.out));
    rf_buffer_deinit(&printer.out);
    return (const char *)text.data;
}
