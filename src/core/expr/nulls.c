/* Which nullable values and which keys of maps have been tested where: `event.x != null && event.x > 3`,
 * `"k" in event.attributes && event.attributes["k"] == "x"`. */
#include "core/expr/checker.h"

#include "core/base/assert.h"

static bool is_index(const struct rf_node *node)
{
    return node->kind == RF_NODE_BINARY && node->op == RF_OP_INDEX;
}

/* A variable, fields, and items under keys that are literals or paths themselves: the same value wherever
 * it is written. */
static bool is_path(const struct rf_node *node)
{
    while ((node->kind == RF_NODE_SELECT && !node->optional) || is_index(node)) {
        if (is_index(node) && node->children[1]->kind != RF_NODE_LITERAL &&
            !is_path(node->children[1]))
            return false;
        node = node->children[0];
    }
    return node->kind == RF_NODE_IDENT;
}

static bool same_path(const struct rf_node *a, const struct rf_node *b);

/* m.k is m["k"]. */
static bool same_step(const struct rf_node *a, const struct rf_node *b)
{
    const struct rf_node *key = NULL;

    if (a->kind == RF_NODE_SELECT && b->kind == RF_NODE_SELECT)
        return rf_bytes_equal(a->name, b->name);
    if (b->kind == RF_NODE_SELECT)
        return same_step(b, a);
    key = b->children[1];
    if (a->kind == RF_NODE_SELECT)
        return key->kind == RF_NODE_LITERAL && key->literal.kind == RF_VALUE_STRING &&
               rf_bytes_equal(a->name, key->literal.as.text);
    if (a->children[1]->kind == RF_NODE_LITERAL && key->kind == RF_NODE_LITERAL)
        return rf_value_equal(a->children[1]->literal, key->literal);
    return same_path(a->children[1], key);
}

static bool is_step(const struct rf_node *node)
{
    return node->kind == RF_NODE_SELECT || is_index(node);
}

static bool same_path(const struct rf_node *a, const struct rf_node *b)
{
    while (is_step(a) && is_step(b)) {
        if (!same_step(a, b))
            return false;
        a = a->children[0];
        b = b->children[0];
    }
    if (a->kind != RF_NODE_IDENT || b->kind != RF_NODE_IDENT || a->resolved != b->resolved)
        return false;
    return a->resolved == RF_RESOLVED_LOCAL ? a->locals[0] == b->locals[0] : a->index == b->index;
}

static void learn(struct rf_checker *checker, const struct rf_node *path, bool may_be_null)
{
    struct rf_fact *fact = NULL;

    if (!is_path(path))
        return;
    fact = rf_arena_alloc(checker->arena, sizeof *fact);
    *fact = (struct rf_fact){.path = path, .may_be_null = may_be_null, .outer = checker->facts};
    checker->facts = fact;
}

void rf_facts_learn_key(struct rf_checker *checker, struct rf_node *map, struct rf_node *key)
{
    struct rf_node *item = rf_arena_alloc_zero(checker->arena, sizeof *item);

    item->kind = RF_NODE_BINARY;
    item->op = RF_OP_INDEX;
    item->child_count = 2;
    item->children = rf_arena_alloc(checker->arena, 2 * sizeof *item->children);
    item->children[0] = map;
    item->children[1] = key;
    learn(checker, item, true);
}

/* has(a.b): a record has every field, one that is null is absent; a map may hold null under its key. */
static void learn_presence(struct rf_checker *checker, const struct rf_node *step)
{
    learn(checker, step, step->children[0]->type->kind != RF_TYPE_RECORD);
}

/* a.?b.hasValue(), a[?k].hasValue() */
static void learn_optional(struct rf_checker *checker, const struct rf_node *optional)
{
    struct rf_node *plain = NULL;

    if (!(optional->kind == RF_NODE_SELECT && optional->optional) &&
        !(optional->kind == RF_NODE_BINARY && optional->op == RF_OP_OPTIONAL_INDEX))
        return;
    plain = rf_arena_alloc(checker->arena, sizeof *plain);
    *plain = *optional;
    plain->optional = false;
    plain->op = RF_OP_INDEX;
    learn_presence(checker, plain);
}

/* type(a) == int: it is not null then. */
static void learn_type(struct rf_checker *checker, const struct rf_node *call,
                       const struct rf_node *other)
{
    if (call->kind == RF_NODE_CALL && call->child_count == 1 &&
        rf_bytes_equal(call->name, rf_bytes_of_text("type")) && other->kind == RF_NODE_LITERAL &&
        other->literal.kind == RF_VALUE_TYPE && other->literal.as.type->kind != RF_TYPE_NULL)
        learn(checker, call->children[0], false);
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

static bool is_question(const struct rf_node *node)
{
    return node->kind == RF_NODE_SELECT && node->test;
}

/* has(a) == true says what has(a) says; that has(a) is no null says nothing of a. */
static void learn_comparison(struct rf_checker *checker, const struct rf_node *node, bool equal)
{
    for (uint32_t i = 0; i < 2; i++) {
        const struct rf_node *other = node->children[1 - i];

        if (is_question(node->children[i])) {
            if (other->kind == RF_NODE_LITERAL && other->literal.kind == RF_VALUE_BOOL)
                rf_facts_learn(checker, node->children[i], other->literal.as.boolean == equal);
            continue;
        }
        if ((!equal && is_null(other)) || (equal && never_null(other)))
            learn(checker, node->children[i], false);
        if (equal)
            learn_type(checker, node->children[i], other);
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
        learn_presence(checker, condition);
    } else if (condition->kind == RF_NODE_BINARY && condition->op == RF_OP_IN && truth &&
               condition->children[1]->type->kind == RF_TYPE_MAP) {
        rf_facts_learn_key(checker, condition->children[1], condition->children[0]);
    } else if (condition->kind == RF_NODE_CALL && condition->member && truth &&
               rf_bytes_equal(condition->name, rf_bytes_of_text("hasValue"))) {
        learn_optional(checker, condition->children[0]);
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
        if (!fact->may_be_null && same_path(fact->path, node))
            return rf_type_not_null(checker->arena, type);
    }
    return type;
}

bool rf_facts_has_key(const struct rf_checker *checker, const struct rf_node *node)
{
    for (const struct rf_fact *fact = checker->facts; fact != NULL; fact = fact->outer) {
        if (same_path(fact->path, node))
            return true;
    }
    return false;
}

struct rf_bytes rf_check_source(const struct rf_checker *checker, const struct rf_node *node)
{
    size_t end = node->end > node->offset + node->size ? node->end : node->offset + node->size;

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

void rf_check_argument_not_null(struct rf_checker *checker, const struct rf_node *node)
{
    const struct rf_type *element = node->type->kind == RF_TYPE_LIST ? node->type->element : NULL;
    struct rf_bytes source = rf_check_source(checker, node);
    int size = source.size > 60 ? 60 : (int)source.size;
    const char *text = (const char *)source.data;
    bool found = rf_check_not_null(checker, node);

    if (found || element == NULL || !element->nullable)
        return;
    for (uint32_t i = 0; node->kind == RF_NODE_LIST && i < node->child_count; i++)
        found = rf_check_not_null(checker, node->children[i]) || found;
    if (!found)
        rf_check_fault(
            checker, node, rf_arena_printf(checker->arena, "'%.*s' may hold null", size, text),
            rf_arena_printf(checker->arena, "leave it out: %.*s.filter(i, i != null)", size, text));
}
