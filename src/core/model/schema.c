#include "core/model/schema.h"

#include <string.h>

#include "core/base/assert.h"

/* A schema may name one record many times; written out as types that is a tree, so it has a bound. */
#define TYPE_PARTS_MAX 20000

struct typing {
    struct rf_arena *arena;
    const struct rf_schema *open[RF_SCHEMA_DEPTH_MAX]; /* records that we are inside of */
    size_t open_count;
    size_t depth;
    size_t parts;
};

static const struct rf_type *type_of(struct typing *typing, const struct rf_schema *schema);

static bool is_open(const struct typing *typing, const struct rf_schema *schema)
{
    for (size_t i = 0; i < typing->open_count; i++) {
        if (typing->open[i] == schema)
            return true;
    }
    return false;
}

static const struct rf_type *type_of_record(struct typing *typing, const struct rf_schema *schema)
{
    struct rf_field_type *fields = NULL;
    struct rf_record_type *record = NULL;

    if (is_open(typing, schema) || typing->open_count == RF_SCHEMA_DEPTH_MAX)
        return &rf_type_dyn;
    typing->open[typing->open_count++] = schema;
    fields = rf_arena_alloc(typing->arena, schema->count * sizeof *fields);
    for (size_t i = 0; i < schema->count; i++) {
        fields[i].name = schema->fields[i].name;
        fields[i].type = type_of(typing, schema->fields[i].type);
    }
    typing->open_count--;
    record = rf_arena_alloc(typing->arena, sizeof *record);
    record->name = schema->name;
    record->field_count = schema->count;
    record->fields = fields;
    return rf_type_record(typing->arena, record);
}

static const struct rf_type *type_of_union(struct typing *typing, const struct rf_schema *schema)
{
    const struct rf_schema *only = NULL;
    size_t others = 0;

    for (size_t i = 0; i < schema->count; i++) {
        if (schema->branches[i]->kind != RF_SCHEMA_NULL) {
            only = schema->branches[i];
            others++;
        }
    }
    if (others == 0)
        return &rf_type_null;
    if (schema->count == 1)
        return type_of(typing, only);
    if (others > 1)
        return others == schema->count ? &rf_type_dyn
                                       : rf_type_nullable(typing->arena, &rf_type_dyn);
    return rf_type_nullable(typing->arena, type_of(typing, only));
}

/* Which keys there are is a matter of each message. */
static const struct rf_type *type_of_map(struct typing *typing, const struct rf_schema *schema)
{
    struct rf_type *type = rf_arena_alloc(typing->arena, sizeof *type);

    *type = (struct rf_type){.kind = RF_TYPE_MAP,
                             .sparse = true,
                             .key = &rf_type_string,
                             .element = type_of(typing, schema->element)};
    return type;
}

static const struct rf_type *type_of_logical(const struct rf_schema *schema)
{
    switch (schema->logical) {
    case RF_LOGICAL_NONE:
        return NULL;
    case RF_LOGICAL_DATE:
    case RF_LOGICAL_TIMESTAMP_MILLIS:
    case RF_LOGICAL_TIMESTAMP_MICROS:
    case RF_LOGICAL_TIMESTAMP_NANOS:
        return &rf_type_timestamp;
    case RF_LOGICAL_TIME_MILLIS:
    case RF_LOGICAL_TIME_MICROS:
        return &rf_type_duration;
    case RF_LOGICAL_DECIMAL:
        return &rf_type_double;
    case RF_LOGICAL_UUID:
        return &rf_type_string;
    }
    return NULL;
}

static const struct rf_type *type_of_kind(struct typing *typing, const struct rf_schema *schema)
{
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        return &rf_type_null;
    case RF_SCHEMA_BOOLEAN:
        return &rf_type_bool;
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
        return &rf_type_int;
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
        return &rf_type_double;
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_FIXED:
        return &rf_type_bytes;
    case RF_SCHEMA_STRING:
    case RF_SCHEMA_ENUM:
        return &rf_type_string;
    case RF_SCHEMA_RECORD:
        return type_of_record(typing, schema);
    case RF_SCHEMA_ARRAY:
        return rf_type_list(typing->arena, type_of(typing, schema->element));
    case RF_SCHEMA_MAP:
        return type_of_map(typing, schema);
    case RF_SCHEMA_UNION:
        return type_of_union(typing, schema);
    }
    return &rf_type_dyn;
}

static const struct rf_type *type_of(struct typing *typing, const struct rf_schema *schema)
{
    const struct rf_type *type = type_of_logical(schema);

    if (type != NULL)
        return type;
    if (typing->depth == RF_SCHEMA_DEPTH_MAX || typing->parts == TYPE_PARTS_MAX)
        return &rf_type_dyn;
    typing->depth++;
    typing->parts++;
    type = type_of_kind(typing, schema);
    typing->depth--;
    return type;
}

const struct rf_type *rf_schema_type(struct rf_arena *arena, const struct rf_schema *schema)
{
    struct typing typing = {.arena = arena};

    return type_of(&typing, schema);
}

/* The canonical form: names in full, attributes in the specification's order, nothing else, no white space. */

struct canonical {
    struct rf_buffer *out;
    struct rf_buffer named; /* pointers to the named types that have been written out */
};

