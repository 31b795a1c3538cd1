/* ringfold tail: messages of the application's topics, decoded, as they come. */
#include "cli/tail.h"

#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/message_decoder.h"
#include "cli/moment.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/expr/expr.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "edge/sys/clock.h"
#include "edge/sys/signal.h"

#define TOPICS_MAX     RF_RULES_MAX
#define ARENA_CHUNK    (64U * 1024)
#define TEXT_SIZE_MAX  (64U << 20)
#define POLL_MS        100
#define SCHEMA_TURN_MS 50
#define SCHEMA_WAIT_MS (30 * RF_SECOND_MS) /* for a registry that is away */

struct tail_options {
    const char *config;
    const char
        *topic; /* as written: a topic, or the name of an output or source; NULL: all outputs */
    const char *where;
    enum rf_follow_from from;
    rf_ms since;
    uint64_t count_max;
    bool json, to_end;
};

struct tail {
    const struct tail_options *options;
    const struct rf_config *config;
    const char *topics[TOPICS_MAX];
    size_t topic_count;
    struct rf_message_decoder *decoder;
    struct rf_zones zones;
    struct rf_arena compiled;                  /* the filter, for each topic */
    const struct rf_expr *filters[TOPICS_MAX]; /* NULL: everything */
    struct rf_follow *follow;
    struct rf_arena arena; /* of a message */
    struct rf_buffer text;
    bool colour;
    uint64_t shown;
    uint64_t not_evaluated; /* messages that the filter has no answer for */
    char first_reason[RF_ERROR_MESSAGE_MAX];
};

/* ---- which topics ---- */

static void add_topic(struct tail *tail, const char *topic)
{
    for (size_t i = 0; i < tail->topic_count; i++) {
        if (strcmp(tail->topics[i], topic) == 0)
            return;
    }
    rf_assert(tail->topic_count < TOPICS_MAX);
    tail->topics[tail->topic_count++] = topic;
}

/* An output goes before a source of the same name, and both before a topic that is called so. */
static const char *find_topic(const struct rf_config *config, const char *name)
{
    const struct rf_plan *plan = config->plan;

    for (size_t i = 0; i < plan->output_count; i++) {
        if (strcmp(plan->outputs[i].name, name) == 0)
            return plan->outputs[i].topic;
    }
    for (size_t i = 0; i < plan->source_count; i++) {
        if (strcmp(plan->sources[i].name, name) == 0)
            return plan->sources[i].topic;
    }
    return strcmp(name, "dead-letters") == 0 ? config->topics.dead_letters : name;
}

static bool choose_topics(struct tail *tail, struct rf_error *err)
{
    if (tail->options->topic != NULL)
        add_topic(tail, find_topic(tail->config, tail->options->topic));
    for (size_t i = 0; tail->options->topic == NULL && i < tail->config->plan->output_count; i++)
        add_topic(tail, tail->config->plan->outputs[i].topic);
    return tail->topic_count > 0 ||
           rf_error_set(err, RF_ERROR_CONFIG, 0, "%s has no outputs: name a source, or a topic",
                        tail->config->file);
}

/* ---- the filter ---- */

static bool compile_filter(struct tail *tail, size_t topic, struct rf_error *err)
{
    const struct rf_expr_variable event = {.name = "event",
                                           .type = rf_message_decoder_type(tail->decoder, topic)};
    const struct rf_expr_env env = {.variables = &event,
                                    .variable_count = 1,
                                    .zones = &tail->zones,
                                    .constants_have_to_work = true};
    struct rf_expr_faults faults = {0};

    if (rf_expr_compile(&tail->compiled, &env, rf_bytes_of_text(tail->options->where),
                        &rf_type_bool, &tail->filters[topic], &faults))
        return true;
    rf_error_set(err, RF_ERROR_CONFIG, 0, "--where, for messages of %s, character %zu: %s%s%s%s",
                 tail->topics[topic], faults.items[0].offset + 1, faults.items[0].message,
                 faults.items[0].hint == NULL ? "" : " (",
                 faults.items[0].hint == NULL ? "" : faults.items[0].hint,
                 faults.items[0].hint == NULL ? "" : ")");
    return false;
}

