/* What names mean: variables, fields, types, functions. */
#include "core/expr/checker.h"

#include "core/base/assert.h"
#include "core/expr/regex.h"

#define QUALIFIED_SIZE_MAX 512

static struct rf_local *find_local(const struct rf_checker *checker, struct rf_bytes name)
{
    for (const struct rf_scope *scope = checker->scope; scope != NULL; scope = scope->outer) {
        if (rf_bytes_equal(scope->local->name, name))
            return scope->local;
    }
    return NULL;
}

static bool find_variable(const struct rf_checker *checker, struct rf_bytes name, uint32_t *index)
{
    for (size_t i = 0; i < checker->env->variable_count; i++) {
        if (rf_bytes_equal(rf_bytes_of_text(checker->env->variables[i].name), name)) {
            *index = (uint32_t)i;
            return true;
        }
    }
    return false;
}

/* "a.b.c" of a chain of plain fields on a name that no macro has declared. */
static bool qualified_name(const struct rf_checker *checker, const struct rf_node *node,
                           struct rf_buffer *out)
{
    if (node->kind == RF_NODE_IDENT) {
        if (!node->absolute && find_local(checker, node->name) != NULL)
            return false;
        rf_buffer_append(out, node->name.data, node->name.size);
        return !out->overflow;
    }
    if (node->kind != RF_NODE_SELECT || node->test || node->optional || node->escaped)
        return false;
    if (!qualified_name(checker, node->children[0], out))
        return false;
    rf_buffer_append_byte(out, '.');
    rf_buffer_append(out, node->name.data, node->name.size);
    return !out->overflow;
}

static struct rf_bytes copy_qualified_name(const struct rf_checker *checker,
                                           const struct rf_node *node)
{
    struct rf_buffer buffer;
    struct rf_bytes name = {0};

    rf_buffer_init(&buffer, QUALIFIED_SIZE_MAX);
    if (qualified_name(checker, node, &buffer))
        name = rf_arena_copy(checker->arena, rf_buffer_bytes(&buffer));
    rf_buffer_deinit(&buffer);
    return name;
}

/* A variable or a type of this name; NULL: neither. The node becomes it. */
static const struct rf_type *resolve(struct rf_checker *checker, struct rf_node *node,
                                     struct rf_bytes name)
{
    const struct rf_type *type = NULL;
    uint32_t index = 0;

    if (find_variable(checker, name, &index)) {
        node->kind = RF_NODE_IDENT;
        node->child_count = 0;
        node->name = name;
        node->resolved = RF_RESOLVED_VARIABLE;
        node->index = index;
        return rf_facts_apply(checker, node, checker->env->variables[index].type);
    }
    type = rf_type_named(name);
    if (type == NULL)
        return NULL;
    node->kind = RF_NODE_LITERAL;
    node->child_count = 0;
    node->literal = (struct rf_value){.kind = RF_VALUE_TYPE, .as.type = type};
    return &rf_type_type;
}

static const struct rf_type *undeclared(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_suggestion suggestion;
    const char *message = rf_arena_printf(checker->arena, "there is no '%.*s' here",
                                          (int)node->name.size, (const char *)node->name.data);

    rf_suggestion_init(&suggestion, node->name);
    for (size_t i = 0; i < checker->env->variable_count; i++)
        rf_suggestion_offer(&suggestion, rf_bytes_of_text(checker->env->variables[i].name));
    for (const struct rf_scope *scope = checker->scope; scope != NULL; scope = scope->outer)
        rf_suggestion_offer(&suggestion, scope->local->name);
    node->resolved = RF_RESOLVED_MISSING;
    return rf_check_fault(checker, node, message, rf_suggestion_text(&suggestion, checker->arena));
}

