#include "edge/formats/avro_schema.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "edge/formats/json_value.h"

#define PATH_SIZE_MAX     4096
#define STEPS_MAX         1000000
#define FIXED_SIZE_MAX    INT32_MAX
#define DECIMAL_SCALE_MAX 1000
#define FIELDS_MAX        5000
#define SYMBOLS_MAX       10000

struct named_type {
    const struct rf_schema *schema;
    size_t depth; /* levels from here down; 1 while it is open, so that it may contain itself */
};

/* A default is read when all types are known. */
struct pending_default {
    struct rf_schema_field *field;
    json_t *json; /* borrowed from the document */
    const char *path;
    enum {
        DEFAULT_WAITS,
        DEFAULT_OPEN,
        DEFAULT_READ
    } state;
};

struct parser {
    struct rf_arena *arena;
    struct rf_buffer named;   /* struct named_type each */
    struct rf_buffer pending; /* struct pending_default each */
    struct rf_buffer types;   /* of json_value.h */
    struct rf_buffer path;    /* "$.fields[2].type": where we are */
    size_t depth;
    size_t depth_below; /* levels of the type that was parsed last */
    struct rf_error *err;
};

static const struct rf_schema *parse_type(struct parser *parser, json_t *json, const char *space);

static bool complain(struct parser *parser, const char *format, ...) RF_PRINTF(2, 3);

static bool complain(struct parser *parser, const char *format, ...)
{
    char reason[RF_ERROR_MESSAGE_MAX / 2];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return rf_error_set(parser->err, RF_ERROR_CONFIG, 0, "%.*s: %s",
                        (int)(parser->path.size < 200 ? parser->path.size : 200),
                        (const char *)parser->path.data, reason);
}

/* A path that does not fit is cut: it is only for messages. */
static size_t push(struct parser *parser, const char *name)
{
    size_t before = parser->path.size;

    rf_buffer_printf(&parser->path, ".%.100s", name);
    return before;
}

static size_t push_index(struct parser *parser, size_t index)
{
    size_t before = parser->path.size;

    rf_buffer_printf(&parser->path, "[%zu]", index);
    return before;
}

static void pop(struct parser *parser, size_t before)
{
    parser->path.size = before;
    parser->path.overflow = false;
}

/* Names. */

static bool is_name(const char *text, size_t size)
{
    if (size == 0 || (text[0] >= '0' && text[0] <= '9'))
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return true;
}

static bool is_dotted_name(const char *text)
{
    const char *dot = strchr(text, '.');

    for (; dot != NULL; text = dot + 1, dot = strchr(text, '.')) {
        if (!is_name(text, (size_t)(dot - text)))
            return false;
    }
    return is_name(text, strlen(text));
}

/* A string without a zero byte in it; NULL where it is missing or something else. */
static const char *text_of(const json_t *item)
{
    if (!json_is_string(item) || strlen(json_string_value(item)) != json_string_length(item))
        return NULL;
    return json_string_value(item);
}

static const char *text_at(json_t *json, const char *key)
{
    return text_of(json_object_get(json, key));
}

static bool find_primitive(const char *name, enum rf_schema_kind *kind)
{
    for (int i = RF_SCHEMA_NULL; i <= RF_SCHEMA_STRING; i++) {
        if (strcmp(rf_schema_kind_name((enum rf_schema_kind)i), name) == 0) {
            *kind = (enum rf_schema_kind)i;
            return true;
        }
    }
    return false;
}

static struct named_type *find_named(struct parser *parser, const char *name)
{
    struct named_type *named = (struct named_type *)(void *)parser->named.data;
    size_t count = parser->named.size / sizeof *named;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(named[i].schema->name, name) == 0)
            return &named[i];
    }
    return NULL;
}

static const char *qualify(struct parser *parser, const char *space, const char *name)
{
    if (strchr(name, '.') != NULL || space[0] == '\0')
        return rf_arena_copy_text(parser->arena, name);
    return rf_arena_printf(parser->arena, "%s.%s", space, name);
}

