/* ringfold completion: what a shell has to know to complete the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/help.h"

#define WORDS_MAX 200

static const char *const shells[] = {"bash", "zsh", "fish"};

static bool is_file(const struct rf_help_option *option)
{
    return strcmp(option->argument, "FILE") == 0;
}

static bool is_folder(const struct rf_help_option *option)
{
    return strcmp(option->argument, "DIR") == 0;
}

/* Between single quotes, which every shell has; `escaped` get a backslash besides. */
static void print_quoted(const char *text, const char *escaped)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            printf("'\\''");
        else if (strchr(escaped, *text) != NULL)
            printf("\\%c", *text);
        else
            putchar(*text);
    }
    putchar('\'');
}

/* ---- bash ---- */

/* The options that are followed by what `wanted` says, as a pattern of `case`. */
static void print_bash_values(const struct rf_command *command,
                              bool (*wanted)(const struct rf_help_option *option),
                              const char *reply)
{
    const char *at = command->help;
    struct rf_help_option option;
    const char *separator = "        ";

    while (rf_help_next_option(&at, &option)) {
        if (option.argument[0] == '\0' || !wanted(&option))
            continue;
        if (option.letter != '\0') {
            printf("%s-%c", separator, option.letter);
            separator = " | ";
        }
        if (option.name[0] != '\0') {
            printf("%s--%s", separator, option.name);
            separator = " | ";
        }
    }
    if (separator[0] == ' ' && separator[1] == '|')
        printf(")\n            %s\n            return\n            ;;\n", reply);
}

static bool is_other(const struct rf_help_option *option)
{
    return !is_file(option) && !is_folder(option);
}

static void print_bash_command(const struct rf_command *command)
{
    const char *at = command->help;
    char words[WORDS_MAX];
    struct rf_help_option option;

    rf_help_words(command->help, words, sizeof words);
    printf("    %s)\n        case $before in\n", command->name);
    print_bash_values(command, is_file, "_ringfold_files -f");
    print_bash_values(command, is_folder, "_ringfold_files -d");
    print_bash_values(command, is_other, ":");
    printf("        esac\n        options='--help");
    while (rf_help_next_option(&at, &option)) {
        if (option.letter != '\0' && option.name[0] == '\0')
            printf(" -%c", option.letter);
        if (option.name[0] != '\0')
            printf(" --%s", option.name);
    }
    printf("'\n        words='%s'\n", words);
    if (rf_help_takes_files(command->help))
        printf("        files=yes\n");
    printf("        ;;\n");
}

