#include "core/expr/parser.h"

#include "core/base/assert.h"
#include "core/base/hash.h"

/* Children gathered before their number is known. */
struct list {
    struct rf_node **items;
    bool *optional;
    uint32_t count;
    uint32_t capacity;
    bool any_optional;
};

static const char *const reserved[] = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};

static struct rf_node *parse_expr(struct rf_parser *parser);
static struct rf_node *parse_unary(struct rf_parser *parser);

void rf_faults_add(struct rf_expr_faults *faults, struct rf_expr_fault fault)
{
    size_t capacity = sizeof faults->items / sizeof faults->items[0];

    rf_assert(fault.message != NULL);
    if (faults->count < capacity)
        faults->items[faults->count++] = fault;
}

struct rf_node *rf_parser_fault(struct rf_parser *parser, size_t offset, size_t size,
                                const char *message, const char *hint)
{
    if (parser->faults->count == 0)
        rf_faults_add(parser->faults, (struct rf_expr_fault){.stage = RF_EXPR_AT_PARSE,
                                                             .offset = offset,
                                                             .size = size == 0 ? 1 : size,
                                                             .message = message,
                                                             .hint = hint});
    return NULL;
}

static struct rf_node *unexpected(struct rf_parser *parser, const char *expected)
{
    const struct rf_token *token = &parser->token;
    struct rf_bytes text = parser->lexer.text;
    const char *message = NULL;

    if (token->kind == RF_TOKEN_END)
        message = rf_arena_printf(parser->arena, "unexpected end, expected %s", expected);
    else
        message = rf_arena_printf(parser->arena, "unexpected '%.*s', expected %s",
                                  token->size > 40 ? 40 : (int)token->size,
                                  (const char *)text.data + token->offset, expected);
    return rf_parser_fault(parser, token->offset, token->size, message, NULL);
}

/* The tokens, not the spaces between them, are what a rule's version depends on. */
static void count_token(struct rf_parser *parser, const struct rf_token *token)
{
    struct rf_bytes text = rf_bytes_of(parser->lexer.text.data + token->offset, token->size);

    parser->fingerprint = rf_hash64_seeded(text, parser->fingerprint);
}

static bool advance(struct rf_parser *parser)
{
    parser->token_end = parser->token.offset + parser->token.size;
    parser->token = parser->next;
    if (parser->next.kind == RF_TOKEN_END)
        return true;
    if (!rf_lexer_next(&parser->lexer, &parser->next)) {
        rf_parser_fault(parser, parser->lexer.fault_offset, parser->lexer.fault_size,
                        parser->lexer.message, parser->lexer.hint);
        return false;
    }
    if (parser->next.kind != RF_TOKEN_END)
        count_token(parser, &parser->next);
    return true;
}

static bool at(const struct rf_parser *parser, enum rf_token_kind kind)
{
    return parser->token.kind == kind;
}

static bool expect(struct rf_parser *parser, enum rf_token_kind kind, const char *expected)
{
    if (!at(parser, kind)) {
        unexpected(parser, expected);
        return false;
    }
    return advance(parser);
}

struct rf_node *rf_parser_node(struct rf_parser *parser, enum rf_node_kind kind, uint32_t offset,
                               uint32_t child_count)
{
    struct rf_node *node = rf_arena_alloc_zero(parser->arena, sizeof *node);

    node->kind = kind;
    node->offset = offset;
    node->start = offset;
    node->size = 1;
    node->child_count = child_count;
    node->children = rf_arena_alloc_zero(parser->arena, child_count * sizeof *node->children);
    return node;
}

struct rf_node *rf_parser_finish(struct rf_parser *parser, struct rf_node *node)
{
    node->end = (uint32_t)parser->token_end;
    node->depth = 1;
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (node->children[i]->depth >= node->depth)
            node->depth = node->children[i]->depth + 1;
    }
    if (node->depth > RF_PARSE_DEPTH_MAX)
        return rf_parser_fault(parser, node->offset, node->size, "expression is too long",
                               "split it into several features");
    return node;
}

static struct rf_node *make_binary(struct rf_parser *parser, enum rf_operator op, uint32_t offset,
                                   struct rf_node *left, struct rf_node *right)
{
    struct rf_node *node = rf_parser_node(parser, RF_NODE_BINARY, offset, 2);

    node->op = (uint8_t)op;
    node->start = left->start;
    node->children[0] = left;
    node->children[1] = right;
    return rf_parser_finish(parser, node);
}

