/* has, all, exists, existsOne, map, filter, transformList, transformMap, transformMapEntry, sortBy,
 * cel.bind, optMap, optFlatMap: calls whose arguments are not values but code. */
#include "core/expr/parser.h"

#include "core/base/assert.h"

enum shape {
    SHAPE_PREDICATE, /* (x, predicate) */
    SHAPE_MAP,       /* (x, body) or (x, condition, body) */
    SHAPE_FILTER,    /* (x, condition) */
    SHAPE_TRANSFORM, /* (k, v, body) or (k, v, condition, body) */
};

static const struct macro_row {
    const char *name;
    uint8_t macro;     /* enum rf_macro */
    uint8_t shape;     /* enum shape */
    uint8_t variables; /* how many it declares */
} rows[] = {
    {"all", RF_MACRO_ALL, SHAPE_PREDICATE, 1},
    {"all", RF_MACRO_ALL, SHAPE_PREDICATE, 2},
    {"exists", RF_MACRO_EXISTS, SHAPE_PREDICATE, 1},
    {"exists", RF_MACRO_EXISTS, SHAPE_PREDICATE, 2},
    {"exists_one", RF_MACRO_EXISTS_ONE, SHAPE_PREDICATE, 1},
    {"exists_one", RF_MACRO_EXISTS_ONE, SHAPE_PREDICATE, 2},
    {"existsOne", RF_MACRO_EXISTS_ONE, SHAPE_PREDICATE, 1},
    {"existsOne", RF_MACRO_EXISTS_ONE, SHAPE_PREDICATE, 2},
    {"map", RF_MACRO_MAP, SHAPE_MAP, 1},
    {"filter", RF_MACRO_MAP, SHAPE_FILTER, 1},
    {"transformList", RF_MACRO_MAP, SHAPE_TRANSFORM, 2},
    {"transformMap", RF_MACRO_TRANSFORM_MAP, SHAPE_TRANSFORM, 2},
    {"transformMapEntry", RF_MACRO_TRANSFORM_MAP_ENTRY, SHAPE_TRANSFORM, 2},
    {"sortBy", RF_MACRO_SORT_BY, SHAPE_PREDICATE, 1},
    {"optMap", RF_MACRO_OPTIONAL_MAP, SHAPE_PREDICATE, 1},
    {"optFlatMap", RF_MACRO_OPTIONAL_FLAT_MAP, SHAPE_PREDICATE, 1},
};

static bool is_name(const struct rf_node *node, const char *name)
{
    return node->kind == RF_NODE_IDENT && rf_bytes_equal(node->name, rf_bytes_of_text(name));
}

/* Declares the variable that `name` has to be. */
static bool declare(struct rf_parser *parser, struct rf_node *macro, uint32_t index,
                    const struct rf_node *name)
{
    struct rf_local *local = NULL;

    if (name->kind != RF_NODE_IDENT || name->absolute) {
        rf_parser_fault(parser, name->start, name->size, "a variable's name is expected here",
                        NULL);
        return false;
    }
    if (index == 1 && rf_bytes_equal(name->name, macro->locals[0]->name)) {
        rf_parser_fault(parser, name->start, name->size, "the two variables have the same name",
                        NULL);
        return false;
    }
    local = rf_arena_alloc_zero(parser->arena, sizeof *local);
    local->name = name->name;
    local->type = &rf_type_dyn;
    macro->locals[index] = local;
    return true;
}

static struct rf_node *new_macro(struct rf_parser *parser, const struct rf_node *call,
                                 enum rf_macro macro, uint32_t child_count)
{
    struct rf_node *node = rf_parser_node(parser, RF_NODE_MACRO, call->offset, child_count);

    node->macro = (uint8_t)macro;
    node->start = call->start;
    node->size = call->size;
    node->name = call->name;
    return node;
}

static struct rf_node *expand_row(struct rf_parser *parser, const struct macro_row *row,
                                  const struct rf_node *call)
{
    struct rf_node **arguments = call->children + 1 + row->variables;
    uint32_t argument_count = call->child_count - 1 - row->variables;
    bool conditional = argument_count == 2 || row->shape == SHAPE_FILTER;
    struct rf_node *node = new_macro(parser, call, row->macro, conditional ? 3 : 2);

    for (uint32_t i = 0; i < row->variables; i++) {
        if (!declare(parser, node, i, call->children[1 + i]))
            return NULL;
    }
    node->children[0] = call->children[0];
    node->children[1] = arguments[argument_count - 1];
    if (conditional)
        node->children[2] = arguments[0];
    if (row->shape == SHAPE_FILTER) /* filter(x, p) is map(x, p, x) */
        node->children[1] = call->children[1];
    return rf_parser_finish(parser, node);
}

static bool row_matches(const struct macro_row *row, const struct rf_node *call)
{
    uint32_t rest = call->child_count - 1;

    if (!rf_bytes_equal(call->name, rf_bytes_of_text(row->name)) || rest <= row->variables)
        return false;
    rest -= row->variables;
    return rest == 1 || (rest == 2 && (row->shape == SHAPE_MAP || row->shape == SHAPE_TRANSFORM));
}

/* has(a.b) asks whether a has b: the same node with another question. */
static struct rf_node *expand_has(struct rf_parser *parser, const struct rf_node *call)
{
    struct rf_node *select = call->child_count == 1 ? call->children[0] : NULL;

    if (select == NULL || select->kind != RF_NODE_SELECT || select->test || select->optional)
        return rf_parser_fault(parser, call->offset, call->size,
                               "has() needs a field: has(event.x)", NULL);
    select->test = true;
    return select;
}

/* cel.bind(x, value, body) */
static struct rf_node *expand_bind(struct rf_parser *parser, const struct rf_node *call)
{
    struct rf_node *node = new_macro(parser, call, RF_MACRO_BIND, 2);

    if (!declare(parser, node, 0, call->children[1]))
        return NULL;
    node->children[0] = call->children[2];
    node->children[1] = call->children[3];
    return rf_parser_finish(parser, node);
}

struct rf_node *rf_macro_expand(struct rf_parser *parser, struct rf_node *call)
{
    rf_assert(call->kind == RF_NODE_CALL);
    if (!call->member) {
        if (rf_bytes_equal(call->name, rf_bytes_of_text("has")))
            return expand_has(parser, call);
        return call;
    }
    if (call->child_count == 4 && rf_bytes_equal(call->name, rf_bytes_of_text("bind")) &&
        is_name(call->children[0], "cel"))
        return expand_bind(parser, call);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (row_matches(&rows[i], call))
            return expand_row(parser, &rows[i], call);
    }
    return call;
}
