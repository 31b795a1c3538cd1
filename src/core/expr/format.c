/* "%s dropped %d calls".format([name, count]), of the `strings` extension. */
#include "core/expr/format.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/expr/function.h"
#include "core/expr/types.h"

#define PRECISION_DEFAULT 6
#define PRECISION_MAX     1000
#define FIXED_SIZE_MAX    (310 + 1 + PRECISION_MAX + 2)

static const char not_shown[] = "format: a value that %s cannot show";
static const char needs_number[] = "format: %d needs a number";
static const char needs_fraction[] = "format: %f and %e need a number";
static const char needs_integer[] = "format: %b, %o and %x need an integer";
static const char unknown_clause[] = "format: unknown clause";
static const char unfinished[] = "format: unfinished clause";
static const char too_precise[] = "format: precision above 1000";
static const char too_few[] = "format: more clauses than arguments";

struct formatting {
    struct rf_eval *eval;
    struct rf_buffer *out;
    struct rf_value failure; /* NULL kind: none */
};

static bool fails(struct formatting *formatting, const char *message)
{
    formatting->failure = rf_failure(RF_FAILURE_ARGUMENT, message);
    return false;
}

/* A double without an exponent, as short as it can be: the digits of the shortest form, moved. */
static void print_plain(struct rf_buffer *out, double number)
{
    char text[RF_DOUBLE_TEXT_MAX + 1] = {0};
    size_t size = rf_double_format(text, RF_DOUBLE_TEXT_MAX, number);
    const char *exponent_at = NULL;
    const char *point_at = NULL;
    char digits[RF_DOUBLE_TEXT_MAX];
    int64_t exponent = 0;
    int count = 0;
    int point = 0; /* how many digits are before it */

    text[size] = '\0';
    exponent_at = strchr(text, 'e');
    if (exponent_at == NULL || number - number != 0) {
        rf_buffer_append(out, text, size);
        return;
    }
    rf_int64_parse(rf_bytes_of_text(exponent_at[1] == '+' ? exponent_at + 2 : exponent_at + 1),
                   &exponent);
    point_at = strchr(text, '.');
    for (const char *c = text; c < exponent_at; c++) {
        if (*c >= '0' && *c <= '9')
            digits[count++] = *c;
        if (c == point_at)
            point = count;
    }
    point = (point_at == NULL ? count : point) + (int)exponent;
    if (text[0] == '-')
        rf_buffer_append_byte(out, '-');
    if (point <= 0)
        rf_buffer_append_text(out, "0.");
    for (int i = point; i < 0; i++)
        rf_buffer_append_byte(out, '0');
    for (int i = 0; i < count || i < point; i++) {
        if (i == point && i > 0)
            rf_buffer_append_byte(out, '.');
        rf_buffer_append_byte(out, i < count ? (uint8_t)digits[i] : '0');
    }
}

static bool print_string(struct formatting *formatting, struct rf_value value);

static bool print_list(struct formatting *formatting, const struct rf_list *list)
{
    rf_buffer_append_byte(formatting->out, '[');
    for (size_t i = 0; i < list->count && !formatting->out->overflow; i++) {
        if (i > 0)
            rf_buffer_append_text(formatting->out, ", ");
        if (!print_string(formatting, list->items[i]))
            return false;
    }
    rf_buffer_append_byte(formatting->out, ']');
    return true;
}

struct entry {
    struct rf_bytes key;
    const struct rf_value *value;
    size_t index;
};

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int order = rf_bytes_compare(a->key, b->key);

    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* In the order of the keys as text, so that the same map always gives the same text. */
