#include "core/expr/checker.h"

#include "core/base/assert.h"

/* Signatures of the operators that have several; letters as in function.h. */
static const struct operator_row {
    uint8_t op;
    const char *parameters;
    const char *result;
} operators[] = {
    {RF_OP_ADD, "ii", "i"},      {RF_OP_ADD, "uu", "u"},      {RF_OP_ADD, "dd", "d"},
    {RF_OP_ADD, "ss", "s"},      {RF_OP_ADD, "yy", "y"},      {RF_OP_ADD, "LTLT", "LT"},
    {RF_OP_ADD, "pt", "t"},      {RF_OP_ADD, "tp", "t"},      {RF_OP_ADD, "pp", "p"},
    {RF_OP_SUBTRACT, "ii", "i"}, {RF_OP_SUBTRACT, "uu", "u"}, {RF_OP_SUBTRACT, "dd", "d"},
    {RF_OP_SUBTRACT, "tp", "t"}, {RF_OP_SUBTRACT, "tt", "p"}, {RF_OP_SUBTRACT, "pp", "p"},
    {RF_OP_MULTIPLY, "ii", "i"}, {RF_OP_MULTIPLY, "uu", "u"}, {RF_OP_MULTIPLY, "dd", "d"},
    {RF_OP_DIVIDE, "ii", "i"},   {RF_OP_DIVIDE, "uu", "u"},   {RF_OP_DIVIDE, "dd", "d"},
    {RF_OP_MODULO, "ii", "i"},   {RF_OP_MODULO, "uu", "u"},   {RF_OP_NEGATE, "i", "i"},
    {RF_OP_NEGATE, "d", "d"},    {RF_OP_NOT, "b", "b"},       {RF_OP_IN, "TLT", "b"},
    {RF_OP_IN, "KMKT", "b"},     {RF_OP_INDEX, "LTi", "T"},   {RF_OP_INDEX, "MKTK", "T"},
};

/* The order of <, <=, >, >=: one row for the four. */
static const char *const ordered[] = {"bb", "ii", "uu", "dd", "ss", "yy", "tt",
                                      "pp", "iu", "ui", "id", "di", "ud", "du"};

static const char *const operator_names[] = {
    [RF_OP_ADD] = "+",
    [RF_OP_SUBTRACT] = "-",
    [RF_OP_MULTIPLY] = "*",
    [RF_OP_DIVIDE] = "/",
    [RF_OP_MODULO] = "%",
    [RF_OP_EQUAL] = "==",
    [RF_OP_NOT_EQUAL] = "!=",
    [RF_OP_LESS] = "<",
    [RF_OP_LESS_EQUAL] = "<=",
    [RF_OP_GREATER] = ">",
    [RF_OP_GREATER_EQUAL] = ">=",
    [RF_OP_IN] = "in",
    [RF_OP_INDEX] = "[]",
    [RF_OP_OPTIONAL_INDEX] = "[?]",
    [RF_OP_NOT] = "!",
    [RF_OP_NEGATE] = "-",
};

const struct rf_type *rf_check_fault(struct rf_checker *checker, const struct rf_node *node,
                                     const char *message, const char *hint)
{
    rf_faults_add(checker->faults, (struct rf_expr_fault){.stage = RF_EXPR_AT_CHECK,
                                                          .offset = node->offset,
                                                          .size = node->size,
                                                          .message = message,
                                                          .hint = hint});
    return &rf_type_dyn;
}

static bool is_number(const struct rf_type *type)
{
    return type->kind == RF_TYPE_INT || type->kind == RF_TYPE_UINT || type->kind == RF_TYPE_DOUBLE;
}

static const struct rf_type *operands_do_not_fit(struct rf_checker *checker,
                                                 const struct rf_node *node,
                                                 const struct rf_type *const *types)
{
    const char *name = operator_names[node->op];
    const char *left = rf_type_text(checker->arena, types[0]);
    const char *right = node->child_count > 1 ? rf_type_text(checker->arena, types[1]) : NULL;
    const char *hint = NULL;

    if (right == NULL)
        return rf_check_fault(checker, node,
                              rf_arena_printf(checker->arena, "'%s' does not take %s", name, left),
                              NULL);
    if (is_number(types[0]) && is_number(types[1]) && types[0]->kind != types[1]->kind)
        hint = rf_arena_printf(checker->arena, "convert one of them: double(x), int(x)%s",
                               types[0]->kind == RF_TYPE_UINT || types[1]->kind == RF_TYPE_UINT
                                   ? ", uint(x)"
                                   : "; a decimal literal is written 60.0");
    else if (node->op == RF_OP_ADD &&
             (types[0]->kind == RF_TYPE_STRING || types[1]->kind == RF_TYPE_STRING))
        hint = "make it text first: string(x)";
    return rf_check_fault(
        checker, node,
        rf_arena_printf(checker->arena, "'%s' does not take %s and %s", name, left, right), hint);
}