static void list_add(struct rf_parser *parser, struct list *list, struct rf_node *item,
                     bool optional)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        struct rf_node **items = rf_arena_alloc(parser->arena, capacity * sizeof *items);
        bool *flags = rf_arena_alloc(parser->arena, capacity * sizeof *flags);

        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
            memcpy(flags, list->optional, list->count * sizeof *flags);
        }
        list->items = items;
        list->optional = flags;
        list->capacity = capacity;
    }
    list->items[list->count] = item;
    list->optional[list->count] = optional;
    list->any_optional = list->any_optional || optional;
    list->count++;
}

static bool parse_optional_mark(struct rf_parser *parser, bool *optional)
{
    *optional = at(parser, RF_TOKEN_QUESTION);
    return !*optional || advance(parser);
}

/* The grammar allows [,] and {,}. */
static bool skip_only_comma(struct rf_parser *parser, enum rf_token_kind close)
{
    return !at(parser, RF_TOKEN_COMMA) || parser->next.kind != close || advance(parser);
}

/* Expressions up to `close`, which is taken; a trailing comma is allowed where `marks` are. */
static bool parse_items(struct rf_parser *parser, struct list *list, enum rf_token_kind close,
                        bool marks)
{
    if (marks && !skip_only_comma(parser, close))
        return false;
    while (!at(parser, close)) {
        bool optional = false;
        struct rf_node *item = NULL;

        if (marks && !parse_optional_mark(parser, &optional))
            return false;
        item = parse_expr(parser);
        if (item == NULL)
            return false;
        list_add(parser, list, item, optional);
        if (at(parser, close))
            break;
        if (!expect(parser, RF_TOKEN_COMMA, marks ? "',' or ']'" : "',' or ')'"))
            return false;
        if (!marks && at(parser, close)) {
            unexpected(parser, "an argument");
            return false;
        }
    }
    return advance(parser);
}

static struct rf_node *parse_list(struct rf_parser *parser)
{
    uint32_t offset = parser->token.offset;
    struct list list = {0};
    struct rf_node *node = NULL;

    if (!advance(parser) || !parse_items(parser, &list, RF_TOKEN_RIGHT_BRACKET, true))
        return NULL;
    node = rf_parser_node(parser, RF_NODE_LIST, offset, 0);
    node->size = (uint32_t)(parser->token_end - offset);
    node->children = list.items;
    node->child_count = list.count;
    node->optional_items = list.any_optional ? list.optional : NULL;
    return rf_parser_finish(parser, node);
}

static bool parse_entries(struct rf_parser *parser, struct list *list)
{
    if (!skip_only_comma(parser, RF_TOKEN_RIGHT_BRACE))
        return false;
    while (!at(parser, RF_TOKEN_RIGHT_BRACE)) {
        bool optional = false;
        struct rf_node *key = NULL;
        struct rf_node *value = NULL;

        if (!parse_optional_mark(parser, &optional))
            return false;
        key = parse_expr(parser);
        if (key == NULL || !expect(parser, RF_TOKEN_COLON, "':'"))
            return false;
        value = parse_expr(parser);
        if (value == NULL)
            return false;
        list_add(parser, list, key, optional);
        list_add(parser, list, value, optional);
        if (!at(parser, RF_TOKEN_RIGHT_BRACE) && !expect(parser, RF_TOKEN_COMMA, "',' or '}'"))
            return false;
    }
    return advance(parser);
}

static struct rf_node *parse_map(struct rf_parser *parser)
{
    uint32_t offset = parser->token.offset;
    struct list list = {0};
    struct rf_node *node = NULL;

    if (!advance(parser) || !parse_entries(parser, &list))
        return NULL;
    node = rf_parser_node(parser, RF_NODE_MAP, offset, 0);
    node->size = (uint32_t)(parser->token_end - offset);
    node->children = list.items;
    node->child_count = list.count;
    node->optional_items = list.any_optional ? list.optional : NULL;
    return rf_parser_finish(parser, node);
}

