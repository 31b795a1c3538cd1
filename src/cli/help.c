#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#define USAGE "usage: ringfold "

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static const char *skip_spaces(const char *at)
{
    while (*at == ' ')
        at++;
    return at;
}

/* Copies up to a space, a comma or the line's end; returns where it ended. */
static const char *take_word(const char *at, char *word, size_t size_max)
{
    size_t size = strcspn(at, " ,\n");

    snprintf(word, size_max, "%.*s", (int)size, at);
    return at + size;
}

/* `line` without its indentation, which begins with a dash. */
static bool read_option(const char *line, struct rf_help_option *option)
{
    const char *at = line;
    size_t size = 0;

    *option = (struct rf_help_option){0};
    if (at[0] == '-' && at[1] != '-' && at[1] != ' ') {
        option->letter = at[1];
        at += 2;
        if (*at == ',')
            at = skip_spaces(at + 1);
    }
    if (at[0] == '-' && at[1] == '-' && is_lower(at[2]))
        at = take_word(at + 2, option->name, sizeof option->name);
    if (at[0] == ' ' && at[1] != ' ' && at[1] != '\n')
        at = take_word(at + 1, option->argument, sizeof option->argument);
    if (strncmp(at, "  ", 2) != 0)
        return false;
    at = skip_spaces(at);
    size = strcspn(at, "\n");
    snprintf(option->description, sizeof option->description, "%.*s", (int)size, at);
    return option->letter != '\0' || option->name[0] != '\0';
}

bool rf_help_next_option(const char **at, struct rf_help_option *option)
{
    while (**at != '\0') {
        const char *line = *at;
        const char *text = skip_spaces(line);
        const char *end = strchr(line, '\n');

        *at = end == NULL ? line + strlen(line) : end + 1;
        if (text - line >= 2 && *text == '-' && read_option(text, option))
            return true;
    }
    return false;
}

/* What comes behind "usage: ringfold NAME "; "" where the help does not begin so. */
static const char *behind_name(const char *help)
{
    const char *at = help;

    if (strncmp(at, USAGE, strlen(USAGE)) != 0)
        return "";
    at += strlen(USAGE);
    at += strcspn(at, " \n");
    return skip_spaces(at);
}

void rf_help_words(const char *help, char *words, size_t size_max)
{
    const char *at = behind_name(help);
    size_t size = strcspn(at, " \n");

    words[0] = '\0';
    if (!is_lower(*at) || memchr(at, '|', size) == NULL)
        return;
    snprintf(words, size_max, "%.*s", (int)size, at);
    for (char *c = words; *c != '\0'; c++)
        *c = *c == '|' ? ' ' : *c;
}

bool rf_help_takes_files(const char *help)
{
    const char *at = behind_name(help);
    const char *end = at + strcspn(at, "\n");
    const char *files = strstr(at, "FILE...");
    const char *inputs = strstr(at, "INPUT...");

    return (files != NULL && files < end) || (inputs != NULL && inputs < end);
}