/* The full name of a definition and the namespace for what is inside of it. */
static bool read_name(struct parser *parser, json_t *json, struct rf_schema *schema,
                      const char **space)
{
    const char *name = text_at(json, "name");
    const char *own_space = text_at(json, "namespace");
    const char *dot = NULL;
    enum rf_schema_kind primitive = RF_SCHEMA_NULL;

    if (name == NULL)
        return complain(parser, "a %s needs a name", rf_schema_kind_name(schema->kind));
    if (!is_dotted_name(name))
        return complain(parser, "\"%s\" is no name: letters, digits and _ are, not first a digit",
                        name);
    if (own_space == NULL)
        own_space = *space;
    else if (own_space[0] != '\0' && !is_dotted_name(own_space))
        return complain(parser, "\"%s\" is no namespace", own_space);
    schema->name = qualify(parser, own_space, name);
    dot = strrchr(schema->name, '.');
    if (find_primitive(dot == NULL ? schema->name : dot + 1, &primitive))
        return complain(parser, "the name of the primitive type %s is taken",
                        rf_schema_kind_name(primitive));
    if (find_named(parser, schema->name) != NULL)
        return complain(parser, "%s is defined twice", schema->name);
    *space = dot == NULL
                 ? ""
                 : rf_arena_printf(parser->arena, "%.*s", (int)(dot - schema->name), schema->name);
    return true;
}

/* `space`: NULL for a field, whose aliases are plain names. */
static bool read_aliases(struct parser *parser, json_t *json, const char *space, size_t *count,
                         const char *const **aliases)
{
    json_t *list = json_object_get(json, "aliases");
    const char **names = NULL;

    *count = 0;
    *aliases = NULL;
    if (list == NULL)
        return true;
    if (!json_is_array(list))
        return complain(parser, "aliases have to be an array");
    names = rf_arena_alloc(parser->arena, json_array_size(list) * sizeof *names);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = text_of(json_array_get(list, i));
        bool fits =
            name != NULL && (space == NULL ? is_name(name, strlen(name)) : is_dotted_name(name));

        if (!fits)
            return complain(parser, "alias %zu is no name", i);
        names[i] = qualify(parser, space == NULL ? "" : space, name);
    }
    *count = json_array_size(list);
    *aliases = names;
    return true;
}

static void open_named(struct parser *parser, const struct rf_schema *schema)
{
    struct named_type named = {.schema = schema, .depth = 1};

    rf_buffer_append(&parser->named, &named, sizeof named);
    rf_assert(!parser->named.overflow);
}

/* Definitions. */

static bool field_name_is_new(struct parser *parser, const struct rf_schema_field *fields,
                              size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return complain(parser, "field %s is there twice", name);
    }
    return true;
}

static void add_default(struct parser *parser, struct rf_schema_field *field, json_t *json)
{
    struct pending_default pending = {.field = field, .json = json};

    pending.path = rf_arena_printf(parser->arena, "%.*s", (int)parser->path.size,
                                   (const char *)parser->path.data);
    rf_buffer_append(&parser->pending, &pending, sizeof pending);
    rf_assert(!parser->pending.overflow);
}

static bool read_field(struct parser *parser, json_t *json, const char *space,
                       struct rf_schema_field *field)
{
    const char *name = text_at(json, "name");
    const char *order = text_at(json, "order");
    json_t *type = json_object_get(json, "type");
    size_t before = 0;

    if (!json_is_object(json))
        return complain(parser, "a field has to be an object");
    if (name == NULL || !is_name(name, strlen(name)))
        return complain(parser, name == NULL ? "a field needs a name" : "the field's name is none");
    if (type == NULL)
        return complain(parser, "field %s needs a type", name);
    if (order != NULL && strcmp(order, "ascending") != 0 && strcmp(order, "descending") != 0 &&
        strcmp(order, "ignore") != 0)
        return complain(parser, "\"%s\" is no order: ascending, descending, ignore", order);
    field->name = rf_arena_copy_text(parser->arena, name);
    if (!read_aliases(parser, json, NULL, &field->alias_count, &field->aliases))
        return false;
    before = push(parser, "type");
    field->type = parse_type(parser, type, space);
    if (field->type == NULL)
        return false;
    pop(parser, before);
    if (json_object_get(json, "default") != NULL) {
        before = push(parser, "default");
        add_default(parser, field, json_object_get(json, "default"));
        pop(parser, before);
    }
    return true;
}

static bool read_fields(struct parser *parser, json_t *json, const char *space,
                        struct rf_schema *schema)
{
    json_t *list = json_object_get(json, "fields");
    struct rf_schema_field *fields = NULL;
    size_t depth_below = 0;

