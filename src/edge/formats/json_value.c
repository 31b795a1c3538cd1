#include "edge/formats/json_value.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/codec/decimal.h"
#include "edge/formats/text_value.h"

#define INTEGRAL_MAX 9007199254740992.0 /* 2^53: up to here a double is sure to be that integer */

static const char *name_of(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

static bool misfit(const struct rf_schema *schema, const json_t *json, struct rf_error *err)
{
    return rf_error_set(err, RF_ERROR_RECORD, 0, "%s is no %s%s%s", name_of(json),
                        rf_schema_kind_name(schema->kind), schema->name == NULL ? "" : " ",
                        schema->name == NULL ? "" : schema->name);
}

static struct rf_bytes text_of(const json_t *json)
{
    return rf_bytes_of(json_string_value(json), json_string_length(json));
}

static bool read_integer(const struct rf_json_reading *reading, const struct rf_schema *schema,
                         const json_t *json, struct rf_value *value, struct rf_error *err)
{
    int64_t number = 0;

    if (json_is_string(json) && schema->logical != RF_LOGICAL_NONE && !reading->is_default)
        return rf_time_value(schema, text_of(json), value, err);
    if (json_is_real(json) && !reading->is_default) {
        double real = json_real_value(json);

        if (!(real >= -INTEGRAL_MAX && real <= INTEGRAL_MAX) || real != (double)(int64_t)real)
            return rf_error_set(err, RF_ERROR_RECORD, 0, "%g is no %s", real,
                                rf_schema_kind_name(schema->kind));
        number = (int64_t)real;
    } else if (json_is_integer(json)) {
        number = json_integer_value(json);
    } else {
        return misfit(schema, json, err);
    }
    if (schema->kind == RF_SCHEMA_INT && (number < INT32_MIN || number > INT32_MAX))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%lld has more than the 32 bits of an int",
                            (long long)number);
    if (schema->logical != RF_LOGICAL_NONE)
        return rf_unit_value(schema, number, value, err);
    *value = rf_value_int(number);
    return true;
}

/* Numbers that JSON cannot write are the strings of Avro's JSON encoding. */
static bool read_special(struct rf_bytes text, struct rf_value *value)
{
    static const char *const names[] = {"NaN", "Infinity", "-Infinity"};
    double number = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (rf_bytes_equal(text, rf_bytes_of_text(names[i])) && rf_double_parse(text, &number)) {
            *value = rf_value_double(number);
            return true;
        }
    }
    return false;
}

static bool read_number(const struct rf_schema *schema, const json_t *json, struct rf_value *value,
                        struct rf_error *err)
{
    if (json_is_string(json) && read_special(text_of(json), value))
        return true;
    if (!json_is_number(json))
        return misfit(schema, json, err);
    *value = rf_value_double(json_number_value(json));
    return true;
}

/* Bytes are a string whose characters U+0000 to U+00FF are the bytes. */
static bool read_latin1(struct rf_json_reading *reading, const json_t *json, struct rf_bytes *bytes)
{
    struct rf_bytes text = text_of(json);
    uint8_t *room = rf_arena_alloc_bytes(reading->arena, text.size);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (byte >= 0xc4) /* U+0100 and above */
            return false;
        if (byte >= 0xc0)
            byte = (uint8_t)(byte << 6 | (text.data[++i] & 0x3f));
        room[size++] = byte;
    }
    *bytes = rf_bytes_of(room, size);
    return true;
}

static bool read_bytes(struct rf_json_reading *reading, const struct rf_schema *schema,
                       const json_t *json, struct rf_value *value, struct rf_error *err)
{
    bool is_decimal = schema->logical == RF_LOGICAL_DECIMAL;
    struct rf_bytes bytes = {0};
    double number = 0;

    if (is_decimal && !reading->is_default && json_is_number(json))
        return read_number(schema, json, value, err);
    if (!json_is_string(json))
        return misfit(schema, json, err);
    if (is_decimal && !reading->is_default)
        return rf_text_value(schema, text_of(json), value, err);
    if (!read_latin1(reading, json, &bytes))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "a character above U+00FF is no byte");
    if (schema->kind == RF_SCHEMA_FIXED && bytes.size != schema->count)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%zu bytes do not fit into fixed %s of %zu",
                            bytes.size, schema->name, schema->count);
    *value = rf_value_bytes(bytes);
    if (is_decimal && !rf_decimal_to_double(bytes, schema->scale, &number))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "a decimal has no digits or too many");
    if (is_decimal)
        *value = rf_value_double(number);
    return true;
}

