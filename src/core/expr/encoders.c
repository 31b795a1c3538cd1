/* The `encoders` extension: base64. */
#include "core/expr/function.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct rf_value encode(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes bytes = arguments[0].as.text;
    size_t size = (bytes.size + 2) / 3 * 4;
    uint8_t *text = NULL;

    if (!rf_eval_spend(eval, bytes.size / 4))
        return rf_eval_exhausted(eval);
    text = rf_eval_alloc(eval, size);
    if (text == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0, at = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;

        bits |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= left > 2 ? bytes.data[i + 2] : 0;
        text[at++] = (uint8_t)alphabet[bits >> 18];
        text[at++] = (uint8_t)alphabet[bits >> 12 & 63];
        text[at++] = left > 1 ? (uint8_t)alphabet[bits >> 6 & 63] : '=';
        text[at++] = left > 2 ? (uint8_t)alphabet[bits & 63] : '=';
    }
    return rf_value_string(rf_bytes_of(text, size));
}

static int digit_of(uint8_t c)
{
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);

    return found == NULL ? -1 : (int)(found - alphabet);
}

/* Padding may be left out, but not be wrong. */
static bool unpad(struct rf_bytes *text)
{
    size_t padding = 0;

    while (padding < 2 && padding < text->size && text->data[text->size - 1 - padding] == '=')
        padding++;
    if (padding > 0 && text->size % 4 != 0)
        return false;
    text->size -= padding;
    return text->size % 4 != 1;
}

static struct rf_value decode(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_bytes text = arguments[0].as.text;
    uint32_t bits = 0;
    size_t size = 0;
    uint8_t *bytes = NULL;

    if (!rf_eval_spend(eval, text.size / 4))
        return rf_eval_exhausted(eval);
    if (!unpad(&text))
        return rf_failure(RF_FAILURE_ARGUMENT, "base64.decode: malformed input");
    bytes = rf_eval_alloc(eval, text.size * 3 / 4 + 1);
    if (bytes == NULL)
        return rf_eval_exhausted(eval);
    for (size_t i = 0; i < text.size; i++) {
        int digit = digit_of(text.data[i]);

        if (digit < 0)
            return rf_failure(RF_FAILURE_ARGUMENT, "base64.decode: malformed input");
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            bytes[size++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return rf_value_bytes(rf_bytes_of(bytes, size));
}

const struct rf_overload rf_functions_encoders[] = {
    {"base64.encode", false, "y", "s", encode},
    {"base64.decode", false, "s", "y", decode},
    {NULL, false, NULL, NULL, NULL},
};
