#include "core/expr/condition.h"

#include "core/base/assert.h"
#include "core/expr/program.h"

#define DEPTH_MAX 32
#define PARTS_MAX 64

struct taker {
    struct rf_arena *arena;
    const struct rf_expr *whole;
};

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Brackets around the first operand belong to the text, though not to the node. */
static struct rf_bytes text_of(const struct rf_expr *whole, const struct rf_node *node)
{
    size_t start = node->start;
    size_t end = node->end > node->offset + node->size ? node->end : node->offset + node->size;
    int open = 0;

    rf_assert(start <= end);
    rf_assert(end <= whole->text.size);
    for (size_t i = start; i < end; i++)
        open += whole->text.data[i] == '(' ? 1 : whole->text.data[i] == ')' ? -1 : 0;
    while (start > 0 && open < 0 &&
           (is_space(whole->text.data[start - 1]) || whole->text.data[start - 1] == '(')) {
        start--;
        open += whole->text.data[start] == '(';
    }
    return rf_bytes_of(whole->text.data + start, end - start);
}

/* NULL: it needs too many slots. */
static const struct rf_expr *part_of(const struct taker *taker, const struct rf_node *node)
{
    struct rf_expr *part = rf_arena_alloc_zero(taker->arena, sizeof *part);

    part->zones = taker->whole->zones;
    part->cost_max = taker->whole->cost_max;
    part->root = node;
    part->text = taker->whole->text;
    if (!rf_program_build(taker->arena, node, NULL, part))
        return NULL;
    rf_reads_collect(taker->arena, node, part);
    return part;
}

static enum rf_comparison comparison_of(const struct rf_node *node)
{
    if (node->kind != RF_NODE_BINARY)
        return RF_COMPARES_NOTHING;
    switch ((enum rf_operator)node->op) {
    case RF_OP_EQUAL:
        return RF_COMPARES_EQUAL;
    case RF_OP_NOT_EQUAL:
        return RF_COMPARES_NOT_EQUAL;
    case RF_OP_LESS:
        return RF_COMPARES_LESS;
    case RF_OP_LESS_EQUAL:
        return RF_COMPARES_LESS_EQUAL;
    case RF_OP_GREATER:
        return RF_COMPARES_GREATER;
    case RF_OP_GREATER_EQUAL:
        return RF_COMPARES_GREATER_EQUAL;
    case RF_OP_ADD:
    case RF_OP_SUBTRACT:
    case RF_OP_MULTIPLY:
    case RF_OP_DIVIDE:
    case RF_OP_MODULO:
    case RF_OP_IN:
    case RF_OP_INDEX:
    case RF_OP_OPTIONAL_INDEX:
    case RF_OP_NOT:
    case RF_OP_NEGATE:
        break;
    }
    return RF_COMPARES_NOTHING;
}

static bool take_test(const struct taker *taker, const struct rf_node *node,
                      struct rf_condition *condition)
{
    condition->comparison = comparison_of(node);
    if (condition->comparison == RF_COMPARES_NOTHING)
        return true;
    condition->left = part_of(taker, node->children[0]);
    condition->right = part_of(taker, node->children[1]);
    return condition->left != NULL && condition->right != NULL;
}

static bool is_logic(const struct rf_node *node)
{
    return node->kind == RF_NODE_AND || node->kind == RF_NODE_OR ||
           (node->kind == RF_NODE_UNARY && node->op == RF_OP_NOT) ||
           (node->kind == RF_NODE_CONDITIONAL && node->type->kind == RF_TYPE_BOOL);
}

/* a && b && c is a tree of two; its parts are three. */
static bool gather(const struct rf_node *node, enum rf_node_kind kind, const struct rf_node **parts,
                   size_t *count, unsigned depth)
{
    if (node->kind != kind) {
        if (*count == PARTS_MAX)
            return false;
        parts[(*count)++] = node;
        return true;
    }
    return depth < PARTS_MAX && gather(node->children[0], kind, parts, count, depth + 1) &&
           gather(node->children[1], kind, parts, count, depth + 1);
}

static bool take(const struct taker *taker, const struct rf_node *node, unsigned depth,
                 struct rf_condition *condition);

static bool take_parts(const struct taker *taker, const struct rf_node *node, unsigned depth,
                       struct rf_condition *condition)
{
    const struct rf_node *nodes[PARTS_MAX];
    struct rf_condition *parts = NULL;
    size_t count = 0;
    bool fits = true;

    if (node->kind == RF_NODE_AND || node->kind == RF_NODE_OR) {
        fits = gather(node, node->kind, nodes, &count, 0);
    } else {
        for (uint32_t i = 0; i < node->child_count; i++)
            nodes[count++] = node->children[i];
    }
    if (!fits || depth == DEPTH_MAX)
        return false;
    parts = rf_arena_alloc(taker->arena, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        if (!take(taker, nodes[i], depth + 1, &parts[i]))
            return false;
    }
    condition->part_count = count;
    condition->parts = parts;
    return true;
}