static bool is_ordering(uint8_t op)
{
    return op >= RF_OP_LESS && op <= RF_OP_GREATER_EQUAL;
}

/* The result of an operator, NULL where no signature fits; *null_given as in struct rf_match. */
static const struct rf_type *find_operator(struct rf_checker *checker, uint8_t op,
                                           const struct rf_type *const *types, bool *null_given)
{
    size_t count = is_ordering(op) ? sizeof ordered / sizeof ordered[0]
                                   : sizeof operators / sizeof operators[0];
    const struct rf_type *result = NULL;

    for (size_t i = 0; i < count; i++) {
        struct rf_match match = {.arena = checker->arena};
        const char *parameters = is_ordering(op) ? ordered[i] : operators[i].parameters;
        const char *letter = is_ordering(op) ? "b" : operators[i].result;
        const struct rf_type *type = NULL;

        if (!is_ordering(op) && operators[i].op != op)
            continue;
        if (!rf_function_matches(parameters, letter, types, &match, &type))
            continue;
        *null_given = *null_given || match.null_given;
        result = result == NULL ? type : rf_type_join(checker->arena, result, type);
    }
    return result;
}

static const struct rf_type *check_operator(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *types[2] = {0};
    const struct rf_type *result = NULL;
    bool null_given = false;

    for (uint32_t i = 0; i < node->child_count; i++)
        types[i] = rf_check_node(checker, node->children[i]);
    result = find_operator(checker, node->op, types, &null_given);
    if (result == NULL)
        return operands_do_not_fit(checker, node, types);
    for (uint32_t i = 0; null_given && i < node->child_count; i++)
        rf_check_not_null(checker, node->children[i]);
    return result;
}

static bool comparable_with_null(const struct rf_type *type)
{
    return type->nullable || type->kind == RF_TYPE_NULL || type->kind == RF_TYPE_DYN ||
           type->kind == RF_TYPE_TIMESTAMP || type->kind == RF_TYPE_DURATION ||
           type->kind == RF_TYPE_RECORD || type->kind == RF_TYPE_OPTIONAL;
}

/* == and != are defined for null, so a nullable operand needs no guard here. */
static const struct rf_type *check_equality(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *types[2] = {rf_check_node(checker, node->children[0]),
                                      rf_check_node(checker, node->children[1])};

    for (uint32_t i = 0; i < 2; i++) {
        if (types[i]->kind != RF_TYPE_NULL || comparable_with_null(types[1 - i]))
            continue;
        rf_check_fault(checker, node,
                       rf_arena_printf(checker->arena, "a value of type %s is never null",
                                       rf_type_text(checker->arena, types[1 - i])),
                       "leave the comparison out");
        return &rf_type_bool;
    }
    if (types[0]->kind != RF_TYPE_NULL && types[1]->kind != RF_TYPE_NULL &&
        !rf_type_matches(NULL, types[0], types[1]) && !rf_type_matches(NULL, types[1], types[0]))
        operands_do_not_fit(checker, node, types);
    return &rf_type_bool;
}

/* A value of this type, for a hint. */
static const char *default_of(const struct rf_type *type)
{
    if (type->kind == RF_TYPE_INT)
        return "0";
    if (type->kind == RF_TYPE_DOUBLE)
        return "0.0";
    return type->kind == RF_TYPE_STRING ? "\"\"" : "...";
}

static const char *short_source(const struct rf_checker *checker, const struct rf_node *node)
{
    struct rf_bytes source = rf_check_source(checker, node);

    return rf_arena_printf(checker->arena, "%.*s", source.size > 60 ? 60 : (int)source.size,
                           (const char *)source.data);
}

void rf_check_sparse(struct rf_checker *checker, const struct rf_node *node,
                     const struct rf_type *map)
{
    const char *source = NULL;
    const char *key = NULL;
    const char *hint = NULL;

    if (!map->sparse || rf_facts_has_key(checker, node))
        return;
    source = short_source(checker, node->children[0]);
    if (node->kind == RF_NODE_SELECT) {
        key = rf_arena_printf(checker->arena, "%.*s", (int)node->name.size,
                              (const char *)node->name.data);
        hint = rf_arena_printf(checker->arena,
                               "guard it: has(%s.%s) && ..., or give a default: %s.?%s.orValue(%s)",
                               source, key, source, key, default_of(map->element));
    } else {
        key = short_source(checker, node->children[1]);
        hint = rf_arena_printf(checker->arena,
                               "guard it: %s in %s && ..., or give a default: %s[?%s].orValue(%s)",
                               key, source, source, key, default_of(map->element));
    }
    rf_check_fault(checker, node, "there may be no such key", hint);
}

