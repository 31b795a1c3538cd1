/* Tokens to a syntax tree, macros included. Nesting is bounded here, so that everything behind it may
 * recurse. The parser stops at its first fault. */
#pragma once
#include "core/base/arena.h"
#include "core/expr/ast.h"
#include "core/expr/expr.h"
#include "core/expr/lexer.h"

#define RF_PARSE_NESTING_MAX 250 /* brackets, calls and operators to the right */
#define RF_PARSE_DEPTH_MAX                                                                         \
    1500 /* of the tree: operators to the left make it deep without nesting */

struct rf_parser {
    struct rf_arena *arena;
    struct rf_lexer lexer;
    struct rf_token token; /* the one to be looked at */
    struct rf_token next;  /* the one behind it */
    size_t token_end;      /* where the last one taken ended */
    uint32_t nesting;
    uint64_t fingerprint;
    struct rf_expr_faults *faults;
};

/* The root, or NULL and a fault. */
struct rf_node *rf_parse(struct rf_arena *arena, struct rf_bytes text, uint64_t *fingerprint,
                         struct rf_expr_faults *faults);

/* For macros.c. */
struct rf_node *rf_parser_node(struct rf_parser *parser, enum rf_node_kind kind, uint32_t offset,
                               uint32_t child_count);
/* To be called when the children are set: the tree's depth, bounded. */
struct rf_node *rf_parser_finish(struct rf_parser *parser, struct rf_node *node);
/* Returns NULL, so that a caller can return it. */
struct rf_node *rf_parser_fault(struct rf_parser *parser, size_t offset, size_t size,
                                const char *message, const char *hint);

/* A call that names a macro becomes the macro's node; any other is returned as it is; NULL: a fault. */
struct rf_node *rf_macro_expand(struct rf_parser *parser, struct rf_node *call);

/* Adds a fault to a list that keeps the first ones; `message` and `hint` have to be in the arena. */
void rf_faults_add(struct rf_expr_faults *faults, struct rf_expr_fault fault);
