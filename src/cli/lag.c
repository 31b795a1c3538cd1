/* ringfold lag: how far each partition is behind, asked of Kafka alone. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "core/base/assert.h"
#include "core/codec/value_json.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/stream/offsets.h"
#include "edge/sys/clock.h"
#include "edge/sys/signal.h"

#define LOOK_AGAIN_MS 1000
#define WATCH_MS      2000
#define YOUNG_MS      (10 * RF_SECOND_MS) /* what is no older is as good as read */
#define LINE_SIZE_MAX 4096

struct lag_options {
    const char *config;
    bool json, watch;
};

/* What one look said, kept for the next: whether anything moves shows only over time. */
struct history {
    size_t count;
    int64_t *committed;
};

struct view {
    const struct lag_options *options;
    const struct rf_config *config;
    const struct rf_offsets_place *places;
    size_t count;
    struct history before; /* count 0: this is the first look */
    rf_ms now;
};

static rf_span_ms age_of(const struct view *view, const struct rf_offsets_place *place)
{
    if (place->oldest == RF_MS_MAX)
        return 0;
    return view->now > place->oldest ? view->now - place->oldest : 0;
}

static bool has_age(const struct rf_offsets_place *place)
{
    return place->oldest != RF_MS_MIN;
}

static const char *status_of(const struct view *view, size_t index)
{
    const struct rf_offsets_place *place = &view->places[index];

    if (place->owner[0] == '\0')
        return "stopped";
    if (has_age(place) && age_of(view, place) <= YOUNG_MS)
        return "ok";
    if (index < view->before.count && view->before.committed[index] == place->committed)
        return "stalled";
    return "lagging";
}

static void remember(struct view *view)
{
    view->before.committed =
        reallocarray(view->before.committed, view->count + 1, sizeof *view->before.committed);
    rf_assert(view->before.committed != NULL);
    view->before.count = view->count;
    for (size_t i = 0; i < view->count; i++)
        view->before.committed[i] = view->places[i].committed;
}

/* ---- printing ---- */

static void print_json(const struct view *view)
{
    struct rf_buffer line;
    char time[RF_TIME_TEXT_MAX];

    rf_time_format_ms(time, sizeof time, view->now);
    rf_buffer_init(&line, LINE_SIZE_MAX);
    for (size_t i = 0; i < view->count; i++) {
        const struct rf_offsets_place *place = &view->places[i];
        const struct rf_source *source = &view->config->plan->sources[place->topic];

        rf_buffer_clear(&line);
        rf_buffer_printf(&line, "{\"at\":\"%s\",\"source\":\"%s\",\"topic\":\"%s\"", time,
                         source->name, source->topic);
        rf_buffer_printf(&line, ",\"partition\":%" PRId32 ",\"begin\":%" PRId64 ",\"end\":%" PRId64,
                         place->partition, place->begin, place->end);
        if (place->committed == RF_OFFSET_NONE)
            rf_buffer_append_text(&line, ",\"committed\":null");
        else
            rf_buffer_printf(&line, ",\"committed\":%" PRId64, place->committed);
        rf_buffer_printf(&line, ",\"lag\":%" PRId64, place->lag);
        if (has_age(place))
            rf_buffer_printf(&line, ",\"lag_seconds\":%.3f", (double)age_of(view, place) / 1000);
        else
            rf_buffer_append_text(&line, ",\"lag_seconds\":null");
        rf_buffer_printf(&line, ",\"status\":\"%s\",\"owner\":", status_of(view, i));
        rf_value_print_json(&line, place->owner[0] == '\0'
                                       ? rf_value_null()
                                       : rf_value_string(rf_bytes_of_text(place->owner)));
        rf_buffer_append_text(&line, "}\n");
        fwrite(line.data, 1, line.size, stdout);
    }
    rf_buffer_deinit(&line);
}

static int widest_topic(const struct view *view)
{
    size_t width = strlen("TOPIC");

    for (size_t i = 0; i < view->config->plan->source_count; i++) {
        size_t size = strlen(view->config->plan->sources[i].topic);
        width = size > width ? size : width;
    }
    return (int)width;
}

static const char *colour_of(const char *status)
{
    if (strcmp(status, "ok") == 0)
        return RF_GREEN;
    return strcmp(status, "lagging") == 0 ? RF_YELLOW : RF_RED;
}

static void print_row(const struct view *view, size_t index, int topic_width, bool colour)
{
    const struct rf_offsets_place *place = &view->places[index];
    const char *status = status_of(view, index);
    char committed[24] = "-", seconds[24] = "-";

    if (place->committed != RF_OFFSET_NONE)
        snprintf(committed, sizeof committed, "%" PRId64, place->committed);
    if (has_age(place))
        snprintf(seconds, sizeof seconds, "%.1f", (double)age_of(view, place) / 1000);
    printf("%-*s %9" PRId32 " %12" PRId64 " %12" PRId64 " %12s %10" PRId64 " %10s  %s%-8s%s  %s\n",
           topic_width, view->config->plan->sources[place->topic].topic, place->partition,
           place->begin, place->end, committed, place->lag, seconds,
           colour ? colour_of(status) : "", status, colour ? RF_PLAIN : "",
           place->owner[0] == '\0' ? "-" : place->owner);
}

