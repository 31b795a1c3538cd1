#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/customer_text.h"
#include "cli/explain_text.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "core/codec/derived_codec.h"
#include "core/codec/explanation_json.h"
#include "core/engine/explain.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/outbox.h"
#include "edge/replay/replay.h"

#define INPUTS_MAX    1024
#define LINE_MAX_SIZE (16U << 20)
#define ARENA_CHUNK   (64U * 1024)

struct replay_options {
    const char *config;
    const char *out;       /* derived events; NULL: standard output */
    const char *customers; /* NULL: none */
    const char *explain;   /* a customer; NULL: none */
    rf_ms until;
    bool quiet;
    char **inputs;
    size_t input_count;
};

struct printing {
    const struct rf_plan *plan;
    FILE *derived;
    FILE *customers;
    const char *explain; /* as in the options */
    struct rf_explainer *explainer;
    bool explained;
    struct rf_buffer line;
    struct rf_progress progress;
};

static void write_line(struct printing *printing, FILE *file)
{
    fwrite(printing->line.data, 1, printing->line.size, file);
    rf_buffer_clear(&printing->line);
}

static void print_derived(void *self, const struct rf_derived *derived)
{
    struct printing *printing = self;

    if (printing->derived == NULL)
        return;
    rf_progress_hide(&printing->progress);
    rf_derived_print_json(printing->plan, derived, &printing->line);
    rf_buffer_append_byte(&printing->line, '\n');
    write_line(printing, printing->derived);
}

static void print_dead_letter(void *self, const struct rf_dead_letter *letter)
{
    struct printing *printing = self;

    rf_progress_hide(&printing->progress);
    fprintf(stderr, "ringfold: %s:%lld: %s: %s\n", letter->input.position.topic,
            (long long)letter->input.position.offset, letter->error_class, letter->message);
}

/* On a terminal for people, otherwise one object on a line. */
static void print_explanation(struct printing *printing, const struct rf_customer *customer,
                              rf_ms now)
{
    struct rf_explanation explanation;
    struct rf_arena arena;

    rf_arena_init(&arena, ARENA_CHUNK);
    rf_progress_hide(&printing->progress);
    rf_explain(printing->explainer, customer, now, &arena, &explanation);
    if (isatty(STDOUT_FILENO) != 0) {
        rf_explanation_print_text(printing->plan, &explanation, &printing->line);
    } else {
        rf_buffer_append_text(&printing->line, "{\"customer\":");
        rf_json_print_text(&printing->line, customer->id);
        rf_buffer_append_text(&printing->line, ",\"explain\":");
        rf_explanation_print_json(printing->plan, &explanation, &printing->line);
        rf_buffer_append_text(&printing->line, "}\n");
    }
    write_line(printing, stdout);
    rf_arena_deinit(&arena);
    printing->explained = true;
}

static void print_customer(void *self, const struct rf_customer *customer,
                           const struct rf_value *values, rf_ms now)
{
    struct printing *printing = self;

    if (printing->customers != NULL) {
        rf_customer_print_json(printing->plan, customer, values, now, &printing->line);
        write_line(printing, printing->customers);
    }
    if (printing->explain != NULL &&
        rf_bytes_equal(customer->id, rf_bytes_of_text(printing->explain)))
        print_explanation(printing, customer, now);
}

static void show_progress(void *self, uint64_t records)
{
    struct printing *printing = self;

    rf_progress_update(&printing->progress, records);
}

/* ---- inputs ---- */

static bool find_source(const struct rf_plan *plan, const char *name, size_t size, uint32_t *source)
{
    for (size_t i = 0; i < plan->source_count; i++) {
        if (strlen(plan->sources[i].name) == size &&
            strncmp(plan->sources[i].name, name, size) == 0) {
            *source = (uint32_t)i;
            return true;
        }
    }
    return false;
}

