#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/endpoint.h"
#include "cli/runtime.h"
#include "cli/supervisor.h"
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

/* Until a signal or a worker ends it. */
static int serve(struct rf_stream *stream, struct rf_supervisor *supervisor)
{
    struct rf_error err = {0};
    rf_ns asked = 0; /* the second time */
    int stops = 0;

    while (!rf_stream_wait(stream, TURN_MS, &err)) {
        int now = rf_signals_stop_count();

        if (now == 0)
            rf_supervisor_turn(supervisor, stream);
        if (now > stops) {
            rf_supervisor_stops(supervisor);
            rf_stream_stop(stream, now > 1);
            rf_log_info(NULL, now > 1 ? "stopping at once" : "stopping: committing what is folded");
        }
        if (now > 1 && asked == 0)
            asked = rf_clock_monotonic_ns();
        if (asked != 0)
            leave_if_stuck(asked);
        stops = now;
        rf_log_flush(false);
    }
    if (err.kind == RF_ERROR_NONE)
        return RF_EXIT_FINE;
    rf_log_error(RF_FIELDS(rf_field_error(&err)), "cannot go on");
    return err.kind == RF_ERROR_CONFIG ? RF_EXIT_USAGE : RF_EXIT_FAILED;
}

static void announce(const struct rf_runtime *runtime)
{
    const struct rf_config *config = runtime->config;

    rf_log_info(RF_FIELDS(rf_field_text("app", config->plan->app),
                          rf_field_text("instance", runtime->instance.name),
                          rf_field_text("plan", config->plan->version),
                          rf_field_int("partitions", runtime->stream.partitions),
                          rf_field_int("workers", config->workers)),
                "running");
}

/* Where the endpoint is off everything is as with it, but that nobody can ask. */
static void set_phase(struct rf_ops *ops, const char *phase)
{
    if (ops != NULL)
        rf_ops_set_phase(ops, phase);
}

/* False: it did not come to work at all. */
static bool run_instance(struct rf_runtime *runtime, const struct run_options *options,
                         struct rf_supervisor *supervisor, struct rf_ops *ops, int *status,
                         struct rf_error *err)
{
    struct rf_stream *stream = NULL;
    struct rf_inspect inspect;

    runtime->stream.accept_gap = options->accept_gap;
    runtime->stream.http_address = ops == NULL ? NULL : rf_ops_address(ops);
    set_phase(ops, "waiting for kafka");
    if (!wait_for_topics(&runtime->stream, supervisor, err) ||
        !rf_runtime_open_stores(runtime, runtime->stream.partitions, err))
        return false;
    stream = rf_stream_start(&runtime->stream, err);
    if (stream == NULL)
        return false;
    inspect = rf_stream_inspect(stream);
    if (ops != NULL)
        rf_ops_attach(ops, &inspect);
    announce(runtime);
    rf_supervisor_runs(supervisor);
    *status = serve(stream, supervisor);
    if (ops != NULL)
        rf_ops_detach(ops, "stopping");
    rf_stream_close(stream);
    return true;
}

static int run_config(const struct rf_config *config, const struct run_options *options,
                      struct rf_supervisor *supervisor)
{
    struct rf_runtime runtime;
    struct rf_instance instance = {.lock = -1};
    struct rf_runtime_options opening = {
        .gave_up = asked_to_stop, .waits = tell_waiting, .self = supervisor, .instance = &instance};
    struct rf_error err = {0};
    struct rf_arena arena; /* of the instance's names */
    struct rf_ops *ops = NULL;
    int status = RF_EXIT_FAILED;
    bool started = false;

    rf_arena_init(&arena, INSTANCE_ARENA);
    if (rf_instance_claim(config->state_dir, config->plan->app, config->instance, &arena, &instance,
                          &err) &&
        rf_endpoint_open(config, &instance, &ops, &err)) {
        set_phase(ops, "waiting for the schema registry");
        started = rf_runtime_open(&runtime, config, &opening, &err) &&
                  run_instance(&runtime, options, supervisor, ops, &status, &err);
        rf_ops_close(ops);
        rf_runtime_close(&runtime); /* and with it the instance, whose port is free by now */
    } else if (instance.lock >= 0) {
        rf_instance_release(&instance);
    }
    if (!started && asked_to_stop())
        status = RF_EXIT_FINE;
    else if (!started)
        fprintf(stderr, "ringfold: %s\n", err.message);
    if (!started && err.kind == RF_ERROR_CONFIG)
        status = RF_EXIT_USAGE;
    rf_arena_deinit(&arena);
    return status;
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
    struct rf_configuration_options reading = {0};
    struct rf_configuration configuration;
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
    if (rf_configuration_open(&configuration, options.file, &reading)) {
        setup_log(configuration.config);
        status = run_config(configuration.config, &options, &supervisor);
    }
    rf_log_flush(true);
    rf_configuration_close(&configuration);
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
        "  -c, --config FILE  the configuration\n"
        "      --accept-gap   go on although the input or the changelog has lost records\n"
        "\n"
        "Exit status: 0 stopped, 1 could not go on, 2 the configuration, the topics or the port are wrong.\n"
        "\n"
        "example: ringfold run -c /etc/ringfold/ringfold.yaml\n",
    .run = run,
};
