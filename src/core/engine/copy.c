#include "core/engine/copy.h"

#include "core/expr/type.h"

static const struct rf_value *copy_items(struct rf_arena *arena, const struct rf_value *items,
                                         size_t count)
{
    struct rf_value *copies = rf_arena_alloc(arena, count * sizeof *copies);

    for (size_t i = 0; i < count; i++)
        copies[i] = rf_value_copy(arena, items[i]);
    return copies;
}

static const struct rf_list *copy_list(struct rf_arena *arena, const struct rf_list *list)
{
    struct rf_list *copy = rf_arena_alloc(arena, sizeof *copy);

    copy->count = list->count;
    copy->items = copy_items(arena, list->items, list->count);
    return copy;
}

static const struct rf_map *copy_map(struct rf_arena *arena, const struct rf_map *map)
{
    struct rf_map *copy = rf_arena_alloc(arena, sizeof *copy);

    copy->count = map->count;
    copy->keys = copy_items(arena, map->keys, map->count);
    copy->values = copy_items(arena, map->values, map->count);
    return copy;
}

static const struct rf_record *copy_record(struct rf_arena *arena, const struct rf_record *record)
{
    struct rf_record *copy = rf_arena_alloc(arena, sizeof *copy);

    copy->type = record->type; /* the plan's */
    copy->fields = copy_items(arena, record->fields, record->type->field_count);
    return copy;
}

struct rf_value rf_value_copy(struct rf_arena *arena, struct rf_value value)
{
    switch ((enum rf_value_kind)value.kind) {
    case RF_VALUE_STRING:
    case RF_VALUE_BYTES:
        value.as.text = rf_arena_copy(arena, value.as.text);
        break;
    case RF_VALUE_LIST:
        value.as.list = copy_list(arena, value.as.list);
        break;
    case RF_VALUE_MAP:
        value.as.map = copy_map(arena, value.as.map);
        break;
    case RF_VALUE_RECORD:
        value.as.record = copy_record(arena, value.as.record);
        break;
    case RF_VALUE_OPTIONAL:
        if (value.as.optional != NULL)
            value.as.optional = copy_items(arena, value.as.optional, 1);
        break;
    case RF_VALUE_NULL:
    case RF_VALUE_BOOL:
    case RF_VALUE_INT:
    case RF_VALUE_UINT:
    case RF_VALUE_DOUBLE:
    case RF_VALUE_TIMESTAMP:
    case RF_VALUE_DURATION:
    case RF_VALUE_TYPE: /* the program's */
        break;
    }
    return value;
}