static bool print_map(struct formatting *formatting, const struct rf_map *map)
{
    struct rf_buffer *out = formatting->out;
    struct entry *entries = rf_eval_alloc(formatting->eval, map->count * sizeof *entries);

    if (entries == NULL)
        return false;
    for (size_t i = 0; i < map->count; i++) {
        size_t start = out->size;
        struct rf_value copy;

        if (!print_string(formatting, map->keys[i]) || out->overflow)
            return false;
        copy = rf_eval_string(formatting->eval, rf_bytes_of(out->data + start, out->size - start));
        out->size = start;
        if (rf_value_is_failure(copy))
            return false;
        entries[i] = (struct entry){.key = copy.as.text, .value = &map->values[i], .index = i};
    }
    qsort(entries, map->count, sizeof *entries, compare_entries);
    rf_buffer_append_byte(out, '{');
    for (size_t i = 0; i < map->count && !out->overflow; i++) {
        if (i > 0)
            rf_buffer_append_text(out, ", ");
        rf_buffer_append(out, entries[i].key.data, entries[i].key.size);
        rf_buffer_append_text(out, ": ");
        if (!print_string(formatting, *entries[i].value))
            return false;
    }
    rf_buffer_append_byte(out, '}');
    return true;
}

static bool print_string(struct formatting *formatting, struct rf_value value)
{
    struct rf_buffer *out = formatting->out;

    switch ((enum rf_value_kind)value.kind) {
    case RF_VALUE_LIST:
        return print_list(formatting, value.as.list);
    case RF_VALUE_MAP:
        return print_map(formatting, value.as.map);
    case RF_VALUE_STRING:
        rf_buffer_append(out, value.as.text.data, value.as.text.size);
        return true;
    case RF_VALUE_BYTES:
        if (!rf_bytes_is_utf8(value.as.text))
            return fails(formatting, "format: the bytes for %s are not UTF-8");
        rf_buffer_append(out, value.as.text.data, value.as.text.size);
        return true;
    case RF_VALUE_UINT:
        rf_buffer_printf(out, "%llu", (unsigned long long)value.as.uinteger);
        return true;
    case RF_VALUE_DOUBLE:
        print_plain(out, value.as.number);
        return true;
    case RF_VALUE_TIMESTAMP:
        rf_print_timestamp(out, value);
        return true;
    case RF_VALUE_DURATION:
        rf_print_duration(out, value);
        return true;
    case RF_VALUE_NULL:
    case RF_VALUE_BOOL:
    case RF_VALUE_INT:
    case RF_VALUE_TYPE:
        rf_value_print(out, value); /* as a literal is written */
        return true;
    case RF_VALUE_RECORD:
    case RF_VALUE_OPTIONAL:
        break;
    }
    return fails(formatting, not_shown);
}

static bool print_decimal(struct formatting *formatting, struct rf_value value)
{
    if (value.kind != RF_VALUE_INT && value.kind != RF_VALUE_UINT && value.kind != RF_VALUE_DOUBLE)
        return fails(formatting, needs_number);
    return print_string(formatting, value);
}

/* %f and %e */
static bool print_fixed(struct formatting *formatting, struct rf_value value, int precision,
                        bool scientific)
{
    char text[FIXED_SIZE_MAX];
    double number = 0;
    int size = 0;

    if (value.kind == RF_VALUE_INT)
        number = (double)value.as.integer;
    else if (value.kind == RF_VALUE_UINT)
        number = (double)value.as.uinteger;
    else if (value.kind == RF_VALUE_DOUBLE)
        number = value.as.number;
    else
        return fails(formatting, needs_fraction);
    if (number - number != 0) {
        print_plain(formatting->out, number);
        return true;
    }
    /* exact, and in the C locale, which nobody here leaves */
    size = scientific ? snprintf(text, sizeof text, "%.*e", precision, number)
                      : snprintf(text, sizeof text, "%.*f", precision, number);
    rf_assert(size > 0 && (size_t)size < sizeof text);
    rf_buffer_append(formatting->out, text, (size_t)size);
    return true;
}

