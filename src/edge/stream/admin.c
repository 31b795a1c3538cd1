#include "edge/stream/admin.h"

#include <stdio.h>
#include <string.h>

#include "core/base/number.h"
#include "edge/stream/client.h"
#include "edge/stream/metadata.h"

#define TIMEOUT_MS 15000

rd_kafka_t *rf_admin_open(const struct rf_topics_options *options, struct rf_error *err)
{
    return rf_client_admin(options->kafka, options->kafka_count, err);
}

/* The answer to one request, or NULL. */
static rd_kafka_event_t *wait_for(rd_kafka_queue_t *queue, const char *doing, struct rf_error *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS + 1000);

    if (event == NULL) {
        rf_error_set(err, RF_ERROR_RETRY, 0, "%s: no answer from kafka", doing);
    } else if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rf_error_set(err, RF_ERROR_RETRY, rd_kafka_event_error(event), "%s: %s", doing,
                     rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
        event = NULL;
    }
    return event;
}

static rd_kafka_AdminOptions_t *admin_options(rd_kafka_t *rk, rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, op);
    char why[256];

    rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, why, sizeof why);
    return options;
}

static bool read_create_result(rd_kafka_event_t *event, struct rf_error *err)
{
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        const char *text = rd_kafka_topic_result_error_string(results[i]);

        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return rf_error_set(err, RF_ERROR_CONFIG, code, "%s",
                                text != NULL ? text : rd_kafka_err2str(code));
    }
    return true;
}

bool rf_admin_create_topic(rd_kafka_t *rk, rd_kafka_NewTopic_t *topic, struct rf_error *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = admin_options(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_event_t *event = NULL;
    bool ok = false;

    rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
    event = wait_for(queue, "creating a topic", err);
    ok = event != NULL && read_create_result(event, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return ok;
}

static void read_setting(const rd_kafka_ConfigEntry_t *entry, struct rf_topic_values *settings)
{
    const char *name = rd_kafka_ConfigEntry_name(entry);
    const char *value = rd_kafka_ConfigEntry_value(entry);

    if (value == NULL)
        return;
    if (strcmp(name, "cleanup.policy") == 0)
        snprintf(settings->cleanup_policy, sizeof settings->cleanup_policy, "%s", value);
    else if (strcmp(name, "max.message.bytes") == 0)
        (void)rf_int64_parse(rf_bytes_of_text(value), &settings->max_message_bytes);
    else if (strcmp(name, "min.insync.replicas") == 0)
        (void)rf_int64_parse(rf_bytes_of_text(value), &settings->min_insync_replicas);
}

static bool read_settings(rd_kafka_event_t *event, struct rf_topic_values *settings,
                          struct rf_error *err)
{
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);

    for (size_t i = 0; i < count; i++) {
        size_t entry_count = 0;
        const rd_kafka_ConfigEntry_t **entries = NULL;

        if (rd_kafka_ConfigResource_error(resources[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return rf_error_set(err, RF_ERROR_RETRY, rd_kafka_ConfigResource_error(resources[i]),
                                "%s", rd_kafka_ConfigResource_error_string(resources[i]));
        entries = rd_kafka_ConfigResource_configs(resources[i], &entry_count);
        for (size_t e = 0; e < entry_count; e++)
            read_setting(entries[e], settings);
    }
    return true;
}

bool rf_admin_topic_settings(rd_kafka_t *rk, const char *topic, struct rf_topic_values *settings,
                             struct rf_error *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = admin_options(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_event_t *event = NULL;
    bool ok = false;

    rd_kafka_DescribeConfigs(rk, &resource, 1, options, queue);
    event = wait_for(queue, "describing a topic", err);
    ok = event != NULL && read_settings(event, settings, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return ok;
}

bool rf_admin_count_partitions(rd_kafka_t *rk, const char *topic, int32_t *count,
                               struct rf_error *err)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    bool ok = rf_metadata_ask(rk, handle, &metadata, err);

    rd_kafka_topic_destroy(handle);
    if (!ok)
        return false;
    *count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (*count > 0)
        return true;
    return rf_error_set(err, RF_ERROR_CONFIG, 0, "there is no topic %s", topic);
}

static void tell_assignment(const rd_kafka_MemberDescription_t *member,
                            void (*assigned)(void *self, const char *client,
                                             const rd_kafka_topic_partition_t *partition),
                            void *self)
{
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);
    const rd_kafka_topic_partition_list_t *list =
        assignment == NULL ? NULL : rd_kafka_MemberAssignment_partitions(assignment);

    for (int i = 0; list != NULL && i < list->cnt; i++)
        assigned(self, rd_kafka_MemberDescription_client_id(member), &list->elems[i]);
}

static bool read_members(rd_kafka_event_t *event, const char *group,
                         void (*assigned)(void *self, const char *client,
                                          const rd_kafka_topic_partition_t *partition),
                         void *self, struct rf_error *err)
{
    size_t count = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);

    for (size_t g = 0; g < count; g++) {
        const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(groups[g]);

        if (error != NULL && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
            return rf_error_set(err, RF_ERROR_RETRY, rd_kafka_error_code(error),
                                "describing group %s: %s", group, rd_kafka_error_string(error));
        for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[g]); i++)
            tell_assignment(rd_kafka_ConsumerGroupDescription_member(groups[g], i), assigned, self);
    }
    return true;
}

bool rf_admin_group_members(rd_kafka_t *rk, const char *group,
                            void (*assigned)(void *self, const char *client,
                                             const rd_kafka_topic_partition_t *partition),
                            void *self, struct rf_error *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = admin_options(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_event_t *event = NULL;
    bool ok = false;

    rd_kafka_DescribeConsumerGroups(rk, &group, 1, options, queue);
    event = wait_for(queue, "describing the consumer group", err);
    ok = event != NULL && read_members(event, group, assigned, self, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return ok;
}