static enum rf_condition_kind kind_of(const struct rf_node *node)
{
    if (!is_logic(node))
        return RF_CONDITION_TEST;
    return node->kind == RF_NODE_AND           ? RF_CONDITION_AND
           : node->kind == RF_NODE_OR          ? RF_CONDITION_OR
           : node->kind == RF_NODE_CONDITIONAL ? RF_CONDITION_CHOICE
                                               : RF_CONDITION_NOT;
}

static bool take(const struct taker *taker, const struct rf_node *node, unsigned depth,
                 struct rf_condition *condition)
{
    *condition = (struct rf_condition){.kind = kind_of(node), .text = text_of(taker->whole, node)};
    condition->test = part_of(taker, node);
    if (condition->test == NULL)
        return false;
    if (condition->kind == RF_CONDITION_TEST)
        return take_test(taker, node, condition);
    return take_parts(taker, node, depth, condition);
}

const struct rf_condition *rf_condition_of(struct rf_arena *arena, const struct rf_expr *expr)
{
    struct rf_condition *condition = rf_arena_alloc(arena, sizeof *condition);
    struct taker taker = {.arena = arena, .whole = expr};

    if (expr->type->kind != RF_TYPE_BOOL || !take(&taker, expr->root, 0, condition))
        return NULL;
    return condition;
}

struct searcher {
    struct taker taker;
    struct rf_inner_comparison *found;
    size_t count, max;
};

static void find(struct searcher *searcher, const struct rf_node *test,
                 enum rf_comparison comparison, const struct rf_node *left,
                 const struct rf_node *right)
{
    struct rf_inner_comparison inner = {
        .comparison = comparison,
        .test = test == NULL ? NULL : part_of(&searcher->taker, test),
        .left = part_of(&searcher->taker, left),
        .right = part_of(&searcher->taker, right),
    };

    if ((test == NULL || inner.test != NULL) && inner.left != NULL && inner.right != NULL &&
        searcher->count < searcher->max)
        searcher->found[searcher->count++] = inner;
}

/* Equal to each of a list, which is a literal of one value where all of it is constant. */
static void find_in_list(struct searcher *searcher, const struct rf_node *item,
                         const struct rf_node *list)
{
    if (list->kind == RF_NODE_LIST) {
        for (uint32_t i = 0; i < list->child_count; i++)
            find(searcher, NULL, RF_COMPARES_EQUAL, item, list->children[i]);
    } else if (list->kind == RF_NODE_LITERAL && list->literal.kind == RF_VALUE_LIST) {
        for (size_t i = 0; i < list->literal.as.list->count; i++) {
            struct rf_node *value = rf_arena_alloc(searcher->taker.arena, sizeof *value);

            *value = *list;
            value->literal = list->literal.as.list->items[i];
            value->type = &rf_type_dyn;
            find(searcher, NULL, RF_COMPARES_EQUAL, item, value);
        }
    }
}

static void find_in(struct searcher *searcher, const struct rf_node *node, unsigned depth)
{
    enum rf_comparison comparison = comparison_of(node);

    if (node->kind == RF_NODE_MACRO || depth > DEPTH_MAX)
        return;
    if (comparison != RF_COMPARES_NOTHING)
        find(searcher, node, comparison, node->children[0], node->children[1]);
    if (node->kind == RF_NODE_BINARY && node->op == RF_OP_IN)
        find_in_list(searcher, node->children[0], node->children[1]);
    for (uint32_t i = 0; i < node->child_count; i++)
        find_in(searcher, node->children[i], depth + 1);
}

size_t rf_condition_inner(struct rf_arena *arena, const struct rf_expr *expr,
                          struct rf_inner_comparison *found, size_t max)
{
    struct searcher searcher = {
        .taker = {.arena = arena, .whole = expr}, .found = found, .max = max};

    find_in(&searcher, expr->root, 0);
    return searcher.count;
}

bool rf_expr_is_variable(const struct rf_expr *expr, uint32_t *variable)
{
    if (expr->root->kind != RF_NODE_IDENT || expr->root->resolved != RF_RESOLVED_VARIABLE)
        return false;
    *variable = expr->root->index;
    return true;
}

bool rf_expr_is_call(struct rf_arena *arena, const struct rf_expr *expr, const char *name,
                     const struct rf_expr **arguments, size_t argument_count)
{
    const struct rf_node *root = expr->root;
    struct taker taker = {.arena = arena, .whole = expr};

    if (root->kind != RF_NODE_CALL || root->member || root->child_count != argument_count ||
        !rf_bytes_equal(root->name, rf_bytes_of_text(name)))
        return false;
    for (size_t i = 0; i < argument_count; i++) {
        arguments[i] = part_of(&taker, root->children[i]);
        if (arguments[i] == NULL)
            return false;
    }
    return true;
}
