/* What the room itself needs of types beyond type.h. */
#pragma once
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/expr/type.h"

/* list, map and optional_type as values: what type([1]) is. */
extern const struct rf_type rf_type_any_list, rf_type_any_map, rf_type_any_optional;

/* The type parameters T and K of a signature. */
extern const struct rf_type rf_type_parameter_t, rf_type_parameter_k;

/* "int", "google.protobuf.Timestamp", ...: NULL where there is no such type. */
const struct rf_type *rf_type_named(struct rf_bytes name);
/* The same back, without parameters. */
const char *rf_type_name(const struct rf_type *type);
const char *rf_type_text(struct rf_arena *arena, const struct rf_type *type);

const struct rf_type *rf_type_not_null(struct rf_arena *arena, const struct rf_type *type);

/* The type that values of both have: the same one, a nullable one where one is null, else dyn. */
const struct rf_type *rf_type_join(struct rf_arena *arena, const struct rf_type *a,
                                   const struct rf_type *b);

/* One attempt to give arguments to a signature. */
struct rf_match {
    struct rf_arena *arena;
    const struct rf_type
        *bound[2];   /* what the type parameters T and K stand for; NULL: nothing yet */
    bool null_given; /* a nullable argument met a parameter that takes no null */
};

/* dyn goes with everything, in both directions. `match` may be NULL where `wanted` has no parameters. */
bool rf_type_matches(struct rf_match *match, const struct rf_type *wanted,
                     const struct rf_type *given);
/* A signature's type with its parameters replaced; an unbound one is dyn. */
const struct rf_type *rf_type_substitute(const struct rf_match *match, const struct rf_type *type);
