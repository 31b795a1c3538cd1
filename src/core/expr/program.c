#include "core/expr/program.h"

#include "core/base/assert.h"
#include "core/expr/functions.h"
#include "core/expr/regex.h"
#include "core/expr/types.h"

typedef uint32_t operand;

struct emitter {
    struct rf_arena *arena;
    struct rf_instruction *code;
    uint32_t count;
    uint32_t capacity;
    struct rf_value *constants;
    uint32_t constant_count;
    uint32_t constant_capacity;
    uint32_t slot_count;
};

static operand emit(struct emitter *emitter, const struct rf_node *node, uint32_t slot);

static operand slot_operand(uint32_t slot)
{
    return (uint32_t)RF_BANK_SLOT << RF_OPERAND_SHIFT | slot;
}

static void use_slot(struct emitter *emitter, uint32_t slot)
{
    if (slot >= emitter->slot_count)
        emitter->slot_count = slot + 1;
}

/* Returns its index; pointers to instructions do not survive the next one. */
static uint32_t add(struct emitter *emitter, struct rf_instruction instruction)
{
    if (emitter->count == emitter->capacity) {
        uint32_t capacity = emitter->capacity == 0 ? 16 : emitter->capacity * 2;
        struct rf_instruction *code = rf_arena_alloc(emitter->arena, capacity * sizeof *code);

        if (emitter->count > 0)
            memcpy(code, emitter->code, emitter->count * sizeof *code);
        emitter->code = code;
        emitter->capacity = capacity;
    }
    use_slot(emitter, instruction.to);
    emitter->code[emitter->count] = instruction;
    return emitter->count++;
}

static int32_t distance_from(const struct emitter *emitter, uint32_t index)
{
    return (int32_t)emitter->count - (int32_t)index;
}

static void jump_here(struct emitter *emitter, uint32_t index)
{
    emitter->code[index].jump = distance_from(emitter, index);
}

static operand constant(struct emitter *emitter, struct rf_value value)
{
    if (emitter->constant_count == emitter->constant_capacity) {
        uint32_t capacity = emitter->constant_capacity == 0 ? 8 : emitter->constant_capacity * 2;
        struct rf_value *constants = rf_arena_alloc(emitter->arena, capacity * sizeof *constants);

        if (emitter->constant_count > 0)
            memcpy(constants, emitter->constants, emitter->constant_count * sizeof *constants);
        emitter->constants = constants;
        emitter->constant_capacity = capacity;
    }
    emitter->constants[emitter->constant_count] = value;
    return (uint32_t)RF_BANK_CONSTANT << RF_OPERAND_SHIFT | emitter->constant_count++;
}

static operand variable(uint32_t index)
{
    return (uint32_t)RF_BANK_VARIABLE << RF_OPERAND_SHIFT | index;
}

/* As emit(), but the value is in `slot` afterwards, wherever it came from. */
static void emit_into(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    operand from = emit(emitter, node, slot);

    use_slot(emitter, slot);
    if (from != slot_operand(slot))
        add(emitter, (struct rf_instruction){.run = rf_run_move, .to = slot, .left = from});
}

static operand emit_failure(struct emitter *emitter, struct rf_value failure, uint32_t slot)
{
    struct rf_value *copy = rf_arena_alloc(emitter->arena, sizeof *copy);

    *copy = failure;
    add(emitter, (struct rf_instruction){.run = rf_run_fail, .to = slot, .data = copy});
    return slot_operand(slot);
}

static operand emit_ident(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    if (node->resolved == RF_RESOLVED_VARIABLE)
        return variable(node->index);
    if (node->resolved == RF_RESOLVED_LOCAL)
        return node->locals[0]->operand;
    rf_assert(node->resolved == RF_RESOLVED_MISSING);
    return emit_failure(emitter, rf_failure_bytes(RF_FAILURE_UNDECLARED, node->name), slot);
}

static operand emit_select(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    operand record = emit(emitter, node->children[0], slot);
    operand name = constant(emitter, rf_value_string(node->name));
    struct rf_instruction instruction = {
        .run = rf_run_access, .to = slot, .left = record, .right = name};

    instruction.extra = RF_ACCESS_FIELD | (node->test ? RF_ACCESS_TEST : 0) |
                        (node->optional ? RF_ACCESS_OPTIONAL : 0);
    if (node->resolved == RF_RESOLVED_FIELD && !node->test && !node->optional &&
        node->children[0]->type->kind == RF_TYPE_RECORD) {
        instruction.run = rf_run_field;
        instruction.data = node->children[0]->type->record;
        instruction.extra = node->index;
    }
    add(emitter, instruction);
    return slot_operand(slot);
}

