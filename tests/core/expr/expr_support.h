/* Compiling and evaluating in one line, for tests of core/expr. */
#pragma once
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/expr/expr.h"

/* Room for one test. */
struct world {
    struct rf_arena arena;
    struct rf_expr_env env;
    struct rf_expr_faults faults;
    struct rf_error err;
    char text[4096]; /* the last value printed, or error */
};

static inline void world_init(struct world *world)
{
    *world = (struct world){0};
    rf_arena_init(&world->arena, 65536);
}

static inline void world_deinit(struct world *world)
{
    rf_arena_deinit(&world->arena);
}

static inline const struct rf_expr *compile(struct world *world, const char *text,
                                            const struct rf_type *want)
{
    const struct rf_expr *expr = NULL;

    if (!rf_expr_compile(&world->arena, &world->env, rf_bytes_of_text(text), want, &expr,
                         &world->faults)) {
        snprintf(world->text, sizeof world->text, "%s", world->faults.items[0].message);
        return NULL;
    }
    return expr;
}

/* The value as a literal; "eval: message" or "compile: message" where there is none. */
static inline const char *evaluate(struct world *world, const char *text,
                                   const struct rf_value *variables)
{
    const struct rf_expr *expr = compile(world, text, NULL);
    struct rf_expr_scratch scratch = {.arena = &world->arena};
    struct rf_buffer buffer;
    struct rf_value value;

    if (expr == NULL) {
        snprintf(world->text, sizeof world->text, "compile: %s", world->faults.items[0].message);
        return world->text;
    }
    world->err = (struct rf_error){0};
    if (!rf_expr_eval(expr, variables, &scratch, &value, &world->err)) {
        snprintf(world->text, sizeof world->text, "eval: %s", world->err.message);
        return world->text;
    }
    rf_buffer_init(&buffer, sizeof world->text - 1);
    rf_value_print(&buffer, value);
    snprintf(world->text, sizeof world->text, "%.*s", (int)buffer.size, (const char *)buffer.data);
    rf_buffer_deinit(&buffer);
    return world->text;
}