const struct rf_type *rf_check_ident(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_local *local = node->absolute ? NULL : find_local(checker, node->name);
    const struct rf_type *type = NULL;

    if (local != NULL) {
        node->resolved = RF_RESOLVED_LOCAL;
        node->locals[0] = local;
        return rf_facts_apply(checker, node, local->type);
    }
    type = resolve(checker, node, node->name);
    return type != NULL ? type : undeclared(checker, node);
}

/* Fields */

static const struct rf_type *unknown_field(struct rf_checker *checker, struct rf_node *node,
                                           const struct rf_record_type *record)
{
    struct rf_suggestion suggestion;
    const char *message = rf_arena_printf(checker->arena, "%s has no field '%.*s'", record->name,
                                          (int)node->name.size, (const char *)node->name.data);

    rf_suggestion_init(&suggestion, node->name);
    for (size_t i = 0; i < record->field_count; i++)
        rf_suggestion_offer(&suggestion, rf_bytes_of_text(record->fields[i].name));
    return rf_check_fault(checker, node, message, rf_suggestion_text(&suggestion, checker->arena));
}

static const struct rf_type *field_type(struct rf_checker *checker, struct rf_node *node,
                                        const struct rf_type *operand)
{
    if (operand->kind == RF_TYPE_DYN)
        return &rf_type_dyn;
    if (operand->kind == RF_TYPE_MAP)
        return operand->element;
    if (operand->kind != RF_TYPE_RECORD)
        return rf_check_fault(checker, node,
                              rf_arena_printf(checker->arena, "a value of type %s has no fields",
                                              rf_type_text(checker->arena, operand)),
                              NULL);
    for (size_t i = 0; i < operand->record->field_count; i++) {
        if (rf_bytes_equal(node->name, rf_bytes_of_text(operand->record->fields[i].name))) {
            node->resolved = RF_RESOLVED_FIELD;
            node->index = (uint32_t)i;
            return operand->record->fields[i].type;
        }
    }
    return unknown_field(checker, node, operand->record);
}

/* a.b, a.?b and has(a.b), also where a is an optional itself: then so is what comes out. */
static const struct rf_type *check_field(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *operand = rf_check_node(checker, node->children[0]);
    const struct rf_type *type = NULL;
    bool optional = operand->kind == RF_TYPE_OPTIONAL;

    if (rf_check_not_null(checker, node->children[0]) && !checker->lenient)
        return &rf_type_dyn;
    type = field_type(checker, node, optional ? operand->element : operand);
    if (node->test)
        return &rf_type_bool;
    if (!optional && !node->optional)
        rf_check_sparse(checker, node, operand);
    if (!optional && !node->optional)
        return rf_facts_apply(checker, node, type);
    return rf_type_optional(checker->arena, rf_type_not_null(checker->arena, type));
}

const struct rf_type *rf_check_select(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_bytes name = copy_qualified_name(checker, node);
    const struct rf_type *type = NULL;

    if (name.data != NULL)
        type = resolve(checker, node, name);
    return type != NULL ? type : check_field(checker, node);
}

/* Calls */

/* math.abs(x) is read as a call of `abs` on `math`; here it is found to be a function of that name. */
static void join_namespace(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_bytes name = {0};
    const char *joined = NULL;

    if (!node->member)
        return;
    name = copy_qualified_name(checker, node->children[0]);
    if (name.data == NULL)
        return;
    joined = rf_arena_printf(checker->arena, "%.*s.%.*s", (int)name.size, (const char *)name.data,
                             (int)node->name.size, (const char *)node->name.data);
    if (rf_function_find(rf_bytes_of_text(joined), false) == NULL)
        return;
    node->name = rf_bytes_of_text(joined);
    node->member = false;
    node->children++;
    node->child_count--;
}

