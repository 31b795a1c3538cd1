/* Flat code: what a checked tree becomes, and what eval.c runs.
 *
 * A register machine. An operand names a bank (constants, variables of the environment, slots of the
 * evaluation's own stack) and an index, so a constant or a variable is never copied to be compared. How many
 * slots an expression needs is known when the code is made; the stack has a fixed size. Code only ever jumps
 * forward, except at the end of a loop's body, where the cost is counted. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/expr/ast.h"
#include "core/expr/expr.h"
#include "core/expr/function.h"

#define RF_SLOTS_MAX 1024

enum rf_bank {
    RF_BANK_SLOT,
    RF_BANK_CONSTANT,
    RF_BANK_VARIABLE,
    RF_BANK_COUNT,
};

#define RF_OPERAND_SHIFT 28 /* bank above, index below */

struct rf_machine {
    struct rf_eval eval;
    const struct rf_value *banks[RF_BANK_COUNT];
    struct rf_value *slots;
    struct rf_value *result;
};

/* Flags of RF_SELECT and RF_INDEX instructions, in `extra`. */
#define RF_ACCESS_TEST     1u
#define RF_ACCESS_OPTIONAL 2u
#define RF_ACCESS_FIELD    4u /* by name: a list has none, and a record has no other */

struct rf_instruction {
    /* Does its work and returns the instruction to go on with; NULL at the end. */
    const struct rf_instruction *(*run)(struct rf_machine *machine,
                                        const struct rf_instruction *instruction);
    uint32_t to;    /* slot */
    uint32_t left;  /* operand */
    uint32_t right; /* operand */
    uint32_t extra; /* a count, flags, a field's index */
    int32_t jump;   /* instructions from this one */
    int32_t other;  /* a second jump, or a cost */
    const void *data;
};

struct rf_expr {
    const struct rf_instruction *code;
    uint32_t code_count;
    uint32_t slot_count;
    const struct rf_value *constants;
    const struct rf_type *type;
    const struct rf_zones *zones;
    uint64_t cost_max;
    uint64_t fingerprint;
    size_t read_count;
    const struct rf_expr_read *reads;
    const struct rf_node *root; /* checked and folded */
    struct rf_bytes text;       /* what it was compiled from */
};

/* Emits code for `root`; `want` is checked at run time where the checker could not. False: it needs too many
 * slots; `expr` is then unusable. */
bool rf_program_build(struct rf_arena *arena, const struct rf_node *root,
                      const struct rf_type *want, struct rf_expr *expr);

/* fold.c: replaces what does not depend on variables by its value. */
void rf_fold(struct rf_arena *arena, const struct rf_expr_env *env, struct rf_node *root);
/* What reads no variable, within the bounds of what is evaluated beforehand. Errors: RECORD. */
bool rf_constant_evaluate(struct rf_arena *arena, const struct rf_expr_env *env,
                          const struct rf_node *node, struct rf_value *value, struct rf_error *err);
void rf_node_become(struct rf_node *node, struct rf_value value); /* a literal */
/* reads.c */
void rf_reads_collect(struct rf_arena *arena, const struct rf_node *root, struct rf_expr *expr);

#define RF_DECLARE_INSTRUCTION(name)                                                               \
    const struct rf_instruction *rf_run_##name(struct rf_machine *machine,                         \
                                               const struct rf_instruction *instruction)

/* operators.c */
RF_DECLARE_INSTRUCTION(add);
RF_DECLARE_INSTRUCTION(subtract);
RF_DECLARE_INSTRUCTION(multiply);
RF_DECLARE_INSTRUCTION(divide);
RF_DECLARE_INSTRUCTION(modulo);
RF_DECLARE_INSTRUCTION(negate);
RF_DECLARE_INSTRUCTION(invert);
RF_DECLARE_INSTRUCTION(equal);
RF_DECLARE_INSTRUCTION(not_equal);
RF_DECLARE_INSTRUCTION(less);
RF_DECLARE_INSTRUCTION(less_equal);
RF_DECLARE_INSTRUCTION(greater);
RF_DECLARE_INSTRUCTION(greater_equal);
RF_DECLARE_INSTRUCTION(in);

/* access.c: fields, keys and indexes */
RF_DECLARE_INSTRUCTION(field);  /* of a record whose type is known: extra is its index */
RF_DECLARE_INSTRUCTION(access); /* left[right], left.name */

