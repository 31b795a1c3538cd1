#include "core/expr/monotone.h"

#include "core/base/assert.h"
#include "core/expr/program.h"

#define NO_CHILD UINT32_MAX

struct walker {
    enum rf_course (*variable)(void *self, uint32_t variable);
    void *self;
};

static enum rf_course course_of(const struct walker *walker, const struct rf_node *node);

/* CONSTANT: no child moves. Otherwise *moving is the one that does; NO_CHILD: several do. */
static enum rf_course children_of(const struct walker *walker, const struct rf_node *node,
                                  uint32_t *moving)
{
    enum rf_course course = RF_COURSE_CONSTANT;

    *moving = NO_CHILD;
    for (uint32_t i = 0; i < node->child_count; i++) {
        enum rf_course child = course_of(walker, node->children[i]);

        if (child == RF_COURSE_CONSTANT)
            continue;
        *moving = course == RF_COURSE_CONSTANT ? i : NO_CHILD;
        course = *moving == NO_CHILD ? RF_COURSE_ANY : child;
        if (course == RF_COURSE_ANY)
            return RF_COURSE_ANY;
    }
    return course;
}

static enum rf_course conditional(const struct walker *walker, const struct rf_node *node)
{
    enum rf_course then = RF_COURSE_CONSTANT, otherwise = RF_COURSE_CONSTANT;

    if (course_of(walker, node->children[0]) != RF_COURSE_CONSTANT)
        return RF_COURSE_ANY;
    then = course_of(walker, node->children[1]);
    otherwise = course_of(walker, node->children[2]);
    return then > otherwise ? then : otherwise;
}

/* Of one moving operand: what is divided by it jumps where it passes zero. */
static bool operator_keeps(const struct rf_node *node, uint32_t moving)
{
    switch ((enum rf_operator)node->op) {
    case RF_OP_ADD:
    case RF_OP_SUBTRACT:
    case RF_OP_MULTIPLY:
        return node->type->kind != RF_TYPE_STRING && node->type->kind != RF_TYPE_LIST;
    case RF_OP_LESS:
    case RF_OP_LESS_EQUAL:
    case RF_OP_GREATER:
    case RF_OP_GREATER_EQUAL:
    case RF_OP_NOT:
    case RF_OP_NEGATE:
        return true;
    case RF_OP_DIVIDE:
        return moving == 0;
    case RF_OP_MODULO:
    case RF_OP_EQUAL:
    case RF_OP_NOT_EQUAL:
    case RF_OP_IN:
    case RF_OP_INDEX:
    case RF_OP_OPTIONAL_INDEX:
        break;
    }
    return false;
}

/* Functions of one moving argument. Of a length, not of an instant, the accessors only rise. */
static bool call_keeps(const struct rf_node *node, uint32_t moving)
{
    static const struct {
        const char *name;
        bool member;
        uint32_t argument;
    } kept[] = {
        {"getHours", true, 0},   {"getMinutes", true, 0},    {"getSeconds", true, 0},
        {"math.log", false, 0},  {"math.exp", false, 0},     {"double", false, 0},
        {"int", false, 0},       {"days_between", false, 0}, {"days", false, 0},
        {"math.ceil", false, 0}, {"days_between", false, 1}, {"math.round", false, 0},
        {"math.sqrt", false, 0}, {"math.floor", false, 0},   {"math.trunc", false, 0},
        {"p_alive", false, 2},   {"p_alive_mbg", false, 2},
    };

    if (node->member && node->children[0]->type->kind != RF_TYPE_DURATION)
        return false;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (kept[i].member == node->member && kept[i].argument == moving &&
            rf_bytes_equal(node->name, rf_bytes_of_text(kept[i].name)))
            return true;
    }
    return false;
}

static enum rf_course course_of(const struct walker *walker, const struct rf_node *node)
{
    enum rf_course course = RF_COURSE_CONSTANT;
    uint32_t moving = NO_CHILD;
    bool keeps = false;

    if (node->kind == RF_NODE_IDENT && node->resolved == RF_RESOLVED_VARIABLE)
        return walker->variable(walker->self, node->index);
    if (node->kind == RF_NODE_CONDITIONAL)
        return conditional(walker, node);
    course = children_of(walker, node, &moving);
    if (course == RF_COURSE_CONSTANT || course == RF_COURSE_ANY)
        return course;
    if (node->kind == RF_NODE_UNARY || node->kind == RF_NODE_BINARY)
        keeps = operator_keeps(node, moving);
    else if (node->kind == RF_NODE_CALL)
        keeps = call_keeps(node, moving);
    return keeps ? course : RF_COURSE_ANY;
}

enum rf_course rf_expr_course(const struct rf_expr *expr,
                              enum rf_course (*variable)(void *self, uint32_t variable), void *self)
{
    const struct walker walker = {.variable = variable, .self = self};

    return course_of(&walker, expr->root);
}
