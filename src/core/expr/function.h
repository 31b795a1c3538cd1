/* The functions of the language: a row an overload, a table a family.
 *
 * A signature is written in letters, so that a table can be read like one: b bool, i int, u uint, d double,
 * s string, y bytes, t timestamp, p duration (a period), n null, * dyn, Y type, T and K type parameters, and
 * before another L list of, O optional of; M and two more a map. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/expr/expr.h"
#include "core/expr/value.h"

#define RF_ARGUMENTS_MAX 8

/* Kinds of struct rf_value that never leave the evaluator. */
#define RF_VALUE_ERROR                                                                             \
    UINT8_C(200) /* an evaluation that failed; `nanoseconds` is the enum rf_failure */

enum rf_failure {
    RF_FAILURE_NO_OVERLOAD, /* text: what */
    RF_FAILURE_NO_KEY,      /* text: the key */
    RF_FAILURE_UNDECLARED,  /* text: the name */
    RF_FAILURE_OVERFLOW,    /* text: of what */
    RF_FAILURE_DIVIDED_BY_ZERO,
    RF_FAILURE_MODULUS_BY_ZERO,
    RF_FAILURE_INDEX,    /* text: the index */
    RF_FAILURE_ARGUMENT, /* text: the whole message */
    RF_FAILURE_COST,
    RF_FAILURE_MEMORY,
};

/* One evaluation: its budget and what it may ask. */
struct rf_eval {
    struct rf_arena *arena;
    const struct rf_zones *zones;
    uint64_t cost_left;
    size_t memory_left;
    bool exhausted; /* cost or memory is: nothing can make up for that, not even `|| true` */
    uint8_t exhausted_by;
};

struct rf_overload {
    const char *name; /* "math.abs" where it has a namespace */
    bool member;      /* called as a.name(...): the first letter is the target */
    const char *parameters;
    const char *result;
    /* Arguments are of the kinds that the letters say (elements of lists and maps are not looked at). */
    struct rf_value (*run)(struct rf_eval *eval, const struct rf_value *arguments);
};

/* Each ended by a row without a name. */
extern const struct rf_overload rf_functions_conversions[], rf_functions_strings[],
    rf_functions_text[], rf_functions_format[], rf_functions_regex[], rf_functions_math[],
    rf_functions_time[], rf_functions_lists[], rf_functions_optionals[], rf_functions_encoders[],
    rf_functions_science[];

/* Every family, ended by NULL. */
extern const struct rf_overload *const rf_function_families[];

/* What a call may turn out to be when it runs. */
struct rf_candidate {
    const struct rf_overload *overload;
    uint16_t kinds[RF_ARGUMENTS_MAX]; /* bit per enum rf_value_kind that the argument may have */
};

struct rf_candidates {
    struct rf_bytes name;
    uint32_t argument_count;
    uint32_t count; /* 0: every call fails (lenient compiling only) */
    const struct rf_candidate *items;
    const void *prepared; /* of a constant argument: the compiled pattern of matches(); or NULL */
};

/* What functions use. */
struct rf_value rf_failure(enum rf_failure failure, const char *text);
struct rf_value rf_failure_bytes(enum rf_failure failure, struct rf_bytes text);
struct rf_value rf_failure_value(struct rf_eval *eval, enum rf_failure failure,
                                 struct rf_value value);
struct rf_value rf_failure_nan(void); /* NaN is neither less nor greater: asking is an error */
static inline bool rf_value_is_failure(struct rf_value value)
{
    return value.kind == RF_VALUE_ERROR;
}
/* Memory from the scratch, counted. NULL: too much; the evaluation is exhausted. */
void *rf_eval_alloc(struct rf_eval *eval, size_t size);
/* Counts work beyond a step: false where the budget is used up. */
bool rf_eval_spend(struct rf_eval *eval, uint64_t cost);
/* What to return when one of the two said so. */
struct rf_value rf_eval_exhausted(const struct rf_eval *eval);
/* What was made does not fit into the memory left. */
struct rf_value rf_eval_too_large(struct rf_eval *eval);
struct rf_value rf_eval_string(struct rf_eval *eval, struct rf_bytes text);

/* value.c */
/* rf_value_equal with the work counted; where the budget ends the answer is false and `eval` exhausted. */
bool rf_value_equal_within(struct rf_eval *eval, struct rf_value a, struct rf_value b);
#define RF_ORDER_NONE 2 /* not comparable, or NaN is in it */
/* -1, 0, 1 or RF_ORDER_NONE; *defined is false where the types have no order. */
int rf_value_order(struct rf_value a, struct rf_value b, bool *defined);
/* The value of a key; NULL where it is absent. Numbers find each other across types. */
const struct rf_value *rf_map_find(const struct rf_map *map, struct rf_value key);
const struct rf_type *rf_value_type(struct rf_value value);
bool rf_value_is_zero(
    struct rf_value value); /* false, 0, "", empty, null: for optional.ofNonZeroValue */

/* print.c: "2009-02-13T23:31:30Z", "3600.5s" */
struct rf_buffer;
void rf_print_timestamp(struct rf_buffer *out, struct rf_value value);
void rf_print_duration(struct rf_buffer *out, struct rf_value value);

/* lists.c: `list` in the order of `keys`, which are as many; stable. */
struct rf_value rf_list_sorted(struct rf_eval *eval, const struct rf_list *list,
                               const struct rf_list *keys);
