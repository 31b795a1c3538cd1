/* A worker's own flow of control, so that it reads like the one in production and can still be stopped, left or
 * overtaken at each of its calls. No thread: exactly one runs, and it says itself when another may. */
#pragma once
#include <stdbool.h>
#include <ucontext.h>

struct sim_fiber {
    ucontext_t context;
    ucontext_t back;
    void *stack; /* owned; kept from one start to the next */
    void (*run)(void *argument);
    void *argument;
    bool started, done;
};

/* A former run is left where it was: what its stack held is forgotten, as in a crash. */
void sim_fiber_start(struct sim_fiber *fiber, void (*run)(void *argument), void *argument);
void sim_fiber_deinit(struct sim_fiber *fiber);

void sim_fiber_resume(struct sim_fiber *fiber); /* until it yields or ends */
void sim_fiber_yield(struct sim_fiber *fiber);  /* from within */
