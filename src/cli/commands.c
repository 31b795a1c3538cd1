#include "cli/command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"

extern const struct rf_command rf_command_check;
extern const struct rf_command rf_command_completion;
extern const struct rf_command rf_command_customer;
extern const struct rf_command rf_command_demo;
extern const struct rf_command rf_command_dlq;
extern const struct rf_command rf_command_erase;
extern const struct rf_command rf_command_eval;
extern const struct rf_command rf_command_lag;
extern const struct rf_command rf_command_plan;
extern const struct rf_command rf_command_replay;
extern const struct rf_command rf_command_run;
extern const struct rf_command rf_command_test;
extern const struct rf_command rf_command_tail;
extern const struct rf_command rf_command_top;
extern const struct rf_command rf_command_topics;

/* One line a command, in the order of the alphabet. */
/* clang-format off */
const struct rf_command *const rf_commands[] = {
    &rf_command_check,
    &rf_command_completion,
    &rf_command_customer,
    &rf_command_demo,
    &rf_command_dlq,
    &rf_command_erase,
    &rf_command_eval,
    &rf_command_lag,
    &rf_command_plan,
    &rf_command_replay,
    &rf_command_run,
    &rf_command_test,
    &rf_command_tail,
    &rf_command_top,
    &rf_command_topics,
    NULL,
};
/* clang-format on */

const struct rf_command *rf_command_find(const char *name)
{
    for (size_t i = 0; rf_commands[i] != NULL; i++) {
        if (strcmp(rf_commands[i]->name, name) == 0)
            return rf_commands[i];
    }
    return NULL;
}

int rf_command_usage(const char *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "ringfold: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\ntry 'ringfold %s --help'\n", command);
    return RF_EXIT_USAGE;
}

int rf_command_failed(const struct rf_error *err)
{
    fprintf(stderr, "ringfold: %s\n", err->message);
    return err->kind == RF_ERROR_CONFIG ? RF_EXIT_USAGE : RF_EXIT_FAILED;
}
