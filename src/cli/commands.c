#include "cli/command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct rf_command rf_commands[] = {
    {NULL, NULL, NULL, NULL},
};

const struct rf_command *rf_command_find(const char *name)
{
    for (const struct rf_command *command = rf_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
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
