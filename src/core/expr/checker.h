/* Gives every node its type, every name its meaning, and finds what cannot work.
 *
 * checker.c walks the tree; names.c resolves names, fields and functions; nulls.c knows where a nullable
 * value and a key have been tested; constants.c looks at what is written down. Faults are gathered, not only the first one reported.
 *
 * Lenient compiling (`eval`, where nothing is declared) keeps what is found as a warning: the faulty node
 * becomes dyn, and fails only if it is evaluated and its value is needed. */
#pragma once
#include "core/expr/ast.h"
#include "core/expr/expr.h"
#include "core/expr/functions.h"
#include "core/expr/parser.h"
#include "core/expr/types.h"

struct rf_scope {
    struct rf_local *local;
    const struct rf_scope *outer;
};

/* `path` (a variable, or fields and items of one) is known to be there, and not to be null. */
struct rf_fact {
    const struct rf_node *path;
    bool may_be_null; /* only that it is there: the key of a map */
    const struct rf_fact *outer;
};

struct rf_checker {
    struct rf_arena *arena;
    const struct rf_expr_env *env;
    struct rf_bytes text;
    struct rf_expr_faults *faults;
    const struct rf_scope *scope;
    const struct rf_fact *facts;
    bool lenient;
};

/* False: there are faults (never when lenient). `want`: NULL for any type. */
bool rf_check(struct rf_checker *checker, struct rf_node *root, const struct rf_type *want);

/* The walk, for the other files of the checker. Never returns NULL. */
const struct rf_type *rf_check_node(struct rf_checker *checker, struct rf_node *node);
/* Records a fault about `node`; returns dyn, so that a caller can return it. */
const struct rf_type *rf_check_fault(struct rf_checker *checker, const struct rf_node *node,
                                     const char *message, const char *hint);

/* A fault where `node` reads a key of a map as if it were there, and nothing has tested that. */
void rf_check_sparse(struct rf_checker *checker, const struct rf_node *node,
                     const struct rf_type *map);

/* names.c */
const struct rf_type *rf_check_ident(struct rf_checker *checker, struct rf_node *node);
const struct rf_type *rf_check_select(struct rf_checker *checker, struct rf_node *node);
const struct rf_type *rf_check_call(struct rf_checker *checker, struct rf_node *node);

/* constants.c: faults in calls that can only fail, for what is written down in them. The tree has no others. */
void rf_check_constants(struct rf_checker *checker, struct rf_node *root);

/* nulls.c: what the truth (or falsehood) of `condition` says about nulls and keys becomes known. */
void rf_facts_learn(struct rf_checker *checker, const struct rf_node *condition, bool truth);
/* `key` is one of `map`. */
void rf_facts_learn_key(struct rf_checker *checker, struct rf_node *map, struct rf_node *key);
/* A test has said that the key is there that `node` (a field or an index) reads. */
bool rf_facts_has_key(const struct rf_checker *checker, const struct rf_node *node);
/* The type of a path, without null where a fact says so. */
const struct rf_type *rf_facts_apply(const struct rf_checker *checker, const struct rf_node *node,
                                     const struct rf_type *type);
/* A fault if `node` may be null where that cannot be; true: it may. */
bool rf_check_not_null(struct rf_checker *checker, const struct rf_node *node);
/* The same of an argument, which may also be a list that may hold null. */
void rf_check_argument_not_null(struct rf_checker *checker, const struct rf_node *node);
/* The source of a node, for messages. */
struct rf_bytes rf_check_source(const struct rf_checker *checker, const struct rf_node *node);
