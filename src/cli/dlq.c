/* ringfold dlq: what could not be folded; looked at, put back, discarded. */
#include "cli/dlq.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/moment.h"
#include "cli/options.h"
#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/sys/failpoint.h"

#define IDS_MAX       1024
#define BATCH_LETTERS 500 /* in one transaction */
#define TEXT_SIZE_MAX (64U << 20)

enum action {
    ACTION_LIST,
    ACTION_SHOW,
    ACTION_RETRY,
    ACTION_DISCARD
};
static const char *const action_names[] = {"list", "show", "retry", "discard"};

struct letter_id {
    int32_t partition;
    int64_t offset;
    bool seen;
};

struct dlq_options {
    enum action action;
    const char *config;
    const char *topic; /* a source's name or topic; NULL: any */
    const char *error_class;
    rf_ms since;
    uint64_t count_max;
    bool json, all, handled, dry_run;
    struct letter_id ids[IDS_MAX];
    size_t id_count;
};

struct work {
    struct dlq_options *options;
    const struct rf_config *config;
    struct rf_letters *letters;
    struct rf_buffer text;
    uint64_t done, skipped;
    uint64_t pending; /* done, not committed yet */
};

/* ---- which letters ---- */

static bool is_named(struct dlq_options *options, const struct rf_letter *letter)
{
    for (size_t i = 0; i < options->id_count; i++) {
        if (options->ids[i].partition == letter->message->partition &&
            options->ids[i].offset == letter->message->offset) {
            options->ids[i].seen = true;
            return true;
        }
    }
    return options->id_count == 0;
}

/* NULL: no source of this configuration reads it. */
static const struct rf_source *source_of(const struct work *work, struct rf_bytes topic)
{
    for (size_t i = 0; i < work->config->plan->source_count; i++) {
        if (rf_bytes_equal(topic, rf_bytes_of_text(work->config->plan->sources[i].topic)))
            return &work->config->plan->sources[i];
    }
    return NULL;
}

static bool has_topic(const struct work *work, const struct rf_letter *letter)
{
    const struct rf_source *source = source_of(work, letter->topic);

    return rf_bytes_equal(letter->topic, rf_bytes_of_text(work->options->topic)) ||
           (source != NULL && strcmp(source->name, work->options->topic) == 0);
}

static bool is_wanted(struct work *work, const struct rf_letter *letter)
{
    const struct dlq_options *options = work->options;

    if (!is_named(work->options, letter))
        return false;
    if (options->topic != NULL && !has_topic(work, letter))
        return false;
    if (options->error_class != NULL &&
        !rf_bytes_equal(letter->error_class, rf_bytes_of_text(options->error_class)))
        return false;
    return letter->handled == NULL || options->handled || options->id_count > 0;
}

/* ---- what is done with one ---- */

static void print(struct work *work, const struct rf_letter *letter)
{
    bool whole = work->options->action == ACTION_SHOW;

    rf_buffer_clear(&work->text);
    if (work->options->json)
        rf_letter_print_json(letter, whole, &work->text);
    else if (whole)
        rf_letter_print_all(letter, &work->text);
    else
        rf_letter_print_line(letter, &work->text);
    fwrite(work->text.data, 1, work->text.size, stdout);
    work->done++;
}

static bool handle(struct work *work, const struct rf_letter *letter, struct rf_error *err)
{
    const struct rf_source *source = source_of(work, letter->topic);

    if (work->options->action == ACTION_DISCARD)
        return rf_letters_discard(work->letters, letter, err);
    if (source == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "its topic %.*s is of no source of %s: add the source, or discard it",
                            (int)letter->topic.size, (const char *)letter->topic.data,
                            work->config->file);
    /* Where the timestamp is the event's time it is kept; elsewhere it only says when the message was written. */
    return rf_letters_retry(work->letters, letter, source->time == NULL, err);
}

static void say_skipped(struct work *work, const struct rf_letter *letter, const char *why)
{
    fprintf(stderr, "ringfold: %" PRId32 ":%" PRId64 ": %s\n", letter->message->partition,
            letter->message->offset, why);
    work->skipped++;
}

static bool commit(struct work *work, struct rf_error *err)
{
    if (work->options->dry_run)
        return true;
    if (!rf_letters_commit(work->letters, err))
        return false;
    work->done += work->pending;
    work->pending = 0;
    return true;
}