    if (!json_is_array(list))
        return complain(parser, "record %s needs fields, an array", schema->name);
    if (json_array_size(list) > FIELDS_MAX)
        return complain(parser, "record %s has more than %d fields", schema->name, FIELDS_MAX);
    fields = rf_arena_alloc_zero(parser->arena, json_array_size(list) * sizeof *fields);
    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t outer = push(parser, "fields");

        push_index(parser, i);
        if (!read_field(parser, json_array_get(list, i), space, &fields[i]))
            return false;
        if (!field_name_is_new(parser, fields, i, fields[i].name))
            return false;
        if (parser->depth_below > depth_below)
            depth_below = parser->depth_below;
        pop(parser, outer);
    }
    schema->count = json_array_size(list);
    schema->fields = fields;
    parser->depth_below = depth_below;
    return true;
}

static bool symbol_is_new(struct parser *parser, const char *const *symbols, size_t count,
                          const char *symbol)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(symbols[i], symbol) == 0)
            return complain(parser, "symbol %s is there twice", symbol);
    }
    return true;
}

static bool read_default_symbol(struct parser *parser, json_t *json, struct rf_schema *schema)
{
    const char *text = text_at(json, "default");

    schema->default_symbol = -1;
    if (json_object_get(json, "default") == NULL)
        return true;
    for (size_t i = 0; text != NULL && i < schema->count; i++) {
        if (strcmp(schema->symbols[i], text) == 0)
            schema->default_symbol = (int32_t)i;
    }
    return schema->default_symbol >= 0 ||
           complain(parser, "the default of enum %s is not one of its symbols", schema->name);
}

static bool read_symbols(struct parser *parser, json_t *json, struct rf_schema *schema)
{
    json_t *list = json_object_get(json, "symbols");
    const char **symbols = NULL;

    if (!json_is_array(list))
        return complain(parser, "enum %s needs symbols, an array", schema->name);
    if (json_array_size(list) > SYMBOLS_MAX)
        return complain(parser, "enum %s has more than %d symbols", schema->name, SYMBOLS_MAX);
    symbols = rf_arena_alloc(parser->arena, json_array_size(list) * sizeof *symbols);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);

        if (!json_is_string(item) || !is_name(json_string_value(item), json_string_length(item)))
            return complain(parser, "symbol %zu of enum %s is no name", i, schema->name);
        symbols[i] = rf_arena_copy_text(parser->arena, json_string_value(item));
        if (!symbol_is_new(parser, symbols, i, symbols[i]))
            return false;
    }
    schema->count = json_array_size(list);
    schema->symbols = symbols;
    return read_default_symbol(parser, json, schema);
}

static bool read_size(struct parser *parser, json_t *json, struct rf_schema *schema)
{
    json_t *size = json_object_get(json, "size");

    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > FIXED_SIZE_MAX)
        return complain(parser, "fixed %s needs a size from 0 to %d", schema->name, FIXED_SIZE_MAX);
    schema->count = (size_t)json_integer_value(size);
    return true;
}

static bool read_definition(struct parser *parser, json_t *json, const char *space,
                            struct rf_schema *schema)
{
    size_t index = parser->named.size / sizeof(struct named_type);
    bool ok = false;

    if (!read_name(parser, json, schema, &space))
        return false;
    if (!read_aliases(parser, json, space, &schema->alias_count, &schema->aliases))
        return false;
    open_named(parser, schema);
    parser->depth_below = 0;
    if (schema->kind == RF_SCHEMA_RECORD)
        ok = read_fields(parser, json, space, schema);
    else if (schema->kind == RF_SCHEMA_ENUM)
        ok = read_symbols(parser, json, schema);
    else
        ok = read_size(parser, json, schema);
    if (ok)
        ((struct named_type *)(void *)parser->named.data)[index].depth = parser->depth_below + 1;
    return ok;
}

static bool read_element(struct parser *parser, json_t *json, const char *space,
                         struct rf_schema *schema)
{
    const char *key = schema->kind == RF_SCHEMA_ARRAY ? "items" : "values";
    json_t *element = json_object_get(json, key);
    size_t before = 0;

    if (element == NULL)
        return complain(parser, "%s needs %s", rf_schema_kind_name(schema->kind), key);
    before = push(parser, key);
    schema->element = parse_type(parser, element, space);
    if (schema->element == NULL)
        return false;
    pop(parser, before);
    return true;
}

static int64_t integer_at(json_t *json, const char *key, int64_t missing)
{
    json_t *item = json_object_get(json, key);

    return json_is_integer(item) ? json_integer_value(item) : missing;
}

