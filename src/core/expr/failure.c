/* How an evaluation fails: as a value, so that `false && failure` can be false. Nothing is formatted before it
 * is known that somebody will read it. */
#include "core/expr/failure.h"

#include "core/base/assert.h"

static const char *const messages[] = {
    [RF_FAILURE_NO_OVERLOAD] = "no such overload",
    [RF_FAILURE_NO_KEY] = "no such key",
    [RF_FAILURE_UNDECLARED] = "undeclared reference",
    [RF_FAILURE_OVERFLOW] = "integer overflow",
    [RF_FAILURE_DIVIDED_BY_ZERO] = "division by zero",
    [RF_FAILURE_MODULUS_BY_ZERO] = "modulus by zero",
    [RF_FAILURE_INDEX] = "index out of range",
    [RF_FAILURE_ARGUMENT] = NULL,
    [RF_FAILURE_COST] = "cost limit exceeded",
    [RF_FAILURE_MEMORY] = "memory limit exceeded",
};

struct rf_value rf_failure_bytes(enum rf_failure failure, struct rf_bytes text)
{
    return (struct rf_value){
        .kind = RF_VALUE_ERROR, .nanoseconds = (int32_t)failure, .as.text = text};
}

struct rf_value rf_failure(enum rf_failure failure, const char *text)
{
    return rf_failure_bytes(failure, rf_bytes_of_text(text));
}

struct rf_value rf_failure_value(struct rf_eval *eval, enum rf_failure failure,
                                 struct rf_value value)
{
    struct rf_buffer buffer;
    struct rf_value result;

    if (value.kind == RF_VALUE_STRING)
        return rf_failure_bytes(failure, value.as.text);
    rf_buffer_init(&buffer, 100);
    rf_value_print(&buffer, value);
    result = rf_eval_string(eval, rf_buffer_bytes(&buffer));
    rf_buffer_deinit(&buffer);
    return result.kind == RF_VALUE_STRING ? rf_failure_bytes(failure, result.as.text) : result;
}

struct rf_value rf_failure_nan(void)
{
    return rf_failure(RF_FAILURE_ARGUMENT, "NaN values cannot be ordered");
}

void rf_failure_report(struct rf_value value, struct rf_error *err)
{
    const char *message = NULL;
    int size = value.as.text.size > 200 ? 200 : (int)value.as.text.size;
    const char *text = (const char *)value.as.text.data;

    rf_assert(rf_value_is_failure(value));
    rf_assert((size_t)value.nanoseconds < sizeof messages / sizeof messages[0]);
    message = messages[value.nanoseconds];
    if (message == NULL)
        rf_error_set(err, RF_ERROR_RECORD, value.nanoseconds, "%.*s", size, text);
    else if (size == 0)
        rf_error_set(err, RF_ERROR_RECORD, value.nanoseconds, "%s", message);
    else
        rf_error_set(err, RF_ERROR_RECORD, value.nanoseconds, "%s: %.*s", message, size, text);
}

const char *rf_expr_failure_kind(const struct rf_error *err)
{
    size_t failure = (size_t)err->origin_code;

    rf_assert(err->kind != RF_ERROR_NONE);
    if (failure >= sizeof messages / sizeof messages[0] || messages[failure] == NULL)
        return "a function does not take what it was given";
    return messages[failure];
}

void *rf_eval_alloc(struct rf_eval *eval, size_t size)
{
    if (size > eval->memory_left) {
        eval->exhausted = true;
        eval->exhausted_by = RF_FAILURE_MEMORY;
        return NULL;
    }
    eval->memory_left -= size;
    return rf_arena_alloc(eval->arena, size);
}

bool rf_eval_spend(struct rf_eval *eval, uint64_t cost)
{
    if (cost > eval->cost_left) {
        eval->cost_left = 0;
        eval->exhausted = true;
        eval->exhausted_by = RF_FAILURE_COST;
        return false;
    }
    eval->cost_left -= cost;
    return true;
}

struct rf_value rf_eval_exhausted(const struct rf_eval *eval)
{
    rf_assert(eval->exhausted);
    return rf_failure((enum rf_failure)eval->exhausted_by, "");
}

struct rf_value rf_eval_too_large(struct rf_eval *eval)
{
    eval->exhausted = true;
    eval->exhausted_by = RF_FAILURE_MEMORY;
    return rf_eval_exhausted(eval);
}

struct rf_value rf_eval_string(struct rf_eval *eval, struct rf_bytes text)
{
    uint8_t *copy = NULL;

    if (!rf_eval_spend(eval, text.size / 16))
        return rf_eval_exhausted(eval);
    copy = rf_eval_alloc(eval, text.size);
    if (copy == NULL)
        return rf_eval_exhausted(eval);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return rf_value_string(rf_bytes_of(copy, text.size));
}