/* math.greatest(a, b, c) is math.greatest([a, b, c]). */
static void gather_variadic(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_node *list = NULL;

    if (node->member || node->child_count < 3 ||
        (!rf_bytes_equal(node->name, rf_bytes_of_text("math.greatest")) &&
         !rf_bytes_equal(node->name, rf_bytes_of_text("math.least"))))
        return;
    list = rf_arena_alloc_zero(checker->arena, sizeof *list);
    *list = (struct rf_node){.kind = RF_NODE_LIST,
                             .offset = node->offset,
                             .start = node->start,
                             .size = node->size,
                             .children = node->children,
                             .child_count = node->child_count};
    node->children = rf_arena_alloc(checker->arena, sizeof *node->children);
    node->children[0] = list;
    node->child_count = 1;
}

static const struct rf_type *unknown_function(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_suggestion suggestion;
    const char *hint = NULL;
    int size = (int)node->name.size;
    const char *name = (const char *)node->name.data;

    rf_suggestion_init(&suggestion, node->name);
    for (size_t i = 0; rf_function_families[i] != NULL; i++) {
        for (const struct rf_overload *row = rf_function_families[i]; row->name != NULL; row++) {
            if (row->member == node->member)
                rf_suggestion_offer(&suggestion, rf_bytes_of_text(row->name));
        }
    }
    hint = rf_suggestion_text(&suggestion, checker->arena);
    if (rf_function_find(node->name, !node->member) != NULL)
        hint = rf_arena_printf(checker->arena, node->member ? "write %.*s(x)" : "write x.%.*s()",
                               size, name);
    return rf_check_fault(
        checker, node, rf_arena_printf(checker->arena, "there is no function '%.*s'", size, name),
        hint);
}

static const char *list_types(struct rf_checker *checker, const struct rf_type *const *types,
                              uint32_t count)
{
    const char *text = "";

    for (uint32_t i = 0; i < count; i++)
        text = rf_arena_printf(checker->arena, "%s%s%s", text, i == 0 ? "" : ", ",
                               rf_type_text(checker->arena, types[i]));
    return text;
}

static const struct rf_type *no_overload(struct rf_checker *checker, struct rf_node *node,
                                         const struct rf_type *const *types)
{
    const struct rf_overload *row = NULL;
    const char *takes = "";
    size_t family = 0;
    size_t at = 0;
    uint32_t first = node->member ? 1 : 0;

    while ((row = rf_function_next(node->name, node->member, &family, &at)) != NULL) {
        const struct rf_type *parameters[RF_ARGUMENTS_MAX] = {0};
        const char *letters = row->parameters;
        uint32_t count = 0;

        while (*letters != '\0')
            parameters[count++] = rf_signature_type(checker->arena, &letters);
        takes = rf_arena_printf(checker->arena, "%s%s%s%s(%s)", takes, *takes == '\0' ? "" : ", ",
                                row->member ? rf_type_text(checker->arena, parameters[0]) : "",
                                row->member ? "." : "",
                                list_types(checker, parameters + first, count - first));
        if (strlen(takes) > 160)
            break;
    }
    return rf_check_fault(
        checker, node,
        rf_arena_printf(checker->arena, "%s%s%.*s(%s) does not exist",
                        node->member ? rf_type_text(checker->arena, types[0]) : "",
                        node->member ? "." : "", (int)node->name.size,
                        (const char *)node->name.data,
                        list_types(checker, types + first, node->child_count - first)),
        rf_arena_printf(checker->arena, "'%.*s' takes %s", (int)node->name.size,
                        (const char *)node->name.data, takes));
}

static void add_candidate(struct rf_checker *checker, struct rf_candidate *candidate,
                          const struct rf_overload *row)
{
    const char *letters = row->parameters;

    candidate->overload = row;
    for (uint32_t i = 0; *letters != '\0'; i++)
        candidate->kinds[i] = rf_type_value_kinds(rf_signature_type(checker->arena, &letters));
}

/* Also a list(dyn): which of several list(...) it is shows when it runs. */
static bool holds_dyn(const struct rf_type *type)
{
    return type->kind == RF_TYPE_DYN || (type->key != NULL && holds_dyn(type->key)) ||
           (type->element != NULL && holds_dyn(type->element));
}

