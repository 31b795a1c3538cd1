/* Which nullable values have been tested where: `event.x != null && event.x > 3`. */
#include "core/expr/checker.h"

#include "core/base/assert.h"

static bool is_path(const struct rf_node *node)
{
    while (node->kind == RF_NODE_SELECT && !node->optional)
        node = node->children[0];
    return node->kind == RF_NODE_IDENT;
}

static bool same_path(const struct rf_node *a, const struct rf_node *b)
{
    while (a->kind == RF_NODE_SELECT && b->kind == RF_NODE_SELECT) {
        if (!rf_bytes_equal(a->name, b->name))
            return false;
        a = a->children[0];
        b = b->children[0];
    }
    if (a->kind != RF_NODE_IDENT || b->kind != RF_NODE_IDENT || a->resolved != b->resolved)
        return false;
    return a->resolved == RF_RESOLVED_LOCAL ? a->locals[0] == b->locals[0] : a->index == b->index;
}

static void learn(struct rf_checker *checker, const struct rf_node *path)
{
    struct rf_fact *fact = NULL;

    if (!is_path(path))
        return;
    fact = rf_arena_alloc(checker->arena, sizeof *fact);
    fact->path = path;
    fact->outer = checker->facts;
    checker->facts = fact;
}

static bool is_null(const struct rf_node *node)
{
    return node->kind == RF_NODE_LITERAL && node->literal.kind == RF_VALUE_NULL;
}

static bool never_null(const struct rf_node *node)
{
    return !node->type->nullable && node->type->kind != RF_TYPE_DYN &&
           node->type->kind != RF_TYPE_NULL;
}

static void learn_comparison(struct rf_checker *checker, const struct rf_node *node, bool equal)
{
    for (uint32_t i = 0; i < 2; i++) {
        const struct rf_node *other = node->children[1 - i];

        if ((!equal && is_null(other)) || (equal && never_null(other)))
            learn(checker, node->children[i]);
    }
}

void rf_facts_learn(struct rf_checker *checker, const struct rf_node *condition, bool truth)
{
    if ((condition->kind == RF_NODE_AND && truth) || (condition->kind == RF_NODE_OR && !truth)) {
        rf_facts_learn(checker, condition->children[0], truth);
        rf_facts_learn(checker, condition->children[1], truth);
    } else if (condition->kind == RF_NODE_UNARY && condition->op == RF_OP_NOT) {
        rf_facts_learn(checker, condition->children[0], !truth);
    } else if (condition->kind == RF_NODE_SELECT && condition->test && truth) {
        learn(checker, condition);
    } else if (condition->kind == RF_NODE_BINARY && condition->op == RF_OP_EQUAL) {
        learn_comparison(checker, condition, truth);
    } else if (condition->kind == RF_NODE_BINARY && condition->op == RF_OP_NOT_EQUAL) {
        learn_comparison(checker, condition, !truth);
    }
}

const struct rf_type *rf_facts_apply(const struct rf_checker *checker, const struct rf_node *node,
                                     const struct rf_type *type)
{
    if (!type->nullable)
        return type;
    for (const struct rf_fact *fact = checker->facts; fact != NULL; fact = fact->outer) {
        if (same_path(fact->path, node))
            return rf_type_not_null(checker->arena, type);
    }
    return type;
}

struct rf_bytes rf_check_source(const struct rf_checker *checker, const struct rf_node *node)
{
    size_t end = node->offset + node->size;

    rf_assert(node->start <= end && end <= checker->text.size);
    return rf_bytes_of(checker->text.data + node->start, end - node->start);
}

bool rf_check_not_null(struct rf_checker *checker, const struct rf_node *node)
{
    struct rf_bytes source = rf_check_source(checker, node);
    int size = source.size > 60 ? 60 : (int)source.size;
    const char *text = (const char *)source.data;
    const char *message = NULL;
    const char *hint = NULL;

    if (!node->type->nullable)
        return false;
    message = rf_arena_printf(checker->arena, "'%.*s' may be null here", size, text);
    if (node->kind == RF_NODE_SELECT && is_path(node))
        hint = rf_arena_printf(
            checker->arena,
            "guard it: %.*s != null && ..., or give a default: %.*s.?%.*s.orValue(...)", size, text,
            (int)(node->offset - node->start - 1), text, (int)node->name.size,
            (const char *)node->name.data);
    else
        hint = rf_arena_printf(checker->arena, "guard it: %.*s != null && ...", size, text);
    rf_check_fault(checker, node, message, hint);
    return true;
}