/* What cannot be decoded, or of what the filter cannot be evaluated, is not shown; how much there was is told at the
 * end. */
static bool is_wanted(struct tail *tail, const struct rf_tail_line *line)
{
    struct rf_expr_scratch scratch = {.arena = &tail->arena};
    struct rf_value result = rf_value_null();
    struct rf_error err = {0};

    if (tail->options->where == NULL)
        return true;
    if (line->failure == NULL &&
        rf_expr_eval(tail->filters[line->message->topic], &line->event, &scratch, &result, &err))
        return result.kind == RF_VALUE_BOOL && result.as.boolean;
    if (tail->not_evaluated++ == 0)
        snprintf(tail->first_reason, sizeof tail->first_reason, "%s",
                 line->failure != NULL ? line->failure : err.message);
    return false;
}

/* ---- messages ---- */

/* False only where it was interrupted: what cannot be decoded is said in the line. A schema that is not here yet is
 * waited for. */
static void decode(struct tail *tail, struct rf_tail_line *line, struct rf_error *err)
{
    rf_ns until = rf_clock_monotonic_ns() + SCHEMA_WAIT_MS * 1000000;

    while (!rf_message_decode(tail->decoder, line->message, &tail->arena, &line->event, err)) {
        line->failure = err->message;
        if (err->kind != RF_ERROR_RETRY || rf_clock_monotonic_ns() > until ||
            rf_signals_stop_count() > 0)
            return;
        line->failure = NULL;
        rf_error_clear(err);
        rf_signals_wait(SCHEMA_TURN_MS);
    }
}

static bool show(struct tail *tail, const struct rf_message *message)
{
    struct rf_tail_line line = {.topic = tail->topics[message->topic], .message = message};
    struct rf_error err = {0};

    rf_arena_reset(&tail->arena, ARENA_CHUNK);
    rf_buffer_clear(&tail->text);
    decode(tail, &line, &err);
    if (!is_wanted(tail, &line))
        return true;
    if (tail->options->json)
        rf_tail_print_json(&line, &tail->text);
    else
        rf_tail_print_text(&line, tail->colour, &tail->text);
    tail->shown++;
    return fwrite(tail->text.data, 1, tail->text.size, stdout) == tail->text.size;
}

