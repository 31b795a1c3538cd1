/* Any bytes as an expression: compiled as a rule against a schema, and as `eval` does it; evaluated; printed; and
 * what was printed evaluates to the same value. A condition is taken apart, and its whole says what it said.
 *
 * usage: fuzz_expr [CORPUS] [-max_total_time=600] [-dict=tests/fuzz/expr.dict] */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/expr/condition.h"
#include "core/expr/expr.h"

#define COST_MAX  20000
#define BYTES_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rf_type nullable_string = {.kind = RF_TYPE_STRING, .nullable = true};
static const struct rf_type int_list = {.kind = RF_TYPE_LIST, .element = &rf_type_int};
static const struct rf_field_type fields[] = {
    {"a", &nullable_string}, {"b", &rf_type_int}, {"c", &int_list}, {"t", &rf_type_timestamp}};
static const struct rf_record_type record_type = {"call", 4, fields};
static const struct rf_type event_type = {.kind = RF_TYPE_RECORD, .record = &record_type};

static const struct rf_value items[] = {{.kind = RF_VALUE_INT, .as.integer = 1},
                                        {.kind = RF_VALUE_INT, .as.integer = -7}};
static const struct rf_list list = {2, items};
static const struct rf_value values[] = {
    {.kind = RF_VALUE_NULL},
    {.kind = RF_VALUE_INT, .as.integer = 3},
    {.kind = RF_VALUE_LIST, .as.list = &list},
    {.kind = RF_VALUE_TIMESTAMP, .as.seconds = 1234567890},
};
static const struct rf_record event = {&record_type, values};

static const struct rf_expr_variable declared[] = {
    {"e", &event_type}, {"i", &rf_type_int}, {"s", &rf_type_string}, {"d", &rf_type_double}};
static const struct rf_expr_variable dynamic[] = {
    {"e", &rf_type_dyn}, {"i", &rf_type_dyn}, {"s", &rf_type_dyn}, {"d", &rf_type_dyn}};
static const struct rf_value variables[] = {
    {.kind = RF_VALUE_RECORD, .as.record = &event},
    {.kind = RF_VALUE_INT, .as.integer = 5},
    {.kind = RF_VALUE_STRING, .as.text = {(const uint8_t *)"a\xc3\xa9z", 4}},
    {.kind = RF_VALUE_DOUBLE, .as.number = 0.5},
};

static void take_apart(struct rf_arena *arena, const struct rf_expr *expr, bool ok,
                       const struct rf_value *value)
{
    struct rf_expr_scratch scratch = {.arena = arena, .arena_used_max = BYTES_MAX};
    const struct rf_condition *condition = rf_condition_of(arena, expr);
    struct rf_value whole;
    struct rf_error err = {0};

    if (condition == NULL)
        return;
    rf_assert(rf_expr_eval(condition->test, variables, &scratch, &whole, &err) == ok);
    rf_assert(!ok || rf_value_equal(whole, *value));
}

static bool run(struct rf_arena *arena, const struct rf_expr_env *env, struct rf_bytes text,
                struct rf_value *value)
{
    struct rf_expr_scratch scratch = {.arena = arena, .arena_used_max = BYTES_MAX};
    struct rf_expr_faults faults;
    const struct rf_expr *expr = NULL;
    struct rf_error err = {0};
    size_t read_count = 0;
    bool ok = false;

    if (!rf_expr_compile(arena, env, text, NULL, &expr, &faults)) {
        rf_assert(faults.count > 0);
        rf_assert(faults.items[0].offset <= text.size);
        return false;
    }
    rf_expr_reads(expr, &read_count);
    ok = rf_expr_eval(expr, variables, &scratch, value, &err);
    take_apart(arena, expr, ok, value);
    return ok;
}

/* Records print as maps, and there is no literal for what holds NaN. */
static bool has_literal(struct rf_bytes printed, struct rf_value value)
{
    return value.kind != RF_VALUE_RECORD && memmem(printed.data, printed.size, "NaN", 3) == NULL &&
           memmem(printed.data, printed.size, "\"t\": ", 5) == NULL && printed.size < 10000;
}

static void check_printed(struct rf_arena *arena, struct rf_value value)
{
    static const struct rf_expr_env env = {.undeclared_is_dyn = true, .cost_max = 10000000};
    struct rf_buffer buffer;
    struct rf_value again;

    rf_buffer_init(&buffer, BYTES_MAX);
    rf_value_print(&buffer, value);
    if (!buffer.overflow && has_literal(rf_buffer_bytes(&buffer), value)) {
        rf_assert(run(arena, &env, rf_buffer_bytes(&buffer), &again));
        rf_assert(rf_value_equal(value, again));
    }
    rf_buffer_deinit(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_expr_env env = {.variables = declared, .variable_count = 4, .cost_max = COST_MAX};
    struct rf_arena arena;
    struct rf_value value;

    rf_arena_init(&arena, 65536);
    run(&arena, &env, rf_bytes_of(data, size), &value);
    env.variables = dynamic;
    env.undeclared_is_dyn = true;
    if (run(&arena, &env, rf_bytes_of(data, size), &value))
        check_printed(&arena, value);
    rf_arena_deinit(&arena);
    return 0;
}
