/* Lists and maps being made, loops over them, optionals being opened.
 *
 * What is being made is reached through a slot that holds an ordinary list or map; only the instructions
 * that fill it see that its memory can be written. */
#include "core/base/assert.h"
#include "core/expr/program.h"

struct list_builder {
    struct rf_list list; /* first: a slot points to it */
    struct rf_value *items;
    size_t capacity;
};

struct map_builder {
    struct rf_map map; /* first */
    struct rf_value *keys;
    struct rf_value *values;
    size_t capacity;
};

static struct list_builder *list_of(struct rf_value *slot)
{
    struct list_builder *builder = NULL;

    rf_assert_slow(slot->kind == RF_VALUE_LIST);
    memcpy(&builder, &slot->as.list, sizeof builder); /* no cast takes a const away */
    return builder;
}

static struct map_builder *map_of(struct rf_value *slot)
{
    struct map_builder *builder = NULL;

    rf_assert_slow(slot->kind == RF_VALUE_MAP);
    memcpy(&builder, &slot->as.map, sizeof builder);
    return builder;
}

static bool begin_list(struct rf_eval *eval, size_t capacity, struct rf_value *slot)
{
    struct list_builder *builder = rf_eval_alloc(eval, sizeof *builder);
    struct rf_value *items = builder == NULL ? NULL : rf_eval_alloc(eval, capacity * sizeof *items);

    if (items == NULL)
        return false;
    *builder =
        (struct list_builder){.list = {.items = items}, .items = items, .capacity = capacity};
    *slot = (struct rf_value){.kind = RF_VALUE_LIST, .as.list = &builder->list};
    return true;
}

static bool begin_map(struct rf_eval *eval, size_t capacity, struct rf_value *slot)
{
    struct map_builder *builder = rf_eval_alloc(eval, sizeof *builder);
    struct rf_value *keys =
        builder == NULL ? NULL : rf_eval_alloc(eval, 2 * capacity * sizeof *keys);

    if (keys == NULL)
        return false;
    *builder = (struct map_builder){.map = {.keys = keys, .values = keys + capacity},
                                    .keys = keys,
                                    .values = keys + capacity,
                                    .capacity = capacity};
    *slot = (struct rf_value){.kind = RF_VALUE_MAP, .as.map = &builder->map};
    return true;
}

static void list_push(struct list_builder *builder, struct rf_value value)
{
    rf_assert(builder->list.count < builder->capacity);
    builder->items[builder->list.count++] = value;
}

static bool is_key(struct rf_value key)
{
    return key.kind == RF_VALUE_BOOL || key.kind == RF_VALUE_INT || key.kind == RF_VALUE_UINT ||
           key.kind == RF_VALUE_STRING;
}

/* Null, or why the entry cannot be: a failure. */
static struct rf_value map_put(struct rf_eval *eval, struct map_builder *builder,
                               struct rf_value key, struct rf_value value)
{
    if (rf_value_is_failure(key))
        return key;
    if (rf_value_is_failure(value))
        return value;
    if (!is_key(key))
        return rf_failure(RF_FAILURE_ARGUMENT, "unsupported key type");
    if (!rf_eval_spend(eval, 1 + builder->map.count / 4))
        return rf_eval_exhausted(eval);
    if (rf_map_find(&builder->map, key) != NULL)
        return rf_failure(RF_FAILURE_ARGUMENT, "a map with the same key twice");
    rf_assert(builder->map.count < builder->capacity);
    builder->keys[builder->map.count] = key;
    builder->values[builder->map.count++] = value;
    return rf_value_null();
}

/* The value of an item marked `?`: false where there is none, or *failure. */
static bool open_optional(struct rf_value *value, struct rf_value *failure)
{
    if (value->kind != RF_VALUE_OPTIONAL) {
        *failure = rf_no_overload(value, 1, "an optional item");
        return false;
    }
    if (value->as.optional == NULL)
        return false;
    *value = *value->as.optional;
    return true;
}

