/* One file a command. Each takes its own options; exit status is 0 fine, 1 the work
 * failed, 2 wrong usage or configuration. */
#pragma once

struct option;
struct rf_error;

#define RF_EXIT_FINE      0
#define RF_EXIT_FAILED    1
#define RF_EXIT_USAGE     2

#define RF_OPTION_UNKNOWN (-1)

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

/* Goes through the options: `take` has each of them, with its value in optarg, and answers RF_EXIT_FINE, RF_EXIT_USAGE
 * where it has said what is wrong, or RF_OPTION_UNKNOWN. Afterwards optind is at the first argument that is none.
 * Returns RF_EXIT_FINE or RF_EXIT_USAGE. */
int rf_command_options(int argc, char **argv, const char *letters, const struct option *names,
                       int (*take)(int option, void *options), void *options);

/* "ringfold: ..." to standard error; returns the exit status that this error comes to. */
int rf_command_failed(const struct rf_error *err);
