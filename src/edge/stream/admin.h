/* The admin calls that topics.c and offsets.c need, made to look synchronous. Inside this room only. */
#pragma once
#include <librdkafka/rdkafka.h>

#include "edge/stream/topics.h"

#define RF_CUSTOMER_KEY_MAX 1024

rd_kafka_t *rf_admin_open(const struct rf_topics_options *options, struct rf_error *err);
/* Fine where it exists already. */
bool rf_admin_create_topic(rd_kafka_t *rk, rd_kafka_NewTopic_t *topic,
                           struct rf_error *err) RF_MUST_CHECK;

struct rf_topic_values {
    char cleanup_policy[64];
    int64_t max_message_bytes;
    int64_t min_insync_replicas;
};
bool rf_admin_topic_settings(rd_kafka_t *rk, const char *topic, struct rf_topic_values *settings,
                             struct rf_error *err) RF_MUST_CHECK;

/* How many partitions a topic has. Any kind of handle. Errors: CONFIG (there is no such topic), RETRY. */
bool rf_admin_count_partitions(rd_kafka_t *rk, const char *topic, int32_t *count,
                               struct rf_error *err) RF_MUST_CHECK;

/* Who consumes what: `assigned` is called for each partition that a member of the group has, with the member's client
 * id. A group that nobody knows has no members. Errors: RETRY. */
bool rf_admin_group_members(rd_kafka_t *rk, const char *group,
                            void (*assigned)(void *self, const char *client,
                                             const rd_kafka_topic_partition_t *partition),
                            void *self, struct rf_error *err) RF_MUST_CHECK;