static const char *const kind_names[] = {
    [RF_SCHEMA_NULL] = "null",   [RF_SCHEMA_BOOLEAN] = "boolean", [RF_SCHEMA_INT] = "int",
    [RF_SCHEMA_LONG] = "long",   [RF_SCHEMA_FLOAT] = "float",     [RF_SCHEMA_DOUBLE] = "double",
    [RF_SCHEMA_BYTES] = "bytes", [RF_SCHEMA_STRING] = "string",   [RF_SCHEMA_RECORD] = "record",
    [RF_SCHEMA_ENUM] = "enum",   [RF_SCHEMA_ARRAY] = "array",     [RF_SCHEMA_MAP] = "map",
    [RF_SCHEMA_UNION] = "union", [RF_SCHEMA_FIXED] = "fixed",
};

const char *rf_schema_kind_name(enum rf_schema_kind kind)
{
    rf_assert(kind <= RF_SCHEMA_FIXED);
    return kind_names[kind];
}

static void write_schema(struct canonical *canonical, const struct rf_schema *schema);

/* True where the type was written out before; a name is enough then. */
static bool was_written(struct canonical *canonical, const struct rf_schema *schema)
{
    const struct rf_schema *earlier = NULL;

    for (size_t at = 0; at < canonical->named.size; at += sizeof earlier) {
        memcpy(&earlier, canonical->named.data + at, sizeof earlier);
        if (earlier == schema)
            return true;
    }
    rf_buffer_append(&canonical->named, &schema, sizeof schema);
    return false;
}

static void write_fields(struct canonical *canonical, const struct rf_schema *schema)
{
    rf_buffer_append_text(canonical->out, ",\"fields\":[");
    for (size_t i = 0; i < schema->count; i++) {
        rf_buffer_printf(canonical->out, "%s{\"name\":\"%s\",\"type\":", i == 0 ? "" : ",",
                         schema->fields[i].name);
        write_schema(canonical, schema->fields[i].type);
        rf_buffer_append_byte(canonical->out, '}');
    }
    rf_buffer_append_byte(canonical->out, ']');
}

static void write_symbols(struct canonical *canonical, const struct rf_schema *schema)
{
    rf_buffer_append_text(canonical->out, ",\"symbols\":[");
    for (size_t i = 0; i < schema->count; i++)
        rf_buffer_printf(canonical->out, "%s\"%s\"", i == 0 ? "" : ",", schema->symbols[i]);
    rf_buffer_append_byte(canonical->out, ']');
}

static void write_named(struct canonical *canonical, const struct rf_schema *schema)
{
    if (was_written(canonical, schema)) {
        rf_buffer_printf(canonical->out, "\"%s\"", schema->name);
        return;
    }
    rf_buffer_printf(canonical->out, "{\"name\":\"%s\",\"type\":\"%s\"", schema->name,
                     kind_names[schema->kind]);
    if (schema->kind == RF_SCHEMA_RECORD)
        write_fields(canonical, schema);
    else if (schema->kind == RF_SCHEMA_ENUM)
        write_symbols(canonical, schema);
    else
        rf_buffer_printf(canonical->out, ",\"size\":%zu", schema->count);
    rf_buffer_append_byte(canonical->out, '}');
}

static void write_union(struct canonical *canonical, const struct rf_schema *schema)
{
    rf_buffer_append_byte(canonical->out, '[');
    for (size_t i = 0; i < schema->count; i++) {
        if (i > 0)
            rf_buffer_append_byte(canonical->out, ',');
        write_schema(canonical, schema->branches[i]);
    }
    rf_buffer_append_byte(canonical->out, ']');
}

static void write_schema(struct canonical *canonical, const struct rf_schema *schema)
{
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
    case RF_SCHEMA_BOOLEAN:
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_STRING:
        rf_buffer_printf(canonical->out, "\"%s\"", kind_names[schema->kind]);
        return;
    case RF_SCHEMA_RECORD:
    case RF_SCHEMA_ENUM:
    case RF_SCHEMA_FIXED:
        write_named(canonical, schema);
        return;
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
        rf_buffer_printf(canonical->out, "{\"type\":\"%s\",\"%s\":", kind_names[schema->kind],
                         schema->kind == RF_SCHEMA_ARRAY ? "items" : "values");
        write_schema(canonical, schema->element);
        rf_buffer_append_byte(canonical->out, '}');
        return;
    case RF_SCHEMA_UNION:
        write_union(canonical, schema);
        return;
    }
}

void rf_schema_canonical(struct rf_buffer *out, const struct rf_schema *schema)
{
    struct canonical canonical = {.out = out};

    rf_buffer_init(&canonical.named, SIZE_MAX / 4);
    write_schema(&canonical, schema);
    rf_buffer_deinit(&canonical.named);
}

/* CRC-64-AVRO, bit by bit: a schema is fingerprinted once. */
#define RABIN_EMPTY UINT64_C(0xc15d213aa4d7a795)

uint64_t rf_schema_fingerprint(const struct rf_schema *schema)
{
    uint64_t fingerprint = RABIN_EMPTY;
    struct rf_buffer text;

    rf_buffer_init(&text, SIZE_MAX / 4);
    rf_schema_canonical(&text, schema);
    for (size_t i = 0; i < text.size; i++) {
        fingerprint ^= text.data[i];
        for (int bit = 0; bit < 8; bit++)
            fingerprint = (fingerprint >> 1) ^ (RABIN_EMPTY & (0 - (fingerprint & 1)));
    }
    rf_buffer_deinit(&text);
    return fingerprint;
}
