#include "core/expr/lexer.h"

#include "core/base/assert.h"
#include "core/expr/utf8.h"

/* Where the decoded bytes of one literal go: never longer than its source. */
struct decoding {
    struct rf_lexer *lexer;
    uint8_t *out;
    size_t size;
    bool bytes; /* escapes are octets, not code points */
};

static const char simple_escapes[] = "a\ab\bf\fn\nr\rt\tv\v\\\\??\"\"''``";

static int digit_of(uint8_t c, uint32_t base)
{
    int digit = -1;

    if (c >= '0' && c <= '9')
        digit = c - '0';
    else if (c >= 'a' && c <= 'f')
        digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        digit = c - 'A' + 10;
    return digit < (int)base ? digit : -1;
}

/* Exactly `count` digits from text[at] on. */
static bool read_digits(const struct rf_lexer *lexer, size_t at, size_t count, uint32_t base,
                        uint32_t *number)
{
    *number = 0;
    if (lexer->text.size - at < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int digit = digit_of(lexer->text.data[at + i], base);

        if (digit < 0)
            return false;
        *number = *number * base + (uint32_t)digit;
    }
    return true;
}

/* How an escape that names a number is written: which digits, how many. */
static bool numeric_escape(uint8_t c, bool bytes, size_t *count, uint32_t *base)
{
    *base = 16;
    if (c == 'x' || c == 'X') {
        *count = 2;
        return true;
    }
    if (c >= '0' && c <= '3') {
        *count = 3;
        *base = 8;
        return true;
    }
    *count = c == 'u' ? 4 : 8;
    return (c == 'u' || c == 'U') && !bytes;
}

static bool decode_escape(struct decoding *decoding)
{
    struct rf_lexer *lexer = decoding->lexer;
    size_t start = lexer->at; /* on the backslash */
    uint8_t c = lexer->text.size - start > 1 ? lexer->text.data[start + 1] : 0;
    size_t count = 0;
    uint32_t base = 0;
    uint32_t number = 0;

    for (const char *pair = simple_escapes; *pair != '\0'; pair += 2) {
        if ((uint8_t)pair[0] == c) {
            decoding->out[decoding->size++] = (uint8_t)pair[1];
            lexer->at += 2;
            return true;
        }
    }
    if (!numeric_escape(c, decoding->bytes, &count, &base))
        return rf_lexer_fault(lexer, start, 2, "unknown escape in a literal");
    lexer->at = start + (base == 8 ? 1 : 2);
    if (!read_digits(lexer, lexer->at, count, base, &number))
        return rf_lexer_fault(lexer, start, 2, "malformed escape in a literal");
    lexer->at += count;
    if (decoding->bytes) {
        decoding->out[decoding->size++] = (uint8_t)number;
        return true;
    }
    if (number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff))
        return rf_lexer_fault(lexer, start, lexer->at - start, "escape is not a Unicode character");
    decoding->size += rf_utf8_encode(decoding->out + decoding->size, number);
    return true;
}

static bool at_quotes(const struct rf_lexer *lexer, uint8_t quote, size_t count)
{
    if (lexer->text.size - lexer->at < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (lexer->text.data[lexer->at + i] != quote)
            return false;
    }
    return true;
}

static bool decode(struct decoding *decoding, size_t start, uint8_t quote, bool raw)
{
    struct rf_lexer *lexer = decoding->lexer;
    size_t quotes = at_quotes(lexer, quote, 3) ? 3 : 1;

    lexer->at += quotes;
    while (!at_quotes(lexer, quote, quotes)) {
        uint8_t c = lexer->at < lexer->text.size ? lexer->text.data[lexer->at] : '\n';

        if (lexer->at == lexer->text.size || (quotes == 1 && (c == '\n' || c == '\r')))
            return rf_lexer_fault(lexer, start, lexer->at - start,
                                  "literal without its closing quote");
        if (c == '\\' && !raw) {
            if (!decode_escape(decoding))
                return false;
            continue;
        }
        decoding->out[decoding->size++] = c;
        lexer->at++;
    }
    lexer->at += quotes;
    return true;
}

bool rf_lexer_text(struct rf_lexer *lexer, struct rf_token *token, bool raw, bool bytes)
{
    uint8_t quote = lexer->text.data[lexer->at];
    struct decoding decoding = {.lexer = lexer, .bytes = bytes};
    struct rf_bytes text;

    /* one piece of memory for all literals of a text: none is longer than its source */
    if (lexer->decoded == NULL)
        lexer->decoded = rf_arena_alloc_bytes(lexer->arena, lexer->text.size);
    decoding.out = lexer->decoded + lexer->decoded_size;
    if (!decode(&decoding, token->offset, quote, raw))
        return false;
    lexer->decoded_size += decoding.size;
    rf_assert(lexer->decoded_size <= lexer->text.size);
    text = rf_bytes_of(decoding.out, decoding.size);
    token->kind = RF_TOKEN_LITERAL;
    token->value = bytes ? rf_value_bytes(text) : rf_value_string(text);
    return true;
}