static bool any_dyn(const struct rf_type *const *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (holds_dyn(types[i]))
            return true;
    }
    return false;
}

#define CANDIDATES_MAX 16

/* All overloads that the types allow; with exact types the first of them is the one. In lenient compiling
 * an empty answer is followed by one that asks only for the number of arguments (`types` NULL). */
static const struct rf_type *gather(struct rf_checker *checker, struct rf_node *node,
                                    const struct rf_type *const *types)
{
    struct rf_candidate *items =
        rf_arena_alloc_zero(checker->arena, CANDIDATES_MAX * sizeof *items);
    struct rf_candidates *candidates = rf_arena_alloc_zero(checker->arena, sizeof *candidates);
    const struct rf_type *result = NULL;
    const struct rf_overload *row = NULL;
    bool null_given = false;
    size_t family = 0;
    size_t at = 0;

    while ((row = rf_function_next(node->name, node->member, &family, &at)) != NULL) {
        struct rf_match match = {.arena = checker->arena};
        const struct rf_type *type = &rf_type_dyn;

        if (rf_signature_count(row->parameters) != node->child_count ||
            (types != NULL &&
             !rf_function_matches(row->parameters, row->result, types, &match, &type)))
            continue;
        rf_assert(candidates->count < CANDIDATES_MAX);
        add_candidate(checker, &items[candidates->count++], row);
        null_given = null_given || match.null_given;
        result = result == NULL ? type : rf_type_join(checker->arena, result, type);
        if (types != NULL && !any_dyn(types, node->child_count))
            break;
    }
    candidates->name = node->name;
    candidates->argument_count = node->child_count;
    candidates->items = items;
    node->candidates = candidates;
    for (uint32_t i = 0; null_given && i < node->child_count; i++)
        rf_check_argument_not_null(checker, node->children[i]);
    return result;
}

/* A pattern that is written down is compiled now, and a fault in it is found now. */
static void prepare_pattern(struct rf_checker *checker, struct rf_node *node)
{
    struct rf_candidates *candidates = NULL;
    const struct rf_node *pattern = NULL;
    const char *message = NULL;

    if (!rf_bytes_equal(node->name, rf_bytes_of_text("matches")) || node->child_count != 2)
        return;
    pattern = node->children[1];
    if (pattern->kind != RF_NODE_LITERAL || pattern->literal.kind != RF_VALUE_STRING)
        return;
    candidates = rf_arena_alloc(checker->arena, sizeof *candidates);
    *candidates = *node->candidates;
    candidates->prepared = rf_regex_compile(checker->arena, pattern->literal.as.text, &message);
    node->candidates = candidates;
    if (candidates->prepared == NULL)
        rf_check_fault(checker, pattern,
                       rf_arena_printf(checker->arena, "invalid pattern: %s", message), NULL);
}

const struct rf_type *rf_check_call(struct rf_checker *checker, struct rf_node *node)
{
    const struct rf_type *types[RF_ARGUMENTS_MAX] = {0};
    const struct rf_type *result = NULL;

    join_namespace(checker, node);
    gather_variadic(checker, node);
    for (uint32_t i = 0; i < node->child_count; i++) {
        const struct rf_type *type = rf_check_node(checker, node->children[i]);

        if (i < RF_ARGUMENTS_MAX)
            types[i] = type;
    }
    if (rf_function_find(node->name, node->member) == NULL)
        return unknown_function(checker, node);
    if (node->child_count > RF_ARGUMENTS_MAX)
        return rf_check_fault(checker, node, "too many arguments", NULL);
    result = gather(checker, node, types);
    if (result != NULL) {
        prepare_pattern(checker, node);
        return result;
    }
    if (checker->lenient)
        gather(checker, node, NULL);
    return no_overload(checker, node, types);
}