/* Nobody reads what we write any more: a pipe says so even while there is nothing to write. */
static bool is_unread(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

/* Until enough was shown, the end is reached, or somebody interrupts; what reads us may go at any time. */
static bool follow(struct tail *tail, struct rf_error *err)
{
    const struct rf_message *message = NULL;
    bool writable = true;

    while (writable && tail->shown < tail->options->count_max && rf_signals_stop_count() == 0 &&
           !rf_follow_is_done(tail->follow)) {
        if (!rf_follow_next(tail->follow, 0, &message, err))
            return false;
        if (message == NULL) {
            /* a burst is written at once, a single message without delay */
            writable = fflush(stdout) == 0 && !is_unread();
            if (!rf_follow_next(tail->follow, POLL_MS, &message, err))
                return false;
        }
        if (message != NULL)
            writable = show(tail, message);
    }
    fflush(stdout);
    return true;
}

static bool open_tail(struct tail *tail, struct rf_error *err)
{
    struct rf_follow_options wanted = {
        .kafka = tail->config->properties,
        .kafka_count = tail->config->property_count,
        .client = "ringfold-tail",
        .topics = tail->topics,
        .from = tail->options->from,
        .since = tail->options->since,
        .to_end = tail->options->to_end,
    };

    if (!choose_topics(tail, err))
        return false;
    tail->decoder = rf_message_decoder_open(tail->config, tail->topics, tail->topic_count, err);
    if (tail->decoder == NULL)
        return false;
    for (size_t i = 0; tail->options->where != NULL && i < tail->topic_count; i++) {
        if (!compile_filter(tail, i, err))
            return false;
    }
    wanted.topic_count = tail->topic_count;
    tail->follow = rf_follow_open(&wanted, err);
    return tail->follow != NULL;
}

static int run_tail(struct rf_configuration *configuration, void *self)
{
    const struct tail_options *options = self;
    struct tail *tail = calloc(1, sizeof *tail);
    struct rf_error err = {0};
    bool ok = false;
    int status = RF_EXIT_FINE;

    rf_assert(tail != NULL);
    tail->options = options;
    tail->config = configuration->config;
    tail->zones = configuration->zone_port;
    tail->colour = rf_terminal_colour(stdout);
    rf_arena_init(&tail->compiled, ARENA_CHUNK);
    rf_arena_init(&tail->arena, ARENA_CHUNK);
    rf_buffer_init(&tail->text, TEXT_SIZE_MAX);
    ok = open_tail(tail, &err) && follow(tail, &err);
    status = ok ? RF_EXIT_FINE : rf_command_failed(&err);
    if (tail->not_evaluated > 0)
        fprintf(stderr,
                "ringfold: --where could not be evaluated for %" PRIu64
                " messages, which are not shown; the first: %s\n",
                tail->not_evaluated, tail->first_reason);
    rf_follow_close(tail->follow);
    rf_message_decoder_close(tail->decoder);
    rf_arena_deinit(&tail->compiled);
    rf_arena_deinit(&tail->arena);
    rf_buffer_deinit(&tail->text);
    free(tail);
    return status;
}

/* ---- the command line ---- */

static bool take_beginning(const char *value, void *self)
{
    struct tail_options *options = self;

    (void)value;
    options->from = RF_FOLLOW_BEGINNING;
    return true;
}

static bool take_since(const char *value, void *self)
{
    struct tail_options *options = self;

    options->from = RF_FOLLOW_SINCE;
    return rf_moment_parse(value, &options->since);
}

static int run(int argc, char **argv)
{
    struct tail_options options = {
        .from = RF_FOLLOW_END, .count_max = UINT64_MAX, .json = isatty(STDOUT_FILENO) == 0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.config},
        {"where", 0, .text = &options.where},
        {"from-beginning", 0, .take = take_beginning, .self = &options, .bare = true},
        {"since", 0, .take = take_since, .self = &options},
        {"to-end", 0, .flag = &options.to_end},
        {NULL, 'n', .take = rf_option_count, .self = &options.count_max},
        {"json", 0, .flag = &options.json},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};
    struct rf_error err = {0};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (optind < argc)
        options.topic = argv[optind++];
    if (optind < argc)
        return rf_command_usage("tail", "one topic at a time, or all outputs: what is '%s'?",
                                argv[optind]);
    if (options.config == NULL)
        return rf_command_usage("tail", "which configuration? -c FILE names it");
    if (!rf_signals_catch(&err))
        return rf_command_failed(&err);
    return rf_configuration_use(options.config, &reading, run_tail, &options);
}

const struct rf_command rf_command_tail = {
    .name = "tail",
    .summary = "alerts and other messages, decoded, as they come",
    .help =
        "usage: ringfold tail -c FILE [OPTION]... [TOPIC]\n"
        "\n"
        "Shows what is committed to a topic, decoded, until it is interrupted. TOPIC is the name of an\n"
        "output or of a source, dead-letters, or any topic of the broker; all outputs without it. An alert\n"
        "is a line with its reasons under it, any other message a line with its place, key and value.\n"
        "\n"
        "  -c, --config FILE     the configuration\n"
        "      --where EXPR      only messages for which this expression (CEL) over 'event', the fields of\n"
        "                        the message, is true\n"
        "      --from-beginning  all that is there, too\n"
        "      --since TIME      also what was written since then: RFC 3339, or 15m, 2h, 7d ago\n"
        "      --to-end          what is there now, and no more\n"
        "  -n COUNT              end after so many\n"
        "      --json            one JSON object a line: topic, partition, offset, time, key, event; the\n"
        "                        default where standard output is no terminal\n"
        "\n"
        "Exit status: 0 fine, also when interrupted, 1 kafka did not answer, 2 wrong usage.\n"
        "\n"
        "example: ringfold tail -c ringfold.yaml --since 1h --where 'event.severity == \"high\"'\n",
    .run = run,
};
