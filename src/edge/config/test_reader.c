#include "edge/config/test_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

void *rf_test_list_add(struct rf_test_file *file, struct rf_test_list *list, size_t item_size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        void *items = rf_arena_alloc(file->arena, capacity * item_size);

        if (list->count > 0)
            memcpy(items, list->items, list->count * item_size);
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->count++ * item_size;
}

void rf_test_complain(struct rf_test_file *file, const struct rf_yaml_node *node, const char *hint,
                      const char *format, ...)
{
    struct rf_place place = rf_place_of(node);
    char message[RF_ERROR_MESSAGE_MAX];
    va_list arguments;

    if (node->kind != RF_YAML_SCALAR)
        place.end = place.begin;
    place.hint = hint;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    rf_complain(&file->yaml, place, "%s", message);
}

size_t rf_test_line(const struct rf_test_file *file, const struct rf_yaml_node *node)
{
    const uint8_t *at = file->yaml.source.data;
    const uint8_t *end = at + node->begin;
    size_t line = 1;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        line++;
        at++;
    }
    return line;
}

static const char *list_names(struct rf_test_file *file, const char *const *names, size_t count)
{
    const char *all = "known here:";

    for (size_t i = 0; i < count; i++)
        all = rf_arena_printf(file->arena, "%s %s", all, names[i]);
    return all;
}

bool rf_test_find(struct rf_test_file *file, const struct rf_yaml_node *node, const char *what,
                  const char *const *names, size_t count, size_t *index)
{
    const char *nearest = NULL;

    if (node->kind != RF_YAML_SCALAR) {
        rf_test_complain(file, node, NULL, "the name of a %s is expected here, not %s", what,
                         rf_yaml_kind_name(node));
        return false;
    }
    for (*index = 0; *index < count; ++*index) {
        if (strcmp(names[*index], rf_yaml_text(node)) == 0)
            return true;
    }
    nearest = rf_nearest_name(node->text, names, count);
    rf_test_complain(file, node,
                     nearest != NULL ? rf_arena_printf(file->arena, "did you mean '%s'?", nearest)
                     : count == 0    ? NULL
                                     : list_names(file, names, count),
                     "there is no %s '%.80s'", what, rf_yaml_text(node));
    return false;
}

bool rf_test_members(struct rf_test_file *file, const struct rf_yaml_node *map, const char *what,
                     const char *const *names, const struct rf_yaml_node **values)
{
    size_t count = 0;
    size_t index = 0;
    bool ok = true;

    while (names[count] != NULL)
        values[count++] = NULL;
    if (map->kind != RF_YAML_MAP) {
        rf_test_complain(file, map, list_names(file, names, count), "%s is a mapping, not %s", what,
                         rf_yaml_kind_name(map));
        return false;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (rf_test_find(file, map->keys[i], "word", names, count, &index))
            values[index] = map->items[i];
        else
            ok = false;
    }
    return ok;
}

const char *rf_test_text(struct rf_test_file *file, const struct rf_yaml_node *node,
                         const char *what)
{
    if (node->kind == RF_YAML_SCALAR && node->unresolved)
        return NULL;
    if (node->kind == RF_YAML_SCALAR && node->text.size > 0)
        return rf_yaml_text(node);
    rf_test_complain(file, node, NULL, "%s has to be a text, not %s", what,
                     rf_yaml_kind_name(node));
    return NULL;
}

bool rf_test_relative(struct rf_bytes text, rf_ms from, rf_ms *time)
{
    rf_span_ms span = 0;

    if (text.size < 2 || (text.data[0] != '+' && text.data[0] != '-') ||
        !rf_span_parse(rf_bytes_of(text.data + 1, text.size - 1), &span))
        return false;
    if (text.data[0] == '-' ? span > from - RF_MS_MIN : span > RF_MS_MAX - from)
        return false;
    *time = text.data[0] == '-' ? from - span : from + span;
    return true;
}

bool rf_test_time(struct rf_test_file *file, const struct rf_yaml_node *node, rf_ms from,
                  rf_ms *time)
{
    const char *text = rf_test_text(file, node, "a time");
    const char *midnight = NULL;

    if (text == NULL)
        return false;
    midnight = rf_arena_printf(file->arena, "%sT00:00:00Z", text);
    if (rf_test_relative(node->text, from, time) || rf_time_parse_ms(node->text, time) ||
        rf_time_parse_ms(rf_bytes_of_text(midnight), time))
        return true;
    rf_test_complain(file, node,
                     "+3d and -1h are seen from where the clock stands; otherwise "
                     "2026-03-01T10:00:00Z, or a date",
                     "'%.80s' is no time", text);
    return false;
}
