/* Arithmetic, order, equality. The frequent pair of types is tried first; what is rare is in a function of
 * its own. */
#include "core/base/assert.h"
#include "core/expr/program.h"

#define NANOSECONDS INT64_C(1000000000)
/* A duration fits into nanoseconds in an int64: 292 years. */
#define DURATION_SECONDS_MAX     (INT64_MAX / NANOSECONDS)
#define DURATION_NANOSECONDS_MAX (INT64_MAX % NANOSECONDS)

static inline void store(struct rf_machine *machine, const struct rf_instruction *instruction,
                         struct rf_value value)
{
    machine->slots[instruction->to] = value;
}

struct rf_value rf_no_overload(const struct rf_value *operands, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        if (rf_value_is_failure(operands[i]))
            return operands[i];
    }
    return rf_failure(RF_FAILURE_NO_OVERLOAD, what);
}

static struct rf_value no_binary(const struct rf_value *left, const struct rf_value *right,
                                 const char *what)
{
    struct rf_value operands[2] = {*left, *right};

    return rf_no_overload(operands, 2, what);
}

static const struct rf_instruction *store_checked(struct rf_machine *machine,
                                                  const struct rf_instruction *instruction,
                                                  struct rf_value value)
{
    if (machine->eval.exhausted)
        return rf_machine_exhausted(machine);
    store(machine, instruction, value);
    return instruction + 1;
}

/* Time */

struct rf_value rf_duration_checked(int64_t seconds, int64_t nanoseconds)
{
    seconds += nanoseconds / NANOSECONDS;
    nanoseconds %= NANOSECONDS;
    if (seconds > 0 && nanoseconds < 0) {
        seconds--;
        nanoseconds += NANOSECONDS;
    } else if (seconds < 0 && nanoseconds > 0) {
        seconds++;
        nanoseconds -= NANOSECONDS;
    }
    if (seconds > DURATION_SECONDS_MAX || seconds < -DURATION_SECONDS_MAX ||
        (seconds == DURATION_SECONDS_MAX && nanoseconds > DURATION_NANOSECONDS_MAX) ||
        (seconds == -DURATION_SECONDS_MAX && nanoseconds < -DURATION_NANOSECONDS_MAX))
        return rf_failure(RF_FAILURE_ARGUMENT, "duration out of range");
    return rf_value_duration(seconds, (int32_t)nanoseconds);
}

struct rf_value rf_timestamp_checked(int64_t seconds, int64_t nanoseconds)
{
    seconds += rf_floor_div(nanoseconds, NANOSECONDS);
    nanoseconds -= rf_floor_div(nanoseconds, NANOSECONDS) * NANOSECONDS;
    if (seconds < RF_MS_MIN / 1000 || seconds > RF_MS_MAX / 1000)
        return rf_failure(RF_FAILURE_ARGUMENT, "timestamp out of range");
    return rf_value_timestamp(seconds, (int32_t)nanoseconds);
}

/* `sign`: 1 or -1. Seconds of both are far from the ends of an int64. */
static struct rf_value add_time(const struct rf_value *left, const struct rf_value *right,
                                int64_t sign)
{
    int64_t seconds = left->as.seconds + sign * right->as.seconds;
    int64_t nanoseconds = left->nanoseconds + sign * right->nanoseconds;

    if (left->kind == RF_VALUE_DURATION && right->kind == RF_VALUE_DURATION)
        return rf_duration_checked(seconds, nanoseconds);
    if (left->kind == RF_VALUE_TIMESTAMP && right->kind == RF_VALUE_TIMESTAMP && sign < 0)
        return rf_duration_checked(seconds, nanoseconds);
    if (left->kind == RF_VALUE_TIMESTAMP && right->kind == RF_VALUE_DURATION)
        return rf_timestamp_checked(seconds, nanoseconds);
    if (left->kind == RF_VALUE_DURATION && right->kind == RF_VALUE_TIMESTAMP && sign > 0)
        return rf_timestamp_checked(seconds, nanoseconds);
    return no_binary(left, right, sign > 0 ? "_+_" : "_-_");
}

static bool is_time(const struct rf_value *value)
{
    return value->kind == RF_VALUE_TIMESTAMP || value->kind == RF_VALUE_DURATION;
}

/* Text and lists */

