/* Source text to tokens. Literals are decoded here: escapes, raw and triple-quoted strings, numbers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/expr/value.h"

enum rf_token_kind {
    RF_TOKEN_END,
    RF_TOKEN_IDENT,
    RF_TOKEN_QUOTED_IDENT, /* `content-type`, behind a dot only */
    RF_TOKEN_LITERAL,      /* value */
    RF_TOKEN_IN,
    RF_TOKEN_LEFT_PAREN,
    RF_TOKEN_RIGHT_PAREN,
    RF_TOKEN_LEFT_BRACKET,
    RF_TOKEN_RIGHT_BRACKET,
    RF_TOKEN_LEFT_BRACE,
    RF_TOKEN_RIGHT_BRACE,
    RF_TOKEN_DOT,
    RF_TOKEN_COMMA,
    RF_TOKEN_COLON,
    RF_TOKEN_QUESTION,
    RF_TOKEN_PLUS,
    RF_TOKEN_MINUS,
    RF_TOKEN_STAR,
    RF_TOKEN_SLASH,
    RF_TOKEN_PERCENT,
    RF_TOKEN_NOT,
    RF_TOKEN_LESS,
    RF_TOKEN_LESS_EQUAL,
    RF_TOKEN_GREATER,
    RF_TOKEN_GREATER_EQUAL,
    RF_TOKEN_EQUAL,
    RF_TOKEN_NOT_EQUAL,
    RF_TOKEN_AND,
    RF_TOKEN_OR,
};

struct rf_token {
    enum rf_token_kind kind;
    uint32_t offset;
    uint32_t size;
    struct rf_bytes name;  /* IDENT, QUOTED_IDENT: without the quotes */
    struct rf_value value; /* LITERAL */
    bool number;           /* LITERAL: an int, uint or double, which a minus may precede */
    bool int_min;          /* LITERAL: 9223372036854775808, good only behind a minus */
};

/* Reading stops at the first fault: message is then set, and the token before it is the last good one. */
struct rf_lexer {
    struct rf_arena *arena; /* for decoded strings */
    struct rf_bytes text;
    size_t at;
    uint8_t *decoded; /* of all string literals so far; NULL: none yet */
    size_t decoded_size;
    const char *message; /* NULL: no fault */
    const char *hint;
    size_t fault_offset;
    size_t fault_size;
};

void rf_lexer_init(struct rf_lexer *lexer, struct rf_arena *arena, struct rf_bytes text);
bool rf_lexer_next(struct rf_lexer *lexer, struct rf_token *token);

/* The decoded content of a string or bytes literal, lexer_text.c. `token` has offset, and `at` stands
 * behind the prefix, on the opening quote. */
bool rf_lexer_text(struct rf_lexer *lexer, struct rf_token *token, bool raw, bool bytes);
bool rf_lexer_fault(struct rf_lexer *lexer, size_t offset, size_t size, const char *message);
