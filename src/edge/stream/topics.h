/* The topics that `run` needs: created, checked, described. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "edge/stream/stream.h"

enum rf_topic_role {
    RF_TOPIC_SOURCE,
    RF_TOPIC_OUTPUT,
    RF_TOPIC_OUTPUT_BY_RULE, /* `key: rule`: compacted, it is what each rule says of each customer now */
    RF_TOPIC_CHANGELOG,
    RF_TOPIC_TASKS,
    RF_TOPIC_DEAD_LETTERS
};

struct rf_topic {
    const char *name;
    enum rf_topic_role role;
};

/* All that a plan reads and writes, each with its role, the last three its own. Returns how many. */
#define RF_TOPICS_MAX (RF_SOURCES_MAX + RF_RULES_MAX + 3) /* outputs: at most as rules */
size_t rf_topics_list(const struct rf_plan *plan, const char *changelog, const char *tasks,
                      const char *dead_letters, struct rf_topic *topics);

#define RF_TOPIC_FAULT_MAX 512
struct rf_topic_fault {
    const char *topic;
    bool fatal;                       /* false: a warning */
    char message[RF_TOPIC_FAULT_MAX]; /* what is wrong and what to do */
};

struct rf_topics_options {
    const struct rf_property *kafka;
    size_t kafka_count;
    const struct rf_topic *topics;
    size_t topic_count;
    int32_t partitions;      /* for sources that are to be created; 0: as those that exist */
    int32_t replication;     /* 0: the broker's default */
    int32_t min_insync;      /* 0: the broker's default */
    size_t record_bytes_max; /* of a changelog record */
};

/* Creates what is missing, each with the settings of its role; what exists is left alone. `created` is called for
 * each. Errors: CONFIG, RETRY. */
bool rf_topics_create(const struct rf_topics_options *options,
                      void (*created)(void *context, const char *topic, int32_t partitions),
                      void *context, struct rf_error *err) RF_MUST_CHECK;

struct rf_topics_found {
    int32_t partitions;        /* of the first source; 0: it does not exist */
    int64_t message_bytes_min; /* the least max.message.bytes of what is written to; 0: not known */
    int64_t dead_letter_bytes; /* that of the topic of the dead letters */
};

/* Every fault that would keep `run` from being right. Returns false only where no broker answers. */
bool rf_topics_check(const struct rf_topics_options *options, struct rf_topic_fault *faults,
                     size_t faults_max, size_t *fault_count, struct rf_topics_found *found,
                     struct rf_error *err) RF_MUST_CHECK;

/* What max.message.bytes of a changelog has to be for customer records of this size. */
size_t rf_changelog_bytes_max(size_t record_bytes_max);
