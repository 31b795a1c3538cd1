#include <string.h>

#include "core/base/assert.h"
#include "edge/config/settings.h"
#include "edge/config/value.h"

static void find_rows(struct rf_group *group)
{
    size_t i = 0;

    while (i < rf_setting_count && strcmp(rf_settings[i].group, group->name) != 0)
        i++;
    group->first_row = i;
    while (i < rf_setting_count && strcmp(rf_settings[i].group, group->name) == 0)
        i++;
    group->row_count = i - group->first_row;
    rf_assert(group->row_count > 0);
    rf_assert(group->row_count <= RF_GROUP_ROWS_MAX);
}

static const struct rf_setting *row_at(const struct rf_group *group, size_t i)
{
    rf_assert(i < group->row_count);
    return &rf_settings[group->first_row + i];
}

static size_t find_row(const struct rf_group *group, const char *name)
{
    size_t i = 0;

    while (i < group->row_count && strcmp(row_at(group, i)->name, name) != 0)
        i++;
    return i;
}

static const char *path_of(const struct rf_reader *reader, const char *path, const char *name)
{
    if (path == NULL || path[0] == '\0')
        return name;
    return rf_arena_printf(reader->yaml->arena, "%s.%s", path, name);
}

/* ---- "commit.interval: 100ms" is "commit: { interval: 100ms }" ------------------------------------- */

static struct rf_yaml_node *suffix_of(const struct rf_reader *reader,
                                      const struct rf_yaml_node *key, size_t skip)
{
    struct rf_yaml_node *suffix = rf_arena_alloc(reader->yaml->arena, sizeof *suffix);

    *suffix = *key;
    suffix->text = rf_bytes_of(key->text.data + skip, key->text.size - skip);
    suffix->decoded = suffix->text;
    if (key->style == RF_YAML_PLAIN)
        suffix->begin += skip;
    return suffix;
}

static bool begins_with_group(const struct rf_yaml_node *key, const char *group)
{
    size_t size = strlen(group);

    return key->text.size > size + 1 && memcmp(key->text.data, group, size) == 0 &&
           key->text.data[size] == '.';
}

/* The pairs of a group that stand under its name, and those that are written with a dot. */
static const struct rf_yaml_node *gather(const struct rf_reader *reader,
                                         const struct rf_yaml_node *map, const char *name,
                                         const struct rf_yaml_node *nested)
{
    struct rf_yaml_node *all = NULL;
    const struct rf_yaml_node **keys = NULL, **items = NULL;
    size_t own = nested != NULL && nested->kind == RF_YAML_MAP ? nested->count : 0;

    if (map == NULL)
        return nested;
    all = rf_arena_alloc_zero(reader->yaml->arena, sizeof *all);
    keys = rf_arena_alloc(reader->yaml->arena, (own + map->count) * sizeof *keys);
    items = rf_arena_alloc(reader->yaml->arena, (own + map->count) * sizeof *items);
    for (size_t i = 0; i < own; i++) {
        keys[i] = nested->keys[i];
        items[i] = nested->items[i];
    }
    all->count = own;
    for (size_t i = 0; i < map->count; i++) {
        if (!begins_with_group(map->keys[i], name))
            continue;
        keys[all->count] = suffix_of(reader, map->keys[i], strlen(name) + 1);
        items[all->count++] = map->items[i];
    }
    if (all->count == own)
        return nested;
    all->kind = RF_YAML_MAP;
    all->begin = nested != NULL ? nested->begin : keys[0]->begin;
    all->end = all->begin;
    all->keys = keys;
    all->items = items;
    return all;
}