static struct rf_value add_text(struct rf_eval *eval, const struct rf_value *left,
                                const struct rf_value *right)
{
    struct rf_value sum = *left;
    size_t size = left->as.text.size + right->as.text.size;
    uint8_t *data = NULL;

    if (!rf_eval_spend(eval, size / 16))
        return rf_eval_exhausted(eval);
    data = rf_eval_alloc(eval, size);
    if (data == NULL)
        return rf_eval_exhausted(eval);
    if (left->as.text.size > 0)
        memcpy(data, left->as.text.data, left->as.text.size);
    if (right->as.text.size > 0)
        memcpy(data + left->as.text.size, right->as.text.data, right->as.text.size);
    sum.as.text = rf_bytes_of(data, size);
    return sum;
}

static struct rf_value add_lists(struct rf_eval *eval, const struct rf_list *left,
                                 const struct rf_list *right)
{
    size_t count = left->count + right->count;
    struct rf_list *sum = NULL;
    struct rf_value *items = NULL;

    if (!rf_eval_spend(eval, count))
        return rf_eval_exhausted(eval);
    sum = rf_eval_alloc(eval, sizeof *sum);
    items = sum == NULL ? NULL : rf_eval_alloc(eval, count * sizeof *items);
    if (items == NULL)
        return rf_eval_exhausted(eval);
    if (left->count > 0)
        memcpy(items, left->items, left->count * sizeof *items);
    if (right->count > 0)
        memcpy(items + left->count, right->items, right->count * sizeof *items);
    *sum = (struct rf_list){.count = count, .items = items};
    return (struct rf_value){.kind = RF_VALUE_LIST, .as.list = sum};
}

static struct rf_value add_others(struct rf_machine *machine, const struct rf_value *left,
                                  const struct rf_value *right)
{
    uint64_t sum = 0;

    if (is_time(left) && is_time(right))
        return add_time(left, right, 1);
    if (left->kind != right->kind)
        return no_binary(left, right, "_+_");
    if (left->kind == RF_VALUE_STRING || left->kind == RF_VALUE_BYTES)
        return add_text(&machine->eval, left, right);
    if (left->kind == RF_VALUE_LIST)
        return add_lists(&machine->eval, left->as.list, right->as.list);
    if (left->kind != RF_VALUE_UINT)
        return no_binary(left, right, "_+_");
    if (__builtin_add_overflow(left->as.uinteger, right->as.uinteger, &sum))
        return rf_failure(RF_FAILURE_OVERFLOW, "+");
    return rf_value_uint(sum);
}

RF_DECLARE_INSTRUCTION(add)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);
    int64_t sum = 0;

    if (left->kind == RF_VALUE_DOUBLE && right->kind == RF_VALUE_DOUBLE)
        rf_put_double(&machine->slots[instruction->to], left->as.number + right->as.number);
    else if (left->kind != RF_VALUE_INT || right->kind != RF_VALUE_INT)
        return store_checked(machine, instruction, add_others(machine, left, right));
    else if (__builtin_add_overflow(left->as.integer, right->as.integer, &sum))
        store(machine, instruction, rf_failure(RF_FAILURE_OVERFLOW, "+"));
    else
        rf_put_int(&machine->slots[instruction->to], sum);
    return instruction + 1;
}

static struct rf_value subtract_others(const struct rf_value *left, const struct rf_value *right)
{
    uint64_t difference = 0;

    if (is_time(left) && is_time(right))
        return add_time(left, right, -1);
    if (left->kind != RF_VALUE_UINT || right->kind != RF_VALUE_UINT)
        return no_binary(left, right, "_-_");
    if (__builtin_sub_overflow(left->as.uinteger, right->as.uinteger, &difference))
        return rf_failure(RF_FAILURE_OVERFLOW, "-");
    return rf_value_uint(difference);
}

RF_DECLARE_INSTRUCTION(subtract)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);
    int64_t difference = 0;

    if (left->kind == RF_VALUE_DOUBLE && right->kind == RF_VALUE_DOUBLE)
        rf_put_double(&machine->slots[instruction->to], left->as.number - right->as.number);
    else if (left->kind != RF_VALUE_INT || right->kind != RF_VALUE_INT)
        store(machine, instruction, subtract_others(left, right));
    else if (__builtin_sub_overflow(left->as.integer, right->as.integer, &difference))
        store(machine, instruction, rf_failure(RF_FAILURE_OVERFLOW, "-"));
    else
        rf_put_int(&machine->slots[instruction->to], difference);
    return instruction + 1;
}

static struct rf_value multiply_integers(const struct rf_value *left, const struct rf_value *right)
{
    int64_t product = 0;
    uint64_t unsigned_product = 0;