static bool read_string(struct rf_json_reading *reading, const struct rf_schema *schema,
                        const json_t *json, struct rf_value *value, struct rf_error *err)
{
    if (!json_is_string(json))
        return misfit(schema, json, err);
    *value = rf_value_string(rf_arena_copy(reading->arena, text_of(json)));
    return true;
}

static bool read_symbol(const struct rf_json_reading *reading, const struct rf_schema *schema,
                        const json_t *json, struct rf_value *value, struct rf_error *err)
{
    struct rf_bytes text = {0};

    if (!json_is_string(json))
        return misfit(schema, json, err);
    text = text_of(json);
    if (!rf_text_value(schema, text, value, err))
        return false;
    if (reading->is_default && !rf_bytes_equal(value->as.text, text))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "\"%.*s\" is not one of the enum's symbols",
                            rf_excerpt_size(text), (const char *)text.data);
    return true;
}

static const struct rf_record_type *type_of(struct rf_json_reading *reading,
                                            const struct rf_schema *schema)
{
    struct rf_json_type made = {.schema = schema};
    struct rf_json_type known = {0};

    for (size_t at = 0; at < reading->types->size; at += sizeof known) {
        memcpy(&known, reading->types->data + at, sizeof known);
        if (known.schema == schema)
            return known.type;
    }
    made.type = rf_schema_type(reading->types_arena, schema)->record;
    rf_buffer_append(reading->types, &made, sizeof made);
    rf_assert(!reading->types->overflow);
    return made.type;
}

bool rf_json_field(struct rf_json_reading *reading, const struct rf_schema_field *field,
                   json_t *object, struct rf_value *value, struct rf_error *err)
{
    json_t *json = json_object_get(object, field->name);

    for (size_t i = 0; json == NULL && !reading->is_default && i < field->alias_count; i++)
        json = json_object_get(object, field->aliases[i]);
    if (json != NULL)
        return rf_json_value(reading, field->type, json, value, err) ||
               rf_error_wrap(err, "field %s", field->name);
    if (reading->find_default != NULL)
        return reading->find_default(reading->self, field, value, err);
    if (!field->has_default)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "field %s is missing and has no default",
                            field->name);
    *value = field->default_value;
    return true;
}

static bool read_record(struct rf_json_reading *reading, const struct rf_schema *schema,
                        json_t *json, struct rf_value *value, struct rf_error *err)
{
    struct rf_value *fields = NULL;
    struct rf_record *record = NULL;

    if (!json_is_object(json))
        return misfit(schema, json, err);
    fields = rf_arena_alloc(reading->arena, schema->count * sizeof *fields);
    for (size_t i = 0; i < schema->count; i++) {
        if (!rf_json_field(reading, &schema->fields[i], json, &fields[i], err))
            return false;
    }
    record = rf_arena_alloc(reading->arena, sizeof *record);
    *record = (struct rf_record){.type = type_of(reading, schema), .fields = fields};
    *value = rf_value_record(record);
    return true;
}

static bool read_array(struct rf_json_reading *reading, const struct rf_schema *schema,
                       json_t *json, struct rf_value *value, struct rf_error *err)
{
    size_t count = json_array_size(json);
    struct rf_value *items = NULL;
    struct rf_list *list = NULL;

    if (!json_is_array(json))
        return misfit(schema, json, err);
    items = rf_arena_alloc(reading->arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        if (!rf_json_value(reading, schema->element, json_array_get(json, i), &items[i], err))
            return rf_error_wrap(err, "item %zu", i);
    }
    list = rf_arena_alloc(reading->arena, sizeof *list);
    *list = (struct rf_list){.count = count, .items = items};
    *value = (struct rf_value){.kind = RF_VALUE_LIST, .as.list = list};
    return true;
}

static bool read_map(struct rf_json_reading *reading, const struct rf_schema *schema, json_t *json,
                     struct rf_value *value, struct rf_error *err)
{
    size_t count = json_object_size(json);
    struct rf_value *keys = NULL;
    struct rf_map *map = NULL;
    const char *key = NULL;
    json_t *item = NULL;
    size_t at = 0;