static void print_bash(void)
{
    printf("# bash completion for ringfold; made by 'ringfold completion bash'\n"
           "_ringfold_files() {\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$current\")\n"
           "}\n\n"
           "_ringfold() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local options= words= files=\n"
           "    COMPREPLY=()\n"
           "    if ((COMP_CWORD == 1)); then\n"
           "        mapfile -t COMPREPLY < <(compgen -W '");
    for (size_t i = 0; rf_commands[i] != NULL; i++)
        printf("%s ", rf_commands[i]->name);
    printf("--help --version' -- \"$current\")\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; rf_commands[i] != NULL; i++)
        print_bash_command(rf_commands[i]);
    printf("    esac\n"
           "    if [[ $current == -* ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
           "    elif ((COMP_CWORD == 2)) && [[ $words ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "    elif [[ $files ]]; then\n"
           "        _ringfold_files -f\n"
           "    fi\n"
           "}\n\n"
           "complete -F _ringfold ringfold\n");
}

/* ---- zsh ---- */

static void print_zsh_option(const struct rf_help_option *option)
{
    if (option->letter != '\0' && option->name[0] != '\0')
        printf("            '(-%c --%s)'{-%c,--%s}", option->letter, option->name, option->letter,
               option->name);
    else if (option->letter != '\0')
        printf("            -%c", option->letter);
    else
        printf("            --%s", option->name);
    printf("'['");
    print_quoted(option->description, "[]:\\");
    printf("']");
    if (option->argument[0] != '\0')
        printf(":%s:%s", option->argument,
               is_file(option)     ? "_files"
               : is_folder(option) ? "_files -/"
                                   : "");
    printf("' \\\n");
}

static void print_zsh_command(const struct rf_command *command)
{
    const char *at = command->help;
    char words[WORDS_MAX];
    struct rf_help_option option;

    rf_help_words(command->help, words, sizeof words);
    printf("    %s)\n        _arguments -s -S \\\n", command->name);
    while (rf_help_next_option(&at, &option))
        print_zsh_option(&option);
    if (words[0] != '\0')
        printf("            '1:action:(%s)' \\\n", words);
    if (rf_help_takes_files(command->help))
        printf("            '*:file:_files' \\\n");
    printf("            '(-h --help)'{-h,--help}'[options and an example]'\n        ;;\n");
}

static void print_zsh(void)
{
    printf("#compdef ringfold\n"
           "# made by 'ringfold completion zsh'\n"
           "_ringfold() {\n"
           "    local -a commands\n"
           "    commands=(\n");
    for (size_t i = 0; rf_commands[i] != NULL; i++) {
        printf("        %s:", rf_commands[i]->name);
        print_quoted(rf_commands[i]->summary, ":\\");
        printf("\n");
    }
    printf("    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe command commands\n"
           "        return\n"
           "    fi\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $words[1] in\n");
    for (size_t i = 0; rf_commands[i] != NULL; i++)
        print_zsh_command(rf_commands[i]);
    printf("    esac\n"
           "}\n\n"
           "if [[ $funcstack[1] == _ringfold ]]; then\n"
           "    _ringfold \"$@\"\n"
           "else\n"
           "    compdef _ringfold ringfold\n"
           "fi\n");
}

/* ---- fish ---- */

static void print_fish_command(const struct rf_command *command)
{
    const char *at = command->help;
    char words[WORDS_MAX];
    struct rf_help_option option;

    rf_help_words(command->help, words, sizeof words);
    printf("complete -c ringfold -n __fish_use_subcommand -a %s -d ", command->name);
    print_quoted(command->summary, "\\");
    printf("\n");
    while (rf_help_next_option(&at, &option)) {
        printf("complete -c ringfold -n '__ringfold_command %s'", command->name);
        if (option.letter != '\0')
            printf(" -s %c", option.letter);
        if (option.name[0] != '\0')
            printf(" -l %s", option.name);
        if (option.argument[0] != '\0')
            printf(is_file(&option)     ? " -r -F"
                   : is_folder(&option) ? " -x -a '(__fish_complete_directories)'"
                                        : " -x");
        printf(" -d ");
        print_quoted(option.description, "\\");
        printf("\n");
    }
    if (words[0] != '\0')
        printf("complete -c ringfold -n '__ringfold_command %s 2' -a '%s'\n", command->name, words);
    if (rf_help_takes_files(command->help))
        printf("complete -c ringfold -n '__ringfold_command %s' -F\n", command->name);
}

static void print_fish(void)
{
    printf(
        "# made by 'ringfold completion fish'\n"
        "function __ringfold_command\n" /* this command, and (where it is given) so many words before */
        "    set -l words (commandline -opc)\n"
        "    test (count $words) -ge 2; and test $words[2] = $argv[1]\n"
        "    and begin; not set -q argv[2]; or test (count $words) -eq $argv[2]; end\n"
        "end\n\n"
        "complete -c ringfold -f\n"
        "complete -c ringfold -n __fish_use_subcommand -l version -d 'print the version'\n"
        "complete -c ringfold -l help -s h -d 'options and an example'\n");
    for (size_t i = 0; rf_commands[i] != NULL; i++)
        print_fish_command(rf_commands[i]);
}

static int run(int argc, char **argv)
{
    static void (*const prints[])(void) = {print_bash, print_zsh, print_fish};

    if (argc != 2)
        return rf_command_usage("completion", "for which shell? bash, zsh or fish");
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(argv[1], shells[i]) == 0) {
            prints[i]();
            return fflush(stdout) == 0 ? RF_EXIT_FINE : RF_EXIT_FAILED;
        }
    }
    return rf_command_usage("completion", "bash, zsh or fish, not '%s'", argv[1]);
}

const struct rf_command rf_command_completion = {
    .name = "completion",
    .summary = "completion of commands and options, for bash, zsh and fish",
    .help =
        "usage: ringfold completion bash|zsh|fish\n"
        "\n"
        "Prints what the shell has to know to complete ringfold's commands and options. The package puts it\n"
        "in its place; otherwise:\n"
        "\n"
        "  bash  ringfold completion bash > ~/.local/share/bash-completion/completions/ringfold\n"
        "  zsh   ringfold completion zsh > \"${fpath[1]}/_ringfold\"\n"
        "  fish  ringfold completion fish > ~/.config/fish/completions/ringfold.fish\n"
        "\n"
        "example: source <(ringfold completion bash)\n",
    .run = run,
};