    if (left->kind == RF_VALUE_INT && right->kind == RF_VALUE_INT) {
        if (__builtin_mul_overflow(left->as.integer, right->as.integer, &product))
            return rf_failure(RF_FAILURE_OVERFLOW, "*");
        return rf_value_int(product);
    }
    if (left->kind != RF_VALUE_UINT || right->kind != RF_VALUE_UINT)
        return no_binary(left, right, "_*_");
    if (__builtin_mul_overflow(left->as.uinteger, right->as.uinteger, &unsigned_product))
        return rf_failure(RF_FAILURE_OVERFLOW, "*");
    return rf_value_uint(unsigned_product);
}

RF_DECLARE_INSTRUCTION(multiply)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);

    if (left->kind == RF_VALUE_DOUBLE && right->kind == RF_VALUE_DOUBLE)
        rf_put_double(&machine->slots[instruction->to], left->as.number * right->as.number);
    else
        store(machine, instruction, multiply_integers(left, right));
    return instruction + 1;
}

static struct rf_value divide_integers(const struct rf_value *left, const struct rf_value *right)
{
    if (left->kind == RF_VALUE_INT && right->kind == RF_VALUE_INT) {
        if (right->as.integer == 0)
            return rf_failure(RF_FAILURE_DIVIDED_BY_ZERO, "");
        if (left->as.integer == INT64_MIN && right->as.integer == -1)
            return rf_failure(RF_FAILURE_OVERFLOW, "/");
        return rf_value_int(left->as.integer / right->as.integer);
    }
    if (left->kind != RF_VALUE_UINT || right->kind != RF_VALUE_UINT)
        return no_binary(left, right, "_/_");
    if (right->as.uinteger == 0)
        return rf_failure(RF_FAILURE_DIVIDED_BY_ZERO, "");
    return rf_value_uint(left->as.uinteger / right->as.uinteger);
}

RF_DECLARE_INSTRUCTION(divide)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);

    if (left->kind == RF_VALUE_DOUBLE && right->kind == RF_VALUE_DOUBLE)
        rf_put_double(&machine->slots[instruction->to], left->as.number / right->as.number);
    else
        store(machine, instruction, divide_integers(left, right));
    return instruction + 1;
}

static struct rf_value modulo(const struct rf_value *left, const struct rf_value *right)
{
    if (left->kind == RF_VALUE_INT && right->kind == RF_VALUE_INT) {
        if (right->as.integer == 0)
            return rf_failure(RF_FAILURE_MODULUS_BY_ZERO, "");
        if (left->as.integer == INT64_MIN && right->as.integer == -1)
            return rf_failure(RF_FAILURE_OVERFLOW, "%");
        return rf_value_int(left->as.integer % right->as.integer);
    }
    if (left->kind != RF_VALUE_UINT || right->kind != RF_VALUE_UINT)
        return no_binary(left, right, "_%_");
    if (right->as.uinteger == 0)
        return rf_failure(RF_FAILURE_MODULUS_BY_ZERO, "");
    return rf_value_uint(left->as.uinteger % right->as.uinteger);
}

RF_DECLARE_INSTRUCTION(modulo)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);

    store(machine, instruction, modulo(left, right));
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(negate)
{
    struct rf_value value = rf_operand(machine, instruction->left);

    if (value.kind == RF_VALUE_DOUBLE)
        value.as.number = -value.as.number;
    else if (value.kind != RF_VALUE_INT)
        value = rf_no_overload(&value, 1, "-_");
    else if (value.as.integer == INT64_MIN)
        value = rf_failure(RF_FAILURE_OVERFLOW, "-");
    else
        value.as.integer = -value.as.integer;
    store(machine, instruction, value);
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(invert)
{
    struct rf_value value = rf_operand(machine, instruction->left);

    if (value.kind == RF_VALUE_BOOL)
        value.as.boolean = !value.as.boolean;
    else
        value = rf_no_overload(&value, 1, "!_");
    store(machine, instruction, value);
    return instruction + 1;
}

/* Equality and order */

static const struct rf_instruction *equal_others(struct rf_machine *machine,
                                                 const struct rf_instruction *instruction,
                                                 bool wanted)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);
    bool equal = false;

    if (rf_value_is_failure(*left) || rf_value_is_failure(*right)) {
        store(machine, instruction, rf_value_is_failure(*left) ? *left : *right);
        return instruction + 1;
    }
    equal = rf_value_equal_within(&machine->eval, *left, *right);
    return store_checked(machine, instruction, rf_value_bool(equal == wanted));
}

