#include "core/expr/lexer.h"

#include "core/base/assert.h"
#include "core/base/number.h"

static const struct {
    const char *text;
    enum rf_token_kind kind;
} punctuation[] = {
    /* the longer before its prefix */
    {"&&", RF_TOKEN_AND},          {"||", RF_TOKEN_OR},         {"==", RF_TOKEN_EQUAL},
    {"!=", RF_TOKEN_NOT_EQUAL},    {"<=", RF_TOKEN_LESS_EQUAL}, {">=", RF_TOKEN_GREATER_EQUAL},
    {"<", RF_TOKEN_LESS},          {">", RF_TOKEN_GREATER},     {"!", RF_TOKEN_NOT},
    {"(", RF_TOKEN_LEFT_PAREN},    {")", RF_TOKEN_RIGHT_PAREN}, {"[", RF_TOKEN_LEFT_BRACKET},
    {"]", RF_TOKEN_RIGHT_BRACKET}, {"{", RF_TOKEN_LEFT_BRACE},  {"}", RF_TOKEN_RIGHT_BRACE},
    {".", RF_TOKEN_DOT},           {",", RF_TOKEN_COMMA},       {":", RF_TOKEN_COLON},
    {"?", RF_TOKEN_QUESTION},      {"+", RF_TOKEN_PLUS},        {"-", RF_TOKEN_MINUS},
    {"*", RF_TOKEN_STAR},          {"/", RF_TOKEN_SLASH},       {"%", RF_TOKEN_PERCENT},
};

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(int c)
{
    return is_name_start(c) || is_digit(c);
}

/* -1 behind the end. */
static int peek(const struct rf_lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;

    return at < lexer->text.size ? lexer->text.data[at] : -1;
}

void rf_lexer_init(struct rf_lexer *lexer, struct rf_arena *arena, struct rf_bytes text)
{
    *lexer = (struct rf_lexer){.arena = arena, .text = text};
}

bool rf_lexer_fault(struct rf_lexer *lexer, size_t offset, size_t size, const char *message)
{
    rf_assert(lexer->message == NULL);
    lexer->fault_offset = offset;
    lexer->fault_size = size == 0 ? 1 : size;
    lexer->message = message;
    return false;
}

static void skip_space(struct rf_lexer *lexer)
{
    for (;;) {
        int c = peek(lexer, 0);

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            lexer->at++;
        } else if (c == '/' && peek(lexer, 1) == '/') {
            while (peek(lexer, 0) != -1 && peek(lexer, 0) != '\n')
                lexer->at++;
        } else {
            return;
        }
    }
}

static struct rf_bytes text_since(const struct rf_lexer *lexer, size_t start)
{
    return rf_bytes_of(lexer->text.data + start, lexer->at - start);
}

static bool hex_parse(struct rf_bytes digits, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        uint8_t c = digits.data[i];
        uint8_t digit = (uint8_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);

        if (*number >> 60 != 0)
            return false;
        *number = *number << 4 | digit;
    }
    return digits.size > 0;
}

static bool read_integer(struct rf_lexer *lexer, struct rf_token *token, struct rf_bytes digits,
                         bool hex)
{
    bool is_unsigned = peek(lexer, 0) == 'u' || peek(lexer, 0) == 'U';
    uint64_t number = 0;
    bool fits = hex ? hex_parse(digits, &number) : rf_uint64_parse(digits, &number);

    if (is_unsigned)
        lexer->at++;
    if (!fits)
        return rf_lexer_fault(lexer, token->offset, lexer->at - token->offset,
                              is_unsigned ? "uint literal out of range"
                                          : "int literal out of range");
    if (is_unsigned) {
        token->value = rf_value_uint(number);
        return true;
    }
    token->int_min = number == (uint64_t)INT64_MAX + 1;
    if (number > (uint64_t)INT64_MAX && !token->int_min)
        return rf_lexer_fault(lexer, token->offset, lexer->at - token->offset,
                              "int literal out of range");
    token->value = rf_value_int(token->int_min ? INT64_MIN : (int64_t)number);
    return true;
}

static void skip_digits(struct rf_lexer *lexer)
{
    while (is_digit(peek(lexer, 0)))
        lexer->at++;
}

/* The fraction and the exponent, where they are there: false if there is neither. */
static bool skip_fraction(struct rf_lexer *lexer)
{
    bool fraction = peek(lexer, 0) == '.' && is_digit(peek(lexer, 1));
    size_t sign = 1;

    if (fraction) {
        lexer->at++;
        skip_digits(lexer);
    }
    if (peek(lexer, 0) != 'e' && peek(lexer, 0) != 'E')
        return fraction;
    if (peek(lexer, 1) == '+' || peek(lexer, 1) == '-')
        sign = 2;
    if (!is_digit(peek(lexer, sign)))
        return fraction;
    lexer->at += sign;
    skip_digits(lexer);
    return true;
}

