#include "edge/formats/json_dynamic.h"

#include <jansson.h>

#include "core/base/assert.h"

#define DEPTH_MAX 64

static bool convert(const json_t *json, struct rf_arena *arena, size_t depth_left,
                    struct rf_value *value, struct rf_error *err);

static struct rf_value text_of(struct rf_arena *arena, const char *text, size_t size)
{
    return rf_value_string(rf_arena_copy(arena, rf_bytes_of(text, size)));
}

static bool convert_array(const json_t *json, struct rf_arena *arena, size_t depth_left,
                          struct rf_value *value, struct rf_error *err)
{
    size_t count = json_array_size(json);
    struct rf_value *items = rf_arena_alloc(arena, count * sizeof *items);
    struct rf_list *list = rf_arena_alloc(arena, sizeof *list);

    for (size_t i = 0; i < count; i++) {
        if (!convert(json_array_get(json, i), arena, depth_left, &items[i], err))
            return false;
    }
    *list = (struct rf_list){.count = count, .items = items};
    *value = (struct rf_value){.kind = RF_VALUE_LIST, .as.list = list};
    return true;
}

static bool convert_object(const json_t *json, struct rf_arena *arena, size_t depth_left,
                           struct rf_value *value, struct rf_error *err)
{
    json_t *object = (json_t *)(uintptr_t)json; /* jansson's iterators know no const */
    size_t count = json_object_size(json);
    struct rf_value *keys = rf_arena_alloc(arena, count * sizeof *keys);
    struct rf_value *values = rf_arena_alloc(arena, count * sizeof *values);
    struct rf_map *map = rf_arena_alloc(arena, sizeof *map);
    size_t at = 0;

    for (void *item = json_object_iter(object); item != NULL;
         item = json_object_iter_next(object, item)) {
        rf_assert(at < count);
        keys[at] = text_of(arena, json_object_iter_key(item), json_object_iter_key_len(item));
        if (!convert(json_object_iter_value(item), arena, depth_left, &values[at++], err))
            return false;
    }
    *map = (struct rf_map){.count = count, .keys = keys, .values = values};
    *value = (struct rf_value){.kind = RF_VALUE_MAP, .as.map = map};
    return true;
}

static bool convert(const json_t *json, struct rf_arena *arena, size_t depth_left,
                    struct rf_value *value, struct rf_error *err)
{
    if (depth_left == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "JSON nests deeper than %d", DEPTH_MAX);
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return convert_object(json, arena, depth_left - 1, value, err);
    case JSON_ARRAY:
        return convert_array(json, arena, depth_left - 1, value, err);
    case JSON_STRING:
        *value = text_of(arena, json_string_value(json), json_string_length(json));
        return true;
    case JSON_INTEGER:
        *value = rf_value_int(json_integer_value(json));
        return true;
    case JSON_REAL:
        *value = rf_value_double(json_real_value(json));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = rf_value_bool(json_is_true(json));
        return true;
    case JSON_NULL:
        break;
    }
    *value = rf_value_null();
    return true;
}

bool rf_json_dynamic(struct rf_bytes text, struct rf_arena *arena, struct rf_value *value,
                     struct rf_error *err)
{
    json_error_t error = {0};
    json_t *json = json_loadb(text.size == 0 ? "" : (const char *)text.data, text.size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    bool ok = false;

    if (json == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "JSON, line %d, column %d: %s", error.line,
                            error.column, error.text);
    ok = convert(json, arena, DEPTH_MAX, value, err);
    json_decref(json);
    return ok;
}
