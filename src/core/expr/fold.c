/* What does not depend on a variable is evaluated once, when it is compiled: the largest such subtrees, by the
 * evaluator itself. A failure is left where it is: it may never be reached, or `|| true` may follow (constants.c has
 * said what can only be a mistake). */
#include "core/base/assert.h"
#include "core/expr/program.h"

#define FOLD_COST_MAX  10000
#define FOLD_BYTES_MAX ((size_t)64 * 1024)

struct folder {
    struct rf_arena *arena;
    const struct rf_expr_env *env;
};

/* How free a subtree is: the level of the outermost macro whose variable it uses. */
#define USES_VARIABLES UINT32_C(0)
#define USES_NOTHING   UINT32_MAX

bool rf_constant_evaluate(struct rf_arena *arena, const struct rf_expr_env *env,
                          const struct rf_node *node, struct rf_value *value, struct rf_error *err)
{
    struct rf_expr expr = {.zones = env->zones, .cost_max = FOLD_COST_MAX};
    struct rf_expr_scratch scratch = {.arena = arena, .arena_used_max = FOLD_BYTES_MAX};

    if (!rf_program_build(arena, node, NULL, &expr))
        return rf_error_set(err, RF_ERROR_RECORD, RF_FAILURE_COST, "too deep");
    return rf_expr_eval(&expr, NULL, &scratch, value, err);
}

void rf_node_become(struct rf_node *node, struct rf_value value)
{
    node->kind = RF_NODE_LITERAL;
    node->literal = value;
    node->child_count = 0;
}

static void evaluate(struct folder *folder, struct rf_node *node)
{
    struct rf_value value;
    struct rf_error err = {0};

    if (node->kind != RF_NODE_LITERAL &&
        rf_constant_evaluate(folder->arena, folder->env, node, &value, &err))
        rf_node_become(node, value);
}

static bool is_bool(const struct rf_node *node, bool wanted)
{
    return node->kind == RF_NODE_LITERAL && node->literal.kind == RF_VALUE_BOOL &&
           node->literal.as.boolean == wanted;
}

/* `true && x` is x, `false && x` is false; the same for || and ?:. */
static void decide(struct rf_node *node)
{
    const struct rf_type *type = node->type;
    bool neutral = node->kind == RF_NODE_AND;
    struct rf_node *chosen = NULL;

    if (node->kind == RF_NODE_CONDITIONAL) {
        if (is_bool(node->children[0], true))
            chosen = node->children[1];
        else if (is_bool(node->children[0], false))
            chosen = node->children[2];
    } else if (node->kind == RF_NODE_AND || node->kind == RF_NODE_OR) {
        for (uint32_t i = 0; i < 2 && chosen == NULL; i++) {
            if (is_bool(node->children[i], !neutral))
                chosen = node->children[i];
            else if (is_bool(node->children[i], neutral) &&
                     node->children[1 - i]->type->kind == RF_TYPE_BOOL)
                chosen = node->children[1 - i];
        }
    }
    if (chosen == NULL)
        return;
    *node = *chosen;
    node->type = type;
}

/* Closed: it uses no variable of the environment and none of the `level` macros around it. */
static bool is_closed(const struct rf_node *node, uint32_t level)
{
    return node->uses > level;
}

static void fold(struct folder *folder, struct rf_node *node, uint32_t level);

/* Sets the uses of all children; a macro's own variables are not counted as used by it. */
static void fold_children(struct folder *folder, struct rf_node *node, uint32_t level)
{
    uint32_t inner = node->kind == RF_NODE_MACRO ? level + 1 : level;

    for (uint32_t i = 0; i < 2 && node->kind == RF_NODE_MACRO && node->locals[i] != NULL; i++)
        node->locals[i]->operand = inner;
    for (uint32_t i = 0; i < node->child_count; i++) {
        bool inside = i > 0 && inner > level;
        uint32_t uses = 0;

        fold(folder, node->children[i], inside ? inner : level);
        uses = node->children[i]->uses;
        if (inside && uses >= inner)
            uses = USES_NOTHING;
        if (uses < node->uses)
            node->uses = uses;
    }
}

/* `level`: how many macros are around. Local variables carry that of theirs in `operand` meanwhile. */
static void fold(struct folder *folder, struct rf_node *node, uint32_t level)
{
    node->uses = USES_NOTHING;
    if (node->kind == RF_NODE_IDENT) {
        node->uses =
            node->resolved == RF_RESOLVED_LOCAL ? node->locals[0]->operand : USES_VARIABLES;
        return;
    }
    fold_children(folder, node, level);
    if (is_closed(node, level))
        return; /* as a whole, by whoever is around */
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t inner = level + (node->kind == RF_NODE_MACRO && i > 0);

        if (is_closed(node->children[i], inner))
            evaluate(folder, node->children[i]);
    }
    decide(node);
    if (node->kind == RF_NODE_LITERAL)
        node->uses = USES_NOTHING;
}

void rf_fold(struct rf_arena *arena, const struct rf_expr_env *env, struct rf_node *root)
{
    struct folder folder = {.arena = arena, .env = env};

    fold(&folder, root, 0);
    if (is_closed(root, 0))
        evaluate(&folder, root);
}
