#include "cli/command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

extern const struct rf_command rf_command_check;
extern const struct rf_command rf_command_eval;

/* clang-format off: one line a command, in the order of the alphabet */
const struct rf_command *const rf_commands[] = {
    &rf_command_check,
    &rf_command_eval,
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