static void print_text(const struct view *view)
{
    bool colour = rf_terminal_colour(stdout);
    int width = widest_topic(view);
    int64_t lag = 0;
    rf_span_ms oldest = 0;

    if (view->options->watch && isatty(STDOUT_FILENO) != 0)
        printf(RF_HOME_AND_CLEAR);
    printf("%-*s %9s %12s %12s %12s %10s %10s  %-8s  %s\n", width, "TOPIC", "PARTITION", "BEGIN",
           "END", "COMMITTED", "LAG", "SECONDS", "STATUS", "OWNER");
    for (size_t i = 0; i < view->count; i++) {
        print_row(view, i, width, colour);
        lag += view->places[i].lag;
        if (has_age(&view->places[i]) && age_of(view, &view->places[i]) > oldest)
            oldest = age_of(view, &view->places[i]);
    }
    printf("group %s: %" PRId64 " behind, the oldest since %.1f s\n", view->config->plan->app, lag,
           (double)oldest / 1000);
}

static void print_view(const struct view *view)
{
    if (view->options->json)
        print_json(view);
    else
        print_text(view);
    fflush(stdout);
}

/* ---- looking ---- */

static bool look(struct view *view, struct rf_offsets *offsets, struct rf_error *err)
{
    if (!rf_offsets_look(offsets, &view->places, &view->count, err))
        return false;
    view->now = rf_clock_wall_ms();
    return true;
}

/* Is there a partition of which only a second look can say whether it stands? */
static bool needs_second_look(const struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->places[i].owner[0] != '\0' &&
            (!has_age(&view->places[i]) || age_of(view, &view->places[i]) > YOUNG_MS))
            return true;
    }
    return false;
}

static bool show(struct view *view, struct rf_offsets *offsets, struct rf_error *err)
{
    if (!look(view, offsets, err))
        return false;
    if (needs_second_look(view)) {
        remember(view);
        rf_signals_wait(LOOK_AGAIN_MS);
        if (!look(view, offsets, err))
            return false;
    }
    print_view(view);
    while (view->options->watch && rf_signals_stop_count() == 0) {
        remember(view);
        if (rf_signals_wait(WATCH_MS))
            continue;
        if (!look(view, offsets, err))
            return false;
        print_view(view);
    }
    return true;
}

static int run_lag(struct rf_configuration *configuration, void *self)
{
    const struct rf_config *config = configuration->config;
    const struct lag_options *options = self;
    const char *topics[RF_SOURCES_MAX];
    struct rf_offsets_options wanted = {
        .kafka = config->properties,
        .kafka_count = config->property_count,
        .group = config->plan->app,
        .topics = topics,
        .topic_count = config->plan->source_count,
        .start = config->start,
    };
    struct view view = {.options = options, .config = config};
    struct rf_offsets *offsets = NULL;
    struct rf_error err = {0};
    bool ok = false;
    int status = RF_EXIT_FINE;

    for (size_t i = 0; i < config->plan->source_count; i++)
        topics[i] = config->plan->sources[i].topic;
    offsets = rf_offsets_open(&wanted, &err);
    ok = offsets != NULL && show(&view, offsets, &err);
    status = ok ? RF_EXIT_FINE : rf_command_failed(&err);
    rf_offsets_close(offsets);
    free(view.before.committed);
    return status;
}

/* ---- the command line ---- */

static int run(int argc, char **argv)
{
    struct lag_options options = {.json = isatty(STDOUT_FILENO) == 0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.config},
        {"json", 0, .flag = &options.json},
        {"watch", 0, .flag = &options.watch},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};
    struct rf_error err = {0};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (optind < argc)
        return rf_command_usage("lag", "what is '%s'?", argv[optind]);
    if (options.config == NULL)
        return rf_command_usage("lag", "which configuration? -c FILE names it");
    if (!rf_signals_catch(&err))
        return rf_command_failed(&err);
    return rf_configuration_use(options.config, &reading, run_lag, &options);
}

const struct rf_command rf_command_lag = {
    .name = "lag",
    .summary = "how far each partition is behind, in records and in seconds",
    .help =
        "usage: ringfold lag -c FILE [--json] [--watch]\n"
        "\n"
        "Asks Kafka where the sources begin and end, what is committed, and how old the oldest record is\n"
        "that is not read yet. Works whether or not an instance runs, and disturbs none. LAG counts offsets\n"
        "as kafka-consumer-groups does; SECONDS is 0 where only the marks of transactions are left. The\n"
        "status is ok (nothing is left, or nothing older than 10 s), lagging (it moves), stalled (it does\n"
        "not, or it restores) or stopped (no instance has the partition; one that was stopped is missed when\n"
        "its session.timeout.ms is over).\n"
        "\n"
        "  -c, --config FILE  the configuration\n"
        "      --json         one JSON object a partition; the default where standard output is no terminal\n"
        "      --watch        again every two seconds, until it is interrupted\n"
        "\n"
        "Exit status: 0 fine, 1 kafka did not answer, 2 the configuration is wrong or a topic is missing.\n"
        "\n"
        "example: ringfold lag -c ringfold.yaml --watch\n",
    .run = run,
};
