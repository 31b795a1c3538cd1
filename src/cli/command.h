/* One file a command. The command line is a table in each (options.h); exit status is 0 fine, 1 the work
 * failed, 2 wrong usage or configuration. */
#pragma once

struct rf_error;

#define RF_EXIT_FINE   0
#define RF_EXIT_FAILED 1
#define RF_EXIT_USAGE  2

struct rf_command {
    const char *name;
    const char *summary; /* one line, for `ringfold --help` */
    const char *help;    /* usage, options, an example: what `ringfold NAME --help` prints */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Every command, ended by NULL; in commands.c. */
extern const struct rf_command *const rf_commands[];

/* NULL where there is none of this name. */
const struct rf_command *rf_command_find(const char *name);

/* "ringfold: ..." and "try `ringfold NAME --help`" to standard error; returns RF_EXIT_USAGE. */
int rf_command_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "ringfold: ..." to standard error; returns the exit status that this error comes to. */
int rf_command_failed(const struct rf_error *err);