/* A decimal whose attributes are wrong is, as the specification has it, no decimal. */
static void read_decimal(json_t *json, struct rf_schema *schema)
{
    int64_t precision = integer_at(json, "precision", 0);
    int64_t scale = integer_at(json, "scale", 0);
    bool has_bytes = schema->kind == RF_SCHEMA_BYTES || schema->kind == RF_SCHEMA_FIXED;

    if (!has_bytes || precision < 1 || scale < 0 || scale > precision || scale > DECIMAL_SCALE_MAX)
        return;
    schema->logical = RF_LOGICAL_DECIMAL;
    schema->scale = (int32_t)scale;
}

static void read_logical(json_t *json, struct rf_schema *schema)
{
    static const struct {
        const char *name;
        enum rf_schema_kind kind;
        enum rf_logical_kind logical;
    } rows[] = {
        {"date", RF_SCHEMA_INT, RF_LOGICAL_DATE},
        {"time-millis", RF_SCHEMA_INT, RF_LOGICAL_TIME_MILLIS},
        {"time-micros", RF_SCHEMA_LONG, RF_LOGICAL_TIME_MICROS},
        {"timestamp-millis", RF_SCHEMA_LONG, RF_LOGICAL_TIMESTAMP_MILLIS},
        {"timestamp-micros", RF_SCHEMA_LONG, RF_LOGICAL_TIMESTAMP_MICROS},
        {"timestamp-nanos", RF_SCHEMA_LONG, RF_LOGICAL_TIMESTAMP_NANOS},
        {"local-timestamp-millis", RF_SCHEMA_LONG, RF_LOGICAL_TIMESTAMP_MILLIS},
        {"local-timestamp-micros", RF_SCHEMA_LONG, RF_LOGICAL_TIMESTAMP_MICROS},
        {"local-timestamp-nanos", RF_SCHEMA_LONG, RF_LOGICAL_TIMESTAMP_NANOS},
        {"uuid", RF_SCHEMA_STRING, RF_LOGICAL_UUID},
    };
    const char *name = text_at(json, "logicalType");

    if (name == NULL)
        return;
    if (strcmp(name, "decimal") == 0)
        read_decimal(json, schema);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0 && rows[i].kind == schema->kind)
            schema->logical = rows[i].logical;
    }
}

/* Types. */

static const struct rf_schema *parse_reference(struct parser *parser, const char *name,
                                               const char *space)
{
    const char *full = qualify(parser, space, name);
    struct named_type *named = find_named(parser, full);

    if (named == NULL)
        named = find_named(parser, name);
    if (named == NULL) {
        complain(parser, "there is no type %s so far", full);
        return NULL;
    }
    parser->depth_below = named->depth;
    if (parser->depth - 1 + named->depth > RF_SCHEMA_DEPTH_MAX) {
        complain(parser, "the schema nests deeper than %d levels", RF_SCHEMA_DEPTH_MAX);
        return NULL;
    }
    return named->schema;
}

static bool find_complex(const char *name, enum rf_schema_kind *kind)
{
    static const enum rf_schema_kind kinds[] = {RF_SCHEMA_RECORD, RF_SCHEMA_ENUM, RF_SCHEMA_ARRAY,
                                                RF_SCHEMA_MAP, RF_SCHEMA_FIXED};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(rf_schema_kind_name(kinds[i]), name) == 0) {
            *kind = kinds[i];
            return true;
        }
    }
    *kind = RF_SCHEMA_RECORD;
    return strcmp(name, "error") == 0;
}

static const struct rf_schema *parse_object(struct parser *parser, json_t *json, const char *space)
{
    json_t *type = json_object_get(json, "type");
    const char *name = text_at(json, "type");
    struct rf_schema *schema = NULL;
    enum rf_schema_kind kind = RF_SCHEMA_NULL;
    bool ok = true;

    if (type == NULL) {
        complain(parser, "a type needs the attribute type");
        return NULL;
    }
    if (name == NULL || (!find_primitive(name, &kind) && !find_complex(name, &kind))) {
        size_t before = push(parser, "type");
        const struct rf_schema *inner = parse_type(parser, type, space);

        pop(parser, inner == NULL ? parser->path.size : before);
        return inner;
    }
    schema = rf_arena_alloc_zero(parser->arena, sizeof *schema);
    schema->kind = kind;
    parser->depth_below = 0;
    if (kind == RF_SCHEMA_ARRAY || kind == RF_SCHEMA_MAP)
        ok = read_element(parser, json, space, schema);
    else if (kind == RF_SCHEMA_RECORD || kind == RF_SCHEMA_ENUM || kind == RF_SCHEMA_FIXED)
        ok = read_definition(parser, json, space, schema);
    read_logical(json, schema);
    parser->depth_below++;
    return ok ? schema : NULL;
}

