/* The main job on a broker inside the process: what a newcomer sees first. */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/endpoint.h"
#include "cli/options.h"
#include "cli/runtime.h"
#include "cli/terminal.h"
#include "core/base/assert.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "edge/replay/merge.h"
#include "edge/stream/embedded.h"
#include "edge/stream/feeder.h"
#include "edge/sys/clock.h"
#include "edge/sys/file.h"
#include "edge/sys/log.h"
#include "edge/sys/signal.h"
#include "edge/sys/thread.h"

#define DEMO_NAME   "demo"
#define PARTITIONS  4
#define PACE_DAYS   2 /* of event time a second, so that one can watch */
#define TURN_MS     100
#define FLUSH_MS    10000
#define SETTLE_MS   60000 /* for the last events to be folded */
#define RULES_SHOWN RF_RULES_MAX

struct demo_options {
    const char *seeds;
    bool once;
};

struct demo {
    const struct demo_options *options;
    const struct rf_plan *plan;
    struct rf_embedded *broker;
    struct rf_feeder *feeder;
    struct rf_stream *stream;
    struct rf_ops *ops; /* NULL: there is no page */
    struct rf_inspect inspect;
    char directory[64]; /* of the stores */
    uint64_t fed;

    struct rf_mutex lock; /* alerts come from the worker's thread */
    uint64_t fired[RULES_SHOWN] RF_GUARDED_BY(lock);
};

/* ---- what is shown ---- */

static void print_reasons(const struct rf_derived *derived, struct rf_buffer *line)
{
    for (size_t i = 0; i < derived->reason_count; i++) {
        rf_buffer_printf(line, "%s%s = ", i == 0 ? "" : ", ", derived->reasons[i].name);
        rf_value_print(line, derived->reasons[i].value);
    }
}

static void print_alert(void *self, const struct rf_derived *derived)
{
    struct demo *demo = self;
    const struct rf_rule *rule = NULL;
    char time[RF_TIME_TEXT_MAX];
    struct rf_buffer line;

    rf_assert(derived->rule < demo->plan->rule_count); /* the sample has no news of customers */
    rule = &demo->plan->rules[derived->rule];
    rf_time_format_ms(time, sizeof time, derived->occurred_at);
    rf_buffer_init(&line, 64U * 1024);
    rf_buffer_printf(&line, "%.16s  %s%-8s%s %.*s  %s%s: %.*s\n%20s", time,
                     rf_terminal_colour(stdout) ? RF_BOLD : "",
                     rule->offer_id != NULL ? "offer" : rule->severity,
                     rf_terminal_colour(stdout) ? RF_PLAIN : "", (int)derived->customer.size,
                     (const char *)derived->customer.data, rule->name,
                     derived->status == RF_STATUS_RAISED    ? ""
                     : derived->status == RF_STATUS_UPDATED ? " goes on"
                                                            : " is over",
                     (int)derived->because.size, (const char *)derived->because.data, "");
    print_reasons(derived, &line);
    rf_buffer_append_byte(&line, '\n');
    fwrite(line.data, 1, line.size, stdout);
    fflush(stdout);
    rf_buffer_deinit(&line);
    rf_mutex_lock(&demo->lock);
    demo->fired[derived->rule]++;
    rf_mutex_unlock(&demo->lock);
}

static void print_how_to_read(const struct demo *demo)
{
    printf("\nread them from another terminal while this runs: kcat -C -b %s -t %s\n\n",
           rf_embedded_bootstrap(demo->broker), demo->plan->outputs[0].topic);
    if (demo->ops != NULL)
        printf("or look at the page: http://%s/\n\n", rf_ops_address(demo->ops));
    fflush(stdout);
}

