/* Text: what the specification has, and the `strings` extension except format(). Positions are characters. */
#include "core/base/assert.h"
#include "core/expr/function.h"
#include "core/expr/utf8.h"

static struct rf_value argument_failure(const char *text)
{
    return rf_failure(RF_FAILURE_ARGUMENT, text);
}

static const uint8_t *find(struct rf_bytes text, struct rf_bytes part)
{
    return part.size == 0 ? text.data : memmem(text.data, text.size, part.data, part.size);
}

static bool contains(struct rf_bytes text, struct rf_bytes part)
{
    return part.size == 0 || (part.size <= text.size && find(text, part) != NULL);
}

static struct rf_value run_contains(struct rf_eval *eval, const struct rf_value *arguments)
{
    if (!rf_eval_spend(eval, arguments[0].as.text.size / 16))
        return rf_eval_exhausted(eval);
    return rf_value_bool(contains(arguments[0].as.text, arguments[1].as.text));
}

static struct rf_value starts_with(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes text = arguments[0].as.text;
    struct rf_bytes part = arguments[1].as.text;

    (void)eval;
    if (part.size > text.size)
        return rf_value_bool(false);
    return rf_value_bool(rf_bytes_equal(rf_bytes_of(text.data, part.size), part));
}

static struct rf_value ends_with(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes text = arguments[0].as.text;
    struct rf_bytes part = arguments[1].as.text;

    (void)eval;
    if (part.size > text.size || part.size == 0)
        return rf_value_bool(part.size == 0);
    return rf_value_bool(
        rf_bytes_equal(rf_bytes_of(text.data + text.size - part.size, part.size), part));
}

static struct rf_value size_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes text = arguments[0].as.text;

    if (arguments[0].kind == RF_VALUE_BYTES)
        return rf_value_int((int64_t)text.size);
    if (!rf_eval_spend(eval, text.size / 16))
        return rf_eval_exhausted(eval);
    return rf_value_int((int64_t)rf_utf8_count(text));
}

static struct rf_value char_at(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes text = arguments[0].as.text;
    int64_t index = arguments[1].as.integer;
    size_t at = index < 0 ? SIZE_MAX : rf_utf8_offset(text, (uint64_t)index);

    if (at == SIZE_MAX)
        return argument_failure("charAt: index out of range");
    if (!rf_eval_spend(eval, at / 16))
        return rf_eval_exhausted(eval);
    if (at == text.size)
        return rf_value_string(rf_bytes_of("", 0));
    return rf_value_string(rf_bytes_of(text.data + at, rf_utf8_size(text.data[at])));
}

/* substring(from), substring(from, to): views, nothing is copied. */
static struct rf_value cut(struct rf_eval *eval, struct rf_bytes text, int64_t from, int64_t to)
{
    size_t start = 0;
    size_t end = 0;

    if (!rf_eval_spend(eval, text.size / 8))
        return rf_eval_exhausted(eval);
    if (from < 0 || to < from)
        return argument_failure("substring: index out of range");
    start = rf_utf8_offset(text, (uint64_t)from);
    end = to == INT64_MAX ? text.size : rf_utf8_offset(text, (uint64_t)to);
    if (start == SIZE_MAX || end == SIZE_MAX)
        return argument_failure("substring: index out of range");
    return rf_value_string(rf_bytes_of(text.data + start, end - start));
}

static struct rf_value substring_from(struct rf_eval *eval, const struct rf_value *arguments)
{
    return cut(eval, arguments[0].as.text, arguments[1].as.integer, INT64_MAX);
}

static struct rf_value substring(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t to = arguments[2].as.integer;

    return cut(eval, arguments[0].as.text, arguments[1].as.integer,
               to == INT64_MAX ? INT64_MAX - 1 : to);
}

/* indexOf, lastIndexOf */

static int64_t characters_before(struct rf_bytes text, const uint8_t *at)
{
    return (int64_t)rf_utf8_count(rf_bytes_of(text.data, (size_t)(at - text.data)));
}

static struct rf_value index_from(struct rf_eval *eval, struct rf_bytes text, struct rf_bytes part,
                                  int64_t from)
{
    size_t start = from < 0 ? SIZE_MAX : rf_utf8_offset(text, (uint64_t)from);
    const uint8_t *found = NULL;

    if (!rf_eval_spend(eval, text.size / 8))
        return rf_eval_exhausted(eval);
    if (start == SIZE_MAX)
        return argument_failure("indexOf: index out of range");
    if (part.size == 0)
        return rf_value_int(from);
    if (part.size <= text.size - start)
        found = find(rf_bytes_of(text.data + start, text.size - start), part);
    return rf_value_int(found == NULL ? -1 : characters_before(text, found));
}

static struct rf_value index_of(struct rf_eval *eval, const struct rf_value *arguments)
{
    return index_from(eval, arguments[0].as.text, arguments[1].as.text, 0);
}

static struct rf_value index_of_from(struct rf_eval *eval, const struct rf_value *arguments)
{
    return index_from(eval, arguments[0].as.text, arguments[1].as.text, arguments[2].as.integer);
}

/* The last occurrence that begins at byte `start` or before. */
static struct rf_value last_index(struct rf_eval *eval, struct rf_bytes text, struct rf_bytes part,
                                  size_t start)
{
    if (!rf_eval_spend(eval, text.size / 8 * (1 + part.size / 16)))
        return rf_eval_exhausted(eval);
    if (part.size > text.size)
        return rf_value_int(-1);
    if (start > text.size - part.size)
        start = text.size - part.size;
    for (size_t at = start + 1; at > 0; at--) {
        if (part.size == 0 || memcmp(text.data + at - 1, part.data, part.size) == 0)
            return rf_value_int(characters_before(text, text.data + at - 1));
    }
    return rf_value_int(-1);
}