static bool branch_is_new(struct parser *parser, const struct rf_schema *const *branches,
                          size_t count)
{
    const struct rf_schema *added = branches[count];

    if (added->kind == RF_SCHEMA_UNION)
        return complain(parser, "a union may not contain a union");
    for (size_t i = 0; i < count; i++) {
        if (branches[i] == added && added->name != NULL)
            return complain(parser, "%s is there twice", added->name);
        if (branches[i]->kind == added->kind && added->name == NULL)
            return complain(parser, "%s is there twice", rf_schema_kind_name(added->kind));
    }
    return true;
}

static const struct rf_schema *parse_union(struct parser *parser, json_t *json, const char *space)
{
    struct rf_schema *schema = rf_arena_alloc_zero(parser->arena, sizeof *schema);
    size_t count = json_array_size(json);
    const struct rf_schema **branches = rf_arena_alloc(parser->arena, count * sizeof *branches);
    size_t depth_below = 0;

    if (count == 0) {
        complain(parser, "a union needs a branch");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t before = push_index(parser, i);

        branches[i] = parse_type(parser, json_array_get(json, i), space);
        if (branches[i] == NULL || !branch_is_new(parser, branches, i))
            return NULL;
        if (parser->depth_below > depth_below)
            depth_below = parser->depth_below;
        pop(parser, before);
    }
    schema->kind = RF_SCHEMA_UNION;
    schema->count = count;
    schema->branches = branches;
    parser->depth_below = depth_below + 1;
    return schema;
}

/* Nothing of a primitive type can be changed, so each exists once. */
static const struct rf_schema primitives[] = {
    [RF_SCHEMA_NULL] = {.kind = RF_SCHEMA_NULL},
    [RF_SCHEMA_BOOLEAN] = {.kind = RF_SCHEMA_BOOLEAN},
    [RF_SCHEMA_INT] = {.kind = RF_SCHEMA_INT},
    [RF_SCHEMA_LONG] = {.kind = RF_SCHEMA_LONG},
    [RF_SCHEMA_FLOAT] = {.kind = RF_SCHEMA_FLOAT},
    [RF_SCHEMA_DOUBLE] = {.kind = RF_SCHEMA_DOUBLE},
    [RF_SCHEMA_BYTES] = {.kind = RF_SCHEMA_BYTES},
    [RF_SCHEMA_STRING] = {.kind = RF_SCHEMA_STRING},
};

static const struct rf_schema *parse_text(struct parser *parser, json_t *json, const char *space)
{
    const char *name = text_of(json);
    enum rf_schema_kind kind = RF_SCHEMA_NULL;

    parser->depth_below = 1;
    if (name == NULL) {
        complain(parser, "a name contains a zero byte");
        return NULL;
    }
    return find_primitive(name, &kind) ? &primitives[kind] : parse_reference(parser, name, space);
}

static const struct rf_schema *parse_type(struct parser *parser, json_t *json, const char *space)
{
    const struct rf_schema *schema = NULL;

    if (parser->depth == RF_SCHEMA_DEPTH_MAX) {
        complain(parser, "the schema nests deeper than %d levels", RF_SCHEMA_DEPTH_MAX);
        return NULL;
    }
    parser->depth++;
    if (json_is_string(json))
        schema = parse_text(parser, json, space);
    else if (json_is_array(json))
        schema = parse_union(parser, json, space);
    else if (json_is_object(json))
        schema = parse_object(parser, json, space);
    else
        complain(parser, "a type is a name, an object or an array");
    parser->depth--;
    return schema;
}

/* Defaults. */

static struct pending_default *find_pending(struct parser *parser,
                                            const struct rf_schema_field *field)
{
    struct pending_default *pending = (struct pending_default *)(void *)parser->pending.data;
    size_t count = parser->pending.size / sizeof *pending;

    for (size_t i = 0; i < count; i++) {
        if (pending[i].field == field)
            return &pending[i];
    }
    return NULL;
}

static bool read_default(struct parser *parser, struct pending_default *pending,
                         struct rf_error *err);

