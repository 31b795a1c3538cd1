#include "edge/ops/auth.h"

#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "edge/sys/file.h"

#define FILE_SIZE_MAX  (64U * 1024)
#define CREDENTIAL_MAX 1024 /* of user and password, decoded */

static bool is_visible(struct rf_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return true;
}

static bool parse_line(struct rf_bytes line, size_t number, struct rf_tokens *tokens,
                       struct rf_error *err)
{
    struct rf_token *token = &tokens->items[tokens->count];
    const uint8_t *colon = memchr(line.data, ':', line.size);
    struct rf_bytes name = rf_bytes_of_text("token");
    struct rf_bytes bytes = line;

    if (colon != NULL) {
        name = rf_bytes_of(line.data, (size_t)(colon - line.data));
        bytes = rf_bytes_of(colon + 1, line.size - name.size - 1);
    }
    if (tokens->count == RF_TOKENS_MAX)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "line %zu: there are at most %d tokens",
                            number, RF_TOKENS_MAX);
    if (name.size == 0 || name.size >= sizeof token->name || !is_visible(line))
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "line %zu: a line is NAME:TOKEN, without spaces, the name of at most %d "
            "letters",
            number, RF_TOKEN_NAME_MAX - 1);
    if (bytes.size < RF_TOKEN_SIZE_MIN || bytes.size > RF_TOKEN_SIZE_MAX)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "line %zu: a token has %d to %d characters",
                            number, RF_TOKEN_SIZE_MIN, RF_TOKEN_SIZE_MAX);
    memcpy(token->name, name.data, name.size);
    memcpy(token->bytes, bytes.data, bytes.size);
    token->size = bytes.size;
    tokens->count++;
    return true;
}

bool rf_tokens_parse(struct rf_bytes text, struct rf_tokens *tokens, struct rf_error *err)
{
    size_t number = 0;

    memset(tokens, 0, sizeof *tokens);
    for (size_t begin = 0; begin < text.size;) {
        const uint8_t *end = memchr(text.data + begin, '\n', text.size - begin);
        size_t size = end == NULL ? text.size - begin : (size_t)(end - text.data) - begin;
        struct rf_bytes line = rf_bytes_of(text.data + begin, size);

        begin += size + 1;
        number++;
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        if (line.size > 0 && line.data[0] != '#' && !parse_line(line, number, tokens, err))
            return false;
    }
    if (tokens->count == 0)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "there is no token in it");
    return true;
}

bool rf_tokens_read(const char *path, struct rf_tokens *tokens, struct rf_error *err)
{
    struct rf_buffer content;
    bool ok = false;

    rf_buffer_init(&content, FILE_SIZE_MAX);
    ok = rf_file_read(path, &content, err);
    if (ok && !rf_tokens_parse(rf_buffer_bytes(&content), tokens, err))
        ok = rf_error_wrap(err, "the tokens of http.token_file, %s", path);
    if (content.size > 0)
        explicit_bzero(content.data, content.size);
    rf_buffer_deinit(&content);
    return ok;
}

/* As many steps whatever is equal. */
static bool is_same(const struct rf_token *token, const uint8_t bytes[RF_TOKEN_SIZE_MAX],
                    size_t size)
{
    unsigned different = (unsigned)(token->size ^ size);

    for (size_t i = 0; i < RF_TOKEN_SIZE_MAX; i++)
        different |= (unsigned)(token->bytes[i] ^ bytes[i]);
    return different == 0;
}

static const char *find(const struct rf_tokens *tokens, struct rf_bytes presented)
{
    uint8_t padded[RF_TOKEN_SIZE_MAX] = {0};
    const char *name = NULL;

    if (presented.size > sizeof padded)
        return NULL;
    memcpy(padded, presented.data, presented.size);
    for (size_t i = 0; i < tokens->count; i++) {
        if (is_same(&tokens->items[i], padded, presented.size))
            name = tokens->items[i].name;
    }
    explicit_bzero(padded, sizeof padded);
    return name;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

/* RFC 4648, section 4. The size, or SIZE_MAX where it is none or has no room. */
static size_t base64_decode(const char *text, uint8_t *out, size_t size_max)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t size = 0;

    for (; *text != '\0' && *text != '='; text++) {
        int digit = base64_digit(*text);

        if (digit < 0 || size == size_max)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[size++] = (uint8_t)(bits >> bit_count);
        }
    }
    return text[strspn(text, "=")] == '\0' ? size : SIZE_MAX;
}

/* The value behind the scheme, or NULL where the scheme is another. */
static const char *after_scheme(const char *authorization, const char *scheme)
{
    size_t size = strlen(scheme);

    if (strncasecmp(authorization, scheme, size) != 0 || authorization[size] != ' ')
        return NULL;
    return authorization + size + strspn(authorization + size, " ");
}

static const char *find_basic(const struct rf_tokens *tokens, const char *encoded)
{
    uint8_t credential[CREDENTIAL_MAX];
    size_t size = base64_decode(encoded, credential, sizeof credential);
    const uint8_t *colon = size == SIZE_MAX ? NULL : memchr(credential, ':', size);
    const char *name = NULL;

    if (colon != NULL)
        name = find(tokens, rf_bytes_of(colon + 1, size - (size_t)(colon - credential) - 1));
    explicit_bzero(credential, sizeof credential);
    return name;
}

const char *rf_tokens_find(const struct rf_tokens *tokens, const char *authorization)
{
    const char *presented = NULL;

    if (authorization == NULL)
        return NULL;
    presented = after_scheme(authorization, "Bearer");
    if (presented != NULL)
        return find(tokens, rf_bytes_of_text(presented));
    presented = after_scheme(authorization, "Basic");
    return presented == NULL ? NULL : find_basic(tokens, presented);
}
