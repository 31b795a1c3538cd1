#include "edge/stream/topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/stream/admin.h"
#include "edge/stream/metadata.h"
#include "edge/sys/clock.h"

#define TIMEOUT_MS     15000
#define LOOK_EVERY_MS  50
#define PARTITIONS_NEW 4 /* of sources where none is there yet */

struct setting {
    const char *name;
    const char *value;
};

/* What each role asks of its topic when it is made. */
static const struct setting compacted[] = {
    {"cleanup.policy", "compact"},        /* never compact,delete: what is kept is the state */
    {"max.compaction.lag.ms", "3600000"}, /* so that what is erased goes within hours */
    {"segment.ms", "3600000"},
    {"min.cleanable.dirty.ratio", "0.2"},
    {"delete.retention.ms",
     "604800000"}, /* tombstones outlast an instance that is away for a week */
};

static bool is_compacted(enum rf_topic_role role)
{
    return role == RF_TOPIC_CHANGELOG || role == RF_TOPIC_TASKS || role == RF_TOPIC_OUTPUT_BY_RULE;
}

static bool is_output(enum rf_topic_role role)
{
    return role == RF_TOPIC_OUTPUT || role == RF_TOPIC_OUTPUT_BY_RULE;
}

size_t rf_topics_list(const struct rf_plan *plan, const char *changelog, const char *tasks,
                      const char *dead_letters, struct rf_topic *topics)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->source_count; i++)
        topics[count++] = (struct rf_topic){plan->sources[i].topic, RF_TOPIC_SOURCE};
    for (size_t i = 0; i < plan->output_count; i++)
        topics[count++] = (struct rf_topic){plan->outputs[i].topic, plan->outputs[i].keyed_by_rule
                                                                        ? RF_TOPIC_OUTPUT_BY_RULE
                                                                        : RF_TOPIC_OUTPUT};
    topics[count++] = (struct rf_topic){changelog, RF_TOPIC_CHANGELOG};
    topics[count++] = (struct rf_topic){tasks, RF_TOPIC_TASKS};
    topics[count++] = (struct rf_topic){dead_letters, RF_TOPIC_DEAD_LETTERS};
    rf_assert(count <= RF_TOPICS_MAX);
    return count;
}

/* ---- metadata ---- */

struct found_topic {
    bool exists;
    int32_t partitions;
    int replicas;
};

static bool is_first_mention(const struct rf_topics_options *options, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(options->topics[i].name, options->topics[index].name) == 0)
            return false;
    }
    return true;
}