/* A record's default may leave out fields that have one themselves. */
static bool find_default(void *self, const struct rf_schema_field *field, struct rf_value *value,
                         struct rf_error *err)
{
    struct parser *parser = self;
    struct pending_default *pending = NULL;

    if (field->has_default) {
        *value = field->default_value;
        return true;
    }
    pending = find_pending(parser, field);
    if (pending == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "field %s is missing and has no default",
                            field->name);
    if (pending->state == DEFAULT_OPEN)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the default of field %s contains itself",
                            field->name);
    if (!read_default(parser, pending, err))
        return rf_error_wrap(err, "field %s", field->name);
    *value = field->default_value;
    return true;
}

static bool read_default(struct parser *parser, struct pending_default *pending,
                         struct rf_error *err)
{
    struct rf_json_reading reading = {
        .arena = parser->arena,
        .types_arena = parser->arena,
        .types = &parser->types,
        .is_default = true,
        .find_default = find_default,
        .self = parser,
        .depth_left = RF_SCHEMA_DEPTH_MAX,
        .steps_left = STEPS_MAX,
    };
    bool ok = false;

    if (parser->depth == RF_SCHEMA_DEPTH_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "it nests too deep");
    parser->depth++;
    pending->state = DEFAULT_OPEN;
    ok = rf_json_value(&reading, pending->field->type, pending->json,
                       &pending->field->default_value, err);
    pending->state = DEFAULT_READ;
    pending->field->has_default = ok;
    parser->depth--;
    return ok;
}

static bool read_defaults(struct parser *parser)
{
    struct pending_default *pending = (struct pending_default *)(void *)parser->pending.data;
    size_t count = parser->pending.size / sizeof *pending;

    for (size_t i = 0; i < count; i++) {
        struct rf_error reason = {0};

        if (pending[i].state == DEFAULT_READ || read_default(parser, &pending[i], &reason))
            continue;
        return rf_error_set(parser->err, RF_ERROR_CONFIG, 0, "%.200s: %.250s", pending[i].path,
                            reason.message);
    }
    rf_buffer_clear(&parser->pending);
    return true;
}

/* One text after another into the same set of names. */
static bool parse_document(struct parser *parser, struct rf_bytes text,
                           const struct rf_schema **schema)
{
    json_error_t error = {0};
    json_t *json = NULL;

    if (text.size > RF_AVRO_SCHEMA_SIZE_MAX)
        return rf_error_set(parser->err, RF_ERROR_CONFIG, 0,
                            "a schema of %zu bytes is larger than the limit of %u", text.size,
                            RF_AVRO_SCHEMA_SIZE_MAX);
    json = json_loadb((const char *)text.data, text.size,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (json == NULL)
        return rf_error_set(parser->err, RF_ERROR_CONFIG, 0, "line %d, column %d: %s", error.line,
                            error.column, error.text);
    rf_buffer_clear(&parser->path);
    rf_buffer_append_text(&parser->path, "$");
    *schema = parse_type(parser, json, "");
    if (*schema != NULL && !read_defaults(parser))
        *schema = NULL;
    json_decref(json);
    return *schema != NULL;
}

bool rf_avro_schema_parse(struct rf_arena *arena, struct rf_bytes text,
                          const struct rf_bytes *references, size_t reference_count,
                          const struct rf_schema **schema, struct rf_error *err)
{
    struct parser parser = {.arena = arena, .err = err};
    bool ok = true;

    rf_buffer_init(&parser.named, SIZE_MAX / 4);
    rf_buffer_init(&parser.pending, SIZE_MAX / 4);
    rf_buffer_init(&parser.types, SIZE_MAX / 4);
    rf_buffer_init(&parser.path, PATH_SIZE_MAX);
    for (size_t i = 0; ok && i < reference_count; i++) {
        ok = parse_document(&parser, references[i], schema) ||
             rf_error_wrap(err, "reference %zu", i);
    }
    ok = ok && parse_document(&parser, text, schema);
    rf_buffer_deinit(&parser.named);
    rf_buffer_deinit(&parser.pending);
    rf_buffer_deinit(&parser.types);
    rf_buffer_deinit(&parser.path);
    return ok;
}

bool rf_avro_schema_read(void *self, struct rf_bytes text, struct rf_arena *arena,
                         const struct rf_schema **schema, struct rf_error *err)
{
    (void)self;
    return rf_avro_schema_parse(arena, text, NULL, 0, schema, err);
}
