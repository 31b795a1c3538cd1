#include "core/expr/expr.h"

#include "core/base/assert.h"
#include "core/expr/checker.h"
#include "core/expr/failure.h"
#include "core/expr/parser.h"
#include "core/expr/program.h"

#define SCRATCH_USED_MAX_DEFAULT ((size_t)1024 * 1024)

static bool fault_at_start(struct rf_expr_faults *faults, const char *message, const char *hint)
{
    rf_faults_add(faults,
                  (struct rf_expr_fault){
                      .stage = RF_EXPR_AT_PARSE, .size = 1, .message = message, .hint = hint});
    return false;
}

bool rf_expr_compile(struct rf_arena *arena, const struct rf_expr_env *env, struct rf_bytes text,
                     const struct rf_type *want, const struct rf_expr **expr,
                     struct rf_expr_faults *faults)
{
    struct rf_expr *made = rf_arena_alloc_zero(arena, sizeof *made);
    struct rf_checker checker = {.arena = arena,
                                 .env = env,
                                 .text = text,
                                 .faults = faults,
                                 .lenient = env->undeclared_is_dyn};
    struct rf_node *root = NULL;

    *expr = NULL;
    faults->count = 0;
    if (text.size > RF_EXPR_TEXT_MAX)
        return fault_at_start(faults, "expression is too long", NULL);
    if (!rf_bytes_is_utf8(text))
        return fault_at_start(faults, "expression is not UTF-8", NULL);
    /* texts in the tree point into the source */
    checker.text = rf_arena_copy(arena, text);
    root = rf_parse(arena, checker.text, &made->fingerprint, faults);
    if (root == NULL || !rf_check(&checker, root, want))
        return false;
    made->root = root;
    made->text = checker.text;
    made->type = root->type;
    made->zones = env->zones;
    made->cost_max = env->cost_max == 0 ? RF_EXPR_COST_MAX_DEFAULT : env->cost_max;
    rf_fold(arena, env, root);
    if (!rf_program_build(arena, root, want, made))
        return fault_at_start(faults, "expression is nested too deeply", NULL);
    rf_reads_collect(arena, root, made);
    *expr = made;
    return true;
}

const struct rf_type *rf_expr_type(const struct rf_expr *expr)
{
    return expr->type;
}

const struct rf_expr_read *rf_expr_reads(const struct rf_expr *expr, size_t *count)
{
    *count = expr->read_count;
    return expr->reads;
}

uint64_t rf_expr_fingerprint(const struct rf_expr *expr)
{
    return expr->fingerprint;
}

bool rf_expr_constant(const struct rf_expr *expr, struct rf_value *value)
{
    const struct rf_instruction *last = &expr->code[expr->code_count - 1];

    rf_assert(last->run == rf_run_finish);
    if (expr->code_count != 1 || last->left >> RF_OPERAND_SHIFT != RF_BANK_CONSTANT)
        return false;
    *value = expr->constants[0];
    return (last->extra >> value->kind & 1) != 0;
}

static bool run(const struct rf_expr *expr, struct rf_machine *machine, struct rf_error *err)
{
    const struct rf_instruction *instruction = expr->code;

    if (!rf_eval_spend(&machine->eval, expr->code_count))
        instruction = rf_machine_exhausted(machine);
    while (instruction != NULL)
        instruction = instruction->run(machine, instruction);
    if (!rf_value_is_failure(*machine->result))
        return true;
    rf_failure_report(*machine->result, err);
    return false;
}

/* Slots are not zeroed: each is written before it is read. And few rules need more than a few: a large frame has
 * all its pages touched (-fstack-clash-protection), which would cost more than such a rule. */
#define FEW_SLOTS 16

static __attribute__((noinline)) bool run_with_few(const struct rf_expr *expr,
                                                   struct rf_machine *machine, struct rf_error *err)
{
    __attribute__((uninitialized)) struct rf_value slots[FEW_SLOTS];

    machine->slots = slots;
    machine->banks[RF_BANK_SLOT] = slots;
    return run(expr, machine, err);
}

static __attribute__((noinline)) bool run_with_many(const struct rf_expr *expr,
                                                    struct rf_machine *machine,
                                                    struct rf_error *err)
{
    __attribute__((uninitialized)) struct rf_value slots[RF_SLOTS_MAX];

    machine->slots = slots;
    machine->banks[RF_BANK_SLOT] = slots;
    return run(expr, machine, err);
}

bool rf_expr_eval(const struct rf_expr *expr, const struct rf_value *variables,
                  struct rf_expr_scratch *scratch, struct rf_value *result, struct rf_error *err)
{
    struct rf_machine machine = {
        .eval = {.arena = scratch->arena,
                 .zones = expr->zones,
                 .cost_left = expr->cost_max,
                 .memory_left = scratch->arena_used_max != 0 ? scratch->arena_used_max
                                                             : SCRATCH_USED_MAX_DEFAULT},
        .banks = {[RF_BANK_CONSTANT] = expr->constants, [RF_BANK_VARIABLE] = variables},
        .result = result,
    };

    rf_assert(expr->slot_count <= RF_SLOTS_MAX);
    if (expr->slot_count <= FEW_SLOTS)
        return run_with_few(expr, &machine, err);
    return run_with_many(expr, &machine, err);
}