/* `(arguments)` behind a name; `target` is NULL for a plain call. */
static struct rf_node *parse_call(struct rf_parser *parser, struct rf_node *target,
                                  const struct rf_token *name)
{
    struct list list = {0};
    struct rf_node *node = NULL;

    if (target != NULL)
        list_add(parser, &list, target, false);
    if (!advance(parser) || !parse_items(parser, &list, RF_TOKEN_RIGHT_PAREN, false))
        return NULL;
    node = rf_parser_node(parser, RF_NODE_CALL, name->offset, 0);
    node->start = target != NULL ? target->start : name->offset;
    node->size = name->size;
    node->name = name->name;
    node->member = target != NULL;
    node->children = list.items;
    node->child_count = list.count;
    node = rf_parser_finish(parser, node);
    return node == NULL ? NULL : rf_macro_expand(parser, node);
}

static bool is_reserved(struct rf_bytes name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (rf_bytes_equal(name, rf_bytes_of_text(reserved[i])))
            return true;
    }
    return false;
}

static struct rf_node *parse_name(struct rf_parser *parser, bool absolute)
{
    struct rf_token name = parser->token;
    struct rf_node *node = NULL;

    if (!at(parser, RF_TOKEN_IDENT))
        return unexpected(parser, "a name");
    if (is_reserved(name.name))
        return rf_parser_fault(parser, name.offset, name.size,
                               rf_arena_printf(parser->arena, "'%.*s' is a reserved word",
                                               (int)name.size, (const char *)name.name.data),
                               NULL);
    if (!advance(parser))
        return NULL;
    if (at(parser, RF_TOKEN_LEFT_PAREN)) {
        node = parse_call(parser, NULL, &name);
    } else {
        node = rf_parser_node(parser, RF_NODE_IDENT, name.offset, 0);
        node->size = name.size;
        node->name = name.name;
        node = rf_parser_finish(parser, node);
    }
    if (node != NULL)
        node->absolute = absolute;
    return node;
}

static struct rf_node *parse_literal(struct rf_parser *parser, bool negative)
{
    struct rf_token *token = &parser->token;
    struct rf_node *node = rf_parser_node(parser, RF_NODE_LITERAL, token->offset, 0);

    node->size = token->size;
    node->literal = token->value;
    if (token->int_min && !negative)
        return rf_parser_fault(parser, token->offset, token->size, "int literal out of range",
                               NULL);
    if (negative && token->value.kind == RF_VALUE_INT && !token->int_min)
        node->literal.as.integer = -token->value.as.integer;
    else if (negative && token->value.kind == RF_VALUE_DOUBLE)
        node->literal.as.number = -token->value.as.number;
    if (!advance(parser))
        return NULL;
    return rf_parser_finish(parser, node);
}

static struct rf_node *parse_parenthesis(struct rf_parser *parser)
{
    struct rf_node *node = advance(parser) ? parse_expr(parser) : NULL;

    return node != NULL && expect(parser, RF_TOKEN_RIGHT_PAREN, "')'") ? node : NULL;
}

static struct rf_node *parse_primary(struct rf_parser *parser)
{
    if (at(parser, RF_TOKEN_LITERAL))
        return parse_literal(parser, false);
    if (at(parser, RF_TOKEN_IDENT))
        return parse_name(parser, false);
    if (at(parser, RF_TOKEN_DOT))
        return advance(parser) ? parse_name(parser, true) : NULL;
    if (at(parser, RF_TOKEN_LEFT_BRACKET))
        return parse_list(parser);
    if (at(parser, RF_TOKEN_LEFT_BRACE))
        return parse_map(parser);
    if (at(parser, RF_TOKEN_LEFT_PAREN))
        return parse_parenthesis(parser);
    return unexpected(parser, "an expression");
}

/* `.name`, `.?name`, `.name(...)` behind an operand. */
static struct rf_node *parse_select(struct rf_parser *parser, struct rf_node *operand)
{
    struct rf_token name;
    struct rf_node *node = NULL;
    bool optional = false;

    if (!advance(parser) || !parse_optional_mark(parser, &optional))
        return NULL;
    name = parser->token;
    if (name.kind != RF_TOKEN_IDENT && name.kind != RF_TOKEN_QUOTED_IDENT)
        return unexpected(parser, "a field or function name");
    if (!advance(parser))
        return NULL;
    if (at(parser, RF_TOKEN_LEFT_PAREN) && name.kind == RF_TOKEN_IDENT && !optional)
        return parse_call(parser, operand, &name);
    node = rf_parser_node(parser, RF_NODE_SELECT, name.offset, 1);
    node->start = operand->start;
    node->size = name.size;
    node->name = name.name;
    node->escaped = name.kind == RF_TOKEN_QUOTED_IDENT;
    node->optional = optional;
    node->children[0] = operand;
    return rf_parser_finish(parser, node);
}

