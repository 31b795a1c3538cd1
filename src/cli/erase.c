/* ringfold erase: a customer is forgotten. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/erasure.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "core/base/assert.h"
#include "core/model/source.h"
#include "edge/stream/feeder.h"
#include "edge/stream/follow.h"
#include "edge/stream/stream.h"
#include "edge/sys/clock.h"
#include "edge/sys/signal.h"

#define EVENT_SIZE_MAX (1U << 20)
#define POLL_MS        100
#define FLUSH_MS       30000
#define PROGRESS_EVERY 1000
#define PATIENCE_MS    5000 /* before it is said what is waited for */
#define PARTITIONS_MAX RF_SLOTS_MAX

struct erase_options {
    const char *config;
    const char *id; /* NULL: only --compact */
    bool wait, compact;
};

/* Where the customer is: one partition, unless events have come with different keys. */
struct erasing {
    const struct rf_config *config;
    const struct rf_source *source;
    struct rf_bytes customer;
    bool known;                 /* was, at any time */
    bool is_in[PARTITIONS_MAX]; /* has a record there now */
    size_t left;                /* partitions that have one */
};

/* ---- the changelog ---- */

static struct rf_follow *follow_changelog(const struct erasing *erasing, bool from_beginning,
                                          struct rf_error *err)
{
    struct rf_follow_options wanted = {
        .kafka = erasing->config->properties,
        .kafka_count = erasing->config->property_count,
        .client = "ringfold-erase",
        .topics = &erasing->config->topics.changelog,
        .topic_count = 1,
        .from = from_beginning ? RF_FOLLOW_BEGINNING : RF_FOLLOW_END,
        .to_end = from_beginning,
    };

    return rf_follow_open(&wanted, err);
}

static void take_record(struct erasing *erasing, const struct rf_message *message)
{
    bool is_in = message->value.data != NULL;

    if (!rf_bytes_equal(message->key, erasing->customer) || message->partition >= PARTITIONS_MAX)
        return;
    erasing->known = true;
    if (is_in != erasing->is_in[message->partition])
        erasing->left += is_in ? 1 : (size_t)-1;
    erasing->is_in[message->partition] = is_in;
}

/* The whole topic, as only the one who wrote an event knows how its key became a partition. */
static bool find_customer(struct erasing *erasing, struct rf_error *err)
{
    struct rf_follow *follow = follow_changelog(erasing, true, err);
    const struct rf_message *message = NULL;
    struct rf_progress progress;
    uint64_t count = 0;
    bool ok = follow != NULL;

    if (!ok)
        return false;
    rf_progress_start(&progress, "reading the changelog", "records", rf_follow_total(follow),
                      false);
    while (ok && !rf_follow_is_done(follow)) {
        ok = rf_follow_next(follow, POLL_MS, &message, err);
        if (ok && message != NULL)
            take_record(erasing, message);
        if (++count % PROGRESS_EVERY == 0)
            rf_progress_update(&progress, rf_follow_read(follow));
    }
    rf_progress_end(&progress);
    rf_follow_close(follow);
    return ok;
}

/* ---- the event ---- */

static bool send(struct erasing *erasing, struct rf_error *err)
{
    struct rf_feeder *feeder =
        rf_feeder_open(erasing->config->properties, erasing->config->property_count, err);
    struct rf_buffer value;
    bool ok = feeder != NULL;

    rf_buffer_init(&value, EVENT_SIZE_MAX);
    ok = ok && rf_erasure_make(erasing->config, erasing->source, erasing->customer,
                               rf_clock_wall_ms(), &value, err);
    for (int32_t p = 0; ok && p < PARTITIONS_MAX; p++) {
        if (erasing->is_in[p])
            ok = rf_feeder_send_to(feeder, erasing->source->topic, p, erasing->customer,
                                   rf_buffer_bytes(&value), RF_MS_MIN, err);
    }
    ok = ok && rf_feeder_flush(feeder, FLUSH_MS, err);
    for (int32_t p = 0; ok && p < PARTITIONS_MAX; p++) {
        if (erasing->is_in[p])
            printf("the erasure is in %s, partition %" PRId32 "\n", erasing->source->topic, p);
    }
    fflush(stdout);
    rf_buffer_deinit(&value);
    rf_feeder_close(feeder);
    return ok;
}

/* Until the tombstone of every record is committed. */
static bool wait_for_tombstones(struct erasing *erasing, struct rf_follow *follow,
                                struct rf_error *err)
{
    const struct rf_message *message = NULL;
    rf_ns began = rf_clock_monotonic_ns();
    bool said = false;

