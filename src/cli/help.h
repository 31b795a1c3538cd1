/* The options of a command, read out of its help text: what a person is shown and what a shell completes are the same
 * lines, and cannot differ. A line is
 *
 *       -c, --config FILE  the configuration
 *           --json         one JSON object a line
 *
 * two spaces or more before the first dash and before the description. tests/test_completion.py holds each command's
 * getopt table to it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define RF_HELP_NAME_MAX 40
#define RF_HELP_TEXT_MAX 200

struct rf_help_option {
    char letter;                        /* '\0': it has none */
    char name[RF_HELP_NAME_MAX];        /* without dashes; "": it has none */
    char argument[RF_HELP_NAME_MAX];    /* "FILE", "NAME=EXPR"; "": it takes none */
    char description[RF_HELP_TEXT_MAX]; /* its first line */
};

/* The next option after *at, which begins at the help text and is moved on. False: there are no more. */
bool rf_help_next_option(const char **at, struct rf_help_option *option);

/* "create check" of 'usage: ringfold topics create|check ...', which one is to be said first; "" where there is no
 * such choice. */
void rf_help_words(const char *help, char *words, size_t size_max);

/* Its usage asks for FILE... or INPUT... behind the options. */
bool rf_help_takes_files(const char *help);
