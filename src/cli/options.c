#include "cli/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/number.h"
#include "core/base/time.h"

#define OPTIONS_MAX  16
#define FIRST_NUMBER 256 /* what getopt_long calls the first option: no letter is that */

bool rf_option_count(const char *value, void *self)
{
    uint64_t *count = self;

    return rf_uint64_parse(rf_bytes_of_text(value), count) && *count > 0;
}

bool rf_option_instant(const char *value, void *self)
{
    return rf_time_parse_ms(rf_bytes_of_text(value), self);
}

static bool is_end(const struct rf_option *option)
{
    return option->name == NULL && option->letter == 0;
}

static bool has_value(const struct rf_option *option)
{
    return option->flag == NULL && !option->bare;
}

/* In the form that getopt_long wants. */
static void describe(const struct rf_option *options, struct option *names, char *letters)
{
    for (int i = 0; !is_end(&options[i]); i++) {
        bool valued = has_value(&options[i]);

        rf_assert(i < OPTIONS_MAX);
        if (options[i].name != NULL)
            *names++ = (struct option){.name = options[i].name,
                                       .has_arg = valued ? required_argument : no_argument,
                                       .val = FIRST_NUMBER + i};
        if (options[i].letter != 0)
            *letters++ = options[i].letter;
        if (options[i].letter != 0 && valued)
            *letters++ = ':';
    }
    *names = (struct option){0};
    *letters = '\0';
}

/* NULL: there is no such option. */
static const struct rf_option *find(const struct rf_option *options, int number)
{
    for (int i = 0; !is_end(&options[i]); i++) {
        if (number == FIRST_NUMBER + i || number == options[i].letter)
            return &options[i];
    }
    return NULL;
}

static bool take(const struct rf_option *option, const char *value)
{
    if (option->take != NULL)
        return option->take(option->bare ? NULL : value, option->self);
    if (option->flag != NULL)
        *option->flag = true;
    else
        *option->text = value;
    return true;
}

int rf_options_take(int argc, char **argv, const struct rf_option *options)
{
    struct option names[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 1];
    int number = 0;

    describe(options, names, letters);
    while ((number = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        const struct rf_option *option = find(options, number);

        if (option != NULL && take(option, optarg))
            continue;
        return option != NULL && option->fault != NULL
                   ? rf_command_usage(argv[0], "'%s' %s", optarg, option->fault)
                   : rf_command_usage(argv[0], "what is '%s'?", argv[optind - 1]);
    }
    return RF_EXIT_FINE;
}