static void print_digits(struct rf_buffer *out, uint64_t number, uint32_t base, bool upper)
{
    const char *letters = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[64];
    size_t at = sizeof text;

    do {
        text[--at] = letters[number % base];
        number /= base;
    } while (number > 0);
    rf_buffer_append(out, text + at, sizeof text - at);
}

/* %b, %o, %x and %X; a negative number is a minus and the digits of its magnitude. */
static bool print_integer(struct formatting *formatting, struct rf_value value, uint32_t base,
                          bool upper)
{
    struct rf_buffer *out = formatting->out;
    uint64_t magnitude = value.as.uinteger;

    if (value.kind == RF_VALUE_INT && value.as.integer < 0) {
        rf_buffer_append_byte(out, '-');
        magnitude = 0 - magnitude;
    } else if (value.kind == RF_VALUE_BOOL && base == 2) {
        magnitude = value.as.boolean;
    } else if (value.kind != RF_VALUE_INT && value.kind != RF_VALUE_UINT) {
        return fails(formatting, needs_integer);
    }
    print_digits(out, magnitude, base, upper);
    return true;
}

static bool print_hex(struct formatting *formatting, struct rf_value value, bool upper)
{
    if (value.kind != RF_VALUE_STRING && value.kind != RF_VALUE_BYTES)
        return print_integer(formatting, value, 16, upper);
    for (size_t i = 0; i < value.as.text.size; i++)
        rf_buffer_printf(formatting->out, upper ? "%02X" : "%02x", value.as.text.data[i]);
    return true;
}

static bool print_argument(struct formatting *formatting, uint8_t clause, int precision,
                           struct rf_value value)
{
    switch (clause) {
    case 's':
        return print_string(formatting, value);
    case 'd':
        return print_decimal(formatting, value);
    case 'f':
    case 'e':
        return print_fixed(formatting, value, precision, clause == 'e');
    case 'b':
        return print_integer(formatting, value, 2, false);
    case 'o':
        return print_integer(formatting, value, 8, false);
    case 'x':
    case 'X':
        return print_hex(formatting, value, clause == 'X');
    default:
        return fails(formatting, unknown_clause);
    }
}

/* ".3" behind a percent sign. */
/* What a format is made of, piece by piece. */
enum piece {
    PIECE_END,
    PIECE_TEXT,   /* `byte` as it is */
    PIECE_CLAUSE, /* for one argument: the letter `byte`, with `precision` */
    PIECE_FAULT,
};

struct pieces {
    struct rf_bytes format;
    size_t at;
    uint8_t byte;
    int precision;
    const char *fault;
};

static bool take_precision(struct pieces *pieces)
{
    struct rf_bytes format = pieces->format;

    pieces->precision = PRECISION_DEFAULT;
    if (pieces->at == format.size || format.data[pieces->at] != '.')
        return true;
    pieces->precision = 0;
    for (pieces->at++; pieces->at < format.size && format.data[pieces->at] >= '0' &&
                       format.data[pieces->at] <= '9';
         pieces->at++) {
        pieces->precision = pieces->precision * 10 + (format.data[pieces->at] - '0');
        if (pieces->precision > PRECISION_MAX)
            return false;
    }
    return true;
}

static enum piece next_piece(struct pieces *pieces)
{
    struct rf_bytes format = pieces->format;

    if (pieces->at == format.size)
        return PIECE_END;
    pieces->byte = format.data[pieces->at++];
    if (pieces->byte != '%')
        return PIECE_TEXT;
    if (pieces->at < format.size && format.data[pieces->at] == '%') {
        pieces->at++;
        return PIECE_TEXT;
    }
    pieces->fault = !take_precision(pieces)     ? too_precise
                    : pieces->at == format.size ? unfinished
                                                : NULL;
    if (pieces->fault != NULL)
        return PIECE_FAULT;
    pieces->byte = format.data[pieces->at++];
    return PIECE_CLAUSE;
}

