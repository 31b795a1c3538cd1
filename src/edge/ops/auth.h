/* Who may ask: tokens from a file, presented as `Authorization: Bearer TOKEN`, or as the password of
 * `Authorization: Basic`, which is what a browser asks its user for.
 *
 * The file has one token a line: NAME:TOKEN, or TOKEN alone, whose holder is then called "token". Empty lines and those
 * that begin with # say nothing. Which token it was, if any, cannot be told from the time that the answer takes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

#define RF_TOKENS_MAX     64
#define RF_TOKEN_NAME_MAX 64 /* bytes, with the end */
#define RF_TOKEN_SIZE_MIN 16 /* a token can be tried as often as one likes */
#define RF_TOKEN_SIZE_MAX 256

struct rf_token {
    char name[RF_TOKEN_NAME_MAX];
    size_t size;
    uint8_t bytes[RF_TOKEN_SIZE_MAX]; /* zeros behind it */
};

struct rf_tokens {
    size_t count;
    struct rf_token items[RF_TOKENS_MAX];
};

/* Errors: CONFIG, with the line; never with what is in it. */
bool rf_tokens_read(const char *path, struct rf_tokens *tokens, struct rf_error *err) RF_MUST_CHECK;
bool rf_tokens_parse(struct rf_bytes text, struct rf_tokens *tokens,
                     struct rf_error *err) RF_MUST_CHECK;

/* The holder's name; NULL: it is nobody's. `authorization` is the header's value, NULL where there is none. */
const char *rf_tokens_find(const struct rf_tokens *tokens, const char *authorization);