/* a[k] where a may be an optional, and a[?k]: the result is one, too. */
static const struct rf_type *check_index(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *types[2] = {rf_check_node(checker, node->children[0]),
                                      rf_check_node(checker, node->children[1])};
    bool optional = types[0]->kind == RF_TYPE_OPTIONAL;
    const struct rf_type *result = NULL;
    bool null_given = false;

    if (optional)
        types[0] = types[0]->element;
    result = find_operator(checker, RF_OP_INDEX, types, &null_given);
    if (result == NULL)
        return operands_do_not_fit(checker, node, types);
    for (uint32_t i = 0; null_given && i < 2; i++)
        rf_check_not_null(checker, node->children[i]);
    if (!optional && node->op == RF_OP_INDEX)
        rf_check_sparse(checker, node, types[0]);
    if (optional || node->op == RF_OP_OPTIONAL_INDEX)
        return rf_type_optional(checker->arena, rf_type_not_null(checker->arena, result));
    return rf_facts_apply(checker, node, result);
}

static const struct rf_type *check_binary(struct rf_checker *checker, struct rf_node *node)
{
    if (node->op == RF_OP_EQUAL || node->op == RF_OP_NOT_EQUAL)
        return check_equality(checker, node);
    if (node->op == RF_OP_INDEX || node->op == RF_OP_OPTIONAL_INDEX)
        return check_index(checker, node);
    return check_operator(checker, node);
}

static void expect_bool(struct rf_checker *checker, const struct rf_node *node, const char *what)
{
    if (rf_check_not_null(checker, node))
        return;
    if (node->type->kind != RF_TYPE_BOOL && node->type->kind != RF_TYPE_DYN)
        rf_check_fault(checker, node,
                       rf_arena_printf(checker->arena, "%s has to be a bool, this is %s", what,
                                       rf_type_text(checker->arena, node->type)),
                       NULL);
}

/* What the left operand tells about nulls holds where the right one is looked at. */
static const struct rf_type *check_logic(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_fact *facts = checker->facts;
    const char *what = node->kind == RF_NODE_AND ? "an operand of '&&'" : "an operand of '||'";

    rf_check_node(checker, node->children[0]);
    rf_facts_learn(checker, node->children[0], node->kind == RF_NODE_AND);
    rf_check_node(checker, node->children[1]);
    checker->facts = facts;
    expect_bool(checker, node->children[0], what);
    expect_bool(checker, node->children[1], what);
    return &rf_type_bool;
}

static const struct rf_type *check_conditional(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_fact *facts = checker->facts;
    const struct rf_type *types[2];
    const struct rf_type *joined = NULL;

    rf_check_node(checker, node->children[0]);
    expect_bool(checker, node->children[0], "the condition of '?:'");
    for (uint32_t i = 0; i < 2; i++) {
        rf_facts_learn(checker, node->children[0], i == 0);
        types[i] = rf_check_node(checker, node->children[1 + i]);
        checker->facts = facts;
    }
    joined = rf_type_join(checker->arena, types[0], types[1]);
    if (joined->kind == RF_TYPE_DYN && types[0]->kind != RF_TYPE_DYN &&
        types[1]->kind != RF_TYPE_DYN)
        return rf_check_fault(checker, node,
                              rf_arena_printf(checker->arena,
                                              "the branches of '?:' differ in type: %s and %s",
                                              rf_type_text(checker->arena, types[0]),
                                              rf_type_text(checker->arena, types[1])),
                              "dyn(x) on one of them allows it");
    return joined;
}

/* The type of an item, or of what its optional holds where it is marked `?`. */
static const struct rf_type *item_type(struct rf_checker *checker, struct rf_node *item,
                                       bool optional)
{
    const struct rf_type *type = rf_check_node(checker, item);

    if (!optional || type->kind == RF_TYPE_DYN)
        return type;
    if (type->kind == RF_TYPE_OPTIONAL)
        return type->element;
    return rf_check_fault(checker, item, "an item marked '?' has to be an optional", NULL);
}

