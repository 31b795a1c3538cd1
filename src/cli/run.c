#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/endpoint.h"
#include "cli/reload.h"
#include "cli/supervisor.h"
#include "core/base/assert.h"
#include "core/model/plan.h"
#include "edge/sys/clock.h"
#include "edge/sys/failpoint.h"
#include "edge/sys/log.h"
#include "edge/sys/signal.h"

#define TURN_MS        500
#define BROKER_WAIT_MS 2000
#define INSTANCE_ARENA 4096
#define STUCK_NS       INT64_C(3000000000) /* after being asked twice */

struct run_options {
    const char *file;
    bool accept_gap;
};

static bool asked_to_stop(void)
{
    return rf_signals_stop_count() > 0;
}

static void setup_log(const struct rf_config *config)
{
    struct rf_log_options options = {
        .fd = 2, .level = config->log_level, .format = config->log_format};

    rf_log_setup(&options);
}

static void tell_waiting(void *supervisor, const struct rf_error *why)
{
    char status[RF_ERROR_MESSAGE_MAX + 16];

    snprintf(status, sizeof status, "waiting: %s", why->message);
    rf_supervisor_waits(supervisor, status);
}

/* A broker that is away is waited for: the supervisor restarting us would do no better. */
static bool wait_for_topics(struct rf_stream_options *options, struct rf_supervisor *supervisor,
                            struct rf_error *err)
{
    while (!asked_to_stop()) {
        rf_error_clear(err);
        if (rf_stream_check(options, err))
            return true;
        if (err->kind != RF_ERROR_RETRY)
            return false;
        rf_log_warning(RF_FIELDS(rf_field_error(err)), "waiting for kafka");
        tell_waiting(supervisor, err);
        rf_signals_wait(BROKER_WAIT_MS);
    }
    return false;
}

/* Asked twice to stop, and a worker still waits for a broker: the process goes without it. What is not committed is
 * folded again by whoever starts next, and the stores are older states, whole: nothing is lost by it. */
static void leave_if_stuck(rf_ns asked)
{
    if (rf_clock_monotonic_ns() - asked < STUCK_NS)
        return;
    rf_log_warning(NULL, "a worker does not answer: leaving without it");
    rf_log_flush(true);
    _exit(RF_EXIT_FAILED);
}

struct serving {
    struct rf_generation *generation, *next; /* next: takes over when the workers have ended */
    struct rf_generation *first;
    struct rf_instance instance; /* given to the runtime of the first */
    struct rf_ops *ops;          /* NULL: the endpoint is off */
    struct rf_stream *stream;
    struct rf_supervisor *supervisor;
    const struct run_options *options;
};

static void renew_tokens(struct serving *serving)
{
    const char *file = serving->generation->runtime.config->http.token_file;
    struct rf_error err = {0};

    if (serving->ops == NULL || file == NULL)
        return;
    if (!rf_ops_renew_tokens(serving->ops, file, &err))
        rf_log_error(RF_FIELDS(rf_field_error(&err)),
                     "the tokens are not taken; the old ones are still good");
}

static void reload(struct serving *serving)
{
    rf_supervisor_reloads(serving->supervisor);
    renew_tokens(serving);
    serving->next = rf_reload(serving->generation, serving->options->file);
    if (serving->next != NULL)
        rf_stream_stop(serving->stream, false); /* they commit what is folded */
    else
        rf_supervisor_runs(serving->supervisor);
}

/* Until a signal, a worker or the next generation ends it. */
static int serve(struct serving *serving)
{
    struct rf_stream *stream = serving->stream;
    struct rf_error err = {0};
    rf_ns asked = 0; /* the second time */
    int stops = 0;

    while (!rf_stream_wait(stream, TURN_MS, &err)) {
        int now = rf_signals_stop_count();

        if (now == 0)
            rf_supervisor_turn(serving->supervisor, stream);
        if (now > stops) {
            rf_supervisor_stops(serving->supervisor);
            if (serving->ops != NULL)
                rf_ops_leave(serving->ops);
            rf_stream_stop(stream, now > 1);
            rf_log_info(NULL, now > 1 ? "stopping at once" : "stopping: committing what is folded");
        }
        if (now > 1 && asked == 0)
            asked = rf_clock_monotonic_ns();
        if (asked != 0)
            leave_if_stuck(asked);
        if (now == 0 && serving->next == NULL && rf_signals_take_reload())
            reload(serving);
        stops = now;
        rf_log_flush(false);
    }
    if (err.kind == RF_ERROR_NONE)
        return RF_EXIT_FINE;
    rf_log_error(RF_FIELDS(rf_field_error(&err)), "cannot go on");
    return err.kind == RF_ERROR_CONFIG ? RF_EXIT_USAGE : RF_EXIT_FAILED;
}