    if (!json_is_object(json))
        return misfit(schema, json, err);
    keys = rf_arena_alloc(reading->arena, 2 * count * sizeof *keys);
    json_object_foreach(json, key, item)
    {
        keys[at] = rf_value_string(rf_arena_copy(reading->arena, rf_bytes_of_text(key)));
        if (!rf_json_value(reading, schema->element, item, &keys[count + at], err))
            return rf_error_wrap(err, "key \"%.*s\"", RF_EXCERPT_MAX, key);
        at++;
    }
    map = rf_arena_alloc(reading->arena, sizeof *map);
    *map = (struct rf_map){.count = count, .keys = keys, .values = keys + count};
    *value = (struct rf_value){.kind = RF_VALUE_MAP, .as.map = map};
    return true;
}

/* {"type": value}, as Avro's JSON encoding tags a branch: by full name, or by kind where it has none. */
static const struct rf_schema *find_tagged(const struct rf_schema *schema, json_t *json,
                                           json_t **tagged)
{
    void *first = json_object_iter(json);

    if (!json_is_object(json) || json_object_size(json) != 1)
        return NULL;
    for (size_t i = 0; i < schema->count; i++) {
        const struct rf_schema *branch = schema->branches[i];
        const char *name = branch->name == NULL ? rf_schema_kind_name(branch->kind) : branch->name;

        if (strcmp(name, json_object_iter_key(first)) == 0) {
            *tagged = json_object_iter_value(first);
            return branch;
        }
    }
    return NULL;
}

/* The first branch that the value fits into without a tag. */
static bool read_plain(struct rf_json_reading *reading, const struct rf_schema *schema,
                       json_t *json, struct rf_value *value, struct rf_error *reason)
{
    for (size_t i = 0; i < schema->count; i++) {
        bool is_null = schema->branches[i]->kind == RF_SCHEMA_NULL;

        if (is_null != json_is_null(json))
            continue;
        rf_error_clear(reason);
        if (rf_json_value(reading, schema->branches[i], json, value, reason))
            return true;
    }
    if (reason->kind == RF_ERROR_NONE)
        misfit(schema, json, reason);
    return false;
}

static bool read_union(struct rf_json_reading *reading, const struct rf_schema *schema,
                       json_t *json, struct rf_value *value, struct rf_error *err)
{
    struct rf_error reason = {0};
    struct rf_error tagged_reason = {0};
    json_t *tagged = NULL;
    const struct rf_schema *branch = NULL;

    if (reading->is_default)
        return rf_json_value(reading, schema->branches[0], json, value, err) ||
               rf_error_wrap(err, "a union's default is of its first branch");
    branch = find_tagged(schema, json, &tagged);
    if (branch != NULL && rf_json_value(reading, branch, tagged, value, &tagged_reason))
        return true;
    if (read_plain(reading, schema, json, value, &reason))
        return true;
    /* Whoever wrote a tag meant it: that says more than why the other branches do not fit. */
    return rf_error_set(err, RF_ERROR_RECORD, 0, "%s",
                        branch != NULL ? tagged_reason.message : reason.message);
}

static bool read_kind(struct rf_json_reading *reading, const struct rf_schema *schema, json_t *json,
                      struct rf_value *value, struct rf_error *err)
{
    switch (schema->kind) {
    case RF_SCHEMA_NULL:
        *value = rf_value_null();
        return json_is_null(json) || misfit(schema, json, err);
    case RF_SCHEMA_BOOLEAN:
        *value = rf_value_bool(json_is_true(json));
        return json_is_boolean(json) || misfit(schema, json, err);
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
        return read_integer(reading, schema, json, value, err);
    case RF_SCHEMA_FLOAT:
    case RF_SCHEMA_DOUBLE:
        return read_number(schema, json, value, err);
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_FIXED:
        return read_bytes(reading, schema, json, value, err);
    case RF_SCHEMA_STRING:
        return read_string(reading, schema, json, value, err);
    case RF_SCHEMA_ENUM:
        return read_symbol(reading, schema, json, value, err);
    case RF_SCHEMA_RECORD:
        return read_record(reading, schema, json, value, err);
    case RF_SCHEMA_ARRAY:
        return read_array(reading, schema, json, value, err);
    case RF_SCHEMA_MAP:
        return read_map(reading, schema, json, value, err);
    case RF_SCHEMA_UNION:
        return read_union(reading, schema, json, value, err);
    }
    return misfit(schema, json, err);
}

bool rf_json_value(struct rf_json_reading *reading, const struct rf_schema *schema, json_t *json,
                   struct rf_value *value, struct rf_error *err)
{
    bool ok = false;

    if (reading->depth_left == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "it nests too deep");
    if (reading->steps_left == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "it has too many parts");
    reading->depth_left--;
    reading->steps_left--;
    ok = read_kind(reading, schema, json, value, err);
    reading->depth_left++;
    return ok;
}