/* "SOURCE=FILE", or a FILE that is named after its source, or any FILE where there is one source only. */
static bool parse_input(const struct rf_plan *plan, const char *text, struct rf_replay_input *input)
{
    const char *equals = strchr(text, '=');
    const char *slash = strrchr(text, '/');
    const char *name = slash == NULL ? text : slash + 1;

    if (equals != NULL && find_source(plan, text, (size_t)(equals - text), &input->source)) {
        input->path = equals + 1;
        return true;
    }
    input->path = text;
    if (find_source(plan, name, strcspn(name, "."), &input->source))
        return true;
    input->source = 0;
    return plan->source_count == 1;
}

static bool parse_inputs(const struct rf_plan *plan, const struct replay_options *options,
                         struct rf_replay_input *inputs)
{
    for (size_t i = 0; i < options->input_count; i++) {
        if (parse_input(plan, options->inputs[i], &inputs[i]))
            continue;
        fprintf(stderr,
                "ringfold: which source is '%s' of? write SOURCE=FILE, where SOURCE is one of:",
                options->inputs[i]);
        for (size_t s = 0; s < plan->source_count; s++)
            fprintf(stderr, " %s", plan->sources[s].name);
        fprintf(stderr, "\n");
        return false;
    }
    return true;
}

/* ---- the run ---- */

static bool is_standard(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

static bool open_file(const char *path, FILE *otherwise, FILE **file)
{
    if (is_standard(path))
        *file = stdout;
    else
        *file = path == NULL ? otherwise : fopen(path, "w");
    if (path == NULL || *file != NULL)
        return true;
    fprintf(stderr, "ringfold: %s: %s\n", path, strerror(errno));
    return false;
}

static bool close_file(const char *path, FILE *file)
{
    bool failed = false;

    if (file == NULL)
        return true;
    failed = ferror(file) != 0;
    failed = (file == stdout ? fflush(file) : fclose(file)) != 0 || failed;
    if (failed)
        fprintf(stderr, "ringfold: writing %s: %s\n", path == NULL ? "standard output" : path,
                strerror(errno));
    return !failed;
}

static void summarise(const struct rf_replay_summary *summary)
{
    const struct rf_task_counts *counts = &summary->counts;
    char now[RF_TIME_TEXT_MAX] = "never";

    if (summary->now != RF_MS_MIN)
        rf_time_format_ms(now, sizeof now, summary->now);
    fprintf(
        stderr,
        "%llu records, %llu folded into %zu customers, %llu derived events, %llu dead letters, %llu duplicates,"
        " %llu late, %llu filtered; the clock stands at %s\n",
        (unsigned long long)counts->records, (unsigned long long)counts->events, summary->customers,
        (unsigned long long)counts->derived, (unsigned long long)counts->dead_letters,
        (unsigned long long)counts->duplicates, (unsigned long long)counts->late,
        (unsigned long long)counts->filtered, now);
    if (counts->pattern_ignored + counts->pattern_hurried + counts->pattern_dropped > 0)
        fprintf(
            stderr,
            "ringfold: patterns: %llu events came too late, %llu were taken before their time, %llu partial"
            " matches were given up\n",
            (unsigned long long)counts->pattern_ignored,
            (unsigned long long)counts->pattern_hurried,
            (unsigned long long)counts->pattern_dropped);
    if (counts->values_dropped > 0)
        fprintf(
            stderr,
            "ringfold: features: %llu values were forgotten for new ones: a customer had more than `values`\n",
            (unsigned long long)counts->values_dropped);
    if (counts->rule_errors > 0)
        fprintf(
            stderr,
            "ringfold: warning: rules could not be evaluated %llu times, and did not fire then\n",
            (unsigned long long)counts->rule_errors);
}

static int replay_config(struct rf_configuration *configuration, void *self)
{
    const struct replay_options *options = self;
    const struct rf_config *config = configuration->config;
    struct rf_arena *arena = &configuration->arena;
    struct rf_replay_input *inputs = rf_arena_alloc(arena, options->input_count * sizeof *inputs);
    struct printing printing = {.plan = config->plan, .explain = options->explain};
    struct rf_replay_options wanted = {
        .plan = config->plan,
        .codec = rf_customer_codec_make(arena, config->plan),
        .inputs = inputs,
        .input_count = options->input_count,
        .until = options->until,
        .commit_events = (size_t)config->commit_events_max,
        .listener = {.self = &printing,
                     .derived = print_derived,
                     .dead_letter = print_dead_letter,
                     .progress = show_progress},
    };
    struct rf_replay_summary summary = {0};
    struct rf_error err = {0};
    bool ok = false;
    int status = RF_EXIT_FINE;

    if (!parse_inputs(config->plan, options, inputs))
        return RF_EXIT_USAGE;
    if (!open_file(options->out, options->explain == NULL ? stdout : NULL, &printing.derived) ||
        !open_file(options->customers, NULL, &printing.customers))
        return RF_EXIT_FAILED;
    if (printing.customers != NULL || printing.explain != NULL)
        wanted.listener.customer = print_customer;
    printing.explainer = rf_explainer_open(config->plan);
    rf_buffer_init(&printing.line, LINE_MAX_SIZE);
    rf_progress_start(&printing.progress, "replaying", "records", 0, options->quiet);
    ok = rf_replay(&wanted, &summary, &err);
    rf_progress_end(&printing.progress);
    rf_buffer_deinit(&printing.line);
    rf_explainer_close(printing.explainer);
    if (ok && options->explain != NULL && !printing.explained)
        ok = rf_error_set(&err, RF_ERROR_RECORD, 0, "nothing is known of customer %s",
                          options->explain);
    if (!ok)
        status = rf_command_failed(&err);
    if (!close_file(options->out, printing.derived) && status == RF_EXIT_FINE)
        status = RF_EXIT_FAILED;
    if (!close_file(options->customers, printing.customers) && status == RF_EXIT_FINE)
        status = RF_EXIT_FAILED;
    if (status == RF_EXIT_FINE && !options->quiet)
        summarise(&summary);
    return status;
}

static int run(int argc, char **argv)
{
    struct replay_options options = {.until = RF_MS_MIN};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.config},
        {"out", 0, .text = &options.out},
        {"customers", 0, .text = &options.customers},
        {"explain", 0, .text = &options.explain},
        {"until", 0, .take = rf_option_instant, .self = &options.until,
         .fault = RF_OPTION_NO_INSTANT},
        {"quiet", 'q', .flag = &options.quiet},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {.without_kafka = true, .offline = true};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (options.config == NULL)
        return rf_command_usage("replay", "which configuration? -c FILE names it");
    if (optind == argc || argc - optind > INPUTS_MAX)
        return rf_command_usage("replay", "which files are to be replayed?");
    if (is_standard(options.customers) &&
        (is_standard(options.out) || options.out == NULL || options.explain != NULL))
        return rf_command_usage("replay", "two things on standard output: name a file by --out");
    options.inputs = argv + optind;
    options.input_count = (size_t)(argc - optind);
    return rf_configuration_use(options.config, &reading, replay_config, &options);
}