static void announce(const struct rf_runtime *runtime, bool is_first)
{
    const struct rf_config *config = runtime->config;

    rf_log_info(RF_FIELDS(rf_field_text("app", config->plan->app),
                          rf_field_text("instance", runtime->instance.name),
                          rf_field_text("plan", config->plan->version),
                          rf_field_int("partitions", runtime->stream.partitions),
                          rf_field_int("workers", config->workers)),
                is_first ? "running" : "running with the configuration that was read again");
}

/* Where the endpoint is off everything is as with it, but that nobody can ask. */
static void set_phase(struct rf_ops *ops, const char *phase)
{
    if (ops != NULL)
        rf_ops_set_phase(ops, phase);
}

/* The first one waits for whom it needs; those after it have been asked for everything already. */
static bool open_generation(struct serving *serving, struct rf_error *err)
{
    struct rf_generation *generation = serving->generation;
    struct rf_runtime *runtime = &generation->runtime;
    const struct rf_runtime_options opening = {.gave_up = asked_to_stop,
                                               .waits = tell_waiting,
                                               .self = serving->supervisor,
                                               .stop = rf_signals_stop_flag(),
                                               .instance = &serving->instance};

    if (!generation->is_open) {
        generation->is_open = true;
        set_phase(serving->ops, "waiting for the schema registry");
        if (!rf_runtime_open(runtime, generation->configuration.config, &opening, err))
            return false;
        runtime->stream.accept_gap = serving->options->accept_gap;
        set_phase(serving->ops, "waiting for kafka");
        if (!wait_for_topics(&runtime->stream, serving->supervisor, err))
            return false;
    }
    runtime->stream.http_address =
        rf_endpoint_advertised(runtime->config, serving->ops, &runtime->arena);
    return rf_runtime_open_stores(runtime, runtime->stream.partitions, err);
}

/* What has kept the process from coming to work at all. */
static int cannot_begin(const struct rf_error *err)
{
    if (asked_to_stop())
        return RF_EXIT_FINE;
    fprintf(stderr, "ringfold: %s\n", err->message);
    return err->kind == RF_ERROR_CONFIG ? RF_EXIT_USAGE : RF_EXIT_FAILED;
}

static int run_generation(struct serving *serving, bool is_first)
{
    struct rf_error err = {0};
    struct rf_inspect inspect;
    int status = RF_EXIT_FAILED;

    if (open_generation(serving, &err))
        serving->stream = rf_stream_start(&serving->generation->runtime.stream, &err);
    if (serving->stream == NULL)
        return cannot_begin(&err);
    inspect = rf_stream_inspect(serving->stream);
    if (serving->ops != NULL)
        rf_ops_attach(serving->ops, &inspect);
    announce(&serving->generation->runtime, is_first);
    rf_supervisor_runs(serving->supervisor);
    status = serve(serving);
    if (serving->ops != NULL)
        rf_ops_detach(serving->ops, serving->next != NULL ? "reloading" : "stopping");
    rf_stream_close(serving->stream);
    serving->stream = NULL;
    return status;
}

/* One after another, as long as there is a next and nobody asks to stop. */
static int run_generations(struct serving *serving)
{
    int status = run_generation(serving, true);

    while (serving->next != NULL) {
        if (serving->generation != serving->first)
            rf_generation_close(serving->generation);
        else
            rf_generation_rest(serving->first);
        serving->generation = serving->next;
        serving->next = NULL;
        if (status == RF_EXIT_FINE && !asked_to_stop()) {
            setup_log(serving->generation->configuration.config);
            status = run_generation(serving, false);
        }
    }
    return status;
}

