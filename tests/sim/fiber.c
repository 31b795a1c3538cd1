#include "sim/fiber.h"

#include <stdlib.h>

#include "core/base/assert.h"

#define STACK_SIZE (1024U * 1024)

static struct sim_fiber *starting; /* makecontext passes no pointer */

static void enter(void)
{
    struct sim_fiber *fiber = starting;

    fiber->run(fiber->argument);
    fiber->done = true;
    for (;;)
        swapcontext(&fiber->context, &fiber->back);
}

void sim_fiber_start(struct sim_fiber *fiber, void (*run)(void *argument), void *argument)
{
    if (fiber->stack == NULL)
        fiber->stack = malloc(STACK_SIZE);
    rf_assert(fiber->stack != NULL);
    rf_assert(getcontext(&fiber->context) == 0);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_SIZE;
    fiber->context.uc_link = NULL;
    fiber->run = run;
    fiber->argument = argument;
    fiber->started = false;
    fiber->done = false;
    makecontext(&fiber->context, enter, 0);
}

void sim_fiber_deinit(struct sim_fiber *fiber)
{
    free(fiber->stack);
    fiber->stack = NULL;
}

void sim_fiber_resume(struct sim_fiber *fiber)
{
    rf_assert(!fiber->done);
    if (!fiber->started)
        starting = fiber;
    fiber->started = true;
    swapcontext(&fiber->back, &fiber->context);
}

void sim_fiber_yield(struct sim_fiber *fiber)
{
    swapcontext(&fiber->context, &fiber->back);
}
