#include "core/expr/functions.h"

#include "core/base/assert.h"

const struct rf_overload *const rf_function_families[] = {
    rf_functions_conversions, rf_functions_strings,  rf_functions_text,    rf_functions_format,
    rf_functions_regex,       rf_functions_math,     rf_functions_time,    rf_functions_lists,
    rf_functions_optionals,   rf_functions_encoders, rf_functions_science, NULL,
};

static const struct {
    char letter;
    const struct rf_type *type;
} letters_of_types[] = {
    {'b', &rf_type_bool},        {'i', &rf_type_int},      {'u', &rf_type_uint},
    {'d', &rf_type_double},      {'s', &rf_type_string},   {'y', &rf_type_bytes},
    {'t', &rf_type_timestamp},   {'p', &rf_type_duration}, {'n', &rf_type_null},
    {'*', &rf_type_dyn},         {'Y', &rf_type_type},     {'T', &rf_type_parameter_t},
    {'K', &rf_type_parameter_k},
};

const struct rf_type *rf_signature_type(struct rf_arena *arena, const char **letters)
{
    char letter = *(*letters)++;

    if (letter == 'L')
        return rf_type_list(arena, rf_signature_type(arena, letters));
    if (letter == 'O')
        return rf_type_optional(arena, rf_signature_type(arena, letters));
    if (letter == 'M') {
        const struct rf_type *key = rf_signature_type(arena, letters);

        return rf_type_map(arena, key, rf_signature_type(arena, letters));
    }
    for (size_t i = 0; i < sizeof letters_of_types / sizeof letters_of_types[0]; i++) {
        if (letters_of_types[i].letter == letter)
            return letters_of_types[i].type;
    }
    rf_assert(false && "a letter that no signature has");
    return NULL;
}

uint32_t rf_signature_count(const char *letters)
{
    uint32_t count = 0;
    uint32_t open = 1; /* types still to be read */

    for (; *letters != '\0'; letters++) {
        if (*letters == 'M')
            open++;
        else if (*letters != 'L' && *letters != 'O' && --open == 0) {
            count++;
            open = 1;
        }
    }
    return count;
}

const struct rf_overload *rf_function_next(struct rf_bytes name, bool member, size_t *family,
                                           size_t *row)
{
    for (; rf_function_families[*family] != NULL; (*family)++, *row = 0) {
        const struct rf_overload *overload = rf_function_families[*family] + *row;

        for (; overload->name != NULL; overload++) {
            (*row)++;
            if (overload->member == member &&
                rf_bytes_equal(name, rf_bytes_of_text(overload->name)))
                return overload;
        }
    }
    return NULL;
}

const struct rf_overload *rf_function_find(struct rf_bytes name, bool member)
{
    size_t family = 0;
    size_t row = 0;

    return rf_function_next(name, member, &family, &row);
}

bool rf_function_matches(const char *parameters, const char *result,
                         const struct rf_type *const *arguments, struct rf_match *match,
                         const struct rf_type **result_type)
{
    for (uint32_t i = 0; *parameters != '\0'; i++) {
        const struct rf_type *wanted = rf_signature_type(match->arena, &parameters);

        if (!rf_type_matches(match, wanted, arguments[i]))
            return false;
    }
    *result_type = rf_type_substitute(match, rf_signature_type(match->arena, &result));
    return true;
}

uint16_t rf_type_value_kinds(const struct rf_type *type)
{
    static const uint16_t kinds[] = {
        [RF_TYPE_NULL] = 1u << RF_VALUE_NULL,
        [RF_TYPE_BOOL] = 1u << RF_VALUE_BOOL,
        [RF_TYPE_INT] = 1u << RF_VALUE_INT,
        [RF_TYPE_UINT] = 1u << RF_VALUE_UINT,
        [RF_TYPE_DOUBLE] = 1u << RF_VALUE_DOUBLE,
        [RF_TYPE_STRING] = 1u << RF_VALUE_STRING,
        [RF_TYPE_BYTES] = 1u << RF_VALUE_BYTES,
        [RF_TYPE_TIMESTAMP] = 1u << RF_VALUE_TIMESTAMP,
        [RF_TYPE_DURATION] = 1u << RF_VALUE_DURATION,
        [RF_TYPE_LIST] = 1u << RF_VALUE_LIST,
        [RF_TYPE_MAP] = 1u << RF_VALUE_MAP,
        [RF_TYPE_RECORD] = 1u << RF_VALUE_RECORD,
        [RF_TYPE_TYPE] = 1u << RF_VALUE_TYPE,
        [RF_TYPE_OPTIONAL] = 1u << RF_VALUE_OPTIONAL,
    };

    if (type->kind == RF_TYPE_DYN || type->kind == RF_TYPE_PARAMETER)
        return UINT16_MAX;
    return (uint16_t)(kinds[type->kind] | (type->nullable ? 1u << RF_VALUE_NULL : 0));
}

#define NAME_SIZE_MAX 64

/* Levenshtein's, with one row; both names are short. */
static uint32_t distance(struct rf_bytes a, struct rf_bytes b)
{
    uint32_t row[NAME_SIZE_MAX + 1];

    for (uint32_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a.size; i++) {
        uint32_t diagonal = row[0];

        row[0] = i;
        for (uint32_t j = 1; j <= b.size; j++) {
            uint32_t above = row[j];
            uint32_t change = diagonal + (a.data[i - 1] != b.data[j - 1]);
            uint32_t shift = (above < row[j - 1] ? above : row[j - 1]) + 1;

            diagonal = above;
            row[j] = change < shift ? change : shift;
        }
    }
    return row[b.size];
}

void rf_suggestion_init(struct rf_suggestion *suggestion, struct rf_bytes name)
{
    *suggestion = (struct rf_suggestion){.name = name, .best_distance = UINT32_MAX};
}

void rf_suggestion_offer(struct rf_suggestion *suggestion, struct rf_bytes candidate)
{
    uint32_t found = 0;

    if (candidate.size > NAME_SIZE_MAX || suggestion->name.size > NAME_SIZE_MAX)
        return;
    found = distance(suggestion->name, candidate);
    if (found < suggestion->best_distance && found <= 1 + suggestion->name.size / 3 &&
        found < candidate.size) {
        suggestion->best = candidate;
        suggestion->best_distance = found;
    }
}

const char *rf_suggestion_text(const struct rf_suggestion *suggestion, struct rf_arena *arena)
{
    if (suggestion->best.data == NULL)
        return NULL;
    return rf_arena_printf(arena, "did you mean '%.*s'?", (int)suggestion->best.size,
                           (const char *)suggestion->best.data);
}
