/* bool(), bytes(), double(), duration(), dyn(), int(), string(), timestamp(), type(), uint(). */
#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/expr/function.h"
#include "core/expr/types.h"

static struct rf_value conversion_failure(const char *text)
{
    return rf_failure(RF_FAILURE_ARGUMENT, text);
}

static struct rf_value identity(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return arguments[0];
}

static struct rf_value type_of(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return (struct rf_value){.kind = RF_VALUE_TYPE, .as.type = rf_value_type(arguments[0])};
}

static bool is_one_of(struct rf_bytes text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (rf_bytes_equal(text, rf_bytes_of_text(*words)))
            return true;
    }
    return false;
}

static struct rf_value bool_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    static const char *const yes[] = {"1", "t", "true", "TRUE", "True", "T", NULL};
    static const char *const no[] = {"0", "f", "false", "FALSE", "False", "F", NULL};

    (void)eval;
    if (is_one_of(arguments[0].as.text, yes))
        return rf_value_bool(true);
    if (is_one_of(arguments[0].as.text, no))
        return rf_value_bool(false);
    return conversion_failure("bool: not a boolean");
}

static struct rf_value int_of_uint(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    if (arguments[0].as.uinteger > INT64_MAX)
        return rf_failure(RF_FAILURE_OVERFLOW, "int()");
    return rf_value_int((int64_t)arguments[0].as.uinteger);
}

/* The two ends are outside: a double next to them may have been rounded. */
static struct rf_value int_of_double(struct rf_eval *eval, const struct rf_value *arguments)
{
    double number = arguments[0].as.number;

    (void)eval;
    if (!(number > -9223372036854775808.0 && number < 9223372036854775808.0))
        return rf_failure(RF_FAILURE_OVERFLOW, "int()");
    return rf_value_int((int64_t)number);
}

static struct rf_value int_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t number = 0;

    (void)eval;
    if (!rf_int64_parse(arguments[0].as.text, &number))
        return conversion_failure("int: not an integer");
    return rf_value_int(number);
}

static struct rf_value int_of_timestamp(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int(arguments[0].as.seconds);
}

static struct rf_value int_of_duration(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t nanoseconds = 0;

    (void)eval;
    if (__builtin_mul_overflow(arguments[0].as.seconds, INT64_C(1000000000), &nanoseconds) ||
        __builtin_add_overflow(nanoseconds, arguments[0].nanoseconds, &nanoseconds))
        return rf_failure(RF_FAILURE_OVERFLOW, "int()");
    return rf_value_int(nanoseconds);
}

static struct rf_value uint_of_int(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    if (arguments[0].as.integer < 0)
        return rf_failure(RF_FAILURE_OVERFLOW, "uint()");
    return rf_value_uint((uint64_t)arguments[0].as.integer);
}

static struct rf_value uint_of_double(struct rf_eval *eval, const struct rf_value *arguments)
{
    double number = arguments[0].as.number;

    (void)eval;
    if (!(number >= 0.0 && number < 18446744073709551616.0))
        return rf_failure(RF_FAILURE_OVERFLOW, "uint()");
    return rf_value_uint((uint64_t)number);
}

static struct rf_value uint_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    uint64_t number = 0;

    (void)eval;
    if (!rf_uint64_parse(arguments[0].as.text, &number))
        return conversion_failure("uint: not an unsigned integer");
    return rf_value_uint(number);
}

static struct rf_value double_of_int(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double((double)arguments[0].as.integer);
}

static struct rf_value double_of_uint(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_double((double)arguments[0].as.uinteger);
}

static struct rf_value double_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    double number = 0;

    (void)eval;
    if (!rf_double_parse(arguments[0].as.text, &number))
        return conversion_failure("double: not a number");
    return rf_value_double(number);
}

static struct rf_value bytes_of_text(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_bytes(arguments[0].as.text);
}

/* string() */

static struct rf_value string_of_bool(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_string(rf_bytes_of_text(arguments[0].as.boolean ? "true" : "false"));
}

static struct rf_value string_of_bytes(struct rf_eval *eval, const struct rf_value *arguments)
{
    if (!rf_eval_spend(eval, arguments[0].as.text.size / 16))
        return rf_eval_exhausted(eval);
    if (!rf_bytes_is_utf8(arguments[0].as.text))
        return conversion_failure("string: the bytes are not UTF-8");
    return rf_value_string(arguments[0].as.text);
}

#define DIGITS_MAX 20

static struct rf_value string_of_digits(struct rf_eval *eval, uint64_t magnitude, bool negative)
{
    char text[1 + DIGITS_MAX];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (negative)
        text[--at] = '-';
    return rf_eval_string(eval, rf_bytes_of(text + at, sizeof text - at));
}

static struct rf_value string_of_int(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t integer = arguments[0].as.integer;

    if (integer < 0)
        return string_of_digits(eval, 0 - (uint64_t)integer, true);
    return string_of_digits(eval, (uint64_t)integer, false);
}

static struct rf_value string_of_uint(struct rf_eval *eval, const struct rf_value *arguments)
{
    return string_of_digits(eval, arguments[0].as.uinteger, false);
}

static struct rf_value string_of_double(struct rf_eval *eval, const struct rf_value *arguments)
{
    char text[RF_DOUBLE_TEXT_MAX];
    size_t size = rf_double_format(text, sizeof text, arguments[0].as.number);

    return rf_eval_string(eval, rf_bytes_of(text, size));
}

static struct rf_value string_of_time(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct rf_buffer buffer;
    struct rf_value result;

    rf_buffer_init(&buffer, 100);
    if (arguments[0].kind == RF_VALUE_TIMESTAMP)
        rf_print_timestamp(&buffer, arguments[0]);
    else
        rf_print_duration(&buffer, arguments[0]);
    result = rf_eval_string(eval, rf_buffer_bytes(&buffer));
    rf_buffer_deinit(&buffer);
    return result;
}

const struct rf_overload rf_functions_conversions[] = {
    {"dyn", false, "T", "*", identity},
    {"type", false, "T", "Y", type_of},
    {"bool", false, "b", "b", identity},
    {"bool", false, "s", "b", bool_of_text},
    {"int", false, "i", "i", identity},
    {"int", false, "u", "i", int_of_uint},
    {"int", false, "d", "i", int_of_double},
    {"int", false, "s", "i", int_of_text},
    {"int", false, "t", "i", int_of_timestamp},
    {"int", false, "p", "i", int_of_duration},
    {"uint", false, "u", "u", identity},
    {"uint", false, "i", "u", uint_of_int},
    {"uint", false, "d", "u", uint_of_double},
    {"uint", false, "s", "u", uint_of_text},
    {"double", false, "d", "d", identity},
    {"double", false, "i", "d", double_of_int},
    {"double", false, "u", "d", double_of_uint},
    {"double", false, "s", "d", double_of_text},
    {"bytes", false, "y", "y", identity},
    {"bytes", false, "s", "y", bytes_of_text},
    {"string", false, "s", "s", identity},
    {"string", false, "b", "s", string_of_bool},
    {"string", false, "y", "s", string_of_bytes},
    {"string", false, "i", "s", string_of_int},
    {"string", false, "u", "s", string_of_uint},
    {"string", false, "d", "s", string_of_double},
    {"string", false, "t", "s", string_of_time},
    {"string", false, "p", "s", string_of_time},
    {NULL, false, NULL, NULL, NULL},
};