    while (erasing->left > 0 && rf_signals_stop_count() == 0) {
        if (!rf_follow_next(follow, POLL_MS, &message, err))
            return false;
        if (message != NULL)
            take_record(erasing, message);
        if (!said && rf_clock_monotonic_ns() - began > INT64_C(1000000) * PATIENCE_MS) {
            fprintf(stderr,
                    "waiting for an instance to take it (does one run? 'ringfold lag' says how"
                    " far it is behind)\n");
            said = true;
        }
    }
    if (erasing->left > 0)
        return rf_error_set(
            err, RF_ERROR_RETRY, 0,
            "interrupted: the customer is not erased yet, but will be when an instance"
            " comes to the event");
    printf("erased: the changelog has the tombstone\n");
    return true;
}

static bool erase(struct erasing *erasing, const struct erase_options *options,
                  struct rf_error *err)
{
    struct rf_follow *follow = NULL;
    bool ok = false;

    if (!rf_erasure_source(erasing->config, &erasing->source, err) || !find_customer(erasing, err))
        return false;
    if (erasing->left == 0 && erasing->known) {
        printf("the customer is erased already\n");
        return true;
    }
    if (erasing->left == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "nothing is known of this customer");
    if (options->wait) {
        follow =
            follow_changelog(erasing, false, err); /* before the event: no tombstone is missed */
        if (follow == NULL)
            return false;
    }
    ok = send(erasing, err) && (!options->wait || wait_for_tombstones(erasing, follow, err));
    rf_follow_close(follow);
    return ok;
}

/* ---- the run ---- */

static void say_compacted(void *self, const char *store)
{
    (void)self;
    printf("compacted %s\n", store);
}

static void say_left(void *self, const char *copy)
{
    (void)self;
    fprintf(stderr,
            "ringfold: warning: %s, a damaged store that was put aside, is as it was: remove it"
            " when nobody looks into it any more\n",
            copy);
}

static int run_erase(struct rf_configuration *configuration, void *self)
{
    const struct rf_config *config = configuration->config;
    const struct erase_options *options = self;
    const struct rf_erasure_listener listener = {.compacted = say_compacted, .left = say_left};
    struct erasing *erasing = calloc(1, sizeof *erasing);
    struct rf_error err = {0};
    bool ok = true;
    int status = RF_EXIT_FINE;

    rf_assert(erasing != NULL);
    erasing->config = config;
    if (options->id != NULL) {
        erasing->customer = rf_bytes_of_text(options->id);
        ok = erase(erasing, options, &err);
    }
    if (ok && options->compact)
        ok = rf_erasure_compact(config, &listener, &err);
    status = ok ? RF_EXIT_FINE : rf_command_failed(&err);
    free(erasing);
    return status;
}

/* ---- the command line ---- */

static int run(int argc, char **argv)
{
    struct erase_options options = {0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.config},
        {"wait", 0, .flag = &options.wait},
        {"compact", 0, .flag = &options.compact},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};
    struct rf_error err = {0};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (optind < argc)
        options.id = argv[optind++];
    if (optind < argc)
        return rf_command_usage("erase", "one customer at a time");
    if (options.config == NULL)
        return rf_command_usage("erase", "which configuration? -c FILE names it");
    if (options.id == NULL ? !options.compact : options.id[0] == '\0')
        return rf_command_usage("erase", "which customer? name an id");
    if (options.id != NULL && options.compact)
        return rf_command_usage("erase",
                                "erase first, with --wait; then stop the instances, and compact");
    if (!rf_signals_catch(&err))
        return rf_command_failed(&err);
    return rf_configuration_use(options.config, &reading, run_erase, &options);
}

const struct rf_command rf_command_erase = {
    .name = "erase",
    .summary = "forgets a customer: the record, its timers, its place in the changelog",
    .help =
        "usage: ringfold erase -c FILE [--wait] ID\n"
        "       ringfold erase -c FILE --compact\n"
        "\n"
        "Writes an event to the source of 'kind: erase', into the partition where the customer is. The\n"
        "instance that comes to it deletes the record and its timers and writes a tombstone into the\n"
        "changelog; when the broker has compacted it, in an hour or two, nothing is left there. In the\n"
        "stores on disk bytes of it live on until they are compacted in turn: --compact does that at once.\n"
        "Source, output and dead-letter topics are left to their retention.\n"
        "\n"
        "  -c, --config FILE  the configuration\n"
        "      --wait         until the tombstone is in the changelog\n"
        "      --compact      rewrite the stores of this machine, whose instances have been stopped, so that\n"
        "                     no byte of any erased customer is left in them\n"
        "\n"
        "Exit status: 0 fine, 1 the customer is unknown or kafka did not answer, 2 there is no source for\n"
        "erasures, or wrong usage.\n"
        "\n"
        "example: ringfold erase -c ringfold.yaml --wait C0042\n",
    .run = run,
};