/* flow.c */
RF_DECLARE_INSTRUCTION(move);
RF_DECLARE_INSTRUCTION(jump);
RF_DECLARE_INSTRUCTION(jump_if_false); /* slot `to` is false: the && is decided */
RF_DECLARE_INSTRUCTION(jump_if_true);
RF_DECLARE_INSTRUCTION(and);
RF_DECLARE_INSTRUCTION(or);
RF_DECLARE_INSTRUCTION(choose); /* left: go on, go to `jump`, or fail and go to `other` */
RF_DECLARE_INSTRUCTION(call);
RF_DECLARE_INSTRUCTION(matches); /* with a pattern compiled beforehand, in `data` */
RF_DECLARE_INSTRUCTION(fail);    /* data: struct rf_value, the failure */
RF_DECLARE_INSTRUCTION(finish);  /* extra: the kinds allowed */

/* aggregates.c: lists, maps, loops, optionals */
RF_DECLARE_INSTRUCTION(list_begin);
RF_DECLARE_INSTRUCTION(list_add);
RF_DECLARE_INSTRUCTION(map_begin);
RF_DECLARE_INSTRUCTION(map_add);
RF_DECLARE_INSTRUCTION(loop_begin);
RF_DECLARE_INSTRUCTION(loop_next);
RF_DECLARE_INSTRUCTION(step_all);
RF_DECLARE_INSTRUCTION(step_exists);
RF_DECLARE_INSTRUCTION(step_exists_one);
RF_DECLARE_INSTRUCTION(step_condition);
RF_DECLARE_INSTRUCTION(step_map);
RF_DECLARE_INSTRUCTION(step_map_value);
RF_DECLARE_INSTRUCTION(step_map_entry);
RF_DECLARE_INSTRUCTION(end_exists_one);
RF_DECLARE_INSTRUCTION(sort_by);
RF_DECLARE_INSTRUCTION(optional_open);
RF_DECLARE_INSTRUCTION(optional_wrap);
RF_DECLARE_INSTRUCTION(optional_or); /* a.or(b), a.orValue(b): b only where a has none */
RF_DECLARE_INSTRUCTION(optional_check);

/* The slots of a loop, from its first one on. */
#define RF_LOOP_RESULT 0
#define RF_LOOP_RANGE  1
#define RF_LOOP_INDEX  2
#define RF_LOOP_LOCALS 3
#define RF_LOOP_SLOTS  5

static inline struct rf_value rf_operand(const struct rf_machine *machine, uint32_t operand)
{
    return machine
        ->banks[operand >> RF_OPERAND_SHIFT][operand & ((UINT32_C(1) << RF_OPERAND_SHIFT) - 1)];
}

/* A result is written member by member: putting a value together and copying it whole would wait for the narrow
 * stores before the wide load (it is half the time of a rule). */
static inline void rf_put_bool(struct rf_value *slot, bool boolean)
{
    slot->kind = RF_VALUE_BOOL;
    slot->as.boolean = boolean;
}

static inline void rf_put_int(struct rf_value *slot, int64_t integer)
{
    slot->kind = RF_VALUE_INT;
    slot->as.integer = integer;
}

static inline void rf_put_double(struct rf_value *slot, double number)
{
    slot->kind = RF_VALUE_DOUBLE;
    slot->as.number = number;
}

static inline const struct rf_value *rf_operand_at(const struct rf_machine *machine,
                                                   uint32_t operand)
{
    return &machine->banks[operand >> RF_OPERAND_SHIFT]
                          [operand & ((UINT32_C(1) << RF_OPERAND_SHIFT) - 1)];
}

/* Normalised, and a failure where out of range (years 1 to 9999; 292 years). */
struct rf_value rf_duration_checked(int64_t seconds, int64_t nanoseconds);
struct rf_value rf_timestamp_checked(int64_t seconds, int64_t nanoseconds);
/* Budget used up: stops everything. */
const struct rf_instruction *rf_machine_exhausted(struct rf_machine *machine);
/* The failure among the operands, else "no such overload". */
struct rf_value rf_no_overload(const struct rf_value *operands, size_t count, const char *what);
/* A key or index of a value; see RF_ACCESS_*. */
struct rf_value rf_access(struct rf_eval *eval, struct rf_value operand, struct rf_value key,
                          uint32_t flags);
struct rf_value rf_eval_optional(struct rf_eval *eval, struct rf_value value);
