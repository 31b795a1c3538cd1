/* Text to pieces and pieces to text: split, join, replace. */
#include "core/base/assert.h"
#include "core/expr/function.h"
#include "core/expr/utf8.h"

static size_t count_parts(struct rf_bytes text, struct rf_bytes separator)
{
    size_t count = 1;
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;

    if (separator.size == 0)
        return rf_utf8_count(text);
    while ((at = memmem(at, (size_t)(end - at), separator.data, separator.size)) != NULL) {
        count++;
        at += separator.size;
    }
    return count;
}

/* Where the next piece of text[at...] ends, and where the one behind it begins. */
static size_t next_piece(struct rf_bytes text, struct rf_bytes separator, size_t at, size_t *next)
{
    const uint8_t *found = NULL;

    if (separator.size == 0) {
        *next = at + rf_utf8_size(text.data[at]);
        return *next;
    }
    found = memmem(text.data + at, text.size - at, separator.data, separator.size);
    rf_assert(found != NULL);
    *next = (size_t)(found - text.data) + separator.size;
    return (size_t)(found - text.data);
}

static struct rf_value split_into(struct rf_eval *eval, struct rf_bytes text,
                                  struct rf_bytes separator, int64_t limit)
{
    size_t count = text.size == 0 && separator.size > 0 ? 1 : count_parts(text, separator);
    struct rf_list *list = NULL;
    struct rf_value *items = NULL;
    size_t at = 0;

    if (limit >= 0 && (uint64_t)limit < count)
        count = (size_t)limit;
    if (!rf_eval_spend(eval, text.size / 8 + count))
        return rf_eval_exhausted(eval);
    list = rf_eval_alloc(eval, sizeof *list);
    items = list == NULL ? NULL : rf_eval_alloc(eval, count * sizeof *items);
    if (items == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < count; i++) {
        size_t next = text.size;
        size_t end = i + 1 == count ? text.size : next_piece(text, separator, at, &next);

        items[i] = rf_value_string(rf_bytes_of(text.data + at, end - at));
        at = next;
    }
    *list = (struct rf_list){.count = count, .items = items};
    return (struct rf_value){.kind = RF_VALUE_LIST, .as.list = list};
}

static struct rf_value split(struct rf_eval *eval, const struct rf_value *arguments)
{
    return split_into(eval, arguments[0].as.text, arguments[1].as.text, -1);
}

static struct rf_value split_limit(struct rf_eval *eval, const struct rf_value *arguments)
{
    return split_into(eval, arguments[0].as.text, arguments[1].as.text, arguments[2].as.integer);
}

static struct rf_value join_with(struct rf_eval *eval, const struct rf_list *list,
                                 struct rf_bytes separator)
{
    size_t size = list->count == 0 ? 0 : (list->count - 1) * separator.size;
    uint8_t *text = NULL;
    uint8_t *at = NULL;

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != RF_VALUE_STRING)
            return rf_failure(RF_FAILURE_NO_OVERLOAD, "join");
        size += list->items[i].as.text.size;
    }
    if (!rf_eval_spend(eval, list->count + size / 16))
        return rf_eval_exhausted(eval);
    text = at = rf_eval_alloc(eval, size);
    if (text == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < list->count; i++) {
        struct rf_bytes item = list->items[i].as.text;

        if (i > 0 && separator.size > 0)
            memcpy(at, separator.data, separator.size);
        at += i > 0 ? separator.size : 0;
        if (item.size > 0)
            memcpy(at, item.data, item.size);
        at += item.size;
    }
    rf_assert(at == text + size);
    return rf_value_string(rf_bytes_of(text, size));
}

static struct rf_value join(struct rf_eval *eval, const struct rf_value *arguments)
{
    return join_with(eval, arguments[0].as.list, rf_bytes_of("", 0));
}

static struct rf_value join_separator(struct rf_eval *eval, const struct rf_value *arguments)
{
    return join_with(eval, arguments[0].as.list, arguments[1].as.text);
}

/* The next place at or behind `at` where `old` is; an empty one is between all characters. */
static size_t next_match(struct rf_bytes text, struct rf_bytes old, size_t at, bool first)
{
    const uint8_t *found = NULL;

    if (old.size == 0 && first)
        return 0;
    if (old.size == 0)
        return at < text.size ? at + rf_utf8_size(text.data[at]) : SIZE_MAX;
    found = text.size - at < old.size ? NULL
                                      : memmem(text.data + at, text.size - at, old.data, old.size);
    return found == NULL ? SIZE_MAX : (size_t)(found - text.data);
}

static struct rf_value replace_up_to(struct rf_eval *eval, const struct rf_value *arguments,
                                     int64_t limit)
{
    struct rf_bytes text = arguments[0].as.text;
    struct rf_bytes old = arguments[1].as.text;
    struct rf_bytes new = arguments[2].as.text;
    struct rf_buffer buffer;
    struct rf_value result;
    size_t at = 0;

    rf_buffer_init(&buffer, eval->memory_left);
    for (int64_t done = 0; limit < 0 || done < limit; done++) {
        size_t match = next_match(text, old, at, done == 0);

        if (match == SIZE_MAX || buffer.overflow || !rf_eval_spend(eval, 1))
            break;
        rf_buffer_append(&buffer, text.data + at, match - at);
        rf_buffer_append(&buffer, new.data, new.size);
        at = match + old.size;
    }
    rf_buffer_append(&buffer, text.data + at, text.size - at);
    if (eval->exhausted)
        result = rf_eval_exhausted(eval);
    else
        result = buffer.overflow ? rf_eval_too_large(eval)
                                 : rf_eval_string(eval, rf_buffer_bytes(&buffer));
    rf_buffer_deinit(&buffer);
    return result;
}

static struct rf_value replace(struct rf_eval *eval, const struct rf_value *arguments)
{
    return replace_up_to(eval, arguments, -1);
}

static struct rf_value replace_limit(struct rf_eval *eval, const struct rf_value *arguments)
{
    return replace_up_to(eval, arguments, arguments[3].as.integer);
}

const struct rf_overload rf_functions_text[] = {
    {"split", true, "ss", "Ls", split},     {"split", true, "ssi", "Ls", split_limit},
    {"join", true, "Ls", "s", join},        {"join", true, "Lss", "s", join_separator},
    {"replace", true, "sss", "s", replace}, {"replace", true, "sssi", "s", replace_limit},
    {NULL, false, NULL, NULL, NULL},
};
