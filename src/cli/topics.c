#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/runtime.h"
#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/model/plan.h"

#define FAULTS_MAX (2 * RF_TOPICS_MAX)

struct topics_options {
    const char *action;
    const char *file;
    int64_t partitions;  /* 0: as configured */
    int64_t replication; /* 0: as configured */
};

static void describe(const struct rf_config *config, const struct topics_options *options,
                     struct rf_topic *topics, struct rf_topics_options *wanted)
{
    *wanted = (struct rf_topics_options){
        .kafka = config->properties,
        .kafka_count = config->property_count,
        .topics = topics,
        .topic_count = rf_runtime_topics(config, topics),
        .partitions =
            (int32_t)(options->partitions != 0 ? options->partitions : config->topics.partitions),
        .replication = (int32_t)(options->replication != 0 ? options->replication
                                                           : config->topics.replication),
        .min_insync = (int32_t)config->topics.min_insync,
        .record_bytes_max = config->plan->record_bytes_max,
    };
}

static void say_created(void *context, const char *topic, int32_t partitions)
{
    int *count = context;

    (*count)++;
    printf("created %s with %d partition%s\n", topic, (int)partitions, partitions == 1 ? "" : "s");
}

static int create(const struct rf_topics_options *wanted)
{
    struct rf_error err = {0};
    int created = 0;

    if (!rf_topics_create(wanted, say_created, &created, &err))
        return rf_command_failed(&err);
    if (created == 0)
        printf("every topic is there already\n");
    return RF_EXIT_FINE;
}

static int check(const struct rf_topics_options *wanted)
{
    struct rf_topic_fault *faults = calloc(FAULTS_MAX, sizeof *faults);
    struct rf_error err = {0};
    size_t count = 0;
    struct rf_topics_found found = {0};
    int status = RF_EXIT_FINE;

    rf_assert(faults != NULL);
    if (!rf_topics_check(wanted, faults, FAULTS_MAX, &count, &found, &err)) {
        fprintf(stderr, "ringfold: %s\n", err.message);
        free(faults);
        return RF_EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "ringfold: %s%s: %s\n", faults[i].fatal ? "" : "warning: ", faults[i].topic,
                faults[i].message);
        if (faults[i].fatal)
            status = RF_EXIT_USAGE;
    }
    if (status == RF_EXIT_FINE)
        printf("%zu topics are as they have to be; the sources have %d partition%s\n",
               wanted->topic_count, (int)found.partitions, found.partitions == 1 ? "" : "s");
    free(faults);
    return status;
}

static int use_configuration(struct rf_configuration *configuration, void *self)
{
    const struct topics_options *options = self;
    struct rf_topic topics[RF_TOPICS_MAX];
    struct rf_topics_options wanted;

    describe(configuration->config, options, topics, &wanted);
    return strcmp(options->action, "create") == 0 ? create(&wanted) : check(&wanted);
}

static bool take_count(const char *value, void *self)
{
    int64_t *number = self;

    return rf_int64_parse(rf_bytes_of_text(value), number) && *number > 0 && *number <= 100000;
}

static int run(int argc, char **argv)
{
    struct topics_options options = {0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.file},
        {"partitions", 'p', .take = take_count, .self = &options.partitions,
         .fault = "is no number of partitions"},
        {"replication", 'r', .take = take_count, .self = &options.replication,
         .fault = "is no number of replicas"},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (optind + 1 != argc)
        return rf_command_usage("topics", "create or check?");
    options.action = argv[optind];
    if (strcmp(options.action, "create") != 0 && strcmp(options.action, "check") != 0)
        return rf_command_usage("topics", "create or check, not '%s'", options.action);
    if (options.file == NULL)
        return rf_command_usage("topics", "which configuration? -c FILE names it");
    return rf_configuration_use(options.file, &reading, use_configuration, &options);
}

const struct rf_command rf_command_topics = {
    .name = "topics",
    .summary = "creates, or checks, the topics that run needs",
    .help =
        "usage: ringfold topics create|check -c FILE [--partitions N] [--replication N]\n"
        "\n"
        "create makes every topic that is missing: sources, outputs, and ringfold's own (dead letters,\n"
        "the compacted changelog and tasks topics), each with the settings that it needs. What exists\n"
        "is left alone. check says what would keep 'run' from being right: missing topics, sources whose\n"
        "partition counts differ, a changelog that is not compacted.\n"
        "\n"
        "  -c, --config FILE    the configuration\n"
        "  -p, --partitions N   of new source topics; default: as the existing sources have, or 4\n"
        "  -r, --replication N  of new topics; default: the broker's\n"
        "\n"
        "Exit status: 0 fine, 1 kafka did not answer, 2 a topic is wrong.\n"
        "\n"
        "example: ringfold topics create -c ringfold.yaml --partitions 12 --replication 3\n",
    .run = run,
};
