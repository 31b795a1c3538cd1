#include "edge/config/place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"

#define MESSAGE_SIZE_MAX 1024
#define EXCERPT_SIZE_MAX 2048

/* What stands behind one of these words and a colon is not shown. */
static const char *const secret_words[] = {"password", "secret", "token",
                                           "key.pem",  "jaas",   "oauthbearer.config"};

/* ---- from a scalar's text to the file ----------------------------------------------------------- */

/* A unit of what is written: one character, an escape, a doubled quote. */
struct unit {
    size_t size;         /* bytes in the file */
    size_t decoded_size; /* bytes of text that it stands for, where it is not white space */
    bool is_space;
};

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t utf8_size(uint32_t code_point)
{
    if (code_point < 0x80)
        return 1;
    if (code_point < 0x800)
        return 2;
    return code_point < 0x10000 ? 3 : 4;
}

static uint32_t hex_value(struct rf_bytes digits)
{
    uint32_t value = 0;

    for (size_t i = 0; i < digits.size; i++) {
        uint8_t c = digits.data[i];
        uint32_t digit = c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
        value = value << 4 | (digit & 0xF);
    }
    return value;
}

/* YAML 1.2, section 5.7. `at` is at the backslash. */
static struct unit escape_unit(struct rf_bytes source, size_t at, size_t end)
{
    struct unit unit = {.size = 2, .decoded_size = 1};
    uint8_t code = at + 1 < end ? source.data[at + 1] : '\n';
    size_t digits = code == 'x' ? 2 : code == 'u' ? 4 : code == 'U' ? 8 : 0;

    if (digits > 0 && at + 2 + digits <= end) {
        uint32_t value = hex_value(rf_bytes_of(source.data + at + 2, digits));
        unit.size = 2 + digits;
        unit.decoded_size = utf8_size(value);
        unit.is_space = value < 0x80 && is_space((uint8_t)value);
    } else if (code == 'n' || code == 't' || code == 'r' || is_space(code)) {
        unit.is_space = true;
    } else if (code == 'N' || code == '_') {
        unit.decoded_size = 2;
    } else if (code == 'L' || code == 'P') {
        unit.decoded_size = 3;
    }
    return unit;
}

static struct unit unit_at(const struct rf_yaml_node *scalar, struct rf_bytes source, size_t at)
{
    uint8_t byte = source.data[at];

    if (is_space(byte))
        return (struct unit){.size = 1, .is_space = true};
    if (scalar->style == RF_YAML_DOUBLE_QUOTED && byte == '\\')
        return escape_unit(source, at, scalar->end);
    if (scalar->style == RF_YAML_SINGLE_QUOTED && byte == '\'')
        return (struct unit){.size = 2, .decoded_size = 1};
    return (struct unit){.size = 1, .decoded_size = 1};
}

static size_t count_solid(struct rf_bytes text, size_t end)
{
    size_t count = 0;

    for (size_t i = 0; i < end && i < text.size; i++)
        count += is_space(text.data[i]) ? 0 : 1;
    return count;
}

/* Folding, indentation and chomping change only white space, so the n-th byte that is none is the
 * n-th in the file too. White space itself is found behind the byte before it. */
static size_t decoded_to_file(const struct rf_yaml *yaml, const struct rf_yaml_node *scalar,
                              size_t offset)
{
    struct rf_bytes text = scalar->decoded;
    size_t solid = count_solid(text, offset);
    bool on_space = offset >= text.size || is_space(text.data[offset]);
    size_t seen = 0;
    size_t at = scalar->begin;

    while (at < scalar->end) {
        struct unit unit = unit_at(scalar, yaml->source, at);
        if (!unit.is_space && !on_space && seen + unit.decoded_size > solid)
            return at;
        if (on_space && seen >= solid)
            break;
        seen += unit.is_space ? 0 : unit.decoded_size;
        at += unit.size;
    }
    if (on_space && offset > 0 && offset < text.size && !is_space(text.data[offset - 1]))
        return at;
    return at < scalar->end ? at : scalar->end;
}

static const struct rf_yaml_piece *piece_at(const struct rf_yaml_node *scalar, size_t offset)
{
    const struct rf_yaml_piece *found = &scalar->pieces[0];

    for (size_t i = 0; i < scalar->piece_count; i++) {
        if (scalar->pieces[i].begin <= offset)
            found = &scalar->pieces[i];
    }
    return found;
}

static size_t text_to_decoded(const struct rf_yaml_node *scalar, size_t offset, bool is_end)
{
    const struct rf_yaml_piece *piece = NULL;
    size_t decoded = 0;

    if (scalar->piece_count == 0)
        return offset;
    piece = piece_at(scalar, offset);
    if (piece->substituted)
        return is_end ? piece->decoded_end - 1 : piece->decoded_begin;
    decoded = piece->decoded_begin + (offset - piece->begin);
    return decoded < piece->decoded_end ? decoded : piece->decoded_end;
}

