#include "edge/config/substitute.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "edge/config/place.h"

#define NAME_SIZE_MAX 128

/* One `${...}` as it is written; offsets into the decoded text. */
struct reference {
    size_t begin, end;
    char name[NAME_SIZE_MAX + 1];
    bool has_default;
    size_t default_begin, default_end;
};

struct scan {
    struct rf_substitution *substitution;
    struct rf_yaml_node *scalar;
    struct rf_buffer out;
    struct rf_yaml_piece *pieces;
    size_t piece_count;
};

static bool is_name_byte(uint8_t byte, bool first)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' ||
           (!first && byte >= '0' && byte <= '9');
}

/* `begin` is at the `$`. False: this is no reference. */
static bool read_reference(struct rf_bytes text, size_t begin, struct reference *reference)
{
    size_t at = begin + 2;
    size_t name_size = 0;

    while (at < text.size && name_size < NAME_SIZE_MAX &&
           is_name_byte(text.data[at], name_size == 0))
        reference->name[name_size++] = (char)text.data[at++];
    reference->name[name_size] = '\0';
    reference->begin = begin;
    reference->has_default = false;
    if (name_size == 0 || at == text.size)
        return false;
    if (text.data[at] == ':' && at + 1 < text.size && text.data[at + 1] == '-') {
        const uint8_t *close = memchr(text.data + at, '}', text.size - at);
        if (close == NULL)
            return false;
        reference->has_default = true;
        reference->default_begin = at + 2;
        at = reference->default_end = (size_t)(close - text.data);
    }
    reference->end = at + 1;
    return text.data[at] == '}';
}

static void add_piece(struct scan *scan, size_t begin, size_t end, bool substituted)
{
    if (begin == end && !substituted)
        return;
    scan->pieces[scan->piece_count++] = (struct rf_yaml_piece){
        .begin = scan->out.size,
        .decoded_begin = begin,
        .decoded_end = end,
        .substituted = substituted,
    };
}

static void copy_decoded(struct scan *scan, size_t begin, size_t end)
{
    add_piece(scan, begin, end, false);
    rf_buffer_append(&scan->out, scan->scalar->decoded.data + begin, end - begin);
}

static void complain_at(struct scan *scan, size_t begin, size_t end, const char *message,
                        const char *hint)
{
    const struct rf_yaml *yaml = scan->substitution->yaml;
    struct rf_place place = {0};

    scan->scalar->unresolved = true;
    if (!rf_complaints_full(yaml))
        place = rf_place_in(yaml, scan->scalar, begin, end - begin);
    place.hint = hint;
    rf_complain(yaml, place, "%s", message);
}

static void put_value(struct scan *scan, const struct reference *reference)
{
    struct rf_substitution *substitution = scan->substitution;
    struct rf_arena *arena = substitution->yaml->arena;
    const char *found = substitution->variable == NULL
                            ? NULL
                            : substitution->variable(substitution->self, reference->name);
    struct rf_bytes value = rf_bytes_of_text(found == NULL ? "" : found);

    if (value.size == 0 && reference->has_default)
        value = rf_bytes_of(scan->scalar->decoded.data + reference->default_begin,
                            reference->default_end - reference->default_begin);
    else if (found == NULL)
        complain_at(
            scan, reference->begin, reference->end,
            rf_arena_printf(arena, "the environment variable %s is not set", reference->name),
            rf_arena_printf(arena, "set it, or give a default: ${%s:-...}", reference->name));
    if (value.size > substitution->room || !rf_bytes_is_utf8(value)) {
        complain_at(scan, reference->begin, reference->end,
                    rf_arena_printf(arena, "the environment variable %s is too large or not UTF-8",
                                    reference->name),
                    NULL);
        return;
    }
    substitution->room -= value.size;
    add_piece(scan, reference->begin, reference->end, true);
    rf_buffer_append(&scan->out, value.data, value.size);
}

/* Returns where to go on. */
static size_t at_dollar(struct scan *scan, size_t begin)
{
    struct rf_bytes text = scan->scalar->decoded;
    struct reference reference;

    if (begin + 2 < text.size && text.data[begin + 1] == '$' && text.data[begin + 2] == '{') {
        copy_decoded(scan, begin + 1, begin + 3);
        return begin + 3;
    }
    if (begin + 1 == text.size || text.data[begin + 1] != '{') {
        copy_decoded(scan, begin, begin + 1);
        return begin + 1;
    }
    if (!read_reference(text, begin, &reference)) {
        complain_at(scan, begin, begin + 2, "this is no environment variable",
                    "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself");
        copy_decoded(scan, begin, begin + 2);
        return begin + 2;
    }
    put_value(scan, &reference);
    return reference.end;
}

static size_t count_dollars(struct rf_bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '$' ? 1 : 0;
    return count;
}

void rf_substitute(struct rf_substitution *substitution, struct rf_yaml_node *scalar)
{
    struct rf_arena *arena = substitution->yaml->arena;
    struct rf_bytes text = scalar->decoded;
    size_t dollar_count = count_dollars(text);
    struct scan scan = {.substitution = substitution, .scalar = scalar};
    size_t at = 0;

    rf_assert(scalar->kind == RF_YAML_SCALAR);
    if (memmem(text.data, text.size, "${", 2) == NULL)
        return;
    rf_buffer_init(&scan.out, text.size + substitution->room + 1);
    scan.pieces = rf_arena_alloc(arena, (2 * dollar_count + 1) * sizeof *scan.pieces);
    while (at < text.size) {
        const uint8_t *dollar = memchr(text.data + at, '$', text.size - at);
        size_t plain_end = dollar == NULL ? text.size : (size_t)(dollar - text.data);
        copy_decoded(&scan, at, plain_end);
        at = plain_end < text.size ? at_dollar(&scan, plain_end) : plain_end;
    }
    rf_assert(!scan.out.overflow);
    rf_assert(scan.piece_count <= 2 * dollar_count + 1);
    scalar->text = rf_arena_copy(arena, rf_buffer_bytes(&scan.out));
    scalar->pieces = scan.pieces;
    scalar->piece_count = scan.piece_count;
    scalar->empty = false;
    rf_buffer_deinit(&scan.out);
}
