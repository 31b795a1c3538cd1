#include "core/expr/types.h"

#include "core/base/assert.h"

const struct rf_type rf_type_dyn = {.kind = RF_TYPE_DYN};
const struct rf_type rf_type_null = {.kind = RF_TYPE_NULL};
const struct rf_type rf_type_bool = {.kind = RF_TYPE_BOOL};
const struct rf_type rf_type_int = {.kind = RF_TYPE_INT};
const struct rf_type rf_type_uint = {.kind = RF_TYPE_UINT};
const struct rf_type rf_type_double = {.kind = RF_TYPE_DOUBLE};
const struct rf_type rf_type_string = {.kind = RF_TYPE_STRING};
const struct rf_type rf_type_bytes = {.kind = RF_TYPE_BYTES};
const struct rf_type rf_type_timestamp = {.kind = RF_TYPE_TIMESTAMP};
const struct rf_type rf_type_duration = {.kind = RF_TYPE_DURATION};
const struct rf_type rf_type_type = {.kind = RF_TYPE_TYPE};
const struct rf_type rf_type_any_list = {.kind = RF_TYPE_LIST, .element = &rf_type_dyn};
const struct rf_type rf_type_any_map = {
    .kind = RF_TYPE_MAP, .key = &rf_type_dyn, .element = &rf_type_dyn};
const struct rf_type rf_type_any_optional = {.kind = RF_TYPE_OPTIONAL, .element = &rf_type_dyn};

const struct rf_type rf_type_parameter_t = {.kind = RF_TYPE_PARAMETER};
const struct rf_type rf_type_parameter_k = {.kind = RF_TYPE_PARAMETER};

/* The names by which an expression speaks of types, and type() answers. */
static const struct {
    const char *name;
    const struct rf_type *type;
} names[] = {
    {"null_type", &rf_type_null},
    {"bool", &rf_type_bool},
    {"int", &rf_type_int},
    {"uint", &rf_type_uint},
    {"double", &rf_type_double},
    {"string", &rf_type_string},
    {"bytes", &rf_type_bytes},
    {"google.protobuf.Timestamp", &rf_type_timestamp},
    {"google.protobuf.Duration", &rf_type_duration},
    {"list", &rf_type_any_list},
    {"map", &rf_type_any_map},
    {"type", &rf_type_type},
    {"optional_type", &rf_type_any_optional},
};

const struct rf_type *rf_type_named(struct rf_bytes name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (rf_bytes_equal(name, rf_bytes_of_text(names[i].name)))
            return names[i].type;
    }
    return NULL;
}

const char *rf_type_name(const struct rf_type *type)
{
    if (type->kind == RF_TYPE_RECORD)
        return type->record->name;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].type->kind == type->kind)
            return names[i].name;
    }
    return "dyn";
}

static const struct rf_type *new_type(struct rf_arena *arena, struct rf_type type)
{
    struct rf_type *copy = rf_arena_alloc(arena, sizeof *copy);

    *copy = type;
    return copy;
}

const struct rf_type *rf_type_list(struct rf_arena *arena, const struct rf_type *element)
{
    rf_assert(element != NULL);
    return new_type(arena, (struct rf_type){.kind = RF_TYPE_LIST, .element = element});
}

const struct rf_type *rf_type_map(struct rf_arena *arena, const struct rf_type *key,
                                  const struct rf_type *element)
{
    rf_assert(key != NULL && element != NULL);
    return new_type(arena, (struct rf_type){.kind = RF_TYPE_MAP, .key = key, .element = element});
}

const struct rf_type *rf_type_record(struct rf_arena *arena, const struct rf_record_type *record)
{
    rf_assert(record != NULL);
    return new_type(arena, (struct rf_type){.kind = RF_TYPE_RECORD, .record = record});
}

const struct rf_type *rf_type_optional(struct rf_arena *arena, const struct rf_type *element)
{
    rf_assert(element != NULL);
    return new_type(arena, (struct rf_type){.kind = RF_TYPE_OPTIONAL, .element = element});
}

static const struct rf_type *with_nullable(struct rf_arena *arena, const struct rf_type *type,
                                           bool nullable)
{
    struct rf_type copy = *type;

    if (type->nullable == nullable)
        return type;
    copy.nullable = nullable;
    return new_type(arena, copy);
}

const struct rf_type *rf_type_nullable(struct rf_arena *arena, const struct rf_type *type)
{
    if (type->kind == RF_TYPE_NULL)
        return type; /* null already */
    return with_nullable(arena, type, true);
}

const struct rf_type *rf_type_not_null(struct rf_arena *arena, const struct rf_type *type)
{
    return with_nullable(arena, type, false);
}

bool rf_type_equal(const struct rf_type *a, const struct rf_type *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->kind != b->kind || a->nullable != b->nullable)
        return false;
    return rf_type_equal(a->key, b->key) && rf_type_equal(a->element, b->element) &&
           a->record == b->record;
}