static const struct rf_type *check_list(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *element = NULL;

    for (uint32_t i = 0; i < node->child_count; i++) {
        bool optional = node->optional_items != NULL && node->optional_items[i];
        const struct rf_type *type = item_type(checker, node->children[i], optional);

        element = element == NULL ? type : rf_type_join(checker->arena, element, type);
    }
    return rf_type_list(checker->arena, element == NULL ? &rf_type_dyn : element);
}

static bool can_be_key(const struct rf_type *type)
{
    return type->kind == RF_TYPE_DYN || type->kind == RF_TYPE_BOOL || type->kind == RF_TYPE_INT ||
           type->kind == RF_TYPE_UINT || type->kind == RF_TYPE_STRING;
}

static const struct rf_type *check_map(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *key = NULL;
    const struct rf_type *element = NULL;

    for (uint32_t i = 0; i < node->child_count; i += 2) {
        bool optional = node->optional_items != NULL && node->optional_items[i];
        const struct rf_type *key_type = rf_check_node(checker, node->children[i]);
        const struct rf_type *type = item_type(checker, node->children[i + 1], optional);

        if (!can_be_key(key_type))
            rf_check_fault(checker, node->children[i],
                           rf_arena_printf(checker->arena, "%s cannot be the key of a map",
                                           rf_type_text(checker->arena, key_type)),
                           NULL);
        rf_check_not_null(checker, node->children[i]);
        key = key == NULL ? key_type : rf_type_join(checker->arena, key, key_type);
        element = element == NULL ? type : rf_type_join(checker->arena, element, type);
    }
    return rf_type_map(checker->arena, key == NULL ? &rf_type_dyn : key,
                       element == NULL ? &rf_type_dyn : element);
}

/* Macros */

static const struct rf_type *not_a_range(struct rf_checker *checker, const struct rf_node *node,
                                         const char *wanted)
{
    return rf_check_fault(checker, node,
                          rf_arena_printf(checker->arena, "%.*s() takes %s, this is %s",
                                          (int)node->name.size, (const char *)node->name.data,
                                          wanted,
                                          rf_type_text(checker->arena, node->children[0]->type)),
                          NULL);
}

/* The types of the variables, from what is walked over. */
static void type_locals(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *range = node->children[0]->type;
    bool two = node->locals[1] != NULL;

    if (range->kind == RF_TYPE_LIST) {
        node->locals[0]->type = two ? &rf_type_int : range->element;
        if (two)
            node->locals[1]->type = range->element;
    } else if (range->kind == RF_TYPE_MAP && node->macro != RF_MACRO_SORT_BY) {
        node->locals[0]->type = range->key;
        if (two)
            node->locals[1]->type = range->element;
    } else if (range->kind != RF_TYPE_DYN) {
        not_a_range(checker, node, node->macro == RF_MACRO_SORT_BY ? "a list" : "a list or a map");
    }
}

static void type_single(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *type = node->children[0]->type;

    node->locals[0]->type = type;
    if (node->macro == RF_MACRO_BIND || type->kind == RF_TYPE_DYN)
        return;
    if (type->kind == RF_TYPE_OPTIONAL)
        node->locals[0]->type = type->element;
    else
        not_a_range(checker, node, "an optional");
}

/* With the keys of `range`: where they may be missing, so may these. */
static const struct rf_type *map_like(struct rf_checker *checker, const struct rf_type *range,
                                      const struct rf_type *key, const struct rf_type *element)
{
    struct rf_type *type = rf_arena_alloc(checker->arena, sizeof *type);

    *type = (struct rf_type){
        .kind = RF_TYPE_MAP, .sparse = range->sparse, .key = key, .element = element};
    return type;
}

static const struct rf_type *macro_result(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *range = node->children[0]->type;
    const struct rf_type *body = node->children[1]->type;

    switch ((enum rf_macro)node->macro) {
    case RF_MACRO_ALL:
    case RF_MACRO_EXISTS:
    case RF_MACRO_EXISTS_ONE:
        expect_bool(checker, node->children[1], "the predicate");
        return &rf_type_bool;
    case RF_MACRO_MAP:
        return rf_type_list(checker->arena, body);
    case RF_MACRO_TRANSFORM_MAP:
        return map_like(checker, range, node->locals[0]->type, body);
    case RF_MACRO_TRANSFORM_MAP_ENTRY:
        if (body->kind != RF_TYPE_MAP && body->kind != RF_TYPE_DYN)
            return rf_check_fault(checker, node->children[1],
                                  "the body has to be a map of one entry", NULL);
        return body->kind == RF_TYPE_MAP ? body : &rf_type_any_map;
    case RF_MACRO_SORT_BY:
        return range;
    case RF_MACRO_BIND:
        return body;
    case RF_MACRO_OPTIONAL_MAP:
        return rf_type_optional(checker->arena, body);
    case RF_MACRO_OPTIONAL_FLAT_MAP:
        if (body->kind == RF_TYPE_OPTIONAL || body->kind == RF_TYPE_DYN)
            return body;
        return rf_check_fault(checker, node->children[1], "the body has to be an optional", NULL);
    }
    rf_assert(false && "an unknown macro");
    return NULL;
}

