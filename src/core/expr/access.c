/* Fields, keys, indexes; plain, optional and as a question (has). */
#include "core/base/assert.h"
#include "core/expr/program.h"
#include "core/expr/types.h"

RF_DECLARE_INSTRUCTION(field)
{
    const struct rf_value *operand = rf_operand_at(machine, instruction->left);

    if (operand->kind == RF_VALUE_RECORD && operand->as.record->type == instruction->data)
        machine->slots[instruction->to] = operand->as.record->fields[instruction->extra];
    else
        machine->slots[instruction->to] = rf_access(
            &machine->eval, *operand, rf_operand(machine, instruction->right), RF_ACCESS_FIELD);
    return instruction + 1;
}

struct rf_value rf_eval_optional(struct rf_eval *eval, struct rf_value value)
{
    struct rf_value *copy = rf_eval_alloc(eval, sizeof *copy);

    if (copy == NULL)
        return rf_eval_exhausted(eval);
    *copy = value;
    return (struct rf_value){.kind = RF_VALUE_OPTIONAL, .as.optional = copy};
}

static const struct rf_value *find_field(const struct rf_record *record, struct rf_value name)
{
    for (size_t i = 0; name.kind == RF_VALUE_STRING && i < record->type->field_count; i++) {
        if (rf_bytes_equal(name.as.text, rf_bytes_of_text(record->type->fields[i].name)))
            return &record->fields[i];
    }
    return NULL;
}

/* An index may be any number that is an integer. False: it is none. */
static bool list_index(struct rf_value key, uint64_t *index)
{
    if (key.kind == RF_VALUE_INT && key.as.integer >= 0)
        *index = (uint64_t)key.as.integer;
    else if (key.kind == RF_VALUE_UINT)
        *index = key.as.uinteger;
    else if (key.kind == RF_VALUE_DOUBLE && key.as.number >= 0 && key.as.number < 1e15 &&
             (double)(uint64_t)key.as.number == key.as.number)
        *index = (uint64_t)key.as.number;
    else
        return false;
    return true;
}

static bool is_key(struct rf_value key)
{
    return key.kind == RF_VALUE_BOOL || key.kind == RF_VALUE_INT || key.kind == RF_VALUE_UINT ||
           key.kind == RF_VALUE_DOUBLE || key.kind == RF_VALUE_STRING;
}

/* What is there under the key; NULL and *failure: an error, NULL without: nothing is. */
static const struct rf_value *look_up(struct rf_eval *eval, const struct rf_value *operand,
                                      struct rf_value key, uint32_t flags, struct rf_value *failure)
{
    uint64_t index = 0;

    if (operand->kind == RF_VALUE_MAP) {
        if (!is_key(key))
            *failure = rf_no_overload(&key, 1, "unsupported key type");
        else if (!rf_eval_spend(eval, operand->as.map->count / 4))
            *failure = rf_eval_exhausted(eval);
        else
            return rf_map_find(operand->as.map, key);
        return NULL;
    }
    if (operand->kind == RF_VALUE_RECORD)
        return find_field(operand->as.record, key);
    if (operand->kind == RF_VALUE_LIST && (flags & RF_ACCESS_FIELD) == 0) {
        if (key.kind == RF_VALUE_INT && key.as.integer < 0)
            return NULL;
        if (list_index(key, &index))
            return index < operand->as.list->count ? &operand->as.list->items[index] : NULL;
        *failure = rf_no_overload(&key, 1, "_[_]");
        return NULL;
    }
    *failure = rf_no_overload(operand, 1,
                              (flags & RF_ACCESS_FIELD) != 0 ? "a value without fields" : "_[_]");
    return NULL;
}

struct rf_value rf_access(struct rf_eval *eval, struct rf_value operand, struct rf_value key,
                          uint32_t flags)
{
    static const struct rf_value none = {.kind = RF_VALUE_OPTIONAL};
    bool optional = (flags & RF_ACCESS_OPTIONAL) != 0;
    bool test = (flags & RF_ACCESS_TEST) != 0;
    struct rf_value failure = {.kind = RF_VALUE_NULL};
    const struct rf_value *found = NULL;
    bool is_record = false;

    if (operand.kind == RF_VALUE_OPTIONAL) {
        optional = true;
        if (operand.as.optional == NULL)
            return test ? rf_value_bool(false) : none;
        operand = *operand.as.optional;
    }
    is_record = operand.kind == RF_VALUE_RECORD;
    found = look_up(eval, &operand, key, flags, &failure);
    if (rf_value_is_failure(failure))
        return failure;
    if (is_record && found != NULL && found->kind == RF_VALUE_NULL && (test || optional))
        found = NULL; /* a record has every field; one that is null is absent */
    if (test)
        return rf_value_bool(found != NULL);
    if (optional && found == NULL)
        return none;
    if (optional)
        return rf_eval_optional(eval, *found);
    if (found != NULL)
        return *found;
    return rf_failure_value(
        eval, operand.kind == RF_VALUE_LIST ? RF_FAILURE_INDEX : RF_FAILURE_NO_KEY, key);
}

RF_DECLARE_INSTRUCTION(access)
{
    struct rf_value key = rf_operand(machine, instruction->right);
    struct rf_value operand = rf_operand(machine, instruction->left);

    machine->slots[instruction->to] =
        rf_value_is_failure(operand) ? operand
                                     : rf_access(&machine->eval, operand, key, instruction->extra);
    return machine->eval.exhausted ? rf_machine_exhausted(machine) : instruction + 1;
}