static bool change(struct work *work, const struct rf_letter *letter, struct rf_error *err)
{
    if (letter->handled != NULL) {
        char why[64];

        snprintf(why, sizeof why, "was %s already", letter->handled);
        say_skipped(work, letter, why);
        return true;
    }
    if (work->options->dry_run) {
        print(work, letter);
        return true;
    }
    if (!handle(work, letter, err)) {
        if (err->kind != RF_ERROR_RECORD)
            return false;
        say_skipped(work, letter, err->message);
        rf_error_clear(err);
        return true;
    }
    work->pending++;
    return work->pending < BATCH_LETTERS || commit(work, err);
}

static bool is_change(const struct dlq_options *options)
{
    return options->action == ACTION_RETRY || options->action == ACTION_DISCARD;
}

static bool work_through(struct work *work, struct rf_error *err)
{
    const struct rf_letter *letter = NULL;
    bool ok = true;

    while (ok && work->done + work->pending < work->options->count_max) {
        ok = rf_letters_next(work->letters, &letter, err);
        if (!ok || letter == NULL)
            break;
        if (!is_wanted(work, letter))
            continue;
        if (is_change(work->options))
            ok = change(work, letter, err);
        else
            print(work, letter);
    }
    return ok && commit(work, err);
}

/* ---- the run ---- */

static bool say_unknown_ids(const struct dlq_options *options)
{
    bool all_seen = true;

    for (size_t i = 0; i < options->id_count; i++) {
        if (options->ids[i].seen)
            continue;
        fprintf(stderr, "ringfold: there is no dead letter %" PRId32 ":%" PRId64 "\n",
                options->ids[i].partition, options->ids[i].offset);
        all_seen = false;
    }
    return all_seen;
}

static void summarise(const struct work *work)
{
    static const char *const verbs[] = {"", "", "put back", "discarded"};

    if (is_change(work->options))
        fprintf(stderr, "%" PRIu64 " dead letter%s %s%s, %" PRIu64 " skipped\n", work->done,
                work->done == 1 ? "" : "s", work->options->dry_run ? "would be " : "",
                verbs[work->options->action], work->skipped);
    else if (work->done == 0 && !work->options->json && work->options->id_count == 0)
        fprintf(stderr, "no dead letters\n");
}

static int run_dlq(struct rf_configuration *configuration, void *self)
{
    const struct rf_config *config = configuration->config;
    struct dlq_options *options = self;
    struct rf_letters_options opening = {
        .kafka = config->properties,
        .kafka_count = config->property_count,
        .app = config->plan->app,
        .topic = config->topics.dead_letters,
        .since = options->since,
    };
    struct work work = {.options = options, .config = config};
    struct rf_error err = {0};
    bool ok = false;
    int status = RF_EXIT_FINE;

    rf_buffer_init(&work.text, TEXT_SIZE_MAX);
    work.letters = rf_letters_open(&opening, is_change(options) && !options->dry_run, &err);
    ok = work.letters != NULL && work_through(&work, &err);
    if (work.letters != NULL)
        summarise(&work);
    if (!ok)
        status = rf_command_failed(&err);
    else if (!say_unknown_ids(options) || (work.skipped > 0 && options->id_count > 0))
        status = RF_EXIT_FAILED;
    rf_letters_close(work.letters);
    rf_buffer_deinit(&work.text);
    return status;
}

/* ---- the command line ---- */

static bool parse_action(const char *text, enum action *action)
{
    for (size_t i = 0; i < sizeof action_names / sizeof *action_names; i++) {
        if (strcmp(text, action_names[i]) == 0) {
            *action = (enum action)i;
            return true;
        }
    }
    return false;
}

/* PARTITION:OFFSET */
static bool parse_id(const char *text, struct letter_id *id)
{
    const char *colon = strchr(text, ':');
    int64_t partition = 0;

    if (colon == NULL || !rf_int64_parse(rf_bytes_of(text, (size_t)(colon - text)), &partition) ||
        !rf_int64_parse(rf_bytes_of_text(colon + 1), &id->offset) || partition < 0 ||
        partition > INT32_MAX || id->offset < 0)
        return false;
    id->partition = (int32_t)partition;
    return true;
}