/* m.all(k, m[k] > 0): what walks over the keys of a map has keys that are there. */
static void learn_own_key(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_node *key = NULL;

    if (node->children[0]->type->kind != RF_TYPE_MAP || node->macro >= RF_MACRO_SORT_BY)
        return;
    key = rf_arena_alloc_zero(checker->arena, sizeof *key);
    key->kind = RF_NODE_IDENT;
    key->resolved = RF_RESOLVED_LOCAL;
    key->locals[0] = node->locals[0];
    rf_facts_learn_key(checker, node->children[0], key);
}

static const struct rf_type *check_macro(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_scope *outer = checker->scope;
    const struct rf_fact *facts = checker->facts;
    struct rf_scope scopes[2];
    const struct rf_type *result = NULL;

    rf_assert(node->locals[0] != NULL);
    rf_check_node(checker, node->children[0]);
    if (node->macro != RF_MACRO_BIND)
        rf_check_not_null(checker, node->children[0]);
    if (node->macro >= RF_MACRO_BIND)
        type_single(checker, node);
    else
        type_locals(checker, node);
    for (uint32_t i = 0; i < 2 && node->locals[i] != NULL; i++) {
        scopes[i] = (struct rf_scope){.local = node->locals[i], .outer = checker->scope};
        checker->scope = &scopes[i];
    }
    learn_own_key(checker, node);
    if (node->child_count == 3) {
        rf_check_node(checker, node->children[2]);
        expect_bool(checker, node->children[2], "the condition");
        rf_facts_learn(checker, node->children[2], true);
    }
    rf_check_node(checker, node->children[1]);
    result = macro_result(checker, node);
    checker->scope = outer;
    checker->facts = facts;
    return result;
}

static const struct rf_type *check_kind(struct rf_checker *checker, struct rf_node *node)
{
    switch (node->kind) {
    case RF_NODE_LITERAL:
        return node->literal.kind == RF_VALUE_TYPE ? &rf_type_type : rf_value_type(node->literal);
    case RF_NODE_IDENT:
        return rf_check_ident(checker, node);
    case RF_NODE_SELECT:
        return rf_check_select(checker, node);
    case RF_NODE_UNARY:
        return check_operator(checker, node);
    case RF_NODE_BINARY:
        return check_binary(checker, node);
    case RF_NODE_AND:
    case RF_NODE_OR:
        return check_logic(checker, node);
    case RF_NODE_CONDITIONAL:
        return check_conditional(checker, node);
    case RF_NODE_CALL:
        return rf_check_call(checker, node);
    case RF_NODE_LIST:
        return check_list(checker, node);
    case RF_NODE_MAP:
        return check_map(checker, node);
    case RF_NODE_MACRO:
        return check_macro(checker, node);
    }
    rf_assert(false && "an unknown kind of node");
    return NULL;
}

const struct rf_type *rf_check_node(struct rf_checker *checker, struct rf_node *node)
{
    node->type = check_kind(checker, node);
    rf_assert(node->type != NULL);
    return node->type;
}

static void check_result(struct rf_checker *checker, const struct rf_node *root,
                         const struct rf_type *want)
{
    struct rf_match match = {.arena = checker->arena};

    if (!rf_type_matches(&match, want, root->type))
        rf_check_fault(checker, root,
                       rf_arena_printf(checker->arena, "the result has to be %s, this is %s",
                                       rf_type_text(checker->arena, want),
                                       rf_type_text(checker->arena, root->type)),
                       is_number(want) && is_number(root->type) ? "convert it: double(x), int(x)"
                                                                : NULL);
    else if (match.null_given)
        rf_check_not_null(checker, root);
}

bool rf_check(struct rf_checker *checker, struct rf_node *root, const struct rf_type *want)
{
    rf_check_node(checker, root);
    if (want != NULL && (checker->lenient || checker->faults->count == 0))
        check_result(checker, root, want);
    if (checker->env->constants_have_to_work && checker->faults->count == 0)
        rf_check_constants(checker, root);
    return checker->lenient || checker->faults->count == 0;
}