static bool read_number(struct rf_lexer *lexer, struct rf_token *token)
{
    size_t start = lexer->at;
    double number = 0;

    token->kind = RF_TOKEN_LITERAL;
    token->number = true;
    if (peek(lexer, 0) == '0' && peek(lexer, 1) == 'x' && is_hex(peek(lexer, 2))) {
        lexer->at += 2;
        while (is_hex(peek(lexer, 0)))
            lexer->at++;
        return read_integer(lexer, token, text_since(lexer, start + 2), true);
    }
    skip_digits(lexer);
    if (!skip_fraction(lexer))
        return read_integer(lexer, token, text_since(lexer, start), false);
    if (!rf_double_parse(text_since(lexer, start), &number))
        return rf_lexer_fault(lexer, start, lexer->at - start, "malformed number");
    if (number - number != 0)
        return rf_lexer_fault(lexer, start, lexer->at - start, "double literal out of range");
    token->value = rf_value_double(number);
    return true;
}

/* The prefixes of a string: b, r, or br, in any case. False where no quote follows. */
static bool string_prefix(const struct rf_lexer *lexer, size_t *size, bool *raw, bool *bytes)
{
    *raw = false;
    *bytes = false;
    for (*size = 0; *size < 2; (*size)++) {
        int c = peek(lexer, *size);

        if ((c == 'r' || c == 'R') && !*raw)
            *raw = true;
        else if ((c == 'b' || c == 'B') && *size == 0)
            *bytes = true;
        else
            break;
    }
    return peek(lexer, *size) == '"' || peek(lexer, *size) == '\'';
}

static bool read_name(struct rf_lexer *lexer, struct rf_token *token)
{
    size_t start = lexer->at;

    while (is_name(peek(lexer, 0)))
        lexer->at++;
    token->kind = RF_TOKEN_IDENT;
    token->name = text_since(lexer, start);
    if (rf_bytes_equal(token->name, rf_bytes_of_text("in")))
        token->kind = RF_TOKEN_IN;
    if (rf_bytes_equal(token->name, rf_bytes_of_text("true")))
        token->value = rf_value_bool(true);
    else if (rf_bytes_equal(token->name, rf_bytes_of_text("false")))
        token->value = rf_value_bool(false);
    else if (!rf_bytes_equal(token->name, rf_bytes_of_text("null")))
        return true;
    token->kind = RF_TOKEN_LITERAL;
    return true;
}

static bool is_quoted_name(int c)
{
    return is_name(c) || c == '.' || c == '-' || c == '/' || c == ' ';
}

static bool read_quoted_name(struct rf_lexer *lexer, struct rf_token *token)
{
    size_t start = ++lexer->at;

    while (is_quoted_name(peek(lexer, 0)))
        lexer->at++;
    if (peek(lexer, 0) != '`' || lexer->at == start)
        return rf_lexer_fault(lexer, token->offset, lexer->at - token->offset,
                              "malformed quoted name");
    token->kind = RF_TOKEN_QUOTED_IDENT;
    token->name = text_since(lexer, start);
    lexer->at++;
    return true;
}

static bool read_punctuation(struct rf_lexer *lexer, struct rf_token *token)
{
    for (size_t i = 0; i < sizeof punctuation / sizeof punctuation[0]; i++) {
        size_t size = strlen(punctuation[i].text);

        if (lexer->text.size - lexer->at >= size &&
            memcmp(lexer->text.data + lexer->at, punctuation[i].text, size) == 0) {
            token->kind = punctuation[i].kind;
            lexer->at += size;
            return true;
        }
    }
    if (peek(lexer, 0) == '=' || peek(lexer, 0) == '&' || peek(lexer, 0) == '|')
        lexer->hint = "comparing is ==, and is &&, or is ||";
    return rf_lexer_fault(lexer, lexer->at, 1, "unexpected character");
}

static bool read_token(struct rf_lexer *lexer, struct rf_token *token)
{
    int c = peek(lexer, 0);
    size_t prefix_size = 0;
    bool raw = false;
    bool bytes = false;

    if (string_prefix(lexer, &prefix_size, &raw, &bytes)) {
        lexer->at += prefix_size;
        return rf_lexer_text(lexer, token, raw, bytes);
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1))))
        return read_number(lexer, token);
    if (is_name_start(c))
        return read_name(lexer, token);
    if (c == '`')
        return read_quoted_name(lexer, token);
    return read_punctuation(lexer, token);
}

bool rf_lexer_next(struct rf_lexer *lexer, struct rf_token *token)
{
    skip_space(lexer);
    *token = (struct rf_token){.kind = RF_TOKEN_END, .offset = (uint32_t)lexer->at, .size = 1};
    if (lexer->at == lexer->text.size)
        return true;
    if (!read_token(lexer, token))
        return false;
    token->size = (uint32_t)(lexer->at - token->offset);
    return true;
}
