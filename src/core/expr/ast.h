/* The syntax tree of an expression: made by the parser, annotated by the checker, read by the emitter.
 *
 * Every node lives in the compile arena. Macros are nodes of their own and not unfolded into general
 * folds: `all` knows that it needs no list, `map` knows how long its list will be. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/expr/type.h"
#include "core/expr/value.h"

enum rf_node_kind {
    RF_NODE_LITERAL,     /* literal */
    RF_NODE_IDENT,       /* name */
    RF_NODE_SELECT,      /* children[0].name */
    RF_NODE_UNARY,       /* op children[0] */
    RF_NODE_BINARY,      /* children[0] op children[1]; also the two kinds of index */
    RF_NODE_AND,         /* children[0] && children[1] */
    RF_NODE_OR,          /* children[0] || children[1] */
    RF_NODE_CONDITIONAL, /* children[0] ? children[1] : children[2] */
    RF_NODE_CALL,        /* name(children...), or children[0].name(children[1]...) where `member` */
    RF_NODE_LIST,        /* [children...] */
    RF_NODE_MAP,         /* {children[0]: children[1], ...} */
    RF_NODE_MACRO,       /* children[0]: range; [1]: body; [2]: condition, where there is one */
};

enum rf_operator {
    RF_OP_ADD,
    RF_OP_SUBTRACT,
    RF_OP_MULTIPLY,
    RF_OP_DIVIDE,
    RF_OP_MODULO,
    RF_OP_EQUAL,
    RF_OP_NOT_EQUAL,
    RF_OP_LESS,
    RF_OP_LESS_EQUAL,
    RF_OP_GREATER,
    RF_OP_GREATER_EQUAL,
    RF_OP_IN,
    RF_OP_INDEX,
    RF_OP_OPTIONAL_INDEX,
    RF_OP_NOT,
    RF_OP_NEGATE,
};

enum rf_macro {
    RF_MACRO_ALL,
    RF_MACRO_EXISTS,
    RF_MACRO_EXISTS_ONE,
    RF_MACRO_MAP, /* also filter and transformList: with a condition, a body, or both */
    RF_MACRO_TRANSFORM_MAP,
    RF_MACRO_TRANSFORM_MAP_ENTRY,
    RF_MACRO_SORT_BY,
    RF_MACRO_BIND,
    RF_MACRO_OPTIONAL_MAP,
    RF_MACRO_OPTIONAL_FLAT_MAP,
};

enum rf_resolved {
    RF_RESOLVED_NOT,      /* the checker has not been here, or it is not a name */
    RF_RESOLVED_VARIABLE, /* index: of the environment */
    RF_RESOLVED_LOCAL,    /* local */
    RF_RESOLVED_FIELD,    /* index: of the operand's record type */
    RF_RESOLVED_MISSING,  /* unknown: an error where it is evaluated (lenient compiling only) */
};

/* A variable of a macro. */
struct rf_local {
    struct rf_bytes name;
    const struct rf_type *type;
    uint32_t operand; /* where its value is (program.h), once the emitter has been there */
};

struct rf_node {
    enum rf_node_kind kind;
    uint8_t op;       /* enum rf_operator */
    uint8_t macro;    /* enum rf_macro */
    uint8_t resolved; /* enum rf_resolved */
    bool test;        /* SELECT: has(...) */
    bool optional;    /* SELECT: .? */
    bool absolute;    /* IDENT, CALL: with a leading dot */
    bool member;      /* CALL */
    bool escaped;     /* SELECT: the field was `quoted` */
    uint32_t offset;  /* of what a message about this node points at */
    uint32_t size;
    uint32_t start; /* of its first byte: a chain a.b.c points at c but starts at a */
    uint32_t end;   /* behind its last byte, brackets around it left out */
    uint32_t depth; /* 1 + the deepest child's */
    uint32_t index; /* see enum rf_resolved */
    uint32_t
        uses; /* fold.c: the outermost macro whose variables it uses; constants.c, before it: is it one */
    uint32_t child_count;
    struct rf_node **children;
    const bool *optional_items; /* LIST: per child, MAP: per pair; NULL: none is */
    struct rf_bytes name;
    struct rf_value literal;
    struct rf_local *locals[2]; /* MACRO declares them; IDENT: locals[0] is what it means */
    const struct rf_type *type; /* never NULL after the checker */
    const struct rf_candidates *candidates; /* CALL */
};
