/* CEL, the Common Expression Language: text to a checked program, a program to a value.
 *
 * text → lexer → parser (syntax tree, macros expanded) → checker (types, names, nulls, cost) → program
 * (flat code, constants folded) → evaluator. Compiling happens once, when a configuration is read;
 * evaluating happens per event, allocates only from the scratch and only where an expression makes
 * new text or lists, and is a function of its arguments alone.
 *
 * A compiled expression is immutable and may be evaluated by several threads, each with its own scratch. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/expr/type.h"
#include "core/expr/value.h"

/* A variable is known to the program by its index in the environment. */
struct rf_expr_variable {
    const char *name;
    const struct rf_type *type;
};

/* The time-zone database, as data from outside. Sets *offset_seconds (east of Greenwich, with daylight
 * saving) of `zone` ("Europe/Berlin") at an instant. False: there is no such zone. Must answer the same
 * for the same arguments as long as the process lives, from any thread. */
struct rf_zones {
    void *self;
    bool (*offset)(void *self, struct rf_bytes zone, int64_t seconds, int32_t *offset_seconds);
    /* Shows names of zones one by one, to find what was meant; a name is gone when `see` returns. NULL: no list. */
    void (*each)(void *self, void (*see)(void *to, struct rf_bytes name), void *to);
};

struct rf_expr_env {
    const struct rf_expr_variable *variables;
    size_t variable_count;
    const struct rf_zones *zones; /* NULL: only UTC and fixed offsets */
    uint64_t cost_max;            /* 0: RF_EXPR_COST_MAX_DEFAULT */
    bool undeclared_is_dyn;       /* `eval`: names in `variables` only, but operands may be dyn */
    bool
        constants_have_to_work; /* a call that fails for its constants is a fault, even if it may never be reached */
};

#define RF_EXPR_COST_MAX_DEFAULT UINT64_C(100000) /* steps; about a millisecond */
#define RF_EXPR_TEXT_MAX         65536            /* bytes of source */

/* A fault found while compiling. Offsets are bytes into the source text. */
struct rf_expr_fault {
    enum {
        RF_EXPR_AT_PARSE,
        RF_EXPR_AT_CHECK
    } stage;
    size_t offset;
    size_t size;         /* of the excerpt it is about; at least 1 */
    const char *message; /* in the arena, one line, lower case */
    const char *hint;    /* "did you mean ...?" or NULL */
};

struct rf_expr_faults {
    size_t count;
    struct rf_expr_fault items[16]; /* the first ones; the parser stops at its first */
};

/* What a program reads: a variable, and where that is a record the field path taken from it. */
struct rf_expr_read {
    uint32_t variable;
    uint32_t depth;       /* fields in the path; 0: the variable itself */
    const uint32_t *path; /* field indexes, outermost first */
    const char *text;     /* "event.amount", "calls_7d" */
};

struct rf_expr;

/* Compiles `text` into `arena` (which must outlive the program). `want`: the type that the result has to
 * have, NULL for any. False: `faults` says what and where. */
bool rf_expr_compile(struct rf_arena *arena, const struct rf_expr_env *env, struct rf_bytes text,
                     const struct rf_type *want, const struct rf_expr **expr,
                     struct rf_expr_faults *faults) RF_MUST_CHECK;

const struct rf_type *rf_expr_type(const struct rf_expr *expr);
const struct rf_expr_read *rf_expr_reads(const struct rf_expr *expr, size_t *count);
/* True and the value where the program is a constant. */
bool rf_expr_constant(const struct rf_expr *expr, struct rf_value *value);
/* The same for two texts that differ only in white space and comments. Part of a rule's version. */
uint64_t rf_expr_fingerprint(const struct rf_expr *expr);

/* Where an evaluation puts what it makes. The result may point into it; it is the caller who resets the
 * arena, between events or batches. */
struct rf_expr_scratch {
    struct rf_arena *arena;
    size_t arena_used_max; /* bytes that one evaluation may make; 0: 1 MiB */
};

/* `variables[i]` is the value of env->variables[i]. False: err (kind RECORD) says why, as CEL's errors do:
 * "no such key: a", "division by zero", "cost limit exceeded". */
bool rf_expr_eval(const struct rf_expr *expr, const struct rf_value *variables,
                  struct rf_expr_scratch *scratch, struct rf_value *result,
                  struct rf_error *err) RF_MUST_CHECK;

/* What kind of failure `err` of rf_expr_eval is ("no such key"), without the values that its message may name: for logs,
 * where no customer's data belongs. */
const char *rf_expr_failure_kind(const struct rf_error *err);

/* A value as a CEL literal: 1u, b"…", timestamp("…"), [1, 2], {"a": 1}. */
void rf_value_print(struct rf_buffer *out, struct rf_value value);