static void print_summary(struct demo *demo, const struct rf_stream_stats *stats)
{
    size_t customers = 0;
    uint64_t records = 0;
    uint64_t dead_letters = 0;

    for (size_t i = 0; i < stats->slot_count; i++) {
        customers += stats->slots[i].records.cached_count;
        records += stats->slots[i].counts.records;
        dead_letters += stats->slots[i].counts.dead_letters;
    }
    printf("\n%" PRIu64 " events of %zu customers folded in %" PRIu64 " commits, %" PRIu64
           " dead letters\n",
           records, customers, stats->committed, dead_letters);
    rf_mutex_lock(&demo->lock);
    for (size_t i = 0; i < demo->plan->rule_count; i++)
        printf("  %-24s fired %" PRIu64 " times\n", demo->plan->rules[i].name, demo->fired[i]);
    rf_mutex_unlock(&demo->lock);
}

/* ---- the broker and what is fed to it ---- */

static bool make_topics(struct demo *demo, const struct rf_config *config, struct rf_error *err)
{
    struct rf_topic topics[RF_TOPICS_MAX];
    size_t count = rf_runtime_topics(config, topics);

    for (size_t i = 0; i < count; i++) {
        if (!rf_embedded_make_topic(demo->broker, topics[i].name, PARTITIONS, err))
            return false;
    }
    return true;
}

static bool asked_to_stop(void)
{
    return rf_signals_stop_count() > 0;
}

/* Event time runs PACE_DAYS a second, unless the demo is to be over at once. */
static void keep_pace(const struct demo *demo, rf_ms time, rf_ms *last)
{
    if (!demo->options->once && *last != RF_MS_MIN && time > *last) {
        rf_span_ms pause = (time - *last) / (PACE_DAYS * RF_DAY_MS / 1000);

        if (pause < 1)
            return; /* too short to sleep: gathered until it is not */
        rf_signals_wait(pause);
    }
    *last = time;
}

static bool feed(struct demo *demo, struct rf_merge *merge, struct rf_error *err)
{
    rf_ms last = RF_MS_MIN;

    while (!asked_to_stop()) {
        struct rf_merged merged;
        bool end = false;

        if (!rf_merge_next(merge, &merged, &end, err))
            return false;
        if (end)
            break;
        keep_pace(demo, merged.time, &last);
        /* The event's time is in the message. Where somebody looks on, that itself is of now: lag is then seconds and
         * not months. At full speed it is the message's time that keeps topics in step. */
        if (!rf_feeder_send(demo->feeder, demo->plan->sources[merged.record.source].topic,
                            merged.customer, merged.record.value,
                            demo->options->once ? merged.time : RF_MS_MIN, err))
            return false;
        demo->fed++;
    }
    return rf_feeder_flush(demo->feeder, FLUSH_MS, err);
}

static bool feed_seeds(struct demo *demo, struct rf_error *err)
{
    struct rf_replay_input inputs[RF_SOURCES_MAX];
    char paths[RF_SOURCES_MAX][PATH_MAX];
    struct rf_merge *merge = NULL;
    bool ok = false;

    for (size_t i = 0; i < demo->plan->source_count; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/telco/%s.ndjson", demo->options->seeds,
                 demo->plan->sources[i].name);
        inputs[i] = (struct rf_replay_input){.path = paths[i], .source = (uint32_t)i};
    }
    merge = rf_merge_open(demo->plan, inputs, demo->plan->source_count, err);
    ok = merge != NULL && feed(demo, merge, err);
    rf_merge_close(merge);
    return ok;
}

/* Until everything that was fed is folded and committed, or the worker has failed. */
static bool settle(struct demo *demo, struct rf_stream_stats *stats, struct rf_error *err)
{
    int64_t until = rf_clock_monotonic_ms() + SETTLE_MS;

    while (!asked_to_stop() && rf_clock_monotonic_ms() < until) {
        uint64_t records = 0;

        if (rf_stream_wait(demo->stream, TURN_MS, err))
            return err->kind == RF_ERROR_NONE;
        rf_stream_stats(demo->stream, stats);
        for (size_t i = 0; i < stats->slot_count; i++)
            records += stats->slots[i].counts.records;
        if (records >= demo->fed)
            return true;
    }
    return asked_to_stop() ||
           rf_error_set(err, RF_ERROR_RETRY, 0, "the events were not folded within %d s",
                        SETTLE_MS / 1000);
}

