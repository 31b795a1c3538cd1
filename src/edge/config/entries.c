#include <string.h>

#include "core/base/assert.h"
#include "core/model/feature.h"
#include "edge/config/build.h"

#define NAME_SIZE_MAX 100

/* Words that CEL keeps for itself, and the names that are taken: variables, columns of the record. */
static const char *const reserved[] = {
    "as",       "break",     "const",    "continue",  "else",
    "false",    "for",       "function", "if",        "import",
    "in",       "let",       "loop",     "namespace", "null",
    "package",  "return",    "true",     "var",       "void",
    "while",    "bool",      "bytes",    "double",    "duration",
    "dyn",      "int",       "list",     "map",       "null_type",
    "string",   "timestamp", "type",     "uint",      "optional_type",
    "optional", "math",      "event",    "now",       RF_RESERVED_COLUMNS};

static bool is_word(const char *text, bool dashes)
{
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool later = (c >= '0' && c <= '9') || (dashes && c == '-');
        if (!letter && (!later || i == 0))
            return false;
    }
    return size > 0 && size <= NAME_SIZE_MAX;
}

static bool check_name(struct rf_build *build, const char *setting, const struct rf_yaml_node *key)
{
    bool is_feature = strcmp(setting, "features") == 0;
    struct rf_place place = rf_place_of(key);

    if (!is_word(rf_yaml_text(key), !is_feature)) {
        place.hint = is_feature ? "letters, digits and '_', not a digit first: expressions read it"
                                : "letters, digits, '_' and '-', not a digit first";
        rf_complain(&build->yaml, place, "'%.80s' is no name for one of the %s", rf_yaml_text(key),
                    setting);
        return false;
    }
    for (size_t i = 0; is_feature && i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcmp(rf_yaml_text(key), reserved[i]) != 0)
            continue;
        place.hint = "CEL or the customer record uses it; take another one";
        rf_complain(&build->yaml, place, "a feature cannot be called '%s'", reserved[i]);
        return false;
    }
    return true;
}

static void refuse_entry(struct rf_build *build, const char *setting,
                         const struct rf_yaml_node *key, const struct rf_yaml_node *item)
{
    static const char *const examples[][2] = {
        {"sources", "{ topic: TOPIC, format: json, schema: FILE }"},
        {"features", "{ count: KIND, window: 7d }, for instance"},
        {"rules", "{ when: EXPRESSION, emit: OUTPUT }"},
        {"outputs", "{ topic: TOPIC }"},
    };
    struct rf_place place = rf_place_of(key);

    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        place.hint = strcmp(examples[i][0], setting) == 0 ? examples[i][1] : place.hint;
    rf_complain(&build->yaml, place, "'%.80s' has to be a mapping, not %s", rf_yaml_text(key),
                rf_yaml_kind_name(item));
}

static size_t limit_of(const struct rf_build *build, const char *setting)
{
    for (size_t i = 0; i < build->top.row_count; i++) {
        const struct rf_setting *row = &rf_settings[build->top.first_row + i];
        if (strcmp(row->name, setting) == 0)
            return (size_t)row->most;
    }
    rf_assert(false && "a setting that the table does not know");
    return 0;
}

void rf_build_entries(struct rf_build *build, const char *setting, struct rf_entries *entries)
{
    const struct rf_yaml_node *map = rf_group_find(&build->top, setting);
    size_t limit = limit_of(build, setting);
    size_t count = map != NULL && map->kind == RF_YAML_MAP ? map->count : 0;

    if (count > limit) {
        rf_complain(&build->yaml, rf_place_of(map->keys[limit]),
                    "there are %zu %s, %zu are the limit", count, setting, limit);
        count = limit;
    }
    entries->items = rf_arena_alloc_zero(build->arena, (count + 1) * sizeof *entries->items);
    entries->count = count;
    for (size_t i = 0; i < count; i++) {
        struct rf_entry *entry = &entries->items[i];
        entry->name = rf_yaml_key(map, i);
        entry->group.key = map->keys[i];
        entry->group.map = map->items[i];
        entry->group.path = rf_arena_printf(build->arena, "%s.%s", setting, entry->name);
        entry->broken = !check_name(build, setting, map->keys[i]);
        if (map->items[i]->kind == RF_YAML_MAP)
            continue;
        refuse_entry(build, setting, map->keys[i], map->items[i]);
        entry->group.map = NULL;
        entry->broken = true;
    }
}

bool rf_build_entry(struct rf_build *build, struct rf_entry *entry, const char *group, void *draft)
{
    entry->group.name = group;
    if (entry->group.map != NULL)
        rf_settings_read(&build->reader, &entry->group, draft);
    entry->broken = entry->broken || entry->group.broken || entry->group.map == NULL;
    return !entry->broken;
}