static bool format_all(struct formatting *formatting, struct rf_bytes format,
                       const struct rf_list *list)
{
    struct pieces pieces = {.format = format};
    size_t used = 0;

    while (!formatting->out->overflow) {
        switch (next_piece(&pieces)) {
        case PIECE_END:
            return true;
        case PIECE_TEXT:
            rf_buffer_append_byte(formatting->out, pieces.byte);
            break;
        case PIECE_CLAUSE:
            if (used == list->count)
                return fails(formatting, too_few);
            if (!print_argument(formatting, pieces.byte, pieces.precision, list->items[used++]))
                return false;
            break;
        case PIECE_FAULT:
            return fails(formatting, pieces.fault);
        }
    }
    return true;
}

#define KIND(name) (1u << RF_VALUE_##name)
#define NUMBERS    (KIND(INT) | KIND(UINT) | KIND(DOUBLE))
#define INTEGERS   (KIND(INT) | KIND(UINT))

static const struct clause {
    char letter;
    uint16_t kinds; /* that it takes */
    const char *message;
} clauses[] = {
    {'s', (uint16_t) ~(KIND(RECORD) | KIND(OPTIONAL)), not_shown},
    {'d', NUMBERS, needs_number},
    {'f', NUMBERS, needs_fraction},
    {'e', NUMBERS, needs_fraction},
    {'b', INTEGERS | KIND(BOOL), needs_integer},
    {'o', INTEGERS, needs_integer},
    {'x', INTEGERS | KIND(STRING) | KIND(BYTES), needs_integer},
    {'X', INTEGERS | KIND(STRING) | KIND(BYTES), needs_integer},
};

static const struct clause *find_clause(uint8_t letter)
{
    for (size_t i = 0; i < sizeof clauses / sizeof clauses[0]; i++) {
        if (clauses[i].letter == letter)
            return &clauses[i];
    }
    return NULL;
}

/* It may be of a kind that the clause takes, and it is not null where that takes none. */
static bool suits(const struct clause *clause, uint16_t kinds)
{
    bool may_be_null = kinds != UINT16_MAX && (kinds & KIND(NULL)) != 0;

    return (kinds & clause->kinds) != 0 && (!may_be_null || (clause->kinds & KIND(NULL)) != 0);
}

const char *rf_format_check(struct rf_bytes format, const struct rf_format_arguments *arguments,
                            size_t *bad)
{
    struct pieces pieces = {.format = format};
    size_t used = 0;

    *bad = SIZE_MAX;
    for (enum piece piece = next_piece(&pieces); piece != PIECE_END; piece = next_piece(&pieces)) {
        const struct clause *clause = NULL;

        if (piece == PIECE_TEXT)
            continue;
        if (piece == PIECE_FAULT)
            return pieces.fault;
        if (used == arguments->count)
            return too_few;
        clause = find_clause(pieces.byte);
        if (clause == NULL)
            return unknown_clause;
        if (arguments->kinds != NULL && !suits(clause, arguments->kinds[used])) {
            *bad = used;
            return clause->message;
        }
        used++;
    }
    return NULL;
}

static struct rf_value format(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_buffer buffer;
    struct formatting formatting = {.eval = eval, .out = &buffer};
    struct rf_value result;

    if (!rf_eval_spend(eval, 8 + arguments[0].as.text.size / 8))
        return rf_eval_exhausted(eval);
    rf_buffer_init(&buffer, eval->memory_left);
    if (!format_all(&formatting, arguments[0].as.text, arguments[1].as.list))
        result = eval->exhausted ? rf_eval_exhausted(eval) : formatting.failure;
    else if (buffer.overflow)
        result = rf_eval_too_large(eval);
    else
        result = rf_eval_string(eval, rf_buffer_bytes(&buffer));
    rf_buffer_deinit(&buffer);
    return result;
}

const struct rf_overload rf_functions_format[] = {
    {"format", true, "sL*", "s", format},
    {NULL, false, NULL, NULL, NULL},
};
