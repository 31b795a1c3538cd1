/* A plan made by hand, for tests and benchmarks of the core that need no configuration file.
 *
 * Every source has the same event type; FIELD_* are its fields. Features and rules are given as the plan's own
 * structs with what matters to the test; names of state, types and shapes are filled in where they are not.
 * fixture_expr (plan_fixture_expr.c) compiles CEL against what has been added so far. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/event.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"

enum fixture_field {
    FIELD_AMOUNT,  /* amount: double */
    FIELD_NUMBER,  /* number: int */
    FIELD_TEXT,    /* text: string */
    FIELD_FLAG,    /* flag: bool */
    FIELD_INSTANT, /* instant: timestamp */
    FIELD_LENGTH,  /* length: duration */
    FIELD_NATURAL, /* natural: uint */
    FIELD_MAYBE,   /* maybe: int? */
    FIELD_TIME,    /* time: timestamp */
    FIELD_COUNT,
};

#define FIXTURE_SOURCES_MAX 8

struct fixture {
    struct rf_arena arena;
    struct rf_plan plan;
    struct rf_source sources[FIXTURE_SOURCES_MAX];
    struct rf_feature features[RF_FEATURES_MAX];
    struct rf_rule rules[RF_RULES_MAX];
    struct rf_output outputs[1];
};

void fixture_init(struct fixture *f); /* no source, no feature, no rule */
void fixture_deinit(struct fixture *f);

uint32_t fixture_source(struct fixture *f, const char *name, rf_span_ms dedup);
/* Of one source; more with fixture_listen. `where` and `value` may be NULL. */
uint32_t fixture_feature(struct fixture *f, struct rf_feature feature);
void fixture_listen(struct fixture *f, uint32_t feature, uint32_t source,
                    const struct rf_expr *where, const struct rf_expr *value);
/* Of CASES. */
void fixture_listen_cases(struct fixture *f, uint32_t feature, uint32_t source,
                          const struct rf_expr *open, const struct rf_expr *close,
                          const struct rf_expr *by);
uint32_t fixture_rule(struct fixture *f, struct rf_rule rule);

/* An event of that source with every field at a default; times are milliseconds. */
struct rf_value *fixture_event(struct rf_arena *arena, uint32_t source, rf_ms time,
                               struct rf_event *event);

/* splitmix64: the same numbers for the same seed. */
uint64_t fixture_random(uint64_t *seed);
uint64_t fixture_random_below(uint64_t *seed, uint64_t limit);

/* CEL over the variables of the plan so far; `want` may be NULL. Aborts where it does not compile. */
const struct rf_expr *fixture_expr(struct fixture *f, const char *text, const struct rf_type *want);