struct rf_place rf_place_of(const struct rf_yaml_node *node)
{
    return (struct rf_place){.begin = node->begin, .end = node->end};
}

struct rf_place rf_place_in(const struct rf_yaml *yaml, const struct rf_yaml_node *scalar,
                            size_t offset, size_t size)
{
    struct rf_place place = {0};
    size_t last = offset + (size > 0 ? size - 1 : 0);

    rf_assert(scalar->kind == RF_YAML_SCALAR);
    place.begin = decoded_to_file(yaml, scalar, text_to_decoded(scalar, offset, false));
    place.end = decoded_to_file(yaml, scalar, text_to_decoded(scalar, last, true));
    if (place.end < scalar->end)
        place.end++;
    if (place.end < place.begin)
        place.end = place.begin;
    return place;
}

/* ---- from the file to a diagnostic ---------------------------------------------------------------- */

static size_t count_points(struct rf_bytes source, size_t begin, size_t end)
{
    size_t count = 0;

    for (size_t i = begin; i < end; i++)
        count += (source.data[i] & 0xC0U) == 0x80U ? 0 : 1;
    return count;
}

static size_t line_begin(struct rf_bytes source, size_t at)
{
    while (at > 0 && source.data[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(struct rf_bytes source, size_t at)
{
    while (at < source.size && source.data[at] != '\n' && source.data[at] != '\r')
        at++;
    return at;
}

static void mask(char *excerpt, size_t from)
{
    size_t kept = from;

    for (size_t i = from; excerpt[i] != '\0'; i++) {
        if (((unsigned char)excerpt[i] & 0xC0U) != 0x80U)
            excerpt[kept++] = excerpt[i] == ' ' ? ' ' : '*';
    }
    excerpt[kept] = '\0';
}

/* The user and password of an address, up to its last @. */
static void hide_credentials(char *excerpt)
{
    for (char *at = strstr(excerpt, "://"); at != NULL; at = strstr(at, "://")) {
        size_t size = strcspn(at += 3, " \t\"'/?#,");
        char *end = memrchr(at, '@', size);

        for (; end != NULL && at < end; at++)
            *at = '*';
    }
}

static void hide_secrets(char *excerpt)
{
    hide_credentials(excerpt);
    for (size_t i = 0; i < sizeof secret_words / sizeof secret_words[0]; i++) {
        const char *word = strstr(excerpt, secret_words[i]);
        const char *colon = word == NULL ? NULL : strchr(word, ':');
        if (colon != NULL)
            mask(excerpt, (size_t)(colon - excerpt) + 1);
    }
}

static void hide_behind(char *excerpt, size_t offset)
{
    if (offset < strlen(excerpt))
        mask(excerpt, offset);
}

/* One line, whatever stood in the texts that it is made of. */
static void one_line(char *message)
{
    for (char *c = message; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
    }
}

static void locate(const struct rf_yaml *yaml, struct rf_place place,
                   struct rf_diagnostic *diagnostic)
{
    struct rf_bytes source = yaml->source;
    size_t begin = place.begin < source.size ? place.begin : source.size;
    size_t first = line_begin(source, begin);
    size_t last = line_end(source, begin);
    size_t end = place.end < last ? place.end : last;
    size_t excerpt_size = last - first < EXCERPT_SIZE_MAX ? last - first : EXCERPT_SIZE_MAX;
    char *excerpt = rf_arena_printf(yaml->arena, "%.*s", (int)excerpt_size,
                                    source.size == 0 ? "" : (const char *)source.data + first);

    diagnostic->line = 1;
    for (size_t i = 0; i < first; i++)
        diagnostic->line += source.data[i] == '\n' ? 1 : 0;
    diagnostic->column = 1 + count_points(source, first, begin);
    diagnostic->width = end > begin ? count_points(source, begin, end) : 1;
    hide_secrets(excerpt);
    if (place.hide != RF_HIDE_KNOWN)
        hide_behind(excerpt, place.hide == RF_HIDE_FROM ? begin - first : end - first);
    one_line(excerpt);
    diagnostic->excerpt = excerpt;
}

bool rf_complaints_full(const struct rf_yaml *yaml)
{
    return yaml->diagnostics->count == RF_DIAGNOSTICS_MAX;
}

void rf_complain(const struct rf_yaml *yaml, struct rf_place place, const char *format, ...)
{
    struct rf_diagnostic diagnostic = {
        .level = place.level, .file = yaml->file, .hint = place.hint};
    char message[MESSAGE_SIZE_MAX];
    va_list arguments;

    /* Looking for the line costs the length of the file: not for what nobody will read. */
    if (rf_complaints_full(yaml)) {
        yaml->diagnostics->error_count += place.level == RF_DIAGNOSTIC_ERROR ? 1 : 0;
        return;
    }
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    one_line(message);
    diagnostic.message = message;
    locate(yaml, place, &diagnostic);
    rf_diagnostics_add(yaml->diagnostics, &diagnostic);
}