/* The instance and its port are those of the process, whatever its configuration becomes. */
static int run_process(struct rf_generation *first, const struct run_options *options,
                       struct rf_supervisor *supervisor)
{
    const struct rf_config *config = first->configuration.config;
    struct serving serving = {.generation = first,
                              .first = first,
                              .supervisor = supervisor,
                              .options = options,
                              .instance = {.lock = -1}};
    struct rf_error err = {0};
    struct rf_arena arena; /* of the instance's names */
    int status = RF_EXIT_FAILED;

    rf_arena_init(&arena, INSTANCE_ARENA);
    if (rf_instance_claim(config->state_dir, config->plan->app, config->instance, &arena,
                          &serving.instance, &err) &&
        rf_endpoint_open(config, &serving.instance, &serving.ops, &err)) {
        status = run_generations(&serving);
        rf_ops_close(serving.ops); /* before the instance is given up: its port is free then */
    } else {
        status = cannot_begin(&err);
        if (serving.instance.lock >= 0)
            rf_instance_release(&serving.instance);
    }
    if (serving.generation != first)
        rf_generation_close(serving.generation);
    rf_generation_close(first); /* the endpoint's settings were in it */
    rf_arena_deinit(&arena);
    return status;
}

static struct rf_generation *first_generation(const char *file)
{
    const struct rf_configuration_options reading = {0};
    struct rf_generation *first = calloc(1, sizeof *first);

    rf_assert(first != NULL);
    if (rf_configuration_open(&first->configuration, file, &reading))
        return first;
    rf_generation_close(first);
    return NULL;
}

static int run(int argc, char **argv)
{
    enum {
        ACCEPT_GAP = 256
    };
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"accept-gap", no_argument, NULL, ACCEPT_GAP},
        {NULL, 0, NULL, 0},
    };
    struct run_options options = {0};
    struct rf_generation *first = NULL;
    struct rf_supervisor supervisor;
    struct rf_error err = {0};
    int option = 0;
    int status = RF_EXIT_USAGE;

    while ((option = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
        if (option == 'c')
            options.file = optarg;
        else if (option == ACCEPT_GAP)
            options.accept_gap = true;
        else
            return rf_command_usage("run", "what is '%s'?", argv[optind - 1]);
    }
    if (optind < argc)
        return rf_command_usage("run", "what is '%s'?", argv[optind]);
    if (options.file == NULL)
        return rf_command_usage("run", "which configuration? -c FILE names it");
    if (!rf_failpoints_setup(&err) || !rf_signals_catch(&err) ||
        !rf_supervisor_open(&supervisor, &err)) {
        fprintf(stderr, "ringfold: %s\n", err.message);
        return RF_EXIT_FAILED;
    }
    first = first_generation(options.file);
    if (first != NULL) {
        setup_log(first->configuration.config);
        status = run_process(first, &options, &supervisor);
    }
    rf_log_flush(true);
    rf_supervisor_close(&supervisor);
    return status;
}

const struct rf_command rf_command_run = {
    .name = "run",
    .summary = "the daemon: folds, alerts and commits until it is stopped",
    .help =
        "usage: ringfold run -c FILE [--accept-gap]\n"
        "\n"
        "Consumes the sources, folds every event into its customer's record, emits what the rules\n"
        "say, exactly once. Ends on SIGTERM or SIGINT after committing; a second one ends it at\n"
        "once, and loses nothing either. Start it again, or on more machines, with the same command:\n"
        "the instances share the partitions.\n"
        "\n"
        "Metrics, health, lag and customers are answered over HTTP, where http.listen says (127.0.0.1:8088),\n"
        "and shown on a page there.\n"
        "\n"
        "SIGHUP reads the configuration again: rules, features, outputs, lateness and the like change\n"
        "from one transaction to the next, with the state as it is. A file with errors, or a setting\n"
        "that needs a restart (app, kafka, instance, workers, state, topics, http), is told in the\n"
        "log, and the old configuration goes on. The tokens of http.token_file are read again, too.\n"
        "\n"
        "  -c, --config FILE  the configuration\n"
        "      --accept-gap   go on although the input or the changelog has lost records\n"
        "\n"
        "Exit status: 0 stopped, 1 could not go on, 2 the configuration, the topics or the port are wrong.\n"
        "\n"
        "example: ringfold run -c /etc/ringfold/ringfold.yaml\n",
    .run = run,
};