static struct rf_node *parse_index(struct rf_parser *parser, struct rf_node *operand)
{
    uint32_t offset = parser->token.offset;
    struct rf_node *key = NULL;
    bool optional = false;

    if (!advance(parser) || !parse_optional_mark(parser, &optional))
        return NULL;
    key = parse_expr(parser);
    if (key == NULL || !expect(parser, RF_TOKEN_RIGHT_BRACKET, "']'"))
        return NULL;
    return make_binary(parser, optional ? RF_OP_OPTIONAL_INDEX : RF_OP_INDEX, offset, operand, key);
}

/* A message, as protobuf has them, is not for us; it is read to say so in one place (checker). */
static struct rf_node *parse_message(struct rf_parser *parser, struct rf_node *name)
{
    if (name->kind != RF_NODE_IDENT && name->kind != RF_NODE_SELECT)
        return unexpected(parser, "an operator");
    return rf_parser_fault(parser, name->start, parser->token_end - name->start,
                           "messages cannot be made here", "a map is written {\"key\": value}");
}

static struct rf_node *parse_postfix(struct rf_parser *parser, struct rf_node *node)
{
    while (node != NULL) {
        if (at(parser, RF_TOKEN_DOT))
            node = parse_select(parser, node);
        else if (at(parser, RF_TOKEN_LEFT_BRACKET))
            node = parse_index(parser, node);
        else if (at(parser, RF_TOKEN_LEFT_BRACE))
            return parse_message(parser, node);
        else
            return node;
    }
    return NULL;
}

static struct rf_node *parse_operator_before(struct rf_parser *parser)
{
    bool negate = at(parser, RF_TOKEN_MINUS);
    uint32_t offset = parser->token.offset;
    struct rf_node *node = NULL;
    struct rf_node *operand = NULL;

    if (!advance(parser))
        return NULL;
    if (negate && parser->token.number && parser->token.value.kind != RF_VALUE_UINT) {
        node = parse_literal(parser, true);
        if (node != NULL) {
            node->size += node->offset - offset;
            node->offset = node->start = offset;
        }
        return parse_postfix(parser, node);
    }
    operand = parse_unary(parser);
    if (operand == NULL)
        return NULL;
    node = rf_parser_node(parser, RF_NODE_UNARY, offset, 1);
    node->op = negate ? RF_OP_NEGATE : RF_OP_NOT;
    node->children[0] = operand;
    return rf_parser_finish(parser, node);
}

static struct rf_node *parse_unary(struct rf_parser *parser)
{
    struct rf_node *node = NULL;

    if (!at(parser, RF_TOKEN_NOT) && !at(parser, RF_TOKEN_MINUS))
        return parse_postfix(parser, parse_primary(parser));
    if (++parser->nesting > RF_PARSE_NESTING_MAX)
        return rf_parser_fault(parser, parser->token.offset, parser->token.size,
                               "expression is nested too deeply", NULL);
    node = parse_operator_before(parser);
    parser->nesting--;
    return node;
}

/* 0: no binary operator. The higher binds the tighter. */
static int precedence(enum rf_token_kind kind, enum rf_operator *op)
{
    static const struct {
        uint8_t token, op, level;
    } table[] = {
        {RF_TOKEN_STAR, RF_OP_MULTIPLY, 3},
        {RF_TOKEN_SLASH, RF_OP_DIVIDE, 3},
        {RF_TOKEN_PERCENT, RF_OP_MODULO, 3},
        {RF_TOKEN_PLUS, RF_OP_ADD, 2},
        {RF_TOKEN_MINUS, RF_OP_SUBTRACT, 2},
        {RF_TOKEN_LESS, RF_OP_LESS, 1},
        {RF_TOKEN_LESS_EQUAL, RF_OP_LESS_EQUAL, 1},
        {RF_TOKEN_GREATER, RF_OP_GREATER, 1},
        {RF_TOKEN_GREATER_EQUAL, RF_OP_GREATER_EQUAL, 1},
        {RF_TOKEN_EQUAL, RF_OP_EQUAL, 1},
        {RF_TOKEN_NOT_EQUAL, RF_OP_NOT_EQUAL, 1},
        {RF_TOKEN_IN, RF_OP_IN, 1},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].token == kind) {
            *op = table[i].op;
            return table[i].level;
        }
    }
    return 0;
}

