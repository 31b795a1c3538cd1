#include <stdio.h>

#include "core/base/assert.h"
#include "core/expr/expr.h"
#include "core/model/feature.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "support/plan_fixture.h"

const struct rf_expr *fixture_expr(struct fixture *f, const char *text, const struct rf_type *want)
{
    size_t count = RF_VARIABLE_FEATURE + f->plan.feature_count;
    struct rf_expr_variable *variables = rf_arena_alloc(&f->arena, count * sizeof *variables);
    struct rf_expr_env env = {.variables = variables, .variable_count = count};
    struct rf_expr_faults faults = {0};
    const struct rf_expr *expr = NULL;

    rf_assert(f->plan.source_count > 0);
    variables[RF_VARIABLE_EVENT] =
        (struct rf_expr_variable){"event", rf_type_record(&f->arena, f->sources[0].event_type)};
    variables[RF_VARIABLE_NOW] = (struct rf_expr_variable){"now", &rf_type_timestamp};
    variables[RF_VARIABLE_CUSTOMER] =
        (struct rf_expr_variable){"customer", rf_type_record(&f->arena, &rf_customer_type)};
    for (size_t i = 0; i < f->plan.feature_count; i++)
        variables[RF_VARIABLE_FEATURE + i] =
            (struct rf_expr_variable){f->features[i].name, f->features[i].type};
    if (!rf_expr_compile(&f->arena, &env, rf_bytes_of_text(text), want, &expr, &faults)) {
        fprintf(stderr, "%s: %s\n", text, faults.items[0].message);
        rf_assert(false && "the expression compiles");
    }
    return expr;
}
