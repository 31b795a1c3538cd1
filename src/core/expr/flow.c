/* Moves, jumps, logic and calls. */
#include "core/base/assert.h"
#include "core/expr/program.h"
#include "core/expr/regex.h"

const struct rf_instruction *rf_machine_exhausted(struct rf_machine *machine)
{
    *machine->result = rf_eval_exhausted(&machine->eval);
    return NULL;
}

RF_DECLARE_INSTRUCTION(move)
{
    machine->slots[instruction->to] = rf_operand(machine, instruction->left);
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(jump)
{
    (void)machine;
    return instruction + instruction->jump;
}

static bool is_bool(const struct rf_value *value, bool wanted)
{
    return value->kind == RF_VALUE_BOOL && value->as.boolean == wanted;
}

RF_DECLARE_INSTRUCTION(jump_if_false)
{
    if (is_bool(&machine->slots[instruction->to], false))
        return instruction + instruction->jump;
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(jump_if_true)
{
    if (is_bool(&machine->slots[instruction->to], true))
        return instruction + instruction->jump;
    return instruction + 1;
}

/* The left operand, in `to`, did not decide, so the right one does where both are bools. What is left: a failure
 * loses against a decision. */
static struct rf_value logic(const struct rf_value *left, const struct rf_value *right,
                             bool decisive, const char *what)
{
    struct rf_value operands[2] = {*left, *right};

    if (is_bool(right, decisive))
        return *right;
    return rf_no_overload(operands, 2, what);
}

RF_DECLARE_INSTRUCTION(and)
{
    struct rf_value *slot = &machine->slots[instruction->to];
    const struct rf_value *right = rf_operand_at(machine, instruction->right);

    if (slot->kind == RF_VALUE_BOOL && right->kind == RF_VALUE_BOOL)
        slot->as.boolean = right->as.boolean;
    else
        *slot = logic(slot, right, false, "_&&_");
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(or)
{
    struct rf_value *slot = &machine->slots[instruction->to];
    const struct rf_value *right = rf_operand_at(machine, instruction->right);

    if (slot->kind == RF_VALUE_BOOL && right->kind == RF_VALUE_BOOL)
        slot->as.boolean = right->as.boolean;
    else
        *slot = logic(slot, right, true, "_||_");
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(choose)
{
    const struct rf_value *condition = rf_operand_at(machine, instruction->left);

    if (condition->kind != RF_VALUE_BOOL) {
        machine->slots[instruction->to] = rf_no_overload(condition, 1, "_?_:_");
        return instruction + instruction->other;
    }
    return instruction + (condition->as.boolean ? 1 : instruction->jump);
}

static bool fits(const struct rf_candidate *candidate, const struct rf_value *arguments,
                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (arguments[i].kind > RF_VALUE_OPTIONAL ||
            (candidate->kinds[i] >> arguments[i].kind & 1) == 0)
            return false;
    }
    return true;
}

static struct rf_value call(struct rf_eval *eval, const struct rf_candidates *candidates,
                            const struct rf_value *arguments)
{
    for (uint32_t i = 0; i < candidates->count; i++) {
        if (fits(&candidates->items[i], arguments, candidates->argument_count))
            return candidates->items[i].overload->run(eval, arguments);
    }
    for (uint32_t i = 0; i < candidates->argument_count; i++) {
        if (rf_value_is_failure(arguments[i]))
            return arguments[i];
    }
    return rf_failure_bytes(RF_FAILURE_NO_OVERLOAD, candidates->name);
}

RF_DECLARE_INSTRUCTION(call)
{
    struct rf_value *slots = machine->slots;

    rf_assert_slow(instruction->left == instruction->to);
    slots[instruction->to] = call(&machine->eval, instruction->data, &slots[instruction->left]);
    return machine->eval.exhausted ? rf_machine_exhausted(machine) : instruction + 1;
}

RF_DECLARE_INSTRUCTION(matches)
{
    struct rf_value text = rf_operand(machine, instruction->left);

    if (text.kind == RF_VALUE_STRING)
        text = rf_regex_match(&machine->eval, instruction->data, text.as.text);
    else
        text = rf_no_overload(&text, 1, "matches");
    machine->slots[instruction->to] = text;
    return machine->eval.exhausted ? rf_machine_exhausted(machine) : instruction + 1;
}

RF_DECLARE_INSTRUCTION(fail)
{
    const struct rf_value *failure = instruction->data;

    rf_assert(rf_value_is_failure(*failure));
    machine->slots[instruction->to] = *failure;
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(finish)
{
    const struct rf_value *value = rf_operand_at(machine, instruction->left);

    if (!rf_value_is_failure(*value) && (instruction->extra >> value->kind & 1) == 0)
        *machine->result =
            rf_failure(RF_FAILURE_ARGUMENT, "the result is not of the type that is needed");
    else if (value->kind == RF_VALUE_BOOL)
        rf_put_bool(machine->result, value->as.boolean);
    else
        *machine->result = *value;
    return NULL;
}
