/* Finding functions by name and arguments: the checker's view of the tables in function.h. */
#pragma once
#include "core/base/arena.h"
#include "core/expr/function.h"
#include "core/expr/types.h"

/* Moves *letters behind one type and returns it. */
const struct rf_type *rf_signature_type(struct rf_arena *arena, const char **letters);
uint32_t rf_signature_count(const char *letters);

/* Any overload of this name, called this way; NULL: none. */
const struct rf_overload *rf_function_find(struct rf_bytes name, bool member);
/* The next overload of the same name; *family and *row keep the place, both 0 to begin with. */
const struct rf_overload *rf_function_next(struct rf_bytes name, bool member, size_t *family,
                                           size_t *row);

/* Do these arguments fit the overload? `result` is then the type of the call. */
bool rf_function_matches(const char *parameters, const char *result,
                         const struct rf_type *const *arguments, struct rf_match *match,
                         const struct rf_type **result_type);

/* The kinds of values that an argument of this type may have when it runs. */
uint16_t rf_type_value_kinds(const struct rf_type *type);

/* The name nearest to `name` among candidates offered one by one, for "did you mean". */
struct rf_suggestion {
    struct rf_bytes name;
    struct rf_bytes best; /* data NULL: nothing near enough */
    uint32_t best_distance;
};

void rf_suggestion_init(struct rf_suggestion *suggestion, struct rf_bytes name);
void rf_suggestion_offer(struct rf_suggestion *suggestion, struct rf_bytes candidate);
/* "did you mean 'calls_7d'?" in the arena, or NULL. */
const char *rf_suggestion_text(const struct rf_suggestion *suggestion, struct rf_arena *arena);