/* Precedence climbing; every operator here is left-associative. */
static struct rf_node *parse_binary(struct rf_parser *parser, int level)
{
    struct rf_node *left = level > 3 ? parse_unary(parser) : parse_binary(parser, level + 1);
    enum rf_operator op = RF_OP_ADD;

    if (level > 3)
        return left;
    while (left != NULL && precedence(parser->token.kind, &op) == level) {
        uint32_t offset = parser->token.offset;
        uint32_t size = parser->token.size;
        struct rf_node *right = advance(parser) ? parse_binary(parser, level + 1) : NULL;

        if (right == NULL)
            return NULL;
        left = make_binary(parser, op, offset, left, right);
        if (left != NULL)
            left->size = size;
    }
    return left;
}

/* a && b && c && d as (a && b) && (c && d): as deep as the logarithm of their number. */
static struct rf_node *balance(struct rf_parser *parser, enum rf_node_kind kind,
                               struct rf_node **items, uint32_t count)
{
    struct rf_node *node = NULL;
    uint32_t half = (count + 1) / 2;

    if (count == 1)
        return items[0];
    node = rf_parser_node(parser, kind, items[0]->start, 2);
    node->children[0] = balance(parser, kind, items, half);
    node->children[1] = balance(parser, kind, items + half, count - half);
    if (node->children[0] == NULL || node->children[1] == NULL)
        return NULL;
    return rf_parser_finish(parser, node);
}

static struct rf_node *parse_and(struct rf_parser *parser)
{
    struct list list = {0};

    for (;;) {
        struct rf_node *item = parse_binary(parser, 1);

        if (item == NULL)
            return NULL;
        list_add(parser, &list, item, false);
        if (!at(parser, RF_TOKEN_AND))
            return balance(parser, RF_NODE_AND, list.items, list.count);
        if (!advance(parser))
            return NULL;
    }
}

static struct rf_node *parse_or(struct rf_parser *parser)
{
    struct list list = {0};

    for (;;) {
        struct rf_node *item = parse_and(parser);

        if (item == NULL)
            return NULL;
        list_add(parser, &list, item, false);
        if (!at(parser, RF_TOKEN_OR))
            return balance(parser, RF_NODE_OR, list.items, list.count);
        if (!advance(parser))
            return NULL;
    }
}

static struct rf_node *parse_conditional(struct rf_parser *parser)
{
    struct rf_node *condition = parse_or(parser);
    struct rf_node *node = NULL;
    uint32_t offset = parser->token.offset;

    if (condition == NULL || !at(parser, RF_TOKEN_QUESTION))
        return condition;
    if (!advance(parser))
        return NULL;
    node = rf_parser_node(parser, RF_NODE_CONDITIONAL, offset, 3);
    node->start = condition->start;
    node->children[0] = condition;
    node->children[1] = parse_or(parser);
    if (node->children[1] == NULL || !expect(parser, RF_TOKEN_COLON, "':'"))
        return NULL;
    node->children[2] = parse_expr(parser);
    if (node->children[2] == NULL)
        return NULL;
    return rf_parser_finish(parser, node);
}

static struct rf_node *parse_expr(struct rf_parser *parser)
{
    struct rf_node *node = NULL;

    if (++parser->nesting > RF_PARSE_NESTING_MAX)
        return rf_parser_fault(parser, parser->token.offset, parser->token.size,
                               "expression is nested too deeply", NULL);
    node = parse_conditional(parser);
    parser->nesting--;
    return node;
}

struct rf_node *rf_parse(struct rf_arena *arena, struct rf_bytes text, uint64_t *fingerprint,
                         struct rf_expr_faults *faults)
{
    struct rf_parser parser = {.arena = arena, .faults = faults};
    struct rf_node *root = NULL;

    rf_lexer_init(&parser.lexer, arena, text);
    parser.next.kind = RF_TOKEN_DOT; /* anything but the end: two steps fill both tokens */
    for (int i = 0; i < 2; i++) {
        if (!advance(&parser))
            return NULL;
    }
    root = parse_expr(&parser);
    if (root != NULL && !at(&parser, RF_TOKEN_END))
        root = unexpected(&parser, "an operator or the end");
    *fingerprint = parser.fingerprint;
    rf_assert((root == NULL) == (faults->count > 0));
    return root;
}