static operand emit_unary(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    operand left = emit(emitter, node->children[0], slot);

    add(emitter,
        (struct rf_instruction){.run = node->op == RF_OP_NOT ? rf_run_invert : rf_run_negate,
                                .to = slot,
                                .left = left});
    return slot_operand(slot);
}

static operand emit_binary(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    static const struct rf_instruction *(*const runs[])(struct rf_machine *,
                                                        const struct rf_instruction *) = {
        [RF_OP_ADD] = rf_run_add,
        [RF_OP_SUBTRACT] = rf_run_subtract,
        [RF_OP_MULTIPLY] = rf_run_multiply,
        [RF_OP_DIVIDE] = rf_run_divide,
        [RF_OP_MODULO] = rf_run_modulo,
        [RF_OP_EQUAL] = rf_run_equal,
        [RF_OP_NOT_EQUAL] = rf_run_not_equal,
        [RF_OP_LESS] = rf_run_less,
        [RF_OP_LESS_EQUAL] = rf_run_less_equal,
        [RF_OP_GREATER] = rf_run_greater,
        [RF_OP_GREATER_EQUAL] = rf_run_greater_equal,
        [RF_OP_IN] = rf_run_in,
        [RF_OP_INDEX] = rf_run_access,
        [RF_OP_OPTIONAL_INDEX] = rf_run_access,
    };
    operand left = emit(emitter, node->children[0], slot);
    operand right = emit(emitter, node->children[1], slot + (left == slot_operand(slot)));

    rf_assert(node->op < sizeof runs / sizeof runs[0]);
    add(emitter, (struct rf_instruction){
                     .run = runs[node->op],
                     .to = slot,
                     .left = left,
                     .right = right,
                     .extra = node->op == RF_OP_OPTIONAL_INDEX ? RF_ACCESS_OPTIONAL : 0});
    return slot_operand(slot);
}

static operand emit_logic(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    bool and = node->kind == RF_NODE_AND;
    uint32_t decided = 0;
    operand right = 0;

    emit_into(emitter, node->children[0], slot);
    decided = add(emitter, (struct rf_instruction){
                               .run = and? rf_run_jump_if_false : rf_run_jump_if_true, .to = slot});
    right = emit(emitter, node->children[1], slot + 1);
    add(emitter,
        (struct rf_instruction){.run = and? rf_run_and : rf_run_or, .to = slot, .right = right});
    jump_here(emitter, decided);
    return slot_operand(slot);
}

static operand emit_conditional(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    operand condition = emit(emitter, node->children[0], slot);
    uint32_t choose =
        add(emitter, (struct rf_instruction){.run = rf_run_choose, .to = slot, .left = condition});
    uint32_t jump = 0;

    emit_into(emitter, node->children[1], slot);
    jump = add(emitter, (struct rf_instruction){.run = rf_run_jump, .to = slot});
    jump_here(emitter, choose);
    emit_into(emitter, node->children[2], slot);
    jump_here(emitter, jump);
    emitter->code[choose].other = distance_from(emitter, choose);
    return slot_operand(slot);
}

/* a.or(b) and a.orValue(b) look at b only where a has nothing. */
static bool is_or(const struct rf_node *node, bool *wants_value)
{
    *wants_value = rf_bytes_equal(node->name, rf_bytes_of_text("orValue"));
    return node->member && node->child_count == 2 &&
           (*wants_value || rf_bytes_equal(node->name, rf_bytes_of_text("or")));
}

static operand emit_or(struct emitter *emitter, const struct rf_node *node, uint32_t slot,
                       bool wants_value)
{
    uint32_t decided = 0;

    emit_into(emitter, node->children[0], slot);
    decided =
        add(emitter,
            (struct rf_instruction){.run = rf_run_optional_or, .to = slot, .extra = wants_value});
    emit_into(emitter, node->children[1], slot);
    if (!wants_value)
        add(emitter, (struct rf_instruction){.run = rf_run_optional_check, .to = slot});
    jump_here(emitter, decided);
    return slot_operand(slot);
}

