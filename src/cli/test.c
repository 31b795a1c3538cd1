/* ringfold test: rules tested like code. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/diagnostics.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/test_report.h"
#include "core/base/assert.h"
#include "core/model/plan.h"
#include "edge/formats/json_decoder.h"

#define ARENA_CHUNK (64U * 1024)
#define REPORT_MAX  (256U << 20)

struct options {
    const char *junit; /* NULL: none */
    const char *name;  /* only tests whose name contains it; NULL: all */
    bool json, quiet;
    char **files;
    size_t file_count;
};

/* All files, one after the other. What is reported lives until the end. */
struct session {
    const struct options *options;
    struct rf_arena arena;
    struct rf_buffer text;
    struct rf_progress progress;
    size_t result_count, result_capacity;
    const struct rf_test_result **results;
    size_t failed;
    size_t files; /* of which tests were run */
    bool broken;  /* a file is wrong */
};

/* ---- one file ---- */

static void take_result(struct session *session, const struct rf_test_result *result)
{
    const struct options *options = session->options;

    if (session->result_count == session->result_capacity) {
        session->result_capacity =
            session->result_capacity == 0 ? 64 : 2 * session->result_capacity;
        session->results =
            realloc(session->results, session->result_capacity * sizeof *session->results);
        rf_assert(session->results != NULL);
    }
    session->results[session->result_count++] = result;
    session->failed += result->outcome.failure_count > 0 ? 1 : 0;
    rf_progress_hide(&session->progress);
    if (options->json) {
        rf_buffer_clear(&session->text);
        rf_test_report_json(result, &session->text);
        fwrite(session->text.data, 1, session->text.size, stdout);
    } else {
        rf_test_report_text(stdout, result, options->quiet);
    }
    rf_progress_update(&session->progress, session->result_count);
}

static void run_tests(struct session *session, const struct rf_test_bench *bench,
                      const struct rf_tests *tests)
{
    const char *name = session->options->name;
    bool announced = false;

    for (size_t i = 0; i < tests->count; i++) {
        struct rf_test_result *result = NULL;

        if (name != NULL && strstr(tests->items[i].name, name) == NULL)
            continue;
        if (!announced) {
            session->files++;
            if (!session->options->json && !session->options->quiet)
                printf("%s\n", tests->file);
        }
        announced = true;
        result = rf_arena_alloc_zero(&session->arena, sizeof *result);
        result->file = rf_arena_copy_text(&session->arena, tests->file);
        result->test = &tests->items[i];
        rf_test_run(bench, &tests->items[i], &session->arena, &result->outcome);
        take_result(session, result);
    }
}

/* All of them by JSON, whatever the format of the messages is. */
static struct rf_decoder *json_decoders(struct rf_arena *arena, const struct rf_plan *plan,
                                        struct rf_json_decoder *json)
{
    struct rf_decoder *decoders =
        rf_arena_alloc(arena, (plan->source_count + 1) * sizeof *decoders);

    for (size_t i = 0; i < plan->source_count; i++)
        decoders[i] = rf_json_decoder_port(json);
    return decoders;
}

static void test_configuration(struct session *session, struct rf_configuration *configuration,
                               const struct rf_tests *tests)
{
    const struct rf_plan *plan = configuration->config->plan;
    struct rf_json_decoder *json = rf_json_decoder_open(plan);
    struct rf_test_bench bench = {
        .config = configuration->config,
        .codec = rf_customer_codec_make(&configuration->arena, plan),
        .decoders = json_decoders(&configuration->arena, plan, json),
        .engine = rf_engine_open(plan),
        .explainer = rf_explainer_open(plan),
        .values = rf_arena_alloc(&configuration->arena,
                                 (plan->feature_count + 1) * sizeof(struct rf_value)),
    };

    run_tests(session, &bench, tests);
    rf_engine_close(bench.engine);
    rf_explainer_close(bench.explainer);
    rf_json_decoder_close(json);
}