static bool is_dotted(const struct rf_group *group, const struct rf_yaml_node *key)
{
    for (size_t i = 0; i < group->row_count; i++) {
        if (row_at(group, i)->type == RF_SETTING_GROUP &&
            begins_with_group(key, row_at(group, i)->name))
            return true;
    }
    return false;
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static const char *in_group(const struct rf_reader *reader, const struct rf_group *group)
{
    return group->path == NULL ? "" : rf_arena_printf(reader->yaml->arena, " in %s", group->path);
}

static void refuse_key(const struct rf_reader *reader, struct rf_group *group,
                       const struct rf_yaml_node *key, const struct rf_yaml_node *item)
{
    const char *names[RF_GROUP_ROWS_MAX];
    struct rf_place place = rf_place_of(key);
    const char *nearest = NULL;
    const char *all = "known here:";

    for (size_t i = 0; i < group->row_count; i++) {
        names[i] = row_at(group, i)->name;
        if (row_at(group, i)->type == RF_SETTING_SECRET)
            place.hide = RF_HIDE_BEHIND; /* it may be what is misspelt */
        if (row_at(group, i)->type != RF_SETTING_LATER)
            all = rf_arena_printf(reader->yaml->arena, "%s %s", all, names[i]);
    }
    nearest = rf_nearest_name(key->text, names, group->row_count);
    place.hint =
        nearest == NULL ? all : rf_arena_printf(reader->yaml->arena, "did you mean '%s'?", nearest);
    rf_complain(reader->yaml, place, "there is no setting '%.80s'%s", rf_yaml_text(key),
                in_group(reader, group));
    /* Taken for what was meant, so that nothing else is found missing. */
    if (nearest != NULL && group->values[find_row(group, nearest)] == NULL)
        group->values[find_row(group, nearest)] = item;
}

static void refuse_unknown_key(const struct rf_reader *reader, struct rf_group *group, size_t i)
{
    const struct rf_yaml_node *key = group->map->keys[i];

    if (find_row(group, rf_yaml_text(key)) == group->row_count && !is_dotted(group, key))
        refuse_key(reader, group, key, group->map->items[i]);
}

static void take_key(const struct rf_reader *reader, struct rf_group *group, size_t i)
{
    const struct rf_yaml_node *key = group->map->keys[i];
    size_t row = find_row(group, rf_yaml_text(key));
    struct rf_place place = rf_place_of(key);

    if (row == group->row_count)
        return;
    if (row_at(group, row)->type == RF_SETTING_LATER) {
        place.hint = "remove it";
        rf_complain(reader->yaml, place, "'%s' is not supported by this version of ringfold",
                    row_at(group, row)->name);
        return;
    }
    if (group->values[row] != NULL) {
        place.hint = "remove one of the two";
        rf_complain(reader->yaml, place, "'%s' is given twice", row_at(group, row)->name);
        return;
    }
    group->values[row] = group->map->items[i];
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool is_mapping_or_nothing(const struct rf_yaml_node *node)
{
    return node == NULL || node->kind == RF_YAML_MAP ||
           (node->kind == RF_YAML_SCALAR && node->empty);
}

static bool check_mapping(const struct rf_reader *reader, const struct rf_setting *setting,
                          const struct rf_yaml_node *node)
{
    struct rf_place place = {.hint = setting->help};

    if (is_mapping_or_nothing(node))
        return true;
    place.begin = node->begin;
    place.end = node->end;
    rf_complain(reader->yaml, place, "'%s' has to be %s, not %s", setting->name,
                rf_setting_type_text(setting->type), rf_yaml_kind_name(node));
    return false;
}

static void read_group(const struct rf_reader *reader, struct rf_group *group, size_t row,
                       void *target)
{
    const struct rf_setting *setting = row_at(group, row);
    const struct rf_yaml_node *nested = group->values[row];
    struct rf_group inner = {.name = path_of(reader, group->name, setting->name),
                             .path = path_of(reader, group->path, setting->name)};

    if (!check_mapping(reader, setting, nested))
        nested = NULL;
    inner.map = gather(reader, group->map, setting->name, nested);
    group->values[row] = inner.map;
    rf_settings_read(reader, &inner, target);
    group->broken = group->broken || inner.broken;
}

static bool read_expression(const struct rf_reader *reader, const struct rf_setting *setting,
                            const struct rf_yaml_node *node, const struct rf_yaml_node **slot)
{
    struct rf_place place = rf_place_of(node);

    if (node->unresolved)
        return false;
    if (node->kind == RF_YAML_SCALAR && node->text.size > 0) {
        *slot = node;
        return true;
    }
    place.hint = node->kind == RF_YAML_SCALAR
                     ? setting->help
                     : "quote an expression that begins with [ or {, or that contains ': '";
    rf_complain(reader->yaml, place, "'%s' has to be an expression, not %s", setting->name,
                rf_yaml_kind_name(node));
    return false;
}

static bool read_map(const struct rf_reader *reader, const struct rf_setting *setting,
                     const struct rf_yaml_node *node, const struct rf_yaml_node **slot)
{
    if (!check_mapping(reader, setting, node))
        return false;
    if (node->kind == RF_YAML_MAP)
        *slot = node;
    return true;
}

static bool read_list(const struct rf_reader *reader, const struct rf_setting *setting,
                      const struct rf_yaml_node *node, const struct rf_yaml_node **slot)
{
    struct rf_place place = rf_place_of(node);

    if (node->kind == RF_YAML_LIST) {
        *slot = node;
        return true;
    }
    place.hint = setting->help;
    rf_complain(reader->yaml, place, "'%s' has to be %s, not %s", setting->name,
                rf_setting_type_text(setting->type), rf_yaml_kind_name(node));
    return false;
}

static bool read_row(const struct rf_reader *reader, struct rf_group *group, size_t row,
                     void *target)
{
    const struct rf_setting *setting = row_at(group, row);
    const struct rf_yaml_node *node = group->values[row];
    void *slot = (char *)target + setting->offset;

    switch (setting->type) {
    case RF_SETTING_LATER:
        return true;
    case RF_SETTING_GROUP:
        read_group(reader, group, row, target);
        return true;
    case RF_SETTING_NAMED:
    case RF_SETTING_PROPERTIES:
        return node == NULL || read_map(reader, setting, node, slot);
    case RF_SETTING_LIST:
        return node == NULL || read_list(reader, setting, node, slot);
    case RF_SETTING_EXPRESSION:
        return node == NULL || read_expression(reader, setting, node, slot);
    default:
        if (setting->standard != NULL)
            rf_value_read_standard(setting, slot);
        return node == NULL || rf_value_read(reader, setting, node, slot);
    }
}

static void require(const struct rf_reader *reader, const struct rf_group *group)
{
    for (size_t i = 0; i < group->row_count; i++) {
        const struct rf_setting *setting = row_at(group, i);
        struct rf_place place = {0};
        if (!setting->required || group->values[i] != NULL)
            continue;
        if (group->key != NULL)
            place = rf_place_of(group->key);
        else if (group->path != NULL)
            place.begin = place.end = group->map->begin;
        place.hint = setting->help;
        rf_complain(reader->yaml, place, "'%s' is missing%s", setting->name,
                    in_group(reader, group));
    }
}

void rf_settings_read(const struct rf_reader *reader, struct rf_group *group, void *target)
{
    size_t errors = reader->yaml->diagnostics->error_count;

    find_rows(group);
    if (group->map != NULL && group->map->kind != RF_YAML_MAP)
        group->map = NULL;
    for (size_t i = 0; group->map != NULL && i < group->map->count; i++)
        take_key(reader, group, i);
    for (size_t i = 0; group->map != NULL && i < group->map->count; i++)
        refuse_unknown_key(reader, group, i);
    for (size_t i = 0; i < group->row_count; i++)
        group->broken = !read_row(reader, group, i, target) || group->broken;
    /* A group that is not written at all is complete by its defaults. */
    if (group->map != NULL || group->key != NULL || group->path == NULL)
        require(reader, group);
    group->broken = group->broken || reader->yaml->diagnostics->error_count > errors;
}

const struct rf_yaml_node *rf_group_find(const struct rf_group *group, const char *name)
{
    const char *dot = strchr(name, '.');
    char first[64];
    size_t row = 0;

    if (group->row_count == 0) /* it is no mapping and was not read */
        return NULL;
    if (dot == NULL) {
        row = find_row(group, name);
        rf_assert(row < group->row_count);
        return group->values[row];
    }
    rf_assert((size_t)(dot - name) < sizeof first);
    memcpy(first, name, (size_t)(dot - name));
    first[dot - name] = '\0';
    row = find_row(group, first);
    rf_assert(row < group->row_count);
    return rf_yaml_find(group->values[row], dot + 1);
}

struct rf_place rf_group_place(const struct rf_group *group, const char *name)
{
    const struct rf_yaml_node *node = rf_group_find(group, name);

    if (node != NULL)
        return rf_place_of(node);
    if (group->key != NULL)
        return rf_place_of(group->key);
    return (struct rf_place){0};
}