static bool find_topics(rd_kafka_t *rk, const struct rf_topics_options *options,
                        struct found_topic *found, struct rf_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;

    if (!rf_metadata_ask(rk, NULL, &metadata, err))
        return false;
    for (size_t i = 0; i < options->topic_count; i++) {
        found[i] = (struct found_topic){0};
        for (int t = 0; t < metadata->topic_cnt; t++) {
            const struct rd_kafka_metadata_topic *topic = &metadata->topics[t];

            if (strcmp(topic->topic, options->topics[i].name) != 0 ||
                topic->err != RD_KAFKA_RESP_ERR_NO_ERROR)
                continue;
            found[i].exists = true;
            found[i].partitions = topic->partition_cnt;
            found[i].replicas = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* ---- create ---- */

/* The partitions of the sources that exist; 0 where none does. Errors: CONFIG where they differ. */
static bool source_partitions(const struct rf_topics_options *options,
                              const struct found_topic *found, int32_t *partitions,
                              struct rf_error *err)
{
    const char *first = NULL;

    *partitions = 0;
    for (size_t i = 0; i < options->topic_count; i++) {
        if (options->topics[i].role != RF_TOPIC_SOURCE || !found[i].exists)
            continue;
        if (first == NULL) {
            first = options->topics[i].name;
            *partitions = found[i].partitions;
        } else if (found[i].partitions != *partitions) {
            return rf_error_set(
                err, RF_ERROR_CONFIG, 0,
                "the sources need the same number of partitions, so that a customer is in the same"
                " partition of each: %s has %" PRId32 ", %s has %" PRId32,
                first, *partitions, options->topics[i].name, found[i].partitions);
        }
    }
    return true;
}

static bool create_one(rd_kafka_t *rk, const struct rf_topics_options *options,
                       const struct rf_topic *topic, int32_t partitions, struct rf_error *err)
{
    char why[RF_ERROR_MESSAGE_MAX / 2] = "";
    int replication = options->replication > 0 ? options->replication : -1;
    rd_kafka_NewTopic_t *wanted =
        rd_kafka_NewTopic_new(topic->name, partitions, replication, why, sizeof why);
    char size[32];
    bool ok = false;

    if (wanted == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "topic %s: %s", topic->name, why);
    for (size_t i = 0; is_compacted(topic->role) && i < sizeof compacted / sizeof *compacted; i++)
        rd_kafka_NewTopic_set_config(wanted, compacted[i].name, compacted[i].value);
    if (topic->role == RF_TOPIC_CHANGELOG) {
        snprintf(size, sizeof size, "%zu", rf_changelog_bytes_max(options->record_bytes_max));
        rd_kafka_NewTopic_set_config(wanted, "max.message.bytes", size);
    }
    if (options->min_insync > 0 && topic->role != RF_TOPIC_SOURCE) {
        snprintf(size, sizeof size, "%d", (int)options->min_insync);
        rd_kafka_NewTopic_set_config(wanted, "min.insync.replicas", size);
    }
    ok = rf_admin_create_topic(rk, wanted, err);
    rd_kafka_NewTopic_destroy(wanted);
    return ok || rf_error_wrap(err, "creating topic %s", topic->name);
}

static bool all_exist(const struct rf_topics_options *options, const struct found_topic *found)
{
    for (size_t i = 0; i < options->topic_count; i++) {
        if (!found[i].exists || found[i].partitions == 0)
            return false;
    }
    return true;
}

/* A topic is made by the controller; a broker hears of it a moment later. Whoever runs `run` next asks a broker. */
static bool wait_until_known(rd_kafka_t *rk, const struct rf_topics_options *options,
                             struct found_topic *found, struct rf_error *err)
{
    for (int waited_ms = 0; waited_ms < TIMEOUT_MS; waited_ms += LOOK_EVERY_MS) {
        if (!find_topics(rk, options, found, err))
            return false;
        if (all_exist(options, found))
            return true;
        rf_clock_sleep_ms(LOOK_EVERY_MS);
    }
    return rf_error_set(err, RF_ERROR_RETRY, 0,
                        "the topics were created, but %d seconds later the broker does not know all"
                        " of them",
                        TIMEOUT_MS / 1000);
}

bool rf_topics_create(const struct rf_topics_options *options,
                      void (*created)(void *context, const char *topic, int32_t partitions),
                      void *context, struct rf_error *err)
{
    rd_kafka_t *rk = rf_admin_open(options, err);
    struct found_topic *found = calloc(options->topic_count + 1, sizeof *found);
    int32_t partitions = 0;
    bool ok = rk != NULL;

    rf_assert(found != NULL);
    ok = ok && find_topics(rk, options, found, err) &&
         source_partitions(options, found, &partitions, err);
    if (ok && partitions != 0 && options->partitions != 0 && options->partitions != partitions)
        ok = rf_error_set(err, RF_ERROR_CONFIG, 0,
                          "the sources that exist have %" PRId32 " partitions, not %" PRId32,
                          partitions, options->partitions);
    if (partitions == 0)
        partitions = options->partitions > 0 ? options->partitions : PARTITIONS_NEW;
    for (size_t i = 0; ok && i < options->topic_count; i++) {
        if (found[i].exists || !is_first_mention(options, i))
            continue;
        ok = create_one(rk, options, &options->topics[i], partitions, err);
        if (ok && created != NULL)
            created(context, options->topics[i].name, partitions);
    }
    ok = ok && wait_until_known(rk, options, found, err);
    free(found);
    if (rk != NULL)
        rd_kafka_destroy(rk);
    return ok;
}

/* ---- check ---- */

struct checking {
    const struct rf_topics_options *options;
    const struct found_topic *found;
    rd_kafka_t *rk;
    struct rf_topic_fault *faults;
    size_t faults_max;
    size_t count;
    int64_t message_bytes_min; /* of the topics looked at so far; 0: none */
    int64_t dead_letter_bytes;
};

static void complain(struct checking *c, const char *topic, bool fatal, const char *format, ...)
    RF_PRINTF(4, 5);

static void complain(struct checking *c, const char *topic, bool fatal, const char *format, ...)
{
    va_list arguments;

    if (c->count == c->faults_max)
        return;
    c->faults[c->count].topic = topic;
    c->faults[c->count].fatal = fatal;
    va_start(arguments, format);
    vsnprintf(c->faults[c->count].message, sizeof c->faults[c->count].message, format, arguments);
    va_end(arguments);
    c->count++;
}

static void check_settings(struct checking *c, const struct rf_topic *topic,
                           const struct found_topic *found)
{
    struct rf_topic_values settings = {0};
    struct rf_error err = {0};

    if (!rf_admin_topic_settings(c->rk, topic->name, &settings, &err)) {
        complain(c, topic->name, false, "its settings could not be read: %s", err.message);
        return;
    }
    if (settings.max_message_bytes > 0 &&
        (c->message_bytes_min == 0 || settings.max_message_bytes < c->message_bytes_min))
        c->message_bytes_min = settings.max_message_bytes;
    if (topic->role == RF_TOPIC_DEAD_LETTERS)
        c->dead_letter_bytes = settings.max_message_bytes;
    if (is_compacted(topic->role) && strcmp(settings.cleanup_policy, "compact") != 0)
        complain(c, topic->name, !is_output(topic->role),
                 "cleanup.policy is '%s', which deletes what holds still; set it to 'compact'"
                 " (kafka-configs --alter --topic %s --add-config cleanup.policy=compact)",
                 settings.cleanup_policy, topic->name);
    if (topic->role == RF_TOPIC_CHANGELOG &&
        settings.max_message_bytes < (int64_t)rf_changelog_bytes_max(c->options->record_bytes_max))
        complain(c, topic->name, false,
                 "max.message.bytes is %" PRId64 ", less than the largest customer record (%zu);"
                 " events that make a record larger become dead letters",
                 settings.max_message_bytes, c->options->record_bytes_max);
    if (topic->role != RF_TOPIC_SOURCE && found->replicas > 1 && settings.min_insync_replicas < 2)
        complain(c, topic->name, false,
                 "min.insync.replicas is %" PRId64
                 ": a broker that fails can lose what was committed; set it to 2",
                 settings.min_insync_replicas);
}

static void check_one(struct checking *c, size_t index, int32_t partitions)
{
    const struct rf_topic *topic = &c->options->topics[index];
    const struct found_topic *found = &c->found[index];

    if (!found->exists) {
        complain(c, topic->name, true,
                 "there is no such topic; 'ringfold topics create -c FILE' makes it");
        return;
    }
    if (!is_output(topic->role) && partitions > 0 && found->partitions != partitions)
        complain(c, topic->name, true,
                 "it has %" PRId32 " partitions, but the sources have %" PRId32
                 "; they have to be the same, so that a customer is in the same partition of each",
                 found->partitions, partitions);
    if (topic->role != RF_TOPIC_SOURCE)
        check_settings(c, topic, found);
}

bool rf_topics_check(const struct rf_topics_options *options, struct rf_topic_fault *faults,
                     size_t faults_max, size_t *fault_count, struct rf_topics_found *result,
                     struct rf_error *err)
{
    rd_kafka_t *rk = rf_admin_open(options, err);
    struct found_topic *found = calloc(options->topic_count + 1, sizeof *found);
    struct checking c = {
        .options = options, .found = found, .rk = rk, .faults = faults, .faults_max = faults_max};
    bool ok = rk != NULL;

    rf_assert(found != NULL);
    *result = (struct rf_topics_found){0};
    ok = ok && find_topics(rk, options, found, err);
    for (size_t i = 0; ok && result->partitions == 0 && i < options->topic_count; i++) {
        if (options->topics[i].role == RF_TOPIC_SOURCE)
            result->partitions = found[i].partitions;
    }
    for (size_t i = 0; ok && i < options->topic_count; i++) {
        if (is_first_mention(options, i))
            check_one(&c, i, result->partitions);
    }
    *fault_count = c.count;
    result->message_bytes_min = c.message_bytes_min;
    result->dead_letter_bytes = c.dead_letter_bytes;
    free(found);
    if (rk != NULL)
        rd_kafka_destroy(rk);
    return ok;
}

size_t rf_changelog_bytes_max(size_t record_bytes_max)
{
    return record_bytes_max + RF_CUSTOMER_KEY_MAX +
           1024; /* key, headers and the batch's own bytes */
}