static bool play(struct demo *demo, struct rf_error *err)
{
    struct rf_stream_stats *stats = calloc(1, sizeof *stats);
    bool ok = false;

    rf_assert(stats != NULL);
    print_how_to_read(demo);
    ok = feed_seeds(demo, err) && settle(demo, stats, err);
    if (ok)
        print_summary(demo, stats);
    if (ok && !demo->options->once && !asked_to_stop()) {
        print_how_to_read(demo);
        printf("the sample is folded; the broker goes on until Ctrl-C\n");
        fflush(stdout);
        while (!asked_to_stop() && !rf_stream_wait(demo->stream, TURN_MS, err)) {
        }
    }
    free(stats);
    return ok;
}

/* ---- wiring ---- */

/* With the sample's port, or any that is free. There is none to look at where it goes as fast as it can. */
static bool open_page(struct demo *demo, const struct rf_config *config, struct rf_error *err)
{
    const struct rf_instance instance = {.name = DEMO_NAME};

    return demo->options->once || rf_endpoint_open(config, &instance, &demo->ops, err);
}

static bool start(struct demo *demo, struct rf_runtime *runtime, const struct rf_config *config,
                  struct rf_error *err)
{
    struct rf_runtime_options opening = {.gave_up = asked_to_stop, .read_only = true};

    if (!rf_runtime_open(runtime, config, &opening, err) ||
        !rf_runtime_open_stores(runtime, PARTITIONS, err))
        return false;
    runtime->stream.instance = DEMO_NAME;
    runtime->stream.ports.emitted = print_alert;
    runtime->stream.ports.emitted_self = demo;
    demo->feeder = rf_feeder_open(config->properties, config->property_count, err);
    if (demo->feeder == NULL || !make_topics(demo, config, err))
        return false;
    if (!open_page(demo, config, err))
        return false;
    if (demo->ops != NULL)
        runtime->stream.http_address = rf_ops_address(demo->ops);
    demo->stream = rf_stream_start(&runtime->stream, err);
    if (demo->stream == NULL)
        return false;
    demo->inspect = rf_stream_inspect(demo->stream);
    if (demo->ops != NULL)
        rf_ops_attach(demo->ops, &demo->inspect);
    return true;
}

static void stop(struct demo *demo)
{
    struct rf_error err = {0};

    if (demo->ops != NULL)
        rf_ops_detach(demo->ops, "stopping");
    if (demo->stream != NULL) {
        rf_stream_stop(demo->stream, false);
        while (!rf_stream_wait(demo->stream, TURN_MS, &err) && rf_signals_stop_count() < 2) {
        }
        rf_stream_close(demo->stream);
    }
    rf_feeder_close(demo->feeder);
    rf_ops_close(demo->ops);
}

static int run_demo(struct demo *demo, struct rf_config *config)
{
    struct rf_runtime runtime;
    struct rf_error err = {0};
    bool ok = false;

    demo->plan = config->plan;
    config->delivery = RF_AT_LEAST_ONCE; /* the embedded broker has no transactions */
    config->idle_by_wall = false;        /* what it plays is of another time */
    config->workers = 1;
    rf_mutex_init(&demo->lock);
    ok = start(demo, &runtime, config, &err) && play(demo, &err);
    stop(demo);
    rf_runtime_close(&runtime);
    rf_mutex_deinit(&demo->lock);
    if (!ok)
        fprintf(stderr, "ringfold: %s\n", err.message);
    return ok ? RF_EXIT_FINE : RF_EXIT_FAILED;
}