static int parse_positions(int argc, char **argv, struct dlq_options *options)
{
    if (argc == 0)
        return rf_command_usage("dlq", "list, show, retry or discard?");
    if (!parse_action(argv[0], &options->action))
        return rf_command_usage("dlq", "list, show, retry or discard, not '%s'", argv[0]);
    if (argc - 1 > IDS_MAX)
        return rf_command_usage("dlq", "more than %d dead letters are named", IDS_MAX);
    for (int i = 1; i < argc; i++) {
        if (!parse_id(argv[i], &options->ids[options->id_count++]))
            return rf_command_usage("dlq", "'%s' is no PARTITION:OFFSET as 'dlq list' shows it",
                                    argv[i]);
    }
    return RF_EXIT_FINE;
}

static int check_options(const struct dlq_options *options)
{
    bool narrowed = options->id_count > 0 || options->topic != NULL ||
                    options->error_class != NULL || options->since != RF_MS_MIN;

    if (options->config == NULL)
        return rf_command_usage("dlq", "which configuration? -c FILE names it");
    if (options->action == ACTION_SHOW && options->id_count == 0)
        return rf_command_usage("dlq",
                                "which dead letter? PARTITION:OFFSET, as 'dlq list' shows it");
    if (is_change(options) && !narrowed && !options->all)
        return rf_command_usage("dlq", "which dead letters? PARTITION:OFFSET, --topic, --class,"
                                       " --since, or --all");
    return RF_EXIT_FINE;
}

static bool take_since(const char *value, void *self)
{
    return rf_moment_parse(value, self);
}

static int run(int argc, char **argv)
{
    struct dlq_options *options = calloc(1, sizeof *options);
    const struct rf_option known[] = {
        {"config", 'c', .text = &options->config},
        {"topic", 0, .text = &options->topic},
        {"class", 0, .text = &options->error_class},
        {"since", 0, .take = take_since, .self = &options->since},
        {NULL, 'n', .take = rf_option_count, .self = &options->count_max},
        {"json", 0, .flag = &options->json},
        {"all", 0, .flag = &options->all},
        {"handled", 0, .flag = &options->handled},
        {"dry-run", 0, .flag = &options->dry_run},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};
    struct rf_error err = {0};
    int status = RF_EXIT_FINE;

    rf_assert(options != NULL);
    options->json = isatty(STDOUT_FILENO) == 0;
    options->since = RF_MS_MIN;
    options->count_max = UINT64_MAX;
    status = rf_options_take(argc, argv, known);
    if (status == RF_EXIT_FINE)
        status = parse_positions(argc - optind, argv + optind, options);
    if (status == RF_EXIT_FINE)
        status = check_options(options);
    if (status == RF_EXIT_FINE && !rf_failpoints_setup(&err)) {
        fprintf(stderr, "ringfold: %s\n", err.message);
        status = RF_EXIT_FAILED;
    }
    if (status == RF_EXIT_FINE)
        status = rf_configuration_use(options->config, &reading, run_dlq, options);
    free(options);
    return status;
}

const struct rf_command rf_command_dlq = {
    .name = "dlq",
    .summary = "dead letters: list, show, put back into their topics, discard",
    .help =
        "usage: ringfold dlq list|show|retry|discard -c FILE [OPTION]... [PARTITION:OFFSET]...\n"
        "\n"
        "A message that cannot be folded is in the dead-letter topic, with its reason. list shows which\n"
        "there are, and of what they hold only what a reason quotes; show prints headers, key and value of those that are\n"
        "named. retry puts the original message back into its topic and partition, exactly once, however\n"
        "often it is started or killed: message and mark are written in one transaction. discard marks it\n"
        "as done with. What is handled stays in the topic, and is not listed again.\n"
        "\n"
        "  -c, --config FILE   the configuration\n"
        "      --topic NAME    only those of this source or topic\n"
        "      --class CLASS   only those of this class of error, as list shows it\n"
        "      --since TIME    only those that became dead letters since then: RFC 3339, or 2h, 7d ago\n"
        "  -n COUNT            no more than so many, the oldest of each partition first\n"
        "      --all           retry, discard: all that are not handled yet\n"
        "      --dry-run       retry, discard: show which, and do nothing\n"
        "      --handled       list: also those that were retried or discarded\n"
        "      --json          one JSON object a line; the default where standard output is no terminal\n"
        "\n"
        "Exit status: 0 fine, 1 kafka did not answer or one that was named cannot be had, 2 wrong usage.\n"
        "\n"
        "example: ringfold dlq retry -c ringfold.yaml --topic orders --since 2h --dry-run\n",
    .run = run,
};