const struct rf_command rf_command_replay = {
    .name = "replay",
    .summary = "files instead of Kafka, through the same engine",
    .help =
        "usage: ringfold replay -c FILE [OPTION]... INPUT...\n"
        "\n"
        "Folds the events of files as 'run' folds those of Kafka, in the order of their event time, and\n"
        "prints what the rules emit, one JSON object a line. An INPUT is SOURCE=FILE; SOURCE= may be left\n"
        "out where there is one source, or where the file is named after it (calls.ndjson). A FILE is an\n"
        "Avro container (.avro), rows with a header (.csv, .tsv), or one JSON object a line; '-' is\n"
        "standard input. Records that cannot be used are told on standard error with their place.\n"
        "\n"
        "  -c, --config FILE     the configuration\n"
        "      --out FILE        write the derived events there\n"
        "      --customers FILE  at the end, every customer's features, one JSON object a line;\n"
        "                        of both, - is standard output\n"
        "      --explain ID      instead of the derived events, how the rules stand for this customer at the end\n"
        "      --until TIME      before the end, move the clock on to this event time (RFC 3339)\n"
        "  -q, --quiet           no progress and no summary\n"
        "\n"
        "Exit status: 0 fine, 1 a file could not be read to its end, 2 the configuration is wrong.\n"
        "\n"
        "example: ringfold replay -c seeds/telco/ringfold.yaml --customers customers.ndjson seeds/telco/*.ndjson\n",
    .run = run,
};
