/* Lists and maps: size, and the `lists` extension. */
#include "core/base/assert.h"
#include "core/expr/function.h"

static struct rf_value list_value(const struct rf_list *list)
{
    return (struct rf_value){.kind = RF_VALUE_LIST, .as.list = list};
}

/* A list to be filled in; NULL: the budget is used up. */
static struct rf_value *new_list(struct rf_eval *eval, size_t count, struct rf_list **list)
{
    struct rf_value *items = NULL;

    *list = NULL;
    if (!rf_eval_spend(eval, count))
        return NULL;
    *list = rf_eval_alloc(eval, sizeof **list);
    items = *list == NULL ? NULL : rf_eval_alloc(eval, count * sizeof *items);
    if (items != NULL)
        **list = (struct rf_list){.count = count, .items = items};
    return items;
}

static struct rf_value size_of_list(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int((int64_t)arguments[0].as.list->count);
}

static struct rf_value size_of_map(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int((int64_t)arguments[0].as.map->count);
}

static struct rf_value slice(struct rf_eval *eval, const struct rf_value *arguments)
{
    const struct rf_list *list = arguments[0].as.list;
    int64_t from = arguments[1].as.integer;
    int64_t to = arguments[2].as.integer;
    struct rf_list *part = NULL;

    if (from < 0 || to < from || (uint64_t)to > list->count)
        return rf_failure(RF_FAILURE_ARGUMENT, "slice: index out of range");
    part = rf_eval_alloc(eval, sizeof *part);
    if (part == NULL)
        return rf_eval_exhausted(eval);
    *part = (struct rf_list){.count = (size_t)(to - from), .items = list->items + from};
    return list_value(part);
}

static struct rf_value reverse(struct rf_eval *eval, const struct rf_value *arguments)
{
    const struct rf_list *list = arguments[0].as.list;
    struct rf_list *reversed = NULL;
    struct rf_value *items = new_list(eval, list->count, &reversed);

    if (items == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < list->count; i++)
        items[list->count - 1 - i] = list->items[i];
    return list_value(reversed);
}

static struct rf_value range(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t count = arguments[0].as.integer;
    struct rf_list *list = NULL;
    struct rf_value *items = NULL;

    if (count < 0)
        return rf_failure(RF_FAILURE_ARGUMENT, "lists.range: the size is negative");
    items = new_list(eval, (size_t)count, &list);
    if (items == NULL)
        return rf_eval_exhausted(eval);
    for (int64_t i = 0; i < count; i++)
        items[i] = rf_value_int(i);
    return list_value(list);
}

static struct rf_value distinct(struct rf_eval *eval, const struct rf_value *arguments)
{
    const struct rf_list *list = arguments[0].as.list;
    struct rf_list *kept = NULL;
    struct rf_value *items = new_list(eval, list->count, &kept);
    size_t count = 0;

    if (items == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < list->count; i++) {
        size_t j = 0;

        if (!rf_eval_spend(eval, count / 2))
            return rf_eval_exhausted(eval);
        while (j < count && !rf_value_equal_within(eval, items[j], list->items[i]))
            j++;
        if (j == count)
            items[count++] = list->items[i];
    }
    kept->count = count;
    return list_value(kept);
}

/* How many items a list flattened `depth` levels has. False: too many to be counted; a list may hold another often. */
static bool flat_count(struct rf_eval *eval, const struct rf_list *list, int64_t depth,
                       size_t *count)
{
    if (!rf_eval_spend(eval, list->count))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != RF_VALUE_LIST || depth == 0)
            *count += 1;
        else if (!flat_count(eval, list->items[i].as.list, depth - 1, count))
            return false;
    }
    return true;
}

static struct rf_value *flat_copy(struct rf_value *to, const struct rf_list *list, int64_t depth)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == RF_VALUE_LIST && depth > 0)
            to = flat_copy(to, list->items[i].as.list, depth - 1);
        else
            *to++ = list->items[i];
    }
    return to;
}

static struct rf_value flatten_to(struct rf_eval *eval, const struct rf_list *list, int64_t depth)
{
    size_t count = 0;
    struct rf_list *flat = NULL;
    struct rf_value *items =
        flat_count(eval, list, depth, &count) ? new_list(eval, count, &flat) : NULL;