static struct rf_value last_index_of(struct rf_eval *eval, const struct rf_value *arguments)
{
    return last_index(eval, arguments[0].as.text, arguments[1].as.text, arguments[0].as.text.size);
}

static struct rf_value last_index_of_from(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t from = arguments[2].as.integer;
    size_t start = from < 0 ? SIZE_MAX : rf_utf8_offset(arguments[0].as.text, (uint64_t)from);

    if (start == SIZE_MAX)
        return argument_failure("lastIndexOf: index out of range");
    return last_index(eval, arguments[0].as.text, arguments[1].as.text, start);
}

/* Copies with every byte mapped. */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}

static struct rf_value mapped(struct rf_eval *eval, struct rf_bytes text, uint8_t (*map)(uint8_t))
{
    uint8_t *copy = NULL;

    if (!rf_eval_spend(eval, text.size / 8))
        return rf_eval_exhausted(eval);
    copy = rf_eval_alloc(eval, text.size);
    if (copy == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < text.size; i++)
        copy[i] = map(text.data[i]);
    return rf_value_string(rf_bytes_of(copy, text.size));
}

static struct rf_value lower_ascii(struct rf_eval *eval, const struct rf_value *arguments)
{
    return mapped(eval, arguments[0].as.text, lower);
}

static struct rf_value upper_ascii(struct rf_eval *eval, const struct rf_value *arguments)
{
    return mapped(eval, arguments[0].as.text, upper);
}

static struct rf_value reverse(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes text = arguments[0].as.text;
    uint8_t *copy = NULL;
    size_t at = 0;

    if (!rf_eval_spend(eval, text.size / 8))
        return rf_eval_exhausted(eval);
    copy = rf_eval_alloc(eval, text.size);
    if (copy == NULL)
        return rf_eval_exhausted(eval);
    while (at < text.size) {
        size_t size = rf_utf8_size(text.data[at]);

        memcpy(copy + text.size - at - size, text.data + at, size);
        at += size;
    }
    return rf_value_string(rf_bytes_of(copy, text.size));
}

/* Unicode's White_Space. */
static bool is_space(uint32_t rune)
{
    return (rune >= 0x09 && rune <= 0x0d) || rune == 0x20 || rune == 0x85 || rune == 0xa0 ||
           rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
           rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

static struct rf_value trim(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes text = arguments[0].as.text;
    size_t start = 0;
    size_t end = 0; /* behind the last character that is no space */

    if (!rf_eval_spend(eval, text.size / 8))
        return rf_eval_exhausted(eval);
    while (start < text.size && is_space(rf_utf8_decode(text.data + start)))
        start += rf_utf8_size(text.data[start]);
    end = start;
    for (size_t at = start; at < text.size;) {
        bool space = is_space(rf_utf8_decode(text.data + at));

        at += rf_utf8_size(text.data[at]);
        if (!space)
            end = at;
    }
    return rf_value_string(rf_bytes_of(text.data + start, end - start));
}

/* strings.quote: as a CEL literal would be written, without escaping what is printable. */
static struct rf_value quote(struct rf_eval *eval, const struct rf_value *arguments)
{
    static const char escapes[] = "\aa\bb\ff\nn\rr\tt\vv\"\"\\\\";
    struct rf_bytes text = arguments[0].as.text;
    struct rf_buffer buffer;
    struct rf_value result;

    rf_buffer_init(&buffer, eval->memory_left);
    rf_buffer_append_byte(&buffer, '"');
    for (size_t i = 0; i < text.size; i++) {
        const char *pair = escapes;

        while (*pair != '\0' && (uint8_t)*pair != text.data[i])
            pair += 2;
        if (*pair != '\0')
            rf_buffer_append_byte(&buffer, '\\');
        rf_buffer_append_byte(&buffer, *pair != '\0' ? (uint8_t)pair[1] : text.data[i]);
    }
    rf_buffer_append_byte(&buffer, '"');
    result =
        buffer.overflow ? rf_eval_too_large(eval) : rf_eval_string(eval, rf_buffer_bytes(&buffer));
    rf_buffer_deinit(&buffer);
    return result;
}

const struct rf_overload rf_functions_strings[] = {
    {"contains", true, "ss", "b", run_contains},
    {"startsWith", true, "ss", "b", starts_with},
    {"endsWith", true, "ss", "b", ends_with},
    {"size", false, "s", "i", size_of_text},
    {"size", true, "s", "i", size_of_text},
    {"size", false, "y", "i", size_of_text},
    {"size", true, "y", "i", size_of_text},
    {"charAt", true, "si", "s", char_at},
    {"indexOf", true, "ss", "i", index_of},
    {"indexOf", true, "ssi", "i", index_of_from},
    {"lastIndexOf", true, "ss", "i", last_index_of},
    {"lastIndexOf", true, "ssi", "i", last_index_of_from},
    {"lowerAscii", true, "s", "s", lower_ascii},
    {"upperAscii", true, "s", "s", upper_ascii},
    {"reverse", true, "s", "s", reverse},
    {"substring", true, "si", "s", substring_from},
    {"substring", true, "sii", "s", substring},
    {"trim", true, "s", "s", trim},
    {"strings.quote", false, "s", "s", quote},
    {NULL, false, NULL, NULL, NULL},
};