/* Beside the build (build/ringfold), or where it is installed. */
static bool find_seeds(char *path, size_t size_max)
{
    static const char *const places[] = {"../seeds", "../share/ringfold/seeds", "seeds"};
    char binary[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", binary, sizeof binary - 1);

    if (size <= 0)
        return false;
    binary[size] = '\0';
    *(strrchr(binary, '/') + 1) = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char configuration[PATH_MAX + 64];

        snprintf(path, size_max, "%s%s", binary, places[i]);
        snprintf(configuration, sizeof configuration, "%s/telco/ringfold.yaml", path);
        if (access(configuration, R_OK) == 0)
            return true;
    }
    return false;
}

static int demo_with_broker(struct demo *demo)
{
    struct rf_configuration_options reading = {.offline = true};
    struct rf_configuration configuration;
    char path[PATH_MAX];
    int status = RF_EXIT_FAILED;

    setenv("KAFKA_BOOTSTRAP", rf_embedded_bootstrap(demo->broker), 1);
    setenv("STATE_DIR", demo->directory, 1);
    snprintf(path, sizeof path, "%s/telco/ringfold.yaml", demo->options->seeds);
    if (rf_configuration_open(&configuration, path, &reading))
        status = run_demo(demo, configuration.config);
    rf_configuration_close(&configuration);
    return status;
}

static int run_options(const struct demo_options *options)
{
    struct rf_log_options log = {.fd = STDERR_FILENO, .level = RF_LOG_ERROR};
    struct demo demo = {.options = options, .directory = "/tmp/ringfold-demo-XXXXXX"};
    struct rf_error err = {0};
    int status = RF_EXIT_FAILED;

    rf_log_setup(&log);
    if (mkdtemp(demo.directory) == NULL) {
        fprintf(stderr, "ringfold: no temporary directory can be made in /tmp\n");
        return RF_EXIT_FAILED;
    }
    if (rf_signals_catch(&err))
        demo.broker = rf_embedded_open(&err);
    if (demo.broker != NULL)
        status = demo_with_broker(&demo);
    else
        fprintf(stderr, "ringfold: %s\n", err.message);
    rf_embedded_close(demo.broker);
    rf_error_clear(&err);
    if (!rf_file_remove_tree("/tmp", demo.directory + strlen("/tmp/"), &err))
        fprintf(stderr, "ringfold: %s\n", err.message);
    return status;
}

static int run(int argc, char **argv)
{
    struct demo_options options = {0};
    const struct rf_option known[] = {
        {"once", 0, .flag = &options.once},
        {"seeds", 0, .text = &options.seeds},
        {.name = NULL},
    };
    char seeds[PATH_MAX];

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (optind < argc)
        return rf_command_usage("demo", "what is '%s'?", argv[optind]);
    if (options.seeds == NULL && find_seeds(seeds, sizeof seeds))
        options.seeds = seeds;
    if (options.seeds == NULL)
        return rf_command_usage("demo", "where is the sample data? --seeds DIR names it");
    return run_options(&options);
}

const struct rf_command rf_command_demo = {
    .name = "demo",
    .summary = "an embedded broker, sample interactions, and the alerts they cause",
    .help =
        "usage: ringfold demo [--once] [--seeds DIR]\n"
        "\n"
        "Starts a broker inside the process, feeds it the calls, purchases and complaints of a small\n"
        "telecom operator, runs seeds/telco/ringfold.yaml over them and prints each alert with its\n"
        "reasons, and shows them on a page: http://127.0.0.1:8088/, or the address that it prints. Two\n"
        "days pass in a second. The embedded broker keeps nothing and knows no transactions: 'run'\n"
        "against a real one is exactly once, the demo delivers at least once.\n"
        "\n"
        "      --once       as fast as it goes, without the page; ends with a summary\n"
        "      --seeds DIR  the sample data; default: beside the program\n"
        "\n"
        "example: ringfold demo --once\n",
    .run = run,
};
