/* ringfold check: every configuration error, before anything is consumed. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/diagnostics.h"
#include "cli/endpoint.h"
#include "cli/options.h"
#include "core/base/assert.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"

#define TEXT_SIZE_MAX (1U << 20)

struct options {
    const char *file;
    struct rf_configuration_options configuration;
    void (*print_table)(struct rf_buffer *out); /* instead of checking */
};

static int print_table(void (*print)(struct rf_buffer *out))
{
    struct rf_buffer text;

    rf_buffer_init(&text, TEXT_SIZE_MAX);
    print(&text);
    rf_assert(!text.overflow);
    fwrite(text.data, 1, text.size, stdout);
    rf_buffer_deinit(&text);
    return RF_EXIT_FINE;
}

static size_t count_unread_features(const struct rf_plan *plan)
{
    size_t unread = 0;

    for (size_t i = 0; i < plan->feature_count; i++) {
        bool read = false;
        for (size_t j = 0; j < plan->rule_count; j++)
            read = read || (plan->rules[j].reads.bits[i / 64] >> (i % 64) & 1U) != 0;
        for (size_t j = 0; j < plan->feature_count; j++)
            read = read || (plan->features[j].reads.bits[i / 64] >> (i % 64) & 1U) != 0;
        unread += read ? 0 : 1;
    }
    return unread;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_summary(const struct rf_config *config)
{
    const struct rf_plan *plan = config->plan;
    size_t unread = count_unread_features(plan);

    printf("%s: fine\n", config->file);
    printf("app %s, plan %s\n", plan->app, plan->version);
    printf("%zu source%s:", plan->source_count, plural(plan->source_count));
    for (size_t i = 0; i < plan->source_count; i++)
        printf("%s %s (%s)", i == 0 ? "" : ",", plan->sources[i].name, plan->sources[i].topic);
    printf("\n%zu feature%s", plan->feature_count, plural(plan->feature_count));
    if (unread > 0)
        printf(", %zu of them in the customer record alone: no rule reads %s", unread,
               unread == 1 ? "it" : "them");
    printf("\n%zu rule%s:", plan->rule_count, plural(plan->rule_count));
    for (size_t i = 0; i < plan->rule_count; i++)
        printf("%s %s (%s)", i == 0 ? "" : ",", plan->rules[i].name, plan->rules[i].version);
    printf("\n%zu output%s:", plan->output_count, plural(plan->output_count));
    for (size_t i = 0; i < plan->output_count; i++)
        printf("%s %s (%s)", i == 0 ? "" : ",", plan->outputs[i].name, plan->outputs[i].topic);
    printf("\n");
}

static int check(const struct options *options)
{
    struct rf_configuration configuration;
    struct rf_error err = {0};
    bool ok = rf_configuration_open(&configuration, options->file, &options->configuration);

    if (ok && !rf_endpoint_check(configuration.config, &err)) {
        ok = false;
        fprintf(stderr, "ringfold: %s\n", err.message);
    }
    if (options->configuration.silent)
        rf_diagnostics_print_json(stdout, configuration.diagnostics);
    else if (ok)
        print_summary(configuration.config);
    rf_configuration_close(&configuration);
    return ok ? RF_EXIT_FINE : RF_EXIT_USAGE;
}

static bool take_json_schema(const char *value, void *self)
{
    struct options *options = self;

    (void)value;
    options->print_table = rf_config_print_json_schema;
    return true;
}

static bool take_manual(const char *value, void *self)
{
    struct options *options = self;

    (void)value;
    options->print_table = rf_config_print_manual;
    return true;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.file},
        {"offline", 0, .flag = &options.configuration.offline},
        {"json", 0, .flag = &options.configuration.silent},
        {"json-schema", 0, .take = take_json_schema, .self = &options, .bare = true},
        {"manual", 0, .take = take_manual, .self = &options, .bare = true},
        {.name = NULL},
    };

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (options.print_table != NULL)
        return print_table(options.print_table);
    if (optind < argc)
        return rf_command_usage("check", "what is '%s'?", argv[optind]);
    if (options.file == NULL)
        return rf_command_usage("check", "which configuration? -c FILE names it");
    return check(&options);
}

const struct rf_command rf_command_check = {
    .name = "check",
    .summary = "every error of a configuration, with its place and what to do",
    .help = "usage: ringfold check -c FILE [--offline] [--json]\n"
            "       ringfold check --json-schema | --manual\n"
            "\n"
            "Reads a configuration and everything that it names, and says what is wrong with it.\n"
            "Exit status: 0 it is fine (there may be warnings), 2 it has errors.\n"
            "\n"
            "  -c, --config FILE  the configuration\n"
            "      --offline      do not ask the schema registry\n"
            "      --json         one JSON object for each error and warning, on standard output\n"
            "      --json-schema  print the settings as a JSON Schema, for editors\n"
            "      --manual       print the settings as the manual page lists them\n"
            "\n"
            "example: ringfold check -c /etc/ringfold/ringfold.yaml\n",
    .run = run,
};