static const char *find_variable(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

static void test_file(struct session *session, const char *path)
{
    static const struct rf_configuration_options reading = {
        .without_kafka = true, .offline = true, .shadow_tells = true};
    static const struct rf_config_environment environment = {.variable = find_variable};
    struct rf_configuration configuration;
    struct rf_diagnostics *diagnostics = rf_arena_alloc(&session->arena, sizeof *diagnostics);
    struct rf_test_file *file = NULL;
    struct rf_tests tests = {0};
    bool ok = false;

    rf_progress_hide(&session->progress);
    rf_diagnostics_init(diagnostics, &session->arena);
    if (!rf_test_file_open(path, &environment, &session->arena, &file, diagnostics)) {
        rf_diagnostics_print(stderr, diagnostics);
        session->broken = true;
        return;
    }
    ok = rf_configuration_open(&configuration, rf_test_file_config(file), &reading);
    if (ok) {
        ok = rf_test_file_read(file, configuration.config->plan, &tests);
        fflush(stdout);
        rf_diagnostics_print(stderr, diagnostics);
    }
    if (ok)
        test_configuration(session, &configuration, &tests);
    session->broken = session->broken || !ok;
    rf_configuration_close(&configuration);
}

/* ---- the whole ---- */

static bool write_junit(struct session *session)
{
    const char *path = session->options->junit;
    FILE *file = NULL;
    bool failed = false;

    if (path == NULL)
        return true;
    rf_buffer_clear(&session->text);
    rf_test_report_junit(session->results, session->result_count, &session->text);
    file = fopen(path, "w");
    if (file != NULL) {
        failed = fwrite(session->text.data, 1, session->text.size, file) != session->text.size;
        failed = fclose(file) != 0 || failed;
    }
    if (file != NULL && !failed)
        return true;
    fprintf(stderr, "ringfold: writing %s: %s\n", path, strerror(errno));
    return false;
}

static void summarise(const struct session *session)
{
    FILE *out = session->options->json ? stderr : stdout;

    fprintf(out, "%zu test%s in %zu file%s: %zu passed, %zu failed\n", session->result_count,
            session->result_count == 1 ? "" : "s", session->files, session->files == 1 ? "" : "s",
            session->result_count - session->failed, session->failed);
}

static int test_files(const struct options *options)
{
    struct session session = {.options = options};
    int status = RF_EXIT_FINE;

    rf_arena_init(&session.arena, ARENA_CHUNK);
    rf_buffer_init(&session.text, REPORT_MAX);
    rf_progress_start(&session.progress, "testing", "tests", 0, options->quiet);
    for (size_t i = 0; i < options->file_count; i++)
        test_file(&session, options->files[i]);
    rf_progress_end(&session.progress);
    if (session.broken)
        status = RF_EXIT_USAGE;
    else if (session.result_count == 0)
        status = rf_command_usage("test", "no test has '%s' in its name", options->name);
    else if (!write_junit(&session) || session.failed > 0)
        status = RF_EXIT_FAILED;
    if (session.result_count > 0)
        summarise(&session);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "ringfold: writing standard output: %s\n", strerror(errno));
        status = status == RF_EXIT_FINE ? RF_EXIT_FAILED : status;
    }
    free(session.results);
    rf_buffer_deinit(&session.text);
    rf_arena_deinit(&session.arena);
    return status;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    const struct rf_option known[] = {
        {"junit", 0, .text = &options.junit},
        {"json", 0, .flag = &options.json},
        {"name", 'k', .text = &options.name},
        {"quiet", 'q', .flag = &options.quiet},
        {.name = NULL},
    };

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    options.files = argv + optind;
    options.file_count = (size_t)(argc - optind);
    if (options.file_count == 0)
        return rf_command_usage("test", "which files of tests?");
    return test_files(&options);
}

const struct rf_command rf_command_test = {
    .name = "test",
    .summary = "tests of rules: events in, what has to come out",
    .help =
        "usage: ringfold test [OPTION]... FILE...\n"
        "\n"
        "Runs the tests in YAML files that stand beside the rules. A file names its configuration; a test\n"
        "says what happens (given, when), lets time pass (advance) and says what has to come of it\n"
        "(expect): derived events, features, dead letters, or nothing. Events go through the same engine\n"
        "and the same transactions as those of 'run', without Kafka; each test begins without customers.\n"
        "What differs is shown with its place. ringfold(1) describes the files.\n"
        "\n"
        "  -k, --name TEXT   only the tests with TEXT in their names\n"
        "      --json        one JSON object a test, on standard output\n"
        "      --junit FILE  a report for build servers\n"
        "  -q, --quiet       only what failed, and the summary\n"
        "\n"
        "Exit status: 0 all passed, 1 some failed, 2 a file or its configuration is wrong.\n"
        "\n"
        "example: ringfold test seeds/telco/tests/*.yaml\n",
    .run = run,
};