static operand emit_call(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    const struct rf_candidates *candidates = node->candidates;
    struct rf_instruction instruction = {
        .run = rf_run_call, .to = slot, .left = slot, .data = candidates};
    bool wants_value = false;

    if (is_or(node, &wants_value))
        return emit_or(emitter, node, slot, wants_value);
    if (candidates == NULL || candidates->count == 0)
        return emit_failure(
            emitter,
            rf_failure_bytes(candidates == NULL ? RF_FAILURE_UNDECLARED : RF_FAILURE_NO_OVERLOAD,
                             node->name),
            slot);
    if (candidates->prepared != NULL) {
        operand text = emit(emitter, node->children[0], slot);

        add(emitter,
            (struct rf_instruction){
                .run = rf_run_matches, .to = slot, .left = text, .data = candidates->prepared});
        return slot_operand(slot);
    }
    instruction.extra = node->child_count;
    for (uint32_t i = 0; i < node->child_count; i++)
        emit_into(emitter, node->children[i], slot + i);
    add(emitter, instruction);
    return slot_operand(slot);
}

/* Every failure of an item jumps to the end, with the failure as the value. */
static operand emit_list(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    uint32_t *adds = rf_arena_alloc(emitter->arena, node->child_count * sizeof *adds);

    add(emitter,
        (struct rf_instruction){.run = rf_run_list_begin, .to = slot, .extra = node->child_count});
    for (uint32_t i = 0; i < node->child_count; i++) {
        operand item = emit(emitter, node->children[i], slot + 1);

        adds[i] = add(emitter, (struct rf_instruction){.run = rf_run_list_add,
                                                       .to = slot,
                                                       .left = item,
                                                       .extra = node->optional_items != NULL &&
                                                                node->optional_items[i]});
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        jump_here(emitter, adds[i]);
    return slot_operand(slot);
}

static operand emit_map(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    uint32_t pair_count = node->child_count / 2;
    uint32_t *adds = rf_arena_alloc(emitter->arena, pair_count * sizeof *adds);

    add(emitter, (struct rf_instruction){.run = rf_run_map_begin, .to = slot, .extra = pair_count});
    for (uint32_t i = 0; i < pair_count; i++) {
        operand key = emit(emitter, node->children[2 * i], slot + 1);
        operand value = emit(emitter, node->children[2 * i + 1], slot + 2);

        adds[i] = add(emitter, (struct rf_instruction){.run = rf_run_map_add,
                                                       .to = slot,
                                                       .left = key,
                                                       .right = value,
                                                       .extra = node->optional_items != NULL &&
                                                                node->optional_items[2 * i]});
    }
    for (uint32_t i = 0; i < pair_count; i++)
        jump_here(emitter, adds[i]);
    return slot_operand(slot);
}

/* Macros */

static operand emit_bind(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    node->locals[0]->operand = emit(emitter, node->children[0], slot);
    if (node->locals[0]->operand != slot_operand(slot))
        return emit(emitter, node->children[1], slot);
    emit_into(emitter, node->children[1], slot + 1);
    add(emitter,
        (struct rf_instruction){.run = rf_run_move, .to = slot, .left = slot_operand(slot + 1)});
    return slot_operand(slot);
}

static operand emit_optional(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    operand from = emit(emitter, node->children[0], slot);
    uint32_t open = add(
        emitter, (struct rf_instruction){.run = rf_run_optional_open, .to = slot, .left = from});

    use_slot(emitter, slot + 1);
    node->locals[0]->operand = slot_operand(slot + 1);
    emit_into(emitter, node->children[1], slot + 2);
    add(emitter, (struct rf_instruction){.run = rf_run_optional_wrap,
                                         .to = slot,
                                         .left = slot_operand(slot + 2),
                                         .extra = node->macro == RF_MACRO_OPTIONAL_FLAT_MAP});
    jump_here(emitter, open);
    return slot_operand(slot);
}

static const struct rf_instruction *(*step_of(uint8_t macro))(struct rf_machine *,
                                                              const struct rf_instruction *)
{
    switch ((enum rf_macro)macro) {
    case RF_MACRO_ALL:
        return rf_run_step_all;
    case RF_MACRO_EXISTS:
        return rf_run_step_exists;
    case RF_MACRO_EXISTS_ONE:
        return rf_run_step_exists_one;
    case RF_MACRO_TRANSFORM_MAP:
        return rf_run_step_map_value;
    case RF_MACRO_TRANSFORM_MAP_ENTRY:
        return rf_run_step_map_entry;
    case RF_MACRO_MAP:
    case RF_MACRO_SORT_BY:
    case RF_MACRO_BIND:
    case RF_MACRO_OPTIONAL_MAP:
    case RF_MACRO_OPTIONAL_FLAT_MAP:
        break;
    }
    return rf_run_step_map;
}

/*   begin ──(no range)──────────────┐
 *   next ──(no more)──────────────┐ │
 *   [condition; step_condition → next]
 *   body; step → next, or ──(decided)┤
 *   end  ←──────────────────────────┘ */
static operand emit_loop(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    uint32_t body_slot = slot + RF_LOOP_SLOTS;
    uint32_t begin = 0;
    uint32_t next = 0;
    uint32_t step = 0;
    operand from = emit(emitter, node->children[0], slot);

    use_slot(emitter, body_slot);
    begin =
        add(emitter, (struct rf_instruction){
                         .run = rf_run_loop_begin, .to = slot, .left = from, .extra = node->macro});
    next = add(emitter, (struct rf_instruction){
                            .run = rf_run_loop_next, .to = slot, .extra = node->locals[1] != NULL});
    for (uint32_t i = 0; i < 2 && node->locals[i] != NULL; i++)
        node->locals[i]->operand = slot_operand(slot + RF_LOOP_LOCALS + i);
    if (node->child_count == 3) {
        operand condition = emit(emitter, node->children[2], body_slot);

        step = add(emitter, (struct rf_instruction){
                                .run = rf_run_step_condition, .to = slot, .left = condition});
        emitter->code[step].other = (int32_t)next - (int32_t)step;
    }
    from = emit(emitter, node->children[1], body_slot);
    add(emitter,
        (struct rf_instruction){.run = step_of(node->macro), .to = slot, .left = from, .other = 0});
    emitter->code[emitter->count - 1].other = (int32_t)next - (int32_t)(emitter->count - 1);
    jump_here(emitter, emitter->count - 1);
    jump_here(emitter, begin);
    jump_here(emitter, next);
    if (node->child_count == 3)
        jump_here(emitter, step);
    emitter->code[next].other = distance_from(emitter, next);
    if (node->macro == RF_MACRO_EXISTS_ONE)
        add(emitter, (struct rf_instruction){.run = rf_run_end_exists_one, .to = slot});
    if (node->macro == RF_MACRO_SORT_BY)
        add(emitter, (struct rf_instruction){.run = rf_run_sort_by, .to = slot});
    return slot_operand(slot);
}

static operand emit_macro(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    if (node->macro == RF_MACRO_BIND)
        return emit_bind(emitter, node, slot);
    if (node->macro == RF_MACRO_OPTIONAL_MAP || node->macro == RF_MACRO_OPTIONAL_FLAT_MAP)
        return emit_optional(emitter, node, slot);
    return emit_loop(emitter, node, slot);
}

/* Code for a value, which is then in the operand returned: `slot` itself, or somewhere that lives at least
 * as long. Slots from `slot` on are free to be used. */
static operand emit(struct emitter *emitter, const struct rf_node *node, uint32_t slot)
{
    switch (node->kind) {
    case RF_NODE_LITERAL:
        return constant(emitter, node->literal);
    case RF_NODE_IDENT:
        return emit_ident(emitter, node, slot);
    case RF_NODE_SELECT:
        return emit_select(emitter, node, slot);
    case RF_NODE_UNARY:
        return emit_unary(emitter, node, slot);
    case RF_NODE_BINARY:
        return emit_binary(emitter, node, slot);
    case RF_NODE_AND:
    case RF_NODE_OR:
        return emit_logic(emitter, node, slot);
    case RF_NODE_CONDITIONAL:
        return emit_conditional(emitter, node, slot);
    case RF_NODE_CALL:
        return emit_call(emitter, node, slot);
    case RF_NODE_LIST:
        return emit_list(emitter, node, slot);
    case RF_NODE_MAP:
        return emit_map(emitter, node, slot);
    case RF_NODE_MACRO:
        return emit_macro(emitter, node, slot);
    }
    rf_assert(false && "an unknown kind of node");
    return 0;
}

bool rf_program_build(struct rf_arena *arena, const struct rf_node *root,
                      const struct rf_type *want, struct rf_expr *expr)
{
    struct emitter emitter = {.arena = arena};
    operand result = emit(&emitter, root, 0);
    uint32_t kinds = want == NULL ? UINT16_MAX : rf_type_value_kinds(want);

    add(&emitter, (struct rf_instruction){.run = rf_run_finish, .left = result, .extra = kinds});
    expr->code = emitter.code;
    expr->code_count = emitter.count;
    expr->constants = emitter.constants;
    expr->slot_count = emitter.slot_count;
    expr->type = root->type;
    return emitter.slot_count <= RF_SLOTS_MAX;
}
