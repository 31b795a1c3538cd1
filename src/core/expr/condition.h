/* A program taken apart: the tests that a condition is made of, each a program of its own.
 *
 *     open_cases.size() > 0 && (dropped_7d >= 3 || !(call_rate > 1.0))
 *
 * is AND of a test, and of OR of a test and NOT of a test. Read by whoever wants to know when a condition will come
 * true by itself (core/engine/crossing.h), or why it does not hold (core/engine/explain.h). */
#pragma once
#include "core/expr/expr.h"

enum rf_condition_kind {
    RF_CONDITION_TEST, /* neither of the others */
    RF_CONDITION_AND,
    RF_CONDITION_OR,
    RF_CONDITION_NOT,
    RF_CONDITION_CHOICE, /* parts[0] ? parts[1] : parts[2] */
};

enum rf_comparison {
    RF_COMPARES_NOTHING,
    RF_COMPARES_EQUAL,
    RF_COMPARES_NOT_EQUAL,
    RF_COMPARES_LESS,
    RF_COMPARES_LESS_EQUAL,
    RF_COMPARES_GREATER,
    RF_COMPARES_GREATER_EQUAL,
};

struct rf_condition {
    enum rf_condition_kind kind;
    struct rf_bytes text;       /* as it is written */
    const struct rf_expr *test; /* of every kind: the truth of this part alone */
    size_t part_count;          /* not of TEST; AND and OR have as many as are joined */
    const struct rf_condition *parts;
    enum rf_comparison comparison; /* TEST: left and right are set where it compares two values */
    const struct rf_expr *left, *right;
};

/* Made in `arena`, which has to live as long as the arena of `expr`. NULL: `expr` is no condition (its type is not
 * bool), or too deep to be taken apart. */
const struct rf_condition *rf_condition_of(struct rf_arena *arena, const struct rf_expr *expr);

/* A comparison somewhere inside a program. `x in [a, b]` is two: x == a and x == b. */
struct rf_inner_comparison {
    const struct rf_expr *test; /* its truth; NULL: EQUAL to one of a list */
    enum rf_comparison comparison;
    const struct rf_expr *left, *right;
};

/* Those that can be asked by themselves: not the ones that read a macro's variables. The program itself comes first
 * where it is one. Into `found`, which has room for `max`: what there are more is left out. Returns how many. */
size_t rf_condition_inner(struct rf_arena *arena, const struct rf_expr *expr,
                          struct rf_inner_comparison *found, size_t max);

/* True where the program is nothing but a variable. */
bool rf_expr_is_variable(const struct rf_expr *expr, uint32_t *variable);

/* True where the program is a call of that function: its arguments, each a program, are put into `arguments`. */
bool rf_expr_is_call(struct rf_arena *arena, const struct rf_expr *expr, const char *name,
                     const struct rf_expr **arguments, size_t argument_count);