const struct rf_type *rf_type_join(struct rf_arena *arena, const struct rf_type *a,
                                   const struct rf_type *b)
{
    bool nullable = a->nullable || b->nullable;
    const struct rf_type *element = NULL;

    if (a->kind == RF_TYPE_NULL && b->kind != RF_TYPE_NULL)
        return rf_type_nullable(arena, b);
    if (b->kind == RF_TYPE_NULL && a->kind != RF_TYPE_NULL)
        return rf_type_nullable(arena, a);
    if (a->kind != b->kind || a->record != b->record)
        return with_nullable(arena, &rf_type_dyn, nullable);
    if (rf_type_equal(a, b))
        return b->sparse ? b : a;
    if (a->element != NULL)
        element = rf_type_join(arena, a->element, b->element);
    if (a->kind == RF_TYPE_LIST)
        a = rf_type_list(arena, element);
    else if (a->kind == RF_TYPE_OPTIONAL)
        a = rf_type_optional(arena, element);
    else if (a->kind == RF_TYPE_MAP)
        a = new_type(arena, (struct rf_type){.kind = RF_TYPE_MAP,
                                             .sparse = a->sparse || b->sparse,
                                             .key = rf_type_join(arena, a->key, b->key),
                                             .element = element});
    return nullable ? rf_type_nullable(arena, a) : a;
}

void rf_type_print(struct rf_buffer *out, const struct rf_type *type)
{
    switch (type->kind) {
    case RF_TYPE_LIST:
        rf_buffer_append_text(out, "list(");
        rf_type_print(out, type->element);
        rf_buffer_append_byte(out, ')');
        break;
    case RF_TYPE_MAP:
        rf_buffer_append_text(out, "map(");
        rf_type_print(out, type->key);
        rf_buffer_append_text(out, ", ");
        rf_type_print(out, type->element);
        rf_buffer_append_byte(out, ')');
        break;
    case RF_TYPE_OPTIONAL:
        rf_buffer_append_text(out, "optional(");
        rf_type_print(out, type->element);
        rf_buffer_append_byte(out, ')');
        break;
    case RF_TYPE_TIMESTAMP:
        rf_buffer_append_text(out, "timestamp");
        break;
    case RF_TYPE_DURATION:
        rf_buffer_append_text(out, "duration");
        break;
    case RF_TYPE_NULL:
        rf_buffer_append_text(out, "null");
        break;
    case RF_TYPE_DYN:
    case RF_TYPE_BOOL:
    case RF_TYPE_INT:
    case RF_TYPE_UINT:
    case RF_TYPE_DOUBLE:
    case RF_TYPE_STRING:
    case RF_TYPE_BYTES:
    case RF_TYPE_RECORD:
    case RF_TYPE_TYPE:
    case RF_TYPE_PARAMETER:
        rf_buffer_append_text(out, rf_type_name(type));
        break;
    }
    if (type->nullable)
        rf_buffer_append_byte(out, '?');
}

const char *rf_type_text(struct rf_arena *arena, const struct rf_type *type)
{
    struct rf_buffer buffer;
    const char *text = NULL;

    rf_buffer_init(&buffer, 200);
    rf_type_print(&buffer, type);
    text = rf_arena_printf(arena, "%.*s%s", (int)buffer.size, (const char *)buffer.data,
                           buffer.overflow ? "..." : "");
    rf_buffer_deinit(&buffer);
    return text;
}

/* Assignability */

static bool binds(struct rf_match *match, const struct rf_type *parameter,
                  const struct rf_type *argument)
{
    const struct rf_type **bound = &match->bound[parameter == &rf_type_parameter_k ? 1 : 0];

    if (*bound == NULL) {
        *bound = argument;
        return true;
    }
    if ((*bound)->kind == RF_TYPE_DYN || argument->kind == RF_TYPE_DYN) {
        *bound = rf_type_join(match->arena, *bound, argument);
        return true;
    }
    if (!rf_type_matches(NULL, *bound, argument) && !rf_type_matches(NULL, argument, *bound))
        return false;
    *bound = rf_type_join(match->arena, *bound, argument);
    return true;
}

bool rf_type_matches(struct rf_match *match, const struct rf_type *wanted,
                     const struct rf_type *given)
{
    if (wanted->kind == RF_TYPE_PARAMETER)
        return binds(match, wanted, given);
    if (wanted->kind == RF_TYPE_DYN)
        return true;
    if (given->kind == RF_TYPE_NULL && wanted->nullable)
        return true;
    if (given->nullable && !wanted->nullable && match != NULL)
        match->null_given = true;
    if (given->kind == RF_TYPE_DYN)
        return true;
    if (wanted->kind != given->kind || wanted->record != given->record)
        return false;
    if (wanted->key != NULL && !rf_type_matches(match, wanted->key, given->key))
        return false;
    return wanted->element == NULL || rf_type_matches(match, wanted->element, given->element);
}

const struct rf_type *rf_type_substitute(const struct rf_match *match, const struct rf_type *type)
{
    if (type->kind == RF_TYPE_PARAMETER) {
        type = match->bound[type == &rf_type_parameter_k ? 1 : 0];
        return type == NULL ? &rf_type_dyn : type;
    }
    if (type->kind == RF_TYPE_LIST)
        return rf_type_list(match->arena, rf_type_substitute(match, type->element));
    if (type->kind == RF_TYPE_OPTIONAL)
        return rf_type_optional(match->arena, rf_type_substitute(match, type->element));
    if (type->kind == RF_TYPE_MAP)
        return rf_type_map(match->arena, rf_type_substitute(match, type->key),
                           rf_type_substitute(match, type->element));
    return type;
}
