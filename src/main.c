/* ringfold: folds customer interactions from Kafka into one record per customer, and alerts. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static void print_help(FILE *out)
{
    fprintf(out, "usage: ringfold COMMAND [OPTION]...\n\n"
                 "Folds customer interactions from Kafka into one record per customer and emits churn\n"
                 "alerts and offers, exactly once, each with its reasons.\n\n");
    for (size_t i = 0; rf_commands[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", rf_commands[i]->name, rf_commands[i]->summary);
    fprintf(out, "\n'ringfold COMMAND --help' shows its options and an example.\n");
}

int main(int argc, char **argv)
{
    const struct rf_command *command = NULL;

    if (argc < 2) {
        print_help(stderr);
        return RF_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return RF_EXIT_FINE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        printf("ringfold %s\n", RF_VERSION);
        return RF_EXIT_FINE;
    }
    command = rf_command_find(argv[1]);
    if (command == NULL) {
        fprintf(stderr, "ringfold: there is no command '%s'\ntry 'ringfold --help'\n", argv[1]);
        return RF_EXIT_USAGE;
    }
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            printf("%s", command->help);
            return RF_EXIT_FINE;
        }
    }
    return command->run(argc - 1, argv + 1);
}