RF_DECLARE_INSTRUCTION(list_begin)
{
    if (!begin_list(&machine->eval, instruction->extra, &machine->slots[instruction->to]))
        return rf_machine_exhausted(machine);
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(list_add)
{
    struct rf_value *slot = &machine->slots[instruction->to];
    struct rf_value item = rf_operand(machine, instruction->left);
    struct rf_value failure = rf_value_null();

    if (rf_value_is_failure(item))
        failure = item;
    else if (instruction->extra == 0 || open_optional(&item, &failure))
        list_push(list_of(slot), item);
    if (!rf_value_is_failure(failure))
        return instruction + 1;
    *slot = failure;
    return instruction + instruction->jump;
}

RF_DECLARE_INSTRUCTION(map_begin)
{
    if (!begin_map(&machine->eval, instruction->extra, &machine->slots[instruction->to]))
        return rf_machine_exhausted(machine);
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(map_add)
{
    struct rf_value *slot = &machine->slots[instruction->to];
    struct rf_value key = rf_operand(machine, instruction->left);
    struct rf_value value = rf_operand(machine, instruction->right);
    struct rf_value failure = rf_value_null();

    if (instruction->extra == 0 || open_optional(&value, &failure))
        failure = map_put(&machine->eval, map_of(slot), key, value);
    if (machine->eval.exhausted)
        return rf_machine_exhausted(machine);
    if (!rf_value_is_failure(failure))
        return instruction + 1;
    *slot = failure;
    return instruction + instruction->jump;
}

/* Loops */

static size_t range_count(const struct rf_value *range)
{
    return range->kind == RF_VALUE_LIST ? range->as.list->count : range->as.map->count;
}

/* What a loop of this kind begins with. False: too much memory. */
static bool begin_result(struct rf_eval *eval, uint32_t macro, size_t count, struct rf_value *slot)
{
    switch ((enum rf_macro)macro) {
    case RF_MACRO_ALL:
        *slot = rf_value_bool(true);
        return true;
    case RF_MACRO_EXISTS:
        *slot = rf_value_bool(false);
        return true;
    case RF_MACRO_EXISTS_ONE:
        *slot = rf_value_int(0);
        return true;
    case RF_MACRO_TRANSFORM_MAP:
    case RF_MACRO_TRANSFORM_MAP_ENTRY:
        return begin_map(eval, count, slot);
    case RF_MACRO_MAP:
    case RF_MACRO_SORT_BY:
        return begin_list(eval, count, slot);
    case RF_MACRO_BIND:
    case RF_MACRO_OPTIONAL_MAP:
    case RF_MACRO_OPTIONAL_FLAT_MAP:
        break;
    }
    rf_assert(false && "a macro that does not loop");
    return false;
}

RF_DECLARE_INSTRUCTION(loop_begin)
{
    struct rf_value *slots = &machine->slots[instruction->to];
    struct rf_value range = rf_operand(machine, instruction->left);

    if (range.kind != RF_VALUE_LIST &&
        (range.kind != RF_VALUE_MAP || instruction->extra == RF_MACRO_SORT_BY)) {
        slots[RF_LOOP_RESULT] = rf_no_overload(&range, 1, "a range that is no list or map");
        return instruction + instruction->jump;
    }
    slots[RF_LOOP_RANGE] = range;
    slots[RF_LOOP_INDEX] = rf_value_int(0);
    if (!begin_result(&machine->eval, instruction->extra, range_count(&range),
                      &slots[RF_LOOP_RESULT]))
        return rf_machine_exhausted(machine);
    return instruction + 1;
}

/* extra: there are two variables; other: what a turn costs at most, loops inside not counted. */
RF_DECLARE_INSTRUCTION(loop_next)
{
    struct rf_value *slots = &machine->slots[instruction->to];
    const struct rf_value *range = &slots[RF_LOOP_RANGE];
    size_t index = (size_t)slots[RF_LOOP_INDEX].as.integer;
    bool two = instruction->extra != 0;

    if (index == range_count(range))
        return instruction + instruction->jump;
    if (!rf_eval_spend(&machine->eval, (uint64_t)instruction->other))
        return rf_machine_exhausted(machine);
    if (range->kind == RF_VALUE_LIST) {
        slots[RF_LOOP_LOCALS] = two ? rf_value_int((int64_t)index) : range->as.list->items[index];
        slots[RF_LOOP_LOCALS + 1] = range->as.list->items[index];
    } else {
        slots[RF_LOOP_LOCALS] = range->as.map->keys[index];
        slots[RF_LOOP_LOCALS + 1] = range->as.map->values[index];
    }
    slots[RF_LOOP_INDEX].as.integer++;
    return instruction + 1;
}

/* all and exists: a decision ends the loop, a failure is kept in case that none comes. */
static const struct rf_instruction *step_logic(struct rf_machine *machine,
                                               const struct rf_instruction *instruction,
                                               bool decisive)
{
    struct rf_value *result = &machine->slots[instruction->to + RF_LOOP_RESULT];
    struct rf_value value = rf_operand(machine, instruction->left);

    if (value.kind != RF_VALUE_BOOL) {
        if (result->kind == RF_VALUE_BOOL)
            *result = rf_no_overload(&value, 1, decisive ? "_||_" : "_&&_");
        return instruction + instruction->other;
    }
    if (value.as.boolean != decisive)
        return instruction + instruction->other;
    *result = value;
    return instruction + instruction->jump;
}

RF_DECLARE_INSTRUCTION(step_all)
{
    return step_logic(machine, instruction, false);
}

RF_DECLARE_INSTRUCTION(step_exists)
{
    return step_logic(machine, instruction, true);
}

RF_DECLARE_INSTRUCTION(step_exists_one)
{
    struct rf_value *result = &machine->slots[instruction->to + RF_LOOP_RESULT];
    struct rf_value value = rf_operand(machine, instruction->left);

    if (value.kind != RF_VALUE_BOOL) {
        *result = rf_no_overload(&value, 1, "_?_:_");
        return instruction + instruction->jump;
    }
    result->as.integer += value.as.boolean;
    return instruction + instruction->other;
}

RF_DECLARE_INSTRUCTION(end_exists_one)
{
    struct rf_value *result = &machine->slots[instruction->to + RF_LOOP_RESULT];

    if (result->kind == RF_VALUE_INT)
        *result = rf_value_bool(result->as.integer == 1);
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(step_condition)
{
    const struct rf_value *condition = rf_operand_at(machine, instruction->left);

    if (condition->kind == RF_VALUE_BOOL)
        return instruction + (condition->as.boolean ? 1 : instruction->other);
    machine->slots[instruction->to + RF_LOOP_RESULT] = rf_no_overload(condition, 1, "_?_:_");
    return instruction + instruction->jump;
}

RF_DECLARE_INSTRUCTION(step_map)
{
    struct rf_value *result = &machine->slots[instruction->to + RF_LOOP_RESULT];
    struct rf_value value = rf_operand(machine, instruction->left);

    if (!rf_value_is_failure(value)) {
        list_push(list_of(result), value);
        return instruction + instruction->other;
    }
    *result = value;
    return instruction + instruction->jump;
}

static const struct rf_instruction *step_entry(struct rf_machine *machine,
                                               const struct rf_instruction *instruction,
                                               struct rf_value key, struct rf_value value)
{
    struct rf_value *result = &machine->slots[instruction->to + RF_LOOP_RESULT];
    struct rf_value failure = map_put(&machine->eval, map_of(result), key, value);

    if (machine->eval.exhausted)
        return rf_machine_exhausted(machine);
    if (!rf_value_is_failure(failure))
        return instruction + instruction->other;
    *result = failure;
    return instruction + instruction->jump;
}

/* The key of an entry is the first variable: of a map its key, of a list its index. */
RF_DECLARE_INSTRUCTION(step_map_value)
{
    return step_entry(machine, instruction, machine->slots[instruction->to + RF_LOOP_LOCALS],
                      rf_operand(machine, instruction->left));
}

RF_DECLARE_INSTRUCTION(step_map_entry)
{
    struct rf_value value = rf_operand(machine, instruction->left);

    if (value.kind == RF_VALUE_MAP && value.as.map->count == 1)
        return step_entry(machine, instruction, value.as.map->keys[0], value.as.map->values[0]);
    machine->slots[instruction->to + RF_LOOP_RESULT] =
        rf_no_overload(&value, 1, "transformMapEntry: the body is no map of one entry");
    return instruction + instruction->jump;
}

/* The result slot holds the keys, the range slot what is to be sorted by them. */
RF_DECLARE_INSTRUCTION(sort_by)
{
    struct rf_value *slots = &machine->slots[instruction->to];

    if (slots[RF_LOOP_RESULT].kind == RF_VALUE_LIST)
        slots[RF_LOOP_RESULT] = rf_list_sorted(&machine->eval, slots[RF_LOOP_RANGE].as.list,
                                               slots[RF_LOOP_RESULT].as.list);
    return machine->eval.exhausted ? rf_machine_exhausted(machine) : instruction + 1;
}

/* Optionals */

RF_DECLARE_INSTRUCTION(optional_open)
{
    struct rf_value *slots = &machine->slots[instruction->to];
    struct rf_value value = rf_operand(machine, instruction->left);

    if (value.kind == RF_VALUE_OPTIONAL && value.as.optional != NULL) {
        slots[1] = *value.as.optional;
        return instruction + 1;
    }
    slots[0] = value.kind == RF_VALUE_OPTIONAL ? value : rf_no_overload(&value, 1, "optMap");
    return instruction + instruction->jump;
}

/* extra: the body has made an optional itself. */
RF_DECLARE_INSTRUCTION(optional_wrap)
{
    struct rf_value value = rf_operand(machine, instruction->left);

    if (instruction->extra != 0 && value.kind != RF_VALUE_OPTIONAL)
        value = rf_no_overload(&value, 1, "optFlatMap");
    else if (instruction->extra == 0 && !rf_value_is_failure(value))
        value = rf_eval_optional(&machine->eval, value);
    machine->slots[instruction->to] = value;
    return machine->eval.exhausted ? rf_machine_exhausted(machine) : instruction + 1;
}

/* extra: the value is wanted, not the optional. */
RF_DECLARE_INSTRUCTION(optional_or)
{
    struct rf_value *slot = &machine->slots[instruction->to];

    if (slot->kind == RF_VALUE_OPTIONAL && slot->as.optional == NULL)
        return instruction + 1;
    if (slot->kind != RF_VALUE_OPTIONAL)
        *slot = rf_no_overload(slot, 1, instruction->extra != 0 ? "orValue" : "or");
    else if (instruction->extra != 0)
        *slot = *slot->as.optional;
    return instruction + instruction->jump;
}

RF_DECLARE_INSTRUCTION(optional_check)
{
    struct rf_value *slot = &machine->slots[instruction->to];

    if (slot->kind != RF_VALUE_OPTIONAL)
        *slot = rf_no_overload(slot, 1, "or");
    return instruction + 1;
}