static inline const struct rf_instruction *compare_equal(struct rf_machine *machine,
                                                         const struct rf_instruction *instruction,
                                                         bool wanted)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);
    bool equal = false;

    if (left->kind == RF_VALUE_STRING && right->kind == RF_VALUE_STRING)
        equal = rf_bytes_equal(left->as.text, right->as.text);
    else if (left->kind == RF_VALUE_INT && right->kind == RF_VALUE_INT)
        equal = left->as.integer == right->as.integer;
    else
        return equal_others(machine, instruction, wanted);
    rf_put_bool(&machine->slots[instruction->to], equal == wanted);
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(equal)
{
    return compare_equal(machine, instruction, true);
}

RF_DECLARE_INSTRUCTION(not_equal)
{
    return compare_equal(machine, instruction, false);
}

/* The orders that an operator accepts: the bit of -1, 0 and 1, moved up by one. None has that of
 * RF_ORDER_NONE, so every comparison with NaN is false. */
#define ACCEPT_LESS    1u
#define ACCEPT_EQUAL   2u
#define ACCEPT_GREATER 4u

static const struct rf_instruction *order_others(struct rf_machine *machine,
                                                 const struct rf_instruction *instruction,
                                                 unsigned accepted, const char *what)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);
    bool defined = false;
    int order = rf_value_order(*left, *right, &defined);

    if (defined)
        store(machine, instruction, rf_value_bool((accepted >> (order + 1) & 1) != 0));
    else
        store(machine, instruction, no_binary(left, right, what));
    return instruction + 1;
}

static inline const struct rf_instruction *compare_order(struct rf_machine *machine,
                                                         const struct rf_instruction *instruction,
                                                         unsigned accepted, const char *what)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);
    bool less = false;
    bool equal = false;
    bool greater = false;

    if (left->kind == RF_VALUE_INT && right->kind == RF_VALUE_INT) {
        less = left->as.integer < right->as.integer;
        equal = left->as.integer == right->as.integer;
        greater = left->as.integer > right->as.integer;
    } else if (left->kind == RF_VALUE_DOUBLE && right->kind == RF_VALUE_DOUBLE) {
        less = left->as.number < right->as.number;
        equal = left->as.number == right->as.number;
        greater = left->as.number > right->as.number;
    } else {
        return order_others(machine, instruction, accepted, what);
    }
    rf_put_bool(&machine->slots[instruction->to],
                ((accepted & ACCEPT_LESS) != 0 && less) ||
                    ((accepted & ACCEPT_EQUAL) != 0 && equal) ||
                    ((accepted & ACCEPT_GREATER) != 0 && greater));
    return instruction + 1;
}

RF_DECLARE_INSTRUCTION(less)
{
    return compare_order(machine, instruction, ACCEPT_LESS, "_<_");
}

RF_DECLARE_INSTRUCTION(less_equal)
{
    return compare_order(machine, instruction, ACCEPT_LESS | ACCEPT_EQUAL, "_<=_");
}

RF_DECLARE_INSTRUCTION(greater)
{
    return compare_order(machine, instruction, ACCEPT_GREATER, "_>_");
}

RF_DECLARE_INSTRUCTION(greater_equal)
{
    return compare_order(machine, instruction, ACCEPT_GREATER | ACCEPT_EQUAL, "_>=_");
}

static bool in_list(struct rf_eval *eval, const struct rf_list *list, struct rf_value value)
{
    if (!rf_eval_spend(eval, list->count / 4))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (rf_value_equal_within(eval, list->items[i], value))
            return true;
    }
    return false;
}

RF_DECLARE_INSTRUCTION(in)
{
    const struct rf_value *left = rf_operand_at(machine, instruction->left);
    const struct rf_value *right = rf_operand_at(machine, instruction->right);
    struct rf_eval *eval = &machine->eval;
    bool found = false;

    if (rf_value_is_failure(*left) || (right->kind != RF_VALUE_LIST && right->kind != RF_VALUE_MAP))
        return store_checked(machine, instruction, no_binary(left, right, "_in_"));
    if (right->kind == RF_VALUE_LIST)
        found = in_list(eval, right->as.list, *left);
    else if (rf_eval_spend(eval, right->as.map->count / 4))
        found = rf_map_find(right->as.map, *left) != NULL;
    return store_checked(machine, instruction, rf_value_bool(found));
}