    if (items == NULL)
        return rf_eval_exhausted(eval);
    flat_copy(items, list, depth);
    return list_value(flat);
}

static struct rf_value flatten(struct rf_eval *eval, const struct rf_value *arguments)
{
    return flatten_to(eval, arguments[0].as.list, 1);
}

static struct rf_value flatten_depth(struct rf_eval *eval, const struct rf_value *arguments)
{
    if (arguments[1].as.integer < 0)
        return rf_failure(RF_FAILURE_ARGUMENT, "flatten: the depth is negative");
    return flatten_to(eval, arguments[0].as.list, arguments[1].as.integer);
}

/* Sorting */

/* Keys have to be of one type that has an order, and no NaN. */
static bool can_sort(const struct rf_list *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        bool defined = false;

        if (keys->items[i].kind != keys->items[0].kind ||
            rf_value_order(keys->items[0], keys->items[i], &defined) == RF_ORDER_NONE || !defined)
            return false;
    }
    return true;
}

/* Merges two sorted runs of indexes; the left one wins a tie, which makes the sort stable. */
static void merge(const struct rf_list *keys, const size_t *from, size_t *to, size_t middle,
                  size_t end)
{
    size_t left = 0;
    size_t right = middle;
    bool defined = false;

    for (size_t i = 0; i < end; i++) {
        bool take_right = left == middle;

        if (left < middle && right < end)
            take_right =
                rf_value_order(keys->items[from[right]], keys->items[from[left]], &defined) == -1;
        to[i] = take_right ? from[right++] : from[left++];
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct rf_value rf_list_sorted(struct rf_eval *eval, const struct rf_list *list,
                               const struct rf_list *keys)
{
    size_t count = list->count;
    struct rf_list *sorted = NULL;
    struct rf_value *items = NULL;
    size_t *order = NULL;

    rf_assert(keys->count == count);
    if (!can_sort(keys))
        return rf_failure(RF_FAILURE_NO_OVERLOAD, "sort: the items have no order");
    items = rf_eval_spend(eval, count * 8) ? new_list(eval, count, &sorted) : NULL;
    order = items == NULL ? NULL : rf_eval_alloc(eval, 2 * count * sizeof *order);
    if (order == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width)
            merge(keys, order + at, order + count + at, smaller(width, count - at),
                  smaller(2 * width, count - at));
        memcpy(order, order + count, count * sizeof *order);
    }
    for (size_t i = 0; i < count; i++)
        items[i] = list->items[order[i]];
    return list_value(sorted);
}

static struct rf_value sort(struct rf_eval *eval, const struct rf_value *arguments)
{
    return rf_list_sorted(eval, arguments[0].as.list, arguments[0].as.list);
}

static struct rf_value first(struct rf_eval *eval, const struct rf_value *arguments)
{
    const struct rf_list *list = arguments[0].as.list;

    (void)eval;
    return (struct rf_value){.kind = RF_VALUE_OPTIONAL,
                             .as.optional = list->count == 0 ? NULL : &list->items[0]};
}

static struct rf_value last(struct rf_eval *eval, const struct rf_value *arguments)
{
    const struct rf_list *list = arguments[0].as.list;

    (void)eval;
    return (struct rf_value){.kind = RF_VALUE_OPTIONAL,
                             .as.optional =
                                 list->count == 0 ? NULL : &list->items[list->count - 1]};
}

const struct rf_overload rf_functions_lists[] = {
    {"size", false, "LT", "i", size_of_list},
    {"size", true, "LT", "i", size_of_list},
    {"size", false, "MKT", "i", size_of_map},
    {"size", true, "MKT", "i", size_of_map},
    {"slice", true, "LTii", "LT", slice},
    {"reverse", true, "LT", "LT", reverse},
    {"lists.range", false, "i", "Li", range},
    {"distinct", true, "LT", "LT", distinct},
    {"flatten", true, "LLT", "LT", flatten},
    {"flatten", true, "L*", "L*", flatten},
    {"flatten", true, "L*i", "L*", flatten_depth},
    {"sort", true, "LT", "LT", sort},
    {"first", true, "LT", "OT", first},
    {"last", true, "LT", "OT", last},
    {NULL, false, NULL, NULL, NULL},
};
