/* optional.of(), .orValue() and their kin. The lazy forms, optMap and optFlatMap, are macros. */
#include "core/expr/function.h"
#include "core/expr/program.h"

static struct rf_value of(struct rf_eval *eval, const struct rf_value *arguments)
{
    return rf_eval_optional(eval, arguments[0]);
}

static struct rf_value none(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    (void)arguments;
    return (struct rf_value){.kind = RF_VALUE_OPTIONAL};
}

static struct rf_value of_non_zero(struct rf_eval *eval, const struct rf_value *arguments)
{
    return rf_value_is_zero(arguments[0]) ? none(eval, arguments) : of(eval, arguments);
}

static struct rf_value has_value(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_bool(arguments[0].as.optional != NULL);
}

static struct rf_value value(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    if (arguments[0].as.optional == NULL)
        return rf_failure(RF_FAILURE_ARGUMENT, "value() of an optional that has none");
    return *arguments[0].as.optional;
}

static struct rf_value or (struct rf_eval * eval, const struct rf_value *arguments)
{
    (void)eval;
    return arguments[arguments[0].as.optional == NULL];
}

static struct rf_value or_value(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return arguments[0].as.optional == NULL ? arguments[1] : *arguments[0].as.optional;
}

/* Only the items that have a value. */
static struct rf_value unwrap(struct rf_eval *eval, const struct rf_value *arguments)
{
    const struct rf_list *list = arguments[0].as.list;
    struct rf_list *result = NULL;
    struct rf_value *items = NULL;
    size_t count = 0;

    if (!rf_eval_spend(eval, list->count))
        return rf_eval_exhausted(eval);
    result = rf_eval_alloc(eval, sizeof *result);
    items = result == NULL ? NULL : rf_eval_alloc(eval, list->count * sizeof *items);
    if (items == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != RF_VALUE_OPTIONAL)
            return rf_failure(RF_FAILURE_NO_OVERLOAD, "optional.unwrap");
        if (list->items[i].as.optional != NULL)
            items[count++] = *list->items[i].as.optional;
    }
    *result = (struct rf_list){.count = count, .items = items};
    return (struct rf_value){.kind = RF_VALUE_LIST, .as.list = result};
}

const struct rf_overload rf_functions_optionals[] = {
    {"optional.of", false, "T", "OT", of},
    {"optional.none", false, "", "OT", none},
    {"optional.ofNonZeroValue", false, "T", "OT", of_non_zero},
    {"hasValue", true, "OT", "b", has_value},
    {"value", true, "OT", "T", value},
    {"or", true, "OTOT", "OT", or },
    {"orValue", true, "OTT", "T", or_value},
    {"optional.unwrap", false, "LOT", "LT", unwrap},
    {"unwrapOpt", true, "LOT", "LT", unwrap},
    {NULL, false, NULL, NULL, NULL},
};
